#!/usr/bin/python3
"""A switch of epoch that is killed, torn or refused by its disk at the nth write, sync, truncation or change of a
name: at every moment the archive reads as before, the next command that writes ends the switch or takes it back, and
then nothing is left of it: no file, no segment, no key.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1 (`make check-fault`)."""
import os
import resource
import shutil
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip, tree  # noqa: E402

try:
    import reader  # noqa: F401
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
from faults import FAULT, FULL, World, check_files, check_keyring, on_a_full_disk, sweep  # noqa: E402

def check(w, old_keys):
    for name in ("d0/f000", "d1/f001", "d3/f010"):
        with open(os.path.join("one", name), "rb") as f:
            assert w.run("cat", "s@one", name) == f.read(), name
    w.run("ingest", "small", "--system", "t")
    said = w.run("verify", "--deep").decode()
    assert "note" not in said, said
    epoch = check_keyring(w, old_keys)
    check_files(w, epoch)
    assert epoch in (1, 2), epoch
    w.run("key rotate")
    assert check_keyring(w, old_keys) == epoch + 1
    check_files(w, epoch + 1)
    w.run("verify")
    return epoch


def with_a_limit(base, command, old_keys):
    """No file may grow past so many bytes."""
    for size in (4096, 40000, 66000, 100000, 150000):
        w = World("limited", base)
        w.run(command, status=None, limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        assert w.status != 0, size
        check(w, old_keys)
        w.remove()


def check_old_copies(base):
    """What was copied before a switch opens nothing after it, and says so."""
    old, new = World("old", base), World("new", base)
    new.run("key rotate")
    shutil.copy2(new.keyring, old.keyring)
    old.run("ls", "s", status=5)
    assert "older copy" in old.errors and "catalogue.1" in old.errors, old.errors
    old.run("ingest", "small", "--system", "t", status=5)
    shutil.copy2(base.keyring, new.keyring)
    new.run("ls", "s", status=4)
    assert "keyring is an older copy" in new.errors, new.errors
    new.run("ingest", "small", "--system", "t", status=4)
    new.run("verify", status=None)
    assert new.status != 0
    assert os.path.exists(os.path.join(new.archive, "catalogue.2")), "an old keyring made the archive lose its catalogue"


def main():
    if not os.path.exists(FAULT):
        skip(f"no {FAULT}")
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    tree("one", 1, files=30)
    os.mkdir("small")
    with open("small/a", "w", encoding="ascii") as f:
        f.write("a small file\n")
    os.mkdir("base")
    base = World("base")
    base.run("init")
    base.run("ingest", "one", "--system", "s", "--version", "one")
    old_keys = {h[1]: h[2] for h in base.bodies()}
    check_old_copies(base)
    sweep(base, "key rotate", (), 24, lambda w: check(w, old_keys))
    rooms = range(0, 2048, 16) if FULL else (0, 4, 16, 64, 128, 256, 384, 512, 640, 1024, 1280, 1536, 2048)
    on_a_full_disk(base, "key rotate", (), rooms, lambda w: check(w, old_keys))
    with_a_limit(base, "key rotate", old_keys)


if __name__ == "__main__":
    main()

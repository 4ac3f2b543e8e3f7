#!/usr/bin/python3
"""A destruction that is killed, torn or refused by its disk at the nth write, sync, truncation or change of a name:
all of it is there or none, what stays reads back, the next command that writes ends it or takes it back, and there is
never a certificate of what is not gone, nor anything gone that the log does not tell of.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1 (`make check-fault`)."""
import json
import os
import random
import shutil
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip  # noqa: E402

try:
    import reader
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
from faults import FAULT, World, check_files, check_keyring, on_a_full_disk, sweep  # noqa: E402
from officers import ledger_policy, officer, write, year  # noqa: E402

POLICY = ledger_policy()
DOOMED = [f"fin/i{i}.txt" for i in range(5)]
KEPT = [f"new/n{i}.txt" for i in range(5)]


def is_there(w):
    """True: all of it; False: none of it.  What stays is as it was."""
    for name in KEPT:
        with open(os.path.join("src", name), "rb") as f:
            assert w.run("cat", "led", name) == f.read(), name
    seen = set()
    for name in DOOMED:
        got = w.run("cat", "led", name, status=None)
        seen.add(w.status == 0)
        assert w.status in (0, 1), (name, w.status, w.errors)
        with open(os.path.join("src", name), "rb") as f:
            assert w.status != 0 or got == f.read(), name
    assert len(seen) == 1, "some of it is there, some is not"
    return seen.pop()


def acts(w):
    return [json.loads(line).get("act") for line in w.run("audit list", "--json").decode().splitlines()]


def certificates(w):
    folder = os.path.join(w.archive, "certificates")
    return sorted(n for n in os.listdir(folder) if n.endswith(".p7m"))  # named last, once all of it is there


def check(w, old_keys):
    """Before anything writes again; then executed to the end.  Which epoch the cut left: 1 or 2."""
    there = is_there(w)
    assert not (there and certificates(w)), "a certificate of what is not gone"
    w.run("ingest", "small", "--system", "t")
    assert is_there(w) == there, "the recovery went the other way"
    epoch = check_keyring(w, old_keys)
    assert (epoch == 1) == there, (epoch, there)
    check_files(w, epoch, half_written=("certificates",))
    told = json.dumps(acts(w))
    assert there or "switched" in told, told
    w.run("verify", "--deep")
    made = bool(w.run("cert list", "--json").strip())
    w.run("dispose execute", "D1", "--by", "rita", "--key", "rita.key", status=None)
    # Refused where the certificate was made before the cut: it is executed once.
    assert w.status == (3 if made else 0), (w.status, made, w.errors)
    assert not is_there(w)
    assert certificates(w) == ["C1.p7m"], certificates(w)
    assert len(w.run("cert list", "--json").splitlines()) == 1
    assert check_keyring(w, old_keys) == 2
    check_files(w, 2)
    said = w.run("verify", "--deep").decode()
    assert "note" not in said, said
    w.run("audit verify")
    return epoch


def check_old_copy(base):
    """All that the archive's folder was before, with all the keys that there are after."""
    old, new = World("old", base), World("new", base)
    with open("key", "rb") as f:
        secret = f.read()
    archive = reader.read_toml(old.archive)
    reader.open_catalogue(old.archive, archive, reader.open_keyring(old.keyring, archive, secret, False))
    new.run("dispose execute", "D1", "--by", "rita", "--key", "rita.key")
    keys = reader.open_keyring(new.keyring, archive, secret, False)
    try:
        reader.open_catalogue(old.archive, archive, {**keys, "epoch": 1})
        raise AssertionError("the old catalogue opens with the new keyring")
    except reader.Damaged:
        pass
    os.replace(new.keyring, old.keyring)
    for name in DOOMED + KEPT:
        old.run("cat", "led", name, status=5)
    assert "catalogue.1" in old.errors and "destroyed" in old.errors, old.errors


def check_marks(base):
    """Those of a certificate that is whole, left by an execution that was killed at its very end."""
    w = World("marks", base)
    w.run("dispose execute", "D1", "--by", "rita", "--key", "rita.key")
    folder = os.path.join(w.archive, "certificates")
    shutil.copy2(os.path.join(folder, "C1.marks"), os.path.join(folder, "D1.marks"))
    shutil.copy2(os.path.join(folder, "C1.p7m"), os.path.join(folder, "D2.marks"))
    w.run("ingest", "small", "--system", "t")
    assert not os.path.exists(os.path.join(folder, "D1.marks")) and os.path.exists(os.path.join(folder, "D2.marks"))
    w.remove()


def main():
    if not os.path.exists(FAULT):
        skip(f"no {FAULT}")
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    with open("policy.yaml", "w", encoding="utf-8") as f:
        f.write(POLICY)
    rng = random.Random(7)
    for i in range(5):
        write(f"src/fin/i{i}.txt", "".join(f"invoice {rng.random()}\n" for _ in range(60)), year(2001) + i)
        write(f"src/new/n{i}.txt", "".join(f"kept {rng.random()}\n" for _ in range(60)), year(2020) + i)
    write("small/a", "a small file\n")
    os.mkdir("base")
    base = World("base")
    base.run("init")
    base.run("scan", "src", "--system", "led", "-q")
    base.run("classify", "--system", "led", "--policy", "policy.yaml")
    base.run("ingest", "src", "--system", "led")
    for name, role in (("rita", "records"), ("otto", "owner")):
        officer(name)
        base.run("officer add", "--id", name, "--role", role, "--cert", f"{name}.pem")
    base.run("dispose propose", "--due", "--class", "FIN", "--by", "rita", "--key", "rita.key")
    base.run("dispose approve", "D1", "--by", "otto", "--key", "otto.key")
    old_keys = {h[1]: h[2] for h in base.bodies()}
    check_old_copy(base)
    check_marks(base)
    command = "dispose execute"
    words = ("D1", "--by", "rita", "--key", "rita.key")
    sweep(base, command, words, 12, lambda w: check(w, old_keys))
    on_a_full_disk(base, command, words, (0, 256, 640, 8192), lambda w: check(w, old_keys))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""What a restoring believes: certificates whose approvers were in office, as the copy knows, and of those whom it does not
know only what somebody said to take; every certificate in the folder is a witness, and two that contradict each other end it."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import Source, approved, destroy, keeper, take_in  # noqa: E402
from muniment import MUNI, can_mount, unmount  # noqa: E402
from officers import officer  # noqa: E402

REASON = ("--reason", "the disk burnt")
BY = ("--by", "rita", "--key", "rita.key")


def backup(name):
    shutil.copytree("archive", f"{name}/archive", ignore=shutil.ignore_patterns("run"))
    shutil.copy2("archive.keyring", name)


def put_back(name, has_anchor=False):
    shutil.rmtree("archive")
    shutil.copytree(f"{name}/archive", "archive")
    shutil.copy2(f"{name}/archive.keyring", "archive.keyring")
    for path in [] if has_anchor else glob.glob("*.anchor"):
        os.unlink(path)


def save(a, where, *ids):
    os.makedirs(where, exist_ok=True)
    for one in ids:
        a.ask("cert", "show", one, "--to", f"{where}/{one}.p7m", "--all")


def restore(a, *args, status=0):
    line = [MUNI, "restore", a.path, *args, "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, timeout=300, check=False)
    a.errors = done.stderr.decode(errors="replace")
    assert done.returncode == status, (line, done)
    return done.stdout.decode()


def is_gone(a, *lost):
    """From commands and from a mount."""
    names = a.run("ls", "s@one", "-R")
    assert "kep" in names and not [n for n in lost if n in names], names
    if can_mount():
        where = a.mount("mnt")
        try:
            assert os.path.exists(f"{where}/s/versions/one/kep/k.txt")
            assert not [n for n in lost if os.path.exists(f"{where}/s/versions/one/{n}")]
        finally:
            unmount(where)
    a.run("verify", "--deep")
    a.ask("audit", "verify")


def make():
    s = Source("src", 3)
    for name in ("com/c.txt", "dro/d.txt", "opn/o.txt", "kep/k.txt"):
        s.file(name, f"{name} body\n" * 200)
    a = keeper()                        # rita: records; otto: owner
    officer("adler")
    take_in(a, "src", "s", "one")
    backup("open")                      # the key alone still makes officers
    approved(a, "--due", "--class", "OPN")
    backup("closed")
    save(a, "safe", destroy(a, "--due", "--class", "COM"))
    a.admit("adler", "legal,owner", "rita", "otto")
    d = a.id("dispose", "propose", "--due", "--class", "DRO", by="rita")
    a.ask("dispose", "approve", d, by="adler")
    save(a, "safe", a.id("dispose", "execute", d, by="adler"))
    backup("newest")
    return a


def whom_the_copy_does_not_know(a):
    both = ("safe/C1.p7m", "safe/C2.p7m")
    put_back("closed", has_anchor=True)
    restore(a, *both, *REASON, *BY, status=3)
    assert "adler" in a.errors and "--later-officers" in a.errors, a.errors
    a.run("ls", "s@one", status=5)      # nothing was begun
    restore(a, *both, *REASON, *BY, "--later-officers")
    is_gone(a, "com/c.txt", "dro/d.txt")
    begun = [json.loads(x) for x in a.ask("audit", "list", "--json", "--act", "restore begun").splitlines()]
    assert "later_officers" in json.dumps(begun[-1]) and '"later_officers": true' in json.dumps(begun[-1]).replace(
        '\\"', '"').replace('":true', '": true'), begun
    # Those alone whom it knows: no word is needed, and none is said to have been taken.
    put_back("closed")
    restore(a, both[0], *REASON, *BY)
    is_gone(a, "com/c.txt")
    begun = a.ask("audit", "list", "--json", "--act", "restore begun")
    assert "true" not in begun[begun.index("later_officers"):][:40], begun
    # While the archive's key alone still makes officers they would stop nobody.
    put_back("open")
    restore(a, *both, *REASON, *BY)
    is_gone(a, "com/c.txt", "dro/d.txt")


def who_had_left(a):
    """The copy knows that he had left when he signed: no word helps."""
    put_back("closed")
    a.ask("officer", "remove", "--id", "otto", "--reason", "left")
    backup("left")
    put_back("closed")
    time.sleep(1.1)     # times are of whole seconds
    save(a, "late", destroy(a, "--due", "--class", "COM"))      # in another history: by otto, later
    put_back("left")
    for more in ((), ("--later-officers",)):
        restore(a, "late/C1.p7m", *REASON, *BY, *more, status=3)
        assert "otto" in a.errors and "not in office then" in a.errors, a.errors
    # What he signed before he left counts.
    restore(a, "safe/C1.p7m", *REASON, *BY)
    is_gone(a, "com/c.txt")


def every_witness_is_read(a):
    safe = "newest/archive/certificates"
    # A made-up one of a higher number hides none of those that are signed.
    put_back("closed")
    os.makedirs("archive/certificates", exist_ok=True)
    for path in glob.glob(f"{safe}/C1.*"):
        shutil.copy2(path, "archive/certificates")
    for name in ("C7.p7m", "C7.p7s", "C999999999999.p7m"):
        with open(f"archive/certificates/{name}", "wb") as f:
            f.write(b"nobody signed this")
    a.run("cat", "s@one", "com/c.txt", status=5)
    assert "C1" in a.errors and "older copy" in a.errors, a.errors
    assert "older copy" in a.run("verify", status=5) + a.errors
    restore(a, "--no-certificates", *REASON, *BY, status=3)
    # Another history's C1 in the folder, while the one that was given is this one's.
    put_back("closed")
    for path in glob.glob("late/C1.*"):
        shutil.copy2(path, "archive/certificates")
    restore(a, "safe/C1.p7m", *REASON, *BY, status=5)
    assert "two histories" in a.errors, a.errors
    restore(a, "safe/C1.p7m", "late/C1.p7m", *REASON, *BY, status=5)
    assert "both C1" in a.errors, a.errors
    for path in glob.glob("archive/certificates/C1.*"):
        os.unlink(path)
    restore(a, "safe/C1.p7m", *REASON, *BY)
    is_gone(a, "com/c.txt")
    # And in place of one that the copy knows.
    put_back("newest")
    for path in glob.glob("late/C1.*"):
        shutil.copy2(path, "archive/certificates")
    a.run("verify", status=None)
    assert a.status != 0, "another certificate than the one that was made"


def main():
    a = make()
    whom_the_copy_does_not_know(a)
    who_had_left(a)
    every_witness_is_read(a)


main()

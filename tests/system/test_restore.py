#!/usr/bin/python3
"""The newest copy is lost, a backup is what there is, and records were destroyed since: `muni restore` takes the backup
after what stands in the certificates has gone from it, whatever it was named by; nothing else goes, nothing may be left out,
and a restoring that is cut off opens for nobody until it has ended."""
import glob
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import Source, approved, destroy, keeper, read, take_in  # noqa: E402
from muniment import MUNI  # noqa: E402

REASON = ("--reason", "the disk of the newest copy burnt")
ENTRY = 128     # bytes of one in the log (docs/format.md)
BY = ("--by", "rita", "--key", "rita.key")


def backup(name):
    os.makedirs(name)
    shutil.copytree("archive", f"{name}/archive", ignore=shutil.ignore_patterns("run"))
    shutil.copy2("archive.keyring", name)


def put_back(name):
    """The backup in the archive's place, under this host's anchor."""
    shutil.rmtree("archive")
    shutil.copytree(f"{name}/archive", "archive")
    shutil.copy2(f"{name}/archive.keyring", "archive.keyring")


def make():
    s = Source("src", 5)
    for kind in ("com", "dro", "opn", "kep"):
        for n in range(3):
            s.file(f"{kind}/deep/{kind}-{n}.txt", f"{kind} {n} body\n" * 300)
    s.file("com/both.txt", "the same bytes\n" * 400)
    s.file("kep/both.txt", "the same bytes\n" * 400)
    a = keeper()
    take_in(a, "src", "s", "one")
    backup("early")
    s.file("kep/later.txt", "of the second version\n" * 300)
    s.file("com/later.txt", "gone with the second certificate\n" * 300)
    take_in(a, "src", "s", "two")
    backup("late")
    for n in range(12):
        a.ask("hold", "release", a.id("hold", "add", "--case", "x", "--reason", "x", "--path", "kep/**").split()[-1], "--reason", "x")
    backup("longer")    # of more acts than another history will have
    named = approved(a, "--due", "--class", "OPN")
    backup("proposed")
    destroy(a, "--due", "--class", "COM")
    destroy(a, "--due", "--class", "DRO")
    a.ask("dispose", "execute", named, by="rita")
    os.makedirs("safe")
    for n in (1, 2, 3):
        a.ask("cert", "show", f"C{n}", "--to", f"safe/C{n}.p7m", "--all")
    shutil.copytree("archive", "newest/archive")
    shutil.copy2("archive.keyring", "newest")
    return a


def restore(a, *args, status=0):
    line = [MUNI, "restore", a.path, *args, "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, timeout=300, check=False)
    assert done.returncode == status, (line, done)
    a.errors = done.stderr.decode(errors="replace")
    return done.stdout.decode()


def certificates(*numbers):
    return [f"safe/C{n}.p7m" for n in numbers]


def names(a, label):
    return [n for n in a.run("ls", f"s@{label}", "-R").split() if not n.endswith("/")]


def all_is_gone(a, labels):
    for label in labels:
        left = names(a, label)
        assert left and all(n.startswith("kep/") for n in left), left
        assert a.run("cat", f"s@{label}", "kep/both.txt") == "the same bytes\n" * 400
        assert a.run("cat", f"s@{label}", "kep/deep/kep-1.txt") == "kep 1 body\n" * 300
    a.run("verify", "--deep")
    a.ask("audit", "verify")
    # By the independent reader as well: no name, no row.
    every = {r[0] for r in read(a).db.execute("SELECT name FROM entry")}
    assert not [n for n in every if n.split(b"-")[0] in (b"com", b"dro", b"opn")], every
    # Nor in the list of what had to go: its disposition keeps no item.
    left = read(a).db.execute("SELECT i.name FROM disposition_item i JOIN disposition d ON d.id = i.disposition"
                              " WHERE d.kind = 4").fetchall()
    assert not left, left
    assert "restoring" in a.ask("dispose", "list")
    rows = [json.loads(x) for x in a.ask("audit", "list", "--json").splitlines()]
    acts = [r.get("act") for r in rows]
    assert "restore begun" in acts and acts.index("restore begun") < acts.index("restored"), acts
    begun = json.dumps(next(r for r in rows if r.get("act") == "restore begun"))
    assert "burnt" in begun and "C3" in begun, begun


def refusals(a):
    """What would let something come back, or is not ours."""
    a.run("ls", "s@one", status=5)
    assert "muni restore" in a.errors, a.errors
    restore(a, *REASON, *BY, status=3)
    assert "say that there is none" in a.errors
    restore(a, *certificates(1, 3), *REASON, *BY, status=3)
    assert "C2 is not given" in a.errors, a.errors
    restore(a, *certificates(2, 3), *REASON, *BY, status=3)
    restore(a, *certificates(1, 2, 2, 3), *REASON, *BY, status=2)
    assert "C2 is given twice" in a.errors, a.errors
    restore(a, *certificates(1, 2, 3), *REASON, status=3)
    assert "one of them has to" in a.errors, a.errors
    restore(a, *certificates(1, 2, 3), *REASON, "--by", "rita", "--key", "otto.key", status=3)
    restore(a, *certificates(1), "--no-certificates", *REASON, *BY, status=2)
    restore(a, *certificates(1, 2, 3), *BY, status=2)
    for suffix, word, back in (("marks", "marks", 40), ("p7s", "signature", 20), ("p7m", "signature", 3000)):
        shutil.copytree("safe", "bad")
        os.chmod(f"bad/C2.{suffix}", 0o600)
        with open(f"bad/C2.{suffix}", "r+b") as f:
            f.seek(-back, 2)
            byte = f.read(1)
            f.seek(-1, 1)
            f.write(bytes([byte[0] ^ 1]))
        restore(a, "bad/C1.p7m", "bad/C2.p7m", "bad/C3.p7m", *REASON, *BY, status=5)
        assert word in a.errors, a.errors
        shutil.rmtree("bad")
    shutil.copytree("safe", "bad")
    os.unlink("bad/C3.marks")
    restore(a, "bad/C1.p7m", "bad/C2.p7m", "bad/C3.p7m", *REASON, *BY, status=3)
    assert "marks" in a.errors
    shutil.rmtree("bad")
    # What was refused, and stands as such in its log, has opened nothing.
    a.run("ls", "s@one", status=5)
    a.run("ingest", "src", "--system", "other", status=5)


def cut_off(a):
    """Killed after its first act, or in the switch of epoch: nobody opens it, the same command ends it."""
    line = [MUNI, "restore", a.path, *certificates(1, 2, 3), *REASON, *BY, "--keyring", a.keyring, "--key-file", a.key]
    for acts in (1, 3):
        put_back("late")
        log = os.path.join(a.path, "audit", "log")
        wanted = os.path.getsize(log) + acts * ENTRY
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and os.path.getsize(log) < wanted:
            pass
        process.kill()
        process.wait()
        if process.returncode == 0:
            print("it was done before it could be killed")
            continue
        for path in ("com/deep/com-1.txt", "com/later.txt"):
            assert a.run("cat", "s@two", path, status=None) == "" and a.status != 0, a.errors
        # Nor after a repair.
        a.run("repair", status=None)
        assert a.run("ls", "s@two", status=None) == "" and a.status != 0, a.errors
        assert json.loads(restore(a, *certificates(1, 2, 3), *REASON, *BY, "--json"))["certificates"] == 3
        all_is_gone(a, ("one", "two"))


def other_histories(a):
    """A certificate that lies here and is left out; one whose number the archive has for another."""
    put_back("early")
    entries = os.path.getsize("archive/audit/log")
    restore(a, *certificates(1, 2, 3), *REASON, "--by", "rita", "--key", "otto.key", status=3)
    restore(a, *certificates(1, 2, 3), *REASON, "--by", "nobody", "--key", "otto.key", status=3)
    assert os.path.getsize("archive/audit/log") == entries, "an older copy has another act before it is restored"
    # What nobody signed leaves the certificates in the folder.
    restore(a, *certificates(1, 2, 3), *REASON, status=3)
    for given in ((1,), (1, 2)):
        restore(a, *certificates(*given), *REASON, *BY, status=3)
        assert "in the archive's folder" in a.errors, a.errors
    restore(a, "--no-certificates", *REASON, *BY, status=3)
    assert "C3 lies in the archive's folder" in a.errors, a.errors
    # Somebody said that there were none; its own C1 is another now, and the first one is not passed over.
    put_back("early")
    restore(a, "--no-certificates", *REASON, *BY)
    assert destroy(a, "--due", "--class", "DRO") == "C1"
    restore(a, *certificates(1, 2, 3), *REASON, *BY, status=5)
    assert "another C1" in a.errors, a.errors
    # Of fewer acts than a copy that knows nothing of it, and yet later: a witness where it lies.
    shutil.copytree("archive/certificates", "other")
    put_back("longer")
    for path in glob.glob("other/C1.*"):
        shutil.copy2(path, "archive/certificates")
    for path in glob.glob("*.anchor"):
        os.rename(path, path + ".away")
    a.run("ls", "s@one", status=5)
    assert "another copy" in a.errors and "muni restore" in a.errors, a.errors
    a.run("verify", status=5)
    restore(a, "--no-certificates", *REASON, *BY, status=3)
    assert "C1 lies in the archive's folder" in a.errors, a.errors
    restore(a, "other/C1.p7m", *REASON, *BY)
    assert not [n for n in names(a, "two") if n.startswith("dro/")], names(a, "two")
    for path in glob.glob("*.anchor"):
        os.unlink(path)
    for path in glob.glob("*.away"):
        os.rename(path, path.removesuffix(".away"))


def once_more(a):
    """What was restored is lost as well, and the same old backup is what there is: the certificates of both histories follow
    each other, though the later one was made when there were fewer acts."""
    a.ask("cert", "show", "C4", "--to", "safe/C4.p7m", "--all")
    put_back("early")
    restore(a, *certificates(1, 2, 3), *REASON, *BY, status=0)
    put_back("early")
    restore(a, *certificates(4, 1, 2, 3), *REASON, *BY)
    all_is_gone(a, ("one",))


def main():
    os.makedirs("newest")
    a = make()
    put_back("early")
    refusals(a)
    with open("safe/C2.2.tsr", "wb") as f:
        f.write(b"a time-stamp that was renewed")
    said = restore(a, *certificates(3, 1, 2), *REASON, *BY)
    assert said.startswith("10 records"), said
    assert "acts that this host had seen" in a.errors and ".anchor" in a.errors, a.errors
    all_is_gone(a, ("one",))
    assert os.path.getsize("archive/certificates/C2.2.tsr") == 29
    # It is an archive like any: it takes in, proposes, destroys, certifies, and C4 follows C3.
    take_in(a, "src", "s", "after")
    assert destroy(a, "--due", "--class", "COM") == "C4"
    a.run("verify", "--deep")
    restore(a, *certificates(1, 2, 3), *REASON, *BY, status=2)
    once_more(a)
    other_histories(a)
    # Later backups: with more of it, and one that knows the list itself.
    for name in ("late", "proposed"):
        put_back(name)
        said = json.loads(restore(a, *certificates(1, 2, 3), *REASON, *BY, "--json"))
        assert said["records"] == 11 and said["certificates"] == 3, said
        all_is_gone(a, ("one", "two"))
    # On a host that never saw any of it the certificates are enough.
    put_back("late")
    for path in glob.glob("*.anchor"):
        os.unlink(path)
    restore(a, *certificates(1, 2, 3), *REASON, *BY)
    all_is_gone(a, ("one", "two"))
    cut_off(a)


main()

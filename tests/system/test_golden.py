#!/usr/bin/python3
"""An archive of each older format: read as it is, also where nothing may be written; brought up by the first
writer, in an act of its own; verified and read the same after that."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, can_mount, unmount  # noqa: E402

GOLDEN = os.path.join(os.environ.get("SUPPORT", "tests/support"), "..", "golden")


def read_all(a):
    assert a.run("cat", "hr", "d/a.txt") == "ledger of 1998\n"
    assert [r["version"] for r in a.log("hr")] == ["1"]
    assert a.run("ls", "hr", "-R").split() == ["b", "d/", "d/a.txt", "l"]


def make(name, version=1):
    os.makedirs(name)
    subprocess.run(["tar", "-xJf", os.path.join(GOLDEN, f"format-{version}.tar.xz"), "-C", name], check=True)
    return Archive(os.path.join(name, "archive"), create=False)


a = make("one")
before = {n: open(os.path.join(a.path, n), "rb").read() for n in ("catalogue.1", "audit/log", "audit/heads")}
read_all(a)
a.run("verify", "--deep")
a.run("inventory", "--system", "hr", status=1)
assert "no inventory" in a.errors, a.errors
if can_mount():
    a.mount("mnt")
    try:
        with open("mnt/hr/latest/d/a.txt") as f:
            assert f.read() == "ledger of 1998\n"
        assert os.readlink("mnt/hr/latest/l") == "d/a.txt"
    finally:
        unmount("mnt")
for name, content in before.items():
    with open(os.path.join(a.path, name), "rb") as f:
        assert f.read() == content, f"reading changed {name}"

# A writer brings it up, and nothing of what it held changes.
os.makedirs("src")
with open("src/x.txt", "w") as f:
    f.write("the inventory of an old archive\n")
a.run("scan", "src", "--system", "crm")
a.run("verify", "--deep")
read_all(a)
assert "x.txt" in a.run("inventory", "--system", "crm")
# A system of which nothing was taken in yet is in no listing.
assert "crm" not in a.run("log") and "crm" not in a.run("ls")
if can_mount():
    a.mount("mnt")
    try:
        assert [n for n in os.listdir("mnt") if not n.startswith(".")] == ["hr"], os.listdir("mnt")
        assert not os.path.exists("mnt/crm")
    finally:
        unmount("mnt")
a.run("inventory", "--system", "hr", status=1)
assert "was not scanned yet" in a.errors, a.errors

b = make("two")
b.run("ingest", "src", "--system", "crm")
b.run("verify", "--deep")
read_all(b)
b.run("inventory", "--system", "hr", status=1)
assert "was not scanned yet" in b.errors, b.errors
print("the format before is read and brought up")

# Format 3: classified, without the tables of retention.  It is judged as it is; a hold brings it up.
a = make("three", 3)
with open(os.path.join(a.path, "catalogue.1"), "rb") as f:
    before = f.read()


def due():
    return {r["path"]: r for r in map(json.loads, a.run("due", "--json").splitlines())}


def hold(*words):
    line = [os.environ.get("MUNI", "build/muni"), "hold", words[0], a.path, *words[1:], "--keyring", a.keyring, "--key-file", a.key]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


read_all(a)
ledger = due()["d/a.txt"]
assert (ledger["class"], ledger["until"], ledger["eligible"], ledger["holds"]) == ("FIN", "2028-12-31", "2029-07-01", []), ledger
assert due()["b"]["standing"] == "unclassified" and hold("list") .count("\n") == 1
with open(os.path.join(a.path, "catalogue.1"), "rb") as f:
    assert f.read() == before, "reading changed catalogue.1"
assert hold("add", "--case", "c", "--reason", "r", "--class", "FIN") == "H1\n"
assert due()["d/a.txt"]["holds"] == ["H1"] and due()["d/a.txt"]["until"] == "2028-12-31"
hold("release", "H1", "--reason", "over")
a.run("event", "--system", "hr", "--event", "system-retired", "--at", "2019-06-30")
a.run("verify", "--deep")
read_all(a)

# Format 4: something was destroyed with a certificate, something is held, a list of a live source waits.
a = make("four", 4)
with open(os.path.join(a.path, "catalogue.2"), "rb") as f:
    before = f.read()
assert a.run("cat", "hr@1", "d/a.txt") == "ledger of 1998\n" and a.run("cat", "hr@2", "d/new.txt") == "later\n"
assert len(a.run("cat", "hr", "big.txt")) == 223111
assert [r["version"] for r in a.log("hr")] == ["1", "2"]
assert "tmp/t.txt" not in a.run("ls", "hr@1", "-R").split()
four = os.path.dirname(a.path)
with open("ca.pem", "w") as out:
    for name in ("archive/certificates/archive", "rita", "otto", "olga"):
        with open(os.path.join(four, name + ".pem")) as f:
            out.write(f.read())
done = subprocess.run([os.environ.get("MUNI", "build/muni"), "cert", "verify", os.path.join(a.path, "certificates", "C1.p7m"), "--ca", "ca.pem"],
                      capture_output=True, text=True, check=False)
assert done.returncode == 0, done


def dispose(*words, status=0):
    line = [os.environ.get("MUNI", "build/muni"), "dispose", words[0], a.path, *words[1:], "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == status, done
    return done.stdout


assert "junk/j.txt" in dispose("show", "D2") and due()["tmp/u.txt"]["holds"] == ["H1"]
a.run("verify", "--deep")
with open(os.path.join(a.path, "catalogue.2"), "rb") as f:
    assert f.read() == before, "reading changed catalogue.2"
# A version on top, written as it is written today; what was there stands.
a.run("ingest", "src", "--system", "crm")
dispose("withdraw", "D2", "--reason", "a test", "--by", "rita", "--key", os.path.join(four, "rita.key"))
a.run("verify", "--deep")
assert len(a.run("cat", "hr@1", "big.txt")) == 223111 and a.run("cat", "crm", "x.txt") == "the inventory of an old archive\n"
assert due()["tmp/u.txt"]["holds"] == ["H1"]
print("format 4 is read and brought up")

#!/usr/bin/python3
"""An archive of each older format: read as it is, also where nothing may be written; brought up by the first
writer, in an act of its own; verified and read the same after that."""
import io
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import reader  # noqa: E402
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

# Format 5: leaders and bases, two certificates with marks, a hold, a third epoch, keys renewed since.
WORDS = [f"{n:06x}" for n in map(random.Random(5).randrange, [16**6] * 400)]


def lines(count, seed):
    """What was taken in, made again."""
    rng = random.Random(seed)
    return "".join(f"{1998 + i % 30}-{i % 12 + 1:02d};{' '.join(rng.choice(WORDS) for _ in range(6))};{i}\n" for i in range(count))


def changed(text):
    rows = text.split("\n")
    for i in range(0, 9000, 400):
        rows[i] = "changed in the second version;" + rows[i]
    return "\n".join(rows)


a = make("five", 5)
five = os.path.dirname(a.path)
first = lines(9000, 1)
content = {("1", "kep/big.csv"): first, ("2", "kep/big.csv"): changed(first), ("1", "kep/ledger.txt"): "ledger of 1998\n",
           ("2", "kep/new.txt"): "of the second version\n", ("2", "kep/sparse"): "\0" * (1 << 20) + "end",
           ("1", "kep/hard.txt"): "attributes\n"}


def read_five():
    for (label, path), text in content.items():
        assert a.run("cat", f"hr@{label}", path) == text, (label, path)
    assert sorted(n for n in a.run("ls", "hr@1", "-R").split() if not n.endswith("/")) == sorted(
        f"kep/{n}" for n in ("attr.txt", "big.csv", "hard.txt", "l", "ledger.txt", "sparse"))


before = {n: open(os.path.join(a.path, n), "rb").read() for n in ("catalogue.4", "audit/log", "audit/heads")}
read_five()
a.run("verify", "--deep")
with open("ca5.pem", "w") as out:
    for name in ("archive/certificates/archive", "rita", "otto"):
        with open(os.path.join(five, name + ".pem")) as f:
            out.write(f.read())
for n in (1, 2):
    line = [os.environ.get("MUNI", "build/muni"), "cert", "verify", os.path.join(a.path, "certificates", f"C{n}.p7m"), "--ca", "ca5.pem"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "marks" in done.stdout, done
with open(a.key, "rb") as f:
    independent = reader.Archive(a.path, a.keyring, f.read(), False)
for version in independent.versions():
    for path, kind, node in independent.walk(version[0], version[3]):
        if (version[2].decode(), path.decode()) in content and node["content"]:
            out = io.BytesIO()
            independent.extract(node, out)
            assert out.getvalue().decode() == content[version[2].decode(), path.decode()], path
for name, data in before.items():
    with open(os.path.join(a.path, name), "rb") as f:
        assert f.read() == data, f"reading changed {name}"
if can_mount():
    a.mount("mnt")
    try:
        with open("mnt/hr/versions/2/kep/big.csv") as f:
            assert f.read() == content["2", "kep/big.csv"]
        assert os.getxattr("mnt/hr/versions/1/kep/attr.txt", "user.note") == b"kept"
    finally:
        unmount("mnt")
a.run("ingest", "src", "--system", "crm")
a.run("verify", "--deep")
read_five()
print("format 5 is read and written on")

# Keyring format 2 and segment format 2: three signing keys one after the other, a certificate of each of the first two.
KEYS = "9d590f4f108c9ae1", "18199b65b98dadd8", "c367b0320e07cd2b"
a = make("six", "5-renewed")
six, clear = os.path.dirname(a.path), os.path.join(a.path, "certificates")


def lines_of_six():
    rng = random.Random(6)
    words = [f"{rng.randrange(16**6):06x}" for _ in range(400)]
    rng = random.Random(1)
    return [f"{1998 + i % 30}-{i % 12 + 1:02d};{' '.join(rng.choice(words) for _ in range(6))};{i}" for i in range(4000)] + [""]


def formats():
    """Of the keyring and of all segments: 4 bytes behind the magic."""
    found = {(folder, n): open(os.path.join(folder, n), "rb").read(12)
             for folder, _, names in os.walk(os.path.join(a.path, "segments")) for n in names if n.endswith(".seg")}
    assert found and all(head[:8] == b"MUNISEGM" for head in found.values())
    with open(a.keyring, "rb") as f:
        head = f.read(12)
    assert head[:8] == b"MUNIKEYS"
    return head[8], {head[8] for head in found.values()}


first = lines_of_six()
second = list(first)
second[7] = "changed in the second version;" + second[7]
content = {("1", "kep/big.csv"): "\n".join(first), ("2", "kep/big.csv"): "\n".join(second), ("1", "kep/ledger.txt"): "ledger of 1998\n",
           ("2", "kep/new.txt"): "of the second version\n", ("3", "kep/third.txt"): "of the third version\n",
           ("3", "kep/big.csv"): "\n".join(second), ("1", "kep/hard.txt"): "attributes\n"}


def read_six():
    for (label, path), text in content.items():
        assert a.run("cat", f"hr@{label}", path) == text, (label, path)


def stock_openssl_holds(name, end, ca):
    done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", os.path.join(clear, name + end), "-content",
                           os.path.join(clear, name + ".json"), "-CAfile", os.path.join(clear, ca), "-purpose", "any", "-out", "/dev/null"],
                          capture_output=True, check=False)
    return done.returncode == 0


assert formats() == (2, {2}), formats()
before = {n: open(os.path.join(a.path, n), "rb").read() for n in ("catalogue.3", "audit/log", "audit/heads")}
read_six()
a.run("verify", "--deep")
a.run("export", "hr@2", "--to", "six.out")
with open("six.out/kep/big.csv") as f:
    assert f.read() == content["2", "kep/big.csv"]
with open(a.key, "rb") as f:
    independent = reader.Archive(a.path, a.keyring, f.read(), False)
met = set()
for version in independent.versions():
    for path, kind, node in independent.walk(version[0], version[3]):
        of = version[2].decode(), path.decode()
        if of in content and node["content"]:
            out = io.BytesIO()
            independent.extract(node, out)
            assert out.getvalue().decode() == content[of], path
            met.add(of)
assert met == content.keys(), met
# Each key is vouched for by the one before, and by itself; a stranger sees so.
for former, after in zip(KEYS, KEYS[1:]):
    new = "archive.pem" if after == KEYS[-1] else f"archive-{after}.pem"
    assert stock_openssl_holds(f"archive-{after}", ".p7s", f"archive-{former}.pem")
    assert stock_openssl_holds(f"archive-{after}", ".new.p7s", new)
    assert not stock_openssl_holds(f"archive-{after}", ".p7s", new)
for n, signer in ((1, f"archive-{KEYS[0]}.pem"), (2, f"archive-{KEYS[1]}.pem")):
    with open("ca6.pem", "w") as out:
        for name in (os.path.join(clear, signer), os.path.join(six, "rita.pem"), os.path.join(six, "otto.pem")):
            with open(name) as f:
                out.write(f.read())
    line = [os.environ.get("MUNI", "build/muni"), "cert", "verify", os.path.join(clear, f"C{n}.p7m"), "--ca", "ca6.pem"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
done = subprocess.run([os.environ.get("MUNI", "build/muni"), "audit", "verify", a.path, "--keyring", a.keyring, "--key-file", a.key],
                      capture_output=True, text=True, check=False)
assert done.returncode == 0, done
for name, data in before.items():
    with open(os.path.join(a.path, name), "rb") as f:
        assert f.read() == data, f"reading changed {name}"
a.run("ingest", "src", "--system", "crm")
a.run("verify", "--deep")
read_six()
print("keyring format 2, segment format 2 and renewed signing keys are read and written on")

# Parity of format 2, copies of the catalogue of format 3, an officer whom officers let in, a hold that she signed for.
a = make("seven", "5-officers")
seven, clear = os.path.dirname(a.path), os.path.join(a.path, "certificates")


def lines_of_seven():
    """tests/golden/make-officers.py took them in."""
    rng = random.Random(1)
    return "".join(f"{1998 + i % 30};{rng.randrange(16**6):06x};{i}\n" for i in range(6000))


content = {("1", "new/big.csv"): lines_of_seven(), ("1", "new/ledger.txt"): "ledger of 1998\n", ("2", "new/new.txt"): "of the second version\n",
           ("2", "new/big.csv"): lines_of_seven().replace(";17\n", ";changed in the second version\n")}


def read_seven():
    for (label, path), text in content.items():
        assert a.run("cat", f"led@{label}", path) == text, (label, path)


def files_of(end):
    found = [os.path.join(folder, n) for folder, _, names in os.walk(os.path.join(a.path, "segments")) for n in names if n.endswith(end)]
    return {path: open(path, "rb").read() for path in found}


def ask(verb, act, *args, by=None, status=0):
    line = [os.environ.get("MUNI", "build/muni"), verb, act, a.path, *args, "--keyring", a.keyring, "--key-file", a.key]
    line += ["--by", by, "--key", os.path.join(seven, f"{by}.key")] if by else []
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == status, done
    return done.stdout


segments, parity, copies = files_of(".seg"), files_of(".par"), files_of(".cat")
assert {data[:12] for data in parity.values()} == {b"MUNIPARI\2\0\0\0"} and {data[:12] for data in copies.values()} == {b"MUNIREDO\3\0\0\0"}
read_seven()
a.run("verify", "--deep")
with open(a.key, "rb") as f:
    secret = f.read()
independent = reader.Archive(a.path, a.keyring, secret, False)
assert independent.check_files() > 3 and independent.check_log() > 9
number = reader.read_toml(a.path)
rebuilt = reader.rebuild_catalogue(a.path, number, reader.open_keyring(a.keyring, number, secret, False))
with open(os.path.join(a.path, "catalogue.3"), "rb") as f:
    assert rebuilt == f.read(), "the copies lead to another catalogue"
people = {row["id"]: row for row in map(json.loads, ask("officer", "list", "--json").splitlines())}
assert people["nora"]["in_office"] and people["nora"]["standing"] == "approved" and people["nora"]["approved_by"] == ["rita", "otto"], people
assert people["eve"]["standing"] == "waiting" and not people["eve"]["in_office"], people
with open("ca7.pem", "w") as out:
    for name in ("archive/certificates/archive", "rita", "otto", "nora"):
        with open(os.path.join(seven, name + ".pem")) as f:
            out.write(f.read())
for n in (1, 2):
    line = [os.environ.get("MUNI", "build/muni"), "cert", "verify", os.path.join(clear, f"C{n}.p7m"), "--ca", "ca7.pem"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert n == 1 or any("CN=nora" in row and "approved by" in row for row in done.stdout.splitlines()), done.stdout


def mended(path, harm, is_same=True):
    """Harmed, found, repaired: as it was, to the byte, but for the catalogue and its copies, which repair writes anew."""
    with open(path, "rb") as f:
        before = f.read()
    os.chmod(path, 0o600)
    harm(path)
    a.run("verify", status=None)
    assert a.status != 0, f"{path}: what was done to it is not found"
    a.run("repair")
    a.run("verify", "--deep")
    if is_same:
        with open(path, "rb") as f:
            assert f.read() == before, f"{path}: repaired to something else"


def blot(path):
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(b"\xa5" * 100)


largest = max(segments, key=lambda path: len(segments[path]))
mended(largest, blot)
mended(largest, os.unlink)
mended(min(parity), blot)
mended(max(files_of(".cat"), key=os.path.getsize), blot, is_same=False)
mended(os.path.join(a.path, "catalogue.3"), blot, is_same=False)
read_seven()
# It goes on as it began: a parity group keeps its format, the officers' hold is theirs, she whom nobody let in gets in by them.
a.run("ingest", "src", "--system", "crm")
ask("hold", "release", "H1", "--reason", "over", status=3)
ask("officer", "approve", "--id", "eve", by="rita")
ask("officer", "approve", "--id", "eve", by="otto")
assert "eve" in ask("officer", "list")
a.run("verify", "--deep")
read_seven()
print("parity of format 2, copies of format 3 and officers let in by officers are read, mended and gone on with")

#!/usr/bin/python3
"""Export, the migration path: a directory equals its source in every attribute, a
tar taken in again is no change, a bag is valid for a validator that is not ours, a
zip holds the same bytes; what was interrupted goes on; what is wrong is said."""
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

SUPPORT = os.environ["SUPPORT"]
MUNI = os.environ["MUNI"]
SLOW = 10 if "tsan" in os.path.basename(os.path.dirname(MUNI)) else 1     # it starts so much later
KEYS = ["--keyring", "keyring", "--key-file", "key"]
ROOT = os.geteuid() == 0
failures = 0


def check(claim, ok, detail=""):
    global failures
    if not ok:
        failures += 1
        print(f"FAILED: {claim}\n{detail}")


def muni(*words, expect=None):
    done = subprocess.run([MUNI, *words, *KEYS], capture_output=True, check=False)
    if expect is not None:
        check(f"muni {' '.join(words)} exits {expect}", done.returncode == expect,
              f"{done.returncode} {done.stderr.decode(errors='replace')}")
    return done


def export(spec, to, form, expect=0):
    return muni("export", "archive", spec, "--to", to, "--format", form, "--json",
                expect=expect)


def losses(done):
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [r for r in rows if r.get("type", r.get("kind")) == "loss" or "what" in r], rows


def same(a, b, *without):
    words = [f"{SUPPORT}/compare.py", a, b]
    left_out = [*without, *([] if ROOT else ["owner", "trusted"])]
    if left_out:
        words += ["--no", ",".join(left_out)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    check(f"{a} equals {b}", done.returncode == 0, done.stdout[-3000:])


def make_sources():
    subprocess.run([f"{SUPPORT}/hardtree.py", "hard", "--many", "500"], check=True,
                   stderr=subprocess.DEVNULL)
    rng = random.Random(5)
    os.makedirs("plain/deep/er/empty")
    for i in range(40):
        with open(f"plain/file-{i}", "wb") as f:
            f.write(rng.randbytes(rng.randrange(0, 2_000_000)))
    odd = ["per%cent", "new\nline", "return\r", "%0A", "员工", "sp ace", " leading", "back\\slash"]
    for name in odd:
        with open(f"plain/deep/{name}", "w", encoding="utf-8") as f:
            f.write(name)
    with open(b"plain/deep/\xd4\xb1\xb9\xa4", "wb") as f:
        f.write(b"gb18030")
    with open("plain/sparse", "wb") as f:
        f.seek(3 << 20)
        f.write(b"island")
        f.truncate(8 << 20)
    os.symlink("file-1", "plain/link")
    os.link("plain/file-2", "plain/deep/other name")
    for name in ("hard", "plain"):
        muni("ingest", "archive", name, "--system", name, expect=0)


# ---- directory ------------------------------------------------------------------------

def directory():
    done = export("hard", "out.dir", "dir")
    same("hard", "out.dir")
    check("nothing else is left beside it", not [n for n in os.listdir(".") if "partial" in n])
    found, _ = losses(done)
    check("what no directory can carry is told", any("birth" in f["what"] for f in found),
          str(found))
    again = export("hard", "out.dir", "dir", expect=None)
    check("what is there is never written over", again.returncode == 1 and
          b"already" in again.stderr, again.stderr.decode())
    os.makedirs("out.empty")
    export("plain", "out.empty", "dir")
    same("plain", "out.empty")


# ---- tar --------------------------------------------------------------------------------

def tar():
    export("hard", "out.tar", "tar")
    muni("ingest", "archive", "out.tar", "--system", "hard", "--version", "again", expect=0)
    done = muni("diff", "archive", "hard@1", "hard@again", "--json", expect=0)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    changed = [r for r in rows if "path" in r and not str(r["path"]).endswith("socket")]
    check("a tar taken in again is no change", changed == [], str(changed[:5]))
    export("hard", "twin.tar", "tar")
    with open("out.tar", "rb") as a, open("twin.tar", "rb") as b:
        check("the same version gives the same bytes", a.read() == b.read())
    stream = muni("export", "archive", "hard", "--to", "-", "--format", "tar", expect=0)
    with open("out.tar", "rb") as f:
        check("standard output gets them too", stream.stdout == f.read())
    subprocess.run(["tar", "-tf", "out.tar"], check=True, capture_output=True)
    export("plain", "plain.tar", "tar")
    os.makedirs("by-tar")
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "--acls", "-xpf", "plain.tar", "-C",
                    "by-tar"], check=True, capture_output=True)
    same("plain", "by-tar")
    with tarfile.open("plain.tar") as t:	# a third reader
        names = {m.name for m in t}
        check("Python's tarfile reads it", "deep/员工" in names and "deep/new\nline" in names)


# ---- zip ----------------------------------------------------------------------------------

def zip_():
    done = export("plain", "out.zip", "zip")
    found, _ = losses(done)
    check("the copy of a hard link is told", any("copy" in f["what"] for f in found), str(found))
    with zipfile.ZipFile("out.zip") as z:
        check("the zip is sound", z.testzip() is None)
        for name in ("file-3", "deep/员工", "deep/other name", "sparse"):
            with open(f"plain/{name}", "rb") as f:
                check(f"{name} is the same in the zip", z.read(name) == f.read())
        link = z.getinfo("link")
        check("a link is a link", link.external_attr >> 16 & 0o170000 == 0o120000 and
              z.read("link") == b"file-1")


# ---- bag ------------------------------------------------------------------------------------

def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def manifest(path):
    """RFC 8493 2.1.3: HEX, blanks, a path with %0A, %0D, %25 for LF, CR, %."""
    rows = {}
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            match = re.fullmatch(r"([0-9a-f]{64})[ \t]+(.+)\n", line, re.DOTALL)
            assert match, repr(line)
            name = re.sub(r"%(0A|0D|25)", lambda m: chr(int(m[1], 16)), match[2],
                          flags=re.IGNORECASE)
            assert name not in rows, name
            rows[name] = match[1]
    return rows


def validate_bag(bag):
    """A validator from the RFC's text alone; returns what is wrong."""
    with open(f"{bag}/bagit.txt", "rb") as f:
        if f.read() != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            yield "bagit.txt"
    rows = manifest(f"{bag}/manifest-sha256.txt")
    there, total = set(), 0
    for folder, _, names in os.walk(f"{bag}/data"):
        for name in names:
            path = os.path.join(folder, name)
            there.add(os.path.relpath(path, bag))
            total += os.path.getsize(path)
            if not os.path.isfile(path) or os.path.islink(path):
                yield f"{path} is no file"
    if there != set(rows):
        yield f"payload and manifest differ: {sorted(there ^ set(rows))[:5]}"
    for name in there & set(rows):
        if sha256(f"{bag}/{name}") != rows[name]:
            yield f"{name} has another digest"
    tags = manifest(f"{bag}/tagmanifest-sha256.txt")
    if set(tags) != {"bagit.txt", "bag-info.txt", "manifest-sha256.txt"}:
        yield f"tag files {sorted(tags)}"
    for name, digest in tags.items():
        if sha256(f"{bag}/{name}") != digest:
            yield f"{name} has another digest"
    with open(f"{bag}/bag-info.txt", encoding="utf-8") as f:
        info = dict(line.rstrip("\n").split(": ", 1) for line in f)
    if info.get("Payload-Oxum") != f"{total}.{len(there)}":
        yield f"Payload-Oxum {info.get('Payload-Oxum')} is not {total}.{len(there)}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", info.get("Bagging-Date", "")):
        yield "Bagging-Date"


def bag():
    done = export("plain", "out.bag", "bagit")
    wrong = list(validate_bag("out.bag"))
    check("the bag is valid", wrong == [], str(wrong))
    found, _ = losses(done)
    check("a link left out is told", any(f["path"] == "link" for f in found), str(found))
    check("a name that had to change is told", any("UTF-8" in f["what"] for f in found))
    with open("out.bag/data/deep/new\nline", encoding="utf-8") as f:
        check("odd names are kept in the payload", f.read() == "new\nline")
    with open("out.bag/data/file-5", "r+b") as f:
        f.write(b"?")
    check("the validator can fail", list(validate_bag("out.bag")) != [])


# ---- going on after an interruption -------------------------------------------------------------

def interrupted(form, to, equal):
    rng = random.Random(9)
    kills = 0
    for _ in range(12):
        p = subprocess.Popen([MUNI, "export", "archive", "plain", "--to", to, "--format", form,
                              *KEYS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.02, 0.5) * SLOW)
        p.send_signal(signal.SIGKILL)
        p.wait()
        if os.path.exists(to):	# and then it has to be whole
            break
        kills += 1
    if not os.path.exists(to):
        done = export("plain", to, form)
        _, rows = losses(done)
        if form == "dir":
            check("what was whole was kept", kills == 0 or
                  any(r.get("resumed", 0) > 0 for r in rows), str(rows[-1:]))
    export("plain", to, form, expect=None)	# refused; sweeps what a kill at the end left
    equal()	# after that: a link in what was left would count
    check(f"nothing is left beside {to}", not [n for n in os.listdir(".") if
                                             n.startswith(to) and n != to])


def goes_on():
    def equal_files(a, b):
        return lambda: check(f"{a} is {b}", sha256(a) == sha256(b))
    interrupted("dir", "killed.dir", lambda: same("plain", "killed.dir"))
    interrupted("tar", "killed.tar", equal_files("killed.tar", "plain.tar"))
    interrupted("zip", "killed.zip", equal_files("killed.zip", "out.zip"))
    interrupted("bagit", "killed.bag",
                lambda: check("the bag is valid", list(validate_bag("killed.bag")) == []))


def what_an_earlier_run_left_is_not_believed():
    with open("plain.tar", "rb") as f:
        half = bytearray(f.read()[:3_000_000])
    half[1_234_567] ^= 4
    with open("bent.tar.partial", "wb") as f:
        f.write(half + bytes(50_000_000))
    export("plain", "bent.tar", "tar")
    check("a bent beginning is written anew", sha256("bent.tar") == sha256("plain.tar"))
    os.makedirs("strange.partial")
    done = export("plain", "strange", "dir", expect=None)
    check("a directory that is not ours is left alone", done.returncode == 1 and
          os.listdir("strange.partial") == [], done.stderr.decode())


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x10]))


def damage_stops_one_file_and_not_the_others():
    segments = []
    for folder, _, names in os.walk("archive/segments"):
        segments += [os.path.join(folder, n) for n in names if n.endswith(".seg")]
    largest = max(segments, key=os.path.getsize)
    os.chmod(largest, 0o600)
    # What lies where is chance: other things than this version's content are in it, too.
    for part in range(5, 10):
        at = os.path.getsize(largest) * part // 10
        flip(largest, at)
        done = export("plain", "hurt", "dir", expect=None)
        if done.returncode != 0:
            break
        flip(largest, at)
        subprocess.run(["chmod", "-R", "u+rwx", "hurt"], check=True)
        shutil.rmtree("hurt")
    check("damage is found", done.returncode == 5, done.stderr.decode())
    check("what is damaged is named", b"repair" in done.stderr, done.stderr.decode())
    check("and nothing stands under the name", not os.path.exists("hurt"))
    check("the others are written", os.path.isdir("hurt.partial") and
          len(os.listdir("hurt.partial")) > 30, done.stderr.decode())
    export("plain", "hurt.tar", "tar", expect=5)
    muni("repair", "archive", expect=0)
    export("plain", "hurt", "dir")
    same("plain", "hurt")
    export("plain", "hurt.tar", "tar")
    check("after repair the tar is as ever", sha256("hurt.tar") == sha256("plain.tar"))


def wrong_words():
    for to, form in (("no/such/folder/x", "tar"), (".", "dir"), ("..", "dir")):
        done = export("plain", to, form, expect=None)
        check(f"--to {to} is refused", done.returncode in (1, 2) and done.stderr, "")
    done = export("nothing", "x", "dir", expect=None)
    check("an unknown system is refused", done.returncode == 1 and not os.path.exists("x"))
    full = subprocess.run([MUNI, "export", "archive", "plain", "--to", "-", "--format", "tar",
                           *KEYS], stdout=open("/dev/full", "wb"), stderr=subprocess.PIPE,
                          check=False)
    check("a full standard output is an error", full.returncode == 1, full.stderr.decode())


def without_rights():
    """Another user, who may neither give files away nor read every mode."""
    if not ROOT:
        return
    os.makedirs("other")
    os.chmod("other", 0o777)
    subprocess.run(["chmod", "-R", "a+rX", "archive", "key", "keyring"], check=True)
    os.chmod(".", 0o755)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", MUNI,
                           "export", "archive", "plain", "--to", "other/out", *KEYS], capture_output=True, check=False)
    check("without rights", done.returncode == 0, done.stderr.decode())
    done = subprocess.run([f"{SUPPORT}/compare.py", "plain", "other/out", "--no", "owner"],
                          capture_output=True, text=True, check=False)
    check("all but owners is the same", done.returncode == 0, done.stdout[-2000:])


def main():
    with open("key", "wb") as f:
        f.write(b"k" * 32)
    muni("init", "archive", expect=0)
    make_sources()
    directory()
    tar()
    zip_()
    bag()
    goes_on()
    what_an_earlier_run_left_is_not_believed()
    damage_stops_one_file_and_not_the_others()
    wrong_words()
    without_rights()
    sys.exit(1 if failures else 0)


main()

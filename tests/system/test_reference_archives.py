#!/usr/bin/python3
"""Archives that others use to test their readers: those in $MUNIMENT_REFERENCE_ARCHIVES (plain files, or
*.uu as libarchive's source keeps them).  Each is ingested, in bounded time and memory; what comes out again
is held against what bsdtar extracts: names, kinds, content, modes, times, links.  What bsdtar reads and we
do not must be of a reason that stands in REASONS; nothing may crash, hang, or fail without a sentence."""
import hashlib
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, skip

FOLDER = os.environ.get("MUNIMENT_REFERENCE_ARCHIVES")
SECONDS = 20
SHOW = "-v" in sys.argv

# Why we refuse, or leave out entries of, what bsdtar takes.
REASONS = (
    "is not an archive of a kind that is read", "is not an archive; with --raw", "is encrypted", "encrypted",
    "cut off", "stops without the mark", "is damaged", "checksum", "CRC", "Truncated", "truncated",
    "it is empty", "nothing inside", "nothing in it but zeros", "holds less data than it declares",
    "absolute", "leads out of", "\"..\"", "no name", "without a target",
)
CRASHES = ("signal", "sandbox", "nonsense", "in the middle of a word", "was killed", "AddressSanitizer")
BEGAN = time.time_ns() - 10**9	# a file system's clock lags
failures = refused = same = 0


def check(claim, ok, detail=""):
    global failures
    if not ok:
        failures += 1
        print(f"FAILED: {claim}\n    {detail}")
    return ok


def decoded(path, name):
    """The file itself, or what a uuencoded one holds, under its own name."""
    with open(path, "rb") as f:
        lines = f.read().split(b"\n") if name.endswith(".uu") else None
    if not lines:
        return path
    begin = next((i for i, line in enumerate(lines) if line.startswith(b"begin ")), None)
    if begin is None:
        return path
    out = os.path.join("decoded", name[:-3])
    with open(out, "wb") as f:
        for line in lines[begin + 1:]:
            if line.strip() == b"end":
                break
            f.write(uu(line))
    return out


def uu(line):
    """Of one line; encoders differ in how they fill it up, and some have bits behind its end."""
    wanted = line[0] - 32 & 63 if line else 0
    sixes = [b - 32 & 63 for b in line[1:1 + (wanted + 2) // 3 * 4].ljust((wanted + 2) // 3 * 4)]
    bits = b"".join((a << 18 | b << 12 | c << 6 | d).to_bytes(3, "big") for a, b, c, d in zip(*[iter(sixes)] * 4))
    return bits[:wanted]


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))	# of holes


def run(words):
    """Exit status (None: too long), standard error."""
    with open("stderr", "wb") as err:
        p = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=err, stdin=subprocess.DEVNULL,
                             preexec_fn=limited)
        try:
            code = p.wait(4 * SECONDS)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            code = None
    with open("stderr", "rb") as f:
        text = f.read().decode(errors="replace")
    return code, text


def digest(path):
    """Of size and content; long holes cost nothing."""
    sum_of = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        size, at = os.fstat(f.fileno()).st_size, 0
        sum_of.update(b"%d" % size)
        while at < size:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) & ~4095
            except OSError:
                break
            os.lseek(f.fileno(), at, os.SEEK_SET)
            block = f.read(4096)
            if any(block):
                sum_of.update(b"%d" % at + block)
            at += 4096
    return sum_of.hexdigest()


def look(top):
    """path -> what it is, for all below top; names of one inode share a group."""
    found, groups = {}, {}
    top = os.fsencode(top)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            what = {"kind": kind, "mode": stat.S_IMODE(st.st_mode), "mtime": st.st_mtime_ns}
            if stat.S_ISREG(kind):
                what["content"] = digest(path)
                groups.setdefault(st.st_ino, []).append(os.path.relpath(path, top))
            elif stat.S_ISLNK(kind):
                what["content"] = os.readlink(path)
            found[os.path.relpath(path, top)] = what
    for names in groups.values():
        for name in names:
            found[name]["links"] = sorted(names)
    return found


def named_twice(path):
    """Of two entries of one name the last counts for us; bsdtar sets modes and times of folders in its own order."""
    done = subprocess.run(["bsdtar", "-tf", path], capture_output=True, timeout=4 * SECONDS)
    names = [n.strip(b"/") for n in done.stdout.split(b"\n")]
    return {n for n in names if names.count(n) > 1}


def differences(theirs, ours, twice, lent):
    """lent: the archive's own time."""
    for path in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get(path), ours.get(path)
        if a is None or b is None:
            yield path, "is there for " + ("us" if a is None else "bsdtar") + " alone"
            continue
        for key in ("kind", "content", "links", "mode", "mtime"):
            if key == "mode" and (stat.S_ISLNK(a["kind"]) or path in twice):
                continue
            if key == "mtime" and stat.S_ISDIR(a["kind"]):
                continue	# a folder that an entry lies in, but that no entry names
            if key == "mtime" and b["mtime"] == lent and a["mtime"] >= BEGAN:
                continue	# the archive says none: bsdtar leaves the time of extraction
            if a.get(key) != b.get(key):
                yield path, f"{key}: bsdtar {a.get(key)}, we {b.get(key)}"


def clear(folder):
    if os.path.isdir(folder):
        subprocess.run(["chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


def one(archive, path, name, number):
    global refused, same
    system = f"r{number}"
    for folder in ("theirs", "ours", "ours.partial", "ours.partial.work"):
        clear(folder)
    os.mkdir("theirs")
    their_code, their_text = run(["bsdtar", "--no-same-owner", "-p", "-xf", path, "-C", "theirs"])
    keys = ["--keyring", archive.keyring, "--key-file", archive.key]
    code, text = run([MUNI, "ingest", archive.path, path, "--system", system, "--rar", *keys])
    check(f"{name} ends in time and without a crash", code in (0, 1), f"{code} {text}")
    # Where the library goes round in circles (of xar, versions before 3.7.5), our limit ends it, or this test's before.
    if their_code == -signal.SIGXCPU and "CPU time limit" in text:
        refused += 1
        return
    if not check(f"{name} breaks no reader", not any(word in text for word in CRASHES), text):
        return
    check(f"{name}: a failure has a sentence", code == 0 or len(text) > 30, text)
    versions, _ = run([MUNI, "log", archive.path, system, *keys])
    if versions != 0:
        refused += 1
        if SHOW or (their_code == 0 and not any(r in text for r in REASONS)):
            print(f"{name}: refused: {text.strip()} [bsdtar {their_code} {their_text.strip()}]")
        check(f"{name} is read as bsdtar reads it", their_code != 0 or any(r in text for r in REASONS), text)
        return
    done, why = run([MUNI, "export", archive.path, system, "--to", "ours", *keys])
    if not check(f"{name} is exported", done == 0, why):
        return
    off = list(differences(look("theirs"), look("ours"), named_twice(path), os.stat(path).st_mtime_ns))
    same += not off
    for path, what in off:
        # Damaged data: what bsdtar leaves half-written we leave out, and say so.
        if their_code != 0 or code != 0:
            if SHOW:
                print(f"{name}: {path!r} {what} [we {code} {text.strip()}] [bsdtar {their_code} "
                      f"{their_text.strip()}]")
            continue
        check(f"{name}: {path!r} comes out as bsdtar extracts it", False, what)


def main():
    if not FOLDER:
        skip("MUNIMENT_REFERENCE_ARCHIVES names no folder of archives")
    if not shutil.which("bsdtar"):
        skip("no bsdtar to compare with")
    os.umask(0o022)
    os.mkdir("decoded")
    archive = Archive()
    names = sorted(n for n in os.listdir(FOLDER) if os.path.isfile(os.path.join(FOLDER, n)))
    only = os.environ.get("MUNIMENT_REFERENCE_ONLY", "")
    for number, name in enumerate(n for n in names if only in n):
        one(archive, decoded(os.path.join(FOLDER, name), name), name, number)
    check(f"{FOLDER} has archives", names)
    print(f"{len(names)} archives: {same} as bsdtar extracts them, {refused} refused, {failures} failures")
    sys.exit(1 if failures else 0)


main()

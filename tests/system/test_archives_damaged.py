#!/usr/bin/python3
"""Archives of every format that can be made here, whole and damaged at every place, read by us and by bsdtar.  Whole, each comes
out as bsdtar extracts it, in the mount and from an export.  Damaged, it ends in bounded time and memory; with exit 0 it is what
bsdtar extracts with exit 0; with 1 it says what is missing, and no file of the version is another than bsdtar's; the versions
before stand, and the archive is whole.  MUNIMENT_FULL=1: at every byte.  MUNIMENT_ONLY=NAME: the formats so called."""
import collections
import os
import random
import re
import resource
import shutil
import stat
import subprocess
import sys
import time
import unicodedata

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import foreign
from muniment import MUNI, SLOW, Archive, can_mount, skip, unmount

FULL = os.environ.get("MUNIMENT_FULL") == "1"
ONLY = os.environ.get("MUNIMENT_ONLY", "")
SEED = int(os.environ.get("MUNIMENT_SEED", "20261124"))
CASES = int(os.environ.get("MUNIMENT_CASES", "4"))	# of a format
HANDS = int(os.environ.get("MUNIMENT_HANDS", "3"))
BATCH = 80		# versions of one archive
CRASHES = ("signal", "sandbox", "nonsense", "in the middle of a word", "was killed", "AddressSanitizer")
MEGABYTES = 600		# of the largest process that was waited for
BROKEN = {"7z-zip-Deflate64", "bsd-pwb", "bsd-bin"}	# libarchive 3.6.2 cannot read the first, nor write the others
LENT = 1_400_000_000 * 10**9	# every archive's own time
WAIT = 100 * SLOW

Case = collections.namedtuple("Case", "format what data")


def theirs_of(data, where):
    """What bsdtar makes of it: exit status (None: too long), messages; the tree lies in `where`."""
    clear(where)
    os.mkdir(where)
    with open("theirs.archive", "wb") as f:
        f.write(data)
    def limited():
        resource.setrlimit(resource.RLIMIT_CPU, (20, 25))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 44, 1 << 44))	# of holes
    try:
        done = subprocess.run(["bsdtar", "--numeric-owner", "-xpf", "../theirs.archive"], cwd=where, capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=WAIT, preexec_fn=limited)
    except subprocess.TimeoutExpired:
        return None, "too long"
    return done.returncode, done.stderr.decode(errors="replace")


def clear(folder):
    if os.path.lexists(folder):
        subprocess.run(["chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


class Hand:
    """One worker: its own folder and archives."""

    def __init__(self, number):
        self.number = number
        self.failures = self.cases = 0
        self.counts = collections.Counter()
        self.archive = None

    def check(self, claim, ok, detail=""):
        if not ok:
            self.failures += 1
            print(f"FAILED: {claim}\n    {detail}", flush=True)
        return ok

    def ingest(self, data, system, version):
        with open("ours.archive", "wb") as f:
            f.write(data)
        os.utime("ours.archive", ns=(LENT, LENT))
        a = self.archive
        line = [MUNI, "ingest", a.path, "ours.archive", "--system", system, "--version", version, "--rar", "-q", "--threads", "1",
                "--keyring", a.keyring, "--key-file", a.key]
        try:
            done = subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL, timeout=WAIT)
        except subprocess.TimeoutExpired:
            return None, "took too long", False
        return done.returncode, done.stderr.decode(errors="replace"), done.stdout.strip().endswith(b"@" + version.encode())

    def batch(self, cases, wholes):
        """Each a version of its format's system, over the whole one."""
        clear("work")
        os.mkdir("work")
        os.chdir("work")
        self.archive = Archive()
        for name in sorted({c.format for c in cases}):
            code, text, _ = self.ingest(wholes[name], name, "whole")
            self.check(f"{name}: what is whole comes in", code == 0 or name in BROKEN, text)
        ended = []
        for i, case in enumerate(cases):
            name = f"{case.format}, {case.what}"
            code, text, is_there = self.ingest(case.data, case.format, f"v{i}")
            self.check(f"{name}: ends cleanly", code in (0, 1), f"{code} {text}")
            self.check(f"{name}: breaks no reader", not any(w in text for w in CRASHES), text)
            self.check(f"{name}: no byte of a name reaches the terminal raw", not any(
                unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and c != "\n" for c in text), repr(text))
            self.check(f"{name}: a failure has a sentence", code == 0 or len(text.strip()) > 40, text)
            self.check(f"{name}: exit 0 is a version", code != 0 or is_there, text)
            ended.append((code, text, is_there))
        self.archive.run("verify", "--deep")
        states = {r["version"]: r["state"] for r in self.archive.log() if r["version"] != "whole"}
        self.archive.mount("mnt")
        try:
            self.compare(cases, wholes, ended, states)
        finally:
            unmount("mnt")
            os.chdir("..")

    def compare(self, cases, wholes, ended, states):
        began = time.time_ns() - 10**9		# a file system's clock lags
        for name in sorted({c.format for c in cases} - BROKEN):
            theirs_of(wholes[name], "theirs")
            off = [d for d in foreign.differences(foreign.look("theirs"), foreign.look(f"mnt/{name}/versions/whole"), LENT, began)
                   if not is_explained(*d, 0, "")]
            self.check(f"{name}: the version before stands", not off, off)
        for i, (case, (code, text, is_there)) in enumerate(zip(cases, ended)):
            self.cases += 1
            their_code, their_text = theirs_of(case.data, "theirs")
            self.counts[f"we {code}{' with' if is_there else ' without'} a version, bsdtar {their_code}"] += 1
            if code == 1 and their_code == 0:
                self.counts["stricter: " + reason(text)] += 1
            name = f"{case.format}, {case.what}"
            said = f"[we {code} {text.strip()}] [bsdtar {their_code} {their_text.strip()}]"
            if code == 0:
                self.check(f"{name}: what bsdtar fails on is not whole", their_code == 0 or is_forgiven(case.format, their_text), said)
            if not is_there:
                continue
            self.check(f"{name}: the version says whether it is whole", states[f"v{i}"] == ("complete" if code == 0 else "incomplete"),
                       states[f"v{i}"])
            theirs, ours = foreign.look("theirs"), foreign.look(f"mnt/{case.format}/versions/v{i}")
            for path, key, what in foreign.differences(theirs, ours, LENT, began):
                group = theirs.get(path, {}).get("links", [path])
                if not (is_explained(path, key, what, code, text) or is_said(key, group, code, text, their_code, their_text)):
                    self.check(f"{name}: {path!r} is as bsdtar extracts it", False, f"{what} {said}")


def reason(text):
    """The kind of sentence, for the sums."""
    line = text.strip().split("\n")[0]
    return re.sub(r"[0-9]+", "N", line.split(": ", 2)[-1])[:90]


def is_forgiven(kind, text):
    """bsdtar's complaints of what is no damage."""
    lines = [x for x in text.strip().split("\n") if x and "exit delayed" not in x and "Removing leading" not in x]
    if kind == "ar":	# a library's index is an entry "/" for bsdtar
        lines = [x for x in lines if not x.startswith(("/: ", ": ", ".: "))]
    return not lines


def is_explained(path, key, what, code, text):
    """What is ours on purpose, whatever the exit status."""
    return key == "kind" and what == f"bsdtar {stat.S_IFREG}, we {stat.S_IFSOCK}"	# bsdtar makes an empty file of a socket


def is_said(key, group, code, text, their_code, their_text):
    """Where one of the two has failed: that of this file it said so, or cannot know better."""
    named = any(os.fsdecode(p) in text for p in group)
    if code == 1 and (key in ("missing", "links") or named):
        return True
    if code == 1 and "Retrying" in their_text:
        return True	# behind a header that was damaged it finds others (0060)
    # What bsdtar leaves out, and of a file that it left half-written.
    return their_code != 0 and (key in ("extra", "mtime", "mode", "owner", "xattrs") or any(os.fsdecode(p) in their_text for p in group))


def main():
    if not shutil.which("bsdtar"):
        skip("no bsdtar to compare with")
    if not can_mount():
        skip("no /dev/fuse")
    os.umask(0o022)
    rng = random.Random(SEED)
    foreign.small_tree("small", rng)
    foreign.flat_tree("flat", rng)
    cases, wholes = [], {}
    for name, data in [*foreign.packed_trees("small"), *foreign.packed_files("flat")]:
        if data is None or ONLY not in name:
            continue
        wholes[name] = data
        cases += [Case(name, what, bad)
                  for what, bad in foreign.damaged(name, data, random.Random(f"{SEED} {name}"), None if FULL else CASES)]
    jobs = [cases[i:i + BATCH] for i in range(0, len(cases), BATCH)]
    children = []
    for n in range(HANDS):
        pid = os.fork()
        if pid == 0:
            hand = Hand(n)
            os.mkdir(f"hand{n}")
            os.chdir(f"hand{n}")
            try:
                for part in jobs[n::HANDS]:
                    hand.batch(part, wholes)
            except BaseException:
                import traceback
                traceback.print_exc()
                hand.failures += 1
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            hand.check("nothing took much memory", peak < MEGABYTES or "san" in MUNI, f"{peak} MiB")
            sums = "".join(f"\n  {v} {k}" for k, v in hand.counts.most_common(40))
            print(f"hand {n}: {hand.cases} cases, {hand.failures} failures, {peak} MiB at most{sums}", flush=True)
            os._exit(1 if hand.failures else 0)
        children.append(pid)
    bad = sum(os.waitpid(p, 0)[1] != 0 for p in children)
    print(f"{len(wholes)} formats, {len(cases)} cases")
    sys.exit(1 if bad else 0)


main()

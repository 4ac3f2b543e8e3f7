#!/usr/bin/python3
"""The sweep of faults: at every place in the program where a call can fail, it fails, or the process is killed there, and
then the archive is opened again, every invariant is checked, and the work is finished.

    fault_sweep.py [--many N | --full | --all] [--only OPERATION,...] [--kinds KIND,...] [--jobs N] [--seed N]
    fault_sweep.py --only OPERATION --again "KIND HOW SITE NTH"     one of them once more; its world is kept

A place is a stack of calls.  Each is made to fail when it is passed for the first, the second and the last time; --all
takes every time.  --many takes a seeded sample.  What is told: how many of how many, what was found and where."""
import argparse
import collections
import concurrent.futures
import contextlib
import copy
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_disk import Disk, read_record  # noqa: E402
from fault_operations import OPERATIONS, content, make_world, sources  # noqa: E402
from faults import FAULT, Trace, World  # noqa: E402

SECONDS = 300  # the longest that a command may take: it takes a tenth of a second, but machines stand still
KINDS = {"write": 1, "sync": 2, "name": 4, "truncate": 8, "open": 16, "read": 32, "alloc": 64, "sqlite": 128,
         "process": 512}
# What a fault does; "+": and so does every call after it.
HOWS = {
    "write": ("EIO", "ENOSPC+", "short", "EINTR", "kill", "after", "tear"), "sync": ("EIO", "EINTR", "kill", "after"),
    "name": ("EIO", "ENOSPC+", "kill", "after"), "truncate": ("EIO", "ENOSPC+", "EINTR", "kill", "after"),
    "open": ("EMFILE", "EIO", "EINTR"), "read": ("EIO", "EINTR", "short"), "alloc": ("ENOMEM", "ENOMEM+"),
    "sqlite": ("NOMEM", "IOERR", "FULL", "BUSY", "CORRUPT"), "process": ("EAGAIN", "EMFILE+"),
}
SHARES = ("0", "0.5", "0.9")  # of what was not synced, how much a crash of the disk keeps
CHANGES = ("write", "sync", "name", "truncate")
ENDS = ("kill", "after", "tear")
# Sentences that are no more than a guess where the true reason is a want of memory or of a descriptor.
LIES = re.compile(r"passphrase|does not open|opens none|damaged|changed|does not belong|forged|is broken", re.I)
# Bytes of an ingest that no row names: no key opens them, and the next switch of epoch removes them.
ORPHANS = "in the folder that the catalogue does not know: an interrupted ingest left them"
Fault = collections.namedtuple("Fault", "operation kind how site nth")


# ---- where calls are made ------------------------------------------------------------------------

def order(fault, trace):
    env = {"LD_PRELOAD": FAULT, "FAULT_OPS": fault.kind, "FAULT_HOW": fault.how.rstrip("+"), "FAULT_SITE": f"{fault.site:x}",
           "FAULT_NTH": str(fault.nth), "FAULT_TRACE": trace, "FAULT_FOLLOW": "1", "FAULT_DEPTH": str(OPTIONS.depth)}
    if fault.how.endswith("+"):
        env["FAULT_STICKY"] = "1"
    return env


def faults_of(name, made):
    """Every place that the operation passes, from one run without a fault."""
    op = OPERATIONS[name]
    w = World(f"probe-{name}", made[op.world])
    trace = os.path.join(w.folder, "trace")
    env = {"LD_PRELOAD": FAULT, "FAULT_OPS": ",".join(OPTIONS.kinds), "FAULT_TRACE": trace, "FAULT_FOLLOW": "1",
           "FAULT_DEPTH": str(OPTIONS.depth)}
    op.golden = output_of(op, w, w.run(*op.words(w), status=op.status, env=env, key=op.key))
    if op.done:
        assert op.done(w), f"{name} is not done when it is done"
    kinds = {bit: kind for kind, bit in KINDS.items()}
    found = []
    for place in Trace(trace).places:
        site, bit, passed = place[:3]
        kind = kinds[bit]
        times = range(1, passed + 1) if OPTIONS.all else sorted({1, min(2, passed), passed})
        for how in HOWS[kind]:
            if op.reads and how in ENDS:
                continue
            # Only what changes a disk can be seen to have been killed a little later.
            found += [Fault(name, kind, how, site, nth) for nth in times]
    w.remove()
    return found


def crashes_of(name, made):
    """Every moment of a run at which the disk may forget what was not synced."""
    op = OPERATIONS[name]
    if op.reads:
        return []
    w = World(f"disk-{name}", made[op.world])
    record = os.path.abspath(f"record-{name}")
    disk = Disk(w.folder)
    w.run(*op.words(w), env={"LD_PRELOAD": FAULT, "FAULT_RECORD": record}, key=op.key)
    op.disk = (disk, read_record(record))
    w.remove()
    os.unlink(record)
    found = [Fault(name, "disk", share, i, OPTIONS.seed) for share in SHARES for i in range(len(op.disk[1]) + 1)]
    # The end is what the command promised: more of those.
    return found + [Fault(name, "disk", share, len(op.disk[1]), OPTIONS.seed + i) for share in SHARES for i in range(1, 20)]


def one_crash(fault, made, keep):
    op = OPERATIONS[fault.operation]
    with op.lock or contextlib.nullcontext():
        return crash_and_check(op, fault, made, keep)


def crash_and_check(op, fault, made, keep):
    # Paths stand in an archive that is being made.
    place = f"disk-{fault.operation}" if op.lock else f"c-{fault.operation}-{fault.how}-{fault.site:x}-{fault.nth}"
    w = World(place)
    w.key, w.errors = op.key, ""
    disk, record = copy.deepcopy(op.disk[0]), op.disk[1]
    for change in record[:fault.site]:
        disk.apply(change)
    disk.crash(w.folder, random.Random(f"{fault.site} {fault.how} {fault.nth}"), float(fault.how))
    w.status = 0 if fault.site == len(record) else -9
    problem = None
    try:
        check_archive(op, fault, w, made[op.world])
    except Exception as said:  # pylint: disable=broad-except
        problem = f"after {fault.site} of {len(record)} changes: " + (
            str(said) if isinstance(said, AssertionError) else traceback.format_exc())
    if not keep:
        w.remove()
    return problem, True


# ---- one fault -----------------------------------------------------------------------------------------

def tree_digest(where):
    """Of all names and bytes below."""
    h = hashlib.sha256()
    if os.path.isfile(where):
        with open(where, "rb") as f:
            return hashlib.sha256(f.read()).digest()
    for folder, folders, files in os.walk(where):
        folders.sort()
        h.update(os.path.relpath(folder, where).encode() + b"\0")
        for name in sorted(files):
            path = os.path.join(folder, name)
            h.update(name.encode() + b"\0")
            if os.path.islink(path):
                h.update(os.readlink(path).encode())
            else:
                with open(path, "rb") as f:
                    h.update(hashlib.sha256(f.read()).digest())
    return h.digest()


def output_of(op, w, said):
    """What the operation is for.  Notes of verify are told for the fault's own sake; of damages there may be more."""
    if op.command[0] == "verify":
        said = [line for line in said.splitlines() if not line.startswith(b"note")] if op.status == 0 else b""
    return tree_digest(os.path.join(w.folder, "out")) if op.out else hashlib.sha256(repr(said).encode()).digest()


def archive_digest(w):
    """Of archive and keyring; not of the lock, nor of empty folders that segments may get."""
    h = hashlib.sha256()
    for folder, folders, files in os.walk(w.folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name in ("lock", "trace") or name.endswith("-shm"):
                continue
            with open(path, "rb") as f:
                h.update(path.encode()[len(w.folder):] + b"\0" + hashlib.sha256(f.read()).digest())
    return h.digest()


def check_said(op, fault, w):
    """It ended by itself, with a status that is true and a sentence."""
    if fault.how in ENDS:
        assert w.status == -9, f"exit {w.status}, not killed: {w.errors}"
        return
    assert w.status >= 0, f"it died of signal {-w.status}: {w.errors[-600:]}"
    assert "ssertion" not in w.errors and "Sanitizer" not in w.errors and "(null)" not in w.errors, w.errors
    if w.status == op.status:
        return
    may = {1}
    # What cannot be read or mended is damage to those who look for it.
    if fault.how == "CORRUPT" or fault.kind == "read" or op.command[0] in ("verify", "repair"):
        may.add(5)
    assert w.status in may, f"exit {w.status}: {w.errors}"
    assert w.errors.strip(), f"exit {w.status} and nothing said"
    if 5 not in may:
        said = LIES.search(w.errors)
        assert not said, f"it says what is not so: {w.errors}"


def check_leftovers(w):
    for folder, _, names in os.walk(w.archive):
        for name in names:
            assert not name.endswith(".tmp") and not name.startswith(".put-"), f"left behind: {os.path.join(folder, name)}"
    for name in os.listdir(w.folder):
        assert not name.endswith(".tmp"), f"left behind: {name}"


def check_kept(w, kept):
    for version, digest in kept.items():
        assert content(w, version) == digest, f"{version} is not what it was"


def check_archive(op, fault, w, base):
    """Opened again, looked at, the work finished."""
    first = w.status
    if op.command[0] == "init" and not os.path.exists(os.path.join(w.archive, "muniment.toml")):
        done = False
        w.run("log", status=None, key=op.key)
        assert w.status not in (0, -11, -6), "half an archive opens"
    else:
        if base.kind != "damaged":
            check_kept_with(op, w, base)
        done = op.done(w)
    assert done or first != 0, "it said that it was done, and it is not"
    if not done or (op.command[0] == "repair" and first != 0):
        w.run(*op.words(w), key=op.key)
        assert op.done(w), "done again, and still not done"
    key = "second.key" if op.key == "second.key" else "key"
    if done:  # whoever writes next completes what was cut off
        w.run("ingest", "small", "--system", "zz", "-q", key=key)
    said = w.run("verify", "--deep", key=key).decode()
    notes = [line for line in said.splitlines() if line.startswith("note") and ORPHANS not in line]
    assert not notes, notes
    check_kept_with(op, w, base)
    check_leftovers(w)
    w.run("audit verify", key=key)


def check_kept_with(op, w, base):
    w.key = op.key
    if op.keeps:
        check_kept(w, base.kept)


def one(fault, made, keep=False):
    """Returns what was wrong, or None; and whether the fault came up at all."""
    if fault.kind == "disk":
        return one_crash(fault, made, keep)
    op = OPERATIONS[fault.operation]
    base = made[op.world]
    w = World(f"w-{fault.operation}-{fault.kind}-{fault.how}-{fault.site:x}-{fault.nth}", base)
    w.key = op.key
    trace = os.path.join(w.folder, "trace")
    seen = None
    try:
        out = w.run(*op.words(w), status=None, env=order(fault, trace), key=op.key)
        seen = Trace(trace)
        if not seen.fired:
            w.remove()
            return None, False
        check_said(op, fault, w)
        if w.status == op.status and op.reads:
            assert output_of(op, w, out) == op.golden, f"exit {w.status}, and its output is not right: {w.errors}"
        if not op.reads:
            check_changed(op, fault, w, base)
    except Exception as problem:  # pylint: disable=broad-except
        if isinstance(problem, subprocess.TimeoutExpired):
            problem = f"it hangs: {problem.cmd[1:3]}"
        elif not isinstance(problem, AssertionError):
            problem = traceback.format_exc()
        stack = seen.stack() if seen and seen.fired else []
        if not keep:
            w.remove()
        return f"{problem}\n    at " + "\n       ".join(stack), True
    if not keep:
        w.remove()
    return None, True


def check_changed(op, fault, w, base):
    os.unlink(os.path.join(w.folder, "trace"))
    if w.status != 0 and archive_digest(w) == base.digest:
        return
    check_archive(op, fault, w, base)


# ---- all of them --------------------------------------------------------------------------------------------

def choose(found):
    """A sample in which every operation and kind has its share."""
    rng = random.Random(OPTIONS.seed)
    if not OPTIONS.many:
        rng.shuffle(found)
        return found
    groups = collections.defaultdict(list)
    for f in found:
        groups[f.operation, f.kind, f.how].append(f)
    for g in groups.values():
        rng.shuffle(g)
    turns = list(groups.values())
    rng.shuffle(turns)
    chosen = []
    while turns and len(chosen) < OPTIONS.many:
        chosen += [g.pop() for g in turns][:OPTIONS.many - len(chosen)]
        turns = [g for g in turns if g]
    return chosen


class Sums:
    def __init__(self, total):
        self.total, self.ran, self.met, self.wrong = total, 0, 0, []
        self.by_kind, self.lock, self.began = collections.Counter(), threading.Lock(), time.monotonic()

    def add(self, fault, problem, has_met):
        with self.lock:
            self.ran += 1
            self.met += has_met
            self.by_kind[fault.kind] += has_met
            if problem:
                self.wrong.append((fault, problem))
                print(f"WRONG {fault.operation}: --again \"{fault.kind} {fault.how} {fault.site:x} {fault.nth}\": {problem}",
                      flush=True)
            if self.ran % 200 == 0:
                print(f"{self.ran} of {self.total}, {time.monotonic() - self.began:.0f} s, at {fault.operation} "
                      f"({fault.kind}); {len(self.wrong)} wrong", flush=True)


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--many", type=int, default=0)
    p.add_argument("--all", action="store_true")
    p.add_argument("--only", default=",".join(OPERATIONS))
    p.add_argument("--kinds", default=",".join([*KINDS, "disk"]))
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--depth", type=int, default=12)
    p.add_argument("--seed", type=int, default=int(os.environ.get("MUNIMENT_SEED", "20261122")))
    p.add_argument("--again")
    o = p.parse_args()
    o.only, o.kinds = o.only.split(","), o.kinds.split(",")
    return o


def main():
    sources()
    made = {}
    for name in OPTIONS.only:
        w = make_world(OPERATIONS[name].world, made)
        w.digest = archive_digest(w)
    with concurrent.futures.ThreadPoolExecutor(OPTIONS.jobs) as pool:
        found = []
        if OPTIONS.kinds != ["disk"]:
            found += [f for several in pool.map(lambda n: faults_of(n, made), OPTIONS.only) for f in several]
        if "disk" in OPTIONS.kinds:
            found += [f for several in pool.map(lambda n: crashes_of(n, made), OPTIONS.only) for f in several]
        if OPTIONS.again:
            kind, how, site, nth = OPTIONS.again.split()
            problem, has_met = one(Fault(OPTIONS.only[0], kind, how, int(site, 16), int(nth)), made, keep=True)
            print(problem or "nothing wrong", "" if has_met else "(it did not come up)")
            return 1 if problem else 0
        chosen = choose(found)
        sums = Sums(len(chosen))
        print(f"{len(chosen)} of {len(found)} faults at {len({(f.operation, f.site) for f in found})} places of "
              f"{len(OPTIONS.only)} operations, seed {OPTIONS.seed}", flush=True)
        for done in concurrent.futures.as_completed([pool.submit(lambda f=f: (f, *one(f, made))) for f in chosen]):
            sums.add(*done.result())
    print(f"{sums.ran} faults, {sums.met} of them met ({', '.join(f'{k} {n}' for k, n in sums.by_kind.items())}); "
          f"{len(sums.wrong)} wrong")
    return 1 if sums.wrong else 0


OPTIONS = parse()
if __name__ == "__main__":
    sys.exit(main())

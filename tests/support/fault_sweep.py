#!/usr/bin/python3
"""The sweep of faults: at every place in the program where a call can fail, it fails, or the process is killed there, and
then the archive is opened again, every invariant is checked, and the work is finished (fault_check.py).

    fault_sweep.py [--many N | --each | --all] [--only OPERATION,...] [--kinds KIND,...] [--hows HOW,...] [--jobs N]
                   [--at WORD,...] [--seed N] [--ledger FILE]
    fault_sweep.py --only OPERATION --again "KIND HOW SITE NTH"     one of them once more; its world is kept

A place is the call in the program that came to it, who called that, and where in a library it is.  Operations share most
of theirs: what fails is tried in one of those that pass it, for reading and for changing ones, when it is passed for the
first and for the last time; what kills, in each operation.  --each tries every place in every operation, --all each time
that it is passed.  --many takes a seeded sample; --at those below functions or files with such a word in their name.
With --ledger what was tried is written down, and left out by the next run.  What is told: how many of how many, what was found and where."""
import argparse
import collections
import concurrent.futures
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_check import ENDS, Fault, archive_digest, one, output_of  # noqa: E402
from fault_disk import Disk, read_record  # noqa: E402
from fault_operations import OPERATIONS, make_world, sources  # noqa: E402
from faults import FAULT, OWN_FRAMES, Trace, World  # noqa: E402

KINDS = {"write": 1, "sync": 2, "name": 4, "truncate": 8, "open": 16, "read": 32, "alloc": 64, "sqlite": 128,
         "process": 512}
# What a fault does; "+": and so does every call of the kind after it.
HOWS = {
    "write": ("EIO", "ENOSPC+", "short", "EINTR", "kill", "after", "tear"), "sync": ("EIO", "EINTR", "kill", "after"),
    "name": ("EIO", "ENOSPC+", "kill", "after"), "truncate": ("EIO", "ENOSPC+", "EINTR", "kill", "after"),
    "open": ("EMFILE", "EMFILE+", "EIO", "EINTR"), "read": ("EIO", "EINTR", "short"), "alloc": ("ENOMEM", "ENOMEM+"),
    "sqlite": ("NOMEM", "IOERR", "FULL", "BUSY", "CORRUPT"), "process": ("EAGAIN", "EMFILE+"),
}
SHARES = ("0", "0.5", "0.9")  # of what was not synced, how much a crash of the disk keeps


# ---- where calls are made ------------------------------------------------------------------------

def places_of(name, made):
    """Every place that the operation passes, from one run without a fault: kind, site, caller, how often."""
    op = OPERATIONS[name]
    w = World(f"probe-{name}", made[op.world])
    trace = w.folder + ".trace"
    env = {"LD_PRELOAD": FAULT, "FAULT_OPS": ",".join(k for k in OPTIONS.kinds if k in KINDS), "FAULT_TRACE": trace,
           "FAULT_FOLLOW": "1", "FAULT_OWN": str(OWN_FRAMES)}
    op.golden = output_of(op, w, w.run(*op.words(w), status=op.status, env=env, key=op.key, is_bare=op.is_bare))
    if op.done:
        assert op.done(w), f"{name} is not done when it is done"
    kinds = {bit: kind for kind, bit in KINDS.items()}
    seen = Trace(trace, True)
    chosen = seen.at(OPTIONS.at.split(",")) if OPTIONS.at else seen.places
    assert chosen, f"{name} passes no place" + (f" below {OPTIONS.at}" if OPTIONS.at else "")
    places = [(kinds[bit], site, caller, passed) for site, bit, passed, caller in (p[:4] for p in chosen)]
    w.remove()
    os.unlink(trace)
    return name, places


def faults_of(all_places):
    """Of the places of all operations."""
    rng = random.Random(OPTIONS.seed)
    passed_by = collections.defaultdict(list)
    for name, places in all_places:
        for kind, site, caller, passed in places:
            passed_by[kind, site, OPERATIONS[name].reads].append((name, caller, passed))
    found = []
    for (kind, site, is_reading), operations in sorted(passed_by.items()):
        for how in HOWS[kind]:
            if is_reading and how in ENDS:
                continue  # only what changes a disk can be seen to have been killed a little later
            for name, caller, passed in operations if how in ENDS or OPTIONS.each else [rng.choice(operations)]:
                times = range(1, passed + 1) if OPTIONS.all else sorted({1, passed})
                found += [Fault(name, kind, how, site, nth, caller) for nth in times]
    return found, len(passed_by)


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


# ---- all of them --------------------------------------------------------------------------------------------

def place_of(fault):
    """Where it is; of disks that forget, each moment of each operation is one."""
    return (fault.kind, fault.site) if fault.kind != "disk" else (fault.operation, fault.site)


def in_turns(found, key):
    """One of each key, then the second of each, until there are none."""
    groups = collections.defaultdict(list)
    for f in found:
        groups[key(f)].append(f)
    turns, rounds = list(groups.values()), []
    while turns:
        rounds.append([g.pop() for g in turns])
        turns = [g for g in turns if g]
    return rounds


def choose(found):
    """In an order in which each place comes up once before any does twice, and there all ways of failing before one comes
    again, with the operations side by side.  A sample: of each operation, kind and way its share."""
    rng = random.Random(OPTIONS.seed)
    rng.shuffle(found)
    if OPTIONS.many:
        rounds = in_turns(found, lambda f: (f.operation, f.kind, f.how))
        return [f for r in rounds for f in rng.sample(r, len(r))][:OPTIONS.many]
    ways = [f for r in in_turns(found, lambda f: (place_of(f), f.how)) for f in r]
    rounds = in_turns(ways[::-1], place_of)
    return [f for r in rounds for turn in in_turns(r, lambda f: f.operation) for f in turn]


def word_of(fault):
    return f"{fault.operation} {fault.kind} {fault.how} {fault.site:x} {fault.nth}"


class Ledger:
    """What was tried by earlier runs, and by this one."""

    def __init__(self, path):
        self.tried, self.file = set(), None
        if path and os.path.exists(path):
            with open(path, encoding="ascii") as f:
                self.tried = {line.rstrip("\n") for line in f}
        if path:
            self.file = open(path, "a", encoding="ascii", buffering=1)  # pylint: disable=consider-using-with

    def add(self, fault):
        if self.file:
            self.file.write(word_of(fault) + "\n")


class Sums:
    def __init__(self, total, ledger):
        self.total, self.ran, self.wrong, self.ledger = total, 0, [], ledger
        self.met, self.lock, self.began = collections.Counter(), threading.Lock(), time.monotonic()

    def add(self, fault, problem, has_met):
        with self.lock:
            self.ran += 1
            self.met[fault.operation, fault.kind] += has_met
            self.ledger.add(fault)
            if problem:
                self.wrong.append((fault, problem))
                print(f"WRONG --only {fault.operation} --again \"{word_of(fault).split(' ', 1)[1]}\": {problem}", flush=True)
            if self.ran % 500 == 0:
                print(f"{self.ran} of {self.total}, {time.monotonic() - self.began:.0f} s, at {fault.operation} "
                      f"({fault.kind}); {len(self.wrong)} wrong", flush=True)

    def table(self):
        kinds = [k for k in [*KINDS, "disk"] if any(kind == k for _, kind in self.met)]
        print("met".ljust(16), *(k.rjust(8) for k in kinds))
        for name in OPTIONS.only:
            print(name.ljust(16), *(str(self.met[name, k]).rjust(8) for k in kinds))


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--many", type=int, default=0)
    p.add_argument("--each", action="store_true")
    p.add_argument("--all", action="store_true")
    p.add_argument("--only", default=",".join(OPERATIONS))
    p.add_argument("--kinds", default=",".join([*KINDS, "disk"]))
    p.add_argument("--hows")
    p.add_argument("--at")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--seed", type=int, default=int(os.environ.get("MUNIMENT_SEED", "20261122")))
    p.add_argument("--ledger")
    p.add_argument("--again")
    o = p.parse_args()
    o.only, o.kinds, o.each = o.only.split(","), o.kinds.split(","), o.each or o.all
    return o


def find(made, pool):
    found, places = [], 0
    if OPTIONS.kinds != ["disk"]:
        found, places = faults_of(list(pool.map(lambda n: places_of(n, made), OPTIONS.only)))
    if "disk" in OPTIONS.kinds:
        found += [f for several in pool.map(lambda n: crashes_of(n, made), OPTIONS.only) for f in several]
    if OPTIONS.hows:
        found = [f for f in found if f.how in OPTIONS.hows.split(",")]
    return found, places


def again(made):
    kind, how, site, nth = OPTIONS.again.split()
    problem, has_met = one(Fault(OPTIONS.only[0], kind, how, int(site, 16), int(nth)), made, keep=True)
    print(problem or "nothing wrong", "" if has_met else "(it did not come up)")
    return 1 if problem else 0


def main():
    ledger = Ledger(OPTIONS.ledger and os.path.abspath(OPTIONS.ledger))
    sources()
    made = {}
    for name in OPTIONS.only:
        make_world(OPERATIONS[name].world, made)
    for w in made.values():
        w.digest = archive_digest(w)
    with concurrent.futures.ThreadPoolExecutor(OPTIONS.jobs) as pool:
        found, places = find(made, pool)
        if OPTIONS.again:
            return again(made)
        chosen = [f for f in choose(found) if word_of(f) not in ledger.tried]
        sums = Sums(len(chosen), ledger)
        print(f"{len(chosen)} of {len(found)} faults at {places} places of {len(OPTIONS.only)} operations, "
              f"seed {OPTIONS.seed}", flush=True)
        for done in concurrent.futures.as_completed([pool.submit(lambda f=f: (f, *one(f, made))) for f in chosen]):
            sums.add(*done.result())
    sums.table()
    met = sum(sums.met.values())
    if chosen and not met:
        print("none of the faults came up: what was aimed at was not met")
    print(f"{sums.ran} faults, {met} of them met; {len(sums.wrong)} wrong; "
          f"{time.monotonic() - sums.began:.0f} s")
    return 1 if sums.wrong or (chosen and not met) else 0


OPTIONS = parse()
if __name__ == "__main__":
    sys.exit(main())

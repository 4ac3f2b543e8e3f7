#!/usr/bin/python3
"""A mount whose replies to the kernel fail, one after the other, and whose memory runs out at any place: nobody waits for
ever, a file is read right or not at all, and the next request is served right.

A sample in `make check`; every reply with MUNIMENT_FULL=1 (`make check-fault`)."""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from faults import FAULT, FULL, SEED, Trace, World  # noqa: E402
from muniment import MUNIFS, can_mount, skip, tree, unmount  # noqa: E402

rng = random.Random(SEED)
# Walks, and reads every file; what cannot be read is told, what is read wrongly ends it.
READER = """
import os, sys
bad, good = 0, 0
for folder, folders, files in os.walk(sys.argv[1], onerror=lambda e: None):
    for name in files:
        path = os.path.join(folder, name)
        try:
            if os.path.islink(path):
                os.readlink(path)
                continue
            with open(path, "rb") as f:
                got = f.read()
        except OSError as e:
            bad += 1
            continue
        with open(os.path.join(sys.argv[2], os.path.relpath(path, sys.argv[1])), "rb") as f:
            assert got == f.read(), path
        good += 1
print(bad, good)
"""


def read_all(where):
    done = subprocess.run([sys.executable, "-c", READER, where, "one"], capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return tuple(map(int, done.stdout.split()))


def one(w, env, may_refuse, more=""):
    """Returns what the fault met, None where it did not come up."""
    trace = os.path.join(w.folder, "trace")
    env = {"LD_PRELOAD": FAULT, "FAULT_TRACE": trace, **env}
    if os.path.exists(trace):
        os.unlink(trace)
    mount = os.path.join(w.folder, "mnt")
    os.makedirs(mount, exist_ok=True)
    options = f"keyring={w.keyring},key-file={os.path.abspath('key')}{more}"
    done = subprocess.run([MUNIFS, w.archive, mount, "-o", options], env={**os.environ, **env}, timeout=300, capture_output=True,
                          check=False)
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        assert may_refuse and done.returncode > 0 and said.strip(), (env, done.returncode, said)
        assert not os.path.ismount(mount), env
        return Trace(trace) if Trace(trace).fired else None
    try:
        assert done.returncode >= 0, (env, done.returncode, said)
        read_all(os.path.join(mount, "s", "latest"))
        # Threads share the work out anew each time: the nth may come up only now.  What follows is served as ever.
        if not os.path.exists(trace) or not Trace(trace).fired:
            read_all(os.path.join(mount, "s", "latest"))
        assert os.path.ismount(mount), (env, "the mount is gone")
        before = os.path.exists(trace) and Trace(trace).fired
        again = read_all(os.path.join(mount, "s", "latest"))
        assert again == (0, 25) or not before, (env, "a file does not read any more")
    finally:
        unmount(mount)
    met = Trace(trace)
    return met if met.fired else None


def first_opens(w):
    """Those of the processes that start each other.  A helper that got no /dev/null would hold our pipes, for whose end
    one() waits, as long as the mount lasts."""
    what = {"FAULT_OPS": "open", "FAULT_HOW": "EMFILE"}
    one(w, {**what, "FAULT_NTH": "0"}, False, ",audit")
    places = [p for p in Trace(os.path.join(w.folder, "trace"), True).places if sum(map(bool, p[6::2])) <= 6]
    for p in places:
        assert one(w, {**what, "FAULT_SITE": f"{p[0]:x}", "FAULT_NTH": "1"}, True, ",audit") is not None, p
    assert len(places) >= 4, places


def handshake(w, trace):
    """What libfuse takes by itself for the kernel's first request and for who reads it: whoever cannot be answered is
    not waited for.  (Of those called by none of ours.)"""
    ours, met = os.path.dirname(os.path.abspath(MUNIFS)), 0
    for p in trace.places:
        names = [trace.modules[m] for m, at in zip(p[5::2], p[6::2]) if at]
        if p[1] == 64 and "libfuse" in names[0] and not any(name.startswith(ours) for name in names):
            met += one(w, {"FAULT_OPS": "alloc", "FAULT_HOW": "ENOMEM", "FAULT_SITE": f"{p[0]:x}", "FAULT_NTH": "1"},
                       True) is not None
    assert met >= 2, met


def main():
    if not can_mount():
        skip("/dev/fuse cannot be used here")
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    tree("one", 1, files=25, size=30000)
    w = World("world")
    os.makedirs(w.folder)
    w.run("init")
    w.run("ingest", "one", "--system", "s", "--version", "one")
    one(w, {"FAULT_NTH": "0", "FAULT_OPS": "reply"}, False)
    replies = Trace(os.path.join(w.folder, "trace")).counted
    assert replies > 60, replies
    first_opens(w)
    # The first answers the handshake: what may pass is written again, else it is refused and not waited for.
    for how in ("EIO", "ENOMEM", "EINTR", "EAGAIN"):
        assert one(w, {"FAULT_NTH": "1", "FAULT_OPS": "reply", "FAULT_HOW": how}, how == "EIO") is not None, how
    met = 0
    for how in ("EIO", "ENOMEM", "EINTR", "EAGAIN"):
        for nth in range(2, replies) if FULL else sorted(rng.sample(range(2, replies), 6)):
            met += one(w, {"FAULT_NTH": str(nth), "FAULT_OPS": "reply", "FAULT_HOW": how}, False) is not None
    print(f"{met} replies of some {replies} failed")
    assert met > 10, met
    one(w, {"FAULT_NTH": "0", "FAULT_OPS": "alloc,process,sqlite,read,open"}, False)
    trace = Trace(os.path.join(w.folder, "trace"), True)
    handshake(w, trace)
    places = trace.places
    hows = {64: "ENOMEM", 512: "EAGAIN", 128: "NOMEM", 32: "EIO", 16: "EMFILE"}
    kinds = {64: "alloc", 512: "process", 128: "sqlite", 32: "read", 16: "open"}
    if not FULL:
        places = rng.sample(places, 30)
    count = 0
    for site, bit, passed in (p[:3] for p in places):
        env = {"FAULT_OPS": kinds[bit], "FAULT_HOW": hows[bit], "FAULT_SITE": f"{site:x}", "FAULT_NTH": str(rng.randint(1, passed))}
        try:
            count += one(w, env, True) is not None
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            raise AssertionError(f"{env}: {problem}\n" + "\n".join(Trace(os.path.join(w.folder, "trace")).stack())) from problem
    print(f"{count} of {len(places)} places met")


main()

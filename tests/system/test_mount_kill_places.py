#!/usr/bin/python3
"""munifs is killed at each call of its that changes a file or answers the kernel, as it starts, serves and ends: nobody
waits for ever, its helper takes the mount away, no process and no connection stays, it can be mounted again at once, and
the next writer finds neither a lock nor what the dead one had written beside the keyring.

A seeded sample in `make check`; every place with MUNIMENT_FULL=1 (`make check-fault`)."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from faults import FAULT, FULL, OWN_FRAMES, SEED, Trace, World  # noqa: E402
from muniment import BUILD, MUNIFS, can_mount, skip, tree, unmount  # noqa: E402
from soak import processes_of  # noqa: E402

CHANGES = {1: "write", 2: "sync", 4: "name", 8: "truncate", 256: "reply"}
CONNECTIONS = "/sys/fs/fuse/connections"
PATIENCE = 300  # steps of 50 ms
rng = random.Random(SEED)
# What is read is right, or is told to be unread; 3: something could not be read.
READER = """
import os, sys
bad = []
for folder, folders, files in os.walk(sys.argv[1], onerror=bad.append):
    for name in files:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as f:
                got = f.read()
        except OSError as e:
            bad.append(e)
            continue
        with open(os.path.join(sys.argv[2], os.path.relpath(path, sys.argv[1])), "rb") as f:
            assert got == f.read(), path
sys.exit(3 if bad else 0)
"""


def read_all(mount):
    done = subprocess.run([sys.executable, "-c", READER, os.path.join(mount, "s", "latest"), "one"], capture_output=True,
                          timeout=300, check=False)
    assert done.returncode in (0, 3), done.stderr.decode()
    return done.returncode == 0


def start(w, mount, env):
    line = [MUNIFS, w.archive, mount, "-o", f"keyring={w.keyring},key-file={os.path.abspath('key')}"]
    done = subprocess.run(line, env={**os.environ, **env}, timeout=300, capture_output=True, check=False)
    return done.returncode, done.stderr.decode(errors="replace")


def eventually(holds, what):
    for _ in range(PATIENCE):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(what())


def is_mounted(mount):
    with open("/proc/self/mounts", encoding="utf-8") as f:
        return f" {mount} " in f.read()


def device_of(mount):
    """The number under which fusectl lists the mount; None where it lists none."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            fields = line.split()
            if fields[4] == mount:
                return fields[2].partition(":")[2]
    return None


def life(w, mount, env):
    """Mounts, reads, unmounts.  The number of its connection, where there was one."""
    status, said = start(w, mount, env)
    device = device_of(mount)
    if status == 0:
        read_all(mount)
        subprocess.run(["fusermount3", "-u", mount], capture_output=True, check=False)
    else:
        assert status < 0 or said.strip(), f"exit {status}, and nothing said"
    return device


def check_after(w, mount, device):
    eventually(lambda: not is_mounted(mount), lambda: "the mount of the dead stays")
    eventually(lambda: not processes_of(w.archive), lambda: f"processes stay: {processes_of(w.archive)}")
    if device and os.path.isdir(CONNECTIONS):
        eventually(lambda: not os.path.exists(os.path.join(CONNECTIONS, device)), lambda: "its connection stays")
    assert os.listdir(mount) == []
    status, said = start(w, mount, {})
    assert status == 0, f"it cannot be mounted again: {said}"
    assert read_all(mount), "mounted again, it does not read"
    unmount(mount)
    eventually(lambda: not processes_of(w.archive), lambda: f"processes stay: {processes_of(w.archive)}")
    w.run("key rotate")     # asks all mounts, and writes
    w.run("verify")
    left = [os.path.join(d, n) for d, _, names in os.walk(w.folder) for n in names if ".run" in d or n.endswith(".tmp")]
    assert not left, f"left behind: {left}"


def one(base, place):
    """True where it came up."""
    site, bit, passed, caller = place[:4]
    nth = rng.randint(1, passed)
    w = World(f"w-{site:x}-{nth}", base)
    mount, trace = os.path.join(w.folder, "mnt"), os.path.abspath(f"trace-{site:x}")
    env = {"LD_PRELOAD": FAULT, "FAULT_TRACE": trace, "FAULT_OPS": CHANGES[bit], "FAULT_HOW": "kill", "FAULT_FOLLOW": "1",
           "FAULT_SITE": f"{site:x}", "FAULT_CALLER": f"{caller:x}", "FAULT_NTH": str(nth), "FAULT_OWN": str(OWN_FRAMES)}
    os.makedirs(mount)
    try:
        device = life(w, mount, env)
        met = Trace(trace).fired > 0
        check_after(w, mount, device)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:
        unmount(mount)
        raise AssertionError(f"{CHANGES[bit]} {nth} of {passed}, kept in {w.folder}: {problem}\n" +
                             "\n".join(Trace(trace).stack())) from problem
    w.remove()
    os.unlink(trace)
    return met


def main():
    if not can_mount():
        skip("/dev/fuse cannot be used here")
    if not os.path.exists(FAULT) or "/san" in BUILD or "/tsan" in BUILD:
        skip("there is no preloaded library that fails on order")
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    tree("one", 1, files=12, size=30000)
    base = World("base")
    os.makedirs(base.folder)
    base.run("init")
    base.run("ingest", "one", "--system", "s", "--version", "one")
    w = World("probe", base)
    mount = os.path.join(w.folder, "mnt")
    os.makedirs(mount)
    life(w, mount, {"LD_PRELOAD": FAULT, "FAULT_TRACE": os.path.abspath("trace"), "FAULT_OPS": ",".join(CHANGES.values()),
                    "FAULT_FOLLOW": "1", "FAULT_OWN": str(OWN_FRAMES)})
    eventually(lambda: not processes_of(w.archive), lambda: "it does not end")
    places = Trace("trace", True).places
    assert len(places) > 10, places
    chosen = places if FULL else rng.sample(places, min(len(places), 4))
    met = sum(one(base, place) for place in chosen)
    print(f"killed at {met} of {len(chosen)} places; there are {len(places)}")
    assert met > len(chosen) // 3, met


main()

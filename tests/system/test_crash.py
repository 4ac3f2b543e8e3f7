#!/usr/bin/python3
"""An ingest that is killed, or whose disk fails, at the nth write, sync or name change, or at random
moments: the archive stays valid, what it held is unchanged, and the next ingest finishes the work.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import BUILD, MUNI, Archive, compare, tree  # noqa: E402

FULL = os.environ.get("MUNIMENT_FULL") == "1"
FAULT = os.path.join(BUILD, "support", "inject.so")
rng = random.Random(20261122)


def fault(nth, how, **more):
    return {"LD_PRELOAD": FAULT, "FAULT_NTH": str(nth), "FAULT_HOW": how, **more}


def sample(total, many):
    moments = list(range(1, total + 1))
    return moments if FULL or total <= many else sorted(rng.sample(moments, many))


def export_equals(a, label):
    subprocess.run(["rm", "-rf", "back"], check=True)
    a.run("export", f"s@{label}", "--to", "back", "--format", "dir")
    compare(label, "back")


def check_valid(a, what):
    """The archive verifies, its first version exports as it was, the second is whole or absent; then finish."""
    a.run("verify")
    labels = [v["version"] for v in a.log()]
    assert labels in (["one"], ["one", "two"]), (what, labels)
    export_equals(a, "one")
    if labels == ["one"]:
        a.run("ingest", "two", "--system", "s", "--version", "two")
    export_equals(a, "two")
    a.run("verify", "--deep")


tree("one", 1)
subprocess.run(["cp", "-a", "one", "two"], check=True)
tree("two", 2, files=25)
os.unlink("two/d3/f038")
base = Archive("base")
base.run("ingest", "one", "--system", "s", "--version", "one")

probe = base.copy_to("probe")
probe.run("ingest", "two", "--system", "s", "--version", "two", env=fault(0, "EIO", FAULT_COUNT="count"))
with open("count") as f:
    total = int(f.read())
print(f"an ingest makes {total} calls that change the disk")
assert total > 20, total

for nth in sample(total, 14):
    a = base.copy_to("killed")
    a.run("ingest", "two", "--system", "s", "--version", "two", status=None, env=fault(nth, "kill"))
    assert a.status != 0 or nth > total - 2, (nth, a.status)
    check_valid(a, f"killed at {nth}")

for how, sticky in (("ENOSPC", True), ("EIO", False), ("short", False)):
    for nth in sample(total, 7):
        a = base.copy_to("failed")
        more = {"FAULT_STICKY": "1"} if sticky else {}
        a.run("ingest", "two", "--system", "s", "--version", "two", status=None, env=fault(nth, how, **more))
        assert a.status in (0, 1), (how, nth, a.status, a.errors)
        if a.status:
            assert a.errors.strip(), (how, nth, "no message")
        check_valid(a, f"{how} at {nth}")

for turn in range(200 if FULL else 10):
    a = base.copy_to("random")
    p = subprocess.Popen([MUNI, "ingest", a.path, "two", "--system", "s", "--version", "two",
                          "--keyring", a.keyring, "--key-file", a.key],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.random() * 0.12)
    p.kill()
    p.wait()
    check_valid(a, f"kill -9, turn {turn}")
# Of more than 16 MiB what stands is written back before the last blocks are stored: the moments from there on.
with open("two/large", "wb") as f:
    f.write(rng.randbytes(20 << 20))
probe = base.copy_to("probe")
probe.run("ingest", "two", "--system", "s", "--version", "two", env=fault(0, "EIO", FAULT_COUNT="count"))
with open("count") as f:
    total = int(f.read())
last = list(range(max(1, total - 80), total + 1))
for nth in last if FULL else sorted(rng.sample(last, 12)):
    for how in ("kill", "EIO"):
        a = base.copy_to("large")
        a.run("ingest", "two", "--system", "s", "--version", "two", status=None, env=fault(nth, how))
        check_valid(a, f"{how} at {nth} of {total}, with a large file")
print("every archive was valid")

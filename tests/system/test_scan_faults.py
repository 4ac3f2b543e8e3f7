#!/usr/bin/python3
"""A scan that is killed, or whose disk fails, at the nth write, sync or name change: the archive stays valid, what
it held is unchanged, and the next scan goes on to the same inventory.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1."""
import json
import os
import random
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import BUILD, Archive, tree  # noqa: E402

FULL = os.environ.get("MUNIMENT_FULL") == "1"
FAULT = os.path.join(BUILD, "support", "inject.so")
rng = random.Random(20261125)


def fault(nth, how, **more):
    return {"LD_PRELOAD": FAULT, "FAULT_NTH": str(nth), "FAULT_HOW": how, **more}


def sample(total, many):
    moments = list(range(1, total + 1))
    return moments if FULL or total <= many else sorted(rng.sample(moments, many))


def inventory(a):
    return [{k: v for k, v in json.loads(line).items() if k not in ("age_days", "atime")}
            for line in a.run("inventory", "--system", "s", "--json").splitlines()]


def check_valid(a):
    a.run("verify")
    assert [v["version"] for v in a.log("s")] == ["one"]
    a.run("scan", "two", "--system", "s", "-q")
    assert inventory(a) == want
    a.run("verify", "--deep")


tree("one", 1)
tree("two", 2, files=2000, size=300)
base = Archive("base")
base.run("ingest", "one", "--system", "s", "--version", "one")
base.run("scan", "one", "--system", "s", "-q")
probe = base.copy_to("probe")
probe.run("scan", "two", "--system", "s", "-q", env=fault(0, "EIO", FAULT_COUNT="count"))
want = inventory(probe)
assert len(want) == 2000
with open("count") as f:
    total = int(f.read())
print(f"a scan makes {total} calls that change the disk")
assert total > 20, total

for nth in sample(total, 10):
    a = base.copy_to("killed")
    a.run("scan", "two", "--system", "s", "-q", status=None, env=fault(nth, "kill"))
    check_valid(a)
for how, sticky in (("ENOSPC", True), ("EIO", False), ("short", False)):
    for nth in sample(total, 5):
        a = base.copy_to("failed")
        a.run("scan", "two", "--system", "s", "-q", status=None,
              env=fault(nth, how, **({"FAULT_STICKY": "1"} if sticky else {})))
        assert a.status in (0, 1), (how, nth, a.status, a.errors)
        assert not a.status or a.errors.strip(), (how, nth, "no message")
        check_valid(a)

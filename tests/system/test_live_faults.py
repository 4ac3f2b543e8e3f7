#!/usr/bin/python3
"""A destruction in a live source that is killed, torn or refused by its disk at any call that changes something: nothing
is gone without the log saying so, and the same command brings it to its end.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from faults import FAULT, HOWS, sample  # noqa: E402
from muniment import MUNI  # noqa: E402
from officers import Keeper, officer, write  # noqa: E402

POLICY = """
policy: live-faults
version: 1
calendar: UTC
unmatched: review
classes:
  - id: NONE
    title: {en: Nothing}
    retain: {trigger: modified, period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records]}
rules:
  - {id: junk, when: {path: "junk/**"}, decide: destroy, because: trivial}
"""
NAMES = ("a", "b", "c")


def approved(a):
    """A source of its own, for identity is a matter of inodes."""
    shutil.rmtree("src", ignore_errors=True)
    for name in NAMES:
        write(f"src/junk/{name}", f"{name} of many lines\n" * 2000)
    os.link("src/junk/a", "src/junk/a2")
    write("src/keep", "kept\n")
    a.run("scan", "src", "--system", "live")
    a.run("classify", "--system", "live", "--policy", "policy.yaml")
    d = a.id("dispose", "propose", "--live", "src", "--system", "live", by="rita")
    a.ask("dispose", "approve", d, by="otto")
    return d


def execute(a, d, fault=None):
    env = {**os.environ, "LD_PRELOAD": FAULT, **fault} if fault else None
    return subprocess.run([MUNI, "dispose", "execute", a.path, d, "--by", "rita", "--key", "rita.key", "--keyring", a.keyring,
                           "--key-file", a.key], capture_output=True, env=env, timeout=120, check=False)


def acts(a):
    return [json.loads(line)["act"] for line in a.ask("audit", "list", "--json").splitlines()]


def check(a, d, before, how, is_scanned):
    left = {name for name in os.listdir("src/junk") if not name.startswith(".muniment-")} if os.path.isdir("src/junk") else set()
    whole = all(open(f"src/junk/{n}").read() == f"{n[0]} of many lines\n" * 2000 for n in left)
    begun = acts(a).count("live destruction begun") > before
    assert begun or left == {"a", "a2", "b", "c"}, (left, "gone without a word in the log")
    assert whole, "what still has its name has its content"
    state = json.loads(a.ask("dispose", "show", d, "--json").splitlines()[0])["state"]
    if begun and state == "being executed" and is_scanned:
        a.run("scan", "src", "--system", "live")  # what is gone is in no inventory any more
    # Whatever writes next ends what was cut off; once executed, that is all that is left to do.
    again = execute(a, d)
    assert again.returncode == (3 if state == "executed" else 0), (state, again.stderr)
    rows = [json.loads(line) for line in a.ask("dispose", "show", d, "--json").splitlines()]
    # An error of the disk at one item is that item's: it stays as it was, and the certificate says so.
    kept = {r["item"]["path"][5:] for r in rows[1:] if r["outcome"] == "not destroyed"}
    assert rows[0]["state"] == "executed" and set(os.listdir("src/junk")) == kept, (rows, os.listdir("src/junk"))
    assert len(kept) <= 1 and all(open(f"src/junk/{n}").read() == f"{n[0]} of many lines\n" * 2000 for n in kept), kept
    assert kept == set() or how not in ("kill", "tear"), (how, rows)
    assert open("src/keep").read() == "kept\n"
    a.run("verify")


def main():
    write("./policy.yaml", POLICY)
    a = Keeper()
    for name, roles in (("rita", "records"), ("otto", "owner")):
        officer(name)
        a.ask("officer", "add", "--id", name, "--role", roles, "--cert", f"{name}.pem")
    d = approved(a)
    done = execute(a, d, {"FAULT_NTH": "0", "FAULT_COUNT": "count"})
    assert done.returncode == 0, done.stderr
    total = int(open("count").read())
    assert total > 30, total
    for i, nth in enumerate(sample(total, 25)):
        before = acts(a).count("live destruction begun")
        d = approved(a)
        how = HOWS[i % len(HOWS)] if i % 2 else "kill"
        execute(a, d, {"FAULT_NTH": str(nth), "FAULT_HOW": how})
        check(a, d, before, how, i % 3 == 0)


main()

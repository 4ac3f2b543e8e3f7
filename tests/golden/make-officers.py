#!/usr/bin/python3
"""Makes format-5-officers.tar.xz in the current, empty folder, by the programs of $BUILD: parity of format 2, copies of
the catalogue of format 3, officers let in by officers, a hold that an officer signed for.  What was made and landed is
never made again: it shows that what this build wrote opens for ever.

BUILD=$PWD/build SUPPORT=$PWD/tests/support tests/golden/make-officers.py, with MUNI=$BUILD/muni"""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.environ["SUPPORT"])
from officers import Keeper, ledger_policy, officer, write, year  # noqa: E402

HUNDRED_YEARS = 36500


def lines(count, seed):
    """tests/system/test_golden.py makes them again."""
    rng = random.Random(seed)
    return "".join(f"{1998 + i % 30};{rng.randrange(16**6):06x};{i}\n" for i in range(count))


def destroy(a, name, proposer, approver):
    d = a.id("dispose", "propose", "--due", "--path", name, by=proposer)
    a.ask("dispose", "approve", d, by=approver)
    a.id("dispose", "execute", d, by=proposer)


write("src/new/big.csv", lines(6000, 1), year(2001))
write("src/new/ledger.txt", "ledger of 1998\n", year(2001))
for i in range(4):
    write(f"src/fin/i{i}.txt", f"invoice {i}\n" * 30, year(2000))
write("./policy.yaml", ledger_policy())
a = Keeper()
a.run("scan", "src", "--system", "led")
a.run("ingest", "src", "--system", "led", "--version", "1")
a.run("classify", "--system", "led", "--policy", "policy.yaml")
for person, role in (("rita", "records"), ("otto", "owner"), ("nora", "records"), ("eve", "owner")):
    officer(person, HUNDRED_YEARS)
    if person in ("rita", "otto"):
        a.ask("officer", "add", "--id", person, "--role", role, "--cert", f"{person}.pem")
destroy(a, "fin/i0.txt", "rita", "otto")            # the first approval: from here on officers let officers in
a.admit("nora", "records", "rita", "otto")
a.ask("officer", "add", "--id", "eve", "--role", "owner", "--cert", "eve.pem")      # whom nobody lets in
destroy(a, "fin/i1.txt", "otto", "nora")
a.ask("hold", "add", "--case", "2026-CV-6", "--reason", "golden", "--system", "led", "--path", "fin/i2.txt", by="nora")
write("src/new/big.csv", lines(6000, 1).replace(";17\n", ";changed in the second version\n"), year(2002))     # scanned again: only what was judged is taken in
write("src/new/new.txt", "of the second version\n", year(2002))
a.run("scan", "src", "--system", "led")
a.run("classify", "--system", "led", "--policy", "policy.yaml")
a.run("ingest", "src", "--system", "led", "--version", "2")
a.run("verify", "--deep")
for name in ("policy.yaml", "src", "eve.key", "nora.key"):
    subprocess.run(["rm", "-rf", name], check=True)
subprocess.run("rm -rf *.anchor archive/run *.run", shell=True, check=True)
subprocess.run(["tar", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-cJf", "format-5-officers.tar.xz",
                "archive", "archive.keyring", "archive.key", "rita.pem", "rita.key", "otto.pem", "otto.key", "nora.pem", "eve.pem"],
               check=True)

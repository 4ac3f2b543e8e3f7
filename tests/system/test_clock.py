#!/usr/bin/python3
"""A clock that leapt: nothing is destroyed until two different persons have signed the time; one of them twice, an
auditor, or a signature that was copied to another place of the log are not enough.  Where a time-stamping authority
is named, its word counts and theirs does not."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip  # noqa: E402
from officers import Keeper, officer, write, year  # noqa: E402

POLICY = """policy: clock
version: 1
calendar: UTC
classes:
  - id: OLD
    title: {en: Old things}
    retain: {trigger: modified, period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records]}
    destroy: {names: keep}
rules:
  - {id: all, when: {path: "**"}, decide: archive, class: OLD}
"""


def an_archive(name):
    a = Keeper(name)
    write("src/a", "a", year(2001))
    write("src/b", "b", year(2002))
    write("./policy.yaml", POLICY)
    a.run("ingest", "src", "--system", "s", "--policy", "policy.yaml", "-q")
    for who, role in [("rita", "records"), ("robin", "records"), ("owen", "owner"), ("wil", "witness"), ("aud", "auditor")]:
        officer(who)
        a.ask("officer", "add", "--id", who, "--role", role, "--cert", f"{who}.pem")
    return a


def asks_the_authority(a):
    """Where one is named nothing is destroyed without its word, or against it, whatever officers sign."""
    authority = subprocess.Popen([os.path.join(os.environ.get("SUPPORT", "tests/support"), "tsa.py"), "tsa"])
    try:
        for _ in range(600):
            if os.path.exists("tsa/port"):
                break
            time.sleep(0.05)
        with open("tsa/port") as f:
            a.ask("cert", "authority", "--url", f"http://127.0.0.1:{f.read()}/tsr", "--tsa-ca", "tsa/tsa-ca.pem")
        d = a.id("dispose", "propose", "--due", "--path", "a", by="rita")
        a.ask("dispose", "approve", d, by="robin")
        # Within the thirty days that a log alone is believed.
        a.refused("the time-stamping authority says", "dispose", "execute", d, by="rita", fake="+20d")
        for who in "owen", "wil":
            a.ask("audit", "clock", by=who, fake="+20d")
        a.refused("the time-stamping authority says", "dispose", "execute", d, by="rita", fake="+20d")
    finally:
        authority.terminate()
        authority.wait()
    a.refused("gave no time-stamp", "dispose", "execute", d, by="rita", fake="+20d")
    a.ask("cert", "authority", "--none", fake="+20d")
    a.ask("dispose", "execute", d, by="rita", fake="+20d")


def main():
    if not shutil.which("faketime"):
        skip("faketime is not installed: a clock cannot be set")
    asks_the_authority(an_archive("asked"))
    a = an_archive("archive")
    ahead = "+90d"

    d = a.id("dispose", "propose", "--due", "--path", "a", by="rita")
    a.ask("dispose", "approve", d, by="robin")
    a.refused("clock", "dispose", "execute", d, by="rita", fake=ahead)
    a.ask("audit", "clock", by="aud", status=3, fake=ahead)
    for _ in range(2):
        assert "second officer" in a.ask("audit", "clock", by="owen", fake=ahead)
    a.refused("clock", "dispose", "execute", d, by="rita", fake=ahead)
    assert "is trusted" in a.ask("audit", "clock", by="wil", fake=ahead)
    a.ask("dispose", "execute", d, by="rita", fake=ahead)
    # The clock is set right again: it now lies behind the log, until two say that this is the time.
    d = a.id("dispose", "propose", "--due", "--path", "b", by="rita")
    a.ask("dispose", "approve", d, by="robin")
    a.refused("set back", "dispose", "execute", d, by="rita")
    a.ask("audit", "clock", by="owen")
    a.refused("clock", "dispose", "execute", d, by="rita")
    # More than a day later the other signature does not count with the first any more.
    a.ask("audit", "clock", by="wil", fake="+2d")
    a.refused("clock", "dispose", "execute", d, by="rita", fake="+2d")
    a.ask("audit", "clock", by="owen", fake="+2d")
    assert a.ask("dispose", "execute", d, by="rita", fake="+2d").splitlines()[-1] == "C2"
    a.ask("audit", "verify", fake="+91d")


main()

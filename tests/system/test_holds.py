#!/usr/bin/python3
"""Holds that officers sign for: from the first on the archive's key alone releases none, whatever it opens; who signs is in
office, in a role that may; refusals are in the log; what is held goes by no approval.  Without officers, and until one has
signed, the key is enough."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import Source, approved, keeper, take_in  # noqa: E402
from muniment import MUNI  # noqa: E402
from officers import Keeper, officer  # noqa: E402

REASON = ("--reason", "settled")


def place(a, *more, by=None):
    return a.id("hold", "add", "--case", "7", "--reason", "a lawsuit", "--path", "com/**", *more, by=by)


def without_officers():
    a = Keeper("bare")
    a.ask("hold", "release", place(a, "--standing"), *REASON)
    officer("mallory")
    h = place(a, "--standing")
    a.refused("role", "hold", "release", h, *REASON, by="mallory")      # nobody is in office
    a.ask("hold", "release", h, *REASON)


def main():
    without_officers()
    s = Source("src", 9)
    s.file("com/a.txt", "due\n" * 50)
    s.file("kep/b.txt", "kept\n" * 50)
    a = keeper()                # rita: records; otto: owner
    take_in(a, "src", "s", "one")
    d = approved(a, "--due")
    a.ask("hold", "release", place(a), *REASON)         # as scripts do that know of no officers
    h = place(a, by="rita")
    a.refused("hold", "dispose", "execute", d, by="rita")
    a.refused("role", "hold", "release", h, *REASON)
    assert "--by ID" in a.errors, a.errors
    a.refused("owner", "hold", "release", h, *REASON, by="otto")
    a.refused("role", "hold", "release", h, *REASON, by="mallory")
    a.ask("hold", "release", h, *REASON, "--by", "rita", "--key", "otto.key", status=3)
    a.ask("hold", "release", h, *REASON, "--by", "rita", status=2)
    a.ask("hold", "list", by="rita", status=2)
    a.refused("hold", "dispose", "execute", d, by="rita")
    # Anybody who has the key may still place one, quickly; to release it he needs an officer.
    other = place(a, "--standing")
    a.refused("role", "hold", "release", other, *REASON)
    a.ask("hold", "release", other, *REASON, by="rita")
    # An officer whom the key alone adds is in no office once something was approved: no way round.
    a.ask("officer", "add", "--id", "mallory", "--role", "legal", "--cert", "mallory.pem")
    a.refused("role", "hold", "release", h, *REASON, by="mallory")
    a.ask("hold", "release", h, *REASON, by="rita")
    rows = [json.loads(x) for x in a.ask("audit", "list", "--json").splitlines()]
    signed = [r for r in rows if r.get("act") == "hold released" and "signature" in json.dumps(r)]
    assert len(signed) == 2 and all("rita" in json.dumps(r) for r in signed), rows
    a.ask("audit", "verify")
    a.run("verify", "--deep")
    assert a.id("dispose", "execute", d, by="rita") == "C1"
    # After a destruction, which may take the words of holds that named what went, still.
    h = place(a)
    a.refused("role", "hold", "release", h, *REASON)
    a.ask("hold", "release", h, *REASON, by="rita")
    s.file("com/c.txt", "due as well\n" * 50)
    take_in(a, "src", "s", "two")
    assert a.id("dispose", "execute", approved(a, "--due"), by="rita") == "C2"
    assert b"--by" in subprocess.run([MUNI, "hold", "--help"], capture_output=True, check=True).stdout


main()

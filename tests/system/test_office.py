#!/usr/bin/python3
"""Nobody is made an officer by the archive's key alone once officers have approved something: those in office sign for him."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ["SUPPORT"])
from muniment import MUNI
from officers import Keeper, ledger_policy, officer, openssl, write, year

DAY = 86400


def archive():
    for i in range(8):
        write(f"src/fin/i{i}.txt", f"invoice {i}\n", year(2000))
    write("./policy.yaml", ledger_policy())
    a = Keeper()
    a.run("scan", "src", "--system", "led")
    a.run("ingest", "src", "--system", "led")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    for name in ("rita", "otto", "olga", "eve", "mal", "nora", "tim"):
        officer(name)
    for name, role in (("rita", "records"), ("otto", "owner")):
        add(a, name, role)
    return a


def add(a, name, role="owner", *more, **how):
    return a.ask("officer", "add", "--id", name, "--role", role, "--cert", f"{name}.pem", *more, **how)


def listed(a, **how):
    rows = [json.loads(line) for line in a.ask("officer", "list", "--json", **how).splitlines()]
    return {r["id"]: r for r in rows}


def propose(a, n, by="rita", **how):
    return a.id("dispose", "propose", "--due", "--path", f"fin/i{n}.txt", by=by, **how)


def destroy(a, d, name, by, **how):
    c = a.id("dispose", "execute", d, by=by, **how)
    a.ask("cert", "show", c, "--to", f"{name}.p7m", "--all", **how)
    with open(f"{name}.json") as f:
        people = {p["id"]: p for p in json.load(f)["people"]}
    write("./ca.pem", "".join(open(f"{one}.pem").read() for one in ("rita", "otto", "olga", "nora", "tim")))
    clock = ["faketime", "-f", how["fake"]] if "fake" in how else []
    done = subprocess.run([*clock, MUNI, "cert", "verify", f"{name}.p7m", "--ca", "ca.pem"], capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return people, [line for line in done.stdout.splitlines() if "office" in line.split()[:3]]


def the_key_is_enough_at_first(a):
    a.ask("officer", "add", "--id", "olga", "--role", "legal", "--cert", "olga.pem", "--without-approval", "--reason", "no one",
          status=2)
    add(a, "olga")
    assert all(r["standing"] == "by key" and r["in_office"] for r in listed(a).values())
    d = propose(a, 0)
    a.ask("dispose", "approve", d, by="otto")
    people, said = destroy(a, d, "first", "rita")
    assert people["otto"]["admitted"] == "by key" and "approved_by" not in people["otto"], people
    assert any("the archive's key" in line for line in said), said


def then_it_is_not(a):
    """Two whom the key's holder made up cannot propose, approve, or let one another in."""
    for name in ("eve", "mal"):
        add(a, name)
        assert "proposed" in a.errors, a.errors
    assert listed(a)["eve"]["standing"] == "waiting" and not listed(a)["eve"]["in_office"]
    assert "proposed" in a.ask("officer", "list")
    a.refused("role", "dispose", "propose", "--due", "--path", "fin/i1.txt", by="eve")
    a.refused("role", "officer", "approve", "--id", "mal", by="eve")
    with open("mal.json", "w") as f:
        f.write(a.ask("officer", "statement", "--id", "mal"))
    sign("eve", "mal.json", "eve.p7s")
    a.refused("role", "officer", "approve", "--id", "mal", "--signature", "eve.p7s")
    d = propose(a, 1)
    a.refused("role", "dispose", "approve", d, by="eve")
    a.refused("quorum", "dispose", "execute", d, by="rita")
    a.ask("dispose", "withdraw", d, "--reason", "a test", by="rita")
    for name in ("eve", "mal"):
        a.ask("officer", "remove", "--id", name, "--reason", "nobody knows them")


def sign(name, what, out):
    openssl("cms", "-sign", "-binary", "-in", what, "-signer", f"{name}.pem", "-inkey", f"{name}.key", "-outform", "DER", "-out", out)


def two_let_one_in(a):
    add(a, "nora")
    a.ask("officer", "approve", "--id", "nora", by="rita")
    assert "1 signature is there" in a.errors and not listed(a)["nora"]["in_office"], a.errors
    a.refused("separation of duties", "officer", "approve", "--id", "nora", by="rita")
    with open("nora.json", "w") as f:
        f.write(a.ask("officer", "statement", "--id", "nora"))
    assert json.load(open("nora.json"))["type"] == "muniment-officer-1"
    sign("otto", "mal.json", "wrong.p7s")       # over another's statement
    a.refused("one officer, one signature", "officer", "approve", "--id", "nora", "--signature", "wrong.p7s")
    sign("otto", "nora.json", "otto.p7s")
    a.ask("officer", "approve", "--id", "nora", "--signature", "otto.p7s")
    row = listed(a)["nora"]
    assert row["in_office"] and row["standing"] == "approved" and row["approved_by"] == ["rita", "otto"], row
    d = propose(a, 2)
    a.ask("dispose", "approve", d, by="nora")
    people, said = destroy(a, d, "second", "rita")
    assert people["nora"]["admitted"] == "approved", people
    assert [x["id"] for x in people["nora"]["approved_by"]] == ["rita", "otto"], people
    assert any("CN=nora,O=Test was an officer" in line and "approved by" in line and "CN=otto" in line for line in said), said
    if shutil.which("pdftotext"):
        subprocess.run([MUNI, "cert", "pdf", "second.p7m", "--to", "second.pdf"], check=True)
        text = subprocess.run(["pdftotext", "-raw", "second.pdf", "-"], capture_output=True, check=True, text=True).stdout
        paper = "".join(text.split())       # kerning parts words
        assert "Officersince" in paper and "CN=rita,O=Test;CN=otto,O=Test" in paper, paper
    acts = [json.loads(line) for line in a.ask("audit", "list", "--json").splitlines()]
    assert sum(x.get("act") == "officer approved" for x in acts) == 2, acts


def who_was_taken_away_comes_back_by_approval(a):
    """Renewed or put back under the same id: with the key alone nothing counts."""
    a.ask("officer", "remove", "--id", "otto", "--reason", "renewed")
    add(a, "otto")
    a.refused("role", "dispose", "propose", "--due", "--path", "fin/i3.txt", by="otto")
    for name in ("rita", "olga"):
        a.ask("officer", "approve", "--id", "otto", by=name)
    d = propose(a, 3, by="otto")
    a.ask("dispose", "withdraw", d, "--reason", "a test", by="otto")


def without_approval_it_takes_thirty_days(a):
    """Loud, late, and for nothing that was proposed before."""
    early = propose(a, 4)
    add(a, "tim", "owner", "--without-approval", "--reason", "all the others have left")
    assert "30 days" in a.errors, a.errors
    row = listed(a)["tim"]
    assert row["standing"] == "without approval" and not row["in_office"] and row["because"] == "all the others have left", row
    a.refused("role", "dispose", "approve", early, by="tim")
    assert not listed(a, fake="+29d")["tim"]["in_office"]
    late = "+29d"
    a.ask("audit", "clock", by="rita", fake=late)
    a.ask("audit", "clock", by="otto", fake=late)
    late = "+31d"
    assert listed(a, fake=late)["tim"]["in_office"]
    a.ask("dispose", "approve", early, by="tim", fake=late)
    a.refused("office", "dispose", "execute", early, by="rita", fake=late)
    d = propose(a, 5, fake=late)
    a.ask("dispose", "approve", d, by="tim", fake=late)
    people, said = destroy(a, d, "third", "rita", fake=late)
    assert people["tim"]["admitted"] == "without approval" and people["tim"]["because"] == "all the others have left", people
    assert any("note" in line and "CN=tim" in line and "without the approval" in line for line in said), said
    assert "all the others have left" in a.ask("audit", "list", fake=late)


def one_who_is_left_and_a_renewed_certificate():
    """Of two officers one renews with a new key: the other and his own former certificate sign."""
    a = Keeper("two")
    write("few/fin/a.txt", "an invoice\n", year(2000))
    a.run("ingest", "few", "--system", "led")
    for name in ("rita", "otto"):
        add(a, name)
    a.ask("officer", "approve", "--id", "otto", by="rita")      # both are in office: this ends the time of the key
    a.ask("officer", "remove", "--id", "otto", "--reason", "renewed")
    openssl("req", "-x509", "-days", 900, "-subj", "/O=Test/CN=otto", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "otto2.key", "-out", "otto2.pem")
    a.ask("officer", "add", "--id", "otto", "--role", "owner", "--cert", "otto2.pem")
    a.ask("officer", "approve", "--id", "otto", by="rita")
    assert not listed(a)["otto"]["in_office"]
    with open("again.json", "w") as f:
        f.write(a.ask("officer", "statement", "--id", "otto"))
    sign("eve", "again.json", "eve2.p7s")
    a.refused("role", "officer", "approve", "--id", "otto", "--signature", "eve2.p7s")
    sign("otto2", "again.json", "self.p7s")
    a.refused("role", "officer", "approve", "--id", "otto", "--signature", "self.p7s")
    sign("otto", "again.json", "former.p7s")
    a.ask("officer", "approve", "--id", "otto", "--signature", "former.p7s")
    rows = [json.loads(line) for line in a.ask("officer", "list", "--json").splitlines()]
    assert [r["in_office"] for r in rows if r["id"] == "otto"] == [False, True], rows


def main():
    a = archive()
    the_key_is_enough_at_first(a)
    then_it_is_not(a)
    two_let_one_in(a)
    who_was_taken_away_comes_back_by_approval(a)
    without_approval_it_takes_thirty_days(a)
    one_who_is_left_and_a_renewed_certificate()


main()

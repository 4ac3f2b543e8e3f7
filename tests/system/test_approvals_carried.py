#!/usr/bin/python3
"""Approvals that travelled: what was accepted before a destruction still holds in its certificate afterwards."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI  # noqa: E402
from officers import Keeper, officer, openssl, write, year  # noqa: E402

POLICY = """
policy: carried
version: 1
calendar: UTC
unmatched: review
classes:
  - id: FIN
    title: {en: Invoices}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 2, roles: [records, owner]}
    destroy: {grace: P1M, names: commit}
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
"""


def bundle(*names):
    with open("ca.pem", "wb") as out:
        for name in names:
            out.write(open(f"{name}.pem", "rb").read())


def archive():
    for i in range(4):
        write(f"src/fin/i{i}.txt", f"invoice {i}\n" * 50, year(2001) + i)
    write("./policy.yaml", POLICY)
    a = Keeper()
    a.run("scan", "src", "--system", "led")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "led")
    for name, roles in (("rita", "records"), ("otto", "owner"), ("olga", "owner")):
        officer(name)
        a.ask("officer", "add", "--id", name, "--role", roles, "--cert", f"{name}.pem")
    bundle("rita", "otto", "olga")
    return a


def verify(certificate):
    done = subprocess.run([MUNI, "cert", "verify", certificate, "--ca", "ca.pem"], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)


def one_file_of_two(a):
    """Both officers signed one file, one after the other: each counts, and in the certificate too."""
    d = a.id("dispose", "propose", "--due", "--path", "fin/i0.txt", by="rita")
    with open("list.json", "w") as f:
        f.write(a.ask("dispose", "show", d, "--for-signing"))
    openssl("cms", "-sign", "-binary", "-in", "list.json", "-signer", "otto.pem", "-inkey", "otto.key", "-outform", "DER",
            "-out", "one.p7s", "-nodetach")
    openssl("cms", "-resign", "-binary", "-inform", "DER", "-in", "one.p7s", "-signer", "olga.pem", "-inkey", "olga.key",
            "-outform", "DER", "-out", "both.p7s", "-nodetach")
    a.ask("dispose", "approve", d, "--signature", "both.p7s")
    shown = json.loads(a.ask("dispose", "show", d, "--json").splitlines()[0])
    assert {x["officer"] for x in shown["approvals"]} == {"otto", "olga"} and shown["missing"] == "", shown
    c = a.id("dispose", "execute", d, by="rita")
    a.ask("cert", "show", c, "--to", "destroyed.p7m")
    verify("destroyed.p7m")
    # A bundle that names no authority is no fault of the certificate: it is not trusted, and not damaged.
    write("./empty.pem", "no authority\n")
    done = subprocess.run([MUNI, "cert", "verify", "destroyed.p7m", "--ca", "empty.pem"], capture_output=True, text=True)
    assert done.returncode == 3 and "FAILS" not in done.stdout, (done.returncode, done.stdout)


def sign(name, source, out, *more):
    act = "-sign" if source == "list.json" else "-resign"
    form = [] if act == "-sign" else ["-inform", "DER"]
    openssl("cms", act, "-binary", *form, "-in", source, "-signer", f"{name}.pem", "-inkey", f"{name}.key", "-outform", "DER",
            "-out", out, *more)


def oddities(a):
    """One officer twice in one file is one approval; a file without certificates says what it lacks."""
    d = a.id("dispose", "propose", "--due", "--path", "fin/i1.txt", by="rita")
    with open("list.json", "w") as f:
        f.write(a.ask("dispose", "show", d, "--for-signing"))
    sign("otto", "list.json", "bare.p7s", "-nocerts")
    a.ask("dispose", "approve", d, "--signature", "bare.p7s", status=1)
    assert "-nocerts" in a.errors, a.errors
    sign("otto", "list.json", "once.p7s", "-nodetach")
    sign("otto", "once.p7s", "twice.p7s", "-nodetach", "-nocerts")
    a.ask("dispose", "approve", d, "--signature", "twice.p7s")
    shown = json.loads(a.ask("dispose", "show", d, "--json").splitlines()[0])
    assert [x["officer"] for x in shown["approvals"]] == ["otto"] and "quorum" in shown["missing"], shown
    a.refused("quorum", "dispose", "execute", d, by="rita")


def two_keyrings(a):
    """The archive's own keyring lies elsewhere, with the old key in it: named, and nothing is claimed."""
    real, a.keyring = a.keyring, os.path.abspath("copy.keyring")
    shutil.copy2(real, a.keyring)
    for name in os.listdir("."):
        if name.endswith(".anchor"):
            os.unlink(name)
    d = a.id("dispose", "propose", "--due", "--path", "fin/i2.txt", by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    c = a.id("dispose", "execute", d, by="rita")
    a.ask("cert", "show", c, "--to", "two.p7m", "--all")
    how = json.load(open("two.json"))["how"]["locations"]
    assert how[0]["sanitization"] == "none claimed" and any(x["location"] == real for x in how), how


def main():
    a = archive()
    one_file_of_two(a)
    oddities(a)
    two_keyrings(a)


main()

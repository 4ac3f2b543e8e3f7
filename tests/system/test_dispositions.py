#!/usr/bin/python3
"""Dispositions: proposed, approved, refused. Who may, who may not, and what voids an approval."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from officers import Keeper, officer, openssl, write, year  # noqa: E402

POLICY = """
policy: ledger-retirement
version: 1
calendar: UTC
unmatched: review
classes:
  - id: FIN
    title: {en: Invoices, zh: 发票}
    mandate: {instrument: Made-up Act, clause: "14", jurisdiction: XX}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 2, roles: [records, owner]}
    destroy: {grace: P1M, names: commit}
  - id: LOG
    title: {en: Logs}
    retain: {trigger: modified, period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner, legal]}
    witness: [it]
    destroy: {grace: P1D, names: keep}
  - id: REV
    title: {en: To be reviewed}
    retain: {trigger: modified, period: P1Y}
    then: review
    approve: {quorum: 1, roles: [records, owner]}
  - id: NEW
    title: {en: Kept long}
    retain: {trigger: modified, period: P90Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: CASE
    title: {en: Cases}
    retain: {trigger: "event:case-closed", period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
  - {id: logs, when: {path: "log/**"}, decide: archive, class: LOG}
  - {id: rev, when: {path: "rev/**"}, decide: archive, class: REV}
  - {id: new, when: {path: "new/**"}, decide: archive, class: NEW}
  - {id: case, when: {path: "case/**"}, decide: archive, class: CASE}
  - {id: junk, when: {path: "junk/**"}, decide: destroy, because: trivial}
"""


NOW = time.time()


def source():
    for i in range(6):
        write(f"src/fin/i{i}.txt", f"invoice {i}\n" * 50, year(2001) + i)
        write(f"src/log/l{i}.txt", f"log {i}\n" * 50, year(2010) + i)
        write(f"src/new/n{i}.txt", f"new {i}\n" * 50, year(2020) + i)
        write(f"src/junk/j{i}.txt", f"junk {i}\n" * 50, year(2020) + i)
    write("src/rev/r.txt", "to be reviewed\n", year(2005))
    write("src/case/c.txt", "a case\n", year(2005))


OFFICERS = (("rita", "records"), ("otto", "owner"), ("leo", "legal"), ("ida", "it"), ("wim", "witness"), ("aude", "auditor"),
            ("olga", "owner,records"))


def sign(a, d, name, out="sig.p7s", form="DER", more=()):
    """An approval made where the officer's key is, with nothing but openssl."""
    with open("list.json", "w") as f:
        f.write(a.ask("dispose", "show", d, "--for-signing"))
    form = ["-outform", form] if form else []
    openssl("cms", "-sign", "-binary", "-in", "list.json", "-signer", f"{name}.pem", "-inkey", f"{name}.key", *form, "-out", out,
            *more)
    return out


def separation(a):
    """Who proposes cannot approve, nor can one person twice, nor who has no such role."""
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    a.refused("separation of duties", "dispose", "approve", d, by="rita")
    a.refused("quorum", "dispose", "execute", d, by="rita")
    a.ask("dispose", "approve", d, by="otto")
    a.refused("separation of duties", "dispose", "approve", d, by="otto")
    a.refused("quorum", "dispose", "execute", d, by="leo")
    a.refused("role", "dispose", "approve", d, by="aude")
    a.refused("role", "dispose", "propose", "--due", by="wim")
    a.refused("role", "dispose", "execute", d, by="aude")
    a.refused("role", "dispose", "execute", d, by="wim")
    # A witness, or one of another role, signs, and counts towards nothing.
    a.ask("dispose", "approve", d, by="wim")
    a.ask("dispose", "approve", d, by="leo")
    a.refused("quorum", "dispose", "execute", d, by="otto")
    # Another's key; a stranger.
    a.ask("dispose", "approve", d, "--by", "olga", "--key", "ida.key", status=3)
    a.ask("dispose", "approve", d, "--by", "nobody", "--key", "ida.key", status=3)
    # A renewed certificate, another name on the old key: the same person.
    officer("otto2", subject="/O=Test/CN=otto")
    officer("otto3", key="otto.key", subject="/O=Test/CN=somebody else")
    for again in ("otto2", "otto3"):
        a.refused("one person, one officer", "officer", "add", "--id", again, "--role", "owner", "--cert", f"{again}.pem")
    a.ask("officer", "remove", "--id", "otto", "--reason", "renewed")
    a.refused("quorum", "dispose", "execute", d, by="rita")
    os.symlink("otto.key", "otto3.key")
    for again in ("otto2", "otto3"):
        a.admit(again, "owner", "rita", "olga")
        a.ask("dispose", "approve", d, by=again)
        a.refused("quorum", "dispose", "execute", d, by="rita")
        a.ask("officer", "remove", "--id", again, "--reason", "a mistake")
    officer("eve")
    a.refused("identity", "officer", "add", "--id", "otto", "--role", "owner", "--cert", "eve.pem")
    a.admit("otto", "owner", "rita", "olga")
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="leo")
    a.refused("state", "dispose", "approve", d, by="olga")
    a.refused("state", "dispose", "execute", d, by="olga")


def carried_in(a, other):
    """Signatures made elsewhere: in every form that openssl writes; replayed and altered ones are refused."""
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    a.ask("dispose", "approve", d, "--signature", sign(a, d, "otto", form="DER"))
    # S/MIME is what comes out when -outform is forgotten.
    a.ask("dispose", "approve", d, "--signature", sign(a, d, "olga", form=None))
    shown = json.loads(a.ask("dispose", "show", d, "--json").splitlines()[0])
    assert shown["missing"] == "" and {x["officer"] for x in shown["approvals"]} == {"otto", "olga"}, shown

    e = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    a.refused("one list, one signature", "dispose", "approve", e, "--signature", "sig.p7s")
    a.ask("dispose", "approve", e, "--signature", sign(a, e, "otto", form="PEM", more=["-nodetach"]))
    # The same numbers in another archive are another list.
    f = other.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    other.refused("one list, one signature", "dispose", "approve", f, "--signature", sign(a, d, "otto"))
    der = bytearray(open(sign(a, e, "olga"), "rb").read())
    der[-5] ^= 1
    with open("bad.p7s", "wb") as out:
        out.write(der)
    a.ask("dispose", "approve", e, "--signature", "bad.p7s", status=None)
    assert a.status in (1, 3), a.status
    with open("noise.p7s", "wb") as out:
        out.write(b"no signature at all")
    a.ask("dispose", "approve", e, "--signature", "noise.p7s", status=1)
    a.refused("role", "dispose", "approve", e, "--signature", sign(a, e, "eve"))
    a.refused("separation of duties", "dispose", "approve", e, "--signature", sign(a, e, "rita"))
    a.refused("identity", "dispose", "approve", e, "--signature", sign(a, e, "olga"), "--by", "otto")
    for each in (d, e):
        a.ask("dispose", "withdraw", each, "--reason", "a try", by="rita")
    other.ask("dispose", "withdraw", f, "--reason", "a try", by="rita")


def witnesses(a):
    d = a.id("dispose", "propose", "--due", "--class", "LOG", by="rita")
    a.ask("dispose", "approve", d, by="otto")
    a.refused("witness", "dispose", "execute", d, by="rita")
    # A key under a passphrase, which comes from a file.
    write("./pass", "correct horse\nsecond line\n")
    write("./wrong", "battery staple\n")
    openssl("pkcs8", "-topk8", "-in", "ida.key", "-out", "ida.enc", "-passout", "file:pass")
    a.ask("dispose", "approve", d, "--by", "ida", "--key", "ida.enc", "--key-passphrase-file", "wrong", status=4)
    a.ask("dispose", "approve", d, "--by", "ida", "--key", "ida.enc", "--key-passphrase-file", "pass")
    assert json.loads(a.ask("dispose", "show", d, "--json").splitlines()[0])["missing"] == ""
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="rita")


def token(a):
    """A key that never leaves its token."""
    module = next((m for m in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
                   if os.path.exists(m)), None)
    if not module or not shutil.which("softhsm2-util") or not shutil.which("pkcs11-tool"):
        print("no SoftHSM here: tokens were not tried")
        return
    os.makedirs("tokens")
    write("./softhsm.conf", f"directories.tokendir = {os.path.abspath('tokens')}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = os.path.abspath("softhsm.conf")
    officer("tom")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", "tom.key", "-out", "tom.p8")
    for line in (["softhsm2-util", "--init-token", "--free", "--label", "officers", "--pin", "98" + "76", "--so-pin", "98" + "76"],
                 ["softhsm2-util", "--import", "tom.p8", "--token", "officers", "--label", "tom", "--id", "01", "--pin", "98" + "76"]):
        subprocess.run(line, check=True, capture_output=True)
    a.admit("tom", "legal,owner", "rita", "olga")
    write("./pin", "98" + "76\n")
    key = f"pkcs11:token=officers;object=tom;type=private?module-path={module}"
    d = a.id("dispose", "propose", "--due", "--class", "LOG", "--by", "tom", "--key", key, "--pin-file", "pin")
    a.refused("separation of duties", "dispose", "approve", d, "--by", "tom", "--key", key, "--pin-file", "pin")
    a.ask("dispose", "approve", d, "--by", "tom", "--key", key, "--pin-file", "wrong", status=None)
    assert a.status in (3, 4), a.errors
    a.ask("dispose", "withdraw", d, "--reason", "a try", "--by", "tom", "--key", key, "--pin-file", "pin")
    a.ask("officer", "remove", "--id", "tom", "--reason", "left")


def validity(a):
    """A certificate must be within its time when signing, and at execution."""
    officer("short", days=40)
    a.admit("short", "owner", "rita", "olga")
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    a.ask("dispose", "approve", d, by="otto")
    a.refused("certificate validity", "dispose", "approve", d, by="short", fake="+50d")
    a.refused("certificate validity", "dispose", "approve", d, by="short", fake="-110d")
    a.ask("dispose", "approve", d, by="short")
    a.ask("officer", "remove", "--id", "short", "--reason", "left")
    a.refused("not in office", "dispose", "execute", d, by="rita")
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="rita")


def proposals(a):
    """What is left out is said, with the reason; nothing at all is refused."""
    a.refused("retention period", "dispose", "propose", "--due", "--class", "NEW", by="rita")
    a.refused("missing trigger", "dispose", "propose", "--due", "--class", "CASE", by="rita")
    a.refused("review", "dispose", "propose", "--due", "--class", "REV", by="rita")
    a.ask("dispose", "propose", "--due", "--class", "REV", "--review", by="rita", status=2)
    d = a.id("dispose", "propose", "--due", "--class", "REV", "--review", "--reason", "nobody wants it", by="rita")
    assert json.loads(a.ask("dispose", "show", d, "--for-signing"))["reason"] == "nobody wants it"
    a.refused("whole scope", "dispose", "propose", "--system", "led", by="rita")
    assert "new/" in a.errors or "case/" in a.errors or "rev/" in a.errors, a.errors
    a.refused("whole scope", "dispose", "propose", "--everything", by="rita")
    a.refused("whole scope", "dispose", "propose", "--version", "led@1", by="rita")
    e = a.id("dispose", "propose", "--due", by="rita")
    assert "left out: missing trigger" in a.errors and "left out: retention period" in a.errors, a.errors
    f = a.id("dispose", "propose", "--due", "--class", "NEW", "--asof", "2190-01-01", by="rita")
    for each in (d, e):
        a.ask("dispose", "withdraw", each, "--reason", "a try", by="rita")
    return f


def simulated(a, d):
    """--asof proposes; execution judges by now."""
    a.ask("dispose", "approve", d, by="otto")
    a.refused("retention period", "dispose", "execute", d, by="rita")
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="rita")


def altered(a):
    """A list of which an item changed has no approvals."""
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    write("src/fin/i3.txt", "another invoice\n", year(2002))
    a.run("scan", "src", "--system", "led")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "led")
    a.refused("altered list", "dispose", "execute", d, by="rita")
    assert "fin/i3.txt" in a.errors, a.errors
    assert "i3.txt" not in json.dumps(a.refusals()), "the log holds no name that has to go"
    d = a.id("dispose", "propose", "--due", "--class", "FIN", "--path", "fin/i4.txt", by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    a.run("decide", "fin/i4.txt", "--system", "led", "--decision", "archive", "--class", "NEW", "--officer", "rita",
          "--reason", "kept longer")
    a.refused("retention period", "dispose", "execute", d, by="rita")
    a.run("decide", "fin/i4.txt", "--system", "led", "--withdraw", "--officer", "rita", "--reason", "a mistake")
    a.run("decide", "fin/i4.txt", "--system", "led", "--decision", "archive", "--class", "LOG", "--officer", "rita",
          "--reason", "it is a log")
    a.refused("altered list", "dispose", "execute", d, by="rita")


def held(a):
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    h = a.id("hold", "add", "--case", "2026-17", "--reason", "a lawsuit", "--path", "fin/i1.txt")
    a.refused("hold", "dispose", "execute", d, by="rita")
    assert h in a.errors and "2026-17" in a.errors and "fin/i1.txt" in a.errors, a.errors
    a.refused("hold", "dispose", "propose", "--due", "--path", "fin/i1.txt", by="rita")
    e = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    assert "left out: hold: 1 record" in a.errors and "2026-17" in a.errors, a.errors
    a.ask("hold", "release", h, "--reason", "settled")
    return d, e


def graces(a):
    """Due, but within the grace of its class."""
    write("src/fin/fresh.txt", "fresh\n", NOW - (5 * 365 + 12) * 86400)
    a.run("scan", "src", "--system", "led")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "led")
    a.refused("grace period", "dispose", "propose", "--due", "--path", "fin/fresh.txt", by="rita")


def clocks(a, d):
    """Set back, or ahead by more than thirty days: refused, also when it is tried again."""
    a.refused("clock", "dispose", "execute", d, by="rita", fake="-3d")
    a.refused("clock", "dispose", "execute", d, by="rita", fake="+40d")
    a.refused("clock", "dispose", "execute", d, by="rita", fake="+40d")
    a.refused("clock", "dispose", "execute", d, by="rita", fake="+400d")


def executed(a):
    """What is approved goes, once; the certificate is made; all else stays."""
    before = {json.loads(line)["path"] for line in a.run("find", "led", "--json").splitlines()}
    d = a.id("dispose", "propose", "--due", "--class", "FIN", "--path", "fin/i[15].txt", by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    c = a.id("dispose", "execute", d, by="leo")
    assert c.startswith("C"), c
    after = {json.loads(line)["path"] for line in a.run("find", "led", "--json").splitlines()}
    assert before - after == {"fin/i1.txt", "fin/i5.txt"}, before - after
    a.run("cat", "led", "fin/i1.txt", status=1)
    a.run("verify", "--deep")
    rows = [json.loads(line) for line in a.ask("dispose", "show", d, "--json").splitlines()]
    assert rows[0]["state"] == "executed" and all(r["item"] is None for r in rows[1:]), rows
    a.refused("state", "dispose", "execute", d, by="leo")
    a.refused("state", "dispose", "approve", d, by="ida")
    for word in ("i1.txt", "i5.txt"):
        assert word not in a.ask("audit", "list", "--json"), "no entry holds a name that went"
    a.ask("audit", "verify")


def expired(a):
    """Valid when it was signed, over when it is executed."""
    officer("brief", days=9)
    a.admit("brief", "owner", "rita", "olga")
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    for name in ("otto", "brief"):
        a.ask("dispose", "approve", d, by=name)
    a.refused("certificate validity", "dispose", "execute", d, by="rita", fake="+20d")
    a.refused("certificate validity", "dispose", "execute", d, by="brief", fake="+20d")
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="rita")


def shortened(a):
    """Another period counts alone only once it was approved; nothing is destroyed by that."""
    write("./second.yaml", POLICY.replace("P90Y", "P1Y").replace("version: 1", "version: 2"))
    digest = hashlib.sha256(open("second.yaml", "rb").read()).hexdigest()
    a.run("classify", "--system", "led", "--policy", "second.yaml")
    a.refused("retention period", "dispose", "propose", "--due", "--class", "NEW", by="rita")
    a.ask("dispose", "propose", "--shorten", "NEW", "--policy", "0" * 64, by="rita", status=1)
    d = a.id("dispose", "propose", "--shorten", "NEW", "--policy", digest[:12], by="rita")
    a.refused("quorum", "dispose", "execute", d, by="rita")
    a.ask("dispose", "approve", d, by="otto")
    a.ask("dispose", "execute", d, by="rita")
    a.refused("state", "dispose", "execute", d, by="rita")
    d = a.id("dispose", "propose", "--due", "--class", "NEW", by="rita")
    # It is not for ever: what a later policy asks for counts again, beside it.
    a.ask("dispose", "approve", d, by="otto")
    write("./third.yaml", POLICY.replace("P90Y", "P80Y").replace("version: 1", "version: 3"))
    a.run("classify", "--system", "led", "--policy", "third.yaml")
    a.refused("retention period", "dispose", "execute", d, by="rita")
    untouched(a)


def untouched(a):
    found = {json.loads(line)["path"] for line in a.run("find", "led", "--json").splitlines()}
    for i in range(6):
        assert {f"fin/i{i}.txt", f"log/l{i}.txt", f"new/n{i}.txt"} <= found, found
    a.run("verify", "--deep")


def main():
    for name, _ in OFFICERS:
        officer(name)
    source()
    write("./policy.yaml", POLICY)
    a, other = Keeper(), Keeper("other")
    for archive in (a, other):
        archive.run("scan", "src", "--system", "led")
        archive.run("classify", "--system", "led", "--policy", "policy.yaml")
        archive.run("ingest", "src", "--system", "led")
        for name, roles in OFFICERS:
            archive.ask("officer", "add", "--id", name, "--role", roles, "--cert", f"{name}.pem")
    separation(a)
    carried_in(a, other)
    witnesses(a)
    token(a)
    validity(a)
    simulated(a, proposals(a))
    graces(a)
    d, e = held(a)
    clocks(a, d)
    untouched(a)
    expired(a)
    shortened(a)
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    altered(a)
    untouched(a)
    executed(a)


main()

#!/usr/bin/python3
"""Certificates: made by a destruction, judged by muni and by stock openssl, years later too."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI, skip  # noqa: E402

POLICY = """
policy: ledger
version: 1
calendar: UTC
unmatched: review
classes:
  - id: FIN
    title: {en: Invoices, zh: 发票}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
    destroy: {grace: P1D, names: keep}
  - id: SEC
    title: {en: Secrets}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
    destroy: {grace: P1D, names: drop}
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
  - {id: sec, when: {path: "sec/**"}, decide: archive, class: SEC}
"""
YEAR = 31557600
LATER = "+800d"


def sh(*line, status=0, later=None):
    line = (["faketime", "-f", later] if later else []) + [str(w) for w in line]
    done = subprocess.run(line, capture_output=True, timeout=300)
    assert status is None or done.returncode == status, (line, done.returncode, done.stdout, done.stderr)
    return done


def openssl(*args, **more):
    return sh("openssl", *args, **more)


def officer(name, days=30):
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    if not os.path.exists("ca.pem"):
        openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", 3650, "-subj", "/CN=Officers",
                "-addext", "keyUsage=critical,keyCertSign")
    key = ["-key", f"{name}.key"] if os.path.exists(f"{name}.key") else [*curve, "-keyout", f"{name}.key"]
    openssl("req", "-new", *key, "-out", f"{name}.csr", "-subj", f"/O=Test/CN={name}")
    with open("ext", "w") as f:
        f.write("keyUsage=critical,digitalSignature\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
            "-extfile", "ext", "-out", f"{name}.pem")


class Keeper(Archive):
    def ask(self, verb, act, *args, status=0, by=None):
        line = [MUNI, verb, act, self.path, *map(str, args), "--keyring", self.keyring, "--key-file", self.key]
        if by:
            line += ["--by", by, "--key", f"{by}.key"]
        return sh(*line, status=status).stdout.decode()

    def last(self, *args, **more):
        return self.ask(*args, **more).split()[-1]

    def destroy(self, code):
        d = self.last("dispose", "propose", "--due", "--class", code, by="chen")
        self.ask("dispose", "approve", d, by="weber")
        return self.ask("dispose", "execute", d, by="chen").split()[0]


def source():
    for folder in ("fin", "sec"):
        os.makedirs(f"src/{folder}")
        for i in range(5):
            path = f"src/{folder}/file-{folder}-{i}"
            with open(path, "w") as f:
                f.write(f"{folder} {i}\n" * 40)
            os.utime(path, ((30 + i) * YEAR,) * 2)


def verify(*args, status=0, later=None):
    done = sh(MUNI, "cert", "verify", *args, "--json", status=status, later=later)
    return {r["check"]: r["result"] for r in map(json.loads, done.stdout.decode().splitlines())}


def changed(path, to, at):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[at % len(data)] ^= 1
    with open(to, "wb") as f:
        f.write(data)


def it_holds_and_goes_stale_for_nobody():
    said = verify("C1.p7m", "--ca", "ca.pem")
    assert said["annex"] == "holds" and said["archive"] == "holds" and said["quorum"] == "holds", said
    assert said["time-stamp"] == "not checked", said
    assert said["office"] == "note", said       # both were made officers today: told, and no fault
    for form in ([], ["-binary"]):      # there is no line end in it that could be converted
        openssl("cms", "-verify", *form, "-inform", "DER", "-in", "C1.p7m", "-CAfile", "ca.pem", "-purpose", "any", "-out", "text")
        with open("text", "rb") as a, open("C1.json", "rb") as b:
            assert a.read() == b.read()
    # The officers' certificates have expired since.
    openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", "C1.p7m", "-CAfile", "ca.pem", "-purpose", "any", "-out", "text",
            status=4, later=LATER)
    signed = sh("stat", "-c", "%Y", "C1.p7m").stdout.decode().strip()
    openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", "C1.p7m", "-CAfile", "ca.pem", "-purpose", "any", "-out", "text",
            "-attime", signed, later=LATER)
    verify("C1.p7m", "--ca", "ca.pem", later=LATER)


def whatever_is_changed_is_found():
    size = os.path.getsize("C1.p7m")
    for at in range(7, size, size // 40):
        changed("C1.p7m", "bad.p7m", at)
        sh(MUNI, "cert", "verify", "bad.p7m", "--ca", "ca.pem", status=None)
        done = sh(MUNI, "cert", "verify", "bad.p7m", "--ca", "ca.pem", status=None)
        assert done.returncode in (3, 5), (at, done)
    changed("C1.annex.json", "bad.annex", 100)
    verify("C1.p7m", "--ca", "ca.pem", "--annex", "bad.annex", status=5)
    with open("C1.annex.json") as f, open("short.annex", "w") as short:
        short.writelines(f.readlines()[:-1])
    verify("C1.p7m", "--ca", "ca.pem", "--annex", "short.annex", status=5)
    verify("C1.p7m", "--ca", "ca.pem", "--annex", "none.annex", status=1)
    os.makedirs("bare", exist_ok=True)
    shutil.copy("C1.p7m", "bare/")
    assert verify("bare/C1.p7m", "--ca", "ca.pem")["annex"] == "not checked"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "o.key", "-out",
            "other.pem", "-days", 10, "-subj", "/CN=Other")
    assert verify("C1.p7m", "--ca", "other.pem", status=3)["signer"] == "not trusted"


def signed_anew(content, by, to="lie.p7m"):
    """What somebody in office can make who holds a key of his own: any certificate, with his signature."""
    with open("lie.json", "w") as f:
        f.write(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    openssl("cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-nosmimecap", "-in", "lie.json", "-signer", f"{by}.pem", "-inkey",
            f"{by}.key", "-outform", "DER", "-out", to)


def judged(*args):
    """{check: all that was found}, and the status."""
    done = sh(MUNI, "cert", "verify", *args, "--json", status=None)
    found = {}
    for r in map(json.loads, done.stdout.decode().splitlines()):
        found.setdefault(r["check"], []).append(r["result"])
    return found, done.returncode


def der(*args):
    return base64.b64encode(openssl(*args, "-outform", "DER").stdout).decode()


def a_signer_who_lies_is_found():
    """The signature over the whole holds each time; what stands in it is asked one by one."""
    with open("C1.json") as f:
        text = f.read()
    with open("C1.annex.json", "rb") as f:
        annex = f.read()
    signed_anew(json.loads(text), "chen")
    found, status = judged("lie.p7m", "--ca", "ca.pem", "--annex", "C1.annex.json")
    assert status == 0 and found["quorum"] == ["holds"] and found["annex"] == ["holds"], found
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "mallory.key", "-out",
            "mallory.pem", "-days", 10, "-subj", "/O=Test/CN=mallory")

    def who(c, act):
        return next(p for p in c["people"] if p["act"] == act)

    def proposer_approves(c):
        c["people"].remove(who(c, "approved"))
        c["people"].append({**who(c, "proposed"), "act": "approved"})

    def a_stranger_approves(c):
        with open("stated.json", "w") as f:
            f.write(c["clearance"]["statement"])
        who(c, "approved").update(certificate=der("x509", "-in", "mallory.pem"), person="CN=mallory,O=Test", signature=der(
            "cms", "-sign", "-binary", "-in", "stated.json", "-signer", "mallory.pem", "-inkey", "mallory.key"))

    def another_certified(c):
        c["people"] = [{**who(c, "approved"), "act": "certified"} if p["act"] == "certified" else p for p in c["people"]]

    def other_hex(o, key):
        o[key] = ("0" if o[key][0] != "0" else "1") + o[key][1:]

    lies = {    # what is changed, the check that finds it, how
        "the approver's signature, of something else": (
            lambda c: who(c, "approved").update(signature=c["proof"]["signature"]), "approved", "fails"),
        "the proposer approves": (proposer_approves, "quorum", "not trusted"),
        "nobody approves": (lambda c: c["people"].remove(who(c, "approved")), "quorum", "not trusted"),
        "somebody whom no authority knows approves": (a_stranger_approves, "approved", "not trusted"),
        "another is said to have certified": (another_certified, "certified", "fails"),
        "another list": (lambda c: other_hex(c["what"], "root"), "statement", "fails"),
        "more items than were approved": (lambda c: c["what"].update(items=c["what"]["items"] + 1), "statement", "fails"),
        "another archive": (lambda c: other_hex(c["identity"], "archive"), "statement", "fails"),
        "an act that is not in the log": (lambda c: other_hex(c["proof"]["entries"][0], "commitment"), "log", "fails"),
        "no act at all": (lambda c: c["proof"].update(entries=[]), "log", "fails"),
        "another head": (lambda c: other_hex(c["proof"]["head"], "root"), "log", "fails"),
        "a head that the archive did not sign": (
            lambda c: c["proof"].update(statement=c["proof"]["statement"].replace('"time":1', '"time":2')), "log", "fails"),
        "another log before": (lambda c: other_hex(c["proof"]["before"], "root"), "log before", "fails"),
        "other marks": (lambda c: other_hex(c["what"]["marks"], "sha256"), "marks", "fails"),
    }
    for name, (lie, check, how) in lies.items():
        content = json.loads(text)
        lie(content)
        assert content != json.loads(text), name
        signed_anew(content, "chen")
        shutil.copy("C1.marks", "lie.marks")
        found, status = judged("lie.p7m", "--ca", "ca.pem")
        assert how in found.get(check, []) and status == (5 if "fails" in sum(found.values(), []) else 3), (name, status, found)
    # The archive's own signature, and the annex, are over what was certified.
    found, status = judged("lie.p7m", "--ca", "ca.pem", "--archive-signature", "C1.p7s")
    assert "fails" in found["archive"] and status == 5, found
    content = json.loads(text)
    lines = annex.replace(b"file-fin-0", b"file-fin-9")
    assert lines != annex
    content["what"]["annex"]["sha256"] = hashlib.sha256(lines).hexdigest()
    with open("lie.annex.json", "wb") as f:
        f.write(lines)
    signed_anew(content, "chen")
    found, status = judged("lie.p7m", "--ca", "ca.pem")
    assert found["annex"] == ["fails"] and status == 5, found
    for n in "lie.annex.json", "lie.marks":
        os.unlink(n)


def the_second_names_the_first_and_drops_names(a):
    assert a.destroy("SEC") == "C2"
    a.ask("cert", "show", "C2", "--to", "C2.p7m", "--all")
    verify("C2.p7m", "--ca", "ca.pem")
    with open("C2.json", "rb") as f:
        text = f.read()
    with open("C2.annex.json", "rb") as f:
        text += f.read()
    assert b"file-sec" not in text and b"file-fin" not in text
    first = openssl("dgst", "-sha256", "-r", "C1.json").stdout.split()[0].decode()
    with open("C2.json") as f:
        assert json.load(f)["proof"]["previous"] == {"certificate": "C1", "sha256": first}
    rows = [json.loads(line) for line in a.ask("cert", "list", "--json").splitlines()]
    assert [r["certificate"] for r in rows] == ["C1", "C2"] and rows[0]["sha256"] == first


def on_paper_it_is_the_same_every_time(a):
    for lang in ("en", "zh"):
        a.ask("cert", "pdf", "C1", "--lang", lang, "--to", "a.pdf")
        sh(MUNI, "cert", "pdf", "C1.p7m", "--lang", lang, "--to", "b.pdf")
        with open("a.pdf", "rb") as one, open("b.pdf", "rb") as two:
            assert one.read() == two.read()
        if shutil.which("pdftotext"):
            text = sh("pdftotext", "-layout", "a.pdf", "-").stdout.decode()
            assert ("Certificate of Destruction" if lang == "en" else "档案销毁证书") in text, text
            for foreign in ("keyring", "overwritten", "records", "sealed") if lang == "zh" else ():
                assert foreign not in text, (foreign, text)
            assert ("Officer since" if lang == "en" else "任职起始") in text, text
            assert ("by key" if lang == "en" else "以档案库密钥加入") in text, text
            assert "weber" in text and ("page 1 of" if lang == "en" else "共") in text
    with open("fonts.conf", "w") as f:
        f.write('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir>'
                "<cachedir>cache</cachedir></fontconfig>")
    line = [MUNI, "cert", "pdf", "C1.p7m", "--lang", "zh", "--to", "c.pdf"]
    done = subprocess.run(line, capture_output=True, env={**os.environ, "FONTCONFIG_FILE": os.path.abspath("fonts.conf")})
    assert done.returncode == 1 and b"fonts-wqy-microhei" in done.stderr, done
    assert not os.path.exists("c.pdf")


def a_renewed_officer_changes_nothing_about_what_was_signed(a):
    a.ask("officer", "remove", "--id", "weber", "--reason", "renewed")
    for kind in ("pem", "key"):
        os.rename(f"weber.{kind}", f"weber-old.{kind}")
    officer("weber", days=60)
    a.ask("officer", "add", "--id", "weber", "--role", "owner", "--cert", "weber.pem")
    a.ask("officer", "approve", "--id", "weber", by="chen")
    with open("statement.json", "w") as f:      # chen alone is left: the other signature is that of the former certificate
        f.write(a.ask("officer", "statement", "--id", "weber"))
    openssl("cms", "-sign", "-binary", "-in", "statement.json", "-signer", "weber-old.pem", "-inkey", "weber-old.key",
            "-outform", "DER", "-out", "former.p7s")
    a.ask("officer", "approve", "--id", "weber", "--signature", "former.p7s")
    a.ask("cert", "sign", "C1", by="weber")
    a.ask("cert", "sign", "C1", by="weber", status=1)
    a.ask("cert", "show", "C1", "--to", "C1.p7m", "--all")
    verify("C1.p7m", "--ca", "ca.pem")
    openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", "C1.p7m", "-CAfile", "ca.pem", "-purpose", "any", "-out", "text")


def main():
    if not shutil.which("faketime"):
        skip("faketime is not installed")
    source()
    for name in ("chen", "weber"):
        officer(name)
    a = Keeper("archive")
    a.ask("officer", "add", "--id", "chen", "--role", "records", "--cert", "chen.pem")
    a.ask("officer", "add", "--id", "weber", "--role", "owner", "--cert", "weber.pem")
    with open("policy.yaml", "w") as f:
        f.write(POLICY)
    a.run("scan", "src", "--system", "crm")
    a.run("classify", "--system", "crm", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "crm")
    assert a.destroy("FIN") == "C1"
    a.ask("cert", "show", "C1", "--to", "C1.p7m", "--all")
    it_holds_and_goes_stale_for_nobody()
    whatever_is_changed_is_found()
    a_signer_who_lies_is_found()
    the_second_names_the_first_and_drops_names(a)
    on_paper_it_is_the_same_every_time(a)
    a_renewed_officer_changes_nothing_about_what_was_signed(a)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""muni audit: the log as people and schemas read it, what it finds when somebody touched it, and the proof that
a file stood in a signed version, checked here without a line of muniment."""
import base64
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI, SUPPORT, tree  # noqa: E402

PREMIS = "{http://www.loc.gov/premis/v3}"
HEAD, ENTRY = 128, 128


def audit(archive, act, *args, status=0, env=None, clock=None):
    line = [MUNI, "audit", act, archive.path, *args, "--keyring", archive.keyring, "--key-file", archive.key]
    if clock:
        line = ["faketime", "-f", clock] + line
    done = subprocess.run(line, capture_output=True, timeout=300, env={**os.environ, **(env or {})})
    assert status is None or done.returncode == status, (line, done.returncode, done.stdout, done.stderr)
    return done.stdout.decode()


def rows(archive, *args):
    return [json.loads(line) for line in audit(archive, "list", "--json", *args).splitlines()]


def faults(archive, *args, status=5):
    found = [json.loads(line) for line in audit(archive, "verify", "--json", *args, status=status).splitlines()]
    assert found[-1]["type"] == "audit_verify" and found[-1]["whole"] == (status == 0), found
    return found[:-1]


def at(entry):
    return HEAD + ENTRY * entry


def patch(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def read(path, offset, size):
    with open(path, "rb") as f:
        f.seek(offset)
        return f.read(size)


# ---- listing -----------------------------------------------------------------------------------


def check_listing(archive):
    listed = rows(archive)
    acts = [r["act"] for r in listed]
    assert acts == ["init", "ingest", "ingest", "key added"], acts
    assert [r["sequence"] for r in listed] == list(range(len(listed)))
    assert all(r["details_state"] == "whole" and r["actor"] == "key" and r["success"] for r in listed)
    assert listed[1]["details"]["system"] == "hr"
    assert [r["act"] for r in rows(archive, "--act", "ingest")] == ["ingest"] * 2
    assert rows(archive, "--first", "3")[0]["act"] == "key added"
    assert rows(archive, "--text", '"label":"2"')[0]["sequence"] == 2
    assert rows(archive, "--until", "2001-01-01") == [] == rows(archive, "--officer", "nobody")

    table = list(csv.DictReader(io.StringIO(audit(archive, "list", "--csv").lstrip("\ufeff"))))
    assert [r["act"] for r in table] == acts and json.loads(table[1]["details"]) == listed[1]["details"]
    assert all(r["commitment"] == l["commitment"] for r, l in zip(table, listed))

    document = ET.fromstring(audit(archive, "list", "--premis"))
    assert document.tag == PREMIS + "premis" and document.get("version") == "3.0"
    kinds = [e.tag for e in document]
    assert kinds == [PREMIS + "event"] * 4 + [PREMIS + "agent"] * 2, kinds
    assert [e.findtext(PREMIS + "eventType") for e in document][:3] == ["creation", "ingestion", "ingestion"]
    order = [c.tag[len(PREMIS):] for c in document[1]]
    assert order == ["eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation",
                     "eventDetailInformation", "eventOutcomeInformation", "linkingAgentIdentifier",
                     "linkingAgentIdentifier"], order
    agents = {a.findtext(f"{PREMIS}agentIdentifier/{PREMIS}agentIdentifierValue") for a in document[4:]}
    links = {a.text for a in document.iter(PREMIS + "linkingAgentIdentifierValue")}
    assert agents == links, (agents, links)
    assert subprocess.run([MUNI, "audit", "list", archive.path, "--csv", "--json"], capture_output=True).returncode == 2
    assert subprocess.run([MUNI, "audit", "list", archive.path, "--act", "no such act", "--keyring", archive.keyring,
                           "--key-file", archive.key], capture_output=True).returncode == 2


# ---- heads ----------------------------------------------------------------------------------------


def check_heads(archive):
    text = audit(archive, "head", "--to", "head.json")
    head = json.loads(text)
    assert text.rstrip("\n") == open("head.json").read()
    subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "head.json.p7s", "-content", "head.json",
                    "-CAfile", os.path.join(archive.path, "certificates/archive.pem"), "-purpose", "any", "-out",
                    "signed.json"], check=True, capture_output=True)
    assert faults(archive, "--since", "head.json", status=0) == []
    assert faults(archive, "--since", text.strip(), status=0) == []
    assert faults(archive, "--since", f"{head['count']}:{head['root']}", status=0) == []
    wrong = head["root"][:-1] + ("0" if head["root"][-1] != "0" else "1")
    assert "altered" in faults(archive, "--since", f"{head['count']}:{wrong}")[0]["what"]
    assert "cut off" in faults(archive, "--since", f"{head['count'] + 5}:{head['root']}")[0]["what"]
    audit(archive, "verify", "--since", "nonsense", status=2)
    return head


def check_stamp(archive):
    """Where an authority is named, a head comes with its time-stamp, which stock openssl verifies."""
    tsa = subprocess.Popen([os.path.join(SUPPORT, "tsa.py"), "tsa"])
    try:
        until = time.time() + 60
        while not os.path.exists("tsa/port") and time.time() < until:
            time.sleep(0.05)
        url = f"http://127.0.0.1:{open('tsa/port').read()}/tsr"
        subprocess.run([MUNI, "cert", "authority", archive.path, "--url", url, "--tsa-ca", "tsa/tsa-ca.pem", "--keyring",
                        archive.keyring, "--key-file", archive.key], check=True, capture_output=True)
        audit(archive, "head", "--to", "stamped")
        subprocess.run(["openssl", "ts", "-verify", "-in", "stamped.tsr", "-data", "stamped", "-CAfile", "tsa/tsa-ca.pem"],
                       check=True, capture_output=True)
    finally:
        tsa.terminate()
        tsa.wait()
    # It does not answer any more: no head without its stamp is taken for one that has it.
    audit(archive, "head", "--to", "unstamped", status=None)
    assert not os.path.exists("unstamped.tsr")
    subprocess.run([MUNI, "cert", "authority", archive.path, "--none", "--keyring", archive.keyring, "--key-file", archive.key],
                   check=True, capture_output=True)
    audit(archive, "head", "--to", "plain")
    assert not os.path.exists("plain.tsr")


# ---- what somebody did to it ---------------------------------------------------------------------------


def touched(archive, name, how):
    copy = archive.copy_to(name)
    how(os.path.join(copy.path, "audit"))
    return copy


def both(folder, stem, act):
    for name in (stem, stem + ".2"):
        os.chmod(os.path.join(folder, name), 0o600)
        act(os.path.join(folder, name))


def check_tampering(archive):
    def cut(folder):
        both(folder, "log", lambda p: os.truncate(p, at(2)))

    def alter(folder):
        both(folder, "log", lambda p: patch(p, at(1) + 20, b"\x77"))

    def swap(folder):
        def act(path):
            first, second = read(path, at(1), ENTRY), read(path, at(2), ENTRY)
            patch(path, at(1), second + first)
        both(folder, "log", act)

    def alter_whole(folder):
        """A forged entry with a right sum: only the signed root knows."""
        def act(path):
            raw = bytearray(read(path, at(1), ENTRY))
            raw[16:24] = (1234567890).to_bytes(8, "little")
            raw[112:128] = hashlib.sha256(bytes(raw[:112])).digest()[:16]
            patch(path, at(1), bytes(raw))
        both(folder, "log", act)

    def one_copy(folder):
        patch(os.path.join(folder, "log.2"), at(1) + 20, b"\x77")

    def heads_cut(folder):
        both(folder, "heads", lambda p: os.truncate(p, os.path.getsize(p) - 400))

    for name, how, word in [("cut", cut, "ent"), ("altered", alter, "entry 1"), ("swapped", swap, "entry 1"),
                            ("forged", alter_whole, "first 2 entries"), ("copy", one_copy, "log.2: entry 1"),
                            ("heads", heads_cut, "head")]:
        copy = touched(archive, name, how)
        found = faults(copy)
        assert any(f["type"] == "damage" and word in f["what"] for f in found), (name, found)
        copy.remove()


def check_rollback(archive):
    """The catalogue of before, under the log of now: named, whatever command is tried."""
    old = archive.copy_to("old")
    archive.run("ingest", "tree", "--system", "late", "-q")
    new = archive.copy_to("new")
    for name in os.listdir(new.path):
        if name.startswith("catalogue."):
            os.unlink(os.path.join(new.path, name))
    for name in os.listdir(old.path):
        if name.startswith("catalogue."):
            shutil.copy2(os.path.join(old.path, name), new.path)
    found = faults(new)
    assert any("older copy" in f["what"] for f in found), found
    old.remove()
    new.remove()


def check_clock(archive):
    if shutil.which("faketime") is None:
        print("no faketime: clocks were not set")
        return
    line = [MUNI, "ingest", archive.path, "tree", "--system", "clock", "-q", "--keyring", archive.keyring, "--key-file",
            archive.key]
    subprocess.run(["faketime", "-f", "+400d"] + line, check=True, capture_output=True)
    assert any(f["type"] == "clock" and "yet to come" in f["what"] for f in faults(archive, status=0))
    subprocess.run(line + ["--version", "back"], check=True, capture_output=True)
    found = faults(archive, status=0)
    assert any(f["type"] == "clock" and "set back" in f["what"] for f in found), found
    assert any("yet to come" in f["what"] for f in faults(archive, status=0))


# ---- proofs of files -----------------------------------------------------------------------------------


def leaf_hash(raw):
    return hashlib.sha256(b"\0" + raw).digest()


def climb(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    fn, sn, root = index, size - 1, leaf
    for p in path:
        assert sn != 0
        if fn & 1 or fn == sn:
            root = hashlib.sha256(b"\1" + p + root).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = hashlib.sha256(b"\1" + root + p).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return root


def name_of(raw):
    size = int.from_bytes(raw[17:21], "little")
    return raw[21:21 + size]


def stranger_checks(proof, certificate):
    """Path and digest that the proof proves: with hashlib and openssl alone."""
    names, root = [], None
    for step in proof["steps"][:-1]:
        raw = bytes.fromhex(step["leaf"])
        assert root is None or raw[-32:] == root
        names.insert(0, name_of(raw))
        root = climb(leaf_hash(raw), step["index"], step["size"], [bytes.fromhex(p) for p in step["path"]])
    top = bytes.fromhex(proof["steps"][-1]["leaf"])
    assert top[-32:] == root and name_of(top) == b""
    statement = proof["statement"].encode()
    assert json.loads(statement)["merkle"] == leaf_hash(top).hex()
    names_json = json.dumps({"label": proof["label"], "system": proof["system"]}, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(statement)["names"] == hashlib.sha256(bytes.fromhex(proof["names_salt"]) + names_json.encode()).hexdigest()
    with open("statement", "wb") as f:
        f.write(statement)
    with open("statement.p7s", "wb") as f:
        f.write(base64.b64decode(proof["signature"]))
    subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "statement.p7s", "-content", "statement",
                    "-CAfile", certificate, "-purpose", "any", "-out", "signed"], check=True, capture_output=True)
    return b"/".join(names), bytes.fromhex(proof["steps"][0]["leaf"])[-32:].hex()


def check_proof(archive):
    certificate = os.path.join(archive.path, "certificates/archive.pem")
    for path in ["d3/f003", "d0/f000", "deep/er/naïve \n name"]:
        audit(archive, "prove", "hr@1", path, "--to", "proof")
        proof = json.load(open("proof"))
        proven, digest = stranger_checks(proof, certificate)
        assert proven.decode() == path and digest == hashlib.sha256(open(os.path.join("tree", path), "rb").read()).hexdigest()
        ours = [MUNI, "audit", "check", "proof", "--file", os.path.join("tree", path), "--certificate", certificate]
        subprocess.run(ours, check=True, capture_output=True)
    whole = open("proof", "rb").read()
    assert b"f003" not in whole and b"d3" not in [name_of(bytes.fromhex(s["leaf"])) for s in json.loads(whole)["steps"]]
    # Another folder's proof names nothing of these; and no byte of it can be another.
    for offset in range(0, len(whole), 37):
        changed = bytearray(whole)
        changed[offset] = changed[offset] ^ 1 if changed[offset] not in b'{}[]",:' else ord("x")
        with open("changed", "wb") as f:
            f.write(changed)
        done = subprocess.run([MUNI, "audit", "check", "changed", "--certificate", certificate, "--json"], capture_output=True)
        if done.returncode == 0:	# what is not covered, says nothing: the facts must be the same
            facts, now = json.loads(subprocess.run([MUNI, "audit", "check", "proof", "--certificate", certificate, "--json"],
                                                   capture_output=True).stdout), json.loads(done.stdout)
            assert facts == now or now["system"] is None, (offset, now)
        else:
            assert done.returncode in (1, 5), (offset, done.returncode, done.stderr)
    audit(archive, "prove", "hr@1", "no/such", "--to", "none", status=1)
    assert not os.path.exists("none")


def main():
    tree("tree", 7)
    os.makedirs("tree/deep/er")
    with open("tree/deep/er/naïve \n name", "w") as f:
        f.write("content")
    archive = Archive("archive")
    archive.run("ingest", "tree", "--system", "hr", "-q")
    with open("tree/more", "w") as f:
        f.write("more")
    archive.run("ingest", "tree", "--system", "hr", "-q")
    with open("second.key", "wb") as f:
        f.write(b"fedcba9876543210" * 4)
    subprocess.run([MUNI, "key", "add", archive.path, "--new-key-file", "second.key", "--keyring", archive.keyring,
                    "--key-file", archive.key], check=True, capture_output=True)
    check_listing(archive)
    check_heads(archive)
    check_tampering(archive)
    check_proof(archive)
    check_rollback(archive)
    check_stamp(archive)
    check_clock(archive)


main()

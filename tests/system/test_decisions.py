#!/usr/bin/python3
"""From an inventory to decisions, officers' overrides, sheets, and an ingest that follows them."""
import csv
import io
import json
import os
import random
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI, can_mount, unmount  # noqa: E402

POLICY = """
policy: test-retirement
version: 3
calendar: Asia/Shanghai
unmatched: review
classes:
  - id: FIN
    title: {en: Invoices, zh: 发票}
    mandate: {instrument: 会计档案管理办法, clause: "14", jurisdiction: CN}
    sensitivity: confidential
    importance: high
    retain: {trigger: modified, period: P30Y}
    then: destroy
    approve: {quorum: 2, roles: [records, owner]}
    destroy: {grace: P6M, residual: stub, names: commit}
  - id: HR
    title: {en: Staff}
    mandate: {instrument: 29 CFR 516.5, clause: "(a)", jurisdiction: US}
    sensitivity: restricted
    retain: {trigger: modified, period: P10Y}
    then: review
rules:
  - id: copies
    when: {duplicate: true}
    decide: destroy
    because: a copy of another item
  - id: caches
    when: {path: "**/cache/**"}
    decide: destroy
    because: trivial
  - id: invoices
    when: {path: "invoices/**"}
    decide: archive
    class: FIN
  - id: staff
    when: {any: [{path: "staff/**"}, {extension: hr}]}
    decide: archive
    class: HR
  - id: app
    when: {path: "app/**"}
    decide: migrate
"""


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def source(where):
    rng = random.Random(4)
    for i in range(40):
        write(f"{where}/invoices/{2001 + i % 9}/i{i:03d}.txt", f"invoice {i} " + "line " * rng.randrange(5, 400))
        write(f"{where}/staff/p{i:02d}.txt", f"person {i} 工号 {i} " + "x" * rng.randrange(2000))
    write(f"{where}/copies/i000.txt", open(f"{where}/invoices/2001/i000.txt").read())
    write(f"{where}/app/cache/a.bin", rng.randbytes(3000))
    write(f"{where}/app/config.ini", "[a]\nb=1\n")
    write(f"{where}/notes/unknown.txt", "nobody knows what this is\n")
    write(f"{where}/=cmd|'x'!A1.txt", "a name that a spreadsheet would run\n")
    write(os.fsencode(where) + b"/staff/caf\xe9.hr", "a name that is no UTF-8\n")
    os.symlink("../staff/p00.txt", f"{where}/invoices/link")
    os.makedirs(f"{where}/staff/empty")


def lines(archive, *args):
    return [json.loads(line) for line in archive.run(*args, "--json").splitlines()]


def decisions(archive, *args):
    return {r.get("path_base64") or r["path"]: r for r in lines(archive, "decisions", "--system", "crm", *args)}


def main():
    source("src")
    write("policy.yaml", POLICY)
    a = Archive()
    scan = ("--system", "crm")

    # Nothing is decided before there is an inventory, and a policy.
    a.run("classify", "--system", "crm", "--policy", "policy.yaml", status=1)
    assert "scan" in a.errors, a.errors
    a.run("scan", "src", *scan)
    a.run("decisions", *scan, status=1)
    assert "classify" in a.errors, a.errors

    out = a.run("classify", *scan, "--policy", "policy.yaml", "--json")
    sums = json.loads(out)
    rows = decisions(a)
    everything = sum(len(files) for _, _, files in os.walk("src")) + 1  # and the empty directory
    assert len(rows) == everything == sums["items"], (len(rows), everything, sums)
    # Every item ends in exactly one of the four, and the sums say so.
    assert sum(s["items"] for s in sums["decisions"].values()) == everything
    for d, s in sums["decisions"].items():
        of = [r for r in rows.values() if r["decision"] == d]
        assert len(of) == s["items"] and sum(r["size"] for r in of if r["kind"] == "file") == s["bytes"], (d, s)
    one = rows["invoices/2001/i000.txt"]
    assert (one["decision"], one["class"], one["rule"]) == ("destroy", None, "copies") or \
        (one["decision"], one["class"], one["rule"]) == ("archive", "FIN", "invoices"), one
    copy = rows["copies/i000.txt"]
    # The first by path is the original, the other its copy.
    assert copy["duplicate_of"] is None and one["duplicate_of"] == "copies/i000.txt", (copy, one)
    assert copy["decision"] == "review" and copy["rule"] is None and copy["matched"] == []
    assert one["decision"] == "destroy" and one["matched"] == ["copies", "invoices"], one
    assert rows["invoices/2002/i001.txt"]["sensitivity"] == "confidential"
    assert rows["app/cache/a.bin"]["decision"] == "destroy" or rows["app/cache/a.bin"]["opaque"], rows["app/cache/a.bin"]
    assert rows["app/config.ini"]["decision"] == "migrate"
    assert rows["staff/empty"]["kind"] == "directory" and rows["staff/empty"]["decision"] == "archive"

    # The same again, and on one thread: the same bytes.
    def stable():
        """All but the access times: reading a link's target moves them."""
        return [{k: v for k, v in r.items() if k not in ("atime", "accessed")} for r in lines(a, "decisions", *scan)]
    before = stable()
    a.run("scan", "src", *scan, "--threads", "1", "--reread")
    a.run("classify", *scan, "--policy", "policy.yaml")
    assert stable() == before

    # Officers.
    who = ("--officer", "R. Keeper", "--reason", "asked by the owner, 请保留")
    a.run("decide", "copies/i000.txt", *scan, "--decision", "archive", "--class", "FIN", *who)
    a.run("decide", "staff/p0*.txt", *scan, "--glob", "--decision", "migrate", *who)
    a.run("decide", "copies/i000.txt", *scan, "--decision", "archive", "--class", "NONE", *who, status=2)
    a.run("decide", "no/such", *scan, "--decision", "archive", *who, status=1)
    a.run("decide", "notes/unknown.txt", *scan, "--decision", "archive", status=2)
    rows = decisions(a, "--overridden")
    assert len(rows) == 11 and rows["copies/i000.txt"]["override"]["officer"] == "R. Keeper"
    assert rows["copies/i000.txt"]["policy_decision"] == "review"
    a.run("classify", *scan, "--policy", "policy.yaml")
    assert len(decisions(a, "--overridden")) == 11, "an override survives a classification"
    assert len(decisions(a, "--differing")) == 11
    a.run("decide", "staff/p00.txt", *scan, "--withdraw", "--officer", "R. Keeper", "--reason", "a mistake")
    assert decisions(a)["staff/p00.txt"]["decision"] == "archive"

    # A sheet, edited and taken back in.
    text = a.run("decisions", *scan, "--csv")
    assert '"=cmd' not in text and "\"'=cmd" in text, "no spreadsheet may run a cell"
    sheet = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(sheet) == everything
    for row in sheet:
        if row["path"] in ("notes/unknown.txt",) or row["path_base64"]:
            row.update(decision="archive", **{"class": "HR"}, officer="S. Second", reason='says "yes", so\nbe it')
        if row["path"].startswith("'="):
            row.update(decision="destroy", officer="S. Second", reason="-1")
    with open("edited.csv", "w", newline="") as f:
        w = csv.DictWriter(f, list(sheet[0]), lineterminator="\n")
        w.writeheader()
        w.writerows(sheet)
    told = json.loads(a.run("decide", "--csv", "edited.csv", *scan, "--json"))
    assert told["items"] == 3 - 1, told  # the name that is no UTF-8 was archived as HR already
    rows = decisions(a)
    assert rows["=cmd|'x'!A1.txt"]["decision"] == "destroy" and rows["=cmd|'x'!A1.txt"]["override"]["reason"] == "-1"
    assert rows["notes/unknown.txt"]["override"]["reason"] == 'says "yes", so\nbe it'
    assert json.loads(a.run("decide", "--csv", "edited.csv", *scan, "--json"))["items"] == 0, "what holds is no news"
    for bad, why in ((b"path,decision\nnotes/unknown.txt,burn\n", "burn"), (b"a,b\n1,2\n", "path"), (b"", "empty"),
                     (b"path,decision\nx\xff,archive\n", "UTF-8"), (b'path,decision\n"x,archive\n', "quotation"),
                     (b"path,decision\nstaff/p01.txt,archive\nno/such,destroy\n", "officer")):
        write("bad.csv", bad)
        a.run("decide", "--csv", "bad.csv", *scan, status=None)
        assert a.status in (1, 2) and why in a.errors, (bad, a.status, a.errors)
    write("bad.csv", b"path,decision,officer,reason\nstaff/p01.txt,archive,A,b\nno/such,destroy,A,b\n")
    a.run("decide", "--csv", "bad.csv", *scan, status=1)
    assert decisions(a)["staff/p01.txt"]["decision"] == "migrate", "all or nothing"

    # Only what is to be archived is taken in, each item into its class.
    rows = decisions(a)
    wanted = {p for p, r in rows.items() if r["decision"] == "archive"}
    told = json.loads(a.run("ingest", "src", *scan, "--json").splitlines()[0])
    found = {r.get("path_base64") or r["path"]: r for r in lines(a, "find", "crm")}
    items = {p for p, r in found.items() if r["kind"] != "directory" or p == "staff/empty"}
    assert items == wanted, (items ^ wanted)
    for d in ("migrate", "destroy", "review"):
        assert told["left_out"][d]["items"] == sum(r["decision"] == d for r in rows.values()), (d, told)
    assert told["left_out"]["undecided"] == told["left_out"]["missing"] == 0
    for code in ("FIN", "HR"):
        got = {r.get("path_base64") or r["path"] for r in lines(a, "find", "crm", "--class", code)}
        assert {p for p in got if p in rows} == {p for p in wanted if rows[p]["class"] == code and
                                                  rows[p]["kind"] != "directory"}, code
    assert "app" not in found and "staff" in found, "a directory without anything to be archived is none of it"

    # What is new or has changed is undecided: left out, and said.
    write("src/staff/new.txt", "new\n")
    write("src/app/deep/er/new.txt", "new too\n")
    with open("src/staff/p20.txt", "a") as f:
        f.write("changed\n")
    os.unlink("src/staff/p21.txt")
    told = json.loads(a.run("ingest", "src", *scan, "--json").splitlines()[0])
    assert told["left_out"]["undecided"] == 3 and told["left_out"]["missing"] == 2, told["left_out"]
    found = {r.get("path_base64") or r["path"] for r in lines(a, "find", "crm")}
    assert not found & {"staff/new.txt", "staff/p20.txt", "staff/p21.txt", "app/deep"}

    # Re-classified: the class moves, no content does.
    a.run("scan", "src", *scan)
    a.run("classify", *scan, "--policy", "policy.yaml")
    a.run("decide", "invoices/2003/**", *scan, "--glob", "--decision", "archive", "--class", "HR", *who)
    told = json.loads(a.run("ingest", "src", *scan, "--json").splitlines()[0])
    assert told["left_out"]["undecided"] == 0 and told["read_bytes"] < 10000, told
    got = {r["path"] for r in lines(a, "find", "crm", "--class", "HR", "--path", "invoices/2003/*")}
    assert got == {p for p in decisions(a) if p.startswith("invoices/2003/")}, got
    for p in got:
        assert a.run("cat", "crm", p).encode("utf-8", "surrogateescape") == open("src/" + p, "rb").read()

    # --all; an archive file as the source.
    told = json.loads(a.run("ingest", "src", *scan, "--all", "--json").splitlines()[0])
    assert "left_out" not in told and told["files"] >= everything - 2, told
    subprocess.run(["tar", "-cf", "src.tar", "-C", "src", "."], check=True)
    b = Archive("other")
    b.run("scan", "src.tar", *scan)
    b.run("classify", *scan, "--policy", "policy.yaml")
    told = json.loads(b.run("ingest", "src.tar", *scan, "--json").splitlines()[0])
    rows = decisions(b)
    wanted = {p for p, r in rows.items() if r["decision"] == "archive" and r["kind"] != "directory"}
    found = {r.get("path_base64") or r["path"] for r in lines(b, "find", "crm") if r["kind"] != "directory"}
    assert found == wanted, found ^ wanted
    assert told["left_out"]["undecided"] == 0, told

    # The archive is whole, the acts stand in its log, and nobody sees names from outside.
    for archive in (a, b):
        archive.run("verify", "--deep")
    for folder, _, files in os.walk(a.path):
        for name in files:
            data = open(os.path.join(folder, name), "rb").read()
            for canary in (b"R. Keeper", b"asked by the owner", b"unknown.txt", b"test-retirement"):
                assert canary not in data, (name, canary)


main()

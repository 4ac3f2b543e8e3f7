#!/usr/bin/python3
"""How long records are kept, and what is due: classes, events, extensions, holds, restriction."""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI, can_mount, unmount  # noqa: E402

POLICY = """
policy: test-retention
version: {version}
calendar: {calendar}
classes:
  - id: FIN
    title: {{en: Invoices}}
    retain: {{trigger: modified, cutoff: 12-31, period: {fin}}}
    then: destroy
    approve: {{quorum: 1, roles: [records]}}
    destroy: {{grace: P6M}}
  - id: CASE
    title: {{en: Cases}}
    retain: {{trigger: "event:case-closed", period: P10Y}}
    then: destroy
    approve: {{quorum: 1, roles: [records]}}
  - id: SYS
    title: {{en: Settings}}
    retain: {{trigger: retired, period: P1Y}}
    then: destroy
    approve: {{quorum: 1, roles: [records]}}
  - id: MIN
    title: {{en: Minutes}}
    retain: {{trigger: modified, period: P5Y}}
    then: transfer
  - id: EVER
    title: {{en: Deeds}}
    retain: {{trigger: modified, period: forever}}
    then: keep
rules:
  - {{id: fin, when: {{path: "fin/**"}}, decide: archive, class: FIN}}
  - {{id: case, when: {{path: "case/**"}}, decide: archive, class: CASE}}
  - {{id: sys, when: {{path: "sys/**"}}, decide: archive, class: SYS}}
  - {{id: minutes, when: {{path: "minutes/**"}}, decide: archive, class: MIN}}
  - {{id: ever, when: {{path: "deeds/**"}}, decide: archive, class: EVER}}
  - {{id: rest, when: {{path: "**"}}, decide: archive}}
"""
FILES = ("fin/a.csv", "fin/b.csv", "case/1", "sys/conf", "minutes/m", "deeds/d", "loose", "old/name/x")
FEBRUARY = 951825600   # 2000-02-29 12:00 UTC


def write(path, text, at=FEBRUARY):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.utime(path, (at, at))


def policy(name, version=1, fin="P30Y", calendar="UTC"):
    with open(name, "w") as f:
        f.write(POLICY.format(version=version, fin=fin, calendar=calendar))
    return name


def due(a, *args):
    return {r["path"]: r for r in map(json.loads, a.run("due", *args, "--json").splitlines())}


def standings(a, *args):
    return {p: r["standing"] for p, r in due(a, *args).items()}


def act(a, command, word, *args, status=0):
    done = subprocess.run([MUNI, command, word, a.path, *args, "--keyring", a.keyring, "--key-file", a.key],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == status, (command, word, args, done.returncode, done.stdout, done.stderr)
    return done.stdout + (done.stderr if status else "")


def make(name="archive"):
    a = Archive(name)
    shutil.rmtree("source", ignore_errors=True)
    for path in FILES:
        write("source/" + path, path * 10)
    os.makedirs("source/empty", exist_ok=True)
    a.run("scan", "source", "--system", "erp")
    a.run("classify", "--system", "erp", "--policy", policy("p1.yaml"))
    a.run("ingest", "source", "--system", "erp")
    return a


def dates_and_standings(a):
    r = due(a)
    assert set(r) == set(FILES) | {"empty"}, set(r)
    fin = r["fin/a.csv"]
    assert (fin["trigger"], fin["trigger_date"], fin["cutoff"]) == ("modified", "2000-02-29", "2000-12-31"), fin
    assert (fin["until"], fin["eligible"], fin["standing"]) == ("2030-12-31", "2031-07-01", "kept"), fin
    assert fin["class"] == "FIN" and fin["versions"] == 1 and fin["bytes"] == 90 and len(fin["policy_sha256"]) == 64
    assert r["case/1"]["standing"] == "missing" and r["case/1"]["until"] is None
    assert r["loose"]["standing"] == "unclassified" and r["loose"]["class"] is None
    assert r["deeds/d"]["standing"] == "kept" and r["deeds/d"]["until"] is None
    assert r["minutes/m"]["standing"] == "review" and r["minutes/m"]["then"] == "transfer"
    assert r["empty"]["kind"] == "directory"
    for day, standing in (("2030-12-31", "kept"), ("2031-01-01", "grace"), ("2031-06-30", "grace"),
                          ("2031-07-01", "due")):
        assert due(a, "--asof", day)["fin/a.csv"]["standing"] == standing, day
    assert set(due(a, "--asof", "2031-07-01", "--standing", "due", "--class", "FIN")) == {"fin/a.csv", "fin/b.csv"}
    assert set(due(a, "--path", "fin")) == {"fin/a.csv", "fin/b.csv"}
    assert set(due(a, "--path", "*")) == {"loose", "empty"}
    a.run("due", "--system", "nothing", status=1)
    a.run("due", "--asof", "2031-02-30", status=2)
    text = a.run("due")
    assert "no date to count from (event:case-closed)" in text and "FIN" in text, text
    sheet = a.run("due", "--csv").splitlines()
    assert sheet[0].startswith("system,path,") and len(sheet) == 10, sheet


def events(a):
    a.run("event", "--system", "erp", "--event", "case-closed", "--at", "2010-05-05", "--reason", "closed")
    assert due(a)["case/1"]["until"] == "2020-05-05"
    a.run("event", "--system", "erp", "--event", "case-closed", "--at", "2012-02-29")
    assert due(a)["case/1"]["until"] == "2022-02-28" and due(a)["case/1"]["standing"] == "due"
    a.run("event", "--system", "erp", "--event", "case-closed", "--at", "2011-01-01")   # the latest counts
    assert due(a)["case/1"]["until"] == "2022-02-28"
    a.run("event", "--system", "erp", "--event", "case-closed", "--at", "2011-01-01", status=1)
    assert due(a)["sys/conf"]["standing"] == "kept"     # from the ingest, just now
    a.run("event", "--system", "erp", "--event", "system-retired", "--at", "2019-06-30")
    r = due(a)["sys/conf"]
    assert (r["trigger"], r["trigger_date"], r["until"], r["standing"]) == \
        ("retired", "2019-06-30", "2020-06-30", "due"), r
    a.run("event", "--system", "none", "--event", "x", "--at", "2019-06-30", status=1)
    a.run("event", "--system", "erp", "--event", "no/name", "--at", "2019-06-30", status=2)


def a_policy_simulated_agrees(a):
    """What `policy simulate` says of archived records by the only policy is what `due` says."""
    for day in ("2020-05-05", "2022-03-01", "2031-01-01", "2031-07-01"):
        want = {}
        for r in due(a, "--asof", day, "--system", "erp").values():
            if r["class"]:
                sums = want.setdefault(r["class"], {"due": 0, "grace": 0, "later": 0, "missing": 0, "forever": 0})
                key = {"review": "due", "due": "due", "grace": "due", "missing": "missing"}.get(r["standing"])
                sums[key or ("later" if r["until"] else "forever")] += 1
                sums["grace"] += r["standing"] == "grace"
        out = subprocess.run([MUNI, "policy", "simulate", a.path, "--system", "erp", "--policy", "p1.yaml", "--asof", day,
                              "--json", "--keyring", a.keyring, "--key-file", a.key], capture_output=True, text=True)
        rows = [json.loads(x) for x in out.stdout.splitlines()]
        got = {r["class"]: {k: r[k + "_items"] for k in next(iter(want.values()))} for r in rows if r["type"] == "due"}
        assert got == want, (day, got, want)


def holds(a):
    before = due(a)
    h1 = act(a, "hold", "add", "--case", "2 O 12/26", "--reason", "suit", "--path", "case/**").splitlines()[-1]
    h2 = act(a, "hold", "add", "--case", "audit", "--reason", "r", "--mandate", "ministry", "--class", "FIN",
             "--system", "erp", "--standing").splitlines()[-1]
    h3 = act(a, "hold", "add", "--case", "q", "--reason", "r", "--query",
             "{all: [{path: 'sys/**'}, {size: '> 1'}]}").splitlines()[-1]
    assert (h1, h2, h3) == ("H1", "H2", "H3"), (h1, h2, h3)
    r = due(a)
    assert r["case/1"]["standing"] == "held" and r["case/1"]["holds"] == ["H1"]
    assert r["case/1"]["until"] == before["case/1"]["until"]    # it pauses, and does not lengthen
    assert r["fin/b.csv"]["holds"] == ["H2"] and r["sys/conf"]["holds"] == ["H3"] and r["loose"]["holds"] == []
    rows = {h["hold"]: h for h in map(json.loads, act(a, "hold", "list", "--json").splitlines())}
    assert rows["H2"]["records"] == 2 and rows["H2"]["standing"] and rows["H1"]["records"] == 1, rows
    # What comes later: only the standing one.
    write("source/fin/new.csv", "new")
    write("source/case/2", "new")
    a.run("scan", "source", "--system", "erp")
    a.run("classify", "--system", "erp", "--policy", "p1.yaml")
    a.run("ingest", "source", "--system", "erp")
    r = due(a)
    assert r["fin/new.csv"]["holds"] == ["H2"] and r["case/2"]["holds"] == [] and r["case/1"]["versions"] == 2
    act(a, "hold", "release", "H1", "--reason", "settled")
    act(a, "hold", "release", "2", "--reason", "over")
    act(a, "hold", "release", "H2", "--reason", "again", status=1)
    act(a, "hold", "release", "H9", "--reason", "none", status=1)
    act(a, "hold", "release", "H3", "--reason", "over")
    assert due(a)["case/1"]["standing"] == "due" and not act(a, "hold", "list", "--json")
    assert len(act(a, "hold", "list", "--all", "--json").splitlines()) == 3
    act(a, "hold", "add", "--case", "x", "--reason", "y", "--class", "NONE", status=1)
    act(a, "hold", "add", "--case", "x", "--reason", "y", "--query", "{size: nonsense}", status=2)
    act(a, "hold", "add", "--reason", "y", status=2)


def a_renamed_folder_stays_held(a):
    act(a, "hold", "add", "--case", "r", "--reason", "r", "--path", "old/**")
    os.rename("source/old", "source/young")
    a.run("scan", "source", "--system", "erp")
    a.run("classify", "--system", "erp", "--policy", "p1.yaml")
    a.run("ingest", "source", "--system", "erp")
    r = due(a)
    assert r["young/name/x"]["holds"] == ["H4"] and r["young/name/x"]["versions"] == 3, r["young/name/x"]
    act(a, "hold", "release", "H4", "--reason", "over")


def longest_wins(a):
    a.run("classify", "--system", "erp", "--policy", policy("p2.yaml", 2, "P5Y"))
    assert due(a)["fin/a.csv"]["until"] == "2030-12-31"      # shortening needs approvals
    a.run("classify", "--system", "erp", "--policy", policy("p3.yaml", 3, "P40Y"))
    assert due(a)["fin/a.csv"]["until"] == "2040-12-31"      # lengthening does not
    # An officer moves a path to another class: both count.
    a.run("decide", "case/1", "--system", "erp", "--decision", "archive", "--class", "FIN", "--officer", "O",
          "--reason", "r")
    r = due(a)["case/1"]
    assert r["until"] == "2040-12-31" and sorted(r["classes"]) == ["CASE", "FIN"], r
    x = act(a, "retain", "extend", "--until", "2050-01-01", "--reason", "board", "--path", "sys/**")
    assert x == "X1\n"
    r = due(a)["sys/conf"]
    assert r["until"] == "2050-01-01" and r["extended"] and r["standing"] == "kept", r
    act(a, "retain", "extend", "--until", "2001-01-01", "--reason", "no", "--path", "fin/**")
    assert due(a)["fin/a.csv"]["until"] == "2040-12-31" and not due(a)["fin/a.csv"]["extended"]
    assert len(act(a, "retain", "list", "--json").splitlines()) == 3


def restriction(a):
    if can_mount():
        a.mount()
        assert os.path.exists("mnt/erp/latest/fin/a.csv")
    act(a, "retain", "restrict", "--reason", "article 18", "--path", "fin/a.csv")
    r = due(a)["fin/a.csv"]
    assert r["restricted"] and r["class"] == "FIN" and r["until"] == "2040-12-31"
    if can_mount():     # the open mount hears of it
        end = time.monotonic() + 20
        while os.path.exists("mnt/erp/latest/fin/a.csv") and time.monotonic() < end:
            time.sleep(0.05)
        assert not os.path.exists("mnt/erp/latest/fin/a.csv") and os.path.exists("mnt/erp/latest/fin/b.csv")
        unmount()
    # The same file taken in again stays barred; another one under its name is another record.
    a.run("ingest", "source", "--system", "erp")
    rows = [json.loads(x) for x in a.run("due", "--json", "--path", "fin/a.csv").splitlines()]
    assert len(rows) == 1 and rows[0]["restricted"] and rows[0]["versions"] == 4, rows
    assert "barred" in act(a, "retain", "list")
    act(a, "retain", "lift", "--reason", "over", "--path", "fin/a.csv")
    assert not due(a)["fin/a.csv"]["restricted"]
    act(a, "retain", "restrict", "--reason", "x", "--path", "nothing", status=1)
    act(a, "retain", "restrict", "--path", "fin/a.csv", status=2)


def names_of_one_file_in_several_classes(a):
    """Each class counts for each name, and for a directory that was archived empty."""
    write("links/fin/x", "shared")
    os.makedirs("links/deeds/empty")
    os.makedirs("links/case", exist_ok=True)
    os.link("links/fin/x", "links/case/x")
    a.run("scan", "links", "--system", "links")
    a.run("classify", "--system", "links", "--policy", "p1.yaml")
    a.run("ingest", "links", "--system", "links")
    a.run("ingest", "links", "--system", "links")
    r = due(a, "--system", "links")
    for name in "fin/x", "case/x":
        assert sorted(r[name]["classes"]) == ["CASE", "FIN"] and r[name]["standing"] == "missing", r
    # Classes at ingest outlive a classification that no longer gives them.
    with open("bare.yaml", "w") as f:
        f.write("policy: bare\nversion: 1\ncalendar: UTC\nrules:\n  - {id: all, when: {path: '**'}, decide: archive}\n")
    a.run("classify", "--system", "links", "--policy", "bare.yaml")
    r = due(a, "--system", "links")
    assert sorted(r["fin/x"]["classes"]) == sorted(r["case/x"]["classes"]) == ["CASE", "FIN"], r
    assert r["deeds/empty"]["classes"] == ["EVER"] and r["deeds/empty"]["kind"] == "directory", r
    with open("bare.tar", "wb") as f:
        subprocess.run(["tar", "-C", "links", "-cf", "-", "."], check=True, stdout=f)
    a.run("scan", "bare.tar", "--system", "tarred")
    a.run("classify", "--system", "tarred", "--policy", "p1.yaml")
    a.run("ingest", "bare.tar", "--system", "tarred")
    a.run("classify", "--system", "tarred", "--policy", "bare.yaml")
    r = due(a, "--system", "tarred")
    assert sorted(r["fin/x"]["classes"]) == sorted(r["case/x"]["classes"]) == ["CASE", "FIN"], r
    assert r["deeds/empty"]["classes"] == ["EVER"], r


def main():
    a = make()
    names_of_one_file_in_several_classes(a)
    a = make("second")
    dates_and_standings(a)
    events(a)
    a_policy_simulated_agrees(a)
    holds(a)
    a_renamed_folder_stays_held(a)
    longest_wins(a)
    restriction(a)
    a.run("verify")


main()

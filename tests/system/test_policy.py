#!/usr/bin/python3
"""muni policy: check, explain, simulate, diff, on the retired HR system and the shipped schedules."""
import csv
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI, SUPPORT  # noqa: E402

RULES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(SUPPORT))), "policy", "rules")
HR = os.path.join(RULES, "hr-payroll.yaml")
IT = os.path.join(RULES, "it-retirement.yaml")

BROKEN = """policy: broken
version: 1
calendar: UTC
classes:
  - id: FIN
    title: {en: Vouchers, zh: 凭证}
    mandate: {instrument: 会计档案管理办法, clause: 附表一 会计凭证, jurisdiction: CN}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records]}
  - id: UNUSED
    title: {en: Nothing}
    retain: {trigger: modified, period: P5Y}
    then: keep
rules:
  - {id: all, when: {path: "**"}, decide: archive, class: FIN}
  - {id: late, when: {path: "tmp/**"}, decide: destroy, class: FIN}
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def muni(*args, status=0, archive=None, env=None):
    keys = ["--keyring", archive.keyring, "--key-file", archive.key] if archive else []
    done = subprocess.run([MUNI, *args, *keys], capture_output=True, env={**os.environ, **(env or {})}, timeout=120)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, f"{args}: exit {done.returncode}, wanted {status}\n{out}{err}"
    return out, err


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def a_check_names_file_line_and_what_to_do():
    broken = write("broken.yaml", BROKEN)
    out, err = muni("policy", "check", broken, status=1)
    assert "broken.yaml:5: error: classes[1] (FIN): its period P5Y is shorter than the P30Y" in out, out
    assert "broken.yaml:11: warning: classes[2] (UNUSED): no rule decides for this class" in out, out
    assert "broken.yaml:17: error: rules[2] (late): it can never decide" in out, out
    assert "2 errors, 1 warning" in out and "1 of 1 policy" in err, out + err
    found = rows(muni("policy", "check", broken, "--json", status=1)[0])
    assert [(r["line"], r["level"]) for r in found] == [(5, "error"), (11, "warning"), (17, "error")], found
    assert all(r["type"] == "lint" and r["file"] == "broken.yaml" for r in found)


def a_check_goes_on_to_the_next_file():
    good = sorted(glob.glob(os.path.join(RULES, "*.yaml")))
    assert len(good) == 5
    wrong = write("wrong.yaml", "policy: x\nversion: 1\ncalendar: UTC\nrules:\n  - id: r\n    when: {pth: a}\n    decide: review\n")
    out, err = muni("policy", "check", wrong, *good, status=1)
    assert out.startswith("wrong.yaml:6: error: rules[1].when.pth: "), out
    assert 'did you mean "path"' in out and "expected" in out
    assert "1 of 6 policies" in err, err
    row = rows(muni("policy", "check", wrong, "--json", status=1)[0])[0]
    assert (row["line"], row["level"]) == (6, "error") and row["text"].startswith("rules[1].when.pth: ")
    out, _ = muni("policy", "check", *good)
    assert "error" not in out.replace("0 errors", "") and "warning" not in out.replace("0 warnings", ""), out
    muni("policy", "check", "nowhere.yaml", status=1)


def wrong_words_are_told(a):
    muni("policy", status=2)
    muni("policy", "check", status=2)
    muni("policy", "chek", HR, status=2)
    muni("policy", "check", HR, "--system", "hr", status=2)
    muni("policy", "simulate", a.path, "--policy", HR, status=2, archive=a)
    muni("policy", "simulate", a.path, "--system", "hr", status=2, archive=a)
    muni("policy", "explain", a.path, "--system", "hr", status=2, archive=a)
    muni("policy", "diff", HR, IT, "--summary", status=2)
    _, err = muni("policy", "simulate", a.path, "--system", "hr", "--policy", HR, "--asof", "31.12.2043", status=2, archive=a)
    assert "2031-12-31" in err, err
    _, err = muni("policy", "simulate", a.path, "--system", "nobody", "--policy", HR, status=1, archive=a)
    assert "muni scan" in err, err


def simulating_is_what_classifying_does(a):
    before = muni("policy", "simulate", a.path, "--system", "hr", "--policy", HR, "--json", archive=a)[0]
    muni("decisions", a.path, "--system", "hr", status=1, archive=a)     # simulating wrote none
    done = muni("classify", a.path, "--system", "hr", "--policy", HR, "--json", archive=a)[0]
    one, other = rows(before)[0], rows(done)[0]
    assert one["decisions"] == other["decisions"] and one["classes"] == other["classes"], (before, done)
    return rows(before)


def what_the_check_refuses_decides_nothing(a):
    broken = write("broken.yaml", BROKEN)
    before = muni("decisions", a.path, "--system", "hr", archive=a)[0]
    _, err = muni("classify", a.path, "--system", "hr", "--policy", broken, status=2, archive=a)
    assert "broken.yaml:5: classes[1] (FIN): its period P5Y is shorter" in err and "(and 1 more)" in err, err
    assert "muni policy check broken.yaml" in err, err
    _, err = muni("ingest", a.path, "hr", "--system", "hr", "--policy", broken, status=2, archive=a)
    assert "broken.yaml:5: " in err, err
    assert muni("decisions", a.path, "--system", "hr", archive=a)[0] == before
    muni("log", a.path, "hr", status=1, archive=a)  # no version came of it


def little_is_left_to_review(simulated):
    text = json.dumps(simulated[0])
    review = [c for c in simulated[0]["classes"] if c["decision"] == "review"]
    assert sum(c["items"] for c in review) <= 3, text
    assert sum(c["items"] for c in simulated[0]["classes"]) > 300, text


def what_is_due_follows_the_calendar(a):
    def due(day):
        out = rows(muni("policy", "simulate", a.path, "--system", "hr", "--policy", HR, "--asof", day, "--json", archive=a)[0])
        return {r["class"]: r for r in out if r["type"] == "due"}

    # Payroll of 2011, 2012 ...: thirty years from the end of its year.
    at = due("2041-12-31")["HR-PAYROLL"]
    assert at["due_items"] == 0 and at["next"] == "2042-01-01", at
    at = due("2042-01-01")["HR-PAYROLL"]
    assert at["due_items"] == 12 and at["next"] == "2043-01-01", at
    assert due("2043-01-01")["HR-PAYROLL"]["due_items"] == 24
    # No event yet: kept, and told.
    at = due("2099-01-01")["HR-CONTRACT"]
    assert at["missing_items"] == 120 and at["due_items"] == 0 and at["next"] is None, at
    assert at["trigger"] == "event:employment-ended" and at["period"] == "P10Y"


def an_explanation_goes_step_by_step(a):
    out, _ = muni("policy", "explain", a.path, "etc/hr.conf", "--system", "hr", archive=a)
    assert "yes  rule secrets (decides): review" in out and "it has 1 of password" in out, out
    assert "Tr0ub4dor" not in out
    assert "review, restricted" in out
    steps = rows(muni("policy", "explain", a.path, "./db/hr.sqlite", "--system", "hr", "--policy", IT, "--json", archive=a)[0])
    assert steps[-1]["type"] == "verdict" and steps[-1]["rule"] == "databases" and steps[-1]["decision"] == "archive", steps[-1]
    assert sum(s["decides"] for s in steps[:-1]) == 1
    assert [s["rule"] for s in steps if s["type"] == "step" and s["depth"] == 0].index("secrets") == 0
    # An item of the middle, the first and the last by path are all found.
    items = [r["path"] for r in rows(muni("inventory", a.path, "--system", "hr", "--json", archive=a)[0]) if r["type"] == "item"]
    for path in (items[0], items[len(items) // 2], items[-1]):
        out = rows(muni("policy", "explain", a.path, path, "--system", "hr", "--json", archive=a)[0])
        assert out[-1]["path"] == path
    _, err = muni("policy", "explain", a.path, "payroll", "--system", "hr", status=1, archive=a)
    assert "not in the inventory" in err, err


def an_override_is_told(a):
    muni("decide", a.path, "--system", "hr", "--decision", "archive", "--class", "HR-SYSTEM", "--officer", "Chen",
         "--reason", "it is needed", "etc/hr.conf", archive=a)
    out, _ = muni("policy", "explain", a.path, "etc/hr.conf", "--system", "hr", archive=a)
    assert "An officer decided otherwise: archive, class HR-SYSTEM (Chen," in out, out


def a_difference_is_told_in_files_and_bytes(a):
    with open(HR, encoding="utf-8") as f:
        text = f.read()
    new = write("new.yaml", text.replace("version: 1", "version: 2").replace("period: P30Y", "period: P40Y")
                .replace("    decide: migrate\n", "    decide: archive\n").replace("  - id: copies", "  - id: doubles"))
    out, _ = muni("policy", "diff", a.path, HR, new, "--system", "hr", archive=a)
    assert "migrate HR-FILE" in out and "archive HR-FILE" in out and "office/花名册.xlsx" in out, out
    found = rows(muni("policy", "diff", a.path, HR, new, "--system", "hr", "--json", archive=a)[0])
    change = [r for r in found if r["type"] == "change"]
    assert len(change) == 1 and change[0]["path"] == "office/花名册.xlsx", found
    assert (change[0]["from"], change[0]["to"], change[0]["to_rule"]) == ("migrate", "archive", "roster")
    total = [r for r in found if r["type"] == "change_sum"]
    assert len(total) == 1 and total[0]["items"] == 1 and total[0]["bytes"] == change[0]["size"], found
    same = [r for r in found if r["type"] == "unchanged"]
    assert same[0]["items"] > 300
    found = rows(muni("policy", "diff", a.path, HR, new, "--system", "hr", "--json", "--summary", archive=a)[0])
    assert not any(r["type"] == "change" for r in found)

    told, _ = muni("policy", "diff", HR, new)
    assert "policy: version: 1 -> 2" in told
    assert "class HR-PAYROLL: retain: P30Y from modified, cutoff 12-31 -> P40Y from modified, cutoff 12-31" in told, told
    assert "rule copies: gone" in told and "rule doubles: new" in told and "rule roster: decide: migrate -> archive" in told, told
    assert muni("policy", "diff", HR, HR)[0] == "no difference in policy, classes or rules\n"
    assert muni("policy", "diff", HR, HR, "--json")[0] == ""


def what_is_wrong_in_a_sheet_is_told_by_its_row():
    path = os.path.join(RULES, "personal-data.yaml")
    sheet = list(csv.DictReader(muni("policy", "classes", path, "--csv")[0].splitlines()))
    assert len(sheet) == 7 and sheet[1]["id"] == "PD-MARKETING"
    sheet[1]["period"] = "1 year"
    with open("edited.csv", "w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, sheet[0].keys())
        out.writeheader()
        out.writerows(sheet)
    out, err = muni("policy", "import", path, "edited.csv", status=2)
    assert out == "" and 'edited.csv:3: classes[2].retain.period: "1 year" is no period' in err, err


def the_zone_of_the_machine_changes_nothing(a):
    one, other = (muni("policy", "simulate", a.path, "--system", "hr", "--policy", HR, "--asof", "2043-01-01", "--json",
                       archive=a, env={"TZ": zone, "LC_ALL": "C"})[0] for zone in ("America/New_York", "Pacific/Auckland"))
    assert one == other


def every_field_and_recogniser_is_documented():
    top = os.path.dirname(os.path.dirname(RULES))
    read = lambda *path: open(os.path.join(top, *path), encoding="utf-8").read()  # noqa: E731
    sources = "".join(read("policy", name) for name in os.listdir(os.path.join(top, "policy")) if name.startswith("load"))
    fields = set(re.findall(r'\{ "([a-z-]+)", (?:true|false), ', sources))
    assert len(fields) > 60, sorted(fields)
    manual, page = read("docs", "man", "muni-policy.5").replace("\\-", "-"), read("docs", "policy.md")
    for field in sorted(fields):
        assert re.search(rf"\b{field}\b", manual), f"muni-policy(5) does not name {field}"
        assert re.search(rf"\b{field}\b", page), f"docs/policy.md does not name {field}"
    folder = os.path.join(top, "policy", "detect")
    ids = set(re.findall(r'\.id = "([a-z0-9-]+)"', "".join(read("policy", "detect", n) for n in os.listdir(folder))))
    assert len(ids) > 40, sorted(ids)
    for one in sorted(ids):
        assert re.search(rf"(?<![a-z-]){one}(?![a-z-])", manual), f"muni-policy(5) does not name the recogniser {one}"


every_field_and_recogniser_is_documented()
a_check_names_file_line_and_what_to_do()
a_check_goes_on_to_the_next_file()
what_is_wrong_in_a_sheet_is_told_by_its_row()
subprocess.run([os.path.join(SUPPORT, "hrsystem.py"), "hr", "--state", "2"], check=True)
a = Archive()
a.run("scan", "hr", "--system", "hr")
wrong_words_are_told(a)
little_is_left_to_review(simulating_is_what_classifying_does(a))
what_the_check_refuses_decides_nothing(a)
what_is_due_follows_the_calendar(a)
an_explanation_goes_step_by_step(a)
an_override_is_told(a)
a_difference_is_told_in_files_and_bytes(a)
the_zone_of_the_machine_changes_nothing(a)

#!/usr/bin/python3
"""Days on which records may go, against Python's calendar and its time zones: many classes, odd offsets."""
import calendar
import json
import os
import random
import sys
from datetime import date, datetime, timedelta, timezone

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, skip  # noqa: E402

try:
    from zoneinfo import ZoneInfo
    ZONES = {z: ZoneInfo(z) for z in (
        "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns",
        "Africa/Monrovia", "Europe/Amsterdam", "Asia/Shanghai", "Pacific/Kiritimati")}
except Exception as why:  # no tz database
    skip(f"no time zones here: {why}")

PERIODS = [(1, 0, 0), (30, 0, 0), (0, 1, 0), (0, 6, 0), (0, 0, 10), (0, 0, 14), (10, 3, 7), (3, 0, 0), (100, 0, 0)]
CUTOFFS = [None, (12, 31), (2, 29), (3, 31)]
GRACES = [(0, 0, 0), (0, 6, 0), (0, 0, 30)]


def clamped(year, month, day):
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def add(d, period):
    years, months, days = period
    month = d.month - 1 + months + 12 * years
    return clamped(d.year + month // 12, month % 12 + 1, d.day) + timedelta(days)


def cut(d, cutoff):
    if cutoff is None:
        return d
    this = clamped(d.year, *cutoff)
    return this if this >= d else clamped(d.year + 1, *cutoff)


def words(period):
    text = "P" + "".join(f"{n}{c}" for n, c in zip(period, "YMD") if n)
    return text if len(text) > 1 else "P0D"


def main():
    seeded = random.Random(1900)
    a = Archive()
    classes = [(p, c, g) for p in PERIODS for c in CUTOFFS for g in GRACES]
    odd = [-1, 0, 1, 951825600, 951868799, 951868800, 1325203199, 1325203200, 1325239200, 1325325600, -2524521600]
    checked = 0
    for number, (zone, info) in enumerate(sorted(ZONES.items())):
        source = f"s{number}"
        with open(f"{source}.yaml", "w") as f:
            f.write(f"policy: {source}\nversion: 1\ncalendar: {zone}\nclasses:\n")
            for i, (p, c, g) in enumerate(classes):
                cutoff = f"cutoff: '{c[0]:02}-{c[1]:02}', " if c else ""
                grace = f", destroy: {{grace: {words(g)}}}" if any(g) else ""
                f.write(f"  - {{id: {source}-{i}, title: {{en: C}}, retain: {{trigger: modified, {cutoff}"
                        f"period: {words(p)}}}, then: destroy, approve: {{quorum: 1}}{grace}}}\n")
            f.write("rules:\n")
            for i in range(len(classes)):
                f.write(f"  - {{id: r{i}, when: {{path: '{i}/**'}}, decide: archive, class: {source}-{i}}}\n")
        want = {}
        for i, (p, c, g) in enumerate(classes):
            os.makedirs(f"{source}/{i}")
            for k in range(3):
                at = seeded.choice(odd) if k == 0 else seeded.randrange(-2208988800, 4102444800)
                path = f"{i}/{k}"
                with open(f"{source}/{path}", "w") as f:
                    f.write(path)
                os.utime(f"{source}/{path}", (at, at))
                if int(os.stat(f"{source}/{path}").st_mtime) != at:
                    continue        # this file system does not keep such a time
                day = (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=at)).astimezone(info).date()
                until = add(cut(day, c), p)
                want[path] = (str(day), str(cut(day, c)), str(until), str(add(until, g) + timedelta(1)))
        a.run("scan", source, "--system", source)
        a.run("classify", "--system", source, "--policy", f"{source}.yaml")
        a.run("ingest", source, "--system", source)
        rows = [json.loads(x) for x in a.run("due", "--system", source, "--json").splitlines()]
        assert len(rows) == 3 * len(classes)
        for r in rows:
            if r["path"] in want:
                got = r["trigger_date"], r["cutoff"], r["until"], r["eligible"]
                assert got == want[r["path"]], (zone, r, want[r["path"]])
                checked += 1
        # The day itself: the last of keeping, of grace, the first on which it may go.
        for r in seeded.sample(rows, 4):
            for shift, due in ((-1, False), (0, True)):
                day = date.fromisoformat(r["eligible"]) + timedelta(shift)
                now = json.loads(a.run("due", "--system", source, "--path", r["path"], "--asof", str(day), "--json"))
                assert (now["standing"] == "due") == due, (zone, day, now)
    assert checked > 1000, checked


main()

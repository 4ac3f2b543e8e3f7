#!/usr/bin/python3
"""The recognisers through `muni scan` and `muni inventory`: files of many formats with
values of one kind each, near misses among them; counted, not only seen.

    evaluate_files.py [--count VALUES] [--seed N]

BUILD names the folder of the build.  It works in a folder of its own and informs only."""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import files                            # noqa: E402
from kinds import KINDS                 # noqa: E402


def value(r, name):
    made = (KINDS[name].cell or KINDS[name].make)(r)
    return made if not isinstance(made, tuple) else None


def rows(r, name, count):
    """Values, near misses among them, and how many are valid."""
    good = [v for v in (value(r, name) for _ in range(count)) if v]
    bad = [KINDS[name].miss(r)[1] for _ in range(count // 4)] if not KINDS[name].cell else \
        [r.choice(["", "null", "********", "${SECRET}", "<hidden>", "changeme"]) for _ in range(count // 4)]
    both = [v.replace("\n", " ") for v in good + bad]
    r.shuffle(both)
    return both, len(good)


def write(r, name, folder, count, wanted):
    kind = KINDS[name]
    key, word = (r.choice(kind.keys), r.choice(kind.words)) if kind.words else \
        (r.choice(kind.keys or ["value"]), "value")
    for form, (make, takes) in files.FORMATS.items():
        if takes == "word" and kind.cell:
            continue    # a document would not say it so
        values, good = rows(r, name, count)
        path = "%s.%s" % (name, form)
        with open(os.path.join(folder, path), "wb") as f:
            f.write(make(r, key if takes == "key" else word, values))
        wanted[path] = (name, good)
    values, good = rows(r, name, count)
    files.as_sqlite(r, key, values, os.path.join(folder, name + ".db"))
    wanted[name + ".db"] = (name, good)
    for end, encoding in files.ENCODED.items() if kind.zh else ():
        values, good = rows(r, name, count)
        path = "%s.%s" % (name, end)
        with open(os.path.join(folder, path), "wb") as f:
            f.write(files.as_chinese(r, r.choice(kind.zh), values).encode(encoding))
        wanted[path] = (name, good)


def inventory(build, folder, source):
    muni = os.path.abspath(os.path.join(build, "muni"))
    key = os.path.join(folder, "key")
    with open(key, "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    at = [os.path.join(folder, "archive"), "--keyring", os.path.join(folder, "keyring"), "--key-file", key]
    subprocess.run([muni, "init", *at], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([muni, "scan", at[0], source, "--system", "bench", *at[1:]], check=True,
                   stdout=subprocess.DEVNULL)
    out = subprocess.run([muni, "inventory", at[0], "--system", "bench", "--json", *at[1:]], check=True,
                         stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]


def evaluate(build, folder, count, seed, only=None):
    """{kind: (precision, recall, F1)}; prints where counts differ."""
    wanted = {}
    source = os.path.join(folder, "source")
    os.mkdir(source)
    for name, kind in KINDS.items():
        if kind.how == "own" and not kind.cell or only not in (None, name):
            continue
        write(random.Random("%d %s" % (seed, name)), name, source, count, wanted)
    return score(inventory(build, folder, source), wanted)


def score(items, wanted):
    good, missed, false = collections.Counter(), collections.Counter(), collections.Counter()
    for item in items:
        name, n = wanted.get(item["path"], (None, 0))
        if item.get("opaque"):
            print("opaque: %s: %s" % (item["path"], item["opaque"]))
        counts = {f["type"]: f["count"] for f in item.get("findings", [])}
        for other, count in counts.items():
            if other != name:
                false[other] += count
                print("also: %-24s %s %d" % (item["path"], other, count))
        found = counts.get(name, 0)
        good[name] += min(found, n)
        missed[name] += max(0, n - found)
        false[name] += max(0, found - n)
        if found != n:
            print("count: %-23s %d for %d" % (item["path"], found, n))
    out = {}
    for name in KINDS:
        g, m, f = good[name], missed[name], false[name]
        if g + m + f:
            p, r = g / max(g + f, 1), g / max(g + m, 1)
            out[name] = (p, r, 2 * p * r / (p + r) if p + r else 0.0)
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=40, help="valid values in each file")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", help="one kind")
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as folder:
        scores = evaluate(os.environ.get("BUILD", "build"), folder, a.count, a.seed, a.only)
    print("%-18s %9s %9s %9s" % ("recogniser", "precision", "recall", "F1"))
    for name, (p_, r_, f1) in scores.items():
        print("%-18s %9.4f %9.4f %9.4f" % (name, p_, r_, f1))


if __name__ == "__main__":
    main()

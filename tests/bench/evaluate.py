#!/usr/bin/python3
"""Precision and recall of every recogniser on made-up data with valid values, near
misses and ordinary background.  It informs: it never fails.

    evaluate.py [--count N] [--seed N] [--only ID] [--misses N]

BUILD names the folder of the build.  No whole value is printed."""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import background                       # noqa: E402
import carriers                         # noqa: E402
import contacts                         # noqa: E402
from kinds import KINDS, SECRETS        # noqa: E402

Case = collections.namedtuple("Case", "kind expected value text label why")


def place(r, name, value, is_good=True):
    """Where such a value stands: (text, label)."""
    kind = KINDS[name]
    if isinstance(value, tuple) and value[0].startswith("@"):
        key, value = value[0][1:], value[1]
        return r.choice(['%s = %s\n', '"%s": "%s",\n', "%s: %s\n", "export %s=%s\n"]) % (key, value), ""
    if kind.how == "own":
        return value, ""
    if kind.how == "code":
        return carriers.code(r, value, is_good)
    if kind.how == "both" and kind.bare(value) and r.random() < .3:
        return carriers.bare(r, value)
    return carriers.named(r, value, kind.words, kind.zh, kind.keys)


def good_case(r, name):
    kind = KINDS[name]
    made = kind.make(r)
    if kind.how == "own":
        value, text = made
        return Case(name, True, value, text, "", "valid")
    text, label = place(r, name, made)
    if name == "phone" and r.random() < .25:    # those that need their word
        made = contacts.phone(r, named=True)
        text, label = carriers.named(r, made, kind.words, kind.zh, kind.keys)
    value = made[1] if isinstance(made, tuple) else made
    return Case(name, True, value, text, label, "valid")


def near_case(r, name):
    why, value = KINDS[name].miss(r)
    text, label = place(r, name, value, False)
    return Case(name, False, value, text, label, why)


def make_cases(seed, count, only=None):
    cases = []
    for name in KINDS:
        if only and name != only:
            continue
        r = random.Random("%d %s" % (seed, name))
        cases += [good_case(r, name) for _ in range(count)]
        cases += [near_case(r, name) for _ in range(count // 2)]
    r = random.Random("%d background" % seed)
    for _ in range(0 if only else count * 4):
        why, text = background.text(r)
        cases.append(Case("background", False, "", text, "", why))
    return cases


def detect(cases, program):
    """A list of {id: (count, [samples])} for each case."""
    fed = bytearray()
    for c in cases:
        text = c.text.encode()
        fed += b"%d %s\n" % (len(text), c.label.encode()) + text
    done = subprocess.run([program], input=bytes(fed), stdout=subprocess.PIPE, check=True)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(cases), "an answer for each text"
    return [{f[0]: (f[1], [s[0] for s in f[3]]) for f in json.loads(line)} for line in lines]


def letters(text):
    return [c for c in text if c.isalnum()]


def is_echoed(name, value, sample):
    """More of it is shown than may be?"""
    shown = letters(sample.replace("...", ""))
    if name in SECRETS and name not in ("password", "high-entropy"):
        return len(shown) > 12 or len(value) > 16 and sample.strip("*.-") not in value[:len(sample)]
    if name in SECRETS:
        return bool(shown)
    return value in sample or len(shown) * 4 > max(len(letters(value)), 8) + 4


class Score:
    def __init__(self):
        self.good = self.missed = self.false = self.echoed = 0
        self.instead = collections.Counter()
        self.lost = collections.Counter()
        self.wrong = collections.Counter()

    def precision(self):
        return self.good / (self.good + self.false) if self.good + self.false else 1.0

    def recall(self):
        return self.good / (self.good + self.missed) if self.good + self.missed else 1.0

    def f1(self):
        p, r = self.precision(), self.recall()
        return 2 * p * r / (p + r) if p + r else 0.0


def shape(text):
    """A text without its values: enough to see what kind of place it is."""
    out = "".join("9" if c.isdigit() else "x" if c.isascii() and c.islower() else
                  "X" if c.isascii() and c.isupper() else c for c in text[:70])
    return out.replace("\n", "\\n")


def score(cases, found):
    scores = {name: Score() for name in KINDS}
    for c, f in zip(cases, found):
        for name, (count, samples) in f.items():
            wanted = c.expected and name == c.kind
            extra = count - 1 if wanted else count
            if extra:
                scores[name].false += extra
                scores[name].wrong[(c.kind, c.why, shape(c.text))] += extra
            for s in samples:
                if wanted and is_echoed(name, c.value, s):
                    scores[name].echoed += 1
        if c.expected and c.kind in f:
            scores[c.kind].good += 1
        elif c.expected:
            scores[c.kind].missed += 1
            scores[c.kind].instead.update(f.keys() or ["nothing"])
            scores[c.kind].lost[(c.label and "label", shape(c.text))] += 1
    return scores


def print_table(scores, misses):
    print("%-18s %9s %9s %9s %7s %6s  %s" % ("recogniser", "precision", "recall", "F1", "missed", "false",
                                            "reported instead"))
    for name, s in scores.items():
        if s.good + s.missed + s.false == 0:
            continue
        instead = ", ".join("%s %d" % (k, n) for k, n in s.instead.most_common(3))
        print("%-18s %9.4f %9.4f %9.4f %7d %6d  %s%s" % (
            name, s.precision(), s.recall(), s.f1(), s.missed, s.false, instead,
            "  ECHOED %d" % s.echoed if s.echoed else ""))
    for name, s in scores.items():
        for (label, text), n in s.lost.most_common(misses):
            print("missed %-16s %5d  %s%s" % (name, n, text, " (%s)" % label if label else ""))
        for (kind, why, text), n in s.wrong.most_common(misses):
            print("false  %-16s %5d  %s, %s: %s" % (name, n, kind, why, text))


def others(cases):
    """Gitleaks on the same texts, where it is on PATH: which texts with a secret it finds."""
    program = shutil.which("gitleaks")
    if not program:
        return
    hit = collections.Counter()
    wanted = collections.Counter(c.kind for c in cases if c.expected and c.kind in SECRETS)
    for c in cases:
        if not c.expected or c.kind not in SECRETS:
            continue
        done = subprocess.run([program, "stdin", "--no-banner", "--exit-code", "7", "--redact"],
                              input=c.text.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        hit[c.kind] += done.returncode == 7
    for name, n in wanted.items():
        print("gitleaks recall %-16s %.4f" % (name, hit[name] / n))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=2000, help="valid values of each kind")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", help="one kind")
    p.add_argument("--misses", type=int, default=3, help="shapes of misses that are listed")
    a = p.parse_args()
    program = os.path.join(os.environ.get("BUILD", "build"), "bench", "detect_text")
    cases = make_cases(a.seed, a.count, a.only)
    scores = score(cases, detect(cases, program))
    print_table(scores, a.misses)
    others(cases[:])


if __name__ == "__main__":
    main()

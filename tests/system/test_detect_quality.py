#!/usr/bin/python3
"""The recognisers on made-up data of a seed: F1 of 0.98 where a check digit decides, of
0.95 elsewhere, in texts and through `muni scan` in files of many formats; nothing of a
secret is shown."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))

import evaluate          # noqa: E402
import evaluate_files    # noqa: E402
from kinds import KINDS  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
COUNT, SEED = 200, 20261122


def least(name):
    return 0.98 if KINDS[name].checked else 0.95


def check(what, name, f1):
    if f1 < least(name):
        print("%s: %s has an F1 of %.4f, less than %.2f" % (what, name, f1, least(name)))
        return 1
    return 0


cases = evaluate.make_cases(SEED, COUNT)
scores = evaluate.score(cases, evaluate.detect(cases, os.path.join(BUILD, "bench", "detect_text")))
failed = 0
for name, s in scores.items():
    failed += check("texts", name, s.f1())
    if s.echoed:
        print("%s: %d samples show more than they may" % (name, s.echoed))
        failed += 1
with tempfile.TemporaryDirectory() as folder:
    for name, (_, _, f1) in evaluate_files.evaluate(BUILD, folder, 12, SEED).items():
        failed += check("files", name, f1)
if failed:
    evaluate.print_table(scores, 2)
sys.exit(1 if failed else 0)

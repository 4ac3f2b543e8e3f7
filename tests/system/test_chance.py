#!/usr/bin/python3
"""A life by chance: ingests, holds, dispositions, renewals of keys, damage, backups and restorings as a seed has it, some of
them killed or refused by their disk, held against a model (tests/support/chance.py).  Two short lives; with MUNIMENT_FULL=1
forty long ones."""
import os
import subprocess
import sys

SUPPORT = os.environ.get("SUPPORT", "tests/support")
SEED = int(os.environ.get("MUNIMENT_SEED", "20261122"))
IS_FULL = os.environ.get("MUNIMENT_FULL") == "1"
LIVES, STEPS = (40, 150) if IS_FULL else (2, 30)

for number in range(LIVES):
    folder = f"life{number}"
    os.mkdir(folder)
    env = {**os.environ, "CHANCE_SEED": str(SEED + number), "CHANCE_STEPS": str(STEPS)}
    done = subprocess.run([sys.executable, os.path.abspath(os.path.join(SUPPORT, "chance.py"))], cwd=folder, env=env, check=False)
    if done.returncode:
        sys.exit(done.returncode)

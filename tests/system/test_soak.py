#!/usr/bin/python3
"""Readers, ingests, destructions, verifications, exports, rotations and mounts at once: the short form of `make soak`
(tests/support/soak.py), a quarter of a minute unless SOAK_TIME says otherwise."""
import os
import sys

os.environ.setdefault("SOAK_TIME", "15")
sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import soak  # noqa: E402

sys.exit(soak.main())

#!/usr/bin/python3
"""Every operation, at every place where a call of its can fail, and on disks that forget: fault_sweep.py says what must
hold.  A seeded sample of some operations in `make check`; all of it with MUNIMENT_FULL=1 (`make check-fault`)."""
import os
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import BUILD, SUPPORT, skip  # noqa: E402

try:
    import reader  # noqa: F401
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
if not os.path.exists(os.path.join(BUILD, "support", "inject.so")):
    skip("there is no preloaded library that fails on order")
if "/san" in BUILD or "/tsan" in BUILD:
    skip("a sanitizer has a heap of its own")

words = [sys.executable, os.path.join(SUPPORT, "fault_sweep.py")]
if os.environ.get("MUNIMENT_FULL") == "1":
    skip("make check-fault runs it by itself, with its progress")
else:
    words += ["--only", "ingest-second,hold-add,key-rotate,verify,log", "--many", "70"]
sys.stdout.flush()
os.execv(sys.executable, words)

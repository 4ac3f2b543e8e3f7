#!/usr/bin/python3
"""Every operation, at every place where a call of its can fail, and on disks that forget: fault_sweep.py says what must
hold.  A seeded sample of some operations in `make check`, and where a want of memory was once told as something else; all
of it in `make check-fault`."""
import os
import subprocess
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
if os.environ.get("MUNIMENT_FULL") == "1":
    skip("make check-fault runs it by itself, with its progress")

MEMORY = ("--kinds", "alloc", "--hows", "ENOMEM")
LASTING = ("--kinds", "alloc", "--hows", "ENOMEM+")
RUNS = (
    ("--only", "ingest-second,hold-add,key-rotate,verify,log,cert-verify,restore", "--many", "60"),
    # Documents that nobody told to be cut short: forged, altered, damaged.
    (*MEMORY, "--only", "cert-verify,verify", "--at", "json_memory,quorum_missing", "--many", "45"),
    # A name that was not found is not shown as if there were none; a packing that could not be opened is not damaged.
    (*MEMORY, "--only", "find,ls", "--at", "print_name,name_of", "--many", "12"),
    (*MEMORY, "--only", "ingest-tar", "--at", "source_begin", "--many", "12"),
    # Names that were not looked up are not nobody's; a walk that failed is no whole scan; a set that was not sorted is in no
    # signature; a signature that was not copied is no damaged row.
    (*MEMORY, "--only", "scan,ingest-second,dispose-list", "--at", "ask_user,sign_detached,signature_from_row", "--many", "12"),
    # A path that was not shown is no question mark with exit 0; nor is a certificate forged that was not written again.
    (*MEMORY, "--only", "diff,ls,ls-long,stat", "--at", "print_line,short_row,long_row,name_of", "--many", "40"),
    (*MEMORY, "--only", "cert-verify", "--at", "check_rewritten", "--many", "6"),
    # An init takes all back though no memory is left; a reader that dies before it reads tells nothing of what it would read.
    (*LASTING, "--only", "init", "--at", "catalogue_create,climb", "--many", "6"),
    (*LASTING, "--only", "ingest-tar", "--at", "child_prepare", "--many", "12"),
    # A directory that was not claimed is not written twice; what found no memory to be printed is not left out.
    (*MEMORY, "--only", "ingest-tar,policy-simulate,audit-premis", "--at", "ingest_claim,decided.c,premis.c,xml.c", "--many", "12"),
)
for number, words in enumerate(RUNS):
    os.mkdir(str(number))
    done = subprocess.run([sys.executable, os.path.join(SUPPORT, "fault_sweep.py"), *words], cwd=str(number), check=False)
    if done.returncode:
        sys.exit(done.returncode)

#!/usr/bin/python3
"""`make bench` in small: without any peer it measures, says what is not there, writes its page, and leaves nothing."""
import csv
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["ROOT"], "tests", "support"))
from muniment import BUILD, can_mount, skip  # noqa: E402

BENCH = os.path.join(os.environ["ROOT"], "tests", "bench", "speed", "bench.py")
PAGE = os.path.join(os.environ["ROOT"], "docs", "performance.md")


def command(scratch, *options):
    return [BENCH, "--scale", "tiny", "--peers", "none", "--build", BUILD, "--scratch", scratch, *options]


def rows(scratch):
    with open(os.path.join(scratch, "results.tsv"), newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def nothing_is_left(scratch):
    left = set(os.listdir(scratch)) - {"results.tsv", "errors.log", "performance.md", "performance"}
    assert not left, left
    with open("/proc/self/mounts") as file:
        assert os.path.abspath(scratch) not in file.read()


def it_measures_from_end_to_end():
    done = subprocess.run(command("run", "--growth"), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {(r["corpus"], r["system"], r["measure"]): r["value"] for r in rows("run")}
    for kind in ("big", "mixed", "many"):
        for measure in ("ingest", "again", "size-data", "verify-deep", "export-tar", "first-ls"):
            assert float(found[kind, "muniment", measure]) > 0, (kind, measure)
        assert float(found[kind, "limit", "zstd-decode-all"]) > 0
    for system in ("muniment", "null", "folder"):
        assert float(found["many", system, "read-4"]) > 0
        assert float(found["big", system, "random-4k-4-p99"]) > 0
    assert float(found["versions", "muniment", "ingest-v5"]) > 0
    assert float(found["files-1000", "muniment", "first-ls"]) > 0
    assert "squashfs" not in {system for _, system, _ in found}
    with open("run/performance.md") as file:
        page = file.read()
    with open(PAGE) as file:
        kept = file.read()
    assert page.count("<!-- measured:") == kept.count("<!-- measured:") > 0
    assert page[page.index("## Destruction"):] == kept[kept.index("## Destruction"):]
    assert "| **muniment** |" in page
    assert os.path.getsize("run/performance/growth-files.svg") > 0
    assert "null FUSE" in done.stdout and " met" in done.stdout
    nothing_is_left("run")


def one_part_leaves_the_figures_of_the_others():
    before = [r for r in rows("run") if r["part"] == "ingest"]
    subprocess.run(command("run", "--only", "limits", "--add"), check=True, capture_output=True, timeout=300)
    assert [r for r in rows("run") if r["part"] == "ingest"] == before
    assert len([r for r in rows("run") if r["part"] == "limits"]) > 0


def interrupted_it_unmounts_and_removes(number):
    with subprocess.Popen(command("cut", "--rounds", "50", "--only", "tree"), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as bench:
        for line in bench.stdout:
            if " walk" in line:
                break
        time.sleep(0.3)
        bench.send_signal(number)
        bench.stdout.read()
        assert bench.wait(timeout=120) != 0
    nothing_is_left("cut")


if not can_mount():
    skip("no /dev/fuse")
if not os.access(os.path.join(BUILD, "bench", "speed", "null_fs"), os.X_OK):
    skip("the bench's tools are not built")
it_measures_from_end_to_end()
one_part_leaves_the_figures_of_the_others()
interrupted_it_unmounts_and_removes(signal.SIGINT)
interrupted_it_unmounts_and_removes(signal.SIGTERM)

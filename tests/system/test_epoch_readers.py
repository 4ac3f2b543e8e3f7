#!/usr/bin/python3
"""Who reads while the epoch is switched reads on: readers come and go beside one switch after the other, and each sees
what the archive holds."""
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, compare, tree  # noqa: E402

SWITCHES = 8
READERS = 3
tree("one", 1, files=40)
a = Archive("a")
a.run("ingest", "one", "--system", "s", "--version", "one")
with open("one/d1/f001", "rb") as f:
    wanted = f.read().decode(errors="surrogateescape")
is_over = threading.Event()
reads, problems = [0] * READERS, []


def read(number):
    mine = Archive("a", create=False)
    while not is_over.is_set() and not problems:
        try:
            if number:
                assert mine.run("cat", "s", "d1/f001") == wanted
            else:
                os.system("rm -rf back")
                mine.run("export", "s", "--to", "back", "--format", "dir")
                compare("one", "back")
            reads[number] += 1
        except AssertionError as problem:
            problems.append(problem)


threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
for t in threads:
    t.start()
try:
    for _ in range(SWITCHES):
        subprocess.run([MUNI, "key", "rotate", a.path, "--keyring", a.keyring, "--key-file", a.key], check=True,
                       capture_output=True, timeout=120)
finally:
    is_over.set()
    for t in threads:
        t.join()
if problems:
    raise problems[0]
a.run("verify", "--deep")
assert os.path.exists(f"a/catalogue.{SWITCHES + 1}")
assert all(reads), reads
print(f"{sum(reads)} reads beside {SWITCHES} switches")

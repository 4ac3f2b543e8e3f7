#!/usr/bin/python3
"""No byte of the archive folder, of the keyring or of what lies beside it shows a name, a content, an
attribute, a label or a digest of the source: at rest, while an ingest runs, and after one was killed."""
import hashlib
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, tree  # noqa: E402

CANARY = b"canary-Zx81-quetzal"
words = {what: CANARY + b"-" + what.encode()
         for what in ("name", "content", "folder", "attribute", "target", "system", "label")}
body = (words["content"] + b"\n") * 3


def needles():
    found = {"any canary": CANARY, "a canary in UTF-16": CANARY.decode().encode("utf-16-le"),
             "a canary in hex": CANARY.hex().encode()}
    digest = hashlib.sha256(body)
    found["a digest"] = digest.digest()[:16]
    found["a digest in hex"] = digest.hexdigest()[:32].encode()
    return found


def search(a, when):
    looked = 0
    beside = os.path.dirname(a.path)
    tops = [a.path] + [os.path.join(beside, n) for n in os.listdir(beside)
                       if n.startswith("archive.") and not n.endswith(".key")]
    for top in tops:
        paths = [top] if os.path.isfile(top) else [os.path.join(d, n) for d, _, ns in os.walk(top) for n in ns]
        for path in paths:
            try:
                with open(path, "rb") as f:
                    data = f.read()
            except OSError:
                continue        # gone again, or a socket
            looked += 1
            for what, needle in needles().items():
                assert needle not in data, f"{when}: {what} in {path}"
                assert needle not in os.fsencode(path), f"{when}: {what} in the name {path}"
    return looked


def start(*args):
    return subprocess.Popen([MUNI, "ingest", a.path, "src", "--system", words["system"].decode(), *args,
                             "--keyring", a.keyring, "--key-file", a.key],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


os.makedirs(b"src/" + words["folder"])
with open(b"src/" + words["folder"] + b"/" + words["name"], "wb") as f:
    f.write(body)
with open("src/random", "wb") as f:     # stored as it is, for it does not compress: the canary must still not show
    f.write(os.urandom(100000) + words["content"] + os.urandom(100000))
os.symlink(words["target"], b"src/" + words["folder"] + b"/link")
try:
    os.setxattr(b"src/" + words["folder"], b"user." + words["attribute"], words["attribute"])
except OSError as why:
    print("attributes not tried:", why)
tree("src", 5, files=300, size=60000)

a = Archive()
p = start("--version", words["label"].decode())
during = 0
while p.poll() is None:
    during += search(a, "during an ingest")
assert p.returncode == 0, p.returncode
print(f"looked into {during} files while it ran")
assert search(a, "at rest") >= 4

tree("src", 6, files=300, size=60000)
with open(b"src/" + words["name"], "wb") as f:
    f.write(body + b"more")
for turn in range(6):
    p = start()
    time.sleep(0.01 + turn * 0.015)
    p.kill()
    p.wait()
    search(a, "after a kill")
a.run("verify")

#!/usr/bin/python3
"""A mount that nobody asks anything while records are destroyed has nothing of them in its memory when the certificate is
there: no name, text, target or attribute; not in what it freed, nor in the requests that it was asked."""
import os
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import memory  # noqa: E402
from muniment import MUNIFS, can_mount, daemon_of, skip, unmount  # noqa: E402

try:
    from graves import Source, approved, keeper, take_in
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
if not can_mount():
    skip("no /dev/fuse here")
if os.geteuid() != 0 or "san/" in MUNIFS:
    skip("only root may read the memory of a process that forbids it")

s = Source("src", 76)
WORDS = {what: s.word(what) for what in ("folder", "text", "target", "attribute", "value", "name")}
PATH = f"com/{WORDS['folder']}/{WORDS['name']}"
s.file(PATH, f"{WORDS['text']}\n" * 40, xattrs={"user." + WORDS["attribute"]: WORDS["value"]})
s.link("com/link", WORDS["target"])
s.file("kep/small.txt", "kept\n" * 40)
s.file("kep/other", s.rng.randbytes(300000))

a = keeper()
take_in(a, "src", "s", "one")
d = approved(a, "--due")
a.mount()
try:
    for _ in range(3):
        at = f"mnt/s/versions/one/{PATH}"
        with open(at) as f:
            f.read()
        os.readlink("mnt/s/versions/one/com/link")
        assert "user." + WORDS["attribute"] in os.listxattr(at)
        os.getxattr(at, "user." + WORDS["attribute"])
        os.listdir(os.path.dirname(at))
    needles = {f"the {what}": word.encode() for what, word in WORDS.items()}
    pid = daemon_of(a)
    assert memory.find(pid, needles), "the search finds not even what was read just now"
    assert a.id("dispose", "execute", d, by="rita") == "C1"
    memory.none_of(pid, needles)
finally:
    unmount()

#!/usr/bin/python3
"""What was destroyed in a live source leaves nothing of its name and content in the archive that had it in its inventory:
neither in pages that nothing uses, nor in their copies, nor for an old copy of the archive with the present keyring."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip  # noqa: E402

try:
    from graves import POLICY, Source, approved, betrayals, keeper, read, secret_of, take_in
    from raw import Spoils
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

RULE = 'rules:\n  - {id: junk, when: {path: "junk/**"}, decide: destroy, class: COM, because: trivial}'
s = Source("src", 78)
WORDS = {w: s.word(w) for w in ("junk", "folder", "target")}


def main():
    for i in range(5):
        s.file(f"kep/k{i}.txt", f"kept {i}\n" * 50)
    s.file(f"junk/{WORDS['folder']}/{WORDS['junk']}.txt", f"{WORDS['junk']} someone@example.com\n" * 30)
    s.link("junk/link", WORDS["target"])
    a = keeper(policy=POLICY.replace("rules:", RULE))
    take_in(a, "src", "s", "one")   # takes in what is to be archived, and nothing else
    before = read(a)
    shutil.copytree(a.path, "old")
    shutil.copy(a.keyring, "old.keyring")
    d = approved(a, "--live", "src", "--system", "s")
    certificate = a.id("dispose", "execute", d, by="rita")
    assert not os.path.lexists(f"src/junk/{WORDS['folder']}/{WORDS['junk']}.txt")
    wanted = {f"word {k}": v.encode() for k, v in WORDS.items()}
    wanted.update(betrayals(before, read(a)))
    secrets = [(secret_of(a), False)]
    missed = set(wanted) - set(Spoils("old", "old.keyring", secrets).search(wanted))
    assert not missed, missed
    for folder in ("old", a.path):
        found = Spoils(folder, a.keyring, secrets).search(wanted)
        assert not found, json.dumps({k: v[:5] for k, v in found.items()}, indent=1)
    a.refused("state", "dispose", "execute", d, by="rita")
    a.ask("cert", "show", certificate, "--to", "c.p7m")
    a.run("verify", "--deep")
    a.ask("audit", "verify")
    for i in range(5):
        assert a.run("cat", "s", f"kep/k{i}.txt") == f"kept {i}\n" * 50


main()

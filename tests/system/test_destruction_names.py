#!/usr/bin/python3
"""Names of what was destroyed: kept, committed to or dropped, as the class says, in the certificate, its annex, the
list, the log and the catalogue; nowhere anything of the content. Words of others (a hold's path, a search that was
logged) go with what they name."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip  # noqa: E402

try:
    from graves import Source, approved, betrayals, keeper, read, secret_of, take_in
    from raw import Spoils
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

s = Source("src", 72)
WORDS = {w: s.word(w) for w in ("com", "dro", "opn", "bodycom", "bodydro", "bodyopn", "held", "sub", "found")}
KEPT = {"word opn", "path of opn"}


def fill():
    for c in ("com", "dro", "opn"):
        s.file(f"{c}/{WORDS[c]}.txt", f"{WORDS['body' + c]}, {WORDS['found']}{c}@example.com\n" * 30, {"user.x": WORDS["body" + c]})
    s.file(f"com/{WORDS['sub']}/{WORDS['held']}.txt", "held for a while\n" * 9)
    s.file("kep/k.txt", "kept\n" * 9)


def words_of_others(a):
    """Every command that takes a path and leaves something: a hold, a restriction, an override, a proof, a refusal."""
    path = f"com/{WORDS['sub']}/{WORDS['held']}.txt"
    h = a.id("hold", "add", "--case", "7", "--reason", "a case", "--path", path, "--standing")
    a.ask("hold", "release", h, "--reason", "over")
    a.ask("retain", "restrict", "--reason", "a while", "--path", path)
    a.ask("retain", "lift", "--reason", "over", "--path", path)
    a.run("decide", path, "--system", "s", "--decision", "archive", "--class", "COM", "--officer", "rita", "--reason", "so")
    a.run("export", "s", "--to", "out", "--format", "dir")
    a.run("cat", "s", path)
    a.ask("audit", "prove", "s@one", path, "--to", "some.proof")
    a.run("find", "s", "--name", f"{WORDS['held']}*", status=None)
    # Refusals say what they refuse.
    h = a.id("hold", "add", "--case", "8", "--reason", "another", "--path", path)
    a.refused("hold", "dispose", "propose", "--due", "--path", path, by="rita")
    d = approved(a, "--due", "--class", "DRO")
    a.ask("dispose", "withdraw", d, "--reason", "not yet", by="rita")
    a.ask("hold", "release", h, "--reason", "over")


def main():
    fill()
    a = keeper()
    take_in(a, "src", "s", "one")
    words_of_others(a)
    before = read(a)
    d = approved(a, "--due")
    shutil.copytree(a.path, "old")
    shutil.copy(a.keyring, "old.keyring")
    certificate = a.id("dispose", "execute", d, by="rita")
    after = read(a)
    wanted = {f"word {k}": v.encode() for k, v in WORDS.items()}
    wanted.update({f"path of {c}": f"{c}/{WORDS[c]}.txt".encode() for c in ("com", "dro", "opn")})
    wanted.update(betrayals(before, after))
    secrets = [(secret_of(a), False)]
    missed = set(wanted) - set(Spoils("old", "old.keyring", secrets).search(wanted))
    assert not missed, missed
    present = Spoils(a.path, a.keyring, secrets)
    a.ask("cert", "show", certificate, "--all", "--to", "c.p7m")
    for name in sorted(os.listdir(".")):
        if name.startswith("c."):
            with open(name, "rb") as f:
                present.texts.append((name, f.read()))
    for line in (("list", "--json"), ("list", "--csv"), ("list", "--premis"), ("list",)):
        present.texts.append((f"audit {line}", a.ask("audit", *line).encode()))
    present.texts.append(("show", a.ask("dispose", "show", d, "--json").encode()))
    found = present.search(wanted)
    assert set(found) <= KEPT, json.dumps({k: v[:6] for k, v in found.items() if k not in KEPT}, indent=1)
    # What is kept is in the annex; of what is committed to the leaf is, of what is dropped no line.
    assert any("annex" in w for w in found["word opn"]), found
    kept = [n for n in found["word opn"] if n.startswith("audit ")]
    assert not kept, kept
    a.ask("audit", "verify")
    a.run("verify", "--deep")


main()

#!/usr/bin/python3
"""After a destruction: an old copy of the archive with the present keyring and every passphrase, and the present
archive's every byte, page and block, give nothing of what went; the rest is as it was, in every version."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, can_mount, compare, skip, unmount  # noqa: E402

try:
    from graves import Source, approved, betrayals, contents, keeper, read, secret_of, take_in, tar
    from raw import Spoils
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

PASSPHRASE = "correct horse"
LABELS = ("one", "two", "three")
s = Source("src", 71)
WORDS = {w: s.word(w) for w in ("invoice", "folder", "moved", "target", "hollow", "attribute", "value", "owner", "reason",
                                "said", "later", "hard", "body", "edited", "first", "inner")}


def first_version():
    """Returns bytes that only what goes has."""
    w = WORDS
    s.file(f"com/{w['folder']}/{w['invoice']}.txt", f"{w['body']} mail {w['said']}@example.com\n" * 30,
           {f"user.{w['attribute']}": w["value"]})
    s.file(f"com/{w['folder']}/edited.txt", f"{w['first']}\n" * 50)
    s.file(f"com/{w['folder']}/{w['inner']}/deep.bin", s.rng.randbytes(400000))
    s.link(f"com/{w['folder']}/a-link", w["target"])
    s.folder_at(f"com/{w['hollow']}")
    s.file(f"com/{w['hard']}1", f"{w['hard']} content\n" * 9)
    os.link(s.at(f"com/{w['hard']}1"), s.at(f"com/{w['hard']}2"))
    # The same bytes in what is kept; a hard link of two classes, of which the longest wins; chunks in common.
    same = s.rng.randbytes(70000)
    s.file("com/same.bin", same)
    s.file("kep/same.bin", same)
    s.file("kep/linked.txt", "kept under one name\n" * 40)
    os.link(s.at("kep/linked.txt"), s.at("com/linked.txt"))
    parts = [s.rng.randbytes(1500000) for _ in range(4)]
    s.file("com/parts.bin", parts[0] + parts[1] + parts[2])
    s.file("kep/parts.bin", parts[0] + parts[3] + parts[2])
    for i in range(40):
        s.file(f"kep/d{i % 3}/k{i}.txt", f"kept {i}\n" * (100 + i), {"user.kept": f"value {i}"})
    s.link("kep/link", "d1/k1.txt")
    s.folder_at("kep/empty")
    return parts[1]


def all_versions(a):
    w = WORDS
    take_in(a, "src", "alpha", "one")
    os.rename(s.at(f"com/{w['folder']}"), s.at(f"com/{w['moved']}"))
    s.file(f"com/{w['moved']}/edited.txt", f"{w['edited']}\n" * 60)
    s.file("kep/d0/k0.txt", "kept, and edited\n" * 77)
    take_in(a, "src", "alpha", "two")
    os.rename(s.at("kep/d1"), s.at("kep/d9"))
    s.file(f"com/{w['later']}.txt", f"{w['later']} text\n" * 33)
    os.unlink(s.at(f"com/{w['hard']}1"))
    os.unlink(s.at("kep/d2/k2.txt"))
    take_in(a, "src", "alpha", "three")
    a.run("decide", f"com/{w['later']}.txt", "--system", "alpha", "--decision", "archive", "--class", "DRO", "--officer",
          "rita", "--reason", w["reason"])
    tar("beta.tar", [("com/owned.txt", b"owned\n" * 50, w["owner"]), ("kep/other.txt", b"other\n" * 50, None)], "somebody")
    take_in(a, "beta.tar", "beta", "one")


def add_passphrase(a):
    with open("pass", "w") as f:
        f.write(PASSPHRASE + "\n")
    a.ask("key", "add", "--new-passphrase-file", "pass", "--label", "second")


def secrets(a):
    return [(secret_of(a), False), (PASSPHRASE.encode(), True)]


def needles(before, after, only_went):
    """Words that only what went had; what its rows had; pieces of its content."""
    found = {f"word {k}": v.encode() for k, v in WORDS.items()}
    found.update(betrayals(before, after))
    for at in (0, 700000, 1499000):
        found[f"piece at {at} of a file in several blocks"] = only_went[at:at + 24]
    return found


def see_before(a, old, wanted):
    """The control: the keyring of then opens all of it, so the search can find what it looks for."""
    spoils = Spoils(old.path, old.keyring, secrets(a))
    missed = set(wanted) - set(spoils.search(wanted))
    assert not missed, missed
    assert len(spoils.block_keys) == len(spoils.sealed)


def ask_all(mixed, key, wanted):
    for line in (["ls", mixed.path, "alpha"], ["cat", mixed.path, "alpha", f"com/{WORDS['moved']}/edited.txt"],
                 ["log", mixed.path], ["verify", mixed.path, "--deep"], ["repair", mixed.path],
                 ["audit", "list", mixed.path], ["ls", mixed.path, "alpha"]):
        done = subprocess.run([MUNI, *line, "--keyring", mixed.keyring, *key], capture_output=True, timeout=100, check=False)
        assert done.returncode not in (0, 2), (line, done)
        for word in wanted.values():
            assert word not in done.stdout + done.stderr, (line, done)


def old_copy_opens_nothing(a, old, present, wanted):
    """The folder from before, the keyring of today: by the independent reader, and by muni itself."""
    spoils = Spoils(old.path, a.keyring, secrets(a))
    assert len(spoils.opened_bodies) == 4, "two halves, by two secrets"
    assert not spoils.search(wanted), spoils.search(wanted)
    assert not spoils.databases and not spoils.blocks and not spoils.opened
    # Every block key that the present archive has opens survivors' blocks, and nothing else.
    more = Spoils(old.path, a.keyring, secrets(a), more_keys=present.block_keys)
    assert not more.search(wanted), more.search(wanted)
    assert more.blocks and more.block_keys <= present.block_keys
    mixed = Archive("mixed", create=False)
    for key in (["--key-file", a.key], ["--passphrase-file", "pass"]):
        shutil.rmtree(mixed.path, ignore_errors=True)
        shutil.copytree(old.path, mixed.path)
        shutil.copy(a.keyring, mixed.keyring)
        ask_all(mixed, key, wanted)
    assert not Spoils(mixed.path, mixed.keyring, secrets(a), more_keys=present.block_keys).search(wanted)


def survivors(before, after, went):
    """Identical by the independent reader, in every version; not one more, not one fewer."""
    was, is_now = contents(before), contents(after)
    expected = {k for k in was if not went(k)}
    assert set(is_now) == expected, set(is_now) ^ expected
    for key, value in is_now.items():
        assert value == was[key], key
    sql = "SELECT id, statement, signature, merkle FROM version ORDER BY id"
    assert before.db.execute(sql).fetchall() == after.db.execute(sql).fetchall(), "versions and what was signed"


def went(key):
    """What goes: com, but for the name of a file that a kept class has too."""
    system, _, path = key
    if system == b"alpha":
        return path.startswith(b"com/") and path != b"com/linked.txt"
    return path.startswith(b"com")


def export(a, label, where):
    a.run("export", f"alpha@{label}", "--to", where, "--format", "dir")
    return where


def exported_and_mounted(a):
    for label in LABELS:
        export(a, label, f"after-{label}")
        compare(f"before-{label}", f"after-{label}", "--within", "--no", "dirtime,dirnlink,nlink,links,ctime")
    if not can_mount():
        return
    a.mount()
    try:
        for label in LABELS:
            compare(f"after-{label}", f"mnt/alpha/versions/{label}", "--no", "dirtime,dirnlink,nlink,ctime,blocks,holes,links")
    finally:
        unmount()


def mended(a):
    """Segments and the catalogue of the new epoch are rebuilt from parity and redo."""
    a.run("verify", "--deep")
    segments = sorted(os.path.join(at, n) for at, _, ns in os.walk(os.path.join(a.path, "segments")) for n in ns
                      if n.endswith(".seg"))
    for name in (segments[0], os.path.join(a.path, "catalogue.2")):
        os.chmod(name, 0o600)
        with open(name, "r+b") as f:
            f.seek(os.path.getsize(name) // 2)
            f.write(b"\xa5" * 300)
    a.run("verify", "--deep", status=5)
    a.run("repair")
    a.run("verify", "--deep")


def proofs(a):
    """Of a record that stays and of one that goes: (path, proof)."""
    made = [("kep/d0/k3.txt", "kept.proof"), (f"com/{WORDS['folder']}/{WORDS['invoice']}.txt", "gone.proof")]
    for path, to in made:
        a.ask("audit", "prove", "alpha@one", path, "--to", to)
    return made


def proofs_hold(a, made):
    for path, proof in made:
        a.ask_bare("audit", "check", proof, "--file", f"before-one/{path}")
    (kept, _), (gone, _) = made
    a.ask("audit", "prove", "alpha@one", kept, "--to", "again.proof")
    a.ask_bare("audit", "check", "again.proof", "--file", f"before-one/{kept}")
    a.ask("audit", "prove", "alpha@one", gone, "--to", "none.proof", status=1)
    a.ask("audit", "verify")


def main():
    only_went = first_version()
    a = keeper()
    add_passphrase(a)
    all_versions(a)
    before, made = read(a), proofs(a)
    for label in LABELS:
        export(a, label, f"before-{label}")
    shutil.copytree(a.path, "old")
    shutil.copy(a.keyring, "old.keyring")
    d = approved(a, "--due")
    shutil.copytree(a.path, "approved")     # with the list of what goes in it
    a.ask("dispose", "execute", d, by="rita")
    before.folder = "old"
    old, listed, after = Archive("old", create=False), Archive("approved", create=False), read(a)
    wanted = needles(before, after, only_went)
    print(f"{len(wanted)} things to look for")
    see_before(a, old, wanted)
    present = Spoils(a.path, a.keyring, secrets(a))
    found = present.search(wanted)
    assert not found, json.dumps({k: v[:5] for k, v in found.items()}, indent=1)
    leftovers = [p for p, _ in present.files if ".tmp" in p or "/.put-" in p or "catalogue.1" in p]
    assert not leftovers, leftovers
    old_copy_opens_nothing(a, old, present, wanted)
    assert not Spoils(listed.path, a.keyring, secrets(a), more_keys=present.block_keys).search(wanted)
    survivors(before, after, went)
    proofs_hold(a, made)
    exported_and_mounted(a)
    mended(a)
    survivors(before, read(a), went)


main()

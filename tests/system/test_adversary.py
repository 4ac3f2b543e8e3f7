#!/usr/bin/python3
"""muni-adversary finds what was left: with a dead catalogue, a copy of its pages, a leftover, a key or a salt put back
there is no certificate, until it is gone again."""
import glob
import json
import os
import shutil
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import BUILD, skip  # noqa: E402

try:
    from forger import forge
    from graves import Source, approved, keeper, read, secret_of, take_in
    from officers import Keeper
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

PROGRAM = os.path.join(BUILD, "muni-adversary")
s = Source("src", 77)


def instead(name, script):
    """A program that does this and then what it is called for."""
    path = os.path.abspath(f"{name}.sh")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\n{script}\nexec {PROGRAM}\n")
    os.chmod(path, 0o700)
    os.environ["MUNIMENT_ADVERSARY"] = path


def certificates(a):
    return glob.glob(f"{a.path}/certificates/C*")


def refused(a, d, name):
    a.ask("dispose", "execute", d, by="rita", status=None)
    assert a.status in (1, 5), (name, a.status, a.errors)
    assert not certificates(a), (name, certificates(a))
    assert "certificate" in a.errors, (name, a.errors)
    print(f"{name}: {a.status}: {a.errors.splitlines()[-1][:300]}")


def certified(a, d):
    os.environ.pop("MUNIMENT_ADVERSARY", None)
    assert a.id("dispose", "execute", d, by="rita") == "C1"
    a.ask("cert", "show", "C1", "--to", "c.p7m")
    a.run("verify", "--deep")
    a.ask("audit", "verify")


def world(a, name):
    os.makedirs(name)
    other = Keeper(f"{name}/archive", create=False)
    shutil.copytree(a.path, other.path)
    shutil.copy(a.keyring, other.keyring)
    shutil.copy(a.key, other.key)
    return other


def files_put_back(a, d, old):
    """Between the destruction and the check."""
    copy = glob.glob(f"{old}/segments/*/*.cat")[0]
    to = copy.replace(old, a.path)
    cases = {"leftover": (f"printf x >{a.path}/segments/some.tmp", [f"{a.path}/segments/some.tmp"]),
             "dead catalogue": (f"cp {old}/catalogue.1 {a.path}/", [f"{a.path}/catalogue.1"]),
             "dead write-ahead log": (f"printf x >{a.path}/catalogue.1-wal", [f"{a.path}/catalogue.1-wal"]),
             "dead copy": (f"mkdir -p {os.path.dirname(to)}; cp -p {copy} {to}", [to])}
    for name, (script, left) in cases.items():
        w = world(a, name.replace(" ", "-"))
        instead(name.replace(" ", "-"), script.replace(a.path, w.path))
        refused(w, d, name)
        for path in left:
            if os.path.exists(path.replace(a.path, w.path)):
                os.unlink(path.replace(a.path, w.path))
        certified(w, d)


def cut_off(a, d):
    """Killed when all is destroyed and the check is to begin: no certificate, and the log says what happened."""
    instead("kill", "kill -9 $PPID; exit 1")
    a.ask("dispose", "execute", d, by="rita", status=None)
    assert a.status != 0 and not certificates(a), a.errors
    rows = [json.loads(line) for line in a.ask("audit", "list", "--json").splitlines()]
    assert any("destroyed" in str(r.get("act")) for r in rows), [r.get("act") for r in rows]


def secrets_put_back(a, d, before):
    """In the catalogue itself, by somebody who has its keys: in a row, and in a page that nothing uses."""
    after = read(a)

    def gone(sql):
        was, is_now = ({x[0] for x in r.db.execute(sql)} for r in (before, after))
        return sorted(was - is_now)[0]

    key, salt = gone("SELECT key FROM block"), gone("SELECT salt FROM entry")
    row = "INSERT INTO meta(key, value) VALUES('x', ?)"
    cases = {"a key in a row": [(row, b"before" + key + b"behind")],
             "a salt in a row": [(row, salt)],
             "a key as a block's": [("UPDATE block SET key = ? WHERE id = (SELECT min(id) FROM block)", key)],
             "a key in a free page": [("PRAGMA secure_delete = OFF",), ("CREATE TABLE t(x)",),
                                      ("INSERT INTO t VALUES(?)", bytes(7000) + key + bytes(900)), ("DROP TABLE t",)]}
    os.environ.pop("MUNIMENT_ADVERSARY", None)
    for n, (name, statements) in enumerate(cases.items()):
        w = world(a, f"row{n}")
        forge(w.path, w.keyring, secret_of(w), statements)
        refused(w, d, name)
    w = world(a, "file")
    with open(f"{w.path}/audit/notes", "wb") as f:
        f.write(os.urandom(3000000) + key + os.urandom(50))
    refused(w, d, "a key in a file")


def main():
    for i in range(12):
        s.file(f"com/c{i}.txt", f"due {i}\n" * 500)
        s.file(f"kep/k{i}.txt", f"kept {i}\n" * 500)
    a = keeper()
    take_in(a, "src", "s", "one")
    d = approved(a, "--due")
    before = read(a)
    shutil.copytree(a.path, "old")
    files_put_back(a, d, os.path.abspath("old"))
    cut_off(a, d)
    secrets_put_back(a, d, before)
    certified(a, d)


main()

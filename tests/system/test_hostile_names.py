#!/usr/bin/python3
"""Names that a terminal would obey or a spreadsheet run: no listing, table, message or JSON line sends them on, and
JSON and CSV still say exactly what they are."""
import base64
import csv
import io
import json
import os
import subprocess
import sys
import xml.dom.minidom

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive  # noqa: E402

NAMES = [b"\x1b]0;t\x07\x1b[31mred", "\u009b31mred".encode(), b"del\x7f", "\u202egpj.exe".encode(),
         "\u2066x\u2069".encode(), "a\u200bb".encode(), "\U000e0041tag".encode(), b"\xff\x1b[2J", b"line\nfeed",
         b"=1+1", b"-2", b"\t=1", b"a;=cmd|x", b'"><script>', "发票 é".encode(), b"plain"]


def is_obeyed(c):
    return (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0 or c in "\u200b\u202e\u2066\u2069\U000e0041"


def text(out):
    return out if isinstance(out, str) else out.decode("utf-8")


def main():
    os.makedirs("src")
    for i, name in enumerate(NAMES):
        with open(b"src/" + name, "w") as f:
            f.write(f"{i}\n")
    a = Archive()
    a.run("scan", "src", "--system", "s")
    a.run("ingest", "src", "--system", "s", "--all")
    for words in (("ls", "s"), ("ls", "s", "-l"), ("find", "s"), ("inventory", "--system", "s"),
                  ("due", "--list")):
        shown = text(a.run(*words))
        assert not any(is_obeyed(c) for c in shown), (words, [c for c in shown if is_obeyed(c)])
    for words in (("ls", "s"), ("find", "s"), ("inventory", "--system", "s")):
        out = text(a.run(*words, "--json"))
        assert not any(is_obeyed(c) for c in out), words
        rows = [json.loads(line) for line in out.splitlines()]
        key = next(k for k in ("path", "name") if k in rows[-1] or f"{k}_base64" in rows[-1])
        seen = {base64.b64decode(r[f"{key}_base64"]) if f"{key}_base64" in r else r[key].encode() for r in rows
                if key in r}
        assert set(NAMES) <= {os.path.basename(n) for n in seen}, (words, seen)
    sheet = text(a.run("inventory", "--system", "s", "--csv"))
    assert not any(is_obeyed(c) and c not in "\r\t\u200b\u202e\u2066\u2069\U000e0041" for c in sheet)
    seen = set()
    for row in csv.DictReader(io.StringIO(sheet, newline="")):
        path = row["path"]
        assert not path or path[0] not in "=+-@\t\r", path
        bare = path[1:] if path.startswith("'") else path
        seen.add(base64.b64decode(row["path_base64"]) if row["path_base64"] else bare.encode())
    assert set(NAMES) <= seen, set(NAMES) - seen
    # XML knows neither control characters nor U+FFFE
    subprocess.run([MUNI, "hold", "add", a.path, "--case", "\x1b[31m", "--reason", "\x01\ufffe\uffff<b>", "--path", "p*",
                    "--keyring", a.keyring, "--key-file", a.key], check=True, capture_output=True)
    events = subprocess.run([MUNI, "audit", "list", a.path, "--premis", "--keyring", a.keyring, "--key-file", a.key],
                            check=True, capture_output=True).stdout
    assert "\\ufffe" in xml.dom.minidom.parseString(events).toxml()
    assert '"a;=cmd|x"' in sheet    # where ";" ends a cell it is one cell yet


main()

#!/usr/bin/python3
"""A source full of files that were made to harm who reads them: the scan ends in good time and in bounded memory,
every file is recorded with its digest, what could not be looked into says why, and no value stands in the clear."""
import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive  # noqa: E402

HUNGRY = "hungry.txt.xz"
CARD = "4111 1111 1111 1111"
MEMORY_MAX = 256 << 20
SECONDS_MAX = 280
rng = random.Random(20261124)


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members:
            z.writestr(name, data)
    return out.getvalue()


def nested(depth, data):
    for i in range(depth):
        data = zipped([(f"{i}.zip" if i else "card.txt", data)])
    return data


def overlapping(count, data):
    """A zip whose directory names one member many times."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = body.compress(data) + body.flush()
    name = b"a.txt"
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 33, zlib.crc32(data), len(packed), len(data), len(name),
                        0) + name + packed
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 33, zlib.crc32(data), len(packed), len(data),
                        len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, count * len(entry), len(local), 0)
    return local + count * entry + end


def gzip_of_zeros(size):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as f:
        for _ in range(size >> 20):
            f.write(bytes(1 << 20))
    return out.getvalue()


def hungry(window, salt):
    """Text that is unpacked through a window of so many MiB, all of which is written to."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": window << 20}]
    block = base64.encodebytes(rng.randbytes(800 << 10))
    text = salt + block * ((window << 20) // len(block) + 1) + f"\npayment card {CARD}\n".encode()
    return lzma.compress(text, format=lzma.FORMAT_XZ, filters=filters)


def pdf(objects, trailer=b""):
    out, places = b"%PDF-1.4\n", []
    for i, body in enumerate(objects):
        places.append(len(out))
        out += b"%d 0 obj %s endobj\n" % (i + 1, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer <</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)


def page(content, extra=b""):
    return [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
            b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), extra, content),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]


def database(statements, mangle=None):
    path = "made.sqlite"
    db = sqlite3.connect(path)
    db.executescript(statements)
    db.close()
    with open(path, "rb") as f:
        data = bytearray(f.read())
    os.unlink(path)
    if mangle:
        mangle(data)
    return bytes(data)


def nested_mail(depth):
    out = b"From: a@example.org\nMIME-Version: 1.0\n"
    for i in range(depth):
        out += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i)
    return out + b"Content-Type: text/plain\n\ntext\n" + b"".join(b"--b%d--\n" % i for i in reversed(range(depth)))


def noise_after(head, size=4000):
    return head + rng.randbytes(size)


def docx(document):
    return zipped([
        ("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
         'wordprocessingml.document.main+xml"/></Types>'),
        ("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
         'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
         'officeDocument" Target="word/document.xml"/></Relationships>'),
        ("word/document.xml", document)])


LAUGHS = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha ha ha ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(10)) + "]><l>&k;</l>"
WORDS = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'


def friendly():
    """One of each kind, with a card number in it: the mutants' parents."""
    mail = ("From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
            f"Content-Type: text/plain\n\npayment card {CARD}\n--b\nContent-Type: text/csv; name=a.csv\n"
            "Content-Transfer-Encoding: base64\n\nY2FyZA0KNDExMTExMTExMTExMTExMQ0K\n--b--\n").encode()
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w:gz", mtime=0) if sys.version_info >= (3, 13) else \
            tarfile.open(fileobj=tape, mode="w:gz") as t:
        info = tarfile.TarInfo("card.txt")
        text = f"payment card {CARD}\n".encode()
        info.size = len(text)
        t.addfile(info, io.BytesIO(text))
    prose = {
        "gb18030": "本公司对全部档案进行了清点，并将结果报告给主管部门。付款使用的银行卡如下。",
        "big5": "本公司對全部檔案進行了清點，並將結果報告給主管機關。付款使用的信用卡如下。",
        "shift_jis": "当社はすべての記録を確認し、その結果を担当部署に報告しました。支払いに使ったカードは次のとおりです。",
        "euc_kr": "우리 회사는 모든 기록을 확인하고 그 결과를 담당 부서에 보고했습니다. 결제에 사용한 카드는 다음과 같습니다.",
        "windows-1251": "Компания проверила все записи и сообщила о результатах ответственному отделу. Карта для оплаты указана ниже.",
        "iso-8859-1": "La société a vérifié tous les dossiers et a informé le service concerné. Carte utilisée pour régler, côté client :",
    }
    return {
        # Behind the door no table of an encoding can be loaded any more.
        **{f"card.{e}.txt": f"{p}\n{p}\npayment card {CARD}\n".encode(e) for e, p in prose.items()},
        "card.txt": f"payment card {CARD}\n".encode(),
        "card16.txt": f"payment card {CARD}\n".encode("utf-16"),
        "card.csv": b"name,card\nx,4111111111111111\n",
        "card.json": b'{"card": "4111111111111111"}',
        "card.xml": b'<?xml version="1.0"?><a><card>4111111111111111</card></a>',
        "card.html": f"<!DOCTYPE html><html><body><p>payment card {CARD}</p></body></html>".encode(),
        "card.sql": b"CREATE TABLE t (card TEXT);\nINSERT INTO t VALUES ('4111111111111111');\n",
        "card.sqlite": database("create table t(card text); insert into t values('4111111111111111');"),
        "card.eml": mail,
        "card.pdf": pdf(page(b"BT /F 12 Tf 50 700 Td (payment card %s) Tj ET" % CARD.encode())),
        "card.zip": zipped([("card.txt", f"payment card {CARD}\n")]),
        "card.tar.gz": tape.getvalue(),
        "card.docx": docx(f"{WORDS}<w:body><w:p><w:r><w:t>payment card {CARD}</w:t></w:r></w:p></w:body></w:document>"),
    }


def hostile():
    """Name: bytes, and whether it has to be said that it could not (wholly) be looked into; None: either."""
    endless = "with recursive r(x) as (select 1 union all select x+1 from r) select x from r"
    return {
        "laughs.xml": (LAUGHS.encode(), True),
        "laughs.docx": (docx(LAUGHS), True),
        "laughs.svg": (LAUGHS.replace("<l>", '<svg xmlns="http://www.w3.org/2000/svg">').replace("</l>", "</svg>").replace(
            "DOCTYPE l", "DOCTYPE svg").encode(), None),
        "quadratic.xml": (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "' + b"ha " * 30000 + b'">]><l>' + b"&a;" * 50000 +
                          b"</l>", True),
        "outside.xml": (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', None),
        "deep.xml": (b'<?xml version="1.0"?>' + b"<a>" * 300000, None),
        "deep.html": (b"<!DOCTYPE html>" + b"<div>" * 300000 + CARD.encode(), None),
        "deep.json": (b"[" * 2000000, None),
        "deep.yaml": (b"{" * 500000, None),
        "wide.csv": (b",".join(b"c%d" % i for i in range(300000)) + b"\n" + b"1," * 299999 + b"1\n", None),
        "quotes.csv": (b'a,b\n"' + b"x\n" * 2000000, None),
        "bomb.zip": (zipped([("zeros.txt", b"a" * (300 << 20))]), True),
        "bomb.gz": (gzip_of_zeros(600 << 20), True),
        "nest.zip": (nested(12, f"card {CARD}".encode()), True),
        "overlap.zip": (overlapping(4000, b"all the same\n" * 400000), None),
        "bomb.pdf": (pdf(page(zlib.compress(b"q " * (150 << 20), 9), b"/Filter/FlateDecode")), None),
        "loop.pdf": (pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99999999>>"]), None),
        "prev.pdf": (pdf(page(b"BT ET"), b"/Prev 9"), None),
        "deep.pdf": (b"%PDF-1.7\n1 0 obj " + b"[" * 200000 + b" endobj\ntrailer <</Root 1 0 R>>\n%%EOF", None),
        "view.sqlite": (database(f"create table t(a text); insert into t values('x'); create view v as {endless};"
                                 f"create trigger i after insert on t begin insert into t select 1; end;"), None),
        "generated.sqlite": (database("create table t(a, b as (zeroblob(900000000))); insert into t(a) values(1);"), None),
        "schema.sqlite": (database("pragma writable_schema=on; create table t(a); insert into t values(1);"
                                   "update sqlite_master set sql='create table t(a, a, a) as select';"), None),
        "torn.sqlite": (database("create table t(a); insert into t select hex(zeroblob(300)) from (select 1 union select 2);",
                                 lambda d: d.__setitem__(slice(100, 600), rng.randbytes(500))), None),
        "parts.eml": (nested_mail(3000), None),
        "boundary.eml": (b"From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
                         b"--b\n\n" * 300000, None),
        "surrogates.txt": (b"\xff\xfe" + b"\x00\xd8" * 50000, None),
        "size.tar": (b"x" + bytes(99) + b"0000644\0" * 3 + b"77777777777\0" + bytes(376), None),
        "cut.7z": (noise_after(b"7z\xbc\xaf\x27\x1c\0\4"), True),
        "cut.rar": (noise_after(b"Rar!\x1a\x07\1\0"), True),
        "cut.xz": (noise_after(b"\xfd7zXZ\0\0\4"), True),
        "cut.zst": (noise_after(b"\x28\xb5\x2f\xfd"), True),
        "cut.docx": (docx(f"{WORDS}<w:body>")[:300], True),
        "noise.dat": (noise_after(b"\xd5\0"), True),
    }


def mutant(data):
    out = bytearray(data)
    for _ in range(rng.choice([1, 2, 5, 20])):
        at = rng.randrange(len(out))
        kind = rng.randrange(5)
        if kind == 0:
            out[at] = rng.randrange(256)
        elif kind == 1:
            del out[at:at + rng.randrange(1, 30)]
        elif kind == 2:
            out[at:at] = rng.randbytes(rng.randrange(1, 12))
        elif kind == 3:
            other = rng.randrange(len(out))
            out[at:at] = out[other:other + rng.randrange(1, 200)]
        else:
            out[at:at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"9999"])
        if not out:
            out = bytearray(data)
    return bytes(out)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def make_source():
    wanted = {}
    os.makedirs("src/mutants")
    for name, data in friendly().items():
        write(f"src/{name}", data)
        wanted[name] = False
        for i in range(60):
            write(f"src/mutants/{i}-{name}", mutant(data))
    for name, (data, is_opaque) in hostile().items():
        write(f"src/{name}", data)
        wanted[name] = is_opaque
    # All at once they would take far more than there is: each waits for its turn, none fares worse for it.
    for i in range(5):
        write(f"src/{i}-{HUNGRY}", hungry(96, b"%d" % i))
        wanted[f"{i}-{HUNGRY}"] = False
    for i in range(2):
        write(f"src/{i}-greedy.txt.xz", hungry(192, b"%d" % i))
        wanted[f"{i}-greedy.txt.xz"] = True
    with open("src/line.txt", "wb") as f:   # one line; the card number at its very end
        for _ in range(400):
            f.write(b"lorem ipsum dolor sit amet, " * 18725)
        f.write(f"payment card {CARD}".encode())
    wanted["line.txt"] = False
    with open("src/sparse.dat", "wb") as f:
        f.truncate(1 << 30)
    wanted["sparse.dat"] = None
    return wanted


def family(pid):
    out = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for child in f.read().split():
                    out += family(int(child))
    except OSError:
        pass
    return out


def memory_of(pid):
    total = 0
    for p in family(pid):
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) << 10 for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def scan(a, *args):
    """The most memory that muni and all below it used together."""
    line = [MUNI, "scan", a.path, "src", "--system", "hr", "--keyring", a.keyring, "--key-file", a.key, *args]
    peak, start = 0, time.monotonic()
    with open("scan.out", "wb") as out:
        p = subprocess.Popen(line, stdout=out, stderr=subprocess.STDOUT)
        while p.poll() is None:
            peak = max(peak, memory_of(p.pid))
            assert time.monotonic() - start < SECONDS_MAX, "the scan does not end"
            time.sleep(0.05)
    with open("scan.out", "rb") as f:
        said = f.read()
    assert p.returncode == 0, f"exit {p.returncode}: {said.decode(errors='replace')}"
    assert CARD.encode() not in said and CARD.replace(" ", "").encode() not in said
    return peak, time.monotonic() - start


def check_rows(text, wanted):
    rows = {r["path"]: r for r in map(json.loads, text.splitlines())}
    for path, _, names in os.walk("src"):
        for name in names:
            full = os.path.join(path, name)
            row = rows.pop(os.path.relpath(full, "src"))
            assert row["size"] == os.path.getsize(full), row
            with open(full, "rb") as f:
                assert row["sha256"] == hashlib.file_digest(f, "sha256").hexdigest(), row["path"]
            why = row.get("opaque") or ""
            assert "crashed" not in why and "may not do" not in why and "standstill" not in why, row
            assert "greedy" not in row["path"] or "memory" in why, row
            is_opaque = wanted.get(row["path"])
            assert is_opaque is None or bool(why) == is_opaque, row
            cards = [f for f in row["findings"] if f["type"] == "payment-card"]
            if row["path"] in friendly_names or row["path"] == "line.txt" or row["path"].endswith("-" + HUNGRY):
                assert cards and cards[0]["count"] >= 1, row
    assert not rows, rows


def holds_memory():
    """What a sanitizer takes for itself is not counted."""
    return os.path.exists("/proc/self/smaps_rollup") and not os.environ.get("BUILD", "").endswith(("san", "tsan"))


wanted = make_source()
friendly_names = set(friendly())
first = None
for threads in (4, 1, 2, 8):
    a = Archive(f"by-{threads}")
    peak, seconds = scan(a, "--threads", str(threads))
    print(f"{threads} threads: {seconds:.1f} s, {peak >> 20} MiB at most")
    assert not holds_memory() or peak <= MEMORY_MAX, f"{peak >> 20} MiB"
    rows = a.run("inventory", "--system", "hr", "--json")
    assert CARD not in rows and CARD.replace(" ", "") not in rows
    assert first in (None, rows), f"the inventory of {threads} threads is another one"
    first = rows
check_rows(first, wanted)

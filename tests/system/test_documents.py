#!/usr/bin/python3
"""Documents of every kind that is looked into, made from a seed: each planted value is counted once, where it stands
is told, and what could not be looked into says why. In the real sandbox, in any order."""
import bz2
import gzip
import hashlib
import io
import json
import lzma
import mailbox
import os
import random
import sqlite3
import sys
import tarfile
import zipfile
from email.message import EmailMessage

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive  # noqa: E402

rng = random.Random(20261125)
planted = []
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def card():
    """A number that passes Luhn, never the same twice."""
    digits = [4] + [rng.randrange(10) for _ in range(14)]
    total = sum(d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits))
    digits.append(-total % 10)
    planted.append("".join(map(str, digits)))
    return planted[-1]


def split_card():
    c = card()
    return c[:3], c[3:9], c[9:]


def zipped(members, store=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            z.writestr(name, data, zipfile.ZIP_STORED if name in store else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(members, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def text(lines=3):
    return "".join(f"paid by payment card {card()} on a Monday\n" for _ in range(lines)).encode()


def docx():
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    runs = "".join(f"<w:r><w:t>{part}</w:t></w:r>" for part in split_card())
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>".format
    rows = "".join(f"<w:tr>{cell(a)}{cell(b)}</w:tr>" for a, b in
                   [("Name", "Payment card"), ("Al", card()), ("Bo", card())])
    return zipped([
        ("[Content_Types].xml", XML + "<Types/>"), ("_rels/.rels", XML + "<Relationships/>"),
        ("word/document.xml", f"{XML}<w:document {w}><w:body><w:p><w:r><w:t>Payment card: </w:t></w:r>{runs}</w:p>"
         f"<w:tbl>{rows}</w:tbl></w:body></w:document>"),
        ("word/header1.xml", f"{XML}<w:hdr {w}><w:p><w:r><w:t>payment card {card()}</w:t></w:r></w:p></w:hdr>"),
        ("word/comments.xml", f"{XML}<w:comments {w}><w:comment><w:p><w:r><w:t>payment card {card()}</w:t></w:r></w:p>"
         "</w:comment></w:comments>"),
        ("word/embeddings/old.zip", zipped([("in.txt", text(2))]))]), 7


def xlsx():
    texts, rows = ["Name", "Payment card", "Note"], []
    for r in range(2, 12):
        c = card()
        texts += [f"Person {r}", c if r % 2 else " ".join(c[i:i + 4] for i in range(0, 16, 4)), "none"]
        k = 3 * (r - 1)
        rows.append(f'<row r="{r}"><c r="A{r}" t="s"><v>{k}</v></c><c r="B{r}" t="s"><v>{k + 1}</v></c>'
                    f'<c r="C{r}" t="s"><v>{k + 2}</v></c></row>')
    head = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
    return zipped([
        ("[Content_Types].xml", XML + "<Types/>"), ("_rels/.rels", XML + "<Relationships/>"),
        ("xl/workbook.xml", XML + '<workbook xmlns:r="urn:r"><sheets><sheet name="Staff" sheetId="1" r:id="rId1"/>'
         "</sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", XML + '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
         "</Relationships>"),
        ("xl/worksheets/sheet1.xml", f"{XML}<worksheet><sheetData>{head}{''.join(rows)}</sheetData></worksheet>"),
        ("xl/sharedStrings.xml", f"{XML}<sst>{''.join(f'<si><t>{t}</t></si>' for t in texts)}</sst>")]), 10


def pptx():
    def slide(root):
        runs = "".join(f"<a:r><a:t>{part}</a:t></a:r>" for part in ("payment card ",) + split_card())
        return f'{XML}<p:{root} xmlns:p="urn:p" xmlns:a="urn:a"><a:p>{runs}</a:p></p:{root}>'
    return zipped([
        ("[Content_Types].xml", XML + "<Types/>"), ("_rels/.rels", XML + "<Relationships/>"),
        ("ppt/presentation.xml", XML + '<p:presentation xmlns:p="urn:p"/>'),
        ("ppt/slides/slide1.xml", slide("sld")), ("ppt/notesSlides/notesSlide1.xml", slide("notes"))]), 2


def odf(kind, body):
    return zipped([
        ("mimetype", f"application/vnd.oasis.opendocument.{kind}"),
        ("content.xml", f'{XML}<office:document-content xmlns:office="urn:o" xmlns:text="urn:t" xmlns:table="urn:b">'
         f"<office:body>{body}</office:body></office:document-content>"),
        ("META-INF/manifest.xml", XML + "<m:manifest xmlns:m='urn:m'/>")], store=("mimetype",))


def odt():
    a, b, c = split_card()
    return odf("text", f"<text:p>payment card {a}<text:span>{b}</text:span>{c}</text:p>"), 1


def ods():
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>".format
    rows = "".join(f"<table:table-row>{cell(a)}{cell(b)}</table:table-row>" for a, b in
                   [("Name", "Payment card")] + [(f"P{i}", card()) for i in range(6)])
    return odf("spreadsheet", f'<table:table table:name="Staff">{rows}</table:table>'), 6


def database():
    db = sqlite3.connect("made.sqlite")
    db.execute("create table staff (name text, payment_card text, n integer)")
    db.executemany("insert into staff values (?, ?, ?)", [(f"P{i}", card(), int(card())) for i in range(5)])
    db.execute("create table files (name text, data blob) ")
    db.execute("insert into files values ('a', ?)", (zipped([("in.txt", text(2))]),))
    db.commit()
    db.close()
    with open("made.sqlite", "rb") as f:
        data = f.read()
    os.unlink("made.sqlite")
    return data, 12


def letter():
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "a@example.org", "b@example.org", f"工资单 payment card {card()}"
    m.set_content(f"您好\npayment card {card()}\n", charset="gb18030", cte="quoted-printable")
    m.add_attachment(text(2), maintype="text", subtype="plain", filename="附件.txt")
    m.add_attachment(zipped([("in.txt", text(1))]), maintype="application", subtype="zip", filename="a.zip")
    return m


def mbox():
    box = mailbox.mbox("made.mbox")
    for _ in range(4):
        box.add(letter())
    box.close()
    with open("made.mbox", "rb") as f:
        data = f.read()
    os.unlink("made.mbox")
    return data, 20


def html():
    a, b, c = split_card()
    rows = "".join(f"<tr><td>P{i}<td>{card()}" for i in range(3))
    return (f"<!DOCTYPE html><html><head><title>x</title></head><body><p>payment card {a}<b>{b}</b>{c}</p>"
            f"<table><tr><th>Name<th>Payment card{rows}</table><input name='payment card' value='{card()}'></body></html>"
            ).encode(), 5


def xml():
    rows = "".join(f'<row><field name="payment_card">{card()}</field><other card="{card()}"/></row>' for _ in range(3))
    return f"{XML}<rows>{rows}</rows>".encode(), 6


def pdf(objects):
    out, places = b"%PDF-1.4\n", []
    for i, body in enumerate(objects):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i + 1, body.encode())
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def pages(font, contents, *more):
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(contents)))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>", font]
    for i, c in enumerate(contents):
        objects += [f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {5 + 2 * i} 0 R/Resources<</Font<</F 3 0 R>>"
                    ">>>>", f"<</Length {len(c)}>>\nstream\n{c}\nendstream"]
    return pdf(objects + list(more))


def plain_pdf():
    return pages("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
                 [f"BT /F 12 Tf 50 700 Td (payment card {card()}) Tj ET" for _ in range(3)]), 3


def cid_pdf(encoding, ordering, shown):
    font = (f"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/{encoding}/DescendantFonts[<</Type/Font/Subtype/CIDFontType0/"
            f"BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})/Supplement 0>>/DW 1000>>]>>")
    return pages(font, [f"BT /F 12 Tf 50 700 Td <{shown}> Tj ET"])


def scan(files, *args):
    os.makedirs("src", exist_ok=True)
    for name in os.listdir("src"):
        os.unlink(f"src/{name}")
    for name, data in files.items():
        with open(f"src/{name}", "wb") as f:
            f.write(data)
    a = Archive(f"archive{scan.count}")
    scan.count += 1
    a.run("scan", "src", "--system", "s", *args)
    out = a.run("inventory", "--system", "s", "--json")
    for value in planted:
        assert value not in out, "a value stands in the clear"
    return {row["path"]: row for row in map(json.loads, out.splitlines())}


scan.count = 0


def cards(row):
    found = [f for f in row["findings"] if f["type"] in ("payment-card", "cn-bank-card")]
    return sum(f["count"] for f in found), "; ".join(f["where"] for f in found)


def one_of_each():
    """name -> (bytes, values planted)"""
    makers = {"a.docx": docx, "a.xlsx": xlsx, "a.pptx": pptx, "a.odt": odt, "a.ods": ods, "a.sqlite": database,
              "a.mbox": mbox, "a.html": html, "a.xml": xml, "a.pdf": plain_pdf,
              "a.eml": lambda: (letter().as_bytes(), 5),
              "a.txt.gz": lambda: (gzip.compress(text(3), mtime=0), 3), "a.txt.bz2": lambda: (bz2.compress(text(3)), 3),
              "a.txt.xz": lambda: (lzma.compress(text(3)), 3), "a.zip": lambda: (zipped([("d/a.txt", text(3))]), 3),
              "a.tar": lambda: (tarred([("a.txt", text(1)), ("b.txt", text(2))]), 3),
              "a.tar.gz": lambda: (tarred([("a.txt", text(3))], "w:gz"), 3),
              "a.tar.xz": lambda: (tarred([("a.txt", text(3))], "w:xz"), 3)}
    return {name: make() for name, make in makers.items()}


def everything_that_was_planted_is_counted_once():
    made = one_of_each()
    # One of each in another, to a depth of four.
    deep = zipped([(name, data) for name, (data, _) in made.items() if name in ("a.docx", "a.sqlite", "a.pdf", "a.eml")])
    inside = sum(made[n][1] for n in ("a.docx", "a.sqlite", "a.pdf", "a.eml"))
    made["deep.tar"] = tarred([("deep.zip", deep)]), inside
    rows = scan({name: data for name, (data, _) in made.items()})
    for name, (_, wanted) in made.items():
        count, where = cards(rows[name])
        assert count == wanted, f"{name}: {count} of {wanted}: {where}"
        assert not rows[name].get("opaque"), f"{name}: {rows[name]['opaque']}"
    for name, where in (("a.xlsx", "Staff!B2"), ("a.ods", "Staff!B2"), ("a.sqlite", "staff.payment_card"),
                        ("a.sqlite", "files.data: in.txt: line 1"), ("a.docx", "table 1, row 2"), ("a.docx", "header"),
                        ("a.eml", "附件.txt: line 1"), ("a.mbox", "message 4, body"), ("a.pdf", "page 3"),
                        ("a.pptx", "notes of slide 1"), ("a.zip", "d/a.txt: line 3"), ("a.tar.xz", "a.txt: line 1")):
        assert where in cards(rows[name])[1], f"{name}: {where} is not in {cards(rows[name])[1]}"
    print(f"{len(made)} documents, {sum(w for _, w in made.values())} values")


def what_was_cut_off_is_opaque():
    whole = {"a.docx": docx()[0], "a.sqlite": database()[0], "a.pdf": plain_pdf()[0], "a.zip": zipped([("a.txt", text(9))]),
             "a.txt.gz": gzip.compress(text(9), mtime=0), "a.tar": tarred([("a.txt", text(4000))]),
             "a.txt.xz": lzma.compress(text(9))}
    files = {}
    for name, data in whole.items():
        for part in (3, 5, 8):
            files[f"{part}-{name}"] = data[:len(data) * part // 10]
    for name, row in scan(files).items():
        assert row.get("opaque"), f"{name} was called clean"


def is_whole(name, data):
    """By readers of another make, which check the sums on the way; None: there is none for it."""
    try:
        if name.endswith((".docx", ".xlsx", ".pptx", ".odt", ".ods", ".zip")):
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                return z.testzip() is None
        for suffix, unpack in (".gz", gzip.decompress), (".bz2", bz2.decompress), (".xz", lzma.decompress):
            if name.endswith(suffix):
                return bool(unpack(data))
    except Exception:       # of any kind: what these raise on damage is not said anywhere
        return False
    return None


def damaged(data, n):
    for _ in range(n):
        bad = bytearray(data)
        at = rng.randrange(len(data))
        how = rng.randrange(8)
        if how < 4:
            bad[at] ^= 1 << rng.randrange(8)
        elif how == 4:
            bad[at:at + rng.randrange(1, 300)] = rng.randbytes(rng.randrange(300))
        elif how == 5:
            bad[at:at] = bad[max(0, at - 200):at]
        elif how == 6:
            del bad[at:at + rng.randrange(1, 100)]
        else:
            bad[at:] = b""
        yield bytes(bad)


def damage_is_never_taken_for_clean():
    """At any place, of every kind: each file is listed with its digest, no reader breaks, and what is not opaque has
    every value in it, where the format has sums to tell."""
    files, whole = {}, one_of_each()
    formats = {name: row["format"] for name, row in scan({name: data for name, (data, _) in whole.items()}).items()}
    for name, (data, _) in whole.items():
        for i, bad in enumerate(damaged(data, 400 if os.environ.get("MUNIMENT_FULL") == "1" else 12)):
            if bad[:8] == data[:8]:     # else it may be of another kind, or none
                files[f"{i}-{name}"] = bad
    rows = scan(files)
    sums = [0, 0]
    for name, data in files.items():
        row = rows[name]
        why = row.get("opaque") or ""
        assert row["sha256"] == hashlib.sha256(data).hexdigest(), row
        for word in "crashed", "may not do", "standstill", "signal":
            assert word not in why, row
        sums[bool(why)] += 1
        if why or len(data) < 32:
            continue
        # Of another kind by now, it is read as that; else nothing of it is missing, whatever other readers think of it.
        kind = name.split("-", 1)[1]
        if is_whole(name, data) is not None and row["format"] == formats[kind]:
            count, where = cards(row)
            assert count == whole[kind][1], f"{name} was called clean, and has {count} of {whole[kind][1]}: {where}"
    print(f"{sum(sums)} damaged documents, {sums[1]} of them opaque")


def a_mail_beyond_all_memory_is_said_to_be_that():
    """What GLib has to say of it is no attempt at what the sandbox forbids."""
    head = b"From: a@example.org\nTo: b@example.org\n"
    rows = scan({"long.eml": head + b"X-Long: " + b"x" * 27_000_000 + b"\nSubject: hi\n\nbody\n",
                 "words.eml": head + b"Subject: " + b"=?utf-8?q?x?= " * 2_000_000 + b"\n\nbody\n"})
    for name, row in rows.items():
        assert "memory" in (row.get("opaque") or ""), f"{name}: {row.get('opaque')}"


def chinese_pdfs_are_read_in_any_order():
    """poppler remembers few tables and can open none in the sandbox: what one file crowds out the next must not miss."""
    number = card()
    shown = "".join(f"{ord(c):04X}" for c in f"payment card {number}")
    files = {}
    for i in range(6):
        files[f"{i}-chinese.pdf"] = cid_pdf("UniGB-UCS2-H", "GB1", shown)
        for k, ordering in enumerate(("Japan1", "Korea1", "CNS1", "GB1", "Other", "Another", "Third")):
            files[f"{i}-crowd{k}.pdf"] = cid_pdf("Identity-H", ordering, "00220022")
        files[f"{i}-unknown.pdf"] = cid_pdf("No-Such-Map-H", "GB1", "0022")
    for threads in ("1", "4"):
        rows = scan(files, "--threads", threads)
        for i in range(6):
            count, where = cards(rows[f"{i}-chinese.pdf"])
            assert count == 1 and where == "page 1", f"{i}-chinese.pdf: {count}; {rows[f'{i}-chinese.pdf'].get('opaque')}"
            assert "No-Such-Map-H" in rows[f"{i}-unknown.pdf"]["opaque"]


everything_that_was_planted_is_counted_once()
what_was_cut_off_is_opaque()
damage_is_never_taken_for_clean()
a_mail_beyond_all_memory_is_said_to_be_that()
if os.path.isdir("/usr/share/poppler/cMap"):
    chinese_pdfs_are_read_in_any_order()

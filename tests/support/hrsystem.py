#!/usr/bin/python3
"""Makes a small retired HR system: hrsystem.py DIR --state 1|2|3 [--seed N].

Everything is invented and follows from the seed: an SQLite database, CSV
payroll exports (UTF-8 and GB18030), mail in mbox, logs, configuration, office
documents, scans, caches, names in Chinese and names in GB18030 bytes.  State 2
and 3 are the same system a year and two years later: more payroll, changed
database, a moved folder, a deleted one, a corrected contract.
"""
import argparse
import csv
import io
import os
import random
import shutil
import sqlite3
import struct
import zipfile
import zlib
from datetime import date, datetime, timedelta, timezone

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志红"
LATIN = ["Anna Berg", "Jan Kowalski", "Maria Rossi", "John Carter", "Aiko Tanaka", "Pierre Martin", "Lena Vogt", "Sara Lind"]
UNITS = ["财务部", "人事部", "Research", "Operations", "Legal", "销售部"]
REGIONS = ["110101", "310104", "440305", "330106", "510107", "610113"]
WORDS = ("contract salary review approve leave overtime bonus position transfer pension insurance record request period "
         "department manager employee signed effective notice clause annex total amount balance adjusted office").split()
START = date(2011, 1, 1)


def resident_id(rng):
    """GB 11643-1999: 17 digits and a check digit by ISO 7064 MOD 11-2."""
    born = date(1955, 1, 1) + timedelta(days=rng.randrange(16000))
    body = rng.choice(REGIONS) + born.strftime("%Y%m%d") + f"{rng.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights)) % 11]


def bank_card(rng):
    """ISO/IEC 7812: Luhn check digit."""
    body = "622202" + "".join(str(rng.randrange(10)) for _ in range(12))
    total = sum(d if i % 2 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(map(int, reversed(body))))
    return body + str(-total % 10)


def sentence(rng, words=14):
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


class Person:
    def __init__(self, rng, number):
        self.number = number
        self.name = rng.choice(LATIN) if rng.random() < 0.2 else rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2))))
        self.id = resident_id(rng)
        self.card = bank_card(rng)
        self.mobile = "1" + rng.choice("35789") + "".join(str(rng.randrange(10)) for _ in range(9))
        self.unit = rng.choice(UNITS)
        self.salary = rng.randrange(6000, 45000, 100)
        self.joined = START + timedelta(days=rng.randrange(0, 1500))
        self.mail = f"p{number:04d}@hr.example"


class Writer:
    """Files with modes and times that follow from the seed alone."""

    def __init__(self, top):
        self.top = os.fsencode(top)

    def put(self, path, data, when, mode=0o640):
        full = os.path.join(self.top, os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if isinstance(data, str):
            data = data.encode()
        with open(full, "wb") as f:
            f.write(data)
        os.chmod(full, mode)
        self.touch(full, when)
        return full

    def touch(self, full, when):
        moment = datetime(when.year, when.month, when.day, 9, 30, tzinfo=timezone.utc).timestamp()
        ns = int(moment) * 10**9 + zlib.crc32(os.path.basename(full)) % 10**9
        os.utime(full, ns=(ns, ns))


def database(w, people, months, state):
    path = os.path.join(w.top, b"db", b"hr.sqlite")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    db = sqlite3.connect(os.fsdecode(path))
    db.executescript("""
        PRAGMA page_size = 4096; PRAGMA journal_mode = DELETE;
        CREATE TABLE employee (id INTEGER PRIMARY KEY, name TEXT, resident_id TEXT, mobile TEXT, unit TEXT, joined TEXT, mail TEXT, note TEXT);
        CREATE TABLE payroll (employee INTEGER, month TEXT, gross INTEGER, tax INTEGER, net INTEGER, account TEXT, PRIMARY KEY (employee, month));
        CREATE TABLE leave (id INTEGER PRIMARY KEY, employee INTEGER, first TEXT, days INTEGER, kind TEXT);
        CREATE INDEX payroll_month ON payroll (month);
    """)
    rng = random.Random(7)
    for p in people:
        note = sentence(rng, 30) if state < 3 or p.number % 50 else "corrected: " + sentence(rng, 30)
        db.execute("INSERT INTO employee VALUES (?,?,?,?,?,?,?,?)",
                   (p.number, p.name, p.id, p.mobile, p.unit, p.joined.isoformat(), p.mail, note))
    for month in months:
        for p in people:
            gross = p.salary + rng.randrange(0, 2000)
            db.execute("INSERT INTO payroll VALUES (?,?,?,?,?,?)",
                       (p.number, month, gross, gross // 7, gross - gross // 7, p.card))
    for i in range(len(people) * 8):
        db.execute("INSERT INTO leave VALUES (?,?,?,?,?)",
                   (i, rng.randrange(len(people)), (START + timedelta(days=rng.randrange(2000))).isoformat(),
                    rng.randrange(1, 15), rng.choice(["annual", "sick", "年假", "病假"])))
    db.commit()
    db.close()
    os.chmod(path, 0o600)
    w.touch(path, date(2013 + state, 12, 31))


def payroll(w, people, months):
    for month in months:
        rng = random.Random(month)
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(["工号", "姓名", "身份证号", "部门", "应发", "实发", "银行卡号"])
        for p in people:
            gross = p.salary + rng.randrange(0, 2000)
            rows.writerow([p.number, p.name, p.id, p.unit, gross, gross - gross // 7, p.card])
        when = date(int(month[:4]), int(month[5:]), 28)
        year = month[:4]
        if month < "2012-07":   # the old program wrote GB18030, in names too
            name = f"工资表-{month}.csv".encode("gb18030")
            w.put(b"payroll/" + year.encode() + b"/" + name, out.getvalue().encode("gb18030"), when)
        else:
            w.put(f"payroll/{year}/工资表-{month}.csv", out.getvalue(), when)


def mail(w, people, state):
    for box in ("inbox", "sent", "归档"):
        rng = random.Random("mail" + box)
        out = []
        for i in range(250 * state):
            p = rng.choice(people)
            when = datetime(2011, 1, 3, 8, 0, tzinfo=timezone.utc) + timedelta(hours=i * 35)
            out.append(f"From {p.mail} {when:%a %b %d %H:%M:%S %Y}\nFrom: {p.mail}\nTo: hr@hr.example\n"
                       f"Date: {when:%a, %d %b %Y %H:%M:%S +0000}\nSubject: {sentence(rng, 5)}\n"
                       f"Message-ID: <{box.encode().hex()}.{i}@hr.example>\nMIME-Version: 1.0\n"
                       f"Content-Type: text/plain; charset=utf-8\n\n"
                       + "\n".join(sentence(rng) for _ in range(rng.randrange(2, 12))) + f"\n\n-- \n{p.name}\n{p.mobile}\n\n")
        w.put(f"mail/{box}.mbox", "".join(out), date(2013 + state, 12, 30))


def logs(w, state):
    for year in range(2011, 2012 + state):
        for month in range(1, 13):
            rng = random.Random(f"log{year}{month}")
            lines = []
            for i in range(900):
                lines.append(f"{year}-{month:02d}-{1 + i * 28 // 900:02d}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z "
                             f"10.20.{rng.randrange(256)}.{rng.randrange(256)} {rng.choice(('GET', 'POST'))} "
                             f"/hr/{rng.choice(WORDS)}/{rng.randrange(10000)} {rng.choice((200, 200, 200, 302, 404, 500))}\n")
            w.put(f"logs/{year}/access-{year}-{month:02d}.log", "".join(lines), date(year, month, 28))


def docx(paragraphs):
    """A minimal WordprocessingML package (ECMA-376), times fixed."""
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        + body + "</w:body></w:document>"}
    return package(parts)


def xlsx(rows):
    """A minimal SpreadsheetML package with inline strings."""
    sheet = "".join("<row>" + "".join(
        f'<c t="inlineStr"><is><t>{v}</t></is></c>' if isinstance(v, str) else f"<c><v>{v}</v></c>" for v in row) + "</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    doc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/s1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{doc}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{doc}/worksheet" Target="s1.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{main}" xmlns:r="{doc}"><sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/s1.xml": f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'}
    return package(parts)


def package(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in parts.items():
            z.writestr(zipfile.ZipInfo(name, (2012, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def documents(w, people, state):
    where = "合同" if state < 3 else "archive/合同"      # state 3 moved the folder
    for p in people[:120]:
        rng = random.Random(f"contract{p.number}")
        text = [f"劳动合同 / Employment contract {p.number}", f"姓名: {p.name}", f"身份证号: {p.id}",
                f"Effective {p.joined}, monthly salary {p.salary}"] + [sentence(rng, 25) for _ in range(30)]
        if state >= 2 and p.number == 17:
            text[3] += " (corrected)"
        w.put(f"{where}/{p.unit}/{p.name}-{p.number}.docx", docx(text), p.joined if p.number != 17 or state == 1 else date(2014, 5, 5))
    rows = [["工号", "姓名", "部门", "月薪"]] + [[p.number, p.name, p.unit, p.salary] for p in people]
    w.put("office/花名册.xlsx", xlsx(rows), date(2013, 3, 1))
    w.put("office/leave-plan.xlsx", xlsx([["week", "name"]] + [[i % 52, p.name] for i, p in enumerate(people)]), date(2013, 3, 2))


def picture(rng, width, height):
    """A grey PNG with noise: a scan that does not compress."""
    raw = b"".join(b"\0" + rng.randbytes(width) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b""))


def others(w, people, state):
    w.put("etc/hr.conf", "# HR system\nlisten = 10.20.0.5:8443\ndb = /srv/hr/db/hr.sqlite\n"
          "smtp_user = hr-robot\nsmtp_password = Tr0ub4dor-and-3\nretention_years = 30\n", date(2011, 2, 1), 0o600)
    w.put("etc/hr.conf.bak", "# HR system\nlisten = 10.20.0.5:8080\n", date(2011, 1, 1), 0o600)
    w.put("bin/export-payroll", "#!/bin/sh\nexec sqlite3 \"${1:-db/hr.sqlite}\" 'SELECT * FROM payroll'\n", date(2011, 2, 1), 0o755)
    if state < 3:       # the cache went when the system was frozen
        for i in range(150):
            w.put(f"cache/{i % 16:x}/{i:04x}.html", f"<html><body>{sentence(random.Random(i), 200)}</body></html>\n", date(2013, 11, 1))
    for p in people[:24]:
        w.put(f"scans/{p.number:04d}.png", picture(random.Random(f"scan{p.number}"), 320, 240), date(2012, 6, 1))
    full = w.put("scans/index.txt", "".join(f"{p.number:04d}.png {p.name}\n" for p in people[:24]), date(2012, 6, 2))
    link = os.path.join(w.top, b"scans", b"README")
    if not os.path.lexists(link):
        os.link(full, link)
    current = os.path.join(w.top, b"payroll", b"current")
    if os.path.lexists(current):
        os.unlink(current)
    os.symlink(str(2010 + state + 1).encode(), current)


def folders(w):
    """Times of folders follow from the seed too, deepest first."""
    for path, _, _ in os.walk(w.top, topdown=False):
        w.touch(path, date(2013, 1, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir")
    parser.add_argument("--state", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--seed", type=int, default=20110101)
    args = parser.parse_args()
    os.umask(0o022)
    if args.state == 3:
        shutil.rmtree(os.path.join(args.dir, "cache"), ignore_errors=True)
        shutil.rmtree(os.path.join(args.dir, "合同"), ignore_errors=True)
    os.makedirs(args.dir, exist_ok=True)
    rng = random.Random(args.seed)
    people = [Person(rng, i) for i in range(300)]
    months = [f"{y}-{m:02d}" for y in range(2011, 2012 + args.state) for m in range(1, 13)]
    w = Writer(args.dir)
    database(w, people, months, args.state)
    payroll(w, people, months)
    mail(w, people, args.state)
    logs(w, args.state)
    documents(w, people, args.state)
    others(w, people, args.state)
    folders(w)


main()

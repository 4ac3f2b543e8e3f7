#!/usr/bin/python3
"""seed_content.py FOLDER: seeds of the target `content` that reach what short texts do not: an mbox of two messages, a PDF
with a table of text, a sheet with formats of numbers, a compound file, values inside values.  Always the same bytes."""
import io
import os
import struct
import sys
import zipfile

JSON, MBOX, PDF, XLSX, DOC = 2, 8, 9, 11, 18      # places in the target's list of names


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in members:
            z.writestr(zipfile.ZipInfo(name, (2001, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def mbox():
    one = "From a@example.org Sat Jan  3 01:05:34 1998\nFrom: A <a@example.org>\nTo: b@example.org\nSubject: =?utf-8?q?Caf=C3=A9?=\n" \
          "Date: Sat, 3 Jan 1998 01:05:34 +0000\nMessage-ID: <1@example.org>\n"
    return (one + "\nbody\n>From here\n\n" + one + "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/csv; name=a.csv\n"
            "Content-Transfer-Encoding: base64\n\nYSxiCjEsMgo=\n--x\nContent-Type: text/html\n\n<p>c</p>\n--x--\n\n").encode()


def pdf():
    text = "".join(f"BT /F 9 Tf {60 + 200 * column} {700 - 20 * row} Td ({word}) Tj ET\n"
                   for row, words in enumerate((("name", "card"), ("Ann", "4111 1111 1111 1111"), ("Bob", "5500 0000 0000 0004")))
                   for column, word in enumerate(words))
    bodies = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
              "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
              f"<</Length {len(text)}>>stream\n{text}endstream", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
              "<</Title(A list)/Author(Ann)>>"]
    out, places = "%PDF-1.4\n", []
    for i, body in enumerate(bodies):
        places.append(len(out))
        out += f"{i + 1} 0 obj{body}endobj\n"
    at = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n" + "".join(f"{p:010d} 00000 n \n" for p in places)
    return (out + f"trailer<</Size {len(bodies) + 1}/Root 1 0 R/Info 6 0 R>>\nstartxref\n{at}\n%%EOF\n").encode()


def xlsx():
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    codes = ["yyyy\\-mm\\-dd", "[$-407]d. mmmm yyyy", '0.00" kg";[Red]-0.00', "[h]:mm:ss", "# ?/?", "0.0E+00", "@"]
    formats = "".join(f'<numFmt numFmtId="{164 + i}" formatCode="{code.replace(chr(34), "&quot;")}"/>' for i, code in enumerate(codes))
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in [*range(164, 164 + len(codes)), 0, 2, 9, 14, 22, 46])
    cells = "".join(f'<c r="{chr(65 + i)}1" s="{i}"><v>{36000.5 + i}</v></c>' for i in range(len(codes) + 6))
    return zipped([
        ("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/'
         'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'),
        ("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" Type="{kinds}/officeDocument" '
         'Target="xl/workbook.xml"/></Relationships>'),
        ("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{kinds}"><workbookPr date1904="1"/><sheets><sheet name="A" sheetId="1" '
         'r:id="b"/></sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="b" Type="{kinds}/worksheet" '
         f'Target="worksheets/sheet1.xml"/><Relationship Id="c" Type="{kinds}/styles" Target="styles.xml"/></Relationships>'),
        ("xl/styles.xml", f'<styleSheet xmlns="{main}"><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>'),
        ("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>')])


def compound():
    """[MS-CFB]: head, one sector of the table, one of the directory."""
    def entry(name, kind, child):
        raw = name.encode("utf-16-le")
        return (raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)).ljust(116, b"\0") + \
            struct.pack("<IQ", 0xFFFFFFFE, 0)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                                                                        0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    table = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE).ljust(512, b"\xff")
    return (head + struct.pack("<I", 0)).ljust(512, b"\xff") + table + \
        entry("Root Entry", 5, 1) + entry("WordDocument", 2, 0xFFFFFFFF) + bytes(256)


def json():
    return b'[{"a":{"b":[{"mail":"a@example.org","n":-1.5e9},{"mail":"b@example.org"}],"c":"\\u00e9\\n"}},{"a":null,"d":[[],{},true,"4111111111111111"]}]'


os.makedirs(sys.argv[1], exist_ok=True)
for name, place, data in (("mbox-two", MBOX, mbox()), ("pdf-table", PDF, pdf()), ("xlsx-formats", XLSX, xlsx()), ("doc", DOC, compound()),
                          ("json-nested", JSON, json())):
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(bytes([place]) + data)

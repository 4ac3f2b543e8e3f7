"""Whole files with values of one kind each, in the formats that systems leave behind."""

import csv
import io
import json
import sqlite3
import zipfile
from email.message import EmailMessage
from xml.sax.saxutils import escape

NAMES = "Anna Bob Chen Dora Emil Fatima Georg Hana Ivan Jing".split()


def table(r, key, values):
    rows = [["id", "name", key, "city", "amount"]]
    for i, v in enumerate(values):
        rows.append([str(i + 1), r.choice(NAMES), v, r.choice(["Berlin", "上海", "Oslo"]),
                     "%.2f" % r.uniform(1, 999)])
    return rows


def as_csv(r, key, values):
    out = io.StringIO()
    csv.writer(out, delimiter=r.choice(",;\t"), quoting=r.choice([0, 1])).writerows(table(r, key, values))
    return out.getvalue().encode()


def objects(r, key, values):
    head, *rows = table(r, key, values)
    return [dict(zip(head, row)) for row in rows]


def as_json(r, key, values):
    return json.dumps({"rows": objects(r, key, values)}, indent=r.choice([None, 2]),
                      ensure_ascii=r.choice([True, False])).encode()


def as_json_lines(r, key, values):
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects(r, key, values)).encode()


def as_xml(r, key, values):
    rows = "".join("  <row><name>%s</name><%s>%s</%s></row>\n" % (r.choice(NAMES), key, escape(v), key)
                   for v in values)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<rows>\n%s</rows>\n' % rows).encode()


def as_sql(r, key, values):
    rows = ",\n".join("(%d,'%s','%s')" % (i, r.choice(NAMES), v.replace("'", "''")) for i, v in enumerate(values))
    return ("CREATE TABLE people (id INT, name TEXT, %s TEXT);\nINSERT INTO people (id, name, %s) VALUES\n%s;\n"
            % (key, key, rows)).encode()


def as_sqlite(r, key, values, path):
    db = sqlite3.connect(path)
    db.execute('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, "%s" TEXT)' % key)
    db.executemany("INSERT INTO people VALUES (?, ?, ?)",
                   [(i, r.choice(NAMES), v) for i, v in enumerate(values)])
    db.commit()
    db.close()


def as_letters(r, word, values):
    return "".join("Dear %s,\n\nwe have your %s as %s on file.\nPlease confirm until Friday.\n\n"
                   % (r.choice(NAMES), word, v) for v in values).encode()


def as_chinese(r, word, values):
    return "".join("员工%s的%s：%s，请核对后回复。\n" % (r.choice(["张三", "李四", "王芳"]), word, v)
                   for v in values)


def as_log(r, key, values):
    return "".join("2023-04-%02d 12:%02d:11,%03d INFO [main] c.a.Service - %s=%s done\n"
                   % (r.randint(1, 28), r.randint(0, 59), r.randint(0, 999), key, v) for v in values).encode()


def as_html(r, word, values):
    rows = "".join("<tr><td>%s</td><td>%s</td></tr>\n" % (r.choice(NAMES), escape(v)) for v in values)
    return ("<html><body><table><tr><th>Name</th><th>%s</th></tr>\n%s</table></body></html>" % (word, rows)).encode()


def as_mail(r, word, values):
    m = EmailMessage()
    m["Subject"] = "list"
    m.set_content("see the attachment\n")
    m.add_attachment(as_csv(r, word.replace(" ", "_"), values), maintype="text", subtype="csv", filename="a.csv")
    return m.as_bytes()


def as_docx(r, word, values):
    body = "".join("<w:p><w:r><w:t>The %s is %s</w:t></w:r></w:p>" % (word, escape(v)) for v in values)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/'
                   'package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override '
                   'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                   'wordprocessingml.document.main+xml"/></Types>')
        z.writestr("word/document.xml", '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
                   'wordprocessingml/2006/main"><w:body>%s</w:body></w:document>' % body)
    return out.getvalue()


def as_zip(r, key, values):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("data/list.csv", as_csv(r, key, values))
    return out.getvalue()


FORMATS = {     # name: (function, what it is given: a column's key, a word, or a Chinese word)
    "csv": (as_csv, "key"), "json": (as_json, "key"), "jsonl": (as_json_lines, "key"), "xml": (as_xml, "key"),
    "sql": (as_sql, "key"), "txt": (as_letters, "word"), "log": (as_log, "key"), "html": (as_html, "word"),
    "eml": (as_mail, "word"), "docx": (as_docx, "word"), "zip": (as_zip, "key"),
}
ENCODED = {"utf16.txt": "utf-16", "gb.txt": "gb18030"}

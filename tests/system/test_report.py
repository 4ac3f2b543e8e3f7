#!/usr/bin/python3
"""The page for people: its figures are those of the commands, no name breaks out of it, and it loads and runs nothing."""
import json
import os
import re
import socket
import stat
import subprocess
import sys
import xml.etree.ElementTree as tree

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from officers import Keeper, officer, write, year  # noqa: E402
from muniment import MUNI  # noqa: E402

EVIL = "</style><script>alert(1)</script> & \"x\" \x1b[31m\u202e"
POLICY = """
policy: report
version: 1
calendar: UTC
classes:
  - id: FIN
    title: {en: "Invoices </td><img src=x onerror=alert(1)>"}
    mandate: {instrument: "Act <b>7</b>", clause: "14 & 15", jurisdiction: XX}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: NEW
    title: {en: Kept long}
    retain: {trigger: modified, period: P40Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: CASE
    title: {en: Cases}
    retain: {trigger: "event:case-closed", period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: EVER
    title: {en: Deeds}
    retain: {trigger: modified, period: forever}
    then: keep
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
  - {id: new, when: {path: "new/**"}, decide: archive, class: NEW}
  - {id: case, when: {path: "case/**"}, decide: archive, class: CASE}
  - {id: ever, when: {path: "deeds/**"}, decide: archive, class: EVER}
  - {id: rest, when: {path: "**"}, decide: review}
"""


def page(a, *more):
    """The page as a tree (it is XML, too), and its text."""
    assert a.run("report", "--html", "report.html", *more) == "report.html\n"
    with open("report.html", encoding="utf-8") as f:
        text = f.read()
    return check(text), text


def check(text):
    assert text.startswith("<!DOCTYPE html>")
    root = tree.fromstring(re.sub(r"^<!DOCTYPE[^>]*>", "", text))
    names = {e.tag.split("}")[-1] for e in root.iter()}
    loading = {"script", "img", "link", "iframe", "object", "embed", "video", "audio", "form", "a", "base", "use", "image"}
    assert not names & loading, names & loading
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name not in ("src", "href", "style"), (element.tag, name)
            assert name.startswith("xmlns") or "://" not in value, (element.tag, name, value)
    policy = [e.get("content") for e in root.iter("meta") if e.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"], policy
    # A browser reads HTML, not XML: no element but void ones may end by itself outside of the drawings.
    assert not re.search(r"<(?!meta)[a-z0-9]+( [^>]*)?/>", re.sub(r"<svg.*?</svg>", "", text, flags=re.S))
    assert "\x1b" not in text and "\u202e" not in text and "<script" not in text and "onerror=alert(1)>" not in text
    return root


def section(root, title):
    """The elements below that heading, up to the next."""
    body, found, inside = root.find("body"), [], False
    for element in body:
        if element.tag == "h2":
            inside = element.text == title
        elif inside:
            found.append(element)
    assert found, (title, [e.text for e in body.iter("h2")])
    return found


def rows(elements):
    return [[("".join(td.itertext())) for td in tr] for e in elements for tr in e.findall("./tbody/tr")]


def waits(root):
    return [li.text for e in section(root, "What waits for somebody") for li in e.iter("li")]


def number(text):
    return int(text.replace(",", ""))


def sums(a, *more):
    lines = [json.loads(line) for line in a.run("due", "--summary", "--json", *more).splitlines()]
    out = {}
    for s in lines:
        out.setdefault(s["class"] or "-", {})[s["standing"]] = s["records"]
    return out


def same_as_due(a, root, *more):
    """Each class with its records and standings, as `muni due` has them."""
    due = sums(a, *more)
    told = {r[0].split(":")[0]: r for r in rows(section(root, "What is kept, and for how long"))}
    assert set(told) == set(due), (set(told), set(due))
    for name, by in due.items():
        assert number(told[name][3]) == sum(by.values()), (name, by, told[name])
        said = {w: number(n) for n, w in (part.split(" ", 1) for part in told[name][5].split(", "))}
        assert said == by, (name, said, by)
    return told


def empty_archive():
    a = Keeper("empty")
    root, _ = page(a)
    assert any("no officer is in office" in w for w in waits(root)), waits(root)
    assert [p.text for p in section(root, "What is kept, and for how long")] == ["There is no record."]
    assert "no certificate" in section(root, "What went")[0].text
    a.remove()


def wrong_words(a):
    done = subprocess.run([MUNI, "report", a.path, "--keyring", a.keyring, "--key-file", a.key], capture_output=True, text=True)
    assert done.returncode == 2 and "--html FILE" in done.stderr, done
    done = subprocess.run([MUNI, "report", a.path, "--html", "-", "--json", "--keyring", a.keyring, "--key-file", a.key],
                          capture_output=True, text=True)
    assert done.returncode == 2, done
    done = subprocess.run([MUNI, "report", a.path, "--html", "nowhere/r.html", "--keyring", a.keyring, "--key-file", a.key],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "nowhere" in done.stderr, done


def sources():
    for i in range(12):
        write(f"src/fin/secret-name-{i}.txt", f"invoice {i}\n" * 50, year(2001) + i)
        write(f"src/new/n{i}.txt", f"new {i}\n" * 50, year(2000 + i))
    write("src/case/c.txt", "a case\n", year(2005))
    write("src/deeds/d.txt", "a deed\n", year(2005))
    write("src/loose/l.txt", "loose\n", year(2005))
    with open("policy.yaml", "w") as f:
        f.write(POLICY)


def into_streams(a):
    """Nobody is waited for, nothing of others written into, and no link is followed but one's own streams."""
    line = [MUNI, "report", a.path, "--keyring", a.keyring, "--key-file", a.key, "--html"]
    done = subprocess.run(line + ["pipe"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and 'nobody reads from "pipe"' in done.stderr, done
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("a-socket")
        done = subprocess.run(line + ["a-socket"], capture_output=True, text=True, timeout=100)
        assert done.returncode == 1 and 'nobody reads from "a-socket"' in done.stderr, done
    os.makedirs("shared-by-all")
    os.chmod("shared-by-all", 0o1777)
    os.mkfifo("shared-by-all/pipe")
    os.chmod("shared-by-all/pipe", 0o666)
    with open(os.open("shared-by-all/pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        done = subprocess.run(line + ["shared-by-all/pipe"], capture_output=True, text=True, timeout=100)
        assert done.returncode == 1 and "not yours alone" in done.stderr and reader.read() == b"", done
    os.mkfifo("another-pipe")
    os.symlink("another-pipe", "linked-pipe")
    with open(os.open("another-pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        subprocess.run(line + ["linked-pipe"], check=True, timeout=100)
        assert reader.read() == b"" and stat.S_ISREG(os.lstat("linked-pipe").st_mode)
    for name in "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
        before = os.lstat(name)
        done = subprocess.run(line + [name], capture_output=True, text=True, check=True, timeout=100)
        check(done.stdout)
        with open("redirected", "w+", encoding="utf-8") as f:
            subprocess.run(line + [name], stdout=f, check=True, timeout=100)
            f.seek(0)
            check(f.read())
        assert stat.S_ISLNK(os.lstat(name).st_mode) == stat.S_ISLNK(before.st_mode)
    assert subprocess.run(line + ["/dev/null"], timeout=100).returncode == 0 and stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    done = subprocess.run(line + ["/dev/full"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "/dev/full" in done.stderr and stat.S_ISCHR(os.lstat("/dev/full").st_mode), done


def main():
    empty_archive()
    sources()
    a = Keeper()
    for who, role in (("rita", "records"), ("otto", "owner")):
        officer(who)
        a.ask("officer", "add", "--id", who, "--role", role, "--cert", f"{who}.pem")
    a.run("scan", "src", "--system", "erp", "-q")
    root, _ = page(a)
    assert any(w.startswith("erp was scanned") for w in waits(root)), waits(root)
    a.run("classify", "--system", "erp", "--policy", "policy.yaml", "-q")
    a.run("ingest", "src", "--system", "erp", "--version", "first", "-q")
    write("src/new/later.txt", "later\n", year(2015))
    a.run("scan", "src", "--system", "erp", "-q")
    a.run("ingest", "src", "--system", "erp", "--version", "second", "-q")
    # The name of a system is cut before its bar: in whole characters.
    long_name = "x" + "\u8ca1\u52d9\u6a94\u6848\u7cfb\u7d71\u820a\u65b0"
    write("other/o.txt", "of another system\n", year(2020))
    a.run("ingest", "other", "--system", long_name, "--version", "only", "-q")
    a.ask("hold", "add", "--system", "erp", "--path", "fin/secret-name-3.txt", "--case", EVIL, "--reason", EVIL)
    a.ask("hold", "add", "--system", "erp", "--path", "no/such/**", "--case", "K2", "--reason", "nothing")
    a.ask("copy", "add", "--of", "data", "--place", EVIL)

    root, text = page(a)
    told = same_as_due(a, root)
    assert told["FIN"][2] == "Act <b>7</b> 14 & 15" and told["FIN"][1] == '5 years from "modified", then destroy', told["FIN"]
    came = rows(section(root, "What came"))
    assert came[0][0] == "erp" and came[0][1] == "2" and came[1][0] == long_name, came
    assert [r[0] for r in came[2:]] == ["erp@first", "erp@second", f"{long_name}@only"], came
    assert f">{long_name[:8]}</text>" in text
    assert "secret-name-1" not in text and "secret-name-3" in text      # no path, but in the scope of a hold
    held = rows(section(root, "What is held"))
    assert [r[0] for r in held] == ["H1", "H2"] and held[0][3] == "1" and held[1][3] == "0", held
    said = waits(root)
    for words in ("11 records have come to the end of their retention", "no date to count from", "hold H2 covers no record",
                  "1 item of erp wants a decision by a person", "1 item of erp came or changed"):
        assert any(words in w for w in said), (words, said)
    assert "<svg" in text and rows(section(root, "What was decided on inventories"))[0][2].startswith("26 ")

    # As of another day: what `muni due` says of it.
    root, _ = page(a, "--asof", "2060-01-01")
    told = same_as_due(a, root, "--asof", "2060-01-01")
    assert number(told["NEW"][3]) == 12 and "due" in told["NEW"][5], told["NEW"]

    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    root, _ = page(a)
    assert any(w.startswith(f"disposition {d} waits: ") for w in waits(root)), waits(root)
    a.ask("dispose", "approve", d, by="otto")
    root, _ = page(a)
    assert any(f"disposition {d} has its approvals" in w for w in waits(root)), waits(root)
    c = a.id("dispose", "execute", d, by="rita")
    root, text = page(a)
    same_as_due(a, root)
    went = rows(section(root, "What went"))
    listed = json.loads(a.ask("cert", "list", "--json").splitlines()[0])
    assert went[0][:2] == [c, d] and number(went[0][3]) == 11 and went[0][5] == listed["sha256"], went
    assert not any("have come to the end" in w for w in waits(root)), waits(root)
    assert [r[0] for r in rows(section(root, "Who may, and where copies are"))][:2] == ["otto", "rita"]

    # The same on standard output, and in figures for scripts.
    again = a.run("report", "--html", "-")
    check(again)
    o = json.loads(a.run("report", "--html", "two.html", "--json"))
    assert o["type"] == "report" and o["certificates"] == 1 and o["waits"] == waits(root) and o["held"] == 1, o
    assert o["records"] == sum(sum(by.values()) for by in sums(a).values()), o
    head = json.loads(a.ask("audit", "head"))
    assert head["root"] in text, head
    wrong_words(a)
    # What is there and is no file is written into, and stays what it is.
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        assert a.run("report", "--html", "pipe") == ""
        check(reader.stdout.read())
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)
    into_streams(a)
    # A page that cannot be written whole leaves what was there.
    os.makedirs("full", exist_ok=True)
    before = open("report.html", encoding="utf-8").read()
    done = subprocess.run(["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", MUNI, "report", a.path, "--html", "report.html",
                           "--keyring", a.keyring, "--key-file", a.key], capture_output=True, text=True)
    assert done.returncode == 1, done
    assert open("report.html", encoding="utf-8").read() == before


main()

#!/usr/bin/python3
"""An archive of another make as the source of a scan: the same items as the directory that was packed, whatever
the archive's size, order or make; what of it cannot be read is said, and never taken for clean."""
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, tree  # noqa: E402

rng = random.Random(5)
SAME = ("path", "path_base64", "kind", "size", "sha256", "format", "claimed", "encoding", "script", "opaque", "findings",
        "duplicate_of", "copies", "target")


def inventory(system):
    out = {}
    for line in a.run("inventory", "--system", system, "--json").splitlines():
        r = json.loads(line)
        out[r["path"]] = {k: r.get(k) for k in SAME}
    return out


def scan(source, system, *args, status=0):
    out = [json.loads(x) for x in a.run("scan", source, "--system", system, "--json", *args, status=status).splitlines()]
    return out[-1] if out else None


def add(t, name, data=b"", **more):
    i = tarfile.TarInfo(name)
    i.size = len(data)
    i.mtime = 1e9
    for k, v in more.items():
        setattr(i, k, v)
    t.addfile(i, io.BytesIO(data))


def make_source():
    tree("src", 11, files=80)
    os.makedirs("src/empty/within")
    os.symlink("d1/f001", "src/link")
    with open("src/mail.txt", "w") as f:
        f.write("write to somebody@example.org\n" * 3)
    # Past what is held in memory: through the pipe, and one of them sparse.
    with open("src/large.txt", "wb") as f:
        f.write(b"a line of no meaning at all\n" * 200000)
    with open("src/larger.bin", "wb") as f:
        f.write(rng.randbytes(3 << 20))
    with open("src/sparse", "wb") as f:
        f.seek(9 << 20)
        f.write(b"the end")
    with open("src/zero", "wb"):
        pass


def the_items_are_those_of_the_directory():
    scan("src", "dir")
    want = inventory("dir")
    assert want["mail.txt"]["findings"][0]["type"] == "email"
    subprocess.run(["tar", "-cSf", "src.tar", "-C", "src", "."], check=True)
    subprocess.run(["tar", "-czf", "src.tar.gz", "-C", "src", "."], check=True)
    with zipfile.ZipFile("src.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for folder, dirs, files in os.walk("src"):
            for name in files + dirs:
                full = os.path.join(folder, name)
                if not os.path.islink(full):
                    z.write(full, os.path.relpath(full, "src"))
    for name in ("src.tar", "src.tar.gz", "src.zip"):
        for threads in ("1", "6"):
            r = scan(name, name, "--threads", threads, "--reread")
            assert r["problems"] == 0, r
            got = inventory(name)
            expect = {k: v for k, v in want.items() if not (name.endswith("zip") and k == "link")}
            assert got == expect, [(k, got.get(k), expect.get(k)) for k in set(got) | set(expect)
                                   if got.get(k) != expect.get(k)]
        r = scan(name, name)
        assert r["looked_into"] == 0 and r["read_bytes"] == 0 and r["unchanged"] == r["items"], r
        r = scan(name, name, "--exclude", "d*")
        assert r["gone"] > 70 and "mail.txt" in inventory(name), r
    os.utime("src.tar", (1, 1))
    r = scan("src.tar", "src.tar")
    assert r["looked_into"] == r["files"], r
    a.run("verify")


def names_that_come_twice_and_links():
    with tarfile.open("twice.tar", "w") as t:
        add(t, "a", b"first")
        add(t, "dir/b", b"one inode")
        add(t, "hard", type=tarfile.LNKTYPE, linkname="dir/b")
        add(t, "a", b"the second stands")
        add(t, "gone", b"a file, then a directory")
        add(t, "copy", b"one inode")
        add(t, "gone", type=tarfile.DIRTYPE, mode=0o755)
        add(t, "./x//y/../z", b"out?")
        add(t, "/abs", b"below the top")
        add(t, "to nothing", type=tarfile.LNKTYPE, linkname="no such entry")
        add(t, "dir/sub", type=tarfile.DIRTYPE, mode=0o700)
        add(t, "dev", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    r = scan("twice.tar", "twice", status=1)
    rows = inventory("twice")
    assert set(rows) == {"a", "abs", "copy", "dev", "dir/b", "dir/sub", "gone", "hard"}, rows.keys()
    assert rows["a"]["size"] == len(b"the second stands") and rows["gone"]["kind"] == "directory"
    assert rows["hard"]["sha256"] == rows["dir/b"]["sha256"] == rows["copy"]["sha256"]
    assert rows["copy"]["duplicate_of"] is None
    # "copy" comes first by path: the two names of the other inode are copies of it.
    assert rows["hard"]["duplicate_of"] == rows["dir/b"]["duplicate_of"] == "copy" and rows["hard"]["copies"] == 2
    assert r["problems"] == 2 and r["duplicates"] == 2 and r["duplicate_bytes"] == 9, r


def what_cannot_be_read_is_said():
    with open("secret.txt", "w") as f:
        f.write("somebody@example.org\n")
    subprocess.run(["zip", "-q", "-P", "x", "locked.zip", "secret.txt"], check=True)
    r = scan("locked.zip", "locked", status=1)
    rows = inventory("locked")
    assert rows["secret.txt"]["opaque"] and rows["secret.txt"]["sha256"] is None and r["opaque"] == 1, rows
    with open("src.tar.gz", "rb") as f:
        raw = f.read()
    with open("cut.tar.gz", "wb") as f:
        f.write(raw[:len(raw) * 2 // 3])
    r = scan("cut.tar.gz", "cut", status=1)
    assert r["problems"] >= 1 and 0 < r["items"], r
    for row in inventory("cut").values():
        assert row["sha256"] or row["opaque"] or row["kind"] != "file", row
    # A damaged entry in the middle of a zip is one opaque item.
    with open("src.zip", "rb") as f:
        raw = bytearray(f.read())
    with zipfile.ZipFile("src.zip") as z:
        at = z.getinfo("larger.bin").header_offset + 200000
    raw[at] ^= 0xff
    with open("bad.zip", "wb") as f:
        f.write(raw)
    scan("bad.zip", "bad", status=1)
    rows, want = inventory("bad"), inventory("dir")
    assert rows["larger.bin"]["opaque"] and rows["larger.bin"]["sha256"] is None, rows["larger.bin"]
    assert {k: v for k, v in rows.items() if k != "larger.bin"} == {k: v for k, v in want.items() if k not in ("larger.bin", "link")}


def killed_it_goes_on():
    with tarfile.open("many.tar", "w") as t:
        for i in range(6000):
            add(t, f"d{i % 50}/f{i}", b"content of %d\n" % (i % 5000))
    for turn in range(5):
        p = subprocess.Popen([MUNI, "scan", a.path, "many.tar", "--system", "many", "-q", "--keyring", a.keyring,
                              "--key-file", a.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.1 + rng.random() * 0.5)
        p.send_signal(signal.SIGKILL if turn % 2 else signal.SIGINT)
        p.wait()
        a.run("verify")
    scan("many.tar", "many")
    scan("many.tar", "many whole")
    assert inventory("many") == inventory("many whole") and len(inventory("many")) == 6000


make_source()
a = Archive("archive")
for test in (the_items_are_those_of_the_directory, names_that_come_twice_and_links, what_cannot_be_read_is_said,
             killed_it_goes_on):
    print(test.__name__, flush=True)
    test()

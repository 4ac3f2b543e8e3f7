#!/usr/bin/python3
"""What costs nothing to claim, in a source that somebody else made.  Files that are nearly all hole: sizes that add up past 2^63 stop no ingest, scan or report, and what is
shown as SHA-256 is what sha256sum says, or nothing.  Links longer than any file system's: the rest is exported and read."""
import errno
import hashlib
import json
import os
import resource
import subprocess
import sys
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import muniment as m

MOST = 2 ** 63 - 1
GIB = 1 << 30


def header(name, size, kind):
    h = bytearray(512)
    h[:len(name)], h[100:108], h[156:157], h[257:265] = name, b"0000644\0", kind, b"ustar\00000"
    h[108:116] = h[116:124] = b"0000000\0"
    h[124:136], h[136:148], h[148:156] = b"%011o\0" % size, b"%011o\0" % 0, b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def member(name, data, kind=b"0"):
    return header(name, len(data), kind) + data + b"\0" * (-len(data) % 512)


def record(key, value):
    body = b" %s=%s\n" % (key, value)
    size = len(body)
    while len(b"%d" % size) + len(body) != size:
        size = len(b"%d" % size) + len(body)
    return b"%d" % size + body


def hollow(name, size):
    """A member of one byte that says it is `size` long, its byte the last."""
    said = (record(b"GNU.sparse.size", b"%d" % size) + record(b"GNU.sparse.numblocks", b"1") +
            record(b"GNU.sparse.map", b"%d,1" % (size - 1)))
    return member(b"pax", said, b"x") + member(name, b"q")


def test_sizes_that_add_up_past_what_a_row_holds():
    with open("lies.tar", "wb") as f:
        f.write(hollow(b"a", MOST) + hollow(b"b", MOST) + hollow(b"c", 2 ** 62) + member(b"good", b"good") + b"\0" * 1024)
    a = m.Archive("lies")
    a.run("scan", "lies.tar", "--system", "s", status=1)
    assert "not be looked into" in a.errors and "too large" not in a.errors, a.errors
    items = [r for r in map(json.loads, a.run("inventory", "--system", "s", "--json").splitlines()) if r["type"] == "item"]
    assert sorted((i["path"], i["size"]) for i in items) == [("a", MOST), ("b", MOST), ("c", 2 ** 62), ("good", 4)], items
    listed = a.run("inventory", "--system", "s")
    assert "4 items, 8.0 EiB" in listed, listed
    a.run("ingest", "lies.tar", "--system", "t")
    version, = a.log("t")
    assert version["files"] == 4 and version["bytes"] == MOST, version
    assert "8.0 EiB" in a.run("due"), "due"
    assert a.run("cat", "t", "good") == "good"
    a.run("export", "t", "--to", "out.tar", "--format", "tar")
    assert "8.0 EiB" in a.errors and os.path.getsize("out.tar") < 1 << 20, a.errors
    a.run("ingest", "out.tar", "--system", "u")
    assert not [r for r in map(json.loads, a.run("diff", "t", "u", "--json").splitlines()) if r.get("change") == "content"]
    a.run("verify", "--deep")
    if m.can_mount():
        a.mount()
        at = os.statvfs("mnt")
        seen = os.stat("mnt/t/latest/a").st_size
        m.unmount()
        assert seen == MOST and at.f_blocks * at.f_frsize >= MOST - at.f_frsize and at.f_bfree == 0, (seen, at)


def test_a_format_without_holes_refuses_what_would_have_no_end():
    with open("hollow.tar", "wb") as f:
        f.write(hollow(b"endless", MOST) + hollow(b"over", (16 << 40) + 2) + hollow(b"modest", 64 << 20) + member(b"good", b"good") +
                b"\0" * 1024)
    a = m.Archive("endless")
    a.run("ingest", "hollow.tar", "--system", "s")
    for kind in "zip", "bagit":
        said = a.run("export", "s", "--to", f"refused.{kind}", "--format", kind, "--json", status=1, timeout=200)
        rows = [json.loads(line) for line in said.splitlines()]
        told = {r["path"]: r["what"] for r in rows if r["type"] == "problem"}
        assert sorted(told) == ["endless", "over"] and all("--format tar" in w for w in told.values()), (kind, rows)
        assert rows[-1]["type"] == "export" and rows[-1]["files"] == 2, rows
        assert "2 item(s) were left out" in a.errors, a.errors
    with zipfile.ZipFile("refused.zip") as z:
        assert sorted(z.namelist()) == ["good", "modest"] and z.read("good") == b"good", z.namelist()
    assert sorted(os.listdir("refused.bagit/data")) == ["good", "modest"], os.listdir("refused.bagit/data")
    for line in open("refused.bagit/manifest-sha256.txt", encoding="utf-8"):
        digest, path = line.rstrip("\n").split("  ")
        assert sha256_of(f"refused.bagit/{path}") == digest, line
    a.run("export", "s", "--to", "taken.tar", "--format", "tar")
    assert not os.path.exists("refused.zip.partial") and not os.path.exists("refused.bagit.partial")


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        while piece := f.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()


def test_a_digest_of_data_and_places_is_not_shown_as_sha256():
    os.mkdir("holes")
    for name, size in (("few", GIB // 64), ("many", GIB + (1 << 20))):
        with open(f"holes/{name}", "wb") as f:
            f.seek(size)
            f.write(b"end")
    true = sha256_of("holes/few")
    a = m.Archive("digests")
    a.run("scan", "holes", "--system", "h")
    a.run("ingest", "holes", "--system", "h", "--all")
    items = {r["path"]: r for r in map(json.loads, a.run("inventory", "--system", "h", "--json").splitlines()) if r["type"] == "item"}
    assert items["few"]["sha256"] == true and items["many"]["sha256"] is None and "digest" not in items["few"], items
    sheet = a.run("inventory", "--system", "h", "--csv")
    assert sheet.count(true) == 1 and not [f for line in sheet.splitlines() if line.startswith("many") for f in line.split(",") if len(f) == 64]
    one, other = (json.loads(a.run("stat", "h", n, "--json")) for n in ("few", "many"))
    assert one["sha256"] == true and "sha256" not in other and other["digest"] == items["many"]["digest"], (one, other)
    assert true in a.run("stat", "h", "few") and "sha256" not in a.run("stat", "h", "many")
    if m.can_mount():
        a.mount()
        try:
            shown = os.getxattr("mnt/h/latest/few", "user.muniment.sha256").decode()
            try:
                os.getxattr("mnt/h/latest/many", "user.muniment.sha256")
                assert False, "a digest that is none of its bytes"
            except OSError as e:
                assert e.errno == errno.ENODATA, e
        finally:
            m.unmount()
        assert shown == true, shown


def test_a_link_longer_than_any_file_systems_stops_nothing():
    def link(name, size):
        return member(b"pax", record(b"linkpath", b"l" * size), b"x") + header(name, 0, b"2")[:157] + b"l" * 90 + header(name, 0, b"2")[247:]

    def with_sum(h):
        h = h[:-512] + h[-512:-364] + b" " * 8 + h[-356:]
        return h[:-364] + b"%06o\0 " % sum(h[-512:]) + h[-356:]
    with open("links.tar", "wb") as f:
        f.write(b"".join(with_sum(link(n, size)) for n, size in ((b"fits", 4095), (b"long", 4096), (b"longer", 60000))))
        f.write(member(b"good", b"good") + b"\0" * 1024)
    a = m.Archive("links")
    a.run("ingest", "links.tar", "--system", "s")
    a.run("export", "s", "--to", "links.out", "--format", "dir")
    assert sorted(os.listdir("links.out")) == ["fits", "good"], os.listdir("links.out")
    assert all(f"{n}: a symbolic link has no place in the target, or is too long for it" in a.errors for n in ("long", "longer")), a.errors
    a.run("export", "s", "--to", "links.out.tar", "--format", "tar")
    with tarfile.open("links.out.tar") as t:
        assert {n.name: len(n.linkname) for n in t if n.issym()} == {"fits": 4095, "long": 4096, "longer": 60000}
    if m.can_mount():
        a.mount()
        try:
            assert os.readlink("mnt/s/latest/fits") == "l" * 4095
            for name in "long", "longer":
                try:
                    os.readlink(f"mnt/s/latest/{name}")
                    assert False, name
                except OSError as e:
                    assert e.errno == errno.ENAMETOOLONG, e
        finally:
            m.unmount()


def test_an_archive_is_read_under_a_limit_on_memory_that_cannot_be_raised():
    """The process that reads it lowers its own limits; where they are lower already, they stay."""
    with open("small.tar", "wb") as f:
        f.write(member(b"good", b"good") + b"\0" * 1024)
    a = m.Archive("limits")
    line = [m.MUNI, "ingest", a.path, "small.tar", "--system", "s", "--threads", "1", "--keyring", a.keyring, "--key-file", a.key]

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
        if os.geteuid() == 0:       # root raises what it likes: be somebody who cannot
            drop_resource()
    done = subprocess.run(line, capture_output=True, preexec_fn=limit, timeout=120)
    assert done.returncode == 0, (done.returncode, done.stderr)


def drop_resource():
    """CAP_SYS_RESOURCE (24) out of what a program that is executed may have."""
    import ctypes
    ctypes.CDLL(None).prctl(24, 24, 0, 0, 0)        # PR_CAPBSET_DROP


def main():
    test_sizes_that_add_up_past_what_a_row_holds()
    test_a_digest_of_data_and_places_is_not_shown_as_sha256()
    test_a_link_longer_than_any_file_systems_stops_nothing()
    test_a_format_without_holes_refuses_what_would_have_no_end()
    if "san" not in m.BUILD:        # a sanitizer maps terabytes
        test_an_archive_is_read_under_a_limit_on_memory_that_cannot_be_raised()


main()

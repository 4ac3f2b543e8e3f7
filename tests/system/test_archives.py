#!/usr/bin/python3
"""Archives that others made, through the real program: every format comes in as
the tree that it was made of; hostile, damaged, encrypted and wrong ones end in a
safe tree or a clear refusal, and touch nothing outside."""
import filecmp
import gzip
import io
import os
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile

MUNI = os.environ["MUNI"]
SUPPORT = os.environ["SUPPORT"]
KEYS = ["--keyring", "keyring", "--key-file", "key"]
failures = 0


def check(claim, ok, detail=""):
    global failures
    if not ok:
        failures += 1
        print(f"FAILED: {claim}\n{detail}")


def muni(*words, stdin=None):
    done = subprocess.run([MUNI, *words, *KEYS], capture_output=True, check=False, input=stdin)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def run(*words, cwd=None, stdin=None):
    subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.DEVNULL, input=stdin,
                   stderr=subprocess.DEVNULL)


def ingest(source, system, *more, stdin=None):
    return muni("ingest", "archive", source, "--system", system, *more, stdin=stdin)


def export(system):
    target = f"out.{system}"
    code, _, text = muni("export", "archive", system, "--to", target)
    check(f"{system} is exported", code == 0, text)
    return target


def make_source():
    rng = random.Random(3)
    os.makedirs("src/员工/empty")
    for name, data in (("a.txt", b"one line\n"), ("员工/工资.csv", "姓名,工资\n".encode() * 900),
                       ("random", rng.randbytes(300_000)), ("nothing", b"")):
        with open(f"src/{name}", "wb") as f:
            f.write(data)
    os.symlink("a.txt", "src/link")
    os.link("src/a.txt", "src/员工/second name")
    os.chmod("src/a.txt", 0o640)
    for path, at in (("src/a.txt", 1_000_000_001), ("src/random", 86_400 * 365)):
        os.utime(path, (at, at))


# ---- each format ------------------------------------------------------------------

def make_archives():
    """(file, program, what the format cannot carry, for compare.py)"""
    made = []

    def attempt(program, name, words, lacks, cwd="src", stdin=None):
        if shutil.which(program) is None:
            print(f"left out {name}: no {program}")
            return
        run(program, *words, cwd=cwd, stdin=stdin)
        made.append((name, lacks))

    names = subprocess.run(["find", ".", "-print0"], cwd="src", capture_output=True,
                           check=True).stdout
    attempt("tar", "gnu.tar", ["--format=gnu", "-cf", "../gnu.tar", "."], "mtime")
    attempt("tar", "pax.tar", ["--format=pax", "--xattrs", "--acls", "-cf", "../pax.tar", "."], "")
    attempt("tar", "ustar.tar", ["--format=ustar", "-cf", "../ustar.tar", "."], "mtime")
    attempt("bsdtar", "bsd.tar", ["--format=pax", "-cf", "../bsd.tar", "."], "")
    for flag, suffix in (("--gzip", "gz"), ("--bzip2", "bz2"), ("--xz", "xz"), ("--lzma", "lzma"),
                         ("--zstd", "zst"), ("--lz4", "lz4"), ("--compress", "Z")):
        attempt("bsdtar", f"p.tar.{suffix}", [flag, "--format=pax", "-cf", f"../p.tar.{suffix}",
                                              "."], "")
    attempt("zip", "plain.zip", ["-qry", "../plain.zip", "."], "mtime,links,nlink,owner")
    attempt("7z", "plain.7z", ["a", "-snl", "../plain.7z", "."], "mtime,links,nlink,owner")
    attempt("cpio", "newc.cpio", ["-o0", "-H", "newc", "-O", "../newc.cpio"], "mtime",
            stdin=names)
    attempt("cpio", "odc.cpio", ["-o0", "-H", "odc", "-O", "../odc.cpio"], "mtime", stdin=names)
    attempt("genisoimage", "plain.iso", ["-quiet", "-R", "-o", "../plain.iso", "."],
            "mtime,links,nlink")
    attempt("bsdtar", "plain.xar", ["--format=xar", "-cf", "../plain.xar", "."], "mtime")
    return made


def formats_come_in():
    for number, (name, lacks) in enumerate(make_archives()):
        system = f"f{number}"
        code, _, text = ingest(name, system)
        check(f"{name} is ingested", code == 0, text)
        target = export(system)
        no = "dirtime,linktime,holes" + ("," + lacks if lacks else "")
        if "owner" in lacks or "iso" in name:	# these say nothing of the top
            os.chmod(target, os.stat("src").st_mode & 0o7777)
        if os.geteuid() != 0:
            no += ",owner"
        done = subprocess.run([f"{SUPPORT}/compare.py", "src", target, "--no", no],
                              capture_output=True, text=True, check=False)
        check(f"{name} comes back as it was", done.returncode == 0, done.stdout)


def streams_come_in():
    with open("p.tar.xz", "rb") as f:
        code, _, text = ingest("-", "stream", stdin=f.read())
    check("a tar.xz from standard input", code == 0, text)
    check("and is the same", not filecmp.dircmp("src", export("stream")).diff_files)
    with open("plain.zip", "rb") as f:
        code, _, text = ingest("-", "zipstream", stdin=f.read())
    check("a zip from standard input", code == 0, text)
    if os.path.exists("plain.7z"):
        with open("plain.7z", "rb") as f:
            code, _, text = ingest("-", "sevenstream", stdin=f.read())
        check("7z from a stream is refused with the way out", code == 1 and "file" in text, text)


def old_zip_names():
    names = ["员工/工资.csv", "合同.txt"]
    with zipfile.ZipFile("gb.zip", "w") as z:
        for name in names:
            z.writestr("x" * len(name.encode("gb18030")), b"data")
    with open("gb.zip", "rb") as f:
        data = f.read()
    for name in names:
        raw = name.encode("gb18030")
        data = data.replace(b"x" * len(raw), raw)
    with open("gb.zip", "wb") as f:
        f.write(data)
    code, _, text = ingest("gb.zip", "gb", "--name-encoding", "GB18030")
    check("a zip with GB18030 names", code == 0, text)
    check("has the names in UTF-8", os.path.exists(export("gb") + "/员工/工资.csv"))
    code, _, _ = ingest("gb.zip", "gbraw")
    check("without the option the bytes stay", code == 0 and
          os.path.exists(export("gbraw").encode() + b"/" + "合同.txt".encode("gb18030")))
    code, _, text = ingest("gb.zip", "gbno", "--name-encoding", "NO-SUCH")
    check("an unknown encoding is wrong usage", code == 2, text)


def lha_that_names_its_code_page():
    """Level 2 headers: the name in CP932, and that it is."""
    def entry(name, data):
        def with_sum(value):
            extensions = [b"\0" + struct.pack("<H", value), b"\x46" + struct.pack("<I", 932), b"\1" + name]
            chain = b"".join(struct.pack("<H", len(x) + 2) + x for x in extensions) + struct.pack("<H", 0)
            head = (b"-lh0-" + struct.pack("<III", len(data), len(data), 1_000_000_000) + b"\x20\x02" +
                    struct.pack("<H", crc16(data)) + b"U" + chain)
            return struct.pack("<H", len(head) + 2) + head

        return with_sum(crc16(with_sum(0))) + data

    def crc16(data):
        crc = 0
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        return crc

    with open("cp932.lzh", "wb") as f:
        f.write(entry("契約書.txt".encode("cp932"), b"signed\n") + b"\0")
    code, _, text = ingest("cp932.lzh", "lha")
    check("an lha whose names are in CP932", code == 0, text)
    check("has them in UTF-8", os.listdir(export("lha")) == ["契約書.txt"])


# ---- what is not whole -------------------------------------------------------------

def versions(system):
    code, out, _ = muni("log", "archive", system, "--json")
    return out if code == 0 else b""


def times_that_are_not_said_are_the_archives():
    """Retention counts from them: what were as old as 1970 would be due at once."""
    if not shutil.which("7z"):
        return
    run("7z", "a", "-mtm=off", "../silent.7z", ".", cwd="src")
    for at, version in (1_200_000_000, "1"), (1_300_000_000, "2"):
        os.utime("silent.7z", (at, at))
        code, _, text = ingest("silent.7z", "silent", "--version", version)
        check("an archive without times", code == 0, text)
    top = export("silent")
    times = {int(os.lstat(os.path.join(d, n)).st_mtime) for d, _, files in os.walk(top) for n in files}
    # What is unchanged keeps the time of the archive that brought it.
    check("has its own for them", times == {1_200_000_000}, str(times))
    _, said, text = muni("diff", "archive", "silent@1", "silent@2")
    check("and is unchanged when only that is another", "0 added, 0 removed, 0 changed" in text, f"{said} {text}")


def damage_is_found():
    with open("p.tar.gz", "rb") as f:
        good = f.read()
    rng = random.Random(11)
    places = [len(good) - 5, len(good) - 2] + [rng.randrange(20, len(good)) for _ in range(6)]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        with open("bad.tar.gz", "wb") as f:
            f.write(bad)
        code, _, text = ingest("bad.tar.gz", f"flip{place}")
        check(f"a flipped bit at byte {place} of a .gz does not pass", code != 0, text)
    for name in ("p.tar.gz", "pax.tar", "plain.zip", "plain.iso", "newc.cpio"):
        if not os.path.exists(name):
            continue
        size = os.path.getsize(name)
        for share in (0.1, 0.5, 0.8):
            with open(name, "rb") as f, open("cut", "wb") as to:
                to.write(f.read(int(size * share)))
            code, _, text = ingest("cut", f"cut-{name}-{share}")
            check(f"{name} cut to {share} does not pass for whole", code != 0, text)


def odc(*entries):
    """cpio in POSIX's octal form: (name, inode, links, mode, data)."""
    out = b""
    for name, inode, links, mode, data in (*entries, (b"TRAILER!!!", 0, 1, 0, b"")):
        out += b"070707" + b"%06o" * 7 % (0, inode, mode, 0, 0, links, 0) + b"%011o%06o%011o" % (10**9, len(name) + 1, len(data))
        out += name + b"\0" + data
    return out


def newc(*entries):
    """cpio's newer form has the data with the last name alone: (name, inode, links, mode, data)."""
    out = b""
    for name, inode, links, mode, data in (*entries, (b"TRAILER!!!", 0, 1, 0, b"")):
        head = b"070701" + b"%08x" * 13 % (inode, mode, 0, 0, links, 10**9, len(data), 0, 0, 0, 0, len(name) + 1, 0) + name + b"\0"
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return out


def names_of_one_file_whose_attributes_differ():
    for mode, wanted in (0o100644, 0), (0o100600, 1):
        with open("attributes.cpio", "wb") as f:
            f.write(newc((b"a", 7, 2, 0o100644, b""), (b"b", 7, 2, mode, b"data")))
        code, _, text = ingest("attributes.cpio", f"attributes-{wanted}")
        check("attributes that differ are told", code == wanted and ("b: its mode, owner and time" in text) == bool(wanted), text)
        top = export(f"attributes-{wanted}")
        a, b = os.lstat(f"{top}/a"), os.lstat(f"{top}/b")
        check("and it is one file still", a.st_ino == b.st_ino and a.st_size == 4 and a.st_mode == 0o100644)


def two_archives_in_one_file():
    """Joined end to end, one of them would be missing without a word."""
    os.makedirs("two/one")
    os.makedirs("two/other")
    for name in "one/a", "other/b":
        with open(f"two/{name}", "wb") as f:
            f.write(name.encode() * 50)
    zeros = bytes(70_000)
    for kind, suffixes in (("--format=pax", ("tar", "tar.gz", "tar.xz", "tar.zst")), ("--format=newc", ("cpio", "cpio.gz")),
                           ("--format=odc", ("cpio",)), ("--format=zip", ("zip",)), ("--format=7zip", ("7z",)), ("--format=iso9660", ("iso",))):
        for suffix in suffixes:
            parts = []
            for folder in "one", "other":
                run("bsdtar", "-a", "-cf", f"../part.{suffix}", kind, *(["--gzip"] if suffix == "cpio.gz" else []), "-C", folder, ".",
                    cwd="two")
                with open(f"part.{suffix}", "rb") as f:
                    parts.append(f.read())
            what = f"{kind[9:]}-{suffix}"
            for name, data, word in (("joined", parts[0] + parts[1], "two archives"), ("alone", parts[0], ""),
                                     ("zeros", parts[0] + (b"" if "." in suffix else zeros), ""),
                                     ("tar", parts[0] + parts_of_tar(), "two archives"), ("rubbish", parts[0] + b"\0\0no archive" * 90, "follow")):
                if name == "tar" and "." in suffix or name == "zeros" and suffix == "zip":
                    continue	# no packing; and a zip is looked for from its end
                with open("joined", "wb") as f:
                    f.write(data)
                code, _, text = ingest("joined", f"{what}-{name}")
                says = f"{what}, {name}"
                check(f"{says}: the exit status", code == (1 if word == "two archives" else 0) or suffix != "tar.gz" and "." in suffix, text)
                check(f"{says}: what is said", word in text if code == 0 or word == "two archives" else True, text)
                check(f"{says}: nothing without need", name not in ("alone", "zeros") or "follow" not in text and code == 0, text)
                check(f"{says}: one of them is there", code != 1 or versions(f"{what}-{name}") or "." in suffix, text)


def a_zip_says_how_many_it_holds():
    """A record of the directory that is not known ends it for libarchive, a member's damaged head is passed over in a stream."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name in "abc":
            z.writestr(name, name * 100)
    good = out.getvalue()
    for number, (name, magic, how) in enumerate((("a", b"PK\1\2", "file"), ("b", b"PK\1\2", "file"), ("c", b"PK\1\2", "file"),
                                                 ("b", b"PK\3\4", "file"), ("b", b"PK\3\4", "stream"))):
        bad = bytearray(good)
        at = -1
        for _ in range("abc".index(name) + 1):
            at = bad.index(magic, at + 1)
        bad[at + 2] ^= 0x40
        with open("bad.zip", "wb") as f:
            f.write(bad)
        code, _, text = ingest("bad.zip" if how == "file" else "-", f"counted{number}", stdin=bytes(bad) if how == "stream" else None)
        check(f"a zip with {name}'s {magic} damaged, from a {how}, is not whole", code == 1 and len(text) > 40, text)
    with open("whole.zip", "wb") as f:
        f.write(good)
    for how, source in ("file", "whole.zip"), ("stream", "-"):
        code, _, text = ingest(source, f"counted-{how}", stdin=good if how == "stream" else None)
        check(f"a whole one, from a {how}, is", code == 0, text)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, mode in ("device", 0o20600), ("directory", 0o40755), ("file", 0o100644):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            z.writestr(info, b"the bytes of it")
    with open("kinds.zip", "wb") as f:
        f.write(out.getvalue())
    code, _, text = ingest("kinds.zip", "kinds")
    check("data of what is said to be no file is told", code == 1 and "device: it has data" in text and "directory/: it has data" in text, text)
    check("and the file is there", os.listdir(export("kinds")) == ["file"])
    with zipfile.ZipFile("many.zip", "w") as z:
        for i in range(66_000):
            z.writestr(str(i), b"")
    code, _, text = ingest("many.zip", "many")
    check("more than 65535 in a zip64 is whole", code == 0, text)


def parts_of_tar():
    return tar_of(("c", tarfile.REGTYPE, "", b"c"))


def names_of_one_file_whose_data_differ():
    """cpio's older forms have the data with each name: damaged in one of them, both are kept, and it is said."""
    one, two = b"as it was packed\n", b"as it was packeD\n"
    samples = {
        "same": ((b"a", 7, 3, 0o100644, one), (b"b", 7, 3, 0o100644, one), (b"d/c", 7, 3, 0o100644, one)),
        "data": ((b"a", 7, 3, 0o100644, one), (b"b", 7, 3, 0o100644, two), (b"d/c", 7, 3, 0o100644, one)),
        "mode": ((b"a", 7, 3, 0o100644, one), (b"b", 7, 3, 0o100600, one), (b"d/c", 7, 3, 0o100644, one)),
        "large": ((b"a", 7, 3, 0o100644, one * 9000), (b"b", 7, 3, 0o100644, one * 8999 + two), (b"d/c", 7, 3, 0o100644, one * 9000)),
    }
    for name, entries in samples.items():
        with open("links.cpio", "wb") as f:
            f.write(odc(*entries))
        code, _, text = ingest("links.cpio", f"links-{name}")
        top = export(f"links-{name}")
        a, b, c = (os.lstat(f"{top}/{n}") for n in ("a", "b", "d/c"))
        check(f"{name}: what is said again is one file", a.st_ino == c.st_ino and filecmp.cmp(f"{top}/a", f"{top}/d/c", False))
        for path, _, _, mode, data in entries:
            with open(os.path.join(os.fsencode(top), path), "rb") as f:
                check(f"{name}: {path} has the bytes that came with it", f.read() == data)
            check(f"{name}: and the mode", os.stat(os.path.join(os.fsencode(top), path)).st_mode == mode)
        if name == "same":
            check("a file whose names agree is whole", code == 0 and b.st_ino == a.st_ino, text)
        else:
            check(f"{name}: the version is not whole, and names it", code == 1 and "b: " in text and "hard link" in text, text)
            check(f"{name}: the other is a file of its own", b.st_ino != a.st_ino and a.st_nlink == 2 and b.st_nlink == 1)


def wrong_things_are_refused():
    samples = {
        "empty": b"",
        "text": b"#mtree\n./passwd type=file contents=/etc/passwd\n",
        "zeros": bytes(50_000),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(200),
    }
    for name, data in samples.items():
        with open(f"wrong-{name}", "wb") as f:
            f.write(data)
        code, _, text = ingest(f"wrong-{name}", f"wrong-{name}")
        check(f"{name} is refused", code == 1 and len(text) > 20, text)
    with open("src/a.txt", "rb") as f, open("a.txt.gz", "wb") as to:
        to.write(gzip.compress(f.read()))
    code, _, text = ingest("a.txt.gz", "raw")
    check("a packed file is refused unless asked for", code == 1 and "--raw" in text, text)
    code, _, text = ingest("a.txt.gz", "raw", "--raw")
    check("and taken with --raw", code == 0, text)
    check("under its own name", filecmp.cmp("src/a.txt", export("raw") + "/a.txt", False))


def encrypted_entries_are_named():
    run("zip", "-q", "-P", "secret", "../enc.zip", "a.txt", cwd="src")
    run("zip", "-q", "../enc.zip", "random", cwd="src")
    code, _, text = ingest("enc.zip", "enc")
    check("an encrypted entry makes the version incomplete", code == 1, text)
    target = export("enc")
    check("the others are there", filecmp.cmp("src/random", target + "/random", False))
    check("it is not", not os.path.exists(target + "/a.txt"))


# ---- hostile -------------------------------------------------------------------------

def tar_of(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, kind, link, data in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = link
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hostile_samples():
    reg, sym, hard, folder = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE,
                              tarfile.DIRTYPE)
    outside = os.path.abspath("outside")
    yield "absolute", tar_of((outside + "/absolute", reg, "", b"x"), ("good", reg, "", b"y"))
    yield "upward", tar_of(("../../outside/up", reg, "", b"x"), ("good", reg, "", b"y"))
    yield "through-link", tar_of(("door", sym, outside, b""), ("door/in", reg, "", b"x"),
                                 ("good", reg, "", b"y"))
    yield "hard-outside", tar_of(("hard", hard, "/etc/passwd", b""), ("good", reg, "", b"y"))
    yield "file-and-dir", tar_of(("a", reg, "", b"x"), ("a/b", reg, "", b"z"), ("good", reg, "",
                                                                               b"y"))
    yield "dir-and-file", tar_of(("a", folder, "", b""), ("a/b", reg, "", b"z"),
                                 ("a", reg, "", b"x"), ("good", reg, "", b"y"))
    yield "twice", tar_of(("a", reg, "", b"first"), ("a", reg, "", b"second"),
                          ("good", reg, "", b"y"))
    yield "link-loop", tar_of(("l", hard, "l", b""), ("good", reg, "", b"y"))
    yield "dots", tar_of(("./a/../b", reg, "", b"x"), ("good", reg, "", b"y"))
    lying = bytearray(tar_of(("big", reg, "", b"x" * 100), ("good", reg, "", b"y")))
    lying[124:136] = b"77777777777\0"
    lying[148:156] = b"        "
    lying[148:156] = b"%06o\0 " % sum(lying[:512])
    yield "lying-size", bytes(lying)


def hostile_archives_stay_inside():
    os.makedirs("outside")
    with open("/etc/passwd", "rb") as f:
        passwd = f.read()
    for name, data in hostile_samples():
        with open("hostile.tar", "wb") as f:
            f.write(data)
        code, _, text = ingest("hostile.tar", f"h-{name}")
        check(f"{name} ends cleanly", code in (0, 1) and len(text) > 0, f"{code} {text}")
        check(f"{name} touches nothing outside", os.listdir("outside") == [])
        if code == 1 and not versions(f"h-{name}"):
            continue	# refused as a whole
        target = export(f"h-{name}")
        check(f"{name} leaves nothing outside when exported", os.listdir("outside") == [])
        good = os.path.join(target, "good")
        check(f"{name} keeps the good entry", name == "lying-size" or
              (os.path.exists(good) and open(good, "rb").read() == b"y"))
        for folder, _, files in os.walk(target):
            for f in files:
                path = os.path.join(folder, f)
                if not os.path.islink(path):
                    with open(path, "rb") as data_of:
                        check(f"{name} brought nothing of the host", data_of.read() != passwd)


def bombs_are_refused():
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("zeros", bytes(64 << 20))
    code, _, text = ingest("bomb.zip", "bomb", "--bomb-limit", "16M")
    check("past the limit is refused", code == 1 and "limit" in text, text)
    code, _, text = ingest("bomb.zip", "bomb")
    check("below the default limit it is taken", code == 0, text)


def sparse_lies_fail_their_entry():
    def record(key, value):
        body = f" {key}={value}\n".encode()
        size = next(n for n in range(len(body), len(body) + 9) if len(str(n)) + len(body) == n)
        return str(size).encode() + body

    def header(name, kind, size):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.size = size
        return info.tobuf(tarfile.USTAR_FORMAT)

    def pad(data):
        return data + bytes(-len(data) % 512)

    rows = "2\n4096\n1024\n1024\n1024\n"	# goes back
    records = (record("GNU.sparse.major", 1) + record("GNU.sparse.minor", 0) +
               record("GNU.sparse.name", "liar") + record("GNU.sparse.realsize", 8192))
    stored = pad(rows.encode()) + b"x" * 2048
    data = (header("PaxHeaders/x", b"x", len(records)) + pad(records) +
            header("GNUSparseFile.0/liar", b"0", len(stored)) + stored +
            tar_of(("good", tarfile.REGTYPE, "", b"y")))
    with open("liar.tar", "wb") as f:
        f.write(data)
    code, _, text = ingest("liar.tar", "liar")
    check("a map of holes that goes back is told", code == 1 and "liar" in text, text)
    target = export("liar")
    check("its entry is not there", os.listdir(target) == ["good"], str(os.listdir(target)))


def main():
    with open("key", "wb") as f:
        f.write(b"k" * 32)
    code, _, text = muni("init", "archive")
    check("init", code == 0, text)
    make_source()
    formats_come_in()
    streams_come_in()
    old_zip_names()
    lha_that_names_its_code_page()
    times_that_are_not_said_are_the_archives()
    damage_is_found()
    names_of_one_file_whose_data_differ()
    names_of_one_file_whose_attributes_differ()
    two_archives_in_one_file()
    a_zip_says_how_many_it_holds()
    wrong_things_are_refused()
    encrypted_entries_are_named()
    hostile_archives_stay_inside()
    bombs_are_refused()
    sparse_lies_fail_their_entry()
    sys.exit(1 if failures else 0)


main()

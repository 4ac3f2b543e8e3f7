"""Archives of foreign formats: trees worth packing, what packs them here, what damages them, and what came out of one."""
import hashlib
import os
import shutil
import socket
import stat
import struct
import subprocess
import zlib

ROOT = os.geteuid() == 0


# ---- trees -----------------------------------------------------------------------------------------------------------

def write(path, data, mode=0o644, at=None):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)
    if at is not None:
        os.utime(path, ns=(at, at), follow_symlinks=False)


def text(rng, size):
    words = b"invoice ledger of the year number amount due paid held until case closed archive\n".split(b" ")
    out = b""
    while len(out) < size:
        out += rng.choice(words) + b" %d " % rng.randrange(1000)
    return out[:size]


def try_xattr(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError:
        pass        # not on this file system: then neither side has it


def small_tree(top, rng):
    """What fits into a few KiB, so that each of its bytes can be damaged."""
    os.makedirs(os.path.join(top, "d"))
    write(f"{top}/a.txt", text(rng, 700), 0o640, 1_000_000_001_000_000_000)
    write(f"{top}/d/b", rng.randbytes(900), 0o4711, 1_100_000_000_000_000_000)
    write(f"{top}/empty", b"", 0o600, 1_200_000_000_000_000_000)
    write(f"{top}/zlast", text(rng, 300), 0o644, 1_300_000_000_000_000_000)
    os.symlink("a.txt", f"{top}/link")
    os.link(f"{top}/a.txt", f"{top}/second")
    os.utime(f"{top}/d", (1e9, 1e9))
    os.utime(f"{top}/link", (1e9, 1e9), follow_symlinks=False)
    os.utime(top, (1e9, 1e9))


def flat_tree(top, rng):
    """For formats that know files alone."""
    os.makedirs(top)
    write(f"{top}/a.txt", text(rng, 700), 0o640, 1_000_000_001_000_000_000)
    write(f"{top}/b", rng.randbytes(901), 0o755, 1_100_000_000_000_000_000)
    write(f"{top}/name-longer-than-15.txt", text(rng, 300), 0o644, 1_300_000_000_000_000_000)


def plain_tree(top, rng):
    """Names and sizes that every format with folders carries."""
    os.makedirs(f"{top}/d/within/it")
    os.makedirs(f"{top}/hollow")
    for i, size in enumerate((0, 1, 511, 512, 513, 4096, 65536, 300001)):
        data = text(rng, size) if i % 2 else rng.randbytes(size)
        write(f"{top}/d/f{size}", data, 0o600 + i, (1_000_000_000 + i) * 10**9)
    write(f"{top}/d/within/it/deep", b"deep\n", 0o444, 1_200_000_000_000_000_000)
    os.symlink("../d/f1", f"{top}/d/up")
    os.symlink("/nowhere/at all", f"{top}/absolute")
    os.link(f"{top}/d/f513", f"{top}/d/within/again")
    os.link(f"{top}/d/f513", f"{top}/zz again")
    for folder, _, _ in os.walk(top, topdown=False):
        os.utime(folder, (1_250_000_000, 1_250_000_000))


def rich_tree(top, rng):
    """All that POSIX and Linux have."""
    plain_tree(top, rng)
    long = "n" * 90
    os.makedirs(f"{top}/{long}/{long}/{long}")
    write(f"{top}/{long}/{long}/{long}/" + "m" * 255, b"long\n", at=1_111_111_111_123_456_789)
    write(f"{top}/工资表.csv", "姓名,工资\n".encode() * 50)
    write(f"{top}/e\u0301 decomposed", b"NFD\n")
    write(f"{top}/\u00e9 composed", b"NFC\n")
    write(os.fsencode(top) + b"/caf\xe9", b"latin\n")
    write(os.fsencode(top) + b"/new\nline\ttab\\ \"quote\" 'x'", b"controls\n")
    write(f"{top}/ leading and trailing ", b"spaces\n")
    os.symlink("t" * 300, f"{top}/far")
    os.symlink(os.fsencode("ziel ") + b"\xff", f"{top}/odd")
    with open(f"{top}/sparse", "wb") as f:
        f.write(b"begin")
        f.seek(3 << 20)
        f.write(b"middle")
        f.truncate(9 << 20)
    with open(f"{top}/all hole", "wb") as f:
        f.truncate(1 << 20)
    write(f"{top}/suid", b"#!x\n", 0o6755)
    write(f"{top}/none", b"mode 0\n", 0o000)
    write(f"{top}/old", b"before the epoch\n", at=-86_400 * 365 * 10**9 - 500_000_000)
    write(f"{top}/future", b"after 2038\n", at=4_200_000_000 * 10**9 + 999_999_999)
    write(f"{top}/marked", b"xattrs\n")
    try_xattr(f"{top}/marked", "user.note", b"a value\0with\nbytes \xff")
    try_xattr(f"{top}/marked", "user.empty", b"")
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in (
        (1, 7, 0xffffffff), (2, 5, 1234), (4, 4, 0xffffffff), (8, 1, 4321), (16, 5, 0xffffffff), (32, 0, 0xffffffff)))
    try_xattr(f"{top}/marked", "system.posix_acl_access", acl)
    try_xattr(f"{top}/hollow", "system.posix_acl_default", acl)
    os.mkdir(f"{top}/sticky")
    os.chmod(f"{top}/sticky", 0o1777)
    os.mkfifo(f"{top}/pipe")
    if ROOT:
        os.mknod(f"{top}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(f"{top}/block", stat.S_IFBLK | 0o660, os.makedev(259, 70000))
        os.chown(f"{top}/old", 3_000_000, 4_000_000)
        try_xattr(f"{top}/suid", "trusted.t", b"root's")
    s = socket.socket(socket.AF_UNIX)
    cwd = os.getcwd()
    os.chdir(top)
    s.bind("socket")
    os.chdir(cwd)
    s.close()
    for folder, folders, files in os.walk(os.fsencode(top), topdown=False):
        os.utime(folder, (1_250_000_000, 1_250_000_000))


# ---- formats without a program here --------------------------------------------------------------------------------

def cab_of(files, is_packed):
    """[MS-CAB], one folder, blocks of 32 KiB, stored or MSZIP; without checksums (0: none)."""
    data = b"".join(body for _, body in files)
    blocks, entries, at = [], b"", 0
    history = b""
    for i in range(0, len(data), 32768):
        part = data[i:i + 32768]
        if is_packed:
            z = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=history) if history else zlib.compressobj(9, zlib.DEFLATED, -15)
            body = b"CK" + z.compress(part) + z.flush()
            history = part
        else:
            body = part
        blocks.append(struct.pack("<IHH", 0, len(body), len(part)) + body)
    for name, body in files:
        entries += struct.pack("<IIHHHH", len(body), at, 0, 0x3065, 0x6000, 0x20) + name + b"\0"
        at += len(body)
    first = 36 + 8
    folder = struct.pack("<IHH", first + len(entries), len(blocks), 1 if is_packed else 0)
    size = first + len(entries) + sum(map(len, blocks))
    return (b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, first, 0, 3, 1, 1, len(files), 0, 7, 0) + folder + entries +
            b"".join(blocks))


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def lha_of(files, level):
    """Stored entries with headers of level 0 or 2."""
    out = b""
    for name, body in files:
        if level == 0:
            head = (b"-lh0-" + struct.pack("<IIHHBB", len(body), len(body), 0x6000, 0x3065, 0x20, 0) + bytes([len(name)]) + name +
                    struct.pack("<H", crc16(body)) + b"U")
            out += bytes([len(head), sum(head) & 255]) + head + body
            continue
        chain = b""
        for x in (b"\0" + b"\0\0", b"\1" + name, b"\x50" + struct.pack("<H", 0o100640)):
            chain += struct.pack("<H", len(x) + 2) + x
        chain += b"\0\0"

        def with_sum(value):
            c = chain[:3] + struct.pack("<H", value) + chain[5:]
            head = b"-lh0-" + struct.pack("<III", len(body), len(body), 1_000_000_000) + b"\x20\x02" + struct.pack(
                "<H", crc16(body)) + b"U" + c
            return struct.pack("<H", len(head) + 2) + head
        out += with_sum(crc16(with_sum(0))) + body
    return out + b"\0"


def rar_of(files):
    """RAR 2.9, stored."""
    def block(kind, flags, body):
        head = bytes([kind]) + struct.pack("<HH", flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head
    out = b"Rar!\x1a\x07\0" + block(0x73, 0, bytes(6))
    for name, body in files:
        out += block(0x74, 0x8000, struct.pack("<IIBIIBBHI", len(body), len(body), 3, zlib.crc32(body), 0x30656000, 20, 0x30,
                                               len(name), 0o100640) + name) + body
    return out + block(0x7b, 0x4000, b"")


def rar5_of(files):
    """RAR 5, stored."""
    def number(n):
        out = b""
        while True:
            out += bytes([n & 127 | (128 if n > 127 else 0)])
            n >>= 7
            if n == 0:
                return out

    def block(body):
        sized = number(len(body)) + body
        return struct.pack("<I", zlib.crc32(sized)) + sized
    out = b"Rar!\x1a\x07\1\0" + block(number(1) + number(0) + number(0))
    for name, body in files:
        out += block(number(2) + number(2) + number(len(body)) + number(6) + number(len(body)) + number(0o100640) +
                     struct.pack("<II", 1_000_000_000, zlib.crc32(body)) + number(0) + number(1) + number(len(name)) + name) + body
    return out + block(number(5) + number(0) + number(0))


def files_of(top):
    for name in sorted(os.listdir(top)):
        if os.path.isfile(f"{top}/{name}") and not os.path.islink(f"{top}/{name}"):
            with open(f"{top}/{name}", "rb") as f:
                yield name.encode(), f.read()


# ---- formats ---------------------------------------------------------------------------------------------------------

def run(words, cwd, stdin=None):
    """Output to "-" is a file, so that nothing fills it up as into a pipe.  None: it could not be made."""
    if not shutil.which(words[0]):
        return None
    out = os.path.abspath("made.archive")
    for suffix in "", ".zip", ".7z":        # zip and 7z add theirs
        moved(out + suffix)
    given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    subprocess.run([out if w == "@" else w for w in words], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False, timeout=60, **given)
    return moved(out) or moved(out + ".zip") or moved(out + ".7z")


def listing(top):
    """As find prints it, the top first."""
    names = [b"."]
    for folder, folders, files in os.walk(os.fsencode(top)):
        folders.sort()
        base = os.path.relpath(folder, os.fsencode(top))
        for name in sorted(folders) + sorted(files):
            names.append(os.path.normpath(os.path.join(base, name)))
    return b"\0".join(names) + b"\0"


BSD_TREES = ("pax", "paxr", "gnutar", "ustar", "v7", "odc", "newc", "bin", "pwb", "iso9660", "zip", "7zip", "xar")
BSD_FLAT = ("arbsd", "arsvr4", "warc")
FILTERS = (("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("lzma", "lzma"), ("lzip", "lz"), ("zstd", "zst"), ("lz4", "lz4"),
           ("compress", "Z"))


def packed_trees(top, has_pipes=False):
    """(name, bytes) of each format with folders.  has_pipes: leaves out what would read a named pipe for ever."""
    for f in BSD_TREES:
        yield "bsd-" + f, run(["bsdtar", "-b1", "--format", f, "-cf", "@", "."], top)
    for name, options in (("deflate", "zip:compression=deflate"), ("store", "zip:compression=store"), ("zip64", "zip:zip64")):
        yield "bsd-zip-" + name, run(["bsdtar", "--format", "zip", "--options", options, "-cf", "@", "."], top)
    for name in ("copy", "deflate", "bzip2", "lzma1", "lzma2", "ppmd"):
        yield "bsd-7zip-" + name, run(["bsdtar", "--format", "7zip", "--options", f"7zip:compression={name}", "-cf", "@", "."], top)
    for name in ("none", "gzip", "bzip2", "xz", "lzma"):
        yield "bsd-xar-" + name, run(["bsdtar", "--format", "xar", "--options", f"xar:compression={name}", "-cf", "@", "."], top)
    for flag, suffix in FILTERS:
        # With -b1 the zstd of libarchive 3.6.2 writes what nobody can read.
        yield "tar." + suffix, run(["bsdtar", "--" + flag, "--format", "pax", "-cf", "@", "."], top)
    for f in ("gnu", "oldgnu", "pax", "ustar", "v7"):
        yield "gnu-" + f, run(["tar", "-b1", "--xattrs", "--acls", "--format=" + f, "--sort=name", "-cf", "@", "."] if f == "pax" else
                              ["tar", "-b1", "--format=" + f, "--sort=name", "-cf", "@", "."], top)
    for v in ("0.0", "0.1", "1.0"):
        yield "gnu-sparse-" + v, run(["tar", "-b1", "-S", "--format=pax", "--sparse-version=" + v, "--sort=name", "-cf", "@", "."], top)
    yield "gnu-sparse-old", run(["tar", "-b1", "-S", "--format=gnu", "--sort=name", "-cf", "@", "."], top)
    for f in ("odc", "newc", "crc", "bin", "ustar", "tar"):
        yield "cpio-" + f, run(["cpio", "-o0", "-H", f, "-O", "@"], top, listing(top))
    if has_pipes:
        return
    yield "infozip", run(["zip", "-qry", "@", "."], top)
    yield "infozip-copies", run(["zip", "-qr", "@", "."], top)
    yield "7z-zip", run(["7z", "a", "-tzip", "-snl", "@", "."], top)
    for name in ("BZip2", "LZMA", "PPMd", "Deflate64", "XZ"):
        yield "7z-zip-" + name, run(["7z", "a", "-tzip", "-snl", "-mm=" + name, "@", "."], top)
    yield "7z", run(["7z", "a", "-t7z", "-snl", "@", "."], top)
    yield "7z-loose", run(["7z", "a", "-t7z", "-snl", "-ms=off", "-mhc=off", "@", "."], top)
    yield "iso-joliet", run(["genisoimage", "-quiet", "-J", "-joliet-long", "-o", "@", "."], top)
    yield "iso-rock", run(["genisoimage", "-quiet", "-R", "-o", "@", "."], top)


def packed_files(top):
    """(name, bytes) of each format that knows files alone."""
    names = sorted(os.listdir(top))
    for f in BSD_FLAT:
        yield "bsd-" + f, run(["bsdtar", "--format", f, "-cf", "@", *names], top)
    yield "ar", run(["ar", "rcD", "@", *names], top)
    yield "cab", cab_of(list(files_of(top)), False)
    yield "cab-mszip", cab_of(list(files_of(top)), True)
    yield "lha0", lha_of(list(files_of(top)), 0)
    yield "lha2", lha_of(list(files_of(top)), 2)
    yield "rar", rar_of(list(files_of(top)))
    yield "rar5", rar5_of(list(files_of(top)))


def moved(path):
    try:
        with open(path, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return None
    os.unlink(path)
    return data


# ---- damage ----------------------------------------------------------------------------------------------------------

def tar_summed(data, at):
    """With the checksum of the header that byte `at` lies in put right, where it is one."""
    block = at // 512 * 512
    head = bytearray(data[block:block + 512])
    if len(head) < 512 or head[257:262] != b"ustar" and not head[148:154].strip(b" \0").isdigit():
        return data
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return data[:block] + bytes(head) + data[block + 512:]


def sevenzip_summed(data):
    """With the sums of both its headers put right."""
    if data[:6] != b"7z\xbc\xaf\x27\x1c" or len(data) < 32:
        return data
    at, size = struct.unpack_from("<QQ", data, 12)
    if at + size <= len(data) - 32:
        data = data[:28] + struct.pack("<I", zlib.crc32(data[32 + at:32 + at + size])) + data[32:]
    return data[:8] + struct.pack("<I", zlib.crc32(data[12:32])) + data[12:]


def summed(data, at):
    """As who damages on purpose would leave it: the checksum of the header fits."""
    return sevenzip_summed(data) if data[:2] == b"7z" else tar_summed(data, at)


def damaged(name, data, rng, count):
    """(what was done, bytes), count of them (None: a flip at every byte, a cut at every fourth), seeded."""
    size = len(data)
    used = len(data.rstrip(b"\0"))     # what fills the last block up says nothing
    if count is None:
        places = range(used) if used < 16384 else sorted(rng.sample(range(used), 8192))
        cuts = range(0, size, max(4, size // 2048))
        spans = 400
    else:
        places = sorted(rng.randrange(used) for _ in range(max(1, count * 6 // 10)))
        cuts = sorted(rng.randrange(size) for _ in range(max(1, count // 10)))
        spans = max(1, count // 10)
    for at in places:
        bad = bytearray(data)
        how = rng.randrange(4)
        bad[at] = (bad[at] ^ 1 << rng.randrange(8), bad[at] ^ 0xff, 0 if bad[at] else 0x41, (bad[at] + 1) & 255)[how]
        fits = rng.randrange(2)
        bad = bytes(bad)
        yield f"byte {at} changed by {how}" + (", sums put right" if fits else ""), summed(bad, at) if fits else bad
    for at in cuts:
        yield f"cut at {at}", data[:at]
    for _ in range(spans):
        unit = rng.choice((1, 4, 16, 512, 512, 2048))
        at = rng.randrange(0, max(1, size - unit), 1 if unit < 512 else 512)
        yield f"{unit} bytes at {at} doubled", data[:at + unit] + data[at:]
        yield f"{unit} bytes at {at} removed", data[:at] + data[at + unit:]
    for _ in range(max(1, spans // 4)):
        one, two = (rng.randrange(0, max(1, size - 512), 512) for _ in range(2))
        bad = bytearray(data)
        bad[one:one + 512], bad[two:two + 512] = bad[two:two + 512], bad[one:one + 512]
        yield f"blocks at {one} and {two} changed for each other", bytes(bad)
        at, n = rng.randrange(size), rng.randrange(1, 700)
        yield f"{n} bytes at {at} overwritten with noise", data[:at] + rng.randbytes(n) + data[at + n:]


# ---- what came out ---------------------------------------------------------------------------------------------------

def digest(path):
    """Of size and content; long holes cost nothing."""
    sum_of = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        size, at = os.fstat(f.fileno()).st_size, 0
        sum_of.update(b"%d" % size)
        while at < size:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) & ~4095
            except OSError:
                break
            os.lseek(f.fileno(), at, os.SEEK_SET)
            block = f.read(4096)
            if any(block):
                sum_of.update(b"%d" % at + block.rstrip(b"\0"))
            at += 4096
    return sum_of.hexdigest()


def look(top):
    """path -> what it is, for all below top; names of one inode share a group."""
    found, groups = {}, {}
    top = os.fsencode(top)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            what = {"kind": kind, "mode": stat.S_IMODE(st.st_mode), "mtime": st.st_mtime_ns, "owner": (st.st_uid, st.st_gid)}
            if stat.S_ISREG(kind):
                what["content"] = digest(path)
            elif stat.S_ISLNK(kind):
                what["content"] = os.readlink(path)
            elif stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
                what["content"] = (os.major(st.st_rdev), os.minor(st.st_rdev))
            if not stat.S_ISDIR(kind):
                groups.setdefault(st.st_ino, []).append(os.path.relpath(path, top))
            if not stat.S_ISLNK(kind):
                try:
                    what["xattrs"] = {k: os.getxattr(path, k, follow_symlinks=False)
                                      for k in os.listxattr(path, follow_symlinks=False) if not k.startswith("security.selinux")}
                except OSError:
                    what["xattrs"] = {}
            found[os.path.relpath(path, top)] = what
    for names in groups.values():
        for name in names:
            found[name]["links"] = sorted(names)
    return found


KEYS = ("kind", "content", "links", "mode", "mtime", "owner", "xattrs")


def differences(theirs, ours, lent, began):
    """(path, key, what).  lent: the archive's own time, in nanoseconds, which an entry without one has; began: what bsdtar
    extracted has such an entry at the time of extraction."""
    for path in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get(path), ours.get(path)
        if a is None or b is None:
            yield path, "missing" if b is None else "extra", "is there for " + ("us" if a is None else "bsdtar") + " alone"
            continue
        for key in KEYS:
            if key == "mode" and stat.S_ISLNK(a["kind"]):
                continue
            if key == "mtime" and a["mtime"] >= began and (b["mtime"] == lent or stat.S_ISDIR(a["kind"])):
                continue
            if key == "owner" and not ROOT:
                continue
            if a.get(key) != b.get(key):
                yield path, key, f"bsdtar {a.get(key)}, we {b.get(key)}"
                if key == "kind":
                    break

#!/usr/bin/python3
"""Makes a tree of every hard case that POSIX allows: hardtree.py DIR [--many N].

What this user or this file system may not make (device nodes without root, an
attribute without support) is left out and named on standard error, so that a
test knows what it did not try.
"""
import argparse
import ctypes
import errno
import os
import random
import socket
import stat
import struct
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)


def leave_out(what, why):
    print(f"hardtree: left out {what}: {why}", file=sys.stderr)


def attempt(what, act):
    try:
        act()
    except OSError as why:
        leave_out(what, why)


def put(path, data=b"", mode=0o644):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def stamp(path, seconds, ns):
    """utimensat with any 64-bit second, links not followed."""
    times = struct.pack("=qqqq", seconds, ns, seconds, ns)
    if libc.utimensat(-100, os.fsencode(path), times, 0x100) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def sparse(path, size, islands):
    with open(path, "wb") as f:
        os.ftruncate(f.fileno(), size)
        for offset, data in islands:
            os.pwrite(f.fileno(), data, offset)


def deep(top, depth):
    """A path far longer than PATH_MAX, made by walking down."""
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(depth):
        name = f"level-{i:04d}-" + "d" * 40
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    bottom = os.open("bottom.txt", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=here)
    os.write(bottom, b"at the bottom\n")
    os.close(bottom)
    os.close(here)


def names(top):
    for i, name in enumerate([
            b"space in name", b" leading", b"trailing ", b"-rf", b"--help", b"new\nline", b"tab\there",
            b"\x1b[31mred\x1b[0m", b"quote'\"`$()", b"back\\slash", b"star*?[x]", b"%s%n%d", b"a" * 255,
            "员工名册.csv".encode(), "员工名册.csv".encode("gb18030"), b"\xff\xfe\x80", b"\x01\x02\x7f",
            "e\u0301".encode(), "\u00e9".encode(), "\u202egnp.exe".encode(), b"CON", b"...", b"..x", b"~", b"#x#",
            b"muniment.toml", b".hidden", "文".encode() * 85]):
        put(os.path.join(top, name), b"name %d\n" % i)


def content(top, rng):
    put(top + b"/empty")
    put(top + b"/one", b"x")
    for size in (4095, 4096, 4097, 65535, 65536, 131071, 131072, 131073, 200000, 1 << 20, (3 << 20) + 17):
        put(top + b"/random-%d" % size, rng.randbytes(size))
        line = b"%d: the quick brown fox jumps over the lazy dog\n" % size
        put(top + b"/text-%d" % size, (line * (size // len(line) + 1))[:size])
    put(top + b"/zeros", bytes(300000))
    half = rng.randbytes(500000)
    put(top + b"/shared-a", half + rng.randbytes(1000))
    put(top + b"/shared-b", half + rng.randbytes(1000))
    put(top + b"/copy-of-one", b"x")


def holes(top):
    sparse(top + b"/all-hole", 1 << 20, [])
    sparse(top + b"/hole-then-data", (1 << 20) + 4096, [(1 << 20, b"d" * 4096)])
    sparse(top + b"/data-then-hole", 1 << 20, [(0, b"d" * 4096)])
    sparse(top + b"/many-holes", 64 << 16, [(i << 17, b"%d" % i * 1000) for i in range(32)])
    sparse(top + b"/tebibyte", 1 << 40, [(0, b"first"), (1 << 39, b"middle"), ((1 << 40) - 4, b"last")])


def links(top):
    os.makedirs(top + b"/a")
    os.makedirs(top + b"/b/c")
    put(top + b"/a/first", b"one inode, four names\n")
    os.link(top + b"/a/first", top + b"/a/second")
    os.link(top + b"/a/first", top + b"/b/third")
    os.link(top + b"/a/first", top + b"/b/c/fourth")
    put(top + b"/a/empty-linked")
    os.link(top + b"/a/empty-linked", top + b"/b/empty-linked-too")
    os.symlink(b"a/first", top + b"/good")
    os.symlink(b"nowhere/at/all", top + b"/dangling")
    os.symlink(b"loop-b", top + b"/loop-a")
    os.symlink(b"loop-a", top + b"/loop-b")
    os.symlink(b".", top + b"/self")
    os.symlink(b"/etc/passwd", top + b"/absolute")
    os.symlink(b"../../../../../../etc/passwd", top + b"/upward")
    os.symlink(b"t" * 4000, top + b"/long-target")
    os.symlink(b"\xff\n\x1b", top + b"/odd-target")
    attempt("a hard-linked symlink",
            lambda: os.link(top + b"/dangling", top + b"/dangling-too", follow_symlinks=False))


def specials(top):
    os.mkfifo(top + b"/fifo", 0o640)
    attempt("a hard-linked fifo", lambda: os.link(top + b"/fifo", top + b"/fifo-too"))
    here = os.getcwd()
    os.chdir(top)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket")
    os.chdir(here)
    attempt("a character device", lambda: os.mknod(top + b"/char", stat.S_IFCHR | 0o600, os.makedev(1, 3)))
    attempt("a block device", lambda: os.mknod(top + b"/block", stat.S_IFBLK | 0o600, os.makedev(259, 70000)))


def modes(top):
    for mode in (0o000, 0o400, 0o444, 0o600, 0o777, 0o4755, 0o2755, 0o6755, 0o1644):
        path = top + b"/file-%04o" % mode
        put(path, b"mode\n")
        os.chmod(path, mode)
    for mode in (0o700, 0o755, 0o1777, 0o2775, 0o555):
        os.mkdir(top + b"/dir-%04o" % mode)
        put(top + b"/dir-%04o/inside" % mode, b"in\n")
        os.chmod(top + b"/dir-%04o" % mode, mode)
    for uid, gid in ((1000, 1000), (12345, 54321), (4294967294, 4294967293)):
        path = top + b"/owned-%d" % uid
        put(path, b"owner\n")
        attempt(f"owner {uid}", lambda p=path, u=uid, g=gid: os.chown(p, u, g))
    os.mkdir(top + b"/empty-dir")


def times(top):
    for label, seconds, ns in (("epoch", 0, 0), ("ns", 1624968000, 123456789), ("before-1970", -86400 * 365, 999999999),
                               ("before-1902", -2147483648, 1), ("after-2038", 2147483648, 2), ("after-2106", 4294967296 + 7, 3),
                               ("year-2400", 13569465600, 4)):
        path = top + b"/" + label.encode()
        put(path, b"time\n")
        attempt(f"time {label}", lambda p=path, s=seconds, n=ns: stamp(p, s, n))
    os.symlink(b"epoch", top + b"/link")
    attempt("time of a link", lambda: stamp(top + b"/link", 981173106, 987654321))
    os.mkdir(top + b"/dir")
    attempt("time of a directory", lambda: stamp(top + b"/dir", -1, 500000000))


def attributes(top, rng):
    def setx(path, name, value, follow=True):
        attempt(f"attribute {name}", lambda: os.setxattr(path, name, value, follow_symlinks=follow))

    path = top + b"/attributes"
    put(path, b"attributes\n")
    setx(path, "user.plain", b"value")
    setx(path, "user.empty", b"")
    setx(path, "user.binary", bytes(range(256)))
    setx(path, "user." + "n" * 250, b"long name")
    setx(path, "user.文", "值".encode())
    setx(path, "trusted.secret", b"root only")
    for size in (3000, 16000, 65536):
        big = top + b"/value-%d" % size
        put(big, b"big value\n")
        setx(big, "user.big", rng.randbytes(size))
    setx(top, "user.on-a-directory", b"yes")
    os.symlink(b"attributes", top + b"/link")
    setx(top + b"/link", "trusted.on-a-link", b"yes", follow=False)

    for name, text in ((b"acl", "u:1000:rw,g:54321:r,m::rwx"), (b"acl-mask", "u:0:r,m::r")):
        put(top + b"/" + name, b"acl\n", 0o640)
        if subprocess.call(["setfacl", "-m", text, os.fsdecode(top + b"/" + name)], stderr=subprocess.DEVNULL):
            leave_out("an ACL", "setfacl failed")
    os.mkdir(top + b"/acl-dir")
    if subprocess.call(["setfacl", "-d", "-m", "u:1000:rwx,g:7:r", os.fsdecode(top + b"/acl-dir")],
                       stderr=subprocess.DEVNULL):
        leave_out("a default ACL", "setfacl failed")
    program = top + b"/capable"
    put(program, b"#!/bin/sh\n", 0o755)
    setx(program, "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir")
    parser.add_argument("--many", type=int, default=2000, help="entries in the large directory")
    parser.add_argument("--depth", type=int, default=120, help="levels of the deep path")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    top = os.fsencode(args.dir)
    os.makedirs(top, exist_ok=True)
    os.umask(0)

    sections = {b"names": names, b"content": lambda t: content(t, rng), b"holes": holes, b"links": links,
                b"specials": specials, b"modes": modes, b"times": times,
                b"attributes": lambda t: attributes(t, rng), b"deep": lambda t: deep(t, args.depth)}
    for name, make in sections.items():
        os.mkdir(top + b"/" + name)
        try:
            make(top + b"/" + name)
        except OSError as why:
            if why.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.EFBIG):
                leave_out(name.decode(), why)
            else:
                raise
    os.mkdir(top + b"/many")
    for i in range(args.many):
        put(top + b"/many/entry-%06d" % i, b"%d\n" % i)


main()

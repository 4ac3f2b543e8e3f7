#!/usr/bin/python3
"""What test_beside_kernel.py leaves, asked in the same way of the mount, a squashfs and an ext4: calls that start from a
descriptor of every kind, split credentials and access lists, paths at their longest, directory streams, sockets, buffers
that end too soon, asynchronous reads, offsets over 4 GiB, and the system calls of the newest kernels."""
import ctypes
import mmap
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import beside  # noqa: E402
import calls as c  # noqa: E402
import muniment as mu  # noqa: E402
from calls import AT_FDCWD, call, libc, result, system_call  # noqa: E402

ROOT, OWNER, OTHER, MEMBER = (0, 0, ()), (3001, 3001, ()), (3002, 3002, ()), (3003, 3003, (3001, 3010))
BAD = ctypes.c_char_p(1)
PAGE = 4096
LARGE = 5 << 30
EMPTY, NOFOLLOW, EACCESS = 0x1000, 0x100, 0x200
LONGEST = "n" * 255
DEEP = 40       # folders of 200 bytes: twice what one path may have

# (call, our answer, why): where neither of both answers so.
REASONS = [
    ("epoll", 0, "the kernel gives every file of FUSE a poll of its own, which says that it may be read"),
]


# ---- the tree --------------------------------------------------------------------------------------------------------

def access_list(*entries):
    """system.posix_acl_*, version 2; entries are (tag, rights, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


NOBODY = 0xffffffff
LISTS = {
    "named-user": access_list((1, 6, NOBODY), (2, 4, OTHER[0]), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY)),
    "masked": access_list((1, 6, NOBODY), (2, 7, OTHER[0]), (4, 7, NOBODY), (16, 1, NOBODY), (32, 4, NOBODY)),
    "named-group": access_list((1, 6, NOBODY), (4, 0, NOBODY), (8, 5, 3010), (16, 7, NOBODY), (32, 0, NOBODY)),
    "denied-group": access_list((1, 6, NOBODY), (4, 6, NOBODY), (8, 0, 3010), (16, 7, NOBODY), (32, 7, NOBODY)),
    "denied-user": access_list((1, 0, NOBODY), (2, 0, OTHER[0]), (4, 7, NOBODY), (16, 7, NOBODY), (32, 7, NOBODY)),
}


def put(path, body=b"some content\n" * 900, mode=0o644, uid=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(body)
    os.chown(path, uid, uid)
    os.chmod(path, mode)


def make_tree(top):
    put(f"{top}/file")
    put(f"{top}/two-pages", bytes(range(256)) * 32)
    put(f"{top}/odd", b"0123456789" * 999 + b"x")
    put(f"{top}/empty", b"")
    put(f"{top}/dir/inside")
    put(f"{top}/dir/{LONGEST}")
    put(os.fsencode(f"{top}/dir/").decode() + "line\nfeed \udcff\udc80")
    for i in range(700):
        put(f"{top}/wide/{i:03d}-{'x' * (i % 230)}", b"")
    os.mkdir(f"{top}/wide/folder")
    os.symlink("x", f"{top}/wide/link")
    os.mkfifo(f"{top}/wide/pipe")
    for mode in sorted({m << who for m in range(8) for who in (0, 3, 6)}):
        put(f"{top}/modes/f{mode:03o}", mode=mode, uid=OWNER[0])
        os.makedirs(f"{top}/modes/d{mode:03o}/sub")
        put(f"{top}/modes/d{mode:03o}/inside", mode=0o666)
        os.chown(f"{top}/modes/d{mode:03o}", OWNER[0], OWNER[0])
        os.chmod(f"{top}/modes/d{mode:03o}", mode)
    for name, value in LISTS.items():
        put(f"{top}/lists/f-{name}", uid=OWNER[0])
        put(f"{top}/lists/d-{name}/inside", mode=0o666)
        os.chown(f"{top}/lists/d-{name}", OWNER[0], OWNER[0])
        for kind in "fd":
            os.setxattr(f"{top}/lists/{kind}-{name}", "system.posix_acl_access", value)
        os.setxattr(f"{top}/lists/d-{name}", "system.posix_acl_default", value)
    os.symlink("dir/inside", f"{top}/to-file")
    os.symlink("dir", f"{top}/to-dir")
    os.symlink("nothing", f"{top}/dangling")
    for size in 59, 60, 61, 255, 1023, 4094, 4095:
        odd = ".//" if size % 2 else ""
        os.symlink(odd + "./" * ((size - len(odd) - 4) // 2) + "file", f"{top}/to-{size}")
    os.symlink("file", f"{top}/chain-00")
    for i in range(1, 45):
        os.symlink(f"chain-{i - 1:02d}", f"{top}/chain-{i:02d}")
    os.mkfifo(f"{top}/pipe")
    here = os.getcwd()
    os.chdir(top)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket")
    os.chdir(here)
    os.chmod(f"{top}/socket", 0o666)
    shutil.copy("/bin/true", f"{top}/program")
    put(f"{top}/script", b"#!/bin/sh\nexit 7\n", mode=0o755)
    with open("/proc/self/maps") as f:
        found = next((row.split()[-1] for row in f if "libffi" in row or "libz.so" in row), None)
    if found:
        shutil.copy(found, f"{top}/library.so")
    with open(f"{top}/large", "wb") as f:
        for at in 0, (1 << 31) - PAGE, (1 << 32) - PAGE, (1 << 32) + (1 << 20), LARGE - 2 * PAGE:
            f.seek(at)
            f.write(os.urandom(2 * PAGE))


def make_deep(top):
    """Apart: its paths are too long for what copies the rest."""
    here = os.getcwd()
    os.chdir(top)
    for _ in range(DEEP):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    put(os.path.join(os.curdir, "bottom"))
    os.chdir(here)


# ---- from a descriptor ---------------------------------------------------------------------------------------------------

def closed(rc):
    if isinstance(rc, int) and rc > 2:
        os.close(rc)
        return "opened"
    return rc


TIMES = (ctypes.c_long * 4)(1, 0, 1, 0)
OMITTED = (ctypes.c_long * 4)(0, (1 << 30) - 2, 0, (1 << 30) - 2)


def at_calls(fd, n):
    told = {}
    room = ctypes.create_string_buffer(5000)
    how = ctypes.create_string_buffer(struct.pack("QI", 0, 0) + bytes(20), 32)
    value = ctypes.create_string_buffer(struct.pack("QII", ctypes.addressof(room), 100, 0), 16)
    for flags in (0, NOFOLLOW, EMPTY, EMPTY | NOFOLLOW, 0x800, 0x40000):
        for mode in 0, 2, 4, 7, 8:
            told[f"faccessat2 {flags:#x} {mode}"] = system_call(439, fd, n, mode, flags)
            told[f"faccessat2 {flags:#x} {mode} effective"] = system_call(439, fd, n, mode, flags | EACCESS)
        told[f"fchmodat2 {flags:#x}"] = system_call(452, fd, n, 0o600, flags)
        told[f"fchownat {flags:#x}"] = call(libc.fchownat, fd, n, 1, 1, flags)
        told[f"fchownat none {flags:#x}"] = call(libc.fchownat, fd, n, -1, -1, flags)
        for name, times in ("now", None), ("given", TIMES), ("omitted", OMITTED), ("bad", BAD):
            told[f"utimensat {name} {flags:#x}"] = system_call(280, fd, n, times or 0, flags)
        told[f"linkat {flags:#x}"] = call(libc.linkat, fd, n, fd, b"never", flags)
        told[f"linkat over {flags:#x}"] = call(libc.linkat, fd, n, fd, b"inside", flags)
        told[f"setxattrat {flags:#x}"] = system_call(463, fd, n, flags, b"user.x", value, 16)
        told[f"getxattrat {flags:#x}"] = system_call(464, fd, n, flags, b"user.none", value, 16)
        told[f"listxattrat {flags:#x}"] = system_call(465, fd, n, flags, room, 0) in (0, "ENOSYS") or system_call(465, fd, n, flags, room, 0)
        told[f"removexattrat {flags:#x}"] = system_call(466, fd, n, flags, b"user.x")
        told[f"file_setattr {flags:#x}"] = system_call(469, fd, n, how, 24, flags)
        told[f"open_tree {flags:#x}"] = closed(system_call(428, fd, n, flags | os.O_CLOEXEC))
        told[f"unlinkat {flags:#x}"] = call(libc.unlinkat, fd, n, flags)
        told[f"fspick {flags:#x}"] = closed(system_call(433, fd, n, flags & 7)) if flags == 0 else 0
    told["unlinkat folder"] = call(libc.unlinkat, fd, n, 0x200)
    told["mkdirat"] = call(libc.mkdirat, fd, n, 0o755)
    told["symlinkat"] = call(libc.symlinkat, b"x", fd, n)
    for kind in stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR:
        told[f"mknodat {kind:o}"] = system_call(259, fd, n, kind | 0o600, 0x103)
    for flags in 0, 1, 2, 4, 5, 8:
        told[f"renameat2 {flags}"] = call(libc.renameat2, fd, n, fd, b"never", flags)
        told[f"renameat2 over {flags}"] = call(libc.renameat2, fd, n, fd, b"inside", flags)
        told[f"renameat2 from {flags}"] = call(libc.renameat2, fd, b"inside", fd, n, flags)
    for size in 0, 1, 3, 5000, -1:
        rc = call(libc.readlinkat, fd, n, room, ctypes.c_long(size))
        told[f"readlinkat {size}"] = rc, room.raw[:rc] if isinstance(rc, int) else b""
    told["readlinkat nowhere"] = call(libc.readlinkat, fd, n, BAD, ctypes.c_long(100))
    for flags in (0, os.O_WRONLY, os.O_RDWR, os.O_DIRECTORY, os.O_NOFOLLOW, os.O_CREAT | os.O_DIRECTORY, os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.O_TMPFILE | os.O_RDWR,
                  os.O_TMPFILE, os.O_TRUNC, os.O_PATH | os.O_TRUNC, os.O_APPEND, 3, os.O_CREAT | os.O_NOFOLLOW):
        told[f"openat {flags:#o}"] = closed(call(libc.openat, fd, n, flags | os.O_NONBLOCK, 0o600))
    told["statfs"] = call(libc.fstatfs, fd, room)
    return told


def fd_calls(fd):
    """What takes a descriptor alone, of whatever kind."""
    room = ctypes.create_string_buffer(5000)
    told = {"fchmod": call(libc.fchmod, fd, 0o600), "fchown": call(libc.fchown, fd, 1, 1), "ftruncate": call(libc.ftruncate, fd, ctypes.c_long(0)),
            "fgetxattr": call(libc.fgetxattr, fd, b"user.none", room, 10), "flistxattr": call(libc.flistxattr, fd, room, 0) == 0, "fsetxattr": call(libc.fsetxattr, fd, b"user.x", b"y", 1, 0),
            "fremovexattr": call(libc.fremovexattr, fd, b"user.x"), "read": call(libc.read, fd, room, 0), "pread": call(libc.pread, fd, room, 10, ctypes.c_long(0)),
            "write": call(libc.write, fd, room, 0), "pwrite": call(libc.pwrite, fd, room, 10, ctypes.c_long(0)), "pwrite -1": call(libc.pwrite, fd, room, 10, ctypes.c_long(-1)),
            "fsync": call(libc.fsync, fd), "fdatasync": call(libc.fdatasync, fd), "syncfs": call(libc.syncfs, fd), "sync_file_range": call(libc.sync_file_range, fd, ctypes.c_long(0), ctypes.c_long(1), 7),
            "lseek": call(libc.lseek, fd, ctypes.c_long(0), 0), "lseek -1": call(libc.lseek, fd, ctypes.c_long(-1), 0), "lseek bad": call(libc.lseek, fd, ctypes.c_long(0), 99),
            "fallocate": call(libc.fallocate, fd, 0, ctypes.c_long(0), ctypes.c_long(0)), "readahead": call(libc.readahead, fd, ctypes.c_long(0), ctypes.c_size_t(10)),
            "fadvise": libc.posix_fadvise(fd, ctypes.c_long(0), ctypes.c_long(0), 77), "getdents": system_call(217, fd, BAD, 4096), "flock": call(libc.flock, fd, 1 | 4),
            "futimens": call(libc.futimens, fd, TIMES), "fchdir": call(libc.fchdir, fd), "mmap": libc.mmap(None, ctypes.c_size_t(1), 1, 2, fd, ctypes.c_long(0)) == ctypes.c_void_p(-1).value,
            "quotactl_fd": system_call(443, fd, 0x80000400, 0, room), "quotactl_fd 2": system_call(443, fd, 0x80000700, 0, room), "quota sync": system_call(443, fd, 0x80000100, 0, room),
            "exec": result(lambda: in_child(lambda: os.execve(fd, ["x"], {}))), "epoll": epolled(fd), "kcmp": call(libc.isatty, fd)}
    os.chdir("/")
    for size in 0, 10, 100:
        told[f"cachestat {size}"] = system_call(451, fd, ctypes.create_string_buffer(struct.pack("QQ", 0, size)), ctypes.create_string_buffer(80), 0)
    for n in (b"", b"/proc/self/fd/%d" % fd):
        for flags in os.O_RDONLY, os.O_RDWR, os.O_TRUNC, os.O_PATH, os.O_DIRECTORY:
            told[f"again {len(n) and 1} {flags:#o}"] = closed(call(libc.open, n, flags | os.O_NONBLOCK))
    for name in (1, 3, 4, 5, 6, 7, 8, 10, 13, 20):       # not what a device's own numbers are: files bits, block sizes
        said = call(libc.fpathconf, fd, name)
        told[f"fpathconf {name}"] = said
    return told


def epolled(fd):
    e = libc.epoll_create1(0)
    said = call(libc.epoll_ctl, e, 1, fd, ctypes.create_string_buffer(16))
    os.close(e)
    return said


def in_child(act):
    child = os.fork()
    if child == 0:
        status = 99
        try:
            act()
        except OSError as why:
            status = why.errno
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def from_descriptors(top):
    told = {}
    opened = {"folder": ("dir", os.O_RDONLY), "folder path": ("dir", os.O_PATH), "file": ("file", os.O_RDONLY), "file path": ("file", os.O_PATH), "link": ("to-file", os.O_PATH | os.O_NOFOLLOW),
              "link to a folder": ("to-dir", os.O_PATH | os.O_NOFOLLOW), "dangling": ("dangling", os.O_PATH | os.O_NOFOLLOW), "pipe": ("pipe", os.O_RDONLY | os.O_NONBLOCK),
              "socket": ("socket", os.O_PATH), "shut": ("modes/d700", os.O_PATH), "program": ("program", os.O_RDONLY), "none": (None, 0)}
    for kind, (n, flags) in opened.items():
        fd = os.open(f"{top}/{n}", flags) if n else 999
        for name in (b"", b".", b"..", b"inside", b"nothing", b"inside/", b"inside/x", b"/proc/self/status", b"x" * 256, LONGEST.encode(), b"nothing/x", b"inside/.", b"./inside"):
            if name == b"/proc/self/status" and kind != "none":
                continue
            if name == b"/proc/self/status":
                told[kind, "absolute"] = closed(call(libc.openat, fd, name, 0))
                continue
            told.update({(f"{kind}, {name[:20].decode()}", call_name): said for call_name, said in at_calls(fd, name).items()})
        told.update({(kind, name): said for name, said in fd_calls(fd).items()})
        if n:
            os.close(fd)
    return told


# ---- who may -------------------------------------------------------------------------------------------------------------

def allowed(top):
    """Every mode and list, by access(2) with real and effective ids, and by the act itself."""
    told = {}
    for folder in "modes", "lists":
        for n in sorted(os.listdir(f"{top}/{folder}")):
            p = os.fsencode(f"{top}/{folder}/{n}")
            for mode in range(8):
                told[n, f"{folder} access {mode}"] = call(libc.access, p, mode), system_call(439, AT_FDCWD, p, mode, EACCESS)
            for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, os.O_CREAT | os.O_WRONLY, os.O_NOATIME, os.O_PATH:
                told[n, f"{folder} open {flags:#o}"] = closed(call(libc.open, p, flags, 0o600))
            for name, act in (("list", lambda: sorted(os.listdir(p))), ("enter", lambda: os.chdir(p)), ("inside", lambda: open(p + b"/inside", "rb").close()),
                              ("make", lambda: os.mkdir(p + b"/new")), ("remove", lambda: os.unlink(p + b"/inside")), ("exec", lambda: os.execv(p, ["x"])), ("chmod", lambda: os.chmod(p, 0o777)),
                              ("stat", lambda: os.stat(p + b"/inside").st_size), ("now", lambda: os.utime(p)), ("truncate", lambda: os.truncate(p, 0)),
                              ("rename", lambda: os.rename(p + b"/inside", p + b"/sub/x")), ("link", lambda: os.link(p + b"/inside", p + b"/y")),
                              ("list of access", lambda: os.getxattr(p, "system.posix_acl_access")), ("default list", lambda: os.getxattr(p, "system.posix_acl_default")),
                              ("names", lambda: sorted(os.listxattr(p))), ("set list", lambda: os.setxattr(p, "system.posix_acl_access", LISTS["masked"])),
                              ("remove list", lambda: os.removexattr(p, "system.posix_acl_access")), ("mode", lambda: os.stat(p).st_mode)):
                told[n, f"{folder} {name}"] = result(act)
                os.chdir("/")
            for size in 1, 8, 43:
                told[n, f"{folder} list in {size}"] = call(libc.getxattr, p, b"system.posix_acl_access", ctypes.create_string_buffer(64), size)
    return told


def with_capabilities(*kept):
    """Only these, by <linux/capability.h>."""
    head = ctypes.create_string_buffer(struct.pack("II", 0x20080522, 0), 8)
    bits = sum(1 << k for k in kept)
    assert libc.capset(head, ctypes.create_string_buffer(struct.pack("6I", bits, bits, 0, 0, 0, 0), 24)) == 0


def split(prepare):
    def act(top):
        prepare()
        return allowed(top)
    return act


# (what of, as whom it begins, what it becomes)
CREDENTIALS = [
    ("owner", OWNER, lambda: None), ("other", OTHER, lambda: None), ("member", MEMBER, lambda: None), ("root", ROOT, lambda: None),
    ("real owner, effective other", ROOT, lambda: (os.setgroups([]), os.setresuid(OWNER[0], OTHER[0], OTHER[0]))),
    ("real other, effective owner", ROOT, lambda: (os.setgroups([]), os.setresgid(OTHER[1], OWNER[1], 0), os.setresuid(OTHER[0], OWNER[0], 0))),
    ("real root, effective other", ROOT, lambda: (os.setgroups([]), os.seteuid(OTHER[0]))),
    ("for files another", ROOT, lambda: libc.setfsuid(OTHER[0])),
    ("root that may nothing", ROOT, lambda: with_capabilities()), ("root that may search", ROOT, lambda: with_capabilities(2)),
    ("root that may override", ROOT, lambda: with_capabilities(1)), ("root that owns", ROOT, lambda: with_capabilities(3)),
]


# ---- paths ---------------------------------------------------------------------------------------------------------------

def paths(top):
    told = {}
    for size in 59, 60, 61, 255, 1023, 4094, 4095:
        p = os.fsencode(f"{top}/to-{size}")
        for room in 1, size - 1, size, size + 1, 9000:
            buffer = ctypes.create_string_buffer(room)
            told[f"to-{size}", f"readlink {room}"] = call(libc.readlink, p, buffer, room), buffer.raw
        told[f"to-{size}", "lstat"] = os.lstat(p).st_size
        told[f"to-{size}", "open"] = closed(call(libc.open, p, 0))
    for i in range(45):
        told[f"chain-{i:02d}", "open"] = closed(call(libc.open, os.fsencode(f"{top}/chain-{i:02d}"), 0))
        told[f"chain-{i:02d}", "mkdir"] = call(libc.mkdir, os.fsencode(f"{top}/chain-{i:02d}/x"), 0o755)
        told[f"chain-{i:02d}", "truncate"] = call(libc.truncate, os.fsencode(f"{top}/chain-{i:02d}"), ctypes.c_long(0))
    for n in ("line\nfeed \udcff\udc80", LONGEST, LONGEST + "n", "x" * 300):
        told[n, "stat"] = result(lambda: os.stat(f"{top}/dir/{n}").st_size)
    return told


def deep(top):
    """Folders whose path is longer than a path may be: from one to the next."""
    told = {}
    os.chdir(top)
    for i in range(DEEP):
        os.chdir("d" * 200)
        told["deep", f"cwd {i}"] = result(lambda: len(os.getcwd()) - len(top))
        told["deep", f"raw cwd {i}"] = system_call(79, ctypes.create_string_buffer(5000), 5000 if i > 17 else 10) in ("ERANGE", "ENAMETOOLONG")
        told["deep", f"link {i}"] = result(lambda: len(os.readlink("/proc/self/cwd")) > 4000)
        told["deep", f"up {i}"] = os.stat("..").st_mode, os.stat("../..").st_mode
    with open("bottom", "rb") as f:
        told["deep", "read"] = f.read()
    for _ in range(DEEP):
        os.chdir("..")
    told["deep", "back"] = os.stat(".").st_ino == os.stat(top).st_ino
    os.chdir("/")
    return told


# ---- streams of a folder -------------------------------------------------------------------------------------------------

class Entry(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("reclen", ctypes.c_uint16), ("type", ctypes.c_uint8), ("name", ctypes.c_char * 256)]


libc.opendir.restype = libc.fdopendir.restype = ctypes.c_void_p
libc.readdir.restype = ctypes.POINTER(Entry)
libc.telldir.restype = ctypes.c_long


def streamed(d):
    e = libc.readdir(ctypes.c_void_p(d))
    return (e.contents.name, e.contents.type, e.contents.ino) if e else None


def listed(fd, size):
    names, room = [], ctypes.create_string_buffer(size)
    while (got := system_call(217, fd, room, size)):
        if isinstance(got, str):
            return got
        at = 0
        while at < got:
            length = struct.unpack_from("H", room, at + 16)[0]
            names.append((room.raw[at + 19:at + length].split(b"\0")[0], room.raw[at + 18]))
            at += length
    return names


def streams(top):
    told = {}
    for n in "wide", "dir", "modes/d700" if os.geteuid() == 0 else "dir":
        p = os.fsencode(f"{top}/{n}")
        d, e = libc.opendir(p), libc.opendir(p)
        rows, places = [], []
        while True:
            places.append(libc.telldir(ctypes.c_void_p(d)))
            row = streamed(d)
            if row is None:
                break
            rows.append(row)
        told[n, "names"] = sorted(r[:2] for r in rows)
        told[n, "numbers"] = all(name == b".." or os.lstat(p + b"/" + name).st_ino == ino for name, _, ino in rows)
        told[n, "once"] = len({r[0] for r in rows}) == len(rows) and len(set(places)) == len(places)
        told[n, "at the end again"] = streamed(d)
        told[n, "sought"] = all((libc.seekdir(ctypes.c_void_p(d), ctypes.c_long(places[i])), streamed(d) == (rows[i] if i < len(rows) else None))[1]
                                for i in [*range(len(places) - 1, -1, -7), *range(0, len(places), 11)])
        libc.rewinddir(ctypes.c_void_p(d))
        told[n, "rewound"] = streamed(d) == rows[0]
        told[n, "two at once"] = [streamed(e) for _ in rows] == rows and streamed(e) is None
        # A place of one stream is one of another, also after both were closed.
        libc.closedir(ctypes.c_void_p(d))
        libc.closedir(ctypes.c_void_p(e))
        d = libc.opendir(p)
        libc.seekdir(ctypes.c_void_p(d), ctypes.c_long(places[len(rows) // 2]))
        told[n, "place kept"] = streamed(d) == rows[len(rows) // 2]
        libc.closedir(ctypes.c_void_p(d))
        fd = os.open(p, os.O_RDONLY)
        for size in 24, 280, 281, 299, 1000, 4096, 32768, 1 << 20:
            os.lseek(fd, 0, os.SEEK_SET)
            got = listed(fd, size)
            told[n, f"in {size}"] = got if isinstance(got, str) else sorted(got)
        os.lseek(fd, 0, os.SEEK_SET)
        # Parent and child share the place.
        first = system_call(217, fd, ctypes.create_string_buffer(300), 300)
        child = in_child(lambda: os._exit(0 if isinstance(system_call(217, fd, ctypes.create_string_buffer(300), 300), int) else 1))
        told[n, "shared"] = isinstance(first, int), child, os.lseek(fd, 0, os.SEEK_CUR) != 0
        # Places that nobody was given: no error that another does not tell, no endless listing.
        for whence in 0, 1, 2:
            for offset in -1, 1, 12345, (1 << 31) - 1, (1 << 31), (1 << 32) + 1, (1 << 62), (1 << 63) - 1:
                os.lseek(fd, 0, os.SEEK_SET)
                said = call(libc.lseek, fd, ctypes.c_long(offset), whence)
                got = listed(fd, 4096) if whence == 0 else []
                told[n, f"lseek {whence} {offset}"] = said if isinstance(said, str) else "moved", got if isinstance(got, str) else len(got) <= len(rows)
        os.lseek(fd, 0, os.SEEK_SET)
        told[n, "getdents of old"] = isinstance(system_call(78, fd, ctypes.create_string_buffer(4096), 4096), int)
        told[n, "getdents nowhere"] = system_call(217, fd, BAD, 4096)
        os.lseek(fd, 0, os.SEEK_SET)
        told[n, "read"] = call(libc.read, fd, BAD, 10), call(libc.pread, fd, BAD, 10, ctypes.c_long(5))
        os.close(fd)
    return told


# ---- bytes ---------------------------------------------------------------------------------------------------------------

def partly(top):
    """A buffer that ends where nothing is mapped."""
    told = {}
    room = mmap.mmap(-1, 4 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    libc.munmap(ctypes.c_void_p(start + 2 * PAGE), ctypes.c_size_t(2 * PAGE))
    for n in "file", "two-pages", "odd", "empty":
        for flags in 0, os.O_DIRECT:
            fd = os.open(f"{top}/{n}", os.O_RDONLY | flags)
            for inside in 0, 1, 100, 512, PAGE, PAGE + 1, 2 * PAGE:
                for size in 1, 512, PAGE, 2 * PAGE + 5, 4 * PAGE, (1 << 63) - 1:
                    for offset in 0, 512, 4095, PAGE, 9000:
                        at = start + 2 * PAGE - inside
                        rc = call(libc.pread, fd, ctypes.c_void_p(at), ctypes.c_size_t(size), ctypes.c_long(offset))
                        told[n, f"pread {flags:#o} {inside} {size} {offset}"] = rc, ctypes.string_at(at, rc) if isinstance(rc, int) else b""
            os.lseek(fd, 100, os.SEEK_SET)
            told[n, f"place after a failure {flags:#o}"] = call(libc.read, fd, BAD, 10), os.lseek(fd, 0, os.SEEK_CUR)
            for start_at, length in ((start, PAGE), (start + PAGE, 3 * PAGE)):
                vector = ctypes.create_string_buffer(struct.pack("QQQQ", start, 700, start_at, length), 32)
                told[n, f"readv {flags:#o} {length}"] = call(libc.preadv, fd, vector, 2, ctypes.c_long(0))
            for how in 0x20, 0x40, 0x80, 0x100, 0x88, 8:
                rc = call(libc.preadv2, fd, vector, 1, ctypes.c_long(0), how)
                told[n, f"preadv2 {flags:#o} {how:#x}"] = rc
            os.close(fd)
    return told


def asynchronous(top):
    """io_submit(2)."""
    told = {}
    context = ctypes.c_ulong(0)
    if system_call(206, 32, ctypes.byref(context)) != 0:
        return told
    room = mmap.mmap(-1, 16 * PAGE)
    at = ctypes.addressof(ctypes.c_char.from_buffer(room))
    for n in "file", "odd", "empty", "dir", "pipe":
        for flags in 0, os.O_DIRECT:
            if flags and n in ("dir", "pipe"):
                continue
            fd = os.open(f"{top}/{n}", os.O_RDONLY | flags | os.O_NONBLOCK)
            for op in (0, 1, 2, 3, 6, 7, 8, 9):
                for offset in 0, 1, 512, PAGE, 1 << 40, -1:
                    for size in 0, 10, 512, 2 * PAGE:
                        vector = ctypes.create_string_buffer(struct.pack("QQ", at, size), 16)
                        block = ctypes.create_string_buffer(struct.pack("QIIHhIQQqQII", 5, 0, 0, op, 0, fd, ctypes.addressof(vector) if op in (7, 8) else at,
                                                                        1 if op in (7, 8) else size, offset, 0, 0, 0), 64)
                        pointer = ctypes.c_void_p(ctypes.addressof(block))
                        said = system_call(209, ctypes.c_long(context.value), 1, ctypes.byref(pointer))
                        if said == 1:
                            events = ctypes.create_string_buffer(32)
                            system_call(208, ctypes.c_long(context.value), 1, 1, events, 0)
                            rc = struct.unpack_from("q", events, 16)[0]
                            said = (rc, room[:rc]) if rc >= 0 else c.errno.errorcode[-rc]
                        told[n, f"aio {flags:#o} {op} {offset} {size}"] = said
            os.close(fd)
    system_call(207, ctypes.c_long(context.value))
    return told


def far(top):
    """Offsets that 32 bits do not hold."""
    told = {}
    tmp = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    room = mmap.mmap(-1, 8 * PAGE)
    places = [0, (1 << 31) - PAGE, 1 << 31, (1 << 31) + PAGE, (1 << 32) - PAGE, 1 << 32, (1 << 32) + PAGE, (1 << 32) + (1 << 20), LARGE - 2 * PAGE, LARGE - PAGE, LARGE, LARGE + PAGE]
    for flags in 0, os.O_DIRECT:
        fd = os.open(f"{top}/large", os.O_RDONLY | flags)
        told["large", f"size {flags:#o}"] = os.lseek(fd, 0, os.SEEK_END)
        for at in places:
            rc = result(lambda: os.preadv(fd, [room], at))
            told["large", f"pread {flags:#o} {at}"] = rc, room[:rc] if isinstance(rc, int) else b""
            for whence in os.SEEK_DATA, os.SEEK_HOLE:
                told["large", f"lseek {flags:#o} {at} {whence}"] = call(libc.lseek, fd, ctypes.c_long(at), whence)
            os.ftruncate(tmp, 0)
            offset = ctypes.c_long(at)
            rc = call(libc.sendfile, tmp, fd, ctypes.byref(offset), ctypes.c_size_t(5 * PAGE))
            told["large", f"sendfile {flags:#o} {at}"] = rc, offset.value, os.pread(tmp, 1 << 20, 0)
            os.ftruncate(tmp, 0)
            os.lseek(tmp, 0, os.SEEK_SET)
            offset = ctypes.c_long(at)
            rc = call(libc.copy_file_range, fd, ctypes.byref(offset), tmp, None, ctypes.c_size_t(5 * PAGE), 0)
            told["large", f"copy {flags:#o} {at}"] = rc, offset.value, os.pread(tmp, 1 << 20, 0)
            os.lseek(fd, at, os.SEEK_SET)
            rc = result(lambda: os.readv(fd, [room]))
            told["large", f"read {flags:#o} {at}"] = rc, os.lseek(fd, 0, os.SEEK_CUR), room[:rc] if isinstance(rc, int) else b""
        for at in places[:-2]:
            with mmap.mmap(fd, PAGE, mmap.MAP_SHARED, mmap.PROT_READ, offset=at) as m:
                told["large", f"map {flags:#o} {at}"] = m[:]
                told["large", f"mincore {flags:#o} {at}"] = call(libc.mincore, ctypes.c_void_p(1 << 46), ctypes.c_size_t(PAGE), ctypes.create_string_buffer(8))
        os.close(fd)
    told["large", "stat"] = os.stat(f"{top}/large").st_size
    told["large", "without O_LARGEFILE"] = closed(call(libc.open, os.fsencode(f"{top}/large"), 0))
    os.close(tmp)
    return told


# ---- the rest ------------------------------------------------------------------------------------------------------------

def sockets(top):
    told = {}
    for n in "socket", "file", "dir", "nothing", "pipe", "to-file", "dangling", "modes/d000/x", "file/x":
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
            with socket.socket(socket.AF_UNIX, kind) as s:
                told[n, f"connect {kind}"] = result(lambda: s.connect(f"{top}/{n}"))
            with socket.socket(socket.AF_UNIX, kind) as s:
                told[n, f"bind {kind}"] = result(lambda: s.bind(f"{top}/{n}"))
    return told


def programs(top):
    told = {"program": in_child(lambda: os.execv(f"{top}/program", ["x"])), "script": in_child(lambda: os.execv(f"{top}/script", ["x"]))}
    if os.path.exists(f"{top}/library.so"):
        told["library"] = in_child(lambda: os._exit(0 if ctypes.CDLL(f"{top}/library.so") else 1))
    for flags in 0, NOFOLLOW, EMPTY, 77:
        for n in b"program", b"to-file", b"dir", b"":
            told[f"execveat {n} {flags:#x}"] = in_child(lambda: exec_at(top, n, flags))
    statvfs = os.statvfs(top)
    told["names"], told["room"], told["read-only"] = statvfs.f_namemax, (statvfs.f_bavail, statvfs.f_bfree, statvfs.f_ffree), statvfs.f_flag & 1
    told["sane"] = statvfs.f_bsize > 0 and statvfs.f_frsize > 0 and statvfs.f_blocks > 0 and statvfs.f_files > 0
    told["one device"] = len({os.lstat(os.path.join(top, d, n)).st_dev for d in (".", "dir", "modes", "lists") for n in os.listdir(os.path.join(top, d))}) == 1
    return {("hard", name): said for name, said in told.items()}


def exec_at(top, n, flags):
    fd = os.open(top if n else f"{top}/program", os.O_PATH)
    nothing = (ctypes.c_char_p * 2)(b"x", None)
    said = system_call(322, fd, n, nothing, ctypes.byref(nothing, 8), flags)
    os._exit(getattr(c.errno, said, 98))


def all_calls(top):
    told = {}
    for section in from_descriptors, paths, streams, sockets, programs:
        told.update({((section.__name__ + " " + str(target)), name): said for (target, name), said in section(top).items()})
    return told


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    if os.geteuid() != 0:
        mu.skip("file systems to compare with are mounted by root alone")
    if os.uname().machine != "x86_64":
        mu.skip("system calls stand in it by x86-64's numbers")
    os.umask(0o022)
    os.chmod(".", 0o755)
    os.mkdir("src")
    make_tree("src")
    archive = mu.Archive("archive")
    own, squash, ext4, memory = os.path.abspath("own"), None, None, None
    try:
        memory = beside.mounted("src", "mem", "tmpfs", without=["large"])
        squash = beside.mounted("src", "squ", "squashfs", without=["large"])
        ext4 = beside.mounted("src", "ext", "ext4", size="128M", more=make_deep)
        make_deep("src")
        both = [top for top in (squash, ext4) if top]
        if not both:
            mu.skip("no file system of the kernel can be mounted here to compare with")
        archive.run("ingest", "src", "--system", "s", "--version", "1")
        archive.mount(own, "allow_other,system=s,version=1")
        failed = []

        def hold(what, user, tops, asked):
            try:
                print(f"{what}: {beside.compare(user, tops, asked, REASONS)} answers beside {len(tops) - 1}", flush=True)
            except AssertionError as why:
                failed.append(f"{what}: {why}")
        for name, user in ("root", ROOT), ("owner", OWNER), ("other", OTHER):
            hold(name, user, [own, *both], all_calls)
        # Of all that read directly the one that, as we, asks nobody to align; before Linux 6.6 it refused to.
        if memory and closed(call(libc.open, os.fsencode(f"{memory}/file"), os.O_DIRECT)) == "opened":
            hold("partly", ROOT, [own, memory], partly)
            hold("asynchronous", ROOT, [own, memory], asynchronous)
        if ext4:        # a squashfs keeps no access lists, and calls no hole one
            for name, user, prepare in CREDENTIALS:
                hold(name, user, [own, ext4], split(prepare))
            hold("far", ROOT, [own, ext4], far)
            hold("deep", ROOT, [own, ext4], deep)
        assert not failed, "\n".join(failed)
    finally:
        mu.unmount(own)
        for top in squash, ext4, memory:
            if top:
                subprocess.run(["umount", top])


main()

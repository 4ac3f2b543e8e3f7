#!/usr/bin/python3
"""The mount beside file systems of the kernel that hold the same tree read-only: squashfs, and an ext4 on a loop
device. Of every call (openat2, statx, ioctl, fcntl, leases, splices, maps, handles, watches, attributes, an io_uring) the
answer is that of one of both, by every user; where it is not, the reason stands in REASONS."""
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import calls as c  # noqa: E402
import muniment as mu  # noqa: E402
from calls import AT_FDCWD, call, libc, result, system_call  # noqa: E402

ROOT, OWNER, OTHER = (0, 0, ()), (3001, 3001, ()), (3002, 3002, ())
MOST = int(os.environ.get("MOST", 60))       # differences that are shown
BAD = ctypes.c_char_p(1)
# None leads out of the tree: root asks for writing, too.
NODES = ["file", "owned", "none", "all", "empty", "holes", "dir", "void", "shut", "shut/inside", "dir/inside", "dir/linked", "to-file", "to-dir",
         "dangling", "loop-a", "pipe", "socket", "null", "program", "attributed", "nothing", "file/x", "."]

# (call, our answer, why): where neither of both answers so.
REASONS = [
    (r"fanotify 0x\w00 .*", "ENODEV", "FUSE gives the kernel no number of its file system, by which such a listener tells files: it is to listen by descriptors"),
]


# ---- the tree --------------------------------------------------------------------------------------------------------

def put(path, body=b"some content\n" * 900, mode=0o644, uid=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(body)
    os.chown(path, uid, uid)
    os.chmod(path, mode)


def make_tree(top):
    put(f"{top}/file")
    put(f"{top}/owned", mode=0o600, uid=OWNER[0])
    put(f"{top}/none", mode=0)
    put(f"{top}/all", mode=0o666)
    put(f"{top}/empty", b"")
    put(f"{top}/dir/inside")
    put(f"{top}/shut/inside")
    os.mkdir(f"{top}/void")
    os.link(f"{top}/file", f"{top}/dir/linked")
    for name, to in (("to-file", "file"), ("to-dir", "dir"), ("dangling", "nothing"), ("loop-a", "loop-b"), ("loop-b", "loop-a"),
                     ("absolute", "/etc/passwd"), ("upward", "../key")):
        os.symlink(to, f"{top}/{name}")
    os.mkfifo(f"{top}/pipe")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{top}/socket")
    os.mknod(f"{top}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with open(f"{top}/holes", "wb") as f:
        f.truncate(3 << 20)
        for at in 0, 1 << 20, 2 << 20:
            f.seek(at)
            f.write(os.urandom(70_000))
    shutil.copy("/bin/true", f"{top}/program")
    put(f"{top}/attributed")
    os.setxattr(f"{top}/attributed", "user.note", b"value")
    os.setxattr(f"{top}/attributed", "user.empty", b"")
    os.setxattr(f"{top}/attributed", "trusted.note", b"for root")
    # cap_net_raw+ep, by <linux/capability.h>
    os.setxattr(f"{top}/program", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
    os.chmod(f"{top}/shut", 0o700)
    # Neither squashfs nor a small ext4 keeps parts of a second.
    for d, dirs, files in os.walk(top, topdown=False):
        for n in dirs + files:
            os.utime(f"{d}/{n}", (10**9, 10**9), follow_symlinks=False)
    os.utime(top, (10**9, 10**9))


# ---- one path ----------------------------------------------------------------------------------------------------------

def descriptor(rc):
    """What a call that opens came to: a number of its own is none to compare."""
    if isinstance(rc, int) and rc > 2:
        os.close(rc)
        return "opened"
    return rc


o = os
READING = (o.O_RDONLY, o.O_PATH, o.O_PATH | o.O_NOFOLLOW, o.O_DIRECTORY, o.O_DIRECT, o.O_NOATIME, 1 << 40)
WRITING = (o.O_RDWR, o.O_CREAT | o.O_WRONLY, o.O_CREAT | o.O_EXCL, o.O_TMPFILE | o.O_RDWR, o.O_TRUNC)


def openat2(top, n, ways=READING + WRITING):
    """Every RESOLVE_* flag by every way to open; RESOLVE_CACHED apart, which may say EAGAIN at any time."""
    told = {}
    fd = os.open(top, os.O_PATH)
    for flags in ways:
        for resolve in (0, 1, 2, 4, 8, 16, 8 | 16, 4 | 8, 1 | 2 | 4, 64):
            mode = 0o600 if flags & (o.O_CREAT | o.O_TMPFILE & ~o.O_DIRECTORY) else 0
            how = ctypes.create_string_buffer(struct.pack("QQQ", flags | (0 if flags & o.O_PATH else o.O_NONBLOCK), mode, resolve), 24)
            # Anybody's rename or mount meanwhile makes a ".." uncertain, which openat2(2) tells so: again, then.
            for _ in range(10_000):
                said = descriptor(system_call(437, fd, n, how, 24))
                if said != "EAGAIN":
                    break
            told[f"openat2 {flags:#x} {resolve}"] = said
    how = ctypes.create_string_buffer(struct.pack("QQQ", o.O_NONBLOCK, 0, 32), 24)
    said = descriptor(system_call(437, fd, n, how, 24))
    told["openat2 cached"] = "told" if said in ("EAGAIN", descriptor(call(libc.openat, fd, n, o.O_NONBLOCK))) else said
    for size in 0, 8, 23, 25, 5000:
        told[f"openat2 of {size}"] = descriptor(system_call(437, fd, n, ctypes.create_string_buffer(how.raw[:16] + bytes(8) + b"\1" * 5000), size))
    os.close(fd)
    return told


def statx(p):
    told = {}
    buffer = ctypes.create_string_buffer(256)
    for flags in (0, 0x100, 0x800, 0x2000, 0x4000, 0x6000, 0x400, 0x10000):
        for mask in [1 << i for i in range(16)] + [0, 0x7ff, 0xfff, 0x1fff, 0xffff, 0x80000000]:
            rc = call(libc.statx, AT_FDCWD, p, flags, ctypes.c_uint(mask), buffer)
            told[f"statx {flags:#x} {mask:#x}"] = rc
            if rc == 0 and mask & 0x7ff == 0x7ff:       # of less, a file system need not tell the rest
                got, _, attributes = struct.unpack_from("IIQ", buffer, 0)
                nlink, uid, gid, mode = struct.unpack_from("IIIH", buffer, 16)
                size = 0 if stat.S_ISDIR(mode) else struct.unpack_from("Q", buffer, 40)[0]
                times = [struct.unpack_from("qI", buffer, at) for at in (112,)]     # of change of content
                device = struct.unpack_from("II", buffer, 128)
                told[f"statx {flags:#x} {mask:#x} basic"] = got & 0x7ff, nlink, uid, gid, mode, size, times, device
                # Not born, not verity, not encrypted, not a DAX: what is of the mount is the kernel's.
                told[f"statx {flags:#x} {mask:#x} more"] = got & 0x800, got & 0x1000 and mask & 0x1000, attributes & ~0x200000
    told["statx nowhere"] = call(libc.statx, AT_FDCWD, p, 0, 0x7ff, BAD)
    return told


def attributes(p):
    told = {}
    for size in 0, 1, 5, 65536:
        buffer = ctypes.create_string_buffer(max(size, 1))
        for name in (b"user.note", b"user.empty", b"user.none", b"user.", b"trusted.note", b"trusted.none", b"security.capability", b"security.selinux",
                     b"security.none", b"system.posix_acl_access", b"system.posix_acl_default", b"system.none", b"none.at.all", b"nodot", b"",
                     b"user." + b"x" * 250, b"user." + b"x" * 251, b"os2.none", b"btrfs.compression"):
            for how in libc.getxattr, libc.lgetxattr:
                rc = call(how, p, name, buffer if size else None, ctypes.c_size_t(size))
                told[f"{how.__name__} {name[:30]} {len(name)} {size}"] = rc, buffer.raw[:rc] if size and isinstance(rc, int) else b""
        for how in libc.listxattr, libc.llistxattr:
            rc = call(how, p, buffer if size else None, ctypes.c_size_t(size))
            told[f"{how.__name__} {size}"] = rc, sorted(buffer.raw[:rc].split(b"\0")) if size and isinstance(rc, int) else b""
    return told


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


def handles(top, p):
    told = {}
    mount = ctypes.c_int()
    for flags in 0, 0x400, 0x1000, 0x1, 0x100:
        h = Handle(size=128)
        told[f"handle {flags:#x}"] = call(libc.name_to_handle_at, AT_FDCWD, p, ctypes.byref(h), ctypes.byref(mount), flags)
    for size in 0, 1, 4, 129, 5000:
        small = Handle(size=size)
        told[f"handle of {size}"] = call(libc.name_to_handle_at, AT_FDCWD, p, ctypes.byref(small), ctypes.byref(mount), 0)
    h = Handle(size=128)
    if call(libc.name_to_handle_at, AT_FDCWD, p, ctypes.byref(h), ctypes.byref(mount), 0) == 0:
        fd = os.open(top, os.O_RDONLY)
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_PATH, os.O_DIRECTORY, os.O_NOFOLLOW, os.O_CREAT | os.O_RDWR, os.O_TRUNC):
            told[f"by handle {flags:#x}"] = descriptor(call(libc.open_by_handle_at, fd, ctypes.byref(h), flags | os.O_NONBLOCK))
        os.close(fd)
    return told


# ---- what was opened -----------------------------------------------------------------------------------------------------

IOCTLS = {
    "GETFLAGS": 0x80086601, "SETFLAGS": 0x40086602, "GETVERSION": 0x80087601, "SETVERSION": 0x40087602, "FSGETXATTR": 0x801c581f,
    "FSSETXATTR": 0x401c5820, "FIBMAP": 1, "FIGETBSZ": 2, "FIONREAD": 0x541b, "FIONBIO": 0x5421, "FIOCLEX": 0x5451, "FIONCLEX": 0x5450,
    "FIOQSIZE": 0x5460, "FITRIM": 0xc0185879, "SETFSLABEL": 0x41009432, "VERITY": 0x40806685, "MEASURE": 0xc0046686,
    "ENCRYPTION": 0x400c6615, "SET_ENCRYPTION": 0x800c6613, "TCGETS": 0x5401, "BLKGETSIZE64": 0x80081272, "RESVSP": 0x40305828, "unknown": 0xdead,
}


def ioctls(fd):
    told = {}
    for name, number in IOCTLS.items():
        room = ctypes.create_string_buffer(512)
        rc = call(libc.ioctl, fd, ctypes.c_ulong(number), room)
        told[f"ioctl {name}"] = rc
        if name == "FIONREAD" and rc == 0:
            told["ioctl FIONREAD said"] = struct.unpack_from("i", room)[0]
    tmp = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(tmp, b"some content\n" * 900)
    told["FICLONE out"] = call(libc.ioctl, tmp, ctypes.c_ulong(0x40049409), fd)
    told["FICLONE in"] = call(libc.ioctl, fd, ctypes.c_ulong(0x40049409), tmp)
    told["FICLONE self"] = call(libc.ioctl, fd, ctypes.c_ulong(0x40049409), fd)
    room = ctypes.create_string_buffer(struct.pack("qQQQ", fd, 0, 4096, 0))
    told["FICLONERANGE out"] = call(libc.ioctl, tmp, ctypes.c_ulong(0x4020940d), room)
    room = ctypes.create_string_buffer(struct.pack("QQHHIqQQiI", 0, 4096, 1, 0, 0, tmp, 0, 0, 0, 0))
    told["FIDEDUPE"] = call(libc.ioctl, fd, ctypes.c_ulong(0xc0189436), room)
    told["FIDEDUPE said"] = struct.unpack_from("i", room, 48)[0]
    for flags in 0, 1, 0x100:
        room = ctypes.create_string_buffer(struct.pack("QQIIII", 0, 1 << 40, flags, 0, 4, 0) + bytes(56 * 4))
        told[f"FIEMAP {flags}"] = call(libc.ioctl, fd, ctypes.c_ulong(0xc020660b), room)
    os.close(tmp)
    return told


def controls(fd):
    """fcntl(2), locks and leases."""
    told = {}
    for name, number, argument in (
            ("DUPFD", fcntl.F_DUPFD_CLOEXEC, 10), ("GETFL", fcntl.F_GETFL, 0), ("SETFL append", fcntl.F_SETFL, os.O_APPEND), ("SETFL direct", fcntl.F_SETFL, os.O_DIRECT),
            ("SETFL noatime", fcntl.F_SETFL, os.O_NOATIME), ("SETFL async", fcntl.F_SETFL, os.O_ASYNC), ("SETFL none", fcntl.F_SETFL, os.O_NONBLOCK),
            ("GETLEASE", 1025, 0), ("SETLEASE read", 1024, fcntl.F_RDLCK), ("GETLEASE then", 1025, 0), ("SETLEASE none", 1024, fcntl.F_UNLCK),
            ("SETLEASE write", 1024, fcntl.F_WRLCK), ("SETLEASE end", 1024, fcntl.F_UNLCK), ("SETLEASE bad", 1024, 77), ("NOTIFY", 1026, 0x80000001), ("NOTIFY none", 1026, 0),
            ("SETPIPE", 1031, 4096), ("GETPIPE", 1032, 0), ("SEALS", 1033, 1), ("GETSEALS", 1034, 0), ("GETSIG", 11, 0), ("SETSIG", 10, 0), ("unknown", 5555, 0)):
        rc = call(libc.fcntl, fd, number, ctypes.c_long(argument))
        told[f"fcntl {name}"] = descriptor(rc) if name == "DUPFD" else rc
    for kind in fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK:
        for how in fcntl.F_SETLK, fcntl.F_GETLK, 36, 37:
            lock = ctypes.create_string_buffer(struct.pack("hhqqi", kind, 0, 5, 10, 0), 32)
            told[f"lock {kind} {how}"] = call(libc.fcntl, fd, how, lock), struct.unpack_from("h", lock)[0]
    for how in 1, 2, 8, 1 | 2, 32 | 64, 77:
        told[f"flock {how}"] = call(libc.flock, fd, how | 4)
    hint = ctypes.c_uint64(2)
    told["hint get"], told["hint set"] = call(libc.fcntl, fd, 1035, ctypes.byref(hint)), call(libc.fcntl, fd, 1036, ctypes.byref(hint))
    return told


def reads(fd):
    """Every flag of preadv2, every advice; what is read is the same."""
    told = {}
    room = ctypes.create_string_buffer(5000)
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(room), 5000), 16)
    for flags in (0, 1, 2, 4, 16, 32, 64, 0x1000):
        for offset in 0, 4090, 1 << 40, -1, -2:
            rc = call(libc.preadv2, fd, vector, 1, ctypes.c_long(offset), flags)
            told[f"preadv2 {flags} {offset}"] = rc, room.raw[:rc] if isinstance(rc, int) else b""
    for count in 0, 1025, -1:
        told[f"preadv of {count}"] = call(libc.preadv, fd, vector, count, ctypes.c_long(0))
    for advice in range(8):
        told[f"fadvise {advice}"] = libc.posix_fadvise(fd, ctypes.c_long(0), ctypes.c_long(100), advice)
    told["readahead"] = call(libc.readahead, fd, ctypes.c_long(0), ctypes.c_size_t(1 << 20))
    told["sync range"] = call(libc.sync_file_range, fd, ctypes.c_long(0), ctypes.c_long(10), 7)
    for whence in range(7):
        for offset in 0, 1, 70_000, 3 << 20, -1, 1 << 62:
            if stat.S_ISREG(os.fstat(fd).st_mode) or whence < 2:
                rc = call(libc.lseek, fd, ctypes.c_long(offset), whence)
                told[f"lseek {whence} {offset}"] = rc
    for size in 0, 1, 10, 23:
        os.lseek(fd, 0, os.SEEK_SET)
        told[f"getdents of {size}"] = system_call(217, fd, room, size) if os.uname().machine == "x86_64" else 0
    told["fstatfs"] = call(libc.fstatfs, fd, ctypes.create_string_buffer(200))
    return told


def moves(fd):
    """Bytes that go elsewhere without a buffer of the program's."""
    told = {}
    r, w = os.pipe()
    a, b = socket.socketpair()
    for s in a, b:
        s.setblocking(False)
    os.set_blocking(r, False)
    for size in 0, 10, 5000:
        for at in 0, 4090, 1 << 40:
            offset = ctypes.c_long(at)
            for flags in 0, 2, 77:
                rc = call(libc.splice, fd, ctypes.byref(offset), w, None, ctypes.c_size_t(size), flags)
                told[f"splice {size} {at} {flags}"] = rc, os.read(r, 5000) if isinstance(rc, int) and rc else b"", offset.value
            offset = ctypes.c_long(at)
            rc = call(libc.sendfile, b.fileno(), fd, ctypes.byref(offset), ctypes.c_size_t(size))
            told[f"sendfile {size} {at}"] = rc, a.recv(5000) if isinstance(rc, int) and rc else b"", offset.value
    os.write(w, b"never")
    told["splice into"] = call(libc.splice, r, None, fd, None, ctypes.c_size_t(5), 0)
    told["sendfile into"] = call(libc.sendfile, fd, fd, None, ctypes.c_size_t(5))
    told["tee"] = call(libc.tee, fd, w, ctypes.c_size_t(5), 0)
    told["vmsplice"] = call(libc.vmsplice, fd, ctypes.create_string_buffer(16), ctypes.c_size_t(1), 0)
    tmp = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    for x, y, name in (fd, tmp, "out"), (tmp, fd, "in"), (fd, fd, "self"):
        for flags in 0, 1:
            told[f"copy_file_range {name} {flags}"] = call(libc.copy_file_range, x, None, y, None, ctypes.c_size_t(4096), flags)
    told["copied"] = os.pread(tmp, 9000, 0)
    for end in r, w, tmp:
        os.close(end)
    a.close()
    b.close()
    return told


def in_child(act):
    """The exit status of act() in a process of its own, a signal as its negative number."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        try:
            act()
        finally:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def maps(fd):
    told = {}
    for protection in 0, 1, 2, 3, 4, 5, 7:
        for flags in 1, 2, 3, 3 | 0x80000, 1 | 0x8000, 2 | 0x2000, 0:
            at = libc.mmap(None, ctypes.c_size_t(8192), protection, flags, fd, ctypes.c_long(0))
            failed = at == ctypes.c_void_p(-1).value
            told[f"mmap {protection} {flags:#x}"] = c.errno.errorcode[ctypes.get_errno()] if failed else "mapped"
            if failed or protection != 1:
                continue
            where = ctypes.c_void_p(at)
            told[f"mapped {flags:#x}"] = ctypes.string_at(at, 8192) if os.fstat(fd).st_size > 8192 else b""
            for advice in range(26):        # no higher: 100 would break the page in earnest
                if advice not in (12, 13, 14, 15, 25):      # of a kernel's own making: same page merging, huge pages
                    told[f"madvise {flags:#x} {advice}"] = call(libc.madvise, where, ctypes.c_size_t(8192), advice)
            told[f"msync {flags:#x}"] = call(libc.msync, where, ctypes.c_size_t(8192), 4)
            told[f"mprotect {flags:#x}"] = call(libc.mprotect, where, ctypes.c_size_t(8192), 3)
            told[f"mlock {flags:#x}"] = call(libc.mlock, where, ctypes.c_size_t(4096))
            libc.munmap(where, ctypes.c_size_t(8192))
    told["mmap of nothing"] = call(libc.mmap, None, ctypes.c_size_t(0), 1, 1, fd, ctypes.c_long(0))
    told["mmap between pages"] = call(libc.mmap, None, ctypes.c_size_t(10), 1, 1, fd, ctypes.c_long(77))
    at = libc.mmap(None, ctypes.c_size_t(8 << 20), 1, 1, fd, ctypes.c_long(0))
    if at != ctypes.c_void_p(-1).value:
        size = os.fstat(fd).st_size
        told["behind the end"] = in_child(lambda: ctypes.string_at(at + (size + 8191 & ~4095), 1))
        if size % 4096:
            told["last page"] = ctypes.string_at(at + (size & ~4095), 4096)
        libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(8 << 20))
    return told


def writes(fd):
    told = {f"fallocate {mode}": call(libc.fallocate, fd, mode, ctypes.c_long(0), ctypes.c_long(4096)) for mode in (0, 1, 2, 3, 8, 16, 32, 64, 0x80)}
    told["fallocate -1"] = call(libc.fallocate, fd, 0, ctypes.c_long(-1), ctypes.c_long(4096))
    told["write"], told["ftruncate"] = call(libc.write, fd, b"x", 1), call(libc.ftruncate, fd, ctypes.c_long(1))
    for flags in 0, 2, 16, 77:
        vector = ctypes.create_string_buffer(struct.pack("QQ", 0, 0), 16)
        told[f"pwritev2 {flags}"] = call(libc.pwritev2, fd, vector, 1, ctypes.c_long(0), flags)
    told["fsync"], told["syncfs"] = call(libc.fsync, fd), call(libc.syncfs, fd)
    told["fchmod"], told["fsetxattr"] = call(libc.fchmod, fd, 0o600), call(libc.fsetxattr, fd, b"user.x", b"y", 1, 0)
    told["linkat"] = call(libc.linkat, fd, b"", AT_FDCWD, b"never", 0x1000)
    return told


def watches(p):
    told = {}
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for mask in 0xfff, 0x01000020, 0x02000020, 0x30000020, 0x80000020, 0:
        rc = call(libc.inotify_add_watch, watch, p, ctypes.c_uint(mask))
        told[f"inotify {mask:#x}"] = "watched" if isinstance(rc, int) else rc
    os.close(watch)
    for setup in 0, 4, 0x200, 0x600, 0xe00:
        fan = call(libc.fanotify_init, setup, os.O_RDONLY)
        if not isinstance(fan, int):
            told[f"fanotify {setup:#x}"] = fan
            continue
        for flags in 1, 1 | 0x10, 1 | 0x100, 1 | 8:
            for mask in 0x20, 0x10000, 0x1 | 0x8:
                told[f"fanotify {setup:#x} {flags:#x} {mask:#x}"] = call(libc.fanotify_mark, fan, flags, ctypes.c_ulonglong(mask), AT_FDCWD, p)
                call(libc.fanotify_mark, fan, flags & ~1 | 2, ctypes.c_ulonglong(mask), AT_FDCWD, p)
        os.close(fan)
    return told


def through_a_ring(p):
    """What would change something, and what reads, asked of an io_uring."""
    told = {}
    try:
        ring = c.Ring(16)
    except OSError as why:      # forbidden here, or older than it
        return {"ring": why.errno}
    how = struct.pack("QQQ", os.O_RDONLY | os.O_NONBLOCK, 0, 0)
    new = os.fsencode(p) + b"-new"
    at = ctypes.c_char_p
    for name, args, more in (
            ("open", (c.OPENAT, AT_FDCWD, p), {"extra": os.O_RDONLY | os.O_NONBLOCK}), ("open rw", (c.OPENAT, AT_FDCWD, p), {"extra": os.O_RDWR | os.O_NONBLOCK}),
            ("create", (c.OPENAT, AT_FDCWD, new, 0o600), {"extra": os.O_CREAT | os.O_WRONLY}),
            ("openat2", (c.OPENAT2, AT_FDCWD, p, 24), {"offset": ctypes.create_string_buffer(how, 24)}),
            ("unlink", (c.UNLINKAT, AT_FDCWD, p), {}), ("rmdir", (c.UNLINKAT, AT_FDCWD, p), {"extra": 0x200}), ("mkdir", (c.MKDIRAT, AT_FDCWD, new, 0o700), {}),
            ("statx", (c.STATX, AT_FDCWD, p, 0xfff), {"offset": ctypes.create_string_buffer(256)}),
            ("rename", (c.RENAMEAT, AT_FDCWD, p, AT_FDCWD & 0xffffffff), {"offset": ctypes.create_string_buffer(new)}),
            ("symlink", (c.SYMLINKAT, AT_FDCWD, b"x"), {"offset": ctypes.create_string_buffer(new)}),
            ("link", (c.LINKAT, AT_FDCWD, p, AT_FDCWD & 0xffffffff), {"offset": ctypes.create_string_buffer(new)})):
        for flags in 0, c.ASYNC:
            offset = more.get("offset", 0)
            ring.kept.append(offset)
            rc = ring.one(*args, **{**more, "flags": flags, "offset": offset if isinstance(offset, int) else ctypes.addressof(offset)})
            told[f"ring {name} {flags}"] = descriptor(rc)
    fd = call(libc.open, p, os.O_RDONLY | os.O_NONBLOCK)
    if isinstance(fd, int) and stat.S_ISFIFO(os.fstat(fd).st_mode):
        os.close(fd)        # a pipe has no end: a read of it waits for a writer
        fd = -1
    if isinstance(fd, int) and fd > 2:
        for flags in 0, c.ASYNC:
            for offset in 0, 4090, 1 << 40, -1:
                room = ctypes.create_string_buffer(5000)
                rc = ring.one(c.READ, fd, room, 5000, offset, flags=flags)
                told[f"ring read {flags} {offset}"] = rc, room.raw[:rc] if isinstance(rc, int) else b""
                vector = struct.pack("QQQQ", ctypes.addressof(room), 7, ctypes.addressof(room) + 100, 4000)
                rc = ring.one(c.READV, fd, vector, 2, offset, flags=flags)
                told[f"ring readv {flags} {offset}"] = rc, room.raw if isinstance(rc, int) else b""
            told[f"ring write {flags}"] = ring.one(c.WRITE, fd, b"x", 1, 0, flags=flags)
            told[f"ring fsync {flags}"] = ring.one(c.FSYNC, fd, flags=flags)
            told[f"ring truncate {flags}"] = ring.one(c.FTRUNCATE, fd, None, 0, 1, flags=flags)
            told[f"ring fallocate {flags}"] = ring.one(c.FALLOCATE, fd, 4096, 0, 0, flags=flags)
            told[f"ring fadvise {flags}"] = ring.one(c.FADVISE, fd, None, 100, 0, 3, flags=flags)
        os.close(fd)
    ring.close()
    return told


# ---- all together --------------------------------------------------------------------------------------------------------

def all_calls(top):
    told = {}
    fds = {}
    for n in NODES:
        p = os.fsencode(f"{top}/{n}")
        for act in (lambda: openat2(os.fsencode(top), n.encode()), lambda: statx(p), lambda: attributes(p), lambda: handles(os.fsencode(top), p),
                    lambda: watches(p), lambda: through_a_ring(p)):
            told.update({(n, name): answer for name, answer in act().items()})
        fd = call(libc.open, p, os.O_RDONLY | os.O_NONBLOCK)
        if not isinstance(fd, int) or not (stat.S_ISREG(os.fstat(fd).st_mode) or stat.S_ISDIR(os.fstat(fd).st_mode)):
            continue
        for act in ioctls, controls, reads, moves, maps, writes:
            told.update({(n, name): answer for name, answer in act(fd).items()})
        os.close(fd)
    for n in ("..", "../..", "/etc/passwd", "dir/../..", "dir/../file", "to-dir/../file", "absolute", "upward", "dir/../upward", "/proc/self/cwd", "/proc/self/root",
              "", "./", "x" * 256):
        told.update({(n, name): answer for name, answer in openat2(os.fsencode(top), n.encode(), READING).items()})
    told.update({("hard", name): answer for name, answer in programs(top).items()})
    return told


def programs(top):
    """execve, execveat, by descriptor; what a root of its own sees."""
    told = {"exec": in_child(lambda: os.execv(f"{top}/program", ["x"])), "exec of text": result(lambda: os.execv(f"{top}/file", ["x"])),
            "exec of none": result(lambda: os.execv(f"{top}/dir", ["x"]))}
    fd = call(libc.open, os.fsencode(f"{top}/program"), os.O_PATH)
    if isinstance(fd, int):
        told["fexec"] = in_child(lambda: os.execve(fd, ["x"], {}))
        os.close(fd)

    def inside():
        os.chroot(top)
        os.chdir("/")
        assert os.path.exists("/file") and os.listdir("/..") == os.listdir("/") and not os.path.exists("/etc/passwd")
        os._exit(0)
    told["chroot"] = in_child(inside) if os.geteuid() == 0 else result(lambda: os.chroot(top))
    told["list"] = sorted(os.listdir(top))
    told["kinds"] = sorted((e.name, e.is_dir(follow_symlinks=False), e.is_symlink()) for e in os.scandir(top))
    return told


def beside(path, kind):
    """src as a file system of that kind, read-only; False where this machine cannot."""
    if kind == "squashfs":
        if not shutil.which("mksquashfs"):
            return False
        subprocess.run(["mksquashfs", "src", "src.squashfs", "-noappend", "-quiet", "-no-progress", "-processors", "1"], check=True, stdout=subprocess.DEVNULL)
    else:
        if not shutil.which("mkfs.ext4"):
            return False
        subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", "-d", "src", "src.ext4", "24M"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["debugfs", "-w", "-R", "rmdir lost+found", "src.ext4"], capture_output=True, check=True)
    os.makedirs(path)
    return subprocess.run(["mount", "-t", kind, "-o", "loop,ro,nosuid,nodev,relatime", f"src.{kind}", path], capture_output=True).returncode == 0


def reason_for(name, ours):
    for pattern, answer, _ in REASONS:
        if re.fullmatch(pattern, name) and (answer == ours or isinstance(answer, tuple) and ours in answer):
            return True
    return False


def compare_for(user, tops):
    ours, *theirs = (c.as_user(user, lambda: all_calls(top)) for top in tops)
    wrong = {}
    for target, name in ours:
        answers = [t.get((target, name), "not asked") for t in (ours, *theirs)]
        if answers[0] not in answers[1:] and not reason_for(name, answers[0]):
            wrong.setdefault((name, *(str(a)[:100] for a in answers)), []).append(target[:40])
    missing = [key for key in set.intersection(*map(set, theirs)) if key not in ours]
    assert not wrong and not missing, (f"user {user[0]}: {len(wrong)} answers are neither's (call, ours, theirs..., of what):\n" +
                                       "\n".join(map(str, list(wrong.items())[:MOST])) + f"\n{missing[:10]}")
    return len(ours)


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    if os.geteuid() != 0:
        mu.skip("file systems to compare with are mounted by root alone")
    os.umask(0o022)
    os.chmod(".", 0o755)
    os.mkdir("src")
    put(os.path.abspath("key"))
    make_tree("src")
    archive = mu.Archive("archive")
    archive.run("ingest", "src", "--system", "s", "--version", "1")
    tops = [os.path.abspath("own")]
    try:
        for kind in "squashfs", "ext4":
            path = os.path.abspath(kind[:3])
            if beside(path, kind):
                tops.append(path)
        if len(tops) == 1:
            mu.skip("no file system of the kernel can be mounted here to compare with")
        archive.mount("own", "allow_other,system=s,version=1")
        for user in ROOT, OWNER, OTHER:
            print(f"user {user[0]}: {compare_for(user, tops)} answers beside {len(tops) - 1} file systems", flush=True)
    finally:
        mu.unmount("own")
        for path in tops[1:]:
            subprocess.run(["umount", path])


main()

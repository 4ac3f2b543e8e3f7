#!/usr/bin/python3
"""What file systems are held to where nothing may be written. Every call that could change something, on every kind of
target, by several users, is answered as the kernel's own read-only file system (a tmpfs remounted so) answers it; and
what readers of all kinds do works: holes, maps, direct and vectored reads, splices, locks, watches, handles, overlays."""
import ctypes
import errno
import fcntl
import hashlib
import mmap
import os
import select
import shutil
import socket
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402
from calls import AT_FDCWD, as_user, call, libc, result  # noqa: E402

NOFOLLOW = 0x100
OWNER, OTHER = 3001, 3002
ME = (os.geteuid(), os.getegid(), ())
LONGEST = "n" * 255


# ---- the tree --------------------------------------------------------------------------------------------------------

def put(path, body=b"some content\n" * 50, mode=0o644, uid=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(body)
    if os.geteuid() == 0:
        os.chown(path, uid, uid)
    os.chmod(path, mode)


def make_tree(top):
    put(f"{top}/file")
    put(f"{top}/owned", mode=0o600, uid=OWNER)
    put(f"{top}/setuid", mode=0o4755, uid=OWNER)
    put(f"{top}/setgid", mode=0o2755, uid=OWNER)
    put(f"{top}/none", mode=0 if os.geteuid() == 0 else 0o400)
    put(f"{top}/all", mode=0o666)
    put(f"{top}/empty", b"")
    put(f"{top}/dir/inside")
    put(f"{top}/shut/inside")
    put(f"{top}/open/inside", mode=0o666)
    put(f"{top}/{LONGEST}")
    os.makedirs(f"{top}/void")
    os.makedirs(f"{top}/sticky")
    os.link(f"{top}/file", f"{top}/dir/linked")
    for name, to in (("to-file", "file"), ("to-dir", "dir"), ("dangling", "nothing"), ("loop-a", "loop-b"), ("loop-b", "loop-a"),
                     ("self", "self"), ("through", "to-dir/inside"), ("into-file", "file/x")):
        os.symlink(to, f"{top}/{name}")
    os.mkfifo(f"{top}/pipe")
    here = os.getcwd()
    os.chdir(top)
    s = socket.socket(socket.AF_UNIX)
    s.bind("socket")
    s.close()
    os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(f"{top}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(f"{top}/disk", stat.S_IFBLK | 0o666, os.makedev(7, 250))
        os.chown(f"{top}/dir", OWNER, OWNER)
    try:
        os.setxattr(f"{top}/file", "user.note", b"value")
    except OSError:
        pass
    os.chmod(f"{top}/shut", 0o700)
    os.chmod(f"{top}/open", 0o777)
    os.chmod(f"{top}/sticky", 0o1777)


# ---- calls -------------------------------------------------------------------------------------------------------------

def opened(path, flags, mode=0o644):
    rc = call(libc.open, path, flags | os.O_NONBLOCK | os.O_NOCTTY, mode)
    if isinstance(rc, int) and rc > 2:
        os.close(rc)
        return "opened"
    return rc


TIMES = (ctypes.c_long * 4)(1, 0, 1, 0)
BOTH_OMIT = (ctypes.c_long * 4)(0, (1 << 30) - 2, 0, (1 << 30) - 2)
BAD = ctypes.c_char_p(1)


def calls_on(p):
    """Everything that takes one path."""
    buffer = ctypes.create_string_buffer(5000)
    o = os
    told = {f"open {flags:o}": opened(p, flags) for flags in (
        o.O_RDONLY, o.O_WRONLY, o.O_RDWR, o.O_WRONLY | o.O_APPEND, o.O_RDONLY | o.O_TRUNC, o.O_WRONLY | o.O_TRUNC, o.O_RDWR | o.O_CREAT,
        o.O_RDONLY | o.O_CREAT, o.O_WRONLY | o.O_CREAT | o.O_EXCL, o.O_RDONLY | o.O_CREAT | o.O_EXCL, o.O_RDONLY | o.O_DIRECTORY,
        o.O_RDWR | o.O_DIRECTORY, o.O_RDONLY | o.O_NOFOLLOW, o.O_WRONLY | o.O_NOFOLLOW, o.O_RDONLY | o.O_CREAT | o.O_NOFOLLOW,
        o.O_PATH, o.O_PATH | o.O_NOFOLLOW, o.O_PATH | o.O_DIRECTORY, o.O_TMPFILE | o.O_RDWR, o.O_TMPFILE | o.O_WRONLY | o.O_EXCL,
        o.O_ACCMODE, o.O_RDONLY | o.O_SYNC, o.O_RDONLY | o.O_NOATIME, o.O_WRONLY | o.O_CREAT | o.O_TRUNC)}
    told.update({f"access {m}": call(libc.access, p, m) for m in range(8)})
    told.update({f"faccessat {m}": call(libc.faccessat, AT_FDCWD, p, m, NOFOLLOW) for m in (0, 2, 4)})
    one = {
        "mkdir": (libc.mkdir, p, 0o755), "rmdir": (libc.rmdir, p), "unlink": (libc.unlink, p),
        "unlinkat dir": (libc.unlinkat, AT_FDCWD, p, 0x200), "mkfifo": (libc.mkfifo, p, 0o644),
        "symlink": (libc.symlink, b"target", p), "symlink of nothing": (libc.symlink, b"", p),
        "symlink of too much": (libc.symlink, b"x" * 4096, p),
        "chmod": (libc.chmod, p, 0o600), "chmod +s": (libc.chmod, p, 0o4777), "chown": (libc.chown, p, OWNER, OWNER),
        "chown nothing": (libc.chown, p, -1, -1), "lchown": (libc.lchown, p, OTHER, -1),
        "truncate": (libc.truncate, p, ctypes.c_long(0)), "truncate -1": (libc.truncate, p, ctypes.c_long(-1)),
        "truncate far": (libc.truncate, p, ctypes.c_long(1 << 62)),
        "utime now": (libc.utimensat, AT_FDCWD, p, None, 0), "utime": (libc.utimensat, AT_FDCWD, p, TIMES, 0),
        "utime omit": (libc.utimensat, AT_FDCWD, p, BOTH_OMIT, 0), "lutime": (libc.utimensat, AT_FDCWD, p, TIMES, NOFOLLOW),
        "setxattr user": (libc.setxattr, p, b"user.x", b"y", 1, 0), "lsetxattr": (libc.lsetxattr, p, b"user.x", b"y", 1, 0),
        "setxattr create": (libc.setxattr, p, b"user.note", b"y", 1, 1), "setxattr replace": (libc.setxattr, p, b"user.none", b"y", 1, 2),
        "setxattr bad flag": (libc.setxattr, p, b"user.x", b"y", 1, 77), "setxattr no name": (libc.setxattr, p, b"", b"y", 1, 0),
        "setxattr long name": (libc.setxattr, p, b"user." + b"x" * 300, b"y", 1, 0),
        "setxattr trusted": (libc.setxattr, p, b"trusted.x", b"y", 1, 0),
        "setxattr large": (libc.setxattr, p, b"user.x", b"y", 1 << 20, 0),
        "setxattr acl": (libc.setxattr, p, b"system.posix_acl_access", b"\2\0\0\0", 4, 0),
        "removexattr": (libc.removexattr, p, b"user.note"), "lremovexattr": (libc.lremovexattr, p, b"user.none"),
        "readlink": (libc.readlink, p, buffer, 5000), "readlink 0": (libc.readlink, p, buffer, 0),
        "readlink 3": (libc.readlink, p, buffer, 3),
        "chdir": (libc.chdir, p), "listxattr": (libc.listxattr, p, None, 0),
        "getxattr": (libc.getxattr, p, b"user.note", buffer, 5000), "getxattr 2": (libc.getxattr, p, b"user.note", buffer, 2),
        "getxattr none": (libc.getxattr, p, b"user.none", buffer, 5000),
        "acct": (libc.acct, p) if os.geteuid() else (libc.access, p, 0), "swapon": (libc.swapon, p, 0),
    }
    for kind in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFDIR, 0):
        one[f"mknod {kind:o}"] = (libc.mknod, p, kind | 0o600, ctypes.c_ulong(0x103))
    for name, args in one.items():
        told[name] = call(*args)
    os.chdir("/")
    said = result(lambda: os.stat(p))
    told["stat"] = said if isinstance(said, str) else (said.st_mode, said.st_nlink, said.st_uid)
    said = result(lambda: os.lstat(p))
    told["lstat"] = said if isinstance(said, str) else (said.st_mode, said.st_nlink, said.st_uid)
    told["list"] = result(lambda: sorted(os.listdir(p)))
    told["exec"] = result(lambda: os.execv(p, ["x"]))
    told["statvfs"] = result(lambda: os.statvfs(p).f_flag & os.ST_RDONLY)
    return told


def calls_on_two(p, q):
    told = {"rename": call(libc.rename, p, q), "link": call(libc.link, p, q), "symlink": call(libc.symlink, p, q),
            "linkat follow": call(libc.linkat, AT_FDCWD, p, AT_FDCWD, q, 0x400)}
    for flags in 1, 2, 4, 3:
        told[f"renameat2 {flags}"] = call(libc.renameat2, AT_FDCWD, p, AT_FDCWD, q, flags)
    return told


def calls_with_bad_addresses(p):
    return {
        "open": call(libc.open, BAD, 0), "open w": call(libc.open, BAD, 1), "mkdir": call(libc.mkdir, BAD, 0o755),
        "unlink": call(libc.unlink, BAD), "rename": call(libc.rename, p, BAD), "rename 2": call(libc.rename, BAD, p),
        "link": call(libc.link, p, BAD), "link 2": call(libc.link, BAD, p), "symlink": call(libc.symlink, BAD, p),
        "chmod": call(libc.chmod, BAD, 0o600), "truncate": call(libc.truncate, BAD, ctypes.c_long(0)),
        "mknod": call(libc.mknod, BAD, stat.S_IFIFO | 0o600, ctypes.c_ulong(0)), "rmdir": call(libc.rmdir, BAD),
        "utimensat": call(libc.utimensat, AT_FDCWD, p, BAD, 0), "readlink": call(libc.readlink, p, BAD, 100),
        "setxattr": call(libc.setxattr, p, BAD, b"y", 1, 0), "getxattr": call(libc.getxattr, p, b"user.note", BAD, 100),
        "listxattr": call(libc.listxattr, p, BAD, 100), "chdir": call(libc.chdir, BAD), "access": call(libc.access, BAD, 2),
    }


def calls_on_descriptor(p):
    """On what was opened for reading."""
    fd = libc.open(p, os.O_RDONLY | os.O_NONBLOCK)
    if fd < 0:
        return {}
    told = {
        "write": call(libc.write, fd, b"x", 1), "pwrite": call(libc.pwrite, fd, b"x", 1, ctypes.c_long(0)),
        "ftruncate": call(libc.ftruncate, fd, ctypes.c_long(0)), "fchmod": call(libc.fchmod, fd, 0o600),
        "fchown": call(libc.fchown, fd, 1, 1), "futimens": call(libc.futimens, fd, TIMES),
        "fsetxattr": call(libc.fsetxattr, fd, b"user.x", b"y", 1, 0), "fremovexattr": call(libc.fremovexattr, fd, b"user.note"),
        "fallocate": call(libc.fallocate, fd, 0, ctypes.c_long(0), ctypes.c_long(10)),
        "punch": call(libc.fallocate, fd, 3, ctypes.c_long(0), ctypes.c_long(10)),
        "fsync": call(libc.fsync, fd), "fdatasync": call(libc.fdatasync, fd), "syncfs": call(libc.syncfs, fd),
        "lseek": call(libc.lseek, fd, ctypes.c_long(-1), 0), "lseek far": call(libc.lseek, fd, ctypes.c_long(1 << 40), 0) is not None,
        "read bad": call(libc.pread, fd, BAD, 10, ctypes.c_long(0)), "read -1": call(libc.pread, fd, BAD, 10, ctypes.c_long(-1)),
        "flock": call(libc.flock, fd, 2 | 4), "flock sh": call(libc.flock, fd, 1 | 4), "unflock": call(libc.flock, fd, 8),
        "read lock": result(lambda: fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)),
        "write lock": result(lambda: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)),
        "ofd": result(lambda: fcntl.fcntl(fd, 37, struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 0, 0)) and 0),
        "dup": result(lambda: os.close(os.dup(fd))), "nonblock": result(lambda: os.set_blocking(fd, False)),
        "mkdirat": call(libc.mkdirat, fd, b"new", 0o755), "openat": call(libc.openat, fd, b"new", os.O_CREAT | os.O_WRONLY, 0o600),
        "unlinkat": call(libc.unlinkat, fd, b"inside", 0), "fchdir": call(libc.fchdir, fd),
    }
    os.chdir("/")
    result(lambda: os.lseek(fd, 0, os.SEEK_SET))
    told["getdents"] = call(libc.syscall, 217, fd, ctypes.create_string_buffer(4), 4) if os.uname().machine == "x86_64" else 0
    for prot, flags in ((1, 1), (1, 2), (3, 2), (3, 1), (5, 2)):
        at = libc.mmap(None, 4096, prot, flags, fd, ctypes.c_long(0))
        told[f"mmap {prot} {flags}"] = "mapped" if at != ctypes.c_void_p(-1).value else errno.errorcode[ctypes.get_errno()]
    os.close(fd)
    return told


def all_calls(top):
    """By target; top as the caller sees it: two tops have paths of one length."""
    names = ["file", "owned", "setuid", "setgid", "none", "all", "empty", "dir", "void", "sticky", "shut", "shut/inside", "open/inside", "dir/inside",
             "to-file", "to-dir", "dangling", "loop-a", "self", "through", "into-file", "pipe", "socket", "null", "disk", LONGEST, LONGEST + "n",
             "nothing", "nothing/x", "file/x", "dir/nothing", "open/nothing", "shut/nothing", "to-file/", "to-dir/", "file/", "dir/", "nothing/", "dangling/", ".",
             "dir/.", "dir/..", "to-dir/inside", "loop-a/x", "dir/linked", "", "x" * (4095 - len(top) - 1),
             "dir/../" * 400 + "file", "./" * 1500 + "file"]
    # One byte below and above what a path may have.
    names += ["./" * ((4094 - len(top) - 5) // 2) + "file", "./" * ((4096 - len(top) - 4) // 2) + "file"]
    told = {}
    for n in names:
        p = os.fsencode(f"{top}/{n}" if n else "")
        told[n[:300]] = calls_on(p)
        told[n[:300], "fd"] = calls_on_descriptor(p)
    some = ["file", "owned", "dir", "void", "nothing", "dangling", "to-dir", "shut/inside", "file/x", "loop-a", LONGEST + "n", "dir/.", "dir/inside",
            "open/new", "sticky/new", "nothing/"]
    for a in some:
        for b in some:
            told[a, b] = calls_on_two(os.fsencode(f"{top}/{a}"), os.fsencode(f"{top}/{b}"))
        told["across", a] = calls_on_two(os.fsencode(f"{top}/{a}"), b"/proc/never")
        told["hither", a] = calls_on_two(b"/proc/self/status", os.fsencode(f"{top}/{a}"))
    told["bad"] = calls_with_bad_addresses(os.fsencode(f"{top}/file"))
    return told


def every_call_is_answered_as_a_read_only_file_system_does(archive):
    if os.geteuid() != 0:
        return "needs root"
    one, two = (os.path.abspath(n) for n in ("one", "two"))
    os.makedirs(two)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,nosuid,nodev", "none", two], capture_output=True).returncode:
        return "nothing may be mounted here"
    try:
        subprocess.run(["cp", "-a", "src/.", two], check=True)
        shutil.copystat("src", two)
        subprocess.run(["mount", "-o", "remount,ro,nosuid,nodev", two], check=True)
        archive.mount(one, "allow_other,system=s,version=1")
        count = 0
        for uid in 0, OWNER, OTHER:
            ours, theirs = as_user((uid, uid, ()), lambda: all_calls(one)), as_user((uid, uid, ()), lambda: all_calls(two))
            wrong = [(target if isinstance(target, tuple) else target[:60], name, ours[target][name], theirs[target][name])
                     for target in theirs for name in theirs[target]
                     if ours[target][name] != theirs[target][name]]
            assert not wrong, f"user {uid}: {len(wrong)} answers differ (target, call, ours, theirs):\n" + "\n".join(map(str, wrong[:60]))
            count += sum(len(t) for t in theirs.values())
        mu.unmount(one)
        return f"{count} calls"
    finally:
        mu.unmount(one)
        subprocess.run(["umount", two], check=True)


# ---- readers of all kinds ------------------------------------------------------------------------------------------------

def make_content(top):
    os.makedirs(top)
    body = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(100_000))
    put(f"{top}/random", body)
    put(f"{top}/text", b"".join(b"line %d\n" % i for i in range(200_000)))
    with open(f"{top}/holes", "wb") as f:
        f.truncate(9 << 20)
        for at in (0, 1 << 20, (3 << 20) + 5, (8 << 20) + 4096):
            f.seek(at)
            f.write(body[:70_000])
    with open(f"{top}/all-hole", "wb") as f:
        f.truncate(5 << 20)
    put(f"{top}/tail", body[:12_345])
    shutil.copy("/bin/true", f"{top}/program")
    os.makedirs(f"{top}/wide")
    for i in range(5000):
        open(f"{top}/wide/{i:05d}-{'x' * (i % 200)}", "w").close()
    for i in range(30):
        os.makedirs(f"{top}/dirs/{i:02d}/sub")
        os.link(f"{top}/tail", f"{top}/dirs/{i:02d}/linked")


def holes_are_where_they_were(m, src):
    for n in "holes", "all-hole", "random", "tail":
        with open(f"{m}/{n}", "rb") as a, open(f"{src}/{n}", "rb") as b:
            size = os.fstat(b.fileno()).st_size
            for at in [0, 1, 4095, 4096, 69_999, 70_000, 1 << 20, (1 << 20) + 1, 3 << 20, 8 << 20, size - 1, size, size + 1]:
                for how in os.SEEK_DATA, os.SEEK_HOLE:
                    assert result(lambda: a.seek(at, how)) == result(lambda: b.seek(at, how)), (n, at, how)
            # Ours are bytes that are no hole; a disk rounds each run up to its blocks.
            assert abs(os.fstat(a.fileno()).st_blocks - os.fstat(b.fileno()).st_blocks) <= 64, n
    for tool in (["cp", "--sparse=auto"], ["cp", "--sparse=always"], ["rsync", "-S"]):
        if shutil.which(tool[0]):
            subprocess.run([*tool, f"{m}/holes", "copied"], check=True)
            assert subprocess.run(["cmp", "copied", f"{src}/holes"]).returncode == 0
            assert os.stat("copied").st_blocks <= os.stat(f"{src}/holes").st_blocks + 16
            os.unlink("copied")


def every_way_of_reading_gives_the_same(m, src):
    for n in "random", "holes", "tail", "text":
        with open(f"{src}/{n}", "rb") as f:
            want = f.read()
        fd = os.open(f"{m}/{n}", os.O_RDONLY)
        size = len(want)
        with mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as at:
            assert at[:] == want
            at[0:3] = b"xyz"            # ours alone
        with mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ) as at:
            assert at[:] == want
            at.madvise(mmap.MADV_WILLNEED)
        for flags in os.O_DIRECT, os.O_SYNC, os.O_NOATIME if os.geteuid() == 0 else 0:
            direct = os.open(f"{m}/{n}", os.O_RDONLY | flags)
            buffer = mmap.mmap(-1, 1 << 16)
            got, at = bytearray(), 0
            while (k := os.preadv(direct, [buffer], at)) > 0:
                got += buffer[:k]
                at += k
            assert got == want, (n, flags)
            os.close(direct)
        for offset in 0, 1, 4095, 8191, size - 7, size, size + 5:
            a, b = bytearray(10), bytearray(5000)
            k = os.preadv(fd, [a, b], offset)
            assert (a + b)[:k] == want[offset:offset + 5010]
            assert os.preadv(fd, [a], offset, os.RWF_HIPRI) == min(10, max(0, size - offset))
        # Through a pipe, into a file, into a socket.
        r, w = os.pipe()
        assert os.splice(fd, w, 4000, offset_src=17) > 0
        os.close(w)
        got = b"".join(iter(lambda: os.read(r, 4096), b""))
        assert got and want[17:].startswith(got)
        os.close(r)
        out = os.open("out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        done = 0
        while (k := os.sendfile(out, fd, done, size)) > 0:
            done += k
        assert os.pread(out, size + 1, 0) == want
        os.ftruncate(out, 0)
        said = result(lambda: os.copy_file_range(fd, out, 5000, 0, 0))
        assert said in ("EXDEV", "EOPNOTSUPP", "EINVAL") or os.pread(out, 5000, 0) == want[:said], said
        os.close(out)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_WILLNEED)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        libc.readahead(fd, ctypes.c_long(0), ctypes.c_size_t(size))
        assert os.pread(fd, size, 0) == want
        # Two offsets, one descriptor each; one offset, two descriptors.
        again = os.dup(fd)
        os.lseek(fd, 100, os.SEEK_SET)
        assert os.read(again, 10) == want[100:110] and os.lseek(fd, 0, os.SEEK_CUR) == 110
        os.close(again)
        os.close(fd)
    assert subprocess.run([f"{m}/program"]).returncode == 0
    fd = os.open(f"{m}/tail", os.O_PATH)
    real = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    assert os.read(real, 5) == open(f"{src}/tail", "rb").read(5)
    os.close(real)
    os.close(fd)


def getdents(fd, size):
    buffer = ctypes.create_string_buffer(size)
    got = libc.syscall(217, fd, buffer, size)
    if got < 0:
        raise OSError(ctypes.get_errno(), "getdents64")
    rows, at = [], 0
    while at < got:
        ino, off, length, kind = struct.unpack_from("QqHB", buffer, at)
        rows.append((buffer.raw[at + 19:at + length].split(b"\0")[0], ino, off, kind))
        at += length
    return rows


def listings_are_whole_at_every_size_of_buffer(m, src):
    if os.uname().machine != "x86_64":
        return
    want = {os.fsencode(n) for n in os.listdir(f"{src}/wide")} | {b".", b".."}
    for size in 300, 511, 1024, 4096, 32768, 1 << 20:
        fd = os.open(f"{m}/wide", os.O_RDONLY | os.O_DIRECTORY)
        rows = []
        while (more := getdents(fd, size)):
            rows += more
        names = [r[0] for r in rows]
        assert len(names) == len(set(names)) == len(want) and set(names) == want, size
        offsets = [r[2] for r in rows]
        assert len(set(offsets)) == len(offsets) and all(o >= 0 for o in offsets)
        for i in range(0, len(rows) - 1, 613):
            os.lseek(fd, offsets[i], os.SEEK_SET)
            assert getdents(fd, 1024)[0][:2] == rows[i + 1][:2], (size, i)
        os.lseek(fd, 0, os.SEEK_SET)
        assert getdents(fd, 1024)[0][0] == b"."
        os.close(fd)
    fd = os.open(f"{m}/wide", os.O_RDONLY | os.O_DIRECTORY)
    assert result(lambda: getdents(fd, 10)) == "EINVAL", "no room for one entry"
    os.close(fd)
    for name, ino, _, kind in rows[:200]:
        s = os.lstat(os.path.join(os.fsencode(f"{m}/wide"), name))
        assert name == b".." or s.st_ino == ino
        assert kind == (4 if stat.S_ISDIR(s.st_mode) else 8)


def numbers_agree(m, src):
    inodes = {}
    for d, dirs, files in os.walk(m):
        for n in dirs + files:
            p = os.path.join(d, n)
            s = os.lstat(p)
            inodes.setdefault(s.st_ino, []).append(p)
            t = os.lstat(os.path.join(src, os.path.relpath(p, m)))
            assert (s.st_mode, s.st_nlink, s.st_size, s.st_mtime_ns) == (t.st_mode, t.st_nlink, t.st_size, t.st_mtime_ns), p
            assert s.st_dev == os.lstat(m).st_dev
    linked = [g for g in inodes.values() if len(g) > 1]
    assert len(linked) == 1 and len(linked[0]) == 31 == os.lstat(f"{m}/tail").st_nlink
    ino = os.lstat(f"{m}/tail").st_ino
    found = subprocess.run(["find", m, "-inum", str(ino)], capture_output=True, text=True, check=True).stdout.split()
    assert len(found) == 31
    du = [subprocess.run(["du", "-s", "--apparent-size", "-B1", t], capture_output=True, text=True, check=True).stdout.split()[0] for t in (m, src)]
    assert du[0] == du[1], du
    tars = [subprocess.run(["tar", "--sort=name", "-C", t, "-cf", "-", "."], capture_output=True, check=True).stdout for t in (m, src)]
    assert hashlib.sha256(tars[0]).digest() == hashlib.sha256(tars[1]).digest(), "tar of both"


def locks_hold_between_processes(m, _):
    fd = os.open(f"{m}/tail", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)

    def other():
        f = os.open(f"{m}/tail", os.O_RDONLY)
        return result(lambda: fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB))
    assert as_user(ME, other) in ("EAGAIN", "EWOULDBLOCK")
    fcntl.flock(fd, fcntl.LOCK_UN)
    assert as_user(ME, other) is None
    fcntl.lockf(fd, fcntl.LOCK_SH)
    assert as_user(ME, lambda: result(lambda: fcntl.lockf(os.open(f"{m}/tail", os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB))) is None
    os.close(fd)


def watches_see_readers(m, _):
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(f"{m}/tail"), 0x21) >= 0    # access, open
    with open(f"{m}/tail", "rb") as f:
        f.read(10)
    assert select.select([watch], [], [], 2)[0] and len(os.read(watch, 4096)) > 0
    os.close(watch)
    if os.geteuid() == 0:
        fan = libc.fanotify_init(0, os.O_RDONLY)
        if fan >= 0:
            assert libc.fanotify_mark(fan, 1 | 0x10, ctypes.c_ulonglong(0x20), AT_FDCWD, os.fsencode(m)) == 0     # the mount; opens
            os.close(os.open(f"{m}/random", os.O_RDONLY))
            assert select.select([fan], [], [], 2)[0]
            os.close(fan)


def it_carries_other_mounts(m, src):
    """An overlay above it, binds of it, itself remounted."""
    if os.geteuid() != 0:
        return
    for d in "upper", "work", "merged", "bound":
        os.makedirs(d, exist_ok=True)
    if subprocess.run(["mount", "--bind", f"{m}/dirs", "bound"], capture_output=True).returncode == 0:
        assert os.listdir("bound/00") and result(lambda: os.mkdir("bound/new")) == "EROFS"
        subprocess.run(["umount", "bound"], check=True)
    o = f"lowerdir={m},upperdir={os.path.abspath('upper')},workdir={os.path.abspath('work')}"
    subprocess.run(["mount", "-t", "tmpfs", "none", "upper"], check=True)
    try:
        os.makedirs("upper/u")
        os.makedirs("upper/w")
        o = f"lowerdir={m},upperdir={os.path.abspath('upper/u')},workdir={os.path.abspath('upper/w')}"
        if subprocess.run(["mount", "-t", "overlay", "none", "-o", o, "merged"], capture_output=True).returncode == 0:
            try:
                assert open("merged/tail", "rb").read() == open(f"{src}/tail", "rb").read()
                with open("merged/text", "ab") as f:        # copied up
                    f.write(b"more")
                os.rename("merged/tail", "merged/renamed")
                os.unlink("merged/program")
                assert open("merged/text", "rb").read() == open(f"{src}/text", "rb").read() + b"more"
                assert "tail" not in os.listdir("merged") and "tail" in os.listdir(m)
                assert len(os.listdir("merged/wide")) == 5000
            finally:
                subprocess.run(["umount", "merged"], check=True)
    finally:
        subprocess.run(["umount", "upper"], check=True)
    for how in "remount,ro", "remount,noatime,ro":
        subprocess.run(["mount", "-o", how, m], capture_output=True)
        assert result(lambda: os.mkdir(f"{m}/new")) == "EROFS" and os.listdir(f"{m}/dirs")


def readers_get_on(archive):
    m = archive.mount(os.path.abspath("mnt"), "system=c,version=1")
    src = os.path.abspath("content")
    try:
        for f in (holes_are_where_they_were, every_way_of_reading_gives_the_same, listings_are_whole_at_every_size_of_buffer,
                  numbers_agree, locks_hold_between_processes, watches_see_readers, it_carries_other_mounts):
            f(m, src)
            print("  ok ", f.__name__, flush=True)
    finally:
        mu.unmount(m)


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    os.umask(0o022)
    os.chmod(".", 0o755)
    make_tree("src")
    make_content("content")
    a = mu.Archive("archive")
    a.run("ingest", "src", "--system", "s", "--version", "1")
    a.run("ingest", "content", "--system", "c", "--version", "1")
    print("calls:", every_call_is_answered_as_a_read_only_file_system_does(a), flush=True)
    readers_get_on(a)


main()

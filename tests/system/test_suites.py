#!/usr/bin/python3
"""What the test suites of other file systems ask of one that is read-only, beyond error codes: thousands of reads in
flight through an io_uring, reads into maps of the same file, images mounted out of it, devices, programs and noexec,
times that stay, locks that the kernel lists, listeners that forbid, a remount for writing that changes nothing."""
import ctypes
import fcntl
import hashlib
import mmap
import os
import random
import select
import shutil
import stat
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import calls as c  # noqa: E402
import muniment as mu  # noqa: E402
from calls import AT_FDCWD, call, libc, result, system_call  # noqa: E402

ROOT = os.geteuid() == 0
SIZE = 12 << 20
WAIT = 60 * mu.SLOW     # for what would hang for ever


class LeftOut(Exception):
    pass


def sh(*line, ok=True, **more):
    done = subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=2 * WAIT, stdin=subprocess.DEVNULL, **more)
    if ok and done.returncode:
        raise AssertionError(f"{line}: exit {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done


def needs_root():
    if not ROOT:
        raise LeftOut("needs root")


def make_source(top):
    rng = random.Random(11)
    os.makedirs(f"{top}/many/deep")
    with open(f"{top}/large", "wb") as f:
        f.write(rng.randbytes(SIZE // 2) + b"".join(b"%d of a text that is packed\n" % i for i in range(SIZE))[:SIZE // 2 - 77])
    for i in range(300):
        with open(f"{top}/many/{'deep/' if i % 3 else ''}f{i:03d}", "wb") as f:
            f.write(rng.randbytes(rng.randrange(9000)))
    shutil.copy2(os.path.realpath("/bin/echo"), f"{top}/program")
    with open(f"{top}/script", "w") as f:
        f.write("#!/bin/sh\necho said\n")
    os.chmod(f"{top}/script", 0o755)
    os.symlink("large", f"{top}/link")
    os.symlink(os.path.abspath("outside"), f"{top}/outward")
    os.mkfifo(f"{top}/pipe")
    if ROOT:
        os.mknod(f"{top}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    if shutil.which("mksquashfs"):
        sh("mksquashfs", f"{top}/many", f"{top}/image.squashfs", "-quiet", "-no-progress", "-processors", "1")
    if shutil.which("mkfs.ext4"):
        sh("mkfs.ext4", "-q", "-F", "-d", f"{top}/many", f"{top}/image.ext4", "8M")
    os.utime(f"{top}/large", ns=(10**18 + 5, 10**18 + 7))


# ---- reading -----------------------------------------------------------------------------------------------------------

def rings_read(m, src):
    """Thousands in flight, by every way that a ring has; each byte checked."""
    with open(f"{src}/large", "rb") as f:
        want = f.read()
    rng = random.Random(3)
    for flags, opened in (0, os.O_RDONLY), (c.SQPOLL, os.O_RDONLY), (0, os.O_RDONLY | os.O_DIRECT):
        try:
            ring = c.Ring(1024, flags)
        except OSError as why:
            raise LeftOut(f"no io_uring here: {why}")
        fd = os.open(f"{m}/large", opened)
        room = mmap.mmap(-1, 4 << 20)
        at = ctypes.addressof(ctypes.c_char.from_buffer(room))
        fixed = ring.register(0, ctypes.create_string_buffer(struct.pack("QQ", at, len(room)), 16), 1) == 0
        assert ring.register(2, ctypes.create_string_buffer(struct.pack("i", fd), 4), 1) == 0
        for turn in range(4):
            asked = []
            for i in range(1000):
                offset, size = rng.randrange(len(want) + 5000) & ~511, rng.choice((1, 511, 512, 4096))
                op = rng.choice((c.READ, c.READ_FIXED)) if fixed else c.READ
                how = rng.choice((0, c.ASYNC, c.FIXED_FILE, c.FIXED_FILE | c.ASYNC))
                ring.prepare(op, 0 if how & c.FIXED_FILE else fd, at + i * 4096, size, offset, tag=i, flags=how)
                asked.append((offset, size))
            for i, got in ring.submit().items():
                offset, size = asked[i]
                assert room[i * 4096:i * 4096 + max(got, 0)] == want[offset:offset + size], (flags, opened, turn, asked[i], got, len(want))
        # In a chain: opened, read and closed by one request each.
        for name in ("large", "many/f000", "script"):
            with open(f"{src}/{name}", "rb") as f:
                head = f.read(4096)
            # (What reads less than it asked for breaks a chain.)
            new = ring.one(c.OPENAT, AT_FDCWD, os.fsencode(f"{m}/{name}"), extra=os.O_RDONLY)
            ring.prepare(c.READ, new, at, len(head), 0, tag=1, flags=c.LINKED)
            ring.prepare(c.CLOSE, new, tag=2)
            said = ring.submit()
            assert said == {1: len(head), 2: 0} and room[:len(head)] == head, (flags, opened, name, new, said)
        os.close(fd)
        ring.close()


def in_time(act):
    """A process that does it and ends: one that hangs in the kernel is a failure, not the end of the test."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except BaseException as why:    # noqa: B902
            print(repr(why), file=sys.stderr, flush=True)
            os._exit(1)
    timer = threading.Timer(WAIT, os.kill, (child, 9))
    timer.start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    timer.cancel()
    assert status == 0, f"exit {status}"


def a_file_is_read_into_a_map_of_itself(m, src):
    """The page that a read wants to write to is one that it has to read first: who holds a lock over both hangs."""
    with open(f"{src}/large", "rb") as f:
        want = f.read(3 << 20)

    def act(flags):
        fd = os.open(f"{m}/large", os.O_RDONLY | flags)
        size = 1 << 20
        for offset in 0, 4096, 77 * 4096:
            at = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, fd, ctypes.c_long(0))
            done = 0
            while done < size:
                got = libc.pread(fd, ctypes.c_void_p(at + done), ctypes.c_size_t(size - done), ctypes.c_long(offset + done))
                assert got > 0, os.strerror(ctypes.get_errno())
                done += got
            assert ctypes.string_at(at, size) == want[offset:offset + size]
            libc.munmap(ctypes.c_void_p(at), ctypes.c_size_t(size))
    for flags in 0, os.O_DIRECT:
        in_time(lambda: act(flags))


def images_are_mounted_out_of_it(m, src):
    needs_root()
    seen = 0
    for kind in "squashfs", "ext4":
        if not os.path.exists(f"{m}/image.{kind}"):
            continue
        os.makedirs("image", exist_ok=True)
        if sh("mount", "-t", kind, "-o", "loop,ro", f"{m}/image.{kind}", "image", ok=False).returncode:
            continue
        try:
            sh("diff", "-r", "--exclude=lost+found", f"{src}/many", "image")
            seen += 1
        finally:
            sh("umount", "image")
    if not seen:
        raise LeftOut("no image can be mounted here")


def common_tools_find_what_they_would(m, src):
    for line in (["find", ".", "-newermt", "2001-09-09", "-printf", "%P %s %m %n %T@\n"], ["find", ".", "-newer", "large", "-printf", "%P\n"],
                 ["find", ".", "-type", "f", "-size", "+8k"], ["find", ".", "-perm", "-u+x", "-type", "f"], ["find", ".", "-links", "+1"], ["find", ".", "-empty"],
                 ["grep", "-rlc", "--devices=skip", "said", "."], ["du", "-a", "--apparent-size", "-B1", "many/deep/f001"], ["ls", "-lARU", "--time-style=full-iso", "many"],
                 ["sha256sum", "large", "program"], ["tail", "-c", "1000", "large"], ["dd", "if=large", "bs=64k", "skip=9", "count=3", "iflag=direct", "status=none"],
                 ["tac", "script"], ["od", "-An", "-j", "5000000", "-N", "64", "large"], ["file", "-b", "program"], ["stat", "-c", "%n %s %f %h %y", "large", "pipe", "link"],
                 ["bsdtar", "-cf", "-", "--format=ustar", "script", "many/f000"], ["cpio", "--version"]):
        if not shutil.which(line[0]):
            continue
        # A folder's size is a file system's own; the order of a listing too.
        ours, theirs = ([row for row in sorted(sh(*line, cwd=top).stdout.splitlines()) if not row.startswith(("d", "total"))] for top in (m, src))
        assert ours == theirs, (line, [x for x in ours if x not in theirs][:5], [x for x in theirs if x not in ours][:5])
    for how in "auto", "never":
        sh("cp", "-a", f"--reflink={how}", f"{m}/large", "copied")
        sh("cmp", "copied", f"{src}/large")
        os.unlink("copied")
    assert sh("cp", "--reflink=always", f"{m}/large", "copied", ok=False).returncode != 0
    if os.path.exists("copied"):
        os.unlink("copied")
    rows = sh("df", "--output=fstype,avail,pcent,target", m).stdout.splitlines()[1].split()
    assert rows[1:] == ["0", "100%", m] and rows[0].startswith("fuse"), rows


def times_stay(m, src):
    """Nothing that only reads moves a time of access, nor any other."""
    def times():
        return {n: (os.lstat(f"{m}/{n}").st_atime_ns, os.lstat(f"{m}/{n}").st_mtime_ns, os.lstat(f"{m}/{n}").st_ctime_ns) for n in ("large", "many", "link", "program", "script", ".")}
    before = times()
    for n in "large", "script":
        with open(f"{m}/{n}", "rb") as f:
            f.read()
            with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as at:
                hashlib.sha256(at).digest()
    os.listdir(f"{m}/many")
    os.readlink(f"{m}/link")
    sh(f"{m}/program", "x")
    sh(f"{m}/script")
    assert times() == before
    assert before["large"][1] == 10**18 + 7


def locks_are_listed(m, _):
    fd = os.open(f"{m}/large", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    s = os.fstat(fd)
    node = f"{os.major(s.st_dev):02x}:{os.minor(s.st_dev):02x}:{s.st_ino}"
    with open("/proc/locks") as f:
        rows = [row for row in f if node in row]
    assert any("FLOCK" in row and "WRITE" in row for row in rows), (node, rows)
    os.close(fd)
    with open("/proc/locks") as f:
        assert not [row for row in f if node in row]


# ---- what root does with a mount -----------------------------------------------------------------------------------------

def listeners_may_forbid(m, src):
    """As a scanner for malware does: each open waits for its word."""
    needs_root()
    fan = libc.fanotify_init(4 | 1, os.O_RDONLY)    # content, close on exec
    if fan < 0 or libc.fanotify_mark(fan, 1, ctypes.c_ulonglong(0x10000), AT_FDCWD, os.fsencode(f"{m}/script")) < 0:
        raise LeftOut("this kernel lets no listener forbid")
    for word, wanted in (1, b"#!/bin/sh\necho said\n"), (2, "EPERM"):
        child = subprocess.Popen([sys.executable, "-c", f"""
import errno
try:
    print(open({f'{m}/script'!r}, 'rb').read())
except OSError as why:
    print(errno.errorcode[why.errno])
"""], stdout=subprocess.PIPE, text=True)
        assert select.select([fan], [], [], WAIT)[0], "nobody asked"
        event = os.read(fan, 24)
        fd = struct.unpack("IBBHQii", event)[5]
        assert os.fstat(fd).st_ino == os.lstat(f"{m}/script").st_ino
        os.write(fan, struct.pack("iI", fd, word))
        os.close(fd)
        said = child.communicate(timeout=WAIT)[0].strip()
        assert said == str(wanted), said
    os.close(fan)


def noexec_counts(m, _):
    needs_root()
    os.makedirs("bound", exist_ok=True)
    sh("mount", "--bind", m, "bound")
    try:
        sh("mount", "-o", "remount,bind,ro,noexec,nosuid,nodev", "bound")
        assert result(lambda: os.execv("bound/program", ["x"])) == "EACCES" and sh(f"{m}/program", "y").stdout == "y\n"
        fd = os.open("bound/program", os.O_RDONLY)
        failed = libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, fd, ctypes.c_long(0)) == ctypes.c_void_p(-1).value
        assert failed and ctypes.get_errno() == c.errno.EPERM
        os.close(fd)
        assert sh("sh", "bound/script").stdout == "said\n"
    finally:
        sh("umount", "bound")


def a_detached_mount_serves(m, src):
    """open_tree(2), move_mount(2), mount_setattr(2), by <linux/mount.h>."""
    needs_root()
    fd = system_call(428, AT_FDCWD, os.fsencode(m), 1 | os.O_CLOEXEC)
    if not isinstance(fd, int):
        raise LeftOut(f"open_tree: {fd}")
    program = os.open("program", os.O_PATH | os.O_CLOEXEC, dir_fd=fd)
    with open(f"{src}/script", "rb") as f, open(os.open("script", os.O_RDONLY, dir_fd=fd), "rb") as g:
        assert f.read() == g.read()
    wanted = ctypes.create_string_buffer(struct.pack("QQQQ", 0x8, 0, 0, 0), 32)    # noexec
    assert system_call(442, fd, b"", 0x1000, wanted, 32) == 0
    assert result(lambda: os.execve(program, ["x"], {})) == "EACCES"
    os.close(program)
    user = os.open("/proc/self/ns/user", os.O_RDONLY)
    mapped = ctypes.create_string_buffer(struct.pack("QQQQ", 0x100000, 0, 0, user), 32)
    assert system_call(442, fd, b"", 0x1000, mapped, 32) in ("EINVAL", "EPERM"), "ids are not mapped by a mount of FUSE"
    os.makedirs("moved", exist_ok=True)
    if system_call(429, fd, b"", AT_FDCWD, b"moved", 4) == 0:
        assert sorted(os.listdir("moved")) == sorted(os.listdir(src))
        sh("umount", "-l", "moved")
    os.close(user)
    os.close(fd)


def a_root_of_its_own(m, _):
    needs_root()

    def act():
        assert libc.unshare(0x20000) == 0 and libc.mount(b"none", b"/", None, ctypes.c_ulong(0x44000), None) == 0      # a namespace of mounts, private
        assert libc.mount(os.fsencode(m), os.fsencode(m), None, ctypes.c_ulong(4096 | 16384), None) == 0
        os.chdir(m)
        assert system_call(155, b".", b".") == 0 if os.uname().machine == "x86_64" else True     # pivot_root over itself
        if os.uname().machine == "x86_64":
            assert libc.umount2(b".", 2) == 0
            os.chdir("/")
            assert "many" in os.listdir("/") and not os.path.exists("/etc") and result(lambda: os.mkdir("/etc")) == "EROFS"
    if sh("unshare", "-m", "true", ok=False).returncode:
        raise LeftOut("no mount namespaces here")
    in_time(act)


def overlays_of_every_kind(m, src):
    needs_root()
    os.makedirs("over", exist_ok=True)
    if sh("mount", "-t", "tmpfs", "none", "over", ok=False).returncode:
        raise LeftOut("nothing may be mounted here")
    seen = 0
    try:
        for i, options in enumerate(("index=on", "xino=on", "metacopy=on", "redirect_dir=on", "index=on,nfs_export=on", "userxattr", "volatile")):
            for n in "up", "work", "all":
                os.makedirs(f"over/{i}/{n}")
            o = f"lowerdir={m},upperdir={os.path.abspath(f'over/{i}/up')},workdir={os.path.abspath(f'over/{i}/work')},{options}"
            if sh("mount", "-t", "overlay", "none", "-o", o, f"over/{i}/all", ok=False).returncode:
                continue
            top = f"over/{i}/all"
            try:
                sh("cmp", f"{top}/large", f"{src}/large")
                os.chmod(f"{top}/script", 0o700)
                os.rename(f"{top}/many/deep", f"{top}/moved") if "redirect" in options else None
                with open(f"{top}/large", "r+b") as f:
                    f.write(b"changed")
                with open(f"{top}/large", "rb") as f, open(f"{m}/large", "rb") as g:
                    assert f.read(7) == b"changed" and g.read(7) != b"changed"
                seen += 1
            finally:
                sh("umount", top)
    finally:
        sh("umount", "over")
    if not seen:
        raise LeftOut("no overlays here")


def what_is_bound_over_it_can_be_written(m, _):
    """A file of another file system over one of ours; a link that leads out; neither is refused for where it stands."""
    needs_root()
    with open("outside", "w") as f:
        f.write("old")
    sh("mount", "--bind", "outside", f"{m}/script")
    try:
        for path in f"{m}/script", f"{m}/outward":
            with open(path, "w") as f:
                f.write("new " + path)
            with open("outside") as f:
                assert f.read() == "new " + path
    finally:
        sh("umount", f"{m}/script")
    assert sh(f"{m}/script").stdout == "said\n"


def devices_and_pipes_can_be_written(m, _):
    """A device node is no file of the read-only file system: what it names is written to, where devices count."""
    ours = os.open(f"{m}/pipe", os.O_RDWR | os.O_NONBLOCK)
    os.write(ours, b"through")
    assert os.read(ours, 10) == b"through"
    os.close(ours)
    if ROOT:
        fd = os.open(f"{m}/null", os.O_RDWR)
        assert os.write(fd, b"gone") == 4 and os.read(fd, 1) == b""
        os.close(fd)


def a_remount_for_writing_changes_nothing(m, src):
    needs_root()
    done = sh("mount", "-i", "-o", "remount,rw", m, ok=False)
    if done.returncode:
        raise LeftOut(f"it cannot be remounted: {done.stderr.strip()}")
    with open(f"{src}/large", "rb") as f:
        want = f.read()

    def attempts():
        fd = call(libc.open, os.fsencode(f"{m}/large"), os.O_RDWR)
        told = {"open": "opened" if isinstance(fd, int) else fd}
        if isinstance(fd, int):
            told["write"] = call(libc.pwrite, fd, b"x" * 9000, 9000, ctypes.c_long(100))
            ring = result(lambda: c.Ring(4))
            if isinstance(ring, c.Ring):
                told["uring"] = ring.one(c.WRITE, fd, b"y", 1, 0)
                ring.close()
            told["truncate"] = call(libc.ftruncate, fd, ctypes.c_long(5))
            told["fallocate"] = call(libc.fallocate, fd, 3, ctypes.c_long(0), ctypes.c_long(4096))
            at = libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, ctypes.c_long(0))
            if at != ctypes.c_void_p(-1).value:
                ctypes.memset(at, 0x41, 4096)
                told["map"] = call(libc.msync, ctypes.c_void_p(at), ctypes.c_size_t(4096), 4)
            told["copy"] = call(libc.copy_file_range, fd, None, fd, ctypes.byref(ctypes.c_long(1 << 20)), ctypes.c_size_t(4096), 0)
            os.close(fd)
        for name, act in (("create", lambda: os.close(os.open(f"{m}/new", os.O_CREAT | os.O_WRONLY))), ("mkdir", lambda: os.mkdir(f"{m}/new")),
                          ("unlink", lambda: os.unlink(f"{m}/script")), ("rename", lambda: os.rename(f"{m}/script", f"{m}/large")), ("chmod", lambda: os.chmod(f"{m}/script", 0)),
                          ("tmpfile", lambda: os.close(os.open(m, os.O_TMPFILE | os.O_RDWR))), ("utime", lambda: os.utime(f"{m}/script")),
                          ("truncate at open", lambda: os.close(os.open(f"{m}/large", os.O_WRONLY | os.O_TRUNC)))):
            told[name] = result(act)
        return told
    try:
        told = c.as_user((0, 0, ()), attempts)
        assert {k: v for k, v in told.items() if v not in ("EROFS", "ENOTSUP")} in ({}, {"open": "opened"}), told
        with open(f"{m}/large", "rb") as f:
            # What root puts into a map stays in this host's page cache until that is dropped, whatever FUSE answers.
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            assert f.read() == want, "what was refused is read by others"
    finally:
        sh("mount", "-i", "-o", "remount,ro", m)


TESTS = [rings_read, a_file_is_read_into_a_map_of_itself, images_are_mounted_out_of_it, common_tools_find_what_they_would, times_stay, locks_are_listed,
         listeners_may_forbid, noexec_counts, a_detached_mount_serves, a_root_of_its_own, overlays_of_every_kind, what_is_bound_over_it_can_be_written,
         devices_and_pipes_can_be_written, a_remount_for_writing_changes_nothing]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    make_source("src")
    a = mu.Archive()
    a.run("ingest", "src", "--system", "s", "--version", "1")
    m, src = a.mount(os.path.abspath("mnt"), "system=s,version=1" + (",allow_dev,allow_other" if ROOT else "")), os.path.abspath("src")
    failed = 0
    try:
        for test in [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]:
            began = time.time()
            try:
                test(m, src)
                print(f"  ok  {test.__name__}  {time.time() - began:.1f} s", flush=True)
            except LeftOut as why:
                print(f"  left out: {why}  {test.__name__}", flush=True)
            except Exception as why:    # noqa: BLE001 - one failure does not hide the others
                failed += 1
                print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
    finally:
        mu.unmount(m)
    return 1 if failed else 0


sys.exit(main())

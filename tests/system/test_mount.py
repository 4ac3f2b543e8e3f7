#!/usr/bin/python3
"""The mount: everything a reader and a backup tool may ask of it, on a real archive."""
import ctypes
import errno
import json
import mmap
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu

MNT = "mnt"
libc = ctypes.CDLL(None, use_errno=True)


def sh(*line, ok=True, **more):
    done = subprocess.run(line, capture_output=True, text=True, errors="surrogateescape", timeout=200, **more)
    if ok and done.returncode:
        raise AssertionError(f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def is_mounted(where):
    """By the table: a dead mount cannot be asked."""
    return f" {os.path.abspath(where)} " in open("/proc/self/mounts").read()


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) / 1024


class Mounted:
    def __init__(self, archive, options=None, where=MNT):
        self.archive, self.options, self.where = archive, options, where

    def __enter__(self):
        self.archive.mount(self.where, self.options)
        return self.where

    def __exit__(self, *_):
        mu.unmount(self.where)


def fails_with(code, act):
    try:
        act()
    except OSError as why:
        assert why.errno == code, f"{why} instead of {errno.errorcode[code]}"
        return
    raise AssertionError(f"went through; wanted {errno.errorcode[code]}")


# ---- the tests --------------------------------------------------------------------------


def the_hard_tree_equals_its_source(a):
    with Mounted(a) as m:
        mu.compare("hard", f"{m}/hard/versions/1")


def a_version_alone_is_the_tree_and_nothing_else(a):
    with Mounted(a, "system=hard,version=1") as m:
        mu.compare("hard", m)
        assert os.lstat(m).st_ino == 1
    with Mounted(a, "system=hard") as m:
        assert sorted(os.listdir(m)) == [".muniment", "latest", "versions"]
        mu.compare("hard", f"{m}/latest/.")


def a_second_rsync_finds_nothing_changed(a):
    if not shutil.which("rsync"):
        return "rsync is not installed"
    os.makedirs("copy")
    # rsync reads holes as bytes: of the files of 1 TiB there would be no end.
    flags = ["-aHAXS", "--devices", "--specials", "--numeric-ids", "--filter=-x trusted.*", "--max-size=1g",
             "--exclude=/deep"]     # and paths past PATH_MAX it cannot name
    with Mounted(a) as m:
        sh("rsync", *flags, f"{m}/hard/versions/1/", "copy/")
    with Mounted(a) as m:
        again = sh("rsync", *flags, "-i", f"{m}/hard/versions/1/", "copy/").stdout
        assert not again.strip(), again[:400]
        copy = sh("rsync", *flags, "-i", "--checksum", "-n", "--exclude=/holes", f"{m}/hard/versions/1/", "copy/").stdout
        assert not copy.strip(), copy[:400]
    sh("rm", "-rf", "copy")


def tar_and_cp_read_it(a):
    with Mounted(a) as m:
        os.makedirs("untar")
        sh("sh", "-c", f"tar -C {m}/plain/latest/. --posix --xattrs -cf - . | tar -C untar --xattrs -xf -")
        mu.compare("plain2", "untar")
        sh("cp", "-a", f"{m}/plain/latest/.", "cp")
        mu.compare("plain2", "cp")
    sh("rm", "-rf", "untar", "cp")


def inode_numbers_stay(a):
    def numbers(m):
        return {os.path.join(d, n): os.lstat(os.path.join(d, n)).st_ino
                for d, dirs, files in os.walk(m + "/plain") for n in dirs + files if n not in ("status", "latest")}
    with Mounted(a) as m:
        before = numbers(m)
    with Mounted(a) as m:
        assert numbers(m) == before
        some = "d1/f001"
        one, two = (f"{m}/plain/versions/{v}/{some}" for v in "12")
        assert os.stat(one).st_ino == os.stat(two).st_ino, "an unchanged file has one inode in both versions"
        changed = [f"{m}/plain/versions/{v}/changed" for v in "12"]
        assert os.stat(changed[0]).st_ino != os.stat(changed[1]).st_ino
        found = sh("find", f"{m}/plain/versions/1", "-inum", str(os.stat(one).st_ino)).stdout.split()
        assert found == [one], found
        for d, _, _ in os.walk(f"{m}/plain/versions/1"):
            listed = {e.name: e.inode() for e in os.scandir(d)}
            assert listed == {n: os.lstat(os.path.join(d, n)).st_ino for n in listed}


def dates_and_latest_resolve(a):
    with Mounted(a) as m:
        assert os.readlink(f"{m}/plain/latest") == "versions/2"
        assert os.readlink(f"{m}/plain/@2021-01-15") == "versions/1"
        assert os.readlink(f"{m}/plain/@2021-06-30") == "versions/2"
        fails_with(errno.ENOENT, lambda: os.readlink(f"{m}/plain/@1999-01-01"))
        fails_with(errno.ENOENT, lambda: os.readlink(f"{m}/plain/@nonsense"))
        fails_with(errno.ENAMETOOLONG, lambda: os.stat(f"{m}/plain/latest/" + "n" * 256))
        fails_with(errno.ENOENT, lambda: os.stat(f"{m}/plain/latest/" + "n" * 255))
        assert sorted(os.listdir(f"{m}/plain")) == ["latest", "versions"]
        assert sorted(os.listdir(f"{m}/plain/versions")) == ["1", "2"]
        here = os.open(f"{m}/plain/@2021-01-15", os.O_RDONLY)
        assert os.path.realpath(f"/proc/self/fd/{here}").endswith("/plain/versions/1")
        os.close(here)


def the_status_is_json(a):
    with Mounted(a) as m:
        status = json.load(open(f"{m}/.muniment/status"))
        assert {(v["system"], v["version"]) for v in status["versions"]} >= {("plain", "1"), ("plain", "2")}
        certificates = f"{a.path}/certificates"
        there = sorted(os.listdir(certificates)) if os.path.isdir(certificates) else []
        assert sorted(os.listdir(f"{m}/.muniment/certificates")) == there
        for n in there:
            assert open(f"{m}/.muniment/certificates/{n}", "rb").read() == open(f"{certificates}/{n}", "rb").read()
        time.sleep(1.1)
        assert json.load(open(f"{m}/.muniment/status"))["archive"] == status["archive"]


def databases_maps_and_programs_work(a):
    with Mounted(a) as m:
        top = f"{m}/plain/latest"
        db = sqlite3.connect(f"file:{os.path.abspath(top)}/db.sqlite?immutable=1", uri=True)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT sum(n) FROM t").fetchone()[0] == sum(range(5000))
        db.close()
        with open(f"{top}/big", "rb") as f, open("plain2/big", "rb") as g:
            x = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
            y = mmap.mmap(g.fileno(), 0, prot=mmap.PROT_READ)
            assert x[:] == y[:]
            x.close()
            y.close()
        assert sh(f"{top}/program", "works").stdout == "works\n"


def git_works(a):
    if not shutil.which("git"):
        return "git is not installed"
    with Mounted(a) as m:
        repo = os.path.abspath(f"{m}/plain/latest/repo")
        safe = ["git", "-c", "safe.directory=*", "-C", repo]
        assert sh(*safe, "status", "--porcelain").stdout == ""
        assert len(sh(*safe, "log", "--oneline").stdout.split("\n")) == 4
        sh("git", "-c", "safe.directory=*", "clone", "-q", repo, "clone")
        assert open("clone/file").read() == open("plain2/repo/file").read()
    sh("rm", "-rf", "clone")


def fio_verifies_random_reads(a):
    if not shutil.which("fio"):
        return "fio is not installed"
    with Mounted(a, "cache=4M") as m:
        for depth in "1", "4":
            sh("fio", "--name=r", f"--filename={m}/fio/latest/data", "--rw=randread", "--bs=4k", "--size=8m",
               "--verify=crc32c", "--verify_fatal=1", "--readonly", "--ioengine=psync", "--numjobs=" + depth,
               "--randseed=7", "--output=/dev/null")


def reads_at_every_edge_are_right(a):
    with Mounted(a, "cache=2M") as m:
        with open(f"{m}/plain/latest/big", "rb", buffering=0) as f, open("plain2/big", "rb", buffering=0) as g:
            size = os.fstat(f.fileno()).st_size
            for at in sorted({0, 1, 4095, 65535, 65536, 131071, 1 << 20, size - 1, size - 4096, size, size + 5}):
                for want in 1, 4096, 65537, 1 << 20, 3 << 20:
                    x, y = os.pread(f.fileno(), want, at), os.pread(g.fileno(), want, at)
                    assert x == y, (at, want, len(x), len(y))


def big_directories_list_whole_under_seeks(a):
    with Mounted(a) as m:
        top = f"{m}/many/latest/many"
        want = sorted(os.listdir("many/many"))
        assert sorted(os.listdir(top)) == want
        sub = want[:: len(want) // 50]
        for n in sub:
            os.lstat(os.path.join(top, n))

        failures = []

        def walk(seed):
            try:
                assert sorted(e.name for e in os.scandir(top)) == want
            except Exception as why:    # noqa: BLE001 - told below
                failures.append(f"{seed}: {why!r}"[:300])
        threads = [threading.Thread(target=walk, args=(i,)) for i in range(6)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert not failures, failures
    seekdir_goes_back(a)


class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("reclen", ctypes.c_ushort),
                ("type", ctypes.c_ubyte), ("name", ctypes.c_char * 256)]


def seekdir_goes_back(a):
    libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
    libc.telldir.restype = ctypes.c_long
    for call in libc.readdir, libc.telldir, libc.rewinddir:
        call.argtypes = [ctypes.c_void_p]
    libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
    with Mounted(a) as m:
        d = libc.opendir(os.fsencode(f"{m}/many/latest/many"))
        marks, names = [], []
        for i in range(20000):
            marks.append(libc.telldir(d))
            names.append(ctypes.cast(libc.readdir(d), ctypes.POINTER(Dirent)).contents.name)
        for i in (19999, 3, 10000, 19998, 0, 7777):
            libc.seekdir(d, marks[i])
            assert ctypes.cast(libc.readdir(d), ctypes.POINTER(Dirent)).contents.name == names[i], i
        libc.closedir(ctypes.c_void_p(d))


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


def file_handles_outlive_the_mount(a):
    """What an NFS server does: it keeps handles, not paths."""
    if os.geteuid() != 0:
        return "needs root"
    paths = ["plain/versions/1/d1/f001", "plain/versions/2/d1", "plain/versions/1", "plain", ".", "hard/versions/1/links"]
    handles = {}
    with Mounted(a) as m:
        for p in paths:
            h, unused = Handle(size=128), ctypes.c_int()
            if libc.name_to_handle_at(-100, os.fsencode(f"{m}/{p}"), ctypes.byref(h), ctypes.byref(unused), 0):
                raise AssertionError(f"{p}: {os.strerror(ctypes.get_errno())}")
            handles[p] = h, os.stat(f"{m}/{p}").st_ino
    with Mounted(a) as m:
        top = os.open(m, os.O_RDONLY)
        for p, (h, ino) in handles.items():
            fd = libc.open_by_handle_at(top, ctypes.byref(h), os.O_RDONLY)
            assert fd >= 0, f"{p}: {os.strerror(ctypes.get_errno())}"
            assert os.fstat(fd).st_ino == ino
            if p.endswith("f001"):
                assert os.read(fd, 1 << 20) == open("plain2/d1/f001", "rb").read()
            elif p == "plain/versions/2/d1":
                assert sorted(os.listdir(fd)) == sorted(os.listdir("plain2/d1"))
                up = os.open("..", os.O_RDONLY, dir_fd=fd)
                assert os.fstat(up).st_ino == os.stat(f"{m}/plain/versions/2").st_ino
                os.close(up)
            os.close(fd)
        for forged in 7 << 60 | 5, 5 << 60 | 999999999, 4 << 60 | 77 << 38 | 1:
            h, _ = handles["plain/versions/1/d1/f001"]
            ctypes.memmove(h.data, (ctypes.c_uint32 * 2)(forged >> 32, forged & 0xffffffff), 8)
            assert libc.open_by_handle_at(top, ctypes.byref(h), os.O_RDONLY) < 0
        os.close(top)


def a_new_version_appears_in_an_open_mount(a):
    with Mounted(a) as m:
        fails_with(errno.ENOENT, lambda: os.stat(f"{m}/grow/versions/2"))
        assert os.listdir(f"{m}/grow/versions") == ["1"]
        fails_with(errno.ENOENT, lambda: os.stat(f"{m}/late"))
        held = open(f"{m}/grow/versions/1/file")
        os.makedirs("grow", exist_ok=True)
        with open("grow/file", "w") as f:
            f.write("second\n")
        a.run("ingest", "grow", "--system", "grow")
        a.run("ingest", "grow", "--system", "late")
        until = time.time() + 5
        while time.time() < until:
            if sorted(os.listdir(f"{m}/grow/versions")) == ["1", "2"] and "late" in os.listdir(m):
                break
            time.sleep(0.1)
        assert sorted(os.listdir(f"{m}/grow/versions")) == ["1", "2"]
        assert open(f"{m}/grow/versions/2/file").read() == "second\n"
        assert open(f"{m}/grow/latest/file").read() == "second\n"
        assert os.readlink(f"{m}/grow/latest") == "versions/2"
        assert open(f"{m}/late/latest/file").read() == "second\n"
        assert held.read() == "first\n" and open(f"{m}/grow/versions/1/file").read() == "first\n"
        held.close()


def every_write_is_erofs(a):
    with Mounted(a) as m:
        def all_of_them():
            top = f"{m}/plain/latest"
            f = f"{top}/d1/f001"
            fd = os.open(f, os.O_RDONLY)
            acts = [lambda: open(f, "ab"), lambda: os.open(f, os.O_RDWR), lambda: os.open(f"{top}/n", os.O_CREAT | os.O_WRONLY),
                    lambda: os.truncate(f, 0), lambda: os.unlink(f), lambda: os.mkdir(f"{top}/n"), lambda: os.rmdir(f"{top}/d1"),
                    lambda: os.symlink("x", f"{top}/n"), lambda: os.link(f, f"{top}/n"), lambda: os.rename(f, f"{top}/n"),
                    lambda: os.mkfifo(f"{top}/n"), lambda: os.mknod(f"{top}/n", stat.S_IFREG | 0o600), lambda: os.chmod(f, 0o600),
                    lambda: os.chown(f, 1, 1), lambda: os.utime(f), lambda: os.setxattr(f, "user.x", b"y"),
                    lambda: os.removexattr(f, "user.x"), lambda: os.open(top, os.O_TMPFILE | os.O_WRONLY),
                    lambda: os.mkdir(f"{m}/n"), lambda: os.unlink(f"{m}/.muniment/status"), lambda: os.mkdir(f"{m}/plain/versions/n"),
                    lambda: os.chmod(m, 0o777)]
            for i, act in enumerate(acts):
                try:
                    act()
                except OSError as why:
                    allowed = {errno.EROFS, errno.EOPNOTSUPP} if i == 17 else {errno.EROFS}
                    assert why.errno in allowed, f"write {i}: {why}"
                    continue
                raise AssertionError(f"write {i} went through")
            assert not os.access(f, os.W_OK) and os.access(f, os.R_OK)
            os.close(fd)
        all_of_them()
        if os.geteuid() == 0 and sh("mount", "-o", "remount,rw", os.path.abspath(m), ok=False).returncode == 0:
            all_of_them_answered_by_us(m)


def all_of_them_answered_by_us(m):
    f = f"{m}/plain/latest/d1/f001"
    for act in (lambda: os.truncate(f, 0), lambda: os.unlink(f), lambda: os.mkdir(f"{m}/plain/latest/n"), lambda: os.chmod(f, 0o600),
                lambda: os.rename(f, f + "x"), lambda: os.link(f, f + "x"), lambda: os.symlink("x", f + "x"),
                lambda: os.setxattr(f, "user.x", b"y"), lambda: os.open(f + "x", os.O_CREAT | os.O_WRONLY)):
        fails_with(errno.EROFS, act)


def attributes_of_ours_are_readable_and_unlisted(a):
    with Mounted(a) as m:
        f = f"{m}/plain/latest/d1/f001"
        assert os.listxattr(f) == os.listxattr("plain2/d1/f001")
        want = sh("sha256sum", "plain2/d1/f001").stdout.split()[0]
        assert os.getxattr(f, "user.muniment.sha256").decode() == want
        empty = os.getxattr(f"{m}/plain/latest/empty", "user.muniment.sha256").decode()
        assert empty == sh("sha256sum", "/dev/null").stdout.split()[0]
        fails_with(errno.ENODATA, lambda: os.getxattr(f, "user.nothing"))
        fails_with(errno.ENODATA, lambda: os.getxattr(f"{m}/plain/latest/d1", "user.muniment.sha256"))
        x = f"{m}/plain/latest/attributed"
        assert os.getxattr(x, "user.empty") == b""
        small = ctypes.create_string_buffer(2)
        get = libc.getxattr(os.fsencode(x), b"user.long", small, 2)
        assert get == -1 and ctypes.get_errno() == errno.ERANGE
        assert libc.getxattr(os.fsencode(x), b"user.long", None, 0) == 3000
        assert libc.listxattr(os.fsencode(x), small, 2) == -1 and ctypes.get_errno() == errno.ERANGE


def totals_are_told_and_nothing_is_free(a):
    with Mounted(a, "system=plain,version=2") as m:
        fs = os.statvfs(m)
        logical = sum(os.lstat(os.path.join(d, n)).st_size for d, _, files in os.walk(m) for n in files)
        assert fs.f_bfree == fs.f_bavail == fs.f_ffree == 0
        assert abs(fs.f_blocks * fs.f_frsize - logical) < 64 * 1024, (fs.f_blocks * fs.f_frsize, logical)
        assert fs.f_files >= 70 and fs.f_flag & os.ST_RDONLY and fs.f_flag & os.ST_NOSUID and fs.f_flag & os.ST_NODEV


def helpers_of(a):
    """Who unmounts for this archive's mounts; those of tests that run beside this one are not ours to kill."""
    ours = []
    for p in sh("pgrep", "-x", "munifs-umount", ok=False).stdout.split():
        try:
            with open(f"/proc/{p}/cmdline", "rb") as f:
                if a.path.encode() in f.read().split(b"\0"):
                    ours.append(int(p))
        except OSError:
            continue    # it has ended meanwhile
    return ours


def a_killed_mount_leaves_nothing_to_clean(a):
    a.mount(MNT)
    os.kill(mu.daemon_of(a), signal.SIGKILL)
    until = time.time() + 60
    while is_mounted(MNT) and time.time() < until:
        time.sleep(0.1)
    assert not is_mounted(MNT), "the helper unmounts after a kill"
    a.mount(MNT)    # and with the helper gone too:
    pid, helpers = mu.daemon_of(a), helpers_of(a)
    assert helpers, "nobody would unmount"
    for p in helpers:
        os.kill(p, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    fails_with(errno.ENOTCONN, lambda: os.statvfs(MNT))
    again = sh(mu.MUNIFS, a.path, MNT, "-o", f"keyring={a.keyring},key-file={a.key}")
    assert "program is gone" in again.stderr, again.stderr
    assert os.path.exists(f"{MNT}/plain/latest/d1/f001")
    mu.unmount(MNT)


def a_signal_unmounts(a):
    for sig in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        a.mount(MNT)
        os.kill(mu.daemon_of(a), sig)
        until = time.time() + 60
        while is_mounted(MNT) and time.time() < until:
            time.sleep(0.05)
        assert not is_mounted(MNT), sig


def bad_input_is_told(a):
    def run(*words, env=None):
        line = [mu.MUNIFS, *words]
        return subprocess.run(line, capture_output=True, text=True, timeout=60, env=env)
    keys = f"keyring={a.keyring},key-file={a.key}"
    os.makedirs("full", exist_ok=True)
    open("full/x", "w").close()
    open("afile", "w").close()
    open("wrong.key", "wb").write(b"9" * 64)
    os.makedirs(MNT, exist_ok=True)
    for words, status, text in [
            ((a.path, "nowhere", "-o", keys), 1, "mkdir"),
            ((a.path, "afile", "-o", keys), 2, "not a directory"),
            ((a.path, "full", "-o", keys), 1, "not empty"),
            ((a.path, a.path, "-o", keys + ",nonempty"), 2, "one in the other"),
            ((a.path, ".", "-o", keys + ",nonempty"), 2, "one in the other"),
            ((a.path, MNT, "-o", keys + ",cach=1"), 2, "cach=1"),
            ((a.path, MNT, "-o", keys + ",version=1"), 2, "system="),
            ((a.path, MNT, "-o", keys + ",system=nobody"), 1, "nobody"),
            ((a.path, MNT, "-o", keys + ",system=plain,version=77"), 1, "77"),
            ((a.path, MNT, "-o", keys + ",classes=NONE"), 2, "NONE"),
            ((a.path, MNT, "-o", f"keyring={a.keyring},key-file=wrong.key"), 4, ""),
            (("no-such-archive", MNT, "-o", keys), 1, "no-such-archive"),
            ((a.path,), 2, "MOUNTPOINT")]:
        done = run(*words)
        assert done.returncode == status, (words, done.returncode, done.stderr)
        assert text in done.stderr and done.stderr.count("munifs:") >= 1, (words, done.stderr)
        assert not is_mounted(MNT)
    assert run("-h").returncode == 0 and "MOUNTPOINT" in run("-h").stdout
    a.run("log")    # and nothing of it hurt the archive
    done = run(a.path, "full", "-o", keys + ",nonempty")
    assert done.returncode == 0, done.stderr
    mu.unmount("full")
    os.unlink("full/x")
    os.rmdir("full")


def damage_is_an_error_for_the_files_it_touches(a):
    for _ in range(50):     # the mount before this one may still be closing its catalogue
        if not os.path.exists(f"{a.path}/catalogue.1-shm"):
            break
        time.sleep(0.1)
    b = a.copy_to("damaged")
    segments = sorted((os.path.join(d, n) for d, _, files in os.walk(f"{b.path}/segments") for n in files if n.endswith(".seg")),
                      key=os.path.getsize)
    for path in segments:
        os.chmod(path, 0o600)
        with open(path, "r+b") as f:
            for at in range(5000, os.path.getsize(path) - 5000, 400000):
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 4]))
    right = wrong = 0
    with Mounted(b, "cache=1M") as m:
        for d, _, files in os.walk("plain2"):
            for n in files:
                path = os.path.join(d, n)
                try:
                    data = open(path.replace("plain2", f"{m}/plain/versions/2", 1), "rb").read()
                    assert data == open(path, "rb").read(), f"{path} reads wrong"
                    right += 1
                except OSError as why:
                    assert why.errno == errno.EIO, why
                    wrong += 1
        assert wrong > 0 and right > 0, (right, wrong)
        time.sleep(1.1)
        assert any("block" in x["text"] for x in json.load(open(f"{m}/.muniment/status"))["messages"])
    b.remove()


def a_read_only_archive_mounts(a):
    if os.geteuid() != 0 or sh("unshare", "-m", "true", ok=False).returncode:
        return "needs root and a mount namespace"
    os.makedirs(MNT, exist_ok=True)
    act = f"""set -e; mount --bind {a.path} {a.path}; mount -o remount,bind,ro {a.path}
{os.path.abspath(mu.MUNIFS)} {a.path} {MNT} -o keyring={a.keyring},key-file={a.key}
cmp plain2/big {MNT}/plain/latest/big; fusermount3 -u {MNT}"""
    done = sh("unshare", "-m", "sh", "-c", act, ok=False)
    assert done.returncode == 0, done.stdout + done.stderr


def a_passphrase_is_asked_for(a):
    import pty
    b = mu.Archive("phrase", create=False)
    with open("phrase.txt", "w") as f:
        f.write("correct horse\n")
    sh(mu.MUNI, "init", b.path, "--keyring", b.keyring, "--passphrase-file", "phrase.txt")
    for answer, wanted in (b"wrong\n", 4), (b"\x03", 4), (b"oops\x15correct horsX\x7fe\n", 0):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(mu.MUNIFS, [mu.MUNIFS, b.path, MNT, "-o", f"keyring={b.keyring}"])
        said = b""
        while not said.endswith(b" "):
            said += os.read(fd, 100)
        assert b"horse" not in said
        os.write(fd, answer)
        try:
            while more := os.read(fd, 1000):
                said += more
        except OSError:
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        assert status == wanted and b"horse" not in said, (status, said)
    assert os.listdir(MNT) == [".muniment"]
    mu.unmount(MNT)
    b.remove()


def owners_and_modes_can_be_overridden(a):
    with Mounted(a, "system=hard,version=1,uid=1234,gid=2345,umask=077") as m:
        for d, dirs, files in os.walk(m):
            for n in dirs + files:
                s = os.lstat(os.path.join(d, n))
                assert (s.st_uid, s.st_gid) == (1234, 2345)
                assert stat.S_ISLNK(s.st_mode) or not s.st_mode & 0o077
                assert not [x for x in os.listxattr(os.path.join(d, n), follow_symlinks=False) if "posix_acl" in x]
            if d.count("/") > 6:
                dirs.clear()


def another_user_sees_what_modes_allow(a):
    if os.geteuid() != 0:
        return "needs root"
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if sh(*as_user, "true", ok=False).returncode:
        return "setpriv cannot change the user here"
    os.chmod(".", 0o755)
    with Mounted(a) as m:
        assert sh(*as_user, "ls", m, ok=False).returncode != 0, "without allow_other nobody else enters"
    with Mounted(a, "allow_other") as m:
        secret = f"{m}/plain/latest/secret"
        assert sh("cat", secret).stdout == "0400\n"
        assert sh(*as_user, "cat", secret, ok=False).returncode != 0
        assert sh(*as_user, "cat", f"{m}/plain/latest/d1/f001").returncode == 0
    with Mounted(a, "allow_other,audience=daemon") as m:
        assert sh(*as_user, "ls", m, ok=False).returncode != 0, "not of the audience"
        of_it = ["setpriv", "--reuid=65534", "--regid=65534", "--groups=" + str(os.stat(m).st_gid)]
        assert sh(*of_it, "cat", f"{m}/plain/latest/d1/f001").returncode == 0


def an_ordinary_user_mounts(a):
    if os.geteuid() != 0:
        return None     # then all of the above did
    if not shutil.which("fusermount3") or sh("unshare", "-m", "true", ok=False).returncode:
        return "needs fusermount3 and a mount namespace"
    where = "/var/tmp" if os.access("/var/tmp", os.W_OK) else "/tmp"
    base = sh("mktemp", "-d", where + "/muniment-user.XXXXXX").stdout.strip()
    try:
        sh("cp", "-a", a.path, f"{base}/archive")
        for suffix in ".keyring", ".key":
            sh("cp", "-a", a.path + suffix, f"{base}/archive{suffix}")
        sh("cp", mu.MUNIFS, f"{base}/munifs")
        os.makedirs(f"{base}/mnt")
        with open(f"{base}/act", "w") as f:
            f.write(ORDINARY_USER)
        sh("chown", "-R", "65534:65534", base)
        os.chmod(base, 0o755)
        # In a namespace of its own, where /dev/fuse may have the mode that udev gives it.
        done = sh("unshare", "-m", "sh", f"{base}/act", "root", base, ok=False)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        sh("rm", "-rf", base)


ORDINARY_USER = """
set -e
cd "$2"
if [ "$1" = root ]; then
	if ! [ -w /dev/fuse ] || [ "$(stat -c %a /dev/fuse)" != 666 ]; then
		mknod fuse c 10 229
		chmod 666 fuse
		mount --bind fuse /dev/fuse
	fi
	exec setpriv --reuid=65534 --regid=65534 --clear-groups sh "$2/act" user "$2"
fi
keys=keyring=$2/archive.keyring,key-file=$2/archive.key
./munifs archive mnt -o $keys
cat mnt/plain/latest/d1/f001 > /dev/null
if cat mnt/plain/latest/secret 2> /dev/null; then echo "read a file of root's"; exit 1; fi
grep -q 'fuse.munifs ro,nosuid,nodev.*default_permissions' /proc/mounts
fusermount3 -u mnt
./munifs archive mnt -o $keys,uid=65534,umask=277
cat mnt/plain/latest/secret > /dev/null
fusermount3 -u mnt
if ./munifs archive mnt -o $keys,allow_other 2> errors; then echo "allow_other went through"; exit 1; fi
grep -q user_allow_other errors
"""


def mount_8_finds_it(a):
    if os.geteuid() != 0 or not shutil.which("mount.fuse3"):
        return "needs root and mount.fuse3"
    path = os.path.dirname(os.path.abspath(mu.MUNIFS)) + ":" + os.environ["PATH"]
    os.makedirs(MNT, exist_ok=True)
    o = f"keyring={a.keyring},key-file={a.key},noauto"
    done = sh("mount.fuse3", a.path, os.path.abspath(MNT), "-t", "fuse.munifs", "-o", o, ok=False,
              env={**os.environ, "PATH": path})
    if "not found" in done.stderr:
        return "sh starts without this PATH"
    assert done.returncode == 0, done.stderr
    try:
        flags = open("/proc/mounts").read().split(os.path.abspath(MNT) + " ")[1].split("\n")[0]
        assert flags.startswith("fuse.munifs ro,") and "default_permissions" in flags, flags
    finally:
        mu.unmount(MNT)


def logged_opens(a):
    log = open(f"{a.path}/audit/log", "rb").read()
    return sum(int.from_bytes(log[at + 8:at + 12], "little") == 4 for at in range(128, len(log) - 127, 128))


def an_audited_mount_logs_each_open(a):
    before = logged_opens(a)
    with Mounted(a, "audit") as m:
        one = os.stat(f"{m}/plain/versions/1/d1/f001").st_ino
        assert one != os.stat(f"{m}/plain/versions/2/d1/f001").st_ino, "file ids carry the version"
        mu.compare("plain2", f"{m}/plain/versions/2")
        open(f"{m}/plain/versions/1/d1/f001", "rb").read()
    for _ in range(60):
        if logged_opens(a) > before and subprocess.run(["pgrep", "-x", "munifs-recorder"], capture_output=True).returncode:
            break
        time.sleep(0.5)
    assert logged_opens(a) > before
    assert not sh("grep", "-r", "f001", a.path, ok=False).stdout, "no name outside the catalogue"
    a.run("verify")
    done = sh(mu.MUNIFS, a.path, MNT, "-o", f"keyring={a.keyring},audit", ok=False)
    assert done.returncode == 2 and "key-file=" in done.stderr


def memory_stays_bounded(a):
    with Mounted(a, "cache=16M") as m:
        pid = mu.daemon_of(a)
        for top in "hard", "plain", "many":
            for d, _, files in os.walk(f"{m}/{top}/versions"):
                for n in files:
                    os.lstat(os.path.join(d, n))
        with open(f"{m}/fio/latest/data", "rb") as f:
            while f.read(1 << 20):
                pass
        sh("sh", "-c", f"find {m}/plain/latest/ -type f -print0 | xargs -0 -P4 cat > /dev/null")
        used = peak_mib(pid)
        print(f"    {used:.1f} MiB at the highest with cache=16M")
        assert used < 32 + 16 or "san/" in mu.MUNIFS, used


def the_kernel_asks_further_ahead(a):
    def of(m):
        s = os.stat(m)
        with open(f"/sys/class/bdi/{os.major(s.st_dev)}:{os.minor(s.st_dev)}/read_ahead_kb") as f:
            asked = int(f.read())
        with open(f"{m}/.muniment/status") as f:
            return asked, json.load(f)["options"]["kernel_readahead"] // 1024

    with Mounted(a, "kernel-readahead=0") as m:
        own, told = of(m)
        assert told == 0, told
    with Mounted(a) as m:
        asked, told = of(m)
        if told == 0:
            assert asked == own
            return "this user or system may not say so"
        assert os.geteuid() == 0 and asked == told == 512, (asked, told)
    with Mounted(a, "kernel-readahead=64K") as m:
        assert of(m) == (64, 64), of(m)
    return None


def the_sandbox_is_closed(a):
    if "san/" in mu.MUNIFS:
        return "sanitizers need the calls that it forbids"
    with Mounted(a) as m:
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{mu.daemon_of(a)}/status") if ":\t" in line)
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", status


def mounting_is_quick(a):
    best = 9.0
    for _ in range(3):
        begin = time.time()
        a.mount(MNT)
        best = min(best, time.time() - begin)
        mu.unmount(MNT)
    print(f"    mounted in {best * 1000:.0f} ms")
    assert best < 1.0


# ---- the archive that they share -----------------------------------------------------------


def make_sources():
    sh(os.path.join(mu.SUPPORT, "hardtree.py"), "hard")
    os.makedirs("many/many")
    for i in range(100000):
        open(f"many/many/entry-{i:06d}", "w").close()
    os.makedirs("plain")
    mu.tree("plain", 1)
    with open("plain/big", "wb") as f:
        for i in range(300000):
            f.write(b"%d %d row of a table that compresses\n" % (i, i * i))
    db = sqlite3.connect("plain/db.sqlite")
    db.execute("CREATE TABLE t(n)")
    db.executemany("INSERT INTO t VALUES(?)", [(i,) for i in range(5000)])
    db.commit()
    db.close()
    shutil.copy2("/bin/echo", "plain/program")
    with open("plain/secret", "w") as f:
        f.write("0400\n")
    os.chmod("plain/secret", 0o400)
    open("plain/empty", "w").close()
    with open("plain/attributed", "w") as f:
        f.write("x")
    os.setxattr("plain/attributed", "user.empty", b"")
    os.setxattr("plain/attributed", "user.long", b"v" * 3000)
    with open("plain/changed", "w") as f:
        f.write("before")
    if shutil.which("git"):
        git = ["git", "-C", "plain/repo", "-c", "user.name=x", "-c", "user.email=x@x"]
        os.makedirs("plain/repo")
        sh(*git, "init", "-q")
        for i in range(3):
            with open("plain/repo/file", "a") as f:
                f.write(f"line {i}\n")
            sh(*git, "add", ".")
            sh(*git, "commit", "-qm", f"c{i}")
    os.makedirs("grow")
    with open("grow/file", "w") as f:
        f.write("first\n")
    os.makedirs("fio")
    if shutil.which("fio"):
        sh("fio", "--name=r", "--filename=fio/data", "--rw=randwrite", "--bs=4k", "--size=8m", "--verify=crc32c",
           "--do_verify=0", "--ioengine=psync", "--randseed=7", "--output=/dev/null")
    else:
        with open("fio/data", "wb") as f:
            f.write(os.urandom(8 << 20))


def make_archive():
    make_sources()
    a = mu.Archive()
    a.run("ingest", "hard", "--system", "hard")
    a.run("ingest", "many", "--system", "many")
    a.run("ingest", "plain", "--system", "plain", "--at", "2021-01-01")
    sh("cp", "-a", "plain", "plain2")
    with open("plain/changed", "w") as f:
        f.write("after")
    shutil.copy2("plain/changed", "plain2/changed")
    a.run("ingest", "plain", "--system", "plain", "--at", "2021-03-01")
    a.run("ingest", "grow", "--system", "grow")
    a.run("ingest", "fio", "--system", "fio")
    # The source's directories were read by the copy; their mtimes are the copy's too.
    return a


TESTS = [the_hard_tree_equals_its_source, a_version_alone_is_the_tree_and_nothing_else, a_second_rsync_finds_nothing_changed,
         tar_and_cp_read_it, inode_numbers_stay, dates_and_latest_resolve, the_status_is_json, databases_maps_and_programs_work,
         git_works, fio_verifies_random_reads, reads_at_every_edge_are_right, big_directories_list_whole_under_seeks,
         every_write_is_erofs, attributes_of_ours_are_readable_and_unlisted, totals_are_told_and_nothing_is_free,
         file_handles_outlive_the_mount, a_killed_mount_leaves_nothing_to_clean, a_signal_unmounts, bad_input_is_told,
         damage_is_an_error_for_the_files_it_touches, a_read_only_archive_mounts, a_passphrase_is_asked_for, owners_and_modes_can_be_overridden,
         another_user_sees_what_modes_allow, an_ordinary_user_mounts, mount_8_finds_it, memory_stays_bounded,
         the_kernel_asks_further_ahead, the_sandbox_is_closed,
         mounting_is_quick, a_new_version_appears_in_an_open_mount, an_audited_mount_logs_each_open]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    a = make_archive()
    failed = 0
    only = sys.argv[1:]
    for test in [t for t in TESTS if not only or t.__name__ in only]:
        begin = time.time()
        try:
            left_out = test(a)
            print(f"  {'left out: ' + left_out if left_out else 'ok'}  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
            if is_mounted(MNT):
                mu.unmount(MNT)
    mu.unmount(MNT)
    return 1 if failed else 0


sys.exit(main())

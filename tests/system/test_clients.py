#!/usr/bin/python3
"""Other people's programs on a mounted archive: backup tools, databases, git, NFS's file handles, mount(8), other users.
Each finds what it would find on a local read-only file system; a second backup from a fresh mount finds nothing new."""
import ctypes
import errno
import json
import mmap
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

TOP = "mnt"             # always the same: backup tools remember paths
ROOT = os.geteuid() == 0
libc = ctypes.CDLL(None, use_errno=True)


class LeftOut(Exception):
    pass


def sh(*line, ok=True, **more):
    done = subprocess.run(line, capture_output=True, text=True, errors="surrogateescape", timeout=200, **more)
    if ok and done.returncode:
        raise AssertionError(f"{line}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def need(program):
    if not shutil.which(program):
        raise LeftOut(f"{program} is not installed")


class Mounted:
    def __init__(self, archive, options="system=office,version=1"):
        self.archive, self.options = archive, options

    def __enter__(self):
        self.archive.mount(TOP, self.options)
        return os.path.abspath(TOP)

    def __exit__(self, *_):
        mu.unmount(TOP)


# ---- the source ---------------------------------------------------------------------------


def databases(top):
    db = sqlite3.connect(f"{top}/staff.sqlite")
    db.execute("CREATE TABLE staff(id INTEGER PRIMARY KEY, name TEXT, salary INTEGER)")
    db.executemany("INSERT INTO staff VALUES(?, ?, ?)", [(i, f"name {i}", i * 7) for i in range(20000)])
    db.execute("CREATE INDEX by_name ON staff(name)")
    db.commit()
    db.close()
    # As a system that was switched off leaves it: in WAL mode, with rows in the WAL.
    db = sqlite3.connect(f"{top}/live.sqlite")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t(n)")
    db.executemany("INSERT INTO t VALUES(?)", [(i,) for i in range(100)])
    db.commit()
    os.makedirs(f"{top}/wal")
    for end in "", "-wal", "-shm":
        shutil.copy2(f"{top}/live.sqlite{end}", f"{top}/wal/live.sqlite{end}")
    db.close()
    os.unlink(f"{top}/live.sqlite")


def repository(top):
    if not shutil.which("git"):
        return
    git = ["git", "-C", f"{top}/repo", "-c", "user.name=x", "-c", "user.email=x@x"]
    os.makedirs(f"{top}/repo/sub")
    sh(*git, "init", "-q")
    for i in range(5):
        for n in range(20):
            with open(f"{top}/repo/sub/f{n}", "a") as f:
                f.write(f"commit {i} line {n}\n")
        sh(*git, "add", ".")
        sh(*git, "commit", "-qm", f"commit {i}")
    sh(*git, "gc", "-q")
    with open(f"{top}/repo/untracked", "w") as f:
        f.write("new\n")


def programs(top):
    shutil.copy2(os.path.realpath("/bin/ls"), f"{top}/program")
    with open(f"{top}/script", "w") as f:
        f.write("#!/bin/sh\necho \"$0 says $1\"\n")
    os.chmod(f"{top}/script", 0o755)
    with open(f"{top}/script.py", "w") as f:
        f.write("#!/usr/bin/python3\nprint(open(__file__).readline().strip())\n")
    os.chmod(f"{top}/script.py", 0o755)


def odd_files(top):
    os.makedirs(f"{top}/odd/deep/er")
    for name in [b"space in name", b"new\nline", b"-rf", "员工.csv".encode(), "员工.csv".encode("gb18030"), b"\xff\xfe", b"q'\"`",
                 b"b\\s", b"*?[x]", b"n" * 255, b".hidden", b"#tmp#", b"core"]:
        with open(os.path.join(os.fsencode(top), b"odd", name), "wb") as f:
            f.write(name * 3)
    with open(f"{top}/odd/first", "w") as f:
        f.write("one inode\n" * 500)
    for name in "second", "deep/third", "deep/er/fourth":
        os.link(f"{top}/odd/first", f"{top}/odd/{name}")
    os.symlink("first", f"{top}/odd/link")
    os.symlink("nowhere", f"{top}/odd/dangling")
    os.mkfifo(f"{top}/odd/fifo")
    with open(f"{top}/odd/sparse", "wb") as f:
        os.ftruncate(f.fileno(), 16 << 20)
        os.pwrite(f.fileno(), b"middle", 8 << 20)
    with open(f"{top}/odd/hole", "wb") as f:
        os.ftruncate(f.fileno(), 1 << 20)
    open(f"{top}/odd/empty", "w").close()
    with open(f"{top}/odd/old", "w") as f:
        f.write("nanoseconds\n")     # borg and restic have no time before 1970
    os.utime(f"{top}/odd/old", ns=(86400 * 10**9 + 123456789, 86400 * 10**9 + 123456789))
    with open(f"{top}/odd/attributed", "w") as f:
        f.write("x")
    try:
        os.setxattr(f"{top}/odd/attributed", "user.empty", b"")
        os.setxattr(f"{top}/odd/attributed", "user.long", bytes(range(256)) * 8)
        os.setxattr(f"{top}/odd/deep", "user.on-a-folder", b"yes")
    except OSError as why:
        print(f"  without attributes: {why}")
    for what in ["-m", "u:1000:rw,g:7:r,m::rw"], ["-d", "-m", "u:1000:rwx"]:
        subprocess.run(["setfacl", *what, f"{top}/odd/" + ("deep" if "-d" in what else "attributed")], capture_output=True)
    for mode in 0o400, 0o640, 0o4755, 0o2755, 0o1777:
        path = f"{top}/odd/mode-{mode:o}"
        with open(path, "w") as f:
            f.write("mode\n")
        os.chmod(path, mode)


def make_source(top):
    rng = random.Random(5)
    os.makedirs(top)
    mu.tree(f"{top}/tree", 3, files=150)
    with open(f"{top}/big", "wb") as f:
        for i in range(24):
            f.write(rng.randbytes(1 << 20) if i % 3 else b"%d a line that compresses well\n" % i * 33825)
    databases(top)
    repository(top)
    programs(top)
    odd_files(top)
    if shutil.which("fio"):
        sh("fio", "--name=r", f"--filename={top}/fio", "--rw=randwrite", "--bs=4k", "--size=4m", "--verify=crc32c",
           "--do_verify=0", "--ioengine=psync", "--randseed=7", "--output=/dev/null")


# ---- copying ------------------------------------------------------------------------------


def rsync_twice(a):
    need("rsync")
    line = ["rsync", "-aHAXS", "--specials", "-i", f"{TOP}/", "copy/"]
    with Mounted(a):
        sh(*line)
        again = sh(*line).stdout
        assert not again, again[:500]
    with Mounted(a):
        again = sh(*line).stdout
        assert not again, again[:500]
        sums = sh(*line, "--checksum", "--dry-run").stdout
        assert not sums, sums[:500]
    mu.compare("src", "copy", "--no", "holes,trusted")     # -S makes holes of zeros
    sh("rm", "-rf", "copy")


def tar_and_cp(a):
    with Mounted(a):
        os.makedirs("untar")
        sh("sh", "-c", f"tar -C {TOP} --posix --xattrs --xattrs-include='*' --acls --sparse -cf - . | "
           "tar -C untar --xattrs --xattrs-include='*' --acls -xpf -")
        mu.compare("src", "untar")
        done = sh("tar", "-C", TOP, "-df", "-", ok=False, input=None, stdin=subprocess.DEVNULL)
        assert done.returncode != 0     # an empty tar is none: nothing hangs
        sh("cp", "-a", f"{TOP}/.", "cp")
        mu.compare("src", "cp", "--no", "holes")
    sh("rm", "-rf", "untar", "cp")


def borg_twice(a):
    need("borg")
    env = {**os.environ, "BORG_REPO": os.path.abspath("borg"), "BORG_BASE_DIR": os.path.abspath("borg-base"),
           "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
    sh("borg", "init", "-e", "none", env=env)
    # What has the newest time of all borg always reads again, on any file system: so that is not ours.
    time.sleep(0.01)
    open("newest", "w").close()
    lists = []
    for n in "12":
        with Mounted(a):
            done = sh("borg", "create", "--list", "--filter=AM", "--files-cache=ctime,size,inode", f"::{n}", TOP, "newest", env=env)
            lists.append([line for line in done.stderr.splitlines() if line[:2] in ("A ", "M ") and not line.endswith("newest")])
    assert len(lists[0]) > 100, lists[0]
    assert not lists[1], lists[1][:5]
    os.makedirs("borg-out")
    sh("borg", "extract", "--sparse", "::2", env=env, cwd="borg-out")
    mu.compare("src", f"borg-out/{TOP}", "--no", "holes")
    sh("rm", "-rf", "borg-out", "borg", "borg-base")


def restic_twice(a):
    need("restic")
    env = {**os.environ, "RESTIC_REPOSITORY": os.path.abspath("restic"), "RESTIC_PASSWORD": "x",
           "RESTIC_CACHE_DIR": os.path.abspath("restic-cache")}
    sh("restic", "init", env=env)
    sums = []
    for _ in range(2):
        with Mounted(a):
            out = sh("restic", "backup", "--json", TOP, env=env).stdout
            sums.append(json.loads(out.strip().splitlines()[-1]))
    assert sums[0]["files_new"] > 100, sums[0]
    assert (sums[1]["files_new"], sums[1]["files_changed"], sums[1]["dirs_new"]) == (0, 0, 0), sums[1]
    sh("restic", "restore", "latest", "--target", "restored", env=env)
    mu.compare("src", f"restored/{TOP}", "--no", "holes,xattrs,linktime,dirtime")
    sh("rm", "-rf", "restored", "restic", "restic-cache")


# ---- reading ------------------------------------------------------------------------------


def sqlite_reads(a):
    want = sqlite3.connect("src/staff.sqlite").execute("SELECT count(*), sum(salary) FROM staff").fetchone()
    with Mounted(a) as m:
        for how in "immutable=1", "mode=ro":
            db = sqlite3.connect(f"file:{m}/staff.sqlite?{how}", uri=True)
            assert db.execute("SELECT count(*), sum(salary) FROM staff").fetchone() == want
            assert db.execute("SELECT id FROM staff WHERE name = 'name 19999'").fetchone() == (19999,)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            db.close()
        db = sqlite3.connect(f"file:{m}/staff.sqlite?mode=rw", uri=True)
        assert db.execute("SELECT count(*), sum(salary) FROM staff").fetchone() == want
        try:
            db.execute("DELETE FROM staff")
            raise AssertionError("rows were deleted in an archive")
        except sqlite3.OperationalError as why:
            assert "readonly" in str(why), why
        db.close()
        # Rows that stand in the WAL only: with -wal and -shm beside it, or copied away.
        db = sqlite3.connect(f"file:{m}/wal/live.sqlite?mode=ro", uri=True)
        assert db.execute("SELECT count(*) FROM t").fetchone() == (100,)
        db.close()
        if shutil.which("sqlite3"):
            out = sh("sqlite3", "-readonly", f"{m}/staff.sqlite", "SELECT count(*) FROM staff").stdout
            assert out.strip() == "20000"


def git_works(a):
    need("git")
    git = ["git", "-c", "safe.directory=*", "-C"]
    with Mounted(a) as m:
        assert sh(*git, f"{m}/repo", "status", "--porcelain").stdout == "?? untracked\n"
        assert len(sh(*git, f"{m}/repo", "log", "--oneline").stdout.splitlines()) == 5
        sh(*git, f"{m}/repo", "fsck", "--full", "--strict")
        assert sh(*git, f"{m}/repo", "diff", "HEAD~1", "--stat").stdout.count("|") == 20
        assert sh(*git, f"{m}/repo", "grep", "-c", "commit 4").stdout.count(":1") == 20
        sh("git", "-c", "safe.directory=*", "clone", "-q", f"{m}/repo", "clone")
        assert sh(*git, f"{m}/repo", "commit", "-am", "x", ok=False).returncode != 0
    sh("rm", "-rf", "clone")


def maps_and_programs(a):
    with Mounted(a) as m:
        with open(f"{m}/big", "rb") as f, open("src/big", "rb") as g:
            for access in mmap.ACCESS_READ, mmap.ACCESS_COPY:
                with mmap.mmap(f.fileno(), 0, access=access) as x, mmap.mmap(g.fileno(), 0, access=mmap.ACCESS_READ) as y:
                    rng = random.Random(1)
                    for _ in range(200):
                        at = rng.randrange(len(y))
                        assert x[at:at + 10000] == y[at:at + 10000], at
                    assert x[:] == y[:]
            try:
                mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_WRITE)
                raise AssertionError("a writable shared map of an archived file")
            except OSError as why:
                assert why.errno in (errno.EACCES, errno.EROFS), why
        with open(f"{m}/odd/sparse", "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as x:
            assert x[(8 << 20) - 2:(8 << 20) + 8] == b"\0\0middle\0\0" and not any(x[:4096])
        assert sh(f"{m}/program", "-1", f"{m}/odd/deep").stdout.split() == ["er", "third"]
        assert sh(f"{m}/script", "hello").stdout == f"{m}/script says hello\n"
        assert sh(f"{m}/script.py").stdout == "#!/usr/bin/python3\n"
        assert sh("sh", "-c", f"cd {m}/tree/d1 && ../../program ..").stdout.split() == [f"d{i}" for i in range(7)]
        if ROOT:
            assert os.statvfs(m).f_flag & os.ST_NOSUID


def fio_verifies(a):
    need("fio")
    with Mounted(a, "system=office,version=1,cache=4M") as m:
        for engine, jobs, direct in ("psync", "4", "0"), ("mmap", "1", "0"), ("psync", "2", "1"):
            sh("fio", "--name=r", f"--filename={m}/fio", "--rw=randread", "--bs=4k", "--size=4m", "--verify=crc32c",
               "--verify_fatal=1", "--readonly", f"--ioengine={engine}", "--numjobs=" + jobs, "--direct=" + direct,
               "--randseed=7", "--output=/dev/null")


READER = r"""
import hashlib, os, random, sys
top, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
paths = [os.path.join(d, n) for d, _, ns in os.walk(top) for n in ns]
paths = [p for p in sorted(paths) if os.path.isfile(p) and not os.path.islink(p)]
rng.shuffle(paths)
total = hashlib.sha256()
sums = {}
for p in paths:
    h = hashlib.sha256()
    with open(p, "rb", buffering=0) as f:
        if seed % 2:
            while data := f.read(rng.choice((777, 4096, 65536, 1 << 20))):
                h.update(data)
        else:
            size = os.fstat(f.fileno()).st_size
            pieces = [(at, os.pread(f.fileno(), 100000, at)) for at in rng.sample(range(0, size, 100000), len(range(0, size, 100000)))]
            for _, data in sorted(pieces):
                h.update(data)
    sums[os.path.relpath(p, top)] = h.hexdigest()
for p in sorted(sums):
    total.update(os.fsencode(p) + b" " + sums[p].encode() + b"\n")
print(total.hexdigest())
"""


def sixteen_readers_at_once(a):
    def all_of(top, seeds):
        running = [subprocess.Popen([sys.executable, "-c", READER, top, str(s)], stdout=subprocess.PIPE) for s in seeds]
        return {p.communicate(timeout=120)[0] for p in running}
    want = all_of("src", [1])
    with Mounted(a, "system=office,version=1,cache=8M") as m:
        assert all_of(m, range(16)) == want


def an_old_application_runs_on_top(a):
    """The usual way to start a retired system again: an overlay whose lower layer is the archive."""
    in_a_namespace("""
        mount -t tmpfs none /mnt
        mkdir /mnt/up /mnt/work /mnt/whole
        mount -t overlay overlay -o lowerdir="$1",upperdir=/mnt/up,workdir=/mnt/work /mnt/whole || { echo "no overlays here"; exit 77; }
        cd /mnt/whole
        cmp big "$2/big"
        echo more >> odd/first
        mv tree/d1 tree/renamed
        rm odd/second
        python3 -c 'import sqlite3; c = sqlite3.connect("staff.sqlite"); c.execute("DELETE FROM staff WHERE id > 10"); c.commit()'
        test "$(tail -n 1 odd/first)" = more
    """, mounted_for=a)


# ---- numbers ------------------------------------------------------------------------------


def inodes_of(top):
    found = {}
    for d, dirs, files in os.walk(top):
        for n in dirs + files:
            found[os.path.relpath(os.path.join(d, n), top)] = os.lstat(os.path.join(d, n)).st_ino
    return found


def numbers_stay(a):
    with Mounted(a) as m:
        before = inodes_of(m)
        one = before["odd/first"]
        names = sorted(os.path.relpath(p, m) for p in sh("find", m, "-inum", str(one)).stdout.split())
        assert names == ["odd/deep/er/fourth", "odd/deep/third", "odd/first", "odd/second"], names
        assert sorted(os.path.relpath(p, m) for p in sh("find", m, "-samefile", f"{m}/odd/first").stdout.split()) == names
    with Mounted(a) as m:
        assert inodes_of(m) == before
    groups = {}
    for path, ino in before.items():
        groups.setdefault(ino, set()).add(path)
    twice = [g for g in groups.values() if len(g) > 1]
    assert twice == [set(names)], twice


def sizes_are_told(a):
    with Mounted(a) as m:
        for line in ["du", "-sb"], ["du", "-sb", "--count-links"]:
            x, y = (int(sh(*line, top).stdout.split()[0]) for top in (m, "src"))
            folders = sum(os.lstat(d).st_size for d, _, _ in os.walk("src")) - sum(os.lstat(d).st_size for d, _, _ in os.walk(m))
            assert x + folders == y, (line, x, y, folders)
        assert int(sh("du", "-s", "--block-size=1", f"{m}/odd/sparse").stdout.split()[0]) <= 65536
        assert os.lstat(f"{m}/odd/hole").st_blocks == 0
        out = sh("stat", "-f", "-c", "%T %a %d %f", m).stdout.split()
        assert out[1:] == ["0", "0", "0"] and "fuse" in out[0], out
        assert sh("df", m).stdout.splitlines()[1].endswith(m)
        name = os.statvfs(m).f_namemax
        assert name == 255, name


def a_large_directory_lists_whole(a):
    want = {f"entry-{i:06d}" for i in range(100000)}
    with Mounted(a, "system=many,version=1") as m:
        lister = subprocess.Popen(["sh", "-c", f"ls -R {m} | grep -c ^entry-"], stdout=subprocess.PIPE, text=True)
        for _ in range(2):
            seen = [e.name for e in os.scandir(m)]
            assert len(seen) == 100000 and set(seen) == want
        assert lister.communicate(timeout=100)[0].strip() == "100000"
        assert sh("sh", "-c", f"find {m} -name 'entry-09999*' | wc -l").stdout.strip() == "10"
        some = sh("sh", "-c", f"ls -f {m} | sort | uniq -d").stdout
        assert not some, some


class FileHandle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("handle", ctypes.c_ubyte * 128)]


def handle_of(path):
    h, mount_id = FileHandle(bytes=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, os.fsencode(path), ctypes.byref(h), ctypes.byref(mount_id), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    return h


def file_handles_outlive_a_remount(a):
    """What knfsd keeps between a client's requests: handles, without names, over remounts."""
    paths = ["odd/first", "odd/deep/er/fourth", "tree/d1", "big", ".", "odd/deep/er", "odd/link"]
    with Mounted(a) as m:
        handles = {p: handle_of(f"{m}/{p}") for p in paths if p != "odd/link"}
    if not ROOT:
        raise LeftOut("open_by_handle_at needs root")
    with Mounted(a) as m:
        top = os.open(m, os.O_RDONLY)
        for p, h in handles.items():
            fd = libc.open_by_handle_at(top, ctypes.byref(h), os.O_RDONLY)
            assert fd >= 0, (p, os.strerror(ctypes.get_errno()))
            assert os.fstat(fd).st_ino == os.lstat(f"{m}/{p}").st_ino, p
            if stat.S_ISREG(os.fstat(fd).st_mode):
                with open(f"src/{p}", "rb") as f:
                    assert os.pread(fd, 1 << 20, 0) == f.read(1 << 20), p
            else:
                assert sorted(os.listdir(fd)) == sorted(os.listdir(f"src/{p}")), p
            os.close(fd)
        h = handles["big"]
        h.handle[0] ^= 0x55         # a forged one
        h.handle[5] ^= 0x55
        fd = libc.open_by_handle_at(top, ctypes.byref(h), os.O_RDONLY)
        assert fd < 0 and ctypes.get_errno() in (errno.ESTALE, errno.EINVAL), fd
        os.close(top)


def nfs_exports_it(a):
    if not ROOT:
        raise LeftOut("exporting needs root")
    need("exportfs")
    with open("/proc/filesystems") as f:
        known = f.read().split()
    if "nfsd" not in known and sh("sh", "-c", "modprobe nfsd", ok=False).returncode:
        raise LeftOut("this kernel has no NFS server (nfsd)")
    if "nfs4" not in known and sh("sh", "-c", "modprobe nfs", ok=False).returncode:
        raise LeftOut("this kernel has no NFS client")
    if not os.path.exists("/proc/fs/nfsd/threads"):
        sh("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd", ok=False)
    if not os.path.exists("/proc/fs/nfsd/threads"):
        raise LeftOut("the NFS server cannot be started here")
    with open("/proc/fs/nfsd/threads") as f:
        if f.read().strip() == "0":
            raise LeftOut("no NFS server runs here, and a test starts none")
    with Mounted(a) as m:
        sh("exportfs", "-o", "ro,no_root_squash,fsid=4242", f"127.0.0.1:{m}")
        try:
            os.makedirs("nfs")
            if sh("mount", "-t", "nfs", "-o", "ro,soft", f"127.0.0.1:{m}", "nfs", ok=False).returncode:
                raise LeftOut("the export cannot be mounted here")
            mu.compare("src", "nfs", "--no", "xattrs,holes")
            sh("umount", "nfs")
        finally:
            sh("exportfs", "-u", f"127.0.0.1:{m}", ok=False)


# ---- refusing -----------------------------------------------------------------------------


def refusals(top):
    f, d = f"{top}/odd/first", f"{top}/odd/deep"
    at = os.fsencode

    def call(name, *args):
        if libc.__getattr__(name)(*args) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return {
        "open for writing": lambda: os.open(f, os.O_WRONLY),
        "open for both": lambda: os.open(f, os.O_RDWR | os.O_APPEND),
        "open and truncate": lambda: os.open(f, os.O_RDONLY | os.O_TRUNC),
        "creat": lambda: os.open(f"{top}/new", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        "creat for reading": lambda: os.open(f"{top}/new", os.O_CREAT | os.O_RDONLY),
        "truncate": lambda: os.truncate(f, 3),
        "mkdir": lambda: os.mkdir(f"{d}/new"),
        "mknod": lambda: os.mknod(f"{d}/new", stat.S_IFREG | 0o600),
        "mkfifo": lambda: os.mkfifo(f"{d}/new"),
        "symlink": lambda: os.symlink("x", f"{d}/new"),
        "link": lambda: os.link(f, f"{d}/new"),
        "link of a symlink": lambda: os.link(f"{top}/odd/link", f"{d}/new", follow_symlinks=False),
        "rename": lambda: os.rename(f, f"{d}/new"),
        "exchange": lambda: call("renameat2", -100, at(f), -100, at(f"{top}/big"), 2),
        "unlink": lambda: os.unlink(f),
        "rmdir": lambda: os.rmdir(d),
        "chmod": lambda: os.chmod(f, 0o777),
        "chown": lambda: os.chown(f, 1, 1),
        "lchown": lambda: os.lchown(f"{top}/odd/link", 1, 1),
        "utimes": lambda: os.utime(f, ns=(1, 1)),
        "utimes of a link": lambda: os.utime(f"{top}/odd/link", ns=(1, 1), follow_symlinks=False),
        "setxattr": lambda: os.setxattr(f, "user.new", b"x"),
        "removexattr": lambda: os.removexattr(f"{top}/odd/attributed", "user.empty"),
        "setting an ACL": lambda: os.setxattr(f, "system.posix_acl_access", b"\2\0\0\0" + b"".join(
            tag + perm + b"\xff" * 4 for tag, perm in ((b"\1\0", b"\6\0"), (b"\4\0", b"\4\0"), (b"\x20\0", b"\4\0")))),
        "bind": lambda: bind_in(d),
    }


def bind_in(folder):
    import socket
    here = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind("s")
    finally:
        os.chdir(here)


def every_write_is_refused(a):
    with Mounted(a) as m:
        for what, act in refusals(m).items():
            try:
                act()
            except OSError as why:
                assert why.errno == errno.EROFS, f"{what}: {why}"
                continue
            raise AssertionError(f"{what} went through")
        fd = os.open(f"{m}/odd/first", os.O_RDONLY)
        for what, act in {"fallocate": lambda: os.posix_fallocate(fd, 0, 10), "write": lambda: os.write(fd, b"x"),
                          "ftruncate": lambda: os.ftruncate(fd, 0)}.items():
            try:
                act()
            except OSError as why:
                assert why.errno in (errno.EBADF, errno.EINVAL, errno.EROFS), f"{what}: {why}"
                continue
            raise AssertionError(f"{what} went through")
        os.close(fd)
        mu.compare("src", m)


# ---- mount(8), other users ------------------------------------------------------------------


def in_a_namespace(script, *words, mounted_for=None):
    if mounted_for:
        with Mounted(mounted_for) as m:
            in_a_namespace(script, m, os.path.abspath("src"))
            mu.compare("src", m)
        return
    if not ROOT:
        raise LeftOut("needs root")
    if sh("unshare", "-m", "true", ok=False).returncode:
        raise LeftOut("no mount namespaces here")
    with open("act", "w") as f:
        f.write("set -ex\n" + script)
    done = sh("unshare", "-m", "sh", "./act", *words, ok=False)
    if done.returncode == 77:
        raise LeftOut(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr


def mount_8_and_fstab(a):
    """mount(8) looks for its helpers in /sbin alone: an overlay over it, in a namespace of its own, is our install."""
    need("mount.fuse3")
    # What was built is installed, and nothing built for it.
    sh("make", "-s", "-C", os.environ["ROOT"], "-o", "all", "install", "DEPS=no", f"BUILD={os.path.dirname(mu.MUNI)}",
       f"DESTDIR={os.path.abspath('dest')}", "PREFIX=/usr")
    in_a_namespace("""
        archive=$1 keys=$2 dest=$3 here=$4
        mount -t tmpfs none /mnt
        mkdir /mnt/bin /mnt/sbin /mnt/bw /mnt/sw /mnt/old /mnt/two
        mount -t overlay overlay -o lowerdir=$dest/usr/bin:/usr/bin /usr/bin || { echo "no overlays here"; exit 77; }
        mount -t overlay overlay -o lowerdir=$dest/usr/sbin:/usr/sbin /usr/sbin
        command -v munifs mount.munifs > /dev/null
        mount -t fuse.munifs "$archive" /mnt/old -o "ro,allow_other,$keys"
        test -f /mnt/old/office/versions/1/odd/first
        grep ' /mnt/old fuse.munifs ro,nosuid,nodev.*default_permissions,allow_other' /proc/mounts
        umount /mnt/old
        mount -t munifs "$archive" /mnt/old -o "$keys,system=office,version=1"
        test -f /mnt/old/odd/first
        grep -q ' /mnt/old fuse.munifs ro,nosuid,nodev' /proc/mounts
        umount /mnt/old
        mount -t munifs "$archive" /mnt/old -o "$keys,allow_suid,allow_dev,system=office,version=1"
        grep ' /mnt/old ' /proc/mounts | grep -q -v -e nosuid -e nodev
        umount /mnt/old
        mount -t fuse.munifs "$archive" /mnt/old -o "$keys,allow_suid,system=office,version=1"
        grep ' /mnt/old ' /proc/mounts | grep nodev | grep -q -v nosuid
        umount /mnt/old
        printf '%s\n' "$archive /mnt/old fuse.munifs ro,noauto,nofail,x-systemd.automount,_netdev,$keys 0 0" \
            "$archive /mnt/two munifs defaults,noauto,allow_other,cache=8M,$keys 0 0" > "$here/fstab"
        mount --bind "$here/fstab" /etc/fstab
        mount /mnt/old
        mount /mnt/two
        cmp /mnt/old/office/latest/big /mnt/two/office/latest/big
        umount /mnt/old /mnt/two
        ! mount -t fuse.munifs "$archive" /mnt/old -o "$keys,cach=8M" 2> err
        grep -q cach=8M err
        ! mount -t munifs /nowhere /mnt/old -o "$keys" 2> err
        grep -q /nowhere err
    """, a.path, f"keyring={a.keyring},key-file={a.key}", os.path.abspath("dest"), os.path.abspath("."))
    sh("rm", "-rf", "dest")


def an_ordinary_user_owns_and_mounts(a):
    need("fusermount3")
    need("setpriv")
    base = sh("mktemp", "-d", "/var/tmp/muniment-user.XXXXXX").stdout.strip()
    try:
        for p in mu.MUNI, mu.MUNI + "-whole", mu.MUNIFS:
            shutil.copy2(p, base)
        shutil.copytree("src/tree", f"{base}/src")
        sh("chown", "-R", "1000:1000", base)
        os.chmod(base, 0o755)
        with open(f"{base}/user", "w") as f:
            f.write(AS_USER)
        in_a_namespace("""
            cd "$1"
            mknod fuse c 10 229 && chmod 666 fuse && mount --bind fuse /dev/fuse
            echo user_allow_other > fuse.conf && mount --bind fuse.conf /etc/fuse.conf 2> /dev/null ||
                { touch /etc/fuse.conf && mount --bind fuse.conf /etc/fuse.conf; }
            setpriv --reuid=1000 --regid=1000 --clear-groups env HOME="$1" PATH="$1:$PATH" sh -e user mine
            ! setpriv --reuid=1001 --regid=1001 --clear-groups ls mnt 2> /dev/null
            ! ls mnt 2> /dev/null    # not even root
            setpriv --reuid=1000 --regid=1000 --clear-groups env HOME="$1" PATH="$1:$PATH" sh -e user shared
            test "$(setpriv --reuid=1001 --regid=1001 --clear-groups cat mnt/s/latest/open)" = open
            ! setpriv --reuid=1001 --regid=1001 --clear-groups cat mnt/s/latest/secret 2> /dev/null
            ! setpriv --reuid=1001 --regid=1001 --clear-groups ls mnt/s/latest/closed 2> /dev/null
            cat mnt/s/latest/secret > /dev/null
            setpriv --reuid=1000 --regid=1000 --clear-groups env PATH="$1:$PATH" muni umount mnt
            ! grep -q "$1" /proc/mounts
        """, base)
    finally:
        sh("rm", "-rf", base)


AS_USER = """
umask 022
if [ "$1" = mine ]; then
	head -c 32 /dev/urandom > key
	chmod 600 key
	echo open > src/open
	echo secret > src/secret
	chmod 600 src/secret
	mkdir -p src/closed mnt
	chmod 700 src/closed
	muni init archive --key-file key -q > /dev/null
	test -f "$HOME/.local/share/muniment/"*.keyring
	muni ingest archive src --system s --key-file key -q > /dev/null
	muni mount archive mnt --key-file key
	diff -r src mnt/s/latest/.
	grep -q "mnt fuse.munifs ro,nosuid,nodev" /proc/mounts
else
	muni umount mnt
	muni mount archive mnt --key-file key -o allow_other
fi
"""


TESTS = [rsync_twice, tar_and_cp, borg_twice, restic_twice, sqlite_reads, git_works, maps_and_programs, fio_verifies, an_old_application_runs_on_top,
         sixteen_readers_at_once, numbers_stay, sizes_are_told, a_large_directory_lists_whole, file_handles_outlive_a_remount,
         nfs_exports_it, every_write_is_refused, mount_8_and_fstab, an_ordinary_user_owns_and_mounts]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    make_source("src")
    os.makedirs("many")
    for i in range(100000):
        open(f"many/entry-{i:06d}", "w").close()
    a = mu.Archive()
    a.run("ingest", "src", "--system", "office")
    a.run("ingest", "many", "--system", "many")
    failed = 0
    only = sys.argv[1:]
    for test in [t for t in TESTS if not only or t.__name__ in only]:
        begin = time.time()
        try:
            test(a)
            print(f"  ok  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except LeftOut as why:
            print(f"  left out: {why}  {test.__name__}", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}  {time.time() - begin:.1f} s: {type(why).__name__}: {str(why)[:1500]}", flush=True)
            if os.path.ismount(TOP):
                mu.unmount(TOP)
    return 1 if failed else 0


sys.exit(main())

#!/usr/bin/python3
"""The mount re-exported. What every NFS server needs of a file system: handles that outlive caches, the mount and the
daemon, lead to the same thing or to ESTALE, and find their way up; and, where an NFS server that needs no kernel is
installed (nfs-ganesha, with libnfs's clients), all of the tree through it, over versions 3 and 4."""
import ctypes
import errno
import hashlib
import os
import random
import stat
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402
import nfs  # noqa: E402

libc = ctypes.CDLL(None, use_errno=True)
UNPRIVILEGED = 3001
CONNECTABLE = 2     # AT_HANDLE_CONNECTABLE


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


def make_source(top):
    rng = random.Random(5)
    for i in range(400):
        path = f"{top}/d{i % 9}/e{i % 4}/f{i}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(rng.randbytes(rng.randrange(4000)))
    with open(f"{top}/big", "wb") as f:
        f.write(rng.randbytes(3 << 20))
    with open(f"{top}/secret", "w") as f:
        f.write("root's own\n")
    os.chmod(f"{top}/secret", 0o600)
    for i in range(1500):
        open(f"{top}/d0/wide-{i:04d}", "w").close()
    os.link(f"{top}/big", f"{top}/d1/linked")
    os.symlink("d1/linked", f"{top}/link")
    os.mkfifo(f"{top}/pipe")


def fail(what):
    raise AssertionError(f"{what}: {os.strerror(ctypes.get_errno())}")


def handle_of(path, flags=0):
    h, unused = Handle(size=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, os.fsencode(path), ctypes.byref(h), ctypes.byref(unused), flags) != 0:
        if flags and ctypes.get_errno() == errno.EINVAL:
            return None
        fail(path)
    return bytes(h.data[:h.size]), h.type


def open_handle(top, handle, flags=os.O_RDONLY):
    data, kind = handle
    h = Handle(size=len(data), type=kind)
    ctypes.memmove(h.data, data, len(data))
    return libc.open_by_handle_at(top, ctypes.byref(h), flags | os.O_NONBLOCK)


def drop_caches():
    try:
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("2")
    except OSError:
        pass


def facts(m):
    """By path: the handle and what stands there."""
    out = {}
    for d, dirs, files in os.walk(m):
        for n in dirs + files + ["."]:
            p = os.path.join(d, n)
            s = os.lstat(p)
            if ".muniment" in p:
                continue
            body = None
            if stat.S_ISREG(s.st_mode):
                with open(p, "rb") as f:
                    body = hashlib.sha256(f.read()).digest()
            out[os.path.relpath(p, m)] = handle_of(p), s.st_ino, stat.S_IFMT(s.st_mode), body
    return out


def check(m, known, sample):
    """Each handle, in an order of its own, with nothing looked up before."""
    drop_caches()
    top = os.open(m, os.O_RDONLY)
    names = list(known)
    random.Random(sample).shuffle(names)
    for p in names[:sample] if sample else names:
        handle, ino, kind, body = known[p]
        fd = open_handle(top, handle, os.O_PATH | os.O_NOFOLLOW if kind == stat.S_IFLNK else 0)
        if fd < 0:
            fail(p)
        s = os.fstat(fd)
        assert (s.st_ino, stat.S_IFMT(s.st_mode)) == (ino, kind), p
        if body is not None:
            with os.fdopen(os.dup(fd), "rb") as f:
                assert hashlib.sha256(f.read()).digest() == body, p
        elif kind == stat.S_IFDIR:
            up = os.open("..", os.O_RDONLY, dir_fd=fd)
            want = os.path.normpath(os.path.join(p, ".."))
            assert want.startswith("..") or os.fstat(up).st_ino == known[want][1], p
            os.close(up)
            inside = {os.path.basename(q) for q in known if os.path.dirname(q) == p}
            if p != ".":
                assert set(os.listdir(fd)) == inside, p
        os.close(fd)
    os.close(top)


def connected_handles(m, names):
    """Those that name their folder, too, as a server that checks subtrees gives out; none before Linux 6.13."""
    made = {p: handle_of(f"{m}/{p}", CONNECTABLE) for p in names}
    return {p: h for p, h in made.items() if h}


def check_ways_up(m, handles):
    """From a handle alone the kernel finds the folder, and in it the name."""
    drop_caches()
    top = os.open(m, os.O_RDONLY)
    for p, handle in handles.items():
        fd = open_handle(top, handle, os.O_PATH)
        if fd < 0:
            fail(p)
        found, wanted = os.readlink(f"/proc/self/fd/{fd}"), os.path.abspath(f"{m}/{p}")
        assert os.path.dirname(found) == os.path.dirname(wanted), (found, wanted)
        assert os.lstat(found).st_ino == os.lstat(wanted).st_ino, (found, wanted)
        os.close(fd)
    os.close(top)


def handles_outlive_everything(a):
    if os.geteuid() != 0:
        return "needs root"
    m = a.mount()
    known = facts(m)
    assert len({h for h, *_ in known.values()}) == len({i for _, i, *_ in known.values()}), "one handle, one inode"
    check(m, known, 0)
    connected = connected_handles(m, random.Random(6).sample([p for p in known if not p.endswith("/.") and p != "."], 150))
    mu.unmount(m)
    a.mount()                           # another daemon
    check_ways_up(m, connected)         # before anything else is looked up
    check(m, known, 300)
    assert {p: f[:2] for p, f in facts(m).items()} == {p: f[:2] for p, f in known.items()}
    a.run("ingest", "src", "--system", "s", "--version", "2")      # under an open mount
    check(m, known, 100)
    one, two = (handle_of(f"{m}/s/versions/{v}/big") for v in "12")
    assert one == two, "an unchanged file is one file in every version"
    a.run("ingest", "src", "--system", "other")
    mu.unmount(m)
    a.mount()
    check(m, known, 100)
    # What is restricted, and what never was: ESTALE, the same for both.
    line = [mu.MUNI, "retain", "restrict", a.path, "--system", "s", "--path", "d3/e0/f12", "--reason", "x", "--keyring", a.keyring,
            "--key-file", a.key]
    gone = next(p for p in known if p.startswith("s/versions/1/d3/e") and p.rsplit("/", 1)[1].startswith("f"))
    line[line.index("d3/e0/f12")] = gone.removeprefix("s/versions/1/")
    top = os.open(m, os.O_RDONLY)
    folder = os.path.dirname(f"{m}/{gone}")
    before = os.stat(folder)
    subprocess.run(line, check=True, capture_output=True)
    # The client of a server keeps a listing until a time of its folder changes; the source's own stays.
    after = os.stat(folder)
    assert after.st_ctime_ns > before.st_ctime_ns and after.st_mtime_ns == before.st_mtime_ns, (before, after)
    assert open_handle(top, known[gone][0]) < 0 and ctypes.get_errno() == errno.ESTALE
    data, kind = known[gone][0]
    forged = (data[:4] + b"\xff\xff\xff\x7f" + data[8:], kind)
    assert open_handle(top, forged) < 0 and ctypes.get_errno() == errno.ESTALE
    os.close(top)
    drop_caches()
    mu.unmount(m)
    return f"{len(known)} handles, {len(connected)} with their folders"


# ---- a real server -------------------------------------------------------------------------------------------------------

def all_of_it_goes_over_nfs(a):
    if os.geteuid() != 0:
        return "needs root"
    if nfs.missing():
        return f"{nfs.missing()} is not here"
    m = os.path.abspath(a.mount(options="allow_other"))
    server = nfs.Server(m)
    try:
        if not server.is_up():
            return "the NFS server does not come up here"
        want = sorted(os.path.relpath(os.path.join(d, n), "src") for d, ds, fs in os.walk("src") for n in ds + fs)
        for version in 4, 3:
            top = "/s/versions/1"
            listed = nfs.run("nfs-ls", "-R", server.url(version, top if version == 4 else ""))
            if version == 4:
                lines = listed.stdout.decode().splitlines()
                assert len(lines) == len(want) and listed.returncode == 0, (version, len(lines), len(want), listed.stderr)
            for n in want[::17] + ["big", "d1/linked"]:
                if not os.path.isfile(f"src/{n}") or os.path.islink(f"src/{n}"):
                    continue
                got = nfs.run("nfs-cat", server.url(version, f"{top}/{n}"))
                with open(f"src/{n}", "rb") as f:
                    assert got.returncode == 0 and got.stdout == f.read(), (version, n, got.stderr)
            drop_caches()
            got = nfs.run("nfs-cat", server.url(version, f"{top}/big"))
            assert hashlib.sha256(got.stdout).digest() == hashlib.sha256(open("src/big", "rb").read()).digest()
            assert nfs.run("nfs-cat", server.url(version, f"{top}/secret")).stdout == b"root's own\n"
            as_user = f"&uid={UNPRIVILEGED}&gid={UNPRIVILEGED}"
            got = nfs.run("nfs-cat", server.url(version, f"{top}/secret", as_user))
            assert got.returncode != 0 and b"root's own" not in got.stdout, got
            got = nfs.run("nfs-cp", "src/d1/linked", server.url(version, f"{top}/new"))
            assert got.returncode != 0 and b"ROFS" in got.stderr + got.stdout, got
    finally:
        server.close()
        mu.unmount(m)
    return "over NFS 3 and 4"


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    os.chmod(".", 0o755)
    make_source("src")
    a = mu.Archive("archive")
    a.run("ingest", "src", "--system", "s", "--version", "1")
    print("handles:", handles_outlive_everything(a), flush=True)
    b = mu.Archive("second")
    b.run("ingest", "src", "--system", "s", "--version", "1")
    print("server:", all_of_it_goes_over_nfs(b), flush=True)


main()

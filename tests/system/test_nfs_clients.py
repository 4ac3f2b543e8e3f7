#!/usr/bin/python3
"""What clients of an NFS server see of the mount that it exports, over versions 3 and 4: every name, number, mode, time, size and byte
as the source has it; no change, whoever asks; a file that is open over a new daemon and a new server; new versions
while it is looked at; and nothing of what was restricted.  Needs nfs-ganesha and libnfs."""
import ctypes
import os
import random
import stat
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402
import nfs  # noqa: E402

STRANGER = 3001
FAR = (5 << 30) + 77
TOP = "/s/versions/1"
OF_THE_SERVER = (3, "write", "EFAULT"), (4, "mknod", "EPERM")


def make_source(top):
    rng = random.Random(29)
    mu.tree(top, 4)
    for i in range(2500):
        os.makedirs(f"{top}/wide", exist_ok=True)
        with open(f"{top}/wide/{i:04d}-{'n' * (i % 200)}", "w") as f:
            f.write(str(i))
    with open(f"{top}/odd\n\udcff", "wb") as f:
        f.write(rng.randbytes(1_234_567))
    with open(f"{top}/far", "wb") as f:
        f.write(b"begin")
        f.seek(FAR)
        f.write(b"end")
    os.link(f"{top}/far", f"{top}/d1/far")
    for size in 1, 100, 1023:
        os.symlink("x" * size, f"{top}/link-{size}")
    os.mkfifo(f"{top}/pipe")
    for n, mode in ("all", 0o644), ("own", 0o600), ("none", 0):
        os.makedirs(f"{top}/of-{n}/in", exist_ok=True)
        with open(f"{top}/of-{n}/file", "w") as f:
            f.write("kept\n")
        os.chmod(f"{top}/of-{n}/file", mode)
        os.chmod(f"{top}/of-{n}", mode | (mode & 0o444) >> 2)
    os.chown(f"{top}/of-own", STRANGER, STRANGER)
    os.chown(f"{top}/of-own/file", STRANGER, STRANGER)
    for i, n in enumerate(sorted(os.listdir(top))):
        os.utime(f"{top}/{n}", ns=(10**18 + i, (10**9 + i * 10**7) * 10**9 + 123456789), follow_symlinks=False)


def paths(top):
    for d, dirs, files in os.walk(top):
        for n in dirs + files:
            yield os.path.relpath(os.path.join(d, n), top)


def all_is_there(client, m, version):
    seen = 0
    for folder in [".", *(p for p in paths("src") if os.path.isdir(f"src/{p}") and not os.path.islink(f"src/{p}"))]:
        found = client.listed(f"{TOP}/{folder}")
        assert not isinstance(found, str), (folder, found)
        assert found.keys() == set(map(os.fsencode, os.listdir(f"src/{folder}"))), (folder, len(found))
        # Of version 4, libnfs fills no number in.
        assert version == 4 or all(f[0] == os.lstat(f"{m}{TOP}/{folder}/{os.fsdecode(n)}").st_ino for n, f in found.items()), folder
    for p in paths("src"):
        s, t = os.lstat(f"src/{p}"), client.lstat(f"{TOP}/{p}")
        assert not isinstance(t, str), (p, t)
        assert t.ino == os.lstat(f"{m}{TOP}/{p}").st_ino, p
        ours, theirs = (t.mode, t.uid, t.gid, t.mtime, t.mtime_nsec), (s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns // 10**9, s.st_mtime_ns % 10**9)
        assert ours == theirs, (p, ours, theirs)
        if stat.S_ISREG(s.st_mode):
            assert (t.size, t.nlink) == (s.st_size, s.st_nlink), (p, t.size, t.nlink)
            if s.st_size < 1 << 30:
                with open(f"src/{p}", "rb") as f:
                    assert client.read(f"{TOP}/{p}") == f.read(), p
        elif stat.S_ISLNK(s.st_mode):
            said = client.readlink(f"{TOP}/{p}")
            if version == 4:        # libnfs sets no end
                said = said[:t.size]
            assert said == os.fsencode(os.readlink(f"src/{p}")), (p, said)
        seen += 1
    file = client.open(f"{TOP}/far")
    for at, want in ((0, b"begin\0\0\0"), (4 << 30, bytes(8)), (FAR - 5, bytes(5) + b"end"), (FAR + 1, b"nd"), (FAR + 3, b""), (1 << 50, b"")):
        assert client.pread(file, 8, at) == want, (at, client.pread(file, 8, at))
    client.call("close", file)
    assert client.lstat(f"{TOP}/nothing") == "ENOENT" and client.lstat(f"{TOP}/d1/far/x") in ("ENOTDIR", "ENOENT")
    return seen


def nothing_changes(client):
    """Nobody is told yes; who may not even look is told so."""
    file, told = f"{TOP}/of-all/file", {}
    for name, *args in (("mkdir", f"{TOP}/new"), ("rmdir", f"{TOP}/of-all/in"), ("unlink", file), ("creat", f"{TOP}/new", 0o600, ctypes.byref(ctypes.c_void_p())),
                        ("truncate", file, ctypes.c_uint64(0)), ("chmod", file, 0o600), ("lchown", file, 1, 1), ("rename", file, f"{TOP}/new"), ("link", file, f"{TOP}/new"),
                        ("symlink", "x", f"{TOP}/new"), ("mknod", f"{TOP}/new", stat.S_IFIFO | 0o600, 0), ("utimes", file, ctypes.create_string_buffer(32))):
        told[name] = client.call(name, *args)
    writing = client.open(file, os.O_RDWR)
    told["write"] = writing if isinstance(writing, str) else client.call("pwrite", writing, ctypes.c_uint64(0), ctypes.c_uint64(1), b"x")
    return told


def strangers_see_what_modes_allow(server, version):
    client = nfs.Client(server, version, STRANGER)
    assert client.read(f"{TOP}/of-all/file") == client.read(f"{TOP}/of-own/file") == b"kept\n"
    assert client.read(f"{TOP}/of-none/file") == "EACCES" and client.listed(f"{TOP}/of-none") == "EACCES"
    client.close()
    client = nfs.Client(server, version, STRANGER + 1)
    assert client.read(f"{TOP}/of-all/file") == b"kept\n" and client.read(f"{TOP}/of-own/file") == "EACCES"
    client.close()


def versions_appear(a, client):
    """Under an open mount: a client that looks again finds it, and the folder's times say that it changed."""
    before = client.lstat("/s/versions")
    assert set(client.listed("/s/versions")) == {b"1"} and client.lstat("/s/versions/2") == "ENOENT"
    a.run("ingest", "src", "--system", "s", "--version", "2")
    assert set(client.listed("/s/versions")) == {b"1", b"2"}
    after = client.lstat("/s/versions")
    assert (after.mtime, after.mtime_nsec) > (before.mtime, before.mtime_nsec) and (after.ctime, after.ctime_nsec) > (before.ctime, before.ctime_nsec)
    one, two = (client.lstat(f"/s/versions/{v}/d1/far") for v in "12")
    assert one.ino == two.ino and client.read("/s/versions/2/of-all/file") == b"kept\n"


def what_is_restricted_goes(a, client):
    kept, gone = (client.open(f"{TOP}/d1/{n}") for n in ("f001", "f008"))
    with open("src/d1/f001", "rb") as f:
        body = f.read()
    assert client.pread(kept, 100, 0) == body[:100] and len(client.pread(gone, 100, 0)) == 100
    before = client.lstat(f"{TOP}/d1")
    subprocess.run([mu.MUNI, "retain", "restrict", a.path, "--system", "s", "--path", "d1/f008", "--reason", "x", "--keyring", a.keyring, "--key-file", a.key],
                   check=True, capture_output=True)
    assert client.lstat(f"{TOP}/d1/f008") == "ENOENT" and b"f008" not in client.listed(f"{TOP}/d1")
    # By its time of change a client knows that the listing that he kept is old; by the source's times nobody is misled.
    after = client.lstat(f"{TOP}/d1")
    assert (after.ctime, after.ctime_nsec) > (before.ctime, before.ctime_nsec) and (after.mtime, after.mtime_nsec) == (before.mtime, before.mtime_nsec)
    said = client.pread(gone, 100, 0)
    assert said in ("ESTALE", "EIO", "ENOENT", "EFAULT"), said      # the last is a server's that has no better word
    assert client.pread(kept, len(body), 0) == body
    client.call("close", kept)


def a_file_stays_open_over_all_of_it(a, server, m, client):
    """Its handle is all that a client of NFS 3 has: a new daemon and a new server know it."""
    with open("src/odd\n\udcff", "rb") as f:
        body = f.read()
    file = client.open(f"{TOP}/odd\n\udcff")
    assert client.pread(file, 1000, 0) == body[:1000]
    number = client.lstat(f"{TOP}/odd\n\udcff").ino
    server.stop()
    mu.unmount(m)
    a.mount(m, options="allow_other")
    server.start()
    assert server.is_up()
    assert client.pread(file, 1000, 700_000) == body[700_000:701_000]
    assert client.lstat(f"{TOP}/odd\n\udcff").ino == number
    client.call("close", file)


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    if os.geteuid() != 0:
        mu.skip("an NFS server needs root")
    if nfs.missing():
        mu.skip(f"{nfs.missing()} is not here")
    os.umask(0o022)
    os.chmod(".", 0o755)
    make_source("src")
    a = mu.Archive("archive")
    a.run("ingest", "src", "--system", "s", "--version", "1")
    m = os.path.abspath(a.mount(options="allow_other"))
    # A server that may write, so that it is the mount that refuses; and that believes nothing for long.
    server = nfs.Server(m, seconds=0, access="RW")
    try:
        if not server.is_up():
            mu.skip("the NFS server does not come up here")
        for version in 3, 4:
            client = nfs.Client(server, version)
            print(f"NFS {version}: {all_is_there(client, m, version)} names", flush=True)
            told = nothing_changes(client)
            # Two the server and the client answer of themselves, so of an ext4 too.
            assert all(said == "EROFS" or (version, name, said) in OF_THE_SERVER for name, said in told.items()), (version, told)
            strangers_see_what_modes_allow(server, version)
            client.close()
        client = nfs.Client(server, 3)
        a_file_stays_open_over_all_of_it(a, server, m, client)
        versions_appear(a, client)
        what_is_restricted_goes(a, client)
        client.close()
    finally:
        server.close()
        mu.unmount(m)


main()

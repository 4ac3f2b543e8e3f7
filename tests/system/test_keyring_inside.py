#!/usr/bin/python3
"""A source may hold a copy of the keyring of the very archive that takes it in.  It is left out, and named: kept, it would come
out of the archive after each switch of epoch, and open the older copies of the archive that the switch has closed."""
import io
import os
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import muniment as m


def opens(folder, keyring, a, where):
    """Whether an older copy of the archive opens with that keyring, on a host that has seen neither."""
    os.makedirs(where)
    shutil.copytree(folder, f"{where}/archive")
    shutil.copy(keyring, f"{where}/keyring")
    return subprocess.run([m.MUNI, "log", f"{where}/archive", "--keyring", f"{where}/keyring", "--key-file", a.key],
                          capture_output=True).returncode == 0


def main():
    a = m.Archive("archive")
    other = m.Archive("other")
    for folder in ("src", "src/deep"):
        os.makedirs(folder)
    with open("src/letter", "w") as f:
        f.write("a letter")
    shutil.copy(a.keyring, "src/deep/backup of the keyring")
    shutil.copy(other.keyring, "src/another archive's")
    with open(a.keyring, "rb") as f:
        ring = f.read()
    with open("src/deep/cut off", "wb") as f:
        f.write(ring[:32768 + 100])
    with open("src/deep/half gone", "wb") as f:        # as a change that was cut off leaves it: the other half opens
        f.write(os.urandom(32768) + ring[32768:])
    with open("src/deep/filled up", "wb") as f:        # as a copy block by block ends: what follows is not looked at
        f.write(ring + os.urandom(5 << 20))
    with open("src/deep/filled up with a hole", "wb") as f:
        f.write(ring)
        f.truncate(8 << 20)
    for name, size in (("half a hole", len(ring)), ("half a hole, large", 6 << 20)):
        with open(f"src/deep/{name}", "wb") as f:
            f.seek(32768)
            f.write(ring[32768:])
            f.truncate(size)
    wanted = {"letter", "deep", "another archive's"}
    left = ("deep/backup of the keyring", "deep/cut off", "deep/half gone", "deep/filled up",
            "deep/filled up with a hole", "deep/half a hole", "deep/half a hole, large")

    a.run("ingest", "src", "--system", "folder", status=1)
    assert all(f"{name}: it is a keyring of this archive" in a.errors for name in left), a.errors
    assert set(a.run("find", "folder").splitlines()) == wanted, a.run("find", "folder")
    with tarfile.open("src.tar", "w") as t:
        t.add("src", arcname=".")
        more = tarfile.TarInfo("last")
        more.size = len(ring)
        t.addfile(more, io.BytesIO(ring))
    a.run("ingest", "src.tar", "--system", "tar", status=1)
    assert all(f"{name}: it is a keyring of this archive" in a.errors for name in left + ("last",)), a.errors
    assert set(a.run("find", "tar").splitlines()) == wanted, a.run("find", "tar")
    assert a.run("cat", "tar", "letter") == "a letter"
    with open("linked.cpio", "wb") as f:        # the bytes of a group come with its last name
        for name, links, data in (("a", 2, b""), ("b", 2, ring), ("x", 1, b"x"), ("TRAILER!!!", 1, b"")):
            numbers = (links, 0o100644, 0, 0, links, 0, len(data), 0, 1, 0, 0, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08x" % n for n in numbers) + name.encode() + b"\0"
            f.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))
    a.run("ingest", "linked.cpio", "--system", "linked", status=1)
    assert "b: it is a keyring of this archive" in a.errors and "2 item(s)" in a.errors, a.errors
    assert a.run("find", "linked").splitlines() == ["x"], "a name was kept as an empty file"
    halves = [f"{i}/half gone" for i in range(24)]      # its bytes come in pieces of any size
    with tarfile.open("halves.tar.gz", "w:gz") as t:
        for i, name in enumerate(halves):
            for what, data in ((name, os.urandom(32768) + ring[32768:]), (f"{i}/between", os.urandom(2900 * (i + 1)))):
                more = tarfile.TarInfo(what)
                more.size = len(data)
                t.addfile(more, io.BytesIO(data))
    a.run("ingest", "halves.tar.gz", "--system", "halves", status=1)
    assert not [name for name in halves if f"{name}: it is a keyring of this archive" not in a.errors], a.errors
    assert not [name for name in a.run("find", "halves").splitlines() if "half" in name]
    a.run("verify", "--deep")
    a.run("ingest", "src", "--system", "folder", "--exclude", "deep")
    a.run("ingest", "src", "--system", "folder", status=1)      # looked at anew each time
    assert "it is a keyring of this archive" in a.errors, a.errors

    # What it would open: the archive of then, whose key was overwritten.
    shutil.copytree("archive", "backup")
    assert not [name for name in left if not opens("backup", os.path.join("src", name), a, f"then/{name}")]
    subprocess.run([m.MUNI, "key", "rotate", a.path, "--keyring", a.keyring, "--key-file", a.key], check=True, capture_output=True)
    assert not opens("backup", a.keyring, a, "now")
    a.run("export", "folder", "--to", "out", "--format", "dir")
    assert not [name for at, _, names in os.walk("out") for name in names
                if opens("backup", os.path.join(at, name), a, f"tried {name}")]
    a.run("verify", "--deep")


main()

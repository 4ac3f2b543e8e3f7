#!/usr/bin/python3
"""An open mount during a destruction: files that go are gone from it, cached pages and open descriptors too, before
the certificate exists; what stays is read on without a gap."""
import errno
import mmap
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import memory  # noqa: E402
from muniment import MUNIFS, can_mount, daemon_of, skip, unmount  # noqa: E402

try:
    from graves import Source, approved, keeper, take_in
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
if not can_mount():
    skip("no /dev/fuse here")

s = Source("src", 75)
WORD = s.word("secret")
GONE = ["com/small.txt", "com/large.bin", f"com/{WORD}/deep.txt"]
STAYS = ["kep/small.txt", "kep/large.bin"]


def fill():
    large = s.rng.randbytes(3000000)
    s.file("com/small.txt", f"{WORD}\n" * 40)
    s.file("com/large.bin", large)
    s.file(f"com/{WORD}/deep.txt", f"{WORD} deep\n" * 40)
    s.link("com/link", WORD)
    s.file("kep/small.txt", "kept\n" * 40)
    s.file("kep/large.bin", s.rng.randbytes(3000000))


def slurp(path):
    with open(path, "rb") as f:
        return f.read()


class Watch(threading.Thread):
    """Reads what goes and what stays, over and over, until the certificate is there; looks for that one first."""

    def __init__(self, a, where, wanted):
        super().__init__()
        self.certificate = os.path.join(a.path, "certificates", "C1.p7m")
        self.where, self.wanted, self.wrong, self.rounds = where, wanted, [], 0
        self.is_over = False

    def round(self):
        was_there = os.path.exists(self.certificate)
        for path in GONE:
            try:
                if slurp(f"{self.where}/{path}") and was_there:
                    self.wrong.append(f"{path} is served beside the certificate")
            except OSError as why:
                if why.errno not in (errno.ENOENT, errno.EIO, errno.ESTALE):
                    self.wrong.append(f"{path}: {why}")
        for path in STAYS:
            try:
                if slurp(f"{self.where}/{path}") != self.wanted[path]:
                    self.wrong.append(f"{path} is another")
            except OSError as why:
                self.wrong.append(f"{path}, which stays: {why}")
        self.rounds += 1
        return was_there

    def run(self):
        while not self.is_over and not self.wrong:
            if self.round():
                self.is_over = True


def refuses(act):
    """Whether a read is answered with nothing of what was there."""
    try:
        data = act()
    except OSError as why:
        return why.errno in (errno.EIO, errno.ESTALE, errno.ENOENT)
    return len(data) == 0


def nothing_in_memory(a, wanted):
    """Of what was destroyed the mount's memory has no byte, though all that stays was read since."""
    if os.geteuid() != 0 or "san/" in MUNIFS:
        return
    large = wanted["com/large.bin"]
    memory.none_of(daemon_of(a), {"a name, a target or a text that was destroyed": WORD.encode(),
                         **{f"what stood at byte {at} of a file that was destroyed": large[at:at + 32]
                            for at in range(0, len(large) - 32, 37501)}})


MAPPED = """
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
m = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
m[:]
print("mapped", flush=True)
sys.stdin.readline()
print(len(m[:]), flush=True)
"""


def main():
    fill()
    a = keeper()
    take_in(a, "src", "s", "one")
    d = approved(a, "--due")
    a.mount()
    top = "mnt/s/versions/one"
    try:
        wanted = {p: slurp(f"{top}/{p}") for p in GONE + STAYS}     # the kernel has their pages now
        for path in GONE + STAYS:
            assert wanted[path] == slurp(f"src/{path}")
        held = {p: os.open(f"{top}/{p}", os.O_RDONLY) for p in GONE + STAYS}
        for fd in held.values():
            os.pread(fd, 4096, 0)
        folder = os.open(f"{top}/com/{WORD}", os.O_RDONLY | os.O_DIRECTORY)
        os.listdir(folder)
        mapped = subprocess.Popen([sys.executable, "-c", MAPPED, f"{top}/com/large.bin"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        assert mapped.stdout.readline() == b"mapped\n"
        if os.geteuid() == 0:
            assert memory.finds(daemon_of(a), WORD.encode()), "the search finds not even what was read just now"
        times = {n: os.stat(f"{top}/{n}") for n in ("com", ".")}
        watch = Watch(a, top, wanted)
        watch.start()
        assert a.id("dispose", "execute", d, by="rita") == "C1"
        for _ in range(100):
            if watch.is_over:
                break
            time.sleep(0.1)
        watch.is_over = True
        watch.join()
        nothing_in_memory(a, wanted)
        assert watch.rounds and not watch.wrong, watch.wrong
        for path in GONE:
            assert not os.path.lexists(f"{top}/{path}"), path
            assert refuses(lambda p=path: os.pread(held[p], 4096, 0)), f"{path} is read through a descriptor"
            assert refuses(lambda p=path: os.pread(held[p], 4096, 4096 * 100)), f"{path} is read through a descriptor"
            assert refuses(lambda p=path: slurp(f"/proc/self/fd/{held[p]}"))
        assert not os.path.lexists(f"{top}/com/link") and WORD not in os.listdir(f"{top}/com" if os.path.exists(f"{top}/com") else top)
        # The folder that lost something says so to clients of NFS, and keeps the source's time of modification.
        left = "com" if os.path.exists(f"{top}/com") else "."
        now = os.stat(f"{top}/{left}")
        assert now.st_ctime_ns > times[left].st_ctime_ns and now.st_mtime_ns == times[left].st_mtime_ns, (left, now, times[left])
        try:
            assert "deep.txt" not in os.listdir(folder)
        except OSError as why:
            assert why.errno in (errno.ENOENT, errno.ESTALE, errno.EIO), why
        # A page that was mapped is gone too: whoever touches it gets SIGBUS.
        out, _ = mapped.communicate(b"\n", timeout=60)
        assert mapped.returncode < 0, (mapped.returncode, out)
        for path in STAYS:
            assert os.pread(held[path], 4096, 0) == wanted[path][:4096], path
            assert slurp(f"{top}/{path}") == wanted[path], path
        subprocess.run(["find", "mnt", "-type", "f", "-exec", "cksum", "{}", "+"], check=True, stdout=subprocess.DEVNULL)
        nothing_in_memory(a, wanted)
        for fd in [*held.values(), folder]:
            os.close(fd)
    finally:
        unmount()
    a.run("verify", "--deep")


main()

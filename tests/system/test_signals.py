#!/usr/bin/python3
"""Signals over everything: each thread of each command is interrupted all the time, stopped and sent on; nothing fails
for it, nothing is cut short.  Readers of a mount that die in the middle of their reads leave nothing behind in it."""
import ctypes
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

try:
    import graves
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
from soak import daemon_of, descriptors, processes_of, threads_of  # noqa: E402

LIBRARY = os.path.join(mu.BUILD, "support", "fault_signals")
SYS_tgkill = {"x86_64": 234, "aarch64": 131}.get(os.uname().machine)
IS_SANITIZED = "san" in os.path.basename(mu.BUILD)
libc = ctypes.CDLL(None, use_errno=True)
s = graves.Source("src", 41)


class Storm(threading.Thread):
    """Interrupts every thread of whatever works on the archive and has a handler; stops all of it now and then."""

    def __init__(self, a):
        super().__init__(daemon=True)
        self.path, self.is_over, self.sent, self.stops = a.path, False, 0, 0

    def interrupt(self, pid):
        try:
            with open(f"/proc/{pid}/status") as f:
                caught = next(int(line.split()[1], 16) for line in f if line.startswith("SigCgt"))
            if not caught >> (signal.SIGURG - 1) & 1:
                return
            for tid in os.listdir(f"/proc/{pid}/task"):
                self.sent += libc.syscall(SYS_tgkill, pid, int(tid), signal.SIGURG) == 0
                libc.syscall(SYS_tgkill, pid, int(tid), signal.SIGWINCH)
        except (OSError, StopIteration):
            pass

    def run(self):
        rounds, pids = 0, []
        while not self.is_over:
            if rounds % 20 == 0:
                pids = family(self.path)
            if rounds % 100 == 50:
                for act in signal.SIGSTOP, signal.SIGCONT:
                    for pid in pids:
                        try:
                            os.kill(pid, act)
                        except OSError:
                            pass
                    time.sleep(0.01)
                self.stops += 1
            for pid in pids:
                self.interrupt(pid)
            rounds += 1
            time.sleep(0.001)


def family(path):
    """Who has the archive in its arguments, and their children: those that look into files have no arguments."""
    found = {pid for pid, _ in processes_of(path)}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent in found:
            found.add(int(pid))
    return sorted(found - {os.getpid()})


ENVIRONMENT = {"LD_PRELOAD": LIBRARY, "SIGNALS_US": "20000" if IS_SANITIZED else "1000"}


def quietly(a, *args):
    """The command goes through, and says nothing of an interruption."""
    out = a.run(*args, env=ENVIRONMENT)
    assert "nterrupted" not in a.errors, a.errors
    return out


def officer(a, verb, act, *args, by):
    line = [mu.MUNI, verb, act, a.path, *args, "--by", by, "--key", f"{by}.key", "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, env={**os.environ, **ENVIRONMENT}, timeout=300 * mu.SLOW, check=False)
    assert done.returncode == 0 and b"nterrupted" not in done.stderr, (line, done)
    return done.stdout.decode().splitlines()[-1]


def fill():
    for i in range(200):
        s.file(f"kep/d{i % 5}/k{i}", b"%d a line of it, with mail of somebody@example.org\n" % i * s.rng.randrange(1, 3000))
    for i in range(20):
        s.file(f"com/c{i}", s.rng.randbytes(s.rng.randrange(200000)))
    s.file("kep/large", b"".join(b"%d of many lines\n" % i for i in range(600000)))
    s.file("kep/noise", s.rng.randbytes(12 << 20))
    with tarfile.open("other.tar.gz", "w:gz") as t:
        t.add("src/kep", "kep")


def same(a, b):
    done = subprocess.run(["diff", "-r", a, b], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]


def commands_go_through(a):
    quietly(a, "scan", "src", "--system", "s")
    quietly(a, "classify", "--system", "s", "--policy", "policy.yaml")
    quietly(a, "ingest", "src", "--system", "s", "--version", "one")
    quietly(a, "ingest", "other.tar.gz", "--system", "t", "--version", "tar", "--all")
    unpacker = subprocess.Popen(["gzip", "-dc", "other.tar.gz"], stdout=subprocess.PIPE)
    piped = subprocess.run([mu.MUNI, "ingest", a.path, "-", "--system", "t", "--version", "pipe", "--all", "--keyring", a.keyring,
                            "--key-file", a.key], stdin=unpacker.stdout, capture_output=True, env={**os.environ, **ENVIRONMENT},
                           timeout=300 * mu.SLOW, check=False)
    unpacker.stdout.close()
    assert unpacker.wait() == 0 and piped.returncode == 0 and b"nterrupted" not in piped.stderr, piped
    quietly(a, "verify", "--deep")
    quietly(a, "export", "s@one", "--to", "back", "--format", "dir")
    same("src", "back")
    quietly(a, "export", "t@pipe", "--to", "back.tar", "--format", "tar")
    with tarfile.open("back.tar") as t:
        for name in ("kep/large", "kep/noise"):
            member = next(m for m in t.getmembers() if m.name.endswith(name))
            with open(f"src/{name}", "rb") as f:
                assert t.extractfile(member).read() == f.read(), name


def a_mount_serves_and_follows(a):
    os.makedirs("mnt", exist_ok=True)
    subprocess.run([mu.MUNIFS, a.path, "mnt", "-o", f"keyring={a.keyring},key-file={a.key},cache=8M"], check=True,
                   env={**os.environ, **ENVIRONMENT}, timeout=60 * mu.SLOW)
    same("src", "mnt/s/versions/one")
    d = officer(a, "dispose", "propose", "--due", "--path", "com/**", by="rita")
    officer(a, "dispose", "approve", d, by="otto")
    assert officer(a, "dispose", "execute", d, by="rita") == "C1"
    assert os.listdir("mnt/s/versions/one") == ["kep"]
    same("src/kep", "mnt/s/versions/one/kep")
    rotated = subprocess.run([mu.MUNI, "key", "rotate", a.path, "--keyring", a.keyring, "--key-file", a.key], capture_output=True,
                             env={**os.environ, **ENVIRONMENT}, timeout=300 * mu.SLOW, check=False)
    assert rotated.returncode == 0, rotated.stderr
    same("src/kep", "mnt/t/versions/tar/kep")


def readers_that_die_leave_nothing(a):
    """Ended in the middle of a read: the kernel sends FUSE_INTERRUPT, and takes the answer of nobody."""
    pid, rng = daemon_of(a.path, "mnt"), random.Random(3)
    before = descriptors(pid), threads_of(pid)
    big = ["mnt/s/versions/one/kep/large", "mnt/s/versions/one/kep/noise"]
    for i in range(25):
        readers = [subprocess.Popen(["dd", f"if={rng.choice(big)}", "of=/dev/null", f"bs={rng.choice(('4k', '1M'))}", "iflag=direct"],
                                    stderr=subprocess.DEVNULL) for _ in range(4)]
        time.sleep(rng.random() * 0.05)
        for p in readers:
            p.send_signal(rng.choice((signal.SIGKILL, signal.SIGINT, signal.SIGTERM)))
        for p in readers:
            p.wait(timeout=60 * mu.SLOW)
    same("src/kep", "mnt/s/versions/one/kep")
    waiting = f"/sys/fs/fuse/connections/{os.minor(os.stat('mnt').st_dev)}/waiting"
    if os.access(waiting, os.R_OK):
        for _ in range(100):
            if open(waiting).read().strip() == "0":
                break
            time.sleep(0.05)
        assert open(waiting).read().strip() == "0", "requests are left in the mount"
    after = descriptors(pid), threads_of(pid)
    assert after[0] <= before[0] + 40 and after[1] <= before[1] + 12, (before, after)


def main():
    if SYS_tgkill is None:
        mu.skip("the number of tgkill on this machine is not known")
    fill()
    a = graves.keeper()
    storm = Storm(a)
    storm.start()
    failed = 0
    tests = [commands_go_through] + ([a_mount_serves_and_follows, readers_that_die_leave_nothing] if mu.can_mount() else [])
    for test in tests:
        begin = time.time()
        try:
            test(a)
            print(f"  ok  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:2500]}", flush=True)
    storm.is_over = True
    storm.join()
    if os.path.ismount("mnt"):
        mu.unmount("mnt")
    print(f"    {storm.sent} interruptions of threads, {storm.stops} stops")
    assert storm.sent > 1000 and storm.stops > 10, "that was no storm"
    a.run("verify", "--deep")
    return 1 if failed else 0


sys.exit(main())

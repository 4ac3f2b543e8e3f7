"""What the system tests in Python share: an archive in the current folder, run through the real programs."""
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

# Started in the background by a shell, or by nohup, we would hand ignored signals down to what we test.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _ in signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGCHLD:
    signal.signal(_, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

MUNI = os.environ.get("MUNI", "build/muni")
MUNIFS = os.environ.get("MUNIFS", "build/munifs")
SUPPORT = os.environ.get("SUPPORT", "tests/support")
BUILD = os.environ.get("BUILD", "build")
SLOW = 10 if "tsan" in os.path.basename(BUILD) else 1       # all that has a time-out takes so much longer


def skip(why):
    print(why)
    sys.exit(77)


def can_mount():
    return os.path.exists("/dev/fuse") and os.access("/dev/fuse", os.R_OK | os.W_OK)


class Archive:
    """An archive at NAME with its keyring at NAME.keyring and its key file at NAME.key."""

    def __init__(self, name="archive", create=True, init=()):
        self.path, self.keyring, self.key = (os.path.abspath(name + s) for s in ("", ".keyring", ".key"))
        if create:
            with open(self.key, "wb") as f:
                f.write(b"0123456789abcdef" * 4)
            self.run("init", *init)

    def run(self, command, *args, status=0, env=None, timeout=300):
        """Runs muni COMMAND ARCHIVE ARGS...; returns its standard output; checks the exit status (None: any)."""
        line = [MUNI, command, self.path, *args, "--keyring", self.keyring, "--key-file", self.key]
        done = subprocess.run(line, capture_output=True, env={**os.environ, **(env or {})}, timeout=timeout * SLOW)
        self.status, self.errors = done.returncode, done.stderr.decode(errors="replace")
        if status is not None and done.returncode != status:
            raise AssertionError(f"{' '.join(map(str, line))}\n  exit {done.returncode}, wanted {status}\n"
                                 f"{done.stdout.decode(errors='replace')}{self.errors}")
        return done.stdout.decode(errors="surrogateescape")

    def log(self, *args):
        """The versions as JSON objects, those lines of `log --json` that name a version."""
        rows = [json.loads(line) for line in self.run("log", *args, "--json").splitlines()]
        return [r for r in rows if "version" in r]

    def copy_to(self, name):
        """A copy of archive and keyring under another name (same keys), on a host that has seen neither: the
        anchor of both would be one file, and tell the one that lags that it is an older copy."""
        other = Archive(name, create=False)
        other.remove()
        shutil.copytree(self.path, other.path, symlinks=True)
        folder, stem = os.path.split(self.keyring)
        for at in os.listdir(folder):
            full = os.path.join(folder, at)
            if at.endswith(".anchor"):
                os.unlink(full)
            elif at.startswith(stem.split(".")[0] + ".") and os.path.isfile(full):
                shutil.copy2(full, other.path + at[at.index("."):])
        return other

    def remove(self):
        subprocess.run(["rm", "-rf", self.path])

    def mount(self, where="mnt", options=None, program=None):
        try:
            os.makedirs(where)
        except FileExistsError:     # also where a dead mount stands, which is no folder for makedirs(exist_ok=True)
            pass
        o = f"keyring={self.keyring},key-file={self.key}" + ("," + options if options else "")
        subprocess.run([program or MUNIFS, self.path, where, "-o", o], check=True, timeout=60 * SLOW)
        return where


def is_held(lock):
    """Does a process hold this file's lock?  Its number alone may be another's by now, or a dead child's."""
    free, ask = 2, 36       # F_UNLCK, F_OFD_GETLK: see fcntl(2)
    try:
        with open(lock, "rb") as f:
            found = fcntl.fcntl(f, ask, struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    except FileNotFoundError:
        return False
    return struct.unpack_from("h", found)[0] != free


def daemon_of(a, wait=20 * SLOW):
    """The process of the archive's one registered mount.  One that was unmounted a moment ago may still be ending; what was
    killed leaves its lock for the next writer to remove."""
    with open(f"{a.path}/muniment.toml") as f:
        archive_id = re.search(r'"([0-9a-f]{32})"', f.read()).group(1)
    end = time.monotonic() + wait
    while True:
        locks = glob.glob(f"{os.path.dirname(a.keyring)}/{archive_id}.run/mount.*.lock")
        alive = [int(os.path.basename(lock).split(".")[1]) for lock in locks if is_held(lock)]
        if len(alive) == 1:
            return alive[0]
        assert time.monotonic() < end, (locks, alive)
        time.sleep(0.02)


def unmount(where="mnt"):
    for _ in range(50):
        if subprocess.run(["fusermount3", "-u", where], capture_output=True).returncode == 0 or not os.path.ismount(where):
            return
        time.sleep(0.1)
    subprocess.run(["fusermount3", "-u", "-z", where], capture_output=True)


def tree(where, seed, files=60, size=20000, keep=()):
    """A small seeded tree with compressible and random files."""
    import random
    rng = random.Random(seed)
    for i in range(files):
        folder = os.path.join(where, f"d{i % 7}")
        os.makedirs(folder, exist_ok=True)
        body = rng.randbytes(rng.randrange(size)) if i % 2 else (b"%d row of %d\n" % (i, seed)) * rng.randrange(1, size // 12)
        with open(os.path.join(folder, f"f{i:03d}"), "wb") as f:
            f.write(body)


def compare(a, b, *args):
    done = subprocess.run([os.path.join(SUPPORT, "compare.py"), a, b, *args], capture_output=True)
    if done.returncode:
        raise AssertionError(done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace"))

#!/usr/bin/python3
"""Who meets somebody else at work on an archive (docs/handbook.md, "Several at once"): beside a writer and beside a
verification, every command that writes or verifies waits, says for whom, and does its work when that has ended; one that
may not wait says who is at work; one that reads is not kept.  What is at work is stopped in the middle meanwhile."""
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

WRITERS = {
    "ingest": ("ingest", "ARCHIVE", "src", "--system", "s", "--version", "NEW"),
    "scan": ("scan", "ARCHIVE", "src", "--system", "t"),
    "hold": ("hold", "add", "ARCHIVE", "--case", "NEW", "--reason", "r"),
    "event": ("event", "ARCHIVE", "--system", "s", "--event", "closed", "--at", "2020-01-01"),
    "officer": ("officer", "remove", "ARCHIVE", "--id", "nobody", "--reason", "r"),
    "decide": ("decide", "ARCHIVE", "--system", "s", "--decision", "archive", "--officer", "o", "--reason", "r", "d1"),
    "dispose": ("dispose", "withdraw", "ARCHIVE", "D9", "--reason", "r", "--by", "rita", "--key", "rita.key"),
    "retain": ("retain", "extend", "ARCHIVE", "--until", "2090-01-01", "--reason", "r"),
    "copy": ("copy", "add", "ARCHIVE", "--of", "data", "--place", "NEW"),
    "key": ("key", "rotate", "ARCHIVE"),
    "restore": ("restore", "ARCHIVE", "--no-certificates", "--reason", "r"),
    "repair": ("repair", "ARCHIVE"),
}
READERS = {
    "ls": ("ls", "ARCHIVE", "s"), "cat": ("cat", "ARCHIVE", "s", "d1/f001"), "log": ("log", "ARCHIVE"),
    "due": ("due", "ARCHIVE"), "find": ("find", "ARCHIVE", "s"), "audit": ("audit", "verify", "ARCHIVE"),
    "export": ("export", "ARCHIVE", "s", "--to", "NEW", "--format", "dir"), "hold": ("hold", "list", "ARCHIVE"),
    "diff": ("diff", "ARCHIVE", "s@1", "s@1"), "key": ("key", "list", "ARCHIVE"),
}
F_OFD_GETLK = 36
count = 0


def line(a, words, *more):
    global count
    count += 1
    words = [a.path if w == "ARCHIVE" else f"n{count}" if w == "NEW" else w for w in words]
    return [mu.MUNI, *words, "--keyring", a.keyring, "--key-file", a.key, *more]


def run(a, words, *more):
    done = subprocess.run(line(a, words, *more), capture_output=True, timeout=120, check=False)
    return done.returncode, done.stderr.decode(errors="replace")


def shares_it(f):
    """It writes its name while it is alone, and lets others in then."""
    ask = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, (1 << 40) + 1, 0)
    return struct.unpack("hhqqi4x", fcntl.fcntl(f, F_OFD_GETLK, ask))[0] == fcntl.F_UNLCK


class AtWork:
    """A command that has the lock, and stands still until it is let go."""

    def __init__(self, a, name, words):
        self.about = None
        for _ in range(100):
            self.child = subprocess.Popen(line(a, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while self.child.poll() is None and not self.stopped(a, name):
                time.sleep(0.0005)
            if self.about:
                return
        raise AssertionError(f"{name} was always faster than this test")

    def stopped(self, a, name):
        with open(f"{a.path}/lock") as f:
            self.about = f.read().strip()
        if not self.about.startswith(f"muni {name} (pid {self.child.pid} on "):
            self.about = None
            return False
        os.kill(self.child.pid, signal.SIGSTOP)
        with open(f"{a.path}/lock") as f:
            if f.read().strip() == self.about and (name != "verify" or shares_it(f)):
                return True
        self.about = None       # it has just ended
        os.kill(self.child.pid, signal.SIGCONT)
        return False

    def go_on(self):
        os.kill(self.child.pid, signal.SIGCONT)
        return self.child.wait(120)


def beside(a, name, words, shares):
    at_work = AtWork(a, name, words)
    try:
        for other, how in WRITERS.items():
            status, said = run(a, how, "--wait", "0")
            assert status == 1 and at_work.about in said and "try again when" in said and "--wait" in said, (name, other, status, said)
        status, said = run(a, ("verify", "ARCHIVE"), "--wait", "0")
        assert (status == 0) if shares else (status == 1 and at_work.about in said), (name, "verify", status, said)
        for other, how in READERS.items():
            status, said = run(a, how)
            assert status == 0 and "waiting" not in said, (name, other, status, said)
        if mu.can_mount():
            a.mount("mnt")
            assert os.path.isdir("mnt/s/latest")
            mu.unmount("mnt")
        began = time.monotonic()
        status, said = run(a, WRITERS["hold"], "--wait", "2", "-q")
        assert status == 1 and 1.5 < time.monotonic() - began < 60 and "waiting" not in said, (status, said)

        # Who waits goes on by itself; who is asked to stop does.
        waiting = {other: subprocess.Popen(line(a, how), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for other, how in {**WRITERS, "verify": ("verify", "ARCHIVE")}.items()
                   if other in ("hold", "ingest", "repair", "scan", "key") or (other == "verify" and not shares)}
        told = {other: child.stderr.readline().decode() for other, child in waiting.items()}
        for other, said in told.items():
            assert re.match(r"muni: waiting for .* to finish, 3600 s at most \(--wait\)", said) and at_work.about in said, (other, said)
        waiting["scan"].send_signal(signal.SIGINT)
        assert waiting["scan"].wait(60) != 0 and "stopped while waiting" in waiting["scan"].stderr.read().decode()
        del waiting["scan"]
        assert all(child.poll() is None for child in waiting.values())
    finally:
        status = at_work.go_on()
    assert status == 0, (name, status)
    for other, child in waiting.items():
        said = child.stderr.read().decode()
        assert child.wait(120) == 0, (name, other, said)
    with open(f"{a.path}/lock") as f:
        assert f.read() == "", "a name was left behind"


def verifications_that_overlap_let_a_writer_in(a):
    first, second = AtWork(a, "verify", ("verify", "ARCHIVE")), None
    writer = subprocess.Popen(line(a, WRITERS["hold"]), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert b"waiting for" in writer.stderr.readline()
        # It stands at the door: who comes later waits behind it, though the lock could be shared.
        second = subprocess.Popen(line(a, ("verify", "ARCHIVE")), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert b"waiting for" in second.stderr.readline()
    finally:
        first.go_on()
    assert writer.wait(120) == 0 and second.wait(120) == 0


def a_dead_writer_is_not_waited_for(a):
    dead = AtWork(a, "ingest", WRITERS["ingest"])
    os.kill(dead.child.pid, signal.SIGKILL)
    dead.child.wait()
    status, said = run(a, WRITERS["hold"], "--wait", "30")
    assert status == 0, said


def main():
    os.mkdir("src")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "rita.key"], check=True)
    mu.tree("src", 1)
    a = mu.Archive()
    a.run("ingest", "src", "--system", "s", "--version", "1")
    with open("src/large", "wb") as f:
        f.write(os.urandom(6 << 20))
    beside(a, "verify", ("verify", "ARCHIVE", "--deep"), True)
    beside(a, "ingest", WRITERS["ingest"], False)
    verifications_that_overlap_let_a_writer_in(a)
    a_dead_writer_is_not_waited_for(a)
    a.run("verify", "--deep")
    print("who has to wait waits, and says for whom")


main()

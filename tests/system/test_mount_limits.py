#!/usr/bin/python3
"""A mount where the process was given little: closed standard streams, a standard error that nobody empties, few
descriptors, little memory, none that may be locked, ignored signals. It serves what is right, or says why it does not
and leaves neither a mount nor a process behind; nothing waits for ever, and the archive verifies."""
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402
from soak import processes_of  # noqa: E402

PATIENCE = 60 * mu.SLOW


def line(a, where="mnt", more=""):
    return [mu.MUNIFS, a.path, where, "-o", f"keyring={a.keyring},key-file={a.key}{more}"]


def start(a, words=None, before=None, **more):
    os.makedirs("mnt", exist_ok=True)
    return subprocess.run(words or line(a), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                          preexec_fn=before, **more)


def eventually(holds, what):
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def is_gone(a):
    eventually(lambda: not processes_of(a.path), "processes are left")
    assert not os.path.ismount("mnt")


def read_all(where="mnt"):
    """(right, refused); what is served wrong fails."""
    right = refused = 0
    for at, _, names in os.walk("src"):
        for n in names:
            path = os.path.join(at, n)
            try:
                with open(os.path.join(where, "s/versions/1", os.path.relpath(path, "src")), "rb") as f:
                    got = f.read()
            except OSError:
                refused += 1
                continue
            with open(path, "rb") as f:
                assert got == f.read(), path
            right += 1
    return right, refused


def closed_streams_are_nobodys_file(a):
    """Else a file of the archive would be standard error, and messages would go into it."""
    for closed in "0<&-", "1>&-", "2>&-", "0<&- 1>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-":
        for more, status in ("", 0), (",system=nobody", 1), (",cach=1", 2):
            done = start(a, ["sh", "-c", f'exec "$@" {closed}', "sh", *line(a, more=more)])
            assert done.returncode == status, (closed, more, done.returncode, done.stderr)
            if status == 0:
                assert read_all() == (60, 0)
                mu.unmount()
            is_gone(a)
    # In the foreground they stay what they were.
    p = subprocess.Popen(["sh", "-c", 'exec "$@" -f 0<&- 1>&- 2>&-', "sh", *line(a)])
    eventually(lambda: os.path.ismount("mnt"), "it does not serve")
    assert {os.readlink(f"/proc/{p.pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"} or os.geteuid() != 0
    assert read_all() == (60, 0)
    mu.unmount()
    assert p.wait(timeout=PATIENCE) == 0
    is_gone(a)


def a_log_that_nobody_empties_holds_up_no_reader(a):
    b = a.copy_to("damaged")
    for at, _, names in os.walk(f"{b.path}/segments"):
        for n in names:
            path = os.path.join(at, n)
            os.chmod(path, 0o600)
            with open(path, "r+b") as f:
                body = bytearray(f.read())
                for i in range(3000, len(body) - 3000, 20000):
                    body[i] ^= 4
                f.seek(0)
                f.write(body)
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(w, True)
    assert not fcntl.fcntl(w, fcntl.F_GETFL) & os.O_NONBLOCK
    p = subprocess.Popen([*line(b), "-f"], stderr=w, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: os.path.ismount("mnt"), "it does not serve")
        reader = subprocess.run([sys.executable, "-c", "import os, sys\nfor d, _, ns in os.walk('mnt/s/versions/1'):\n for n in ns:\n"
                                 "  try: open(os.path.join(d, n), 'rb').read()\n  except OSError: print(n)"],
                                capture_output=True, text=True, timeout=PATIENCE)
        assert reader.stdout.split(), "nothing was damaged"
        time.sleep(1.1)
        with open("mnt/.muniment/status") as f:
            assert json.load(f)["messages"], "what does not go into the pipe stands in the status"
    finally:
        mu.unmount()
    assert p.wait(timeout=PATIENCE) == 0
    os.set_blocking(r, False)
    assert set(os.read(r, 1 << 20)) == {ord("x")}
    os.close(r)
    # Nobody reads it at all any more: no signal ends the mount.
    p = subprocess.Popen([*line(b), "-f"], stderr=w, stdin=subprocess.DEVNULL)
    eventually(lambda: os.path.ismount("mnt"), "it does not serve")
    right, refused = read_all()
    assert refused and p.poll() is None, (right, refused, p.poll())
    mu.unmount()
    assert p.wait(timeout=PATIENCE) == 0
    os.close(w)
    b.remove()


def limits(kind, sizes):
    def one(a):
        served = refused = 0
        for size in sizes:
            done = start(a, before=lambda size=size: resource.setrlimit(kind, (size, size)))
            assert done.returncode >= 0, (size, done.returncode, done.stderr)
            if done.returncode:
                assert done.returncode == 1 and done.stderr.startswith("munifs: "), (size, done)
                refused += 1
            else:
                right, wrong = read_all()       # never other bytes
                assert right + wrong == 60, size
                served += not wrong
                mu.unmount()
            is_gone(a)
        assert served, f"with {sizes[-1]} it does not serve either"
        return f"{served} of {len(sizes)} served all, {refused} were refused at once"
    return one


def few_descriptors(a):
    return limits(resource.RLIMIT_NOFILE, [*range(4, 34, 3), 64, 256])(a)


def little_address_space(a):
    if "san" in os.path.basename(mu.BUILD):
        return "left out: a sanitizer reserves more than there is"
    return limits(resource.RLIMIT_AS, [n << 20 for n in (16, 32, 48, 64, 80, 96, 128, 256, 512, 1024)])(a)


def no_locked_memory(a):
    return limits(resource.RLIMIT_MEMLOCK, [0, 4096, 65536])(a)


def no_room_for_files(a):
    return limits(resource.RLIMIT_FSIZE, [0, 4096])(a)


def few_processes(a):
    """Of an ordinary user: root is not counted."""
    if os.geteuid() == 0:
        return "left out: root may start any number"
    return limits(resource.RLIMIT_NPROC, [1, 1 << 20])(a)


def ignored_signals_do_not_leave_a_mount_behind(a):
    def ignore():
        for s in signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1, signal.SIGINT:
            signal.signal(s, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE})
    for act in ("umount", signal.SIGTERM, signal.SIGKILL):
        done = start(a, before=ignore, restore_signals=False)
        assert done.returncode == 0, done.stderr
        assert read_all() == (60, 0)
        if act == "umount":
            mu.unmount()
        else:
            os.kill(mu.daemon_of(a), act)
        eventually(lambda: not os.path.ismount("mnt"), act)
        eventually(lambda: not processes_of(a.path), f"after {act} processes are left")


def one_over_the_other_and_away_again(a):
    assert start(a).returncode == 0
    again = start(a)
    assert again.returncode == 1 and "not empty" in again.stderr, again
    assert read_all() == (60, 0)
    assert start(a, line(a, more=",nonempty,system=s,version=1")).returncode == 0
    assert sorted(os.listdir("mnt")) == sorted(os.listdir("src"))
    subprocess.run(["fusermount3", "-u", "mnt"], check=True)
    eventually(lambda: "s" in os.listdir("mnt"), "the mount below came to light")
    assert read_all() == (60, 0)
    mu.unmount()
    is_gone(a)


TESTS = [closed_streams_are_nobodys_file, a_log_that_nobody_empties_holds_up_no_reader, few_descriptors, little_address_space,
         no_locked_memory, no_room_for_files, few_processes, ignored_signals_do_not_leave_a_mount_behind, one_over_the_other_and_away_again]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    mu.tree("src", 6)
    a = mu.Archive()
    a.run("ingest", "src", "--system", "s", "--version", "1")
    failed = 0
    for test in (t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]):
        begin = time.time()
        try:
            print(f"  ok  {test.__name__}: {test(a) or ''}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
            mu.unmount()
    a.run("verify", "--deep")
    return 1 if failed else 0


sys.exit(main())

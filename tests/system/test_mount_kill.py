#!/usr/bin/python3
"""kill -9 of munifs under load, at any moment of its life: its readers are told so and none hangs, nothing is left that
somebody has to clean, it can be mounted again at once, and no destruction waits for the dead."""
import errno
import glob
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

try:
    import graves
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
from soak import Failed, daemon_of, processes_of  # noqa: E402

READERS = 12
# What a reader may be told of a mount that died: ENOTCONN, ECONNABORTED or EIO for the request under way; ENOENT once it
# has been unmounted; ESTALE, EBADF never.
DEAD = (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENOENT, errno.ENODEV)
SLOW = 10 if "san" in os.path.basename(mu.BUILD) else 1
s = graves.Source("src", 17)


def fill():
    for i in range(12):
        s.file(f"com/c{i}", s.rng.randbytes(200000))
        s.file(f"kep/k{i}", b"%d a line of it\n" % i * 50000)


def reader(where, seed):
    """A process that reads till it is told of an error; its status is the errno, 99: wrong bytes."""
    child = os.fork()
    if child:
        return child
    status, rng = 98, random.Random(seed)
    try:
        want = {}
        for i in range(12):
            with open(f"src/kep/k{i}", "rb") as f:
                want[i] = f.read()
        while True:
            i = rng.randrange(12)
            if rng.random() < 0.3:
                os.listdir(f"{where}/s/versions/one/com")
            with open(f"{where}/s/versions/one/kep/k{i}", "rb") as f:
                if f.read() != want[i]:
                    status = 99
                    break
    except OSError as why:
        status = why.errno
    finally:
        os._exit(status)


def all_end(children):
    """Each within a time, told of its mount's death.  In steps: a clock goes on while we are stopped."""
    steps = 1000 * SLOW
    for child in children:
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            steps -= 1
            if steps < 0:
                raise AssertionError(f"a reader hangs: {open(f'/proc/{child}/stack').read() if os.geteuid() == 0 else child}")
            time.sleep(0.02)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in DEAD, f"a reader ended with {status}: {os.strerror(status) if status > 0 else ''}"


def gone_within(where, seconds):
    steps = seconds * SLOW * 20
    while f" {os.path.abspath(where)} " in open("/proc/self/mounts").read():
        steps -= 1
        assert steps > 0, f"{where} is still mounted"
        time.sleep(0.05)


def run_folder(a):
    found = glob.glob(f"{os.path.dirname(a.keyring)}/*.run")
    return sorted(os.listdir(found[0])) if found else []


# ---- the tests ---------------------------------------------------------------------------------


def readers_are_told_and_nothing_is_left(a):
    for i in range(3):
        a.mount("mnt", "cache=4M")
        children = [reader("mnt", i * 100 + j) for j in range(READERS)]
        time.sleep(0.3 + 0.2 * i)
        os.kill(daemon_of(a.path, "mnt"), signal.SIGKILL)
        all_end(children)
        gone_within("mnt", 10)
    a.run("verify")
    # Whoever looks next removes what the dead left: here, the next writer.
    graves.destroy(a, "--due", "--path", "com/c0")
    assert run_folder(a) == [], run_folder(a)


def it_is_mounted_again_at_once(a):
    """Before the helper has unmounted, after it, and where it was killed too; each time another start meets the end."""
    for i in range(6):
        a.mount("mnt", "cache=4M")
        children = [reader("mnt", i * 100 + j) for j in range(4)]
        time.sleep(0.2)
        if i % 2:
            os.kill(daemon_of(a.path, "mnt", "munifs-umount"), signal.SIGKILL)
        os.kill(daemon_of(a.path, "mnt"), signal.SIGKILL)
        a.mount("mnt", "cache=4M")
        all_end_or_go_on(children)
        assert sorted(os.listdir("mnt/s/versions/one/kep")) == sorted(f"k{j}" for j in range(12))
        time.sleep(2.5 if i == 0 else 0)    # the helper of the dead one does not unmount the living one
        assert os.path.ismount("mnt"), "the helper of the dead mount took the living one away"
        mu.unmount("mnt")


def all_end_or_go_on(children):
    """Who was between two reads meets the new mount, and is ended by us."""
    time.sleep(0.5)
    for child in children:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == -signal.SIGKILL or status in DEAD, f"a reader ended with {status}"


def muni_umount_cleans_what_nobody_else_does(a):
    where = "alone"     # on mnt, helpers of those that died before may still look for a dead mount
    a.mount(where)
    os.kill(daemon_of(a.path, where, "munifs-umount"), signal.SIGKILL)
    child = reader(where, 1)
    time.sleep(0.2)
    os.kill(daemon_of(a.path, where), signal.SIGKILL)
    all_end([child])
    try:
        os.listdir(f"{where}/s")
        raise AssertionError("a dead mount lists")
    except OSError as why:
        assert why.errno in DEAD, why
    done = subprocess.run([mu.MUNI, "umount", where], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    gone_within(where, 2)
    a.mount(where)
    mu.unmount(where)


def a_destruction_does_not_wait_for_the_dead(a):
    """Dead before it asks; and dying while it is asked, silent until then."""
    a.mount("mnt")
    os.kill(daemon_of(a.path, "mnt", "munifs-umount"), signal.SIGKILL)
    os.kill(daemon_of(a.path, "mnt"), signal.SIGKILL)
    begin = time.monotonic()
    graves.destroy(a, "--due", "--path", "com/c1")
    assert time.monotonic() - begin < 30 * SLOW, "it waited for a dead mount"
    a.mount("mnt")      # over the dead one
    pid = daemon_of(a.path, "mnt")
    with open("mnt/s/versions/one/com/c2", "rb", buffering=0) as held:
        held.read(100)
        d = graves.approved(a, "--due", "--path", "com/c2")
        os.kill(pid, signal.SIGSTOP)
        act = subprocess.Popen([mu.MUNI, "dispose", "execute", a.path, d, "--by", "rita", "--key", "rita.key", "--keyring", a.keyring,
                                "--key-file", a.key], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2 * SLOW)
        assert act.poll() is None, ("it did not wait for a mount that is there", act.communicate())
        os.kill(pid, signal.SIGKILL)
        out, said = act.communicate(timeout=50 * SLOW)
        assert act.returncode == 0, said
    gone_within("mnt", 10)
    a.run("verify", "--deep")


def killed_while_it_starts(a):
    """At any moment: the mountpoint is free or mends by the next start, which always goes through."""
    rng, keys = random.Random(5), f"keyring={a.keyring},key-file={a.key}"
    os.makedirs("mnt", exist_ok=True)
    for _ in range(15):
        p = subprocess.Popen([mu.MUNIFS, a.path, "mnt", "-f", "-o", keys], stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.25 * SLOW)
        p.kill()
        p.wait()
    a.mount("mnt")
    assert len(os.listdir("mnt/s/versions/one/kep")) == 12
    mu.unmount("mnt")
    graves.destroy(a, "--due", "--path", "com/c3")
    assert run_folder(a) == [], run_folder(a)


def a_writer_that_is_killed_beside_mounts_leaves_them_reading(a):
    a.mount("mnt")
    with open("src/kep/k0", "rb") as f:
        want = f.read()
    rng = random.Random(6)
    for i in range(6):
        s.file(f"kep/new{i}", s.rng.randbytes(3000000))
        p = subprocess.Popen([mu.MUNI, "ingest", a.path, "src", "--system", "s", "--version", f"w{i}", "--keyring", a.keyring,
                              "--key-file", a.key, "--all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.4 * SLOW)
        p.kill()
        p.wait()
        with open("mnt/s/versions/one/kep/k0", "rb") as f:
            assert f.read() == want
    a.run("ingest", "src", "--system", "s", "--version", "last", "--all")
    with open("mnt/s/versions/last/kep/new5", "rb") as f, open("src/kep/new5", "rb") as g:
        assert f.read() == g.read()
    mu.unmount("mnt")
    a.run("verify", "--deep")


TESTS = [readers_are_told_and_nothing_is_left, it_is_mounted_again_at_once, muni_umount_cleans_what_nobody_else_does,
         a_destruction_does_not_wait_for_the_dead, killed_while_it_starts, a_writer_that_is_killed_beside_mounts_leaves_them_reading]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    fill()
    a = graves.keeper()
    graves.take_in(a, "src", "s", "one")
    failed = 0
    only = sys.argv[1:]
    for test in [t for t in TESTS if not only or t.__name__ in only]:
        begin = time.time()
        try:
            test(a)
            print(f"  ok  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError, Failed) as why:
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
        if os.path.ismount("mnt"):
            mu.unmount("mnt")
    for _ in range(100 * SLOW):
        if not processes_of(a.path):
            break
        time.sleep(0.1)
    assert not processes_of(a.path), processes_of(a.path)
    return 1 if failed else 0


sys.exit(main())

#!/usr/bin/python3
"""Open mounts while the archive goes over to its next epoch: what went is served no more, what stays goes on."""
import ctypes
import errno
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import memory
import muniment as mu

LOSE = os.path.join(mu.BUILD, "support", "epoch_lose")
GONE = (errno.ENOENT, errno.ESTALE, errno.EIO)
CANARY = b"the canary of file %d sings of salaries\n"
ORPHANS = ("DELETE FROM node WHERE id NOT IN (SELECT target FROM entry WHERE kind <> 2)"
           " AND id NOT IN (SELECT node FROM directory);"
           "DELETE FROM content WHERE id NOT IN (SELECT content FROM node)")


def without(*names):
    """SQL that takes the entries of these names, and what only they need."""
    listed = ", ".join(f"CAST('{n}' AS BLOB)" for n in names)
    return [f"DELETE FROM entry WHERE name IN ({listed})", ORPHANS]


def make_source():
    mu.tree("src", 7)
    os.makedirs("src/pay")
    os.makedirs("src/many")
    os.makedirs("src/last")
    for i in range(8):
        with open(f"src/pay/p{i}", "wb") as f:
            f.write((CANARY % i) * 4000)
    for i in range(3000):
        open(f"src/many/m{i:04d}", "w").close()
    with open("src/last/only", "wb") as f:
        f.write(b"the only one\n" * 100)
    with open("src/twice", "wb") as f:
        f.write(b"two names\n" * 1000)
    os.link("src/twice", "src/pay/also")
    os.symlink("../d0", "src/pay/link")


def make(name):
    """A fresh archive with two versions of the source."""
    a = mu.Archive(name)
    a.run("ingest", "src", "--system", "hr")
    with open("src/news", "w") as f:
        f.write(name)
    a.run("ingest", "src", "--system", "hr")
    return a


def lose(a, sql, timeout_ms=20000, end=False, status=0):
    done = subprocess.run([LOSE, a.path, a.keyring, a.key, str(timeout_ms), str(int(end)), *sql],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    a.errors = done.stderr
    lines = done.stdout.splitlines()
    return bytes.fromhex(lines[0].split()[1]), lines[1:]


def is_mounted(where):
    return f" {os.path.abspath(where)} " in open("/proc/self/mounts").read()


def code_of(act):
    """The errno that it fails with; 0: it went through."""
    try:
        act()
    except OSError as why:
        return why.errno
    return 0


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Mounted:
    def __init__(self, a, options=None, where="mnt"):
        self.a, self.options, self.where = a, options, where

    def __enter__(self):
        return self.a.mount(self.where, self.options)

    def __exit__(self, *_):
        mu.unmount(self.where)


MAPPED = """
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
m = mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ)
before = m[:]
print("ready", flush=True)
sys.stdin.readline()
sys.exit(1 if m[:] == before else 2)
"""


def mapped(path):
    """A process that has a file mapped and touched; a line to it makes it touch the file again."""
    child = subprocess.Popen([sys.executable, "-c", MAPPED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    return child


# ---- the tests --------------------------------------------------------------------------


def what_went_is_gone_and_the_rest_goes_on(a):
    names = [f"p{i}" for i in range(0, 8, 2)]
    with Mounted(a) as m:
        top, pay = f"{m}/hr/versions/2", f"{m}/hr/versions/2/pay"
        subprocess.run(["diff", "-r", "src", top], check=True)      # everything is in the kernel's cache now
        inodes = {n: os.stat(f"{pay}/{n}").st_ino for n in os.listdir(pay)}
        held = {n: open(f"{pay}/{n}", "rb", buffering=0) for n in ("p0", "p1", "also")}
        for f in held.values():
            f.read()
        folder = os.open(pay, os.O_RDONLY)
        child = mapped(f"{pay}/p2")
        key, rows = lose(a, without(*names, "also", "link"))
        assert len(rows) == 1 and rows[0].startswith("done: munifs, process"), rows
        # Before anything is read: lose() leaves blocks as they were, so what stays may share one with what went, and
        # who reads it has both decoded.  A destruction repacks such blocks: test_destruction_mount.py looks after reads.
        if os.geteuid() == 0 and "san/" not in mu.MUNIFS:
            pid = mu.daemon_of(a)
            assert memory.finds(pid, b"munifs"), "the search finds nothing at all"
            memory.none_of(pid, {"the old epoch's key": key, **{f"what was in {n}": CANARY % int(n[1:]) for n in names}})

        for v in "12":
            for n in names + ["also", "link"]:
                assert code_of(lambda: os.lstat(f"{m}/hr/versions/{v}/pay/{n}")) == errno.ENOENT, (v, n)
                assert code_of(lambda: os.stat(n, dir_fd=folder)) == errno.ENOENT, n
        assert sorted(os.listdir(pay)) == [f"p{i}" for i in range(1, 8, 2)]
        assert sorted(os.listdir(folder)) == [f"p{i}" for i in range(1, 8, 2)]
        assert code_of(lambda: os.pread(held["p0"].fileno(), 4096, 0)) in (errno.ESTALE, errno.EIO)
        assert code_of(lambda: os.fstat(held["p0"].fileno())) in GONE
        assert os.pread(held["p1"].fileno(), 1 << 20, 0) == read("src/pay/p1")
        assert os.pread(held["also"].fileno(), 1 << 20, 0) == read("src/twice"), "its bytes have another name"
        child.communicate("\n", timeout=20)
        assert child.returncode == -signal.SIGBUS, f"mapped pages: {child.returncode}"
        assert {n: os.stat(f"{pay}/{n}").st_ino for n in os.listdir(pay)} == \
            {n: i for n, i in inodes.items() if n not in names + ["also", "link"]}
        left = subprocess.run(["diff", "-r", "src", top], capture_output=True, text=True).stdout.splitlines()
        assert sorted(left) == sorted(f"Only in src/pay: {n}" for n in names + ["also", "link"]), left
        assert json.load(open(f"{m}/.muniment/status"))["epoch"] == 2
        for f in held.values():
            f.close()
        os.close(folder)


def listings_and_working_directories_go_on(a):
    class Dir:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.opendir.restype = ctypes.c_void_p
        libc.readdir64.restype = ctypes.c_void_p

        def __init__(self, path):
            self.dir = self.libc.opendir(os.fsencode(path))

        def some(self, count):
            names = []
            while len(names) < count:
                entry = self.libc.readdir64(ctypes.c_void_p(self.dir))
                if not entry:
                    break
                names.append(ctypes.string_at(entry + 19).decode())
            return names

    gone = {f"m{i:04d}" for i in range(100, 3000, 3)}
    with Mounted(a) as m:
        many = f"{m}/hr/versions/1/many"
        os.listdir(f"{m}/hr/versions/2/many")       # one that the kernel answers from its cache
        here = os.getcwd()
        streams = [Dir(many), Dir(f"{m}/hr/versions/2/many")]
        firsts = [s.some(1200) for s in streams]
        os.chdir(many)
        lose(a, without(*gone, "only", "last"))
        rests = [s.some(10000) for s in streams]
        os.chdir(here)
        everything = {f"m{i:04d}" for i in range(3000)}
        for first, rest in zip(firsts, rests):
            assert set(first) | set(rest) >= everything - gone, "a name that stays was left out"
            # What the C library had read already it gives; behind that nothing that went.
            assert not gone & set(rest[1000:]), sorted(gone & set(rest[1000:]))[:5]
        os.chdir(many)
        assert set(os.listdir(".")) == everything - gone
        assert os.stat("m0000").st_size == 0 and code_of(lambda: os.stat("m0100")) == errno.ENOENT
        os.chdir(here)
        assert code_of(lambda: os.stat(f"{m}/hr/versions/1/last")) == errno.ENOENT


def listings_beside_it_tell_each_name_once(a):
    """Of a directory in which nothing went: one in progress, and one that the kernel remembers a part of only."""
    with Mounted(a) as m:
        many = f"{m}/hr/versions/2/many"
        with os.scandir(f"{m}/hr/versions/1/many") as slow:
            names = [next(slow).name for _ in range(1200)]
            os.listdir(many)
            lose(a, without("p0"))
            names += [entry.name for entry in slow]
        assert len(names) == len(set(names)) == 3000, (len(names), len(set(names)))
        with os.scandir(many) as listed:
            names = [next(listed).name for _ in range(1500)]
            if os.access("/proc/sys/vm/drop_caches", os.W_OK):
                with open("/proc/sys/vm/drop_caches", "w") as f:
                    f.write("1")
            names += [entry.name for entry in listed]
        assert len(names) == len(set(names)) == 3000, (len(names), len(set(names)))


def readers_hammer_while_it_goes_over(a):
    names = [f"p{i}" for i in range(8)]
    went, stay = set(names[4:]), [os.path.relpath(os.path.join(d, n), "src") for d, _, files in os.walk("src")
                                  for n in files if "many" not in d and "pay" not in d]
    want = {n: read(f"src/{n}") for n in stay}
    want.update({f"pay/{n}": read(f"src/pay/{n}") for n in names})
    stay += [f"pay/{n}" for n in names[:4]]
    failures, over, is_stopping = [], threading.Event(), threading.Event()

    def hammer(seed, top):
        rng = random.Random(seed)
        while not is_stopping.is_set():
            was_over = over.is_set()
            n = rng.choice(stay) if rng.random() < 0.6 else "pay/" + rng.choice(names)
            try:
                got = read(f"{top}/{n}")
            except OSError as why:
                if os.path.basename(n) not in went or why.errno not in GONE:
                    failures.append(f"{n}: {why}")
                continue
            if got != want[n]:
                failures.append(f"{n}: {len(got)} bytes that are not its own")
            if was_over and os.path.basename(n) in went:
                failures.append(f"{n} was read after the mount had answered")
    with Mounted(a, "cache=2M") as m:
        threads = [threading.Thread(target=hammer, args=(i, f"{m}/hr/versions/2")) for i in range(8)]
        [t.start() for t in threads]
        time.sleep(0.7)
        _, rows = lose(a, without(*went))
        over.set()
        assert rows[0].startswith("done:"), rows
        time.sleep(0.7)
        is_stopping.set()
        [t.join() for t in threads]
        assert not failures, failures[:5]


def two_mounts_and_an_audited_one_follow(a):
    with Mounted(a) as one, Mounted(a, "system=hr,version=1", "mnt2") as two, Mounted(a, "audit", "mnt3") as three:
        tops = [f"{one}/hr/versions/1", two, f"{three}/hr/versions/1"]
        held = []
        for t in tops:
            read(f"{t}/pay/p3")
            held.append(open(f"{t}/pay/p3", "rb", buffering=0))
        _, rows = lose(a, without("p3"))
        assert len(rows) == 3 and all(r.startswith("done:") for r in rows), rows
        for t, f in zip(tops, held):
            assert code_of(lambda: read(f"{t}/pay/p3")) == errno.ENOENT
            assert code_of(lambda: os.pread(f.fileno(), 100, 0)) in (errno.ESTALE, errno.EIO), t
            assert read(f"{t}/pay/p4") == read("src/pay/p4")
            f.close()


def a_stopped_mount_is_named_and_nothing_else_happens_to_it(a):
    with Mounted(a) as m:
        pid = mu.daemon_of(a)
        os.kill(pid, signal.SIGSTOP)
        try:
            _, rows = lose(a, without("p3"), timeout_ms=600, status=1)
            assert rows[0].startswith("silent: munifs, process %d, on %s" % (pid, os.path.abspath(m))), rows
            assert str(pid) in a.errors and os.path.abspath(m) in a.errors, a.errors
        finally:
            os.kill(pid, signal.SIGCONT)
        assert read(f"{m}/hr/versions/1/pay/p4") == read("src/pay/p4")
        assert mu.daemon_of(a) == pid


def a_slow_mount_has_time(a):
    with Mounted(a) as m:
        pid = mu.daemon_of(a)
        read(f"{m}/hr/versions/1/pay/p3")
        os.kill(pid, signal.SIGSTOP)
        wake = threading.Timer(1.0, os.kill, (pid, signal.SIGCONT))
        wake.start()
        _, rows = lose(a, without("p3"))
        wake.join()
        assert rows[0].startswith("done:"), rows
        assert code_of(lambda: os.stat(f"{m}/hr/versions/1/pay/p3")) == errno.ENOENT


def a_stopped_mount_is_ended_where_that_is_asked_for(a):
    a.mount("mnt")
    try:
        pid = mu.daemon_of(a)
        path = "mnt/hr/versions/1/pay/p3"
        read(path)
        held = open(path, "rb", buffering=0)
        os.kill(pid, signal.SIGSTOP)
        _, rows = lose(a, without("p3"), timeout_ms=600, end=True)
        assert rows[0].startswith("ended: munifs, process %d" % pid), rows
        assert not os.path.exists(f"/proc/{pid}/mem") or not is_mounted("mnt")
        assert not is_mounted("mnt")
        if os.access("/proc/sys/vm/drop_caches", os.W_OK):
            assert code_of(lambda: os.pread(held.fileno(), 4096, 0)), "pages of an ended mount are readable"
        held.close()
    finally:
        mu.unmount("mnt")


def a_killed_mount_is_none(a):
    a.mount("mnt")
    try:
        os.kill(mu.daemon_of(a), signal.SIGKILL)
        for _ in range(100):
            if not is_mounted("mnt"):
                break
            time.sleep(0.05)
        _, rows = lose(a, without("p3"))
        assert rows == [], rows
    finally:
        mu.unmount("mnt")


def one_that_nobody_can_ask_is_listed(a):
    """It has the keyring elsewhere, and so another run folder."""
    shutil.copy2(a.keyring, "elsewhere.keyring")
    os.makedirs("other", exist_ok=True)
    shutil.move("elsewhere.keyring", "other/elsewhere.keyring")
    os.makedirs("mnt", exist_ok=True)
    subprocess.run([mu.MUNIFS, a.path, "mnt", "-o", f"keyring={os.path.abspath('other/elsewhere.keyring')},key-file={a.key}"],
                   check=True, timeout=60)
    try:
        _, rows = lose(a, [])
        assert len(rows) == 1 and rows[0].startswith("not registered: munifs on " + os.path.abspath("mnt")), rows
    finally:
        mu.unmount("mnt")


def versions_and_systems_that_went_vanish(a):
    a.run("ingest", "src", "--system", "other")
    with Mounted(a) as m:
        for top in "hr/versions/1", "hr/versions/2", "other/versions/1":
            read(f"{m}/{top}/pay/p1")
        folder = os.open(f"{m}/hr/versions/1/pay", os.O_RDONLY)
        other = "(SELECT id FROM system WHERE name = 'other')"
        lose(a, [f"DELETE FROM entry WHERE first IN (SELECT id FROM version WHERE system = {other})",
                 f"DELETE FROM version WHERE system = {other}", "DELETE FROM system WHERE name = 'other'",
                 "DELETE FROM version WHERE label = '1'"])
        assert sorted(os.listdir(m)) == [".muniment", "hr"] and os.listdir(f"{m}/hr/versions") == ["2"]
        for gone in "other", "other/versions/1/pay/p1", "hr/versions/1", "hr/versions/1/pay/p1":
            assert code_of(lambda: os.lstat(f"{m}/{gone}")) == errno.ENOENT, gone
        assert code_of(lambda: os.listdir(folder)) in GONE
        assert code_of(lambda: os.stat("p1", dir_fd=folder)) in GONE
        assert read(f"{m}/hr/versions/2/pay/p1") == read("src/pay/p1")
        os.close(folder)


def a_mount_goes_through_many_epochs(a):
    with Mounted(a) as m:
        for i in range(4):
            done = subprocess.run([mu.MUNI, "key", "rotate", a.path, "--keyring", a.keyring, "--key-file", a.key],
                                  capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            assert json.load(open(f"{m}/.muniment/status"))["epoch"] == i + 2
            time.sleep(1.05)    # the status is made once a second
        subprocess.run(["diff", "-r", "src", f"{m}/hr/versions/2"], check=True)
        a.run("ingest", "src", "--system", "hr")
        subprocess.run(["diff", "-r", "src", f"{m}/hr/versions/3"], check=True)
        inside = [os.readlink(f"/proc/{mu.daemon_of(a)}/fd/{n}") for n in os.listdir(f"/proc/{mu.daemon_of(a)}/fd")] \
            if os.geteuid() == 0 else []
        assert not [n for n in inside if n.endswith("(deleted)") and a.path in n], inside
    a.run("verify")


TESTS = [what_went_is_gone_and_the_rest_goes_on, listings_and_working_directories_go_on, listings_beside_it_tell_each_name_once,
         readers_hammer_while_it_goes_over,
         two_mounts_and_an_audited_one_follow, a_stopped_mount_is_named_and_nothing_else_happens_to_it, a_slow_mount_has_time,
         a_stopped_mount_is_ended_where_that_is_asked_for, a_killed_mount_is_none, one_that_nobody_can_ask_is_listed,
         versions_and_systems_that_went_vanish, a_mount_goes_through_many_epochs]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    make_source()
    failed = 0
    only = sys.argv[1:]
    for n, test in enumerate(t for t in TESTS if not only or t.__name__ in only):
        begin = time.time()
        try:
            left_out = test(make(f"a{n}"))
            print(f"  {'left out: ' + left_out if left_out else 'ok'}  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
        for where in "mnt", "mnt2", "mnt3":
            if is_mounted(where):
                mu.unmount(where)
    return 1 if failed else 0


sys.exit(main())

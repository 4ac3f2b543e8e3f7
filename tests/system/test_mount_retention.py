#!/usr/bin/python3
"""Open mounts and the law: records that are restricted vanish and come back; what a disposition destroys is gone from
an open mount before the certificate is there, and the certificate is found in the mount."""
import ctypes
import errno
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402
from officers import ledger_policy, officer, write, year  # noqa: E402

POLICY = ledger_policy()
GONE = (errno.ENOENT, errno.ESTALE, errno.EIO)
libc = ctypes.CDLL(None, use_errno=True)


def muni(a, words, *more, status=0):
    """A command of two words: muni WORD WORD ARCHIVE ..."""
    line = [mu.MUNI, *words.split(), a.path, *more, "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200)
    assert status is None or done.returncode == status, f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def code_of(act):
    try:
        act()
    except OSError as why:
        return why.errno
    return 0


def read(path):
    with open(path, "rb") as f:
        return f.read()


def handle_of(path):
    """As an NFS server keeps it: name_to_handle_at(2)."""
    class Handle(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]
    h, mount_id = Handle(bytes=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, os.fsencode(path), ctypes.byref(h), ctypes.byref(mount_id), 0) != 0:
        raise OSError(ctypes.get_errno(), "name_to_handle_at")
    return h


def open_handle(mount, h):
    at = os.open(mount, os.O_RDONLY)
    fd = libc.open_by_handle_at(at, ctypes.byref(h), os.O_RDONLY)
    os.close(at)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "open_by_handle_at")
    os.close(fd)


def make(name):
    a = mu.Archive(name)
    a.run("scan", "src", "--system", "led", "-q")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "led")
    a.run("ingest", "src", "--system", "led", "--reread")
    for who, role in (("rita", "records"), ("otto", "owner")):
        muni(a, "officer add", "--id", who, "--role", role, "--cert", f"{who}.pem")
    return a


def restricted_records_vanish_and_come_back(a):
    m = a.mount()
    tops = [f"{m}/led/versions/{v}" for v in "12"]
    for t in tops:
        subprocess.run(["diff", "-r", "src", t], check=True)
    before = os.statvfs(m)
    held = open(f"{tops[0]}/fin/bar.txt", "rb", buffering=0)
    held.read()
    folder = os.open(f"{tops[0]}/fin", os.O_RDONLY)
    handle = handle_of(f"{tops[1]}/fin/bar.txt") if os.geteuid() == 0 else None
    digest = os.getxattr(f"{tops[0]}/fin/bar.txt", "user.muniment.sha256")
    inode = os.stat(f"{tops[0]}/fin/bar.txt").st_ino

    muni(a, "retain restrict", "--path", "fin/bar.txt", "--reason", "article 18")
    for t in tops:
        assert code_of(lambda: os.lstat(f"{t}/fin/bar.txt")) == errno.ENOENT
        assert code_of(lambda: os.lstat(f"{t}/new/linked.txt")) == errno.ENOENT, "its other name"
        assert code_of(lambda: os.getxattr(f"{t}/fin/bar.txt", "user.muniment.sha256")) == errno.ENOENT
        assert "bar.txt" not in os.listdir(f"{t}/fin") and "linked.txt" not in os.listdir(f"{t}/new")
    assert "bar.txt" not in os.listdir(folder)
    assert code_of(lambda: os.pread(held.fileno(), 100, 0)) in (errno.ESTALE, errno.EIO)
    assert handle is None or code_of(lambda: open_handle(m, handle)) in (errno.ESTALE, errno.ENOENT)
    now = os.statvfs(m)
    assert before.f_files - now.f_files == 4, (before.f_files, now.f_files)    # two names in two versions
    assert now.f_blocks < before.f_blocks

    muni(a, "retain lift", "--path", "fin/bar.txt", "--reason", "the ban is over")
    for t in tops:
        subprocess.run(["diff", "-r", "src", t], check=True)
        assert os.stat(f"{t}/fin/bar.txt").st_ino == inode
    assert os.getxattr(f"{tops[0]}/fin/bar.txt", "user.muniment.sha256") == digest
    assert os.pread(held.fileno(), 1 << 20, 0) == read("src/fin/bar.txt")
    assert os.statvfs(m).f_files == before.f_files and os.statvfs(m).f_blocks == before.f_blocks
    held.close()
    os.close(folder)
    mu.unmount(m)


def the_destroyed_are_gone_before_the_certificate_is_there(a):
    m = a.mount()
    plain, audited = f"{m}/led/versions/2", a.mount("mnt2", "audit") + "/led/versions/1"
    failures, is_over = [], threading.Event()
    want = {n: read(f"src/{n}") for n in [f"{d}/{n}" for d in ("fin", "new") for n in os.listdir(f"src/{d}")]}
    held = [open(f"{t}/fin/i0.txt", "rb", buffering=0) for t in (plain, audited)]
    for f in held:
        f.read()

    def hammer(seed, top):
        rng = random.Random(seed)
        while not is_over.is_set():
            is_certified = any(n.endswith(".p7m") for n in os.listdir(f"{a.path}/certificates"))
            n = rng.choice(sorted(want))
            try:
                got = read(f"{top}/{n}")
            except OSError as why:
                if not n.startswith("fin/") or why.errno not in GONE:
                    failures.append(f"{n}: {why}")
                continue
            if got != want[n]:
                failures.append(f"{n}: not its own bytes")
            if is_certified and n.startswith("fin/i"):
                failures.append(f"{n} was read when its certificate was there")
    threads = [threading.Thread(target=hammer, args=(i, plain)) for i in range(8)]
    [t.start() for t in threads]
    muni(a, "dispose propose", "--due", "--class", "FIN", "--by", "rita", "--key", "rita.key")
    muni(a, "dispose approve", "D1", "--by", "otto", "--key", "otto.key")
    said = muni(a, "dispose execute", "D1", "--by", "rita", "--key", "rita.key")
    time.sleep(0.3)
    is_over.set()
    [t.join() for t in threads]
    assert not failures, failures[:5]
    assert said.splitlines()[-1] == "C1", said
    for top, f in zip((plain, audited), held):
        assert code_of(lambda: os.pread(f.fileno(), 100, 0)) in (errno.ESTALE, errno.EIO)
        for i in range(5):
            assert code_of(lambda: os.stat(f"{top}/fin/i{i}.txt")) == errno.ENOENT
        for i in range(5):
            assert read(f"{top}/new/n{i}.txt") == want[f"new/n{i}.txt"]
        f.close()
    shown = os.listdir(f"{m}/.muniment/certificates")
    assert "C1.p7m" in shown, shown
    assert read(f"{m}/.muniment/certificates/C1.p7m") == read(f"{a.path}/certificates/C1.p7m")
    assert json.loads(read(f"{m}/.muniment/status"))["epoch"] == 2
    mu.unmount("mnt2")
    mu.unmount(m)


TESTS = [restricted_records_vanish_and_come_back, the_destroyed_are_gone_before_the_certificate_is_there]


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    rng = random.Random(7)
    with open("policy.yaml", "w", encoding="utf-8") as f:
        f.write(POLICY)
    for i in range(5):
        write(f"src/fin/i{i}.txt", "".join(f"invoice {rng.random()}\n" for _ in range(2000)), year(2001) + i)
        write(f"src/new/n{i}.txt", "".join(f"kept {rng.random()}\n" for _ in range(2000)), year(2020) + i)
    write("src/fin/bar.txt", "personal\n" * 3000, year(2024))     # not due
    os.link("src/fin/bar.txt", "src/new/linked.txt")
    for who in "rita", "otto":
        officer(who)
    failed = 0
    for n, test in enumerate(t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]):
        begin = time.time()
        try:
            test(make(f"a{n}"))
            print(f"  ok  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}, line {why.__traceback__.tb_next and why.__traceback__.tb_next.tb_lineno}: "
                  f"{type(why).__name__}: {str(why)[:1500]}", flush=True)
        for where in "mnt", "mnt2":
            mu.unmount(where)
    return 1 if failed else 0


sys.exit(main())

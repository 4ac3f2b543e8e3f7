#!/usr/bin/python3
"""A hundred mounts of one archive at once: all start, read and list; what a destruction takes goes from each of them, and
its certificate says that each has answered; all end.  HUNDRED=n for another number."""
import errno
import glob
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

try:
    import graves
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
from officers import openssl  # noqa: E402
from soak import descriptors, processes_of, rss_mib, threads_of  # noqa: E402

IS_SANITIZED = "san" in os.path.basename(mu.BUILD)
COUNT = int(os.environ.get("HUNDRED", "20" if IS_SANITIZED else "100"))
GONE = (errno.ENOENT, errno.ESTALE, errno.EIO)
s = graves.Source("src", 100)


def fill():
    for i in range(5):
        s.file(f"com/c{i}", s.rng.randbytes(100000))
        s.file(f"kep/k{i}", b"%d a line of it\n" % i * 20000)


def start(a):
    """All at once, as at the start of a host with a long fstab."""
    begin = time.monotonic()
    keys = f"keyring={a.keyring},key-file={a.key},cache=4M"
    for i in range(COUNT):
        os.makedirs(f"m/{i:03d}")
    started = [subprocess.Popen([mu.MUNIFS, a.path, f"m/{i:03d}", "-o", keys], stderr=subprocess.PIPE) for i in range(COUNT)]
    for i, p in enumerate(started):
        _, said = p.communicate(timeout=300 * mu.SLOW)
        assert p.returncode == 0, f"mount {i}: exit {p.returncode}: {said.decode(errors='replace')}"
    return time.monotonic() - begin


def each(act):
    """act(i) for each mount, eight at a time; what fails is raised."""
    failures, left, lock = [], list(range(COUNT)), threading.Lock()

    def work():
        while True:
            with lock:
                if not left or failures:
                    return
                i = left.pop()
            try:
                act(i)
            except Exception as why:    # noqa: BLE001 - told by the caller
                failures.append(f"mount {i}: {type(why).__name__}: {why}")
    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[:3]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def refuses(act):
    try:
        data = act()
    except OSError as why:
        assert why.errno in GONE, why
    else:
        raise AssertionError(f"{len(data)} bytes are served")


def daemons(a):
    return [pid for pid, line in processes_of(a.path) if "munifs" in line and threads_of(pid) > 2]


def locked_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmLck:"))


def measure(a, took):
    pids = daemons(a)
    assert len(pids) == COUNT, f"{len(pids)} daemons serve {COUNT} mounts"
    rss, locked, fds = ([f(pid) for pid in pids] for f in (rss_mib, locked_kib, descriptors))
    print(f"    {COUNT} mounts started in {took:.1f} s; each: {max(rss):.1f} MiB at most, {max(locked)} KiB of it locked, "
          f"{max(fds)} descriptors", flush=True)
    assert max(fds) < 100, max(fds)
    assert IS_SANITIZED or max(rss) < 32 + 4, max(rss)


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    try:
        limit = int(open("/proc/sys/fs/mount-max").read())
        if limit < 2 * COUNT:
            mu.skip(f"this host allows {limit} mounts")
    except OSError:
        pass
    fill()
    a = graves.keeper()
    graves.take_in(a, "src", "s", "one")
    want = {f"{d}/{d[0]}{i}": read(f"src/{d}/{d[0]}{i}") for d in ("com", "kep") for i in range(5)}
    top, held = "m/{:03d}/s/versions/one".format, []
    try:
        took = start(a)

        def whole(i):
            for path, data in want.items():
                assert read(f"{top(i)}/{path}") == data, path
            assert sorted(os.listdir(top(i))) == ["com", "kep"]
        each(whole)
        measure(a, took)
        held += [os.open(f"{top(i)}/com/c0", os.O_RDONLY) for i in range(COUNT)]
        a.run("ingest", "src", "--system", "s", "--version", "two", "--all")
        each(lambda i: os.stat(f"m/{i:03d}/s/versions/two"))

        begin = time.monotonic()
        certificate = graves.destroy(a, "--due", "--path", "com/**")
        print(f"    destroyed under all of them in {time.monotonic() - begin:.1f} s", flush=True)
        a.ask("cert", "show", certificate, "--to", "c.p7m")
        told = json.loads(openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "c.p7m"))
        assert counted(told, "mounts_answered") == COUNT and counted(told, "mounts_aborted") in (0, None), told

        def rest(i):
            for path, data in want.items():
                if path.startswith("com"):
                    refuses(lambda path=path: read(f"{top(i)}/{path}"))
                else:
                    assert read(f"{top(i)}/{path}") == data, path
            refuses(lambda: os.pread(held[i], 4096, 0))
        each(rest)
        measure(a, took)
    finally:
        for fd in held:
            os.close(fd)
        each(lambda i: mu.unmount(f"m/{i:03d}"))
    for _ in range(200):
        if not processes_of(a.path):
            break
        time.sleep(0.1)
    assert not processes_of(a.path), processes_of(a.path)[:3]
    left = [n for run in glob.glob(f"{os.path.dirname(a.keyring)}/*.run") for n in os.listdir(run)]
    assert not left, left
    a.run("verify", "--deep")


def counted(tree, word):
    """The number that stands under this name, wherever in the certificate."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == word and isinstance(value, int):
                return value
            if (found := counted(value, word)) is not None:
                return found
    elif isinstance(tree, list):
        for value in tree:
            if (found := counted(value, word)) is not None:
                return found
    return None


main()

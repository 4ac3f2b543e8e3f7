#!/usr/bin/python3
"""Repair on a disk that fails, or killed at the nth call that changes anything, or whose reads are refused from the nth on: it
says so, and a second repair mends everything.  FAULTS_ALL=1 takes every n."""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ["SUPPORT"])
from muniment import BUILD, MUNI, skip  # noqa: E402

PRELOAD = os.path.join(BUILD, "support", "inject.so")
ALL = bool(os.environ.get("FAULTS_ALL"))
SECONDS = 15


def muni(command, *words, env=None):
    line = [MUNI, command, "world/archive", *words, "--keyring", "world/keys/keyring",
            "--key-file", "key"]
    return subprocess.run(line, capture_output=True, check=False, timeout=120,
                          env={**os.environ, **(env or {})})


def flip(path, at):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 4]))
    os.chmod(path, mode)


def make_world():
    os.makedirs("world/keys")
    os.makedirs("src")
    with open("key", "wb") as f:
        f.write(os.urandom(40))
    for name, size in (("a", 200_000), ("b", 30)):
        with open(f"src/{name}", "wb") as f:
            f.write(random.Random(size).randbytes(size))
    subprocess.run([MUNI, "init", "world/archive", "--keyring", "world/keys/keyring",
                    "--key-file", "key"], check=True, capture_output=True)
    assert muni("ingest", "src", "--system", "s").returncode == 0
    # One damage of every kind, each of which can be mended.
    flip("world/archive/muniment.toml", 60)
    flip("world/archive/audit/log", 200)
    flip("world/archive/audit/heads.2", 300)
    flip("world/archive/catalogue.1", 2 * 8192 + 77)
    flip("world/archive/certificates/archive.pem", 100)
    flip("world/keys/keyring", 1000)
    for folder, _, names in os.walk("world/archive/segments"):
        for name in names:
            flip(os.path.join(folder, name), 70_000 if name.endswith(".seg") else 3000)
    shutil.copytree("world", "damaged")


def fresh():
    shutil.rmtree("world")
    shutil.copytree("damaged", "world")


def assert_whole(where):
    done = muni("repair")
    assert done.returncode == 0, f"{where}: repair after it: exit {done.returncode}\n" \
                                 f"{done.stdout.decode()}{done.stderr.decode()}"
    done = muni("verify", "--deep")
    assert done.returncode == 0, f"{where}: verify: exit {done.returncode}\n{done.stdout.decode()}"
    for name in os.listdir("src"):
        with open(f"src/{name}", "rb") as f:
            assert muni("cat", "s", name).stdout == f.read(), f"{where}: {name}"
    left = [x for x in os.listdir("world/archive") if x.startswith("repair")]
    assert not left, f"{where}: left {left}"


def one(how, nth):
    fresh()
    done = muni("repair", env={"LD_PRELOAD": PRELOAD, "FAULT_NTH": str(nth), "FAULT_HOW": how})
    where = f"{how} at call {nth}"
    if how == "kill":
        assert done.returncode < 0, f"{where}: exit {done.returncode}"
    else:
        assert done.returncode in (0, 1, 5), f"{where}: exit {done.returncode}: " \
                                          f"{done.stdout.decode()}{done.stderr.decode()}"
        assert done.returncode == 0 or done.stderr, f"{where}: nothing said"
    assert_whole(where)


def one_read(part, nth):
    """All reads of files with this in their path are refused from the nth on; returns whether there were so many."""
    fresh()
    done = muni("repair", env={"LD_PRELOAD": PRELOAD, "FAULT_OPS": "read", "FAULT_HOW": "EIO", "FAULT_STICKY": "1",
                               "FAULT_PATH": part, "FAULT_NTH": str(nth), "FAULT_COUNT": "count"})
    where = f"{part} not read from {nth} on"
    assert done.returncode in (0, 1, 5), f"{where}: exit {done.returncode}: {done.stderr.decode()}"
    assert_whole(where)
    with open("count", encoding="ascii") as f:
        return int(f.read()) >= nth


def reads():
    """Parity that the disk does not give is not parity that is lost (P5 of fs/store/parity.h)."""
    tried = 0
    for part in (".par", ".seg", ".cat", "world/archive/audit", "world/keys"):
        for nth in range(1, 1000 if ALL else 8):
            if not one_read(part, nth):
                break
            tried += 1
    assert tried > 12, tried
    return tried


def main():
    if not os.path.exists(PRELOAD):
        skip(f"no {PRELOAD}")
    make_world()
    assert muni("verify").returncode == 5
    done = muni("repair", env={"LD_PRELOAD": PRELOAD, "FAULT_NTH": "0", "FAULT_COUNT": "count"})
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert_whole("no fault")
    with open("count", encoding="ascii") as f:
        calls = int(f.read())
    assert calls > 30, calls
    todo = [(how, n) for how in ("kill", "EIO", "ENOSPC") for n in range(1, calls + 1)]
    if not ALL:
        random.Random(3).shuffle(todo)
    until = time.monotonic() + SECONDS
    done = 0
    for how, n in todo:
        if not ALL and time.monotonic() > until:
            break
        one(how, n)
        done += 1
    print(f"{reads()} reads refused; {done} of {len(todo)} faults ({calls} calls that change something)")


if __name__ == "__main__":
    main()

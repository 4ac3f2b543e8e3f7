#!/usr/bin/python3
"""`muni scan` beside `sha256sum` and `file` over the same seeded data, in one run: many
small files, a few large ones, and both again unchanged.

    scan.py [--files N] [--mib N] [--threads N] [--seed N]

BUILD names the folder of the build.  It works in a folder of its own and informs only:
seconds, rates, the peak memory of all processes of a scan together."""

import argparse
import os
import random
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))


def words(rng):
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    return ["".join(rng.choice(letters) for _ in range(rng.randrange(2, 11))) for _ in range(4000)]


def text(rng, known, size):
    out, used = [], 0
    while used < size:
        line = " ".join(rng.choices(known, k=12)) + f", {rng.randrange(10 ** 6)}\n"
        out.append(line)
        used += len(line)
    return "".join(out).encode()[:size]


def make_small(top, rng, known, count):
    """Text, CSV and JSON of 100 to 4,000 bytes, a hundred to a folder."""
    pool = [text(rng, known, 4000) for _ in range(64)]
    for i in range(count):
        folder = f"{top}/d{i // 100:05d}"
        if i % 100 == 0:
            os.makedirs(folder)
        body = pool[i % 64][:100 + rng.randrange(3900)]
        kind = i % 4
        if kind == 2:
            body = b"id,name,amount\n" + b"".join(b"%d,%b,%d\n" % (n, w, n * 7) for n, w in
                                                  enumerate(body.split()[:60]))
        elif kind == 3:
            body = b'{"id": %d, "text": "%b"}\n' % (i, body.replace(b"\n", b" "))
        with open(f"{folder}/f{i}.{('txt', 'log', 'csv', 'json')[kind]}", "wb") as f:
            f.write(body)


def make_large(top, rng, known, mib):
    os.makedirs(top)
    blocks = [text(rng, known, 4 << 20) for _ in range(4)]
    for n in range(4):
        with open(f"{top}/large{n}.txt", "wb") as f:
            for i in range(max(1, mib // 16)):
                f.write(blocks[(i + n) % 4])


def descendants(pid):
    found = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            for child in f.read().split():
                found += descendants(int(child))
    except OSError:
        pass
    return found


def memory(pid):
    total = 0
    for each in descendants(pid):
        try:
            with open(f"/proc/{each}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total / 1024


def timed(line, **more):
    peak, began = 0.0, time.monotonic()
    p = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    while p.poll() is None:
        peak = max(peak, memory(p.pid))
        time.sleep(0.05)
    return time.monotonic() - began, peak, p.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    known = words(rng)
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as work:
        os.chdir(work)
        make_small("small", rng, known, args.files)
        make_large("large", rng, known, args.mib)
        with open("key", "wb") as f:
            f.write(b"0123456789abcdef" * 4)
        keys = ["--keyring", "keyring", "--key-file", "key"]
        muni = f"{BUILD}/muni"
        subprocess.run([muni, "init", "archive", "-q", *keys], check=True, stdout=subprocess.DEVNULL)
        print(f"{args.files} small files, 4 large ones of {args.mib // 4} MiB, {args.threads} threads, "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        for source in ("small", "large"):
            size = sum(os.path.getsize(os.path.join(d, n)) for d, _, names in os.walk(source) for n in names) / 2 ** 20
            scan = [muni, "scan", "archive", source, "--system", source, "-q", "--threads", str(args.threads), *keys]
            peers = f"find {source} -type f -print0 | xargs -0 -n 200 -P {args.threads} "
            for what, line, more in (("muni scan", scan, {}), ("muni scan, unchanged", scan, {}),
                                     ("sha256sum", peers + "sha256sum", {"shell": True}),
                                     ("file --mime-type", peers + "file --mime-type", {"shell": True})):
                seconds, peak, status = timed(line, **more)
                print(f"  {source}  {what:22} {seconds:8.2f} s  {size / seconds:8.1f} MiB/s  {peak:6.0f} MiB of memory"
                      + ("" if status == 0 else f"  exit {status}"))
        where = os.path.getsize("archive/catalogue.1") / (args.files + 4)
        print(f"  catalogue: {where:.0f} bytes an item, paths included")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""The figures of docs/performance.md about destruction: archives of small files, made by
a seed through `muni ingest`, of which a part is destroyed.

    destroy.py BUILD FOLDER [RECORDS ...]
"""
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import time


def source(out, count, seed):
    """A tar of `count` small files, a hundred a folder, on the stream."""
    made = random.Random(seed)
    words = [made.randbytes(6).hex() for _ in range(4000)]
    tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT)
    for number in range(count):
        text = " ".join(made.choices(words, k=made.randrange(5, 60))).encode()
        entry = tarfile.TarInfo(f"{number // 10000:04}/{number // 100 % 100:02}/"
                                f"{number}-{words[number % 4000]}.txt")
        entry.size = len(text)
        entry.mtime = 1500000000 + number
        tar.addfile(entry, io.BytesIO(text))
    tar.close()


def ingest(build, folder, count):
    archive, keyring, key = (os.path.join(folder, f"{name}.{count}")
                             for name in ("archive", "keyring", "key"))
    with open(key, "wb") as file:
        file.write(b"k" * 40)
    keys = ["--keyring", keyring, "--key-file", key]
    subprocess.run([f"{build}/muni", "init", archive, *keys], check=True,
                   stdout=subprocess.DEVNULL)
    began = time.monotonic()
    with subprocess.Popen([f"{build}/muni", "ingest", archive, "-", "--system", "s", "-q",
                           *keys], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as muni:
        source(muni.stdin, count, count)
        muni.stdin.close()
    if muni.returncode:
        sys.exit(f"ingest: {muni.returncode}")
    return archive, keyring, key, time.monotonic() - began


def main():
    build, folder, *counts = sys.argv[1:]
    for count in [int(n) for n in counts] or [10000, 100000, 1000000]:
        archive, keyring, key, took = ingest(build, folder, count)
        catalogue = os.path.getsize(f"{archive}/catalogue.1")
        for destroyed in (count // 100000 or 1, count // 100, count // 10):
            line = subprocess.run([f"{build}/bench/destroy", archive, keyring, key,
                                   str(destroyed), "7"], check=True, capture_output=True)
            print(json.dumps({**json.loads(line.stdout), "catalogue": catalogue,
                              "ingest": round(took, 1)}), flush=True)


main()

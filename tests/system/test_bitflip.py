#!/usr/bin/python3
"""Any single flipped bit anywhere in the archive's folder, or in its keyring, any file
of the folder that is gone or cut short: every read is right or fails, verify finds it
(exit 5), repair mends it (exit 0), verify is content (exit 0), and every file reads as
before.  What is beyond repair is said, with the files that it touches.

Flips are a seeded sample of bytes by default; BITFLIP_ALL=1 takes every byte of every file,
BITFLIP_SEED=N another sample, BITFLIP_SECONDS=N more or less of it."""
import concurrent.futures
import json
import os
import random
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from rot import fresh, make_world, muni, read_all, targets  # noqa: E402

SEED = int(os.environ.get("BITFLIP_SEED", "1"))
SECONDS = float(os.environ.get("BITFLIP_SECONDS", "35"))
ALL = bool(os.environ.get("BITFLIP_ALL"))
WORKERS = 4


def harms():
    """Endless (path, what, byte); files in turn, so that small ones get their share."""
    rng = random.Random(SEED)
    files = targets()
    for path, size in files:
        if path.startswith("archive/"):
            for what, left in (("gone", 0), ("cut", 0), ("cut", size // 2), ("cut", size - 1)):
                yield path, what, left
    if ALL:
        for path, size in files:
            for at in range(size):
                yield path, at % 8, at
        return
    while True:
        for path, size in files:
            # Ends and beginnings are where formats keep what matters.
            where = rng.choice(["any", "any", "first", "last"])
            span = min(size, 200)
            at = {"any": rng.randrange(size), "first": rng.randrange(span),
                  "last": size - 1 - rng.randrange(span)}[where]
            yield path, rng.randrange(8), at


def harm(path, what, at):
    """what: "gone", "cut" (to `at` bytes), or the bit to flip of byte `at`."""
    if what == "gone":
        os.unlink(path)
        return
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as f:
        if what == "cut":
            f.truncate(at)
        else:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ (1 << what)]))
    os.chmod(path, mode)


def one(number, expected, path, what, at):
    world = f"world{number % WORKERS}"
    where = f"{path}, {what if isinstance(what, str) else f'bit {what}'}, byte {at}"
    fresh(world)
    try:
        harm(f"{world}/{path}", what, at)
        muni(world, "verify", f"{world}/archive", expect=5)
        read_all(world, expected, must=False)
        muni(world, "repair", f"{world}/archive", expect=0)
        muni(world, "verify", "--deep", f"{world}/archive", expect=0)
        read_all(world, expected, must=True)
    except AssertionError as e:
        return f"{where}: {e}"
    return None


def lane(index, expected, source, until):
    """Every WORKERSth harm, in a world of its own."""
    done, wrong = 0, []
    for number, (path, what, at) in enumerate(source):
        if number % WORKERS != index:
            continue
        if not ALL and time.monotonic() > until:
            break
        result = one(index, expected, path, what, at)
        done += 1
        if result:
            wrong.append(result)
            if len(wrong) > 10:
                break
    return done, wrong


def beyond_repair(expected):
    """The same column of a segment and of its only parity: what is lost is named,
    the rest stays readable, and repair says that it could not."""
    world = "beyond"
    fresh(world)
    kinds = {kind: [path for path, _ in targets() if path.endswith(kind)]
             for kind in (".seg", ".par")}
    for path in kinds[".seg"]:
        harm(f"{world}/{path}", 0, 100)
    for path in kinds[".par"]:
        harm(f"{world}/{path}", 0, 128 + 100)
    for command, word in (("verify", "repairable"), ("repair", "repaired"),
                          ("verify", "repairable")):
        done = muni(world, command, f"{world}/archive", "--json", expect=5)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        files = [x for x in found if x["type"] == "file"]
        assert files and not any(x[word] for x in files), found
        named = {(f"s@{x[version]}", x["path"]) for x in files
                 for version in ("first_version", "last_version")}
        unreadable = {where for where, data in expected.items()
                      if muni(world, "cat", f"{world}/archive", *where).returncode != 0}
        assert unreadable and unreadable <= named, (unreadable, named)
    read_all(world, expected, must=False)


def main():
    expected = make_world()
    muni("pristine", "verify", "--deep", "pristine/archive", expect=0)
    read_all("pristine", expected, must=True)
    beyond_repair(expected)
    until = time.monotonic() + SECONDS
    done, wrong = 0, []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for d, w in pool.map(lambda i: lane(i, expected, harms(), until), range(WORKERS)):
            done += d
            wrong += w
    for line in wrong:
        print("WRONG:", line)
    sizes = sum(size for _, size in targets())
    print(f"{done} harms among {sizes} bytes in {len(targets())} files, {len(wrong)} wrong")
    return 1 if wrong or done < 8 else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Later versions of one source: what was changed in whatever way is seen, what was not is not read; told by trees
that are changed at random and exported again."""
import json
import os
import random
import shutil
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, compare  # noqa: E402

rng = random.Random(20261122)


def ingest(a, *args):
    rows = [json.loads(r) for r in a.run("ingest", "src", "--system", "s", "--json", *args).splitlines()]
    return next(r for r in rows if "unchanged" in r)


def settle():
    time.sleep(1.1)


def write(path, data):
    with open(path, "w") as f:
        f.write(data)


def make(directories, files):
    for d in range(directories):
        os.makedirs(f"src/d{d}")
        for n in range(files):
            write(f"src/d{d}/f{n:03}", f"{d} {n} {rng.random()}\n")


def entries(r):
    return r["directories"] + r["files"] + r["others"]


def a_file():
    d = rng.choice([d for d in os.listdir("src") if os.path.isdir(f"src/{d}") and any(
        os.path.isfile(f"src/{d}/{f}") for f in os.listdir(f"src/{d}"))])
    return f"src/{d}", rng.choice([f for f in os.listdir(f"src/{d}") if os.path.isfile(f"src/{d}/{f}")])


def same_size(d, f):
    """Other bytes, as many, and the old times: the change time alone tells."""
    s = os.stat(f"{d}/{f}")
    with open(f"{d}/{f}", "r+b") as h:
        h.write(bytes(rng.choices(b"abcdefgh", k=s.st_size)))
    os.utime(f"{d}/{f}", ns=(s.st_atime_ns, s.st_mtime_ns))


def into_a_directory(d, f):
    os.unlink(f"{d}/{f}")
    os.mkdir(f"{d}/{f}")
    write(f"{d}/{f}/inside", "in\n")


CHANGES = [
    same_size,
    lambda d, f: os.unlink(f"{d}/{f}"),
    lambda d, f: write(f"{d}/{f}.new", "new\n"),
    lambda d, f: os.rename(f"{d}/{f}", f"{d}/{f}.moved"),
    lambda d, f: os.chmod(f"{d}/{f}", 0o600),
    lambda d, f: os.link(f"{d}/{f}", f"{d}/{f}.twin"),
    lambda d, f: os.symlink("elsewhere", f"{d}/{f}.link"),
    lambda d, f: shutil.copy2(f"{d}/{f}", f"src/{f}.copy"),
    lambda d, f: os.rename(d, f"{d}x"),
    lambda d, f: shutil.rmtree(d),
    into_a_directory,
]


def random_changes_are_all_seen():
    a = Archive("random")
    make(8, 24)
    settle()
    ingest(a)
    for version in range(2, 12):
        for _ in range(rng.randrange(4)):
            rng.choice(CHANGES)(*a_file())
        if version % 2:
            settle()
        r = ingest(a)
        a.run("export", f"s@{version}", "--to", "back", "--format", "dir")
        compare("src", "back")
        shutil.rmtree("back")
        settle()
        again = ingest(a, "--version", f"{version}-again")
        assert again["unchanged"] == entries(again) == entries(r), (r, again)
    a.run("verify", "--deep")
    shutil.rmtree("src")


def what_came_and_went_leaves_the_rest_as_it_was():
    """A directory that has sub-directories for one version is compared with what stands in that one."""
    a = Archive("guest")
    make(1, 20)
    settle()
    ingest(a)
    os.mkdir("src/d0/guest")
    write("src/d0/guest/file", "guest\n")
    settle()
    assert ingest(a)["added"] == 2
    shutil.rmtree("src/d0/guest")
    settle()
    r = ingest(a)
    assert r["removed"] == 2 or r["removed"] == 1, r
    a.run("export", "s@3", "--to", "back", "--format", "dir")
    compare("src", "back")
    shutil.rmtree("back")
    again = ingest(a)
    assert again["unchanged"] == entries(again), again
    a.run("verify", "--deep")
    shutil.rmtree("src")


def a_change_within_the_second_of_an_ingest_is_seen():
    a = Archive("racy")
    make(1, 20)
    ingest(a)
    s = os.stat("src/d0/f003")
    same_size("src/d0", "f003")
    r = ingest(a)
    assert r["changed"] >= 1 and r["unchanged"] < entries(r), (s, r)
    a.run("export", "s@2", "--to", "back", "--format", "dir")
    compare("src", "back")
    shutil.rmtree("back")
    shutil.rmtree("src")


def all_is_read_when_asked():
    a = Archive("reread")
    make(2, 20)
    settle()
    first = ingest(a)
    assert ingest(a)["read_bytes"] == 0
    again = ingest(a, "--reread")
    assert again["read_bytes"] == first["read_bytes"] > 0 and again["unchanged"] == entries(again), again
    shutil.rmtree("src")


def a_directory_of_more_names_than_are_seen_at_a_time():
    a = Archive("wide")
    make(1, 9000)
    for n in range(0, 9000, 3000):
        os.mkdir(f"src/d0/f{n:03}.d")
    settle()
    r = ingest(a)
    assert r["files"] == 9000 and r["added"] == entries(r), r
    for n in range(100, 8900):
        os.unlink(f"src/d0/f{n:03}")
    settle()
    r = ingest(a)
    assert r["removed"] == 8800 and r["files"] == 200, r
    a.run("export", "s@2", "--to", "back", "--format", "dir")
    compare("src", "back")
    a.run("verify", "--deep")
    shutil.rmtree("back")
    shutil.rmtree("src")


random_changes_are_all_seen()
what_came_and_went_leaves_the_rest_as_it_was()
a_change_within_the_second_of_an_ingest_is_seen()
all_is_read_when_asked()
a_directory_of_more_names_than_are_seen_at_a_time()

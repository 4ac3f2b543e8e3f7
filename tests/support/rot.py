"""A small archive of two versions, and copies of it that are harmed: for the tests of rot."""
import os
import random
import shutil
import subprocess

MUNI = os.environ.get("MUNI", "build/muni")


def muni(world, *words, expect=None):
    done = subprocess.run([MUNI, *words, "--keyring", f"{world}/keys/keyring",
                           "--key-file", "key"], capture_output=True, check=False)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"muni {' '.join(words)}: exit {done.returncode}, not {expect}\n"
                             + done.stdout.decode(errors="replace")[-2000:]
                             + done.stderr.decode(errors="replace")[-1000:])
    return done


def make_source():
    rng = random.Random(7)
    os.makedirs("src/dir")
    with open("src/text", "w", encoding="utf-8") as f:
        for i in range(4000):
            f.write(f"{i};{rng.random()};员工\n")
    with open("src/dir/random", "wb") as f:
        f.write(rng.randbytes(90_000))
    with open("src/dir/small", "w", encoding="utf-8") as f:
        f.write("a small file\n")
    with open("src/sparse", "wb") as f:
        f.seek(1 << 20)
        f.write(b"end")


def read_tree(root):
    out = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                out[os.path.relpath(path, root)] = f.read()
    return out


def make_world(between=None):
    """Contents of every file by (version, path); between() is called after the first version."""
    os.makedirs("pristine/keys")
    with open("key", "wb") as f:
        f.write(os.urandom(40))
    make_source()
    muni("pristine", "init", "pristine/archive", expect=0)
    muni("pristine", "ingest", "pristine/archive", "src", "--system", "s", "--version", "1",
         expect=0)
    expected = {("s@1", path): data for path, data in read_tree("src").items()}
    if between:
        between()
    with open("src/dir/small", "a", encoding="utf-8") as f:
        f.write("and more of it\n")
    with open("src/text", "r+b") as f:
        f.seek(50_000)
        f.write(b"changed in the second version")
    muni("pristine", "ingest", "pristine/archive", "src", "--system", "s", "--version", "2",
         expect=0)
    expected.update({("s@2", path): data for path, data in read_tree("src").items()})
    return expected


def targets():
    """(path below the world, size) of every file that has bytes."""
    out = []
    for root in ("archive", "keys"):
        for folder, _, names in os.walk(f"pristine/{root}"):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".anchor"):
                    continue    # outside the archive; it vouches, nothing vouches for it
                if os.path.getsize(path) > 0:
                    out.append((os.path.relpath(path, "pristine"), os.path.getsize(path)))
    return sorted(out)


def read_all(world, expected, must):
    for (version, path), data in expected.items():
        got = muni(world, "cat", f"{world}/archive", version, path)
        if got.returncode == 0:
            assert got.stdout == data, f"{version} {path}: exit 0 with other bytes"
        else:
            assert not must, f"{version} {path}: {got.stderr.decode(errors='replace')}"
            assert data.startswith(got.stdout), f"{version} {path}: wrong bytes, then exit " \
                                                f"{got.returncode}"


def fresh(world):
    shutil.rmtree(world, ignore_errors=True)
    shutil.copytree("pristine", world)

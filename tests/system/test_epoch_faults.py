#!/usr/bin/python3
"""A switch of epoch that is killed, torn or refused by its disk at the nth write, sync, truncation or change of a
name: at every moment the archive reads as before, the next command that writes ends the switch or takes it back, and
then nothing is left of it: no file, no segment, no key.

A sample of the moments in `make check`; every one with MUNIMENT_FULL=1 (`make check-fault`)."""
import concurrent.futures
import os
import random
import resource
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import BUILD, MUNI, skip, tree  # noqa: E402

try:
    import reader
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

FULL = os.environ.get("MUNIMENT_FULL") == "1"
FAULT = os.path.join(BUILD, "support", "fault_io")
SEED = int(os.environ.get("MUNIMENT_SEED", "20261122"))
HOWS = ("kill", "tear", "EIO", "ENOSPC", "short")
rng = random.Random(SEED)


def sample(total, many):
    """Every moment, or a stride of them from a seeded offset: neighbours are alike, regions are not."""
    if FULL or total <= many:
        return range(1, total + 1)
    stride = total / many
    offset = rng.random() * stride
    return [int(offset + i * stride) + 1 for i in range(many)]


class World:
    """An archive with its keyring and anchor in a folder of its own, so that worlds run side by side."""

    def __init__(self, name, source=None):
        self.folder = os.path.abspath(name)
        self.archive, self.keyring = (os.path.join(self.folder, n) for n in ("archive", "keyring"))
        if source:
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.copytree(source.folder, self.folder, symlinks=True)

    def run(self, command, *args, status=0, env=None, key="key", limit=None):
        line = [MUNI, *command.split(), self.archive, *args, "--keyring", self.keyring, "--key-file",
                os.path.abspath(key)]
        done = subprocess.run(line, capture_output=True, env={**os.environ, **(env or {})}, timeout=300, check=False,
                              preexec_fn=limit)
        self.status, self.errors = done.returncode, done.stderr.decode(errors="replace")
        if status is not None and done.returncode != status:
            raise AssertionError(f"{' '.join(line)}\n  exit {done.returncode}, wanted {status}\n"
                                 f"{done.stdout.decode(errors='replace')}{self.errors}")
        return done.stdout

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def bodies(self):
        """Of both halves: generation, epoch, its key, the epoch after, its key."""
        archive = reader.read_toml(self.archive)
        with open(self.keyring, "rb") as f:
            raw = f.read()
        with open("key", "rb") as f:
            secret = f.read()
        for half in (0, 1):
            payload = reader.keyring_half(raw, half, archive)
            assert payload, f"half {half} of the keyring is not whole"
            generation = struct.unpack_from("<Q", payload, 32)[0]
            slots_size, body_size = struct.unpack_from("<II", payload, 40)
            slots = payload[80:80 + slots_size]
            cut, master = reader.Cut(slots), None
            for _ in range(struct.unpack_from("<I", payload, 12)[0]):
                master = reader.open_slot(cut, archive, secret, False) or master
            at = 80 + slots_size
            ad = b"MUNIKEYS" + struct.pack("<I", 1) + archive + struct.pack("<QB", generation, half) + reader.sha(slots)
            body = reader.Cut(reader.AESGCM(master).decrypt(payload[at:at + 12],
                                                            payload[at + 12:at + 12 + body_size + 16], ad))
            yield generation, body.number(8), body.take(32), body.number(8), body.take(32)


def check_keyring(w, old_keys):
    """Settled, of one epoch, and of no epoch before."""
    halves = list(w.bodies())
    generations = sorted(h[0] for h in halves)
    assert generations[1] == generations[0] + 1 and generations[1] % 2 == 0, generations
    epochs = {h[1] for h in halves}
    assert len(epochs) == 1 and all(h[3] == 0 and h[4] == bytes(32) for h in halves), halves
    assert halves[0][2] == halves[1][2]
    epoch = epochs.pop()
    for dead, key in old_keys.items():
        assert dead == epoch or halves[0][2] != key, f"the key of epoch {dead} is in the keyring of epoch {epoch}"
    return epoch


def check_files(w, epoch):
    """Nothing of another epoch, nothing that no row names, nothing half-written."""
    top = sorted(n for n in os.listdir(w.archive) if n.startswith("catalogue."))
    assert top == [f"catalogue.{epoch}", f"catalogue.{epoch}-wal"], top
    with open("key", "rb") as f:
        named = {u.hex() for u, in reader.Archive(w.archive, w.keyring, f.read(), False).db.execute("SELECT uid FROM segment")}
    there = set()
    for folder, _, files in os.walk(w.archive):
        for name in files:
            assert not name.endswith(".tmp") and not name.startswith(".put-"), name
            if name.endswith(".seg"):
                there.add(name[:-4])
            if name.endswith(".cat"):
                with open(os.path.join(folder, name), "rb") as f:
                    assert struct.unpack_from("<Q", f.read(256), 48)[0] == epoch, f"{name} is of another epoch"
    assert there == named, (there - named, named - there)


def check(w, where, old_keys):
    try:
        for name in ("d0/f000", "d1/f001", "d3/f010"):
            with open(os.path.join("one", name), "rb") as f:
                assert w.run("cat", "s@one", name) == f.read(), name
        w.run("ingest", "small", "--system", "t")
        said = w.run("verify", "--deep").decode()
        assert "note" not in said, said
        epoch = check_keyring(w, old_keys)
        check_files(w, epoch)
        assert epoch in (1, 2), epoch
        w.run("key rotate")
        assert check_keyring(w, old_keys) == epoch + 1
        check_files(w, epoch + 1)
        w.run("verify")
        return epoch
    except Exception as problem:
        raise AssertionError(f"{where} (MUNIMENT_SEED={SEED}), kept in {w.folder}: {problem}") from problem


def one(job):
    base, how, nth, sticky, command, old_keys = job
    w = World(f"w-{how}-{nth}-{command.split()[1]}", base)
    env = {"LD_PRELOAD": FAULT, "FAULT_NTH": str(nth), "FAULT_HOW": how}
    if sticky:
        env["FAULT_STICKY"] = "1"
    where = f"{command}: {how} at call {nth}"
    w.run(command, status=None, env=env)
    if how in ("kill", "tear"):
        assert w.status != 0, where
    else:
        assert w.status in (0, 1), f"{where}: exit {w.status}: {w.errors}"
        assert w.status == 0 or w.errors.strip(), f"{where}: nothing said"
    epoch = check(w, where, old_keys)
    w.remove()
    return epoch


def count(base, command):
    w = World("probe", base)
    w.run(command, env={"LD_PRELOAD": FAULT, "FAULT_NTH": "0", "FAULT_COUNT": os.path.abspath("count")})
    w.remove()
    with open("count", encoding="ascii") as f:
        return int(f.read())


def sweep(base, command, many, old_keys):
    calls = count(base, command)
    assert calls > 100, calls
    jobs = [(base, how, nth, how == "ENOSPC", command, old_keys)
            for how in HOWS for nth in sample(calls, many if how == "kill" else many // 3)]
    ends = {1: 0, 2: 0}
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for epoch in pool.map(one, jobs):
            ends[epoch] += 1
    print(f"{command}: {len(jobs)} faults at {calls} calls that change something; taken back {ends[1]}, ended {ends[2]}")
    assert ends[1] and ends[2], "the sample met one side of the point of no return only"


def on_a_full_disk(base, command, old_keys):
    """A real one, that has some room left but not enough, and then enough again."""
    where = os.path.abspath("small-disk")
    os.makedirs(where, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", where], capture_output=True, check=False).returncode:
        print("no disk of its own can be mounted here: none was filled")
        return
    ends = {1: 0, 2: 0}
    try:
        for room in [k * 1024 for k in ((0, 4, 16, 64, 128, 192, 256, 320, 384, 448, 512, 640, 1024, 1280, 1536, 2048) if not FULL else range(0, 2048, 16))]:
            w = World(os.path.join(where, "w"), base)
            fs = os.statvfs(where)
            filler = fs.f_bavail * fs.f_frsize - room
            with open(os.path.join(where, "filler"), "wb") as f:
                os.posix_fallocate(f.fileno(), 0, filler)
            w.run(command, status=None)
            assert w.status in (0, 1) and (w.status == 0 or w.errors.strip()), (room, w.status, w.errors)
            done = w.status
            os.unlink(os.path.join(where, "filler"))
            epoch = check(w, f"{command} with {room} bytes of room", old_keys)
            assert done != 0 or epoch == 2
            ends[epoch] += 1
            w.remove()
    finally:
        subprocess.run(["umount", where], check=True)
    print(f"{command} on a full disk: taken back {ends[1]}, ended {ends[2]}")
    assert ends[1] and ends[2], "the disk was always full, or never"


def with_a_limit(base, command, old_keys):
    """No file may grow past so many bytes."""
    for size in (4096, 40000, 66000, 100000, 150000):
        w = World("limited", base)
        w.run(command, status=None, limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        assert w.status != 0, size
        check(w, f"{command} with files of at most {size} bytes", old_keys)
        w.remove()


def check_old_copies(base):
    """What was copied before a switch opens nothing after it, and says so."""
    old, new = World("old", base), World("new", base)
    new.run("key rotate")
    shutil.copy2(new.keyring, old.keyring)
    old.run("ls", "s", status=5)
    assert "older copy" in old.errors and "catalogue.1" in old.errors, old.errors
    old.run("ingest", "small", "--system", "t", status=5)
    shutil.copy2(base.keyring, new.keyring)
    new.run("ls", "s", status=4)
    assert "keyring is an older copy" in new.errors, new.errors
    new.run("ingest", "small", "--system", "t", status=4)
    new.run("verify", status=None)
    assert new.status != 0
    assert os.path.exists(os.path.join(new.archive, "catalogue.2")), "an old keyring made the archive lose its catalogue"


def main():
    if not os.path.exists(FAULT):
        skip(f"no {FAULT}")
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    tree("one", 1, files=30)
    os.mkdir("small")
    with open("small/a", "w", encoding="ascii") as f:
        f.write("a small file\n")
    os.mkdir("base")
    base = World("base")
    base.run("init")
    base.run("ingest", "one", "--system", "s", "--version", "one")
    old_keys = {h[1]: h[2] for h in base.bodies()}
    check_old_copies(base)
    sweep(base, "key rotate", 24, old_keys)
    on_a_full_disk(base, "key rotate", old_keys)
    with_a_limit(base, "key rotate", old_keys)


if __name__ == "__main__":
    main()

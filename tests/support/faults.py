"""An archive in which a command is killed, torn or refused by its disk at any call that changes something, and what
must hold of its files and its keyring afterwards: for the sweeps of faults.

Imports reader.py, and with it python3-cryptography and python3-zstandard."""
import concurrent.futures
import os
import random
import shutil
import signal
import struct
import subprocess
import time

import reader
from muniment import BUILD, MUNI

OWN_FRAMES = 3  # of the program's own, which tell a place from another
FULL = os.environ.get("MUNIMENT_FULL") == "1"
FAULT = os.path.join(BUILD, "support", "inject.so")
SECONDS = 300  # for so long nobody of a command may sleep: it takes a tenth of a second, but machines stand still
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


HEAD, MODULES, MODULE, PLACE = 32, 128, 120, struct.Struct("<QIIQ24s48I")


class Trace:
    """What inject.h calls a struct trace."""

    def __init__(self, path, all_places=False):
        with open(path, "rb") as f:
            raw = f.read(-1 if all_places else HEAD + MODULES * MODULE + PLACE.size)
        self.counted, self.fired = struct.unpack_from("<QQ", raw)
        self.modules = [raw[HEAD + i * MODULE:HEAD + (i + 1) * MODULE].split(b"\0")[0].decode() for i in range(MODULES)]
        at = HEAD + MODULES * MODULE
        self.fired_at = PLACE.unpack_from(raw, at)
        self.places = [p for p in PLACE.iter_unpack(raw[at + PLACE.size:]) if p[0]]

    def stack(self, place=None):
        """The places on the stack, innermost first, as file:line function."""
        frames, lines = (place or self.fired_at)[5:], []
        for i in range(0, len(frames), 2):
            module, offset = frames[i], frames[i + 1]
            if not offset:
                break
            name = self.modules[module] if module < MODULES else ""
            if not name.startswith(os.path.dirname(os.path.abspath(MUNI))):
                lines.append(os.path.basename(name))
                continue
            said = subprocess.run(["addr2line", "-f", "-e", name, hex(offset - 1)], capture_output=True, text=True,
                                  check=False).stdout.split("\n")
            lines.append(f"{said[0]} {'/'.join(said[1].split('/')[-3:])}" if len(said) > 1 else "?")
        return lines

    def at(self, words):
        """The places on whose stack in a program of ours a function or a file has one of these in its name."""
        ours, found = os.path.dirname(os.path.abspath(MUNI)), set()
        for module, name in enumerate(self.modules):
            if not name.startswith(ours):
                continue
            offsets = sorted({p[i + 1] for p in self.places for i in range(5, len(p), 2) if p[i] == module and p[i + 1]})
            said = subprocess.run(["addr2line", "-f", "-e", name], input="\n".join(hex(o - 1) for o in offsets), text=True,
                                  capture_output=True, check=False).stdout.split("\n")
            for i, offset in enumerate(offsets):
                if any(word in said[2 * i] or word in os.path.basename(said[2 * i + 1]) for word in words):
                    found.add((module, offset))
        return [p for p in self.places if any((p[i], p[i + 1]) in found for i in range(5, len(p), 2))]


def living(group):
    """The processes of a group that have not ended: state, command line, time used."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                    left.append((fields[0], f.read().replace("\0", " "), int(fields[11]) + int(fields[12])))
        except OSError:
            continue
    return left


def wait_for(p):
    """Its output.  Who waits for a processor does not hang; who sleeps and uses none does."""
    used, since = -1, time.monotonic()
    while True:
        try:
            return p.communicate(timeout=SECONDS / 20)
        except subprocess.TimeoutExpired:
            there = living(p.pid)
            now = sum(ticks for _, _, ticks in there)
            if now != used or any(state in "RTt" for state, _, _ in there):
                used, since = now, time.monotonic()
            elif time.monotonic() - since > SECONDS:
                os.killpg(p.pid, signal.SIGKILL)
                raise


class World:
    """An archive with its keyring and anchor in a folder of its own, so that worlds run side by side."""

    def __init__(self, name, source=None):
        self.folder = os.path.abspath(name)
        self.archive, self.keyring = (os.path.join(self.folder, n) for n in ("archive", "keyring"))
        self.key, self.group = "key", 0
        self.temporary = self.folder + ".tmp"
        if source:
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.copytree(source.folder, self.folder, symlinks=True)

    def line(self, command, *args, key=None, is_bare=False):
        if is_bare:
            return [MUNI, *command.split(), *args]
        key = key or self.key
        own = os.path.join(self.folder, key)
        return [MUNI, *command.split(), self.archive, *args, "--keyring", self.keyring, "--key-file",
                own if os.path.exists(own) else os.path.abspath(key)]

    def run(self, command, *args, status=0, env=None, key=None, limit=None, is_bare=False):
        line = self.line(command, *args, key=key, is_bare=is_bare)
        os.makedirs(self.temporary, exist_ok=True)
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit, process_group=0,
                              env={**os.environ, "TMPDIR": self.temporary, **(env or {})}) as p:
            self.group = p.pid
            out, errors = wait_for(p)
        self.status, self.errors, self.said = p.returncode, errors.decode(errors="replace"), out[-2000:].decode(errors="replace")
        if status is not None and p.returncode != status:
            raise AssertionError(f"{' '.join(line)}\n  exit {p.returncode}, wanted {status}\n"
                                 f"{out.decode(errors='replace')}{self.errors}")
        return out

    def running(self):
        """Who of the last command's processes is still there, after some seconds in which to see that it ended."""
        end = time.monotonic() + SECONDS / 10
        while True:
            try:
                os.killpg(self.group, 0)
            except ProcessLookupError:
                return []
            left = [words for _, words, _ in living(self.group)]
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.02)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)

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
                slot = reader.open_slot(cut, archive, secret, False)
                master = slot["master"] if slot else master
            at = 80 + slots_size
            ad = b"MUNIKEYS" + payload[8:12] + archive + struct.pack("<QB", generation, half) + reader.sha(slots)
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


def check_files(w, epoch, half_written=()):
    """Nothing of another epoch, nothing that no row names, nothing half-written but in those folders."""
    top = sorted(n for n in os.listdir(w.archive) if n.startswith("catalogue."))
    assert top == [f"catalogue.{epoch}", f"catalogue.{epoch}-wal"], top
    with open("key", "rb") as f:
        named = {u.hex() for u, in reader.Archive(w.archive, w.keyring, f.read(), False).db.execute("SELECT uid FROM segment")}
    there = set()
    for folder, _, files in os.walk(w.archive):
        for name in files:
            is_half = name.endswith(".tmp") or name.startswith(".put-")
            assert not is_half or os.path.basename(folder) in half_written, name
            if name.endswith(".seg"):
                there.add(name[:-4])
            if name.endswith(".cat"):
                with open(os.path.join(folder, name), "rb") as f:
                    assert struct.unpack_from("<Q", f.read(256), 48)[0] == epoch, f"{name} is of another epoch"
    assert there == named, (there - named, named - there)


def one(job):
    base, how, nth, command, words, check = job
    w = World(f"w-{how}-{nth}", base)
    trace = os.path.join(w.folder, "trace")
    env = {"LD_PRELOAD": FAULT, "FAULT_NTH": str(nth), "FAULT_HOW": how, "FAULT_TRACE": trace}
    if how == "ENOSPC":
        env["FAULT_STICKY"] = "1"
    where = f"{command}: {how} at call {nth}"
    w.run(command, *words, status=None, env=env)
    try:
        if not Trace(trace).fired:
            assert w.status == 0, w.errors  # a run in which there were fewer calls
        elif how in ("kill", "tear"):
            assert w.status < 0, "it went on"
        else:
            assert w.status in (0, 1, 5), f"exit {w.status}: {w.errors}"
            assert w.status == 0 or w.errors.strip(), "nothing said"
        epoch = check(w)
    except Exception as problem:
        raise AssertionError(f"{where} (MUNIMENT_SEED={SEED}), kept in {w.folder}: {problem}") from problem
    w.remove()
    return epoch


def count(base, command, words):
    w = World("probe", base)
    w.run(command, *words, env={"LD_PRELOAD": FAULT, "FAULT_NTH": "0", "FAULT_COUNT": os.path.abspath("count")})
    w.remove()
    with open("count", encoding="ascii") as f:
        return int(f.read())


def sweep(base, command, words, many, check):
    """check(world) says in which epoch the fault left it; both must have come up."""
    calls = count(base, command, words)
    assert calls > 100, calls
    jobs = [(base, how, nth, command, words, check)
            for how in HOWS for nth in sample(calls, many if how == "kill" else many // 3)]
    ends = {1: 0, 2: 0}
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for epoch in pool.map(one, jobs):
            ends[epoch] += 1
    print(f"{command}: {len(jobs)} faults at {calls} calls that change something; taken back {ends[1]}, ended {ends[2]}",
          flush=True)
    assert ends[1] and ends[2], "the sample met one side of the point of no return only"


def on_a_full_disk(base, command, words, rooms, check):
    """A real one, that has so many KiB of room left, and then enough again."""
    where = os.path.abspath("small-disk")
    os.makedirs(where, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", where], capture_output=True, check=False).returncode:
        print("no disk of its own can be mounted here: none was filled")
        return
    ends = {1: 0, 2: 0}
    try:
        for room in rooms:
            w = World(os.path.join(where, "w"), base)
            fs = os.statvfs(where)
            with open(os.path.join(where, "filler"), "wb") as f:
                os.posix_fallocate(f.fileno(), 0, fs.f_bavail * fs.f_frsize - room * 1024)
            w.run(command, *words, status=None)
            assert w.status in (0, 1) and (w.status == 0 or w.errors.strip()), (room, w.status, w.errors)
            done = w.status
            os.unlink(os.path.join(where, "filler"))
            epoch = check(w)
            assert done != 0 or epoch == 2, (room, done, epoch)
            ends[epoch] += 1
            w.remove()
    finally:
        subprocess.run(["umount", where], check=True)
    print(f"{command} on a full disk: taken back {ends[1]}, ended {ends[2]}", flush=True)
    assert ends[1] and ends[2], "the disk was always full, or never"

"""The soak's readers: each act is checked against what the world says of it, byte by byte."""
import errno
import hashlib
import json
import mmap
import os
import random
import signal
import sys
import time

from soak_world import ALIVE, DOOMED, GONE, KEPT, World, sha

LOST = (errno.ENOENT, errno.EIO, errno.ESTALE)
HELD_MAX = 6


class Wrong(Exception):
    pass


def pread(fd, size, at):
    """All of it.  What stands before a page that could not be had comes first, and the error when one reads on: so the kernel
    does with any file.  An end that comes early is none of it."""
    pieces = []
    while size > 0 and (piece := os.pread(fd, size, at)):
        pieces.append(piece)
        at, size = at + len(piece), size - len(piece)
    return b"".join(pieces)


class Reader:
    def __init__(self, world, slot, top, system="s"):
        self.w, self.slot, self.top = world, slot, f"{top}/{system}/versions"
        self.root = top
        self.rng = random.Random(f"{world.seed}/{slot}/{os.getpid()}")
        self.beats, self.held, self.folders = 0, [], []
        self.acts = [self.sequential, self.at_random, self.at_random, self.mapped, self.listing, self.attributes,
                     self.control, self.hold, self.read_held, self.read_held, self.walk, self.kept]

    # ---- whatever is done is done through here -----------------------------------------

    def attempt(self, what, group, act, check):
        """What act() gives goes to check(), unless it fails as it may; group None: it never may."""
        self.beats += 1
        self.w.say(self.slot, self.beats, what)
        before = self.w.fate(group) if group is not None else ALIVE
        try:
            result = act()
        except OSError as why:
            after = self.w.fate(group) if group is not None else ALIVE
            if after == ALIVE:
                raise Wrong(f"{what}: {why}; again: {self.again(act)}") from why
            if why.errno not in LOST:
                raise Wrong(f"{what}, which goes: {why}") from why
            return None
        if before == GONE:
            raise Wrong(f"{what} was served although its certificate exists")
        check(result)
        return result

    @staticmethod
    def again(act):
        """For who has to find out why: whether it fails once, for a while or for good."""
        said = []
        for pause in (0, 0.1, 1):
            time.sleep(pause)
            try:
                act()
                said.append("it goes")
            except OSError as why:
                said.append(str(why.errno))
        return said

    def pick(self):
        """A file of a group, and a version that has it; the newest group is met oftener."""
        version = self.rng.randint(1, self.w.versions())
        groups = [g for g in range(self.w.groups()) if self.w.is_in(g, version)]
        group = self.rng.choice(groups[-6:] if self.rng.random() < 0.3 else groups)
        name = self.rng.choice(self.w.names(group))
        path = f"{self.top}/v{version}/{self.w.group_path(group)}/{name}"
        return group, path, self.w.group_content(group, name, version), (group, name, version)

    @staticmethod
    def same(what, got, want):
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            raise Wrong(f"{what}: {len(got)} bytes, {len(want)} wanted, another at {at}")

    # ---- the acts -------------------------------------------------------------------------

    def sequential(self):
        group, path, want, _ = self.pick()

        def act():
            with open(path, "rb", buffering=0) as f:
                pieces = []
                while piece := f.read(self.rng.choice((4096, 65536, 1 << 20))):
                    pieces.append(piece)
                return b"".join(pieces)
        self.attempt(f"reading {path}", group, act, lambda got: self.same(path, got, want))

    def at_random(self):
        group, path, want, _ = self.pick()
        for _ in range(4):
            at, size = self.rng.randrange(len(want) + 100), self.rng.choice((1, 100, 4096, 131072))

            def act(at=at, size=size):
                fd = os.open(path, os.O_RDONLY)
                try:
                    return pread(fd, size, at)
                finally:
                    os.close(fd)
            self.attempt(f"{size} bytes at {at} of {path}", group, act,
                         lambda got, at=at, size=size: self.same(path, got, want[at:at + size]))

    def kept(self):
        version, i = self.rng.randint(1, self.w.versions()), self.rng.randrange(KEPT)
        name = self.rng.choice(self.w.kept_names(i))
        path = f"{self.top}/v{version}/kep/k{i}/{name}"
        want = self.w.kept_content(i, name, version)

        def act():
            with open(path, "rb") as f:
                return f.read(), os.fstat(f.fileno()).st_size
        self.attempt(f"reading {path}", None, act, lambda got: self.same(path, *(got[0], want)))

    def mapped(self):
        """In a process of its own: what is gone from a mapping is a signal."""
        group, path, want, _ = self.pick()
        if not want:
            return

        def act():
            child = os.fork()
            if child == 0:
                status = 99
                try:
                    signal.signal(signal.SIGBUS, signal.SIG_DFL)
                    fd = os.open(path, os.O_RDONLY)
                    with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as m:
                        status = 0 if m[:] == want else 98
                except OSError as why:
                    status = why.errno if why.errno in LOST else 97
                finally:
                    os._exit(status)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status == -signal.SIGBUS:
                raise OSError(errno.EIO, "SIGBUS")
            if status in LOST:
                raise OSError(status, os.strerror(status))
            return status
        self.attempt(f"mapping {path}", group, act, lambda status: self.same(path, b"%d" % status, b"0"))

    def listing(self):
        version = self.rng.randint(1, self.w.versions())
        group = self.rng.choice([g for g in range(self.w.groups()) if self.w.is_in(g, version)])
        path = f"{self.top}/v{version}/{self.w.group_path(group)}"
        before = self.w.fate(group)

        def check(names):
            if set(names) - set(self.w.names(group)) or len(names) != len(set(names)) or \
                    (before == ALIVE and self.w.fate(group) == ALIVE and len(names) != len(self.w.names(group))):
                raise Wrong(f"{path} lists {names}")
        try:
            names = os.listdir(path)
        except OSError as why:
            if self.w.fate(group) == ALIVE or why.errno not in LOST:
                raise Wrong(f"listing {path}: {why}") from why
            return
        if before == GONE and names:
            raise Wrong(f"{path} lists {names} although its certificate exists")
        check(names)

    def walk(self):
        """A version's folders, as find sees them: what is alive all along is there."""
        version = self.rng.randint(1, self.w.versions())
        alive = [g for g in range(self.w.groups()) if self.w.is_in(g, version) and self.w.fate(g) == ALIVE]
        self.beats += 1
        self.w.say(self.slot, self.beats, f"walking v{version}")
        found = set()
        for folder, _, files in os.walk(f"{self.top}/v{version}"):
            found.update(os.path.join(os.path.basename(os.path.dirname(folder)), os.path.basename(folder), n) for n in files)
        for group in alive:
            left_out = [n for n in self.w.names(group) if f"{self.w.group_path(group)}/{n}" not in found]
            if left_out and self.w.fate(group) == ALIVE:
                raise Wrong(f"walking v{version} leaves out {left_out} of {self.w.group_path(group)}")

    def attributes(self):
        group, path, want, (g, name, version) = self.pick()
        wanted = sha(self.w.seed, f"{self.w.group_path(g)}/{name}",
                     self.w.revision(f"{self.w.group_path(g)}/{name}", version) if name != "f0" else 0)

        def act():
            st = os.lstat(path)
            return st.st_size, os.getxattr(path, "user.muniment.sha256").decode(), os.getxattr(path, "user.soak").decode(), \
                os.listxattr(path)
        self.attempt(f"attributes of {path}", group, act,
                     lambda got: self.same(path, repr(got), repr((len(want), wanted, wanted[:16], ["user.soak"]))))

    def control(self):
        def status():
            with open(f"{self.root}/.muniment/status", "rb") as f:
                return json.loads(f.read())

        def act():
            try:
                told = status()
            except json.JSONDecodeError:    # it took twice the room between two calls: once in a life
                told = status()
            return told, os.listdir(f"{self.root}/.muniment")

        def check(got):
            labels = {v["version"] for v in got[0]["versions"]}
            if not {f"v{i + 1}" for i in range(self.w.versions() - 1)} <= labels or "status" not in got[1]:
                raise Wrong(f".muniment says {got}")
        self.attempt("the status", None, act, check)

    def hold(self):
        """Opens one, to be read on after it went."""
        if len(self.held) >= HELD_MAX:
            os.close(self.held.pop(0)[0])
        group, path, want, _ = self.pick()
        fd = self.attempt(f"opening {path}", group, lambda: os.open(path, os.O_RDONLY), lambda fd: None)
        if fd is not None:
            self.held.append((fd, group, path, want))

    def read_held(self):
        if not self.held:
            return
        fd, group, path, want = self.rng.choice(self.held)
        at = self.rng.randrange(len(want) + 1)
        if at == len(want):
            return      # the end of a file is told without a read
        self.attempt(f"reading on at {at} of {path}", group, lambda: pread(fd, 65536, at),
                     lambda got: self.same(path, got, want[at:at + 65536]))

    def run(self):
        while not self.w.is_over():
            self.rng.choice(self.acts)()
            time.sleep(self.rng.random() * 0.03)


def main(world, slot, top, failed):
    """The whole life of a reader's process; what is wrong goes to the descriptor `failed`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(10)     # who destroys and verifies gets on beside so many
    status = 0
    try:
        Reader(world, slot, top).run()
    except Wrong as why:
        status = 1
        os.write(failed, f"reader {slot}: {why}\n".encode(errors="replace"))
    except BaseException as why:     # noqa: BLE001 - anything else is told as well
        status = 1
        os.write(failed, f"reader {slot}: {type(why).__name__}: {why} at {world.heard(slot)[1]}\n".encode(errors="replace"))
    finally:
        os._exit(status)

"""What the soak's source holds, worked out from its seed: any byte of any file in any version, and which of it went.

Folders CLASS/gNN ("groups") are what is destroyed, one at a time.  Who reads asks `fate` before and after:

  ALIVE    it is served, with the very bytes
  DOOMED   somebody is destroying it: the very bytes or an error
  GONE     its certificate exists: an error
"""
import functools
import hashlib
import mmap
import os
import random
import struct

from officers import year

ALIVE, DOOMED, GONE = range(3)
CLASSES = ("com", "dro", "opn")
OLD = year(2001)
GROUPS_MAX = 200
FIRST_GROUPS = 18
KEPT = 6
SLOT = 192              # of a reader: pid, beats, wrongs, and what it is at


class World:
    """Shared by all processes of a soak: made before they fork."""

    def __init__(self, seed, slots):
        self.seed, self.slots = seed, slots
        self.memory = mmap.mmap(-1, 4096 + 4 * GROUPS_MAX + SLOT * slots)

    # ---- what is shared -----------------------------------------------------------

    def _byte(self, at, value=None):
        if value is not None:
            self.memory[at] = value
        return self.memory[at]

    def versions(self, value=None):
        """So many versions are sealed: v1, v2, ..."""
        return self._byte(0, value)

    def is_over(self, value=None):
        return self._byte(1, value)

    def groups(self, value=None):
        return self._byte(2, value)

    def fate(self, group, value=None):
        return self._byte(4096 + 4 * group, value)

    def birth(self, group, value=None):
        """The first version that has it."""
        return self._byte(4096 + 4 * group + 1, value)

    def removal(self, group, value=None):
        """The first version that does not; 0: it stays."""
        return self._byte(4096 + 4 * group + 2, value)

    def _slot(self, i):
        return 4096 + 4 * GROUPS_MAX + SLOT * i

    def say(self, i, beats, what):
        """Reader i begins its next act."""
        text = what.encode(errors="replace")[:SLOT - 24].ljust(SLOT - 24, b"\0")
        self.memory[self._slot(i) + 8:self._slot(i) + SLOT] = struct.pack("<Q", beats) + text + bytes(8)

    def heard(self, i):
        raw = self.memory[self._slot(i) + 8:self._slot(i) + SLOT]
        return struct.unpack("<Q", raw[:8])[0], raw[8:].rstrip(b"\0").decode(errors="replace")

    # ---- what stands where -----------------------------------------------------------

    def group_path(self, group):
        return f"{CLASSES[group % len(CLASSES)]}/g{group:02d}"

    def is_in(self, group, version):
        return self.birth(group) <= version and not 0 < self.removal(group) <= version

    @staticmethod
    def names(group):
        return [f"f{i}" for i in range(3 + group % 3)] + ["large"] + (["holes"] if group % 4 == 0 else [])

    @staticmethod
    def kept_names(i):
        return ["small", "table", "large", f"twin{i}"]

    def revision(self, path, version):
        """How often it had changed by then."""
        return sum(digest(f"{self.seed}/{path}/{v}") % 4 == 0 for v in range(2, version + 1))

    def group_content(self, group, name, version):
        path = f"{self.group_path(group)}/{name}"
        return content(self.seed, path, self.revision(path, version) if name != "f0" else 0)

    def kept_content(self, i, name, version):
        """The twin has the bytes of a file that goes: they stay for its sake."""
        if name.startswith("twin"):
            return self.group_content(i, "f0", 1)
        path = f"kep/k{i}/{name}"
        return content(self.seed, path, self.revision(path, version))

    # ---- on disk -------------------------------------------------------------------------

    def write(self, source, version):
        """Makes of the source of the version before that of this one."""
        for group in range(self.groups()):
            folder = os.path.join(source, self.group_path(group))
            if self.is_in(group, version):
                for name in self.names(group):
                    put(os.path.join(folder, name), self.group_content(group, name, version))
                os.utime(folder, (OLD, OLD))
        for i in range(KEPT):
            for name in self.kept_names(i):
                put(os.path.join(source, f"kep/k{i}", name), self.kept_content(i, name, version))


def digest(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


@functools.lru_cache(maxsize=48)
def content(seed, path, revision):
    rng = random.Random(digest(f"{seed}:{path}:{revision}"))
    name = path.rsplit("/", 1)[-1]
    if name == "large":
        half = b"".join(b"%d,%d,%s\n" % (i, rng.randrange(10 ** 9), path.encode()) for i in range(rng.randrange(3000, 12000)))
        return half + rng.randbytes(rng.randrange(400000, 1200000))
    if name == "holes":
        return b"head" + bytes(300000) + rng.randbytes(5000) + bytes(100000)
    if name == "table" or rng.random() < 0.5:
        return (b"%d a row of %s\n" % (rng.randrange(10 ** 6), path.encode())) * rng.randrange(1, 900)
    return rng.randbytes(rng.randrange(6000))


@functools.lru_cache(maxsize=512)
def sha(seed, path, revision):
    return hashlib.sha256(content(seed, path, revision)).hexdigest()


def put(path, data):
    """Writes what differs; with holes where the data has them."""
    try:
        with open(path, "rb") as f:
            if f.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        for at in range(0, len(data), 4096):
            piece = data[at:at + 4096]
            if piece.strip(b"\0"):
                f.seek(at)
                f.write(piece)
        f.truncate(len(data))
    os.setxattr(path, "user.soak", hashlib.sha256(data).hexdigest()[:16].encode())
    os.utime(path, (OLD, OLD))

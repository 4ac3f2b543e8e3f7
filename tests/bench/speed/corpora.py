"""The four kinds of source that are measured on, and how large they are."""
import dataclasses
import glob
import hashlib
import os
import shutil

import evolve
import machine

SEED = 20
MIB = 1 << 20
TREES = ("/usr/include", "/usr/share/doc", "/usr/share/perl", "/usr/lib/python3", "/usr/lib/python3.11",
         "/usr/share")
PROGRAMS = ("/usr/lib/gcc/*/*/cc1*", "/usr/bin/*")
OF_PROGRAMS = 0.15              # of the mixed files, in bytes


@dataclasses.dataclass(frozen=True)
class Scale:
    name: str
    folders: int                # of small files
    files: int                  # in each
    big: int                    # bytes
    mixed: int
    tree: int                   # of one release
    rounds: int
    seconds: float              # at most, of random reads
    limit: float                # of one step; beyond, it "did not finish"
    sample: int                 # bytes of each corpus at the highest compression level


SCALES = {
    "full": Scale("full", 2000, 100, 1024 * MIB, 460 * MIB, 42 * MIB, 3, 3.0, 40, 64 * MIB),
    "quick": Scale("quick", 200, 100, 104 * MIB, 46 * MIB, 5 * MIB, 3, 0.2, 10, 3 * MIB),
    "tiny": Scale("tiny", 10, 20, 4 * MIB, 2 * MIB, MIB // 2, 1, 0.2, 30, MIB),
}

KINDS = {
    "mixed": "real files of the machine: headers, documentation, scripts, programs",
    "versions": "five releases of a source tree",
    "big": "one log of text",
    "many": "small texts of 100 to 4,000 bytes, a hundred a folder",
}


class Corpora:
    """Each is made when it is first asked for, below `folder`; or found in `given`, and left alone."""

    def __init__(self, folder, given, scale, tools, git=None, tags=()):
        self.folder, self.given, self.scale, self.tools = folder, given, scale, tools
        self.git, self.tags = git, tags
        self.counted = {}

    def path(self, kind):
        if self.given and os.path.isdir(os.path.join(self.given, kind)):
            return os.path.join(self.given, kind)
        target = os.path.join(self.folder, kind)
        if not os.path.isdir(target):
            partial = target + ".partial"
            machine.remove(partial)
            os.makedirs(partial)
            getattr(self, f"_make_{kind}")(partial)
            os.rename(partial, target)
        return target

    def big_file(self):
        folder = self.path("big")
        return max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize)

    def releases(self):
        folder = self.path("versions")
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())

    def counts(self, kind):
        """Bytes, files, and files with folders."""
        if kind not in self.counted:
            self.counted[kind] = self._count(self.path(kind))
        return self.counted[kind]

    def _count(self, folder):
        size = files = entries = 0
        for where, folders, names in os.walk(folder):
            entries += len(folders) + len(names)
            for name in names:
                st = os.lstat(os.path.join(where, name))
                if os.path.stat.S_ISREG(st.st_mode):
                    size, files = size + st.st_size, files + 1
        return size, files, entries

    def sample(self, kind, size):
        """A part of a corpus, for what is too slow for all of it: whole folders up to this size."""
        target = os.path.join(self.folder, f"{kind}-sample")
        if not os.path.isdir(target):
            os.makedirs(target)
            _copy_some(self.path(kind), target, size)
        return target

    def make_files(self, target, folders, files):
        self._text("files", target, folders, files, SEED)

    def make_log(self, target, size):
        self._text("log", target, size, SEED)

    def _make_big(self, target):
        self.make_log(os.path.join(target, "events.log"), self.scale.big)

    def _make_many(self, target):
        self.make_files(target, self.scale.folders, self.scale.files)

    def _make_mixed(self, target):
        programs = [p for pattern in PROGRAMS for p in glob.glob(pattern)]
        rest = self.scale.mixed - _take(programs, target, self.scale.mixed * OF_PROGRAMS)
        for tree in TREES:
            if rest > 0:
                found = [os.path.join(where, name) for where, _, files in os.walk(tree) for name in files]
                # The tree of all that is shared is there to fill up, on a machine with little else.
                rest -= _take(found, target, rest if tree == TREES[-1] else self.scale.mixed * 0.3)

    def _make_versions(self, target):
        if self.git:
            evolve.from_git(target, self.git, self.tags)
        else:
            evolve.make(target, self.scale.tree, SEED)

    def _text(self, *words):
        machine.run([os.path.join(self.tools, "make_text"), *words], limit=600)


def _take(paths, target, size):
    """Copies regular files, in an order by chance, up to so many bytes; returns how many."""
    taken = 0
    for path in sorted(paths, key=lambda p: hashlib.sha256(os.fsencode(p)).digest()):
        if taken >= size:
            break
        copy = target + path
        if os.path.islink(path) or not os.path.isfile(path) or os.path.exists(copy):
            continue
        if os.path.getsize(path) > size / 2:
            continue
        try:
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(path, copy)
        except OSError:
            continue
        taken += os.path.getsize(copy)
    return taken


def _copy_some(source, target, size):
    taken = 0
    for where, folders, files in os.walk(source):
        folders.sort(key=lambda name: hashlib.sha256(os.fsencode(os.path.join(where, name))).digest())
        for name in sorted(files):
            path = os.path.join(where, name)
            if taken >= size:
                return
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            copy = os.path.join(target, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            if os.path.getsize(path) > size:
                with open(path, "rb") as old, open(copy, "wb") as new:
                    new.write(old.read(size))
            else:
                shutil.copy2(path, copy)
            taken += os.path.getsize(copy)

"""What is measured: muniment, its peers, the folder that needs no archive, and the mount that does nothing.

Each system is asked the same questions: what it lacks (missing), to make a store ready
(prepare), the command that takes a source in (intake), the commands that mount it (daemons),
and where the data then stands (root).
"""
import os
import shutil
import subprocess
import time

import machine

SECRET = "measured in public"
KEY_FILE = "key"


class System:
    name = title = ""
    group = "peer"              # ours, peer, reference, limit
    programs = ()
    encrypted = False
    takes_versions = False      # one after another, and again
    patience = 6.0              # seconds after which a step is not measured once more
    slow = True                 # in a brief run it is asked for little, and once
    in_brief = (("big", "ingest"), ("big", "read-all"))

    def __init__(self, bench):
        self.bench = bench

    def missing(self):
        lacking = [p for p in self.programs if not shutil.which(p)]
        return f"{', '.join(lacking)} not found" if lacking else ""

    def version(self):
        return ""

    def env(self):
        return {}

    def store(self, corpus):
        return os.path.join(self.bench.work, f"{self.name}-{corpus}")

    def prepare(self, store):
        os.makedirs(store)

    def intake(self, store, source, label):
        raise NotImplementedError

    def settle(self, store):
        """After the timed intake: what prepare() left mounted goes."""

    def sizes(self, store):
        return {"size": machine.tree_size(store)}

    def daemons(self, store, at):
        """(command, stays in the foreground) for each file system that makes up the mount."""
        return []

    def root(self, store, at):
        return at


class Folder(System):
    name, title, group = "folder", "plain folder", "reference"
    patience, slow = 40.0, False

    def intake(self, store, source, label):
        return ["cp", "-a", f"{source}/.", f"{store}/"], None

    def root(self, store, at):
        return store


class Squashfs(System):
    name, title = "squashfs", "squashfuse_ll"
    programs = ("mksquashfs", "squashfuse_ll")
    patience, slow = 30.0, False
    options = ("-comp", "zstd", "-Xcompression-level", "3", "-b", "128K")

    def version(self):
        return first_line(["mksquashfs", "-version"])

    def image(self, store):
        return os.path.join(store, "image")

    def intake(self, store, source, label):
        return ["mksquashfs", source, self.image(store), *self.options, "-noappend",
                "-no-progress", "-quiet"], None

    def daemons(self, store, at):
        return [(["squashfuse_ll", self.image(store), at], False)]


class SquashfsSmall(Squashfs):
    """Sizes only: the smallest that mksquashfs makes within reason."""
    name, title = "squashfs-19", "squashfs, zstd 19, 1 MiB"
    options = ("-comp", "zstd", "-Xcompression-level", "19", "-b", "1M")


class Gocryptfs(System):
    name, title, encrypted = "gocryptfs", "gocryptfs", True
    programs = ("gocryptfs",)

    def version(self):
        return first_line(["gocryptfs", "-version"])

    def cipher(self, store):
        return os.path.join(store, "cipher")

    def plain(self, store):
        return os.path.join(store, "plain")

    def _open(self, store, at, *options):
        return ["gocryptfs", "-q", *options, "-extpass", f"echo {SECRET}", self.cipher(store), at]

    def prepare(self, store):
        os.makedirs(self.cipher(store))
        os.makedirs(self.plain(store))
        done_quietly(["gocryptfs", "-q", "-init", "-extpass", f"echo {SECRET}", self.cipher(store)])
        done_quietly(self._open(store, self.plain(store)))

    def settle(self, store):
        self.bench.unmount(self.plain(store))

    def intake(self, store, source, label):
        return ["cp", "-a", f"{source}/.", f"{self.plain(store)}/"], None

    def sizes(self, store):
        return {"size": machine.tree_size(self.cipher(store))}

    def daemons(self, store, at):
        return [(self._open(store, at, "-ro"), False)]


class SquashfsOverGocryptfs(Gocryptfs):
    name, title = "squashfs-gocryptfs", "squashfuse_ll over gocryptfs"
    programs = ("gocryptfs", "mksquashfs", "squashfuse_ll")

    def version(self):
        return ""

    def intake(self, store, source, label):
        return ["mksquashfs", source, f"{self.plain(store)}/image", *Squashfs.options, "-noappend",
                "-no-progress", "-quiet"], None

    def daemons(self, store, at):
        return [(self._open(store, self.plain(store), "-ro"), False),
                (["squashfuse_ll", f"{self.plain(store)}/image", at], False)]


class Borg(System):
    name, title, encrypted, takes_versions = "borg", "borg", True, True
    programs = ("borg",)
    in_brief = (*System.in_brief, ("many", "ingest"))

    def version(self):
        return first_line(["borg", "--version"])

    def env(self):
        return {"BORG_PASSPHRASE": SECRET, "BORG_BASE_DIR": os.path.join(self.bench.work, "borg-own"),
                "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}

    def prepare(self, store):
        os.makedirs(store)
        done_quietly(["borg", "init", "-e", "repokey-blake2", f"{store}/repository"], self.env())

    def intake(self, store, source, label):
        return ["borg", "create", "-C", "zstd,3", f"{store}/repository::{label}", "."], source

    def sizes(self, store):
        return {"size": machine.tree_size(f"{store}/repository")}

    def daemons(self, store, at):
        return [(["borg", "mount", f"{store}/repository::first", at], False)]


class Restic(System):
    name, title, encrypted, takes_versions = "restic", "restic", True, True
    programs = ("restic",)
    in_brief = (*System.in_brief, ("many", "ingest"))

    def version(self):
        return first_line(["restic", "version"])

    def env(self):
        return {"RESTIC_PASSWORD": SECRET, "RESTIC_CACHE_DIR": os.path.join(self.bench.work, "restic-own")}

    def prepare(self, store):
        os.makedirs(store)
        done_quietly(["restic", "-q", "init", "--repository-version", "2", "-r", f"{store}/repository"],
               self.env())

    def intake(self, store, source, label):
        return ["restic", "-q", "-r", f"{store}/repository", "backup", "--tag", label, "."], source

    def sizes(self, store):
        return {"size": machine.tree_size(f"{store}/repository")}

    def daemons(self, store, at):
        return [(["restic", "-r", f"{store}/repository", "mount", at], True)]

    def root(self, store, at):
        # "latest" is a symbolic link, which find does not enter.
        return os.path.realpath(os.path.join(at, "tags", "first", "latest"))


class Dwarfs(System):
    name, title = "dwarfs", "DwarFS"
    programs = ("mkdwarfs", "dwarfs")
    options = ("-l5", "-C", "zstd:level=3")

    def version(self):
        return first_line(["mkdwarfs", "--help"])

    def intake(self, store, source, label):
        return ["mkdwarfs", "-i", source, "-o", f"{store}/image", *self.options, "--no-progress",
                "--log-level=warn"], None

    def daemons(self, store, at):
        return [(["dwarfs", f"{store}/image", at, "-o", f"workers={os.cpu_count()}"], False)]


class NullFs(System):
    """Has no store: it shows as many files as the corpus of small ones, or one as large as the big one."""
    name, title, group = "null", "null FUSE", "limit"
    patience, slow = 40.0, False

    def program(self):
        return os.path.join(self.bench.tools, "null_fs")

    def missing(self):
        return "" if os.access(self.program(), os.X_OK) else f"{self.program()} is not built"

    def daemons(self, store, at):
        if store == self.store("big"):
            shape = 0, 0, 0, self.bench.big_size()
        else:
            size, files, entries = self.bench.corpora.counts("many")
            folders = max(1, entries - files)
            shape = folders, files // folders, size // files, 0
        return [([self.program(), at, *map(str, shape)], False)]


PEERS = (Squashfs, SquashfsOverGocryptfs, Gocryptfs, Borg, Restic, Dwarfs)


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = (done.stdout or done.stderr).decode(errors="replace")
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def done_quietly(command, env=None):
    done = machine.run(command, env=env, limit=120)
    if not done.finished:
        raise machine.Missing(f"{command[0]} did not end")


def wait_for(at, limit=60):
    """Until something is mounted there; for daemons that stay in the foreground."""
    end = time.monotonic() + limit
    while not os.path.ismount(at):
        if time.monotonic() > end:
            raise machine.Missing(f"nothing was mounted on {at}")
        time.sleep(0.002)

"""muniment as one of the systems that are measured: at its defaults, unlocked with a key file."""
import os
import subprocess

import machine
import systems


class Muniment(systems.System):
    name, title, group, encrypted, takes_versions = "muniment", "muniment", "ours", True, True
    patience, slow = 60.0, False
    init = ()                   # options beyond the defaults

    def __init__(self, bench):
        super().__init__(bench)
        self.muni = os.path.join(bench.build, "muni")
        self.munifs = os.path.join(bench.build, "munifs")

    def missing(self):
        return "" if os.access(self.muni, os.X_OK) else f"{self.muni} is not built"

    def version(self):
        return systems.first_line([self.muni, "--version"])

    def has_option(self, command, option):
        told = subprocess.run([self.muni, command, "--help"], capture_output=True, text=True)
        return option in told.stdout

    def archive(self, store):
        return os.path.join(store, "archive")

    def keys(self, store):
        return ["--keyring", f"{store}/keyring", "--key-file", f"{store}/key"]

    def prepare(self, store):
        os.makedirs(store)
        with open(f"{store}/key", "wb") as file:
            file.write(os.urandom(32))
        os.chmod(f"{store}/key", 0o600)
        done = machine.run([self.muni, "init", self.archive(store), *self.keys(store), *self.init])
        if not done.finished:
            raise machine.Missing("muni init did not end")

    def intake(self, store, source, label):
        return [self.muni, "ingest", self.archive(store), source, "--system", "s", "--version", label,
                "-q", *self.keys(store)], None

    def command(self, store, *words):
        return [self.muni, words[0], self.archive(store), *words[1:], *self.keys(store)]

    def daemons(self, store, at):
        options = f"keyring={store}/keyring,key-file={store}/key,system=s,version=first"
        return [([self.munifs, self.archive(store), at, "-o", options], False)]

    def sizes(self, store):
        """Data, the catalogue, its second home and parity apart: the last buys repair, not storage."""
        sums = {"data": 0, "catalogue": 0, "copies": 0, "parity": 0, "rest": 0}
        for where, _, files in os.walk(self.archive(store)):
            for name in files:
                size = os.lstat(os.path.join(where, name)).st_size
                sums[_part_of(name)] += size
        return {"size": sum(sums.values()) - sums["parity"],
                **{f"size-{part}": size for part, size in sums.items()}}


def _part_of(name):
    if name.startswith("catalogue"):
        return "catalogue"
    return {".seg": "data", ".cat": "copies", ".par": "parity"}.get(os.path.splitext(name)[1], "rest")


class MunimentDense(Muniment):
    name, title = "muniment-dense", "muniment --dense"

    def __init__(self, bench):
        super().__init__(bench)
        if not super().missing() and self.has_option("init", "--dense"):
            self.init = ("--dense",)

    def missing(self):
        return super().missing() or ("" if self.init else "this build has no --dense")


class MunimentSmall(Muniment):
    name, title = "muniment-19", "muniment --level 19"
    init = ("--level", "19")

"""An archive in which blocks lean on each other several deep, what its source had in every version, and what must hold of
it once some of its records were destroyed.  Written without the product's own account: what goes and what stays is worked
out here from the source; blocks and bases are looked at by reader.py and raw.py.

Imports reader.py, and with it python3-cryptography and python3-zstandard."""
import json
import os
import random
import shutil
import subprocess
import time

import reader
from graves import OLD, betrayals, contents, keeper, read, secret_of, take_in
from muniment import MUNI, can_mount, unmount
from officers import Keeper
from raw import Spoils

NEW = int(time.time()) - 40 * 86400
CLASSES = {"com": "COM", "dro": "DRO", "opn": "OPN", "kep": "KEP"}
VERSIONS = 6
NEEDLES = 200           # lines of what goes that are looked for, by chance


class Tree:
    """A source that changes: files of lines that stand nowhere else, of which each version has two in a hundred others."""

    def __init__(self, folder, seed, files=7, lines=360, big=5000):
        self.folder, self.rng, self.files, self.all = folder, random.Random(seed), {}, {}
        self.due = {}           # (label, path): whether its time has come
        for top in CLASSES:
            for i in range(files):
                self.files[f"{top}/d{i % 3}/{self.word()}{i}.txt"] = self.text(lines)
        for top in ("com", "dro"):
            self.files[f"{top}/{self.word()}-big.txt"] = self.text(big)
        # The same bytes in another class, and in the same class under another name.
        self.twins = {}
        for top, of in (("kep", "dro"), ("dro", "dro"), ("com", "com")):
            origin = sorted(p for p in self.files if p.startswith(of + "/d1/"))[0]
            self.twins[f"{top}/twin/{self.word()}-{of}.txt"] = origin

    def word(self):
        return "".join(self.rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))

    def line(self):
        return " ".join("".join(self.rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(self.rng.randrange(3, 9)))
                        for _ in range(7))

    def text(self, lines):
        return [self.line() for _ in range(lines)]

    def change(self):
        """One file in six stays as it is; of the others two lines in a hundred are new, and one is taken out."""
        for path, lines in self.files.items():
            if self.rng.random() < 0.17:
                continue
            for at in self.rng.sample(range(len(lines)), len(lines) // 50):
                lines[at] = self.line()
            del lines[self.rng.randrange(len(lines))]

    def write(self, label):
        """Of what is new or changed, and may go at all, a third is due under com, all under dro and opn."""
        now = dict(self.files)
        now.update({twin: self.files[origin] for twin, origin in self.twins.items()})
        for path, lines in now.items():
            data = ("\n".join(lines) + "\n").encode()
            full = os.path.join(self.folder, path)
            before = self.all.get((str(int(label) - 1), path))
            if before and before[1] == data:
                self.all[label, path] = before
                continue
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as f:
                f.write(data)
            is_due = not path.startswith("kep/") and (not path.startswith("com/") or self.rng.random() < 0.33)
            when = (OLD if is_due else NEW) + int(label)
            os.utime(full, (when, when))
            self.all[label, path] = ((path, label), data)   # a record, by its path and its first version
            self.due[path, label] = is_due


def make(folder, seed, init=(), **sizes):
    """An archive with all versions of a tree, in a folder of its own; returns the tree."""
    os.makedirs(folder)
    os.chdir(folder)
    try:
        a = keeper(init=init)
        t = Tree("src", seed, **sizes)
        for n in range(1, VERSIONS + 1):
            if n > 1:
                t.change()
            t.write(str(n))
            take_in(a, "src", "s", str(n))
        shutil.rmtree("src")
    finally:
        os.chdir("..")
    return t


class Leaning:
    """Who leans on whom, by the independent reader."""

    def __init__(self, r):
        self.bases = {n: [b for b in bases if b] for n, *bases in r.db.execute("SELECT id, base1, base2 FROM block ORDER BY id")}
        self.depth, self.on = {}, {n: [] for n in self.bases}
        for n, bases in self.bases.items():
            self.depth[n] = 1 + max(self.depth[b] for b in bases) if bases else 0
            for b in bases:
                self.on[b].append(n)
        self.height = {}
        for n in reversed(self.bases):
            self.height[n] = 1 + max(self.height[x] for x in self.on[n]) if self.on[n] else 0

    def deepest(self):
        return max(self.depth.values(), default=0)


def pages_of(r, content):
    """All extents of a content."""
    offset, blob = 0, r.one("SELECT extents FROM content WHERE id = ?", content)[0]
    while True:
        found, more = reader.extents(blob, offset)
        yield from found
        if not more:
            return
        offset, blob = r.one("SELECT page, extents FROM content_page WHERE content = ? AND page > ? ORDER BY page LIMIT 1",
                             content, found[-1][0])


def records_in(r, block):
    """(label, path) of the files that have bytes in a block."""
    found = set()
    for version in r.versions():
        for path, kind, node in r.walk(version[0], version[3]):
            if kind == 1 and node["content"] and any(x[2] == block for x in pages_of(r, node["content"])):
                found.add((version[2].decode(), path.decode()))
    return found


def check_blocks(r):
    """No block has a byte that no file has; none lacks a base, leans on another class, or on what came after it."""
    used = {}
    for number, in r.db.execute("SELECT id FROM content").fetchall():
        for _, size, block, at in pages_of(r, number):
            used.setdefault(block, set()).add((at, at + size))
    for number, raw, of, *bases in r.db.execute("SELECT id, raw, class, base1, base2 FROM block").fetchall():
        end = 0
        for first, last in sorted(used.get(number, ())):
            assert first <= end, f"bytes {end} to {first} of block {number} are nobody's"
            end = max(end, last)
        assert end == raw, f"block {number} has {raw} bytes, of which {end} are somebody's"
        for b in filter(None, bases):
            assert b < number and r.one("SELECT class FROM block WHERE id = ?", b)[0] == of, (number, b)


class World:
    """A copy of such an archive, with what it is to hold."""

    def __init__(self, name, base, tree, is_parity=True):
        shutil.rmtree(name, ignore_errors=True)
        shutil.copytree(base, name, symlinks=True)
        self.name, self.truth, self.due, self.is_parity = name, dict(tree.all), tree.due, is_parity
        self.a = Keeper(os.path.join(name, "archive"), create=False)
        self.ca = os.path.join(name, "ca.pem")
        with open(self.ca, "w", encoding="ascii") as f:
            for who in ("rita", "otto"):
                for part in ("pem", "key"):
                    shutil.copy(os.path.join(name, f"{who}.{part}"), f"{who}.{part}")
                with open(f"{who}.pem", encoding="ascii") as one:
                    f.write(one.read())
        self.made, self.costs = 0, []

    def remove(self):
        shutil.rmtree(self.name)

    # ---- what is to go ----

    def records(self, where):
        """The records, due, of which (label, path) is one that `where` takes; those that stand in that version alone."""
        return {record for (label, path), (record, _) in self.truth.items() if self.due[record] and where(label, path, record)}

    def alone(self, record):
        return sum(1 for r, _ in self.truth.values() if r == record) == 1

    def is_unique(self, place):
        """No other record has these bytes, nor, of a file in chunks, some of them."""
        record, data = self.truth[place]
        return "-big" not in place[1] and all(r == record or d != data for r, d in self.truth.values())

    def kept(self):
        """(label, path): bytes."""
        return {place: data for place, (_, data) in self.truth.items()}

    # ---- what is there ----

    def exported(self, label):
        to = os.path.join(self.name, "out")
        shutil.rmtree(to, ignore_errors=True)
        self.a.run("export", f"s@{label}", "--to", to, "--format", "dir")
        found = files_below(to)
        shutil.rmtree(to)
        return found

    def check_export(self, wanted, versions=None):
        for label in versions or labels(wanted):
            same(f"export of {label}", self.exported(label), of_version(wanted, label))

    def check_mount(self, wanted, where):
        shown = set(os.listdir(os.path.join(where, "s", "versions")))
        assert set(labels(wanted)) <= shown, (labels(wanted), shown)
        for label in labels(wanted):
            same(f"mount of {label}", files_below(os.path.join(where, "s", "versions", label)), of_version(wanted, label))

    def check_reader(self, wanted):
        r = read(self.a)
        found = {(k[1].decode(), k[2].decode()): v[4] for k, v in contents(r).items() if v[0] == 1}
        same("independent reader", found, wanted)
        assert r.check_files() and r.check_log()
        check_blocks(r)
        return r

    def mounted(self):
        return self.a.mount(os.path.join(self.name, "mnt"))

    def check(self, is_mounted=False):
        """Whatever is to be there is, byte for byte, by whatever way; nothing more."""
        wanted = self.kept()
        self.check_export(wanted)
        if can_mount() and not is_mounted:
            where = self.mounted()
            try:
                self.check_mount(wanted, where)
            finally:
                unmount(where)
        self.check_reader(wanted)
        self.a.run("verify", "--deep")
        self.a.ask("audit", "verify")

    # ---- a destruction ----

    def proposed(self, *scope, records):
        """The disposition's id; it lists these records and no others."""
        d = self.a.id("dispose", "propose", *scope, by="rita")
        rows = [json.loads(x) for x in self.a.ask("dispose", "show", d, "--json").splitlines()]
        listed = sorted((x["item"]["path"], x["item"]["versions"][0]) for x in rows if x["type"] == "disposition_item")
        assert listed == sorted(records), f"listed and not to go, or the other way: {sorted(set(listed) ^ set(records))[:9]}"
        self.a.ask("dispose", "approve", d, by="otto")
        return d

    def before(self):
        """All of it as it is, for those who will have kept a copy."""
        b = Before(self)
        self.old = b
        return b

    def lines_of(self, records):
        gone, stays = set(), set()
        for record, data in self.truth.values():
            (gone if record in records else stays).update(data.splitlines())
        return sorted(gone - stays)

    def needles(self, records, rng):
        """Lines that only they have; names that go with them."""
        lines = self.lines_of(records)
        wanted = {f"line {i}": line for i, line in enumerate(rng.sample(lines, min(NEEDLES, len(lines))))}
        left = {path for (_, path), (record, _) in self.truth.items() if record not in records}
        for path, label in records:
            if path not in left and not path.startswith("opn/"):
                wanted[f"name {path}"] = os.path.basename(path).encode()
        return wanted

    def went(self, records):
        self.truth = {k: v for k, v in self.truth.items() if v[0] not in records}

    def destroy(self, *scope, records, rng, execute=None, is_mounted=False):
        """Proposed, approved, executed, and looked for by everybody."""
        assert records, "nothing is to go"
        wanted = self.needles(records, rng)
        d = self.proposed(*scope, records=records)
        old = self.before()
        if execute:
            execute(self, d, records)
        else:
            self.a.ask("dispose", "execute", d, by="rita")
        self.made += 1
        self.costs.append(old.cost(records))
        self.went(records)
        self.check(is_mounted)
        old.nobody_finds(wanted)
        self.check_certificate()
        if self.is_parity:
            self.check_parity(rng)
        old.remove()
        return wanted

    def check_cost(self):
        """What stays is not larger for what went: survivors lean again (docs/decisions/0180).  When they stood alone, one file
        took the archive to twice its size."""
        c = self.costs[-1]
        assert c["live after"] < c["live"] * 1.1, c
        assert c["deepest after"] >= min(3, c["deepest"]) or c["live after"] < c["live"] / 2, c

    def check_certificate(self):
        """By a stranger: with muni and no archive; with stock openssl alone."""
        name, to = f"C{self.made}", os.path.join(self.name, "cert.p7m")
        self.a.ask("cert", "show", name, "--to", to, "--all")
        done = subprocess.run([MUNI, "cert", "verify", to, "--ca", self.ca, "--json"], capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        text = os.path.join(self.name, "cert.text")
        subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", to, "-CAfile", self.ca, "-purpose", "any",
                        "-out", text], check=True, capture_output=True)
        with open(text, "rb") as f:
            said = json.load(f)
        with open(to, "r+b") as f:
            f.seek(os.path.getsize(to) // 3)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 4]))
        done = subprocess.run([MUNI, "cert", "verify", to, "--ca", self.ca], capture_output=True, check=False)
        assert done.returncode not in (0, 2), "a byte of the certificate was changed, and nobody minds"
        return said

    def check_parity(self, rng):
        """A place in a segment is lost, of those that blocks lean on if there are such: parity gives it back."""
        r = read(self.a)
        lean = Leaning(r)
        blocks = [n for n in lean.on if lean.on[n]] or list(lean.on)
        if not blocks:
            return
        uid, offset, size = r.one("SELECT s.uid, b.offset, b.stored FROM block b JOIN segment s ON s.id = b.segment"
                                  " WHERE b.id = ?", rng.choice(blocks))
        path = os.path.join(self.a.path, "segments", uid.hex()[:2], uid.hex() + ".seg")
        os.chmod(path, 0o600)
        with open(path, "r+b") as f:
            f.seek(offset + size // 2)
            was = f.read(1)
            f.seek(offset + size // 2)
            f.write(bytes([was[0] ^ 1]))
        self.a.run("verify", status=5)
        self.a.run("repair")
        self.check_export(self.kept(), versions=labels(self.kept())[-1:])
        self.a.run("verify", "--deep")


class Before:
    """A copy of archive and keyring from before a destruction, and what can be had with it after."""

    def __init__(self, world):
        self.w, self.folder = world, os.path.join(world.name, "old")
        self.keyring = self.folder + ".keyring"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(world.a.path, self.folder)
        shutil.copy(world.a.keyring, self.keyring)
        self.reader = reader.Archive(self.folder, self.keyring, secret_of(world.a), False)
        self.leaning = Leaning(self.reader)
        self.segments = segments_of(self.folder)

    def remove(self):
        shutil.rmtree(self.folder)

    def cost(self, records):
        """Bytes: of the files that went, as they were; what of that no kept file has, stored; written anew; and sums of all."""
        now = segments_of(self.w.a.path)
        of = {record: data for record, data in self.w.truth.values()}
        after = read(self.w.a)
        return {"destroyed": sum(len(of[record]) for record in records), "records": len(records),
                "anew": sum(size for name, size in now.items() if name not in self.segments),
                "segments": sum(self.segments.values()), "segments after": sum(now.values()),
                "blocks": len(self.leaning.bases),
                "live": self.reader.one("SELECT sum(stored) FROM block")[0],
                "live after": after.one("SELECT coalesce(sum(stored), 0) FROM block")[0],
                "deepest": self.leaning.deepest(), "deepest after": Leaning(after).deepest()}

    def with_old_keys(self, present, secrets, lines):
        """Who has keyring and catalogue of before, and the segments of now: the limit that docs/threat-model.md states.  What
        he opens of what went lies in blocks that no row names any more, whose ciphertext shares a segment with what stays."""
        for at, _, names in os.walk(os.path.join(self.folder, "segments")):
            for name in names:
                if not name.endswith(".cat"):
                    os.unlink(os.path.join(at, name))
        for name in segments_of(self.w.a.path):
            os.makedirs(os.path.join(self.folder, "segments", name[:2]), exist_ok=True)
            shutil.copy(os.path.join(self.w.a.path, "segments", name[:2], name), os.path.join(self.folder, "segments", name[:2]))
        places = {where for all_of in Spoils(self.folder, self.keyring, secrets).search(lines).values() for where in all_of}
        named = {f"block {uid.hex()}" for uid in present.rows}
        assert not places & named, places & named
        return places

    def nobody_finds(self, wanted):
        a, secrets = self.w.a, [(secret_of(self.w.a), False)]
        wanted = dict(wanted)
        wanted.update(betrayals(self.reader, read(a)))
        control = Spoils(self.folder, self.keyring, secrets)
        assert set(control.rows) <= set(control.blocks), "an old block is not opened: the search can find nothing in it"
        missed = {k for k in set(wanted) - set(control.search(wanted)) if not k.startswith("name")}
        assert not missed, f"the search finds not even in what was before: {sorted(missed)[:5]}"
        present = Spoils(a.path, a.keyring, secrets)
        nothing("the archive as it is now", present, wanted)
        nothing("the archive of before with all keys of now", Spoils(self.folder, a.keyring, secrets, more_keys=present.block_keys),
                wanted)
        nothing("the archive as it is now with the keyring of before", Spoils(a.path, self.keyring, secrets), wanted)
        self.with_old_keys(present, secrets, {k: v for k, v in wanted.items() if k.startswith("line")})


def nothing(who, spoils, wanted):
    found = spoils.search(wanted)
    assert not found, f"{who}: " + json.dumps({k: v[:3] for k, v in sorted(found.items())[:9]}, indent=1)


def segments_of(folder):
    return {n: os.path.getsize(os.path.join(at, n)) for at, _, names in os.walk(os.path.join(folder, "segments")) for n in names
            if n.endswith(".seg")}


def files_below(top):
    found = {}
    for at, _, names in os.walk(top):
        for name in names:
            full = os.path.join(at, name)
            with open(full, "rb") as f:
                found[os.path.relpath(full, top)] = f.read()
    return found


def labels(wanted):
    return sorted({label for label, _ in wanted})


def of_version(wanted, label):
    return {path: data for (at, path), data in wanted.items() if at == label}


def same(who, found, wanted):
    assert set(found) == set(wanted), f"{who}: {sorted(set(found) ^ set(wanted))[:5]}"
    for place, data in wanted.items():
        assert found[place] == data, f"{who}: {place} is another"

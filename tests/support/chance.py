#!/usr/bin/python3
"""A life by chance: CHANCE_STEPS acts (60) on one archive, drawn by CHANCE_SEED, each with some chance of being killed, torn
or refused by its disk, and then given again; and after each what a plain model says must be there.

The model is a dictionary: what each version held when it was taken in, less what the dispositions that were executed list.
Held against it: exports, a mount that stays while things happen, and the independent reader.  Files of the archive are
altered, cut and lost now and then, one at a time: `verify` has to say so, `repair` has to mend it.  Backups are put back and
restored with the certificates since.  Each act is told as it begins, so that a seed that fails says where."""
import collections
import copy
import glob
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu                                                           # noqa: E402
try:
    import graves
    from faults import FAULT, World
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
from officers import officer                                                    # noqa: E402

STEPS = int(os.environ.get("CHANCE_STEPS", "60"))
SEED = int(os.environ.get("CHANCE_SEED", os.environ.get("MUNIMENT_SEED", "20261122")))
RITA, OTTO = (("--by", name, "--key", os.path.abspath(f"{name}.key")) for name in ("rita", "otto"))
CLASSES = ("com", "dro", "opn", "kep")
DIRECTORY = 2   # kind of an entry (docs/format.md)
HOWS = ("kill", "kill", "tear", "EIO", "ENOSPC", "short")


class Wrong(Exception):
    pass


def want(holds, *what):
    if not holds:
        raise Wrong(" ".join(map(str, what)))


def sha(data):
    return hashlib.sha256(data).hexdigest()[:24]


class Source:
    """A folder that changes between two ingests of it."""

    def __init__(self, name, rng):
        self.name, self.rng, self.made = name, rng, 0
        os.makedirs(name)

    def paths(self):
        return sorted(os.path.relpath(os.path.join(d, n), self.name) for d, _, names in os.walk(self.name) for n in names)

    def body(self):
        rng = self.rng
        kind = rng.choice(("rows", "rows", "random", "edited", "edited", "same", "empty", "holes", "large"))
        if kind in ("edited", "same") and self.paths():
            path = os.path.join(self.name, rng.choice(self.paths()))
            if os.path.islink(path):
                return b"instead of a link\n"
            with open(path, "rb") as f:
                data = bytearray(f.read())
            for _ in range(rng.randrange(1, 4) if kind == "edited" else 0):
                at = rng.randrange(len(data) + 1)
                data[at:at + rng.randrange(3) * 10] = b"<edit %d>" % rng.randrange(10 ** 6)
            return bytes(data)
        if kind == "empty":
            return b""
        if kind == "holes":
            return b"head" + bytes(rng.randrange(300_000)) + rng.randbytes(3000)
        if kind == "random":
            return rng.randbytes(rng.randrange(9000))
        rows = rng.randrange(20, 12_000 if kind == "large" else 900)
        return b"".join(b"%d;%d;a row of %d\n" % (i, rng.randrange(10 ** 7), self.made) for i in range(rows))

    def put(self, path, data):
        full = os.path.join(self.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if os.path.lexists(full):
            os.unlink(full)     # and no other name of a hard link with it
        with open(full, "wb") as f:
            f.write(data)
        os.utime(full, (graves.OLD + self.rng.randrange(5) * 86400,) * 2)

    def new_path(self):
        self.made += 1
        folder = "/".join(f"g{self.rng.randrange(3)}" for _ in range(self.rng.randrange(3)))
        name = self.rng.choice(("file{}.txt", "ein Käse {}.csv", "a\nline {}", "x{}" + "y" * 90)).format(self.made)
        return os.path.join(self.rng.choice(CLASSES), folder, name)

    def change(self):
        rng, there = self.rng, self.paths()
        for _ in range(rng.randrange(2, 12)):
            what = rng.choice(("new", "new", "alter", "remove", "rename", "symlink", "hardlink", "mode")) if there else "new"
            old = rng.choice(there) if there else None
            full = os.path.join(self.name, old) if old else None
            if what == "new":
                self.put(self.new_path(), self.body())
            elif not os.path.lexists(full):
                continue
            elif what == "alter":
                self.put(old, self.body())
            elif what == "remove":
                os.unlink(full)
            elif what == "mode" and not os.path.islink(full):
                os.chmod(full, rng.choice((0o600, 0o644, 0o755, 0o440)))
            else:
                new = os.path.join(self.name, self.new_path())
                os.makedirs(os.path.dirname(new), exist_ok=True)
                if what == "rename":
                    os.rename(full, new)
                elif what == "symlink":
                    os.symlink(os.path.basename(old), new)
                    os.utime(new, (graves.OLD, graves.OLD), follow_symlinks=False)
                elif what == "hardlink":
                    os.link(full, new, follow_symlinks=False)

    def snapshot(self):
        found = {}
        for path in self.paths():
            full = os.path.join(self.name, path)
            if os.path.islink(full):
                found[path] = ("link", os.readlink(full))
            else:
                with open(full, "rb") as f:
                    found[path] = (stat.S_IMODE(os.stat(full).st_mode), sha(f.read()))
        return found


def of_tar(path):
    found, bodies = {}, {}
    with tarfile.open(path, errors="surrogateescape") as t:
        for m in t:
            name = m.name.removeprefix("./")
            if m.issym():
                found[name] = ("link", m.linkname)
            elif m.islnk():
                found[name] = found[m.linkname.removeprefix("./")]
            elif m.isfile():
                found[name] = (m.mode, sha(t.extractfile(m).read()))
    return found


def of_folder(top):
    found = {}
    for d, _, names in os.walk(top):
        for n in names:
            full = os.path.join(d, n)
            path = os.path.relpath(full, top)
            if os.path.islink(full):
                found[path] = ("link", os.readlink(full))
            else:
                with open(full, "rb") as f:
                    found[path] = (stat.S_IMODE(os.fstat(f.fileno()).st_mode), sha(f.read()))
    return found


def differences(is_there, should):
    lines = [f"{p!r}: {is_there.get(p)} is there, {should.get(p)} should be" for p in sorted({*is_there, *should})
             if is_there.get(p) != should.get(p)]
    return "; ".join(lines[:6]) + (f"; and {len(lines) - 6} more" if len(lines) > 6 else "")


class Model:
    """versions: {system: {label: {path: what}}}, in their order; holds: {id: which versions of an item it keeps}."""

    def __init__(self):
        self.versions, self.holds = {"s": {}, "t": {}}, {}


class Life:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.w = World("w")
        os.makedirs(self.w.folder)
        with open("key", "wb") as f:
            f.write(b"0123456789abcdef" * 4)
        with open("policy.yaml", "w", encoding="utf-8") as f:
            f.write(graves.POLICY)
        for name in ("rita", "otto"):
            officer(name)
        self.sources = {name: Source(name, self.rng) for name in ("s", "t")}
        self.model, self.backups, self.labels, self.cases = Model(), [], 0, 0
        self.counts = collections.Counter()
        self.is_mounted = False
        os.makedirs("safe")

    def tell(self, *words):
        print(f"{self.step}:", *words, flush=True)

    # ---- giving commands ------------------------------------------------------------------------

    def json(self, *command):
        return [json.loads(line) for line in self.w.run(*command, "--json").splitlines()]

    def act(self, what, words, is_done=None, faults=0.35, looks=True):
        """Gives the command, perhaps one that fails on the way, and then again until it is done (is_done None: has ended
        well)."""
        self.counts[what] += 1
        if self.rng.random() < faults:
            how, nth = self.rng.choice(HOWS), int(2 ** (self.rng.random() * 9.5))
            env = {"LD_PRELOAD": FAULT, "FAULT_NTH": str(nth), "FAULT_HOW": how}
            if how == "ENOSPC":
                env["FAULT_STICKY"] = "1"
            self.w.run(*words, status=None, env=env)
            self.tell(what, f"with {how} at call {nth}: {self.w.status}")
            want(self.w.status in (0, 1, 5, -9), f"exit {self.w.status}: {self.w.errors}")
            want(self.w.status <= 0 or self.w.errors.strip(), "it failed and said nothing")
            self.counts["faults"] += self.w.status != 0
            if self.w.status == 0:
                want(is_done is None or is_done(), "it ended well and is not done")
                return
            if looks and self.rng.random() < 0.3:
                self.look()
            if is_done is not None and is_done():
                return
        self.tell(what)
        self.w.run(*words)
        want(is_done is None or is_done(), "it ended well and is not done")

    # ---- acts -----------------------------------------------------------------------------------

    def ingest(self):
        system = self.rng.choice(("s", "s", "t"))
        source = self.sources[system]
        source.change()
        self.labels += 1
        label = f"v{self.labels}"
        given = source.name
        if system == "t" and self.rng.random() < 0.5:
            given = "t.tar"
            subprocess.run(["tar", "--format=pax", "-cf", given, "-C", source.name, "."], check=True)
        self.act("scan", ("scan", given, "--system", system, "-q"))
        self.act("classify", ("classify", "--system", system, "--policy", "policy.yaml"))
        held = source.snapshot()
        words = ("ingest", given, "--system", system, "--version", label, "-q")
        self.act(f"ingest of {given} as {label}", words, lambda: any(r.get("version") == label for r in self.json("log")))
        self.model.versions[system][label] = held

    def folder(self):
        return self.rng.choice(CLASSES[:3]) + self.rng.choice(("", "/g0", "/g1", "/g2"))

    def hold(self):
        if self.model.holds and self.rng.random() < 0.6:
            one = self.rng.choice(sorted(self.model.holds))
            self.act(f"release of {one}", ("hold release", one, "--reason", "over"),
                     lambda: all(r.get("hold") != one for r in self.json("hold list")))
            del self.model.holds[one]
            return
        self.cases += 1
        case, folder, is_standing = f"case{self.cases}", self.folder(), self.rng.random() < 0.4
        self.act(f"hold on {folder}" + (" and what comes" if is_standing else ""),
                 ("hold add", "--case", case, "--reason", "r", "--path", f"{folder}/**", *["--standing"] * is_standing),
                 lambda: any(r.get("case") == case for r in self.json("hold list")))
        one = [r["hold"] for r in self.json("hold list") if r.get("case") == case]
        want(len(one) == 1, "one hold was asked for, these came:", one)
        self.model.holds[one[0]] = self.held(folder, is_standing)

    def held(self, folder, is_standing):
        """Of an item the versions in which this hold keeps it: those that were there, or all that ever come."""
        there = {system: set(labels) for system, labels in self.model.versions.items()}

        def of(item):
            if not item["path"].startswith(folder + "/"):
                return set()
            return set(self.model.versions[item["system"]]) if is_standing else there[item["system"]]
        return of

    def reach(self, item):
        """The versions of its system that the item stands in."""
        labels = list(self.model.versions[item["system"]])
        first, last = item["versions"][0], item["versions"][-1]
        return labels[labels.index(first):None if item.get("stands") else labels.index(last) + 1]

    def dispose(self):
        scope = ("--due", "--path", f"{self.folder()}/**") if self.rng.random() < 0.7 else \
                ("--due", "--class", self.rng.choice(("COM", "DRO", "OPN")))
        self.w.run("dispose propose", *scope, *RITA, status=None)
        self.tell("propose", *scope, self.w.status)
        if self.w.status == 3:
            self.counts["refusals"] += 1
            return
        want(self.w.status == 0, self.w.errors)
        d = self.w.said.splitlines()[-1]
        items = [r["item"] for r in self.json("dispose show", d) if r["type"] == "disposition_item"]
        for item in items:
            want(item["class"] != "KEP", "a record that is kept is to go:", item)
            for one, held in self.model.holds.items():
                want(not set(self.reach(item)) & held(item), f"{item['path']} is under hold {one} and is to go")
        self.act(f"approval of {d}", ("dispose approve", d, *OTTO), faults=0)
        if self.rng.random() < 0.2:
            self.hold()
        if any(set(self.reach(item)) & held(item) for item in items for held in self.model.holds.values()):
            self.tell(f"execution of {d}, of which something is held")
            self.w.run("dispose execute", d, *RITA, status=3)
            want("hold" in self.w.errors, self.w.errors)
            self.counts["refusals"] += 1
            return
        self.act(f"execution of {d}, {len(items)} items", ("dispose execute", d, *RITA),
                 lambda: any(r.get("disposition") == d and r.get("state") == "executed" for r in self.json("dispose list")),
                 looks=False)
        for item in items:
            for label in self.reach(item):
                self.model.versions[item["system"]][label].pop(item["path"], None)
        self.save_certificates()

    def save_certificates(self):
        for path in sorted(glob.glob(f"{self.w.archive}/certificates/C*.p7m")):
            name = os.path.basename(path)
            if not os.path.exists(f"safe/{name}"):
                self.w.run("cert show", name[:-4], "--to", f"safe/{name}", "--all")
        for path in glob.glob(f"{self.w.archive}/certificates/archive-*"):
            shutil.copy2(path, "safe")

    def rotate(self):
        self.act("key rotate", ("key rotate",))

    def renew_signing(self):
        self.act("key renew-signing", ("key renew-signing", "--reason", "r", *RITA), faults=0)
        self.save_certificates()

    def mount(self):
        if self.is_mounted:
            self.tell("umount")
            mu.unmount("mnt")
            self.is_mounted = False
            return
        if not mu.can_mount():
            return
        self.tell("mount")
        os.makedirs("mnt", exist_ok=True)
        o = f"keyring={self.w.keyring},key-file={os.path.abspath('key')},cache=8M"
        subprocess.run([mu.MUNIFS, self.w.archive, "mnt", "-o", o], check=True, timeout=100)
        self.is_mounted = True

    def damage(self):
        """One file of the archive is altered, cut or lost: said by `verify`, mended by `repair`."""
        files = [os.path.join(d, n) for d, _, names in os.walk(self.w.archive) for n in sorted(names)
                 if not n.endswith(("-wal", "-shm", ".lock"))]
        path = self.rng.choice([p for p in sorted(files) if os.path.getsize(p)])
        size = os.path.getsize(path)
        how = self.rng.choice(("altered", "altered", "altered", "cut", "lost", "zeros"))
        at = self.rng.randrange(size)
        with open(path, "rb") as f:
            before = f.read()
        shown = os.path.relpath(path, self.w.archive)
        self.tell("damage:", shown, how, f"at {at} of {size}")
        mode = os.stat(path).st_mode
        os.chmod(path, 0o600)
        if how == "lost":
            os.unlink(path)
        else:
            after = bytearray(before)
            if how == "altered":
                after[at] ^= 1 << self.rng.randrange(8)
            elif how == "cut":
                del after[at:]
            else:
                after[at:at + 4096] = bytes(len(after[at:at + 4096]))
            if after == before:
                return
            with open(path, "wb") as f:
                f.write(after)
            os.chmod(path, mode)
        self.counts["damages"] += 1
        self.w.run("verify", status=None)
        # That a second copy is missing is no damage: it is noted.
        is_noted = self.w.status == 0 and "note " in self.w.said and shown.split("/")[0] in self.w.said
        want(self.w.status in (1, 5) and self.w.errors.strip() + self.w.said.strip() or is_noted,
             f"verify: exit {self.w.status} over {shown}, {how} at {at}: {self.w.said}{self.w.errors}")
        self.act("repair", ("repair",))
        self.w.run("verify")
        want(os.path.exists(path) or "/segments/" in path, f"{shown} is not there again")

    def backup(self):
        self.tell("backup", len(self.backups) + 1)
        where = f"backup{len(self.backups) + 1}"
        os.makedirs(where)
        shutil.copytree(self.w.archive, f"{where}/archive", symlinks=True)
        shutil.copy2(self.w.keyring, where)
        self.backups.append((where, copy.deepcopy(self.model)))

    def restore(self):
        if not self.backups:
            return self.backup()
        at = self.rng.randrange(len(self.backups))
        where, model = self.backups[at]
        self.backups = self.backups[:at + 1]    # those of the history that is lost with this
        if self.is_mounted:
            self.mount()
        shutil.rmtree(self.w.archive)
        shutil.copytree(f"{where}/archive", self.w.archive, symlinks=True)
        shutil.copy2(os.path.join(where, os.path.basename(self.w.keyring)), self.w.keyring)
        self.w.run("log", status=None)
        if self.w.status == 0:      # nothing happened since
            want(self.model.versions == model.versions, "an older copy was opened")
            self.model = copy.deepcopy(model)
            return None
        given = sorted(glob.glob("safe/C*.p7m")) + sorted(glob.glob("safe/archive-*.json"))
        self.act(f"restore of {where}", ("restore", *given, "--reason", "r", *RITA),
                 self.is_open, looks=False)
        gone = self.gone_since(model)
        self.model = copy.deepcopy(model)
        for system, label, path in gone:
            self.model.versions[system][label].pop(path, None)
        return None

    def is_open(self):
        self.w.run("log", status=None)
        return self.w.status == 0 and b"restoring this copy was cut off" not in self.w.run("verify", status=None)

    def gone_since(self, model):
        """What that backup held and the present has destroyed."""
        return [(system, label, path) for system, labels in model.versions.items() for label, held in labels.items()
                for path in held if label in self.model.versions[system] and path not in self.model.versions[system][label]]

    # ---- looks ----------------------------------------------------------------------------------

    def look(self):
        """One version, by one way."""
        there = [(system, label) for system, labels in self.model.versions.items() for label in labels]
        if not there:
            return
        system, label = self.rng.choice(there)
        should = self.model.versions[system][label]
        if self.is_mounted and self.rng.random() < 0.6:
            found, how = of_folder(f"mnt/{system}/versions/{label}"), "the mount"
        else:
            with open("look.tar", "wb") as f:
                f.write(self.w.run("export", f"{system}@{label}", "--to", "-", "--format", "tar", "-q"))
            found, how = of_tar("look.tar"), "the export"
        want(found == should, f"{system}@{label} by {how}: {differences(found, should)}")

    def look_at_all(self):
        self.w.run("verify", *(["--deep"] if self.rng.random() < 0.5 else []))
        self.w.run("audit verify")
        if any(os.path.getsize(p) for p in glob.glob(f"{self.w.archive}/catalogue.*-wal")):
            self.w.run("repair")    # killed after its act was done; the reader reads an archive at rest
        with open("key", "rb") as f:
            r = graves.reader.Archive(self.w.archive, self.w.keyring, f.read(), False)
        by_reader = collections.defaultdict(dict)
        for (system, label, path), (kind, node, _, _, data) in graves.contents(r).items():
            by_reader[os.fsdecode(system), os.fsdecode(label)][os.fsdecode(path)] = (kind, node, data)
        for system, labels in self.model.versions.items():
            for label, should in labels.items():
                shutil.rmtree("out", ignore_errors=True)
                self.w.run("export", f"{system}@{label}", "--to", "out", "-q")
                found = of_folder("out")
                want(found == should, f"{system}@{label} by the export: {differences(found, should)}")
                if self.is_mounted:
                    found = of_folder(f"mnt/{system}/versions/{label}")
                    want(found == should, f"{system}@{label} by the mount: {differences(found, should)}")
                self.check_reader(by_reader[system, label], should, f"{system}@{label}")

    @staticmethod
    def check_reader(found, should, where):
        plain = {path: ("link", os.fsdecode(node["target"])) if node.get("target") else sha(data)
                 for path, (kind, node, data) in found.items() if kind != DIRECTORY}
        wanted = {path: what if what[0] == "link" else what[1] for path, what in should.items()}
        want(plain == wanted, f"{where} by the independent reader: {differences(plain, wanted)}")

    # ---- all of it ------------------------------------------------------------------------------

    def begin(self):
        init = []
        if self.rng.random() < 0.4:
            init.append("--dense")
        if self.rng.random() < 0.4:
            init += ["--block-size", self.rng.choice(("16k", "128k"))]
        if self.rng.random() < 0.4:
            init += ["--parity", self.rng.choice(("4+1", "6+2"))]
        self.step = 0
        self.tell(f"seed {SEED}: init", *init)
        self.w.run("init", *init)
        for name, role in (("rita", "records"), ("otto", "owner")):
            self.w.run("officer add", "--id", name, "--role", role, "--cert", f"{name}.pem")
        for source in self.sources.values():
            for _ in range(12):
                source.change()

    def go(self):
        acts = [self.ingest] * 8 + [self.dispose] * 6 + [self.hold] * 3 + [self.rotate] * 2 + [self.mount] * 2 + \
               [self.damage] * 4 + [self.backup] + [self.restore] + [self.renew_signing]
        for self.step in range(1, STEPS + 1):
            (self.ingest if self.step < 3 else self.rng.choice(acts))()
            self.look()
            if self.step % 12 == 0 or self.step == STEPS:
                self.look_at_all()
        if self.is_mounted:
            self.mount()
        print(f"seed {SEED}:", ", ".join(f"{n} {what}" for what, n in sorted(self.count_by_kind().items())))

    def count_by_kind(self):
        kinds = collections.Counter()
        for what, n in self.counts.items():
            kinds[" ".join(what.split()[:1]) if not what.startswith("key") else what] += n
        return kinds


if __name__ == "__main__":
    life = Life()
    try:
        life.begin()
        life.go()
    except BaseException:
        print(f"at step {life.step}; CHANCE_SEED={SEED} CHANCE_STEPS={STEPS} does it again", flush=True)
        if life.is_mounted:
            mu.unmount("mnt")
        raise

"""What the sweep of faults does to archives: each operation with the world that it starts from, how to tell that it is
done, and what of that world must never change."""
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import threading

from faults import FAULT, World
from muniment import SUPPORT, tree
from officers import ledger_policy, officer, openssl, write, year

POLICY = ledger_policy()
RITA = ("--by", "rita", "--key", "rita.key")
OTTO = ("--by", "otto", "--key", "otto.key")
# Versions whose content no fault may change; FIN's files go with the destruction.
KEPT = {"plain": ("s@one",), "two": ("s@one", "s@two"), "ruled": ("led@1",), "proposed": ("led@1",),
        "approved": ("led@1",), "executed": ("led@1",), "certified": ("led@1",), "older": ("led@1",), "second": ("s@one",), "damaged": ("s@one",),
        "copied": ("s@one",), "ingest-cut": ("s@one",), "rotate-cut": ("s@one",), "execute-cut": ("led@1",),
        "asked": ("led@1",), "half": ("led@1",), "carried": ("led@1",), "format-1": ("hr@1",), "format-3": ("hr@1",),
        "format-4": ("hr@1", "hr@2")}

# What opens for few, or not at all, holds what the world before it held.
CLOSED = {"damaged": "plain", "older": "certified", "rotate-cut": "plain", "execute-cut": "approved"}


def sources():
    """Read by all worlds, changed by none."""
    with open("key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    with open("second.key", "wb") as f:
        f.write(b"fedcba9876543210" * 4)
    with open("policy.yaml", "w", encoding="utf-8") as f:
        f.write(POLICY)
    with open("other.yaml", "w", encoding="utf-8") as f:
        f.write(POLICY.replace("version: 1", "version: 2").replace("P5Y", "P7Y"))
    tree("one", 1, files=12, size=9000)
    os.mkdir("one/empty")
    os.symlink("d0/f000", "one/link")
    os.link("one/d1/f001", "one/hard")
    with open("one/large", "wb") as f:
        f.write(random.Random(3).randbytes(300_000))
    subprocess.run(["cp", "-a", "one", "two"], check=True)
    tree("two", 2, files=6, size=9000)
    os.unlink("two/d3/f010")
    subprocess.run(["tar", "-czf", "two.tar.gz", "-C", "two", "."], check=True)
    for act, name in (("zip", "two.zip"), ("tar", "two.tar")):
        shutil.make_archive("two", act, "two")
        assert os.path.exists(name)
    write("small/a", "a small file\n")
    rng = random.Random(7)
    for i in range(5):
        write(f"src/fin/i{i}.txt", "".join(f"invoice {rng.random()}\n" for _ in range(60)), year(2001) + i)
        write(f"src/new/n{i}.txt", "".join(f"kept {rng.random()}\n" for _ in range(60)), year(2020) + i)
    for name in ("rita", "otto", "nora"):
        officer(name)


def golden(version):
    def build(w):
        where = os.path.join(SUPPORT, "..", "golden", f"format-{version}.tar.xz")
        subprocess.run(["tar", "-xJf", where, "-C", w.folder], check=True)
        for name in ("key", "keyring"):
            os.rename(os.path.join(w.folder, f"archive.{name}"), os.path.join(w.folder, name))
    return build


def flip(path, at):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 4]))
    os.chmod(path, mode)


def damage(w):
    """One of every kind, each of which can be mended."""
    for name, at in (("muniment.toml", 60), ("audit/log", 200), ("audit/heads.2", 300), ("catalogue.1", 2 * 8192 + 77),
                     ("certificates/archive.pem", 100)):
        flip(os.path.join(w.archive, name), at)
    flip(w.keyring, 1000)
    for folder, _, names in os.walk(os.path.join(w.archive, "segments")):
        for name in names:
            flip(os.path.join(folder, name), 70_000 if name.endswith(".seg") else 3000)


def rule(w):
    w.run("scan", "src", "--system", "led", "-q")
    w.run("classify", "--system", "led", "--policy", "policy.yaml")
    w.run("ingest", "src", "--system", "led")
    for name, role in (("rita", "records"), ("otto", "owner")):
        w.run("officer add", "--id", name, "--role", role, "--cert", f"{name}.pem")


def certify(w):
    """The certificate and all that belongs to it, as they are handed to others."""
    os.mkdir(os.path.join(w.folder, "safe"))
    w.run("cert show", "C1", "--to", os.path.join(w.folder, "safe", "C1.p7m"), "--all")
    with open("officers.pem", "wb") as f:
        for name in ("rita", "otto"):
            with open(f"{name}.pem", "rb") as one:
                f.write(one.read())


def prove(w):
    w.run("audit prove", "s@one", "d1/f001", "--to", os.path.join(w.folder, "proof"))


def carry(w):
    """Another's signature that lets the proposed one in, made without us."""
    statement, signature = (os.path.join(w.folder, name) for name in ("nora.json", "otto.p7s"))
    with open(statement, "wb") as f:
        f.write(w.run("officer statement", "--id", "nora"))
    openssl("cms", "-sign", "-binary", "-in", statement, "-signer", "otto.pem", "-inkey", "otto.key", "-outform", "DER",
            "-out", signature)


def cut(command, nth):
    """The command, killed at its nth change of the disk."""
    return lambda w: w.run(*command, status=-9, env={"LD_PRELOAD": FAULT, "FAULT_HOW": "kill", "FAULT_NTH": str(nth)})


def put_back(w):
    """The copy from before the destruction, under the anchor of after it."""
    source = os.path.abspath("base-approved")
    shutil.rmtree(w.archive)
    shutil.copytree(os.path.join(source, "archive"), w.archive, symlinks=True)
    shutil.copy2(os.path.join(source, "keyring"), w.keyring)


PROPOSE = ("dispose propose", "--due", "--class", "FIN", *RITA)
APPROVE = ("dispose approve", "D1", *OTTO)
EXECUTE = ("dispose execute", "D1", *RITA)
INIT = ("init",)
ONE = ("ingest", "one", "--system", "s", "--version", "one")
TWO = ("ingest", "two", "--system", "s", "--version", "two")
SCAN = ("scan", "src", "--system", "led", "-q")
CLASSIFY = ("classify", "--system", "led", "--policy", "policy.yaml")
ADD = ("key add", "--new-key-file", "second.key", "--label", "second")
ROTATE = ("key rotate",)
RESTRICT = ("retain restrict", "--path", "new/n1.txt", "--reason", "r")
COPY = ("copy add", "--of", "keyring", "--place", "the safe")
NORA = ("officer add", "--id", "nora", "--role", "it", "--cert", "nora.pem")
LET_IN = ("officer approve", "--id", "nora")
HOLD = ("hold add", "--case", "c", "--reason", "r", "--path", "fin/**")

# name: the world it is made from, and what is done to it
WORLDS = {
    "nothing": (None, ()), "empty": ("nothing", (INIT,)), "plain": ("empty", (ONE,)), "two": ("plain", (TWO,)),
    "second": ("plain", (ADD,)), "damaged": ("plain", (damage,)), "scanned": ("empty", (SCAN,)),
    "classified": ("scanned", (CLASSIFY,)), "ruled": ("empty", (rule,)), "held": ("ruled", (HOLD,)),
    "proposed": ("ruled", (PROPOSE,)), "approved": ("proposed", (APPROVE,)), "executed": ("approved", (EXECUTE,)),
    "certified": ("executed", (certify,)), "older": ("certified", (put_back,)),
    "asked": ("approved", (NORA,)), "half": ("asked", ((*LET_IN, *RITA),)), "carried": ("half", (carry,)),
    "proven": ("two", (prove,)), "copied": ("plain", (COPY,)), "restricted": ("ruled", (RESTRICT,)),
    "scan-cut": ("empty", (cut(SCAN, 30),)), "ingest-cut": ("plain", (cut(TWO, 60),)), "rotate-cut": ("plain", (cut(ROTATE, 60),)),
    "execute-cut": ("approved", (cut(EXECUTE, 80),)),
    "format-1": (None, (golden(1),)), "format-3": (None, (golden(3),)), "format-4": (None, (golden(4),)),
}


def make_world(name, made):
    """The world of this name, in the folder base-NAME; those that it comes from are made too."""
    if name in made:
        return made[name]
    parent, steps = WORLDS[name]
    w = World(f"base-{name}", make_world(parent, made) if parent else None)
    os.makedirs(w.folder, exist_ok=True)
    for step in steps:
        if callable(step):
            step(w)
        else:
            w.run(*step)
    w.kind = name
    w.kept = {}
    for version in KEPT.get(name, ()):
        w.kept[version] = made[CLOSED[name]].kept[version] if name in CLOSED else content(w, version)
    made[name] = w
    return w


def content(w, version):
    """A digest of all of a version but what may be destroyed."""
    h = hashlib.sha256()
    with tarfile.open(fileobj=io.BytesIO(w.run("export", version, "--to", "-", "--format", "tar", "-q"))) as tar:
        for m in sorted(tar.getmembers(), key=lambda m: m.name):
            if "fin/" in m.name + "/":
                continue
            h.update(repr((m.name, m.type, m.mode, m.uid, m.linkname, m.size, not m.isdir() and m.mtime)).encode())
            h.update(tar.extractfile(m).read() if m.isfile() else b"")
    return h.hexdigest()


def rows(w, *command):
    return [json.loads(line) for line in w.run(*command, "--json").splitlines()]


def has(key, value, *command):
    return lambda w: any(r.get(key) == value for r in rows(w, *command))


def is_init(w):
    return os.path.exists(os.path.join(w.archive, "muniment.toml")) and w.run("log", status=None) is not None and w.status == 0


def is_removed(w):
    w.run("log", status=None, key="key")
    return w.status != 0


def is_restored(w):
    """Until it is, the archive opens for no other change; the act stands in the log a little before its end."""
    said = w.run("audit list", "--json", status=None)
    if w.status != 0 or not any(json.loads(line).get("act") == "restored" for line in said.splitlines()):
        return False
    return b"restoring this copy was cut off" not in w.run("verify", status=None)


def signed_for_nora(w):
    return [r["approved_by"] for r in rows(w, "officer list") if r["id"] == "nora"][0]


def state_of_d1(w):
    return rows(w, "dispose list")[0]["state"]


class Operation:
    """reads: changes nothing, its output is the same each time; is_bare: it is given no archive; done(world): is it done
    already."""

    def __init__(self, world, *command, reads=False, done=None, status=0, key="key", out=None, is_placed=False,
                 keeps=True, is_bare=False):
        self.world, self.command, self.reads, self.done, self.status, self.key = world, command, reads, done, status, key
        self.is_bare = is_bare
        self.keeps, self.out, self.lock = keeps, out, threading.Lock() if is_placed else None

    def words(self, w):
        return [x.replace("WORLD", w.folder) for x in self.command]


def reads(world, *command, **more):
    return Operation(world, *command, reads=True, **more)


OPERATIONS = {
    "init": Operation("nothing", *INIT, done=is_init, is_placed=True),
    "ingest-first": Operation("empty", *ONE, done=has("version", "one", "log")),
    "ingest-second": Operation("plain", *TWO, done=has("version", "two", "log")),
    "ingest-tar": Operation("plain", "ingest", "two.tar.gz", "--system", "s", "--version", "two",
                            done=has("version", "two", "log")),
    "ingest-zip": Operation("plain", "ingest", "two.zip", "--system", "s", "--version", "two",
                            done=has("version", "two", "log")),
    "scan-tar": Operation("empty", "scan", "two.tar", "--system", "t", "-q",
                          done=lambda w: b"f001" in w.run("inventory", "--system", "t", status=None)),
    "ingest-policy": Operation("empty", "ingest", "src", "--system", "led", "--policy", "policy.yaml", "-q",
                               done=has("version", "1", "log")),
    "scan": Operation("empty", *SCAN, done=lambda w: b"fin/i0.txt" in w.run("inventory", "--system", "led", status=None)),
    "classify": Operation("scanned", *CLASSIFY,
                          done=lambda w: b"fin/i0.txt" in w.run("decisions", "--system", "led", status=None)),
    "decide": Operation("classified", "decide", "--system", "led", "new/n1.txt", "--decision", "review", "--officer", "Ann",
                        "--reason", "r", done=lambda w: b"Ann" in w.run("decisions", "--system", "led", "--json")),
    "hold-add": Operation("ruled", *HOLD, done=has("case", "c", "hold list")),
    "hold-release": Operation("held", "hold release", "H1", "--reason", "over",
                              done=lambda w: not rows(w, "hold list")),
    "retain": Operation("ruled", "retain extend", "--until", "2090-01-01", "--reason", "r", "--path", "new/**",
                        done=lambda w: b"2090" in w.run("retain list", "--json")),
    "restrict": Operation("ruled", *RESTRICT, done=has("records", 1, "retain list"), keeps=False),
    "event": Operation("ruled", "event", "--system", "led", "--event", "system-retired", "--at", "2019-06-30",
                       done=has("act", "event", "audit list")),
    "officer-add": Operation("plain", "officer add", "--id", "rita", "--role", "records", "--cert", "rita.pem",
                             done=has("id", "rita", "officer list")),
    "copy-add": Operation("plain", *COPY,
                          done=lambda w: b"the safe" in w.run("copy list", "--json")),
    "propose": Operation("ruled", *PROPOSE, done=lambda w: bool(rows(w, "dispose list"))),
    "approve": Operation("proposed", *APPROVE, done=has("act", "disposition approved", "audit list")),
    "execute": Operation("approved", *EXECUTE, done=lambda w: state_of_d1(w) == "executed"),
    "key-add": Operation("plain", *ADD, done=has("label", "second", "key list")),
    "key-remove": Operation("second", "key remove", "1", key="second.key", done=is_removed),
    "key-rotate": Operation("plain", *ROTATE, done=lambda w: not os.path.exists(os.path.join(w.archive, "catalogue.1"))),
    "restore": Operation("older", "restore", "WORLD/safe/C1.p7m", "--reason", "r", *RITA, done=is_restored),
    "officer-remove": Operation("ruled", "officer remove", "--id", "otto", "--reason", "r",
                                done=has("act", "officer removed", "audit list")),
    "officer-propose": Operation("approved", *NORA, done=has("id", "nora", "officer list")),
    "officer-alone": Operation("approved", *NORA, "--without-approval", "--reason", "r",
                               done=has("standing", "without approval", "officer list")),
    "officer-approve": Operation("asked", *LET_IN, *RITA, done=lambda w: signed_for_nora(w) == ["rita"]),
    "officer-approve-second": Operation("half", *LET_IN, *OTTO, done=has("standing", "approved", "officer list")),
    "officer-approve-file": Operation("carried", *LET_IN, "--signature", "WORLD/otto.p7s",
                                      done=has("standing", "approved", "officer list")),
    "withdraw": Operation("proposed", "dispose withdraw", "D1", "--reason", "r", *RITA, done=lambda w: state_of_d1(w) == "withdrawn"),
    "key-renew-signing": Operation("two", "key renew-signing", "--reason", "r",
                                   done=has("act", "signing key renewed", "audit list")),
    "repair": Operation("damaged", "repair", done=lambda w: (w.run("verify", status=None), w.status == 0)[1]),
    "upgrade-1": Operation("format-1", "ingest", "small", "--system", "crm", done=has("system", "crm", "log")),
    "upgrade-3": Operation("format-3", "hold add", "--case", "c", "--reason", "r", done=has("case", "c", "hold list")),
    "upgrade-4": Operation("format-4", "ingest", "small", "--system", "crm", done=has("system", "crm", "log")),
    "scan-resume": Operation("scan-cut", *SCAN, done=lambda w: b"fin/i0.txt" in w.run("inventory", "--system", "led", status=None)),
    "ingest-resume": Operation("ingest-cut", *TWO, done=has("version", "two", "log")),
    "rotate-resume": Operation("rotate-cut", *ROTATE, done=lambda w: not os.path.exists(os.path.join(w.archive, "catalogue.1"))),
    "execute-resume": Operation("execute-cut", *EXECUTE, done=lambda w: state_of_d1(w) == "executed"),
    "copy-set": Operation("copied", "copy set", "1", "--state", "destroyed",
                          done=lambda w: b"destroyed" in w.run("copy list", "--json")),
    "retain-lift": Operation("restricted", "retain lift", "--path", "new/n1.txt", "--reason", "r",
                             done=lambda w: has("records", 0, "retain list")(w) or not rows(w, "retain list"), keeps=False),
    "key-add-recipient": Operation("plain", "key add", "--recipient", "rita.pem", "--label", "escrow",
                                   done=has("label", "escrow", "key list")),
    "cert-sign": Operation("executed", "cert sign", "C1", *OTTO, done=lambda w: b"signed_by" in w.run("audit list", "--json")),
    "audit-clock": Operation("ruled", "audit clock", *RITA, done=has("act", "time signed", "audit list")),
    "verify": reads("two", "verify"),
    "verify-deep": reads("two", "verify", "--deep"),
    "verify-damaged": reads("damaged", "verify", status=5),
    "export-tar": reads("two", "export", "s@one", "--to", "-", "--format", "tar", "-q"),
    "export-dir": reads("two", "export", "s@one", "--to", "WORLD/out", "-q", out="dir"),
    "export-zip": reads("two", "export", "s@one", "--to", "WORLD/out", "--format", "zip", "-q", out="zip"),
    "export-bag": reads("two", "export", "s@one", "--to", "WORLD/out", "--format", "bagit", "-q", out="bag"),
    "log": reads("two", "log"),
    "ls": reads("two", "ls", "s", "-R"),
    "ls-long": reads("two", "ls", "s", "-R", "-l"),
    "find": reads("two", "find", "s", "--json"),
    "cat": reads("two", "cat", "s@one", "large"),
    "stat": reads("two", "stat", "s@one", "d1/f001"),
    "diff": reads("two", "diff", "s@one", "s@two"),
    "inventory": reads("classified", "inventory", "--system", "led", "--json"),
    "decisions": reads("classified", "decisions", "--system", "led", "--json"),
    "due": reads("ruled", "due", "--json"),
    "hold-list": reads("held", "hold list", "--json"),
    "audit-list": reads("ruled", "audit list", "--json"),
    "audit-verify": reads("executed", "audit verify"),
    "dispose-show": reads("approved", "dispose show", "D1", "--json"),
    "cert-verify": reads("certified", "cert verify", "WORLD/safe/C1.p7m", "--ca", "officers.pem", is_bare=True),
    "cert-verify-json": reads("certified", "cert verify", "WORLD/safe/C1.p7m", "--ca", "officers.pem", "--json", is_bare=True),
    "cert-list": reads("executed", "cert list", "--json"),
    "dispose-list": reads("approved", "dispose list", "--json"),
    "retain-list": reads("ruled", "retain list", "--json"),
    "officer-list": reads("ruled", "officer list", "--json"),
    "officer-statement": reads("asked", "officer statement", "--id", "nora"),
    "officer-list-half": reads("half", "officer list"),
    "officer-list-half-json": reads("half", "officer list", "--json"),
    "inventory-table": reads("classified", "inventory", "--system", "led"),
    "inventory-csv": reads("classified", "inventory", "--system", "led", "--csv"),
    "decisions-table": reads("classified", "decisions", "--system", "led"),
    "decisions-csv": reads("classified", "decisions", "--system", "led", "--csv"),
    "due-table": reads("ruled", "due", "--list"),
    "due-csv": reads("ruled", "due", "--csv"),
    "hold-list-table": reads("held", "hold list"),
    "audit-list-table": reads("executed", "audit list"),
    "dispose-show-table": reads("approved", "dispose show", "D1"),
    "dispose-list-table": reads("approved", "dispose list"),
    "retain-list-table": reads("restricted", "retain list"),
    "cert-list-table": reads("executed", "cert list"),
    "copy-list-table": reads("copied", "copy list"),
    "key-list-json": reads("second", "key list", "--json"),
    "stat-json": reads("two", "stat", "s@one", "d1/f001", "--json"),
    "diff-json": reads("two", "diff", "s@one", "s@two", "--json"),
    "policy-explain": reads("classified", "policy explain", "fin/i0.txt", "--system", "led"),
    "cert-show": reads("executed", "cert show", "C1", "--to", "-"),
    "key-list": reads("second", "key list"),
    "policy-check": reads("nothing", "policy check", "policy.yaml", is_bare=True),
    "policy-classes": reads("nothing", "policy classes", "policy.yaml", "--csv", is_bare=True),
    "policy-diff": reads("nothing", "policy diff", "policy.yaml", "other.yaml", is_bare=True),
    "policy-simulate": reads("classified", "policy simulate", "--system", "led", "--policy", "other.yaml"),
    "audit-csv": reads("ruled", "audit list", "--csv"),
    "audit-premis": reads("ruled", "audit list", "--premis"),
    "audit-head": reads("executed", "audit head"),
    "audit-prove": reads("two", "audit prove", "s@one", "d1/f001", "--to", "WORLD/out", out="proof"),
    "audit-check": reads("proven", "audit check", "WORLD/proof", is_bare=True),
    "copy-list": reads("copied", "copy list", "--json"),
}

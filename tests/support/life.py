"""A whole life of an archive, step by step, each a few commands: for tests of what it leaves on disk, and of what
somebody put there before. All that it makes lies in one folder: a/ (the archive), k/ (the keyring's place), o/ (what
the user asked to be written), m/ (a mountpoint), t/ (TMPDIR)."""
import os
import subprocess
import time

import muniment as mu
from officers import ledger_policy, officer, write, year

POLICY = ledger_policy(name="life", names="keep", rest="**")
SECRET = b"0123456789abcdef" * 4


def inputs(where):
    """What a life takes in, made once: sources, policy, officers, keys."""
    os.makedirs(where)
    write(f"{where}/policy.yaml", POLICY)
    for i in range(4):
        write(f"{where}/src/fin/i{i}.txt", f"invoice {i}\n" * 3000, year(2001) + i)
        write(f"{where}/src/new/n{i}.txt", f"kept {i}\n" * 3000, year(2020) + i)
    with open(f"{where}/src/new/big", "wb") as f:
        f.write(os.urandom(3 << 20))
    write(f"{where}/more/new/later.txt", "later\n" * 100, year(2021))
    write(f"{where}/more/fin/i0.txt", "invoice 0\n" * 3000, year(2001))
    for name, body in (("key", SECRET), ("second.key", SECRET[::-1])):
        with open(f"{where}/{name}", "wb") as f:
            f.write(body)
    here = os.getcwd()
    os.chdir(where)
    officer("rita")
    officer("otto")
    os.chdir(here)
    subprocess.run(["tar", "-cf", f"{where}/src.tar", "-C", f"{where}/src", "."], check=True)


class Life:
    def __init__(self, where, given, umask=0o022, env=None):
        self.where, self.given, self.umask = os.path.abspath(where), os.path.abspath(given), umask
        self.env = {**os.environ, "TMPDIR": f"{self.where}/t", "HOME": f"{self.where}/k", **(env or {})}
        self.keys = ["--keyring", f"{self.where}/k/keyring", "--key-file", f"{self.given}/key"]

    def make_folders(self):
        for d in "kotm":
            os.makedirs(f"{self.where}/{d}", exist_ok=True)

    def call(self, line, timeout=240):
        """Status, what it said on standard error; the status is None where it did not end."""
        try:
            done = subprocess.run(line, capture_output=True, env=self.env, timeout=timeout, cwd=f"{self.where}/o",
                                  preexec_fn=lambda: os.umask(self.umask), stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None, "it hangs"
        return done.returncode, done.stderr.decode(errors="replace")

    def line(self, words):
        """muni VERB [ACT] ARCHIVE ...: 'A' stands for the archive, '@x' for the input x; with the keys."""
        given = [f"{self.where}/a" if w == "A" else f"{self.given}/{w[1:]}" if w.startswith("@") else w
                 for w in words]
        return [mu.MUNI, *given, *self.keys]

    def commands(self, name):
        return [self.line(c.split()) for c in STEPS[name]]

    def do(self, name):
        """The step's first failure, or (0, "")."""
        if name in ACTS:
            return ACTS[name](self)
        for line in self.commands(name):
            status, said = self.call(line)
            if status != 0:
                return status, f"{' '.join(line[1:6])}: {said}"
        return 0, ""

    def mount(self, options):
        o = f"keyring={self.where}/k/keyring,key-file={self.given}/key" + options
        status, said = self.call([mu.MUNIFS, f"{self.where}/a", f"{self.where}/m", "-o", o])
        if status != 0:
            return status, said
        try:
            top = f"{self.where}/m/hr/versions/1/new"
            for n in os.listdir(top):
                with open(f"{top}/{n}", "rb") as f:
                    f.read()
            if "audit" in options:
                time.sleep(6)
            self.seen_while_mounted(self)
        finally:
            mu.unmount(f"{self.where}/m")
        return 0, said

    @staticmethod
    def seen_while_mounted(life):
        """To be replaced by who wants to look."""

    def damage(self):
        """One byte of the largest segment: muni repair has something to mend."""
        folder = f"{self.where}/a/segments"
        segments = [os.path.join(d, n) for d, _, fs in os.walk(folder) for n in fs
                    if n.endswith(".seg") and not os.path.islink(folder)]
        if segments:    # somebody may have put something in the place of their folder
            largest = max(segments, key=os.path.getsize)
            mode = os.stat(largest).st_mode
            os.chmod(largest, 0o600)
            with open(largest, "r+b") as f:
                f.seek(5000)
                byte = f.read(1)
                f.seek(5000)
                f.write(bytes([byte[0] ^ 1]))
            os.chmod(largest, mode)
        for c in "audit/log.2", "muniment.toml":
            path = f"{self.where}/a/{c}"
            if os.path.lexists(path) and not os.path.isdir(path):     # nor need these be files
                os.unlink(f"{self.where}/a/{c}")
        return self.repair()

    def repair(self):
        status, said = self.call(self.line(["repair", "A"]))
        return status, said


RITA, OTTO = "--by rita --key @rita.key", "--by otto --key @otto.key"
STEPS = {
    "init": ["init A"],
    "scan": ["scan A @src --system hr -q"],
    "classify": ["classify A --system hr --policy @policy.yaml"],
    "ingest": ["ingest A @src --system hr"],
    "ingest more": ["scan A @more --system hr -q", "ingest A @more --system hr --version second"],
    "ingest a tar": ["ingest A @src.tar --system tar"],
    "officers": ["officer add A --id rita --role records --cert @rita.pem",
                 "officer add A --id otto --role owner --cert @otto.pem"],
    "holds": ["hold add A --system tar --case K1 --reason case", "hold release A H1 --reason over"],
    "retain": ["event A --system hr --event case-closed --at 2020-01-01", "retain extend A --system tar --until 2090-01-01 --reason more",
               "retain restrict A --path new/n3.txt --reason article-18"],
    "a copy": ["copy add A --of data --place tape"],
    "a key": ["key add A --new-key-file @second.key"],
    "export dir": ["export A hr@1 --to x.dir"],
    "export tar": ["export A hr@1 --to x.tar --format tar"],
    "export zip": ["export A hr@1 --to x.zip --format zip"],
    "export bag": ["export A hr@1 --to x.bag --format bagit"],
    "heads": ["audit head A --to x.head", "audit prove A hr@1 fin/i1.txt --to x.proof"],
    "propose": [f"dispose propose A --due --class FIN {RITA}"],
    "approve": [f"dispose approve A D1 {OTTO}"],
    "execute": [f"dispose execute A D1 {RITA}"],
    "certificate": ["cert show A C1 --to x.p7m --all", "cert pdf A C1 --to x.pdf"],
    "rotate": ["key rotate A"],
    "verify": ["verify A --deep"],
    "use restricted": ["cat A hr@1 new/n3.txt --restricted why"],
    "repair": [],
    "mount": [],
    "audited mount": [],
}
ACTS = {
    "repair": Life.damage,
    "mount": lambda self: self.mount(""),
    "audited mount": lambda self: self.mount(",audit"),
}
NEEDS_MOUNT = ("mount", "audited mount")


def steps():
    return [s for s in STEPS if s not in NEEDS_MOUNT or mu.can_mount()]

#!/usr/bin/python3
"""Passphrases and keys stand nowhere but in locked memory that core files leave out, keys of blocks in memory that core
files leave out: in munifs at rest, and in muni's commands wherever they are halted.  Nowhere in arguments, environment,
messages, temporary files and a core; and not at all in the programs that read the files of others.  The keys are derived
from the keyring by the independent reader."""
import fcntl
import glob
import os
import pty
import random
import resource
import select
import signal
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

try:
    import keys
    import memory
    from officers import Keeper, officer, openssl, year
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
if "san/" in mu.MUNI:
    mu.skip("the sanitizers' own memory is not ours to mark")
if os.geteuid() != 0:
    mu.skip("only root may read the memory of processes that forbid it")

STOP, CORE = (os.path.join(mu.BUILD, "support", n) for n in ("fault_stop", "fault_core"))
NOBODY = 65534
POLICY = """
policy: p
version: 1
calendar: UTC
unmatched: review
classes:
  - {id: OLD, title: {en: Old}, retain: {trigger: modified, period: P1Y}, then: destroy,
     approve: {quorum: 1, roles: [records, owner]}}
rules:
  - {id: all, when: {path: "**"}, decide: archive, class: OLD}
"""


def words(seed):
    """A passphrase that stands nowhere by chance."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(7)) for _ in range(6)).encode()


PASSPHRASE, NEW, OFFICERS = words(1), words(2), words(3)
KEY_FILE = random.Random(4).randbytes(48)


class Protected(Keeper):
    """An archive that a passphrase opens, and a key file."""

    def __init__(self, name, is_made=True):
        super().__init__(name, create=False)
        self.file = os.path.abspath(name + ".pass")
        with open(self.file, "wb") as f:
            f.write(PASSPHRASE + b"\n")
        with open(self.key, "wb") as f:
            f.write(KEY_FILE)
        self.given = (self.file, self.key, os.path.abspath("new"))
        if is_made:
            subprocess.run(self.line("init", "--passphrase-file", self.file), check=True, capture_output=True)

    def line(self, command, *args, **named):
        """By the key file, which is faster to open than by the passphrase."""
        return self.bare(command, *args, "--key-file", self.key, *(x for k, v in named.items() for x in (f"--{k}", v)))

    def by_passphrase(self, command, *args):
        return self.bare(command, *args, "--passphrase-file", self.file)

    def bare(self, command, *args):
        return [mu.MUNI, *command.split(), self.path, *args, "--keyring", self.keyring]

    def do(self, command, *args, **named):
        done = subprocess.run(self.line(command, *args, **named), capture_output=True, timeout=120)
        assert done.returncode == 0, (command, args, done.stderr)
        return done.stdout.decode().splitlines()[-1:]

    def needles(self):
        return {**keys.of_archive(self, PASSPHRASE, True), **keys.of_archive(self, KEY_FILE)}


# ---- processes that are halted ------------------------------------------------------------


def descendants(pid):
    found = [pid]
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(task) as f:
                found += [x for child in f.read().split() for x in descendants(int(child))]
        except OSError:
            pass
    return found


def line_of(pid, name):
    try:
        with open(f"/proc/{pid}/{name}") as f:
            return f.read().strip()
    except OSError:
        return ""


def is_halted(pid):
    return line_of(pid, "stat").rpartition(")")[2].split()[:1] == ["T"]


def temporary(pid, given):
    """Regular files that a process has open that have no name, or one in a folder for such."""
    found = []
    for at in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            path = os.readlink(at)
        except OSError:
            continue
        if path not in given and (path.endswith("(deleted)") or path.startswith(("/tmp/", "/var/tmp/", "/memfd:"))):
            found.append(at)
    return found


class Halted:
    """A command that is halted again and again, and looked into each time, with all that it started."""
    READERS = ("muni-examine", "muni-unpack")       # of hostile files: they have no key at all

    def __init__(self, line, every, most=8, given=(), answer=None):
        self.line, self.given, self.answer = line, given, answer
        if not os.environ.get("MUNIMENT_FULL"):
            every, most = every * 3 // 2, most // 2
        self.env = {**os.environ, "LD_PRELOAD": STOP, "STOP_EVERY": str(every), "STOP_MOST": str(most)}
        self.halts, self.hits, self.seen = 0, [], set()

    def look(self, pids, locked, undumped):
        self.halts += 1
        for pid in pids:
            name = line_of(pid, "comm")
            self.seen.add(name)
            try:
                if name in self.READERS:
                    hits = memory.find(pid, {**locked, **undumped})
                else:
                    hits = keys.astray(pid, locked, undumped)
                hits += keys.in_words(pid, locked) + keys.in_files(temporary(pid, self.given), locked)
            except (FileNotFoundError, ProcessLookupError):
                continue        # it ended while we looked
            self.hits += [f"halt {self.halts}, {name}: {x}" for x in hits]

    def keep(self, pids):
        """What stands outside locked memory, for keys that are known only later."""
        for pid in pids:
            try:
                maps = memory.mappings(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue        # not all are halted: it ended while we looked
            with open(f"kept.{self.halts}.{pid}", "wb") as out:
                for m in maps:
                    if "w" in m.rights and not {"lo", "dd"} <= m.flags:
                        out.write(memory.around(pid, m.begin, m.end))

    def start(self):
        if not self.answer:
            return subprocess.Popen(self.line, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        ours, theirs = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        p = subprocess.Popen(self.line, env=self.env, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=take_terminal)
        threading.Thread(target=self.talk, args=(ours, p), daemon=True).start()
        return p

    def talk(self, terminal, p):
        asked = b""
        while p.poll() is None:
            if select.select([terminal], [], [], 0.05)[0]:
                asked += os.read(terminal, 1000)
                if b"assphrase" in asked:
                    os.write(terminal, self.answer + b"\n")
                    asked = b""

    def run(self, locked, undumped=None, late=None):
        p = self.start()
        out = []
        reader = threading.Thread(target=lambda: out.extend(p.communicate()), daemon=True)
        reader.start()
        deadline = time.time() + 120
        while p.poll() is None and time.time() < deadline:
            pids = descendants(p.pid)
            halted = [x for x in pids if is_halted(x)]
            if not halted:
                time.sleep(0.001)
                continue
            self.look(pids, locked, undumped or {})
            if late:
                self.keep(pids)
            for x in halted:
                os.kill(x, signal.SIGCONT)
        reader.join(20)
        assert p.returncode == 0, (self.line, p.returncode, out)
        assert self.halts >= 2, f"{self.line} was halted {self.halts} times"
        assert not self.hits, f"{' '.join(self.line[1:3])}, {len(self.hits)}:\n" + "\n".join(x[:600] for x in self.hits[:12])
        if late:
            known = late()
            for path in glob.glob("kept.*"):
                found = list(memory.seek("./" + path, known))
                assert not found, f"{' '.join(self.line[1:3])}, outside locked memory: {found}"
                os.unlink(path)
        for what, needle in locked.items():
            assert needle not in b"".join(out), f"{what} in what {self.line} says"
        return self


# ---- the tests ------------------------------------------------------------------------------


def commands_keep_keys_in_locked_memory(a):
    locked, blocks = a.needles(), keys.of_blocks(a, KEY_FILE)
    assert len(locked) > 150 and len(blocks) > 15
    with open("new", "wb") as f:
        f.write(NEW)
    fresh = {**locked, **keys.shapes("the new passphrase", NEW)}
    Halted(a.by_passphrase("ls", "hr"), 1, 30, a.given).run(locked, blocks)
    Halted(a.line("cat", "hr", "d0/f000"), 3, 8, a.given).run(locked, blocks)
    Halted(a.line("ingest", "src", "--system", "hr", "--reread"), 9, 12, a.given).run(locked, blocks)
    Halted(a.line("verify", "--deep"), 9, 8, a.given).run(locked, blocks)
    Halted(a.line("export", "hr", "--to", "out", "--format", "dir"), 60, 6, a.given).run(locked, blocks)
    Halted(a.line("key add", "--new-passphrase-file", "new"), 5, 12, a.given).run(fresh, blocks)


def a_new_archive_and_a_new_epoch_do_too(a):
    """Their keys are known when the command has ended."""
    b = Protected("fresh", is_made=False)
    Halted(b.line("init", "--passphrase-file", b.file), 3, 12, b.given) \
        .run({**keys.shapes("the passphrase", PASSPHRASE), **keys.shapes("the key file", KEY_FILE)}, late=b.needles)
    Halted(a.line("key rotate"), 40, 6, a.given).run(a.needles(), keys.of_blocks(a, KEY_FILE), late=a.needles)


def officers_keys_do_too(a):
    openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", "otto.key", "-passout", "pass:" + OFFICERS.decode(), "-out",
            "locked.key")
    with open("otto.der", "wb") as f:
        f.write(openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", "otto.key"))
    with open("otto.der", "rb") as f:
        private = keys.private_parts("the officer's key", f.read())
    private.update(keys.shapes("the officer's passphrase", OFFICERS))
    assert len(private) > 10
    a.do("classify", system="hr", policy="policy.yaml")
    a.do("ingest", "src", "--system", "hr")
    d, = a.do("dispose propose", "--due", by="rita", key="rita.key")
    given = (*a.given, os.path.abspath("locked.key"))
    Halted(a.line("dispose approve", d, by="otto", key="locked.key"), 3, 16, given, answer=OFFICERS) \
        .run({**a.needles(), **private}, keys.of_blocks(a, KEY_FILE))
    h = Halted(a.line("dispose execute", d, by="rita", key="rita.key"), 60, 8, (*a.given, os.path.abspath("rita.key")))
    h.run(a.needles())


def readers_of_foreign_files_have_none(a):
    locked, blocks = a.needles(), keys.of_blocks(a, KEY_FILE)
    subprocess.run(["tar", "-cf", "src.tar", "src"], check=True)
    with open("src.tar", "rb") as f:
        tar = f.read()
    p = subprocess.Popen(a.line("ingest", "-", "--system", "piped"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    p.stdin.write(tar[:len(tar) // 2])      # and it waits for more
    p.stdin.flush()
    found = []
    for _ in range(400):
        found = [x for x in descendants(p.pid) if line_of(x, "comm") == "muni-unpack" and line_of(x, "wchan") != "0"]
        if found:
            break
        time.sleep(0.02)
    assert found, "muni-unpack does not run"
    for x in found:
        assert memory.finds(x, b"ustar"), "the search finds nothing"
        memory.none_of(x, {**locked, **blocks})
        assert not keys.in_words(x, locked)
    p.stdin.write(tar[len(tar) // 2:])
    p.stdin.close()
    assert p.wait(timeout=100) == 0, p.stderr.read()
    h = Halted(a.line("scan", "src.tar", "--system", "piped"), 6, 8, a.given).run(locked, blocks)
    assert h.seen >= {"muni-whole", "muni-examine", "muni-unpack"}, h.seen


def everything_is_read(where):
    subprocess.run(["find", where, "-type", "f", "-exec", "cksum", "{}", "+"], check=True, stdout=subprocess.DEVNULL)


def a_mount_at_rest_has_no_more_than_it_needs(a):
    os.makedirs("mnt", exist_ok=True)
    options = f"keyring={a.keyring},passphrase-file={a.file}"
    locked, blocks = a.needles(), keys.of_blocks(a, KEY_FILE)
    reading = {n: x for n, x in locked.items() if n.startswith(("the catalogue key", "the page key", "the WAL's"))}
    with open("said", "wb") as said:
        p = subprocess.Popen([mu.MUNIFS, a.path, "mnt", "-f", "-o", options], stderr=said)
    try:
        for _ in range(400):
            if os.path.ismount("mnt"):
                break
            time.sleep(0.02)
        everything_is_read("mnt")
        assert memory.find(p.pid, reading), "the search finds not even the key that it reads with"
        memory.none_of(p.pid, {n: x for n, x in locked.items() if n not in reading})
        hits = keys.astray(p.pid, reading, blocks)
        assert not hits, "\n".join(map(str, hits))
        for x in descendants(p.pid):
            assert not keys.in_words(x, locked) and not keys.in_files(temporary(x, ()), locked)
        a.do("key rotate")
        everything_is_read("mnt")
        memory.none_of(p.pid, locked)       # of the epoch that is over
        hits = keys.astray(p.pid, a.needles(), keys.of_blocks(a, KEY_FILE))
        assert not hits, "\n".join(map(str, hits))
    finally:
        mu.unmount()
        p.wait(timeout=30)
    assert not keys.in_files(["said"], locked)


def a_mount_in_the_background_has_them_locked_too(a):
    """What is locked does not follow a fork."""
    os.makedirs("mnt", exist_ok=True)
    options = f"keyring={a.keyring},passphrase-file={a.file}"
    locked, blocks = a.needles(), keys.of_blocks(a, KEY_FILE)
    subprocess.run([mu.MUNIFS, a.path, os.path.abspath("mnt"), "-o", options], check=True, timeout=60)
    try:
        everything_is_read("mnt")
        pids = [int(x) for x in os.listdir("/proc") if x.isdigit() and os.path.abspath("mnt").encode() in line_bytes(x)]
        assert pids and any(memory.find(x, locked) for x in pids), "the daemon was not found, or the search finds nothing"
        hits = [hit for x in pids for hit in keys.astray(x, locked, blocks)]
        assert not hits, "\n".join(map(str, hits))
    finally:
        mu.unmount()


def line_bytes(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            line = f.read()
        return line if b"munifs" in line.split(b"\0")[0] else b""
    except OSError:
        return b""


def core_of(line, env, is_there):
    """The core that the program leaves when it is aborted once it serves; None: none."""
    os.makedirs("cores", exist_ok=True)
    os.makedirs("mnt", exist_ok=True)

    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    p = subprocess.Popen(line, cwd="cores", env={**os.environ, **env}, preexec_fn=unlimited)
    for _ in range(400):
        if is_there():
            break
        time.sleep(0.02)
    everything_is_read("mnt")
    os.kill(p.pid, signal.SIGABRT)
    p.wait(timeout=60)
    mu.unmount()
    found = glob.glob("cores/core*")
    return found[0] if found else None


def a_core_would_hold_none(a):
    with open("/proc/sys/kernel/core_pattern") as f:
        pattern = f.read().strip()
    if "/" in pattern or "|" in pattern:
        return f"cores go elsewhere here: {pattern}"
    line = [mu.MUNIFS, a.path, os.path.abspath("mnt"), "-f", "-o", f"keyring={a.keyring},passphrase-file={a.file}"]
    assert core_of(line, {}, lambda: os.path.ismount("mnt")) is None, "munifs leaves a core"
    core = core_of(line, {"LD_PRELOAD": CORE}, lambda: os.path.ismount("mnt"))
    if core is None:
        return "no core is written here even by who may be dumped"
    assert os.path.getsize(core) > 1 << 20 and list(memory.seek(core, {"": b"munifs"})), "that is no core"
    found = list(memory.seek(core, {**a.needles(), **keys.of_blocks(a, KEY_FILE)}))
    assert not found, f"in the core: {found}"
    return None


def who_may_lock_little_is_told(a):
    """As somebody without rights: what may be locked by default is enough; where it is not, that is said."""
    subprocess.run(["cp", "-r", a.path, "theirs"], check=True)
    for n in "theirs.keyring", "theirs.pass", "theirs.anchor":
        subprocess.run(["cp", a.file if n.endswith("pass") else a.keyring, n], check=True)
    os.unlink("theirs.anchor")
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", "theirs", "theirs.keyring", "theirs.pass"], check=True)
    os.chmod(".", 0o711)
    os.chmod("theirs.pass", 0o600)
    line = [mu.MUNI, "ls", "theirs", "hr", "--keyring", "theirs.keyring", "--passphrase-file", "theirs.pass"]
    if subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *line[:1], "help"],
                      capture_output=True).returncode:
        return "nobody may not run this build"
    for limit, is_told in ((8 << 20, False), (0, True)):
        def narrow(limit=limit):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *line],
                              capture_output=True, text=True, preexec_fn=narrow)
        assert done.returncode == 0, done.stderr
        assert ("could not be locked" in done.stderr) == is_told, (limit, done.stderr)
    return None


TESTS = [commands_keep_keys_in_locked_memory, a_new_archive_and_a_new_epoch_do_too, readers_of_foreign_files_have_none,
         a_mount_at_rest_has_no_more_than_it_needs, a_mount_in_the_background_has_them_locked_too,
         a_core_would_hold_none, who_may_lock_little_is_told, officers_keys_do_too]
MOUNTS = (a_mount_at_rest_has_no_more_than_it_needs, a_mount_in_the_background_has_them_locked_too, a_core_would_hold_none)


def main():
    mu.tree("src", 3)
    for at, _, names in os.walk("src"):
        for n in names:
            os.utime(os.path.join(at, n), (year(2001), year(2001)))
    with open("policy.yaml", "w") as f:
        f.write(POLICY)
    a = Protected("archive")
    a.do("ingest", "src", "--system", "hr")
    for who, role in (("rita", "records"), ("otto", "owner")):
        officer(who)
        a.do("officer add", id=who, role=role, cert=f"{who}.pem")
    a.do("scan", "src", "--system", "hr")
    failed = 0
    for test in (t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]):
        begin = time.time()
        try:
            left_out = "there is no /dev/fuse that this user may open" if test in MOUNTS and not mu.can_mount() else test(a)
            print(f"  {'left out: ' + left_out if left_out else 'ok'}  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:4000]}", flush=True)
    return 1 if failed else 0


sys.exit(main())

#!/usr/bin/python3
"""Everything at once on one archive, for SOAK_TIME seconds (600), with SOAK_READERS readers (64): see soak_world.py for
what is expected and soak_readers.py for how it is checked.  Meanwhile versions come, holds are placed and released,
records are destroyed, fixity is verified, versions are exported, keys rotated, other mounts come and go or are killed.

At the end: nothing was served wrong, late or after its certificate, nothing hung, memory and descriptors of the mount
stayed bounded, the archive verifies, its log too, and no process is left.  SOAK_SEED repeats a source."""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu                                                             # noqa: E402
try:
    import graves
except ImportError:
    mu.skip("python3-cryptography or python3-zstandard is not installed")
import soak_readers                                                                # noqa: E402
from soak_world import ALIVE, DOOMED, FIRST_GROUPS, GONE, GROUPS_MAX, World        # noqa: E402

TIME = float(os.environ.get("SOAK_TIME", "600"))
READERS = int(os.environ.get("SOAK_READERS", "64"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
IS_SANITIZED = "san" in os.path.basename(mu.BUILD)
CALL_LIMIT = 300 if IS_SANITIZED else 60      # seconds of our own clock: it stands still when we do
CACHE_MIB = 16
RSS_MAX = 32 + CACHE_MIB + 8     # what a mount takes, and a second epoch's catalogue while it goes over
GROWTH_MAX = 8 + CACHE_MIB      # a switch of epoch empties the cache: one half may have had more of them
SEGMENTS_MAX = 128      # descriptors that are kept of them
OTHERS_MAX = 100        # three for each connection of each thread, and what there is once; twice while it goes over
BUSY = ("try again when",)


class Failed(Exception):
    pass


class Soak:
    def __init__(self):
        self.world = World(SEED, READERS)
        self.rng = random.Random(SEED)
        self.source_lock = threading.Lock()     # while an ingest reads it, it stands still
        self.failures, self.counts = [], {}
        self.acts = collections.deque(maxlen=30)    # the newest, for who has to find out why
        self.end = None
        self.children = {}

    # ---- acts on the archive -------------------------------------------------------------

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def is_over(self):
        return bool(self.failures) or time.monotonic() >= self.end

    def muni(self, *args, by=None, allowed=(0,), insists=True):
        """One command; where somebody else is writing it is tried again."""
        line = [mu.MUNI, *args, "--keyring", self.a.keyring, "--key-file", self.a.key]
        if by:
            line += ["--by", by, "--key", f"{by}.key"]
        self.acts.append((time.monotonic(), "begins", *args[:2], *args[3:]))
        while True:
            done = subprocess.run(line, capture_output=True, timeout=1200, check=False)
            said = done.stderr.decode(errors="replace")
            if "waiting for" in said:
                self.count("waits")
            if done.returncode == 1 and any(word in said for word in BUSY):
                self.count("tries")
                if not insists and self.is_over():
                    return None
                time.sleep(0.2 + self.rng.random() * 0.3)
                continue
            if done.returncode not in allowed:
                raise Failed(f"{' '.join(line)}: exit {done.returncode}\n{done.stdout.decode(errors='replace')[-2000:]}{said[-2000:]}")
            self.acts.append((time.monotonic(), "ended", *args[:2], *args[3:]))
            return done

    def ingest(self):
        version = self.world.versions() + 1
        with self.source_lock:
            if version > 1:
                for _ in range(2):
                    self.bear(version)
            self.world.write("src", version)
            line = ("scan", self.a.path, "src", "--system", "s"), \
                   ("classify", self.a.path, "--system", "s", "--policy", "policy.yaml"), \
                   ("ingest", self.a.path, "src", "--system", "s", "--version", f"v{version}")
            for act in line:
                self.muni(*act)
            self.world.versions(version)
        self.count("ingests")

    def bear(self, version):
        group = self.world.groups()
        if group < GROUPS_MAX and group < 250:
            self.world.birth(group, version)
            self.world.groups(group + 1)

    def destroy(self):
        """One group; under a hold first, now and then, which is refused."""
        w = self.world
        alive = [g for g in range(w.groups()) if w.fate(g) == ALIVE and w.birth(g) <= w.versions()]
        if len(alive) < 6:
            return
        group = self.rng.choice(alive)
        with self.source_lock:
            w.removal(group, w.versions() + 1)
            shutil.rmtree(os.path.join("src", w.group_path(group)))
        glob = f"{w.group_path(group)}/**"
        hold = None
        if self.rng.random() < 0.3:
            hold = self.muni("hold", "add", self.a.path, "--case", f"c{group}", "--reason", "soak", "--path", glob)
            hold = hold.stdout.decode().split()[-1]
            self.muni("dispose", "propose", self.a.path, "--due", "--path", glob, by="rita", allowed=(3,))
            self.count("holds")
            self.muni("hold", "release", self.a.path, hold, "--reason", "over")
        # A version that came without them meanwhile closes the records: another list, to be approved anew.
        while not self.execute(group, glob):
            self.count("lists that changed")

    def execute(self, group, glob):
        """Under approvals; the readers are told the moment the certificate is in its folder.  False: not that list."""
        proposal = self.muni("dispose", "propose", self.a.path, "--due", "--path", glob, by="rita")
        name = proposal.stdout.decode().splitlines()[-1]
        self.muni("dispose", "approve", self.a.path, name, by="otto")
        w, folder = self.world, os.path.join(self.a.path, "certificates")
        before = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        is_done = threading.Event()

        def watch():
            while not is_done.wait(0.01):
                if os.path.isdir(folder) and any(n.endswith(".p7m") for n in set(os.listdir(folder)) - before):
                    w.fate(group, GONE)
                    return
        watcher = threading.Thread(target=watch)
        w.fate(group, DOOMED)
        watcher.start()
        try:
            done = self.muni("dispose", "execute", self.a.path, name, by="rita", allowed=(0, 3))
            if done.returncode == 3:
                if b"altered list" not in done.stderr:
                    raise Failed(f"{name} was refused: {done.stderr.decode(errors='replace')}")
                w.fate(group, ALIVE)
                self.muni("dispose", "withdraw", self.a.path, name, "--reason", "soak", by="rita")
                return False
            if not done.stdout.decode().splitlines()[-1].startswith("C"):
                raise Failed(f"no certificate: {done.stdout.decode()}")
            w.fate(group, GONE)
        finally:
            is_done.set()
            watcher.join()
        self.count("destructions")
        return True

    def rotate(self):
        self.muni("key", "rotate", self.a.path)
        self.count("rotations")

    def verify(self):
        deep = ["--deep"] if self.rng.random() < 0.5 else []
        if self.muni("verify", self.a.path, *deep, insists=False):
            self.count("verifications")

    def export(self):
        """Of what was sealed before: exact in what stays, whatever happens meanwhile."""
        w = self.world
        version = self.rng.randint(1, w.versions())
        alive = [g for g in range(w.groups()) if w.is_in(g, version) and w.fate(g) == ALIVE]
        to = f"out{version}"
        self.muni("export", self.a.path, f"s@v{version}", "--to", to, "--format", "dir")
        for group in alive:
            for name in w.names(group):
                try:
                    with open(os.path.join(to, w.group_path(group), name), "rb") as f:
                        soak_readers.Reader.same(f.name, f.read(), w.group_content(group, name, version))
                except FileNotFoundError as why:
                    if w.fate(group) == ALIVE:
                        raise Failed(f"left out of the export: {why}") from why
        shutil.rmtree(to)
        self.count("exports")

    def mount_and_go(self):
        """Another mount, read for a while; then unmounted, or killed under its readers and mounted again at once."""
        is_killed, where = self.rng.random() < 0.6, "mnt2"
        self.a.mount(where, "cache=4M")
        try:
            readers = [self.hasty(where, is_killed) for _ in range(4)]
            time.sleep(min(1.5, TIME / 10))
            if is_killed:
                os.kill(daemon_of(self.a.path, where), signal.SIGKILL)
            for child in readers:
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                if status != (7 if is_killed else 0):
                    raise Failed(f"a reader of a mount that was {'killed' if is_killed else 'left alone'} ended with {status}")
            if is_killed:
                self.a.mount(where, "cache=4M")
                if not os.path.isdir(f"{where}/s/versions/v1"):
                    raise Failed("mounted again after a kill, it shows nothing")
                self.count("kills")
        finally:
            mu.unmount(where)
        self.count("mounts")

    def hasty(self, where, is_killed):
        """A process that reads until its mount is gone (7), or for a while (0)."""
        child = os.fork()
        if child:
            return child
        status, end = 99, time.monotonic() + (CALL_LIMIT if is_killed else 2)
        try:
            reader = soak_readers.Reader(self.world, 0, where)
            reader.w.say = lambda *_: None
            status = 0
            while time.monotonic() < end:
                reader.kept()
        except soak_readers.Wrong as why:
            cause = why.__cause__
            # ENOTCONN; ENOENT once the helper has unmounted it; EIO for a read under way.
            status = 7 if isinstance(cause, OSError) and cause.errno in (107, 103, 5, 2, 116) else 8
            if status == 8:
                os.write(2, f"on {where}: {why}\n".encode(errors="replace"))
        finally:
            os._exit(status)

    # ---- all of them at once ----------------------------------------------------------------

    def again_and_again(self, acts, pause):
        rng = random.Random(f"{SEED}/{acts[0].__name__}")
        try:
            while not self.is_over():
                rng.choice(acts)()
                time.sleep(pause * rng.random())
        except Exception as why:    # noqa: BLE001 - told at the end, and all stops
            self.failures.append(f"{type(why).__name__}: {why}\n" + ("" if isinstance(why, Failed) else traceback.format_exc()))

    def start_readers(self):
        self.told, failed = os.pipe()
        os.set_blocking(self.told, False)
        sys.stdout.flush()
        for slot in range(READERS):
            child = os.fork()
            if child == 0:
                soak_readers.main(self.world, slot, "mnt", failed)
            self.children[child] = slot
        os.close(failed)

    def look_after_readers(self, ticks):
        """A reader is told of that ended, or has been at one act for too long."""
        try:
            while text := os.read(self.told, 65536):
                self.failures.append(f"at {time.monotonic():.2f} {text.decode(errors='replace')}")
        except BlockingIOError:
            pass
        for child, slot in self.children.items():
            beats, what = self.world.heard(slot)
            if ticks.get(slot, (None, 0))[0] != beats:
                ticks[slot] = (beats, 0)
            else:
                ticks[slot] = (beats, ticks[slot][1] + 1)
                if ticks[slot][1] == CALL_LIMIT * 4:
                    self.failures.append(f"reader {slot} (process {child}) hangs: {what}\n{stack_of(child)}")

    def run(self):
        ticks, sizes = {}, []
        self.daemon = daemon_of(self.a.path, "mnt")
        self.end = time.monotonic() + TIME
        self.start_readers()
        pause = min(4.0, TIME / 30)
        lines = [([self.ingest], pause), ([self.destroy, self.destroy, self.destroy, self.rotate], pause / 2),
                 ([self.verify], pause), ([self.export], pause), ([self.mount_and_go], pause / 2)]
        threads = [threading.Thread(target=self.again_and_again, args=line) for line in lines]
        for thread in threads:
            thread.start()
        try:
            while any(t.is_alive() for t in threads):
                time.sleep(0.25)
                self.look_after_readers(ticks)
                sizes.append((rss_mib(self.daemon), descriptors(self.daemon)))
        finally:
            for thread in threads:
                thread.join()
            self.stop_readers(ticks)
        return sizes

    def stop_readers(self, ticks):
        self.world.is_over(1)
        left, waits = dict(self.children), 0
        while left and waits < CALL_LIMIT * 4:
            for child in list(left):
                if os.waitpid(child, os.WNOHANG)[0]:
                    del left[child]
            waits += 1
            time.sleep(0.25)
        self.look_after_readers(ticks)
        for child, slot in left.items():
            self.failures.append(f"reader {slot} does not end: {self.world.heard(slot)[1]}\n{stack_of(child)}")
            os.kill(child, signal.SIGKILL)

    # ---- before and after ------------------------------------------------------------------------

    def prepare(self):
        for _ in range(FIRST_GROUPS):
            self.bear(1)
        self.a = graves.keeper()
        self.ingest()
        self.a.mount("mnt", f"cache={CACHE_MIB}M")

    def check_mount(self):
        """All of every version once more, by one who has seen nothing."""
        w, n = self.world, 0
        reader = soak_readers.Reader(w, 0, "mnt")
        for version in range(1, w.versions() + 1):
            for group in range(w.groups()):
                for name in w.names(group) if w.is_in(group, version) else ():
                    path = f"{reader.top}/v{version}/{w.group_path(group)}/{name}"
                    want = w.group_content(group, name, version)

                    def act(path=path):
                        with open(path, "rb") as f:
                            return f.read()
                    reader.attempt(path, group, act, lambda got, path=path, want=want: reader.same(path, got, want))
                    n += 1
        return n

    def check_end(self, sizes):
        n = self.check_mount()
        top = max(s[0] for s in sizes)
        most = max(s[1] for s in sizes)
        fds = open_files(self.daemon)
        others = [f for f in fds if "/segments/" not in f]
        removed = [f for f in fds if f.startswith(self.a.path) and f.endswith("(deleted)")]
        status = json.load(open("mnt/.muniment/status"))
        mu.unmount("mnt")
        self.a.run("verify", "--deep", timeout=1200)
        self.a.ask("audit", "verify")
        beats = sum(self.world.heard(i)[0] for i in range(READERS))
        print(f"    {beats} acts of {READERS} readers, {n} files at the end, {self.world.versions()} versions, " +
              ", ".join(f"{v} {k}" for k, v in sorted(self.counts.items())))
        print(f"    munifs: {top:.1f} MiB at most, {most} descriptors at most, {len(fds)} at the end; "
              f"its messages: {[m['text'] for m in status['messages']][-4:]}")
        half, end = (sorted(s[0] for s in part)[len(part) // 2] for part in (sizes[len(sizes) // 3:len(sizes) // 2 + 1],
                                                                             sizes[-len(sizes) // 3:]))
        print(f"    its memory: {half:.1f} MiB before the middle, {end:.1f} towards the end")
        if not IS_SANITIZED and (top > RSS_MAX or (TIME > 100 and end > half + GROWTH_MAX)):
            raise Failed(f"munifs grew to {top:.1f} MiB, {RSS_MAX} are allowed; or from {half:.1f} to {end:.1f}")
        if most > SEGMENTS_MAX + 2 * OTHERS_MAX or len(others) > OTHERS_MAX or removed:
            raise Failed(f"munifs had {most} descriptors open; at the end {others}; of what is no more {removed}")
        left = processes_of(self.a.path)
        for _ in range(1000 if IS_SANITIZED else 100):
            if not left:
                break
            time.sleep(0.1)
            left = processes_of(self.a.path)
        if left:
            raise Failed(f"processes are left: {left}")


# ---- processes -------------------------------------------------------------------------------------


def daemon_of(archive, where, name="munifs"):
    """The process that serves this archive at a mountpoint; others may have one of the same name in their folders, and
    the one before it, unmounted a moment ago, may still be ending."""
    youngest = None
    where, archive = os.path.abspath(where), os.fsencode(archive)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/comm") as f:
                comm = f.read().strip()
        except OSError:
            continue
        if comm == name and archive in words and any(os.path.abspath(os.fsdecode(w)) == where for w in words[1:4]) and \
                (name != "munifs" or threads_of(pid) > 2):
            youngest = max(youngest or (0, 0), (began(pid), int(pid)))
    if youngest is None:
        raise Failed(f"nobody serves {where}")
    return youngest[1]


def began(pid):
    """Ticks from the start of the machine; -1 of who is gone."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except OSError:
        return -1


def threads_of(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def processes_of(path):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read()
        except OSError:
            continue
        if os.fsencode(path) in line and int(pid) != os.getpid():
            found.append((int(pid), line.replace(b"\0", b" ").decode(errors="replace")))
    return found


def stack_of(pid):
    """Where its threads stand in the kernel, as far as we may see."""
    text = []
    for name in "wchan", "syscall", "stack":
        try:
            with open(f"/proc/{pid}/{name}") as f:
                text.append(f"  {name}: {f.read().strip()}")
        except OSError as why:
            text.append(f"  {name}: {why}")
    return "\n".join(text)


def rss_mib(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def open_files(pid):
    """What its descriptors lead to."""
    found = []
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
    except OSError:
        pass
    return found


def descriptors(pid):
    return len(open_files(pid))


def main():
    if not mu.can_mount():
        mu.skip("there is no /dev/fuse that this user may open")
    soak = Soak()
    soak.prepare()
    try:
        sizes = soak.run()
        if not soak.failures:
            soak.check_end(sizes)
    except (Failed, soak_readers.Wrong) as why:
        soak.failures.append(str(why))
    finally:
        for where in "mnt", "mnt2":
            if os.path.ismount(where):
                mu.unmount(where)
    for failure in soak.failures[:10]:
        print(failure)
    for act in soak.acts if soak.failures else ():
        print(f"  {act[0]:.2f}", *act[1:])
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())

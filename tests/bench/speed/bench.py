#!/usr/bin/python3
"""How fast and how small: muniment beside its peers, in one run, on corpora made by seeds.

    bench.py [--scale full|quick|tiny] [--only PART,...] [--peers NAME,...|none] [--growth] ...

Systems take turns (A B C A B C), each figure is the median of its rounds, and each row of
results.tsv says how much processor time the host stole meanwhile. Nothing fails on a
figure; a peer that is not installed is named. docs/decisions/0107-how-speed-is-measured.md
says why it is measured in this way.
"""
import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import corpora  # noqa: E402
import machine  # noqa: E402
import ours  # noqa: E402
import parts  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import systems  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
WORK = "bench-work.tmp"         # in the scratch folder: all that is removed, before and after


class Bench:
    """One run: where it works, what it measures on, and what has to be undone at the end."""

    def __init__(self, options):
        self.scale = corpora.SCALES[options.scale]
        self.rounds = options.rounds or self.scale.rounds
        self.brief = self.scale.name == "quick"
        self.limit = options.limit or self.scale.limit
        self.build = os.path.abspath(options.build)
        self.tools = os.path.join(self.build, "bench", "speed")
        self.scratch = os.path.abspath(options.scratch)
        self.work = os.path.join(self.scratch, WORK)
        os.makedirs(self.scratch, exist_ok=True)
        machine.remove(self.work)
        os.makedirs(self.work)
        self.log = os.path.join(self.scratch, "errors.log")
        with open(self.log, "w"):
            pass
        self.cache, self.spent = machine.Cache(), {}
        self.results = results.Results(os.path.join(self.scratch, "results.tsv"), options.add)
        self.corpora = corpora.Corpora(os.path.join(self.work, "corpora"), options.corpora, self.scale,
                                       self.tools, options.git, options.tags)
        self.part = ""
        self._choose(options.peers)

    def _choose(self, wanted):
        self.ours = ours.Muniment(self)
        self.all, self.absent = [], {}
        others = systems.Squashfs, systems.NullFs, systems.Folder, *systems.PEERS[1:]
        for system in (self.ours, *(kind(self) for kind in others)):
            if system.group == "peer" and wanted is not None and system.name not in wanted:
                continue
            why = system.missing()
            if why:
                self.absent[system.title] = why
            else:
                self.all.append(system)
        if why := self.ours.missing():
            raise SystemExit(f"bench: {why}: run make first")

    def big_size(self):
        return os.path.getsize(self.corpora.big_file())

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def record(self, corpus, system, measure, unit, round_, value, timed=None, note=""):
        watched = {"steal": f"{timed.steal:.1f}", "load": f"{timed.load:.1f}"} if timed else {}
        self.results.add(self.part, corpus, system, measure, unit, round_, value, note=note, **watched)

    def turns(self, corpus, key, chosen):
        """(round, system) in turns; whoever took too long, or failed, does not come again."""
        for round_ in range(1, self.rounds + 1):
            for system in chosen:
                if self.worth(corpus, key, system, round_):
                    yield round_, system

    def worth(self, corpus, key, system, round_):
        if self.brief and system.slow and (round_ > 1 or (corpus, key) not in system.in_brief):
            return False
        spent = self.spent.get((corpus, key, system.name), 0.0)
        return spent < system.patience * (0.1 if self.brief else 1)

    def took(self, corpus, key, system, seconds):
        name = corpus, key, system.name
        self.spent[name] = self.spent.get(name, 0.0) + seconds

    def step(self, corpus, system, key, round_, command, **how):
        """One timed command of a system. None if it did not end in time, or failed; both are recorded."""
        limit = self.limit * (4 if system.group == "ours" else 1)
        try:
            timed = machine.run_measured(command, limit=limit, env=system.env(), log=self.log, **how)
        except machine.Missing as why:
            self.say(f"{corpus} {system.name} {key}: {why}")
            self.record(corpus, system.name, key, "s", round_, "failed", note=str(why))
            self.took(corpus, key, system, float("inf"))
            return None
        if not timed.finished:
            self.record(corpus, system.name, key, "s", round_, f"> {limit:.0f} s", timed)
            self.say(f"{corpus} {system.name} {key}: did not finish in {limit:.0f} s")
            self.took(corpus, key, system, float("inf"))
            return None
        self.took(corpus, key, system, timed.seconds)
        self.record(corpus, system.name, key, "s", round_, timed.seconds, timed)
        self.say(f"{corpus} {system.name} {key}: {timed.seconds:.2f} s")
        return timed

    @contextlib.contextmanager
    def mounted(self, corpus, system, round_, store=None, measure=True):
        """A fresh mount with cold caches: its root; records how long it took to the first listing."""
        store = store or system.store(corpus)
        at = os.path.join(self.work, f"mnt-{system.name}")
        os.makedirs(at, exist_ok=True)
        self.cache.drop(store)
        daemon = None
        watch = machine.Stopwatch()
        try:
            for command, stays in system.daemons(store, at):
                where = self._mountpoint(command)
                if stays:
                    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                              env={**os.environ, **system.env()})
                else:
                    self._start(command, system.env())
                systems.wait_for(where)
            root = system.root(store, at)
            os.listdir(root)
            watch.stop()
            if system.daemons(store, at) and measure:
                self.record(corpus, system.name, "first-ls", "s", round_, watch.seconds, watch)
            yield root
            if system.daemons(store, at):
                self.record(corpus, system.name, "memory", "MiB", round_,
                            sum(machine.memory_of(self._mountpoint(c)) for c, _ in
                                system.daemons(store, at)))
        finally:
            for command, _ in reversed(system.daemons(store, at)):
                self.unmount(self._mountpoint(command))
            if daemon:
                _ended(daemon)
                self.unmount(at)        # it may have mounted while it was given up

    def _mountpoint(self, command):
        return next(word for word in reversed(command) if os.path.isdir(word)
                    and word.startswith(self.work))

    def _start(self, command, env):
        """A daemon that goes to the background by itself. It may keep our pipes: it gets none."""
        with open(self.log, "ab") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=log, env={**os.environ, **env}, start_new_session=True)
            # Not wait(timeout=...), which looks only now and then: this is timed.
            watchdog = threading.Timer(60, child.kill)
            watchdog.start()
            try:
                status = child.wait()
            finally:
                watchdog.cancel()
                if child.returncode is None:
                    child.kill()
                    child.wait()
        if status:
            raise machine.Missing(f"{command[0]} could not mount (status {status}); see {self.log}")

    def unmount(self, at):
        for attempt in range(100):
            if not _is_mounted(at):
                break
            lazily = ["-z"] if attempt > 60 else []
            subprocess.run(["fusermount3", "-u", *lazily, at], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            if _is_mounted(at):
                time.sleep(0.05)
        # The daemon is gone only after its mount: the next round shall not meet its memory.
        for _ in range(100):
            if not machine.memory_of(at):
                return
            time.sleep(0.02)

    def end(self, keep):
        with open("/proc/self/mounts") as file:
            left = [line.split()[1] for line in file]
        for at in sorted((at for at in left if at.startswith(self.work + "/")), reverse=True):
            self.unmount(at)
        if not keep:
            machine.remove(self.work)


def _is_mounted(at):
    with open("/proc/self/mounts") as file:
        return any(line.split()[1] == at for line in file)


def _ended(daemon):
    """Its mount is gone, so it ends; if it does not, it is told to."""
    for seconds, end in ((10, daemon.terminate), (5, daemon.kill), (None, None)):
        try:
            daemon.wait(timeout=seconds)
            return
        except subprocess.TimeoutExpired:
            end()


def main():
    options = _options()
    if options.render:
        render(options, results.read(os.path.join(options.scratch, "results.tsv")))
        return 0
    # Started in the background by a shell, we would have been told to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: told to stop"))
    bench = Bench(options)
    began = time.monotonic()
    try:
        _facts(bench)
        for name in options.only:
            bench.part = name
            bench.results.begin(name)
            bench.say(f"part {name}")
            parts.PARTS[name](bench)
    except KeyboardInterrupt:
        raise SystemExit("bench: interrupted; what was measured stands in results.tsv") from None
    finally:
        bench.end(options.keep)
    bench.part = "run"
    bench.record("-", "-", "seconds", "s", 1, time.monotonic() - began)
    render(options, bench.results.rows)
    return 0


def _facts(bench):
    bench.part = "run"
    bench.results.begin("run")
    bench.record("-", "-", "machine", "text", 1, machine.described())
    bench.record("-", "-", "cold", "text", 1, bench.cache.words())
    bench.record("-", "-", "scale", "text", 1, bench.scale.name)
    bench.record("-", "-", "date", "text", 1, time.strftime("%Y-%m-%d"))
    for system in bench.all:
        if system.version():
            bench.record("-", system.name, "version", "text", 1, system.version())
    for number, (title, why) in enumerate(bench.absent.items(), 1):
        bench.say(f"not measured: {title}: {why}")
        bench.record("-", "-", "absent", "text", number, f"{title} ({why})")


def render(options, rows):
    view = results.View(rows)
    page = os.path.join(ROOT, "docs", "performance.md")
    target = options.report or os.path.join(options.scratch, "performance.md")
    report.write(view, page, target)
    print(report.summary(view))
    print(f"figures: {options.scratch}/results.tsv   page: {target}")


def _options():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--scale", choices=corpora.SCALES, default="full")
    p.add_argument("--only", type=lambda text: text.split(","), metavar="PART,...",
                   help=f"of: {', '.join(parts.PARTS)}")
    p.add_argument("--growth", action="store_true", help="also 10^4 to 10^6 files and 1 to 16 GiB")
    p.add_argument("--peers", type=lambda text: text.split(","), metavar="NAME,...",
                   help=f"of: {', '.join(s.name for s in systems.PEERS)}; none (default: all that are found)")
    p.add_argument("--rounds", type=int, help="of each step (default: 3; tiny: 1)")
    p.add_argument("--limit", type=float, help="seconds after which a step did not finish (ours: four times it)")
    p.add_argument("--build", default=os.environ.get("BUILD", "build"))
    p.add_argument("--scratch", default=None, help="folder to work in (default: BUILD/bench-run)")
    p.add_argument("--corpora", help="folder with big, mixed, many, versions to take instead of made ones")
    p.add_argument("--git", help="git repository whose releases are the versions")
    p.add_argument("--tags", type=lambda text: text.split(","), default=(), help="five of its tags")
    p.add_argument("--report", help="page to write (default: SCRATCH/performance.md)")
    p.add_argument("--add", action="store_true", help="keep figures of other parts in results.tsv")
    p.add_argument("--keep", action="store_true", help="leave the corpora and stores in SCRATCH/bench-work.tmp")
    p.add_argument("--render", action="store_true", help="measure nothing: write the page of results.tsv")
    options = p.parse_args()
    options.scratch = os.path.abspath(options.scratch or os.path.join(options.build, "bench-run"))
    options.only = options.only or [n for n in parts.PARTS if n != "growth" or options.growth]
    if unknown := [n for n in options.only if n not in parts.PARTS]:
        p.error(f"no such part: {', '.join(unknown)}")
    if options.peers and (unknown := set(options.peers) - {s.name for s in systems.PEERS} - {"none"}):
        p.error(f"no such peer: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())

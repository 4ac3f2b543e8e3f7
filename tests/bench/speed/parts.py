"""What is measured, part by part. Each can be run alone; what it needs of another it makes, untimed."""
import os
import shutil

import growth
import machine
import ours
import systems

SOURCES = ("big", "mixed", "many")
MIB = 1 << 20
READERS = (1, 4)
BLOCKS = {"4k": 4096, "128k": 128 << 10}


def limits(bench):
    """zstd, AES-256-GCM and SHA-256 on each corpus; the disk."""
    seconds = {"full": "0.4", "quick": "0.05", "tiny": "0.05"}[bench.scale.name]
    program = os.path.join(bench.tools, "limits")
    for kind in SOURCES:
        file = os.path.join(bench.work, f"sample-{kind}")
        _concatenated(bench.corpora.path(kind), file, 64 << 20)
        for round_ in range(1, bench.rounds + 1):
            _limit_rows(bench, kind, round_, [program, "code", file, "3", seconds])
        os.unlink(file)
        _source_rows(bench, kind)
    for round_ in range(1, bench.rounds + 1):
        _limit_rows(bench, "-", round_, [program, "disk", os.path.join(bench.work, "disk"),
                                         str(bench.scale.big // 4)])


def _source_rows(bench, kind):
    """What anybody pays who goes through the source, warm: to list it, and to read it on all cores."""
    source = bench.corpora.path(kind)
    machine.warm(source)
    for round_ in range(1, bench.rounds + 1):
        for name, command in (("walk-source", ["find", source, "-printf", r"%s\n"]),
                              ("read-source", read_all(source, os.cpu_count()))):
            timed = machine.run_measured(command, log=bench.log)
            bench.record(kind, "limit", name, "s", round_, timed.seconds, timed)


def read_all(root, readers):
    return ["sh", "-c", 'find "$1" -type f -print0 | xargs -0 -n 500 -P "$2" cat > /dev/null', "sh", root,
            str(readers)]


def _limit_rows(bench, kind, round_, command):
    timed = machine.run(command, log=bench.log)
    for line in timed.output.splitlines():
        name, threads, rate = line.split()
        bench.record(kind, "limit", f"{name}-{'1' if threads == '1' else 'all'}", "MiB/s", round_,
                     float(rate), timed)


def _concatenated(folder, target, size):
    with open(target, "wb") as out:
        for where, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                if out.tell() >= size:
                    return
                path = os.path.join(where, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        shutil.copyfileobj(_Head(file, size - out.tell()), out, 1 << 20)


class _Head:
    """The first bytes of a file, as something that can be read."""

    def __init__(self, file, size):
        self.file, self.left = file, size

    def read(self, size):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data


def ingest(bench):
    """Wall time of the first intake, and of the same source again; what it takes on disk."""
    for kind in SOURCES:
        source = bench.corpora.path(kind)
        for name, value in zip(("bytes", "files", "entries"), bench.corpora.counts(kind)):
            bench.record(kind, "-", name, "", 1, value)
        machine.warm(source)
        takers = [s for s in bench.all if s.group != "limit"]
        for round_, system in bench.turns(kind, "ingest", takers):
            take_in(bench, kind, system, source, round_)
        for system in takers:
            for name, value in (system.sizes(system.store(kind)) if _is_made(system, kind) else {}).items():
                bench.record(kind, system.name, name, "B", 1, value)
        _again(bench, kind, source, takers)


def _is_made(system, kind):
    return os.path.isdir(system.store(kind))


def take_in(bench, kind, system, source, round_):
    """A store made anew and one source taken in, timed; then what the system left to be written."""
    store = system.store(kind)
    machine.remove(store)
    try:
        system.prepare(store)
        os.sync()
        command, cwd = system.intake(store, source, "first")
        timed = bench.step(kind, system, "ingest", round_, command, cwd=cwd)
        if timed:
            written = machine.run(["sync", "-f", store]).seconds
            bench.record(kind, system.name, "ingest-synced", "s", round_, timed.seconds + written)
            bench.record(kind, system.name, "ingest-cpu", "s", round_, timed.processor)
            bench.record(kind, system.name, "ingest-memory", "MiB", round_, timed.memory)
    except machine.Missing as why:
        timed = None
        bench.say(f"{kind} {system.name}: {why}")
        bench.took(kind, "ingest", system, float("inf"))
    finally:
        system.settle(store)
    if not timed:
        machine.remove(store)
    return timed


def _again(bench, kind, source, takers):
    for round_, system in bench.turns(kind, "again", [s for s in takers if s.takes_versions]):
        if _is_made(system, kind):
            command, cwd = system.intake(system.store(kind), source, f"again{round_}")
            bench.step(kind, system, "again", round_, command, cwd=cwd)


def versions(bench):
    """Five releases: one by one where a system can, all at once where it cannot."""
    folder, kind = bench.corpora.path("versions"), "versions"
    for name, value in zip(("bytes", "files", "entries"), bench.corpora.counts(kind)):
        bench.record(kind, "-", name, "", 1, value)
    machine.warm(folder)
    takers = [s for s in bench.all if s.group == "peer" or s.name == "muniment"]
    takers = [s for s in takers if s.name != "gocryptfs"]
    dense = ours.MunimentDense(bench)
    if dense.missing():
        bench.say(f"not measured: {dense.title}: {dense.missing()}")
    else:
        takers.insert(1, dense)
    for round_, system in bench.turns(kind, "ingest", takers):
        if system.takes_versions:
            _one_by_one(bench, kind, system, round_)
        else:
            take_in(bench, kind, system, folder, round_)
    for system in takers:
        for name, value in (system.sizes(system.store(kind)) if _is_made(system, kind) else {}).items():
            bench.record(kind, system.name, name, "B", 1, value)
        machine.remove(system.store(kind))


def _one_by_one(bench, kind, system, round_):
    store = system.store(kind)
    machine.remove(store)
    try:
        system.prepare(store)
        total = 0.0
        for number, release in enumerate(bench.corpora.releases(), 1):
            command, cwd = system.intake(store, release, f"v{number}")
            timed = bench.step(kind, system, f"ingest-v{number}", round_, command, cwd=cwd)
            if not timed:
                return
            total += timed.seconds
        bench.took(kind, "ingest", system, total)
        bench.record(kind, system.name, "ingest", "s", round_, total, timed)
    except machine.Missing as why:
        bench.say(f"{kind} {system.name}: {why}")
        bench.took(kind, "ingest", system, float("inf"))


def smallest(bench):
    """Sizes at the highest level, on a part of each corpus: it takes a minute for 100 MiB."""
    for kind in SOURCES:
        source = bench.corpora.sample(kind, bench.scale.sample)
        bench.record(f"{kind}-sample", "-", "bytes", "B", 1, machine.tree_size(source))
        machine.warm(source)
        for system in (ours.MunimentSmall(bench), systems.SquashfsSmall(bench)):
            if system.name != "muniment-19" and "squashfs" not in [s.name for s in bench.all]:
                continue
            if take_in(bench, f"{kind}-sample", system, source, 1):
                store = system.store(f"{kind}-sample")
                for name, value in system.sizes(store).items():
                    bench.record(f"{kind}-sample", system.name, name, "B", 1, value)
                machine.remove(store)
        machine.remove(source)


def _stores(bench, kind):
    """The systems that have this corpus, taken in untimed where the part that does so was not run."""
    have = []
    for system in bench.all:
        if system.group == "limit" or _is_made(system, kind):
            have.append(system)
            continue
        if bench.brief and system.slow:
            continue            # it was asked for what it is asked for
        store = system.store(kind)
        tried = (kind, "ingest", system.name) in bench.spent
        if tried and bench.results.view().get(kind, system.name, "ingest") is None:
            continue
        try:
            system.prepare(store)
            command, cwd = system.intake(store, bench.corpora.path(kind), "first")
            done = machine.run(command, limit=bench.limit, env=system.env(), cwd=cwd, log=bench.log)
            if done.finished:
                have.append(system)
        except machine.Missing as why:
            bench.say(f"{kind} {system.name}: {why}")
        finally:
            system.settle(store)
    return have


def tree(bench):
    """Small files: listing them all, reading them all with one and four readers."""
    for kind in ("many", "mixed"):
        have = _stores(bench, kind)
        if kind == "mixed":
            have = [s for s in have if s.group != "limit"]      # it has another shape
        for round_ in range(1, (1 if bench.brief and kind == "mixed" else bench.rounds) + 1):
            for system in have:
                _walk(bench, kind, system, round_)
            for readers in READERS:
                for system in have:
                    _read_small(bench, kind, system, round_, readers)


def _walk(bench, kind, system, round_):
    if not bench.worth(kind, "walk", system, round_):
        return
    with _tolerant(bench, kind, system, "walk"), bench.mounted(kind, system, round_) as root:
        script = ["find", root, "-printf", r"%s\n"]
        if bench.step(kind, system, "walk", round_, script):
            bench.step(kind, system, "walk-warm", round_, script)
        if round_ == 1:
            _see_all(bench, kind, system, root)


def _see_all(bench, kind, system, root):
    """A figure for less than everything would be no figure."""
    seen = machine.run(["sh", "-c", 'find "$1" -type f | wc -l', "sh", root], log=bench.log).output.strip()
    wanted = bench.corpora.counts(kind)[1]
    if int(seen or 0) != wanted:
        raise machine.Missing(f"shows {seen} of {wanted} files")


def _read_small(bench, kind, system, round_, readers):
    key = f"read-{readers}"
    failed = bench.spent.get((kind, f"read-{READERS[0]}", system.name)) == float("inf")
    if failed or not bench.worth(kind, key, system, round_):
        return
    with _tolerant(bench, kind, system, key), \
            bench.mounted(kind, system, round_, measure=False) as root:
        bench.step(kind, system, key, round_, read_all(root, readers))


class _tolerant:
    """A system that cannot be mounted is named and not tried again."""

    def __init__(self, bench, kind, system, key):
        self.bench, self.name = bench, (kind, key, system)

    def __enter__(self):
        return self

    def __exit__(self, _, why, __):
        if isinstance(why, (machine.Missing, OSError)):
            kind, key, system = self.name
            self.bench.say(f"{kind} {system.name} {key}: {why}")
            self.bench.record(kind, system.name, key, "s", 1, "failed", note=str(why))
            self.bench.took(kind, key, system, float("inf"))
            return True
        return False


def big(bench):
    """One large file: in order, cold and warm; at random, in two sizes, with one and four readers."""
    have = _stores(bench, "big")
    name = os.path.basename(bench.corpora.big_file())
    for round_ in range(1, bench.rounds + 1):
        for system in have:
            _sequential(bench, system, round_, name)
        for size in BLOCKS:
            for readers in READERS:
                for system in have:
                    _random(bench, system, round_, name, size, readers)


def _file_in(system, root, name):
    return os.path.join(root, "events.log" if system.group == "limit" else name)


def _sequential(bench, system, round_, name):
    if not bench.worth("big", "read-all", system, round_):
        return
    with _tolerant(bench, "big", system, "read-all"), bench.mounted("big", system, round_) as root:
        for key in ("read-all", "read-all-warm"):
            timed = bench.step("big", system, key, round_, [os.path.join(bench.tools, "readers"), "all",
                                                           _file_in(system, root, name)])
            if not timed:
                return
            bench.record("big", system.name, f"{key}-rate", "MiB/s", round_,
                         bench.big_size() / MIB / timed.seconds, timed)


def _random(bench, system, round_, name, size, readers):
    key = f"random-{size}-{readers}"
    if not bench.worth("big", key, system, round_):
        return
    # So few that a block met before is rare: a cache shall not answer in place of the archive.
    reads = max(64, bench.big_size() // (64 << 10 if size == "4k" else 128 << 10))
    with _tolerant(bench, "big", system, key), \
            bench.mounted("big", system, round_, measure=False) as root:
        timed = machine.run([os.path.join(bench.tools, "readers"), "random", _file_in(system, root, name),
                             BLOCKS[size], readers, reads, bench.scale.seconds, 1000 * round_ + readers],
                            limit=bench.limit, log=bench.log)
        if not timed.finished:
            bench.record("big", system.name, key, "reads/s", round_, f"> {bench.limit:.0f} s", timed)
            bench.took("big", key, system, float("inf"))
            return
        done, seconds, middle, slow = map(float, timed.output.split())
        bench.record("big", system.name, key, "reads/s", round_, done / seconds, timed)
        bench.record("big", system.name, f"{key}-p50", "us", round_, middle, timed)
        bench.record("big", system.name, f"{key}-p99", "us", round_, slow, timed)
        bench.took("big", key, system, timed.seconds)
        bench.say(f"big {system.name} {key}: {done / seconds:.0f} reads/s, p99 {slow:.0f} us")


ACTS = {
    "verify": lambda s, store: s.command(store, "verify", "-q"),
    "verify-deep": lambda s, store: s.command(store, "verify", "--deep", "-q"),
    "export-tar": lambda s, store: s.command(store, "export", "s@first", "--format", "tar", "--to", "-", "-q"),
}


def _read_store(bench, kind, store, round_):
    """What anybody pays who reads the archive's files, as they lie, and does nothing with them."""
    bench.cache.drop(store)
    timed = machine.run([os.path.join(bench.tools, "limits"), "files", store], log=bench.log)
    bench.record(kind, "limit", "read-store", "s", round_, float(timed.output.split()[2]), timed)


def check(bench):
    """Reading everything: verification, shallow and deep; export as one tar into nothing."""
    system = bench.ours
    for kind in SOURCES:
        if system not in _stores(bench, kind):
            continue
        for round_ in range(1, bench.rounds + 1):
            _read_store(bench, kind, system.store(kind), round_)
            for key, command in ACTS.items():
                if not bench.worth(kind, key, system, round_):
                    continue
                bench.cache.drop(system.store(kind))
                timed = bench.step(kind, system, key, round_, command(system, system.store(kind)))
                if timed:
                    bench.record(kind, system.name, f"{key}-cpu", "s", round_, timed.processor)
                    bench.record(kind, system.name, f"{key}-memory", "MiB", round_, timed.memory)


PARTS = {"limits": limits, "ingest": ingest, "versions": versions, "smallest": smallest, "tree": tree,
         "big": big, "check": check, "growth": growth.run}

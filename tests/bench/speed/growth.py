"""How things grow: with the number of files, and with the bytes of one."""
import json
import os

import machine
import parts

FILES = {"full": (10_000, 100_000, 1_000_000), "quick": (1_000, 10_000, 100_000), "tiny": (100, 1_000)}
BYTES = {"full": (1 << 30, 4 << 30, 16 << 30), "quick": (64 << 20, 256 << 20, 1 << 30),
         "tiny": (1 << 20, 4 << 20)}
LIMIT = 900


def run(bench):
    usual, bench.limit = bench.limit, LIMIT
    rounds, bench.rounds = bench.rounds, 1
    try:
        for count in FILES[bench.scale.name]:
            _files(bench, count, rounds)
        for size in BYTES[bench.scale.name]:
            _bytes(bench, size)
    finally:
        bench.limit, bench.rounds = usual, rounds


def _source(bench, kind, needs, make):
    """A source of its own for one step of the growth, or None where the disk is too small for it."""
    free = os.statvfs(bench.work)
    if free.f_bavail * free.f_frsize < needs:
        bench.say(f"{kind}: not measured: {needs >> 30} GiB of free disk are needed")
        bench.record(kind, "-", "bytes", "B", 1, "disk too small")
        return None
    source = os.path.join(bench.work, kind)
    os.makedirs(source)
    make(source)
    size = machine.tree_size(source)
    bench.record(kind, "-", "bytes", "B", 1, size)
    return source


def _took(bench, kind, system, source):
    if not parts.take_in(bench, kind, system, source, 1):
        return False
    for name, value in system.sizes(system.store(kind)).items():
        bench.record(kind, system.name, name, "B", 1, value)
    return True


def _files(bench, count, rounds):
    kind = f"files-{count}"
    source = _source(bench, kind, count * 10_000,
                     lambda target: bench.corpora.make_files(target, count // 100, 100))
    compared = [s for s in bench.all if s.name in ("muniment", "squashfs")]
    if source is None:
        return
    done = [s for s in compared if _took(bench, kind, s, source)]
    if bench.ours in done:
        command, cwd = bench.ours.intake(bench.ours.store(kind), source, "again")
        bench.step(kind, bench.ours, "again", 1, command, cwd=cwd)
    for round_ in range(1, rounds + 1):
        for system in done:
            with bench.mounted(kind, system, round_) as root:
                if round_ == 1:
                    bench.step(kind, system, "walk", round_, ["find", root, "-printf", r"%s\n"])
    if bench.ours in done:
        store = bench.ours.store(kind)
        bench.cache.drop(store)
        bench.step(kind, bench.ours, "verify-deep", 1, bench.ours.command(store, "verify", "--deep", "-q"))
        _destroy(bench, kind, store, count)
    for path in (source, *(s.store(kind) for s in compared)):
        machine.remove(path)


def _destroy(bench, kind, store, count):
    """What marking, packing anew and copying the catalogue take; the archive stays as it is."""
    program = os.path.join(bench.build, "bench", "destroy")
    for key, records in (("destroy-one", 1), ("destroy-1pc", count // 100)):
        try:
            done = machine.run([program, f"{store}/archive", f"{store}/keyring", f"{store}/key",
                                records, 7], limit=LIMIT, log=bench.log)
            told = json.loads(done.output)
        except (machine.Missing, ValueError) as why:
            bench.say(f"{kind} {key}: {why}")
            return
        bench.record(kind, "muniment", key, "s", 1, sum(told[k] for k in ("mark", "repack", "copy",
                                                                          "checkpoint")), done)
        bench.record(kind, "muniment", f"{key}-memory", "MiB", 1, told["rss_kib"] / 1024)


def _bytes(bench, size):
    kind = f"bytes-{size}"
    source = _source(bench, kind, 2 * size,
                     lambda target: bench.corpora.make_log(os.path.join(target, "events.log"), size))
    if source is None:
        return
    system, store = bench.ours, bench.ours.store(kind)
    if _took(bench, kind, system, source):
        with bench.mounted(kind, system, 1) as root:
            bench.step(kind, system, "read-all", 1, [os.path.join(bench.tools, "readers"), "all",
                                                     os.path.join(root, "events.log")])
        bench.cache.drop(store)
        bench.step(kind, system, "verify-deep", 1, system.command(store, "verify", "--deep", "-q"))
    for path in (source, store):
        machine.remove(path)

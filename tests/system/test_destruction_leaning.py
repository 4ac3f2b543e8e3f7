#!/usr/bin/python3
"""Destruction where blocks lean on others, several deep: what goes is gone from whatever leaned on it and from whatever it
leaned on; what stays reads back byte for byte, by export, mount and the independent reader; what is held does not go; a
destruction that is killed is ended by the same command.

A seeded part in `make check`; every kind of block in archives of several seeds, and many more moments to be killed at,
with MUNIMENT_FULL=1."""
import os
import random
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import can_mount, compare, skip, unmount  # noqa: E402

try:
    import leaning
    from faults import FAULT, sample
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
from leaning import Leaning, World, labels, make, records_in  # noqa: E402
from graves import Source, destroy, keeper, read, take_in  # noqa: E402

FULL = os.environ.get("MUNIMENT_FULL") == "1"
SEED = int(os.environ.get("MUNIMENT_SEED", "180"))
WAYS = {"plain": (), "dense": ("--dense",), "bare": ("--parity", "0")}
DEEP = {"plain": 4, "dense": 4, "bare": 4}


def leans(way, base, tree):
    """Without chains this deep the test could not fail."""
    w = World("look", base, tree)
    lean = Leaning(read(w.a))
    count = {d: list(lean.depth.values()).count(d) for d in sorted(set(lean.depth.values()))}
    print(f"{way}: {len(lean.bases)} blocks, so many so deep: {count}", flush=True)
    assert lean.deepest() >= DEEP[way], count
    for of in ("COM", "DRO"):
        assert any(lean.depth[b] >= 3 for b in of_class(w, lean, of)), f"in {of} nothing leans three deep"
    w.check()
    w.remove()


def of_class(w, lean, name):
    r = read(w.a)
    number = r.one("SELECT id FROM class WHERE code = ?", name)[0]
    return [n for n in lean.bases if r.one("SELECT class FROM block WHERE id = ?", n)[0] == number]


# ---- what goes --------------------------------------------------------------------------


def chance(w, rng):
    """A third of all records of a class, as their dates fell."""
    w.destroy("--due", "--class", "COM", records=w.records(lambda label, path, r: path.startswith("com/")), rng=rng)


def one_in(w, rng, wanted):
    """A record that has bytes in a block of that kind, its own alone, and stands in one version."""
    r = read(w.a)
    lean = Leaning(r)
    blocks = [b for b in lean.bases if wanted(lean, b)]
    rng.shuffle(blocks)
    for block in blocks:
        places = sorted(p for p in records_in(r, block) if w.due[w.truth[p][0]] and w.alone(w.truth[p][0]) and w.is_unique(p))
        if places:
            label, path = rng.choice(places)
            return lean, block, label, path
    raise AssertionError("no block of that kind holds a record that is due")


def kind_of(name):
    return {"base": lambda lean, b: lean.depth[b] == 0 and lean.height[b] >= 3,
            "middle": lambda lean, b: lean.depth[b] >= 1 and lean.on[b],
            "leaf": lambda lean, b: lean.depth[b] >= 2 and not lean.on[b]}[name]


def one(w, rng, kind):
    lean, block, label, path = one_in(w, rng, kind_of(kind))
    print(f"  {kind}: block {block}, {lean.depth[block]} deep, {lean.height[block]} high, {len(lean.on[block])} lean on it")
    w.destroy("--due", "--version", f"s@{label}", "--path", path, records={w.truth[label, path][0]}, rng=rng)
    assert block not in Leaning(read(w.a)).bases, "the block stayed as it was"
    w.check_cost()


def shared(w, rng):
    """One of two records with the same bytes: the other stays, and the certificate says so."""
    twins = [(p, [q for q in w.truth if q != p and q[1].startswith("dro/") and w.truth[q][1] == w.truth[p][1] and
                  w.truth[q][0] != w.truth[p][0]]) for p in sorted(w.truth) if p[1].startswith("dro/twin/")]
    label, path = rng.choice([p for p, others in twins if others and w.alone(w.truth[p][0])])
    w.destroy("--due", "--version", f"s@{label}", "--path", path, records={w.truth[label, path][0]}, rng=rng)
    assert w.check_certificate()["stays"]["contents_shared"] == 1


def version(w, rng):
    """All that stands in the first version, on which all others lean, and in no other."""
    goes = w.records(lambda label, path, r: label == "1" and w.alone(r))
    w.destroy("--due", "--version", "s@1", records=goes, rng=rng)
    w.check_cost()


def held(w, rng):
    """What is held stays, in a block of which all else goes; what was approved before is refused."""
    _, _, label, path = one_in(w, rng, kind_of("base"))
    record = w.truth[label, path][0]
    d = w.proposed("--due", "--version", f"s@{label}", "--path", path, records={record})
    h = w.a.id("hold", "add", "--case", "7", "--reason", "a lawsuit", "--path", path)
    w.a.refused("hold", "dispose", "execute", d, by="rita")
    w.check()
    w.a.ask("dispose", "withdraw", d, "--reason", "a hold", by="rita")
    top = path.split("/", 1)[0]
    goes = w.records(lambda at, p, r: p.startswith(top + "/") and p != path)
    w.destroy("--due", "--path", f"{top}/**", records=goes, rng=rng)
    assert any(p == path for _, p in w.truth)
    w.a.ask("hold", "release", h, "--reason", "settled")
    w.destroy("--due", "--path", path, records=w.records(lambda at, p, r: p == path), rng=rng)


def while_mounted(w, rng):
    """The mount is open before, during and after."""
    where = w.mounted()
    try:
        w.check_mount(w.kept(), where)
        _, _, label, path = one_in(w, rng, kind_of("base"))
        w.destroy("--due", "--version", f"s@{label}", "--path", path, records={w.truth[label, path][0]}, rng=rng, is_mounted=True)
        w.check_mount(w.kept(), where)
        w.destroy("--due", "--class", "COM", records=w.records(lambda at, p, r: p.startswith("com/")), rng=rng, is_mounted=True)
        w.check_mount(w.kept(), where)
    finally:
        unmount(where)


def all_classes(w, rng):
    """All that is due, of every class but one."""
    w.destroy("--due", records=w.records(lambda *_: True), rng=rng)
    w.check_cost()


# ---- killed ------------------------------------------------------------------------------


def execute_with(w, d, **fault):
    """The same command, under the library that ends it at the nth call that changes something."""
    os.environ.update({"LD_PRELOAD": FAULT, **fault})
    try:
        w.a.ask("dispose", "execute", d, by="rita", status=None)
    finally:
        for name in ("LD_PRELOAD", *fault):
            del os.environ[name]


def killed(w, d, records, nth):
    """All of it is there or none; what stays is; the same command ends it."""
    execute_with(w, d, FAULT_NTH=str(nth), FAULT_HOW="kill")
    assert w.a.status < 0, f"nothing killed it at call {nth}: {w.a.status} {w.a.errors}"
    stays = {k: v for k, v in w.truth.items() if v[0] not in records}
    there = 0
    for label in labels(w.truth):
        found = w.exported(label)
        for place, (record, data) in w.truth.items():
            if place[0] == label and (record not in records or place[1] in found):
                assert found.get(place[1]) == data, (nth, place)
                there += record in records
        assert all((label, p) in w.truth for p in found)
    whole = sum(1 for r, _ in w.truth.values() if r in records)
    assert there in (0, whole), f"call {nth}: {there} of {whole} places are there still"
    assert stays
    print(f"  killed at call {nth}: {'taken back' if there else 'goes on'}", flush=True)
    w.a.ask("dispose", "execute", d, by="rita", status=None)
    assert w.a.status in (0, 3) and (w.a.status == 0 or os.path.exists(os.path.join(w.a.path, "certificates", "C1.p7m"))), w.a.errors


def calls(base, tree):
    """How many calls that change something a destruction makes."""
    w = World("probe", base, tree)
    d = w.proposed("--due", "--class", "COM", records=w.records(lambda at, p, r: p.startswith("com/")))
    execute_with(w, d, FAULT_NTH="0", FAULT_COUNT=os.path.abspath("count"))
    assert w.a.status == 0, w.a.errors
    w.remove()
    with open("count", encoding="ascii") as f:
        return int(f.read())


def kill_at(w, rng, nth):
    goes = w.records(lambda at, p, r: p.startswith("com/"))
    w.destroy("--due", "--class", "COM", records=goes, rng=rng, execute=lambda w, d, records: killed(w, d, records, nth))


# ---- leaders -----------------------------------------------------------------------------


def led(seed):
    """One version, in which hundreds of small blocks lean on one that lends them its words: a file that has that one goes."""
    rng = random.Random(seed)
    words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz-/.") for _ in range(rng.randrange(20, 90))) for _ in range(2000)]
    os.makedirs("led")
    os.chdir("led")
    s = Source("src", seed)
    for i in range(5):
        s.file(f"com/{i}.log", "".join(f"{rng.randrange(10**9)} {rng.choice(words)} {rng.choice(words)}\n" for _ in range(35000)))
    a = keeper()
    take_in(a, "src", "s", "1")
    r = read(a)
    lean = Leaning(r)
    block = max(lean.on, key=lambda b: len(lean.on[b]))
    assert len(lean.on[block]) >= 30, "nothing is led: the test could not fail"
    gone = sorted(path for _, path in records_in(r, block))[0]
    was = r.one("SELECT sum(stored) FROM block")[0]
    destroy(a, "--due", "--path", gone)
    os.unlink(s.at(gone))
    a.run("export", "s@1", "--to", "out", "--format", "dir")
    compare("src", "out", "--no", "dirtime,dirnlink")
    a.run("verify", "--deep")
    r = read(a)
    leaning.check_blocks(r)
    assert r.check_files() == 4 and r.check_log()
    now = r.one("SELECT sum(stored) FROM block")[0]
    print(f"led: {len(lean.on[block])} blocks by one; blocks {was}, after {now}, of 5 files 4")
    assert now < was * 0.9, (was, now)
    os.chdir("..")


# ---- the whole ---------------------------------------------------------------------------


def tell(costs):
    for what, c in costs:
        print(f"  {what}: {c['records']} records, {c['destroyed']} bytes; {c['anew']} written anew "
              f"({c['anew'] / c['destroyed']:.2f} a byte); blocks {c['live']}, after {c['live after']}; "
              f"{c['deepest']} deep, after {c['deepest after']}", flush=True)


def run(way, base, tree, turns, seed):
    """Each of some turns in a copy of the archive of its own; where one is a list, one after the other in the same."""
    costs = []
    for number, turn in enumerate(turns):
        rng = random.Random(seed * 100 + number)
        w = World(f"{way}-{number}", base, tree, is_parity=way != "bare")
        for act, *more in turn:
            had = len(w.costs)
            try:
                act(w, rng, *more)
            except Exception as problem:
                raise AssertionError(f"{way}, {act.__name__} {more} (seed {seed}), kept in {os.path.abspath(w.name)}: {problem}") from problem
            costs += [(" ".join([act.__name__, *map(str, more)]), c) for c in w.costs[had:]]
        w.remove()
    tell(costs)
    return len(costs)


def moments(base, tree, many):
    if not os.path.exists(FAULT):
        print(f"no {FAULT}: nothing is killed")
        return []
    total = calls(base, tree)
    assert total > 100, total
    return [[(kill_at, nth)] for nth in (sample(total, many) if not FULL else range(1, total + 1, max(1, total // many)))]


def main():
    mounts = [[(while_mounted,)]] if can_mount() else []
    led(SEED)
    done = 1
    for seed in range(SEED, SEED + 4) if FULL else [SEED]:
        for way in WAYS if FULL else ("plain", "dense"):
            base = f"base-{way}-{seed}"
            tree = make(base, seed, init=WAYS[way])
            leans(way, base, tree)
            if FULL:
                turns = [[(t,)] for t in (chance, shared, version, held, all_classes)] + [[(one, k)] for k in ("base", "middle", "leaf")]
                turns += [[(one, k) for k in ("leaf", "middle", "base", "base")] + [(chance,), (shared,), (all_classes,)]]
                turns += mounts + moments(base, tree, 60)
            elif way == "plain":
                turns = [[(one, "base"), (chance,), (shared,)], *mounts, *moments(base, tree, 2)]
            else:
                turns = [[(one, "leaf"), (one, "middle"), (held,), (all_classes,)]]
            done += run(way, base, tree, turns, seed)
    print(f"{done} destructions")


main()

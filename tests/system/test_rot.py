#!/usr/bin/python3
"""More than a bit: sectors of zeros or noise, pages of a file in each other's places or of an older day, files in each other's
places, files of another archive, tails that were added.  Whatever it is: every read is right or fails, verify finds it,
repair mends it and verify is content, or names every file that is lost.

A seeded sample by default; ROT_SEED=N another one, ROT_SECONDS=N more or less of it."""
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import struct
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from rot import fresh, make_world, muni, read_all, targets  # noqa: E402

SEED = int(os.environ.get("ROT_SEED", "1"))
SECONDS = float(os.environ.get("ROT_SECONDS", "300" if os.environ.get("MUNIMENT_FULL") else "20"))
WORKERS = os.cpu_count() or 1


def load(path):
    with open(path, "rb") as f:
        return bytearray(f.read())


def store(path, data):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


# ---- harms: each changes files of a world, and says what it did ------------------------------------------


def sector(rng, world, path):
    """A lost or a torn sector."""
    data = load(f"{world}/{path}")
    size = rng.choice((512, 4096))
    at = rng.randrange(max(1, len(data) // size)) * size
    piece = bytes(size) if rng.random() < 0.5 else rng.randbytes(size)
    data[at:at + size] = piece[:len(data[at:at + size])]
    store(f"{world}/{path}", data)
    return f"{path}: sector of {size} at {at} is {'zero' if not any(piece) else 'noise'}"


def swap_pages(rng, world, path):
    data = load(f"{world}/{path}")
    size = rng.choice((512, 4096, 8192))
    count = len(data) // size
    if count < 2:
        return sector(rng, world, path)
    a, b = rng.sample(range(count), 2)
    data[a * size:(a + 1) * size], data[b * size:(b + 1) * size] = \
        data[b * size:(b + 1) * size], data[a * size:(a + 1) * size]
    store(f"{world}/{path}", data)
    return f"{path}: pages {a} and {b} of {size} in each other's places"


def shift(rng, world, path):
    """A write that went to another place."""
    data = load(f"{world}/{path}")
    at, size = rng.randrange(len(data)), rng.choice((1, 16, 4096))
    data[at:at] = rng.randbytes(size)
    store(f"{world}/{path}", data)
    return f"{path}: {size} bytes put in at {at}"


def tail(rng, world, path):
    data = load(f"{world}/{path}")
    data += rng.randbytes(rng.choice((1, 512, 8192)))
    store(f"{world}/{path}", data)
    return f"{path}: a tail was added"


def is_counterpart(a, b):
    """Files whose names a careless hand, or a lost directory, could exchange."""
    return a != b and (a.rsplit(".", 1)[-1] == b.rsplit(".", 1)[-1]) and os.path.dirname(a) == os.path.dirname(b)


def exchange(rng, world, path):
    others = [p for p, _ in targets() if is_counterpart(p, path)]
    if not others:
        return tail(rng, world, path)
    other = rng.choice(others)
    os.rename(f"{world}/{path}", f"{world}/hand")
    os.rename(f"{world}/{other}", f"{world}/{path}")
    os.rename(f"{world}/hand", f"{world}/{other}")
    return f"{path} and {other} in each other's places"


def stranger(rng, world, path):
    """The file of another archive that was made the same way; where names are random, one of its kind."""
    kind = path.rsplit(".", 1)[-1] if "/segments/" in path or "/parity/" in path else None
    others = [os.path.join(at, n) for at, _, names in os.walk("other/archive") for n in names]
    same = [p for p in others if (p.endswith("." + kind) if kind else os.path.relpath(p, "other") == path)]
    if not same:
        return sector(rng, world, path)
    store(f"{world}/{path}", load(rng.choice(sorted(same))))
    return f"{path}: another archive's"


def replay(rng, world, path):
    """A page, or the whole file, as it was a version ago."""
    if not os.path.exists(f"older/{path}"):
        return swap_pages(rng, world, path)
    old, data = load(f"older/{path}"), load(f"{world}/{path}")
    if rng.random() < 0.3:
        store(f"{world}/{path}", old)
        return f"{path}: as it was a version ago"
    size = rng.choice((512, 8192))
    at = rng.randrange(max(1, min(len(old), len(data)) // size)) * size
    data[at:at + size] = old[at:at + size][:len(data[at:at + size])]
    store(f"{world}/{path}", data)
    return f"{path}: {size} bytes at {at} as they were a version ago"


HARMS = (sector, swap_pages, shift, tail, exchange, stranger, replay)


# ---- what must hold -----------------------------------------------------------------------------------------


def changed(world):
    """Has the harm changed anything?"""
    for path, _ in targets():
        if not os.path.exists(f"{world}/{path}") or load(f"{world}/{path}") != load(f"pristine/{path}"):
            return True
    return False


def lost_is_named(world, expected, done):
    """Each file that does not read is in what repair said is lost, or nothing opens and it says why."""
    found = [json.loads(line) for line in done.stdout.splitlines()]
    named = {(f"s@{x[v]}", x["path"]) for x in found if x["type"] == "file" for v in ("first_version", "last_version")}
    unreadable = {where for where in expected if muni(world, "cat", f"{world}/archive", *where).returncode != 0}
    if unreadable == set(expected):
        assert any(x["type"] == "damage" for x in found) or done.stderr, "nothing opens, and repair does not say why"
        return
    assert unreadable <= named, f"not named: {unreadable - named}"


def is_a_copy_behind(world):
    """The copy of the log may lack the newest act or head, as a crash leaves it: the next writer adds that."""
    return all(path.endswith((".2",)) for path, _ in targets()
               if not os.path.exists(f"{world}/{path}") or load(f"{world}/{path}") != load(f"pristine/{path}"))


def judge(world, expected):
    done = muni(world, "verify", f"{world}/archive")
    if done.returncode == 0 and is_a_copy_behind(world):
        muni(world, "verify", "--deep", f"{world}/archive", expect=0)
        read_all(world, expected, must=True)
        return "benign"
    assert done.returncode in (4, 5), f"verify: exit {done.returncode}"
    read_all(world, expected, must=False)
    done = muni(world, "repair", f"{world}/archive", "--json")
    if done.returncode == 0:
        muni(world, "verify", "--deep", f"{world}/archive", expect=0)
        read_all(world, expected, must=True)
        return "mended"
    assert done.returncode in (4, 5), f"repair: exit {done.returncode} {done.stderr.decode(errors='replace')}"
    read_all(world, expected, must=False)
    lost_is_named(world, expected, done)
    return "told"


def one(number, expected, lane):
    rng = random.Random(SEED * 1_000_003 + number)
    world = f"world{lane}"
    files = targets()
    fresh(world)
    said = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = files[rng.randrange(len(files))][0]
        if os.path.exists(f"{world}/{path}"):
            said.append(rng.choice(HARMS)(rng, world, path))
    if not changed(world):
        return "nothing", None
    try:
        return judge(world, expected), None
    except AssertionError as e:
        return "wrong", f"number {number}: {'; '.join(said)}: {e}"


def other_bytes(path):
    """What may stand where this file was, by a name for it; None: nothing."""
    kind = path.rsplit(".", 1)[-1]
    whole = load(f"pristine/{path}")
    others = sorted((load(os.path.join(at, n)) for root in ("other", "pristine")
                     for at, _, names in os.walk(f"{root}/archive/segments") for n in names
                     if n.endswith("." + kind)), key=len)
    others = [o for o in others if o != whole]
    harms = {"missing": None, "empty": b"", "one byte": whole[:1], "half": whole[:len(whole) // 2],
             "a byte short": whole[:-1], "a byte more": whole + b"x",
             "shifted": whole[:len(whole) // 3] + b"x" + whole[len(whole) // 3:]}
    if others:
        harms.update({"the shortest other": others[0], "the longest other": others[-1]})
    return harms


def harm(world, path, data):
    if data is None:
        os.unlink(f"{world}/{path}")
    else:
        store(f"{world}/{path}", data)


def pairs():
    """A segment and its parity are harmed at once: what is lost has no size to go by."""
    files = [p for p, _ in targets()]
    for segment in (p for p in files if p.endswith(".seg")):
        for parity in (p for p in files if p.endswith(".par")):
            for a, member in other_bytes(segment).items():
                for b, shard in other_bytes(parity).items():
                    yield f"{segment}: {a}; {parity}: {b}", [(segment, member), (parity, shard)]


def sampled_pairs():
    """All of them take half a minute: by default a few, and always those that leave less than there was."""
    every = list(pairs())
    if os.environ.get("MUNIMENT_FULL"):
        return every
    short = [p for p in every if p[0].endswith("shifted") and ("shortest other; " in p[0] or "empty; " in p[0])]
    return short + random.Random(SEED).sample(every, 12)


def cut_well(path):
    """A segment without its last block, whose head, footer and tail say so: no key is needed for that."""
    def cut_digest(*parts):
        return hashlib.sha256(b"".join(parts)).digest()[:16]

    data = bytes(load(path))
    count, footer = struct.unpack("<IQ", data[-52:-40])
    entries = data[footer:footer + 44 * (count - 1)]
    end = struct.unpack("<Q", data[footer + 44 * (count - 1) + 16:][:8])[0]
    tail = data[-64:-52] + struct.pack("<IQQ", count - 1, end, end + len(entries) + 64) + cut_digest(data[:64], entries)
    store(path, data[:end] + entries + tail + cut_digest(tail))


def parity_is_believed_about_no_block():
    """Whoever cuts a segment well and has parity made for it has made sums that are right; the keys know better."""
    for segment in (p for p, _ in targets() if p.endswith(".seg")):
        world = "world0"
        fresh(world)
        if load(f"{world}/{segment}")[-52:-48] == struct.pack("<I", 1):
            continue
        cut_well(f"{world}/{segment}")
        for parity in (p for p, _ in targets() if p.endswith(".par")):
            os.unlink(f"{world}/{parity}")
        done = muni(world, "repair", f"{world}/archive", "--json")
        assert done.returncode == 5 and b"No parity was made for it" in done.stdout, done
        assert b'"parity_authenticated":true' in done.stdout.replace(b'": ', b'":'), done
        # Not by the act that ends the repair, either.
        done = muni(world, "repair", f"{world}/archive")
        assert done.returncode == 5 and b"No parity was made for it" in done.stdout, done
        done = muni(world, "verify", f"{world}/archive")
        # Without a catalogue to ask parity is made, and the result says what it is worth.
        for path in [p for p, _ in targets() if p.endswith(".cat") or "/catalogue." in p]:
            if os.path.exists(f"{world}/{path}"):
                os.unlink(f"{world}/{path}")
        blind = muni(world, "repair", f"{world}/archive", "--json")
        assert blind.returncode == 5, blind
        assert b'"parity_authenticated":false' in blind.stdout.replace(b'": ', b'":'), blind
        assert done.returncode in (4, 5), f"{segment} cut well: verify: exit {done.returncode} {done.stdout!r}"
        return
    raise AssertionError("no segment has two blocks")


def no_act_makes_parity_for_what_was_forged():
    """A segment cut well, its parity taken away: an act makes parity for the others, tells of that one, and goes on; so does a
    switch of epoch.  The bytes back, the next act has them under parity again."""
    segments = [p for p, _ in targets() if p.endswith(".seg")]
    forged = next(p for p in segments if load(f"pristine/{p}")[-52:-48] != struct.pack("<I", 1))
    acts = (("hold", "add", "--case", "c", "--reason", "r", "--standing"), ("ingest", "src", "--system", "other"),
            ("key", "rotate"), ("key", "add", "--new-key-file", "another.key"))
    store_key("another.key")
    for act in acts:
        world = "world0"
        fresh(world)
        cut_well(f"{world}/{forged}")
        drop_parity(world)
        done = act_in(world, act)
        assert done.returncode in (0, 4, 5), (act, done)
        assert b"No parity was made for it" in done.stderr, (act, done)
        covered = members_of_parity(world)
        assert uid_of(world, forged) not in covered, (act, "parity for what was forged")
        if act[0] != "ingest" or done.returncode == 0:
            assert all(uid_of(world, p) in covered for p in segments if p != forged), (act, "the others have none")
        assert muni(world, "verify", f"{world}/archive").returncode in (4, 5), act
        store(f"{world}/{forged}", load(f"pristine/{forged}"))
        done = act_in(world, ("hold", "add", "--case", "c", "--reason", "r", "--standing"))
        assert done.returncode == 0 and b"No parity" not in done.stderr, (act, done)
        assert uid_of(world, forged) in members_of_parity(world), (act, "still without parity")
        muni(world, "verify", f"{world}/archive", expect=0)


def store_key(path):
    with open(path, "wb") as f:
        f.write(random.Random(3).randbytes(40))


def act_in(world, act):
    command, *rest = act
    two = command in ("hold", "key")
    return muni(world, command, *rest[:1] * two, f"{world}/archive", *rest[two:])


def drop_parity(world):
    for parity in (p for p, _ in targets() if p.endswith(".par")):
        os.unlink(f"{world}/{parity}")


def uid_of(world, path):
    return bytes.fromhex(os.path.basename(path).split(".")[0])


def members_of_parity(world):
    found = b"".join(bytes(load(os.path.join(at, n))) for at, _, names in os.walk(f"{world}/archive") for n in names
                     if n.endswith(".par"))

    class Members:
        def __contains__(self, uid):
            return uid in found
    return Members()


def judge_pair(lane, expected, said, harms):
    world = f"world{lane}"
    fresh(world)
    for path, data in harms:
        harm(world, path, data)
    try:
        judge(world, expected)
    except AssertionError as e:
        return f"{said}: {e}"
    return None


def work_pairs(lane, expected):
    found = (judge_pair(lane, expected, *p) for n, p in enumerate(sampled_pairs()) if n % WORKERS == lane)
    return [x for x in found if x]


def work(lane, expected, until):
    counts, wrong, number = {}, [], lane
    while time.monotonic() < until and len(wrong) < 10:
        kind, what = one(number, expected, lane)
        counts[kind] = counts.get(kind, 0) + 1
        if what:
            wrong.append(what)
        number += WORKERS
    return counts, wrong


def make():
    """The archive, as it was a version ago, and another one of the same making."""
    expected = make_world(between=lambda: shutil.copytree("pristine", "older"))
    shutil.copytree("pristine", "mine")
    shutil.rmtree("pristine")
    shutil.rmtree("src")
    key = load("key")
    make_world()
    shutil.move("pristine", "other")
    shutil.move("mine", "pristine")
    with open("key", "wb") as f:
        f.write(key)
    return expected


def no_act_writes_a_rotten_entry_over_its_copy():
    """Of the log's newest entry, damaged in the first file, the copy may have the last that is whole."""
    path = "rotten/archive/audit/log"
    for back in (1, 40, 128):
        fresh("rotten")
        with open(path, "r+b") as f:
            f.seek(-back, os.SEEK_END)
            byte = f.read(1)[0]
            f.seek(-back, os.SEEK_END)
            f.write(bytes([byte ^ 4]))
        place = ("hold", "add", "rotten/archive", "--case", "C", "--reason", "R", "--system", "s")
        muni("rotten", *place, expect=5)
        muni("rotten", "repair", "rotten/archive", expect=0)
        muni("rotten", *place, expect=0)
        muni("rotten", "verify", "--deep", "rotten/archive", expect=0)


def no_act_copies_heads_that_were_not_written():
    """What ends as a head does is not for that reason a row of heads: a tail that stands twice would go into the copy too."""
    path = "rotten/archive/audit/heads"
    refused = 0
    for part in (1, 2, 3, 5):
        fresh("rotten")
        data = load(path)
        store(path, data + data[-(len(data) // part):])
        place = ("hold", "add", "rotten/archive", "--case", "C", "--reason", "R", "--system", "s")
        if muni("rotten", *place).returncode != 0:      # else it is no more than a write that was cut off leaves
            refused += 1
            assert load(path + ".2") == data, "the copy was written over"
            muni("rotten", "repair", "rotten/archive", expect=0)
            muni("rotten", *place, expect=0)
        muni("rotten", "verify", "--deep", "rotten/archive", expect=0)
    assert refused >= 2, refused


def main():
    expected = make()
    no_act_writes_a_rotten_entry_over_its_copy()
    no_act_copies_heads_that_were_not_written()
    read_all("pristine", expected, must=True)
    parity_is_believed_about_no_block()
    no_act_makes_parity_for_what_was_forged()
    counts, wrong = {}, []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for w in pool.map(lambda lane: work_pairs(lane, expected), range(WORKERS)):
            wrong += w
        until = time.monotonic() + SECONDS
        for c, w in pool.map(lambda lane: work(lane, expected, until), range(WORKERS)):
            wrong += w
            for kind, n in c.items():
                counts[kind] = counts.get(kind, 0) + n
    for line in wrong:
        print("WRONG:", line)
    print(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    return 1 if wrong or not counts.get("mended") else 0


if __name__ == "__main__":
    sys.exit(main())

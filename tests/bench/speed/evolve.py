"""Five releases of a source tree: real sources of the machine, then changed as people change them, by a seed.

From release to release some files go, some come, some move; in two files of five, functions
change places, lines are rewritten, added, taken out; names are changed across the whole tree;
and a new version number stands at the head of many files that are otherwise the same. What
is written anew is put together of words and lines of the tree itself, so that it shrinks as
source does.
"""
import concurrent.futures
import hashlib
import os
import random
import re
import subprocess

RELEASES = 5
ENDINGS = (".h", ".hpp", ".c", ".cc", ".py", ".pm", ".pl", ".sh", ".js")
ROOTS = ("/usr/lib/python3", "/usr/include", "/usr/share/perl", "/usr/lib/python3.11", "/usr/share")
LARGEST = 400_000
CHANGED, REMOVED, ADDED, MOVED, HEADED = 0.40, 0.02, 0.04, 0.02, 0.25
LINES_AN_EDIT = 25              # of a changed file, one edit in so many
NAMES_RENAMED = 12
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{4,}")
_NUMBER = re.compile(rb"\b[0-9]+\b")


def make(folder, size, seed):
    """The releases as folder/v1 ... folder/v5, some `size` bytes each."""
    tree = _found(size)
    for release in range(1, RELEASES + 1):
        if release > 1:
            tree = _next(tree, release, seed)
        for path, text in tree.items():
            full = os.path.join(folder, f"v{release}", path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(text)


def from_git(folder, git, tags):
    """Five releases of a real tree: these tags, or five that are spread over all."""
    found = subprocess.run(["git", "-C", git, "tag", "--sort=creatordate"], capture_output=True,
                           text=True, check=True).stdout.split()
    found = [t for t in found if re.fullmatch(r"v?\d+(\.\d+)+", t)]
    if not tags:
        if len(found) < RELEASES:
            raise ValueError(f"{git} has {len(found)} tags of releases; {RELEASES} are needed")
        tags = [found[(len(found) - 1) * i // (RELEASES - 1)] for i in range(RELEASES)]
    for release, tag in enumerate(tags, 1):
        os.makedirs(f"{folder}/v{release}")
        with subprocess.Popen(["git", "-C", git, "archive", tag], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-xf", "-", "-C", f"{folder}/v{release}"], stdin=archive.stdout,
                           check=True)


def _found(size):
    """Sources of this machine in an order that has nothing to do with where they stand."""
    candidates = {}
    for root in ROOTS:
        for where, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in files:
                path = os.path.join(where, name)
                if name.endswith(ENDINGS) and not os.path.islink(path):
                    candidates[path] = hashlib.sha256(os.path.relpath(path, "/").encode()).digest()
        if sum(map(_length, candidates)) > 2 * size:
            break
    tree, taken, seen = {}, 0, set()
    for path in sorted(candidates, key=candidates.get):
        if taken >= size:
            break
        if not 200 < _length(path) <= LARGEST:
            continue
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        if b"\0" in text or text in seen:
            continue
        seen.add(text)
        tree[os.path.relpath(path, "/usr")] = text
        taken += len(text)
    return tree


def _length(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _next(tree, release, seed):
    """The release that follows."""
    chance = random.Random(f"{seed} {release}")
    paths = sorted(tree)
    donors = [tree[p] for p in chance.sample(paths, min(len(paths), 60))]
    renames = _renames(donors, release, chance)
    work = []
    after = {}
    for path in paths:
        fate = chance.random()
        if fate < REMOVED:
            continue
        place = _moved(path, release, chance) if fate < REMOVED + MOVED else path
        work.append((place, tree[path], f"{seed} {release} {path}", renames, release))
    for number in range(int(len(paths) * ADDED)):
        model = chance.choice(paths)
        stem, ending = os.path.splitext(model)
        work.append((f"{stem}_{release}_{number}{ending}", None, f"{seed} {release} new {number}",
                     renames, [tree[p] for p in chance.sample(paths, min(3, len(paths)))] + [release]))
    with concurrent.futures.ProcessPoolExecutor() as workers:
        for place, text in workers.map(_file, work, chunksize=32):
            after[place] = text
    return after


def _moved(path, release, chance):
    where, name = os.path.split(path)
    stem, ending = os.path.splitext(name)
    if chance.random() < 0.5:
        return os.path.join(where, f"{stem}{release}{ending}")
    return os.path.join(where, f"r{release}", name)


def _renames(donors, release, chance):
    """Names that the whole tree calls otherwise from now on."""
    counts = {}
    for text in donors:
        for name in set(_NAME.findall(text)):
            counts[name] = counts.get(name, 0) + 1
    known = sorted(n for n, c in counts.items() if 2 <= c <= 6 and len(n) > 8)
    chosen = chance.sample(known, min(NAMES_RENAMED, len(known)))
    return {name: name + b"_r%d" % release for name in chosen}


def _file(work):
    place, text, seed, renames, release = work
    chance = random.Random(seed)
    if text is None:
        *models, release = release
        return place, _written(models, chance)
    for name, other in renames.items():
        if name in text:
            text = re.sub(rb"\b%s\b" % re.escape(name), other, text)
    if chance.random() < CHANGED:
        text = _edited(text.split(b"\n"), chance)
    if chance.random() < HEADED:
        text = _headed(text, place, release)
    return place, text


def _edited(lines, chance):
    names = _NAME.findall(b" ".join(lines[:4000])) or [b"value"]
    for _ in range(1 + int(chance.expovariate(1) * len(lines) / LINES_AN_EDIT)):
        at, what = chance.randrange(len(lines)), chance.random()
        length = 1 + int(chance.expovariate(1 / 3))
        if what < 0.45:
            lines[at:at + length] = [_reworded(line, names, chance) for line in lines[at:at + length]]
        elif what < 0.75:
            source = chance.randrange(len(lines))
            lines[at:at] = [_reworded(line, names, chance) for line in lines[source:source + length]]
        elif what < 0.92:
            del lines[at:at + length]
        else:
            moved = lines[at:at + 8 * length]
            del lines[at:at + 8 * length]
            to = chance.randrange(len(lines) + 1)
            lines[to:to] = moved
        if not lines:
            lines = [b""]
    return b"\n".join(lines)


def _reworded(line, names, chance):
    """A line like this one: some of its names are others of the file, its numbers differ."""
    line = _NAME.sub(lambda m: chance.choice(names) if chance.random() < 0.4 else m[0], line)
    return _NUMBER.sub(lambda m: b"%d" % chance.randrange(1000) if chance.random() < 0.5 else m[0], line)


def _written(models, chance):
    """A new file: passages of others, in part reworded."""
    out = []
    for text in models:
        lines = text.split(b"\n")
        names = _NAME.findall(text[:60000]) or [b"value"]
        at = chance.randrange(len(lines))
        out += [_reworded(line, names, chance) if chance.random() < 0.7 else line
                for line in lines[at:at + chance.randrange(20, 300)]]
    return b"\n".join(out) + b"\n"


def _headed(text, place, release):
    mark = b"#" if place.endswith((".py", ".pm", ".pl", ".sh")) else b"//"
    line = mark + b" release 3.%d.0" % release
    head, tail = text[:400].split(b"\n"), text[400:]
    for number, old in enumerate(head[:4]):
        if b" release 3." in old:
            head[number] = line
            return b"\n".join(head) + tail
    head.insert(1 if head[0].startswith(b"#!") else 0, line)
    return b"\n".join(head) + tail

#!/usr/bin/python3
"""Older parts put back, alone and together: catalogue, keyring, segments, log, as they were after the first ingest, after
the second, after a destruction was approved, after it, after officers let another one in.  Whatever is mixed: what is served is right and of now, or the command is refused with a
sentence; nothing that was destroyed is served; and once the newest parts are back, all is as it was."""
import concurrent.futures
import itertools
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import Source, approved, keeper, take_in  # noqa: E402
from muniment import MUNI  # noqa: E402
from officers import officer  # noqa: E402

PARTS = {"catalogue": ("archive/catalogue.",), "segments": ("archive/segments/", "archive/parity/"),
         "log": ("archive/audit/",), "keyring": ("archive.keyring",)}
TRUTH = {"catalogue", "log", "keyring"}     # of these together an archive knows what it is
REFUSALS = (1, 4, 5)
DOOMED = "com/secret.txt"
AFTER = ("destroyed", "admitted")      # states that nothing in the folder speaks against
REASON = ("--reason", "the newest burnt", "--by", "rita", "--key", "rita.key")
FULL = bool(os.environ.get("MUNIMENT_FULL"))


def files(top):
    return sorted(os.path.relpath(os.path.join(at, n), top) for at, _, names in os.walk(top) for n in names)


def belongs(path, part):
    return any(path.startswith(lead) for lead in PARTS[part])


def state(name):
    """Archive, keyring, anchor, as they are now."""
    os.makedirs(name)
    shutil.copytree("archive", f"{name}/archive", ignore=shutil.ignore_patterns("run"))
    shutil.copy2("archive.keyring", name)
    for at in os.listdir("."):
        if at.endswith(".anchor"):
            shutil.copy2(at, name)


class Mixture:
    """A folder with the newest state, of which these parts are the old one's: what is newer of them is gone."""

    def __init__(self, where, newest, old, parts, has_anchor):
        self.where, self.newest = where, newest
        shutil.copytree(newest, where)
        self.clear(parts)
        self.put(old, parts)
        for at in os.listdir(where):
            if at.endswith(".anchor") and not has_anchor:
                os.unlink(os.path.join(where, at))

    def clear(self, parts):
        for path in files(self.where):
            if any(belongs(path, p) for p in parts):
                os.unlink(os.path.join(self.where, path))

    def put(self, state_, parts):
        for path in files(state_):
            if any(belongs(path, p) for p in parts):
                os.makedirs(os.path.dirname(os.path.join(self.where, path)), exist_ok=True)
                shutil.copy2(os.path.join(state_, path), os.path.join(self.where, path))

    def put_back(self):
        """What is of now over whatever was made of the mixture."""
        shutil.rmtree(self.where)
        shutil.copytree(self.newest, self.where)

    def bytes(self):
        """But for what SQLite's readers leave beside a database."""
        return {p: open(os.path.join(self.where, p), "rb").read() for p in files(self.where)
                if "-shm" not in p and "-wal" not in p}

    def muni(self, *words, statuses=(0, 3, *REFUSALS)):
        command, *rest = words
        done = subprocess.run([MUNI, *command.split(), f"{self.where}/archive", *rest, "--keyring", f"{self.where}/archive.keyring",
                               "--key-file", "archive.key"], capture_output=True, timeout=300, check=False)
        assert done.returncode in statuses, (words, done)
        assert done.returncode == 0 or done.stderr.count(b"\n") >= 1, (words, "failed without a word")
        return done

def serves_right(m, expected, what, may_be_old):
    """Every file of every version: the right bytes, or a refusal.  may_be_old: an older state that nothing at hand speaks
    against is a state of its own and cannot be told from the newest."""
    opened, said = 0, b""
    for (label, path), data in expected.items():
        done = m.muni("cat", f"s@{label}", path)
        if done.returncode == 0:
            opened += 1
            assert done.stdout == data, (what, label, path, "wrong bytes")
        said += done.stderr
    for label in ("one", "two"):
        done = m.muni("cat", f"s@{label}", DOOMED)
        assert done.returncode != 0 or may_be_old, (what, label, "what was destroyed was served")
        assert b"to be gone" not in done.stdout + done.stderr or may_be_old, (what, label)
    listed = m.muni("ls", "s@one", "-R")
    assert may_be_old or b"secret.txt" not in listed.stdout + listed.stderr, (what, "the name of what was destroyed")
    assert may_be_old or opened == len(expected) or any(w in said for w in (b"older copy", b"segment", b"damaged", b"missing",
                                                              b"cannot be told", b"was destroyed")), (what, said)
    return opened


def officers_are_right(m, what):
    """By whatever state: nobody is in office whom the key alone added after the first approval, nor before he was let in."""
    listed = m.muni("officer list", "--json")
    for line in listed.stdout.decode().splitlines() if listed.returncode == 0 else ():
        row = json.loads(line)
        if row.get("id") in ("adler", "mallory") and row["in_office"]:
            assert row["id"] == "adler" and row["standing"] == "approved", (what, row)


def restored(m, what):
    """With the certificate, or by saying that there is none: refused, or without what was destroyed."""
    for given in (("--no-certificates",), ("C1.p7m",)):
        done = m.muni("restore", *given, *REASON, statuses=(0, 2, *REFUSALS, 3))
        if done.returncode != 0:
            continue
        officers_are_right(m, what)
        for label in ("one", "two"):
            got = m.muni("cat", f"s@{label}", DOOMED)
            assert got.returncode != 0 and not got.stdout, (what, given, label, "restored, and what was destroyed is back")
        assert m.muni("verify", "--deep").returncode in (0, 5), what
        return True
    return False


def one(where, newest, old, parts, has_anchor, expected):
    what = f"{'+'.join(parts)} of {old} under {newest}, {'with' if has_anchor else 'without'} anchor"
    # The certificate of the destruction speaks against what was before it; nothing does against what came after.
    may_be_old = TRUTH <= set(parts) and not has_anchor and old in AFTER
    m = Mixture(where, newest, old, parts, has_anchor)
    before = m.bytes()
    opened = serves_right(m, expected, what, may_be_old)
    officers_are_right(m, what)
    verified = m.muni("verify", "--deep")
    assert before == m.bytes(), (what, "reading changed something")
    if verified.returncode == 0 and not may_be_old:
        assert opened == len(expected), (what, "verify is content, yet files do not open", opened)
    repaired = m.muni("repair")
    mended = serves_right(m, expected, what + ", repaired", may_be_old)
    if repaired.returncode == 0 and not may_be_old:
        assert mended == len(expected), (what, "repair is content, yet files do not open", mended)
        assert m.muni("verify", "--deep").returncode == 0, (what, "repair is content, verify is not")
    kind = "served" if opened == len(expected) else "mended" if mended == len(expected) else "refused"
    if kind == "refused" and not may_be_old:
        # Segments that are gone are damage to what lies in them, no reason to take nothing more in.
        assert parts == ("segments",) or m.muni("ingest", "src", "--system", "more").returncode != 0, \
            (what, "a writer went on")
    officers_are_right(m, what)
    restored(m, what)
    m.put_back()
    assert serves_right(m, expected, what + ", newest parts back", False) == len(expected), what
    shutil.rmtree(where)
    return kind, what


def whole(old, certified_since):
    """A whole older folder: refused where this host knows better; else it opens and says what cannot be told."""
    for has_anchor in (True, False):
        m = Mixture("whole", "newest", "newest", (), has_anchor)
        shutil.rmtree("whole/archive")
        shutil.copytree(f"{old}/archive", "whole/archive")
        shutil.copy2(f"{old}/archive.keyring", "whole")
        done = m.muni("cat", "s@one", "kep/a.txt")
        said = done.stderr.decode()
        if has_anchor:
            assert done.returncode == 5 and "older copy" in said, (old, done)
            assert m.muni("ingest", "src", "--system", "more").returncode == 5
        else:
            assert done.returncode == 0 and "cannot be told" in said, (old, done)
            if certified_since:
                shutil.copytree("newest/archive/certificates", "whole/archive/certificates", dirs_exist_ok=True)
                done = m.muni("cat", "s@one", DOOMED)
                assert done.returncode == 5 and b"C1" in done.stderr and not done.stdout, (old, done)
                # Half of a certificate, or one that nobody signed, proves nothing.
                os.unlink("whole/archive/certificates/C1.p7s")
                assert m.muni("cat", "s@one", "kep/a.txt").returncode == 0
        shutil.rmtree("whole")


def make():
    s = Source("src", 3)
    s.file("kep/a.txt", b"the first row\n" * 900)
    s.file("kep/b.bin", s.rng.randbytes(90_000))
    s.file(DOOMED, b"to be gone\n" * 500)
    a = keeper()
    take_in(a, "src", "s", "one")
    state("first")
    s.file("kep/c.txt", b"of the second version\n" * 700)
    take_in(a, "src", "s", "two")
    state("second")
    d = approved(a, "--due")
    state("approved")
    a.ask("dispose", "execute", d, by="rita")
    a.ask("cert", "show", "C1", "--to", "C1.p7m", "--all")
    state("destroyed")
    for who in ("adler", "mallory"):
        officer(who)
    a.ask("officer", "add", "--id", "mallory", "--role", "records,owner", "--cert", "mallory.pem")
    a.admit("adler", "legal", "rita", "otto")
    state("admitted")
    a.ask("key", "rotate")
    s.file("kep/d.txt", b"of the third version\n" * 700)
    os.unlink(s.at(DOOMED))
    take_in(a, "src", "s", "three")
    state("newest")
    expected = {}
    for label, names in (("one", "ab"), ("two", "abc"), ("three", "abcd")):
        for n in names:
            path = f"kep/{n}.bin" if n == "b" else f"kep/{n}.txt"
            with open(s.at(path), "rb") as f:
                expected[label, path] = f.read()
    return expected


def under_newer_copies(expected):
    """Catalogue, log and anchor put back, the copies in segments not: they are the last that is left of the newest version.
    That is told for what it is, `repair` does not write the older catalogue over them, and with the newest log they give it back."""
    for has_anchor in (True, False):
        m = Mixture("under", "second", "first", ("catalogue", "log"), has_anchor)
        if has_anchor:
            for at in os.listdir("first"):
                if at.endswith(".anchor"):
                    shutil.copy2(f"first/{at}", "under")
        for command in ("verify", "repair", "repair"):
            done = m.muni(command, statuses=(5,))
            assert b"put back to an older state" in done.stdout and b"repaired)" not in done.stdout.replace(b"NOT repaired)", b"") \
                .replace(b"cannot be repaired)", b""), done
        acts_are_refused(m, b"newer")
        m.clear(("log",))
        m.put("second", ("log",))
        assert m.muni("repair").returncode == 0
        assert m.muni("verify", "--deep").returncode == 0
        for label, path in expected:
            if label != "three":
                assert m.muni("cat", f"s@{label}", path).stdout == expected[label, path], (label, path)
        shutil.rmtree("under")


def acts_are_refused(m, word):
    """None goes on from the older state, and removes the newest catalogue's copies; `restore` alone does, and then all do."""
    before = m.bytes()
    for act in (("ingest", "src", "--system", "more"), ("hold add", "--case", "c", "--reason", "r", "--system", "s"),
                ("key rotate",), ("repair",)):
        done = m.muni(*act, statuses=(5,))
        said = done.stdout + done.stderr
        assert word in said and (b"older state" in said or b"older copy" in said), (act, done)
    now = m.bytes()     # parity that is lacking is made
    gone = [p for p, data in before.items() if now.get(p) != data and not p.endswith(".par")]
    assert not gone, ("something was written over newer copies", gone)
    taken = Mixture("taken", m.where, m.where, (), True)
    assert taken.muni("restore", "--no-certificates", *REASON, statuses=(0,)).returncode == 0
    for act in (("ingest", "src", "--system", "more"), ("hold add", "--case", "c", "--reason", "r", "--system", "s"),
                ("key rotate",), ("verify", "--deep")):
        assert taken.muni(*act, statuses=(0,)).returncode == 0
    shutil.rmtree("taken")


def under_later_epochs(expected):
    """The same with copies of the epochs after: catalogue, log, keyring of before a destruction that nothing else tells of."""
    m = Mixture("later", "newest", "second", ("catalogue", "log", "keyring"), False)
    shutil.rmtree("later/archive/certificates")
    shutil.copytree("second/archive/certificates", "later/archive/certificates")
    m.put("second", ("segments",))      # so that what it names is there
    verified = m.muni("verify", statuses=(5,))
    assert b"put back to an older state" in verified.stdout, verified
    acts_are_refused(m, b"copies of the catalogue of epoch")
    m.put_back()
    assert m.muni("verify", "--deep", statuses=(0,)).returncode == 0
    assert serves_right(m, expected, "newest back", False) == len(expected)
    shutil.rmtree("later")


def main():
    expected, kinds = make(), {}
    under_newer_copies(expected)
    under_later_epochs(expected)
    subsets = [c for n in range(1, len(PARTS) + 1) for c in itertools.combinations(PARTS, n)]
    cases = [(old, parts, has_anchor) for old in ("first", "second", "approved", *AFTER) for parts in subsets
             for has_anchor in (True, False)]
    if not FULL:    # a part, another one in each of the states
        cases = cases[::9]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [pool.submit(one, f"mixed-{n}", "newest", *case, expected) for n, case in enumerate(cases)]
        for task in tasks:
            kind, what = task.result()
            kinds.setdefault(kind, []).append(what)
    for old, certified_since in (("first", True), ("second", True), ("approved", True), ("destroyed", False), ("admitted", False)):
        whole(old, certified_since)
    for kind, found in sorted(kinds.items()):
        print(f"{kind}: {len(found)}")
        for what in found:
            print("   ", what)
    # An older catalogue is brought up from the redo of newer segments; and some can be told only by refusing.
    assert kinds.get("refused") and (not FULL or kinds.get("mended")), kinds


main()

#!/usr/bin/python3
"""Destroyed as a whole: a version, a system, everything; one disposition after the other; and what a later ingest of
the same source brings back is a new record, which can be destroyed again."""
import json
import os
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import skip  # noqa: E402

try:
    from graves import Source, approved, betrayals, contents, destroy, keeper, read, secret_of, take_in
    from raw import Spoils
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

s = Source("src", 73)
MIDDLE, WHOLE = s.word("middle"), s.word("whole")


def paths(a, system, label=None):
    found = set()
    for line in a.run("find", f"{system}@{label}" if label else system, "--json").splitlines():
        found.add(json.loads(line)["path"])
    return found


def present(a):
    """Read now: the segments of then go."""
    r = read(a)
    r.contents = contents(r)
    return r


def clean(a, before, words=(), stays=()):
    """Nothing of what the last act took is left anywhere; the rest holds."""
    after = read(a)
    wanted = {f"word {w}": w.encode() for w in words}
    wanted.update(betrayals(before, after))
    found = Spoils(a.path, a.keyring, [(secret_of(a), False)]).search(wanted)
    assert not set(found) - set(stays), json.dumps({k: v[:5] for k, v in found.items()}, indent=1)
    was, is_now = before.contents, contents(after)
    for key, value in is_now.items():
        assert value == was[key], key
    a.run("verify", "--deep")
    a.ask("audit", "verify")
    return set(was) - set(is_now)


def whole_version(a):
    """A record that stood in that version alone goes; what other versions have too stays there."""
    s.file("com/a.txt", "alpha\n" * 60)
    s.file("com/b.txt", "beta\n" * 60)
    take_in(a, "src", "s", "one")
    s.file("com/b.txt", f"{MIDDLE}\n" * 60)
    s.file(f"com/{MIDDLE}.txt", f"{MIDDLE} alone\n" * 60)
    take_in(a, "src", "s", "two")
    s.file("com/b.txt", "beta again\n" * 60)
    os.unlink(s.at(f"com/{MIDDLE}.txt"))
    take_in(a, "src", "s", "three")
    before = present(a)
    destroy(a, "--version", "s@two")
    lost = clean(a, before, [MIDDLE])
    assert {k[1] for k in lost} == {b"two"}, lost
    assert {b"com/b.txt", f"com/{MIDDLE}.txt".encode()} <= {k[2] for k in lost}, lost
    a.run("ls", "s@two", status=1)
    assert "com/a.txt" in paths(a, "s", "one") and "com/b.txt" in paths(a, "s", "three")


def whole_system(a):
    other = Source("other", 74)
    other.file(f"com/{WHOLE}.txt", f"{WHOLE}\n" * 70)
    other.file("com/shared.txt", "alpha\n" * 60)
    take_in(a, "other", "other", "one")
    # What came after it was approved, nobody has approved: the whole is another.
    d = approved(a, "--system", "other")
    other.file(f"com/later-{WHOLE}.txt", f"{WHOLE} later\n" * 70)
    take_in(a, "other", "other", "two")
    a.refused("altered list: the whole", "dispose", "execute", d, by="rita")
    assert f"com/later-{WHOLE}.txt" in paths(a, "other", "two") and f"com/{WHOLE}.txt" in paths(a, "other", "one")
    before = present(a)
    destroy(a, "--system", "other")
    lost = clean(a, before, [WHOLE])
    assert {k[0] for k in lost} == {b"other"}, lost
    assert "com/a.txt" in paths(a, "s")
    a.run("ls", "other", status=None)
    assert a.status != 0 or WHOLE not in a.errors


def one_after_the_other(a):
    for name in ("a", "b"):
        before = present(a)
        destroy(a, "--due", "--path", f"com/{name}.txt")
        lost = clean(a, before)
        assert {k[2] for k in lost if b"." in k[2]} == {f"com/{name}.txt".encode()}, lost


def again(a):
    """The source was not changed: it comes back as a new record; then it goes again, and again."""
    for label in ("four", "five"):
        take_in(a, "src", "s", label)
        assert {"com/a.txt", "com/b.txt"} <= paths(a, "s", label), paths(a, "s", label)
        assert a.run("cat", "s", "com/a.txt") == "alpha\n" * 60
        a.run("verify", "--deep")
        # Bytes that come once more are found again, not stored twice.
        size = sum(os.path.getsize(os.path.join(at, n)) for at, _, ns in os.walk(os.path.join(a.path, "segments")) for n in ns
                   if n.endswith(".seg"))
        take_in(a, "src", f"copy-{label}", "one")
        now = sum(os.path.getsize(os.path.join(at, n)) for at, _, ns in os.walk(os.path.join(a.path, "segments")) for n in ns
                  if n.endswith(".seg"))
        assert now == size, (size, now)
        before = present(a)
        destroy(a, "--due", "--system", "s")
        lost = clean(a, before)
        assert {k[2] for k in lost if b".txt" in k[2]} == {b"com/a.txt", b"com/b.txt"}, lost
        assert a.run("cat", f"copy-{label}", "com/a.txt") == "alpha\n" * 60


def everything(a):
    # Nobody classified these: nothing says how long they are kept, so nothing goes.
    a.run("ingest", "src", "--system", "loose")
    before = present(a)
    a.refused("whole scope", "dispose", "propose", "--everything", by="rita")
    a.run("scan", "src", "--system", "loose")
    a.run("classify", "--system", "loose", "--policy", "policy.yaml")
    d = approved(a, "--everything")
    a.ask("dispose", "execute", d, by="rita")
    clean(a, before)
    assert not [k for k in contents(read(a)) if k[2].endswith(b".txt")]
    a.refused("state", "dispose", "execute", d, by="rita")
    left = [n for at, _, ns in os.walk(os.path.join(a.path, "segments")) for n in ns if n.endswith(".seg")]
    assert not left, left
    s.file("com/new.txt", "after all that\n" * 60)
    take_in(a, "src", "s", "new")
    assert a.run("cat", "s", "com/new.txt") == "after all that\n" * 60
    a.run("verify", "--deep")


def main():
    a = keeper()
    whole_version(a)
    whole_system(a)
    one_after_the_other(a)
    again(a)
    everything(a)
    a.ask("audit", "verify")


main()

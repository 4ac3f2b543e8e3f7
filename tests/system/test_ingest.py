#!/usr/bin/python3
"""Ingest: what a version costs, what is reported, what is left out, who has to wait; each as a user sees it."""
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, SUPPORT, Archive, compare  # noqa: E402

ROOT = os.geteuid() == 0
rng = random.Random(20261122)


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def ingest(a, source, *args, status=0, **more):
    """The result as a JSON object, the problems under "told"."""
    rows = [json.loads(r) for r in a.run("ingest", source, "--json", *args, status=status, **more).splitlines()]
    result = next((r for r in rows if "unchanged" in r), {})
    result["told"] = {r["path"]: r["what"] for r in rows if "what" in r}
    return result


def settle():
    """What changed in the second of an ingest is read again by the next: let that second pass."""
    time.sleep(1.1)


def entries(r):
    return r["directories"] + r["files"] + r["others"]


def names(a, spec):
    rows = [json.loads(r) for r in a.run("find", spec, "--json").splitlines()]
    return {r["path"] for r in rows if "path" in r}


def what_a_version_costs():
    a = Archive("costs")
    subprocess.run([f"{SUPPORT}/hardtree.py", "src", "--many", "2000"], check=True)
    put("src/large", rng.randbytes(64 << 20))
    settle()
    first = ingest(a, "src", "--system", "s")
    assert first["version"] == "1" and first["unchanged"] == 0 and first["added"] == entries(first), first

    # The report's parts are the files of the archive, and parity costs little.
    assert first["archive_data"] == segments(a), first
    assert first["archive_catalogue"] >= os.path.getsize(f"{a.path}/catalogue.1"), first
    assert first["archive_catalogue_copies"] > 0 and first["milliseconds"] > 0, first
    assert 0 < first["archive_parity"] < first["archive_data"] * 0.1, first

    again = ingest(a, "src", "--system", "s")
    assert again["version"] == "2" and again["added_raw"] == 0, again
    assert again["unchanged"] == entries(again) and again["read_bytes"] < 2 << 20, again
    size = os.path.getsize(f"{a.path}/catalogue.1")
    for _ in range(3):      # no rows: the catalogue does not grow by them
        ingest(a, "src", "--system", "s")
    assert os.path.getsize(f"{a.path}/catalogue.1") - size < 200_000

    reread = ingest(a, "src", "--system", "s", "--reread")
    assert reread["unchanged"] == entries(reread) and reread["read_bytes"] >= 64 << 20, reread

    with open("src/large", "r+b") as f:     # a byte in the middle, an insertion near the end
        f.seek(30 << 20)
        f.write(b"!")
        f.seek(50 << 20)
        rest = f.read()
        f.seek(50 << 20)
        f.write(b"inserted" + rest)
    changed = ingest(a, "src", "--system", "s")
    assert changed["changed"] == 1 and changed["added_raw"] < 1 << 20, changed

    os.chmod("src/large", 0o600)            # a new node, the old content
    moded = ingest(a, "src", "--system", "s")
    assert moded["changed"] == 1 and moded["added_raw"] == 0, moded
    a.run("verify", "--deep")


def what_moves_and_what_changes_kind():
    a = Archive("moves")
    for i in range(30):
        put(f"m/one/two/f{i}", b"%d" % i)
    put("m/file", b"file")
    put("m/link1", b"linked")
    os.link("m/link1", "m/link2")
    settle()
    ingest(a, "m", "--system", "s")
    os.rename("m/one/two", "m/moved")
    os.unlink("m/file")
    put("m/file/now", b"a directory")
    os.link("m/link1", "m/link3")
    r = ingest(a, "m", "--system", "s")
    assert r["moved"] == 1, r
    assert r["unchanged"] >= 30, r          # what is below a renamed directory costs nothing
    tree = names(a, "s")
    assert "moved/f7" in tree and "one/two" not in tree and "file/now" in tree, tree
    nodes = {p: json.loads(a.run("stat", "s", p, "--json").splitlines()[-1]) for p in ("link1", "link2", "link3")}
    assert {n["links"] for n in nodes.values()} == {3}, nodes
    subprocess.run(["rm", "-r", "m/moved"], check=True)
    os.rename("m/one", "m/uno")
    r = ingest(a, "m", "--system", "s")
    assert names(a, "s@1") >= {"one/two/f3", "file", "link2"} and "moved/f7" not in names(a, "s@3")
    subprocess.run(["rm", "-rf", "back"], check=True)
    a.run("export", "s@3", "--to", "back", "--format", "dir")
    compare("m", "back")
    a.run("verify", "--deep")


def what_changes_or_hides_while_it_is_read():
    a = Archive("unstable")
    put("u/calm", b"calm")
    put("u/large", b"x" * (24 << 20))
    writer = subprocess.Popen([sys.executable, "-c", "import time\n"
                               "with open('u/large', 'ab', 0) as f, open('u/small', 'wb', 0) as g:\n"
                               "    while True:\n"
                               "        f.write(b'y' * 4096); g.write(b'z'); time.sleep(0.001)\n"])
    try:
        time.sleep(0.3)
        r = ingest(a, "u", "--system", "s", status=1)
    finally:
        writer.kill()
        writer.wait()
    assert "large" in r["told"] and "changed" in r["told"]["large"], r
    assert r["state"] == "incomplete" and "calm" in names(a, "s"), r
    a.run("verify", "--deep")
    r = ingest(a, "u", "--system", "s")     # it holds still: read again although nothing else changed
    assert r["state"] == "complete" and r["changed"] >= 1, r


def what_cannot_be_read():
    run = [] if not ROOT else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    put("hidden/seen", b"seen")
    put("hidden/secret", b"secret")
    os.makedirs("hidden/other")
    os.link("hidden/secret", "hidden/other/secret-too")
    put("hidden/closed/inside", b"inside")
    os.chmod("hidden/secret", 0)
    os.chmod("hidden/closed", 0)
    here = os.getcwd()
    work = os.path.join(here, "as-nobody")
    os.mkdir(work)
    with open(f"{work}/key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    if ROOT:
        os.chown(work, 65534, 65534)
        os.chmod(here, 0o755)
        if subprocess.run([*run, "test", "-x", here]).returncode or \
           subprocess.run([*run, MUNI, "--version"], capture_output=True).returncode == 126:
            print("left out: an ordinary user cannot reach this folder")
            return
    keys = ["--keyring", f"{work}/keyring", "--key-file", f"{work}/key"]
    subprocess.run([*run, MUNI, "init", f"{work}/a", *keys], check=True, capture_output=True)
    done = subprocess.run([*run, MUNI, "ingest", f"{work}/a", "hidden", "--system", "s", "--json", *keys],
                          capture_output=True, text=True)
    told = {r["path"] for r in map(json.loads, done.stdout.splitlines()) if "what" in r}
    assert done.returncode == 1 and told == {"secret", "other/secret-too", "closed"}, (done.returncode, told, done.stderr)
    log = subprocess.run([*run, MUNI, "log", f"{work}/a", "s", "--json", *keys], capture_output=True, text=True).stdout
    assert '"incomplete"' in log, log
    ls = subprocess.run([*run, MUNI, "ls", "-R", f"{work}/a", "s", *keys], capture_output=True, text=True).stdout
    assert "seen" in ls and "closed" in ls and "secret" not in ls and "inside" not in ls, ls


def what_is_left_out():
    a = Archive("left")
    for p in ("keep/a.txt", "keep/a.o", "build/x", "deep/build/y", "deep/note~", "build.txt"):
        put(f"l/{p}", b"x")
    ingest(a, "l", "--system", "s", "--exclude", "build/", "--exclude", "*.o", "--exclude", "/deep/*~")
    assert names(a, "s") == {"keep", "keep/a.txt", "deep", "build.txt"}, names(a, "s")

    for glob in "", "d" * 4096:
        a.run("ingest", "l", "--system", "s", "--exclude", glob, status=2)
        assert "--exclude takes a pattern of 1 to 4095 bytes" in a.errors, a.errors

    dry = ingest(a, "l", "--system", "s", "--dry-run")
    assert dry["added"] == 6 and dry["dry_run"], dry
    assert len(a.log("s")) == 1
    dry = ingest(a, "l", "--system", "never", "--dry-run")
    assert dry["added"] == entries(dry) and "never" not in a.run("log"), dry

    # An archive within its own source is not taken into itself, nor is its keyring (test_keyring_inside.py).
    inside = Archive("l/archive")
    inside.run("ingest", "l", "--system", "s", "--exclude", "archive.keyring")
    assert "archive itself" in inside.errors and "a keyring" not in inside.errors and "archive/catalogue.1" not in names(inside, "s"), inside.errors

    if ROOT and subprocess.run(["mount", "-t", "tmpfs", "none", "l/deep"], capture_output=True).returncode == 0:
        try:
            put("l/deep/other", b"other")
            ingest(a, "l", "--system", "one", "--one-file-system")
            assert "deep" in names(a, "one") and "deep/other" not in names(a, "one")
            ingest(a, "l", "--system", "two")
            assert "deep/other" in names(a, "two")
        finally:
            subprocess.run(["umount", "l/deep"], check=True)


def what_a_hole_costs():
    a = Archive("holes")
    os.mkdir("h")
    with open("h/tera", "wb") as f:
        os.pwrite(f.fileno(), b"island", 700 << 30)
        f.truncate(1 << 40)
    with open("h/gone", "wb") as f:
        f.truncate(5 << 20)
    settle()
    start = time.monotonic()
    r = ingest(a, "h", "--system", "s")
    assert r["read_bytes"] < 1 << 20 and time.monotonic() - start < 20, r
    assert ingest(a, "h", "--system", "s")["unchanged"] == 2
    with open("h/gone", "wb") as f:         # the same bytes, no holes: another file to whoever asks
        f.write(bytes(5 << 20))
    assert ingest(a, "h", "--system", "s")["changed"] == 1
    a.run("verify", "--deep")


def who_has_to_wait():
    a = Archive("two")
    put("w/f", rng.randbytes(48 << 20))
    line = [MUNI, "ingest", a.path, "w", "--keyring", a.keyring, "--key-file", a.key]
    both = [subprocess.Popen([*line, "--system", s], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for s in ("one", "two")]
    ends = [(p.communicate()[1], p.returncode) for p in both]
    assert any(code == 0 for _, code in ends), ends
    for errors, code in ends:               # the other waited, or was told who writes
        assert code == 0 or (code == 1 and "pid" in errors.lower()), (code, errors)
    a.run("verify")


def segments(a):
    """The bytes in them."""
    return sum(os.path.getsize(f"{d}/{f}") for d, _, files in os.walk(f"{a.path}/segments")
               for f in files if f.endswith(".seg"))


def what_a_kill_costs():
    """Segments in the making, and what was not committed since: the rest is found again."""
    put("k/f1", rng.randbytes(150 << 20))
    for i in range(500):
        put(f"k/d{i % 9}/f{i}", b"%d row\n" % i * rng.randrange(2000))
    a = Archive("killed")
    line = [MUNI, "ingest", a.path, "k", "--system", "s", "--threads", "1", "--keyring", a.keyring, "--key-file", a.key]
    p = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while p.poll() is None and segments(a) < 80 << 20:
        time.sleep(0.01)
    time.sleep(0.25)        # the catalogue hears of a segment when it is durable
    p.send_signal(signal.SIGKILL)
    p.wait()
    a.run("verify")
    if a.log():
        print("left out: the ingest was faster than the kill")
    else:
        assert ingest(a, "k", "--system", "s")["added_raw"] < 100 << 20
    subprocess.run(["rm", "-rf", "back"], check=True)
    a.run("export", "s", "--to", "back", "--format", "dir")
    compare("k", "back")
    a.run("verify", "--deep")
    # Stopped politely it says so, keeps what it stored, and has no version.
    a = Archive("stopped")
    p = subprocess.Popen([MUNI, "ingest", a.path, "k", "--system", "s", "--threads", "1", "--keyring", a.keyring,
                          "--key-file", a.key], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.4)
    p.send_signal(signal.SIGINT)
    errors = p.communicate()[1]
    if p.returncode:
        assert "run the same command again" in errors, errors
        assert a.log() == []
    a.run("verify")


def what_bad_words_get():
    a = Archive("words")
    put("b/f", b"x")
    for words in (["b", "--system", "a/b"], ["b", "--system", ".x"], ["b", "--system", "s", "--version", "2021-06-30"],
                  ["b"]):
        a.run("ingest", *words, status=2)
    a.run("ingest", "nowhere", "--system", "s", status=1)
    assert "nowhere" in a.errors
    a.run("ingest", "b", "--system", "s", "--version", "spring")
    a.run("ingest", "b", "--system", "s", "--version", "spring", status=1)
    assert "spring" in a.errors
    assert ingest(a, "b", "--system", "s")["version"] == "1"
    assert ingest(a, "b", "--system", "s")["version"] == "2"


for test in (what_a_version_costs, what_moves_and_what_changes_kind, what_changes_or_hides_while_it_is_read,
             what_cannot_be_read, what_is_left_out, what_a_hole_costs, who_has_to_wait, what_a_kill_costs,
             what_bad_words_get):
    print(test.__name__, flush=True)
    test()

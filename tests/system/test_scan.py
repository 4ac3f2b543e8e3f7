#!/usr/bin/python3
"""Scan and inventory of a live tree: every item as the system says it is, the same on any number of threads,
nothing read twice, nothing in clear in the archive, and an end in good order whatever happens on the way."""
import base64
import hashlib
import json
import os
import random
import signal
import socket
import stat
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, Archive, tree  # noqa: E402

rng = random.Random(20261123)
CANARY = "canary-quetzalcoatl"
os.umask(0o022)


def path_of(row):
    return base64.b64decode(row["path_base64"]) if "path_base64" in row else row["path"].encode()


def inventory(a, *args, system="hr"):
    return [json.loads(line) for line in a.run("inventory", "--system", system, "--json", *args).splitlines()]


def scan(a, source="src", *args, system="hr", status=0, env=None):
    out = a.run("scan", source, "--system", system, "--json", *args, status=status, env=env)
    lines = [json.loads(line) for line in out.splitlines()]
    return lines[-1] if lines else None


def make_source(where):
    tree(where, 7, files=120)
    os.makedirs(f"{where}/deep/{'/'.join('d' * 40 for _ in range(30))}")
    os.makedirs(f"{where}/empty/empty too")
    with open(f"{where}/zero.txt", "wb"):
        pass
    with open(f"{where}/{CANARY}.txt", "w") as f:
        f.write(f"{CANARY} and its content\n" * 50)
    for raw in (b"\xff\xfe", b"new\nline", b"tab\there", "中文.txt".encode(), b"-dash", b"back\\slash", b"a b"):
        with open(os.path.join(os.fsencode(where), raw), "wb") as f:
            f.write(raw * 3)
    with open(f"{where}/sparse", "wb") as f:
        f.seek(5 << 20)
        f.write(b"end")
    os.symlink("no such thing", f"{where}/dangling")
    os.symlink("d0", f"{where}/to a directory")
    os.mkfifo(f"{where}/fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind(f"{where}/sock")
    s.close()
    with open(f"{where}/linked", "wb") as f:
        f.write(b"one inode, three names\n")
    os.link(f"{where}/linked", f"{where}/d1/linked too.bin")
    os.link(f"{where}/linked", f"{where}/d2/and.doc")
    for name in ("d3/copy", "d4/copy of it", "zz copy"):
        with open(f"{where}/{name}", "wb") as f:
            f.write(b"the same bytes in three inodes\n")


def expected(where):
    """What the system says: path -> (kind, size, sha256)."""
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
             stat.S_IFSOCK: "socket"}
    out = {}
    top = os.fsencode(where)
    for folder, dirs, files in os.walk(top):
        for name in files + [d for d in dirs if os.path.islink(os.path.join(folder, d))]:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            kind = kinds[stat.S_IFMT(st.st_mode)]
            sha = None
            if kind == "file":
                with open(full, "rb") as f:
                    sha = hashlib.sha256(f.read()).hexdigest()
            out[os.path.relpath(full, top)] = (kind, len(os.readlink(full)) if kind == "symlink" else
                                               st.st_size if kind == "file" else 0, sha)
        if not dirs and not files:
            out[os.path.relpath(folder, top)] = ("directory", 0, None)
    return out


def midnight(text):
    """Without what a scan on another day tells otherwise, and what looking at links and directories leaves."""
    return [{k: v for k, v in json.loads(x).items() if k not in ("age_days", "atime")} for x in text.splitlines()]


def check_rows(rows, where):
    want = expected(where)
    got = {path_of(r): (r["kind"], r["size"], r["sha256"]) for r in rows}
    assert got == want, {k: (got.get(k), want.get(k)) for k in set(got) | set(want) if got.get(k) != want.get(k)}
    paths = [path_of(r) for r in rows]
    assert paths == sorted(paths)
    for r in rows:
        st = os.lstat(os.path.join(os.fsencode(where), path_of(r)))
        assert int(r["mode"], 8) == stat.S_IMODE(st.st_mode) and r["uid"] == st.st_uid, r
        assert r["mtime"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(st.st_mtime))), r


def check_duplicates(rows, where):
    """The first by path is the original, names of its inode are no copies, empty files are none."""
    by_content, inode = {}, {}
    for r in rows:
        inode[path_of(r)] = os.lstat(os.path.join(os.fsencode(where), path_of(r))).st_ino
        if r["kind"] == "file" and r["size"]:
            by_content.setdefault(r["sha256"], []).append(r)
    for group in by_content.values():
        first = path_of(group[0])
        for r in group:
            want = None if inode[path_of(r)] == inode[first] else first
            have = base64.b64decode(r["duplicate_of_base64"]) if "duplicate_of_base64" in r else r["duplicate_of"]
            assert (have.encode() if isinstance(have, str) else have) == want, r
            assert r["copies"] == len({inode[path_of(x)] for x in group}), r


def atimes(where):
    return {full: os.lstat(full).st_atime_ns for folder, _, files in os.walk(where) for full in
            [os.path.join(folder, n) for n in files] if not os.path.islink(full)}


def every_item_is_there_as_it_is():
    before = atimes("src")
    r = scan(a)
    rows = inventory(a)
    assert atimes("src") == before or os.geteuid() != 0, "a scan left a trace in the source"
    check_rows(rows, "src")
    check_duplicates(rows, "src")
    assert r["items"] == len(rows) and r["problems"] == 0 and r["gone"] == 0, r
    assert r["duplicates"] == len([x for x in rows if x["duplicate_of"] is not None]), r
    assert r["looked_into"] == len([x for x in rows if x["kind"] == "file"]), r
    a.run("verify", "--deep")
    assert a.run("log") == "" or "hr" not in a.run("log"), "a system without a version is listed"
    a.run("ls", "hr", status=1)


def rows_do_not_depend_on_threads():
    texts = []
    for threads in ("1", "8"):
        other = Archive(f"threads{threads}")
        scan(other, "src", "--threads", threads)
        texts.append(other.run("inventory", "--system", "hr", "--json"))
    assert texts[0] == texts[1] or midnight(texts[0]) == midnight(texts[1])
    assert midnight(texts[0]) == midnight(a.run("inventory", "--system", "hr", "--json"))


def a_second_scan_reads_only_what_changed():
    before = a.run("inventory", "--system", "hr", "--json")
    r = scan(a)
    assert r["looked_into"] == 0 and r["read_bytes"] == 0 and r["unchanged"] == r["items"], r
    assert a.run("inventory", "--system", "hr", "--json") == before
    with open("src/d3/copy", "ab") as f:
        f.write(b"no more")
    os.utime("src/d5/f005", (1, 1))
    os.rename("src/d6/f006", "src/d6/renamed")
    os.unlink("src/dangling")
    os.unlink("src/d1/linked too.bin")
    with open("src/empty/empty too/full", "w") as f:
        f.write("now it is not")
    r = scan(a)
    # Renaming a file and removing one of its names change its inode's ctime.
    assert r["looked_into"] == 6, r
    assert r["gone"] == 4, r
    check_rows(inventory(a), "src")
    check_duplicates(inventory(a), "src")
    before = midnight(a.run("inventory", "--system", "hr", "--json"))
    r = scan(a, "src", "--reread")
    assert r["looked_into"] == r["files"] and r["unchanged"] == 0, r
    assert midnight(a.run("inventory", "--system", "hr", "--json")) == before
    a.run("verify")


def what_is_left_out_is_not_there():
    r = scan(a, "src", "--exclude", "d*/", "--exclude", "*.txt")
    paths = {path_of(x) for x in inventory(a)}
    assert r["gone"] > 100 and b"zero.txt" not in paths and b"linked" in paths, r
    assert not any(p.startswith(b"d1/") for p in paths)
    scan(a)
    check_rows(inventory(a), "src")


def filters_choose():
    assert {path_of(r) for r in inventory(a, "d1")} == {p for p in expected("src") if p.startswith(b"d1/")}
    assert {path_of(r) for r in inventory(a, "*copy*")} == {b"zz copy"}
    assert {path_of(r) for r in inventory(a, "**/*copy*")} == {b"zz copy", b"d3/copy", b"d4/copy of it"}
    assert all(r["duplicate_of"] is not None for r in inventory(a, "--duplicates"))
    assert {path_of(r) for r in inventory(a, "--format", "inode/s*")} == {b"sock", b"to a directory"}
    text = a.run("inventory", "--system", "hr", "--csv")
    assert len(text.split("\n")) > 100 and "path_base64" in text.split("\n")[0]
    assert "new\\nline" in a.run("inventory", "--system", "hr")
    a.run("inventory", "--system", "no", status=1)
    assert "muni scan" in a.errors
    a.run("inventory", status=2)


def nothing_stands_in_clear():
    for folder, _, files in os.walk(a.path):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                assert CANARY.encode() not in f.read(), os.path.join(folder, name)


def killed_at_any_moment_it_goes_on():
    tree("many", 3, files=4000, size=600)
    k = Archive("killed")
    for turn in range(8):
        p = subprocess.Popen([MUNI, "scan", k.path, "many", "--system", "hr", "-q", "--keyring", k.keyring,
                              "--key-file", k.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.6)
        p.send_signal(signal.SIGKILL if turn % 2 else signal.SIGINT)
        p.wait()
        k.run("verify")
    scan(k, "many")
    k.run("verify", "--deep")
    whole = Archive("whole")
    scan(whole, "many")
    want = midnight(whole.run("inventory", "--system", "hr", "--json"))
    assert midnight(k.run("inventory", "--system", "hr", "--json")) == want and len(want) == 4000
    r = scan(k, "many")
    assert r["looked_into"] == 0, r


def what_changes_meanwhile_is_noticed():
    os.makedirs("moving")
    with open("moving/still", "w") as f:
        f.write("still")
    done = threading.Event()
    # Large enough that it changes while it is read; each write moves its times.
    with open("moving/log", "wb") as f:
        f.write(b"a line of the log that says nothing at all\n" * (1 << 20))

    def append():
        with open("moving/log", "ab", buffering=0) as f:
            while not done.is_set():
                f.write(b"line\n")
    t = threading.Thread(target=append)
    t.start()
    try:
        a.run("scan", "moving", "--system", "moving", status=1)
    finally:
        done.set()
        t.join()
    row = {path_of(r): r for r in inventory(a, system="moving")}
    assert "it changed while it was read" in (row[b"log"]["opaque"] or ""), row[b"log"]
    assert row[b"still"]["opaque"] is None
    r = scan(a, "moving", system="moving")
    assert r["looked_into"] == 1 and r["opaque"] == 0, r
    with open("moving/log", "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    assert {path_of(r): r for r in inventory(a, system="moving")}[b"log"]["sha256"] == want


def what_cannot_be_read_is_an_item_and_a_problem():
    if os.geteuid() != 0:
        os.makedirs("closed/dir/sub")
        run = lambda *words: words                                              # noqa: E731
    else:
        # As nobody: in a folder that nobody can reach.
        os.makedirs("nobody")
        os.chmod("nobody", 0o777)
        top = os.path.abspath(".")
        while top != "/":
            if not os.stat(top).st_mode & 0o001:
                os.chmod(top, os.stat(top).st_mode | 0o001)
            top = os.path.dirname(top)
        os.makedirs("closed/dir/sub")
        run = lambda *words: ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *words)   # noqa: E731
    for name in ("file", "open", "dir/inside"):
        with open(f"closed/{name}", "w") as f:
            f.write(name)
    os.chmod("closed/file", 0)
    os.chmod("closed/dir", 0)
    home = os.path.abspath("nobody" if os.geteuid() == 0 else ".")
    muni = f"{home}/bin/muni"       # the build may lie where nobody else may look
    os.makedirs(f"{home}/bin")
    for program in ("muni", "muni-whole", "muni-examine"):
        shutil.copy2(os.path.join(os.path.dirname(MUNI), program), f"{home}/bin/{program}")
    with open(f"{home}/n.key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    keys = ["--keyring", f"{home}/n.keyring", "--key-file", f"{home}/n.key"]
    subprocess.run(run(muni, "init", f"{home}/n", *keys), check=True, capture_output=True)
    done = subprocess.run(run(muni, "scan", f"{home}/n", "closed", "--system", "hr", *keys), capture_output=True)
    assert done.returncode == 1, done
    assert b"file: it cannot be read: Permission denied" in done.stdout + done.stderr, done
    done = subprocess.run(run(muni, "inventory", f"{home}/n", "--system", "hr", "--json", *keys), capture_output=True)
    row = {r["path"]: r for r in map(json.loads, done.stdout.splitlines())}
    assert row["file"]["opaque"] == "it cannot be read: Permission denied" and row["file"]["sha256"] is None
    assert row["dir"]["kind"] == "directory" and "Permission denied" in row["dir"]["opaque"]
    assert row["open"]["opaque"] is None and set(row) == {"file", "dir", "open"}
    os.chmod("closed/file", 0o644)
    os.chmod("closed/dir", 0o755)
    done = subprocess.run(run(muni, "scan", f"{home}/n", "closed", "--system", "hr", *keys), capture_output=True)
    assert done.returncode == 0, done
    done = subprocess.run(run(muni, "inventory", f"{home}/n", "--system", "hr", "--json", *keys), capture_output=True)
    assert {r["path"]: r["opaque"] for r in map(json.loads, done.stdout.splitlines())} == {
        "file": None, "open": None, "dir/inside": None, "dir/sub": None}


def deeper_than_a_path_can_say():
    os.makedirs("abyss")
    fd = os.open("abyss", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("n" * 100, dir_fd=fd)
        fd, old = os.open("n" * 100, os.O_RDONLY, dir_fd=fd), fd
        os.close(old)
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
    os.close(fd)
    scan(a, "abyss", system="abyss")
    rows = inventory(a, system="abyss")
    assert [r["path"] for r in rows] == ["/".join(["n" * 100] * 300 + ["bottom"])]
    subprocess.run(["rm", "-rf", "abyss"], check=True)


def a_terabyte_of_holes_is_not_looked_through():
    os.makedirs("holes")
    with open("holes/tebibyte", "wb") as f:
        f.truncate(1 << 40)
        f.seek(1 << 39)
        f.write(b"somebody@example.org")
    r = scan(a, "holes", system="holes")
    row = inventory(a, system="holes")[0]
    assert "holes" in row["opaque"] and row["size"] == 1 << 40 and r["read_bytes"] < 1 << 20, (row, r)
    # The digest is the one that an ingest makes, and none that sha256sum shows.
    a.run("ingest", "holes", "--system", "kept", "--all")
    entry = json.loads(a.run("stat", "kept", "tebibyte", "--json").splitlines()[0])
    assert entry["digest"] == row["digest"] and row["sha256"] is None and "sha256" not in entry, (entry, row)


def another_source_under_the_same_name_is_told():
    os.makedirs("other source")
    with open("other source/b", "w") as f:
        f.write("b")
    scan(a, "other source", system="holes")
    assert "the scan before of this system was of " in a.errors and "/holes:" in a.errors, a.errors
    assert [r["path"] for r in inventory(a, system="holes")] == ["b"]
    scan(a, "./other source/", system="holes")
    assert "the scan before" not in a.errors, a.errors


def words_that_are_off_are_told():
    a.run("scan", "src", status=2)
    a.run("scan", "src", "--system", "a/b", status=2)
    a.run("scan", "no such source", "--system", "hr", status=1)
    assert "no such source" in a.errors
    a.run("scan", "src/zero.txt", "--system", "hr", status=1)
    a.run("scan", "src/fifo", "--system", "hr", status=2)
    assert "neither a directory nor an archive" in a.errors


make_source("src")
a = Archive("archive")
for test in (every_item_is_there_as_it_is, rows_do_not_depend_on_threads, a_second_scan_reads_only_what_changed,
             what_is_left_out_is_not_there, filters_choose, nothing_stands_in_clear, killed_at_any_moment_it_goes_on,
             what_changes_meanwhile_is_noticed, what_cannot_be_read_is_an_item_and_a_problem,
             deeper_than_a_path_can_say, a_terabyte_of_holes_is_not_looked_through,
             another_source_under_the_same_name_is_told, words_that_are_off_are_told):
    print(test.__name__, flush=True)
    test()

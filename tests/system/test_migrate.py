#!/usr/bin/python3
"""What was decided to be migrated, straight from the live source: in every format the same as the source, held
against the inventory; what changed, vanished, cannot be read or is not what was scanned is said; a run that was
killed is gone on with, also when the source has changed since."""
import hashlib
import json
import os
import random
import signal
import stat
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, BUILD, MUNI, SUPPORT  # noqa: E402

ROOT = os.geteuid() == 0
POLICY = """
policy: moving
version: 1
calendar: UTC
unmatched: review
classes:
  - id: KEEP
    title: {en: Kept}
    mandate: {instrument: a test, clause: "1", jurisdiction: US}
    sensitivity: internal
    retain: {trigger: modified, period: P3Y}
    then: review
rules:
  - {id: go, when: {path: "go/**"}, decide: migrate, opaque: accept}
  - {id: stay, when: {path: "stay/**"}, decide: archive, class: KEEP, opaque: accept}
  - {id: end, when: {path: "end/**"}, decide: destroy, because: trivial, opaque: accept}
"""
WHO = ("--officer", "R. Keeper", "--reason", "a test")


def put(path, data=b"x", mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def decide(archive, source, system="s"):
    """A fresh inventory of the source, and decisions on it."""
    with open("policy.yaml", "w", encoding="utf-8") as f:
        f.write(POLICY)
    archive.run("scan", source, "--system", system, status=None)
    assert archive.status in (0, 1), archive.errors
    archive.run("classify", "--system", system, "--policy", "policy.yaml")


def migrate(archive, source, to, form="dir", status=0, *args, system="s", **more):
    out = archive.run("export", system, "--source", source, "--to", to, "--format", form, "--json", *args,
                      status=status, **more)
    rows = [json.loads(line) for line in out.splitlines()]
    problems = {r.get("path_base64") or r["path"]: r["what"] for r in rows if r["type"] == "problem"}
    sums = [r for r in rows if r["type"] == "export"]
    return (sums[0] if sums else None), problems, [r for r in rows if r["type"] == "loss"]


def same(a, b, *without):
    out = [*without, *([] if ROOT else ["owner", "trusted"])]
    done = subprocess.run([f"{SUPPORT}/compare.py", a, b, *(["--no", ",".join(out)] if out else [])],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{a} and {b} differ:\n{done.stdout[-3000:]}"


def items_of(top):
    """Paths of the items below: everything but directories that hold something."""
    found = set()
    for folder, folders, files, fd in os.fwalk(os.fsencode(top)):
        def is_link(name, at=fd):
            return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
        for name in files + [d for d in folders if is_link(d)]:
            found.add(os.path.relpath(os.path.join(folder, name), os.fsencode(top)))
        if not folders and not files and folder != os.fsencode(top):
            found.add(os.path.relpath(folder, os.fsencode(top)))
    return found


def untouched(top):
    """Everything that a look at the source could tell, access times of files included."""
    rows = []
    for folder, folders, files, fd in os.fwalk(os.fsencode(top)):
        for name in sorted(folders + files):
            st = os.stat(name, dir_fd=fd, follow_symlinks=False)
            atime = st.st_atime_ns if stat.S_ISREG(st.st_mode) else 0
            rows.append((os.path.join(folder, name), st.st_ino, st.st_mode, st.st_size, st.st_mtime_ns,
                         st.st_ctime_ns, atime))
    return sorted(rows)


# ---- every hard case, in every format --------------------------------------------------------------------------


def whole():
    a = Archive("whole")
    subprocess.run([f"{SUPPORT}/hardtree.py", "src/go", "--many", "300"], check=True, stderr=subprocess.DEVNULL)
    os.unlink("src/go/holes/tebibyte")  # nobody waits for a scan of it
    put("src/stay/a.txt", b"stays")
    put("src/end/b.txt", b"ends here")
    put("src/else/c.txt", b"nobody knows")
    decide(a, "src")
    before = untouched("src")
    sums, problems, losses = migrate(a, "src", "out")
    migrate(a, "src", "out.tar", "tar")
    stream = subprocess.run([MUNI, "export", a.path, "s", "--source", "src", "--to", "-", "--format", "tar",
                             "--keyring", a.keyring, "--key-file", a.key, "-q"], capture_output=True, check=True)
    with open("out.tar", "rb") as f:
        assert stream.stdout == f.read(), "the same source gives the same bytes"
    assert untouched("src") == before, "the source was not touched"
    assert not problems, problems
    same("src/go", "out/go")
    assert os.listdir("out") == ["go"], "nothing else goes, and no empty directory either"
    for name in ("st_mode", "st_uid", "st_gid", "st_mtime_ns"):
        assert getattr(os.stat("out"), name) == getattr(os.stat("src"), name), f"the top has its own {name}"
    assert any("birth" in x["what"] for x in losses)
    items = {i for i in items_of("src") if i.startswith(b"go/")}
    assert sums["items"] == len(items), (sums, len(items))
    assert sums["left_out"]["archive"] == {"items": 1, "bytes": 5}, sums
    assert sums["left_out"]["destroy"] == {"items": 1, "bytes": 9} and sums["left_out"]["review"]["items"] == 1
    assert sums["left_out"]["undecided"] == sums["left_out"]["missing"] == sums["problems"] == 0, sums
    assert sums["decision"] == "migrate" and sums["resumed"] == 0

    b = Archive("again")
    b.run("ingest", "src/go", "--system", "x")
    b.run("ingest", "out/go", "--system", "x")
    diff = [json.loads(x) for x in b.run("diff", "x@1", "x@2", "--json").splitlines()]
    assert [r for r in diff if "path" in r] == [], diff[:3]
    os.makedirs("by-tar")
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "--acls", "-xpf", "out.tar", "-C", "by-tar"],
                   capture_output=True, check=False)  # it remarks on times of birth
    for part in ("content", "holes", "links", "modes", "attributes", "many"):  # GNU tar gives up on the deep one
        same(f"src/go/{part}", f"by-tar/go/{part}")
    b.run("ingest", "out.tar", "--system", "t")
    found = {r["path"] for r in (json.loads(x) for x in b.run("find", "t", "--json").splitlines())}
    assert "go/links/good" in found and "stay" not in found

    sums, problems, losses = migrate(a, "src", "out.zip", "zip")
    with zipfile.ZipFile("out.zip") as z:
        assert z.testzip() is None
        assert z.read("go/content/random-200000") == open("src/go/content/random-200000", "rb").read()
    gone = sum(x["what"].startswith(("a fifo", "a socket", "a device")) for x in losses)
    assert gone > 0 and sums["items"] == len(items) - gone, (sums, gone)

    sums, problems, losses = migrate(a, "src", "out.bag", "bagit")
    rows = {}
    with open("out.bag/manifest-sha256.txt", encoding="utf-8", newline="\n") as f:
        for line in f:
            rows[line[66:-1].replace("%0A", "\n").replace("%25", "%")] = line[:64]
    payload = {}
    for folder, _, names, fd in os.fwalk("out.bag/data"):
        for name in names:
            with open(os.open(name, os.O_RDONLY, dir_fd=fd), "rb") as f:
                payload[os.path.join(folder, name)[8:]] = hashlib.sha256(f.read()).hexdigest()
    assert payload == rows, [p[-80:] for p in sorted(set(payload) ^ set(rows))][:4]
    info = open("out.bag/bag-info.txt", encoding="utf-8").read()
    assert "External-Identifier: s\n" in info and "decision migrate" in info, info

    a.run("verify", "--deep")
    a.run("export", "s", "--source", "src", "--to", "out", status=1)
    assert "already" in a.errors
    words(a)


def words(a):
    for args, why in ((("--source", "out.tar", "--to", "x"), "unpack"), (("--source", "src", "--to", "src/x"), "outside"),
                      (("--source", "src", "--to", "src/go/deep/x"), "outside"),
                      (("--decision", "migrate", "--to", "x"), "--source"),
                      (("--source", "src", "--to", "x", "--decision", "burn"), "archive")):
        a.run("export", "s", *args, status=2)
        assert why in a.errors, (args, a.errors)
    a.run("export", "s@1", "--source", "src", "--to", "x", status=2)
    a.run("export", "s", "--source", "nowhere", "--to", "x", status=1)
    a.run("scan", "src/stay", "--system", "other")
    a.run("export", "other", "--source", "src/stay", "--to", "x", status=1)
    assert "classify" in a.errors, a.errors
    assert not os.path.exists("x") and not os.path.exists("x.partial")
    # Whatever was decided can be taken by its name.
    sums, problems, _ = migrate(a, "src", "kept", "dir", 0, "--decision", "archive")
    assert items_of("kept") == {b"stay/a.txt"} and not problems and sums["decision"] == "archive", sums
    assert sums["left_out"]["migrate"]["items"] > 100 and "archive" not in sums["left_out"]


# ---- single items among others ------------------------------------------------------------------------------------


def single():
    a = Archive("single")
    put("one/go/a/first", b"one inode")
    for name in ("one/go/a/second", "one/go/b/third", "one/stay/fourth"):
        os.makedirs(os.path.dirname(name), exist_ok=True)
        os.link("one/go/a/first", name)
    put("one/go/a/alone", b"alone")
    put(b"one/go/b/caf\xe9", b"no UTF-8")
    os.makedirs("one/go/empty/deep")
    os.makedirs("one/stay/empty")
    os.symlink("a/first", "one/go/link")
    os.chmod("one/go/b", 0o2751)
    os.utime("one/go/b", ns=(5, 981173106987654321))
    decide(a, "one")
    a.run("decide", "go/a/second", "--system", "s", "--decision", "review", *WHO)
    a.run("decide", "go/a/alone", "--system", "s", "--decision", "destroy", *WHO)
    sums, problems, _ = migrate(a, "one", "single.out")
    assert not problems
    assert items_of("single.out") == {b"go/a/first", b"go/b/third", b"go/b/caf\xe9", b"go/empty/deep", b"go/link"}
    first = os.stat("single.out/go/a/first")
    assert first.st_nlink == 2 and first.st_ino == os.stat("single.out/go/b/third").st_ino
    b = os.stat("single.out/go/b")
    assert (stat.S_IMODE(b.st_mode), b.st_mtime_ns) == (0o2751, 981173106987654321)
    assert sums["items"] == 5 and sums["left_out"]["destroy"] == {"items": 1, "bytes": 5}, sums
    assert sums["left_out"]["archive"]["items"] == 2 and sums["left_out"]["review"]["items"] == 1
    migrate(a, "one", "single.tar", "tar")
    with tarfile.open("single.tar") as t:
        third = t.getmember("go/b/third")
        assert third.islnk() and third.linkname == "go/a/first", third.linkname


# ---- the source has changed since the scan ---------------------------------------------------------------------------


def retouch(path, data):
    """Other bytes behind the same size and modification time."""
    st = os.stat(path)
    with open(path, "r+b") as f:
        f.write(data)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
    assert os.stat(path).st_size == st.st_size


def changed():
    a = Archive("changed")
    for i in range(30):
        put(f"two/go/{i % 3}/f{i:02d}", b"%d " % i * 1000)
    os.makedirs("two/go/empty")
    os.makedirs("two/go/filled")
    os.symlink("f00", "two/go/0/link")
    decide(a, "two")
    put("two/go/0/new", b"new")
    put("two/go/new/deep/er", b"new")
    put("two/go/filled/it", b"no longer empty")
    with open("two/go/1/f01", "ab") as f:
        f.write(b"more")
    os.utime("two/go/2/f02", ns=(0, 1))
    os.unlink("two/go/0/f03")
    os.unlink("two/go/1/f04")
    os.makedirs("two/go/1/f04")
    link = os.lstat("two/go/0/link")
    os.unlink("two/go/0/link")
    os.symlink("f06", "two/go/0/link")
    os.utime("two/go/0/link", ns=(link.st_atime_ns, link.st_mtime_ns), follow_symlinks=False)
    sums, problems, _ = migrate(a, "two", "changed.out", "dir", 1)
    gone = {b"go/0/new", b"go/new/deep/er", b"go/filled/it", b"go/1/f01", b"go/2/f02", b"go/1/f04", b"go/0/link"}
    assert items_of("changed.out") == items_of("two") - gone, items_of("changed.out") ^ items_of("two")
    assert problems == {"go/0/f03": "it is no longer there"}, problems
    assert sums["left_out"]["undecided"] == 7 and sums["left_out"]["missing"] == 1, sums
    assert not os.path.exists("changed.out/go/new") and not os.path.exists("changed.out/go/filled")
    for form in ("tar", "zip", "bagit"):
        again, problems, _ = migrate(a, "two", "changed." + form, form, 1)
        assert again["left_out"] == sums["left_out"] and list(problems) == ["go/0/f03"], (form, again, problems)

    # Other content behind the same times: as damage, and the others are written.
    decide(a, "two")
    retouch("two/go/2/f05", b"not what was scanned")
    migrate(a, "two", "hurt", "dir", 5)
    assert "go/2/f05" in a.errors and "--reread" in a.errors and not os.path.exists("hurt"), a.errors
    assert os.path.exists("hurt.partial/go/0/f00")
    for form in ("tar", "zip"):
        migrate(a, "two", "hurt." + form, form, 5)
        assert "go/2/f05" in a.errors and not os.path.exists("hurt." + form), a.errors
    migrate(a, "two", "hurt.bagit", "bagit", 5)
    a.run("scan", "two", "--system", "s", "--reread")
    a.run("classify", "--system", "s", "--policy", "policy.yaml")
    sums, problems, _ = migrate(a, "two", "hurt")
    assert sums["resumed"] > 20 and not problems, sums
    same("two", "hurt")
    migrate(a, "two", "hurt.tar", "tar")


# ---- what cannot be read ------------------------------------------------------------------------------------------------


def unreadable():
    """A disk that fails, or somebody who writes, while a file is read."""
    a = Archive("unread")
    for i in range(12):
        put(f"three/go/{i % 2}/f{i:02d}", b"%d " % i * 3000)
    os.link("three/go/0/f04", "three/go/1/other")
    decide(a, "three")
    for how, why in (("EIO", "cannot be read"), ("grow", "changed while")):
        env = {"LD_PRELOAD": os.path.join(BUILD, "support", "inject.so"), "FAULT_OPS": "read", "FAULT_NTH": "1",
               "FAULT_STICKY": "1", "FAULT_PATH": "three/go/0/f04", "FAULT_HOW": how,
               "ASAN_OPTIONS": "verify_asan_link_order=0"}
        sums, problems, _ = migrate(a, "three", "unread." + how, "dir", 1, env=env)
        # Its other name may be met before it grows, or after: then it is undecided.
        names = set(problems) | ({"go/1/other"} if sums["left_out"]["undecided"] else set())
        assert names == {"go/0/f04", "go/1/other"} and why in problems["go/0/f04"], problems
        assert items_of(f"unread.{how}") == items_of("three") - {b"go/0/f04", b"go/1/other"}
        assert sums["items"] == sums["files"] == 11 and sums["bytes"] == sum(
            os.path.getsize(os.path.join(f"unread.{how}", os.fsdecode(i))) for i in items_of(f"unread.{how}")), sums
        for form in ("tar", "zip"):
            if how == "grow":
                decide(a, "three")
            migrate(a, "three", f"unread.{how}.{form}", form, 1, env=env)
            assert "go/0/f04" in a.errors and "--format dir" in a.errors, a.errors
        if how == "EIO":
            sums, problems, _ = migrate(a, "three", "unread.bag", "bagit", 1, env=env)
            assert len(problems) == 2 and not os.path.exists("unread.bag/data/go/1/other")
    sums, problems, _ = migrate(a, "three", "unread.after", "dir")
    assert sums["left_out"]["undecided"] == 2, sums  # it grew, and was not scanned since


def ordinary_user():
    """Who may neither read everything nor give files away."""
    if not ROOT:
        return
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    os.makedirs("user")
    os.chown("user", 65534, 65534)
    os.chmod(".", 0o755)
    with open("user/key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)
    os.chmod("user/key", 0o644)
    os.makedirs("user/bin")         # the build may lie where nobody else may look
    for program in ("muni", "muni-whole", "muni-examine"):
        shutil.copy2(os.path.join(os.path.dirname(MUNI), program), "user/bin/" + program)
    for i in range(6):
        put(f"user/src/go/f{i}", b"%d" % i)
    put("user/src/go/shut/inside", b"inside")
    put("user/src/go/locked/inside", b"inside")

    def run(*args, status=0):
        line = [*user, "user/bin/muni", args[0], "user/archive", *args[1:], "--keyring", "user/keyring", "--key-file", "user/key"]
        done = subprocess.run(line, capture_output=True, check=False)
        assert done.returncode == status, (line, done.returncode, done.stderr.decode())
        return done

    run("init")
    run("scan", "user/src", "--system", "s")
    run("classify", "--system", "s", "--policy", "policy.yaml")
    for path, mode in (("f2", 0), ("shut", 0), ("locked", 0o744)):
        os.chmod("user/src/go/" + path, mode)
    done = run("export", "s", "--source", "user/src", "--to", "user/out", "--json", status=1)
    rows = [json.loads(x) for x in done.stdout.splitlines()]
    problems = {r["path"]: r["what"] for r in rows if r["type"] == "problem"}
    assert set(problems) == {"go/f2", "go/shut", "go/shut/inside", "go/locked/inside"}, problems
    assert "ermission" in problems["go/f2"] and "out of reach" in problems["go/shut/inside"], problems
    assert items_of("user/out") == {b"go/f0", b"go/f1", b"go/f3", b"go/f4", b"go/f5"}
    assert any("only root" in r["what"] for r in rows if r["type"] == "loss")
    assert sorted(rows[-1]["left_out"]) == ["archive", "destroy", "missing", "review", "undecided"]
    done = run("export", "s", "--source", "user/src", "--to", "user/out.tar", "--format", "tar", status=1)
    assert b"left out: go/f2" in done.stderr and b"as decided" in done.stderr, done.stderr
    with tarfile.open("user/out.tar") as t:
        assert sorted(t.getnames()) == [".", "go", "go/f0", "go/f1", "go/f3", "go/f4", "go/f5"], t.getnames()


# ---- going on after an interruption -----------------------------------------------------------------------------------------


def resumed():
    a = Archive("resumed")
    rng = random.Random(11)
    for i in range(60):
        put(f"four/go/{i % 5}/f{i:02d}", rng.randbytes(rng.randrange(0, 1_500_000)))
    os.link("four/go/0/f05", "four/go/1/link")
    for deep in ("x/" * 40, "y/z/"):
        put(f"four/go/{deep}end", b"deep")
    decide(a, "four")
    for form, to in (("dir", "go.dir"), ("tar", "go.tar"), ("zip", "go.zip"), ("bagit", "go.bag")):
        kills = 0
        for _ in range(8):
            p = subprocess.Popen([MUNI, "export", a.path, "s", "--source", "four", "--to", to, "--format", form, "--keyring",
                                  a.keyring, "--key-file", a.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.05, 0.4))
            p.send_signal(signal.SIGKILL)
            p.wait()
            if os.path.exists(to):
                break
            kills += 1
        if not os.path.exists(to):
            sums, problems, _ = migrate(a, "four", to, form)
            assert not problems and (form != "dir" or kills == 0 or sums["resumed"] > 0), (form, kills, sums)
        assert not [n for n in os.listdir(".") if n.startswith(to) and n != to], form
    same("four", "go.dir")

    # Killed half-way, and meanwhile others decided otherwise and the source went on.
    fault = os.path.join(BUILD, "support", "inject.so")
    for nth in (25, 40, 70, 90):
        to = f"moved.{nth}"
        migrate(a, "four", to, "dir", None, env={"LD_PRELOAD": fault, "FAULT_NTH": str(nth), "FAULT_HOW": "kill",
                                                 "FAULT_OPS": "name,sync", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        assert a.status == -signal.SIGKILL and not os.path.exists(to), (nth, a.status)
    assert os.path.exists("moved.90.partial")
    subprocess.run(["rm", "-rf", "four/go/x"], check=True)
    os.unlink("four/go/2/f02")
    os.makedirs("four/go/2/f02")
    put("four/go/2/f02/below", b"where a file was")
    subprocess.run(["rm", "-rf", "four/go/y"], check=True)
    put("four/go/y", b"where a directory was")
    with open("four/go/3/f03", "ab") as f:
        f.write(b"grown")
    os.unlink("four/go/1/link")
    put("four/go/1/link", b"a file of its own")
    decide(a, "four")
    a.run("decide", "go/4/**", "--glob", "--system", "s", "--decision", "destroy", *WHO)
    for nth in (25, 40, 70, 90):
        sums, problems, _ = migrate(a, "four", f"moved.{nth}")
        assert not problems and sums["left_out"]["destroy"]["items"] == 12, sums
        want = {i for i in items_of("four") if not i.startswith(b"go/4/")}
        assert items_of(f"moved.{nth}") == want, sorted(items_of(f"moved.{nth}") ^ want)[:5]
    subprocess.run(["rm", "-rf", "four/go/4"], check=True)
    for nth in (25, 40, 70, 90):
        same("four/go/3", f"moved.{nth}/go/3")
        same("four/go/1", f"moved.{nth}/go/1")
        assert os.stat(f"moved.{nth}/go/0/f05").st_nlink == 1
    assert not [n for n in os.listdir(".") if n.startswith("moved") and "partial" in n]
    a.run("export", "s", "--source", "four", "--to", "go.dir", status=1)


def main():
    whole()
    single()
    changed()
    unreadable()
    ordinary_user()
    resumed()


main()

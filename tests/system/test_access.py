#!/usr/bin/python3
"""Who sees what: users through allow_other see what modes, ACLs and class groups let them; of what is restricted, or of a
class that the mount does not show, nothing is told: such a mount is held against one of an archive that never had it."""
import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import life  # noqa: E402
import muniment as mu  # noqa: E402
from calls import as_user, libc, result  # noqa: E402

MARK = "zq9"            # in each name and each content that nobody is to see
ANNA, BERT, CARA, NOBODY = (3001, 3001, ()), (3002, 3002, (4000,)), (3003, 3003, (4000, 4001)), (65534, 65534, ())
ROOT = (0, 0, ())
POLICY = """
policy: access
version: 1
calendar: UTC
unmatched: review
classes:
  - id: PAY
    title: {en: Pay}
    access: {groups: [%s]}
    retain: {trigger: modified, period: P90Y}
    then: destroy
  - id: OPEN
    title: {en: All else}
    retain: {trigger: modified, period: P90Y}
    then: destroy
rules:
  - {id: pay, when: {path: "**/*zq9*"}, decide: archive, class: PAY}
  - {id: rest, when: {path: "**"}, decide: archive, class: OPEN}
"""
libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p


class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_ulong), ("off", ctypes.c_long), ("length", ctypes.c_ushort), ("type", ctypes.c_ubyte),
                ("name", ctypes.c_char * 256)]


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


# ---- acting as somebody else -------------------------------------------------------------------------------------------

def code_of(act):
    try:
        got = act()
        if isinstance(got, int) and got > 2:
            os.close(got)
        return 0
    except OSError as why:
        return why.errno


def read(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return hashlib.sha256(os.read(fd, 1 << 20)).hexdigest()
    finally:
        os.close(fd)


def rows_of(path):
    """name, type and offset of each entry, as getdents(2) gives them (the upper bits: that something changed)."""
    d = libc.opendir(os.fsencode(path))
    if not d:
        raise OSError(ctypes.get_errno(), "opendir")
    rows = []
    while (at := libc.readdir(ctypes.c_void_p(d))):
        e = ctypes.cast(at, ctypes.POINTER(Dirent)).contents
        rows.append((e.name, e.type, e.off & ((1 << 48) - 1)))
    libc.closedir(ctypes.c_void_p(d))
    return rows


# ---- sources -----------------------------------------------------------------------------------------------------------

def put(path, body, mode=0o644, uid=0, gid=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(body if isinstance(body, bytes) else body.encode())
    if os.geteuid() == 0:
        os.chown(path, uid, gid)
    os.chmod(path, mode)


def settle(top):
    for d, dirs, files in os.walk(top, topdown=False):
        for n in dirs + files:
            os.utime(os.path.join(d, n), (1_500_000_000, 1_500_000_000), follow_symlinks=False)
    os.utime(top, (1_500_000_000, 1_500_000_000))


def make_source(top, with_secrets):
    """The same tree, with or without what is to be hidden."""
    s = with_secrets
    put(f"{top}/open/a.txt", "open to all\n")
    put(f"{top}/open/same.txt", f"{MARK} but this name may be seen\n" * 9)
    os.makedirs(f"{top}/bar/only/deep")
    put(f"{top}/bar/plain.txt", "beside the restricted\n")
    put(f"{top}/sub/x/y", "y\n")
    for i in range(700):
        put(f"{top}/many/f{i:04d}", "%d\n" % i)
    os.symlink("../bar/salary-zq9.txt", f"{top}/open/dangles-for-most")
    os.link(f"{top}/open/a.txt", f"{top}/sub/a-again")
    if s:
        put(f"{top}/bar/salary-zq9.txt", f"{MARK} {'salary ' * 5000}\n")
        put(f"{top}/bar/only/deep/alone-zq9", f"{MARK} but this name may be seen\n" * 9)
        put(f"{top}/open/0-first-zq9", f"{MARK} first")
        put(f"{top}/open/zz-last-zq9", f"{MARK} last", 0o600)
        for i in range(0, 700, 7):
            put(f"{top}/many/f{i:04d}-zq9", f"{MARK} {i}")
        put(f"{top}/bar/linked-zq9", f"{MARK} two names")
        os.link(f"{top}/bar/linked-zq9", f"{top}/sub/its-other-name")
        os.symlink("plain.txt", f"{top}/bar/alias-zq9")
        os.makedirs(f"{top}/bar/void-zq9")
        os.mkfifo(f"{top}/bar/pipe-zq9")
        with open(f"{top}/sub/holes-zq9", "wb") as f:
            f.truncate(1 << 20)
            f.write(MARK.encode())
    settle(top)


def change_source(top, with_secrets):
    put(f"{top}/open/new.txt", "of the second version\n")
    if with_secrets:
        put(f"{top}/bar/salary-zq9.txt", f"{MARK} {'more ' * 5000}\n")
    settle(top)


def take_in(name, source, with_secrets, policy=None):
    a = mu.Archive(name)
    for step in range(2):
        if step:
            change_source(source, with_secrets)
        if policy:
            a.run("scan", source, "--system", "hr", "-q")
            a.run("classify", "--system", "hr", "--policy", policy)
        a.run("ingest", source, "--system", "hr", "--version", f"v{step + 1}")
    return a


def muni(a, words, *more, status=0):
    """A command of two words: muni WORD WORD ARCHIVE ..."""
    line = [mu.MUNI, *words.split(), a.path, *more, "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200)
    assert status is None or done.returncode == status, f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


# ---- all that a mount tells ----------------------------------------------------------------------------------------------

def portrait(m):
    """Everything a user can ask of a mount, but what differs between two archives anyway (inode numbers, times of
    ingest and change)."""
    told = {}
    for d, dirs, files in os.walk(m):
        path = os.path.relpath(d, m)
        if ".muniment" in d:
            continue
        told[path, "rows"] = rows_of(d)
        for n in dirs + files + ["."]:
            full, p = os.path.join(d, n), os.path.join(path, n)
            s = os.lstat(full)
            is_ours = path in (".", "hr", "hr/versions") and not path.startswith("hr/versions/")
            told[p, "stat"] = (s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size, s.st_blocks, s.st_rdev,
                               0 if is_ours else s.st_mtime_ns)
            told[p, "xattrs"] = sorted(os.listxattr(full, follow_symlinks=False))
            if stat.S_ISLNK(s.st_mode):
                told[p, "target"] = os.readlink(full)
            elif stat.S_ISREG(s.st_mode):
                told[p, "content"] = result(lambda: read(full))
        dirs.sort()
    v = os.statvfs(m)
    told["statvfs"] = v.f_blocks, v.f_files, v.f_bfree, v.f_ffree
    with open(f"{m}/.muniment/status") as f:
        status = json.load(f)
    told["status"] = [{k: x[k] for k in x if k not in ("at", "ingested")} for x in status["versions"]], status["messages"]
    told["ours"] = sorted(os.listdir(f"{m}/.muniment")), os.listdir(f"{m}/.muniment/certificates")
    return told


def assert_same(of, wanted, what):
    assert of.keys() == wanted.keys(), (what, sorted(map(str, of.keys() ^ wanted.keys())))
    for key in of.keys():
        assert of.get(key) == wanted.get(key), f"{what}: {key}\n  told {of.get(key)}\n  wanted {wanted.get(key)}"


HIDDEN = ["bar/salary-zq9.txt", "bar/only/deep/alone-zq9", "sub/its-other-name", "bar/alias-zq9", "bar/void-zq9",
          "bar/pipe-zq9", "many/f0007-zq9"]


def attempts(top, hidden):
    """The error of each call that somebody who guesses a name might try."""
    p, spare = f"{top}/{hidden}", f"{top}/open/a.txt"
    h, unused = Handle(size=128), ctypes.c_int()

    def libc_says(call, *args):
        ctypes.set_errno(0)
        return ctypes.get_errno() if call(*args) < 0 else 0

    raw = os.fsencode(p)
    acts = {
        "lstat": lambda: os.lstat(p), "stat": lambda: os.stat(p), "open": lambda: os.open(p, os.O_RDONLY | os.O_NONBLOCK),
        "O_PATH": lambda: os.open(p, os.O_PATH | os.O_NOFOLLOW), "write": lambda: os.open(p, os.O_WRONLY | os.O_NONBLOCK),
        "O_CREAT": lambda: os.open(p, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK),
        "O_EXCL": lambda: os.open(p, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
        "O_TRUNC": lambda: os.open(p, os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK),
        "O_DIRECTORY": lambda: os.open(p, os.O_RDONLY | os.O_DIRECTORY),
        "mkdir": lambda: os.mkdir(p), "mkfifo": lambda: os.mkfifo(p), "symlink": lambda: os.symlink("x", p),
        "link to": lambda: os.link(spare, p), "link from": lambda: os.link(p, f"{top}/open/none"),
        "link of nothing": lambda: os.link(p, "/proc/none"), "rename from": lambda: os.rename(p, f"{top}/open/none"),
        "rename to": lambda: os.rename(spare, p), "unlink": lambda: os.unlink(p), "rmdir": lambda: os.rmdir(p),
        "chmod": lambda: os.chmod(p, 0o600), "chown": lambda: os.lchown(p, 1, 1), "truncate": lambda: os.truncate(p, 0),
        "utime": lambda: os.utime(p, follow_symlinks=False), "readlink": lambda: os.readlink(p),
        "listxattr": lambda: os.listxattr(p, follow_symlinks=False),
        "getxattr": lambda: os.getxattr(p, "user.muniment.sha256", follow_symlinks=False),
        "class": lambda: os.getxattr(p, "user.muniment.class", follow_symlinks=False),
        "setxattr": lambda: os.setxattr(p, "user.x", b"y", follow_symlinks=False), "listdir": lambda: os.listdir(p),
        "statvfs": lambda: os.statvfs(p), "below": lambda: os.lstat(p + "/x"), "slash": lambda: os.lstat(p + "/"),
        "exec": lambda: subprocess.run([p]),
    }
    told = {name: code_of(act) for name, act in acts.items()}
    told["chdir"] = libc_says(libc.chdir, raw)
    told["access"] = tuple(os.access(p, how) for how in (os.F_OK, os.R_OK, os.W_OK, os.X_OK))
    told["handle"] = libc_says(libc.name_to_handle_at, -100, raw, ctypes.byref(h), ctypes.byref(unused), 0)
    watch = libc.inotify_init()
    told["inotify"] = libc_says(libc.inotify_add_watch, watch, raw, 0x400)
    os.close(watch)
    os.chdir("/")
    return told


def forged_handles_reach_only_what_is_shown(m, top, versions):
    """open_by_handle_at(2) with every number that could be one."""
    if os.geteuid() != 0:
        return
    h, unused = Handle(size=128), ctypes.c_int()
    assert libc.name_to_handle_at(-100, os.fsencode(f"{top}/open/a.txt"), ctypes.byref(h), ctypes.byref(unused), 0) == 0
    at, reached, errors = os.open(m, os.O_RDONLY), 0, set()
    digest = hashlib.sha256((f"{MARK} but this name may be seen\n" * 9).encode()).hexdigest()
    for kind, version in [(5, 0)] + [(4, v) for v in versions]:
        for i in range(1, 2500):
            ino = kind << 60 | version << 38 | i
            ctypes.memmove(h.data, (ctypes.c_uint32 * 2)(ino >> 32, ino & 0xffffffff), 8)
            fd = libc.open_by_handle_at(at, ctypes.byref(h), os.O_RDONLY | os.O_NONBLOCK | os.O_PATH)
            if fd < 0:
                errors.add(ctypes.get_errno())
                continue
            reached += 1
            s = os.fstat(fd)
            if stat.S_ISREG(s.st_mode):
                real = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
                body = os.read(real, 1 << 20)
                os.close(real)
                assert MARK.encode() not in body or hashlib.sha256(body).hexdigest() == digest, (hex(ino), body[:80])
            elif stat.S_ISDIR(s.st_mode):
                real = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
                assert not [n for n in os.listdir(real) if MARK in n], hex(ino)
                os.close(real)
            os.close(fd)
    os.close(at)
    assert reached > 1400, reached
    assert errors == {errno.ESTALE}, errors


# ---- the tests -----------------------------------------------------------------------------------------------------------

def modes_and_acls_hold_for_every_user():
    if os.geteuid() != 0:
        return "needs root"
    top = "modes"
    os.makedirs(top)
    for uid, gid in (0, 0), (3001, 3001), (3002, 4000), (3003, 4001):
        for mode in (0o000, 0o400, 0o440, 0o444, 0o640, 0o604, 0o044, 0o004, 0o711, 0o755, 0o4755, 0o2755, 0o6711, 0o1777):
            put(f"{top}/files/{uid}-{gid}-{mode:04o}", f"{uid} {mode:o}\n", mode, uid, gid)
        for mode in (0o000, 0o100, 0o400, 0o500, 0o700, 0o710, 0o711, 0o744, 0o750, 0o755, 0o770, 0o3777):
            d = f"{top}/dirs/{uid}-{gid}-{mode:04o}"
            put(f"{d}/inside", "inside\n")
            put(f"{d}/below/more", "more\n")
            os.chown(d, uid, gid)
            os.chmod(d, mode)
    has_acls = shutil.which("setfacl") and subprocess.run(["setfacl", "-m", "u:3001:r", f"{top}/files/0-0-0000"],
                                                          capture_output=True).returncode == 0
    for i, acl in enumerate(["u:3001:r", "u:3001:---", "g:4000:r", "g:4000:---", "u:3002:rwx,m::r", "u:3002:rwx,m::---",
                             "g:4001:rx,o::---", "u:3001:rwx,u:3002:---,g:4001:r", "d:u:3001:rwx"] if has_acls else []):
        for mode in (0o600, 0o644, 0o640):
            path = f"{top}/acl/{i}-{mode:o}"
            put(path, f"{acl}\n", mode, 3003, 4000) if not acl.startswith("d:") else os.makedirs(path)
            subprocess.run(["setfacl", "-m", acl, path], check=True)
        os.makedirs(f"{top}/acldirs/{i}")
        put(f"{top}/acldirs/{i}/inside", "inside\n")
        os.chmod(f"{top}/acldirs/{i}", 0o750)
        subprocess.run(["setfacl", "-m", acl.replace("rwx", "rx"), f"{top}/acldirs/{i}"], check=True)
    a = mu.Archive("modes-archive")
    a.run("ingest", top, "--system", "m")

    def all_of_it(base, names):
        told = {}
        for n in names:
            p = os.path.join(base, n)
            told[n] = (result(lambda: read(p)), result(lambda: sorted(os.listdir(p))),
                       result(lambda: os.lstat(p).st_mode), os.access(p, os.R_OK), os.access(p, os.X_OK),
                       result(lambda: sorted(os.listxattr(p))), result(lambda: os.getxattr(p, "user.none")),
                       code_of(lambda: os.stat(p + "/inside")), code_of(lambda: os.open(p, os.O_RDONLY | os.O_DIRECTORY)))
        return told

    names = sorted(os.path.relpath(os.path.join(d, n), top) for d, ds, fs in os.walk(top) for n in ds + fs)
    with Mounted(a, "allow_other") as m:
        mounted = f"{m}/m/versions/1"
        for who in ROOT, ANNA, BERT, CARA, NOBODY, (3001, 4000, (4001,)), (3003, 1, ()):
            want = as_user(who, lambda: all_of_it(top, names))
            got = as_user(who, lambda: all_of_it(mounted, names))
            for n in names:
                assert got[n] == want[n], (who, n, got[n], want[n])
            for n in names[::9]:
                assert as_user(who, lambda: os.access(f"{mounted}/{n}", os.W_OK)) is False, (who, n)
    return None


def of_restricted_records_nothing_is_told():
    make_source("src-a", True)
    make_source("src-b", False)
    a, b = take_in("a", "src-a", True), take_in("b", "src-b", False)
    with Mounted(a, OTHERS, "mnt-a") as m, Mounted(b, OTHERS, "mnt-b") as n:
        top = f"{m}/hr/versions/v1"
        before = portrait(m)    # so that the kernel has all of it, by name and by number
        held = os.open(f"{top}/bar/only/deep", os.O_RDONLY)
        assert any(MARK in str(key) for key in before)
        muni(a, "retain restrict", "--path", f"**/*{MARK}*", "--reason", "article 18")
        compare_two(m, n, ["v1", "v2"])
        assert os.listdir(held) == []
        os.close(held)
        forged_handles_reach_only_what_is_shown(m, top, [1, 2])
        first, second = os.open(m, os.O_RDONLY), portrait(n)
        os.close(first)
    # Mounted afresh; and each shape of a mount.
    for more in "", "system=hr", "system=hr,version=v1":
        with Mounted(a, join(OTHERS, more), "mnt-a") as m, Mounted(b, join(OTHERS, more), "mnt-b") as n:
            if "version" in more:
                assert portrait_of_tree(m) == portrait_of_tree(n)
            elif "system" not in more:
                compare_two(m, n, ["v1", "v2"])
                assert_same(portrait(n), second, "the other mount, again")
    return a, b


def portrait_of_tree(m):
    v = os.statvfs(m)
    return [(os.path.relpath(d, m), sorted(dirs + files), rows_of(d), os.lstat(d).st_nlink, os.lstat(d).st_size)
            for d, dirs, files in sorted(os.walk(m))], v.f_blocks, v.f_files


def compare_two(m, n, versions):
    for who in (ROOT, ANNA) if os.geteuid() == 0 else [(os.geteuid(), os.getegid(), ())]:
        assert_same(as_user(who, lambda: portrait(m)), as_user(who, lambda: portrait(n)), who)
        for v in versions:
            for hidden in HIDDEN:
                got, want = (as_user(who, lambda t=t: attempts(os.path.abspath(f"{t}/hr/versions/{v}"), hidden))
                             for t in (m, n))
                assert got == want, (who, v, hidden, {k: (got[k], want[k]) for k in got if got[k] != want[k]})
    found = subprocess.run(["grep", "-rl", MARK, m], capture_output=True, text=True).stdout.splitlines()
    assert {os.path.basename(f) for f in found} == {"same.txt"}, found
    assert MARK not in subprocess.run(["find", m, "-printf", "%p %l\n"], capture_output=True, text=True).stdout.replace(
        "dangles-for-most ../bar/salary-zq9.txt", "")


def the_commands_tell_nothing_either(a, b):
    def both(*words, status=0):
        out = []
        for x in a, b:
            said = x.run(*words, status=None)
            assert status is None or x.status == status, (words, x.status, said, x.errors)
            out.append((x.status, said, re.sub(r"\b[ab]\b", "", x.errors)))
        return out

    for words in (("ls", "hr@v1", "-R"), ("ls", "hr@v2", "bar"), ("ls", "hr", "-R", "-0"), ("find", "hr@v1"),
                  ("find", "hr@v2", "many", "--type", "f"), ("find", "hr@v1", "bar", "--size", "+0"),
                  ("diff", "hr@v1", "hr@v2"), ("diff", "hr@v2", "hr@v1", "--summary")):
        got, want = both(*words)
        assert got == want, (words, got, want)
        assert MARK not in got[1].replace("same.txt", "")
    for name in HIDDEN:
        for command in "ls", "cat", "stat", "find":
            got, want = both(command, "hr@v1", name, status=1)
            assert got == want, (command, name, got, want)
    for form in "dir", "tar", "zip", "bagit":
        said = [x.run("export", "hr@v2", "--to", f"out-{x.path[-1]}.{form}", "--format", form) for x in (a, b)]
        assert said[0] == said[1], said
        assert "left out" in run_errors(a, "export", "hr@v2", "--to", "again.tar", "--format", "tar")
        os.unlink("again.tar")
    for form in "dir", "bagit":
        subprocess.run(["diff", "-r", "--no-dereference", "--exclude=bag-info.txt", "--exclude=tagmanifest*",
                        "--exclude=export-report*", f"out-a.{form}", f"out-b.{form}"], check=True)
    listed = [sorted(subprocess.run(["tar", "-tf", f"out-{x}.tar"], capture_output=True, text=True,
                                    check=True).stdout.split()) for x in "ab"]
    assert listed[0] == listed[1]
    for f in ("out-a.tar", "out-a.zip"):
        with open(f, "rb") as opened:
            assert b"salary" not in opened.read().replace(b"../bar/salary-zq9.txt", b""), f


def run_errors(a, *words):
    a.run(*words)
    return a.errors


def with_a_reason_they_are_shown_and_it_is_logged(a):
    why = ("--restricted", "request of the data subject, file 17")
    name = "bar/salary-zq9.txt"
    a.run("cat", "hr@v1", name, "--restricted", "", status=2)
    before = len(uses(a))
    assert a.run("cat", "hr@v1", f"/{name}", *why).startswith(MARK)
    assert name in a.run("ls", "hr@v1", "-R", *why)
    assert name in a.run("find", "hr@v2", "bar", *why)
    assert "restricted" not in a.run("stat", "hr@v1", name, *why)
    assert name in a.run("diff", "hr@v1", "hr@v2", *why)
    a.run("export", "hr@v1", "--to", "out-all", *why)
    subprocess.run(["test", "-e", f"out-all/{name}"], check=True)
    assert "left out" not in a.errors
    logged = uses(a)[before:]
    assert [x["command"] for x in logged] == ["cat", "ls", "find", "stat", "diff", "export"], logged
    assert all(x["reason"] == why[1] and x["system"] == "hr" for x in logged)
    assert logged[0]["paths"] == [{"path": name}] and logged[0]["version"] == "v1"
    assert logged[4]["other_version"] == "v2"
    muni(a, "audit verify")


def a_restriction_stays_with_what_it_was_placed_on(a):
    """Attributes of what is restricted change in the source: the next version does not show it again."""
    for n in HIDDEN:
        if not n.endswith("alias-zq9"):
            os.chmod(f"src-a/{n}", 0o700)
    settle("src-a")
    with Mounted(a, OTHERS, "mnt-a") as m:
        a.run("ingest", "src-a", "--system", "hr", "--version", "v3", "--reread")
        assert MARK not in a.run("ls", "hr@v3", "-R")
        for n in HIDDEN:
            assert code_of(lambda: os.lstat(f"{m}/hr/versions/v3/{n}")) == errno.ENOENT, n


def uses(a):
    rows = [json.loads(line) for line in muni(a, "audit list", "--act", "restricted records used", "--json").splitlines()]
    return [r["details"] for r in rows if r.get("act") == "restricted records used"]


def a_class_is_for_its_audience_alone():
    """The same oracle: a mount for others without an audience is that of an archive without the class's records."""
    if os.geteuid() != 0:
        return "needs root"
    with open("policy.yaml", "w") as f:
        f.write(POLICY % "daemon")
    make_source("src-c", True)
    make_source("src-d", False)
    c, d = take_in("c", "src-c", True, "policy.yaml"), take_in("d", "src-d", False, "policy.yaml")
    gid = int(subprocess.run(["getent", "group", "daemon"], capture_output=True, text=True, check=True).stdout.split(":")[2])
    with Mounted(c, "allow_other", "mnt-a") as m, Mounted(d, "allow_other", "mnt-b") as n:
        compare_two(m, n, ["v1"])
    with Mounted(c, "classes=OPEN", "mnt-a") as m, Mounted(d, None, "mnt-b") as n:
        assert_same(portrait(m), portrait(n), "classes=-")
    name = "bar/salary-zq9.txt"
    for shape, top in (("", "hr/versions/v1/"), (",system=hr", "versions/v1/"), (",system=hr,version=v1", "")):
        with Mounted(c, "allow_other,audience=daemon" + shape, "mnt-a") as m:
            s = os.lstat(m)
            assert (stat.S_IMODE(s.st_mode), s.st_gid) == (0o550, gid), shape
            assert as_user(ANNA, lambda: code_of(lambda: os.listdir(m))) == errno.EACCES
            assert as_user(ANNA, lambda: code_of(lambda: os.stat(f"{m}/{top}{name}"))) == errno.EACCES
            assert as_user((3001, 3001, (gid,)), lambda: code_of(lambda: os.stat(f"{m}/{top}{name}"))) == 0
            assert as_user((3001, gid, ()), lambda: read(f"{m}/{top}{name}")) == read(f"{m}/{top}{name}")
            assert "system.posix_acl_access" not in os.listxattr(m)
    with Mounted(c, "allow_other,audience=daemon,gid=4000,system=hr,version=v1", "mnt-a") as m:
        assert os.lstat(m).st_gid == gid, "gid= opens no door"
    # A private mount is its owner's: all classes.
    with Mounted(c, None, "mnt-a") as m:
        assert read(f"{m}/hr/versions/v1/{name}")
        assert as_user(ANNA, lambda: code_of(lambda: os.listdir(m))) == errno.EACCES
    return None


def what_is_classified_later_counts_in_every_version():
    """Taken in without a class, then classified by path; by an officer's word; and back again."""
    if os.geteuid() != 0:
        return "needs root"
    make_source("src-e", True)
    make_source("src-f", False)
    e, f = take_in("e", "src-e", True), take_in("f", "src-f", False)
    with Mounted(e, "allow_other", "mnt-a") as m, Mounted(f, "allow_other", "mnt-b") as n:
        assert any(MARK in str(key) for key in portrait(m)), "nothing is classified yet"
        e.run("scan", "src-e", "--system", "hr", "-q")
        e.run("classify", "--system", "hr", "--policy", "policy.yaml")
        for _ in range(100):
            if not os.path.lexists(f"{m}/hr/versions/v1/bar/salary-zq9.txt"):
                break
            time.sleep(0.1)
        compare_two(m, n, ["v1", "v2"])
    with Mounted(e, "allow_other", "mnt-a") as m, Mounted(f, "allow_other", "mnt-b") as n:
        assert_same(portrait(m), portrait(n), "mounted afresh")
        e.run("decide", "--system", "hr", "--decision", "archive", "--class", "OPEN", "--officer", "rita", "--reason",
              "no pay in it", "bar/salary-zq9.txt")
        for _ in range(100):
            if os.path.lexists(f"{m}/hr/versions/v1/bar/salary-zq9.txt"):
                break
            time.sleep(0.1)
        seen = {n for d, _, files in os.walk(m) for n in files if MARK in n}
        assert seen == {"salary-zq9.txt"}, f"the officer's word, and no other: {seen}"
    return None


def certificates_are_the_mounting_users():
    """They may name what was destroyed; the archive's own certificate is for everybody."""
    if os.geteuid() != 0:
        return "needs root"
    life.inputs("given")
    os.makedirs("world")
    l = life.Life("world", "given")
    l.make_folders()
    for step in "init", "scan", "classify", "ingest", "officers", "propose", "approve", "execute":
        status, said = l.do(step)
        assert status == 0, (step, said)
    seen = []

    def look(where):
        folder = f"{where.where}/m/.muniment/certificates"
        for n in os.listdir(folder):
            seen.append(n)
            told = as_user(ANNA, lambda: code_of(lambda: os.open(f"{folder}/{n}", os.O_RDONLY)))
            assert told == (0 if n == "archive.pem" else errno.EACCES), n
            assert os.path.getsize(f"{folder}/{n}") == len(open(f"{folder}/{n}", "rb").read())
    l.seen_while_mounted = look
    assert l.mount(",allow_other")[0] == 0
    assert {"archive.pem", "C1.p7m", "C1.annex.json"} <= set(seen), seen
    return None


def join(*options):
    return ",".join(o for o in options if o)


def folders_of_another_system_are_not_reached_by_handles():
    """Files of another system are (docs/threat-model.md): system= and version= choose what is shown, and guard nothing."""
    if os.geteuid() != 0:
        return "needs root"
    a = mu.Archive("systems")
    for system in "one", "two":
        put(f"sys-{system}/d/f", f"of {system}\n")
        a.run("ingest", f"sys-{system}", "--system", system)
    reached = {}
    with Mounted(a, None, "mnt-all") as m, Mounted(a, "system=one", "mnt-one") as n:
        at, h, unused = os.open(n, os.O_RDONLY), Handle(size=128), ctypes.c_int()
        for path in "one/versions/1/d", "two/versions/1/d", "two/versions/1", "two/versions", "two":
            assert libc.name_to_handle_at(-100, os.fsencode(f"{m}/{path}"), ctypes.byref(h), ctypes.byref(unused), 0) == 0
            fd = libc.open_by_handle_at(at, ctypes.byref(h), os.O_RDONLY)
            reached[path] = fd >= 0 or ctypes.get_errno()
            if fd >= 0:
                os.close(fd)
        os.close(at)
    assert reached.pop("one/versions/1/d") is True and set(reached.values()) == {errno.ESTALE}, reached
    return None


class Mounted:
    def __init__(self, archive, options=None, where="mnt"):
        self.where = os.path.abspath(where)
        archive.mount(self.where, options)

    def __enter__(self):
        return self.where

    def __exit__(self, *_):
        mu.unmount(self.where)


def main():
    global OTHERS
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    os.umask(0o022)
    os.chmod(".", 0o755)
    OTHERS = "allow_other" if os.geteuid() == 0 else ""
    for f in modes_and_acls_hold_for_every_user, a_class_is_for_its_audience_alone, what_is_classified_later_counts_in_every_version, certificates_are_the_mounting_users, \
            folders_of_another_system_are_not_reached_by_handles:
        why = f()
        print(f.__name__ + (f": {why}" if why else ""), flush=True)
    a, b = of_restricted_records_nothing_is_told()
    the_commands_tell_nothing_either(a, b)
    with_a_reason_they_are_shown_and_it_is_logged(a)
    a_restriction_stays_with_what_it_was_placed_on(a)


main()

#!/usr/bin/python3
"""What an archive leaves on disk is its owner's alone: folders 0700, files 0600 or 0400, whatever the umask, also where
the folder above has default ACLs; and what somebody put under a name where we write is never followed, written to or
waited for."""
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import life  # noqa: E402
import muniment as mu  # noqa: E402

IS_FULL = os.environ.get("MUNIMENT_FULL") == "1"
NAMES = os.path.join(mu.BUILD, "support", "fault_names")
NOBODY = 65534
# Exits that a step may end with; what it says is then not empty. Never a signal, never a hang.
EXITS = (0, 1, 3, 4, 5)


# ---- modes ---------------------------------------------------------------------------------------------------------------

def assert_private(where, what):
    """Everything of ours below: the archive, and beside the keyring what is not the user's."""
    ours = [f"{where}/a"] + [f"{where}/k/{n}" for n in os.listdir(f"{where}/k")]
    for top in ours:
        for path in [top] + [os.path.join(d, n) for d, ds, fs in os.walk(top) for n in ds + fs]:
            s = os.lstat(path)
            mode = stat.S_IMODE(s.st_mode)
            assert not stat.S_ISLNK(s.st_mode), (what, path)
            allowed = (0o700,) if stat.S_ISDIR(s.st_mode) else (0o600, 0o400)
            assert mode in allowed, f"{what}: {path} has mode {mode:o}"
            # The mask of an inherited ACL is what the group's bits show: nobody named in it gets anything.
    assert os.listdir(f"{where}/t") == [], f"{what}: {os.listdir(f'{where}/t')} was left in TMPDIR"


def a_life_under(umask, given, has_acl):
    where = f"umask-{umask:03o}" + ("-acl" if has_acl else "")
    os.makedirs(where)
    l = life.Life(where, given, umask)
    l.make_folders()
    if has_acl:
        done = subprocess.run(["setfacl", "-R", "-d", "-m", "u::rwx,g::rwx,o::rwx,u:3001:rwx", where], capture_output=True)
        if done.returncode:
            return
    l.seen_while_mounted = lambda life: assert_private(life.where, "while mounted")
    for step in life.steps():
        status, said = l.do(step)
        assert status == 0, f"umask {umask:03o}: {step}: exit {status}: {said}"
        assert_private(l.where, f"umask {umask:03o}: {step}")
    # What the user asked to be written is the user's: as the umask says, an export as the source was.
    for d, _, files in os.walk(f"{where}/o"):
        for n in files:
            path = os.path.join(d, n)
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            if "x.dir" in path or "x.bag/data" in path:
                source = os.path.join(given, "src", re.sub(r".*x\.(dir|bag/data)/", "", path))
                assert mode == stat.S_IMODE(os.stat(source).st_mode), path
            else:
                assert mode in (0o666 & ~umask, 0o600, 0o644 & ~umask, 0o644 if "x.bag" in path else 0), (path, oct(mode))


def old_archives_stay_private(umask):
    golden = os.path.join(mu.SUPPORT, "..", "golden")
    for f in sorted(os.listdir(golden)):
        if not f.startswith("format-"):
            continue
        where = os.path.abspath(f"old-{umask:o}-{f.split('.')[0]}")
        os.makedirs(where)
        subprocess.run(["tar", "-xJf", os.path.join(golden, f), "-C", where], check=True)
        os.umask(umask)
        before = {p: stat.S_IMODE(os.lstat(p).st_mode) for p in below(f"{where}/archive")}
        mu.Archive(f"{where}/archive", create=False).run("copy", "list", status=None)
        a = mu.Archive(f"{where}/archive", create=False)
        line = [mu.MUNI, "copy", "add", a.path, "--of", "data", "--place", "x", "--keyring", a.keyring, "--key-file", a.key]
        subprocess.run(line, check=True, capture_output=True)
        os.umask(0o022)
        for p in below(a.path):
            mode = stat.S_IMODE(os.lstat(p).st_mode)
            assert mode == before.get(p, mode), p
            if p not in before:
                assert mode in (0o700, 0o600, 0o400), (p, oct(mode))


def below(top):
    return [os.path.join(d, n) for d, ds, fs in os.walk(top) for n in ds + fs]


def a_folder_that_was_there_becomes_private(given):
    os.makedirs("there/k")
    os.makedirs("there/a")
    os.chmod("there/a", 0o777)
    for d in "otm":
        os.makedirs(f"there/{d}")
    l = life.Life("there", given)
    assert l.do("init")[0] == 0
    assert_private(l.where, "an empty folder that was there")
    if os.geteuid() == 0:
        os.makedirs("foreign/a")
        for d in "kotm":
            os.makedirs(f"foreign/{d}")
        os.chown("foreign/a", NOBODY, NOBODY)
        status, said = life.Life("foreign", given).do("init")
        assert status == 1 and "belongs to user 65534" in said, (status, said)
        assert os.listdir("foreign/a") == [] and os.listdir("foreign/k") == []


# ---- what others put there ---------------------------------------------------------------------------------------------

def fingerprint(top):
    out = {}
    for p in below(top) + [top]:
        s = os.lstat(p)
        body = None
        if stat.S_ISREG(s.st_mode):
            with open(p, "rb") as f:
                body = f.read()
        out[p] = (s.st_mode, s.st_size, s.st_mtime_ns, body)
    return out


KINDS = ("link", "fifo", "hard", "dangling", "folder link", "folder", "socket", "device")


def plant(kind, path, victims):
    """Puts it at path; what stood there is what the link leads to, so that following it would even work."""
    victim = f"{victims}/file"
    if os.path.lexists(path):
        if os.path.isdir(path):
            if kind not in ("folder link", "dangling"):
                return False
            os.rename(path, f"{victims}/taken")
            victim = f"{victims}/taken"
        else:
            os.rename(path, victim)
    elif not os.path.isdir(os.path.dirname(path)):
        return False
    else:
        with open(victim, "wb") as f:
            f.write(b"the victim's own\n" * 100)
    if kind == "link":
        os.symlink(victim, path)
    elif kind == "hard":
        os.link(victim, path)
    elif kind == "dangling":
        os.symlink(f"{victims}/to-be-made", path)
    elif kind == "folder link":
        os.makedirs(f"{victims}/folder", exist_ok=True)
        os.symlink(victim if os.path.isdir(victim) else f"{victims}/folder", path)
    elif kind == "folder":
        os.makedirs(path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        s = socket.socket(socket.AF_UNIX)
        os.symlink(os.path.dirname(path), f"{victims}/d")   # names of sockets are short
        s.bind(os.path.relpath(f"{victims}/d/{os.path.basename(path)}", here))
        s.close()
        os.unlink(f"{victims}/d")
    elif kind == "device":
        if os.geteuid() != 0:
            return False
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return True


def names_of(l, step):
    """Runs the step; the names that it makes, relative, but for those that are random."""
    log = os.path.abspath("names.log")
    if os.path.exists(log):
        os.unlink(log)
    l.env.update(LD_PRELOAD=NAMES, NAMES_LOG=log)
    status, said = l.do(step)
    for key in "LD_PRELOAD", "NAMES_LOG":
        del l.env[key]
    assert status == 0, (step, status, said)
    with open(log) as f:
        made = {n for n in f.read().splitlines() if n.startswith(l.where + "/")}
    names = {os.path.relpath(n, l.where) for n in made}
    return sorted(n for n in names if not re.search(r"/[0-9a-f]{32}\.(seg|par|cat)|^a/segments/..$|/mount\.\d|unlinked", n))


def try_one(step, name, kind, snapshot, given, number):
    world, victims = os.path.abspath(f"plant/{number}"), os.path.abspath(f"victims/{number}")
    subprocess.run(["cp", "-a", snapshot, world], check=True)
    os.makedirs(victims)
    l = life.Life(world, given)
    try:
        if not plant(kind, f"{world}/{name}", victims):
            return None
        before = fingerprint(victims)
        status, said = l.do(step)
        after = fingerprint(victims)
        if after != before:
            changed = [p for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
            return f"{step}: {kind} at {name}: {changed} changed ({status}: {said.strip()[-300:]})"
        if status not in EXITS or (status != 0 and not said.strip()):
            return f"{step}: {kind} at {name}: exit {status}: {said.strip()[-300:]}"
        return None
    finally:
        mu.unmount(f"{world}/m")
        subprocess.run(["rm", "-rf", world, victims])


def nothing_that_was_put_there_is_followed(given):
    os.makedirs("world")
    os.makedirs("plant")
    os.makedirs("victims")
    l = life.Life("world", given)
    l.make_folders()
    seen, work = set(), []
    for i, step in enumerate(life.steps()):
        if step == "audited mount" and not IS_FULL:
            continue
        snapshot = os.path.abspath(f"snapshot-{i}")
        subprocess.run(["cp", "-a", "world", snapshot], check=True)
        # The archive knows its keyring by its path: a copy says --keyring, and the folder beside it moves with it.
        for name in names_of(l, step):
            if name in ("k/keyring", "a") and step != "init":
                continue
            first = name not in seen
            seen.add(name)
            for k, kind in enumerate(KINDS):
                if IS_FULL or (first and (k == 0 or k == 1 + len(seen) % 7)):
                    work.append((step, name, kind, snapshot))
    with ThreadPoolExecutor(4) as pool:
        wrong = [w for w in pool.map(lambda n: try_one(*work[n], given, n), range(len(work))) if w]
    assert not wrong, f"{len(wrong)} of {len(work)}:\n" + "\n".join(wrong[:40])
    assert len(work) > 80, len(work)
    return f"{len(seen)} names, {len(work)} tries"


def an_archive_is_not_made_where_a_link_leads():
    os.makedirs("elsewhere")
    os.symlink("elsewhere", "linked")
    os.symlink("nowhere", "dangling")
    for name in "linked", "dangling":
        done = subprocess.run([mu.MUNI, "init", name, "--keyring", "linked.keyring", "--key-file", "/dev/null"],
                              capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 1 and "symbolic link" in done.stderr, (name, done)
        assert os.listdir("elsewhere") == [] and not os.path.lexists("linked.keyring")


def folders_of_segments_are_not_followed(given):
    """Their names cannot be told beforehand, but all that there could be."""
    subprocess.run(["cp", "-a", "snapshot-3", "segments-world"], check=True)
    os.makedirs("segments-victim")
    for i in range(256):
        path = f"segments-world/a/segments/{i:02x}"
        if not os.path.lexists(path):
            os.symlink(os.path.abspath("segments-victim"), path)
    status, said = life.Life("segments-world", given).do("ingest")
    assert status in (1, 5) and said, (status, said)
    assert os.listdir("segments-victim") == []


def a_trap_beside_the_keyring_or_a_target_is_refused(given):
    """Where others can write: a run folder or a half export that is somebody else's."""
    if os.geteuid() != 0:
        return "needs root"
    w = "trap"
    subprocess.run(["cp", "-a", "snapshot-16", w], check=True)     # about to execute a disposition
    l = life.Life(w, given)
    os.chmod(f"{w}/k", 0o777)
    os.chmod(f"{w}/o", 0o777)
    anchor = next(n for n in os.listdir(f"{w}/k") if n.endswith(".anchor"))
    run = f"{w}/k/{anchor[:32]}.run"
    subprocess.run(["rm", "-rf", run], check=True)
    os.makedirs(run)
    os.chown(run, NOBODY, NOBODY)
    status, said = l.call(l.line("key rotate A".split()))
    assert status == 1 and "belongs to user 65534" in said, (status, said)
    os.chown(run, 0, 0)
    os.chmod(run, 0o777)
    status, said = l.call(l.line("key rotate A".split()))
    assert status == 1 and "mode 0777" in said, (status, said)
    os.rmdir(run)
    for words in ("export A hr@1 --to x.tar --format tar", "export A hr@1 --to x.zip --format zip"):
        part = f"{w}/o/{words.split()[4]}.partial"
        os.unlink(f"{w}/o/{words.split()[4]}")     # of the export before
        open(part, "w").close()
        os.chmod(part, 0o666)
        os.chown(part, NOBODY, NOBODY)
        status, said = l.call(l.line(words.split()))
        assert status == 1 and "not yours alone" in said, (status, said)
        assert os.path.getsize(part) == 0
        os.unlink(part)
    return None


def as_nobody(act):
    """Also an ordinary user's files, for whom a folder of mode 0000 is shut."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            act()
            os._exit(0)
        except BaseException as why:   # noqa: B902: it is told to the parent
            print(repr(why)[:2000], flush=True)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def main():
    os.umask(0o022)
    os.chmod(".", 0o755)
    given = os.path.abspath("given")
    life.inputs(given)
    if os.geteuid() == 0:
        for d, ds, fs in os.walk(given):
            for n in ds + fs:
                os.chmod(os.path.join(d, n), 0o755 if n in ds else 0o644)
        os.makedirs("nobody")
        os.chown("nobody", NOBODY, NOBODY)
        here = os.getcwd()
        os.chdir("nobody")
        if os.access(mu.MUNI, os.X_OK) and subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", mu.MUNI, "--version"],
                                                          capture_output=True).returncode == 0:
            mounts, mu.can_mount = mu.can_mount, lambda: False
            as_nobody(lambda: a_life_under(0o777, given, False))
            mu.can_mount = mounts
        os.chdir(here)
    for umask, has_acl in ((0, True), (0o777, False), (0o077, False)) if IS_FULL else ((0, True), (0o777, False)):
        a_life_under(umask, given, has_acl and shutil.which("setfacl"))
    for umask in 0, 0o777:
        old_archives_stay_private(umask)
    a_folder_that_was_there_becomes_private(given)
    an_archive_is_not_made_where_a_link_leads()
    print("modes: ok", flush=True)
    print("planted:", nothing_that_was_put_there_is_followed(given), flush=True)
    folders_of_segments_are_not_followed(given)
    print("traps:", a_trap_beside_the_keyring_or_a_target_is_refused(given), flush=True)


main()

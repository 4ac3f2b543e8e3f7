#!/usr/bin/python3
"""What somebody could do who has taken over munifs, muni-unpack or muni-examine: nothing.  He is a library that is
preloaded and tries forbidden things from inside, once the doors are closed; and parsers of the files of others are linked
into the programs behind those doors alone."""
import ctypes
import errno
import glob
import hashlib
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

if "san/" in mu.MUNI:
    mu.skip("the sanitizers' run time does not live behind a filter")

INSIDE = os.path.join(mu.BUILD, "support", "fault_inside")
HAS_LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1
# What a filter of system calls cannot tell from what munifs has to do: these Landlock refuses.
BY_PATH = {"open_other", "write_other", "open_proc", "create", "write_toml", "unlink", "open_absent"}
# The filter's own answers: what the kernel would say behind it, for another reason, is none.
ANSWERS = {"clone3": errno.ENOSYS, "chown": errno.EPERM, "dumpable": errno.EINVAL, "seccomp": errno.EINVAL}
# Each ends the process, or is refused.
ONE_BY_ONE = ("inet", "unix", "execve", "execveat", "fork", "vfork", "ptrace", "kill", "vm_readv", "mount", "unshare", "dumpable",
              "setuid", "bpf", "io_uring", "userfaultfd", "mmap_exec", "mprotect_exec", "memfd", "chmod", "symlink", "prlimit_other")
PARSERS = r"archive_read_|xml(Read|Parse|Ctxt|TextReader|SAX|NewTextReader|CreatePushParser)|htmlP|poppler_|magic_|g_mime_|uchardet_|yajl_parse"


def report():
    with open("report", "wb") as f:
        f.truncate(65536)
    return os.path.abspath("report")


def told():
    """{what was tried: how it ended, "trying" where it never came back}."""
    with open("report", "rb") as f:
        lines = f.read().rstrip(b"\0").decode().splitlines()
    return {name: how for name, how, *_ in (line.split() for line in lines)}


def answers():
    """{what was refused: errno}."""
    with open("report", "rb") as f:
        lines = f.read().rstrip(b"\0").decode().splitlines()
    return {name: int(number[0]) for name, how, *number in (line.split() for line in lines) if how == "refused"}


def words(a, tries, **more):
    return {"LD_PRELOAD": INSIDE, "INSIDE_REPORT": report(), "INSIDE_TRY": tries, "INSIDE_ARCHIVE": a.path,
            "INSIDE_OTHER": os.path.abspath("other"), **more}


def picture(folder):
    """Names, modes and contents, but of what SQLite's readers share."""
    found = {}
    for at, folders, names in os.walk(folder):
        for n in folders + names:
            path = os.path.join(at, n)
            if not path.endswith(("-shm", "-wal")):
                body = hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else ""
                found[path] = (os.lstat(path).st_mode, os.lstat(path).st_uid, body)
    return found


def nothing_can_be_done_from_inside_munifs(a):
    if not mu.can_mount():
        return "there is no /dev/fuse that this user may open"
    os.makedirs("mnt", exist_ok=True)
    before = picture(a.path)
    p = subprocess.Popen([mu.MUNIFS, a.path, "mnt", "-f", "-o", f"keyring={a.keyring},key-file={a.key}"],
                         env={**os.environ, **words(a, "all")}, stdin=subprocess.DEVNULL)
    try:
        for _ in range(400):
            if os.path.ismount("mnt"):
                break
            time.sleep(0.02)
        os.listdir("mnt")
        for _ in range(200):
            if told().get("personality", "trying") != "trying":
                break
            time.sleep(0.02)
        ended = told()
        assert len(ended) > 55 and p.poll() is None, (p.poll(), list(ended)[-1:])
        done = {n for n, how in ended.items() if how != "refused"} - (set() if HAS_LANDLOCK else BY_PATH)
        assert not done, done
        by_others = {n: said for n, said in answers().items() if n not in BY_PATH and said != ANSWERS.get(n, errno.EPERM)}
        assert not by_others, f"the filter let through {by_others}"
        subprocess.run(["diff", "-r", "src", "mnt/hr/versions/1"], check=True)
        with open(f"/proc/{p.pid}/status") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
        assert {re.search(r"Seccomp:\t(\d)", open(t).read()).group(1) for t in glob.glob(f"/proc/{p.pid}/task/*/status")} == {"2"}
        if os.geteuid() != 0:
            assert not os.access(f"/proc/{p.pid}/mem", os.R_OK), "it can be traced by its equals"
    finally:
        mu.unmount()
        p.wait(timeout=30)
    assert p.returncode == 0, p.returncode
    if HAS_LANDLOCK:
        assert picture(a.path) == before, "the archive is another"
    a.run("verify")
    return None if HAS_LANDLOCK else "by path, for this kernel has no Landlock"


def wrapper(name, a, tries, **more):
    """A program that starts the real one with the one inside; the real one gets no environment of ours."""
    env = " ".join(f"{k}='{v}'" for k, v in words(a, tries, **more).items())
    with open("wrapper", "w") as f:
        f.write(f"#!/bin/sh\n{env} exec {mu.BUILD}/{name} \"$@\"\n")
    os.chmod("wrapper", 0o755)
    os.chmod("report", 0o666)
    return os.path.abspath("wrapper")


def nothing_can_be_done_from_inside_muni_unpack(a):
    subprocess.run(["tar", "-cf", "src.tar", "src"], check=True)
    for n, tries in enumerate(("open_other", "write_other", "open_absent", *ONE_BY_ONE)):
        a.run("ingest", "src.tar", "--system", "tar", status=None,
              env={"MUNIMENT_UNPACK": wrapper("muni-unpack", a, tries)})
        ended = told()
        assert list(ended) == [tries] and ended[tries] != "done", (tries, ended, a.errors)
        assert ended[tries] == "refused" or a.status not in (0, 2), (tries, ended, a.status)
        assert answers().get("open_absent", errno.EACCES) == errno.EACCES, "it can ask what there is"
        assert (a.status == 0) == (ended[tries] == "refused"), (tries, a.status, a.errors)
        assert a.status == 0 or "archive" in a.errors, a.errors
    a.run("verify")


def nothing_can_be_done_from_inside_muni_examine(a):
    with open("one/file", "w") as f:
        f.write("a line\n" * 10)
    short = ("open_other", "inet", "execve", "fork", "mprotect_exec")       # each takes as long as a worker is tried again
    for tries in ("open_other", *ONE_BY_ONE) if os.environ.get("MUNIMENT_FULL") else short:
        a.run("scan", "one", "--system", "one", status=None,
              env={"MUNIMENT_EXAMINE": wrapper("muni-examine", a, tries, INSIDE_CHILD="1")})
        ended = told()
        assert list(ended) == [tries] and ended[tries] != "done", (tries, ended, a.errors)
        assert a.status in (0, 1), (tries, a.status, a.errors)
        with open("one/file", "a") as f:
            f.write("more\n")       # or the next scan need not look
    a.run("scan", "one", "--system", "one")


def parsers_of_foreign_files_stand_behind_doors_alone(a):
    for program, may in (("munifs", False), ("muni", False), ("muni-adversary", False), ("muni-examine", True), ("muni-unpack", True)):
        names = subprocess.run(["nm", "-D", "--undefined-only", f"{mu.BUILD}/{program}"], check=True, capture_output=True,
                               text=True).stdout
        found = re.findall(rf" ((?:{PARSERS})\w*)", names)
        assert bool(found) == may, (program, found[:5])
    needed = subprocess.run(["readelf", "-d", mu.MUNIFS], check=True, capture_output=True, text=True).stdout
    assert not re.findall(r"\[lib(archive|xml2|poppler[^.]*|magic|gmime[^.]*|uchardet|yajl|hs)\.so", needed), needed


TESTS = [nothing_can_be_done_from_inside_munifs, nothing_can_be_done_from_inside_muni_unpack,
         nothing_can_be_done_from_inside_muni_examine, parsers_of_foreign_files_stand_behind_doors_alone]


def main():
    mu.tree("src", 3, files=12)
    os.makedirs("one")
    with open("other", "w") as f:
        f.write("not the archive's\n")
    a = mu.Archive()
    a.run("ingest", "src", "--system", "hr")
    failed = 0
    for test in (t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]):
        begin = time.time()
        try:
            left_out = test(a)
            print(f"  {'left out: ' + left_out if left_out else 'ok'}  {test.__name__}  {time.time() - begin:.1f} s", flush=True)
        except Exception as why:    # noqa: BLE001 - one failure does not hide the others
            failed += 1
            print(f"  FAILED  {test.__name__}: {type(why).__name__}: {str(why)[:2000]}", flush=True)
    return 1 if failed else 0


sys.exit(main())

"""What must hold after one fault: for fault_sweep.py, which chooses them.

The command ended by itself, with a status that is true and a sentence that is; nothing of it runs on, nothing of it lies
about.  The archive opens, what it held is there, what was reported is there; the same command finishes the work."""
import collections
import contextlib
import copy
import hashlib
import os
import random
import re
import subprocess
import traceback

from fault_operations import OPERATIONS, content
from faults import FAULT, OWN_FRAMES, Trace, World

ENDS = ("kill", "after", "tear")
# Sentences that are no more than a guess where the true reason is a want of memory or of a descriptor.
LIES = re.compile(r"passphrase|does not open|opens none|damaged|changed|does not belong|forged|is broken", re.I)
# Also true: what a keyring says of itself whose change was cut off.
TRUE = re.compile(r"no memory|Cannot allocate memory|Too many open files|damaged or older than the other")
# Libraries that crash where they find no memory, by the place that calls them: glibc's look-up of accounts, while it reads
# its settings (nss_database.c), and libarchive's writer of zips (cd_alloc).  Before both we see to it that there is room
# (shortage_has_room()), which a fault that is aimed into them passes by.  What must hold is what must hold after a kill.
CRASHES = {"ask_user": "ingest_accounts.c", "ask_group": "ingest_accounts.c", "put_item": "export_zip.c"}
# Bytes of an ingest that no row names: no key opens them, and the next switch of epoch removes them.
ORPHANS = "in the folder that the catalogue does not know: an interrupted ingest left them"
Fault = collections.namedtuple("Fault", "operation kind how site nth caller", defaults=(0,))


def order(fault, trace):
    env = {"LD_PRELOAD": FAULT, "FAULT_OPS": fault.kind, "FAULT_HOW": fault.how.rstrip("+"), "FAULT_SITE": f"{fault.site:x}",
           "FAULT_NTH": str(fault.nth), "FAULT_TRACE": trace, "FAULT_FOLLOW": "1", "FAULT_OWN": str(OWN_FRAMES),
           "FAULT_CALLER": f"{fault.caller:x}"}
    if fault.how.endswith("+"):
        env["FAULT_STICKY"] = "1"
    return env


# ---- a disk that forgets ---------------------------------------------------------------------------------

def one_crash(fault, made, keep):
    op = OPERATIONS[fault.operation]
    with op.lock or contextlib.nullcontext():
        return crash_and_check(op, fault, made, keep)


def crash_and_check(op, fault, made, keep):
    # Paths stand in an archive that is being made.
    place = f"disk-{fault.operation}" if op.lock else f"c-{fault.operation}-{fault.how}-{fault.site:x}-{fault.nth}"
    w = World(place)
    w.key, w.errors = op.key, ""
    disk, record = copy.deepcopy(op.disk[0]), op.disk[1]
    for change in record[:fault.site]:
        disk.apply(change)
    disk.crash(w.folder, random.Random(f"{fault.site} {fault.how} {fault.nth}"), float(fault.how))
    w.status = 0 if fault.site == len(record) else -9
    problem = None
    try:
        check_archive(op, fault, w, made[op.world])
    except Exception as said:  # pylint: disable=broad-except
        problem = f"after {fault.site} of {len(record)} changes: " + (
            str(said) if isinstance(said, AssertionError) else traceback.format_exc())
    if not keep:
        w.remove()
    return problem, True


# ---- one fault -----------------------------------------------------------------------------------------

def tree_digest(where):
    """Of all names and bytes below."""
    h = hashlib.sha256()
    if os.path.isfile(where):
        with open(where, "rb") as f:
            return hashlib.sha256(f.read()).digest()
    for folder, folders, files in os.walk(where):
        folders.sort()
        h.update(os.path.relpath(folder, where).encode() + b"\0")
        for name in sorted(files):
            path = os.path.join(folder, name)
            h.update(name.encode() + b"\0")
            if os.path.islink(path):
                h.update(os.readlink(path).encode())
            else:
                with open(path, "rb") as f:
                    h.update(hashlib.sha256(f.read()).digest())
    return h.digest()


def output_of(op, w, said):
    """What the operation is for.  Notes of verify are told for the fault's own sake; of damages there may be more."""
    if op.command[0] == "verify":
        said = [line for line in said.splitlines() if not line.startswith(b"note")] if op.status == 0 else b""
    return tree_digest(os.path.join(w.folder, "out")) if op.out else hashlib.sha256(repr(said).encode()).digest()


def archive_digest(w):
    """Of archive and keyring; not of the lock, nor of empty folders that segments may get."""
    h = hashlib.sha256()
    for folder, folders, files in os.walk(w.folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name == "lock" or name.endswith("-shm"):
                continue
            with open(path, "rb") as f:
                h.update(path.encode()[len(w.folder):] + b"\0" + hashlib.sha256(f.read()).digest())
    return h.digest()


def is_library_crash(fault, trace):
    """A library's own, that found no memory: the stack's innermost frames are its, then comes whoever calls it."""
    if fault.kind != "alloc":
        return False
    for line in trace.stack():
        if ".so" not in line:
            name, _, file = line.partition(" ")
            return CRASHES.get(name.split(".")[0], "no file") in file
    return False


def check_said(op, fault, w):
    """It ended by itself, with a status that is true and a sentence."""
    if fault.how in ENDS:
        assert w.status == -9, f"exit {w.status}, not killed: {w.errors}"
        return
    assert w.status >= 0, f"it died of signal {-w.status}: {w.errors[-600:]}"
    assert "ssertion" not in w.errors and "Sanitizer" not in w.errors and "(null)" not in w.errors, w.errors
    if w.status == op.status:
        return
    assert w.status in exits(op, fault), f"exit {w.status}: {w.errors}{w.said}"
    assert w.errors.strip(), f"exit {w.status} and nothing said"
    if w.status != 5:
        said = LIES.search("\n".join(line.replace(w.folder, "") for line in w.errors.splitlines()
                                     if line.startswith("muni") and not TRUE.search(line)))
        assert not said, f"it says what is not so: {w.errors}"


def exits(op, fault):
    """What a command may end with that was not done."""
    if fault.how in ("CORRUPT", "IOERR", "EIO") or fault.kind == "read":
        return {1, 5}  # what cannot be read is damage to those who look for it
    return {1, 5} if op.status == 5 or op.command[0] == "repair" else {1}


def check_ended(w):
    """Nobody of it runs on, and what it laid aside is gone."""
    left = w.running()
    assert not left, f"it left processes behind: {left}"
    if w.status >= 0:
        left = os.listdir(w.temporary)
        assert not left, f"left in TMPDIR: {left}"


def leftovers(w):
    """What was laid beside a file to take its place, and did not."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(w.archive) for name in names
             if name.endswith(".tmp") or name.startswith(".put-") or name == "repair.new"]
    return found + [name for name in os.listdir(w.folder) if name.endswith(".tmp")]


def check_kept(w, kept):
    for version, digest in kept.items():
        assert content(w, version) == digest, f"{version} is not what it was"


def check_archive(op, fault, w, base):
    """Opened again, looked at, the work finished."""
    first = w.status
    if op.command[0] == "init" and not os.path.exists(os.path.join(w.archive, "muniment.toml")):
        done = False
        w.run("log", status=None, key=op.key)
        assert w.status not in (0, -11, -6), "half an archive opens"
    else:
        done = op.done(w)
    assert done or first != 0, "it said that it was done, and it is not"
    if not done or (op.command[0] == "repair" and first != 0):
        w.run(*op.words(w), key=op.key)
        assert op.done(w), "done again, and still not done"
    key = "second.key" if op.key == "second.key" else "key"
    notes = notes_of(w, key) + leftovers(w)
    if notes and fault.kind == "disk" and fault.nth % 2 == 0:  # who was told of damage repairs it first
        w.run("repair", key=key)
        assert not [n for n in notes_of(w, key) if n.startswith("damage")], f"repaired, and still {notes}"
    if done and notes:  # whoever writes next completes what was cut off
        w.run("ingest", "small", "--system", "zz", "-q", key=key)
        notes = notes_of(w, key) + leftovers(w)
    assert not notes, notes
    w.run("audit verify", key=key)
    check_kept_with(op, w, base)


def notes_of(w, key):
    """What verify finds.  Of what was cut off, a copy or half of the keyring may lack what was not yet written twice."""
    said = w.run("verify", "--deep", status=None, key=key).decode().splitlines()
    assert w.status in (0, 5), f"exit {w.status}: {w.errors}"
    lost = [line for line in said if line.startswith("damage") and "(can be repaired)" not in line]
    assert not lost, lost
    return [line for line in said if line.startswith(("note", "damage")) and ORPHANS not in line]


def check_kept_with(op, w, base):
    w.key = op.key
    if op.keeps:
        check_kept(w, base.kept)


def one(fault, made, keep=False):
    """Returns what was wrong, or None; and whether the fault came up at all."""
    if fault.kind == "disk":
        return one_crash(fault, made, keep)
    op = OPERATIONS[fault.operation]
    w = World(f"w-{fault.operation}-{fault.kind}-{fault.how}-{fault.site:x}-{fault.nth}", made[op.world])
    w.key = op.key
    trace = w.folder + ".trace"
    problem, has_met = None, True
    try:
        out = w.run(*op.words(w), status=None, env=order(fault, trace), key=op.key, is_bare=op.is_bare)
        has_met = Trace(trace).fired > 0
        if has_met:
            if w.status in (-6, -11) and is_library_crash(fault, Trace(trace)):
                fault = fault._replace(how="kill")
                w.status = -9
            check_one(op, fault, w, made[op.world], out)
    except subprocess.TimeoutExpired as hangs:
        problem = f"it hangs: {hangs.cmd[1:3]}"
    except AssertionError as wrong:
        problem = str(wrong)
    except Exception:  # pylint: disable=broad-except
        problem = traceback.format_exc()
    if problem:
        problem += "\n    at " + "\n       ".join(Trace(trace).stack() if has_met and os.path.exists(trace) else [])
    if not keep:
        w.remove()
        os.unlink(trace)
    return problem, has_met


def check_one(op, fault, w, base, out):
    check_said(op, fault, w)
    check_ended(w)
    if w.status == op.status and op.reads:
        assert output_of(op, w, out) == op.golden, f"exit {w.status}, and its output is not right: {w.errors}"
    if not op.reads and (w.status == 0 or archive_digest(w) != base.digest):
        check_archive(op, fault, w, base)

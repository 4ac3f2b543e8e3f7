#!/usr/bin/python3
"""What was never archived: items of a live source that are decided destroy go there, under approvals, and nothing else does."""
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import read  # noqa: E402
from officers import Keeper, officer, write, year  # noqa: E402

POLICY = """
policy: live-test
version: 1
calendar: UTC
unmatched: review
classes:
  - id: TMP
    title: {en: Temporary}
    retain: {trigger: modified, period: P1Y}
    then: destroy
    approve: {quorum: 2, roles: [records, owner]}
    destroy: {grace: P1D, names: keep}
rules:
  - {id: junk, when: {path: "junk/**"}, decide: destroy, because: trivial}
  - {id: tmp, when: {path: "tmp/**"}, decide: destroy, class: TMP}
"""


def classify(a):
    a.run("scan", "src", "--system", "live")
    a.run("classify", "--system", "live", "--policy", "policy.yaml")


def approved(a, *args, by=("otto", "olga")):
    d = a.id("dispose", "propose", "--live", "src", "--system", "live", *args, by="rita")
    for name in by:
        a.ask("dispose", "approve", d, by=name)
    return d


def outcomes(a, d):
    rows = [json.loads(line) for line in a.ask("dispose", "show", d, "--json").splitlines()[1:]]
    return {r["item"]["path"] if r["item"] else r["leaf"]: (r["outcome"], r["why"]) for r in rows}


def list_keys(a):
    """Keys of lists in the catalogue, read by docs/format.md alone."""
    return read(a).one("SELECT count(*) FROM disposition_key")[0]


def source():
    for i in range(4):
        write(f"src/junk/j{i}.txt", f"junk {i}\n" * 3000)
        write(f"src/tmp/old{i}.txt", f"old {i}\n" * 300, year(2010) + i)
    write("src/tmp/young.txt", "young\n", time.time() - 86400)
    write("src/keep/k.txt", "keep\n")
    write("src/junk/empty.txt", "")
    os.makedirs("src/junk/hollow")
    os.symlink("../keep/k.txt", "src/junk/link")
    os.mkfifo("src/junk/fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("src/junk/sock")
    with open("src/junk/sparse", "wb") as f:
        f.write(b"head")
        f.seek(40 << 20)
        f.write(b"tail")
    os.link("src/keep/k.txt", "src/junk/other-name-of-k")
    write("src/junk/twice-a", "two names\n" * 100)
    os.link("src/junk/twice-a", "src/junk/twice-b")
    with open(os.fsencode("src/junk/") + b"caf\xe9", "wb") as f:
        f.write(b"a name that is no UTF-8\n")


def refusals(a):
    """Held, not due, too few, not decided: exit 3, and nothing is touched."""
    d = approved(a, by=())
    assert "left out: retention period: 1 item" in a.errors, a.errors
    a.refused("quorum", "dispose", "execute", d, by="rita")
    a.refused("separation of duties", "dispose", "approve", d, by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    h = a.id("hold", "add", "--case", "2026-4", "--reason", "a lawsuit", "--path", "junk/j1.txt", "--standing")
    a.refused("hold", "dispose", "execute", d, by="rita")
    assert "junk/j1.txt" in a.errors, a.errors
    a.ask("hold", "release", h, "--reason", "settled")
    a.run("decide", "junk/j2.txt", "--system", "live", "--decision", "archive", "--officer", "rita", "--reason", "wanted")
    a.refused("altered list", "dispose", "execute", d, by="rita")
    a.run("decide", "junk/j2.txt", "--system", "live", "--withdraw", "--officer", "rita", "--reason", "a mistake")
    a.refused("clock", "dispose", "execute", d, by="rita", fake="+50d")
    a.ask("dispose", "propose", "--live", "keep", "--system", "live", by="rita", status=1)
    os.makedirs("elsewhere")
    a.ask("dispose", "propose", "--live", "elsewhere", "--system", "live", by="rita", status=2)
    assert len(os.listdir("src/junk")) == 14 and len(os.listdir("src/tmp")) == 5, os.listdir("src/junk")
    return d


def destroyed(a, d):
    # What changed since the inventory is left alone, and named; a link in the way is not followed.
    write("src/junk/j3.txt", "something new that nobody decided on\n")
    inode = os.stat("src/junk/j0.txt")
    os.utime("src/junk/j1.txt", ns=(inode.st_atime_ns, inode.st_mtime_ns + 1))
    os.rename("src/tmp", "moved")
    os.symlink("../moved", "src/tmp")
    told = a.ask("dispose", "execute", d, by="rita").splitlines()
    assert told[-1].startswith("C"), told
    assert "junk/j3.txt was not destroyed" in a.errors and "keep/k.txt" in a.errors, a.errors
    assert sorted(os.listdir("src/junk")) == ["j1.txt", "j3.txt"], os.listdir("src/junk")
    assert len(os.listdir("moved")) == 5 and open("src/keep/k.txt").read() == "keep\n"
    got = outcomes(a, d)
    failed = {p for p, (o, _) in got.items() if o == "not destroyed"}
    assert failed == {"junk/j1.txt", "junk/j3.txt"} | {f"tmp/old{i}.txt" for i in range(4)}, failed
    shared = [w for o, w in got.values() if o == "gone, bytes shared"]
    assert len(shared) == 1 and "1 more names" in shared[0], got
    assert all(w and "junk/" not in w for _, w in got.values())
    # What is gone has left the inventory too, with its digest; what failed has not.
    left = {json.loads(line).get("path") for line in a.run("inventory", "--system", "live", "--json").splitlines()}
    assert "junk/j0.txt" not in left and "junk/j2.txt" not in left and {"junk/j1.txt", "junk/j3.txt", "keep/k.txt"} <= left, left
    os.unlink("src/tmp")
    os.rename("moved", "src/tmp")
    a.ask("dispose", "execute", d, by="rita", status=3)


def again(a):
    """Cut off anywhere, the same command goes on; under names: keep the names stay."""
    classify(a)
    d = approved(a, "--class", "TMP")
    line = ["dispose", "execute", d]
    tried = 0
    for delay in (0.002, 0.01, 0.02, 0.04, 0.08, 0.15):
        p = subprocess.Popen([os.environ.get("MUNI", "build/muni"), line[0], line[1], a.path, d, "--by", "rita", "--key", "rita.key",
                              "--keyring", a.keyring, "--key-file", a.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait()
        tried += 1
    a.ask(*line, by="rita", status=None)
    assert a.status in (0, 3), a.errors
    assert sorted(os.listdir("src/tmp")) == ["young.txt"], os.listdir("src/tmp")
    got = outcomes(a, d)
    assert set(got) == {f"tmp/old{i}.txt" for i in range(4)} and {o for o, _ in got.values()} == {"gone"}, got
    # The names are kept; by what is published with them nobody can tell a guess at the content.
    annex = [line for line in a.ask("dispose", "show", d, "--json").splitlines()[1:]]
    bare = {hashlib.sha256(f"old {i}\n".encode() * 300).hexdigest() for i in range(4)}
    held = [json.loads(line)["item"]["content"] for line in annex]
    assert len(set(held)) == 4 and not bare & set(held) and not [b for b in bare if b in "".join(annex)], annex
    assert list_keys(a) == 0, "the list has ended, its key has not"


def apart(a):
    """The archive's own files are no live source, nor is what holds the archive or its keyring, wherever it was moved."""
    with open("all.yaml", "w") as f:
        f.write(POLICY.split("rules:")[0] + "rules:\n  - {id: all, when: {path: \"**\"}, decide: destroy, because: trivial}\n")

    def listed(source, system):
        a.run("scan", source, "--system", system)
        a.run("classify", "--system", system, "--policy", "all.yaml")
        return ["dispose", "propose", "--live", source, "--system", system]

    for source, system in (("archive/segments", "inner"), ("archive/audit", "inner2")):
        a.refused("live source", *listed(source, system), by="rita")
    write("outer/x.txt", "x\n", year(2001))
    propose = listed("outer", "outer")
    d = a.id(*propose, by="rita")
    for name in ("otto", "olga"):
        a.ask("dispose", "approve", d, by=name)
    real, a.keyring = a.keyring, os.path.abspath("outer/keyring")
    os.rename(real, a.keyring)
    a.refused("live source", "dispose", "execute", d, by="rita")
    a.refused("live source", *propose, by="rita")
    os.rename(a.keyring, real)
    a.keyring = real
    assert os.path.exists("outer/x.txt")
    a.ask("dispose", "withdraw", d, "--reason", "a try", by="rita")


def main():
    source()
    write("./policy.yaml", POLICY)
    a = Keeper()
    classify(a)
    for name, roles in (("rita", "records"), ("otto", "owner"), ("olga", "owner,records")):
        officer(name)
        a.ask("officer", "add", "--id", name, "--role", roles, "--cert", f"{name}.pem")
    # It could not be looked into, so it is to be reviewed; here is the review.
    a.run("decide", "junk/sparse", "--system", "live", "--decision", "destroy", "--officer", "rita", "--reason", "looked at")
    destroyed(a, refusals(a))
    again(a)
    apart(a)
    a.run("verify", "--deep")


main()

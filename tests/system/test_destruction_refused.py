#!/usr/bin/python3
"""What is held, or not due, goes by no path: not by a rollback, a repair, a rotation, an export, another policy, an
officer who left, a replayed approval, and not by rows that somebody with all the keys changed behind the log's back."""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, skip  # noqa: E402

try:
    from forger import forge
    from graves import POLICY, Source, approved, contents, keeper, read, secret_of, take_in
    from officers import Keeper, officer, write
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")

s = Source("src", 76)
EVENT = POLICY.replace("{trigger: modified, period: P90Y}", '{trigger: "event:closed", period: P10Y}')
SHORT = POLICY.replace("version: 1", "version: 2").replace("P90Y", "P1Y")


def fill():
    for i in range(4):
        s.file(f"com/c{i}.txt", f"due {i}\n" * 50)
        s.file(f"opn/o{i}.txt", f"also due {i}\n" * 50)
        s.file(f"kep/k{i}.txt", f"not due {i}\n" * 50)


def whole(a, what, lost=()):
    """All is there, but for what was lost lawfully."""
    there = {k[2].decode() for k in contents(read(a)) if b"." in k[2]}
    wanted = {f"{d}{i}.txt" for d in ("com/c", "opn/o", "kep/k") for i in range(4)} - set(lost)
    assert wanted <= there, (what, wanted - there)


def copies(a):
    """Worlds of their own: archive and keyring in a folder that knows no anchor, for whoever has the host removes it."""
    n = 0
    while True:
        n += 1
        os.makedirs(f"world{n}")
        other = Keeper(f"world{n}/archive", create=False)
        shutil.copytree(a.path, other.path)
        shutil.copy(a.keyring, other.keyring)
        shutil.copy(a.key, other.key)
        try:
            yield other
        finally:
            shutil.rmtree(f"world{n}")


def forged(worlds, d, name, *statements):
    """Execution after rows were changed: refused, and all is there."""
    a = next(worlds)
    assert forge(a.path, a.keyring, secret_of(a), statements) > 0, f"{name}: nothing was changed"
    propose = statements[0][0].startswith(("DELETE FROM hold", "UPDATE hold", "UPDATE extension"))
    if propose:		# nor may anybody be asked to approve by such rows
        a.ask("dispose", "propose", "--due", by="rita", status=None)
        assert a.status in (1, 3, 5), (name, a.status, a.errors)
    a.ask("dispose", "execute", d, by="rita", status=None)
    assert a.status in (1, 3, 5), (name, a.status, a.errors)
    assert not os.path.exists(f"{a.path}/certificates/C1.p7m"), name
    whole(a, name)
    print(f"{name}: {a.status}: {a.errors.splitlines()[-1][:200]}")


def behind_the_log(a):
    """D1 has its approvals; then a hold and an extension come, and somebody takes them away."""
    d = approved(a, "--due", "--path", "com/**")
    old = approved(a, "--due", "--path", "opn/**")
    lonely = a.id("dispose", "propose", "--due", "--path", "com/**", by="rita")
    # One without holds, in which what is refused is refused for its own reason.
    free = copies(a)
    forged(free, lonely, "an approval of another list",
           ("INSERT INTO approval SELECT ?, officer, made, signature FROM approval WHERE disposition = ?", int(lonely[1:]), int(d[1:])))
    forged(free, lonely, "said to be approved", ("UPDATE disposition SET state = 2 WHERE id = ?", int(lonely[1:])))
    officer("mallory")
    officer("trent")
    der = subprocess.run(["openssl", "x509", "-in", "mallory.pem", "-outform", "DER"], capture_output=True, check=True).stdout
    forged(free, lonely, "an officer who was never added",
           ("UPDATE officer SET cert = ?, person = '/O=Test/CN=mallory' WHERE id = 'otto'", der))
    forged(free, d, "an officer gains a role", ("UPDATE officer SET roles = 'records,owner,legal' WHERE id = 'rita'",))
    forged(free, d, "items of another list",
           ("UPDATE disposition_item SET disposition = ? WHERE disposition = ?", int(d[1:]), int(old[1:])))
    forged(free, d, "an item less", ("DELETE FROM disposition_item WHERE disposition = ? AND leaf = (SELECT min(leaf) FROM "
                                     "disposition_item WHERE disposition = ?)", int(d[1:]), int(d[1:])))
    forged(free, d, "an item points elsewhere",
           ("UPDATE disposition_item SET (dir, name, first) = (SELECT dir, name, first FROM entry WHERE name = CAST('k1.txt' "
            "AS BLOB)) WHERE disposition = ? AND leaf = (SELECT min(leaf) FROM disposition_item WHERE disposition = ?)",
            int(d[1:]), int(d[1:])))
    forged(free, d, "another root", ("UPDATE disposition SET root = randomblob(32) WHERE id = ?", int(d[1:])))
    forged(free, d, "another statement",
           ("UPDATE disposition SET statement = replace(statement, 'rita', 'otto') WHERE id = ?", int(d[1:])))
    a.ask("hold", "add", "--case", "1", "--reason", "a case", "--path", "com/c1.txt")
    a.refused("hold", "dispose", "execute", d, by="rita")
    a.ask("retain", "extend", "--until", "2190-01-01", "--reason", "longer", "--path", "com/c2.txt")
    free.close()
    worlds = copies(a)
    forged(worlds, d, "a hold removed", ("DELETE FROM hold",), ("DELETE FROM extension",))
    forged(worlds, d, "a hold released", ("UPDATE hold SET released = placed, released_because = 'x'",),
           ("UPDATE extension SET until = 1",))
    forged(worlds, d, "a hold of another path", ("UPDATE hold SET path = CAST('x' AS BLOB)",), ("DELETE FROM extension",))
    forged(worlds, d, "a hold of nothing that is there", ("UPDATE hold SET upto = 0",), ("UPDATE extension SET upto = 0",))
    forged(worlds, d, "an extension alone", ("UPDATE extension SET until = 1",))
    forged(worlds, d, "the words of the log too",
           ("DELETE FROM hold",), ("DELETE FROM extension",),
           ("UPDATE log_detail SET salt = NULL, details = NULL WHERE details LIKE '%com/c1.txt%' OR details LIKE '%com/c2.txt%'",))
    forged(worlds, d, "other words in the log", ("DELETE FROM hold",), ("DELETE FROM extension",),
           ("UPDATE log_detail SET details = replace(details, 'com/c1.txt', 'com/zz.txt')",))
    worlds.close()
    a.ask("hold", "add", "--case", "2", "--reason", "another", "--path", "opn/o1.txt")
    gone = (("DELETE FROM hold WHERE path = CAST('opn/o1.txt' AS BLOB)",),
            ("UPDATE log_detail SET salt = NULL, details = NULL WHERE details LIKE '%opn/o1.txt%'",))
    worlds = copies(a)
    forged(worlds, old, "a hold, and its words in the log", *gone)
    a.ask("key", "rotate")
    forged(worlds, old, "a hold, and its words in the log, an epoch later", *gone)
    forged(worlds, old, "a hold made mute", ("UPDATE hold SET path = NULL, released = placed, released_because = 'x' WHERE id = 2",),
           gone[1])
    worlds.close()
    return d, old


def forged_proposals(a):
    """Retention itself changed: what is not due is not even proposed, or refused at the end."""
    worlds = copies(a)
    kept = "kep/k1.txt"
    for name, *statements in (
            ("a class's definition", ("UPDATE class_definition SET definition = replace(definition, 'P90Y', 'P1Y')",)),
            ("a policy's text", ("UPDATE policy SET text = CAST(replace(CAST(text AS TEXT), 'P90Y', 'P1Y') AS BLOB)",),
             ("UPDATE class_definition SET definition = replace(definition, 'P90Y', 'P1Y')",)),
            ("a shortening that nobody approved",
             ("INSERT INTO shortening SELECT 'KEP', max(id), max(id), 1, 1 FROM policy",)),
            ("another event", ("INSERT INTO event VALUES(1, 'closed', 1, 1, 1, '')",),
             ("UPDATE class_definition SET definition = replace(definition, 'P90Y', 'P1Y')",))):
        w = next(worlds)
        assert forge(w.path, w.keyring, secret_of(w), statements) > 0, name
        w.ask("dispose", "propose", "--due", "--path", kept, by="rita", status=None)
        if w.status == 0:
            w.ask("dispose", "approve", "D1", by="otto", status=None)
            w.ask("dispose", "execute", "D1", by="rita", status=None)
        assert w.status in (1, 3, 5), (name, w.status, w.errors)
        whole(w, name)
        print(f"{name}: {w.status}: {w.errors.splitlines()[-1][:200]}")
    worlds.close()


def other_ways(a, d, old):
    """Everything else that writes, with the hold in force and a disposition at hand."""
    # An ingest that is killed, and taken back.
    os.makedirs("more/com", exist_ok=True)
    for i in range(30):
        write(f"more/com/c{i}.txt", "again\n" * 50000)
    p = subprocess.Popen([MUNI, "ingest", a.path, "more", "--system", "s", "--version", "cut", "--keyring", a.keyring,
                          "--key-file", a.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.6)
    p.send_signal(signal.SIGKILL)
    p.wait()
    a.run("repair")
    whole(a, "rollback and repair")
    write("./pass", "a passphrase\n")
    number = a.id("key", "add", "--new-passphrase-file", "pass")
    a.ask("key", "rotate")
    whole(a, "rotate")
    a.ask("key", "remove", number.split()[-1])
    whole(a, "remove")
    a.run("export", "s", "--to", "migrated", "--format", "dir", "--source", "src", status=None)
    whole(a, "export --source")
    assert all(os.path.exists(f"src/com/c{i}.txt") for i in range(4))
    # Another policy, of a shorter period: each definition counts until a shortening is approved.
    write("./short.yaml", SHORT)
    a.run("classify", "--system", "s", "--policy", "short.yaml")
    a.refused("retention period", "dispose", "propose", "--due", "--path", "kep/k1.txt", by="rita")
    a.run("decide", "kep/k1.txt", "--system", "s", "--decision", "destroy", "--officer", "rita", "--reason", "so")
    a.ask("dispose", "propose", "--due", "--path", "kep/k1.txt", by="rita", status=3)
    a.ask("dispose", "execute", d, by="rita", status=3)     # a hold, and another list
    a.refused("hold", "dispose", "propose", "--due", "--path", "com/c1.txt", by="rita")
    # An officer who left takes the approval along.
    h = [line.split()[0] for line in a.ask("hold", "list").splitlines() if line.startswith("H") and line[1:2].isdigit()][0]
    e = approved(a, "--due", "--path", "opn/**")
    a.ask("officer", "remove", "--id", "otto", "--reason", "left")
    a.ask("dispose", "execute", e, by="rita", status=3)
    whole(a, "an officer who left")
    a.admit("otto", "owner", "rita", former="otto")
    a.ask("hold", "release", h, "--reason", "over")
    a.ask("dispose", "execute", d, by="rita", status=3)     # c2 is kept longer
    whole(a, "an extension")
    # The lawful end: what remains due goes, and nothing more.
    f = approved(a, "--due", "--path", "com/**")
    a.ask("dispose", "execute", f, by="rita")
    whole(a, "the end", {"com/c0.txt", "com/c1.txt", "com/c3.txt"})
    a.refused("state", "dispose", "execute", f, by="rita")
    a.ask("dispose", "execute", d, by="rita", status=3)
    whole(a, "again", {"com/c0.txt", "com/c1.txt", "com/c3.txt"})
    a.run("verify", "--deep")
    a.ask("audit", "verify")


def laundered():
    """An event taken from table and log, then the keys rotated: a rotation takes no words, and excuses none."""
    e = keeper("events", policy=EVENT)
    take_in(e, "src", "s", "one")
    for at in ("2003-01-01", "2025-01-01"):
        e.run("event", "--system", "s", "--event", "closed", "--at", at)
    e.refused("retention period", "dispose", "propose", "--due", "--path", "kep/**", by="rita")
    assert forge(e.path, e.keyring, secret_of(e), (
        ("DELETE FROM event WHERE at = (SELECT max(at) FROM event)",),
        ("UPDATE log_detail SET salt = NULL, details = NULL WHERE seq = (SELECT max(seq) FROM log_detail WHERE details LIKE "
         "'%\"event\":\"closed\"%')",))) == 2
    for _ in range(2):
        e.ask("dispose", "propose", "--due", "--path", "kep/**", by="rita", status=None)
        for d in ("D1", "D2"):
            e.ask("dispose", "approve", d, by="otto", status=None)
            e.ask("dispose", "execute", d, by="rita", status=None)
            assert e.status in (1, 3, 5), (e.status, e.errors)
        whole(e, "an event taken away")
        e.ask("key", "rotate", status=None)
    print(f"an event taken away: {e.errors.splitlines()[-1][:200]}")


def main():
    fill()
    a = keeper()
    take_in(a, "src", "s", "one")
    forged_proposals(a)
    laundered()
    other_ways(a, *behind_the_log(a))


main()

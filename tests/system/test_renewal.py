#!/usr/bin/python3
"""The archive's own signing key is renewed: what it signed stays verifiable, also for a stranger with stock openssl; what
whoever stole it signs later is refused; older copies of keyring and archive are named; a kill at any step leaves the key of
before or the new one, and nothing between."""
import base64
import glob
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
try:
    import forger
except ImportError:
    from muniment import skip
    skip("python3-cryptography or python3-zstandard is not installed")
import reader  # noqa: E402
from graves import Source, destroy, keeper, read, take_in  # noqa: E402
from officers import Keeper  # noqa: E402
from muniment import BUILD, MUNI  # noqa: E402

STOLEN = ("--reason", "the host was broken into")


def twin(a, name):
    a.copy_to(name)
    return Keeper(name, create=False)


def renew(a, *args, **more):
    return a.ask("key", "renew-signing", *STOLEN, *args, **more).split()[-1]


def fingerprint(pem):
    with open(pem) as f:
        lines = [line for line in f.read().split("\n") if line and not line.startswith("-")]
    return hashlib.sha256(base64.b64decode("".join(lines))).hexdigest()


def openssl_holds(signature, content, ca):
    done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", content,
                           "-CAfile", ca, "-purpose", "any", "-out", "/dev/null"], capture_output=True, check=False)
    return done.returncode == 0


def audited(a, status=0):
    return [json.loads(line) for line in a.ask("audit", "verify", "--json", status=status).splitlines()][-1]


def at(a, name):
    return os.path.join(a.path, "certificates", name)


def a_stranger_follows_the_chain(a, first, second):
    """With nothing but the files of certificates/ and stock openssl."""
    former, link = at(a, f"archive-{first[:16]}.pem"), at(a, f"archive-{second[:16]}")
    assert fingerprint(former) == first
    assert openssl_holds(f"{link}.p7s", f"{link}.json", former)
    assert not openssl_holds(f"{link}.new.p7s", f"{link}.json", former)
    with open(f"{link}.json") as f:
        said = json.load(f)
    assert said["type"] == "muniment.renewal.1" and said["after"]["sha256"] == second and said["before"]["sha256"] == first
    return said


def heads_of_before_and_after(a):
    take_in(a, "src", "s", "one")
    first = fingerprint(at(a, "archive.pem"))
    c1 = destroy(a, "--due", "--class", "COM")
    a.refused("officer", "key", "renew-signing", *STOLEN)
    a.refused("key", "key", "renew-signing", *STOLEN, "--by", "rita", "--key", "otto.key")
    shutil.copy2(a.keyring, "stolen.keyring")
    second = renew(a, by="rita")
    assert second != first and fingerprint(at(a, "archive.pem")) == second
    said = a_stranger_follows_the_chain(a, first, second)
    assert said["after"]["algorithm"] == "ecdsa-p384"
    act = [json.loads(line) for line in a.ask("audit", "list", "--json", "--act", "signing key renewed").splitlines()]
    assert len(act) == 1 and act[0]["sequence"] == said["entry"], act
    assert audited(a)["signing_keys"] == 2
    a.run("verify", "--deep")
    assert "note" not in a.run("verify"), a.run("verify")
    assert read(a).check_log() > said["entry"]
    third = renew(a, "--algorithm", "ecdsa-p521", by="otto")
    c2 = destroy(a, "--due", "--class", "DRO")
    a_stranger_follows_the_chain(a, second, third)
    assert audited(a)["signing_keys"] == 3
    a.run("verify", "--deep")
    return c1, c2, [first, second, third]


def a_stranger_verifies_certificates(a, c1, c2, keys):
    os.makedirs("safe")
    with open("ca.pem", "w") as f:
        f.write(open("rita.pem").read() + open("otto.pem").read())
    for c in (c1, c2):
        a.ask("cert", "show", c, "--to", f"safe/{c}.p7m", "--all")
        done = subprocess.run([MUNI, "cert", "verify", f"safe/{c}.p7m", "--ca", "ca.pem"], capture_output=True, check=False)
        assert done.returncode == 0, done
    assert os.path.exists(f"safe/archive-{keys[2][:16]}.json")
    assert openssl_holds(f"safe/{c1}.p7s", f"safe/{c1}.json", at(a, f"archive-{keys[0][:16]}.pem"))
    assert openssl_holds(f"safe/{c2}.p7s", f"safe/{c2}.json", at(a, "archive.pem"))
    a.ask("audit", "head", "--to", "head")
    assert openssl_holds("head.p7s", "head", at(a, "archive.pem"))
    a.ask("audit", "prove", "s@one", "kep/kep-0.txt", "--to", "proof")
    a.ask_bare("audit", "check", "proof", "--certificate", at(a, "archive.pem"))
    a.ask_bare("audit", "check", "proof", "--certificate", at(a, f"archive-{keys[0][:16]}.pem"), status=5)


def forged_by_the_thief(a):
    """The newest head, signed by whoever has a copy of the keyring of before; and one more behind it."""
    thief = twin(a, "thief")
    with open(a.key, "rb") as f:
        secret = f.read()
    archive = reader.read_toml(thief.path)
    with open(os.path.join(thief.path, "audit", "heads"), "rb") as f:
        heads = f.read()
    place, last = 128, None
    while place < len(heads):
        one, two = struct.unpack_from("<II", heads, place)
        last = json.loads(heads[place + 8:place + 8 + one])
        place += 8 + one + two + 20
    forger.sign_head(thief.path, "stolen.keyring", secret, archive, bytes.fromhex(last["pages"]))
    thief.run("log", status=5)
    assert "renewed" in thief.errors, thief.errors
    said = thief.ask("audit", "verify", status=5)
    assert "renewed" in said, said
    thief.remove()


def older_copies_are_named(a):
    now = a.keyring
    a.keyring = os.path.abspath("stolen.keyring")
    a.run("log", status=4)      # of the epoch before, too: that is what it hears first, or this
    assert "older copy" in a.errors, a.errors
    a.keyring = now


def what_lies_in_clear_is_mended(a):
    before = {p: open(p, "rb").read() for p in glob.glob(at(a, "archive*"))}
    assert len(before) == 9, before
    for n, path in enumerate(sorted(before)):
        if n % 2:
            os.unlink(path)
        else:
            os.chmod(path, 0o600)
            with open(path, "r+b") as f:
                f.write(b"nothing")
    assert "archive-" in a.run("verify", status=5)
    a.run("repair", status=None)
    for path, data in before.items():
        with open(path, "rb") as f:
            assert f.read() == data, path
    a.run("verify")


def without_a_key(a):
    """Damage that nothing opens: entries and heads of all three keys are judged by what lies in clear."""
    b = twin(a, "lost")
    for path in glob.glob(f"{b.path}/catalogue.*"):
        os.unlink(path)
    last = audited(b, status=5)
    assert last["keyless"] and last["signing_keys"] == 3 and last["damages"] == 1, last
    b.remove()


def an_older_copy_is_restored(made):
    """Of before the renewal: with the keyring of now, where no epoch went by; and told by a certificate of the new key."""
    a = made("back")
    take_in(a, "src", "s", "one")
    old = twin(a, "old")
    renew(a, by="rita")
    now = open(a.keyring, "rb").read()
    with open(old.keyring, "wb") as f:
        f.write(now)
    old.run("log", status=5)
    assert "was renewed when" in old.errors and "muni restore" in old.errors, old.errors
    line = [MUNI, "restore", old.path, "--no-certificates", "--reason", "the newest burnt", "--by", "rita", "--key", "rita.key",
            "--keyring", old.keyring, "--key-file", old.key]
    bare = twin(old, "bare")        # nothing lies in clear of the renewal, and its log does not tell: it says so
    said = subprocess.run([word.replace(old.path, bare.path) for word in line], check=True, capture_output=True).stderr.decode()
    assert "archive-*" in said and "without the keyring" in said, said
    assert "archive-*" in bare.run("verify"), "that links are missing is told once only"
    for path in glob.glob("*.anchor"):
        os.unlink(path)
    links = glob.glob(f"{a.path}/certificates/archive-*.json")
    assert len(links) == 1
    said = subprocess.run([*line, links[0]], check=True, capture_output=True).stderr.decode()
    assert "archive-*" not in said, said
    for path in glob.glob(f"{a.path}/certificates/archive-*"):
        with open(path, "rb") as one, open(at(old, os.path.basename(path)), "rb") as other:
            assert one.read() == other.read(), path
    assert "archive-*" not in old.run("verify")
    for label in ("two", "three", "four", "five"):
        old.run("ingest", "src", "--system", "s", "--version", label)
    old.run("verify", "--deep")
    assert audited(old)["signing_keys"] == 2
    old.remove()


def a_certificate_of_a_later_key_tells_an_older_copy(made):
    a = made("later")
    take_in(a, "src", "s", "one")
    old = twin(a, "older")
    renew(a, by="rita")
    destroy(a, "--due", "--class", "COM")
    a.ask("cert", "show", "C1", "--to", "later-C1.p7m", "--all")
    line = [MUNI, "restore", old.path, "later-C1.p7m", "--reason", "the newest burnt", "--by", "rita", "--key", "rita.key",
            "--keyring", old.keyring, "--key-file", old.key]
    for path in glob.glob("*.anchor"):
        os.unlink(path)
    subprocess.run(line, check=True, capture_output=True)
    assert "com" not in old.run("ls", "s@one")
    old.run("verify", "--deep")
    renew(old, by="rita")
    old.run("verify")
    links_of_a_lost_history_stand_twice(old)


def links_of_a_lost_history_stand_twice(a):
    """No log tells of them: what certificates/ lacks of them, or has otherwise, comes from certificates.2/, and the reverse."""
    names = sorted(os.path.basename(p) for p in glob.glob(at(a, "archive-*")))
    assert len(names) == 7, names       # of two renewals of the same key
    before = {(folder, n): open(f"{a.path}/{folder}/{n}", "rb").read() for folder in ("certificates", "certificates.2") for n in names}

    def harm(folder, name, how):
        path = f"{a.path}/{folder}/{name}"
        os.chmod(path, 0o600)
        if how == "lost":
            os.unlink(path)
            return
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            f.write(b"\0nothing")

    def whole():
        return [k for k, data in before.items() if open(f"{a.path}/{k[0]}/{k[1]}", "rb").read() != data] == []

    for how in ("lost", "altered"):
        for name in names:
            harm("certificates", name, how)
            assert "archive-" in a.run("verify", status=5), (name, how)
            a.run("repair")
            a.run("verify", "--deep")
            assert whole(), (name, how)
            harm("certificates.2", name, how)
            assert "no second copy" in a.run("verify"), (name, how)
            a.run("repair")
            assert whole() and "no second copy" not in a.run("verify"), (name, how)
    # Both: named, and not judged by what is left of them.
    lost = [n for n in names if n.endswith(".json") and json.loads(before["certificates", n])["entry"]]
    for name in lost:
        harm("certificates", name, "altered")
        harm("certificates.2", name, "altered")
    said = a.run("verify", status=5)
    assert "`muni cert show --all` saved them" in said and "second copy" in said, said
    a.run("repair", status=5)
    for (folder, name), data in before.items():
        path = f"{a.path}/{folder}/{name}"
        os.chmod(path, 0o600)
        with open(path, "wb") as f:
            f.write(data)
    a.run("verify")


def a_longer_history_was_lost(made):
    """A certificate of more acts than the restored copy has when it renews its key: of another log, so no thief's."""
    a = made("long")
    take_in(a, "src", "s", "one")
    old = twin(a, "short")
    for _ in range(8):
        a.ask("hold", "release", a.id("hold", "add", "--case", "x", "--reason", "x", "--path", "kep/**").split()[-1], "--reason", "x")
    destroy(a, "--due", "--class", "COM")
    a.ask("cert", "show", "C1", "--to", "long-C1.p7m", "--all")
    for path in glob.glob("*.anchor"):
        os.unlink(path)
    subprocess.run([MUNI, "restore", old.path, "long-C1.p7m", "--reason", "the newest burnt", "--by", "rita", "--key", "rita.key",
                    "--keyring", old.keyring, "--key-file", old.key], check=True, capture_output=True)
    renew(old, by="rita")
    old.run("verify")
    flip = at(old, "C1.p7s")
    with open(flip, "rb") as f:
        data = f.read()
    os.chmod(flip, 0o600)
    with open(flip, "wb") as f:
        f.write(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert "C1.p7s" in old.run("verify", status=5)
    old.run("repair")
    old.run("verify")
    # Restored once more, from a copy of now: who gives all that the safe has gives one that the copy knows.
    again = twin(old, "again")
    destroy(old, "--due", "--class", "DRO")
    old.ask("cert", "show", "C2", "--to", "long-C2.p7m", "--all")
    subprocess.run([MUNI, "restore", again.path, "long-C1.p7m", "long-C2.p7m", "--reason", "burnt too", "--by", "rita",
                    "--key", "rita.key", "--keyring", again.keyring, "--key-file", again.key], check=True, capture_output=True)
    again.run("verify", "--deep")


def killed_at_every_step():
    fault = os.path.join(BUILD, "support", "inject.so")
    if not os.path.exists(fault) or "/san" in BUILD or "/tsan" in BUILD:
        return
    base = Keeper("base")
    os.makedirs("small", exist_ok=True)
    with open("small/a", "w") as f:
        f.write("a small file\n")
    base.run("ingest", "small", "--system", "s", "--version", "one")
    count = os.path.abspath("count")

    def faulty(a, nth):
        if os.path.exists(count):
            os.unlink(count)
        line = [MUNI, "key", "renew-signing", a.path, *STOLEN, "--keyring", a.keyring, "--key-file", a.key]
        env = {**os.environ, "LD_PRELOAD": fault, "FAULT_NTH": str(nth), "FAULT_HOW": "kill", "FAULT_COUNT": count}
        return subprocess.run(line, capture_output=True, env=env, check=False).returncode

    whole = twin(base, "w")
    assert faulty(whole, 0) == 0
    with open(count) as f:
        calls = int(f.read())
    assert calls > 40, calls
    whole.remove()
    seen = set()
    for nth in range(1, calls + 1, 1 if os.environ.get("MUNIMENT_FULL") == "1" else 23):
        a = twin(base, "w")
        assert faulty(a, nth) != 0, nth
        a.run("log")                            # a reader, in whatever state
        said = [line for line in a.run("verify", status=None).splitlines() if line.startswith("damage")]
        assert all("of the keyring" in line for line in said), (nth, said)
        a.run("ingest", "small", "--system", "s", "--version", "two")
        keys = audited(a)["signing_keys"]
        seen.add(keys)
        a.run("verify")
        renew(a)
        assert audited(a)["signing_keys"] == keys + 1, nth
        assert a.run("verify", "--deep"), nth
        a.remove()
    assert seen == {1, 2}, seen     # both sides of the moment that decides


def main():
    s = Source("src", 5)
    for kind in ("com", "dro", "kep"):
        for n in range(3):
            s.file(f"{kind}/{kind}-{n}.txt", f"{kind} {n} body\n" * 300)
    a = keeper()
    c1, c2, keys = heads_of_before_and_after(a)
    a_stranger_verifies_certificates(a, c1, c2, keys)
    forged_by_the_thief(a)
    older_copies_are_named(a)
    without_a_key(a)
    what_lies_in_clear_is_mended(a)
    an_older_copy_is_restored(keeper)
    a_certificate_of_a_later_key_tells_an_older_copy(keeper)
    a_longer_history_was_lost(keeper)
    killed_at_every_step()


main()

#!/usr/bin/python3
"""What rots in certificates/ is named by `verify` and `repair`, each byte of it: the certificates of destruction and
their annexes, marks, signatures and time-stamps.  From the second copy it is mended; without one, what a command saved
of them before brings the archive back to be whole."""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from graves import Source, approved, keeper, take_in  # noqa: E402
from muniment import MUNI  # noqa: E402
from officers import openssl  # noqa: E402

SEED = int(os.environ.get("CERT_ROT_SEED", "1"))
FLIPS = 400 if os.environ.get("MUNIMENT_FULL") else 10
FOLDER = "archive/certificates"
COPIES = "archive/certificates.2"
NEWEST_STAMP = "C1.2.tsr"
OWN = ("C1.p7m", "C1.p7s", "C1.annex.json", "C1.marks", "C1.tsr", NEWEST_STAMP)


def start_authority():
    authority = subprocess.Popen([os.path.join(os.environ.get("SUPPORT", "tests/support"), "tsa.py"), "tsa"])
    until = time.time() + 60
    while not os.path.exists("tsa/port") and time.time() < until:
        time.sleep(0.05)
    return authority


def make():
    s = Source("src", 5)
    for i in range(3):
        s.file(f"com/{i}.txt", b"to be gone\n" * 300)
    s.file("kep/a.txt", b"kept\n" * 300)
    a = keeper()
    a.ask("cert", "authority", "--url", f"http://127.0.0.1:{open('tsa/port').read()}/tsr", "--tsa-ca", "tsa/tsa-ca.pem")
    take_in(a, "src", "s", "one")
    a.ask("dispose", "execute", approved(a, "--due"), by="rita")
    a.ask("cert", "stamp", "C1")
    a.ask("cert", "show", "C1", "--all", "--to", "saved.p7m")
    openssl("cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", "saved.p7m", "-out", "C1.content")
    return a


def put(name, data, folder=FOLDER):
    """As a file that was damaged where it lies; None: it is gone."""
    path = os.path.join(folder, name)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
    if data is not None:
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o400)


def is_mended(a, whole, how, name):
    """From the copies, by one `repair`, to the byte; and they are mended from what lies in the folder."""
    said = a.run("verify", status=5)
    assert "can be repaired" in said and "cannot" not in said, (name, how, said)
    a.run("repair")
    said = a.run("verify", "--deep")
    for folder in (FOLDER, COPIES):
        for n, data in whole.items():
            with open(f"{folder}/{n}", "rb") as f:
                assert f.read() == data, (folder, n, name, how)
            assert os.stat(f"{folder}/{n}").st_mode & 0o7777 == 0o400, (folder, n)


def the_second_copy_mends(a, whole):
    assert sorted(os.listdir(COPIES)) == sorted(whole), os.listdir(COPIES)
    rng = random.Random(SEED)
    for name, data in whole.items():
        flipped = bytearray(data)
        flipped[-1 - rng.randrange(20)] ^= 4
        for folder in (FOLDER, COPIES):
            for how, harmed in (("flip", flipped), ("cut", data[:-1]), ("empty", b""), ("gone", None), ("pipe", os.mkfifo), ("folder", os.mkdir)):
                if how == "gone" and folder == COPIES:
                    continue        # a note: `repair` makes it
                put(name, harmed if not callable(harmed) else None, folder)
                if callable(harmed):
                    harmed(f"{folder}/{name}")
                is_mended(a, whole, (folder, how), name)
    for n in whole:
        put(n, None)
    is_mended(a, whole, "all gone", "all")
    shutil.rmtree(COPIES)
    assert "second copy" in a.run("verify")
    a.run("repair")
    assert "second copy" not in a.run("verify")
    # Neither is believed for being a copy: one of another certificate's name is not put in its place.
    for folder in (FOLDER, COPIES):
        put("C1.annex.json", whole["C1.annex.json"].replace(b"gone", b"kept", 1), folder)
    assert "cannot be repaired" in a.run("verify", status=5)
    a.run("repair", status=5)
    for folder in (FOLDER, COPIES):
        put("C1.annex.json", whole["C1.annex.json"], folder)
    a.run("verify", "--deep")


def is_named(a, name, how):
    said = a.run("verify", status=None)
    assert a.status == 5, (name, how, a.status, said)
    # What a time-stamp's own signature leaves open the one after it covers, and is then called wrong.
    names = (name, NEWEST_STAMP) if name.endswith(".tsr") else (name,)
    assert any(f"certificates/{n}" in said for n in names) and "cannot be repaired" in said, (name, how, said)
    assert "1 damage:" in said, (name, how, "more than what was damaged", said)


def places_of(rng, name, data):
    """Every place counts; of the newest time-stamp, over which there is no other, what its authority signed: its digest, and
    the signature at its end."""
    if name != NEWEST_STAMP:
        return {0, len(data) // 2, len(data) - 1, *(rng.randrange(len(data)) for _ in range(FLIPS))}
    with open("C1.content", "rb") as f, open(f"{FOLDER}/C1.tsr", "rb") as first:
        at = data.index(hashlib.sha256(f.read() + first.read()).digest())
    return {at, len(data) - 1, *(at + rng.randrange(32) for _ in range(FLIPS)), *(len(data) - 1 - rng.randrange(32) for _ in range(FLIPS))}


def every_flip_is_named(a, whole):
    rng = random.Random(SEED)
    for name, data in whole.items():
        places = places_of(rng, name, data)
        for at in sorted(places):
            bit = 1 << rng.randrange(8)
            harmed = bytearray(data)
            harmed[at] ^= bit
            put(name, harmed)
            is_named(a, name, (at, bit))
        put(name, data)


def the_name_of_who_signed_is_told_by_its_letters(a, whole):
    """Names are compared without regard to case where a signer's certificate is looked for."""
    harmed = bytearray(whole["C1.p7s"])
    harmed[harmed.rindex(b"muniment archive") + 3] ^= 0x20
    put("C1.p7s", harmed)
    is_named(a, "C1.p7s", "a capital letter")
    put("C1.p7s", whole["C1.p7s"])


def whatever_stands_in_its_place_is_named(a, whole):
    for name, data in whole.items():
        for how, harmed in (("cut", data[:-1]), ("empty", b""), ("longer", data + b"\n")):
            put(name, harmed)
            is_named(a, name, how)
        put(name, None)
        if not name.endswith(".tsr"):    # one need not be there
            is_named(a, name, "gone")
        os.mkfifo(f"{FOLDER}/{name}")
        is_named(a, name, "a pipe")
        put(name, None)
        with open("elsewhere", "wb") as f:
            f.write(data)
        os.symlink(os.path.abspath("elsewhere"), f"{FOLDER}/{name}")
        is_named(a, name, "a link to the same bytes")
        put(name, None)
        os.mkdir(f"{FOLDER}/{name}")
        is_named(a, name, "a folder")
        put(name, data)


def repair_names_it_and_touches_nothing(a, whole):
    name = "C1.annex.json"
    harmed = whole[name].replace(b"gone", b"kept", 1)
    assert harmed != whole[name]
    put(name, harmed)
    for _ in range(2):
        said = a.run("repair", status=5)
        assert f"certificates/{name}" in said and "1 damage: 0 " in said, said
        with open(f"{FOLDER}/{name}", "rb") as f:
            assert f.read() == harmed
    put(name, None)
    shutil.copy2("saved.annex.json", f"{FOLDER}/{name}")       # as the message says
    a.run("repair")
    a.run("verify", "--deep")


def a_former_authority_is_no_damage(a):
    a.ask("cert", "authority", "--none")
    a.run("verify", "--deep")


def put_years_back(token):
    """The first time that stands in a token, twenty years and more before."""
    at = re.search(rb"20\d{12}Z", token).start()
    return token[:at + 2] + b"0" + token[at + 3:]


def a_time_that_cannot_be_checked_is_said_to_be_none(a, whole):
    """An authority may give a token without its certificate (not to us: we ask for it), and who edits files can take it
    out: then the token's signature says nothing, and nothing that is said of it may sound as if it did."""
    openssl("ts", "-query", "-data", "C1.content", "-sha256", "-no_nonce", "-out", "bare.tsq")
    openssl("ts", "-reply", "-config", "tsa/tsa.cnf", "-queryfile", "bare.tsq", "-signer", "tsa/tsa.pem", "-inkey", "tsa/tsa.key",
            "-out", "bare.tsr")
    with open("bare.tsr", "rb") as f:
        bare = f.read()
    with open("both.pem", "wb") as f:
        for name in "tsa/tsa-ca.pem", "tsa/tsa.pem":
            with open(name, "rb") as part:
                f.write(part.read())
    with open("officers.pem", "wb") as f:
        for name in "rita.pem", "otto.pem":
            with open(name, "rb") as part:
                f.write(part.read())
    shutil.rmtree(COPIES)
    put(NEWEST_STAMP, None)     # it is over the one before it
    a.run("verify")
    for token in bare, put_years_back(bare):
        put("C1.tsr", token)
        said = a.run("verify")
        assert said.count("C1.tsr") == 1 and "its signature and its time were not" in " ".join(said.split()), said
    put("C1.tsr", put_years_back(whole["C1.tsr"]))      # one that carries it
    assert "C1.tsr" in a.run("verify", status=5)
    for name, data in whole.items():
        put(name, data)

    def judged(token, ca, status):
        with open("given.tsr", "wb") as f:
            f.write(token)
        done = subprocess.run([MUNI, "cert", "verify", "saved.p7m", "--ca", "officers.pem", "--timestamp", "given.tsr", "--tsa-ca", ca,
                               "--json"], capture_output=True, text=True, timeout=100)
        assert done.returncode == status, (ca, done)
        found = [x for x in map(json.loads, done.stdout.splitlines()) if x.get("check") == "time-stamp"]
        return {x["result"]: x["what"] for x in found}

    os.rename("saved.2.tsr", "aside.tsr")
    said = judged(bare, "tsa/tsa-ca.pem", 3)
    assert list(said) == ["not trusted"] and "proves no time" in said["not trusted"], said
    assert "holds" in judged(bare, "both.pem", 0)
    for token in put_years_back(bare), put_years_back(whole["C1.tsr"]):
        assert list(judged(token, "both.pem", 5)) == ["fails"]
    os.rename("aside.tsr", "saved.2.tsr")


def main():
    authority = start_authority()
    try:
        a = make()
    finally:
        authority.terminate()
        authority.wait()
    a.run("verify", "--deep")
    whole = {}
    for name in OWN:
        with open(f"{FOLDER}/{name}", "rb") as f:
            whole[name] = f.read()
    the_second_copy_mends(a, whole)
    shutil.rmtree(COPIES)
    every_flip_is_named(a, whole)
    the_name_of_who_signed_is_told_by_its_letters(a, whole)
    a.run("verify")
    whatever_stands_in_its_place_is_named(a, whole)
    a.run("verify")
    repair_names_it_and_touches_nothing(a, whole)
    a_time_that_cannot_be_checked_is_said_to_be_none(a, whole)
    a_former_authority_is_no_damage(a)


main()

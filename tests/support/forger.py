"""Changes an archive's catalogue as somebody can who has all its keys: pages sealed anew, the newest head signed anew."""
import glob
import json
import os
import struct
import subprocess

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import raw
import reader
from reader import PAGE, hkdf, sha


def catalogue_of(folder, keys):
    return os.path.join(folder, f"catalogue.{keys['epoch']}")


def forge(folder, keyring, secret, statements):
    """Runs SQL on the catalogue behind everybody's back; returns the number of rows that were changed."""
    archive = reader.read_toml(folder)
    keys = reader.open_keyring(keyring, archive, secret, False)
    db = reader.open_catalogue(folder, archive, keys)
    db.text_factory = str
    changed = 0
    for sql, *values in statements:
        changed += max(db.execute(sql, values).rowcount, 0)
    db.commit()
    plain = db.serialize()
    path = catalogue_of(folder, keys)
    with open(path, "rb") as f:
        first = f.read(24)
    database = archive + struct.pack("<Q", keys["epoch"]) + first[4:16]
    gcm = AESGCM(hkdf(keys["catalogue"], database, "muniment catalogue pages"))
    tags, sealed = [], []
    for number in range(1, len(plain) // PAGE + 1):
        page = plain[(number - 1) * PAGE:number * PAGE]
        start = 24 if number == 1 else 0
        # Read as a catalogue with a write-ahead log, as it was.
        lead = first[:18] + b"\2\2" + first[20:24] if number == 1 else b""
        nonce = os.urandom(12)
        both = gcm.encrypt(nonce, page[start:8160], database + struct.pack("<I", number) + lead)
        sealed.append(lead + both[:-16] + nonce + both[-16:] + bytes(4))
        tags.append(both[-16:])
    with open(path, "wb") as f:
        f.write(b"".join(sealed))
    sign_head(folder, keyring, secret, archive, sha(sealed[0][:24], *tags))
    # Left there, they lead to a state that no head signs any more, and every act is refused.
    for copy in glob.glob(os.path.join(folder, "segments", "*", "*.cat")):
        os.unlink(copy)
    return changed


def signing_key(keyring, secret, archive):
    with open(keyring, "rb") as f:
        body = raw.bodies(f.read(), archive, ((secret, False),))[0]
    at = 8 + 32 + 8 + 32 + 32 + 32 + 4
    size = struct.unpack_from("<H", body, at)[0]
    key = body[at + 2:at + 2 + size]
    at += 2 + size
    size = struct.unpack_from("<H", body, at)[0]
    return key, body[at + 2:at + 2 + size]


def sign_head(folder, keyring, secret, archive, pages):
    """The newest head, over these pages."""
    key, certificate = signing_key(keyring, secret, archive)
    for kind, name, data in (("pkey", "forger.key", key), ("x509", "forger.pem", certificate)):
        subprocess.run(["openssl", kind, "-inform", "DER", "-out", name], input=data, capture_output=True, check=True)
    with open(os.path.join(folder, "audit", "heads"), "rb") as f:
        heads = f.read()
    at = last = 128
    while at < len(heads):
        last, (a, b) = at, struct.unpack_from("<II", heads, at)
        at += 8 + a + b + 20
    a, _ = struct.unpack_from("<II", heads, last)
    statement = json.loads(heads[last + 8:last + 8 + a])
    statement["pages"] = pages.hex()
    text = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    with open("forger.txt", "wb") as f:
        f.write(text)
    signature = subprocess.run(["openssl", "cms", "-sign", "-binary", "-nosmimecap", "-in", "forger.txt", "-signer", "forger.pem",
                                "-inkey", "forger.key", "-outform", "DER"], capture_output=True, check=True).stdout
    record = struct.pack("<II", len(text), len(signature)) + text + signature
    record += struct.pack("<I", len(record) + 20)
    record += sha(record)[:16]
    for name in ("heads", "heads.2"):
        with open(os.path.join(folder, "audit", name), "wb") as f:
            f.write(heads[:last] + record)

#!/usr/bin/python3
"""An independent reader of muniment archives, written from docs/format.md alone.

  reader.py ARCHIVE --keyring F (--key-file F | --passphrase-file F) list [SYSTEM[@LABEL]]
  reader.py ARCHIVE ... extract SYSTEM[@LABEL] PATH > FILE
  reader.py ARCHIVE ... check        block tags, file digests, Merkle roots, the log

It shares no code with muniment: Python, its sqlite3, and the packages
python3-cryptography and python3-zstandard.  It reads an archive at rest (no WAL
content); it mends nothing.
"""
import argparse
import hashlib
import hmac
import json
import os
import sqlite3
import struct
import sys

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

PAGE, RESERVE, PENDING = 8192, 32, 131073
OPEN_ENDED = (1 << 63) - 1


class Damaged(Exception):
    pass


def need(claim, what):
    if not claim:
        raise Damaged(what)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(secret, salt, info, size=32):
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info.encode()).derive(secret)


class Cut:
    """Reads little-endian fields in order."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(self.at + n <= len(self.data), "a record ends too early")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            need(shift < 70, "a varint is too long")

    def zigzag(self):
        v = self.varint()
        return (v >> 1) ^ -(v & 1)

    def left(self):
        return len(self.data) - self.at


# ---- muniment.toml and the keyring ---------------------------------------------------

def read_toml(archive):
    with open(os.path.join(archive, "muniment.toml"), "rb") as f:
        raw = f.read()
    at = raw.rindex(b"check = ")
    values = dict(line.split(" = ", 1) for line in raw.decode().splitlines() if line and not line.startswith("#"))
    need(values["check"].strip('"') == hashlib.sha256(raw[:at]).hexdigest(), "muniment.toml is not what was written")
    need(values["format"] == "1", "a format that this reader does not know")
    return bytes.fromhex(values["id"].strip('"'))


def keyring_half(raw, half, archive):
    columns = []
    for i in range(48):
        column = raw[half * 32768 + i * 512:half * 32768 + (i + 1) * 512]
        if sha(archive, bytes([half, i]), column[:496])[:16] != column[496:]:
            return None
        columns.append(column[:496])
    payload = b"".join(columns)
    if payload[:8] != b"MUNIKEYS" or payload[16:32] != archive:
        return None
    if sha(bytes([half]), payload[:48], bytes(32), payload[80:]) != payload[48:80]:
        return None
    return payload


def open_slot(cut, archive, secret, is_passphrase):
    """Steps over one slot; the master key if the secret opens it."""
    number, kind = cut.number(4), cut.number(1)
    cut.number(8)
    cut.take(cut.number(1))
    if kind == 3:
        cut.take(cut.number(2))
        cut.take(cut.number(2))
        return None
    log_n, r, p = cut.number(1), cut.number(4), cut.number(4)
    salt, public, nonce, sealed, ephemeral, wrapped = (cut.take(n) for n in (32, 32, 12, 48, 32, 40))
    if (kind == 1) != is_passphrase:
        return None
    if kind == 1:
        kek = hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=1 << 30)
    else:
        kek = hkdf(secret, salt, "muniment key file 1")
    ad = b"MUNISLOT" + archive + struct.pack("<IB", number, kind) + public
    try:
        private = AESGCM(kek).decrypt(nonce, sealed, ad)
    except InvalidTag:
        return None
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(ephemeral))
    try:
        return aes_key_unwrap(hkdf(shared, archive + ephemeral + public, "muniment slot wrap 1"), wrapped)
    except InvalidUnwrap:
        return None


def open_keyring(path, archive, secret, is_passphrase):
    with open(path, "rb") as f:
        raw = f.read()
    halves = [(struct.unpack_from("<Q", h, 32)[0], i, h) for i in (0, 1) if (h := keyring_half(raw, i, archive))]
    need(halves, "no half of the keyring is whole (this reader mends none)")
    generation, half, payload = max(halves)
    slots_size, body_size = struct.unpack_from("<II", payload, 40)
    slots = payload[80:80 + slots_size]
    cut, master = Cut(slots), None
    for _ in range(struct.unpack_from("<I", payload, 12)[0]):
        master = open_slot(cut, archive, secret, is_passphrase) or master
    if master is None and not is_passphrase and len(secret) == 32:
        master = secret
    need(master, "the secret opens no slot")
    at = 80 + slots_size
    ad = b"MUNIKEYS" + struct.pack("<I", 1) + archive + struct.pack("<QB", generation, half) + sha(slots)
    body = AESGCM(master).decrypt(payload[at:at + 12], payload[at + 12:at + 12 + body_size + 16], ad)
    cut = Cut(body)
    epoch, key = cut.number(8), cut.take(32)
    cut.take(8 + 32)
    dedupe, _chunker = cut.take(32), cut.take(32)
    cut.take(4)
    cut.take(cut.number(2))
    return {"epoch": epoch, "catalogue": key, "dedupe": dedupe, "certificate": cut.take(cut.number(2))}


# ---- the catalogue -------------------------------------------------------------------

def open_catalogue(folder, archive, keys):
    """The sealed pages, opened into a plain database in memory."""
    path = os.path.join(folder, f"catalogue.{keys['epoch']}")
    wal = path + "-wal"
    need(not os.path.exists(wal) or os.path.getsize(wal) == 0, "the archive is being written: this reader reads one at rest")
    with open(path, "rb") as f:
        raw = f.read()
    need(raw[:4] == b"MUC\x01" and len(raw) % PAGE == 0, "the catalogue is not one")
    database = archive + struct.pack("<Q", keys["epoch"]) + raw[4:16]
    gcm = AESGCM(hkdf(keys["catalogue"], database, "muniment catalogue pages"))
    pages = []
    for number in range(1, len(raw) // PAGE + 1):
        page = raw[(number - 1) * PAGE:number * PAGE]
        if number == PENDING:
            pages.append(bytes(PAGE))
            continue
        start = 24 if number == 1 else 0
        ad = database + struct.pack("<I", number) + page[:start]
        try:
            plain = gcm.decrypt(page[8160:8172], page[start:8160] + page[8172:8188], ad)
        except InvalidTag:
            raise Damaged(f"page {number} of the catalogue is not what was written") from None
        if number == 1:
            plain = b"SQLite format 3\0" + page[16:18] + b"\1\1" + page[20:24] + plain
        pages.append(plain + bytes(RESERVE))
    db = sqlite3.connect(":memory:")
    db.text_factory = bytes
    db.deserialize(b"".join(pages))
    return db



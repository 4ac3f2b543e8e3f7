#!/usr/bin/python3
"""An independent reader of muniment archives, written from docs/format.md alone.

  reader.py ARCHIVE --keyring F (--key-file F | --passphrase-file F) list [SYSTEM[@LABEL]]
  reader.py ARCHIVE ... extract SYSTEM[@LABEL] PATH > FILE
  reader.py ARCHIVE ... check        block tags, file digests, Merkle roots, the log
  reader.py ARCHIVE ... inventory SYSTEM        its items, a JSON object a line; checks the scan's digest
  reader.py ARCHIVE ... rebuild > FILE          catalogue.N from base and redo, byte for byte; needs no catalogue

It shares no code with muniment: Python, its sqlite3, and the packages
python3-cryptography and python3-zstandard.  It reads an archive at rest (no WAL
content); it mends nothing.
"""
import argparse
import functools
import hashlib
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


@functools.lru_cache(maxsize=16)        # half a second each, and asked for again and again by tests
def stretched(secret, salt, log_n, r, p):
    return hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=1 << 30)


def open_slot(cut, archive, secret, is_passphrase):
    """Steps over one slot; if the secret opens it, every key that leads to the master key, and that one."""
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
        kek = stretched(secret, salt, log_n, r, p)
    else:
        kek = hkdf(secret, salt, "muniment key file 1")
    ad = b"MUNISLOT" + archive + struct.pack("<IB", number, kind) + public
    try:
        private = AESGCM(kek).decrypt(nonce, sealed, ad)
    except InvalidTag:
        return None
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(ephemeral))
    wrapping = hkdf(shared, archive + ephemeral + public, "muniment slot wrap 1")
    try:
        master = aes_key_unwrap(wrapping, wrapped)
    except InvalidUnwrap:
        return None
    return {"secret's key": kek, "slot's private key": private, "shared point": shared, "wrapping key": wrapping, "master": master}


def open_keyring(path, archive, secret, is_passphrase):
    with open(path, "rb") as f:
        raw = f.read()
    halves = [(struct.unpack_from("<Q", h, 32)[0], i, h) for i in (0, 1) if (h := keyring_half(raw, i, archive))]
    need(halves, "no half of the keyring is whole (this reader mends none)")
    generation, half, payload = max(halves)
    slots_size, body_size = struct.unpack_from("<II", payload, 40)
    slots = payload[80:80 + slots_size]
    cut, slot = Cut(slots), None
    for _ in range(struct.unpack_from("<I", payload, 12)[0]):
        slot = open_slot(cut, archive, secret, is_passphrase) or slot
    if slot is None and not is_passphrase and len(secret) == 32:
        slot = {"master": secret}
    need(slot, "the secret opens no slot")
    at = 80 + slots_size
    format = payload[8:12]      # 2: the signing key was renewed; more stands behind the body's certificate
    need(format in (b"\1\0\0\0", b"\2\0\0\0"), "a keyring of a format that this reader does not know")
    ad = b"MUNIKEYS" + format + archive + struct.pack("<QB", generation, half) + sha(slots)
    body = AESGCM(slot["master"]).decrypt(payload[at:at + 12], payload[at + 12:at + 12 + body_size + 16], ad)
    cut = Cut(body)
    epoch, key = cut.number(8), cut.take(32)
    cut.take(8 + 32)
    dedupe, chunker = cut.take(32), cut.take(32)
    cut.take(4)
    signing = cut.take(cut.number(2))
    return {"epoch": epoch, "catalogue": key, "dedupe": dedupe, "chunker": chunker, "signing": signing,
            "certificate": cut.take(cut.number(2)), "slot": slot}


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


# ---- base and redo ----

def redo_payload(raw):
    columns, data, parity = struct.unpack_from("<III", raw, 76)
    size = struct.unpack_from("<Q", raw, 200)[0] if raw[8] >= 2 else columns * data
    at = 256 + 16 * (data + parity)
    for i in range(data):
        column = raw[at + i * columns:at + (i + 1) * columns]
        need(sha(column)[:16] == raw[256 + 16 * i:272 + 16 * i], "a column of a copy is damaged; this reader mends nothing")
    return raw[at:at + size]


def redo_pages(raw, keys, archive):
    """[(page number, sealed page)] of an object; formats 2 and 3 by the first of the keys that opens it, none: []."""
    form, kind = struct.unpack_from("<II", raw, 8)
    epoch, = struct.unpack_from("<Q", raw, 48)
    many, first = struct.unpack_from("<II", raw, 88)
    payload = redo_payload(raw)
    numbers = range(first, first + many) if kind == 1 else struct.unpack_from(f"<{many}I", payload)
    cut = Cut(payload)
    cut.take(0 if kind == 1 else 4 * many)
    if form == 1:
        return [(n, cut.take(PAGE)) for n in numbers]
    head = cut.take(24)
    seals = [cut.take(28) for _ in numbers]
    sizes = [cut.number(4) for _ in range((many + 511) // 512)]
    need(form in (2, 3), "a copy is of a format that this reader does not know")
    bound = raw[12 if form == 2 else 8:64] + payload[:cut.at]
    sealed = [cut.take(size) for size in sizes]
    need(cut.left() == 0, "a copy has something behind its pieces")
    salt = archive + struct.pack("<Q", epoch)
    for key in keys:
        gcm = AESGCM(hkdf(key, salt + raw[32:48], "muniment catalogue copy"))
        try:
            pieces = [gcm.decrypt(struct.pack("<I8x", i), piece, bound) for i, piece in enumerate(sealed)]
        except InvalidTag:
            continue
        gcm = AESGCM(hkdf(key, salt + head[4:16], "muniment catalogue pages"))
        pieces = [redo_piece(form, piece, min(512, many - 512 * i)) for i, piece in enumerate(pieces)]
        return redo_again(numbers, seals, pieces, head, gcm, salt + head[4:16])
    return []


def unzstd(data, size):
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)


def redo_piece(form, piece, pages):
    """What a piece holds: its pages' bodies joined."""
    size = 8160 * pages
    if form == 2:
        return piece if len(piece) == size else unzstd(piece, size)
    need(piece[0] in (0, 1, 2), "a piece of a copy is made in a way that this reader does not know")
    if piece[0] == 1:
        streams = unzstd(piece[5:], struct.unpack_from("<I", piece, 1)[0])
        return Columns(streams).pages(pages)
    return unzstd(piece[1:], size) if piece[0] == 2 else piece[1:]


def sqlite_varint(v):
    if v >> 56:
        return bytes(v >> 8 + 7 * i & 0x7F | 0x80 for i in range(7, -1, -1)) + bytes([v & 0xFF])
    groups = [v & 0x7F]
    while v >> 7:
        v >>= 7
        groups.append(v & 0x7F | 0x80)
    return bytes(reversed(groups))


class Columns:
    """Pages from "Columns apart"."""

    def __init__(self, data):
        cut = Cut(data)
        sizes, self.flags, self.before = [self.sizes(cut, 8)], [], {}
        for _ in range(cut.number(1)):
            columns = cut.number(1)
            sizes.append(self.sizes(cut, 1))
            flags = []
            for _ in range(columns):
                flags.append(cut.number(1))
                sizes.append(self.sizes(cut, 42))
            self.flags.append(flags)
        streams = [[Cut(cut.take(n)) for n in several] for several in sizes]
        need(cut.left() == 0, "there is something behind the columns of a copy")
        self.all, self.rows, self.columns, rest = streams[0], [], [], iter(streams[1:])
        for flags in self.flags:
            self.rows.append(next(rest)[0])
            self.columns.append([next(rest) for _ in flags])
        self.streams = [stream for several in streams for stream in several]

    @staticmethod
    def sizes(cut, count):
        mask = cut.varint()
        need(mask >> count == 0, "a copy names a stream that there is not")
        return [cut.varint() if mask >> i & 1 else 0 for i in range(count)]

    def pages(self, count):
        pages = [self.page() for _ in range(count)]
        need(all(stream.left() == 0 for stream in self.streams), "a stream of a copy is not used to its end")
        return b"".join(pages)

    def add(self, what, step, bits):
        self.before[what] = (self.before.get(what, 0) + step) % (1 << bits)
        return self.before[what]

    def page(self):
        kind = self.all[0].number(1)
        if kind == 0:
            return self.all[1].take(8160)
        head = self.all[2].take(8)
        if head[0] in (2, 5):
            head += self.all[2].take(4)
        cells, place, page, pointers = struct.unpack_from(">H", head, 3)[0], 8160, [None] * 8160, b""
        for _ in range(cells):
            cell = self.cell(kind - 1, head[0])
            place = (place - max(len(cell), 4) + 256 * self.all[3].number(1) + self.all[4].number(1)) % 65536
            need(place + len(cell) <= 8160 and not any(b is not None for b in page[place:place + len(cell)]), "cells of a copy overlap")
            page[place:place + len(cell)] = cell
            pointers += struct.pack(">H", place)
        head += pointers
        need(all(b is None for b in page[:len(head)]), "a cell of a copy lies before its page's cells")
        return head + bytes(self.all[7].number(1) if b is None else b for b in page[len(head):])

    def cell(self, group, kind):
        child = struct.pack(">I", self.add("child", self.all[5].zigzag(), 32)) if kind in (2, 5) else b""
        row = sqlite_varint(self.add(group, self.rows[group].zigzag(), 64)) if kind in (5, 13) else b""
        if kind == 5:
            return child + row
        types = [column[0].varint() for column in self.columns[group]]
        sizes = [(0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[t] if t < 10 else (t - 12) // 2 for t in types]
        said = b"".join(sqlite_varint(t) for t in types)
        record = sqlite_varint(len(said) + (1 if len(said) < 127 else 2)) + said
        payload = len(record) + sum(sizes)
        most, least = 8125 if kind == 13 else 8148 * 64 // 255 - 23, 8148 * 32 // 255 - 23
        local = payload if payload <= most else least + (payload - least) % 8156
        local = least if local > most and payload > most else local
        for i, (t, size) in enumerate(zip(types, sizes)):
            there = min(size, local - len(record))
            record += self.number(group, i, size) if 1 <= t <= 6 and there == size else self.value(group, i, there)
        chain = self.all[6].take(4) if local < payload else b""
        return child + sqlite_varint(payload) + row + record + chain

    def number(self, group, i, size):
        v = sum(self.columns[group][i][1 + k].number(1) << 8 * k for k in range(size))
        if self.flags[group][i] & 1:
            v = self.before.get((group, i), 0) + ((v >> 1) ^ -(v & 1))
        v %= 1 << 8 * size
        self.before[group, i] = v - (1 << 8 * size) if v >> 8 * size - 1 else v
        return v.to_bytes(size, "big")

    def value(self, group, i, size):
        apart = min(size, 32) if self.flags[group][i] & 2 else 0
        first = b"".join(self.columns[group][i][10 + k].take(1) for k in range(apart))
        return first + self.columns[group][i][9].take(size - apart)


def redo_again(numbers, seals, pieces, head, gcm, database):
    """Pages sealed again under the nonces that they have: the bytes that they are in the catalogue."""
    pages = []
    for i, (number, seal) in enumerate(zip(numbers, seals)):
        if i % 512 == 0:
            raw = 8160 * min(512, len(seals) - i)
            piece = pieces[i // 512]
            need(len(piece) == raw, "a piece of a copy has another size than its pages")
        body, plain = piece[i % 512 * 8160:][:8160], head if number == 1 else b""
        if number == PENDING:
            pages.append((number, bytes(PAGE)))
            continue
        again = gcm.encrypt(seal[:12], body[len(plain):], database + struct.pack("<I", number) + plain)
        need(again[-16:] == seal[12:], "a page of a copy is not the one whose seal it names")
        pages.append((number, plain + again[:-16] + seal + bytes(4)))
    return pages


def rebuild_catalogue(folder, archive, keys):
    """The newest whole base, and the changes that follow it."""
    sets = {}
    for at, _, names in os.walk(os.path.join(folder, "segments")):
        for name in names:
            if name.endswith(".cat") and not name.startswith("."):
                with open(os.path.join(at, name), "rb") as f:
                    raw = f.read()
                need(raw[:8] == b"MUNIREDO" and sha(raw[:224]) == raw[224:256], "a copy's head is damaged")
                if raw[16:32] == archive and struct.unpack_from("<Q", raw, 48)[0] == keys["epoch"]:
                    sets.setdefault(struct.unpack_from("<Q", raw, 56)[0], []).append(raw)
    sets = {n: sorted(s, key=lambda raw: struct.unpack_from("<I", raw, 64)) for n, s in sets.items() if len(s) == struct.unpack_from("<I", s[0], 68)[0]}
    begin = max((n for n, s in sets.items() if s[0][12] == 1), default=None)
    need(begin is not None, "there is no whole base")
    pages, tags, now = {}, {}, None
    for number in sorted(n for n in sets if n >= begin):
        parts = sets[number]
        if number > begin and (parts[0][12] != 2 or number - 1 not in sets or parts[0][104:136] != now):
            break
        for raw in parts:
            pages.update(redo_pages(raw, [keys["catalogue"]], archive))
        count, = struct.unpack_from("<Q", parts[0], 96)
        now = parts[0][136:168]
        tags = [pages[n][8172:8188] for n in range(1, count + 1) if n != PENDING]
        need(sha(pages[1][:24], *tags) == now, "a set does not lead to the catalogue that it names")
    return b"".join(pages[n] for n in range(1, count + 1))


def attributes(blob):
    """node.attrs, as docs/format.md has it."""
    cut = Cut(blob)
    head = cut.number(2)
    bit = lambda n: head >> n & 1       # noqa: E731
    a = {"kind": head & 7, "mode": cut.varint(), "uid": cut.varint(), "gid": cut.varint(), "unstable": bit(15)}
    a["owner"], a["group"] = (cut.varint(), cut.varint()) if bit(10) else (0, 0)
    a["size"] = cut.varint()
    a["allocated"] = cut.varint() if bit(13) else a["size"] if a["kind"] == 1 else 0
    a["links"] = cut.varint() if bit(12) else 1
    if a["kind"] in (6, 7):
        a["major"], a["minor"] = cut.varint(), cut.varint()

    def stamp(form, before, same):
        if form == same:
            return before
        if form == 3:
            total = before[0] * 10**9 + before[1] + cut.zigzag()
            return total // 10**9, total % 10**9
        seconds = before[0] + cut.zigzag()
        seconds = (seconds + (1 << 63)) % (1 << 64) - (1 << 63)
        return seconds, cut.number(4) if form == 2 else 0

    seconds = cut.zigzag()
    a["mtime"] = seconds, cut.number(4) if bit(3) else 0
    a["ctime"] = stamp(head >> 4 & 3, a["mtime"], 0)
    a["atime"] = stamp(head >> 6 & 3, a["ctime"], 0)
    a["btime"] = None if head >> 8 & 3 == 0 else stamp(head >> 8 & 3, a["ctime"], 1)
    if bit(11):
        cut.varint(), cut.varint()
    a["xattrs"] = cut.varint() if bit(14) else 0
    a["target"] = cut.take(a["size"]) if a["kind"] == 3 else b""
    need(cut.left() == 0, "attributes have something behind them")
    return a


def extents(blob, offset):
    """One page: (file offset, size, block, offset in the block) ..., and whether more pages follow."""
    cut = Cut(blob)
    count = cut.varint()
    found, block, at, size = [], None, 0, 0
    for i in range(count >> 1):
        head = cut.varint()
        offset += cut.varint() if head & 1 else 0
        if head & 2:
            at += size
        else:
            block = cut.varint() if i == 0 else block + cut.zigzag()
            at = cut.varint()
        size = head >> 2
        found.append((offset, size, block, at))
        offset += size
    need(cut.left() == 0, "extents have something behind them")
    return found, count & 1


class Archive:
    def __init__(self, folder, keyring, secret, is_passphrase):
        self.folder = folder
        self.id = read_toml(folder)
        self.keys = open_keyring(keyring, self.id, secret, is_passphrase)
        self.db = open_catalogue(folder, self.id, self.keys)
        self.blocks = {}

    def one(self, sql, *values):
        row = self.db.execute(sql, values).fetchone()
        need(row, f"the catalogue lacks a row: {sql}")
        return row

    def versions(self, system=None):
        sql = ("SELECT v.id, s.name, v.label, s.root, v.merkle, v.state FROM version v JOIN system s ON s.id = v.system "
               "WHERE v.state > 0 AND (? IS NULL OR s.name = ?) ORDER BY v.id")
        return self.db.execute(sql, (system, system)).fetchall()

    def version(self, spec):
        name, _, label = spec.partition("@")
        found = [v for v in self.versions(name) if not label or v[2].decode() == label]
        need(found, f"no version {spec}")
        return found[-1]

    def entries(self, version, directory):
        return self.db.execute("SELECT name, kind, target, salt FROM entry WHERE dir = ? AND first <= ? "
                               "AND (last IS NULL OR last >= ?) ORDER BY name", (directory, version, version)).fetchall()

    def directory(self, version, directory):
        return self.one("SELECT node, root FROM directory WHERE id = ? AND first <= ? AND (last IS NULL OR last >= ?)",
                        directory, version, version)

    def node(self, number):
        content, record_class, attrs = self.one("SELECT content, class, attrs FROM node WHERE id = ?", number)
        return {"id": number, "content": content, "class": record_class, **attributes(attrs)}

    def walk(self, version, directory, prefix=b""):
        for name, kind, target, salt in self.entries(version, directory):
            number = self.directory(version, target)[0] if kind == 2 else target
            yield prefix + name, kind, self.node(number)
            if kind == 2:
                yield from self.walk(version, target, prefix + name + b"/")

    def block(self, number):
        if number in self.blocks:
            return self.blocks[number]
        uid, key, segment, offset, stored, raw, codec, base1, base2 = self.one(
            "SELECT b.uid, b.key, s.uid, b.offset, b.stored, b.raw, b.codec, b.base1, b.base2 "
            "FROM block b JOIN segment s ON s.id = b.segment WHERE b.id = ?", number)
        with open(os.path.join(self.folder, "segments", segment.hex()[:2], segment.hex() + ".seg"), "rb") as f:
            f.seek(offset)
            sealed = f.read(stored)
        ad = b"muniment.block\0\0" + struct.pack("<I", 1) + self.id + uid
        try:
            plain = AESGCM(key).decrypt(bytes(12), sealed, ad)
        except InvalidTag:
            raise Damaged(f"block {uid.hex()} is not what was written") from None
        if codec:
            prefix = b"".join(self.block(b) for b in (base1, base2) if b)
            extra = {"dict_data": zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)} if codec == 2 else {}
            plain = zstandard.ZstdDecompressor(**extra).decompress(plain, max_output_size=raw)
        need(len(plain) == raw, f"block {uid.hex()} decodes to another size")
        if len(self.blocks) > 64:
            self.blocks.pop(next(iter(self.blocks)))
        self.blocks[number] = plain
        return plain

    def data(self, node):
        """(offset, bytes) in order; what lies between is hole."""
        if not node["content"]:
            return
        page, offset = self.one("SELECT extents FROM content WHERE id = ?", node["content"])[0], 0
        while True:
            found, more = extents(page, offset)
            for at, size, block, inside in found:
                yield at, self.block(block)[inside:inside + size]
            if not more:
                return
            offset, page = self.one("SELECT page, extents FROM content_page WHERE content = ? AND page > ? ORDER BY page LIMIT 1",
                                    node["content"], found[-1][0])

    def find(self, version, path):
        here, found = version[3], None
        parts = [p for p in path.split(b"/") if p]
        for i, part in enumerate(parts):
            rows = [r for r in self.entries(version[0], here) if r[0] == part]
            need(rows, f"no {path!r}")
            _, kind, target, _ = rows[0]
            need(kind == 2 or i == len(parts) - 1, f"{part!r} is no folder")
            found, here = (kind, target), target
        need(found and found[0] == 1, f"{path!r} is no file")
        return self.node(found[1])

    def extract(self, node, out):
        at = 0
        for offset, data in self.data(node):
            while at < offset:
                step = min(1 << 20, offset - at)
                out.write(bytes(step))
                at += step
            out.write(data)
            at += len(data)
        while at < node["size"]:
            step = min(1 << 20, node["size"] - at)
            out.write(bytes(step))
            at += step

    # ---- the inventory ----

    def inventory(self, name):
        """What the newest whole scan of a system saw, in order of paths."""
        scan, system, digest = self.one("SELECT scan.id, system.id, digest FROM scan JOIN system ON system.id = system "
                                        "WHERE name = ? AND state = 2 ORDER BY scan.id DESC LIMIT 1", name)
        words = {number: text.decode() for number, text in self.db.execute("SELECT id, text FROM word")}
        words[None] = None
        running = hashlib.sha256()
        for path, number, seen, attrs, sha, *kinds, opaque, findings, original, copies in self.db.execute(
                "SELECT path, id, scan, attrs, sha, format, claimed, encoding, script, opaque, findings, original, copies "
                "FROM item WHERE system = ? ORDER BY path", (system,)):
            a = attributes(attrs)
            need(seen <= scan, "an item was seen by a later scan")
            size = a["size"] if a["kind"] == 1 else 0
            running.update(struct.pack("<QIQ", len(path), a["kind"], size) + path + (sha or bytes(32)))
            found = self.db.execute("SELECT recogniser, count, confidence, places, samples FROM finding WHERE item = ? "
                                    "ORDER BY at", (number,)).fetchall()
            need(len(found) == findings, "an item has other findings than it says")
            yield {"path": path, "kind": a["kind"], "size": a["size"], "mode": a["mode"], "mtime": a["mtime"],
                   "sha256": sha.hex() if sha else None, "opaque": opaque.decode() if opaque else None,
                   "original": original, "copies": copies,
                   **dict(zip(("format", "claimed", "encoding", "script"), (words[k] for k in kinds))),
                   "findings": [{"type": words[w], "count": n, "confidence": c / 100, "where": where.decode(),
                                 "samples": json.loads(samples)} for w, n, c, where, samples in found]}
        need(running.digest() == digest, "the inventory is not what the scan left")

    # ---- checks ----

    def check_files(self):
        """Every content once, against the SHA-256 that the catalogue has (holes up to 1 GiB)."""
        seen = {}
        for version in self.versions():
            for path, kind, node in self.walk(version[0], version[3]):
                if kind != 1 or not node["content"] or node["content"] in seen or node["size"] - node["allocated"] > 1 << 30:
                    continue
                seen[node["content"]] = True
                wanted = self.one("SELECT sha FROM content WHERE id = ?", node["content"])[0]
                digest = Sink()
                self.extract(node, digest)
                need(digest.hash.digest() == wanted, f"{path!r} is not what was taken in")
        return len(seen)

    def check_log(self):
        """Entries, their sums, and the newest head's root."""
        with open(os.path.join(self.folder, "audit", "log"), "rb") as f:
            raw = f.read()
        with open(os.path.join(self.folder, "audit", "heads"), "rb") as f:
            heads = f.read()
        need(raw[:8] == b"MUNILOGF" and sha(raw[:112])[:16] == raw[112:128], "the log's head is not what was written")
        leaves = []
        for at in range(128, len(raw), 128):
            entry = raw[at:at + 128]
            need(sha(entry[:112])[:16] == entry[112:], f"log entry {len(leaves)} is not what was written")
            need(struct.unpack_from("<Q", entry)[0] == len(leaves), "the log's entries are not in order")
            leaves.append(sha(b"\0", entry[:112]))
        at, statement = 128, None
        while at < len(heads):
            a, b = struct.unpack_from("<II", heads, at)
            record = heads[at:at + 8 + a + b + 20]
            need(sha(record[:-16])[:16] == record[-16:], "a head is not what was written")
            statement = json.loads(record[8:8 + a])
            need(tree(leaves[:statement["count"]]).hex() == statement["root"], "a head does not match the log")
            at += len(record)
        return len(leaves)


class Sink:
    def __init__(self):
        self.hash = hashlib.sha256()

    def write(self, data):
        self.hash.update(data)


def tree(leaves):
    """RFC 9162, 2.1.1."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1", tree(leaves[:k]), tree(leaves[k:]))


def show(archive, spec):
    if spec is None:
        for _, system, label, _, merkle, state in archive.versions():
            print(f"{system.decode()}@{label.decode()} {'complete' if state == 1 else 'incomplete'} {merkle.hex()}")
        return
    version = archive.version(spec)
    letters = "?-dlpscb"
    for path, kind, node in archive.walk(version[0], version[3]):
        seconds, ns = node["mtime"]
        print(f"{letters[kind]} {node['mode']:04o} {node['uid']}:{node['gid']} {node['size']} {seconds}.{ns:09d} {ascii(path)[2:-1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--keyring", required=True)
    secret = parser.add_mutually_exclusive_group(required=True)
    secret.add_argument("--key-file")
    secret.add_argument("--passphrase-file")
    parser.add_argument("command", choices=("list", "extract", "check", "inventory", "rebuild"))
    parser.add_argument("rest", nargs="*")
    args = parser.parse_args()
    with open(args.key_file or args.passphrase_file, "rb") as f:
        data = f.read()
    if args.passphrase_file:
        data = data.split(b"\n", 1)[0]
    try:
        if args.command == "rebuild":
            number = read_toml(args.archive)
            keys = open_keyring(args.keyring, number, data, bool(args.passphrase_file))
            sys.stdout.buffer.write(rebuild_catalogue(args.archive, number, keys))
            return 0
        archive = Archive(args.archive, args.keyring, data, bool(args.passphrase_file))
        if args.command == "list":
            show(archive, args.rest[0] if args.rest else None)
        elif args.command == "extract":
            version = archive.version(args.rest[0])
            archive.extract(archive.find(version, os.fsencode(args.rest[1])), sys.stdout.buffer)
        elif args.command == "inventory":
            for row in archive.inventory(args.rest[0]):
                row["path"], row["original"] = ([*b] if b is not None else None for b in (row["path"], row["original"]))
                print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{archive.check_files()} contents and {archive.check_log()} log entries are what was written")
    except Damaged as why:
        print(f"reader: {why}", file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())

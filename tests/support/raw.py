"""Everything that can be made readable of an archive's folder with the keys at hand, by any means: written from
docs/format.md alone, beside reader.py.  Opens what no row names any more: free pages, frames of a write-ahead log,
base and redo, blocks whose row is gone."""
import base64
import bisect
import functools
import os
import re
import sqlite3
import struct
import subprocess
import tempfile

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import reader
from reader import PAGE, Cut, hkdf, keyring_half, open_slot

WAL_HEAD, FRAME_HEAD = 32, 24


def files_of(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    yield path, f.read()


@functools.cache
def bodies(raw, archive, secrets):
    """What every secret opens of every half that is whole: the keyring's body in clear."""
    found = []
    for number in (0, 1):
        payload = keyring_half(raw, number, archive)
        if payload is None:
            continue
        slots_size, body_size = struct.unpack_from("<II", payload, 40)
        slots = payload[80:80 + slots_size]
        ad = b"MUNIKEYS" + payload[8:12] + archive + payload[32:40] + bytes([number]) + reader.sha(slots)
        at = 80 + slots_size
        for secret, is_passphrase in secrets:
            cut, masters = Cut(slots), [secret] if len(secret) == 32 else []
            for _ in range(struct.unpack_from("<I", payload, 12)[0]):
                opened = open_slot(cut, archive, secret, is_passphrase)
                masters.append(opened and opened["master"])
            for master in filter(None, masters):
                try:
                    found.append(AESGCM(master).decrypt(payload[at:at + 12], payload[at + 12:at + 28 + body_size], ad))
                except InvalidTag:
                    pass
    return found


def keys_in(body):
    """All that could be a key: at every fourth byte of the part that has keys."""
    return {body[i:i + 32] for i in range(0, 160, 4)}


def open_page(gcm, database, number, sealed):
    start = 24 if number == 1 else 0
    try:
        plain = gcm.decrypt(sealed[8160:8172], sealed[start:8160] + sealed[8172:8188],
                            database + struct.pack("<I", number) + sealed[:start])
    except InvalidTag:
        return None
    if number == 1:
        plain = b"SQLite format 3\0" + sealed[16:18] + b"\1\1" + sealed[20:24] + plain
    return plain + bytes(32)


def decipher(head, offset, keys):
    """A header of the write-ahead log."""
    half = len(head) // 2
    left, right = head[:half], head[half:]

    def aes(key, block):
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    def xor(a, b):
        return bytes(x ^ y for x, y in zip(a, b))

    for r in (3, 2, 1, 0):
        tweak = aes(keys[:32], struct.pack("<QBB6x", offset, len(head), r))
        half_of = right if r % 2 == 0 else left
        mask = aes(keys[32:], xor(half_of.ljust(16, b"\0"), tweak))[:half]
        if r % 2:
            right = xor(right, mask)
        else:
            left = xor(left, mask)
    return left + right


class Spoils:
    """texts: [(where, bytes)], all that could be made readable; block_keys: those that opened a block."""

    def __init__(self, folder, keyring, secrets, more_keys=()):
        self.texts, self.databases, self.block_keys, self.blocks = [], [], set(), {}
        self.opened = {}        # file: count of pages that opened
        self.archive = reader.read_toml(folder)
        with open(keyring, "rb") as f:
            raw = f.read()
        self.opened_bodies = bodies(raw, self.archive, tuple(secrets))
        self.files = list(files_of(folder)) + [(keyring, raw)]
        self.texts += self.files + [("the keyring's body", b) for b in self.opened_bodies]
        self.keys = set(more_keys).union(*map(keys_in, self.opened_bodies))
        self.by_database = {}
        self.catalogues()
        self.copies()
        self.segments()

    def keys_of(self, epoch, file_id, number, sealed):
        """The database's id, the keys of its pages and its log, found by trying each on this page."""
        database = self.archive + struct.pack("<Q", epoch) + file_id
        if not self.by_database.get(database):
            for key in self.keys:
                gcm = AESGCM(hkdf(key, database, "muniment catalogue pages"))
                if open_page(gcm, database, number, sealed):
                    self.by_database[database] = gcm, hkdf(key, database, "muniment catalogue wal", 64)
        return database, self.by_database.get(database)

    def catalogues(self):
        """Whatever their names, of whatever epoch."""
        self.file_ids = set()
        for path, raw in self.files:
            if raw[:4] != b"MUC\x01":
                continue
            self.file_ids.add(raw[4:16])
            for epoch in range(1, 17):
                database, keys = self.keys_of(epoch, raw[4:16], 1, raw[:PAGE])
                if keys:
                    self.open_file(path, raw, database, keys)

    def open_file(self, path, raw, database, keys):
        plain = []
        for number in range(1, len(raw) // PAGE + 1):
            page = open_page(keys[0], database, number, raw[(number - 1) * PAGE:number * PAGE])
            plain.append(page or bytes(PAGE))
            if page:
                self.keep(path, number, page)
        db = sqlite3.connect(":memory:")
        db.text_factory = bytes
        db.deserialize(b"".join(plain))
        self.databases.append(db)
        for wal, log in self.files:
            if wal == path + "-wal":
                self.wal(wal, log, database, keys)

    def wal(self, path, raw, database, keys):
        for at in range(WAL_HEAD, len(raw) - FRAME_HEAD - PAGE + 1, FRAME_HEAD + PAGE):
            number = struct.unpack_from(">I", decipher(raw[at:at + FRAME_HEAD], at, keys[1]))[0]
            page = open_page(keys[0], database, number, raw[at + FRAME_HEAD:at + FRAME_HEAD + PAGE])
            if page:
                self.keep(path, number, page)

    def copies(self):
        found = [(path, struct.unpack_from("<Q", raw, 48)[0], reader.redo_pages(raw, self.keys, self.archive))
                 for path, raw in self.files if raw[:8] == b"MUNIREDO"]
        for _, _, pages in found:
            self.file_ids |= {page[4:16] for number, page in pages if number == 1}
        for path, epoch, pages in found:
            for file_id in self.file_ids:
                database, keys = self.keys_of(epoch, file_id, *pages[0]) if pages else (None, None)
                for number, sealed in pages if keys else ():
                    page = open_page(keys[0], database, number, sealed)
                    if page:
                        self.keep(path, number, page)

    def keep(self, path, number, page):
        self.texts.append((f"{path}, page {number}", page))
        self.opened[path] = self.opened.get(path, 0) + 1

    def segments(self):
        """Every block of every segment, under every key that stands behind its id anywhere, and under every other."""
        self.rows, self.sealed, plain, candidates = {}, {}, {}, set(self.keys)
        for db in self.databases:
            uids = dict(db.execute("SELECT id, uid FROM block"))
            for uid, key, base1, base2 in db.execute("SELECT uid, key, base1, base2 FROM block"):
                self.rows[uid] = [uids[b] for b in (base1, base2) if b in uids]
                candidates.add(key)
        pages = b"".join(text for where, text in self.texts if ", page " in where)
        for _, raw in self.files:
            if raw[:8] != b"MUNISEGM":
                continue
            count, foot = struct.unpack_from("<IQ", raw, len(raw) - 52)
            for i in range(count):
                uid, offset, stored = struct.unpack_from("<16sQI", raw, foot + 44 * i)
                self.sealed[uid] = raw[offset:offset + stored]
        for uid, data in self.sealed.items():
            near = {pages[m.end():m.end() + 32] for m in re.finditer(re.escape(uid), pages)}
            ad = b"muniment.block\0\0" + struct.pack("<I", 1) + self.archive + uid
            for key in (k for k in [*near, *candidates] if len(k) == 32):
                try:
                    plain[uid] = AESGCM(key).decrypt(bytes(12), data, ad)
                    self.block_keys.add(key)
                    break
                except InvalidTag:
                    pass
        for uid in plain:
            self.blocks[uid] = self.decode(uid, plain)
            self.texts.append((f"block {uid.hex()}", self.blocks[uid]))

    def decode(self, uid, plain, depth=0):
        data = plain.get(uid, b"")
        if depth > 8 or data[:4] != b"\x28\xb5\x2f\xfd":
            return data
        bases = b"".join(self.decode(b, plain, depth + 1) for b in self.rows.get(uid, []))
        extra = {"dict_data": zstandard.ZstdCompressionDict(bases, dict_type=zstandard.DICT_TYPE_RAWCONTENT)} if bases else {}
        try:
            return zstandard.ZstdDecompressor(**extra).decompress(data, max_output_size=1 << 21)
        except zstandard.ZstdError:
            return data

    def search(self, needles):
        """{what: [where, ...]} of those that stand somewhere, as they are or in a common dress."""
        wanted = {}             # a line of grep -F: [(what, dress, where in it the line begins)]
        for what, needle in needles.items():
            if len(needle) < 5:
                raise ValueError(f"{what} is too short to look for")
            for dress in dressed(needle):
                line = max(dress.split(b"\n"), key=len)[:12]
                wanted.setdefault(line, []).append((what, dress, dress.index(line)))
        starts, at = [], 0
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "lines"), "wb") as f:
                f.write(b"\n".join(wanted) + b"\n")
            with open(os.path.join(folder, "texts"), "wb") as f:
                for _, text in self.texts:
                    starts.append(at)
                    at += f.write(text) + f.write(b"\n\n")
            found = subprocess.run(["grep", "-obaF", "-f", "lines", "texts"], cwd=folder, capture_output=True, check=False,
                                   env={**os.environ, "LC_ALL": "C"})
        if found.returncode > 1:
            raise RuntimeError(found.stderr)
        # grep shows no line that begins within another: these are looked for here.
        met, sizes = {}, {len(line) for line in wanted}
        for offset, line in re.findall(rb"^(\d+):(.*)$", found.stdout, re.M):
            number = bisect.bisect(starts, int(offset)) - 1
            name, text = self.texts[number]
            for at in range(int(offset) - starts[number], int(offset) - starts[number] + len(line)):
                for size in sizes:
                    for what, dress, lead in wanted.get(text[at:at + size], ()):
                        if at >= lead and text[at - lead:at - lead + len(dress)] == dress:
                            met.setdefault(what, []).append(name)
        return met


def dressed(needle):
    """As it is, in hex, in UTF-16, and in base64 at each of the three places that its first byte can have."""
    yield needle
    yield needle.hex().encode()
    yield needle.hex().upper().encode()
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + needle)[4 if lead else 0:(lead + len(needle)) // 3 * 4]
        if len(text) >= 8:
            yield text
            yield text.translate(bytes.maketrans(b"+/", b"-_"))
    try:
        yield needle.decode().encode("utf-16-le")
    except UnicodeDecodeError:
        pass

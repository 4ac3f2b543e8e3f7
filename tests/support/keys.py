"""Every key of an archive, derived from its keyring and a secret by the independent reader, in every shape in which a
process might have it: {what it is: bytes}.  And the search for them in processes, files and words."""
import base64
import os
import struct

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

import memory
import reader

LEAST = 12      # shorter needles would be found by chance
SMALL = 1 << 14     # a file that is searched for each needle by itself; larger ones in one pass for all


def _sbox():
    """The one of AES, FIPS 197, from its definition."""
    exp, log, x = [0] * 256, [0] * 256, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= (x << 1) ^ (0x11B if x & 0x80 else 0)
        x &= 0xFF
    box = []
    for value in range(256):
        inverse = exp[(255 - log[value]) % 255] if value else 0
        out = 0x63
        for shift in range(5):
            out ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        box.append(out)
    return box


SBOX = _sbox()


def round_keys(key):
    """The fifteen round keys of AES-256: two that follow each other give the key."""
    words, rcon = [key[i:i + 4] for i in range(0, 32, 4)], 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ rcon]) + word[1:]
            rcon <<= 1
        elif len(words) % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]


def shapes(name, key):
    """A key as it is, turned round (a BIGNUM's words), in hex and in base64; halves of it, too."""
    found = {name: key[:16], f"{name} (end)": key[-16:], f"{name} (turned round)": key[::-1][:16],
             f"{name} (turned round, end)": key[::-1][-16:], f"{name} (hex)": key.hex()[:32].encode(),
             f"{name} (HEX)": key.hex().upper()[:32].encode(), f"{name} (base64)": base64.b64encode(key)[:21]}
    return {what: needle for what, needle in found.items() if len(needle) >= LEAST and len(set(needle)) > 3}


def schedule(name, key):
    return {f"{name} (round key {n})": k for n, k in enumerate(round_keys(key))}


def private_parts(name, der):
    """Of a private key in DER: the numbers that are secret."""
    key = load_der_private_key(der, None)
    found = {}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        found.update(shapes(f"{name}'s scalar", key.private_numbers().private_value.to_bytes(key.key_size // 8, "big")))
    elif isinstance(key, rsa.RSAPrivateKey):
        n = key.private_numbers()
        for what in ("d", "p", "q", "dmp1", "dmq1", "iqmp"):
            value = getattr(n, what)
            found.update(shapes(f"{name}'s {what}", value.to_bytes((value.bit_length() + 7) // 8, "big")))
    return found


def of_archive(a, secret, is_passphrase=False):
    """(keys that have to lie in locked memory, keys of blocks, which lie in SQLite's)."""
    archive = reader.read_toml(a.path)
    keys = reader.open_keyring(a.keyring, archive, secret, is_passphrase)
    kind = "passphrase" if is_passphrase else "key file"
    found = shapes(f"the {kind}", secret)
    for name, key in keys["slot"].items():
        name = "the master key" if name == "master" else f"the {kind}'s {name}"
        found.update(shapes(name, key))
        found.update(schedule(name, key))
    for name in ("catalogue", "dedupe", "chunker"):
        found.update(shapes(f"the {name} key", keys[name]))
    found.update(private_parts("the signing key", keys["signing"]))
    with open(os.path.join(a.path, f"catalogue.{keys['epoch']}"), "rb") as f:
        head = f.read(16)
    salt = archive + struct.pack("<Q", keys["epoch"]) + head[4:16]
    pages = reader.hkdf(keys["catalogue"], salt, "muniment catalogue pages")
    wal = reader.hkdf(keys["catalogue"], salt, "muniment catalogue wal", 64)
    for name, key in (("page key", pages), ("WAL's mask", wal[:32]), ("WAL's round", wal[32:])):
        found.update(shapes(f"the {name}", key))
        found.update(schedule(f"the {name}", key))
    return found


def of_blocks(a, secret, is_passphrase=False, most=40):
    """Keys of blocks of an archive at rest."""
    r = reader.Archive(a.path, a.keyring, secret, is_passphrase)
    found = {}
    for n, key in r.db.execute("SELECT id, key FROM block ORDER BY id LIMIT ?", (most,)):
        found.update({f"the key of block {n}": key[:16], f"the key of block {n} (end)": key[-16:]})
        found.update(schedule(f"the key of block {n}", key))
    return found


def astray(pid, locked, undumped=(), is_locking=True):
    """What of it stands where it may not: keys outside locked memory that cores leave out, keys of blocks outside
    memory that cores leave out.  is_locking: this process may lock as much as it needs."""
    hits = memory.find(pid, {**locked, **dict(undumped)})
    want = {"lo", "dd"} if is_locking else {"dd"}
    return [h for h in hits if not (want if h.what in locked else {"dd"}) <= h.mapping.flags]


def in_words(pid, needles):
    """In the arguments and the environment of a process."""
    found = []
    for name in ("cmdline", "environ"):
        found += in_files([f"/proc/{pid}/{name}"], needles)
    return found


def in_files(paths, needles):
    found = []
    for path in paths:
        try:
            with open(path, "rb") as f:
                if os.fstat(f.fileno()).st_size > SMALL:
                    found += [f"{what} in {path}" for what, _, _ in memory.seek(os.path.abspath(path), needles)]
                    continue
                data = f.read()
        except (OSError, ProcessLookupError):
            continue
        found += [f"{what} in {path}" for what, needle in needles.items() if needle in data]
    return found

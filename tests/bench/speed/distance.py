"""How each measure stands to the best peer, and to what the machine allows: limits put together of measured parts."""
import targets
from tables import number, table

MIB = 1 << 20
BLOCK = 64 << 10                # what a short read has to decode, at the least that size allows


def chapter(view):
    rows = [row for row in (*_taking_in(view), *_mount(view), *_large(view), *_all(view)) if row]
    return rows and table(("measure", "muniment", " unit", " best peer", "its figure", "times as good", "limit",
                           " what limits it", "of the limit"), rows)


def _row(view, name, kind, measure, unit, limit, words, more_is_better=False):
    ours = view.get(kind, "muniment", measure)
    if not ours:
        return None
    title, theirs = targets.best(view, kind, measure, more_is_better)
    better = theirs and (ours / theirs if more_is_better else theirs / ours)
    share = limit and (ours / limit if more_is_better else limit / ours)
    return (name, ours, unit, title, theirs, better, limit, words,
            f"{number(100 * share)} %" if share else None)


def _rate(view, kind, name, threads="all"):
    return view.get(kind, "limit", f"{name}-{threads}")


def coding_seconds(view, kind):
    """To compress, seal and digest a corpus once, on all cores and with nothing else to do."""
    size, stored = view.get(kind, "-", "bytes"), view.get(kind, "muniment", "size-data")
    rates = [_rate(view, kind, n) for n in ("zstd-encode", "aes-256-gcm", "sha-256")]
    if not size or not stored or None in rates:
        return None
    encode, seal, digest = rates
    return size / MIB / encode + stored / MIB / seal + size / MIB / digest


def _taking_in(view):
    for kind in ("big", "mixed", "many"):
        coding, reading = coding_seconds(view, kind), view.get(kind, "limit", "read-source")
        yield _row(view, f"ingest {kind}", kind, "ingest", "s", coding and reading and coding + reading,
                   "reading the source, then zstd, SHA-256 and AES, on all cores")
        yield _row(view, f"{kind} again", kind, "again", "s", view.get(kind, "limit", "walk-source"),
                   "find over the source, on one core")


def _mount(view):
    for key, name in (("first-ls", "mount to first ls"), ("walk", "walk of many"),
                      ("walk-warm", "walk of many, warm"),
                      ("read-1", "read many, 1 reader"), ("read-4", "read many, 4 readers")):
        yield _row(view, name, "many", key, "s", view.get("many", "null", key),
                   "null FUSE: the kernel's round trip")
    for key, name in (("read-1", "read mixed, 1 reader"), ("read-4", "read mixed, 4 readers")):
        yield _row(view, name, "mixed", key, "s", view.get("mixed", "folder", key),
                   "the disk's own file system, and cat")


def _large(view):
    null, decode = view.get("big", "null", "read-all-rate"), _rate(view, "big", "zstd-decode")
    yield _row(view, "sequential", "big", "read-all-rate", "MiB/s", null and decode and min(null, decode),
               "null FUSE" if null and decode and null < decode else "zstd's decoder on all cores", True)
    for size, length in (("4k", 4096), ("128k", 128 << 10)):
        for readers in (1, 4):
            limit = _random_limit(view, max(length, BLOCK), f"random-{size}-{readers}", readers)
            yield _row(view, f"random {size[:-1]} KiB, {readers} reader{'s' * (readers > 1)}", "big",
                       f"random-{size}-{readers}", "reads/s", limit,
                       f"null FUSE, then AES and zstd of {max(length, BLOCK) >> 10} KiB", True)


def _random_limit(view, length, measure, readers):
    """A reader waits for the round trip, then for a block to be opened and decoded; all of them share the cores."""
    null, threads = view.get("big", "null", measure), "1" if readers == 1 else "all"
    decode, unseal = _rate(view, "big", "zstd-decode", threads), _rate(view, "big", "aes-256-gcm", threads)
    stored, raw = view.get("big", "muniment", "size-data"), view.get("big", "-", "bytes")
    if None in (null, decode, unseal, stored, raw):
        return None
    work = length / MIB
    return 1 / (1 / null + work / decode + work * stored / raw / unseal)


def _all(view):
    for kind in ("big", "mixed", "many"):
        size, stored = view.get(kind, "-", "bytes"), view.get(kind, "muniment", "size-data")
        rates = [_rate(view, kind, n) for n in ("zstd-decode", "aes-256-gcm", "sha-256")]
        reading = view.get(kind, "limit", "read-store")
        if not size or not stored or None in rates or not reading:
            continue
        decode, unseal, digest = rates
        opening = size / MIB / decode + stored / MIB / unseal
        for key, name, work in (("verify", "verify", opening),
                                ("verify-deep", "verify --deep", opening + size / MIB / digest),
                                ("export-tar", "export as tar", opening)):
            words = "the disk" if reading > work else \
                "zstd, AES and SHA-256 on all cores" if key == "verify-deep" else "zstd and AES on all cores"
            yield _row(view, f"{name}, {kind}", kind, key, "s", max(work, reading), words)

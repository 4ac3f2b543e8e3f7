"""The generated tables of docs/performance.md, one function each; empty where nothing was measured."""
import corpora
import distance
import estimate
import systems
import targets
from tables import cell, number, table

MIB = 1 << 20
ORDER = ("muniment", "muniment-dense", "squashfs", "squashfs-gocryptfs", "gocryptfs", "borg", "restic",
         "dwarfs", "folder", "null")
TITLES = {**targets.PEERS, "muniment": "**muniment**", "muniment-dense": "**muniment --dense**",
          "folder": "plain folder (ext4 or other)", "null": "null FUSE"}
SECRET = {s.name for s in systems.PEERS if s.encrypted} | {"muniment", "muniment-dense"}


def _measured(view, kind, measure):
    return [n for n in ORDER if (kind, n, measure) in view.found]


def _first(view, measure):
    return next((r.value for r in view.rows if r.measure == measure), "")


def how(view):
    machine = _first(view, "machine")
    if not machine:
        return ""
    steals = sorted(float(r.steal) for r in view.rows if r.steal)
    loads = sorted(float(r.load) for r in view.rows if r.load)
    versions = [r.value for r in view.rows if r.measure == "version"]
    absent = [r.value for r in view.rows if r.measure == "absent"]
    lines = [f"* {_first(view, 'date')}, scale \"{_first(view, 'scale')}\": {machine}.",
             f"* {'; '.join(versions)}.", f"* {_first(view, 'cold')}"]
    if absent:
        lines.append(f"* Not measured: {'; '.join(absent)}.")
    if steals:
        lines.append(f"* Processor time stolen by the host, of {len(steals)} steps: median "
                     f"{steals[len(steals) // 2]:.1f} %, highest {steals[-1]:.0f} %; load before a step: "
                     f"median {loads[len(loads) // 2]:.1f}, highest {loads[-1]:.1f}.")
    for kind, words in corpora.KINDS.items():
        size = view.get(kind, "-", "bytes")
        if size:
            lines.append(f"* *{kind}*: {words}; {number(size / MIB)} MiB, "
                         f"{view.get(kind, '-', 'files'):,.0f} files.".replace(",", " "))
    return "\n".join(lines)


def summary(view):
    found = targets.all_of(view)
    rows = [(t.measure, f"{number(t.ours)} {t.unit}", number(t.theirs), t.other or "-", t.ratio,
             f"{t.wanted:.2f}", t.words, t.met()) for t in found]
    return rows and table(("measure", "muniment", "against", " what", "ratio", "wanted", " that is", " met"), rows)


def ingest(view):
    out = ""
    for kind in ("big", "mixed", "many"):
        size = view.get(kind, "-", "bytes")
        rows = [(TITLES[n], cell(view, kind, n, "ingest"),
                 size / MIB / view.get(kind, n, "ingest") if view.get(kind, n, "ingest") else None,
                 *(cell(view, kind, n, m) for m in ("ingest-synced", "ingest-cpu", "ingest-memory", "again")))
                for n in _measured(view, kind, "ingest")]
        if rows:
            out += f"\n**{kind}**\n\n" + table(
                ("", "seconds", "MiB/s", "with sync, s", "processor, s", "memory, MiB", "again, s"), rows)
    return out


def sizes(view):
    rows = []
    for kind in ("big", "mixed", "many", "versions"):
        for n in _measured(view, kind, "size"):
            size, raw = view.get(kind, n, "size"), view.get(kind, "-", "bytes")
            rows.append((kind, TITLES[n], size / MIB, 100 * size / raw,
                         *(cell(view, kind, n, f"size-{p}", 1 / MIB).rstrip("*")
                           if view.get(kind, n, f"size-{p}") is not None else None
                           for p in ("data", "catalogue", "copies", "parity"))))
    out = rows and table(("corpus", " system", "MiB", "% of raw", "data", "catalogue", "its copies",
                          "parity (apart)"), rows)
    rows = []
    for kind in ("big", "mixed", "many"):
        sample = f"{kind}-sample"
        raw = view.get(sample, "-", "bytes")
        rows += [(kind, number(raw / MIB), title, view.get(sample, n, "size") / MIB,
                  cell(view, sample, n, "ingest"))
                 for n, title in (("muniment-19", "**muniment --level 19**"),
                                  ("squashfs-19", "squashfs, zstd 19, blocks of 1 MiB"))
                 if view.get(sample, n, "size")]
    if rows:
        out = (out or "") + "\nAt the highest level, on a part of each:\n\n" + table(
            ("corpus", "of it, MiB", " system", "MiB", "seconds"), rows)
    return out


def versions(view):
    rows = [(TITLES[n], cell(view, "versions", n, "ingest"),
             *(cell(view, "versions", n, f"ingest-v{i}") for i in range(1, 6)),
             (view.get("versions", n, "size") or 0) / MIB or None,
             view.get("versions", n, "size") / view.get("versions", "squashfs", "size")
             if view.get("versions", n, "size") and view.get("versions", "squashfs", "size") else None)
            for n in _measured(view, "versions", "ingest")]
    return rows and table(("", "seconds, all", "v1", "v2", "v3", "v4", "v5", "MiB", "of squashfs"), rows)


def trees(view):
    out = ""
    for kind in ("many", "mixed"):
        entries = view.get(kind, "-", "entries")
        rows = [(TITLES[n], cell(view, kind, n, "first-ls"), cell(view, kind, n, "walk"),
                 entries / view.get(kind, n, "walk") if view.get(kind, n, "walk") and entries else None,
                 *(cell(view, kind, n, m) for m in ("walk-warm", "read-1", "read-4", "memory")))
                for n in _measured(view, kind, "walk")]
        if rows:
            out += f"\n**{kind}**\n\n" + table(
                ("", "mount to ls, s", "walk, s", "entries/s", "warm, s", "read, 1 reader, s",
                 "4 readers, s", "memory, MiB"), rows)
    return out


def big(view):
    rows = [(TITLES[n], *(cell(view, "big", n, m) for m in (
        "first-ls", "read-all-rate", "read-all-warm-rate", "memory")))
        for n in _measured(view, "big", "read-all")]
    out = rows and table(("", "mount to ls, s", "in order, MiB/s", "warm, MiB/s", "memory, MiB"), rows)
    rows = []
    for n in _measured(view, "big", "random-4k-1"):
        row = [TITLES[n]]
        for size in ("4k", "128k"):
            for readers in (1, 4):
                key = f"random-{size}-{readers}"
                row += [cell(view, "big", n, key),
                        " / ".join(number(view.get("big", n, f"{key}-{p}")) for p in ("p50", "p99"))]
        rows.append(row)
    if rows:
        out += "\nAt random: reads a second, and median / 99th percentile in microseconds.\n\n" + table(
            ("", "4 KiB, 1 reader", "us", "4 KiB, 4", "us", "128 KiB, 1", "us", "128 KiB, 4", "us"), rows)
    return out


def check(view):
    rows = []
    for kind in ("big", "mixed", "many"):
        limit, size = targets.decoding_seconds(view, kind), view.get(kind, "-", "bytes")
        for key, name in (("verify", "verify"), ("verify-deep", "verify --deep"),
                          ("export-tar", "export --format tar")):
            took = view.get(kind, "muniment", key)
            if took:
                rows.append((kind, name, cell(view, kind, "muniment", key), size / MIB / took,
                             *(cell(view, kind, "muniment", f"{key}-{m}") for m in ("cpu", "memory")),
                             limit, limit / took if limit else None))
    return rows and table(("corpus", " what", "seconds", "MiB/s", "processor, s", "memory, MiB",
                           "decoding alone, or the disk, s", "of that speed"), rows)


def limits(view):
    rows = [(kind, *(cell(view, kind, "limit", f"{name}-{t}") for name in (
        "zstd-encode", "zstd-decode", "aes-256-gcm", "sha-256") for t in ("1", "all")))
        for kind in ("big", "mixed", "many") if view.get(kind, "limit", "zstd-encode-1")]
    if not rows:
        return ""
    out = table(("MiB/s of", "zstd 3, 1 thread", "all", "decode, 1", "all", "AES-GCM, 1", "all",
                 "SHA-256, 1", "all"), rows)
    return out + (f"\nDisk: {cell(view, '-', 'limit', 'disk-write-1')} MiB/s written with fsync, "
                  f"{cell(view, '-', 'limit', 'disk-read-1')} read.\n")


def growth(view):
    files = sorted((int(k[6:]), k) for k in {r.corpus for r in view.rows if r.corpus.startswith("files-")})
    out = ""
    rows = [(number(float(n)), *(cell(view, k, "muniment", m, s) for m, s in (
        ("ingest", 1), ("again", 1), ("ingest-memory", 1), ("size-catalogue", 1 / MIB), ("first-ls", 1),
        ("walk", 1), ("memory", 1), ("verify-deep", 1), ("destroy-one", 1), ("destroy-1pc", 1))),
        cell(view, k, "squashfs", "ingest"),
        cell(view, k, "squashfs", "first-ls"), cell(view, k, "squashfs", "walk")) for n, k in files]
    if rows:
        out += table(("files", "ingest, s", "again, s", "its memory, MiB", "catalogue, MiB", "mount to ls, s",
                      "walk, s", "munifs, MiB", "verify --deep, s", "destroy one, s", "destroy 1 %, s",
                      "squashfs: ingest, s", "mount to ls, s",
                      "walk, s"), rows)
    sizes_ = sorted((int(k[6:]), k) for k in {r.corpus for r in view.rows if r.corpus.startswith("bytes-")})
    rows = [(f"{n / (1 << 30):g}", *(cell(view, k, "muniment", m, s) for m, s in (
        ("ingest", 1), ("ingest-memory", 1), ("size", 1 / MIB), ("size-catalogue", 1 / MIB), ("first-ls", 1),
        ("read-all", 1), ("memory", 1), ("verify-deep", 1)))) for n, k in sizes_]
    if rows:
        out += "\n" + table(("GiB, one file", "ingest, s", "its memory, MiB", "size, MiB", "catalogue, MiB",
                             "mount to ls, s", "read, s", "munifs, MiB", "verify --deep, s"), rows)
    return out


ALL = {"how": how, "summary": summary, "ingest": ingest, "sizes": sizes, "versions": versions,
       "trees": trees, "big": big, "check": check, "limits": limits, "distance": distance.chapter, "growth": growth,
       "estimate": estimate.chapter}

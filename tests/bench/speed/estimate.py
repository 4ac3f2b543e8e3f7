"""What 10^8 files and 100 TiB take, from this run's figures and formulae that are written beside them."""
from tables import number, table

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
FILES, BYTES = 10 ** 8, 100 * TIB
HOUR, DAY = 3600.0, 86400.0
STEADY = 1.1


def chapter(view):
    small, large = _steps(view, "files-"), _steps(view, "bytes-")
    if not small or not large:
        return ""
    rows = [row for row in (
        _sum(view, small, large, "time to take in", "ingest", DAY, "days"),
        _sum(view, small, large, "the same again, unchanged", "again", HOUR, "hours"),
        _sum(view, small, large, "catalogue", "size-catalogue", GIB, "GiB"),
        _sum(view, small, large, "its copies (base and redo)", "size-copies", GIB, "GiB"),
        _sum(view, small, large, "verify --deep", "verify-deep", DAY, "days"),
        _sum(view, small, large, "walk of all", "walk", HOUR, "hours"),
        _flat(view, small, large, "memory to take in", "ingest-memory"),
        _flat(view, small, large, "memory of munifs, walked", "memory"),
        *_destruction(view, small)) if row]
    return rows and table(("", "for each file", "for each GiB", " formula", "10^8 files, 100 TiB"), rows)


def _steps(view, prefix):
    """The two largest steps of a growth, between which the slope is taken: (n, corpus), ascending."""
    kinds = {r.corpus for r in view.rows if r.corpus.startswith(prefix) and r.system == "muniment"}
    return sorted((int(k[len(prefix):]), k) for k in kinds)[-2:]


def _slope(view, steps, measure):
    """What one more file or byte costs; None where there are not two figures."""
    found = [(n, view.get(k, "muniment", measure)) for n, k in steps]
    if len(found) < 2 or None in (found[0][1], found[1][1]):
        return None
    return max(0.0, (found[1][1] - found[0][1]) / (found[1][0] - found[0][0]))


def _sum(view, small, large, name, measure, scale, unit):
    """N x (a file's share) + B x (a byte's share): the content of the small files is in the first."""
    a, b = _slope(view, small, measure), _slope(view, large, measure)
    if a is None:
        return None
    total = FILES * a + BYTES * (b or 0)
    sizes = unit == "GiB"
    each = f"{number(a)} B" if sizes else f"{number(a * 1e6)} us"
    every = ("-" if b is None else f"{number(b * GIB / 1024)} KiB" if sizes else f"{number(b * GIB)} s")
    return name, each, every, "N a + B b" if b else "N a", f"{number(total / scale)} {unit}"


def _flat(view, small, large, name, measure):
    """Memory: the highest that was met, and what its slope would add where it has one."""
    a, b = _steady(view, small, measure), _steady(view, large, measure)
    peaks = [view.get(k, "muniment", measure) for _, k in (*small, *large)]
    peaks = [p for p in peaks if p is not None]
    if a is None or not peaks:
        return None
    most = max(peaks) + FILES * a + BYTES * (b or 0)
    if most == max(peaks):
        return name, "-", "-", "peak: it does not grow", _memory(most)
    return (name, f"{number(a * MIB)} B", "-" if b is None else f"{number(b * GIB)} MiB",
            "peak + N a + B b, at most", f"{_memory(max(peaks))} to {_memory(most)}")


def _memory(mib):
    return f"{number(mib)} MiB" if mib < 10240 else f"{number(mib / 1024)} GiB"


def _steady(view, steps, measure):
    """The slope; none where ten times the source took less than a tenth more."""
    found = [view.get(k, "muniment", measure) for _, k in steps]
    if len(found) == 2 and None not in found and found[1] <= STEADY * found[0]:
        return 0.0
    return _slope(view, steps, measure)


def _destruction(view, small):
    """Rows are gone through and copied, whatever goes; blocks that hold survivors are made anew."""
    for key, name in (("destroy-one", "destruction of one record"),
                      ("destroy-1pc", "destruction of 1 % of all, by chance")):
        a = _slope(view, small, key)
        if a is not None:
            yield name, f"{number(a * 1e6)} us", "-", "N a", f"{number(FILES * a / HOUR)} hours"

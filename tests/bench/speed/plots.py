"""Plots as SVG, drawn by hand: bars of systems side by side, lines of growth. Readable on light and dark."""
import math
from xml.sax.saxutils import escape

import chapters
from tables import number

MIB = 1 << 20
WIDTH, LABEL, LINE, GAP = 760, 210, 20, 12
# On paper of their own, so that light and dark pages show the same; attributes, no style sheet: each renderer
# knows those.
PAPER, INK, GRID = "#fbfbf9", "#24292f", "#d0d7de"
FILLS = {"ours": "#0a5dc2", "peer": "#8c959f", "other": "#c9a86a"}
STROKES = ("#0a5dc2", "#b35900", "#1a7f37", "#8250df")
FONTS = {"": 'font-size="13"', "title": 'font-size="15" font-weight="bold"', "small": 'font-size="11"'}


class Drawing:
    def __init__(self, title, height):
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
                      f'width="{WIDTH}" height="{height:.0f}" role="img" font-family="sans-serif" '
                      f'fill="{INK}">', f"<title>{escape(title)}</title>",
                      f'<rect width="{WIDTH}" height="{height:.0f}" rx="6" fill="{PAPER}"/>']
        self.text(12, 22, title, "title")

    def text(self, x, y, words, kind="", anchor="start", colour=INK):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {FONTS[kind]} fill="{colour}" '
                          f'text-anchor="{anchor}">'
                          f"{escape(words)}</text>")

    def bar(self, x, y, width, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(1.0, width):.1f}" height="{LINE - 6}" '
                          f'fill="{FILLS[kind]}"/>')

    def stroke(self, x, y, x2, y2):
        self.parts.append(f'<path stroke="{GRID}" d="M{x:.1f} {y:.1f}L{x2:.1f} {y2:.1f}"/>')

    def done(self):
        return "\n".join([*self.parts, "</svg>", ""])


def bars(title, unit, groups, logarithmic=False):
    """Groups of (name, [(label, value, kind)]), one axis under all of them."""
    groups = [(name, [row for row in rows if row[1]]) for name, rows in groups]
    groups = [(name, rows) for name, rows in groups if rows]
    values = [value for _, rows in groups for _, value, _ in rows]
    if not values:
        return ""
    top = 36
    height = top + sum(LINE * len(rows) + LINE + GAP for _, rows in groups) + 44
    drawing = Drawing(title, height)
    low, high, ticks = _axis(values, logarithmic)
    room = WIDTH - LABEL - 90

    def place(value):
        if logarithmic:
            return LABEL + room * (math.log10(value) - low) / (high - low)
        return LABEL + room * value / high

    for tick in ticks:
        drawing.stroke(place(tick), top, place(tick), height - 40)
        drawing.text(place(tick), height - 24, number(tick), "small", "middle")
    axis = f"{unit}, each line ten times the one before" if logarithmic else unit
    drawing.text(LABEL + room / 2, height - 8, axis, "small", "middle")
    y = top
    for name, rows in groups:
        drawing.text(12, y + LINE - 5, name)
        y += LINE
        for label, value, kind in rows:
            drawing.text(LABEL - 8, y + LINE - 7, label, "small", "end")
            drawing.bar(LABEL, y + 2, place(value) - LABEL, kind)
            drawing.text(place(value) + 6, y + LINE - 7, number(value), "small")
            y += LINE
        y += GAP
    return drawing.done()


def _axis(values, logarithmic):
    if logarithmic:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        high = max(high, low + 1)
        return low, high, [10.0 ** n for n in range(low, high + 1)]
    step = 10 ** math.floor(math.log10(max(values)))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if max(values) / s <= 6)
    high = math.ceil(max(values) / step) * step
    return 0, high, [step * n for n in range(int(round(high / step)) + 1)]


def lines(title, across, unit, series):
    """Both axes by tens. Series of (label, [(x, y)])."""
    series = [(label, [p for p in points if p[0] and p[1]]) for label, points in series]
    series = [(label, points) for label, points in series if len(points) > 1]
    if not series:
        return ""
    drawing = Drawing(title, 400)
    left, right, top, bottom = 70, WIDTH - 170, 44, 340
    xs = [x for _, points in series for x, _ in points]
    ys = [y for _, points in series for _, y in points]
    x0, x1 = math.log10(min(xs)), math.log10(max(xs))
    y0, y1, ticks = _axis(ys, True)

    def place(x, y):
        return (left + (right - left) * (math.log10(x) - x0) / (x1 - x0),
                bottom - (bottom - top) * (math.log10(y) - y0) / (y1 - y0))

    for tick in ticks:
        y = place(xs[0], tick)[1]
        drawing.stroke(left, y, right, y)
        drawing.text(left - 8, y + 4, number(tick), "small", "end")
    for x in sorted(set(xs)):
        drawing.stroke(place(x, ys[0])[0], top, place(x, ys[0])[0], bottom)
        drawing.text(place(x, ys[0])[0], bottom + 18, f"{x:,.0f}".replace(",", " "), "small", "middle")
    drawing.text((left + right) / 2, bottom + 38, across, "small", "middle")
    drawing.text(left, top - 8, unit, "small")
    ends = _apart([place(*points[-1])[1] for _, points in series])
    for (label, points), end, colour in zip(series, ends, STROKES):
        at = [place(*p) for p in points]
        drawing.parts.append(f'<path fill="none" stroke="{colour}" stroke-width="2.5" d="M'
                             + "L".join(f"{x:.1f} {y:.1f}" for x, y in at) + '"/>')
        drawing.parts += [f'<circle fill="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in at]
        drawing.text(right + 10, end + 4, label, "small", colour=colour)
    return drawing.done()


def _apart(ends):
    """Labels of lines that end close together, moved so that none covers another."""
    order = sorted(range(len(ends)), key=ends.__getitem__)
    placed = list(ends)
    for before, this in zip(order, order[1:]):
        placed[this] = max(placed[this], placed[before] + 15)
    return placed


def _rows(view, kind, measure, value=lambda v: v):
    found = []
    for name in chapters.ORDER:
        got = view.get(kind, name, measure)
        if got is not None:
            group = "ours" if name.startswith("muniment") else "other" if name in ("folder", "null") else "peer"
            found.append((chapters.TITLES[name].strip("*").split(" (")[0], value(got), group))
    return found


def _ingest(view):
    return bars("Taking in: MiB a second, more is better", "MiB of source a second", [
        (kind, _rows(view, kind, "ingest", lambda s, k=kind: view.get(k, "-", "bytes") / MIB / s))
        for kind in ("big", "mixed", "many")], True)


def _sizes(view):
    return bars("Size, parity apart: less is better", "% of the source", [
        (kind, [r for r in _rows(view, kind, "size", lambda s, k=kind: 100 * s / view.get(k, "-", "bytes"))
                if r[0] not in ("plain folder", "gocryptfs")])
        for kind in ("big", "mixed", "many", "versions")])


def _small(view):
    size = view.get("many", "-", "files")
    return size and bars("Small files, cold: more is better", "entries or files a second", [
        (words, _rows(view, "many", key, lambda s: size / s))
        for key, words in (("walk", "walk"), ("read-1", "read all, 1 reader"), ("read-4", "4 readers"))], True)


def _sequential(view):
    return bars("One large file in order: MiB a second, more is better", "MiB a second", [
        ("cold", _rows(view, "big", "read-all-rate")), ("warm", _rows(view, "big", "read-all-warm-rate"))], True)


def _random(view):
    return bars("At random, cold: reads a second, more is better", "reads a second", [
        (f"{size[:-1]} KiB, {readers} reader{'s' * (readers > 1)}", _rows(view, "big", f"random-{size}-{readers}"))
        for size in ("4k", "128k") for readers in (1, 4)], True)


def _growth(view, prefix, across, title):
    kinds = sorted((int(k[len(prefix):]), k) for k in {r.corpus for r in view.rows if r.corpus.startswith(prefix)})
    scale = 1 << 30 if prefix == "bytes-" else 1
    wanted = (("taking in", "ingest"), ("verify --deep", "verify-deep"),
              ("reading", "read-all") if prefix == "bytes-" else ("walk", "walk"), ("mount to ls", "first-ls"))
    return lines(title, across, "seconds", [
        (label, [(n / scale, view.get(k, "muniment", measure)) for n, k in kinds])
        for label, measure in wanted])


def _growth_files(view):
    return _growth(view, "files-", "files", "Growth with the number of files")


def _growth_bytes(view):
    return _growth(view, "bytes-", "GiB in one file", "Growth with the bytes of one file")


# By the chapter that they belong to.
ALL = {"ingest": {"ingest": _ingest}, "sizes": {"sizes": _sizes}, "trees": {"small-files": _small},
       "big": {"sequential": _sequential, "random": _random},
       "growth": {"growth-files": _growth_files, "growth-bytes": _growth_bytes}}

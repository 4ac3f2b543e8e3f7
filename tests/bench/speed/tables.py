"""Figures as Markdown: numbers of three digits, tables, and what was not measured."""


def number(value):
    """Three digits that count, thousands apart; a reason stands as it is."""
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    if value == 0:
        return "0"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:.{digits}f}"


def table(heads, rows):
    """The first column is words, the others are numbers, unless a head begins with a space."""
    lines = ["| " + " | ".join(h.strip() for h in heads) + " |",
             "| " + " | ".join("---" if i == 0 or h.startswith(" ") else "---:"
                               for i, h in enumerate(heads)) + " |"]
    lines += ["| " + " | ".join(number(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(view, corpus, system, measure, scale=1.0):
    """A median; with a mark where it is one round's; in its stead the reason why it is not there."""
    value = view.get(corpus, system, measure)
    if value is None:
        return view.why(corpus, system, measure) or None
    return number(value * scale) + ("*" if view.rounds(corpus, system, measure) == 1 else "")

"""docs/performance.md: each generated table stands between two comments, all else is written by people."""
import os
import re

import chapters
import plots
import targets
from tables import number

BEGIN = "<!-- measured: {} -->"
END = "<!-- end -->"


def write(view, page, target):
    """The page with this run's tables, at `target`; its plots in a folder of the same name beside it."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    pictures = os.path.splitext(target)[0]
    os.makedirs(pictures, exist_ok=True)
    for name, make in chapters.ALL.items():
        made = make(view)
        for picture, draw in plots.ALL.get(name, {}).items():
            drawn = made and draw(view)
            if drawn:
                with open(os.path.join(pictures, f"{picture}.svg"), "w", encoding="utf-8") as file:
                    file.write(drawn)
                title = drawn.split("<title>")[1].split("</title>")[0]
                made += f"\n![{title}]({os.path.basename(pictures)}/{picture}.svg)\n"
        text = _between(text, name, made, page)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


def _between(text, name, made, page):
    begin = BEGIN.format(name)
    pattern = re.compile(re.escape(begin) + r"\n.*?" + re.escape(END), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"bench: {page} must have one place \"{begin}\" ... \"{END}\" for the figures")
    if not made:
        return text             # not measured in this run: what stands there stays
    return pattern.sub(lambda _: f"{begin}\n{made.rstrip()}\n\n{END}", text)


def summary(view):
    """One screen for the terminal."""
    found = targets.all_of(view)
    lines = [f"{'measure':44}{'muniment':>14}{'against':>12}  {'':27}{'ratio':>6}{'wanted':>8}  met"]
    for t in found:
        ours = f"{number(t.ours)} {t.unit}"
        lines.append(f"{t.measure:44}{ours:>14}{number(t.theirs):>12}  {t.other or '-':27}"
                     f"{number(t.ratio):>6}{t.wanted:>8.2f}  {t.met()}")
    counts = [sum(t.met() == word for t in found) for word in ("yes", "nearly", "no")]
    lines.append(f"{counts[0]} met, {counts[1]} nearly, {counts[2]} not; ratio: how many times better "
                 "than what it is held against")
    return "\n".join(lines)

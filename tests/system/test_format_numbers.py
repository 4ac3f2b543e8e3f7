#!/usr/bin/python3
"""Numbers that stand on the disk are in docs/format.md: acts of the log under the names that programs give them, and kinds of
dispositions."""
import os
import re

ROOT = os.environ.get("ROOT", ".")


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def numbers(header, prefix):
    return {name: int(n) for name, n in re.findall(rf"\b({prefix}) = (\d+)\b", text(header))}


def main():
    said = " ".join(text("docs/format.md").split())
    names = dict(re.findall(r'\[(LOG_[A-Z_]+)\] = \{ "([^"]+)"', text("fs/vault/audit_acts.c")))
    acts = numbers("fs/store/log.h", "LOG_[A-Z_]+")
    assert len(acts) >= 42 - 1 and len(set(acts.values())) == len(acts), acts
    missing = [f"{n} {names.get(act, act)}" for act, n in acts.items()
               if act not in names or f"{n} {names[act]}" not in said]
    assert not missing, f"docs/format.md lacks the acts: {', '.join(missing)}"
    kinds = numbers("fs/store/catalogue_dispositions.h", "DISPOSITION_(?:RECORDS|LIVE|SHORTEN|RESTORED)")
    row = re.search(r"\| `disposition` \(id\) \| `kind` \|([^|]*)\|", said).group(1)
    assert kinds and all(re.search(rf"\b{n} ", row) for n in kinds.values()), (kinds, row)


main()

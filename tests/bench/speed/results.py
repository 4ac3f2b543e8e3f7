"""Figures: one row each in a file of tabs, and their medians."""
import collections
import csv
import statistics

COLUMNS = ("part", "corpus", "system", "measure", "unit", "round", "value", "steal", "load", "note")
Row = collections.namedtuple("Row", COLUMNS)
# Above this share of stolen processor time a round is left out where a quieter one exists.
MUCH_STOLEN = 5


class Results:
    def __init__(self, path, keep=False):
        self.path, self.rows = path, []
        if keep:
            self.rows = read(path)
        self._write()

    def _write(self):
        with open(self.path, "w", newline="") as file:
            lines = csv.writer(file, delimiter="\t", lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows(self.rows)

    def begin(self, part):
        """The figures of an earlier run of this part are no more."""
        self.rows = [row for row in self.rows if row.part != part]
        self._write()

    def add(self, *values, **named):
        row = Row(*values, **{"steal": "", "load": "", "note": "", **named})
        self.rows.append(row._replace(value=f"{row.value:.6g}" if isinstance(row.value, float)
                                      else str(row.value), round=str(row.round)))
        with open(self.path, "a", newline="") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n").writerow(self.rows[-1])

    def view(self):
        return View(self.rows)


def read(path):
    try:
        with open(path, newline="") as file:
            return [Row(**line) for line in csv.DictReader(file, delimiter="\t")]
    except FileNotFoundError:
        return []


class View:
    """Medians over the rounds. A figure that could not be had is None, its reason in why()."""

    def __init__(self, rows):
        self.rows = rows
        self.found = collections.defaultdict(list)
        for row in rows:
            self.found[row.corpus, row.system, row.measure].append(row)

    def counted(self, corpus, system, measure):
        rows = [r for r in self.found.get((corpus, system, measure), []) if _is_number(r.value)]
        quiet = [r for r in rows if not r.steal or float(r.steal) <= MUCH_STOLEN]
        return quiet or rows

    def get(self, corpus, system, measure):
        values = [float(r.value) for r in self.counted(corpus, system, measure)]
        return statistics.median(values) if values else None

    def rounds(self, corpus, system, measure):
        return len(self.counted(corpus, system, measure))

    def why(self, corpus, system, measure):
        rows = self.found.get((corpus, system, measure), [])
        return next((r.value for r in rows if not _is_number(r.value)), "")

    def systems(self, corpus=None):
        return list(dict.fromkeys(r.system for r in self.rows if corpus in (None, r.corpus)))


def _is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False

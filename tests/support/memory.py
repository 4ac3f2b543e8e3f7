"""What stands in a process's memory, and of what kind the mappings are in which it stands."""
import os
import subprocess

SEEK = os.path.join(os.environ.get("BUILD", "build"), "support", "seek_memory")


class Mapping:
    """Addresses, rights and name, and the flags of smaps: "lo" is locked, "dd" left out of core files."""

    def __init__(self, line):
        span, self.rights, _, _, _, *name = line.split(None, 5)
        self.begin, self.end = (int(x, 16) for x in span.split("-"))
        self.name = name[0].strip() if name else ""
        self.flags = set()

    def __str__(self):
        return f"{self.begin:x}-{self.end:x} {self.rights} {self.name or 'anonymous'} [{' '.join(sorted(self.flags))}]"


class Hit:
    def __init__(self, what, mapping, at, count, around):
        self.what, self.mapping, self.at, self.count, self.around = what, mapping, at, count, around

    def __str__(self):
        return f"{self.what}: {self.count} times in {self.mapping}, first at {self.at:x} in {self.around!r}"


def mappings(pid):
    found = []
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            first = line.split(None, 1)[0]
            if first == "VmFlags:":
                found[-1].flags = set(line.split()[1:])
            elif not first.endswith(":"):
                found.append(Mapping(line))
    return found


def around(pid, begin, end):
    try:
        with open(f"/proc/{pid}/mem", "rb", 0) as mem:
            return os.pread(mem.fileno(), end - begin, begin)
    except OSError:
        return b""


def seek(where, needles):
    """(what it is, address, count) of each of {what it is: its bytes}, in a process (its number) or a file (its path)."""
    names = list(needles)
    done = subprocess.run([SEEK, str(where)], input="".join(needles[n].hex() + "\n" for n in names), text=True,
                          capture_output=True)
    if done.returncode == 1:
        raise ProcessLookupError(done.stderr)
    assert done.returncode == 0, (SEEK, done.returncode)
    for line in done.stdout.splitlines():
        number, at, count = line.split()
        yield names[int(number)], int(at, 16), int(count)


def find(pid, needles):
    """A Hit for each of them in each mapping that it stands in."""
    maps, hits = mappings(pid), []
    for what, at, count in seek(pid, needles):
        for m in maps:
            if m.begin <= at < m.end:
                hits.append(Hit(what, m, at, count, around(pid, max(m.begin, at - 96), min(m.end, at + len(needles[what]) + 96))))
    return hits


def finds(pid, needle):
    return bool(find(pid, {"": needle}))


def none_of(pid, needles):
    hits = find(pid, needles)
    assert not hits, f"in the memory of process {pid}:\n  " + "\n  ".join(map(str, hits))

"""What stands in a process's memory, read through /proc/PID/mem, and of what kind the mappings are in which it stands."""
import os


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


def content(mem, m):
    """What can be read of a mapping; a page that cannot counts as zeros."""
    data, page = bytearray(), os.sysconf("SC_PAGESIZE")
    while m.begin + len(data) < m.end:
        try:
            data += os.pread(mem, m.end - m.begin - len(data), m.begin + len(data)) or bytes(page)
        except OSError:
            data += bytes(page - len(data) % page)
        except OverflowError:
            break       # the kernel's own
    return bytes(data)


def find(pid, needles):
    """A Hit for each of {what it is: its bytes} in each mapping that it stands in."""
    hits = []
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for m in mappings(pid):
            if "r" not in m.rights:
                continue
            data = content(mem.fileno(), m)
            for what, needle in needles.items():
                at = data.find(needle)
                if at >= 0:
                    hits.append(Hit(what, m, m.begin + at, data.count(needle), data[max(0, at - 96):at + len(needle) + 96]))
    return hits


def finds(pid, needle):
    return bool(find(pid, {"": needle}))


def none_of(pid, needles):
    hits = find(pid, needles)
    assert not hits, f"in the memory of process {pid}:\n  " + "\n  ".join(map(str, hits))

#!/usr/bin/python3
"""Compares two trees strictly: compare.py A B [--no X,Y] ; exit 1 and a line per difference.

Compared: listing, type, mode, owner, size, mtime to the nanosecond, link
target, device numbers, hard-link groups, xattrs (ACLs and capabilities among
them), the hole map, content.  --no leaves out any of: owner mtime dirtime
linktime xattrs trusted holes links ctime blocks nlink dirnlink sockets specials.
ctime is left out unless --ctime is given.  --within: what stands in A alone is no
difference.  Works below PATH_MAX by descriptors.
"""
import argparse
import errno
import os
import stat
import sys

FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Side:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self.groups = {}     # (dev, ino) -> first path


def xattrs_of(fd, name, skip_trusted):
    path = f"/proc/self/fd/{fd}/".encode() + name
    found = {}
    try:
        for key in os.listxattr(path, follow_symlinks=False):
            if key.startswith("trusted.") and skip_trusted:
                continue
            found[key] = os.getxattr(path, key, follow_symlinks=False)
    except OSError as why:
        if why.errno not in (errno.EOPNOTSUPP,):
            found["<error>"] = str(why).encode()
    return found


def data_map(fd, size):
    """Runs of data as [(start, end)], from SEEK_DATA and SEEK_HOLE."""
    runs, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as why:
            if why.errno == errno.ENXIO:
                break
            raise
        end = os.lseek(fd, start, os.SEEK_HOLE)
        runs.append((start, end))
        at = end
    return runs


def same_content(a, b, size, holes, tell):
    map_a, map_b = data_map(a, size), data_map(b, size)
    if holes and map_a != map_b:
        tell(f"hole map {map_a[:6]} != {map_b[:6]}")
    runs = map_a if holes else sorted(map_a + map_b)
    for start, end in runs:
        at = start
        while at < end:
            want = min(1 << 20, end - at)
            x, y = os.pread(a, want, at), os.pread(b, want, at)
            if x != y:
                n = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
                tell(f"content differs at byte {at + n}")
                return
            if not x:
                tell(f"ends at byte {at}")
                return
            at += len(x)


class Compare:
    def __init__(self, a, b, args):
        self.a, self.b, self.args = Side(a), Side(b), args
        self.without = set(filter(None, args.no.split(",")))
        self.differences = 0
        self.entries = 0

    def tell(self, path, what):
        self.differences += 1
        if self.differences <= 200:
            print(f"{path!r}: {what}")

    def attributes(self, path, sa, sb):
        kind = stat.S_IFMT(sa.st_mode)
        if kind != stat.S_IFMT(sb.st_mode):
            self.tell(path, f"type {kind:o} != {stat.S_IFMT(sb.st_mode):o}")
            return False
        if stat.S_IMODE(sa.st_mode) != stat.S_IMODE(sb.st_mode):
            self.tell(path, f"mode {sa.st_mode:o} != {sb.st_mode:o}")
        if "owner" not in self.without and (sa.st_uid, sa.st_gid) != (sb.st_uid, sb.st_gid):
            self.tell(path, f"owner {sa.st_uid}:{sa.st_gid} != {sb.st_uid}:{sb.st_gid}")
        if not stat.S_ISDIR(kind) and sa.st_size != sb.st_size:
            self.tell(path, f"size {sa.st_size} != {sb.st_size}")
        skip = {"mtime"} | ({"dirtime"} if stat.S_ISDIR(kind) else set()) | ({"linktime"} if stat.S_ISLNK(kind) else set())
        if not skip & self.without and sa.st_mtime_ns != sb.st_mtime_ns:
            self.tell(path, f"mtime {sa.st_mtime_ns} != {sb.st_mtime_ns}")
        if self.args.ctime and sa.st_ctime_ns != sb.st_ctime_ns:
            self.tell(path, f"ctime {sa.st_ctime_ns} != {sb.st_ctime_ns}")
        if (stat.S_ISCHR(kind) or stat.S_ISBLK(kind)) and sa.st_rdev != sb.st_rdev:
            self.tell(path, f"device {sa.st_rdev:x} != {sb.st_rdev:x}")
        nlink_off = "nlink" in self.without or (stat.S_ISDIR(kind) and "dirnlink" in self.without)
        if not nlink_off and sa.st_nlink != sb.st_nlink:
            self.tell(path, f"nlink {sa.st_nlink} != {sb.st_nlink}")
        return True

    def groups(self, path, sa, sb):
        if stat.S_ISDIR(sa.st_mode) or "links" in self.without:
            return
        first_a = self.a.groups.setdefault((sa.st_dev, sa.st_ino), path) if sa.st_nlink > 1 else path
        first_b = self.b.groups.setdefault((sb.st_dev, sb.st_ino), path) if sb.st_nlink > 1 else path
        if first_a != first_b:
            self.tell(path, f"hard-link group: with {first_a!r} and with {first_b!r}")

    def entry(self, path, da, db, name):
        self.entries += 1
        sa = os.stat(name, dir_fd=da, follow_symlinks=False)
        sb = os.stat(name, dir_fd=db, follow_symlinks=False)
        if not self.attributes(path, sa, sb):
            return
        self.groups(path, sa, sb)
        if "xattrs" not in self.without:
            xa, xb = (xattrs_of(d, name, "trusted" in self.without) for d in (da, db))
            for key in sorted(set(xa) | set(xb)):
                if xa.get(key) != xb.get(key):
                    self.tell(path, f"attribute {key!r}: {xa.get(key, 'absent')!r:.60} != {xb.get(key, 'absent')!r:.60}")
        if stat.S_ISLNK(sa.st_mode):
            if os.readlink(name, dir_fd=da) != os.readlink(name, dir_fd=db):
                self.tell(path, "link target differs")
        elif stat.S_ISREG(sa.st_mode):
            fa = fb = -1
            try:
                fa = os.open(name, FILE_FLAGS, dir_fd=da)
                fb = os.open(name, FILE_FLAGS, dir_fd=db)
                same_content(fa, fb, sa.st_size, "holes" not in self.without, lambda w: self.tell(path, w))
            except OSError as why:
                self.tell(path, f"cannot be read: {why}")
            finally:
                for fd in (fa, fb):
                    if fd >= 0:
                        os.close(fd)
        elif stat.S_ISDIR(sa.st_mode):
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            fa, fb = os.open(name, flags, dir_fd=da), os.open(name, flags, dir_fd=db)
            self.folder(path, fa, fb)
            os.close(fa)
            os.close(fb)

    def wanted(self, fd, name):
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        if stat.S_ISSOCK(mode) and "sockets" in self.without:
            return False
        special = stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode)
        return not (special and "specials" in self.without)

    def folder(self, path, fa, fb):
        names_a = {os.fsencode(n) for n in os.listdir(fa)}
        names_b = {os.fsencode(n) for n in os.listdir(fb)}
        for name in sorted(names_a ^ names_b):
            fd, where = (fa, "first") if name in names_a else (fb, "second")
            if self.wanted(fd, name) and not (self.args.within and name in names_a):
                self.tell(path + b"/" + name, f"only in the {where}")
        for name in sorted(names_a & names_b):
            self.entry(path + b"/" + name if path else name, fa, fb, name)

    def run(self):
        self.attributes(b".", os.fstat(self.a.fd), os.fstat(self.b.fd))
        self.folder(b"", self.a.fd, self.b.fd)
        print(f"compare: {self.entries} entries, {self.differences} differences")
        return 1 if self.differences else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--no", default="")
    parser.add_argument("--ctime", action="store_true")
    parser.add_argument("--within", action="store_true")
    sys.setrecursionlimit(100000)
    return Compare(parser.parse_args().a, parser.parse_args().b, parser.parse_args()).run()


sys.exit(main())

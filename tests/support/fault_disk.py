"""A disk that loses what was not synced: rebuilt from the record of all changes that a run made (inject/record.c).

Every file has what is on stable storage and what was changed since it was last synced, a folder likewise.  A crash keeps
all that was synced and of the rest a seeded subset: of writes single sectors, in any order; of names any, each move whole
or not at all.  A name and the file's content are kept or lost apart from each other, as POSIX allows."""
import collections
import os
import shutil
import struct

HEAD = struct.Struct("<cQQQII")
SECTOR = 512
Change = collections.namedtuple("Change", "kind inode a b text data")


def read_record(path):
    with open(path, "rb") as f:
        raw = f.read()
    at, changes = 0, []
    while at < len(raw):
        kind, inode, a, b, text, size = HEAD.unpack_from(raw, at)
        at += HEAD.size
        changes.append(Change(kind.decode(), inode, a, b, raw[at:at + text], raw[at + text:at + text + size]))
        at += text + size
    return changes


class File:
    def __init__(self, data=b"", mode=0o600):
        self.data, self.mode = bytearray(data), mode
        self.pending = []  # of what is not in data yet: ("w", offset, bytes) or ("t", size)

    def sync(self):
        for change in self.pending:
            self.apply(self.data, change)
        self.pending = []

    @staticmethod
    def apply(data, change):
        if change[0] == "t":
            del data[change[1]:]
            data.extend(bytes(change[1] - len(data)))
            return
        _, at, piece = change
        data.extend(bytes(max(0, at + len(piece) - len(data))))
        data[at:at + len(piece)] = piece

    def surviving(self, rng, share):
        data = bytearray(self.data)
        for change in self.pending:
            if change[0] == "t":
                if rng.random() < share:
                    self.apply(data, change)
                continue
            _, at, piece = change
            end = at + len(piece)
            grain = SECTOR if rng.random() < 0.3 else 4096
            while at < end:
                stop = min(end, (at // grain + 1) * grain)
                if rng.random() < share:
                    self.apply(data, ("w", at, piece[at - (end - len(piece)):stop - (end - len(piece))]))
                at = stop
        return data


class Folder:
    def __init__(self, mode=0o700):
        self.names, self.mode, self.pending = {}, mode, []

    def sync(self):
        for change in self.pending:
            change(None)
        self.pending = []


class Disk:
    """All below one folder, by inode."""

    def __init__(self, root):
        self.nodes = {}
        self.top = os.stat(root).st_ino
        for folder, folders, files in os.walk(root):
            st = os.stat(folder)
            here = self.nodes[st.st_ino] = Folder(st.st_mode & 0o7777)
            for name in folders:
                here.names[os.fsencode(name)] = os.stat(os.path.join(folder, name)).st_ino
            for name in files:
                path = os.path.join(folder, name)
                st = os.stat(path)
                here.names[os.fsencode(name)] = st.st_ino
                with open(path, "rb") as f:
                    self.nodes[st.st_ino] = File(f.read(), st.st_mode & 0o7777)

    def apply(self, c):
        """One entry of the record.  What is not below the root is passed over."""
        node = self.nodes.get(c.inode)
        if c.kind == "c" and c.text == b".":
            self.nodes[c.a] = File(mode=0o400)
        elif c.kind == "c":
            self.make(node, c.a, c.text, File())
        elif c.kind == "d":
            self.make(node, c.a, c.text, Folder())
        elif c.kind == "w":
            if isinstance(node, File):
                node.pending.append(("w", c.a, c.data))
        elif c.kind == "t" and isinstance(node, File):
            node.pending.append(("t", c.a))
        elif c.kind == "s" and node is not None:
            node.sync()
        elif c.kind == "S":
            for each in self.nodes.values():
                each.sync()
        elif c.kind == "l" and isinstance(self.nodes.get(c.a), Folder):
            self.rename(self.nodes[c.a], c.text, c.inode)
        elif c.kind == "u" and isinstance(node, Folder):
            self.rename(node, None, None, node, c.text)
        elif c.kind == "r":
            old, new = c.text.split(b"\0")
            before, after = self.nodes.get(c.b), self.nodes.get(c.a)
            if before is not None and after is not None:
                self.rename(after, new, c.inode, before, old)

    def make(self, folder, inode, name, node):
        if folder is None:
            return
        now = dict(folder.names)
        for change in folder.pending:
            change(now, folder)
        if now.get(name) != inode:  # else it was there, and was opened
            self.nodes[inode] = node
            self.rename(folder, name, inode)

    @staticmethod
    def rename(folder, name, inode, before=None, old=None):
        """A change of names: of what is durable, or of the copy that is given."""
        done = []

        def change(names, of=None):
            if names is None:
                if done:
                    return
                done.append(1)
            for where in {before, folder} - {None}:
                target = where.names if names is None else names
                if names is not None and of is not None and where is not of:
                    continue
                if where is before and old is not None:
                    target.pop(old, None)
                if where is folder and name is not None:
                    target[name] = inode

        folder.pending.append(change)
        if before is not None and before is not folder:
            before.pending.append(change)

    def crash(self, where, rng, share):
        """What is found after a crash, written to the folder `where`."""
        shutil.rmtree(where, ignore_errors=True)
        kept = {}

        def keeps(change):
            return kept.setdefault(id(change), rng.random() < share)

        def put(inode, path):
            node = self.nodes.get(inode)
            if isinstance(node, Folder):
                os.mkdir(path)
                names = dict(node.names)
                for change in node.pending:
                    if keeps(change):
                        change(names, node)
                for name, child in sorted(names.items()):
                    put(child, os.path.join(path, os.fsdecode(name)))
                os.chmod(path, node.mode)
            elif node is not None:
                with open(path, "wb") as f:
                    f.write(node.surviving(rng, share))
                os.chmod(path, node.mode)

        put(self.top, where)

"""An archive of which a part is going to be destroyed, and what would betray that any of it is left."""
import io
import os
import random
import tarfile

from officers import Keeper, officer, year

import reader

OLD = year(2001)
POLICY = """
policy: graves
version: 1
calendar: UTC
unmatched: review
classes:
  - {id: COM, title: {en: Committed}, retain: {trigger: modified, period: P1Y}, then: destroy,
     approve: {quorum: 1, roles: [records, owner]}, destroy: {names: commit}}
  - {id: DRO, title: {en: Dropped}, retain: {trigger: modified, period: P1Y}, then: destroy,
     approve: {quorum: 1, roles: [records, owner]}, destroy: {names: drop}}
  - {id: OPN, title: {en: Named}, retain: {trigger: modified, period: P1Y}, then: destroy,
     approve: {quorum: 1, roles: [records, owner]}, destroy: {names: keep}}
  - {id: KEP, title: {en: Kept}, retain: {trigger: modified, period: P90Y}, then: destroy,
     approve: {quorum: 1, roles: [records, owner]}}
rules:
  - {id: com, when: {path: "com/**"}, decide: archive, class: COM}
  - {id: dro, when: {path: "dro/**"}, decide: archive, class: DRO}
  - {id: opn, when: {path: "opn/**"}, decide: archive, class: OPN}
  - {id: kep, when: {path: "**"}, decide: archive, class: KEP}
"""


class Source:
    """A source in a folder; what is put into it is old enough to go."""

    def __init__(self, folder, seed):
        self.folder, self.rng = folder, random.Random(seed)

    def word(self, before):
        """A name or a piece of text that stands nowhere by chance."""
        return before + "".join(self.rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))

    def at(self, path):
        return os.path.join(self.folder, path)

    def file(self, path, data, xattrs=None, when=OLD):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "wb") as f:
            f.write(data.encode() if isinstance(data, str) else data)
        for name, value in (xattrs or {}).items():
            os.setxattr(self.at(path), name, value.encode())
        os.utime(self.at(path), (when, when))
        return path

    def folder_at(self, path):
        os.makedirs(self.at(path), exist_ok=True)
        os.utime(self.at(path), (OLD, OLD))

    def link(self, path, target):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        os.symlink(target, self.at(path))
        os.utime(self.at(path), (OLD, OLD), follow_symlinks=False)


def tar(path, members, owner):
    """A tar of (name, data, owner; None: the one given)."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
        for name, data, of in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), OLD, 0o644
            info.uid = info.gid = 4000
            info.uname = info.gname = of or owner
            t.addfile(info, io.BytesIO(data))


def take_in(a, source, system, label, policy="policy.yaml"):
    a.run("scan", source, "--system", system)
    a.run("classify", "--system", system, "--policy", policy)
    a.run("ingest", source, "--system", system, "--version", label)


def keeper(name="archive", policy=POLICY, init=()):
    """An archive with two officers: rita proposes and executes, otto approves."""
    with open("policy.yaml", "w") as f:
        f.write(policy)
    a = Keeper(name, init=init)
    for who, role in (("rita", "records"), ("otto", "owner")):
        if not os.path.exists(f"{who}.pem"):
            officer(who)
        a.ask("officer", "add", "--id", who, "--role", role, "--cert", f"{who}.pem")
    return a


def approved(a, *scope):
    d = a.id("dispose", "propose", *scope, by="rita")
    a.ask("dispose", "approve", d, by="otto")
    return d


def destroy(a, *scope):
    """Proposed, approved, executed; the certificate's id."""
    return a.id("dispose", "execute", approved(a, *scope), by="rita")


def secret_of(a):
    with open(a.key, "rb") as f:
        return f.read()


def read(a):
    """The archive by the independent reader."""
    return reader.Archive(a.path, a.keyring, secret_of(a), False)


def contents(r):
    """{(system, label, path): all that the source said of it} of every version."""
    found, cache = {}, {0: b""}
    for version in r.versions():
        if version[2].startswith(b".destroyed."):
            continue        # as a whole: hidden
        for path, kind, node in r.walk(version[0], version[3]):
            if node["content"] not in cache:
                out = io.BytesIO()
                r.extract(node, out)
                cache[node["content"]] = out.getvalue()
            xattrs = r.one("SELECT value FROM xattr WHERE id = ?", node["xattrs"])[0] if node["xattrs"] else b""
            bare = {k: v for k, v in node.items() if k not in ("id", "content", "class", "xattrs", "owner", "group")}
            names = [r.one("SELECT name FROM account WHERE id = ?", node[k])[0] if node[k] else b"" for k in ("owner", "group")]
            found[version[1], version[2], path] = (kind, bare, names, xattrs, cache[node["content"]])
    return found


SECRETS = {"salt": "SELECT salt FROM entry", "chunk's name": "SELECT name FROM chunk", "key": "SELECT key FROM block",
           "digest": "SELECT sha FROM content", "digest seen": "SELECT sha FROM item", "owner": "SELECT name FROM account",
           "sketch": "SELECT features FROM sketch", "attributes": "SELECT attrs FROM node", "attribute set": "SELECT value FROM xattr",
           "salt of details": "SELECT salt FROM log_detail"}


def betrayals(before, after):
    """What the catalogue had and has no more, by the independent reader: to be found nowhere."""
    needles = {}
    for what, sql in SECRETS.items():
        was, is_now = ({x[0] for x in r.db.execute(sql) if x[0] is not None} for r in (before, after))
        needles.update({f"{what} {n}": value for n, value in enumerate(sorted(was - is_now)) if len(value) >= 8})
    return needles

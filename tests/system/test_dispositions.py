#!/usr/bin/python3
"""Dispositions: proposed, approved, refused. Who may, who may not, and what voids an approval."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import Archive, MUNI  # noqa: E402

POLICY = """
policy: ledger-retirement
version: 1
calendar: UTC
unmatched: review
classes:
  - id: FIN
    title: {en: Invoices, zh: 发票}
    mandate: {instrument: Made-up Act, clause: "14", jurisdiction: XX}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 2, roles: [records, owner]}
    destroy: {grace: P1M, names: commit}
  - id: LOG
    title: {en: Logs}
    retain: {trigger: modified, period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner, legal]}
    witness: [it]
    destroy: {grace: P1D, names: keep}
  - id: REV
    title: {en: To be reviewed}
    retain: {trigger: modified, period: P1Y}
    then: review
    approve: {quorum: 1, roles: [records, owner]}
  - id: NEW
    title: {en: Kept long}
    retain: {trigger: modified, period: P90Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: CASE
    title: {en: Cases}
    retain: {trigger: "event:case-closed", period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
  - {id: logs, when: {path: "log/**"}, decide: archive, class: LOG}
  - {id: rev, when: {path: "rev/**"}, decide: archive, class: REV}
  - {id: new, when: {path: "new/**"}, decide: archive, class: NEW}
  - {id: case, when: {path: "case/**"}, decide: archive, class: CASE}
  - {id: junk, when: {path: "junk/**"}, decide: destroy, because: trivial}
"""


def write(path, text, when=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    if when is not None:
        os.utime(path, (when, when))


def year(n):
    return (n - 1970) * 31557600


def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **more).stdout


def officer(name, days=3650, key=None, subject=None):
    """NAME.pem and NAME.key: a certificate of its own."""
    line = ["req", "-x509", "-days", days, "-subj", subject or f"/O=Test/CN={name}", "-out", f"{name}.pem"]
    line += ["-key", key] if key else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
    openssl(*line)


class Keeper(Archive):
    """An archive, asked in the words of `muni VERB ACT ARCHIVE`."""

    def ask(self, verb, act, *args, status=0, fake=None, by=None):
        line = [MUNI, verb, act, self.path, *map(str, args), "--keyring", self.keyring, "--key-file", self.key]
        if by:
            line += ["--by", by, "--key", f"{by}.key"]
        if fake:
            line = ["faketime", "-f", fake, *line]
        done = subprocess.run(line, capture_output=True, timeout=300)
        self.status, self.errors = done.returncode, done.stderr.decode(errors="replace")
        assert done.returncode == status, (line, done.returncode, done.stdout, self.errors)
        return done.stdout.decode(errors="surrogateescape")

    def id(self, *args, **more):
        return self.ask(*args, **more).splitlines()[-1]

    def refused(self, rule, *args, **more):
        """Exit 3, the rule cited, the refusal in the log."""
        before = len(self.refusals())
        self.ask(*args, status=3, **more)
        assert rule in self.errors, (rule, self.errors)
        after = self.refusals()
        assert len(after) == before + 1 and rule in json.dumps(after[-1]), (rule, after[-1:])

    def refusals(self):
        rows = [json.loads(line) for line in self.ask("audit", "list", "--json").splitlines()]
        return [r for r in rows if r.get("act") == "refused" or "refused" in str(r.get("act", ""))]


def source():
    for i in range(6):
        write(f"src/fin/i{i}.txt", f"invoice {i}\n" * 50, year(2001) + i)
        write(f"src/log/l{i}.txt", f"log {i}\n" * 50, year(2010) + i)
        write(f"src/new/n{i}.txt", f"new {i}\n" * 50, year(2020) + i)
        write(f"src/junk/j{i}.txt", f"junk {i}\n" * 50, year(2020) + i)
    write("src/rev/r.txt", "to be reviewed\n", year(2005))
    write("src/case/c.txt", "a case\n", year(2005))


def main():
    source()
    write("./policy.yaml", POLICY)
    a = Keeper()
    a.run("scan", "src", "--system", "led")
    a.run("classify", "--system", "led", "--policy", "policy.yaml")
    a.run("ingest", "src", "--system", "led")
    for name, roles in (("rita", "records"), ("otto", "owner"), ("leo", "legal"), ("ida", "it"), ("wim", "witness"),
                        ("aude", "auditor"), ("olga", "owner,records")):
        officer(name)
        a.ask("officer", "add", "--id", name, "--role", roles, "--cert", f"{name}.pem")
    d = a.id("dispose", "propose", "--due", "--class", "FIN", by="rita")
    print(d)
    print(a.ask("dispose", "show", d))
    print(a.ask("dispose", "show", d, "--for-signing"))
    a.ask("dispose", "approve", d, by="otto")
    print(a.ask("dispose", "show", d, "--json"))
    print(a.ask("dispose", "list"))


main()

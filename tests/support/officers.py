"""Officers, and an archive that is asked in the words of `muni VERB ACT ARCHIVE`: for the tests of dispositions."""
import json
import os
import subprocess

from muniment import Archive, MUNI


def write(path, text, when=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    if when is not None:
        os.utime(path, (when, when))


def year(n):
    return (n - 1970) * 31557600


def ledger_policy(name="ledger-retirement", names="commit", rest="new/**"):
    """FIN under fin/ falls due five years on; what else there is (rest) is kept for ninety."""
    return f"""
policy: {name}
version: 1
calendar: UTC
unmatched: review
classes:
  - id: FIN
    title: {{en: Invoices}}
    mandate: {{instrument: Made-up Act, clause: "14", jurisdiction: XX}}
    retain: {{trigger: modified, period: P5Y}}
    then: destroy
    approve: {{quorum: 1, roles: [records, owner]}}
    destroy: {{grace: P1M, names: {names}}}
  - id: NEW
    title: {{en: Kept long}}
    retain: {{trigger: modified, period: P90Y}}
    then: destroy
    approve: {{quorum: 1, roles: [records, owner]}}
rules:
  - {{id: fin, when: {{path: "fin/**"}}, decide: archive, class: FIN}}
  - {{id: new, when: {{path: "{rest}"}}, decide: archive, class: NEW}}
"""


def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **more).stdout


def officer(name, days=3650, key=None, subject=None):
    """NAME.pem and NAME.key: a certificate of its own, valid since a hundred days, for so many more."""
    line = ["req", "-x509", "-days", days + 100, "-subj", subject or f"/O=Test/CN={name}", "-out", f"{name}.pem"]
    line += ["-key", key] if key else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
    subprocess.run(["faketime", "-f", "-100d", "openssl", *map(str, line)], check=True, capture_output=True)


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
        assert status is None or done.returncode == status, (line, done.returncode, done.stdout, self.errors)
        return done.stdout.decode(errors="surrogateescape")

    @staticmethod
    def ask_bare(*line, status=0):
        """A command that needs neither archive nor key."""
        done = subprocess.run([MUNI, *map(str, line)], capture_output=True, timeout=100, check=False)
        assert done.returncode == status, (line, done)
        return done.stdout.decode(errors="surrogateescape")

    def id(self, *args, **more):
        return self.ask(*args, **more).splitlines()[-1]

    def admit(self, name, role, *by, cert=None, former=None, **how):
        """An officer whom those in office let in: the archive's key alone is not enough after the first approval.
        former: NAME of NAME.pem and NAME.key, the certificate that had this id, where one officer alone is left."""
        self.ask("officer", "add", "--id", name, "--role", role, "--cert", cert or f"{name}.pem", **how)
        for one in by:
            self.ask("officer", "approve", "--id", name, by=one, **how)
        if former:
            write("./statement.json", self.ask("officer", "statement", "--id", name, **how))
            openssl("cms", "-sign", "-binary", "-in", "statement.json", "-signer", f"{former}.pem", "-inkey", f"{former}.key",
                    "-outform", "DER", "-out", "former.p7s")
            self.ask("officer", "approve", "--id", name, "--signature", "former.p7s", **how)

    def refused(self, rule, *args, **more):
        """Exit 3, the rule cited, the refusal in the log."""
        before = len(self.refusals())
        self.ask(*args, status=3, **more)
        assert rule in self.errors, (rule, self.errors)
        said = self.errors
        after = self.refusals()
        self.errors = said
        assert len(after) == before + 1 and rule in json.dumps(after[-1]), (rule, after[-1:])

    def refusals(self):
        rows = [json.loads(line) for line in self.ask("audit", "list", "--json").splitlines()]
        return [r for r in rows if r.get("act") == "refused" or "refused" in str(r.get("act", ""))]

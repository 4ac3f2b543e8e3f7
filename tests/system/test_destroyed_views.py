#!/usr/bin/python3
"""After a destruction: every command shows the rest as it was, in every version, and nothing of what went; signatures hold; the
next ingest, scan and destruction build on it."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from officers import Keeper, officer, write, year  # noqa: E402

POLICY = """
policy: views
version: 1
calendar: UTC
unmatched: review
classes:
  - id: OLD
    title: {en: Old}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
    destroy: {names: drop}
  - id: KEPT
    title: {en: Kept}
    retain: {trigger: modified, period: P90Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
rules:
  - {id: old, when: {any: [{path: "old/**"}, {path: "**/old-*"}]}, decide: archive, class: OLD}
  - {id: kept, when: {path: "**"}, decide: archive, class: KEPT}
"""


def destroy(a, *what):
    d = a.id("dispose", "propose", *what, by="rita")
    a.ask("dispose", "approve", d, by="otto")
    return d, a.id("dispose", "execute", d, by="rita")


def listing(a, of):
    return [json.loads(line) for line in a.run("find", of, "--json").splitlines()]


def paths(a, of):
    return sorted(row["path"] for row in listing(a, of) if "path" in row)


def main():
    for name, role in (("rita", "records"), ("otto", "owner")):
        officer(name)
    with open("policy.yaml", "w") as f:
        f.write(POLICY)
    for i in range(8):
        write(f"src/old/secret-{i}.txt", f"what nobody may read again {i}\n" * 40, year(2001))
        write(f"src/mixed/old-{i}.txt", f"old and confidential {i}\n" * 40, year(2001))
        write(f"src/mixed/new-{i}.txt", f"new {i}\n" * 40, year(2020))
    write("src/mixed/same.txt", "what nobody may read again 0\n" * 40, year(2020))
    os.link("src/old/secret-7.txt", "src/mixed/link.txt")
    a = Keeper()
    for name, role in (("rita", "records"), ("otto", "owner")):
        a.ask("officer", "add", "--id", name, "--role", role, "--cert", f"{name}.pem")
    a.run("ingest", "src", "--system", "hr", "--policy", "policy.yaml")
    write("src/mixed/new-0.txt", "another text\n", year(2021))
    write("src/old/secret-0.txt", "changed, and as old\n", year(2002))
    os.rename("src/mixed/old-3.txt", "src/mixed/old-renamed.txt")
    a.run("ingest", "src", "--system", "hr", "--policy", "policy.yaml")
    before = {v: paths(a, f"hr@{v}") for v in (1, 2)}
    assert any("secret" in p for p in before[1]), before

    d, c = destroy(a, "--due")
    after = {v: paths(a, f"hr@{v}") for v in (1, 2)}
    for v in (1, 2):
        gone = set(before[v]) - set(after[v])
        # link.txt is KEPT: the longest of both classes keeps the inode under both of its names.
        wanted = {p for p in before[v] if ("secret" in p and not p.endswith("secret-7.txt")) or "/old-" in p}
        assert gone == wanted, (v, gone ^ wanted)
    for args in (("ls", "hr@1", "mixed"), ("ls", "hr", "old"), ("log",), ("log", "hr"), ("diff", "hr@1", "hr@2"),
                 ("find", "hr@1"), ("stat", "hr@2", "mixed/same.txt"), ("inventory", "--system", "hr"),
                 ("decisions", "--system", "hr")):
        said = a.run(args[0], *args[1:])
        assert "secret-0" not in said and "old-1" not in said, (args, said)
    assert a.run("cat", "hr@1", "mixed/same.txt") == "what nobody may read again 0\n" * 40
    assert a.run("cat", "hr@2", "mixed/link.txt") == "what nobody may read again 7\n" * 40
    a.run("cat", "hr@1", "old/secret-0.txt", status=None)
    assert a.status == 1, a.status
    a.run("verify", "--deep")
    a.run("export", "hr@1", "--to", "out", "--format", "dir")
    assert not os.path.exists("out/old/secret-0.txt") and os.path.exists("out/mixed/new-1.txt")

    # The archive goes on: what is unchanged costs nothing, what is still there comes anew.
    a.run("ingest", "src", "--system", "hr", "--policy", "policy.yaml")
    a.run("verify", "--deep")
    again = paths(a, "hr@3")
    assert "old/secret-0.txt" in again and "mixed/new-1.txt" in again
    destroy(a, "--due")
    assert "old/secret-0.txt" not in paths(a, "hr@3")
    a.run("verify", "--deep")

    # A whole system: its name is free again.
    write("other/old/x.txt", "x of the other\n" * 30, year(2001))
    a.run("ingest", "other", "--system", "crm", "--policy", "policy.yaml")
    destroy(a, "--due", "--system", "crm")
    assert "crm" not in a.run("log")
    a.run("verify", "--deep")
    a.run("ingest", "other", "--system", "crm", "--policy", "policy.yaml")
    assert "old/x.txt" in paths(a, "crm")
    a.run("verify", "--deep")


main()

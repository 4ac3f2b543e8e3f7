#!/usr/bin/python3
"""What keeps records, across destructions: what is left is judged as before, and the log still vouches for it."""
import json
import os
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from officers import Keeper, officer, write, year  # noqa: E402

POLICY = """
policy: p
version: 1
calendar: UTC
classes:
  - id: FIN
    title: {en: Invoices}
    retain: {trigger: modified, period: P5Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
  - id: SYS
    title: {en: Settings}
    retain: {trigger: retired, period: P1Y}
    then: destroy
    approve: {quorum: 1, roles: [records, owner]}
rules:
  - {id: fin, when: {path: "fin/**"}, decide: archive, class: FIN}
  - {id: sys, when: {path: "sys/**"}, decide: archive, class: SYS}
"""


def due(a, *words):
    return {(r["system"], r["path"]): r for r in map(json.loads, a.run("due", *words, "--json").splitlines())}


def destroy(a, *scope):
    d = a.id("dispose", "propose", *scope, by="rita")
    a.ask("dispose", "approve", d, by="otto")
    a.ask("dispose", "execute", d, by="rita")


def main():
    a = Keeper()
    for name in ("one", "two", "three", "four"):
        for i in range(4):
            write(f"{name}/fin/i{i}.txt", f"{name} {i}\n" * 20, year(2001) + i)
        write(f"{name}/sys/conf", "conf\n", year(2001))
        with open("p.yaml", "w") as f:
            f.write(POLICY)
        a.run("scan", name, "--system", name)
        a.run("classify", "--system", name, "--policy", "p.yaml")
        a.run("ingest", name, "--system", name)
        a.run("event", "--system", name, "--event", "system-retired", "--at", "2015-06-30", "--reason", "replaced")
    for name, role in (("rita", "records"), ("otto", "owner")):
        officer(name)
        a.ask("officer", "add", "--id", name, "--role", role, "--cert", f"{name}.pem")
    h1 = a.id("hold", "add", "--case", "1", "--reason", "r", "--path", "fin/i1.txt", "--system", "two")
    h2 = a.id("hold", "add", "--case", "2", "--reason", "r", "--system", "one", "--standing")
    a.ask("retain", "extend", "--until", "2090-01-01", "--reason", "board", "--path", "fin/i2.txt", "--system", "one")
    a.ask("retain", "extend", "--until", "2090-01-01", "--reason", "board", "--path", "fin/i2.txt", "--system", "two")
    a.ask("retain", "restrict", "--reason", "r", "--path", "fin/i3.txt", "--system", "two")

    # What is held or extended stays; the others of the system go.
    destroy(a, "--due", "--system", "two")
    left = due(a)
    assert {p for s, p in left if s == "two"} == {"fin/i1.txt", "fin/i2.txt"}, left.keys()
    assert left["two", "fin/i1.txt"]["holds"] == [h1] and left["two", "fin/i2.txt"]["until"] == "2090-01-01"
    assert left["one", "sys/conf"]["until"] == "2016-06-30" and left["one", "sys/conf"]["holds"] == [h2]
    a.refused("hold", "dispose", "propose", "--due", "--system", "one", by="rita")

    # Released, it goes in a second destruction: the log vouches for all acts that are left.
    a.ask("hold", "release", h1, "--reason", "settled")
    destroy(a, "--due", "--system", "two")
    assert {p for s, p in due(a) if s == "two"} == {"fin/i2.txt"}
    a.ask("hold", "release", h2, "--reason", "settled")
    destroy(a, "--due", "--system", "one", "--class", "SYS")
    destroy(a, "--due", "--system", "one")
    # A whole system goes, with the name that its events had; the next destruction finds all in order.
    destroy(a, "--due", "--system", "three")
    assert "three" not in {s for s, p in due(a)}
    destroy(a, "--due", "--system", "four", "--class", "SYS")
    destroy(a, "--due", "--system", "four")
    assert set(due(a)) == {("one", "fin/i2.txt"), ("two", "fin/i2.txt")}, due(a).keys()
    a.run("verify", "--deep")
    a.ask("audit", "verify")


main()

#!/usr/bin/python3
"""A process that may not open more files leaves nothing out for that.  An ingest or a scan under any limit on descriptors
takes all in, or ends and says that the want is its own; the archive is whole then, and the same command with more does it.
A program of ours that cannot be used ends what needs it, by name, and is no damage."""
import os
import resource
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import muniment as m


def limited(a, most, command, *args):
    """The exit status, and what was said."""
    line = [m.MUNI, command, a.path, *args, "--keyring", a.keyring, "--key-file", a.key]
    done = subprocess.run(line, capture_output=True, timeout=100 * m.SLOW,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
    return done.returncode, done.stderr.decode(errors="replace")


def nothing_is_left_out_for_want_of_descriptors():
    for i in range(40):
        os.makedirs(f"src/d{i}")
        for name, size in ("f", 10), ("g", 3000):
            with open(f"src/d{i}/{name}", "wb") as f:
                f.write(os.urandom(size))
    with open("src/large", "wb") as f:
        f.write(os.urandom(9 << 20))
    a = m.Archive("few")
    wanted, told = 0, set()
    for most in (*range(20, 72, 1 if os.environ.get("MUNIMENT_FULL") else 4), 256):
        status, said = limited(a, most, "ingest", "src", "--system", f"s{most}")
        versions = [v for v in a.log() if v["system"] == f"s{most}"]
        assert "left out" not in said and not any(v["problems"] for v in versions), (most, said)
        if status == 0:
            assert [v["files"] for v in versions] == [81], (most, versions)
        else:
            assert status == 1 and "Too many open files" in said, (most, status, said)
            wanted += "this process's own limit" in said and "ulimit -n" in said
        status, said = limited(a, most, "scan", "src", "--system", f"s{most}")
        assert status == 0 or status == 1 and "Too many open files" in said and "looked into" not in said, (most, status, said)
        told.add("scan" if status == 1 and "this process's own limit" in said else "")
    assert status == 0 and len(versions) == 1 and wanted >= 3 and "scan" in told, (status, wanted, told)
    a.run("verify", "--deep")


def a_program_that_cannot_be_used_is_named():
    a = m.Archive("alone")
    os.makedirs("bin")
    with open("src.txt", "w") as f:
        f.write("text")
    shutil.copy("src.txt", "src/d1/text")
    for name, text in (("ends", "exit 0"), ("fails", "exit 7"), ("dies", "kill -SEGV $$"),
                       ("babbles", "echo nonsense >&3; head -c 5000 /dev/zero >&3; exec sleep 30")):
        with open(f"bin/{name}", "w") as f:
            f.write(f"#!/bin/sh\n{text}\n")
        os.chmod(f"bin/{name}", 0o755)
        where = os.path.abspath(f"bin/{name}")
        a.run("scan", "src", "--system", "s", status=1, env={"MUNIMENT_EXAMINE": where}, timeout=60)
        assert where in a.errors and "reinstall muniment" in a.errors and "damage" not in a.errors, (name, a.errors)
    a.run("scan", "src", "--system", "s")


def main():
    nothing_is_left_out_for_want_of_descriptors()
    a_program_that_cannot_be_used_is_named()


if __name__ == "__main__":
    main()

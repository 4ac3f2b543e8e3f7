#!/usr/bin/python3
"""A tree of every hard case comes back equal: through the mount, as tar in, exported as directory and as tar
and taken in again; a second ingest of the unchanged tree finds nothing changed."""
import os
import subprocess
import sys

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import SUPPORT, Archive, can_mount, compare, skip, unmount  # noqa: E402

if not can_mount():
    skip("no /dev/fuse that this user may open")

ROOT = os.geteuid() == 0
TMPFS = False


def hard_tree():
    """On tmpfs where we may mount one: it takes attributes of 64 KiB, ext4 does not."""
    global TMPFS
    os.mkdir("fs")
    if ROOT and subprocess.run(["mount", "-t", "tmpfs", "none", "fs"], capture_output=True).returncode == 0:
        TMPFS = True
    subprocess.run([f"{SUPPORT}/hardtree.py", "fs/src", "--many", "3000"], check=True)
    return "fs/src"


def mounted_equals(a, source, version, *without):
    where = a.mount("mnt", f"system=s,version={version}" + (",dev,suid" if ROOT else ""))
    try:
        compare(source, where, *without)
    finally:
        unmount(where)


def main():
    src = hard_tree()
    try:
        a = Archive()
        if not ROOT:        # files without read permission are problems, by name
            for name in ("file-0000",):
                os.chmod(f"{src}/modes/{name}", 0o400)
        a.run("ingest", src, "--system", "s", "--version", "live")
        mounted_equals(a, src, "live", "--ctime")

        a.run("ingest", src, "--system", "s", "--version", "again")
        changed = [line for line in a.run("diff", "s@live", "s@again", "--json").splitlines() if '"path"' in line]
        assert changed == [], changed[:5]

        subprocess.run(["rm", "-rf", "out"], check=True)
        a.run("export", "s@live", "--to", "fs/out", "--format", "dir", status=None)
        assert a.status in (0, 1), (a.status, a.errors)
        compare(src, "fs/out", *([] if ROOT else ["--no", "owner,trusted"]))

        # GNU tar is the independent writer: pax, sparse, attributes.  Deep paths, sockets and second names of a
        # fifo it cannot carry.
        subprocess.run(["tar", "-C", src, "--format=pax", "--sparse", "--xattrs", "--xattrs-include=*", "--acls",
                        "--exclude=./deep", "--exclude=./specials/socket", "--exclude=./specials/fifo-too", "-cf", "fs/src.tar", "."], check=True)
        a.run("ingest", "fs/src.tar", "--system", "s", "--version", "tar")
        subprocess.run(["rm", "-rf", f"{src}/deep", f"{src}/specials/socket", f"{src}/specials/fifo-too"], check=True)
        without = "dirtime,dirnlink"        # removing them changed their parents' times
        mounted_equals(a, src, "tar", "--no", without)

        a.run("export", "s@tar", "--to", "fs/out.tar", "--format", "tar", status=None)
        assert a.status in (0, 1), (a.status, a.errors)
        a.run("ingest", "fs/out.tar", "--system", "s", "--version", "tar-again")
        mounted_equals(a, src, "tar-again", "--no", without)
        a.run("verify", "--deep")
    finally:
        if TMPFS:
            subprocess.run(["umount", "fs"], check=False)


main()

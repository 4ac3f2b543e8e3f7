#!/usr/bin/python3
"""Set-uid programs, file capabilities, devices, fifos and sockets of an archive are shown and do nothing, unless root
asks for it; an ordinary user's asking changes nothing."""
import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
import muniment as mu  # noqa: E402

USER = 3001
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def said(*line):
    done = subprocess.run(line, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


def make_source():
    os.makedirs("src")
    for name, mode in (("as-root", 0o4755), ("as-group", 0o2755)):
        shutil.copy("/usr/bin/id", f"src/{name}")
        os.chmod(f"src/{name}", mode)
    shutil.copy("/bin/cat", "src/capable")
    has_caps = subprocess.run(["setcap", "cap_dac_read_search,cap_chown+ep", "src/capable"], capture_output=True).returncode == 0
    os.mknod("src/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod("src/zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod("src/disk", stat.S_IFBLK | 0o666, os.makedev(7, 0))
    os.mkfifo("src/pipe", 0o666)
    os.chmod("src/pipe", 0o666)
    s = socket.socket(socket.AF_UNIX)
    s.bind("src/socket")
    s.listen()
    os.chmod("src/socket", 0o777)
    return has_caps, s


def code_of(act):
    try:
        got = act()
        if isinstance(got, int) and got > 2:
            os.close(got)
        return 0
    except OSError as why:
        return why.errno


def nothing_takes_effect(m, has_caps):
    assert said(*AS_USER, f"{m}/as-root", "-u") == (0, str(USER))
    assert said(*AS_USER, f"{m}/as-group", "-g") == (0, str(USER))
    status, text = said(*AS_USER, f"{m}/capable", "/proc/self/status")
    assert status == 0 and "CapEff:\t0000000000000000" in text, text
    for n in "null", "zero", "disk":
        for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR:
            assert code_of(lambda: os.open(f"{m}/{n}", flags)) == errno.EACCES, n   # root too
        assert said(*AS_USER, "sh", "-c", f": < {m}/{n}")[0] != 0
    # As the source had them, to look at and to copy.
    s = os.lstat(f"{m}/as-root")
    assert stat.S_IMODE(s.st_mode) == 0o4755
    assert os.lstat(f"{m}/zero").st_rdev == os.makedev(1, 5)
    if has_caps:
        assert "security.capability" in os.listxattr(f"{m}/capable")
        assert os.getxattr(f"{m}/capable", "security.capability") == os.getxattr("src/capable", "security.capability")


def fifo_and_socket_lead_nowhere(m, listening):
    """A fifo of a mount is one between those who open it there; a socket is a name."""
    outside = os.open("src/pipe", os.O_RDWR | os.O_NONBLOCK)
    writer = os.open(f"{m}/pipe", os.O_RDWR | os.O_NONBLOCK)
    os.write(writer, b"from the mount")
    assert code_of(lambda: os.read(outside, 10)) == errno.EAGAIN, "the source's fifo got it"
    os.close(writer)
    os.close(outside)
    assert code_of(lambda: os.open(f"{m}/pipe", os.O_WRONLY | os.O_NONBLOCK)) == errno.ENXIO
    s = socket.socket(socket.AF_UNIX)
    assert code_of(lambda: s.connect(f"{m}/socket")) == errno.ECONNREFUSED
    s.close()
    listening.setblocking(False)
    assert code_of(listening.accept) == errno.EAGAIN
    assert code_of(lambda: os.open(f"{m}/socket", os.O_RDONLY)) == errno.ENXIO


def flags_of(m):
    with open("/proc/mounts") as f:
        return next(line.split()[3].split(",") for line in f if line.split()[1] == m)


def an_ordinary_user_asks_in_vain(a):
    if not shutil.which("fusermount3") or said("unshare", "-m", "true")[0]:
        return
    base = said("mktemp", "-d", "/var/tmp/muniment-inert.XXXXXX" if os.access("/var/tmp", os.W_OK) else "/tmp/muniment-inert.XXXXXX")[1]
    try:
        subprocess.run(["cp", "-a", a.path, f"{base}/archive"], check=True)
        for end in ".keyring", ".key":
            subprocess.run(["cp", "-a", a.path + end, f"{base}/archive{end}"], check=True)
        shutil.copy(mu.MUNIFS, f"{base}/munifs")
        os.makedirs(f"{base}/mnt")
        with open(f"{base}/act", "w") as f:
            f.write(ORDINARY)
        subprocess.run(["chown", "-R", f"{USER}:{USER}", base], check=True)
        os.chmod(base, 0o755)
        done = subprocess.run(["unshare", "-m", "sh", f"{base}/act", "root", base, str(USER)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        subprocess.run(["rm", "-rf", base])


ORDINARY = """
set -e
cd "$2"
if [ "$1" = root ]; then
	if [ "$(stat -c %a /dev/fuse)" != 666 ]; then
		mknod fuse c 10 229
		chmod 666 fuse
		mount --bind fuse /dev/fuse
	fi
	exec setpriv --reuid=$3 --regid=$3 --clear-groups sh "$2/act" user "$2" "$3"
fi
keys=keyring=$2/archive.keyring,key-file=$2/archive.key
for asked in suid dev suid,dev allow_suid,allow_dev; do
	if ./munifs archive mnt -o $keys,$asked,system=s,version=1 2> errors; then
		grep -q ' fuse.munifs ro,nosuid,nodev' /proc/mounts
		if [ "$(mnt/as-root -u)" != "$3" ]; then echo "$asked: set-uid took effect"; exit 1; fi
		if : < mnt/zero; then echo "$asked: a device opened"; exit 1; fi
		fusermount3 -u mnt
	else
		grep -q . errors
	fi 2> /dev/null
done
"""


def main():
    if not mu.can_mount():
        mu.skip("/dev/fuse cannot be opened")
    if os.geteuid() != 0:
        mu.skip("only root makes devices and becomes another user")
    if said(*AS_USER, "true")[0]:
        mu.skip("setpriv cannot change the user here")
    os.umask(0o022)
    os.chmod(".", 0o755)
    has_caps, listening = make_source()
    a = mu.Archive("archive")
    a.run("ingest", "src", "--system", "s", "--version", "1")
    m = os.path.abspath("mnt")
    for options in "", ",nosuid,nodev", ",suid,dev,nosuid,nodev":
        a.mount(m, "allow_other,system=s,version=1" + options)
        try:
            assert {"nosuid", "nodev", "ro"} <= set(flags_of(m)), flags_of(m)
            nothing_takes_effect(m, has_caps)
            fifo_and_socket_lead_nowhere(m, listening)
        finally:
            mu.unmount(m)
            time.sleep(0.1)
    # Asked for by root they count, and each alone.
    a.mount(m, "allow_other,system=s,version=1,suid")
    try:
        assert "nodev" in flags_of(m) and "nosuid" not in flags_of(m)
        assert said(*AS_USER, f"{m}/as-root", "-u") == (0, "0")
        assert code_of(lambda: os.open(f"{m}/zero", os.O_RDONLY)) == errno.EACCES
        if has_caps:
            assert "CapEff:\t0000000000000005" in said(*AS_USER, f"{m}/capable", "/proc/self/status")[1]
    finally:
        mu.unmount(m)
    a.mount(m, "allow_other,system=s,version=1,dev")
    try:
        assert "nosuid" in flags_of(m) and "nodev" not in flags_of(m)
        assert said(*AS_USER, f"{m}/as-root", "-u") == (0, str(USER))
        assert said(*AS_USER, "head", "-c", "3", f"{m}/zero")[0] == 0
    finally:
        mu.unmount(m)
    an_ordinary_user_asks_in_vain(a)


main()

#!/usr/bin/python3
"""Whatever somebody holds of a file while it is destroyed gives an error afterwards, and no old byte: descriptors in this
process and in others, mappings of every kind, programs that run, directories in the middle of a listing, O_PATH, file
handles, splices, binds, an overlay.  Each holder is set up on the open mount, made to read once (so the kernel has the
pages), and tried again when the certificate exists."""
import array
import ctypes
import errno
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import can_mount, skip, unmount  # noqa: E402

try:
    from graves import Source, approved, keeper, take_in
except ImportError:
    skip("python3-cryptography or python3-zstandard is not installed")
if not can_mount():
    skip("no /dev/fuse here")

GONE = (errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENXIO)
MAP_LOCKED, MAP_POPULATE = 0x2000, 0x8000      # of x86 and arm; Python 3.11 does not name the first
SYS_getdents64 = {"x86_64": 217, "aarch64": 61}.get(os.uname().machine)
libc = ctypes.CDLL(None, use_errno=True)
s = Source("src", 91)
WORD = s.word("secret")
LINE = f"{WORD} earns a great deal\n".encode()
TEXT = LINE * 60000
MANY = [f"{s.word('n')}-{i:04d}" for i in range(2000)]
TOP = "mnt/s/versions/one"


def fill():
    s.file("com/small", LINE * 40)
    s.file("com/large", TEXT)
    with open(shutil.which("sleep"), "rb") as f:
        s.file("com/program", f.read())
    os.chmod(s.at("com/program"), 0o755)
    s.file("com/attributed", LINE, xattrs={"user.who": WORD})
    s.link("com/link", WORD)
    s.file("com/sub/inner", LINE * 40)
    s.file("com/holes", LINE)
    with open(s.at("com/holes"), "r+b") as f:
        f.truncate(1 << 20)
        f.seek(900000)
        f.write(LINE)
    os.utime(s.at("com/holes"), (1e9, 1e9))
    for i, name in enumerate(MANY):
        s.file(f"{'com' if i % 2 else 'kep'}/../many/{'com' if i % 2 else 'kep'}/{name}", b"")
    s.file("kep/small", b"kept\n" * 40)
    s.file("kep/large", b"this one stays\n" * 60000)


POLICY_MANY = """
  - {id: many, when: {path: "many/com/**"}, decide: archive, class: COM}
rules:"""


CHILDREN = []


def fork():
    child = os.fork()
    if child:
        CHILDREN.append(child)
    return child


def ended(child):
    CHILDREN.remove(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def refused(act):
    """What it says instead of bytes; an answer that has any is a failure."""
    try:
        data = act()
    except OSError as why:
        assert why.errno in GONE, why
        return
    assert not data, f"{len(data)} bytes: {bytes(data[:60])!r}"


# ---- holders: each is a generator that sets up, yields, and tries again ----------------------


def a_descriptor_at_every_offset():
    fd = os.open(f"{TOP}/com/large", os.O_RDONLY)
    assert len(os.pread(fd, len(TEXT), 0)) == len(TEXT)
    yield
    for at in (0, 1, 4095, 4096, 131072, len(TEXT) // 2, len(TEXT) - 1):
        for size in (1, 4096, 1 << 20):
            refused(lambda at=at, size=size: os.pread(fd, size, at))
    refused(lambda: os.read(fd, 100))
    refused(lambda: os.preadv(fd, [bytearray(100)], 0) and b"some")
    refused(lambda: str(os.fstat(fd).st_size).encode())
    os.close(fd)


def a_descriptor_past_the_page_cache():
    fd = os.open(f"{TOP}/com/large", os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, 4096)
    assert os.preadv(fd, [buffer], 0) == 4096 and buffer[:20] == TEXT[:20]
    buffer[:] = bytes(4096)
    yield
    refused(lambda: os.preadv(fd, [buffer], 0) and buffer[:])
    os.close(fd)


def a_descriptor_that_another_process_was_sent():
    ours, theirs = socket.socketpair()
    child = fork()
    if child == 0:
        ours.close()
        _, extra, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
        fd = array.array("i", extra[0][2])[0]
        got = os.pread(fd, 4096, 8192)
        theirs.send(b"y" if got == TEXT[8192:8192 + 4096] else b"n")
        theirs.recv(1)
        try:
            answer = struct.pack("<i", -len(os.pread(fd, 4096, 8192)))
        except OSError as why:
            answer = struct.pack("<i", why.errno)
        theirs.send(answer)
        os._exit(0)
    theirs.close()
    fd = os.open(f"{TOP}/com/large", os.O_RDONLY)
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    assert ours.recv(1) == b"y"
    yield
    ours.send(b"g")
    answer = struct.unpack("<i", ours.recv(4))[0]
    ended(child)
    assert answer in GONE, answer


def mapping(flags, prot=mmap.PROT_READ):
    """In a process of its own: SIGBUS ends it."""
    ready, tell = os.pipe()
    go, say = os.pipe()
    child = fork()
    if child == 0:
        os.close(say)
        fd = os.open(f"{TOP}/com/large", os.O_RDONLY)
        m = mmap.mmap(fd, len(TEXT), flags=flags, prot=prot)
        assert m[:] == TEXT
        os.write(tell, b"1")
        os.read(go, 1)
        got = m[4096:8192]
        os._exit(1 if got == TEXT[4096:8192] else 2)
    os.close(go)
    assert os.read(ready, 1) == b"1"
    yield
    os.write(say, b"g")
    status = ended(child)
    assert status == -signal.SIGBUS, f"a mapping: {status}"
    for fd in (ready, tell, say):
        os.close(fd)


def a_shared_mapping():
    return mapping(mmap.MAP_SHARED)


def a_private_mapping():
    return mapping(mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)


def a_locked_mapping():
    return mapping(mmap.MAP_SHARED | MAP_LOCKED)


def a_populated_mapping():
    return mapping(mmap.MAP_SHARED | MAP_POPULATE)


def a_program_that_runs():
    p = subprocess.Popen([f"{TOP}/com/program", "300"])
    time.sleep(0.3)
    assert p.poll() is None
    yield
    try:        # it sleeps in the kernel; whatever it does next needs a page of its program
        p.send_signal(signal.SIGCONT)
        refused(lambda: open(f"/proc/{p.pid}/exe", "rb").read(100))
    finally:
        p.kill()
        p.wait()


def a_path_descriptor():
    fd = os.open(f"{TOP}/com/small", os.O_PATH)
    link = os.open(f"{TOP}/com/link", os.O_PATH | os.O_NOFOLLOW)
    assert open(f"/proc/self/fd/{fd}", "rb").read() == LINE * 40
    assert os.readlink("", dir_fd=link) == WORD
    yield
    refused(lambda: open(f"/proc/self/fd/{fd}", "rb").read())
    refused(lambda: str(os.fstat(fd).st_size).encode())
    refused(lambda: os.readlink("", dir_fd=link).encode())
    for d in fd, link:
        os.close(d)


def attributes_of_a_descriptor():
    fd = os.open(f"{TOP}/com/attributed", os.O_RDONLY)
    assert os.getxattr(fd, "user.who") == WORD.encode() and os.listxattr(fd) == ["user.who"]
    assert os.getxattr(fd, "user.muniment.sha256")
    yield
    refused(lambda: os.getxattr(fd, "user.who"))
    refused(lambda: os.getxattr(fd, "user.muniment.sha256"))
    refused(lambda: "".join(os.listxattr(fd)).encode())
    os.close(fd)


def holes_of_a_descriptor():
    fd = os.open(f"{TOP}/com/holes", os.O_RDONLY)
    data = os.lseek(fd, 100000, os.SEEK_DATA)
    assert 100000 < data <= 900000
    yield
    refused(lambda: str(os.lseek(fd, 100000, os.SEEK_DATA)).encode())
    os.close(fd)


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]


def a_file_handle():
    """As an NFS server keeps it: a number, no descriptor."""
    handle, where = Handle(size=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, os.fsencode(f"{TOP}/com/large"), ctypes.byref(handle), ctypes.byref(where), 0) < 0:
        raise OSError(ctypes.get_errno(), "name_to_handle_at")
    top = os.open("mnt", os.O_RDONLY)

    def get():
        fd = libc.open_by_handle_at(top, ctypes.byref(handle), os.O_RDONLY)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "open_by_handle_at")
        try:
            return os.pread(fd, 100, 0)
        finally:
            os.close(fd)
    if os.geteuid() == 0:
        assert get() == TEXT[:100]
    yield
    if os.geteuid() == 0:
        refused(get)
    os.close(top)


def bytes_that_the_kernel_moves():
    """sendfile, splice and copy_file_range, which never show them to the process."""
    fd = os.open(f"{TOP}/com/large", os.O_RDONLY)

    def moved(move):
        with tempfile.TemporaryFile() as out:
            move(out.fileno())
            return os.pread(out.fileno(), 100, 0)

    def spliced():
        r, w = os.pipe()
        try:
            n = os.splice(fd, w, 4096, offset_src=4096)
            return os.read(r, n) if n else b""
        finally:
            os.close(r)
            os.close(w)
    sent = lambda: moved(lambda out: os.sendfile(out, fd, 4096, 4096))          # noqa: E731
    copied = lambda: moved(lambda out: os.copy_file_range(fd, out, 4096, 4096, 0))     # noqa: E731
    assert sent() == TEXT[4096:4196]
    if hasattr(os, "splice"):
        assert spliced()[:100] == TEXT[4096:4196]
    try:
        copied()
    except OSError as why:
        assert why.errno in (errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL), why
        copied = sent
    yield
    refused(sent)
    refused(copied)
    if hasattr(os, "splice"):
        refused(spliced)
    os.close(fd)


def a_directory_in_the_middle():
    """getdents64 with a small buffer: what comes next is asked of the mount, or taken from the kernel's cache."""
    os.listdir(f"{TOP}/many/com")
    fds = [os.open(f"{TOP}/many/com", os.O_RDONLY | os.O_DIRECTORY) for _ in range(2)]

    def some(fd):
        buffer = ctypes.create_string_buffer(2048)
        got = libc.syscall(SYS_getdents64, fd, buffer, 2048)
        if got < 0:
            raise OSError(ctypes.get_errno(), "getdents64")
        return buffer.raw[:got]
    firsts = [some(fd) for fd in fds]
    assert all(b"-0" in first for first in firsts)
    yield
    for fd in fds:
        refused(lambda fd=fd: b"".join(n.encode() for n in MANY if n.encode() in some(fd)))
        os.lseek(fd, 0, os.SEEK_SET)
        refused(lambda fd=fd: b"".join(n.encode() for n in MANY if n.encode() in some(fd)))
        refused(lambda fd=fd: str(os.stat(MANY[1], dir_fd=fd)).encode())
        os.close(fd)


def a_working_directory():
    child = subprocess.Popen([sys.executable, "-c", """
import os, sys
assert len(open("inner", "rb").read()) > 100 and os.listdir(".") == ["inner"]
print("ready", flush=True)
sys.stdin.readline()
for act in (lambda: open("inner", "rb").read(), lambda: os.listdir("."), lambda: os.stat("inner"), lambda: open("../small").read(),
            lambda: open("../../com/large").read()):
    try:
        if act():
            sys.exit("something is still there")
    except OSError as why:
        if why.errno not in (2, 5, 116):
            sys.exit(str(why))
"""], cwd=f"{TOP}/com/sub", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    yield
    _, said = child.communicate("\n", timeout=60)
    assert child.returncode == 0, said


def a_reader_that_never_stops():
    """Reads the same pages without a pause; tells how many it had after it was told of the certificate."""
    r, w = os.pipe()
    go, say = os.pipe()
    child = fork()
    if child == 0:
        fd = os.open(f"{TOP}/com/large", os.O_RDONLY)
        os.set_blocking(go, False)
        is_told, late = False, 0
        end = time.monotonic() + 200
        try:
            while time.monotonic() < end:
                if not is_told:
                    try:
                        is_told = os.read(go, 1) == b"g"
                    except BlockingIOError:
                        pass
                late += bool(os.pread(fd, 65536, 65536)) and is_told
                if late > 3:
                    break
        except OSError as why:
            os.write(w, struct.pack("<ii", why.errno, late))
            os._exit(0)
        os.write(w, struct.pack("<ii", 0, late))
        os._exit(0)
    time.sleep(0.2)
    yield
    os.write(say, b"g")
    code, late = struct.unpack("<ii", os.read(r, 8))
    ended(child)
    assert code in GONE and late == 0, (code, late)
    for fd in (r, w, go, say):
        os.close(fd)


def another_path_to_it():
    """A bind of the folder and an overlay over the version, where one may make them."""
    if os.geteuid() != 0:
        yield
        return
    made = []
    for where, line in (("bind", ["--bind", f"{TOP}/com"]),
                        ("over", ["-t", "overlay", "overlay", "-o", f"ro,lowerdir=empty:{TOP}/com"])):
        os.makedirs(where, exist_ok=True)
        os.makedirs("empty", exist_ok=True)
        if subprocess.run(["mount", *line, where], capture_output=True, check=False).returncode == 0:
            made.append((where, os.open(f"{where}/large", os.O_RDONLY)))
    try:
        for where, fd in made:
            assert os.pread(fd, 100, 0) == TEXT[:100] and open(f"{where}/small", "rb").read() == LINE * 40, where
        yield
        for where, fd in made:
            refused(lambda fd=fd: os.pread(fd, 100, 0))
            refused(lambda where=where: open(f"{where}/small", "rb").read())
            refused(lambda where=where: "".join(os.listdir(where)).encode())
            os.close(fd)
    finally:
        for where, fd in made:
            subprocess.run(["umount", "-l", where], check=False)


def what_stays_goes_on():
    fd = os.open(f"{TOP}/kep/large", os.O_RDONLY)
    fd2 = os.open(f"{TOP}/kep", os.O_RDONLY | os.O_DIRECTORY)
    m = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    want = m[:]
    yield
    assert m[:] == want and os.pread(fd, 1 << 24, 0) == want
    assert open("small", "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=fd2)).read() == b"kept\n" * 40
    assert sorted(os.listdir(f"{TOP}/many/kep")) == sorted(MANY[::2])
    m.close()
    os.close(fd)
    os.close(fd2)


HOLDERS = [a_descriptor_at_every_offset, a_descriptor_past_the_page_cache, a_descriptor_that_another_process_was_sent, a_shared_mapping,
           a_private_mapping, a_locked_mapping, a_populated_mapping, a_program_that_runs, a_path_descriptor, attributes_of_a_descriptor,
           holes_of_a_descriptor, a_file_handle, bytes_that_the_kernel_moves, a_directory_in_the_middle, a_working_directory,
           a_reader_that_never_stops, another_path_to_it, what_stays_goes_on]


def main():
    from graves import POLICY
    fill()
    a = keeper(policy=POLICY.replace("\nrules:", "\nrules:" + POLICY_MANY.replace("\nrules:", "").rstrip()))
    take_in(a, "src", "s", "one")
    d = approved(a, "--due")
    a.mount()
    failed = 0
    try:
        held = []
        for holder in HOLDERS:
            act = holder()
            next(act)
            held.append((holder.__name__, act))
        assert a.id("dispose", "execute", d, by="rita") == "C1"
        assert os.path.exists(f"{a.path}/certificates/C1.p7m")
        for name, act in held:
            try:
                next(act, None)
                print(f"  ok      {name}", flush=True)
            except (AssertionError, OSError, struct.error) as why:
                failed += 1
                print(f"  FAILED  {name}: {type(why).__name__}: {why}", flush=True)
    finally:
        for child in CHILDREN:
            os.kill(child, signal.SIGKILL)
        unmount()
    a.run("verify", "--deep")
    return 1 if failed else 0


sys.exit(main())

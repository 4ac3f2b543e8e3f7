"""A mount re-exported over NFS without a kernel's help: nfs-ganesha on loopback, and a client of its own in this process,
libnfs by ctypes (<nfsc/libnfs.h> of version 4)."""
import ctypes
import errno
import os
import shutil
import signal
import socket
import subprocess
import time

CONFIG = """
NFS_CORE_PARAM {{ NFS_Port = {nfs}; MNT_Port = {mnt}; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false; Protocols = 3, 4; }}
MDCACHE {{ Dir_Chunk = 0; }}
NFSV4 {{ Graceless = true; Only_Numeric_Owners = true; }}
EXPORT {{ Export_Id = 77; Path = {path}; Pseudo = /m; Access_Type = {access}; Squash = No_Root_Squash; SecType = sys; Protocols = 3, 4;
	Transports = TCP; Filesystem_Id = 77.77; Attr_Expiration_Time = {seconds}; FSAL {{ Name = VFS; }} }}
"""


def missing():
    """What of it is not installed, None: all is here."""
    for program in "ganesha.nfsd", "nfs-ls", "nfs-cat", "rpcbind", "rpcinfo":
        if not shutil.which(program):
            return program
    return None


def run(*line, **more):
    return subprocess.run(line, capture_output=True, timeout=60, **more)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """Of the mount at m; seconds: for how long it may hold what it knows of a file; access: RO, or RW for a server that leaves it to the mount
    to refuse a change."""

    def __init__(self, m, seconds=60, access="RO"):
        self.path, self.nfs, self.mnt = m, free_port(), free_port()
        with open("ganesha.conf", "w") as f:
            f.write(CONFIG.format(nfs=self.nfs, mnt=self.mnt, path=m, seconds=seconds, access=access))
        self.portmap = None
        if run("rpcinfo", "-p", "127.0.0.1").returncode != 0:
            self.portmap = subprocess.Popen(["rpcbind", "-w", "-f"], stderr=subprocess.DEVNULL)
        os.makedirs("/var/run/ganesha", exist_ok=True)
        self.start()

    def start(self):
        """Again, too, at the same ports."""
        self.daemon = subprocess.Popen(["ganesha.nfsd", "-F", "-f", "ganesha.conf", "-L", "ganesha.log", "-p", os.path.abspath("ganesha.pid")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def url(self, version, path="", more=""):
        if version == 4:
            return f"nfs://127.0.0.1/m{path}?version=4&nfsport={self.nfs}{more}"
        return f"nfs://127.0.0.1{self.path}{path}?nfsport={self.nfs}&mountport={self.mnt}{more}"

    def is_up(self):
        for _ in range(150):
            if self.daemon.poll() is not None:
                return False
            if run("nfs-ls", self.url(4)).returncode == 0:
                return True
            time.sleep(0.2)
        return False

    def stop(self):
        ended(self.daemon)

    def close(self):
        self.stop()
        if self.portmap:
            ended(self.portmap)


def ended(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Stat(ctypes.Structure):
    _fields_ = [(n, ctypes.c_uint64) for n in ("dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks", "atime", "mtime", "ctime",
                                               "atime_nsec", "mtime_nsec", "ctime_nsec", "used")]


class Url(ctypes.Structure):
    _fields_ = [(n, ctypes.c_char_p) for n in ("server", "path", "file")]


class Entry(ctypes.Structure):      # as far as it is asked for
    _fields_ = [("next", ctypes.c_void_p), ("name", ctypes.c_char_p), ("inode", ctypes.c_uint64), ("type", ctypes.c_uint32), ("mode", ctypes.c_uint32), ("size", ctypes.c_uint64)]


def library():
    lib = ctypes.CDLL("libnfs.so.13")
    p, u = ctypes.c_void_p, ctypes.c_uint64
    for name, answer, *args in (("init_context", p), ("destroy_context", None, p), ("parse_url_dir", ctypes.POINTER(Url), p, ctypes.c_char_p), ("destroy_url", None, p),
                                ("get_error", ctypes.c_char_p, p), ("opendir", ctypes.c_int, p, ctypes.c_char_p, p), ("readdir", ctypes.POINTER(Entry), p, p),
                                ("closedir", None, p, p), ("pread", ctypes.c_int, p, p, u, u, p), ("open", ctypes.c_int, p, ctypes.c_char_p, ctypes.c_int, p),
                                ("close", ctypes.c_int, p, p)):
        function = getattr(lib, f"nfs_{name}")
        function.restype, function.argtypes = answer, args
    return lib


class Client:
    """One mount of the server's root.  Each call returns what was answered, or the name of the error."""

    def __init__(self, server, version, uid=0):
        self.lib = library()
        self.context = ctypes.c_void_p(self.lib.nfs_init_context())
        url = self.lib.nfs_parse_url_dir(self.context, os.fsencode(server.url(version, more=f"&uid={uid}&gid={uid}&auto-traverse-mounts=0&dircache=0")))
        rc = self.lib.nfs_mount(self.context, url.contents.server, url.contents.path)
        if rc:
            raise OSError(-rc, self.lib.nfs_get_error(self.context).decode())
        self.lib.nfs_destroy_url(url)

    def close(self):
        self.lib.nfs_destroy_context(self.context)

    def call(self, name, *args):
        rc = getattr(self.lib, f"nfs_{name}")(self.context, *(os.fsencode(a) if isinstance(a, str) else a for a in args))
        return errno.errorcode.get(-rc, rc) if rc < 0 else rc

    def lstat(self, path):
        s = Stat()
        rc = self.call("lstat64", path, ctypes.byref(s))
        return rc or s

    def listed(self, path):
        """name -> (number, type and mode, size), or the error's name; a name that comes twice fails."""
        d, found = ctypes.c_void_p(), {}
        rc = self.call("opendir", path, ctypes.byref(d))
        if rc:
            return rc
        while (e := self.lib.nfs_readdir(self.context, d)):
            assert e.contents.name not in found, (path, e.contents.name)
            found[e.contents.name] = e.contents.inode, e.contents.mode, e.contents.size
        self.lib.nfs_closedir(self.context, d)
        return {n: f for n, f in found.items() if n not in (b".", b"..")}

    def open(self, path, flags=os.O_RDONLY):
        file = ctypes.c_void_p()
        return self.call("open", path, flags, ctypes.byref(file)) or file

    def pread(self, file, size, offset):
        room = ctypes.create_string_buffer(size)
        rc = self.call("pread", file, offset, size, room)
        return rc if isinstance(rc, str) else room.raw[:rc]

    def read(self, path):
        file = self.open(path)
        if isinstance(file, str):
            return file
        parts, at = [], 0
        while True:
            part = self.pread(file, 100_000, at)
            if isinstance(part, str) or not part:
                break
            parts.append(part)
            at += len(part)
        self.call("close", file)
        return part if isinstance(part, str) else b"".join(parts)

    def readlink(self, path):
        room = ctypes.create_string_buffer(5000)
        return self.call("readlink", path, room, len(room)) or room.value

"""System calls as table tests want them: the answer, or the error's name; as another user; through an io_uring."""
import ctypes
import errno
import mmap
import os
import pickle
import struct
import traceback

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
AT_FDCWD = -100


def call(function, *args):
    """What a function of the C library returned, or the name of its error."""
    ctypes.set_errno(0)
    rc = function(*args)
    if rc is not None and rc < 0:
        return errno.errorcode.get(ctypes.get_errno(), ctypes.get_errno())
    return rc


def system_call(number, *args):
    return call(libc.syscall, ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))


def result(act):
    """What act() returns, or the name of the error that it raised."""
    try:
        return act()
    except OSError as why:
        return errno.errorcode.get(why.errno, why.errno)


def as_user(who, act):
    """What act() returns in a process of that user, (uid, gid, groups); what it raises fails here."""
    uid, gid, groups = who
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(r)
        try:
            if uid != os.geteuid():
                os.setgroups(groups)
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
            said = True, act()
        except BaseException as why:    # noqa: B902: it is told to the parent
            said = False, "".join(traceback.format_exception(why))
        with os.fdopen(w, "wb") as out:
            pickle.dump(said, out)
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        is_good, said = pickle.load(f)
    os.waitpid(child, 0)
    assert is_good, said
    return said


# ---- io_uring: <linux/io_uring.h> --------------------------------------------------------------------------------------

SETUP, ENTER, REGISTER = 425, 426, 427
READV, FSYNC, READ_FIXED = 1, 3, 4
FALLOCATE, OPENAT, CLOSE, STATX, READ, WRITE, FADVISE = 17, 18, 19, 21, 22, 23, 24
OPENAT2, RENAMEAT, UNLINKAT, MKDIRAT, SYMLINKAT, LINKAT, FTRUNCATE = 28, 35, 36, 37, 38, 39, 55
FIXED_FILE, LINKED, ASYNC = 1, 4, 16
SQPOLL = 2


class Ring:
    """One ring; prepare() requests, then submit() them and get {user_data: result}."""

    def __init__(self, entries=64, flags=0):
        params = ctypes.create_string_buffer(120)
        struct.pack_into("IIII", params, 8, flags, 0, 100, 0)
        self.fd = libc.syscall(ctypes.c_long(SETUP), entries, params)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        self.entries, completions, self.flags = struct.unpack_from("III", params, 0)
        self.sq = struct.unpack_from("7I", params, 40)      # head tail mask entries flags dropped array
        self.cq = struct.unpack_from("5I", params, 80)      # head tail mask entries overflow; cqes next
        cqes = struct.unpack_from("I", params, 100)[0]
        self.cqes = cqes
        self.sq_ring = mmap.mmap(self.fd, self.sq[6] + self.entries * 4, offset=0)
        self.cq_ring = mmap.mmap(self.fd, cqes + completions * 16, offset=0x8000000)
        self.sqes = mmap.mmap(self.fd, self.entries * 64, offset=0x10000000)
        # What the kernel reads while we write it is one word at a time (struct writes zeros first).
        self.tail, self.head = (ctypes.c_uint32.from_buffer(self.sq_ring, self.sq[1]), ctypes.c_uint32.from_buffer(self.cq_ring, self.cq[0]))
        self.mask = self.word(self.sq_ring, self.sq[2]), self.word(self.cq_ring, self.cq[2])
        self.kept, self.waiting = [], 0

    def word(self, ring, at):
        return struct.unpack_from("I", ring, at)[0]

    def prepare(self, op, fd=-1, address=None, size=0, offset=0, extra=0, tag=0, flags=0, more=0, buffer=0):
        """address: bytes or a ctypes buffer, kept until the ring goes; extra: op's own flags; more: the last words."""
        if isinstance(address, bytes):
            address = ctypes.create_string_buffer(address)
        self.kept.append(address)
        at = ctypes.addressof(address) if address is not None and not isinstance(address, int) else address or 0
        index = self.tail.value + self.waiting & self.mask[0]
        struct.pack_into("BBHiQQIIQHHiQQ", self.sqes, index * 64, op, flags, 0, fd, offset & (1 << 64) - 1, at, size, extra, tag,
                         buffer, 0, more, 0, 0)
        struct.pack_into("I", self.sq_ring, self.sq[6] + index * 4, index)
        self.waiting += 1

    def submit(self):
        """All that was prepared, until each has its answer."""
        got, wanted, new = {}, self.waiting, self.waiting
        self.tail.value += new      # all at once: a chain that is seen in parts is none
        while len(got) < wanted:
            # GETEVENTS; where a thread of the kernel reads the queue: wake it.
            wake = 2 if self.flags & SQPOLL else 0
            rc = libc.syscall(ctypes.c_long(ENTER), self.fd, new, 1, 1 | wake, None, ctypes.c_long(0))
            if rc < 0 and ctypes.get_errno() != errno.EINTR:
                raise OSError(ctypes.get_errno(), "io_uring_enter")
            new = max(0, new - max(rc, 0))
            head = self.head.value
            while head != self.word(self.cq_ring, self.cq[1]):
                tag, res, _ = struct.unpack_from("QiI", self.cq_ring, self.cqes + (head & self.mask[1]) * 16)
                got[tag] = errno.errorcode.get(-res, res) if res < 0 else res
                head = head + 1 & 0xffffffff
            self.head.value = head
        self.waiting = 0
        return got

    def one(self, op, *args, **more):
        self.prepare(op, *args, tag=1, **more)
        return self.submit()[1]

    def register(self, what, argument, count):
        return system_call(REGISTER, self.fd, what, argument, count)

    def close(self):
        self.tail = self.head = None
        for m in self.sq_ring, self.cq_ring, self.sqes:
            m.close()
        os.close(self.fd)
        self.kept.clear()

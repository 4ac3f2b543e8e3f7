"""The machine that is measured on: what it is, how busy it was, and commands timed on it."""
import os
import platform
import signal
import subprocess
import time


class Missing(Exception):
    """What is to be measured cannot be, and why: it is said, and the rest goes on."""


class Stopwatch:
    """Time, and what the machine did meanwhile: processor time stolen by the host, and load."""

    def __init__(self):
        self.load = os.getloadavg()[0]
        self.stolen, self.all = _processor_ticks()
        self.began = time.monotonic()

    def stop(self):
        self.seconds = time.monotonic() - self.began
        stolen, everything = _processor_ticks()
        self.steal = 100 * (stolen - self.stolen) / max(1, everything - self.all)
        return self


def _processor_ticks():
    with open("/proc/stat") as file:
        ticks = [int(n) for n in file.readline().split()[1:9]]
    return ticks[7], sum(ticks)


class Timed(Stopwatch):
    """One command that has ended: its wall time, processor time and peak memory; or was ended at the limit."""

    def __init__(self):
        super().__init__()
        self.processor = self.memory = 0.0
        self.status, self.finished, self.output = 0, True, ""


def run(command, limit=600, env=None, cwd=None, log=None, status=(0,)):
    """Runs a command in a session of its own, so that all of it can be ended at the limit."""
    errors = open(log, "ab") if log else subprocess.DEVNULL
    timed = Timed()
    child = None
    try:
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=errors, cwd=cwd,
                                 env={**os.environ, **(env or {})}, start_new_session=True)
        try:
            timed.output = child.communicate(timeout=limit)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            timed.finished = False
        timed.stop()
    except OSError as why:
        raise Missing(f"{command[0]}: {why.strerror}") from None
    finally:
        if child is not None and child.returncode is None:
            _end(child)
        if log:
            errors.close()
    timed.status = child.returncode
    if timed.finished and status and child.returncode not in status:
        raise Missing(f"{os.path.basename(str(command[0]))} ended with status {child.returncode}"
                      + (f"; see {log}" if log else ""))
    return timed


def run_measured(command, **options):
    """The same with processor time and memory, as the kernel counts them for the command and its children."""
    with_usage = ["/usr/bin/env", "python3", "-c", _USAGE, *command]
    timed = run(with_usage, **options)
    if timed.finished:
        wall, processor, memory = timed.output.rsplit("\n", 2)[-2].split()[-3:]
        timed.seconds, timed.processor, timed.memory = float(wall), float(processor), float(memory)
    return timed


# A process of its own, so that the peak of one command is not that of an earlier one.
_USAGE = """
import os, resource, subprocess, sys, time
began = time.monotonic()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.monotonic() - began
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{wall:.4f} {u.ru_utime + u.ru_stime:.3f} {u.ru_maxrss / 1024:.1f}", flush=True)
sys.exit(status if status >= 0 else 128 - status)
"""


def _end(child):
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, kind)
            child.wait(timeout=5)
            return
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    child.wait()


class Cache:
    """The kernel's cache, emptied before what is measured cold."""

    def __init__(self):
        self.by_kernel = os.geteuid() == 0 and os.access("/proc/sys/vm/drop_caches", os.W_OK)

    def drop(self, *folders):
        """Everything as root; otherwise the files below these folders, one by one."""
        os.sync()
        if self.by_kernel:
            with open("/proc/sys/vm/drop_caches", "w") as file:
                file.write("3")
            return
        for folder in folders:
            for where, _, files in os.walk(folder):
                for name in files:
                    _drop_file(os.path.join(where, name))

    def words(self):
        if self.by_kernel:
            return "Cold: mounted anew, after the kernel dropped all its caches (drop_caches)."
        return ("Cold: mounted anew. Not run as root, so the kernel's caches could not be dropped: the "
                "archives' files were, one by one (posix_fadvise), but not names and attributes.")


def _drop_file(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def warm(folder):
    """Reads everything below a folder once, so that no ingest pays for the disk."""
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass


def tree_size(folder):
    """Apparent bytes of all files below a folder, or of the one file."""
    if os.path.isfile(folder):
        return os.path.getsize(folder)
    return sum(os.lstat(os.path.join(where, name)).st_size
               for where, _, files in os.walk(folder) for name in files)


def memory_of(word):
    """Peak memory, in MiB, of all processes with this word among their arguments."""
    peak, wanted = 0, os.fsencode(word)
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if wanted not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{number}/status") as file:
                peak += next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
        except (OSError, StopIteration):
            continue
    return peak / 1024


def described():
    """The machine in a line, for the head of the tables."""
    model = _first("/proc/cpuinfo", "model name")
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    return (f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB, Linux {platform.release()}, "
            f"{_first('/etc/os-release', 'PRETTY_NAME', '=').strip(chr(34))}")


def _first(path, key, mark=":"):
    try:
        with open(path) as file:
            return next((line.split(mark, 1)[1].strip() for line in file
                         if line.split(mark, 1)[0].strip() == key), "unknown")
    except OSError:
        return "unknown"


def remove(path):
    """A folder and all in it, whatever modes its files were copied with."""
    if not os.path.lexists(path):
        return
    if subprocess.call(["rm", "-rf", "--one-file-system", path], stderr=subprocess.DEVNULL) != 0:
        subprocess.call(["chmod", "-R", "u+rwX", path])
        subprocess.call(["rm", "-rf", "--one-file-system", path])

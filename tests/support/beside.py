"""A tree in file systems of the kernel, read-only, to hold a mount beside them: what calls answer, by user."""
import os
import re
import shutil
import subprocess

import calls as c

LIMIT = int(os.environ.get("MOST", 60))       # differences that are shown


def mounted(src, path, kind, size="24M", without=(), more=None):
    """src mounted read-only at path, as an absolute path, by squashfs, ext4 or tmpfs; without: what is left out of a
    squashfs, which reads through all holes, and of a tmpfs; more(path) makes in an ext4 what cp cannot copy.
    None where this machine cannot."""
    options = "ro,nosuid,nodev,relatime"
    image, path = f"{src}.{kind}", os.path.abspath(path)
    if kind == "tmpfs":
        os.makedirs(path)
        if subprocess.run(["mount", "-t", kind, "-o", f"size={size}", kind, path], capture_output=True).returncode:
            return None
        copied = [f"{src}/{n}" for n in os.listdir(src) if n not in without]
        subprocess.run(["cp", "-a", *copied, path], check=True)
        subprocess.run(["mount", "-o", f"remount,{options}", path], check=True)
        return path
    if not shutil.which(f"mk{kind}" if kind == "squashfs" else f"mkfs.{kind}"):
        return None
    os.makedirs(path)
    options += ",loop"
    if kind == "squashfs":
        left = ["-e", *without] if without else []
        subprocess.run(["mksquashfs", src, image, "-noappend", "-quiet", "-no-progress", "-processors", "1", *left], check=True, stdout=subprocess.DEVNULL)
        return path if subprocess.run(["mount", "-t", kind, "-o", options, image, path], capture_output=True).returncode == 0 else None
    # Copied by the kernel: mkfs -d keeps no access lists, no times of folders, and not all holes.
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", image, size], check=True, stdout=subprocess.DEVNULL)
    if subprocess.run(["mount", "-t", kind, "-o", "loop", image, path], capture_output=True).returncode:
        return None
    os.rmdir(f"{path}/lost+found")
    try:
        subprocess.run(["cp", "-a", "--sparse=always", f"{src}/.", path], check=True)
        if more:
            more(path)
    finally:
        subprocess.run(["umount", path], check=True)
    return path if subprocess.run(["mount", "-t", kind, "-o", options, image, path], capture_output=True).returncode == 0 else None


def compare(user, tops, asked, reasons):
    """How many answers there were: asked(top) gives them, by (target, call).  Of each the one of the first top has to be that
    of another, or reasons, (pattern of the call, our answer or a tuple of them, why), has it."""
    ours, *theirs = (c.as_user(user, lambda: asked(top)) for top in tops)
    wrong = {}
    for target, name in ours:
        answers = [t.get((target, name), "not asked") for t in (ours, *theirs)]
        if answers[0] not in answers[1:] and not any(re.fullmatch(p, name) and (a == answers[0] or isinstance(a, tuple) and answers[0] in a) for p, a, _ in reasons):
            wrong.setdefault((name, *(str(a)[:100] for a in answers)), []).append(target[:40])
    missing = [key for key in set.intersection(*map(set, theirs)) if key not in ours]
    assert not wrong and not missing, (f"user {user[0]}: {len(wrong)} answers are neither's (call, ours, theirs..., of what):\n" +
                                       "\n".join(map(str, list(wrong.items())[:LIMIT])) + f"\n{missing[:10]}")
    return len(ours)

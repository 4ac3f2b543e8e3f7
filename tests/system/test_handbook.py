#!/usr/bin/python3
"""Every command of docs/handbook.md, in its order, as one shell runs them."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ.get("SUPPORT", "tests/support"))
from muniment import MUNI, skip  # noqa: E402



def handbook():
    """The page stands beside the tests, wherever they were started."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "docs", "handbook.md"), encoding="utf-8") as f:
        return f.read()


def prepare():
    year = 31557600
    os.makedirs("source/invoices")
    for i in range(7):
        path = f"source/invoices/发票-{i}.txt"
        with open(path, "w") as f:
            f.write(f"invoice {i}\n" * 100)
        os.utime(path, ((30 + i) * year, (30 + i) * year))
    with open("source/minutes.txt", "w") as f:
        f.write("kept\n")
    with open("archive.key", "wb") as f:
        f.write(b"0123456789abcdef" * 4)


def start_authority():
    tsa = subprocess.Popen([os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "tsa.py"), "tsa"])
    for _ in range(300):
        if os.path.exists("tsa/port"):
            break
        time.sleep(0.1)
    shutil.copy("tsa/tsa-ca.pem", "tsa-ca.pem")
    with open("tsa/port") as f:
        return tsa, f"http://127.0.0.1:{f.read()}/tsr"


def main():
    if not shutil.which("softhsm2-util"):
        skip("softhsm2 is not installed")
    blocks = re.findall(r"^```sh\n(.*?)^```$", handbook(), re.S | re.M)
    assert len(blocks) > 20, len(blocks)
    prepare()
    tsa, url = start_authority()
    os.makedirs("bin")
    os.symlink(os.path.abspath(MUNI), "bin/muni")
    script = "set -euo pipefail\n"
    for n, block in enumerate(blocks, 1):
        script += f"echo '--- block {n}' >&2\n{block}"
    with open("script", "w") as f:
        f.write(script)
    env = {**os.environ, "PATH": os.path.abspath("bin") + ":" + os.environ["PATH"], "TSA_URL": url}
    try:
        done = subprocess.run(["bash", "script"], env=env, capture_output=True, timeout=500)
    finally:
        tsa.send_signal(signal.SIGTERM)
        tsa.wait()
    said = (done.stdout + b"\n--- errors\n" + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
    for name in ("C1.pdf", "C1.zh.pdf"):
        with open(name, "rb") as f:
            assert f.read(5) == b"%PDF-", name
    assert os.path.exists("source/minutes.txt")


if __name__ == "__main__":
    main()

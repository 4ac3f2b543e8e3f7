#!/usr/bin/python3
"""seed_certificate.py CERTIFICATE.p7m OUT: a seed of the targets `certificate` and `paper`: 2 bytes of size, no annex, and the
certificate's text, with "@" where the target is to put its own certificate and signature."""
import json
import subprocess
import sys

cms, out = sys.argv[1:]
text = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", cms], capture_output=True, check=True).stdout
root = json.loads(text)
root["identity"]["archive_certificate"] = "@"
root["proof"]["signature"] = "@"
for person in root["people"]:
    person["certificate"] = person["signature"] = "@"
with open(out, "wb") as f:
    f.write(b"\0\0" + json.dumps(root, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())

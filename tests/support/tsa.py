#!/usr/bin/python3
"""A time-stamping authority for tests: loopback HTTP before `openssl ts -reply`.

tsa.py FOLDER [--nonce wrong] [--usage plain] [--accuracy SECONDS]

Makes its keys in FOLDER (tsa-ca.pem is the authority's root), writes the port that it
listens on to FOLDER/port and serves until it is killed.  The options make it answer as a
bad authority would: to another question, with a certificate that may not stamp, vaguely.
"""
import argparse
import http.server
import os
import subprocess

EXTENSIONS = {
    "stamp": "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n",
    "plain": "keyUsage=critical,digitalSignature\n",
}
SETTINGS = """
[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:{accuracy}
ess_cert_id_alg = sha256
"""


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def make_keys(folder, usage):
    at = lambda name: os.path.join(folder, name)
    curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", "-newkey", *curve, "-keyout", at("tsa-ca.key"), "-out",
        at("tsa-ca.pem"), "-days", "36500", "-subj", "/CN=Time Authority Root", "-addext",
        "keyUsage=critical,keyCertSign")
    run("openssl", "req", "-new", "-newkey", *curve, "-keyout", at("tsa.key"), "-out",
        at("tsa.csr"), "-subj", "/CN=Time Authority")
    with open(at("tsa.ext"), "w") as f:
        f.write(EXTENSIONS[usage])
    run("openssl", "x509", "-req", "-in", at("tsa.csr"), "-CA", at("tsa-ca.pem"), "-CAkey",
        at("tsa-ca.key"), "-CAcreateserial", "-days", "3650", "-extfile", at("tsa.ext"), "-out",
        at("tsa.pem"))


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        folder = self.server.folder
        query = self.rfile.read(int(self.headers["Content-Length"]))
        with open(os.path.join(folder, "query"), "wb") as f:
            f.write(query)
        if self.server.wrong_nonce and os.path.exists(os.path.join(folder, "first")):
            query_path = os.path.join(folder, "first")
        else:
            query_path = os.path.join(folder, "query")
            with open(os.path.join(folder, "first"), "wb") as f:
                f.write(query)
        signer = ["-signer", os.path.join(folder, "tsa.pem"), "-inkey",
                  os.path.join(folder, "tsa.key")]
        answer = subprocess.run(
            ["openssl", "ts", "-reply", "-config", os.path.join(folder, "tsa.cnf"), "-queryfile",
             query_path, *signer], capture_output=True).stdout
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--nonce", choices=["right", "wrong"], default="right")
    parser.add_argument("--usage", choices=list(EXTENSIONS), default="stamp")
    parser.add_argument("--accuracy", default="1")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    make_keys(options.folder, options.usage)
    with open(os.path.join(options.folder, "serial"), "w") as f:
        f.write("01\n")
    with open(os.path.join(options.folder, "tsa.cnf"), "w") as f:
        f.write(SETTINGS.format(folder=options.folder, accuracy=options.accuracy))
    server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
    server.folder = options.folder
    server.wrong_nonce = options.nonce == "wrong"
    port = os.path.join(options.folder, "port")
    with open(port + ".tmp", "w") as f:
        f.write(str(server.server_port))
    os.rename(port + ".tmp", port)
    server.serve_forever()


if __name__ == "__main__":
    main()

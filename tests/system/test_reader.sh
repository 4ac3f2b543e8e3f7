#!/bin/sh
# docs/format.md suffices: a reader written from it alone lists an archive,
# extracts from it, and finds a changed bit.
set -eu
/usr/bin/python3 -c 'import cryptography, zstandard' 2>/dev/null || {
	echo "python3-cryptography or python3-zstandard is not installed"
	exit 77
}
printf 'a passphrase\nsecond line\n' > pass
head -c 64 /dev/urandom > key
"$SUPPORT/hardtree.py" src --many 300
# What this user may not read would be a problem by name, which is not the point here.
chmod 0400 src/modes/file-0000
for how in "--passphrase-file pass" "--key-file key"; do
	rm -rf a a.*
	# shellcheck disable=SC2086
	"$MUNI" init a --keyring a.keyring $how
	# shellcheck disable=SC2086
	"$MUNI" ingest a src --system s --version one --keyring a.keyring $how
	# shellcheck disable=SC2086
	"$MUNI" ingest a "$SUPPORT" --system t --keyring a.keyring $how
	r="/usr/bin/python3 $SUPPORT/reader.py a --keyring a.keyring $how"
	$r list | grep -q '^s@one complete '
	[ "$($r list s | wc -l)" -eq "$(find src -mindepth 1 -printf 'x\n' | wc -l)" ]
	for f in content/text-200000 content/random-1048576 holes/many-holes holes/data-then-hole links/b/c/fourth; do
		$r extract s@one "$f" | cmp - "src/$f"
	done
	$r extract t demo.sh | cmp - "$SUPPORT/demo.sh"
	$r check
	# The inventory: the same items, to the last sample, as muni itself shows.
	printf 'write to somebody@example.org, card 4111 1111 1111 1111\n' > src/found.txt
	# shellcheck disable=SC2086
	"$MUNI" scan a src --system s -q --keyring a.keyring $how
	# shellcheck disable=SC2086
	"$MUNI" inventory a --system s --json --keyring a.keyring $how > theirs
	PYTHONIOENCODING=utf-8 $r inventory s > ours
	/usr/bin/python3 - ours theirs <<'END'
import base64
import json
import sys
kinds = "?", "file", "directory", "symlink", "fifo", "socket", "char", "block"
name = lambda r, k: base64.b64decode(r[k + "_base64"]) if k + "_base64" in r else r[k] and r[k].encode()    # noqa: E731
ours, theirs = ([json.loads(line) for line in open(f, encoding="utf-8")] for f in sys.argv[1:])
assert len(ours) == len(theirs) > 300, (len(ours), len(theirs))
for a, b in zip(ours, theirs):
    assert bytes(a["path"]) == name(b, "path"), (a, b)
    assert (bytes(a["original"]) if a["original"] else None) == name(b, "duplicate_of"), (a, b)
    assert kinds[a["kind"]] == b["kind"] and a["mode"] == int(b["mode"], 8), (a, b)
    assert a["sha256"] == (b["sha256"] or b.get("digest")), (a, b)
    for k in ("size", "opaque", "copies", "format", "claimed", "encoding", "script", "findings"):
        assert a[k] == b[k], (k, a, b)
assert any(f["type"] == "email" for a in ours for f in a["findings"])
END
	rm src/found.txt
	# Base and redo are the catalogue, without it.
	mkdir -p bare
	mv a/catalogue.1* bare/
	$r rebuild > bare/again
	cmp bare/again bare/catalogue.1
	mv bare/catalogue.1* a/
done
seg=$(find a -name '*.seg' | sort | tail -n 1)
chmod u+w "$seg"
/usr/bin/python3 - "$seg" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(1000)
    b = f.read(1)
    f.seek(1000)
    f.write(bytes([b[0] ^ 4]))
END
if $r check; then echo "a changed bit was not seen"; exit 1; fi

#!/bin/bash
# A catalogue that has to be rebuilt is not taken from under a mount, nor from under
# a process that reads it; once nobody has it open, it is.
set -u
[ -c /dev/fuse ] && command -v fusermount3 >/dev/null || { echo "no /dev/fuse"; exit 77; }
fail=0
bad() { echo "WRONG: $*"; fail=1; }
head -c 40 /dev/urandom >key
mkdir src mnt
seq 1 50000 >src/numbers
keys="--keyring keyring --key-file key"
"$MUNI" init archive $keys >/dev/null 2>&1 || bad "init"
"$MUNI" ingest archive src --system s $keys >/dev/null 2>&1 || bad "ingest"

"$MUNIFS" archive mnt -o keyring="$PWD/keyring",key-file="$PWD/key" || { bad "mount"; exit 1; }
trap 'fusermount3 -u mnt 2>/dev/null' EXIT
cmp src/numbers mnt/s/latest/numbers || bad "reading through the mount"

# Page 3 of the catalogue; the mount has what it needs of it in its cache.
printf 'damage' | dd of=archive/catalogue.1 bs=1 seek=$((2 * 8192 + 100)) conv=notrunc status=none
"$MUNI" verify archive $keys >out 2>&1
[ $? -eq 5 ] || bad "verify of a damaged catalogue: $(cat out)"
"$MUNI" repair archive $keys >out 2>&1
[ $? -eq 1 ] || bad "repair under a mount: exit $?: $(cat out)"
grep -q "unmount, then repair" out || bad "repair under a mount does not say what to do: $(cat out)"
cmp src/numbers mnt/s/latest/numbers || bad "reading after the refused repair"

fusermount3 -u mnt
trap - EXIT
for _ in $(seq 50); do
	"$MUNI" repair archive $keys >out 2>&1
	status=$?
	[ $status -ne 1 ] && break
	sleep 0.1	# the daemon goes after the mount
done
[ $status -eq 0 ] || bad "repair after unmounting: exit $status: $(cat out)"
"$MUNI" verify --deep archive $keys >out 2>&1 || bad "verify after repair: $(cat out)"
"$MUNI" cat archive s numbers $keys | cmp - src/numbers || bad "reading after repair"
exit $fail

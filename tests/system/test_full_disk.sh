#!/bin/bash
# A disk without room: everything reads, also a mount; who writes is told what to do; with room
# again the same command does its work.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }
mkdir disk
mount -t tmpfs -o size=6m tmpfs disk 2>/dev/null || { echo "no disk of its own can be mounted here"; exit 77; }
trap 'fusermount3 -u -z mnt 2>/dev/null; umount disk' EXIT
head -c 64 /dev/urandom >key
keys="--keyring disk/keyring --key-file key"
mkdir src more mnt
for i in 1 2 3 4 5 6; do head -c $((i * 3000)) /dev/urandom >src/f$i; done
for i in $(seq 60); do head -c 40000 /dev/urandom >more/f$i; done
"$MUNI" init disk/archive $keys -q >/dev/null || bad "init"
"$MUNI" ingest disk/archive src --system s $keys -q >/dev/null || bad "ingest"
fill() { dd if=/dev/zero of=disk/filler bs=1k 2>/dev/null; }
reads() {
	for words in "log disk/archive" "ls disk/archive s" "verify disk/archive --deep" "hold list disk/archive" \
		"audit verify disk/archive" "due disk/archive"; do
		"$MUNI" $words $keys >out 2>err || bad "$1: muni $words: $(cat err)"
	done
	"$MUNI" cat disk/archive s f6 $keys 2>err | cmp - src/f6 || bad "$1: a file does not read: $(cat err)"
	[ -c /dev/fuse ] || return
	"$MUNIFS" disk/archive mnt -o "keyring=$PWD/disk/keyring,key-file=$PWD/key" 2>err || bad "$1: mount: $(cat err)"
	cmp mnt/s/latest/f5 src/f5 || bad "$1: the mount does not read"
	fusermount3 -u mnt
}
refused() {
	"$MUNI" "$@" $keys >out 2>err && bad "$* went through"
	grep -qi "make room\|make some" err || bad "$*: it does not say what to do: $(cat err)"
}
# A mount of a full disk keeps writers out while it is full, no longer.
if [ -c /dev/fuse ]; then
	fill
	"$MUNIFS" disk/archive mnt -o "keyring=$PWD/disk/keyring,key-file=$PWD/key" 2>err || bad "full: mount: $(cat err)"
	"$MUNI" hold add disk/archive --case m --reason r --wait 0 $keys >out 2>err && bad "written under a mount that needs it unchanged"
	grep -q "on a full disk: one that reads it until there is room" err || bad "it does not say who reads: $(cat err)"
	rm disk/filler
	"$MUNI" hold add disk/archive --case m --reason r --wait 60 $keys >out 2>err || bad "a mount keeps writers out though there is room: $(cat err)"
	"$MUNI" hold release disk/archive "$(tail -n 1 out)" --reason r $keys >out 2>err || bad "released: $(cat err)"
	"$MUNI" ingest disk/archive src --system s --version after $keys -q >out 2>err || bad "with a mount: $(cat err)"
	for i in $(seq 50); do [ -e mnt/s/versions/after ] && break; sleep 0.1; done
	cmp mnt/s/versions/after/f4 src/f4 || bad "the mount does not follow"
	fusermount3 -u mnt
fi
fill
reads "full"
refused hold add disk/archive --case c --reason r
reads "full, after a writer"
rm disk/filler
# Bytes enough, and no inode for what SQLite makes beside the catalogue.
rm -f disk/archive/catalogue.*-shm
inodes=$(df --output=iused disk | tail -n 1)
mount -o "remount,nr_inodes=$((inodes + 0))" disk 2>/dev/null && {
	"$MUNI" log disk/archive $keys >out 2>err || bad "no inodes: log: $(cat err)"
	grep -q "the disk is full" err || bad "no inodes: it does not say that the disk is full: $(cat err)"
	"$MUNI" verify disk/archive $keys >out 2>err || bad "no inodes: verify: $(cat out err)"
	refused hold add disk/archive --case i --reason r
	mount -o remount,nr_inodes=0 disk
}
# Room for less than is asked for, down to none.
for room in 1800 900 400 200 100 50 20 0; do
	fill
	truncate -s -${room}k disk/filler
	"$MUNI" ingest disk/archive more --system t $keys -q >out 2>err && bad "with $room KiB it went through"
	grep -qi "make room\|make some" err || bad "with $room KiB it does not say what to do: $(cat err)"
	truncate -s +4M disk/filler 2>/dev/null
	fill
	"$MUNI" log disk/archive $keys >out 2>err || grep -qi "make room" err || bad "with $room KiB, then none: $(cat err)"
	rm disk/filler
	reads "with room after $room KiB"
	"$MUNI" hold add disk/archive --case "c$room" --reason r $keys >out 2>err || bad "with room after $room KiB: $(cat err)"
done
[ "$("$MUNI" hold list disk/archive $keys 2>/dev/null | grep -c ' c[0-9]')" -eq 8 ] || bad "not all holds are there"
"$MUNI" verify disk/archive --deep $keys >out 2>err || bad "$(cat out err)"
[ $fail -eq 0 ] && echo "a full disk reads, and says what to do"
exit $fail

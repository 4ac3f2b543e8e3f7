#!/bin/bash
# `muni mount` and `muni umount`: awkward paths, a dead daemon, a busy mount, what
# is no mount of ours.
set -u
[ -c /dev/fuse ] && [ -r /dev/fuse ] || { echo "no /dev/fuse that this user may open"; exit 77; }
[ "$(id -u)" -eq 0 ] || command -v fusermount3 >/dev/null || { echo "no fusermount3"; exit 77; }
fail=0
bad() { echo "WRONG: $*"; fail=1; }
mounted() { grep -q " $1 fuse.munifs " /proc/self/mounts; }
cleanup() {
	for m in "$PWD/plain" "$PWD/a b"; do umount -l "$m" 2>/dev/null; done
}
trap cleanup EXIT

key='k,e\y' ring='ring, the'
head -c 32 /dev/urandom >"$key"
chmod 600 "$key"
mkdir src plain 'a b' other
echo hello >src/file
"$MUNI" init archive -q --keyring "$ring" --key-file "$key" >/dev/null || bad init
"$MUNI" ingest archive src --system s -q --keyring "$ring" --key-file "$key" >/dev/null || bad ingest
mount_on() { "$MUNI" mount archive "$@" --keyring "$ring" --key-file "$key" </dev/null; }

mount_on 'a b' || bad "mount with commas and blanks: $?"
[ "$(cat 'a b/s/latest/file')" = hello ] || bad "reading through a mount on 'a b'"
"$MUNI" umount 'a b/' || bad "umount 'a b/': $?"
mounted "$PWD/a\\\\040b" && bad "'a b' is still mounted"

mount_on plain -o system=s || bad "mount -o: $?"
[ "$(cat plain/latest/file)" = hello ] || bad "reading through -o system=s"
( cd plain && "$MUNI" umount ../plain 2>../err ) && bad "umount of a busy mount exits 0"
grep -q -e --lazy err || bad "umount of a busy mount says: $(cat err)"
"$MUNI" umount --lazy plain || bad "umount --lazy: $?"

mount_on plain || bad "mount again: $?"
pid=$(pgrep -f "munifs.* plain$" | head -n 1)
if [ -n "$pid" ]; then
	kill -9 "$pid"
	sleep 0.2
	"$MUNI" umount plain || bad "umount after kill -9: $?"
	mounted "$PWD/plain" && bad "the dead mount is still there"
	mount_on plain && "$MUNI" umount plain || bad "mount after kill -9"
else
	bad "no munifs process found"
fi

"$MUNI" umount plain 2>err
[ $? -eq 1 ] && grep -q 'no archive is mounted' err || bad "umount of no mount: $(cat err)"
"$MUNI" umount nothing 2>err
[ $? -eq 1 ] || bad "umount of nothing: $(cat err)"
"$MUNI" umount / 2>err
[ $? -eq 1 ] || bad "umount of /: $(cat err)"
mount_on nothing 2>err
[ $? -eq 1 ] && [ -s err ] || bad "mount on nothing: $(cat err)"
touch other/full
mount_on other 2>err
[ $? -eq 1 ] && [ -s err ] || bad "mount on a full directory: $(cat err)"
"$MUNI" mount archive plain --keyring "$ring" --key-file ring 2>err
[ $? -eq 1 ] || bad "mount with a key file that is not there: $?"
exit $fail

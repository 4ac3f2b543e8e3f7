#!/bin/sh
# The main job on real data, as a person would do it: `make demo`.
# Everything lies under $BUILD/demo and is made anew each time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$(pwd)/$BUILD ;; esac
demo=$BUILD/demo
muni=$BUILD/muni
archive=$demo/archive
mnt=$demo/mnt

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {	# show the command as it would be typed, then run it
	printf '$ %s\n' "$(printf '%s ' "$@" | sed "s|$BUILD/||g")"
	"$@"
}
mounted() { grep -q " $mnt fuse" /proc/self/mounts; }
unmount() { mounted && "$muni" umount "$mnt" >/dev/null 2>&1 || :; }
trap unmount EXIT
trap 'exit 130' INT TERM

unmount
rm -rf "$demo"
mkdir -p "$demo" "$mnt"
head -c 32 /dev/urandom > "$demo/key"
chmod 600 "$demo/key"

say "1. A new archive. Its keyring lies outside it: the one file to guard."
run "$muni" init "$archive" --keyring "$demo/demo.keyring" --key-file "$demo/key"
keys="--keyring $demo/demo.keyring --key-file $demo/key"

say "2. The documentation that every Debian carries goes in as one system."
run "$muni" ingest "$archive" /usr/share/doc --system docs $keys

policy=$(cd "$here/../.." && pwd)/policy/rules/hr-payroll.yaml

say "3. A retired HR system. What is in it, and what sensitive data?"
/usr/bin/python3 "$here/hrsystem.py" "$demo/hr" --state 1
run "$muni" scan "$archive" "$demo/hr" --system hr $keys
run "$muni" inventory "$archive" --system hr $keys --finding cn-resident-id | head -n 8

say "4. What becomes of every item, by a shipped policy (policy/rules/hr-payroll.yaml)?"
run "$muni" policy check "$policy"
run "$muni" classify "$archive" --system hr --policy "$policy" $keys -q
run "$muni" policy explain "$archive" --system hr etc/hr.conf $keys | head -n 20
printf 'What the rules leave to a person, a person decides, with name and reason:\n'
run "$muni" decisions "$archive" --system hr --decision review $keys -q | head -n 3
run "$muni" decide "$archive" --system hr etc/hr.conf --decision destroy --class HR-ROT \
	--officer "R. Officer" --reason "the password was revoked; the rest is in the handbook" $keys
run "$muni" decisions "$archive" --system hr --summary $keys

say "5. What is to be archived goes in, each item into its class; three versions, a year apart."
run "$muni" ingest "$archive" "$demo/hr" --system hr --version fy2013 --at 2013-12-31 $keys
for state in 2 3; do
	/usr/bin/python3 "$here/hrsystem.py" "$demo/hr" --state $state
	run "$muni" ingest "$archive" "$demo/hr" --system hr --version "fy201$((2 + state))" \
		--at "201$((2 + state))-12-31" --policy "$policy" $keys
done

say "6. What is there, and what changed between two versions?"
run "$muni" log "$archive" $keys
run "$muni" diff "$archive" hr@fy2014 hr@fy2015 $keys | head -n 20

if [ ! -e /dev/fuse ] || [ ! -r /dev/fuse ] && [ "$(id -u)" -ne 0 ]; then
	say "7. No /dev/fuse that this user may open: the mount is skipped."
else
	say "7. Mounted: plain files, in every version."
	run "$muni" mount "$archive" "$mnt" $keys
	run ls -l "$mnt" "$mnt/hr/versions"
	run ls -l "$mnt/hr/latest/payroll/2012"
	printf 'No cache, no logs, no configuration: they were not to be archived.\n'
	run ls "$mnt/hr/versions/fy2013"
	printf '$ sqlite3 …/fy2013/db/hr.sqlite "SELECT count(*) FROM payroll"\n'
	sqlite3 "file:$mnt/hr/versions/fy2013/db/hr.sqlite?immutable=1" \
		'SELECT count(*) AS payroll_rows FROM payroll'

	say "8. The same bytes as the source?"
	from=$(cd "$demo/hr" && sha256sum db/hr.sqlite | cut -d' ' -f1)
	back=$(cd "$mnt/hr/latest" && sha256sum db/hr.sqlite | cut -d' ' -f1)
	kept=$(getfattr --only-values -n user.muniment.sha256 "$mnt/hr/latest/db/hr.sqlite" 2>/dev/null)
	printf 'source    %s\nmount     %s\ncatalogue %s\n' "$from" "$back" "$kept"
	[ "$from" = "$back" ] && [ "$from" = "$kept" ] || { echo "they differ: that must not be" >&2; exit 1; }
	/usr/bin/python3 "$here/compare.py" --within "$demo/hr" "$mnt/hr/latest"
	run "$muni" umount "$mnt"
fi

say "9. Every byte of the archive is checked."
run "$muni" verify "$archive" --deep $keys

say "Done. The archive stays under $archive. Try next:"
cat <<END
  K="$keys"
  $muni mount $archive $mnt \$K     then cd $mnt, and look around
  $muni find $archive hr --name '*.mbox' \$K
  $muni export $archive hr@fy2013 --to /tmp/hr-bag --format bagit \$K
  $muni ingest $archive SOME.tar.gz --system other \$K
  $muni --help                                  man docs/man/muni.1
END

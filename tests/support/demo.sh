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
run_last() {	# the same, giving the last line of its output: an id
	printf '$ %s\n' "$(printf '%s ' "$@" | sed "s|$BUILD/||g")" >&2
	out=$("$@")
	printf '%s\n' "$out" >&2
	printf '%s\n' "$out" | tail -n 1
}
refused() {	# it must be: exit 3
	printf '$ %s\n' "$(printf '%s ' "$@" | sed "s|$BUILD/||g")"
	status=0
	"$@" || status=$?
	[ $status -eq 3 ] || { echo "exit $status: that had to be refused" >&2; exit 1; }
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

say "9. Years pass. What must be kept until when, and what is due?"
run "$muni" due "$archive" --system hr $keys

say "10. Who may let records go? Officers with certificates of the company's own authority."
sh "$here/officers.sh" "$demo/officers" rita owen robin
off=$demo/officers
run "$muni" officer add "$archive" --id rita --role records --cert "$off/rita.pem" $keys
run "$muni" officer add "$archive" --id owen --role owner --cert "$off/owen.pem" $keys
run "$muni" officer add "$archive" --id robin --role records --cert "$off/robin.pem" $keys

say "11. The scans of identity papers are due. But a court wants them."
hold=$(run_last "$muni" hold add "$archive" --case 2026-CV-0117 --reason "employment dispute" \
	--system hr --class HR-IDENTITY $keys)
refused "$muni" dispose propose "$archive" --due --class HR-IDENTITY --by rita --key "$off/rita.key" $keys
run "$muni" hold release "$archive" "$hold" --reason "settled out of court" $keys

say "12. Proposed by one, approved by two others: here, and on another machine with stock openssl."
disposition=$(run_last "$muni" dispose propose "$archive" --due --class HR-IDENTITY \
	--by rita --key "$off/rita.key" $keys)
refused "$muni" dispose approve "$archive" "$disposition" --by rita --key "$off/rita.key" $keys
run "$muni" dispose approve "$archive" "$disposition" --by owen --key "$off/owen.key" $keys
refused "$muni" dispose execute "$archive" "$disposition" --by rita --key "$off/rita.key" $keys
"$muni" dispose show "$archive" "$disposition" --for-signing $keys > "$demo/list.json"
run openssl cms -sign -binary -in "$demo/list.json" -signer "$off/robin.pem" -inkey "$off/robin.key" \
	-outform DER -out "$demo/robin.p7s"
run "$muni" dispose approve "$archive" "$disposition" --signature "$demo/robin.p7s" $keys

can_mount=no
if [ -e /dev/fuse ] && { [ -r /dev/fuse ] || [ "$(id -u)" -eq 0 ]; }; then
	can_mount=yes
	run "$muni" mount "$archive" "$mnt" $keys
	run ls "$mnt/hr/versions/fy2013"
	cat "$mnt"/hr/versions/*/scans/* > "$demo/read.before"
fi

say "13. Destroyed: by a new key for the whole catalogue, without what goes. Mounts follow."
certificate=$(run_last "$muni" dispose execute "$archive" "$disposition" --by rita --key "$off/rita.key" $keys)
if [ $can_mount = yes ]; then
	printf 'The mount, which was open all the time:\n'
	run ls "$mnt/hr/versions/fy2013"
	if cat "$mnt"/hr/versions/*/scans/* 2>/dev/null | grep -q .; then
		echo "destroyed files can still be read: that must not be" >&2
		exit 1
	fi
	run "$muni" umount "$mnt"
fi

say "14. The certificate, checked by us and by stock openssl."
run "$muni" cert show "$archive" "$certificate" --to "$demo/certificate.p7m" $keys
run "$muni" cert verify "$demo/certificate.p7m" --ca "$off/ca.pem"
cat "$off/ca.pem" "$archive/certificates/archive.pem" > "$demo/trusted.pem"
run openssl cms -verify -binary -inform DER -in "$demo/certificate.p7m" -CAfile "$demo/trusted.pem" \
	-purpose any -out "$demo/certificate.json"
run "$muni" cert pdf "$archive" "$certificate" --lang en --to "$demo/certificate.pdf" $keys
run "$muni" cert pdf "$archive" "$certificate" --lang zh --to "$demo/certificate.zh.pdf" $keys

say "15. Every byte of the archive is checked, and the log of all that was done to it."
run "$muni" verify "$archive" --deep $keys
run "$muni" audit verify "$archive" $keys

say "Done. The archive stays under $archive. Try next:"
cat <<END
  K="$keys"
  $muni mount $archive $mnt \$K     then cd $mnt, and look around
  $muni find $archive hr --name '*.mbox' \$K
  $muni export $archive hr@fy2013 --to /tmp/hr-bag --format bagit \$K
  $muni ingest $archive SOME.tar.gz --system other \$K
  $muni --help                                  man docs/man/muni.1
END

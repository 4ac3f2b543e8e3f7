#!/bin/sh
# Runs each tests/system/test_* (sh or py; exit 77 is a skip that says why) in a
# fresh folder, half as many again at a time as there are processors, since most wait for
# something half of the time (JOBS=n: so many); says how long each took, and ends with one
# line of sums.
# ONLY="pattern ..." runs some of them; SHOW=1 shows what those say that pass.  None runs for
# longer than SYSTEM_LIMIT seconds (900; 0: without end, as with MUNIMENT_FULL=1); whatever it
# leaves mounted or running is cleared away, dead or hanging.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$root/$BUILD ;; esac
[ "${MUNIMENT_FULL:-}" != 1 ] || : "${SYSTEM_LIMIT:=0}"
: "${SYSTEM_LIMIT:=900}"
export SYSTEM_LIMIT BUILD ROOT="$root" MUNI="$BUILD/muni" MUNIFS="$BUILD/munifs"
export SUPPORT="$here/support"

# What a test left behind that did not end as it should.  Processes first: to look into the
# mount of one that hangs is to hang.
clear_away() {
	pkill -KILL -f -- "$1/" 2>/dev/null
	for e in $(grep -lsaz "^MUNIMENT_TEST=$1\$" /proc/[0-9]*/environ); do
		e=${e#/proc/} && kill -KILL "${e%/environ}" 2>/dev/null
	done
	sed -n "s:^[^ ]* [^ ]* [^ ]* [^ ]* \\($1/[^ ]*\\) .*:\\1:p" /proc/self/mountinfo | sort -r |
	while read -r mount; do
		mount=$(printf %b "$mount")
		fusermount3 -u -z "$mount" 2>/dev/null || umount -l "$mount" 2>/dev/null
	done
	chmod -R u+rwx "$1" 2>/dev/null
	rm -rf --one-file-system "$1"
}

# One test, by itself: says how it went, and leaves a word in the sums.
if [ "${1:-}" = one ]; then
	name=$(basename "$2")
	work=$(mktemp -d "${TMPDIR:-/tmp}/muniment-test.XXXXXX") || exit 1
	log=$work.log
	began=$(date +%s)
	( cd "$work" && export MUNIMENT_TEST="$work" && exec timeout -k 10 "$SYSTEM_LIMIT" "$2" ) >"$log" 2>&1 </dev/null
	status=$?
	[ $status -ne 124 ] && [ $status -ne 137 ] ||
		echo "it did not end within $SYSTEM_LIMIT s (SYSTEM_LIMIT), or was killed" >>"$log"
	name="$name ($(($(date +%s) - began)) s)"
	case $status in
	0) word=passed said="  ok    $name${SHOW:+
$(tail -n 40 "$log")}" ;;
	77) word=skipped said="  skip  $name: $(tail -n 1 "$log")" ;;
	*) word=failed said="  FAIL  $name
$(tail -n 40 "$log" | sed 's/^/        /')" ;;
	esac
	printf '%s\n' "$said"
	echo "$word" >> "$SUMS"
	clear_away "$work"
	rm -f "$log"
	exit 0
fi

SUMS=$(mktemp "${TMPDIR:-/tmp}/muniment-sums.XXXXXX") || exit 1
export SUMS
trap 'rm -f "$SUMS"' EXIT
jobs=$((($(nproc) * 3 + 1) / 2))
# The longest first, or the last of them runs alone at the end; the others by name.
turn() {
	case ${1##*/} in
	test_mount.py | test_modes.py | test_sweep_of_faults.py) echo 1 ;;
	test_bases.py | test_bench.py | test_cert.py | test_destruction_leaning.py | test_hostile_files.py) echo 2 ;;
	test_key_faults.sh | test_mount_epoch.py | test_mount_faults.py) echo 3 ;;
	test_restore.py | test_suites.py | test_unchanged.py) echo 4 ;;
	*) echo 5 ;;
	esac
}
for o in ${ONLY:-.}; do
	for t in "$here"/system/test_*$o*; do
		[ -x "$t" ] && printf '%s %s\0' "$(turn "$t")" "$t"
	done
done | sort -zu | cut -zc3- | xargs -0 -r -n 1 -P "${JOBS:-$jobs}" "$0" one
count() { grep -c "^$1\$" "$SUMS"; }
echo "system: $(count passed) passed, $(count failed) failed, $(count skipped) skipped"
[ -s "$SUMS" ] || { echo "system: no test is called like that: $ONLY" >&2; exit 1; }
[ "$(count failed)" -eq 0 ]

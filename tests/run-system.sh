#!/bin/sh
# Runs each tests/system/test_* (sh or py; exit 77 is a skip that says why) in a
# fresh folder; ends with one line of sums.  ONLY=pattern runs some of them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$root/$BUILD ;; esac
export BUILD ROOT="$root" MUNI="$BUILD/muni" MUNIFS="$BUILD/munifs"
export SUPPORT="$here/support"
passed=0 failed=0 skipped=0
for t in "$here"/system/test_*${ONLY:-}*; do
	[ -x "$t" ] || continue
	name=$(basename "$t")
	work=$(mktemp -d "${TMPDIR:-/tmp}/muniment-test.XXXXXX") || exit 1
	log=$work.log
	( cd "$work" && exec "$t" ) >"$log" 2>&1 </dev/null
	case $? in
	0) passed=$((passed + 1)); echo "  ok    $name" ;;
	77) skipped=$((skipped + 1)); echo "  skip  $name: $(tail -n 1 "$log")" ;;
	*) failed=$((failed + 1)); echo "  FAIL  $name"; tail -n 40 "$log" | sed 's/^/        /' ;;
	esac
	chmod -R u+rwx "$work" 2>/dev/null
	rm -rf "$work" "$log"
done
echo "system: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

#!/bin/sh
# What ThreadSanitizer says of a build with TSAN=1: run-tsan.sh units PROGRAM... runs unit
# tests, run-tsan.sh [PATTERN...] system tests.  Any report fails, also of a daemon that
# nobody listens to: they all write into one folder, which is shown at the end.
set -u
here=$(cd "$(dirname "$0")" && pwd)
reports=$(mktemp -d "${TMPDIR:-/tmp}/muniment-tsan.XXXXXX") || exit 1
trap 'rm -rf "$reports"' EXIT
chmod 1777 "$reports"	# also for who is somebody else inside a test
# Tests die of signals on purpose; threads of our own are started behind a fork; and the child
# of a fork that ends (key stretching, fusermount3) is said to leak the threads of its parent.
TSAN_OPTIONS="log_path=$reports/report:second_deadlock_stack=1:die_after_fork=0:report_thread_leaks=0:handle_segv=0:handle_abort=0:handle_sigbus=0"
# Every 61st byte is flipped where all are otherwise: flips find no race, and cost a hundred times more.
MUNIMENT_STRIDE=${MUNIMENT_STRIDE:-61} UNIT_LIMIT=${UNIT_LIMIT:-1800} SYSTEM_LIMIT=${SYSTEM_LIMIT:-3600}
export TSAN_OPTIONS MUNIMENT_STRIDE UNIT_LIMIT SYSTEM_LIMIT

if [ "${1:-}" = units ]; then
	shift
	"$here/run-units.sh" "$@"
else
	[ $# -gt 0 ] || set -- mount. ingest roundtrip destruction_ epoch_readers bases export clients mount_kill mount_hundred soak signals
	SHOW=1 JOBS=${JOBS:-2} ONLY="$*" "$here/run-system.sh"
fi
failed=$?
for report in "$reports"/report.*; do
	[ -e "$report" ] || continue
	head -n 120 "$report"
	failed=1
done
echo "tsan: $(find "$reports" -name 'report.*' | wc -l) processes with reports"
exit $failed

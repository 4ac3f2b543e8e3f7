#!/bin/sh
# Runs each unit test program, as many at a time as there are processors (JOBS=n: so many),
# none for longer than UNIT_LIMIT seconds (900); what failed is shown whole, what took longer
# than SHOW_SLOW seconds (60) is named; ends with one line of sums.
set -u
results=$(mktemp -d "${TMPDIR:-/tmp}/muniment-units.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
UNIT_LIMIT=${UNIT_LIMIT:-900} SHOW_SLOW=${SHOW_SLOW:-60}
export results UNIT_LIMIT SHOW_SLOW
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -I {} sh -c '
	log=$results/$(echo "{}" | tr / _) began=$(date +%s)
	timeout "$UNIT_LIMIT" "{}" >"$log" 2>&1
	status=$? took=$(($(date +%s) - began))
	[ $took -lt "$SHOW_SLOW" ] || echo "  {} took $took s"
	[ $status -ne 124 ] || echo "it did not end within $UNIT_LIMIT s (UNIT_LIMIT)" >>"$log"
	if [ $status -eq 0 ]; then mv "$log" "$log.passed"; else mv "$log" "$log.failed"; fi'
for log in "$results"/*.failed; do
	[ -e "$log" ] || continue
	grep -v -e '\[ *OK *\]' -e '\[ *RUN *\]' "$log"
	echo "FAILED: $(basename "$log" .failed)"
done
passed=$(find "$results" -name '*.passed' | wc -l)
failed=$(($# - passed))
echo "units: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/bin/sh
# Runs each unit test program, as many at a time as there are processors; what
# failed is shown whole; ends with one line of sums.
set -u
results=$(mktemp -d "${TMPDIR:-/tmp}/muniment-units.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
export results
printf '%s\n' "$@" | xargs -P "$(nproc)" -I {} sh -c '
	log=$results/$(echo "{}" | tr / _)
	if "{}" >"$log" 2>&1; then mv "$log" "$log.passed"; else mv "$log" "$log.failed"; fi'
for log in "$results"/*.failed; do
	[ -e "$log" ] || continue
	grep -v -e '\[ *OK *\]' -e '\[ *RUN *\]' "$log"
	echo "FAILED: $(basename "$log" .failed)"
done
passed=$(find "$results" -name '*.passed' | wc -l)
failed=$(($# - passed))
echo "units: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/bin/sh
# Runs each unit test program; ends with one line of sums.
set -u
passed=0 failed=0
for t in "$@"; do
	if out=$("$t" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s\n' "$out" | grep -v -e '\[ *OK *\]' -e '\[ *RUN *\]'
		echo "FAILED: $t"
	fi
done
echo "units: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

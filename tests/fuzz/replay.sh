#!/bin/sh
# replay.sh BUILD NAME...: every fuzz target with its seeds and with what once broke it, as
# they are and changed ROUNDS times each (500); no fuzzer is needed.
set -u
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
results=$(mktemp -d "${TMPDIR:-/tmp}/muniment-replay.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
export build here results ROUNDS="${ROUNDS:-500}"
one='
name=$1
mkdir "$results/$name" && cd "$results/$name" || exit 1
if "$build/replay/$name" "$ROUNDS" "$here/corpus/$name" "$here/found/$name" >log 2>&1; then
	mv log passed
else
	mv log failed
	[ ! -e replay-crash ] || cp replay-crash "$build/replay/$name.crash"
fi'
printf '%s\n' "$@" | xargs -P "$(nproc)" -I {} sh -c "$one" one {}
for log in "$results"/*/failed; do
	[ -e "$log" ] || continue
	tail -n 40 "$log"
	echo "FAILED: $(basename "$(dirname "$log")"): what broke it is in $build/replay/"
done
passed=$(find "$results" -name passed | wc -l)
failed=$(($# - passed))
echo "replay: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

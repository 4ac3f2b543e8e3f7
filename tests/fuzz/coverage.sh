#!/bin/sh
# coverage.sh BUILD NAME...: what of our sources each fuzz target reaches with its seeds, what once
# broke it, and what fuzzers kept (build/fuzz/corpus, or FUZZ_CORPUS).  Leaves BUILD/report.txt, and
# for each target BUILD/NAME.txt: its sources, with how often each branch was taken or not.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
kept=${FUZZ_CORPUS:-$here/../../build/fuzz/corpus}
work=$(mktemp -d "${TMPDIR:-/tmp}/muniment-coverage.XXXXXX")
trap 'rm -rf "$work"' EXIT
objects=
for name in "$@"; do
	mkdir "$work/$name"
	(cd "$work/$name" && LLVM_PROFILE_FILE="$build/$name.raw" \
		"$build/replay/$name" 0 "$here/corpus/$name" "$here/found/$name" "$kept/$name" >log 2>&1) ||
		echo "coverage: $name did not end well: $(tail -n 1 "$work/$name/log")" >&2
	[ -s "$build/$name.raw" ] || continue
	llvm-profdata merge -sparse "$build/$name.raw" -o "$build/$name.data"
	rm "$build/$name.raw"
	objects="$objects -object $build/replay/$name"
	llvm-cov show "$build/replay/$name" -instr-profile="$build/$name.data" -show-branches=count \
		-ignore-filename-regex='/tests/' >"$build/$name.txt" 2>"$work/errors"
done
llvm-profdata merge -sparse "$build"/*.data -o "$build/all.profile"
# The first object stands without its option.
llvm-cov report ${objects# -object } -instr-profile="$build/all.profile" -show-region-summary=false \
	-ignore-filename-regex='/tests/' >"$build/report.txt"
tail -n 1 "$build/report.txt"
echo "coverage: $build/report.txt, and a file for each target beside it"

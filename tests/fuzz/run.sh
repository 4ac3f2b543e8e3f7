#!/bin/sh
# run.sh BUILD NAME...: each fuzz target for FUZZ_TIME seconds (60), FUZZ_JOBS at a time
# (as many as there are processors), by FUZZ_SEED (0: another one each time), from its
# seeds and from what it found in earlier runs (BUILD/corpus).  A line for each; what
# broke one is left in BUILD/crashes, and so is what took over two seconds, which alone is
# no failure: another job may have.
set -u
build=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
export build here FUZZ_TIME="${FUZZ_TIME:-60}" FUZZ_SEED="${FUZZ_SEED:-0}"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1:max_allocation_size_mb=900}"
mkdir -p "$build/crashes"
one='
name=$1
corpus=$build/corpus/$name log=$build/$name.log
mkdir -p "$corpus" "$here/corpus/$name"
dict=""
[ -e "$here/$name.dict" ] && dict=-dict=$here/$name.dict
seeds=$here/corpus/$name
[ -d "$here/found/$name" ] && seeds="$seeds $here/found/$name"
"$build/target/$name" $dict -max_total_time="$FUZZ_TIME" -seed="$FUZZ_SEED" -timeout=25 -report_slow_units=2 \
	-rss_limit_mb=1024 -malloc_limit_mb=1000 -max_len=65536 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
	"$corpus" $seeds >"$log" 2>&1
status=$?
runs=$(sed -n "s/^stat::number_of_executed_units: //p" "$log")
cov=$(sed -n "s/.* cov: \([0-9]*\) .*/\1/p" "$log" | tail -n 1)
if [ "$status" -eq 0 ]; then
	printf "  ok    %-12s %10s runs, %6s edges, %5s inputs kept, %s slow\n" "$name" "$runs" \
		"$cov" "$(ls "$corpus" | wc -l)" "$(ls "$build/crashes" | grep -c "^$name-slow")"
else
	printf "  FAIL  %-12s (%s)\n" "$name" "$log"
	grep -m 3 -e "ERROR" -e "SUMMARY" -e "Test unit written" "$log" | sed "s/^/        /"
	touch "$build/crashes/.failed"
fi'
rm -f "$build/crashes/.failed"
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-$(nproc)}" -I {} sh -c "$one" one {}
[ ! -e "$build/crashes/.failed" ]

#!/bin/bash
# init and changes of keys, ended at every single write, sync and rename: killed
# there, or refused there by a disk that is full or fails.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }
fault="$BUILD/support/inject.so"
[ -e "$fault" ] || { echo "there is no preloaded library that fails on order"; exit 77; }
head -c 64 /dev/urandom >key
head -c 64 /dev/urandom >second.key
keys="--keyring keyring --key-file key"
faulty() {	# faulty NTH HOW WORDS...: the status, or 137 where it was killed
	local n=$1 how=$2
	shift 2
	( LD_PRELOAD=$fault FAULT_NTH=$n FAULT_HOW=$how FAULT_COUNT=$PWD/count \
		"$MUNI" "$@" >out 2>err </dev/null
	  exit $? ) 2>/dev/null
}
refusal() {	# by turns, to save time: both go the same way through the code
	[ $(($1 % 2)) -eq 0 ] && echo ENOSPC || echo EIO
}
opens() { "$MUNI" log "$@" >out 2>err </dev/null; }
count_of() {
	rm -f count
	faulty 0 EIO "$@" || bad "muni $* fails without a fault: $(cat err)"
	cat count
}

# ---- init ---------------------------------------------------------------------
total=$(count_of init archive $keys)
opens archive $keys || bad "the archive does not open: $(cat err)"
rm -rf archive keyring ./*.anchor
[ "$total" -gt 30 ] || bad "only $total calls were counted"
for n in $(seq 1 "$total"); do
	faulty "$n" kill init archive $keys
	if [ -e archive/muniment.toml ]; then
		opens archive $keys || bad "killed at $n: whole, but: $(cat err)"
		"$MUNI" ingest archive /dev/null --system s --allow-raw $keys >/dev/null 2>&1
	else
		opens archive $keys && bad "killed at $n: half an archive opens"
		"$MUNI" init archive $keys >out 2>err </dev/null ||
			bad "killed at $n: the next init says $(cat err)"
	fi
	opens archive $keys || bad "killed at $n, then made: $(cat err)"
	rm -rf archive keyring ./*.anchor
done
for n in $(seq 1 "$total"); do
	how=$(refusal "$n")
	if faulty "$n" "$how" init archive $keys; then
		opens archive $keys || bad "$how at $n was passed over: $(cat err)"
	else
		[ -s err ] || bad "$how at $n: no message"
		left=$(ls -d archive keyring ./*.anchor 2>/dev/null)
		[ -z "$left" ] || bad "$how at $n left: $left ($(cat err))"
	fi
	rm -rf archive keyring ./*.anchor
done

# ---- keys ------------------------------------------------------------------------
"$MUNI" init archive $keys >out 2>err </dev/null || bad "init: $(cat err)"
mkdir whole
cp -a archive keyring ./*.anchor whole/
id=$(tail -n 1 out)
again() {
	rm -rf archive keyring "$id.anchor"
	cp -a whole/. .
}
add="key add archive --new-key-file second.key $keys"
remove="key remove archive 1 --keyring keyring --key-file second.key"
total=$(count_of $add)
for how in kill refuse; do
	for n in $(seq 1 "$total"); do
		[ $how = kill ] || how=$(refusal "$n")
		again
		faulty "$n" $how $add
		opens archive $keys || bad "add, $how at $n: the first key no longer opens: $(cat err)"
		"$MUNI" $add >out 2>err </dev/null || bad "add, $how at $n, then again: $(cat err)"
		opens archive --keyring keyring --key-file second.key ||
			bad "add, $how at $n, then again: the second key: $(cat err)"
		grep -qi keyring err && bad "add, $how at $n: not settled: $(cat err)"
	done
done
again
"$MUNI" $add >out 2>err </dev/null || bad "add: $(cat err)"
rm -rf whole/*
cp -a archive keyring "$id.anchor" whole/
total=$(count_of $remove)
# The switch of epoch that a removal ends with is test_epoch_faults.py's: here its
# beginning alone, unless every moment was asked for.
[ "${FAULTS_ALL:-}" = 1 ] || total=30
for how in kill refuse; do
	for n in $(seq 1 "$total"); do
		[ $how = kill ] || how=$(refusal "$n")
		again
		faulty "$n" $how $remove
		opens archive --keyring keyring --key-file second.key ||
			bad "remove, $how at $n: the second key no longer opens: $(cat err)"
		opens archive $keys && "$MUNI" $remove >out 2>err </dev/null
		opens archive $keys && bad "remove, $how at $n, then again: the removed key opens"
		"$MUNI" $add >out 2>err --keyring keyring --key-file second.key </dev/null ||
			bad "remove, $how at $n, then a change: $(cat err)"
		opens archive --keyring keyring --key-file second.key || bad "at last: $(cat err)"
		grep -qi keyring err && bad "remove, $how at $n: not settled: $(cat err)"
	done
done

[ $fail -eq 0 ] && echo "init and keys: whole after every fault"
exit $fail

#!/bin/bash
# A pipe in the place of a file that is named: policies, officers' certificates and keys, what
# is verified.  It is read to its end; where nothing ever comes, the first signal ends the wait.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }
status() {	# status EXPECTED WORDS...
	local expected=$1
	shift
	"$MUNI" "$@" >out 2>err </dev/null
	local got=$?
	[ $got -eq "$expected" ] || bad "muni $*: exit $got, not $expected: $(cat err)"
}

head -c 32 /dev/urandom >key
for who in anna bert; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $who.key \
		-out $who.pem -subj /CN=$who -days 30 2>/dev/null || { echo "no openssl"; exit 77; }
done
cp "$ROOT/policy/rules/health.yaml" policy.yaml
by="--keyring ring --key-file key"
status 0 init archive $by
"$MUNI" policy check policy.yaml >plain 2>plain.err </dev/null
plain=$?
[ $plain -eq 0 ] || bad "the policy itself: $(cat plain plain.err)"
mkfifo pipe

# In pieces, and as a shell's substitution.
(head -c 9 policy.yaml; sleep 0.1; tail -c +10 policy.yaml) >pipe &
"$MUNI" policy check pipe >out 2>err </dev/null
[ $? -eq $plain ] || bad "a policy by a pipe: $(cat out err), by its name: $(cat plain plain.err)"
wait
sed 's/pipe/policy.yaml/' out | cmp -s - plain || bad "a policy by a pipe is told as $(cat out)"
"$MUNI" policy check <(head -c 5000000 /dev/zero) >out 2>err </dev/null && bad "5 MB of zeros are a policy"
grep -q 'that is no policy' out err || bad "5 MB of zeros: $(cat out err)"

status 0 officer add archive --id anna --role records --cert <(cat anna.pem) $by
"$MUNI" officer list archive $by | grep -q anna || bad "no officer anna"
cat bert.pem >pipe &
status 0 officer add archive --id bert --role it --cert pipe $by
wait
: >empty
status 2 officer add archive --id nobody --role it --cert empty $by
grep -q 'is no certificate' err || bad "an empty certificate: $(cat err)"

# Nothing comes: into a pipe that nobody opens.
timeout -k 60 1 "$MUNI" cert verify pipe --ca anna.pem >out 2>err </dev/null
got=$?	# 124: the first signal ended it
[ $got -eq 124 ] || bad "SIGTERM while nobody opens what is to be verified: exit $got: $(cat err)"
grep -q 'waiting for what is to be written into "pipe"' err || bad "SIGTERM while waiting: $(cat err)"

exit $fail

#!/bin/bash
# Who can open an archive: slots listed, added, removed; an escrow officer's stock
# openssl; the prompt on a terminal.
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
printf 'first words\nsecond line\n' >pass
printf 'first words' >same
printf 'other words\n' >other
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout officer.key \
	-out officer.pem -subj /CN=officer -days 30 2>/dev/null || { echo "no openssl"; exit 77; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout second.key -out second.pem \
	-subj /CN=second -days 30 2>/dev/null

status 0 init archive --keyring ring --key-file key --passphrase-file pass --recipient officer.pem
[ -f ring ] || exit 1	# nothing else can be right
by_key="--keyring ring --key-file key" by_pass="--keyring ring --passphrase-file pass"
status 0 key list archive $by_key
[ "$(sed 1d out | wc -l)" -eq 3 ] || bad "init made other slots than three: $(cat out)"
status 0 ls archive $by_pass
status 0 ls archive --keyring ring --passphrase-file same
status 4 ls archive --keyring ring --passphrase-file other
status 4 ls archive --keyring ring --key-file officer.pem

# A pipe as a key: into which somebody writes, in pieces; into which nobody does: a signal ends that.
mkfifo pipe
(head -c 7 key; tail -c +8 key) >pipe &
status 0 ls archive --keyring ring --key-file pipe
wait
for option in --key-file --passphrase-file; do
	timeout -s KILL 60 "$MUNI" ls archive --keyring ring $option pipe >out 2>err </dev/null &
	exec 7>pipe	# from here on it is open at its end, and nothing comes
	kill -TERM $!
	wait $!
	got=$?
	exec 7>&-
	[ $got -eq 1 ] && grep -q 'nothing was written into pipe' err ||
		bad "SIGTERM while $option waits: exit $got: $(cat err)"
	timeout -k 60 1 "$MUNI" ls archive --keyring ring $option pipe >out 2>err </dev/null
	got=$?	# 124: the first signal ended it
	[ $got -eq 124 ] || bad "SIGTERM while nobody opens what $option names: exit $got: $(cat err)"
done

status 0 key add archive $by_key --new-passphrase-file other --label 发票
number=$(cat out)
status 0 key list archive $by_key --json
python3 - "$number" <<'PY' || bad "key list --json: $(cat out)"
import json, sys
keys = [json.loads(line) for line in open("out", encoding="utf-8")]
assert [k["kind"] for k in keys].count("passphrase") == 2
assert [k["label"] for k in keys if k["number"] == int(sys.argv[1])] == ["发票"]
PY
status 0 key add archive $by_key --recipient second.pem
second=$(cat out)
status 0 ls archive --keyring ring --passphrase-file other

# The officers, with stock tools and no key of ours.
"$MUNI" key list archive $by_key | grep recipient >list
[ "$(wc -l <list)" -eq 2 ] || bad "recipients: $(cat list)"
for who in officer:"$(awk '/officer/ {print $1}' list)" second:"$second"; do
	name=${who%%:*}
	status 0 key message archive "${who##*:}" $by_key
	openssl cms -decrypt -inform DER -in out -inkey "$name.key" -recip "$name.pem" \
		-out recovered 2>/dev/null || bad "openssl cms -decrypt for $name"
	status 0 ls archive --keyring ring --key-file recovered
done

# What is removed no longer opens; the others still do; the last one stays.
cp ring ring.before
first=$("$MUNI" key list archive $by_key | awk '/key file/ {print $1; exit}')
status 0 key remove archive "$first" $by_key
grep -q copy err || bad "key remove does not say what it does not undo: $(cat err)"
status 4 ls archive $by_key
status 0 ls archive $by_pass
status 0 ls archive --keyring ring --passphrase-file other
status 0 key remove archive "$number" $by_pass
status 4 ls archive --keyring ring --passphrase-file other
last=$("$MUNI" key list archive $by_pass | awk '/passphrase/ {print $1; exit}')
status 3 key remove archive "$last" $by_pass
status 0 ls archive $by_pass
status 1 key remove archive 99 $by_pass
status 2 key remove archive $by_pass
status 2 key remove archive one $by_pass
status 2 key list archive 1 $by_pass
status 2 key add archive $by_pass --recipient officer.pem --new-key-file key
status 2 key list archive $by_pass --label x

# A person at a terminal: asked once, nothing shown; twice for a new one.
cat >person.py <<'PY'
import os, pty, select, sys, time
answers, words = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(words[0], words)
seen, asked, end = b"", 0, time.time() + 60
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    while asked < len(answers) and seen.count(b": ") + seen.count(b"? ") > asked and \
            seen.endswith(b" "):
        os.write(fd, answers[asked].encode() + b"\n")
        asked += 1
        time.sleep(0.2)
        seen += b"#"
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
person() { python3 person.py "$@" >out 2>err; }
person "first words" "$MUNI" ls archive --keyring ring || bad "a passphrase typed: $? $(cat out)"
grep -q 'first words' out && bad "the passphrase was shown: $(cat out)"
person "wrong words" "$MUNI" ls archive --keyring ring
[ $? -eq 4 ] || bad "a wrong passphrase typed: $(cat out)"
person "new|new" "$MUNI" init typed --keyring typed.ring || bad "init with a typed passphrase: $(cat out)"
person "new" "$MUNI" log typed --keyring typed.ring || bad "opening it again: $(cat out)"
person "new|mew" "$MUNI" init unlike --keyring unlike.ring && bad "two passphrases that differ"
[ -e unlike.ring ] && bad "a keyring is left of an init that failed"
exit $fail

#!/bin/bash
# Looking at an archive without mounting it: log, ls, find, cat, stat, diff,
# --json, names that would play tricks on a terminal, exit statuses, full disks.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }
same() {	# same WHAT EXPECTED GOT
	[ "$2" = "$3" ] || bad "$1: expected '$2', got '$3'"
}
status() {	# status EXPECTED WORDS...
	local expected=$1
	shift
	"$MUNI" "$@" >out 2>err </dev/null
	local got=$?
	[ $got -eq "$expected" ] || bad "muni $*: exit $got, not $expected: $(cat err)"
}
json() {	# json PYTHON-EXPRESSION over the list of objects "o" read from ./out
	python3 - "$1" <<'PY' || bad "json: $1 of: $(head -c 2000 out)"
import base64, json, sys
o = [json.loads(line) for line in open("out", encoding="utf-8")]
assert all(x["muniment_json"] == 1 and isinstance(x["type"], str) for x in o), o
assert eval(sys.argv[1]), o
PY
}

# ---- a source with every kind of awkward name, in two states -------------------
head -c 32 /dev/urandom >key
chmod 600 key
newline=$'new\nline' escape=$'esc\033[31mred' latin=$'caf\xe9' dash=-dash
override=$'txt\xe2\x80\xaegpj' chinese='发票.csv'
mkdir -p src/dir/deep "src/$latin" src/empty
echo one >"src/$newline"
echo two >"src/$escape"
echo three >"src/$latin/$chinese"
echo four >"src/$dash"
echo five >"src/$override"
seq 1 20000 >src/dir/numbers.txt
cp src/dir/numbers.txt src/dir/deep/copy.txt
ln src/dir/numbers.txt src/dir/hard
ln -s "$newline" src/link
ln -s /nowhere/at/all src/dangling
mkfifo src/fifo
truncate -s 3M src/holes
printf x | dd of=src/holes bs=1 seek=1M conv=notrunc status=none
chmod 4711 src/dir/deep/copy.txt
touch -d '1965-03-04 05:06:07.123456789Z' src/dir/numbers.txt
touch -d '2021-06-30T12:00:00Z' "src/$dash"

status 0 init archive --keyring keyring --key-file key
[ $fail -eq 0 ] || exit 1	# nothing else can be right
same "init's last line" 32 "$(tail -n 1 out | tr -d '\n' | wc -c)"
grep -q keyring err || bad "init says nothing of the keyring: $(cat err)"
keys="--keyring keyring --key-file key"
status 0 ingest archive src --system hr --version first --at 2021-06-30 $keys
same "ingest's last line" hr@first "$(tail -n 1 out)"

mv src/dir src/renamed
rm "src/$escape"
echo two-changed >"src/$newline"
mv "src/$dash" src/moved.txt
chmod 600 src/holes
echo new >src/new
status 0 ingest archive src --system hr --at 2022-06-30 $keys --json
json 'o[-1]["type"] == "ingest" and o[-1]["system"] == "hr" and o[-1]["state"] == "complete"'
second=$(python3 -c 'import json; print(json.loads(open("out").readlines()[-1])["version"])')

# ---- log -------------------------------------------------------------------------
status 0 log archive $keys
same "lines of log" 3 "$(wc -l <out)"
grep -q '^hr@first  *2021-06-30 00:00:00 ' out || bad "log: $(cat out)"
status 0 log archive hr $keys --json
json 'len(o) == 2 and o[0]["version"] == "first" and o[0]["at"] == "2021-06-30T00:00:00Z"'
json 'o[0]["files"] == 9 and o[0]["problems"] == 0 and len(o[0]["merkle_root"]) == 64'
status 0 log archive hr@first $keys
grep -q '^state: *complete' out || bad "log of one version: $(cat out)"
status 1 log archive nobody $keys
status 1 log archive hr@nothing $keys

# ---- ls --------------------------------------------------------------------------
status 0 ls archive $keys
same "systems" hr "$(cat out)"
status 0 ls archive hr@first $keys
expected='-dash
caf\xe9/
dangling
dir/
empty/
esc\x1b[31mred
fifo
holes
link
new\nline
txt\xe2\x80\xaegpj'
same "ls" "$expected" "$(cat out)"
status 0 ls -0 archive hr@first $keys
same "ls -0" 11 "$(tr -cd '\0' <out | wc -c)"
grep -qzx "$latin" out || bad "ls -0 does not give the bytes of a name"
status 0 ls archive hr@first /dir/ $keys
same "ls of a directory" "$(printf 'deep/\nhard\nnumbers.txt')" "$(cat out)"
status 0 ls -R archive hr@first dir $keys
same "ls -R" "$(printf 'dir/deep/\ndir/deep/copy.txt\ndir/hard\ndir/numbers.txt')" "$(cat out)"
status 0 ls -l archive hr@first $keys
grep -q '^lrwxrwxrwx .* link -> new\\nline$' out || bad "ls -l of a link: $(cat out)"
grep -q '^p' out || bad "ls -l of a fifo: $(cat out)"
status 0 ls -l archive hr@first dir $keys
grep -q '^-rw.* 2 .* 1965-03-04 05:06:07  *numbers.txt$' out || bad "ls -l of a file: $(cat out)"
status 0 ls -ld archive hr@first dir $keys
same "ls -d" 2 "$(wc -l <out)"
status 0 ls archive hr@2021-12-31 $keys
same "ls on a day" "$expected" "$(cat out)"
status 0 ls archive hr@first $keys --json
json '[x["path"] for x in o if x["path"].startswith("caf")] == ["caf\\xe9"]'
json 'base64.b64decode([x["path_base64"] for x in o if "path_base64" in x][0]) == b"caf\xe9"'
json '[x["target"] for x in o if x["path"] == "link"] == ["new\nline"]'
json '{x["kind"] for x in o} == {"file", "directory", "symlink", "fifo"}'
status 1 ls archive hr@first nothing/there $keys
grep -q 'nothing' err || bad "ls does not name what is not there: $(cat err)"
status 1 ls archive hr@2020-01-01 $keys
status 2 ls archive hr@first dir/../.. $keys

# Nothing that a terminal takes for a command gets out, by any door.
for words in "ls archive hr@first" "ls -lR archive hr@first" "find archive hr@first" \
	"diff archive hr@first hr" "stat archive hr@first" "ls archive hr@first --json" \
	"diff archive hr@first hr --json"; do
	"$MUNI" $words $keys >out 2>err
	LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" out err && bad "$words: control characters"
	grep -q "$(printf '\342\200\256')" out && [ "${words%--json}" = "$words" ] &&
		bad "$words: an override"
	python3 -c 'open("out", encoding="utf-8").read()' || bad "$words: not UTF-8"
done
"$MUNI" ls archive hr@first $'no\033[31msuch' $keys 2>err
LC_ALL=C grep -q "$(printf '\033')" err && bad "an error message with an escape"

# ---- find ------------------------------------------------------------------------
found() {	# found EXPECTED OPTIONS...
	local expected=$1
	shift
	status 0 find archive hr@first "$@" $keys
	same "find $*" "$expected" "$(paste -sd '|' out)"
}
found 'dir/deep/copy.txt|dir/numbers.txt' --name '*.txt'
found 'caf\xe9/发票.csv' --name '发?.csv'
found 'caf\xe9' --name $'caf\xe9'
found 'dir/deep/copy.txt' --path 'dir/*/copy.*'
found 'caf\xe9|dir|dir/deep|empty' --type d
found 'dangling|fifo|link' --type l,p
found 'dir/deep/copy.txt|dir/hard|dir/numbers.txt|holes' --size +10k
found 'holes' --size 3M
found '-dash|caf\xe9/发票.csv|esc\x1b[31mred|new\nline|txt\xe2\x80\xaegpj' --size -10
found 'dir/hard|dir/numbers.txt' --older 1970-01-01
found '-dash' --type f --newer 2021-06-29 --older 2021-07-01
found 'dir/deep/copy.txt' dir/deep --name '*'
status 0 find archive hr@first dir --name copy.txt $keys --json
json 'len(o) == 1 and o[0]["path"] == "dir/deep/copy.txt" and o[0]["mode"] == "4711"'
status 0 find -0 archive hr@first --name "$newline" $keys
same "find -0" "$(printf '%s\0' "$newline" | od -c)" "$(od -c out)"
status 1 find archive hr@first --class NONE $keys

# ---- cat, stat -------------------------------------------------------------------
status 0 cat archive hr@first dir/numbers.txt $keys
seq 1 20000 | cmp -s - out || bad "cat of a file"
status 0 cat archive hr@first $keys -- "$dash" "$newline" "$latin/$chinese"
same "cat of three" "$(printf 'four\none\nthree')" "$(cat out)"
status 0 cat archive hr@first holes $keys
cmp -s out src/holes || bad "cat of a file with holes"
status 2 cat archive hr@first dir $keys
status 2 cat archive hr@first fifo $keys
status 1 cat archive hr@first nothing $keys
[ -s out ] && bad "cat of nothing wrote something"

status 0 stat archive hr@first dir/numbers.txt $keys
grep -q '^modified: *1965-03-04T05:06:07.123456789Z$' out || bad "stat's time: $(cat out)"
grep -q "^sha256: *$(seq 1 20000 | sha256sum | cut -d' ' -f1)\$" out || bad "stat's sha256: $(cat out)"
grep -q '^links: *2$' out || bad "stat's links: $(cat out)"
status 0 stat archive hr@first dir/numbers.txt dir/hard "$newline" $keys --json
json 'o[0]["node"] == o[1]["node"] and o[0]["mtime"] == "1965-03-04T05:06:07.123456789Z"'
json 'o[2]["path"] == "new\nline" and o[2]["last_version"] == "first"'
status 0 stat archive hr@first $keys
grep -q '^kind: *directory$' out || bad "stat of the root: $(cat out)"
status 0 stat archive hr@first holes $keys --json
json 'o[0]["size"] == 3 << 20 and o[0]["allocated"] < o[0]["size"]'

# ---- diff ------------------------------------------------------------------------
status 0 diff archive hr@first "hr@$second" $keys
grep -qx '> -dash -> moved.txt' out || bad "diff: a moved file: $(cat out)"
grep -q '^> dir/ -> renamed/' out || bad "diff: a moved directory: $(cat out)"
grep -q 'numbers.txt' out && bad "diff: tells of files in a renamed directory: $(cat out)"
grep -qx -e '- esc\\x1b\[31mred' out || bad "diff: a removed file: $(cat out)"
grep -qx '+ new' out || bad "diff: an added file: $(cat out)"
grep -q '^~ new\\nline  (content 4 B -> 12 B' out || bad "diff: a changed file: $(cat out)"
grep -q '^~ holes  (mode 0644 -> 0600)$' out || bad "diff: a changed mode: $(cat out)"
same "lines of diff" 6 "$(wc -l <out)"
status 0 diff archive hr@first hr $keys --json
json 'sorted(x["change"] for x in o[:-1]) == ["added", "changed", "changed", "moved", "moved", "removed"]'
json 'o[-1] == {"muniment_json": 1, "type": "diff", "added": 1, "removed": 1, "changed": 2, "moved": 2}'
status 0 diff -s archive hr hr@first $keys
same "diff -s" "1 added, 1 removed, 2 changed, 2 moved" "$(cat out)"
status 0 diff archive hr hr $keys
[ -s out ] && bad "diff of a version with itself: $(cat out)"

# ---- keys, and output that cannot be written --------------------------------------
head -c 32 /dev/urandom >wrong
status 4 ls archive --keyring keyring --key-file wrong
status 4 ls archive --keyring nothing --key-file key
status 4 ls archive --keyring keyring	# nobody to ask
for words in "log archive" "ls archive hr" "find archive hr" "cat archive hr renamed/numbers.txt" \
	"stat archive hr new" "diff archive hr@first hr" "ls archive hr --json"; do
	"$MUNI" $words $keys >/dev/full 2>err
	same "muni $words >/dev/full" 1 $?
	grep -q 'standard output' err || bad "$words >/dev/full: $(cat err)"
	"$MUNI" $words $keys >&- 2>err
	same "muni $words >&-" 1 $?
done
( "$MUNI" cat archive hr renamed/numbers.txt $keys; echo $? >piped ) 2>err | head -n 1 >/dev/null
same "cat | head" 141 "$(cat piped)"
[ -s err ] && bad "cat | head complains: $(cat err)"
status 1 ls nowhere $keys
exit $fail

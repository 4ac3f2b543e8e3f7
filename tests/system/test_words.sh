#!/bin/bash
# The command line before any archive: wrong words are exit 2 and say how it
# goes; help, the manual and the completion tell the same story.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }

# usage_error WORDS...: exit 2, a usage line on standard error, nothing on
# standard output.
usage_error() {
	"$MUNI" "$@" >out 2>err </dev/null
	local status=$?
	[ $status -eq 2 ] || bad "muni $*: exit $status, not 2"
	[ -s out ] && bad "muni $*: wrote to standard output"
	grep -q -e usage -e 'muni help' err || bad "muni $*: no usage line: $(cat err)"
}

usage_error
usage_error nonsense
usage_error help nonsense
usage_error ls
usage_error ls --nonsense archive
usage_error ls -x archive
usage_error ls --json=yes archive
usage_error ls archive --keyring
usage_error ls archive --key-file a --passphrase-file b
usage_error log a b c
usage_error init
usage_error init a b
usage_error init a --level 99
usage_error init a --block-size 2
usage_error init a --parity 3
usage_error init a --parity 3+x
usage_error init a --parity 0+1
usage_error ingest a b
usage_error ingest a b --system s --at yesterday
usage_error ingest a b --system s --threads 0
usage_error ingest a b --system s --bomb-limit lots
usage_error scan a
usage_error scan a b
usage_error scan a b --system s --threads 0
usage_error scan a b c --system s
usage_error inventory a
usage_error inventory a --system s --json --csv
usage_error find a b --type q
usage_error find a b --type f,
usage_error find a b --size big
usage_error find a b --newer 2021-02-30
usage_error cat a b
usage_error diff a b
usage_error export a b
usage_error export a b --to x --format rar
usage_error export a b --to - --format zip
usage_error mount a
usage_error umount

"$MUNI" --version >out || bad "--version: exit $?"
grep -q '^muni (muniment) [0-9].*archive format [0-9]' out || bad "--version says $(cat out)"
"$MUNI" help >/dev/full 2>err && bad "help > /dev/full exits 0"
grep -q 'standard output' err || bad "help > /dev/full says: $(cat err)"
"$MUNI" help >&- 2>err && bad "help with standard output closed exits 0"

commands=$("$MUNI" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 13 ] || bad "help lists only: $commands"
man=$ROOT/docs/man/muni.1
for command in $commands; do
	"$MUNI" "$command" --help >out || bad "$command --help: exit $?"
	"$MUNI" help "$command" | cmp -s - out || bad "help $command is not $command --help"
	[ "$(wc -L <out)" -le 100 ] || bad "$command --help has lines of $(wc -L <out)"
	grep -q "^\.SS muni $command " "$man" || bad "muni.1 lacks $command"
	for option in $(grep -o '^  .\{4\}--[a-z0-9-]*' out | grep -o -e '--.*'); do
		sed 's/\\-/-/g' "$man" | grep -q -e "$option" || bad "muni.1 lacks $option of $command"
	done
done

# Completion, asked as bash asks it.
complete_words() {
	MUNI=$MUNI ROOT=$ROOT bash -c '
		. "$ROOT/tools/muni.bash-completion"
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_muni "$MUNI" 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
complete_words muni in | grep -qx ingest || bad "completion of 'in'"
complete_words muni ingest --sys | grep -qx -e --system || bad "completion of '--sys'"
complete_words muni export a b --format b | grep -qx bagit || bad "completion of '--format b'"
complete_words muni ls -- | grep -qx -e --recursive || bad "completion of 'ls --'"
mkdir 'a dir'
complete_words muni verify a | grep -qx 'a dir' || bad "completion of a folder with a space"

command -v man >/dev/null && { man --warnings -l "$man" 2>&1 >/dev/null | grep . && bad "muni.1"; }
exit $fail

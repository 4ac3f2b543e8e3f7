#!/bin/sh
# No function of ours bears the name of one that a library we link exports: the
# linker would give ours to the library without a word.  (libarchive once called
# our archive_free.)
set -u
lib=$1
ours=$(nm --defined-only "$lib" 2>/dev/null | awk '$2 ~ /[TDBR]/ {print $3}' | sort -u)
[ -n "$ours" ] || { echo "symbols: nothing read from $lib"; exit 1; }
bad=0
for so in $(ldd "$2" | awk '/=> \// {print $3}'); do
	clash=$(nm -D --defined-only "$so" 2>/dev/null | awk '{sub(/@.*/, "", $3); print $3}' | sort -u |
		{ printf '%s\n' "$ours" > "${TMPDIR:-/tmp}/symbols.$$"; comm -12 - "${TMPDIR:-/tmp}/symbols.$$"; })
	rm -f "${TMPDIR:-/tmp}/symbols.$$"
	[ -z "$clash" ] || { echo "symbols: $so exports too:" $clash; bad=1; }
done
[ $bad -eq 0 ] && echo "symbols: none of ours is a library's"
exit $bad

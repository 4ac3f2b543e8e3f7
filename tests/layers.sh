#!/bin/sh
# Includes go downward only: the allowed arrows are the lines "A -> B C" in the
# fenced block "arrows" of docs/architecture.md; the exclusive headers are the
# lines "HEADER only FOLDER-OR-FILE ..." of the block "exclusive".
set -u
cd "$(dirname "$0")/.." || exit 1
page=docs/architecture.md
block() { awk -v want="\`\`\`$1" '$0 == want {on = 1; next} /^```/ {on = 0} on' "$page"; }
bad=0

arrows=$(block arrows)
[ -n "$arrows" ] || { echo "layers: no arrows in $page"; exit 1; }
for dir in fs/base fs/crypt fs/content fs/store fs/vault fs/mount fs/examine fs/unpack tools policy; do
	printf '%s\n' "$arrows" | grep -q "^$dir ->" || { echo "layers: no arrow for $dir"; bad=1; }
done
bad_includes=$(grep -rnE '^#include "' --include='*.[ch]' fs tools policy 2>/dev/null | awk -v arrows="$arrows" '
	function floor(path,  parts) {
		return split(path, parts, "/") > 2 && parts[1] == "fs" ? parts[1] "/" parts[2] : parts[1]
	}
	BEGIN {
		n = split(arrows, lines, "\n")
		for (i = 1; i <= n; i++) {
			m = split(lines[i], words, " ")
			for (k = 3; k <= m; k++) may[words[1], words[k]] = 1
		}
	}
	{
		file = $0; sub(/:.*/, "", file)
		target = $0; sub(/^[^"]*"/, "", target); sub(/".*/, "", target)
		if (target !~ /\//)
			print "layers: " file " includes \"" target "\": write it from the root"
		else if (floor(file) != floor(target) && !((floor(file), floor(target)) in may))
			print "layers: " file " includes " target ": no arrow " floor(file) " -> " floor(target)
	}')
[ -n "$bad_includes" ] && { printf '%s\n' "$bad_includes"; bad=1; }

block exclusive | while read -r header only places; do
	[ "$only" = only ] || continue
	grep -rlE "^#include <$header" --include='*.[ch]' fs tools policy 2>/dev/null | while read -r file; do
		ok=0
		for place in $places; do
			case $file in $place*) ok=1 ;; esac
		done
		[ $ok -eq 1 ] || echo "layers: $file includes <$header>, which only $places may"
	done
done > "${TMPDIR:-/tmp}/layers.$$"
if [ -s "${TMPDIR:-/tmp}/layers.$$" ]; then cat "${TMPDIR:-/tmp}/layers.$$"; bad=1; fi
rm -f "${TMPDIR:-/tmp}/layers.$$"
[ $bad -eq 0 ] && echo "layers: includes go downward only"
exit $bad

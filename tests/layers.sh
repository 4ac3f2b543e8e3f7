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
for dir in fs/base fs/crypt fs/content fs/store fs/vault fs/mount fs/examine tools policy; do
	printf '%s\n' "$arrows" | grep -q "^$dir ->" || { echo "layers: no arrow for $dir"; bad=1; }
done
found=$(grep -rnE '^#include "' --include='*.[ch]' fs tools policy 2>/dev/null)
while IFS= read -r line; do
	file=${line%%:*}
	target=$(printf '%s' "$line" | sed 's/.*#include "\([^"]*\)".*/\1/')
	case $file in fs/*/*) from=$(echo "$file" | cut -d/ -f1-2) ;; *) from=${file%%/*} ;; esac
	case $target in
	fs/*/*) to=$(echo "$target" | cut -d/ -f1-2) ;;
	*/*) to=${target%%/*} ;;
	*) echo "layers: $file includes \"$target\": write it from the root"; bad=1; continue ;;
	esac
	[ "$from" = "$to" ] && continue
	printf '%s\n' "$arrows" | grep -qE "^$from ->.* $to( |\$)" ||
		{ echo "layers: $file includes $target: no arrow $from -> $to"; bad=1; }
done <<END
$found
END

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

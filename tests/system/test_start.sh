#!/bin/bash
# What is called is small: muni and munifs load no library that they do not need to look,
# mount and check; every other command is muni-whole's, with its words and its status.
set -u
fail=0
bad() { echo "WRONG: $*"; fail=1; }

for program in "$MUNI" "$MUNIFS"; do
	needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	[ -n "$needed" ] || bad "nothing is known of $program"
	for library in pango cairo hs archive xml2 yaml icu glib gobject qrencode magic poppler; do
		echo "$needed" | grep -q "^lib$library[-.0-9]" && bad "$program loads lib$library"
	done
done

head -c 64 /dev/urandom >key
"$MUNI" init a --keyring a.keyring --key-file key >out 2>err || bad "init: $(cat err)"
"$MUNI" due a --keyring a.keyring --key-file key >out 2>err || bad "due: $(cat err)"
"$MUNI" policy >out 2>err
[ $? -eq 2 ] || bad "policy without words is no usage error"
grep -q "^usage: muni policy" err || bad "muni-whole does not speak as muni: $(cat err)"
"$MUNI" help >out 2>err || bad "help: $(cat err)"
for command in ingest verify mount policy cert; do
	grep -q "^  $command " out || bad "help does not list $command"
	"$MUNI" $command --help 2>&1 | grep -q "muni $command" || bad "$command --help"
done
"$MUNI" nonsense >out 2>err
[ $? -eq 2 ] || bad "an unknown command is no usage error"
"$MUNI" >out 2>err
[ $? -eq 2 ] || bad "no command is no usage error"

# Without muni-whole: said, and nothing done.  It is not sought on PATH.
mkdir alone && cp "$MUNI" alone/muni
alone/muni log a --keyring a.keyring --key-file key >out 2>err || bad "log alone: $(cat err)"
alone/muni due a --keyring a.keyring --key-file key >out 2>err && bad "due alone"
grep -q "muni-whole, which has the other commands, is neither in" err || bad "says: $(cat err)"
mkdir src && echo text >src/file
alone/muni ingest a src --system s --version 1 -q --keyring a.keyring --key-file key >out 2>err ||
	bad "ingest alone: $(cat err)"
for policy in "--policy p.yaml" --policy=p.yaml --po=p.yaml; do
	alone/muni ingest a src --system s --version 2 --keyring a.keyring --key-file key $policy \
		>out 2>err && bad "ingest alone, $policy"
	grep -q "muni-whole, which has the other commands" err || bad "$policy says: $(cat err)"
done
MUNIMENT_WHOLE="$MUNI" timeout 20 "$MUNI" due a --keyring a.keyring --key-file key >out 2>err
[ $? -eq 2 ] && grep -q "names this very program" err ||
	bad "MUNIMENT_WHOLE that is muni itself: $(cat err)"
MUNIMENT_WHOLE="$(dirname "$MUNI")/muni-whole" alone/muni due a --keyring a.keyring \
	--key-file key >out 2>err || bad "named by MUNIMENT_WHOLE: $(cat err)"

[ $fail -eq 0 ] && echo "starting: as promised"
exit $fail

#!/bin/bash
# Making an archive and opening it: keys, wrong keys, damage, older copies, two
# writers, folders that cannot be written, an init that is cut off.
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
says() {	# says WORDS: the last command's message has them
	grep -qi -- "$*" err || bad "no \"$*\" in: $(cat err)"
}
checked() {	# checked FILE: muniment.toml with a new checksum over what it says
	python3 - "$1" <<'PY'
import hashlib, os, sys
path = sys.argv[1]
text = open(path, "rb").read()
body = text[:text.rindex(b"check = ")]
os.chmod(path, 0o600)
open(path, "wb").write(body + b'check = "%s"\n' % hashlib.sha256(body).hexdigest().encode())
PY
}
head -c 64 /dev/urandom >key
head -c 64 /dev/urandom >wrong.key
echo "correct horse battery" >words
echo "wrong horse battery" >wrong.words
keys="--keyring keyring --key-file key"
mkdir src && echo payroll >src/a.txt

# ---- making ---------------------------------------------------------------------
umask 0
status 0 init archive $keys --passphrase-file words
id=$(tail -n 1 out)
[ ${#id} -eq 32 ] || bad "the last line is no id: $id"
loose=$(find archive keyring "$id.anchor" -perm /077)
[ -z "$loose" ] || bad "open to others, with umask 0: $loose"
[ "$(stat -c %a archive)" = 700 ] || bad "the folder's mode is $(stat -c %a archive)"
[ "$(stat -c %s keyring)" = 65536 ] || bad "the keyring has $(stat -c %s keyring) bytes"
umask 022
[ -e archive/init.unfinished ] && bad "the mark of an unfinished init is there"
status 1 init archive $keys
says "already"
status 1 init other --keyring keyring --key-file key
says "keyring"
[ -e other ] && bad "a refused init left its folder"
cmp -s keyring <(cat keyring) || bad "keyring"
mkdir full && touch full/mine
status 1 init full --keyring k2 --key-file key
says "not empty"
[ -e k2 ] && bad "a refused init left a keyring"
[ -e full/mine ] || bad "a refused init took a file"
status 2 init
printf short >short.key
status 2 init weak --keyring k2 --key-file short.key
[ -e weak ] || [ -e k2 ] && bad "a refused init left something"
status 2 init weak --keyring k2 --key-file key --recipient words
[ -e weak ] || [ -e k2 ] && bad "a refused init left something"
status 1 init weak --keyring nowhere/k2 --key-file key
[ -e weak ] && bad "an init whose keyring had no place left its folder"

# ---- opening ---------------------------------------------------------------------
status 0 log archive $keys
status 0 log archive --keyring keyring --passphrase-file words
status 0 log archive --key-file key			# the recorded keyring
status 4 log archive --keyring keyring --key-file wrong.key
status 4 log archive --keyring keyring --passphrase-file wrong.words
status 4 log archive --keyring keyring --key-file nowhere
says "nowhere"
status 4 log archive --keyring keyring --passphrase-file nowhere
status 4 log archive --keyring nowhere --key-file key
says "nowhere"
status 4 log archive --keyring keyring
status 0 init second --keyring keyring2 --key-file key
status 4 log archive --keyring keyring2 --key-file key
says "another archive"
status 1 log full --keyring keyring --key-file key
status 1 log nowhere --keyring keyring --key-file key
status 0 ingest archive src --system hr $keys
grep -q . archive/lock && bad "the lock still names a holder"

# ---- damage in what stands in clear -------------------------------------------------
cp -a archive/muniment.toml toml
for at in 0 30 80 90 100 120 150 200; do
	chmod 600 archive/muniment.toml
	cp toml archive/muniment.toml
	python3 - archive/muniment.toml $at <<'PY'
import sys
f = open(sys.argv[1], "r+b")
f.seek(int(sys.argv[2]))
b = f.read(1)
f.seek(int(sys.argv[2]))
f.write(bytes([b[0] ^ 4]))
PY
	status 5 log archive $keys
done
says "muniment.toml"
: >archive/muniment.toml
status 5 log archive $keys
rm -f archive/muniment.toml
status 5 log archive $keys
cp toml archive/muniment.toml
sed -i 's/^format = 1$/format = 2/' archive/muniment.toml
status 5 log archive $keys
checked archive/muniment.toml
status 1 log archive $keys
says "newer muniment"
sed -i 's/^format = 2$/format = 1\nnew = "thing"/' archive/muniment.toml
checked archive/muniment.toml
status 5 log archive $keys
cp toml archive/muniment.toml
chmod 400 archive/muniment.toml
status 0 log archive $keys

# ---- a keyring that decays ---------------------------------------------------------
cp keyring keyring.whole
for offset in 0 700 20000 33000 65000; do
	printf 'DECAY' | dd of=keyring bs=1 seek=$offset conv=notrunc status=none
	status 0 log archive $keys
done
says "keyring"
status 0 ingest archive src --system hr $keys
says "written anew"
status 0 log archive $keys
grep -qi keyring err && bad "the keyring was not put right: $(cat err)"
dd if=/dev/urandom of=keyring bs=32768 count=1 conv=notrunc status=none
status 0 log archive $keys
dd if=/dev/urandom of=keyring bs=32768 count=2 conv=notrunc status=none
status 5 log archive $keys
cp keyring.whole keyring

# ---- older copies --------------------------------------------------------------------
cp -a archive older
status 0 ingest archive src --system hr $keys
status 5 log older $keys
says "older copy"
status 5 ingest older src --system hr $keys
status 0 log archive $keys
mv "$id.anchor" away
status 0 log older $keys
says "cannot be told"
# The same number of acts, and other ones.
status 0 ingest older src --system other $keys
rm -f "$id.anchor"
mv away "$id.anchor"
status 5 log older $keys
says "taken out or replaced"
status 0 log archive $keys
# The catalogue alone, put back among newer files.
cp -a archive mixed
cp older/catalogue.1 mixed/catalogue.1
status 5 log mixed $keys
cp -a archive mixed2 && mv mixed2/catalogue.1 mixed2/catalogue.0
status 5 log mixed2 $keys
# One page of the catalogue, put back to what it was: every page opens, and no
# writer signs that.
cp -a archive paged && cp archive/catalogue.1 before.1
status 0 ingest paged src --system third $keys
cp -a "$id.anchor" away
python3 - before.1 paged/catalogue.1 <<'PY' || bad "no page differs"
import sys
old, f = open(sys.argv[1], "rb").read(), open(sys.argv[2], "r+b")
new = f.read()
changed = [at for at in range(8192, min(len(old), len(new)), 8192)
           if old[at:at + 8192] != new[at:at + 8192]]
f.seek(changed[-1])
f.write(old[changed[-1]:changed[-1] + 8192])
PY
status 5 ingest paged src --system third $keys
rm -f "$id.anchor"
rm -rf older mixed mixed2 paged

# ---- a folder that cannot be written, two writers ----------------------------------------
exec 7<>archive/lock
python3 - <<'PY' 7<&7 || bad "no lock could be taken"
import fcntl, os, struct
os.ftruncate(7, 0)
os.write(7, b"pid 4711 on elsewhere\n")
fcntl.fcntl(7, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))	# F_OFD_SETLK
PY
status 1 ingest archive src --system hr --wait 0 $keys
says "4711 on elsewhere"
status 0 log archive $keys
exec 7<&-
status 0 ingest archive src --system hr $keys
if [ "$(id -u)" -eq 0 ] && mkdir ro && mount --bind archive ro 2>/dev/null; then
	if mount -o remount,bind,ro ro 2>/dev/null; then
		find archive -type f | sort | xargs sha256sum >before
		status 0 log ro $keys
		status 1 ingest ro src --system hr $keys
		says "cannot be written"
		find archive -type f | sort | xargs sha256sum | cmp -s - before ||
			bad "reading a read-only folder changed it"
	fi
	umount ro
fi

# ---- a keyring inside the archive -------------------------------------------------------
mkdir inside
status 0 init inside --keyring inside/keyring --key-file key
says "inside the archive"
mv inside moved
status 0 log moved --key-file key

# ---- the default place, for somebody who is not root ---------------------------------------
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir home && cp key home/key && chmod 777 . home && chmod 644 home/key
	other() {
		( cd home && HOME=$PWD XDG_DATA_HOME= setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$MUNI" "$@" >../out 2>../err </dev/null )
	}
	if ! other --version; then
		echo "(no other user can run $MUNI here)"
	else
		touch home/full && mkdir home/taken && touch home/taken/mine
		other init taken --key-file key && bad "an init in a full folder"
		other init unborn --key-file nowhere && bad "an init without its key file"
		( ulimit -f 20; trap '' XFSZ; other init unborn --key-file key ) && bad "a small disk"
		[ -e home/unborn ] || [ -e home/.local ] && bad "a refused init left its folders"
		other init a --key-file key || bad "init by another user: $(cat err)"
		[ -e "home/.local/share/muniment/$(tail -n 1 out).keyring" ] ||
			bad "the keyring is not in the default place"
		other ingest a taken --system s --key-file key || bad "ingest: $(cat err)"
		# Somebody's own home has the keyring in it: left out, and named.
		other ingest a .local --system home --key-file key && bad "a keyring was taken in"
		grep -q "keyring: it is a keyring of this archive" err || bad "it was not named: $(cat err)"
		other ingest a .local --system home --exclude '*.keyring' --key-file key ||
			bad "ingest without the keyring: $(cat err)"
		mv home/.local home/elsewhere
		other log a --key-file key && bad "a log without keyring"
	fi
fi

# ---- heads of another archive, with its certificate in clear -------------------------------
# The certificate in the folder speeds the opening; which one counts, the keyring says.
status 0 init mine --keyring mine.keyring --key-file key
status 0 init other --keyring other.keyring --key-file key
cp -r mine forged
chmod -R u+w forged
cp other/certificates/archive.pem forged/certificates/archive.pem
status 0 log forged --keyring mine.keyring --key-file key
echo "no certificate" >forged/certificates/archive.pem
status 0 log forged --keyring mine.keyring --key-file key
rm forged/certificates/archive.pem
status 0 log forged --keyring mine.keyring --key-file key
cp other/certificates/archive.pem forged/certificates/archive.pem
cp other/audit/* forged/audit/
"$MUNI" log forged --keyring mine.keyring --key-file key >out 2>err </dev/null &&
	bad "heads that another archive's key signed were taken"
says "signature"
rm -rf mine other forged mine.keyring other.keyring

# ---- an init that is cut off -------------------------------------------------------------
for ms in 001 004 007 010 015 020 030 040 060 080; do
	"$MUNI" init cut --keyring cut.keyring --key-file key >/dev/null 2>&1 &
	sleep 0.$ms
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ -e cut/muniment.toml ]; then
		status 0 log cut --keyring cut.keyring --key-file key
		rm -rf cut cut.keyring
	else
		status 0 init cut --keyring cut.keyring --key-file key
		status 0 log cut --keyring cut.keyring --key-file key
		rm -rf cut cut.keyring
	fi
done
# Every write of an init refused in turn: nothing is left.
ls *.anchor >anchors
for limit in 0 1 20 60 100 200; do
	( ulimit -f $limit; trap '' XFSZ
	  "$MUNI" init tight --keyring tight.keyring --key-file key >out 2>err ) && break
	left=$(ls -d tight tight.keyring 2>/dev/null; ls *.anchor | grep -vxFf anchors)
	[ -z "$left" ] || bad "an init that failed at $limit blocks left: $left"
done

[ $fail -eq 0 ] && echo "making and opening: as promised"
exit $fail

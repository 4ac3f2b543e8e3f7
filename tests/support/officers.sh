#!/bin/sh
# officers.sh FOLDER NAME...: a certification authority (ca.pem) and for each NAME a key and a
# certificate (NAME.key, NAME.pem), as a company's own would issue them.  For demo and tests.
set -eu
folder=$1
shift
mkdir -p "$folder"
cd "$folder"
if [ ! -e ca.pem ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
		-days 3650 -subj "/O=Demo Ltd/CN=Demo Ltd Root" 2>/dev/null
fi
for name; do
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" \
		-out "$name.csr" -subj "/O=Demo Ltd/CN=$name" 2>/dev/null
	printf 'keyUsage=critical,digitalSignature,nonRepudiation\nextendedKeyUsage=emailProtection\n' > "$name.ext"
	openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 730 \
		-extfile "$name.ext" -out "$name.pem" 2>/dev/null
	rm "$name.csr" "$name.ext"
done

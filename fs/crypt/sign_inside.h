/*
 * What a key and its certificate are to the files of this floor that sign.
 */
#ifndef FS_CRYPT_SIGN_INSIDE_H
#define FS_CRYPT_SIGN_INSIDE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

struct signer {
	EVP_PKEY *key;		/* its secret lies in OpenSSL's secure heap */
	X509 *cert;
};

#endif

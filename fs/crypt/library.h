/*
 * What the files of this floor share about OpenSSL.  Only fs/crypt includes this.
 */
#ifndef FS_CRYPT_LIBRARY_H
#define FS_CRYPT_LIBRARY_H

struct err;

/* MUNI_NO_MEMORY with OpenSSL's own reason; empties its queue.  what: "making a
 * key". */
int library_failed(struct err *e, const char *what);
/* Forgets errors that were expected. */
void library_forget(void);

/* OpenSSL's locked, no-dump heap: private keys that it holds lie there.  Once a
 * process; later calls do nothing. */
void library_secure_heap(void);

#endif

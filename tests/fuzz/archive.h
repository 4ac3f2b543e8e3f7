/* A small archive of this process, for targets that need a whole one. */
#ifndef TESTS_FUZZ_ARCHIVE_H
#define TESTS_FUZZ_ARCHIVE_H

#include "fs/vault/vault.h"

#define ARCHIVE_TEXT "every line of this file is as dull as the one before\n"

/* In the scratch folder: two systems ("crm" in two versions, "erp" in one), with files,
 * holes, links, attributes, a certificate of five bytes.  *out is open for `mode`. */
void archive_make(enum vault_mode mode, struct vault **out);

#endif

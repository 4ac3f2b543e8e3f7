/*
 * What libarchive loses of a tar's extended header: the sign of times.
 *
 * POSIX writes half a second before 1970 as "-0.5"; libarchive (3.6, reading)
 * takes the fraction as positive, and, writing, puts the floor in front of it.
 * So the header is looked at once more, for its times alone.
 */
#ifndef FS_VAULT_FOREIGN_PAX_H
#define FS_VAULT_FOREIGN_PAX_H

#include "fs/vault/foreign.h"
#include "fs/vault/foreign_source.h"

/* Is this the first block of a tar (its checksum is right)? */
bool pax_is_tar(const uint8_t *data, size_t size);
/* Corrects f's times by the extended header at `at` of the plain bytes, if one
 * is there and still remembered. */
void pax_correct_times(const struct source *s, uint64_t at, struct foreign_entry *f);

#endif

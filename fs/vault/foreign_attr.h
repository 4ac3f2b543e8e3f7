/*
 * Extended attributes and ACLs of a foreign entry, as the catalogue keeps them.
 */
#ifndef FS_VAULT_FOREIGN_ATTR_H
#define FS_VAULT_FOREIGN_ATTR_H

#include "fs/vault/foreign_wire.h"

/* Names and numbers that the archive's own headers have put side by side. */
#define ACCOUNTS_MAX 512
struct account {
	char *name;		/* owned */
	uint32_t id;
};
struct accounts {
	struct account users[ACCOUNTS_MAX], groups[ACCOUNTS_MAX];
	size_t user_count, group_count;
};

void accounts_learn(struct accounts *a, const struct foreign_entry *f);
void accounts_free(struct accounts *a);

/*
 * Joins w's attributes and ACLs into one set (*out malloc'ed, NULL if empty).
 * An ACL entry that has only a name takes the number that the archive itself
 * gives for it, else this host's, as tar would.  *mode gets the ACL's mask in
 * its group bits, as stat() would show it.  What could not be kept is said in
 * remark, which holds remark_size bytes; "" if all was.
 */
int foreign_attributes(const struct wire_entry *w, const struct accounts *a,
		       uint32_t *mode, uint8_t **out, size_t *size, char *remark,
		       size_t remark_size, struct err *e);

#endif

/*
 * What is known of one item, as rules see it.  Filled from the inventory, or by a
 * test; plain data, everything borrowed.
 */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/recogniser.h"	/* enum sensitivity */

enum facts_kind { FACTS_FILE, FACTS_DIRECTORY, FACTS_SYMLINK, FACTS_OTHER };

struct facts_finding {
	const char *id;		/* recogniser */
	uint64_t count;
	uint8_t confidence;	/* percent */
	enum sensitivity sensitivity;
};

struct facts {
	const char *path;	/* below the source, bytes, no leading "/" */
	enum facts_kind kind;
	uint64_t size;
	int64_t modified, changed, accessed;	/* seconds */
	bool has_created;
	int64_t created;
	uint32_t uid, gid, mode;
	const char *owner, *group;	/* NULL: unknown */
	const char *format;	/* MIME; NULL: not looked into */
	const char *claimed;	/* what the extension lies about; NULL: it does not */
	const char *encoding, *script;	/* NULL: no text */
	const char *duplicate_of;	/* the path whose copy it is; NULL: none */
	uint64_t copies;	/* of this content in the system, itself included */
	const char *opaque;	/* why it could not be looked into; NULL: it was */
	const struct facts_finding *findings;
	size_t finding_count;
};

#endif

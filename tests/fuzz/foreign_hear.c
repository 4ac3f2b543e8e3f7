#include "tests/fuzz/foreign_hear.h"

#include <string.h>

#include "fs/base/err.h"
#include "fs/store/xattrs.h"
#include "fs/vault/foreign_frames.h"
#include "tests/fuzz/fuzz.h"

/* As the message begins: what an archive says of itself may hold any words. */
static bool is_nonsense(const char *text)
{
	static const char *const some[] = {
		"the process that reads the archive talks nonsense",
		"the process that reads the archive stopped in the middle of a word",
	};

	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		if (strncmp(text, some[i], strlen(some[i])) == 0)
			return true;
	return false;
}

static void judge(const struct err *e, bool is_honest)
{
	MUST(e->code != MUNI_OK && *e->text);
	if (is_honest && is_nonsense(e->text)) {
		fprintf(stderr, "%s\n", e->text);
		abort();
	}
}

static int on_xattr(void *arg, const struct xattr *x)
{
	size_t *sum = arg;

	*sum += strlen(x->name) + x->size;
	return 0;
}

static void check_entry(const struct foreign_entry *n)
{
	struct err e = ERR_NONE;
	size_t sum = 0;

	MUST(n->path && n->path_size > 0 && strlen(n->path) == n->path_size);
	MUST(n->path_size <= FOREIGN_PATH_MAX);
	MUST(n->kind >= NODE_FILE && n->kind <= NODE_BLOCK && (n->mode & ~07777u) == 0);
	MUST(n->uid >= -1 && n->uid <= UINT32_MAX && n->gid >= -1 && n->gid <= UINT32_MAX);
	MUST(n->mtime.ns < 1000000000 && n->atime.ns < 1000000000 && n->ctime.ns < 1000000000 &&
	     n->btime.ns < 1000000000);
	MUST(!n->symlink || strlen(n->symlink) == n->symlink_size);
	MUST(!n->hardlink || strlen(n->hardlink) == n->hardlink_size);
	MUST(n->kind != NODE_SYMLINK || n->symlink || n->hardlink || n->problem);
	MUST(!n->problem || (*n->problem && !n->has_data));
	MUST(!n->remark || *n->remark);
	if (n->xattrs)	/* the catalogue takes what came of it */
		MUST(xattrs_each(n->xattrs, n->xattrs_size, on_xattr, &sum, &e) == 0);
}

static void hear_data(struct foreign *f, const struct foreign_entry *n, bool is_honest)
{
	struct foreign_run run;
	uint64_t end = 0;
	bool is_end = false;

	while (!is_end) {
		struct err e = ERR_NONE;

		if (foreign_data(f, &run, &is_end, &e) < 0) {
			judge(&e, is_honest);
			return;
		}
		MUST(run.offset >= end && run.offset <= INT64_MAX);
		end = run.offset + run.size;
		MUST(!n->has_size || end <= n->size);
		if (run.size > 0) {	/* it is there to be read */
			volatile uint8_t ends = ((const uint8_t *)run.data)[0];

			ends = ((const uint8_t *)run.data)[run.size - 1];
			(void)ends;
		}
	}
	MUST(!n->has_size || end == n->size);
}

void foreign_hear(int said, const struct foreign_options *o, bool is_honest)
{
	struct foreign *f = NULL;
	struct foreign_entry n;
	struct err e = ERR_NONE;
	bool is_end = false;
	unsigned count = 0;

	if (foreign_attach(said, 0, o, &f, &e) < 0) {
		MUST(!f);
		judge(&e, is_honest);
		return;
	}
	MUST(*foreign_kind(f));
	for (;;) {
		e = ERR_NONE;
		if (foreign_next(f, &n, &is_end, &e) < 0) {
			judge(&e, is_honest);
			MUST(foreign_is_over(f));
			break;
		}
		if (is_end)
			break;
		check_entry(&n);
		if (n.has_data && ++count % 4 != 0)	/* every fourth is skipped */
			hear_data(f, &n, is_honest);
	}
	for (unsigned i = 0; foreign_notice(f, i); i++)
		MUST(foreign_notice(f, i)[0] || !is_honest);
	foreign_close(f);
}

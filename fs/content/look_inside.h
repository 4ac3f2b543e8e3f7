/*
 * What the parts of looking share.  Only fs/content/{look*,cells,extract_text}.c
 * include this.
 */
#ifndef FS_CONTENT_LOOK_INSIDE_H
#define FS_CONTENT_LOOK_INSIDE_H

#include "fs/content/look.h"

#define LOOK_PATH_MAX 2048

struct formats;
struct hasher;

struct looker {
	struct look_limits limits;
	struct formats *formats;
	struct detector *detector;
	struct hasher *hasher;
	unsigned threads;	/* for a large file */
	bool is_worn;		/* by a library that keeps something of a file */
	struct look_watcher watcher;
};

struct item {
	const char *name;	/* borrowed */
	char format[128];
	char encoding[32];
};

struct look {
	struct looker *k;
	struct input *root;
	struct examination *out;
	struct item *item;	/* the innermost */
	unsigned depth;
	uint64_t expanded, members;
	bool is_stopped;	/* a limit of the whole file was met */
	char path[LOOK_PATH_MAX];	/* "a.zip: b.xml: ": printable */
	size_t path_size;
};

/* look_path.c */
void path_push(struct look *l, const char *name);
void path_cut(struct look *l, size_t size);

/* extract_text.c: the script of a head; -1: no memory. */
int text_script(const char *encoding, const void *head, size_t size, char script[32],
		struct err *e);

#endif

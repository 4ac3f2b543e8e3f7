#include "fs/mount/access_log.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/recorder.h"
#include "fs/vault/tree.h"

#define NAMES 4096		/* power of two */
#define DEPTH_MAX 4096		/* of a path that is written out */

struct known_name {
	uint64_t ino;		/* 0: free */
	int64_t version, directory;
	char name[CATALOGUE_NAME_MAX + 1];
};

struct access_log {
	int recorder;		/* socket to it */
	pthread_mutex_t lock;	/* protects names */
	struct known_name names[NAMES];
};

int access_log_start(const struct mount_options *o, struct access_log **out, struct err *e)
{
	struct access_log *a = calloc(1, sizeof *a);

	*out = NULL;
	if (!a)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an audited mount");
	pthread_mutex_init(&a->lock, NULL);
	a->recorder = recorder_start(o, e);
	if (a->recorder < 0) {
		access_log_stop(a);
		return -1;
	}
	*out = a;
	return 0;
}

void access_log_stop(struct access_log *a)
{
	if (!a)
		return;
	file_close(&a->recorder);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void access_log_forget(struct access_log *a)
{
	pthread_mutex_lock(&a->lock);
	explicit_bzero(a->names, sizeof a->names);
	pthread_mutex_unlock(&a->lock);
}

static struct known_name *slot_of(struct access_log *a, uint64_t ino)
{
	return &a->names[(ino * 0x9e3779b97f4a7c15u) >> 52];
}

void access_log_note(struct access_log *a, uint64_t ino, const struct place *parent,
		     const char *name)
{
	pthread_mutex_lock(&a->lock);
	struct known_name *known = slot_of(a, ino);
	known->ino = ino;
	known->version = parent->version;
	known->directory = parent->id;
	strncpy(known->name, name, CATALOGUE_NAME_MAX);
	known->name[CATALOGUE_NAME_MAX] = '\0';
	pthread_mutex_unlock(&a->lock);
}

/* ---- the path of a node --------------------------------------------------------- */

/* Puts "/name" in front of what is there. */
static void prepend(struct buffer *b, const char *name)
{
	struct buffer longer = { 0 };

	if (b->size > 0) {
		buffer_append(&longer, name, strlen(name));
		buffer_u8(&longer, '/');
		buffer_append(&longer, b->data, b->size);
	} else {
		buffer_append(&longer, name, strlen(name));
	}
	buffer_free(b);
	*b = longer;
}

static int path_upward(struct catalogue *c, int64_t version, int64_t directory,
		       struct buffer *path, struct err *e)
{
	struct directory d;
	struct entry entry;

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		if (catalogue_directory(c, version, directory, &d, e) < 0)
			return -1;
		if (d.parent == 0)
			return 0;
		if (catalogue_directory_name(c, version, directory, &entry, e) < 0)
			return -1;
		prepend(path, entry.name);
		directory = d.parent;
	}
	return err_set(e, MUNI_DAMAGED, "a path of more than %d directories; run muni verify",
		       DEPTH_MAX);
}

struct node_search {
	int64_t node;
	struct buffer *path;
};

static int is_it(void *arg, const struct tree_item *item)
{
	struct node_search *s = arg;

	if (item->entry->kind == NODE_DIRECTORY || item->entry->node != s->node)
		return 0;
	buffer_append(s->path, item->path, item->path_size);
	return 1;
}

/* A file opened without a lookup (NFS, or its name pushed out of the table) is
 * sought in the whole version: slow, but never "somebody opened something". */
static int path_of(struct access_log *a, struct catalogue *c, const struct version *v,
		   uint64_t ino, int64_t node, struct buffer *path, struct err *e)
{
	struct node_search search = { node, path };

	pthread_mutex_lock(&a->lock);
	struct known_name known = *slot_of(a, ino);
	pthread_mutex_unlock(&a->lock);
	if (known.ino == ino && known.version == v->id) {
		prepend(path, known.name);
		return path_upward(c, v->id, known.directory, path, e);
	}
	return tree_walk(c, v, v->root, "", is_it, &search, e);
}

/* ---- telling the recorder --------------------------------------------------------- */

static json_t *path_json(json_t *open, const struct buffer *path)
{
	if (text_is_utf8(path->data, path->size) && !memchr(path->data, 0, path->size)) {
		json_object_set_new(open, "path", json_stringn((const char *)path->data,
							       path->size));
	} else {
		char *base64 = text_base64(path->data, path->size);
		json_object_set_new(open, "path_base64", json_string(base64 ? base64 : ""));
		free(base64);
	}
	return open;
}

static int tell(struct access_log *a, const struct version *v, const struct buffer *path,
		const struct fuse_ctx *who, struct err *e)
{
	char when[TEXT_TIME_MAX];
	json_t *open = json_pack("{s:s, s:I, s:I, s:s, s:s}", "time",
				 text_time((int64_t)time(NULL), 0, when),
				 "uid", (json_int_t)who->uid, "pid", (json_int_t)who->pid,
				 "system", v->system_name, "version", v->label);
	char *text = open ? json_dumps(path_json(open, path), JSON_COMPACT) : NULL;
	int rc = -1;

	if (!text)
		err_set(e, MUNI_NO_MEMORY, "no memory to record an open");
	else if (send(a->recorder, text, strlen(text), MSG_NOSIGNAL) < 0)
		err_errno(e, "the recorder of this audited mount does not answer; nothing "
			  "is opened that is not recorded; mount again");
	else
		rc = 0;
	free(text);
	json_decref(open);
	return rc;
}

int access_log_open(struct access_log *a, struct mount *m, struct catalogue *c, uint64_t ino,
		    const struct fuse_ctx *who, struct err *e)
{
	struct buffer path = { 0 };
	struct version v;
	struct place p;
	int rc = -1;

	if (!look_place(m, ino, &p) || p.kind != PLACE_NODE)
		return 0;	/* status, certificates: no records */
	if (catalogue_version_get(c, p.version, &v, e) == 0 &&
	    path_of(a, c, &v, ino, p.id, &path, e) == 0)
		rc = path.failed ? err_set(e, MUNI_NO_MEMORY, "no memory to record an open")
				 : tell(a, &v, &path, who, e);
	buffer_free(&path);
	return rc;
}

/*
 * What the parts of the folder store share.  Only fs/store/objects*.c includes
 * this.
 */
#ifndef FS_STORE_OBJECTS_INSIDE_H
#define FS_STORE_OBJECTS_INSIDE_H

#include <pthread.h>

#include "fs/store/objects.h"

#define OBJECTS_FOLDER "segments"
#define OBJECTS_LEFTOVER ".put-"	/* then 32 hex digits: a put that is not done */
#define OBJECT_DIR_MAX 3		/* "ab" */
#define OBJECT_FILE_MAX 40		/* "ab12....seg" */

struct objects_cache;

struct objects {
	int dirfd;		/* segments/, owned */
	bool is_writable;
	struct objects_cache *cache;
	pthread_mutex_t lock;
	bool is_synced[256];	/* folder ab/ made durable by this handle;
				 * protected by lock */
};

/* The folder and the file below segments/. */
void objects_path(const struct object_name *n, char dir[OBJECT_DIR_MAX],
		  char file[OBJECT_FILE_MAX]);
/* -1 unless file in folder dir is an object's name. */
int objects_parse(const char *dir, const char *file, struct object_name *out);

/* ---- open descriptors, least recently used go first ----------------------- */

struct objects_handle;

struct objects_cache *objects_cache_new(void);	/* NULL without memory */
void objects_cache_free(struct objects_cache *c);
void objects_cache_clear(struct objects_cache *c);
/* NULL if the object is not open. */
struct objects_handle *objects_cache_take(struct objects_cache *c,
					  const struct object_name *name);
/* Takes fd over, also on failure (NULL without memory); the handle is taken. */
struct objects_handle *objects_cache_add(struct objects_cache *c,
					 const struct object_name *name, int fd);
int objects_handle_fd(const struct objects_handle *h);
void objects_cache_release(struct objects_cache *c, struct objects_handle *h);
/* Closes it once nobody uses it. */
void objects_cache_drop(struct objects_cache *c, const struct object_name *name);

#endif

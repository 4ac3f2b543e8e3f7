#include "fs/mount/status.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/view.h"

#define PAGE 4096u

struct status {
	pthread_mutex_t lock;	/* protects all below */
	char *text;		/* owned */
	size_t size;
	struct timespec made;
};

struct status *status_new(void)
{
	struct status *s = calloc(1, sizeof *s);

	if (s)
		pthread_mutex_init(&s->lock, NULL);
	return s;
}

void status_free(struct status *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->text);
	free(s);
}

void status_forget(struct status *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->text)
		explicit_bzero(s->text, s->size);
	free(s->text);
	s->text = NULL;
	s->size = 0;
	pthread_mutex_unlock(&s->lock);
}

/* ---- the parts ------------------------------------------------------------------- */

static json_t *time_of(int64_t seconds)
{
	char text[TEXT_TIME_MAX];

	return json_string(text_time(seconds, 0, text));
}

struct version_rows {
	const struct mount *m;
	json_t *list;
};

static int on_version(void *arg, const struct version *v)
{
	struct version_rows *rows = arg;

	struct hidden_counts hidden;

	if (rows->m->shape == MOUNT_VERSION && v->id != rows->m->version.id)
		return 0;
	view_left_out(rows->m->view, v->id, &hidden);
	json_array_append_new(rows->list, json_pack(
		"{s:s, s:s, s:o, s:o, s:b, s:I, s:I, s:I}",
		"system", v->system_name, "version", v->label,
		"at", time_of(v->at), "ingested", time_of(v->ingested),
		"is_complete", v->state == VERSION_COMPLETE,
		"directories", (json_int_t)(v->directories - hidden.directories),
		"files", (json_int_t)(v->files - hidden.files),
		"bytes", (json_int_t)(v->bytes - hidden.bytes)));
	return 0;
}

static void on_message(void *arg, time_t when, const char *text)
{
	json_array_append_new(arg, json_pack("{s:o, s:s}", "time", time_of(when),
					     "text", text));
}

static json_t *options_json(const struct mount *m)
{
	const struct mount_options *o = &m->o;
	json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b}",
			      "cache", (json_int_t)o->cache,
			      "readahead", (json_int_t)o->readahead,
			      "kernel_readahead", (json_int_t)m->kernel_readahead,
			      "threads", (json_int_t)o->threads,
			      "allow_other", o->allow_other, "audit", o->audit,
			      "dev", o->dev, "suid", o->suid);
	const struct { const char *name, *value; } texts[] = {
		{ "system", o->system }, { "version", o->version },
		{ "classes", o->classes }, { "audience", o->audience },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].value)
			json_object_set_new(j, texts[i].name, json_string(texts[i].value));
	if (o->has_uid)
		json_object_set_new(j, "uid", json_integer(o->uid));
	if (o->has_gid)
		json_object_set_new(j, "gid", json_integer(o->gid));
	if (o->has_umask)
		json_object_set_new(j, "umask", json_integer(o->umask));
	return j;
}

static json_t *cache_json(const struct mount *m)
{
	struct block_cache_figures f;

	block_cache_figures(m->blocks, &f);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "limit", (json_int_t)f.limit,
			 "used", (json_int_t)f.used, "hits", (json_int_t)f.hits,
			 "misses", (json_int_t)f.misses, "failures", (json_int_t)f.failures);
}

static int compose(struct mount *m, struct catalogue *c, char **out, struct err *e)
{
	struct version_rows rows = { .m = m, .list = json_array() };
	json_t *messages = json_array(), *whole = NULL;
	struct catalogue_settings settings;
	int64_t system = m->shape == MOUNT_ARCHIVE ? 0 : m->system.id;
	int rc = -1;

	*out = NULL;
	if (catalogue_settings_get(c, &settings, e) < 0 || view_count(m->view, c, e) < 0 ||
	    catalogue_versions(c, system, on_version, &rows, e) < 0)
		goto out;
	messages_each(m->messages, on_message, messages);
	whole = json_pack("{s:i, s:s, s:I, s:b, s:o, s:o, s:O, s:O}",
			  "format", 1, "archive", vault_id_hex(m->vault),
			  "epoch", (json_int_t)settings.epoch,
			  "is_registered", m->presence != NULL,
			  "options", options_json(m), "cache", cache_json(m),
			  "versions", rows.list, "messages", messages);
	*out = whole ? json_dumps(whole, JSON_INDENT(2)) : NULL;
	rc = *out ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the status");
out:
	json_decref(whole);
	json_decref(messages);
	json_decref(rows.list);
	return rc;
}

/* Who reads on until a read gives nothing would read on into the next text where that is
 * longer: sizes are few, so that two texts in a row have the same.  JSON ends in blanks. */
static char *pad(char *text, size_t *size)
{
	size_t used = strlen(text), whole = PAGE;
	char *padded;

	while (whole <= used)
		whole *= 2;
	padded = realloc(text, whole);
	if (!padded)
		return NULL;
	memset(padded + used, ' ', whole - used);	/* over the NUL: bytes and a size now */
	padded[whole - 1] = '\n';
	*size = whole;
	return padded;
}

/* Under the lock. */
static int refresh(struct mount *m, struct catalogue *c, struct err *e)
{
	struct status *s = m->status;
	struct timespec now;
	char *text, *padded;
	size_t size;

	clock_gettime(CLOCK_REALTIME, &now);
	if (s->text && now.tv_sec == s->made.tv_sec)
		return 0;
	if (compose(m, c, &text, e) < 0)
		return -1;
	padded = pad(text, &size);
	if (!padded) {
		free(text);
		return err_set(e, MUNI_NO_MEMORY, "no memory for the status");
	}
	free(s->text);
	s->text = padded;
	s->size = size;
	s->made = now;
	return 0;
}

int status_stat(struct mount *m, struct catalogue *c, off_t *size, struct timespec *changed,
		struct err *e)
{
	struct status *s = m->status;

	pthread_mutex_lock(&s->lock);
	int rc = refresh(m, c, e);
	*size = (off_t)s->size;
	*changed = s->made;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int status_read(struct mount *m, struct catalogue *c, uint64_t offset, size_t size,
		char **out, size_t *got, struct err *e)
{
	struct status *s = m->status;
	int rc = -1;

	*out = NULL;
	*got = 0;
	pthread_mutex_lock(&s->lock);
	if (!s->text && refresh(m, c, e) < 0)
		goto out;
	if (offset < s->size)
		*got = s->size - offset < size ? (size_t)(s->size - offset) : size;
	*out = malloc(*got + 1);
	if (!*out) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the status");
		goto out;
	}
	if (*got > 0)
		memcpy(*out, s->text + offset, *got);
	rc = 0;
out:
	pthread_mutex_unlock(&s->lock);
	return rc;
}

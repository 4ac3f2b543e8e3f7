/*
 * The request comes on descriptor 3, the report goes to standard output.  Never prints a
 * key, nor what a key opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/adversary/attack.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/arena.h"
#include "fs/crypt/secret.h"

#define REQUEST_FD 3

void attack_found(struct attack *a, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (json_array_size(a->found) < 100)
		json_array_append_new(a->found, json_string(text));
}

struct hit {
	struct attack *attack;
	const char *where;
};

static void on_hit(void *arg, size_t trace, size_t offset)
{
	static const char *const kinds[] = { [TRACE_KEY] = "the key of a destroyed block",
		[TRACE_SALT] = "the salt of a destroyed record",
		[TRACE_PLANTED] = "what was planted" };
	const struct hit *h = arg;
	unsigned kind = h->attack->request->traces.list[trace].kind;

	if (kind == TRACE_CONTROL)
		h->attack->controls[trace] = true;
	else if (kind < sizeof kinds / sizeof kinds[0] && kinds[kind] != NULL)
		attack_found(h->attack, "%s stands in %s at byte %zu", kinds[kind], h->where,
			     offset);
}

void attack_search(struct attack *a, const void *data, size_t size, const char *where)
{
	struct hit h = { a, where };

	trace_search(a->search, data, size, on_hit, &h);
}

static int read_request(struct adversary_request *out, struct err *e)
{
	uint8_t *data = arena_key_new(ADVERSARY_REQUEST_MAX);
	size_t used = 0;
	int rc = -1;

	if (data == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the request");
	for (;;) {
		ssize_t n = read(REQUEST_FD, data + used, ADVERSARY_REQUEST_MAX - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(e, "reading the request");
			goto out;
		}
		if (n == 0)
			break;
		used += (size_t)n;
		if (used == ADVERSARY_REQUEST_MAX)
			break;
	}
	rc = adversary_request_unpack(data, used, out, e);
out:
	arena_key_free(data);
	return rc;
}

static uint64_t count_of(const struct attack *a, enum trace_kind kind, bool found_only)
{
	const struct traces *t = &a->request->traces;
	uint64_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->list[i].kind == kind && (!found_only || a->controls[i]);
	return n;
}

static int report(const struct attack *a, const struct err *failed)
{
	uint64_t controls = count_of(a, TRACE_CONTROL, false);
	uint64_t seen = count_of(a, TRACE_CONTROL, true);
	bool has_passed = failed->code == MUNI_OK && json_array_size(a->found) == 0 &&
			  controls == seen;
	json_t *o = json_pack(
		"{sb sO sI sI sI sI sI sI sI s{sI sI sI sI} s{sI sI}}", "passed", has_passed,
		"found", a->found, "files", (json_int_t)a->files, "bytes", (json_int_t)a->bytes,
		"catalogue_pages", (json_int_t)a->pages, "copies", (json_int_t)a->copies,
		"copied_pages", (json_int_t)a->copied_pages, "blocks_present",
		(json_int_t)a->blocks_present, "keys_tried", (json_int_t)a->keys_tried, "traces",
		"keys", (json_int_t)count_of(a, TRACE_KEY, false), "salts",
		(json_int_t)count_of(a, TRACE_SALT, false), "planted",
		(json_int_t)count_of(a, TRACE_PLANTED, false), "blocks",
		(json_int_t)a->request->traces.block_count, "controls", "given",
		(json_int_t)controls, "found", (json_int_t)seen);
	char *text;

	if (o == NULL)
		return -1;
	if (failed->code != MUNI_OK)
		json_object_set_new(o, "failed", json_string(failed->text));
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	if (text == NULL)
		return -1;
	fputs(text, stdout);
	free(text);
	return fflush(stdout) == 0 ? 0 : -1;
}

static void attack_all(struct attack *a, struct err *e)
{
	a->dirfd = file_open_user(a->request->archive, O_RDONLY | O_DIRECTORY, 0, e);
	if (a->dirfd < 0)
		return;
	if (attack_folder(a, e) == 0 && attack_pages(a, e) == 0 && attack_copies(a, e) == 0)
		attack_blocks(a, e);
	file_close(&a->dirfd);
}

int main(void)
{
	struct adversary_request request;
	struct attack a = { .request = &request, .dirfd = -1 };
	struct err e = ERR_NONE;
	int rc = 1;

	secret_forbid_cores();
	if (secret_begin(&e) < 0 || read_request(&request, &e) < 0) {
		fprintf(stderr, "muni-adversary: %s\n", e.text);
		return 1;
	}
	a.search = trace_search_new(&request.traces);
	a.controls = calloc(request.traces.count + 1, sizeof *a.controls);
	a.found = json_array();
	if (a.search != NULL && a.controls != NULL && a.found != NULL) {
		attack_all(&a, &e);
		rc = report(&a, &e) < 0;
	}
	trace_search_free(a.search);
	free(a.controls);
	json_decref(a.found);
	adversary_request_clear(&request);
	return rc;
}

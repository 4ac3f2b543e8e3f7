/* What a process that was taken over by a hostile file could answer: entries of archives,
 * examinations.  The first byte says which. */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/examination.h"
#include "fs/vault/foreign_wire.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void entry(const uint8_t *data, size_t size)
{
	struct wire_entry w, again;
	struct buffer b = { .data = NULL };

	if (wire_get_entry(data, size, &w) < 0)
		return;
	MUST(w.f.path && strlen(w.f.path) == w.f.path_size && w.f.path_size > 0);
	wire_put_entry(&b, &w);
	MUST(!b.failed && wire_get_entry(b.data, b.size, &again) == 0);
	MUST(again.f.path_size == w.f.path_size && again.xattr_count == w.xattr_count &&
	     again.acl_count == w.acl_count);
	wire_entry_free(&again);
	wire_entry_free(&w);
	buffer_free(&b);
}

static void examination(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct buffer b = { .data = NULL };
	struct examination x;
	struct err e = ERR_NONE;

	if (examination_read(&r, &x, &e) == 0) {
		MUST(x.finding_count <= FINDINGS_MAX && memchr(x.format, 0, sizeof x.format));
		MUST(examination_write(&x, &b, &e) == 0 && b.size <= EXAMINATION_MAX);
	}
	examination_clear(&x);
	buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2)
		entry(data + 1, size - 1);
	else
		examination(data + 1, size - 1);
	return 0;
}

#include "fs/base/json_memory.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

/* Set once, and for good. */
static atomic_bool lacked, is_watched;

static void *take(size_t size)
{
	void *p = malloc(size);

	if (p == NULL)
		atomic_store(&lacked, true);
	return p;
}

void json_memory_begin(void)
{
	atomic_store(&is_watched, true);
	json_set_alloc_funcs(take, free);
}

void *json_needs(void *p)
{
	if (p == NULL && atomic_load(&is_watched))
		atomic_store(&lacked, true);
	return p;
}

bool json_memory_lacked(void)
{
	return atomic_load(&lacked);
}

int json_memory_refused(struct err *e, enum muni_code code, const char *format, ...)
{
	char text[sizeof e->text];
	va_list args;

	if (json_memory_lacked())
		return err_set(e, MUNI_NO_MEMORY, "no memory for JSON");
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return err_set(e, code, "%s", text);
}

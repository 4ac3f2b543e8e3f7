#include "tools/xml.h"

#include <libxml/xmlmemory.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

struct xml {
	xmlTextWriterPtr to;	/* owned */
	FILE *stream;		/* borrowed */
	enum xml_kind kind;
	const char *what;
	bool has_failed;
};

/* libxml2 goes on where it could not note which element is open, and never closes it; so its
 * memory is watched.  Set once, and for good. */
static atomic_bool lacked;

static void *watched(void *p)
{
	if (p == NULL)
		atomic_store(&lacked, true);
	return p;
}

static void *take(size_t size)
{
	return watched(malloc(size));
}

static void *take_again(void *p, size_t size)
{
	return watched(realloc(p, size));
}

static char *take_copy(const char *text)
{
	return watched(strdup(text));
}

/* Its sentence says less than ours. */
static void keep_silent(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static int put(void *context, const char *data, int size)
{
	struct xml *x = context;

	return fwrite(data, 1, (size_t)size, x->stream) == (size_t)size ? size : -1;
}

static bool begin(struct xml *x)
{
	xmlOutputBufferPtr buffer = xmlOutputBufferCreateIO(put, NULL, x, NULL);

	x->to = buffer != NULL ? xmlNewTextWriter(buffer) : NULL;
	if (x->to == NULL)
		return false;
	if (x->kind == XML_HTML)
		return xmlTextWriterWriteDTD(x->to, BAD_CAST "html", NULL, NULL, NULL) >= 0;
	return xmlTextWriterSetIndent(x->to, 1) >= 0 &&
	       xmlTextWriterStartDocument(x->to, NULL, "UTF-8", NULL) >= 0;
}

struct xml *xml_new(FILE *to, enum xml_kind kind, const char *what)
{
	struct xml *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	xmlMemSetup(free, take, take_again, take_copy);
	xmlSetGenericErrorFunc(NULL, keep_silent);
	*x = (struct xml){ .stream = to, .kind = kind, .what = what };
	x->has_failed = !begin(x);
	return x;
}

static bool is_over(const struct xml *x)
{
	return x == NULL || x->has_failed;
}

void xml_open(struct xml *x, const char *name)
{
	if (!is_over(x))
		x->has_failed = xmlTextWriterStartElement(x->to, BAD_CAST name) < 0;
}

/* malloc'ed; NULL without memory. */
static char *without_unsafe(const char *text)
{
	char *out = NULL;
	size_t size, length;
	const char *unsafe;
	uint32_t c;
	FILE *f = text_stream(&out, &size);

	if (f == NULL)
		return NULL;
	for (; (unsafe = text_unsafe(text, &length, &c)) != NULL; text = unsafe + length) {
		fwrite(text, 1, (size_t)(unsafe - text), f);
		if (c >= 0x10000)
			fprintf(f, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
		else
			fprintf(f, "\\u%04x", c);
	}
	fputs(text, f);
	return text_stream_end(f, &out) == 0 ? out : NULL;
}

void xml_text(struct xml *x, const char *text)
{
	char *safe;

	if (is_over(x))
		return;
	safe = watched((void *)(uintptr_t)text) != NULL ? without_unsafe(text) : NULL;
	x->has_failed = watched(safe) == NULL ||
			xmlTextWriterWriteString(x->to, BAD_CAST safe) < 0;
	free(safe);
}

void xml_attribute(struct xml *x, const char *name, const char *format, ...)
{
	char *value = NULL, *safe = NULL;
	va_list args;

	if (is_over(x))
		return;
	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		value = NULL;
	va_end(args);
	if (watched(value) != NULL)
		safe = watched(without_unsafe(value));
	x->has_failed = safe == NULL || xmlTextWriterWriteAttribute(x->to, BAD_CAST name,
								    BAD_CAST safe) < 0;
	free(safe);
	free(value);
}

void xml_close(struct xml *x)
{
	if (!is_over(x))
		x->has_failed = (x->kind == XML_HTML ? xmlTextWriterFullEndElement(x->to)
						     : xmlTextWriterEndElement(x->to)) < 0;
}

void xml_close_void(struct xml *x)
{
	if (!is_over(x))
		x->has_failed = xmlTextWriterEndElement(x->to) < 0;
}

void xml_element(struct xml *x, const char *name, const char *text)
{
	xml_open(x, name);
	xml_text(x, text);
	xml_close(x);
}

void xml_element_f(struct xml *x, const char *name, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (is_over(x))
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (watched(text) != NULL)
		xml_element(x, name, text);
	else
		x->has_failed = true;
	free(text);
}

int xml_end(struct xml *x, struct err *e)
{
	bool is_good;
	int rc;

	if (x == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a document");
	is_good = !x->has_failed && xmlTextWriterEndDocument(x->to) >= 0 &&
		  xmlTextWriterFlush(x->to) >= 0;
	if (x->to != NULL)
		xmlFreeTextWriter(x->to);
	rc = is_good && !atomic_load(&lacked) ? 0 :
	     atomic_load(&lacked) ? err_set(e, MUNI_NO_MEMORY, "no memory for the %s", x->what) :
				    err_set(e, MUNI_IO, "the %s could not be written", x->what);
	free(x);
	return rc;
}

/*
 * JSON for scripts: one object a line on standard output.  docs/man/muni.1,
 * "JSON", is the contract: every line has "muniment_json": 1 and "type"; a
 * field may be added under that number, none goes and none changes its meaning.
 *
 * Names are bytes: KEY holds them where they are UTF-8; else KEY holds the
 * printable form and KEY_base64 the bytes.
 */
#ifndef TOOLS_JSONL_H
#define TOOLS_JSONL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest;
struct err;

/* NULL without memory: all calls below take that. */
json_t *jsonl_new(const char *type);
void jsonl_text(json_t *o, const char *key, const char *text);	/* UTF-8; NULL: null */
void jsonl_bytes(json_t *o, const char *key, const void *bytes, size_t size);
void jsonl_number(json_t *o, const char *key, uint64_t n);
void jsonl_bool(json_t *o, const char *key, bool b);
void jsonl_time(json_t *o, const char *key, int64_t seconds, uint32_t ns);
void jsonl_digest(json_t *o, const char *key, const struct digest *d);
/* Prints and frees it.  MUNI_NO_MEMORY; a stream that is broken is found at the
 * end (cli_close_output()). */
int jsonl_end(json_t *o, struct err *e);

#endif

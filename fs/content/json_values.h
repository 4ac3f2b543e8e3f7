/*
 * The values of JSON text on their way to the detector, and where each stands:
 * `$.employees[3].ssn`, over it its key or that of the array it is in.
 *
 * A path is written at a hit only: until then it is steps, shared by all values of
 * one object.
 */
#ifndef FS_CONTENT_JSON_VALUES_H
#define FS_CONTENT_JSON_VALUES_H

#include "fs/content/look.h"
#include "fs/content/text_reader.h"

#define JSON_DEPTH_MAX 512u

struct json_values;

/* Borrows both.  NULL without memory. */
struct json_values *json_values_new(struct look *l, struct text_reader *r);
void json_values_free(struct json_values *v);	/* NULL is allowed */

/* Into an object or array, and out of it.  False: it is too deep. */
bool json_values_open(struct json_values *v, bool is_array);
int json_values_close(struct json_values *v, struct err *e);
/* The key of the value that comes next. */
void json_values_key(struct json_values *v, const void *key, size_t size);
/* at: offset of its first byte in the text that is read. */
int json_values_add(struct json_values *v, const void *utf8, size_t size, uint64_t at,
		    struct err *e);
/* A key that is data: it stands in its object. */
int json_values_add_key(struct json_values *v, const void *utf8, size_t size, uint64_t at,
			struct err *e);
/* All that was added, to the detector: before the text it came from is gone. */
int json_values_flush(struct json_values *v, struct err *e);

/* Of the value that comes next. */
const char *json_values_label(const struct json_values *v);
/* at: for the line, where there are several texts of JSON in the file. */
void json_values_place(struct json_values *v, uint64_t at, char out[SAMPLE_WHERE_MAX]);

#endif

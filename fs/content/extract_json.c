/*
 * JSON, one text or many in a row, parsed as it comes (yajl); what is no JSON from
 * some byte on is read as text from there, so nothing is lost.
 *
 * yajl holds a token until it is whole: of a string longer than TOKEN_MAX it gets
 * the beginning, and the rest goes to the detector by itself.
 */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "fs/base/err.h"
#include "fs/content/json_values.h"
#include "fs/content/look.h"
#include "fs/content/text_reader.h"
#include "policy/detect/detect.h"

#define TOKEN_MAX (32u << 10)
#define CUT_SLACK 4096u		/* past TOKEN_MAX a blank is looked for */

#define BLOCK_SIZE 16384u	/* of the rest of a long string, at a time */

struct span {
	const uint8_t *data;
	size_t size;
	uint64_t start;		/* in the text */
};

struct json {
	struct look *look;
	struct text_reader *reader;
	struct json_values *values;
	yajl_handle yajl;
	struct err *e;		/* of the present call */
	bool has_failed;	/* and e says how */
	uint64_t fed_from;	/* where the bytes begin that yajl is given now */
	uint64_t told_to;	/* behind the last token that yajl has told */
	struct span now, before;	/* pieces of the text */
	/* Where the text is, as far as strings go. */
	bool is_string, is_escaped;
	size_t hex;		/* digits of an escape that are still to come */
	size_t token;		/* bytes of the present token, or more */
	/* The rest of a long string: it is a stretch of the detector's. */
	bool is_cut;
	bool is_rest_escaped;
	uint64_t rest_start;
	struct passage rest;
	uint8_t block[BLOCK_SIZE];
};

/* ---- what yajl tells ------------------------------------------------------------------- */

static int end_token(struct json *j, int rc)
{
	j->told_to = j->fed_from + yajl_get_bytes_consumed(j->yajl);
	if (rc < 0)
		j->has_failed = true;
	return rc == 0;
}

static int on_nothing(void *arg)
{
	struct json *j = arg;

	return end_token(j, json_values_add(j->values, "", 0, 0, j->e));
}

static int on_boolean(void *arg, int value)
{
	(void)value;
	return on_nothing(arg);
}

/* Where the token begins that was read last; `behind` its text: a quote. */
static uint64_t token_start(const struct json *j, size_t size, unsigned behind)
{
	uint64_t end = j->fed_from + yajl_get_bytes_consumed(j->yajl);

	return end > size + behind ? end - size - behind : 0;
}

static int on_number(void *arg, const char *text, size_t size)
{
	struct json *j = arg;

	return end_token(j, json_values_add(j->values, text, size, token_start(j, size, 0),
					    j->e));
}

static int on_string(void *arg, const unsigned char *text, size_t size)
{
	struct json *j = arg;

	return end_token(j, json_values_add(j->values, text, size, token_start(j, size, 1),
					    j->e));
}

/* A key that is more than a name is data. */
static bool is_data(const unsigned char *key, size_t size)
{
	if (size > 24)
		return true;
	for (size_t i = 0; i < size; i++)
		if ((key[i] >= '0' && key[i] <= '9') || key[i] == '@')
			return true;
	return false;
}

static int on_key(void *arg, const unsigned char *key, size_t size)
{
	struct json *j = arg;

	int rc = is_data(key, size) ? json_values_add_key(j->values, key, size,
							  token_start(j, size, 1), j->e) : 0;

	json_values_key(j->values, key, size);
	return end_token(j, rc);
}

static int on_open(void *arg, bool is_array)
{
	struct json *j = arg;

	/* Too deep is no failure: the rest is read as text. */
	return json_values_open(j->values, is_array) ? end_token(j, 0) : 0;
}

static int on_map(void *arg)
{
	return on_open(arg, false);
}

static int on_array(void *arg)
{
	return on_open(arg, true);
}

static int on_close(void *arg)
{
	struct json *j = arg;

	return end_token(j, json_values_close(j->values, j->e));
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_nothing, .yajl_boolean = on_boolean, .yajl_number = on_number,
	.yajl_string = on_string, .yajl_map_key = on_key, .yajl_start_map = on_map,
	.yajl_end_map = on_close, .yajl_start_array = on_array, .yajl_end_array = on_close,
};

/* ---- long strings ------------------------------------------------------------------------ */

static const char *rest_label(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	const struct json *j = arg;

	(void)offset;
	(void)cursor;
	return json_values_label(j->values);
}

static void rest_place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	const struct json *j = arg;

	json_values_place(j->values, j->rest_start + offset, out);
}

static uint64_t rest_told(void *arg, uint64_t offset)
{
	const struct json *j = arg;

	return text_reader_told(j->reader, j->rest_start + offset);
}

static int begin_rest(struct json *j, uint64_t start, struct err *e)
{
	if (json_values_flush(j->values, e) < 0)
		return -1;
	j->is_cut = true;
	j->is_rest_escaped = false;
	j->rest_start = start;
	j->rest = (struct passage){ .label = rest_label, .place = rest_place,
				    .told = rest_told, .arg = j };
	detector_begin(look_detector(j->look), &j->rest);
	return 0;
}

static int end_rest(struct json *j, struct err *e)
{
	j->is_cut = false;
	return detector_end(look_detector(j->look), e);
}

/* An escape of one character becomes it, a blank before it: as long as it was. */
static int feed_rest(struct json *j, const uint8_t *data, size_t size, struct err *e)
{
	while (size > 0) {
		size_t n = size < sizeof j->block ? size : sizeof j->block;

		for (size_t i = 0; i < n; i++) {
			uint8_t c = data[i];

			if (j->is_rest_escaped)
				c = strchr("ntrbf", c) != NULL && c != 0 ? ' ' : c;
			j->is_rest_escaped = !j->is_rest_escaped && c == '\\';
			j->block[i] = j->is_rest_escaped ? ' ' : c;
		}
		if (detector_feed(look_detector(j->look), j->block, n, e) < 0)
			return -1;
		data += n;
		size -= n;
	}
	return 0;
}

/* ---- feeding yajl ------------------------------------------------------------------------ */

enum result { GOES_ON, IS_NO_JSON, HAS_FAILED };

static enum result feed_yajl(struct json *j, const uint8_t *data, size_t size, uint64_t start)
{
	if (size == 0)
		return GOES_ON;
	j->fed_from = start;
	if (yajl_parse(j->yajl, data, size) == yajl_status_ok)
		return GOES_ON;
	return j->has_failed ? HAS_FAILED : IS_NO_JSON;
}

static bool parts_tokens(uint8_t c)
{
	return c <= ' ' || strchr("[]{},:\"", c) != NULL;
}

/* Outside strings no token is long: false, it is no JSON. */
static bool pass_plain(struct json *j, const uint8_t *p, size_t size)
{
	size_t tail = 0;

	if (j->token + size <= TOKEN_MAX) {
		j->token += size;
		return true;
	}
	while (tail < size && tail <= TOKEN_MAX && !parts_tokens(p[size - 1 - tail]))
		tail++;
	j->token = tail < size ? tail : j->token + size;
	return j->token <= TOKEN_MAX;
}

/* Of a run in a string, without escapes: where it is cut, so that no value is cut in
 * two: at a blank, else before an escape.  NO_CUT: not here. */
#define NO_CUT SIZE_MAX

static size_t cut_of(const struct json *j, const uint8_t *p, size_t size, bool has_end)
{
	size_t from = j->token < TOKEN_MAX ? TOKEN_MAX - j->token : 0, at;

	if (from < j->hex)
		from = j->hex;	/* not within an escape */
	if (j->token + size <= TOKEN_MAX || from > size)
		return NO_CUT;
	for (at = from; at < size && at - from < CUT_SLACK; at++)
		if (p[at] == ' ')
			return at;
	if (at == size)
		return has_end ? size : j->token + size > TOKEN_MAX + CUT_SLACK ? from : NO_CUT;
	while (at > from && (p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* The bytes of the string from `at` on, to its end or that of the piece. *fed: what
 * yajl has of the piece. */
static enum result pass_string(struct json *j, size_t *at, size_t *fed, struct err *e)
{
	const uint8_t *p = j->now.data + *at, *end = j->now.data + j->now.size, *stop, *quote;
	size_t run, cut;

	if (j->is_escaped) {
		j->is_escaped = false;
		j->hex = *p == 'u' ? 4 : 0;
		(*at)++;
		j->token++;
		return j->is_cut && feed_rest(j, p, 1, e) < 0 ? HAS_FAILED : GOES_ON;
	}
	quote = memchr(p, '"', (size_t)(end - p));
	stop = memchr(p, '\\', (size_t)((quote != NULL ? quote : end) - p));
	j->is_escaped = stop != NULL;
	if (stop == NULL)
		stop = quote != NULL ? quote : end;
	run = (size_t)(stop - p);
	cut = j->is_cut ? NO_CUT : cut_of(j, p, run, j->is_escaped);
	if (cut != NO_CUT) {
		enum result result = feed_yajl(j, j->now.data + *fed, *at + cut - *fed,
					       j->now.start + *fed);

		if (result != GOES_ON)
			return result;
		if (begin_rest(j, j->now.start + *at + cut, e) < 0 ||
		    feed_rest(j, p + cut, run - cut, e) < 0)
			return HAS_FAILED;
	} else if (j->is_cut && feed_rest(j, p, run, e) < 0) {
		return HAS_FAILED;
	}
	*at += run;
	j->token += run;
	j->hex = j->hex > run ? j->hex - run : 0;
	if (stop == end)
		return GOES_ON;
	if (j->is_escaped) {
		if (j->is_cut && feed_rest(j, stop, 1, e) < 0)
			return HAS_FAILED;
		(*at)++;
		j->token++;
		return GOES_ON;
	}
	if (j->is_cut) {
		if (end_rest(j, e) < 0)
			return HAS_FAILED;
		*fed = *at;	/* yajl goes on with the quote */
	}
	(*at)++;
	j->is_string = false;
	j->token = 0;
	return GOES_ON;
}

static enum result feed_piece(struct json *j, struct err *e)
{
	size_t at = 0, fed = 0;
	enum result result = GOES_ON;

	j->e = e;
	while (at < j->now.size && result == GOES_ON) {
		const uint8_t *p = j->now.data + at, *quote;
		size_t plain;

		if (j->is_string) {
			result = pass_string(j, &at, &fed, e);
			continue;
		}
		quote = memchr(p, '"', j->now.size - at);
		plain = quote != NULL ? (size_t)(quote - p) : j->now.size - at;
		if (!pass_plain(j, p, plain))
			return IS_NO_JSON;
		at += plain;
		if (quote != NULL) {
			at++;
			j->is_string = true;
			j->token = j->hex = 0;
		}
	}
	if (result == GOES_ON && !j->is_cut)
		result = feed_yajl(j, j->now.data + fed, j->now.size - fed, j->now.start + fed);
	if (result == GOES_ON && !j->is_cut && json_values_flush(j->values, e) < 0)
		result = HAS_FAILED;
	return result;
}

/* ---- what is no JSON --------------------------------------------------------------------- */

static void text_place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	const struct json *j = arg;

	look_place(j->look, out, "line %llu",
		   (unsigned long long)text_reader_line(j->reader, j->rest_start + offset));
}

static int feed_span(struct json *j, const struct span *s, struct err *e)
{
	uint64_t skip = j->rest_start > s->start ? j->rest_start - s->start : 0;

	if (skip >= s->size)
		return 0;
	return detector_feed(look_detector(j->look), s->data + skip, s->size - skip, e);
}

/* From the last token that was told to the end, as text. */
static int go_on_as_text(struct json *j, struct err *e)
{
	struct detector *d = look_detector(j->look);
	struct err ignored = ERR_NONE;
	ssize_t n = 1;
	int rc = -1;

	if (json_values_flush(j->values, e) < 0)
		return -1;
	j->rest_start = j->told_to;
	if (j->before.data != NULL && j->rest_start < j->before.start)
		j->rest_start = j->before.start;
	j->rest = (struct passage){ .place = text_place, .told = rest_told, .arg = j };
	detector_begin(d, &j->rest);
	if ((j->before.data == NULL || feed_span(j, &j->before, e) == 0) &&
	    feed_span(j, &j->now, e) == 0) {
		const uint8_t *utf8;

		while ((n = text_reader_next(j->reader, &utf8, e)) > 0)
			if (detector_feed(d, utf8, (size_t)n, e) < 0)
				break;
		rc = n == 0 ? 0 : -1;
	}
	if (detector_end(d, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	return rc;
}

/* ---- all together ------------------------------------------------------------------------ */

static enum result finish(struct json *j, struct err *e)
{
	j->e = e;
	if (j->is_cut && end_rest(j, e) < 0)
		return HAS_FAILED;
	if (j->has_failed)
		return HAS_FAILED;
	j->fed_from = j->now.start + j->now.size;
	if (yajl_complete_parse(j->yajl) != yajl_status_ok)
		return j->has_failed ? HAS_FAILED : IS_NO_JSON;
	return json_values_flush(j->values, e) < 0 ? HAS_FAILED : GOES_ON;
}

static int run(struct json *j, struct err *e)
{
	enum result result = GOES_ON;
	const uint8_t *utf8;
	ssize_t n;

	while ((n = text_reader_next(j->reader, &utf8, e)) > 0 && result == GOES_ON) {
		j->before = j->now;
		j->now = (struct span){ .data = utf8, .size = (size_t)n,
					.start = j->before.start + j->before.size };
		result = feed_piece(j, e);
		if (result != GOES_ON)
			break;
	}
	if (n < 0) {
		struct err ignored = ERR_NONE;

		/* What came before a failure counts. */
		finish(j, &ignored);
		return -1;
	}
	if (result == GOES_ON)
		result = finish(j, e);
	if (result == IS_NO_JSON)
		return go_on_as_text(j, e);
	return result == GOES_ON ? 0 : -1;
}

int extract_json(struct look *l, struct input *in, struct err *e)
{
	struct json *j = calloc(1, sizeof *j);
	int rc = -1;

	if (j == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read JSON");
	j->look = l;
	if (text_reader_new(in, look_encoding(l), &j->reader, e) < 0)
		goto out;
	j->values = json_values_new(l, j->reader);
	j->yajl = yajl_alloc(&callbacks, NULL, j);
	if (j->values == NULL || j->yajl == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read JSON");
		goto out;
	}
	yajl_config(j->yajl, yajl_allow_multiple_values, 1);
	yajl_config(j->yajl, yajl_dont_validate_strings, 1);
	rc = run(j, e);
	look_text_ends(l, j->reader);
out:
	if (j->yajl != NULL)
		yajl_free(j->yajl);
	json_values_free(j->values);
	text_reader_free(j->reader);
	explicit_bzero(j->block, sizeof j->block);
	free(j);
	return rc;
}

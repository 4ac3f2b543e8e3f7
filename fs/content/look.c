/*
 * One look is one outermost file: the limits and the path of containers live in
 * it.  Each item, outermost or inside, goes the same way: head, format, encoding,
 * reader.
 */
#include "fs/content/look.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/encoding.h"
#include "fs/content/format.h"
#include "fs/content/look_inside.h"

/* ---- who reads what: the first row that fits --------------------------------------------- */

struct extractor {
	const char *format;	/* MIME; "*" stands for anything */
	int (*extract)(struct look *l, struct input *in, struct err *e);
};

static const struct extractor extractors[] = {
	{ "text/plain", extract_text },
	{ "text/csv", extract_csv },
	{ "text/tab-separated-values", extract_csv },
	{ "application/sql", extract_sql },
	{ "application/json", extract_json },
	{ "application/x-ndjson", extract_json },
	{ "*-flat-xml", extract_xml },
	{ "application/vnd.openxmlformats-officedocument*", extract_office },
	{ "application/vnd.ms-word.*", extract_office },
	{ "application/vnd.ms-excel.*", extract_office },
	{ "application/vnd.ms-powerpoint.*", extract_office },
	{ "application/vnd.ms-visio*", extract_office },
	{ "application/vnd.ms-xpsdocument", extract_office },
	{ "application/oxps", extract_office },
	{ "application/vnd.oasis.opendocument*", extract_office },
	{ "application/vnd.sun.xml*", extract_office },
	{ "application/epub+zip", extract_office },
	{ "application/encrypted", extract_office },
	{ "application/zip", extract_archive },
	{ "application/java-archive", extract_archive },
	{ "application/vnd.android.package-archive", extract_archive },
	{ "application/vnd.google-earth.kmz", extract_archive },
	{ "application/vnd.apple.*", extract_archive },
	{ "application/x-krita", extract_archive },
	{ "image/openraster", extract_archive },
	{ "application/gzip", extract_archive },
	{ "application/x-bzip2", extract_archive },
	{ "application/x-xz", extract_archive },
	{ "application/zstd", extract_archive },
	{ "application/x-lz4", extract_archive },
	{ "application/x-lzma", extract_archive },
	{ "application/lzip", extract_archive },
	{ "application/x-lzip", extract_archive },
	{ "application/x-compress", extract_archive },
	{ "application/x-tar", extract_archive },
	{ "application/x-7z-compressed", extract_archive },
	{ "application/x-rar", extract_archive },
	{ "application/vnd.rar", extract_archive },
	{ "application/x-cpio", extract_archive },
	{ "application/x-iso9660-image", extract_archive },
	{ "application/vnd.ms-cab-compressed", extract_archive },
	{ "application/x-lzh-compressed", extract_archive },
	{ "application/x-lha", extract_archive },
	{ "application/x-archive", extract_archive },
	{ "application/vnd.debian.binary-package", extract_archive },
	{ "application/x-rpm", extract_archive },
	{ "application/x-xar", extract_archive },
	{ "application/warc", extract_archive },
	{ "application/vnd.sqlite3", extract_sqlite },
	{ "application/pdf", extract_pdf },
	{ "message/rfc822", extract_mail },
	{ "application/mbox", extract_mail },
	{ "text/html", extract_html },
	{ "application/xhtml+xml", extract_html },
	{ "text/xml", extract_xml },
	{ "application/xml", extract_xml },
	{ "application/*+xml", extract_xml },
	{ "image/svg+xml", extract_xml },
	{ "model/*+xml", extract_xml },
};

static const struct extractor *extractor_find(const char *format)
{
	for (size_t i = 0; i < sizeof extractors / sizeof *extractors; i++)
		if (fnmatch(extractors[i].format, format, 0) == 0)
			return &extractors[i];
	return NULL;
}

/* ---- the looker -------------------------------------------------------------------------- */

int looker_new(const struct recognisers *r, const struct look_limits *limits,
	       struct looker **out, struct err *e)
{
	struct looker *k = calloc(1, sizeof *k);

	*out = NULL;
	if (!k)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look into files");
	if (limits)
		k->limits = *limits;
	if (k->limits.depth == 0)
		k->limits.depth = LOOK_DEPTH;
	if (k->limits.expanded == 0)
		k->limits.expanded = LOOK_EXPANDED;
	if (k->limits.ratio == 0)
		k->limits.ratio = LOOK_RATIO;
	if (k->limits.members == 0)
		k->limits.members = LOOK_MEMBERS;
	k->threads = 1;
	k->hasher = hasher_new();
	if (!k->hasher) {
		err_set(e, MUNI_NO_MEMORY, "no memory to look into files");
		goto bad;
	}
	if (detector_new(r, &k->detector, e) < 0 || formats_open(&k->formats, e) < 0)
		goto bad;
	*out = k;
	return 0;
bad:
	looker_free(k);
	return -1;
}

void looker_free(struct looker *k)
{
	if (!k)
		return;
	formats_close(k->formats);
	detector_free(k->detector);
	hasher_free(k->hasher);
	free(k);
}

void looker_use_threads(struct looker *k, unsigned threads)
{
	k->threads = threads;
}

void looker_watch(struct looker *k, const struct look_watcher *w)
{
	k->watcher = *w;
}

/* ---- one item ---------------------------------------------------------------------------- */

/* Of the outermost item: for the inventory. */
static int describe(struct look *l, const struct item *item, const char *name,
		    const void *head, size_t size, struct err *e)
{
	struct examination *out = l->out;

	snprintf(out->format, sizeof out->format, "%s", item->format);
	snprintf(out->encoding, sizeof out->encoding, "%s", item->encoding);
	if (name)
		format_claimed(name, item->format, out->claimed);
	if (!*item->encoding)
		return 0;
	return text_script(item->encoding, head, size, out->script, e);
}

static int extract(struct look *l, struct input *in, struct err *e)
{
	const char *format = l->item->format;
	const struct extractor *x = extractor_find(format);

	if (l->k->watcher.reads)
		l->k->watcher.reads(l->k->watcher.arg, l->depth, format);
	if (x)
		return x->extract(l, in, e);
	if (format_is_text(format))
		return extract_text(l, in, e);
	if (format_is_textless(format))
		return 0;
	if (!strcmp(format, "application/octet-stream"))
		look_opaque(l, "unknown format");
	else
		look_opaque(l, "no reader for %s", text_printable(format));
	return 0;
}

static int look_at(struct look *l, struct input *in, const char *name, struct err *e)
{
	struct item *above = l->item;
	struct item item = { .name = name ? name : "" };
	const void *head;
	size_t size;
	bool is_all;
	int rc = -1;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	is_all = size < INPUT_HEAD_SIZE;
	if (formats_identify_input(l->k->formats, in, name, item.format, e) < 0)
		return -1;
	l->item = &item;
	if (size > 0 && format_is_text(item.format) &&
	    encoding_detect(head, size, is_all, item.encoding, e) < 0)
		goto out;
	if (l->depth == 0 && describe(l, &item, name, head, size, e) < 0)
		goto out;
	rc = size > 0 ? extract(l, in, e) : 0;
out:
	l->item = above;
	return rc;
}

/*
 * What a reader could not go on with: said, unless it concerns the whole file (a
 * limit of it, memory), which goes up.
 */
static int settle(struct look *l, struct input *in, const struct err *e)
{
	struct err why;

	if (l->is_stopped || e->code == MUNI_NO_MEMORY)
		return -1;
	if (!input_failed(in, &why))
		why = *e;
	look_opaque(l, "%s", why.text);
	return 0;
}

/* ---- inside ------------------------------------------------------------------------------ */

static int stop(struct look *l, struct err *e, const char *text)
{
	l->is_stopped = true;
	return err_set(e, MUNI_LIMIT, "%s", text);
}

int look_into(struct look *l, struct input *in, const char *name, struct err *e)
{
	size_t before = l->path_size;
	int rc = 0;

	if (++l->members > l->k->limits.members) {
		char text[80];

		snprintf(text, sizeof text, "more than %llu files are inside",
			 (unsigned long long)l->k->limits.members);
		return stop(l, e, text);
	}
	path_push(l, name);
	if (l->depth >= l->k->limits.depth) {
		look_opaque(l, "inside more than %u containers", l->k->limits.depth);
	} else {
		l->depth++;
		if (look_at(l, in, name, e) < 0)
			rc = settle(l, in, e);
		l->depth--;
	}
	path_cut(l, before);
	return rc;
}

int look_expanded(struct look *l, uint64_t bytes, struct err *e)
{
	const struct look_limits *limits = &l->k->limits;
	char text[120], size[TEXT_SIZE_MAX];
	uint64_t own = 0;

	l->expanded += bytes;
	if (l->k->watcher.expanded)
		l->k->watcher.expanded(l->k->watcher.arg, l->expanded);
	if (l->expanded > limits->expanded) {
		snprintf(text, sizeof text, "more than %s come out of it",
			 text_size(limits->expanded, size));
		return stop(l, e, text);
	}
	if (l->expanded <= LOOK_RATIO_FREE)
		return 0;
	if (!input_size(l->root, &own))
		own = input_position(l->root);
	if (l->expanded / limits->ratio <= own)
		return 0;
	snprintf(text, sizeof text, "more than %llu times its own size come out of it",
		 (unsigned long long)limits->ratio);
	return stop(l, e, text);
}

struct detector *look_detector(struct look *l)
{
	return l->k->detector;
}

const char *look_format(const struct look *l)
{
	return l->item->format;
}

const char *look_encoding(const struct look *l)
{
	return l->item->encoding;
}

void look_encoding_is(struct look *l, const char *encoding)
{
	snprintf(l->item->encoding, sizeof l->item->encoding, "%s", encoding);
	if (l->depth == 0)
		snprintf(l->out->encoding, sizeof l->out->encoding, "%s", encoding);
}

unsigned look_depth(const struct look *l)
{
	return l->depth;
}

const char *look_name(const struct look *l)
{
	return l->item->name;
}

void look_wears(struct look *l)
{
	l->k->is_worn = true;
}

bool looker_is_worn(const struct looker *k)
{
	return k->is_worn;
}

/* ---- one file ---------------------------------------------------------------------------- */

/* Of smaller files there are several at once. */
#define LARGE (16u << 20)

/* A thread for reading and the digest, several for the search. */
static bool share(struct looker *k, struct input *in)
{
	uint64_t size;

	if (k->threads < 2 || !input_size(in, &size) || size < LARGE)
		return false;
	input_read_ahead(in);
	detector_use_threads(k->detector, k->threads);
	return true;
}

/* Also on a thread of the input's own, until that has told the end. */
static void watch(void *arg, const void *data, size_t size)
{
	struct look *l = arg;

	hasher_update(l->k->hasher, data, size);
	l->out->size += size;
}

static int take_findings(struct look *l, struct err *e)
{
	size_t count = 0;
	const struct finding *found = detector_findings(l->k->detector, &count);

	if (count == 0)
		return 0;
	l->out->findings = calloc(count, sizeof *found);
	if (!l->out->findings)
		return err_set(e, MUNI_NO_MEMORY, "no memory for what was found");
	memcpy(l->out->findings, found, count * sizeof *found);
	l->out->finding_count = count;
	return 0;
}

static int examine(struct looker *k, struct input *in, const char *name,
		   struct examination *out, struct err *e)
{
	struct look l = { .k = k, .root = in, .out = out };

	detector_reset(k->detector);
	hasher_reset(k->hasher);
	input_watch(in, watch, &l);
	if (look_at(&l, in, name, e) < 0) {
		if (input_failed(in, e))
			return -1;
		look_opaque(&l, "%s", e->text);
	}
	/* K3: what no reader asked for is read too, for the digest. */
	if (input_drain(in, e) < 0)
		return -1;
	input_watch(in, NULL, NULL);
	out->sha256 = hasher_finish(k->hasher);
	out->has_sha256 = true;
	if (!*out->format)
		snprintf(out->format, sizeof out->format, "application/octet-stream");
	return take_findings(&l, e);
}

int looker_examine(struct looker *k, struct input *in, const char *name,
		   struct examination *out, struct err *e)
{
	bool is_shared = share(k, in);
	int rc;

	*out = (struct examination){ .findings = NULL };
	rc = examine(k, in, name, out, e);
	if (is_shared) {
		input_stop_ahead(in);	/* its watcher goes with this call */
		detector_use_threads(k->detector, 1);
	}
	return rc;
}

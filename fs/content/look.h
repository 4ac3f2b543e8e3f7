/*
 * Looking into one file, and into what lies inside it: which extractor reads
 * what, to which depth, within which limits.
 *
 * An extractor takes an input, finds the text in it, and hands it to the
 * detector with the place it stands at.  What it cannot read it says with
 * look_opaque(); what lies inside (a member, an attachment) it hands back to
 * look_into().  It runs in the sandbox of muni-examine: it can open nothing, and
 * if it hangs or crashes the process is killed and the file is recorded as opaque.
 *
 *   K1  Nothing is skipped in silence: text goes to the detector, or a reason to
 *       look_opaque().
 *   K2  Limits (struct look_limits) hold over all levels of one file together.
 *   K3  The digest, where wanted, is over the outermost bytes, each read once.
 */
#ifndef FS_CONTENT_LOOK_H
#define FS_CONTENT_LOOK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/content/examination.h"
#include "fs/content/input.h"

struct err;
struct detector;
struct look;

struct look_limits {		/* 0: the default */
	unsigned depth;		/* containers in one another; LOOK_DEPTH */
	uint64_t expanded;	/* bytes out of all containers of one file; LOOK_EXPANDED */
	uint64_t ratio;		/* ... and as a multiple of the file; LOOK_RATIO */
	uint64_t members;	/* LOOK_MEMBERS */
};
#define LOOK_DEPTH 4
#define LOOK_EXPANDED (4ull << 30)
#define LOOK_RATIO 200		/* beyond LOOK_RATIO_FREE */
#define LOOK_RATIO_FREE (64ull << 20)
#define LOOK_MEMBERS 200000

/* What one thread needs to look into files: magic, detector, buffers. */
struct looker;
int looker_new(const struct recognisers *r, const struct look_limits *limits,
	       struct looker **out, struct err *e);
void looker_free(struct looker *k);	/* NULL is allowed */
/* So many threads may work on one large file; 1 unless it is said.  What is found does
 * not depend on it. */
void looker_use_threads(struct looker *k, unsigned threads);
/* What is told on the way; each may be NULL. */
struct look_watcher {
	/* The format of each item before its reader runs (depth 0: the outermost):
	 * whoever outlives a crash can say what crashed. */
	void (*reads)(void *arg, unsigned depth, const char *format);
	/* How much has come out of the containers of this file so far. */
	void (*expanded)(void *arg, uint64_t bytes);
	void *arg;
};
void looker_watch(struct looker *k, const struct look_watcher *w);

/* True once a file was looked into that wears a process out: see look_wears(). */
bool looker_is_worn(const struct looker *k);

/* name: for its extension, bytes; NULL: none.  *out: examination_clear() it, also
 * after -1: only for want of memory or a read error of `in` itself (MUNI_IO). */
int looker_examine(struct looker *k, struct input *in, const char *name,
		   struct examination *out, struct err *e);

/* ---- for extractors ---------------------------------------------------------------- */

/* An item inside: identified, read, counted as a member (its bytes are counted by
 * whoever unpacks them: look_expanded()).  name: its path inside the container,
 * bytes; places become "name: ...".  0 also where it could not be read (then it was
 * said); -1: stop altogether (limits, memory).  Not within a stretch of text. */
int look_into(struct look *l, struct input *in, const char *name, struct err *e);
/* That something could not be looked into, and why; with the path of containers
 * before it ("inner.zip: encrypted").  Never a value. */
void look_opaque(struct look *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Bytes that came out of a container or decoder; -1 (MUNI_LIMIT): stop, hand the
 * error up. */
int look_expanded(struct look *l, uint64_t bytes, struct err *e);
/* The detector of this file, for detector_begin/feed/end. */
struct detector *look_detector(struct look *l);
/* Puts the path of containers before a place ("a.zip: doc.xml: "). */
void look_place(const struct look *l, char out[SAMPLE_WHERE_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Format and encoding as identified. */
const char *look_format(const struct look *l);
const char *look_encoding(const struct look *l);
/* The rest of the text told another encoding than its head. */
void look_encoding_is(struct look *l, const char *encoding);
/* At the end of text: its encoding as it turned out, and whether it is doubtful. */
struct text_reader;
void look_text_ends(struct look *l, const struct text_reader *r);
unsigned look_depth(const struct look *l);
/* The name of the present item, as given; "" without one. */
const char *look_name(const struct look *l);
/* A library keeps something of this file that the next one could be read otherwise
 * for: this process had better not look into another one. */
void look_wears(struct look *l);

/*
 * Cells: many small texts (fields of a row, strings of a document) in one pass.
 * Each keeps its label and place.  Cells of one row (until cells_row()) are near
 * each other; text in the next row or cell never gives context except by label.
 */
struct cells;
struct cells *cells_new(struct look *l);	/* NULL without memory */
/* label, place: copied; NULL allowed.  text: UTF-8 (anything else parts words). */
int cells_add(struct cells *c, const char *label, const char *place, const void *text,
	      size_t size, struct err *e);
int cells_row(struct cells *c, struct err *e);
int cells_end(struct cells *c, struct err *e);	/* flushes */
void cells_free(struct cells *c);

/* One extractor a family; each returns 0 (also when it said look_opaque()) or -1 to
 * stop.  look.c has the table of formats to extractors. */
int extract_text(struct look *l, struct input *in, struct err *e);	/* any encoding */
int extract_csv(struct look *l, struct input *in, struct err *e);	/* label: the head of the column */
int extract_json(struct look *l, struct input *in, struct err *e);	/* also JSON lines; label: the key */
int extract_xml(struct look *l, struct input *in, struct err *e);	/* label: element, attribute */
int extract_html(struct look *l, struct input *in, struct err *e);
int extract_sql(struct look *l, struct input *in, struct err *e);	/* dumps: label: the column */
int extract_sqlite(struct look *l, struct input *in, struct err *e);
int extract_mail(struct look *l, struct input *in, struct err *e);	/* eml, mbox */
int extract_pdf(struct look *l, struct input *in, struct err *e);
int extract_office(struct look *l, struct input *in, struct err *e);	/* OOXML, ODF, EPUB: zip of XML */
int extract_archive(struct look *l, struct input *in, struct err *e);	/* zip, tar, 7z, gzip, xz, ... */

#endif

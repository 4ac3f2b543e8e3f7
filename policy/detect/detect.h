/*
 * Looking for sensitive data in text: every recogniser's patterns in one pass of
 * Vectorscan, then the validators, the context, and who wins where two claim the
 * same characters.
 *
 *   D1  A value is counted once, in whatever pieces the text was fed.
 *   D2  The same text gives the same findings, in whatever pieces it was fed.
 *   D3  No value leaves here: a sample is masked before it is kept, the buffers
 *       are wiped by detector_reset() and detector_free().
 *   D4  Memory does not grow with the text: a window (1 MiB for several threads), and
 *       the findings.
 *   D5  The same text gives the same findings on any number of threads.
 *
 * A compiled set (struct recognisers) is constant: any number of threads and
 * forked children use it.  A detector belongs to one thread.
 */
#ifndef POLICY_DETECT_DETECT_H
#define POLICY_DETECT_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/recogniser.h"

struct err;
struct recognisers;
struct detector;

#define FINDING_ID_MAX 48
#define FINDING_WHERE_MAX 512
#define SAMPLES_MAX 3
#define SAMPLE_TEXT_MAX 64
#define SAMPLE_WHERE_MAX 256

/* ---- the compiled set ----------------------------------------------------------- */

struct custom_recogniser {	/* of a policy file */
	char *id;		/* may not be one of ours */
	char *title;		/* NULL: the id */
	char *pattern;		/* a Vectorscan expression */
	char *check;		/* NULL, "luhn", "mod97", "verhoeff", "mod11-2", "mod11-10" */
	char **context;		/* ended by NULL; NULL: none */
	uint8_t alone, in_context;	/* percent; alone 0: only with context */
	enum sensitivity sensitivity;
	bool ignores_case;
};

/* MUNI_USAGE: a custom pattern that cannot be compiled, or matches the empty text;
 * the message names the recogniser and what Vectorscan says. */
int recognisers_new(const struct custom_recogniser *custom, size_t count,
		    struct recognisers **out, struct err *e);
void recognisers_free(struct recognisers *r);	/* NULL is allowed */
/* Number of recognisers, and each by its index: ours first, in table order. */
size_t recognisers_count(const struct recognisers *r);
const char *recognisers_id(const struct recognisers *r, size_t index);
/* Of our own table, without compiling it; NULL past the last.  For `policy check`
 * and the manual. */
const struct recogniser *recogniser_builtin(size_t index);
const struct recogniser *recogniser_find(const char *id);	/* NULL: none of ours */
/* Changes whenever a pattern, a check's version or a custom recogniser does: what
 * was found under another one is looked at again.  RECOGNISERS_VERSION is raised by
 * hand with every change of a validator. */
#define RECOGNISERS_VERSION 1
uint64_t recognisers_fingerprint(const struct custom_recogniser *custom, size_t count);

/* ---- one item -------------------------------------------------------------------- */

struct sample {
	char text[SAMPLE_TEXT_MAX];	/* masked: "4***********1111" */
	char where[SAMPLE_WHERE_MAX];	/* place, as the extractor named it; may be "" */
	uint64_t offset;	/* of the value, in bytes of the text it was found in as
				 * stored (before decoding to UTF-8 where that is known) */
};

struct finding {
	char id[FINDING_ID_MAX];
	uint64_t count;		/* validated occurrences */
	uint8_t confidence;	/* percent: the highest of them */
	enum sensitivity sensitivity;
	/* Distinct places in order, "; " between, "..." where they are too many. */
	char where[FINDING_WHERE_MAX];
	unsigned sample_count;
	struct sample samples[SAMPLES_MAX];	/* the first ones */
};

/* In a stretch: no value spans either, no check sees beyond its cell, and a word in
 * another row is no context. */
#define DETECT_CELL_END '\x1f'
#define DETECT_ROW_END '\x1e'

/* Does a label ("db_password", "AccountKey") say that what stands below it is a secret? */
bool detect_names_secret(const char *label);

/* What who answers keeps of the question before: questions come nearly in order.  All
 * zeros where there was none in this stretch. */
struct passage_cursor {
	uint64_t offset, value;
};

/* Where a stretch of text stands; each may be NULL, all borrow arg. */
struct passage {
	/* What stands over the cell at this offset of the stretch (column, key,
	 * element), or NULL; valid until the next call. */
	const char *(*label)(void *arg, uint64_t offset, struct passage_cursor *cursor);
	/* Writes the place for the evidence ("employees.id_card", "line 12"). */
	void (*place)(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX]);
	/* The offset as it is told in a sample; NULL: the offset in the stretch. */
	uint64_t (*told)(void *arg, uint64_t offset);
	/* Some label does by detect_names_secret(): cells below such are looked at whole. */
	bool names_secrets;
	/* label may be asked by several threads at once, each with its own cursor, and all of
	 * them about what lies up to DETECT_SHARED before the piece that is being fed.  It
	 * may be taken back between two calls of detector_feed(). */
	bool is_shared;
	void *arg;
};

int detector_new(const struct recognisers *r, struct detector **out, struct err *e);
void detector_free(struct detector *d);		/* NULL is allowed */
void detector_reset(struct detector *d);	/* before the next item */
/* From here on a stretch that may be shared is searched on so many threads, the
 * caller's among them; 1: the memory for more is given back.  What is found does not
 * depend on it, and where memory is short there are fewer.  Not within a stretch. */
void detector_use_threads(struct detector *d, unsigned threads);

/*
 * A stretch of text (a file, a member, a batch of cells) is fed in pieces of any
 * size that need not end at a character.  `passage` is borrowed until
 * detector_end() and is asked only about offsets in the piece that is being fed and
 * in the 64 KiB before it (DETECT_SHARED where it says so).  Bytes that are no UTF-8
 * part words.
 */
#define DETECT_SHARED (1u << 20)
void detector_begin(struct detector *d, const struct passage *passage);
int detector_feed(struct detector *d, const void *utf8, size_t size, struct err *e);
int detector_end(struct detector *d, struct err *e);

/* In table order; borrowed until the next detector call. */
const struct finding *detector_findings(const struct detector *d, size_t *count);

#endif

/*
 * What the files of the detector share: the compiled set, the window, the claims.
 */
#ifndef POLICY_DETECT_DETECT_INSIDE_H
#define POLICY_DETECT_DETECT_INSIDE_H

#include <hs/hs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/detect.h"
#include "policy/detect/detect_pictures.h"
#include "policy/detect/detect_near.h"
#include "policy/detect/detect_words.h"

/* ---- the compiled set (detect_set.c) ------------------------------------------------ */

/* The longest match; a longer one is no match. */
#define SPAN_MAX 2048

struct pattern {
	uint16_t owner;		/* recogniser */
	uint16_t longest;	/* bytes; SPAN_MAX where there is no limit */
	/* Where not all its matches are of one length: the same expression, made to
	 * tell where a match begins.  That costs too much to run over everything. */
	hs_database_t *starts;
};

struct recognisers {
	const struct recogniser **rows;
	size_t count;
	struct recogniser *custom;	/* owned, with all that they point at */
	size_t custom_count;
	struct detect_pictures *pictures;
	struct detect_words *words;
	hs_database_t *database;	/* every expression; NULL: none */
	struct pattern *patterns;
	size_t pattern_count;
};

/* ---- rows out of a policy (detect_custom.c) ------------------------------------------- */

int detect_custom_row(const struct custom_recogniser *custom, struct recogniser *row,
		      struct err *e);
void detect_custom_clear(struct recogniser *row);

/* ---- the window ------------------------------------------------------------------------ */

#define WINDOW (64u << 10)	/* what is held of a text */
#define BEFORE 256u		/* what a check sees before a match, */
#define AFTER 4096u		/* and behind it */
#define LOOK_AHEAD (AFTER + 2 * DETECT_PICTURES_REACH)
/* Claims that are not settled yet, and what a search needs of the text before. */
#define LOOK_BACK (8u << 10)
#define STEP (WINDOW - LOOK_AHEAD - LOOK_BACK)	/* from one window to the next */
/* The character that fills a window may go beyond it; so may what is left of a cut
 * one.  Nothing is decided by it: a search sees LOOK_AHEAD, never the end. */
#define SLACK 16

struct claim {			/* somebody's value */
	uint32_t start, end;	/* in the window */
	uint16_t owner;
	uint8_t confidence;
	uint8_t distance;	/* DETECT_FAR: no context */
};

struct open_region {		/* of a pattern without starts: ends that lie close */
	uint32_t first, last;	/* ends; 0, 0: none */
};

struct label_answer {		/* does the label of this hash name a secret? */
	uint64_t hash;
	bool is_secret;
};
#define DETECT_ANSWERS 64

struct clear_stretch {		/* of the window: nothing in it parts cells */
	size_t from, to;	/* 0, 0: not known */
	bool begins, ends;	/* because a cell does, there */
};

struct text_span {		/* in the window */
	size_t start, end;
};

/* A piece of the stretch that is searched as one. */
struct window {
	const char *text;
	size_t used;
	size_t low;		/* what ends (expressions) or begins (pictures) before was found */
	size_t high;		/* ... and where its search ends */
	uint64_t base;		/* text[0] in the stretch */

	/* What came of it; owned. */
	struct claim *claims;
	size_t claim_count, claim_room;
};

/*
 * One search of one window: a function of the window and the labels over it, whatever
 * was searched before.  It belongs to one thread.
 */
struct search {
	const struct recognisers *set;
	hs_scratch_t *scratch, *starts_scratch, *words_scratch;

	/* Of the window. */
	const struct passage *passage;
	struct window *window;
	const char *text;
	size_t used, low, high;
	uint64_t base;
	bool has_cells;

	/* What was learnt of it. */
	struct clear_stretch clear;
	struct text_span span;	/* the candidate below is of it; 0, 0: of none */
	bool is_span_whole;	/* it spans no cells */
	bool is_bare, is_clear;	/* digits alone; and beside them stands nothing of theirs */
	struct candidate candidate;
	struct open_region *regions;	/* by pattern */
	struct detect_around around;
	struct text_span near_span;	/* near is around it */
	struct detect_near near;
	size_t label_at;	/* the label below is of this place; SIZE_MAX: of none */
	const char *label;
	struct passage_cursor cursor;
	struct label_answer answers[DETECT_ANSWERS];
	bool no_memory;
};

struct detector {
	const struct recognisers *set;
	struct search **searches;	/* one a thread; the first always */
	unsigned thread_count;
	const struct passage *passage;	/* NULL outside of begin and end */
	char *text;		/* windows of room, and what searches read behind them */
	struct window *windows;
	size_t window_room;
	size_t used;
	size_t dirty;		/* bytes of text that were ever used since the last wipe */
	size_t low;		/* of the next search */
	uint64_t base;		/* text[0] in the stretch */
	unsigned char cut[4];	/* of a character that is not whole yet */
	size_t cut_size;
	bool has_cells;

	struct claim *claims;	/* not settled yet */
	size_t claim_count, claim_room;
	char *taken;		/* by byte of a window, while claims are settled */

	struct finding *findings;	/* by recogniser */
	struct finding *told;	/* those that are not empty, for detector_findings() */
};

/* detect_search.c */
int search_new(const struct recognisers *set, struct search **out, struct err *e);
void search_free(struct search *s);	/* NULL is allowed */
/* Another stretch: what was remembered of labels is void. */
void search_reset(struct search *s);
/* From low to high: its claims. */
int search_run(struct search *s, const struct passage *passage, bool has_cells,
	       struct window *w, struct err *e);

/* detect_consider.c: from what looks like a value to a claim. */
void detect_consider(struct search *s, unsigned owner, size_t start, size_t end);
/* A whole cell, of any size. */
void detect_consider_cell(struct search *s, unsigned owner, size_t start, size_t end);

/* detect_cells.c: cells that begin from low to high, where labels name secrets. */
void detect_cells(struct search *s);

/* detect_settle.c: takes the claims of a window, and settles all that nothing found later
 * can overlap: those that end before `settled`. */
int detect_settle(struct detector *d, const struct window *w, size_t settled, struct err *e);

/* detect_findings.c */
void detect_record(struct detector *d, const struct window *w, const struct claim *c);

/* detect_share.c: room for so many windows, and a search for each thread. */
int detect_make_room(struct detector *d, size_t windows, unsigned threads, struct err *e);
/* Searches the first `count` windows, on all threads where labels allow it. */
int detect_search_windows(struct detector *d, size_t count, struct err *e);

#endif

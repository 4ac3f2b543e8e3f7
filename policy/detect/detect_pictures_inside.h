/*
 * What the making and the walking of the pictures' automaton share.
 */
#ifndef POLICY_DETECT_DETECT_PICTURES_INSIDE_H
#define POLICY_DETECT_DETECT_PICTURES_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/detect/detect_pictures.h"

#define PICTURE_KINDS 16	/* of bytes */
#define PICTURE_STATES_MAX 32768u
#define PICTURE_ACCEPTS 0x8000u	/* in a step: a picture may end there */
#define PICTURE_LEAD_MAX 5	/* letters before the first digit of a word */
#define PICTURE_RUN_MAX 32	/* digits that are taken in one step */

enum { KIND_OTHER, KIND_DIGIT, KIND_UPPER, KIND_LOWER, KIND_PUNCTUATION };

struct picture_sign {		/* a place in a picture */
	uint16_t kinds;		/* bits; 0: the end, owned by .owner */
	bool optional;
	unsigned owner;
};

struct picture_state {
	uint32_t first, count;	/* places, in `places` */
	uint32_t owners, owner_count;	/* in `owners` */
};

struct detect_pictures {
	uint8_t kind[256];
	bool joins[256];	/* before digits: a picture may have begun there */
	/* By state and kind: a state, perhaps with PICTURE_ACCEPTS; 0: nowhere. */
	uint16_t (*next)[PICTURE_KINDS];
	uint16_t run[PICTURE_RUN_MAX];	/* the same after so many digits from the start */
	unsigned lead;		/* letters that a picture has before its first separator */
	struct picture_state *states;
	size_t state_count, state_room;
	uint16_t *owners;
	size_t owner_count, owner_room;
	/* While it is made: */
	struct picture_sign *signs;
	size_t sign_count, sign_room;
	uint32_t *places;
	size_t place_count, place_room;
	uint32_t *table;	/* states by their places; 0: free */
};

#endif

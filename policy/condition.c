#include "policy/condition.h"

#include <string.h>

#include "policy/glob.h"
#include "policy/regex.h"

void evaluation_begin(struct evaluation *v, const struct facts *f, const struct zone *z,
		      int64_t now)
{
	const char *slash = strrchr(f->path, '/');

	memset(v, 0, sizeof *v);
	v->facts = f;
	v->zone = z;
	v->today = zone_date(z, now);
	v->path_size = strlen(f->path);
	v->name = slash == NULL ? f->path : slash + 1;
	v->name_size = v->path_size - (size_t)(v->name - f->path);
}

void evaluation_end(struct evaluation *v)
{
	regex_scratch_free(v->scratch);
	v->scratch = NULL;
}

bool evaluation_date(struct evaluation *v, enum stamp_kind stamp, struct civil *out)
{
	const struct facts *f = v->facts;
	const int64_t seconds[] = {
		[STAMP_MODIFIED] = f->modified, [STAMP_CREATED] = f->created,
		[STAMP_CHANGED] = f->changed, [STAMP_ACCESSED] = f->accessed,
	};

	if (stamp == STAMP_CREATED && !f->has_created)
		return false;
	if (!v->has_date[stamp]) {
		v->dates[stamp] = zone_date(v->zone, seconds[stamp]);
		v->has_date[stamp] = true;
	}
	*out = v->dates[stamp];
	return true;
}

enum sensitivity facts_sensitivity(const struct facts *f)
{
	enum sensitivity greatest = SENSITIVITY_PUBLIC;

	for (size_t i = 0; i < f->finding_count; i++)
		if (f->findings[i].sensitivity > greatest)
			greatest = f->findings[i].sensitivity;
	return greatest;
}

/* ---- single tests ------------------------------------------------------------------------ */

static bool is_any_glob(const struct condition *c, const char *text, size_t size)
{
	for (size_t i = 0; i < c->count; i++)
		if (glob_match(c->globs[i], text, size))
			return true;
	return false;
}

static char lowered(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* "tar.gz" of "a.tar.gz"; what begins with the point has no extension by it. */
static bool has_extension(const struct evaluation *v, const char *extension)
{
	size_t size = strlen(extension);
	const char *tail;

	if (v->name_size < size + 2)
		return false;
	tail = v->name + v->name_size - size;
	if (tail[-1] != '.')
		return false;
	for (size_t i = 0; i < size; i++)
		if (lowered(tail[i]) != extension[i])
			return false;
	return true;
}

static bool is_any_extension(const struct condition *c, const struct evaluation *v)
{
	for (size_t i = 0; i < c->count; i++)
		if (has_extension(v, c->texts[i]))
			return true;
	return false;
}

static bool is_any_account(const struct condition *c, const char *name, uint32_t number)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct account *a = &c->accounts[i];

		if (a->name == NULL ? a->number == number
				    : name != NULL && glob_match(a->name, name, strlen(name)))
			return true;
	}
	return false;
}

static uint64_t depth(const char *path)
{
	uint64_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

/* An age of exactly the period is "older": older-than and newer-than leave no gap. */
static bool is_age(const struct condition *c, struct evaluation *v)
{
	struct civil date;

	if (!evaluation_date(v, c->stamp, &date))
		return false;
	if (c->period.is_forever)
		return !c->is_older;
	return (civil_compare(civil_add(date, &c->period), v->today) <= 0) == c->is_older;
}

static bool is_wanted_finding(const struct condition *c, const struct facts_finding *f)
{
	if (c->count == 0)
		return true;
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->texts[i], f->id) == 0)
			return true;
	return false;
}

/* How many values of the kinds wanted are at least that sure. */
static uint64_t values(const struct condition *c, const struct facts *f, uint8_t confidence)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->finding_count; i++) {
		const struct facts_finding *g = &f->findings[i];

		if (g->confidence < confidence || !is_wanted_finding(c, g))
			continue;
		sum = g->count > UINT64_MAX - sum ? UINT64_MAX : sum + g->count;
	}
	return sum;
}

/* The confidence is the highest at which there are still enough values. */
static struct truth detect(const struct condition *c, const struct facts *f)
{
	struct truth t = { false, f->opaque == NULL, 100 };
	uint8_t best = 0;

	for (size_t i = 0; i < f->finding_count; i++) {
		const struct facts_finding *g = &f->findings[i];

		if (g->confidence < c->confidence || (t.holds && g->confidence <= best) ||
		    !is_wanted_finding(c, g) || values(c, f, g->confidence) < c->min)
			continue;
		t.holds = true;
		best = g->confidence;
	}
	if (t.holds)
		t = (struct truth){ true, true, best };
	return t;
}

/* A word that is only known of what could be looked into. */
static struct truth known_word(const struct condition *c, const struct facts *f,
			       const char *word)
{
	bool holds = word != NULL && is_any_glob(c, word, strlen(word));

	return (struct truth){ holds, word != NULL || f->opaque == NULL, 100 };
}

static struct truth sensitivity(const struct condition *c, const struct facts *f)
{
	bool holds = facts_sensitivity(f) >= c->sensitivity;
	struct truth t = { holds, holds || f->opaque == NULL, 100 };
	uint8_t best = 0;

	if (!holds || c->sensitivity == SENSITIVITY_PUBLIC)
		return t;
	for (size_t i = 0; i < f->finding_count; i++)
		if (f->findings[i].sensitivity >= c->sensitivity &&
		    f->findings[i].confidence > best)
			best = f->findings[i].confidence;
	t.confidence = best;
	return t;
}

static struct truth name_regex(const struct condition *c, struct evaluation *v)
{
	int found = regex_find(c->regex, v->name, v->name_size, &v->scratch);

	return (struct truth){ found > 0, found >= 0, 100 };
}

static bool is_empty(const struct facts *f)
{
	return f->kind == FACTS_DIRECTORY || (f->kind == FACTS_FILE && f->size == 0);
}

bool condition_is_tree(const struct condition *c)
{
	return c->kind == CONDITION_ALL || c->kind == CONDITION_ANY || c->kind == CONDITION_NOT;
}

/* ---- trees -------------------------------------------------------------------------------- */

static struct truth all(const struct condition *c, struct evaluation *v)
{
	struct truth t = { true, true, 100 };

	for (size_t i = 0; i < c->count; i++) {
		struct truth child = condition_evaluate(&c->children[i], v);

		if (!child.holds && child.is_sure)
			return (struct truth){ false, true, 100 };
		t.holds = t.holds && child.holds;
		t.is_sure = t.is_sure && child.is_sure;
		if (child.confidence < t.confidence)
			t.confidence = child.confidence;
	}
	return t;
}

/* Every child is asked even when one holds: another may hold more surely. */
static struct truth any(const struct condition *c, struct evaluation *v)
{
	struct truth t = { false, true, 0 };
	bool is_sure_one = false;

	for (size_t i = 0; i < c->count; i++) {
		struct truth child = condition_evaluate(&c->children[i], v);

		t.is_sure = t.is_sure && child.is_sure;
		if (!child.holds)
			continue;
		t.holds = true;
		is_sure_one = is_sure_one || child.is_sure;
		if (child.confidence > t.confidence)
			t.confidence = child.confidence;
		if (is_sure_one && t.confidence == 100)
			break;
	}
	t.is_sure = t.is_sure || is_sure_one;
	return t;
}

/* What is known of every item, looked into or not. */
static bool holds(const struct condition *c, struct evaluation *v)
{
	const struct facts *f = v->facts;
	uint64_t n;

	switch (c->kind) {
	case CONDITION_PATH:
		return is_any_glob(c, f->path, v->path_size);
	case CONDITION_NAME:
		return is_any_glob(c, v->name, v->name_size);
	case CONDITION_EXTENSION:
		return is_any_extension(c, v);
	case CONDITION_SIZE:
		return f->kind == FACTS_FILE && f->size >= c->min && f->size <= c->max;
	case CONDITION_EMPTY:
		return is_empty(f) == c->is_wanted;
	case CONDITION_DEPTH:
		n = depth(f->path);
		return n >= c->min && n <= c->max;
	case CONDITION_AGE:
		return is_age(c, v);
	case CONDITION_OWNER:
		return is_any_account(c, f->owner, f->uid);
	case CONDITION_GROUP:
		return is_any_account(c, f->group, f->gid);
	case CONDITION_MODE:
		/* The bits of a symbolic link say nothing. */
		return f->kind != FACTS_SYMLINK && (f->mode & c->bits) != 0;
	case CONDITION_DUPLICATE:
		return (f->duplicate_of != NULL) == c->is_wanted;
	case CONDITION_DUPLICATE_OF:
		return f->duplicate_of != NULL &&
		       is_any_glob(c, f->duplicate_of, strlen(f->duplicate_of));
	case CONDITION_OPAQUE:
		return (f->opaque != NULL) == c->is_wanted;
	case CONDITION_KIND:
		return (c->bits >> f->kind & 1) != 0;
	default:
		return false;
	}
}

struct truth condition_evaluate(const struct condition *c, struct evaluation *v)
{
	const struct facts *f = v->facts;
	struct truth t;

	switch (c->kind) {
	case CONDITION_ALL:
		return all(c, v);
	case CONDITION_ANY:
		return any(c, v);
	case CONDITION_NOT:
		t = condition_evaluate(&c->children[0], v);
		return (struct truth){ !t.holds, t.is_sure, 100 };
	case CONDITION_NAME_REGEX:
		return name_regex(c, v);
	case CONDITION_FORMAT:
		return known_word(c, f, f->format);
	case CONDITION_CLAIMED:
		t = known_word(c, f, f->claimed);
		t.is_sure = t.is_sure || f->format != NULL;
		return t;
	case CONDITION_EXTENSION_LIES:
		return (struct truth){ (f->claimed != NULL) == c->is_wanted,
				       f->format != NULL || f->opaque == NULL, 100 };
	case CONDITION_DETECT:
		return detect(c, f);
	case CONDITION_SENSITIVITY:
		return sensitivity(c, f);
	case CONDITION_ENCODING:
		return known_word(c, f, f->encoding);
	case CONDITION_SCRIPT:
		return known_word(c, f, f->script);
	default:
		return (struct truth){ holds(c, v), true, 100 };
	}
}

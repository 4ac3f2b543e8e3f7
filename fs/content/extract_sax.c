#include "fs/content/extract_sax.h"

#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/encoding.h"
#include "fs/content/look.h"

#define CHUNK_SIZE (32u << 10)
#define PLAIN_SIZE (3 * CHUNK_SIZE)	/* no encoding gives more of UTF-8 */
#define ATTRIBUTES_MAX 4096		/* of one tag */
/* What entities may add: as much again, and this for the small ones. */
#define GROWTH_FREE (16ull << 20)
#define GROWTH_TIMES 4

struct sax {
	struct look *look;
	const struct sax_handler *handler;
	void *arg;
	struct decoder *decoder;
	xmlParserCtxtPtr parser;	/* the document's; an entity's has another one */
	struct err failure;		/* a handler's */
	bool is_stopped;
	bool has_grown;			/* A2 */
	bool is_in_rest;		/* A3 */
	uint64_t pushed, given;
	/* A3: what was pushed and has led to no event yet; its first byte stands at
	 * `pending_start`, the last event ended at `event_end`. */
	struct buffer pending;
	uint64_t pending_start, event_end;
	struct sax_attribute *attributes;	/* ATTRIBUTES_MAX */
	xmlEntity named;		/* one that HTML knows, or nobody */
	char named_text[80];
	uint8_t stored[CHUNK_SIZE];
	char plain[PLAIN_SIZE];
};

/* ---- events ------------------------------------------------------------------------------ */

static struct sax *sax_of(void *context)
{
	return ((xmlParserCtxtPtr)context)->_private;
}

static void stop(struct sax *s, void *context)
{
	s->is_stopped = true;
	xmlStopParser(context);
	if (context != s->parser)
		xmlStopParser(s->parser);
}

static void note_event(struct sax *s, void *context)
{
	xmlParserInputPtr at = s->parser->input;

	if (context == s->parser && s->parser->inputNr == 1 && at)
		s->event_end = at->consumed + (uint64_t)(at->cur - at->base);
}

/* True where the handler wants no more, or A2 was broken. */
static void settle(struct sax *s, void *context, int rc, size_t given)
{
	note_event(s, context);
	s->given += given;
	if (s->given > GROWTH_FREE && s->given / GROWTH_TIMES > s->pushed) {
		s->has_grown = true;
		stop(s, context);
	}
	if (rc < 0)
		stop(s, context);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int space_count, const xmlChar **spaces,
		     int count, int defaulted, const xmlChar **attributes)
{
	struct sax *s = sax_of(context);
	struct sax_tag tag = { .name = (const char *)name,
			       .prefix = prefix ? (const char *)prefix : "",
			       .attributes = s->attributes };
	size_t given = 0;
	int rc = 0;

	(void)uri;
	(void)space_count;
	(void)spaces;
	(void)defaulted;
	if (s->is_stopped)
		return;
	if (count > ATTRIBUTES_MAX) {
		look_opaque(s->look, "one of its tags has more than %u attributes", ATTRIBUTES_MAX);
		count = ATTRIBUTES_MAX;
	}
	for (int i = 0; i < count; i++, attributes += 5) {
		struct sax_attribute *a = &s->attributes[tag.attribute_count++];

		*a = (struct sax_attribute){ .name = (const char *)attributes[0],
					     .value = (const char *)attributes[3],
					     .size = (size_t)(attributes[4] - attributes[3]) };
		given += a->size;
	}
	if (s->handler->start)
		rc = s->handler->start(s->arg, &tag, &s->failure);
	settle(s, context, rc, given);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct sax *s = sax_of(context);
	int rc = 0;

	(void)prefix;
	(void)uri;
	if (s->is_stopped)
		return;
	if (s->handler->end)
		rc = s->handler->end(s->arg, (const char *)name, &s->failure);
	settle(s, context, rc, 0);
}

static void on_text(void *context, const xmlChar *text, int size)
{
	struct sax *s = sax_of(context);
	int rc = 0;

	if (s->is_stopped || size <= 0)
		return;
	if (s->handler->text)
		rc = s->handler->text(s->arg, (const char *)text, (size_t)size, &s->failure);
	settle(s, context, rc, (size_t)size);
	/* Short texts are told before the parser counts them as read. */
	if (context == s->parser && s->parser->inputNr == 1 && text == s->parser->input->cur)
		s->event_end += (uint64_t)size;
}

static void give_aside(struct sax *s, void *context, const xmlChar *text)
{
	size_t size = text ? strlen((const char *)text) : 0;
	int rc = 0;

	if (s->is_stopped)
		return;
	if (s->handler->aside && size > 0)
		rc = s->handler->aside(s->arg, (const char *)text, size, &s->failure);
	settle(s, context, rc, size);
}

static void on_comment(void *context, const xmlChar *text)
{
	give_aside(sax_of(context), context, text);
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *text)
{
	(void)target;
	give_aside(sax_of(context), context, text);
}

/* Entities that nobody declared are no reason to stop: HTML's stand for their
 * character, others for their own name. */
static xmlEntityPtr on_entity(void *context, const xmlChar *name)
{
	struct sax *s = sax_of(context);
	xmlEntityPtr found = xmlSAX2GetEntity(context, name);
	const htmlEntityDesc *known;

	if (found || s->is_stopped)
		return found;
	known = htmlEntityLookup(name);
	if (known) {
		int n = xmlCopyCharMultiByte((xmlChar *)s->named_text, (int)known->value);

		s->named_text[n > 0 ? n : 0] = '\0';
	} else {
		snprintf(s->named_text, sizeof s->named_text, "&%.70s;", (const char *)name);
		if (!text_is_utf8(s->named_text, strlen(s->named_text)))
			snprintf(s->named_text, sizeof s->named_text, "&;");
	}
	s->named = (xmlEntity){ .type = XML_ENTITY_DECL, .name = name,
				.etype = XML_INTERNAL_PREDEFINED_ENTITY,
				.content = (xmlChar *)s->named_text,
				.orig = (xmlChar *)s->named_text,
				.length = (int)strlen(s->named_text) };
	return &s->named;
}

static xmlParserInputPtr on_outside(void *context, const xmlChar *public_id,
				    const xmlChar *system_id)
{
	(void)context;
	(void)public_id;
	(void)system_id;
	return NULL;	/* A1 */
}

static void on_complaint(void *context, xmlErrorPtr error)
{
	(void)context;	/* whether it is whole is asked at the end */
	(void)error;
}

static int make_parser(struct sax *s, struct err *e)
{
	xmlSAXHandler sax = { .initialized = 0 };

	if (xmlSAXVersion(&sax, 2) < 0)
		goto none;
	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.comment = on_comment;
	sax.processingInstruction = on_instruction;
	sax.reference = NULL;
	sax.getEntity = on_entity;
	sax.resolveEntity = on_outside;
	sax.externalSubset = NULL;
	sax.warning = NULL;
	sax.error = NULL;
	sax.fatalError = NULL;
	sax.serror = on_complaint;
	s->parser = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);
	if (!s->parser)
		goto none;
	s->parser->_private = s;
	/* What we push is UTF-8, whatever the declaration says. */
	if (xmlCtxtUseOptions(s->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
			      XML_PARSE_NOCDATA) != 0)
		goto none;
	return 0;
none:
	return err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
}

/* ---- reading ----------------------------------------------------------------------------- */

static int make_decoder(struct sax *s, struct input *in, struct err *e)
{
	char encoding[SAX_ENCODING_MAX];
	const void *head;
	size_t size;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	sax_encoding(head, size, look_encoding(s->look), encoding);
	if (decoder_new(encoding, &s->decoder, e) == 0)
		return 0;
	if (e->code == MUNI_NO_MEMORY)
		return -1;
	look_opaque(s->look, "its encoding \"%s\" is not known", text_printable(encoding));
	return decoder_new("iso-8859-1", &s->decoder, e);
}

static void forget_what_led_to_events(struct sax *s)
{
	size_t done;

	if (s->event_end <= s->pending_start)
		return;
	done = s->event_end - s->pending_start < s->pending.size
		? (size_t)(s->event_end - s->pending_start) : s->pending.size;
	memmove(s->pending.data, s->pending.data + done, s->pending.size - done);
	s->pending.size -= done;
	s->pending_start += done;
}

static bool is_broken(const struct sax *s)
{
	return s->is_stopped || s->has_grown || !s->parser->wellFormed ||
	       s->parser->disableSAX;
}

static int push(struct sax *s, const char *plain, size_t size, bool is_end, struct err *e)
{
	buffer_append(&s->pending, plain, size);
	if (s->pending.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
	s->pushed += size;
	(void)xmlParseChunk(s->parser, plain, (int)size, is_end);
	if (s->failure.code != MUNI_OK) {
		*e = s->failure;
		return -1;
	}
	if (s->parser->errNo == XML_ERR_NO_MEMORY)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
	forget_what_led_to_events(s);
	return 0;
}

static int give_rest(struct sax *s, const char *text, size_t size, struct err *e)
{
	return size > 0 && s->handler->rest ? s->handler->rest(s->arg, text, size, e) : 0;
}

/* Each piece of decoded text goes to the parser while it can be parsed, then to
 * `rest`. */
static int take(struct sax *s, const char *plain, size_t size, struct err *e)
{
	if (s->is_in_rest)
		return give_rest(s, plain, size, e);
	if (push(s, plain, size, size == 0, e) < 0)
		return -1;
	if (!is_broken(s))
		return 0;
	s->is_in_rest = true;
	return give_rest(s, (const char *)s->pending.data, s->pending.size, e);
}

static int decode(struct sax *s, const uint8_t *stored, size_t size, bool is_end, struct err *e)
{
	for (;;) {
		size_t used = 0, made = 0;

		decoder_run(s->decoder, stored, size, is_end, s->plain, sizeof s->plain, &used,
			    &made);
		stored += used;
		size -= used;
		if (made > 0 && take(s, s->plain, made, e) < 0)
			return -1;
		if (size == 0 || (used == 0 && made == 0))
			return 0;
	}
}

static int read_all(struct sax *s, struct input *in, struct err *e)
{
	ssize_t n;

	while ((n = input_read(in, s->stored, sizeof s->stored, e)) > 0)
		if (decode(s, s->stored, (size_t)n, false, e) < 0)
			return -1;
	if (n < 0 || decode(s, s->stored, 0, true, e) < 0)
		return -1;
	return take(s, "", 0, e);	/* only now it may show that its end is missing */
}

int sax_parse(struct look *l, struct input *in, const struct sax_handler *h, void *arg,
	      bool *is_whole, struct err *e)
{
	struct sax *s = calloc(1, sizeof *s);
	int rc = -1;

	*is_whole = false;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
	s->look = l;
	s->handler = h;
	s->arg = arg;
	s->attributes = calloc(ATTRIBUTES_MAX, sizeof *s->attributes);
	if (!s->attributes) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
		goto out;
	}
	if (make_decoder(s, in, e) < 0 || make_parser(s, e) < 0 || read_all(s, in, e) < 0)
		goto out;
	*is_whole = !is_broken(s);
	if (s->has_grown || s->parser->errNo == XML_ERR_ENTITY_LOOP)
		look_opaque(l, "its entities expand without end");
	rc = 0;
out:
	if (s->parser) {
		xmlFreeDoc(s->parser->myDoc);
		xmlFreeParserCtxt(s->parser);
	}
	decoder_free(s->decoder);
	buffer_free(&s->pending);
	free(s->attributes);
	free(s);
	return rc;
}

/* ---- attributes ------------------------------------------------------------------------------ */

const struct sax_attribute *sax_attribute(const struct sax_tag *tag, const char *name)
{
	for (size_t i = 0; i < tag->attribute_count; i++)
		if (!strcmp(tag->attributes[i].name, name))
			return &tag->attributes[i];
	return NULL;
}

const char *sax_value(const struct sax_tag *tag, const char *name, char *out, size_t room)
{
	const struct sax_attribute *a = sax_attribute(tag, name);
	size_t size;

	if (!a)
		return NULL;
	size = a->size < room - 1 ? a->size : room - 1;
	memcpy(out, a->value, size);
	out[size] = '\0';
	return out;
}

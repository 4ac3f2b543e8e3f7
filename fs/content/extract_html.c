/*
 * HTML over libxml2's forgiving push parser, as it flows: blocks are paragraphs,
 * tables have headings, scripts and comments are text too.
 *
 * The parser is given UTF-8, whatever the page says: it could not load what it
 * wants for other encodings.
 */
#include "fs/content/extract_html.h"

#include <libxml/HTMLparser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/extract_flow.h"
#include "fs/content/extract_sax.h"
#include "fs/content/look.h"

#define CHUNK_SIZE (16u << 10)
#define PLAIN_SIZE (3 * CHUNK_SIZE)
#define SPAN_MAX 1000
#define PENDING_MAX (4u << 20)

struct page {
	struct flow *flow;
	htmlParserCtxtPtr parser;
	struct decoder *decoder;
	struct err failure;
	bool is_stopped, is_in_rest;
	unsigned span;			/* of the present cell */
	/* What was pushed and has led to no event yet, as in extract_sax.c. */
	struct buffer pending;
	uint64_t pending_start, event_end;
	uint8_t stored[CHUNK_SIZE];
	char plain[PLAIN_SIZE];
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcasecmp(name, *names))
			return true;
	return false;
}

/* Text on their two sides is not one word. */
static bool is_block(const char *name)
{
	static const char *const blocks[] = {
		"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5",
		"h6", "hr", "pre", "blockquote", "title", "option", "select", "form", "fieldset",
		"legend", "textarea", "button", "body", "html", "head", "section", "article",
		"header", "footer", "nav", "aside", "main", "address", "figure", "figcaption",
		"caption", "details", "summary", "center", "iframe", "noscript", "script", "style",
		"tbody", "thead", "tfoot", NULL,
	};

	return is_one_of(name, blocks);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static const char *value_of(const xmlChar **attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (!strcasecmp((const char *)attributes[0], name) && attributes[1])
			return (const char *)attributes[1];
	return NULL;
}

/* Those that hold words or addresses, and no numbers of how things are drawn. */
static bool is_telling(const char *name)
{
	static const char *const telling[] = {
		"href", "src", "value", "content", "title", "alt", "placeholder", "action",
		"label", "summary", "cite", "aria-label", "srcdoc", "code", "codebase", NULL,
	};

	return is_one_of(name, telling) || !strncasecmp(name, "data-", 5) ||
	       !strncasecmp(name, "on", 2);
}

/* Pictures that are written out in an address. */
static bool is_picture(const char *value)
{
	return !strncasecmp(value, "data:image/", 11) || !strncasecmp(value, "data:font/", 10) ||
	       !strncasecmp(value, "data:audio/", 11) || !strncasecmp(value, "data:video/", 11);
}

static int give_attributes(struct page *p, const char *element, const xmlChar **attributes)
{
	const char *own = value_of(attributes, "name");
	char label[160];

	if (!own)
		own = value_of(attributes, "property");
	if (!own)
		own = value_of(attributes, "id");
	for (; attributes && attributes[0]; attributes += 2) {
		const char *name = (const char *)attributes[0];
		const char *value = (const char *)attributes[1];

		if (!value || !*value || !is_telling(name) || is_picture(value) ||
		    (own && !strcasecmp(own, "generator")))
			continue;
		snprintf(label, sizeof label, "%.60s %.60s", own ? own : element, name);
		if (flow_aside(p->flow, label, value, strlen(value), &p->failure) < 0)
			return -1;
	}
	return 0;
}

/* ---- events --------------------------------------------------------------------------------- */

static void settle(struct page *p, int rc)
{
	xmlParserInputPtr at = p->parser->input;

	if (at)
		p->event_end = at->consumed + (uint64_t)(at->cur - at->base);
	if (rc < 0) {
		p->is_stopped = true;
		xmlStopParser(p->parser);
	}
}

static int begin_element(struct page *p, const char *name, const xmlChar **attributes)
{
	struct err *e = &p->failure;
	const char *span;

	if (give_attributes(p, name, attributes) < 0)
		return -1;
	if (!strcasecmp(name, "br"))
		return flow_text(p->flow, "\n", 1, e);
	if (!strcasecmp(name, "table"))
		return flow_end_paragraph(p->flow, e) < 0 ? -1 : flow_table(p->flow, "", false, e);
	if (!strcasecmp(name, "tr"))
		return flow_row(p->flow, e);
	if (!strcasecmp(name, "td") || !strcasecmp(name, "th")) {
		span = value_of(attributes, "colspan");
		p->span = span ? (unsigned)strtoul(span, NULL, 10) : 1;
		if (p->span < 1 || p->span > SPAN_MAX)
			p->span = 1;
		return flow_cell(p->flow, e);
	}
	return is_block(name) ? flow_end_paragraph(p->flow, e) : 0;
}

static int end_element(struct page *p, const char *name)
{
	struct err *e = &p->failure;

	if (!strcasecmp(name, "table"))
		return flow_end_table(p->flow, e);
	if (!strcasecmp(name, "tr"))
		return flow_end_row(p->flow, 1, e);
	if (!strcasecmp(name, "td") || !strcasecmp(name, "th"))
		return flow_end_cell(p->flow, true, p->span, 1, e);
	return is_block(name) ? flow_end_paragraph(p->flow, e) : 0;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar **attributes)
{
	struct page *p = arg;

	if (!p->is_stopped)
		settle(p, begin_element(p, (const char *)name, attributes));
}

static void on_end(void *arg, const xmlChar *name)
{
	struct page *p = arg;

	if (!p->is_stopped)
		settle(p, end_element(p, (const char *)name));
}

static void on_text(void *arg, const xmlChar *text, int size)
{
	struct page *p = arg;

	if (!p->is_stopped && size > 0)
		settle(p, flow_text(p->flow, (const char *)text, (size_t)size, &p->failure));
}

static void on_comment(void *arg, const xmlChar *text)
{
	struct page *p = arg;
	const char *words = (const char *)text;

	if (p->is_stopped || !words)
		return;
	if (flow_begin(p->flow, &p->failure) < 0 ||
	    flow_text(p->flow, words, strlen(words), &p->failure) < 0)
		settle(p, -1);
	else
		settle(p, flow_end_paragraph(p->flow, &p->failure));
}

static void on_instruction(void *arg, const xmlChar *target, const xmlChar *text)
{
	(void)target;
	on_comment(arg, text);
}

static void on_complaint(void *arg, xmlErrorPtr error)
{
	(void)arg;	/* pages are hardly ever right */
	(void)error;
}

static int make_parser(struct page *p, struct err *e)
{
	htmlSAXHandler sax = {
		.startElement = on_start,
		.endElement = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.comment = on_comment,
		.processingInstruction = on_instruction,
		.serror = on_complaint,
		.initialized = XML_SAX2_MAGIC,
	};

	p->parser = htmlCreatePushParserCtxt(&sax, p, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (!p->parser)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a page");
	(void)htmlCtxtUseOptions(p->parser, HTML_PARSE_RECOVER | HTML_PARSE_NONET |
				 HTML_PARSE_IGNORE_ENC);
	return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void forget_what_led_to_events(struct page *p)
{
	uint64_t done = p->event_end > p->pending_start ? p->event_end - p->pending_start : 0;

	if (done > p->pending.size)
		done = p->pending.size;
	memmove(p->pending.data, p->pending.data + done, p->pending.size - (size_t)done);
	p->pending.size -= (size_t)done;
	p->pending_start += done;
}

/* size 0: the end. */
static int take(struct page *p, const char *plain, size_t size, struct err *e)
{
	if (p->is_in_rest)
		return flow_text(p->flow, plain, size, e);
	buffer_append(&p->pending, plain, size);
	if (p->pending.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a page");
	(void)htmlParseChunk(p->parser, plain, (int)size, size == 0);
	if (p->failure.code != MUNI_OK) {
		*e = p->failure;
		return -1;
	}
	if (p->pending.size > 0)
		forget_what_led_to_events(p);
	/* It ends with </html>; what people put behind that is text all the same, and so
	 * is what has no tag in it for long: the parser would hold all of it. */
	if (p->parser->instate != XML_PARSER_EOF && p->pending.size < PENDING_MAX)
		return 0;
	p->is_in_rest = true;
	if (p->pending.size == 0)
		return 0;
	return flow_end_paragraph(p->flow, e) < 0 ? -1
		: flow_text(p->flow, (const char *)p->pending.data, p->pending.size, e);
}

static int decode(struct page *p, const uint8_t *stored, size_t size, bool is_end,
		  struct err *e)
{
	for (;;) {
		size_t used = 0, made = 0;

		decoder_run(p->decoder, stored, size, is_end, p->plain, sizeof p->plain, &used,
			    &made);
		stored += used;
		size -= used;
		/* The parser takes a NUL for the end. */
		for (size_t i = 0; i < made; i++)
			if (p->plain[i] == '\0')
				p->plain[i] = ' ';
		if (made > 0 && take(p, p->plain, made, e) < 0)
			return -1;
		if (size == 0 || (used == 0 && made == 0))
			return 0;
	}
}

static int read_all(struct page *p, struct input *in, struct err *e)
{
	ssize_t n;

	while ((n = input_read(in, p->stored, sizeof p->stored, e)) > 0)
		if (decode(p, p->stored, (size_t)n, false, e) < 0)
			return -1;
	if (n < 0 || decode(p, p->stored, 0, true, e) < 0)
		return -1;
	return p->is_in_rest ? 0 : take(p, "", 0, e);
}

/* ---- encoding ------------------------------------------------------------------------------- */

/* <meta charset="NAME">, also within http-equiv's content. */
static void declared_encoding(const char *head, size_t size, char out[ENCODING_NAME_MAX])
{
	const char *end = head + (size < 4096 ? size : 4096), *at = head;
	size_t n = 0;

	out[0] = '\0';
	while ((at = memmem(at, (size_t)(end - at), "harset", 6))) {
		at += 6;
		while (at < end && (*at == ' ' || *at == '=' || *at == '"' || *at == '\''))
			at++;
		if (at < end && *at > ' ' && *at != '>')
			break;
	}
	for (; at && at < end && *at > ' ' && !strchr("\"'>;/", *at) && n < ENCODING_NAME_MAX - 1;
	     at++)
		out[n++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
	out[n] = '\0';
}

static int make_decoder(struct page *p, struct look *l, struct input *in, const char *encoding,
			struct err *e)
{
	char declared[ENCODING_NAME_MAX], name[ENCODING_NAME_MAX];
	const char *known;
	const void *head;
	size_t size;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	snprintf(name, sizeof name, "%s", encoding);
	if (!*name) {
		declared_encoding(head, size, declared);
		known = encoding_by_label(declared);
		snprintf(declared, sizeof declared, "%s", known ? known : "");
		/* Bytes that are UTF-8 or UTF-16, or are not, say more than the page does;
		 * nobody declares UTF-16 in single bytes and means it. */
		sax_encoding(head, size, look_encoding(l), name);
		if (*declared && strncmp(declared, "utf-16", 6) != 0 &&
		    strncmp(name, "utf-16", 6) != 0 && strcmp(look_encoding(l), "utf-8") != 0 &&
		    !(encoding_is_utf8(declared) && !encoding_is_utf8(name)))
			snprintf(name, sizeof name, "%s", declared);
	}
	if (decoder_new(name, &p->decoder, e) == 0)
		return 0;
	return e->code == MUNI_NO_MEMORY ? -1 : decoder_new("windows-1252", &p->decoder, e);
}

int html_flow(struct look *l, struct input *in, const char *part, const char *encoding,
	      struct err *e)
{
	struct page *p = calloc(1, sizeof *p);
	int rc = -1;

	if (!p)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a page");
	p->span = 1;
	p->flow = flow_new(l);
	if (!p->flow) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a page");
		goto out;
	}
	flow_part(p->flow, part);
	if (make_decoder(p, l, in, encoding, e) == 0 && make_parser(p, e) == 0 &&
	    read_all(p, in, e) == 0)
		rc = flow_end(p->flow, e);
out:
	if (p->parser) {
		xmlFreeDoc(p->parser->myDoc);
		htmlFreeParserCtxt(p->parser);
	}
	decoder_free(p->decoder);
	buffer_free(&p->pending);
	flow_free(p->flow);
	free(p);
	return rc;
}

int extract_html(struct look *l, struct input *in, struct err *e)
{
	return html_flow(l, in, "", "", e);
}

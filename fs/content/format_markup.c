/*
 * XML by its root element and namespace, HTML by how it begins.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fs/content/format_inside.h"

#define PROBE_MAX (16u << 10)

/* root: without prefix; space: somewhere in the root's tag, NULL: any. */
static const struct {
	const char *root, *space, *format;
} kinds[] = {
	{ "svg", NULL, "image/svg+xml" },
	{ "html", "http://www.w3.org/1999/xhtml", "application/xhtml+xml" },
	{ "html", NULL, "text/html" },
	{ "rss", NULL, "application/rss+xml" },
	{ "RDF", "http://purl.org/rss/1.0/", "application/rss+xml" },
	{ "RDF", NULL, "application/rdf+xml" },
	{ "feed", "http://www.w3.org/2005/Atom", "application/atom+xml" },
	{ "gpx", NULL, "application/gpx+xml" },
	{ "kml", NULL, "application/vnd.google-earth.kml+xml" },
	{ "COLLADA", NULL, "model/vnd.collada+xml" },
	{ "stylesheet", "http://www.w3.org/1999/XSL/Transform", "application/xslt+xml" },
	{ "transform", "http://www.w3.org/1999/XSL/Transform", "application/xslt+xml" },
	{ "definitions", "http://schemas.xmlsoap.org/wsdl/", "application/wsdl+xml" },
	{ "score-partwise", NULL, "application/vnd.recordare.musicxml+xml" },
	{ "document", "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
	  "application/vnd.oasis.opendocument.text-flat-xml" },
};

static bool starts(const char *p, const char *end, const char *with)
{
	size_t size = strlen(with);

	return (size_t)(end - p) >= size && strncasecmp(p, with, size) == 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

static const char *find(const char *p, const char *end, const char *what)
{
	return memmem(p, (size_t)(end - p), what, strlen(what));
}

/* Past declarations, comments and the document type, which may itself hold a list
 * in brackets; is_html: the document type said so. */
static const char *to_root(const char *p, const char *end, bool *is_html)
{
	for (;;) {
		const char *next;

		p = skip_blanks(p, end);
		if (starts(p, end, "<!--")) {
			next = find(p + 4, end, "-->");
			next = next == NULL ? NULL : next + 3;
		} else if (starts(p, end, "<?")) {
			next = find(p, end, "?>");
			next = next == NULL ? NULL : next + 2;
		} else if (starts(p, end, "<!DOCTYPE")) {
			const char *name = skip_blanks(p + 9, end);
			bool is_inside = false;

			*is_html = starts(name, end, "html");
			for (next = p; next < end && (is_inside || *next != '>'); next++)
				is_inside = *next == '[' || (is_inside && *next != ']');
			next = next == end ? NULL : next + 1;
		} else {
			return p;
		}
		if (next == NULL)
			return end;
		p = next;
	}
}

static const char *of_root(const char *p, const char *end)
{
	const char *close = memchr(p, '>', (size_t)(end - p));
	const char *name = p + 1, *stop = name, *colon;

	if (close == NULL)
		close = end;
	while (stop < close && !isspace((unsigned char)*stop) && *stop != '/' && *stop != '>')
		stop++;
	colon = memchr(name, ':', (size_t)(stop - name));
	if (colon != NULL)
		name = colon + 1;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strlen(kinds[i].root) != (size_t)(stop - name) ||
		    strncmp(name, kinds[i].root, (size_t)(stop - name)) != 0)
			continue;
		if (kinds[i].space == NULL || find(p, close, kinds[i].space) != NULL)
			return kinds[i].format;
	}
	return NULL;
}

/* A tag of HTML stands first; fragments come without <html>. */
static bool is_html_start(const char *p, const char *end)
{
	static const char *const tags[] = { "html", "head", "body", "title", "meta", "table",
		"div", "p", "h1", "h2", "h3", "ul", "ol", "span", "a", "img", "br", "hr", "form",
		"script", "style", "link", "center", "font", "b", "pre", "frameset", "section",
		"article", "header", "nav", "main" };
	size_t size = 0;

	if (p == end || *p != '<')
		return false;
	for (p++; p + size < end && isalnum((unsigned char)p[size]); size++)
		;
	if (p + size == end || (!isspace((unsigned char)p[size]) && p[size] != '>' && p[size] != '/'))
		return false;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
		if (strlen(tags[i]) == size && strncasecmp(p, tags[i], size) == 0)
			return true;
	return false;
}

/* An element, with another that ends. */
static bool is_xml_without_declaration(const char *p, const char *end, bool is_all)
{
	const char *close;

	if (end - p < 4 || *p != '<' || !(isalpha((unsigned char)p[1]) || p[1] == '_'))
		return false;
	close = memchr(p, '>', (size_t)(end - p));
	if (close == NULL)
		return false;
	/* <name@example.com> and <https://...> are no elements. */
	for (const char *q = p + 1; q < close && !isspace((unsigned char)*q); q++)
		if (!(isalnum((unsigned char)*q) || strchr("_-.:/", *q) != NULL ||
		      (*q & 0x80) != 0))
			return false;
	if (starts(p + 1, end, "http:") || starts(p + 1, end, "https:"))
		return false;
	return close[-1] == '/' || find(p, end, "</") != NULL || !is_all;
}

const char *format_of_markup(const struct format_head *h)
{
	const char *end = h->text + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	const char *p = skip_blanks(h->text, end), *root, *format = NULL;
	bool is_declared, is_html = false;

	if (p == end || *p != '<')
		return NULL;
	if (starts(p, end, "<?php") || starts(p, end, "<?=") || starts(p, end, "<%"))
		return NULL;
	is_declared = starts(p, end, "<?xml");
	root = to_root(p, end, &is_html);
	if (root < end && *root == '<')
		format = of_root(root, end);
	if (format != NULL && (is_declared || strcmp(format, "application/xhtml+xml") != 0))
		return format;
	if (is_html || (!is_declared && is_html_start(root, end)))
		return "text/html";
	if (is_declared || (root > p && starts(p, end, "<!DOCTYPE")) ||
	    is_xml_without_declaration(root, end, h->text_is_all))
		return "text/xml";
	return NULL;
}

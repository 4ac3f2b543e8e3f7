/*
 * Drawings of a report: SVG within the page, without scripts.  Each has the figures of a table
 * beside it, and names itself for who cannot see it.
 */
#include <string.h>

#include "fs/base/text.h"
#include "tools/report.h"
#include "tools/xml.h"

#define WIDTH 720.0
#define LINE 26.0		/* of one bar below another */
#define LABEL 190.0		/* for what stands before a bar ... */
#define SHOWN 150.0		/* ... and behind it */
#define HEIGHT 150.0		/* of columns, what is written apart */
#define LABELS_MAX 16		/* below columns: more would overlap */

static void begin(struct xml *x, const char *title, double height)
{
	xml_open(x, "figure");
	xml_element(x, "figcaption", title);
	xml_open(x, "svg");
	xml_attribute(x, "xmlns", "%s", "http://www.w3.org/2000/svg");
	xml_attribute(x, "viewBox", "0 0 %.0f %.0f", WIDTH, height);
	xml_attribute(x, "role", "img");
	xml_attribute(x, "aria-label", "%s", title);
}

static void end(struct xml *x)
{
	xml_close(x);
	xml_close(x);
}

static void words(struct xml *x, double left, double top, const char *anchor, const char *text)
{
	xml_open(x, "text");
	xml_attribute(x, "x", "%.1f", left);
	xml_attribute(x, "y", "%.1f", top);
	xml_attribute(x, "text-anchor", "%s", anchor);
	xml_text(x, text);
	xml_close(x);
}

/* With what a pointer that rests on it is told. */
static void box(struct xml *x, double left, double top, double width, double height,
		const struct report_bar *b)
{
	xml_open(x, "rect");
	xml_attribute(x, "class", "%s", b->colour);
	xml_attribute(x, "x", "%.1f", left);
	xml_attribute(x, "y", "%.1f", top);
	xml_attribute(x, "width", "%.1f", width);
	xml_attribute(x, "height", "%.1f", height);
	xml_element_f(x, "title", "%s: %s", b->label, b->shown);
	xml_close(x);
}

static uint64_t greatest(const struct report_bar *bars, size_t count)
{
	uint64_t most = 1;

	for (size_t i = 0; i < count; i++)
		if (bars[i].value > most)
			most = bars[i].value;
	return most;
}

void report_bars(struct xml *x, const char *title, const struct report_bar *bars, size_t count)
{
	double room = WIDTH - LABEL - SHOWN, most = (double)greatest(bars, count);

	if (count == 0)
		return;
	begin(x, title, LINE * (double)count);
	for (size_t i = 0; i < count; i++) {
		double top = LINE * (double)i, length = room * ((double)bars[i].value / most);

		words(x, LABEL - 8, top + 17, "end", bars[i].label);
		box(x, LABEL, top + 4, bars[i].value > 0 && length < 1 ? 1 : length, LINE - 8,
		    &bars[i]);
		words(x, LABEL + length + 8, top + 17, "start", bars[i].shown);
	}
	end(x);
}

void report_shares(struct xml *x, const char *title, const struct report_bar *bars,
		   size_t count)
{
	double sum = 0, left = 0;
	size_t line = 0, shown = 0;

	for (size_t i = 0; i < count; i++) {
		sum += (double)bars[i].value;
		shown += bars[i].value > 0;
	}
	if (sum <= 0)
		return;
	begin(x, title, 36 + LINE * (double)((shown + 2) / 3));
	for (size_t i = 0; i < count; i++) {
		double width = WIDTH * ((double)bars[i].value / sum);

		box(x, left, 0, width, 28, &bars[i]);
		left += width;
	}
	for (size_t i = 0; i < count; i++) {
		char text[sizeof bars->label + sizeof bars->shown + 4];
		double at = WIDTH / 3 * (double)(line % 3), top = 36 + LINE * (double)(line / 3);

		if (bars[i].value == 0)
			continue;
		line++;
		box(x, at, top + 5, 12, 12, &bars[i]);
		snprintf(text, sizeof text, "%s: %s", bars[i].label, bars[i].shown);
		words(x, at + 18, top + 16, "start", text);
	}
	end(x);
}

void report_columns(struct xml *x, const char *title, const struct report_bar *bars,
		    size_t count)
{
	double most = (double)greatest(bars, count), step = WIDTH / (double)(count ? count : 1);
	size_t each = count / LABELS_MAX + 1;

	if (count == 0)
		return;
	if (step > 80)
		step = 80;
	begin(x, title, HEIGHT + 40);
	for (size_t i = 0; i < count; i++) {
		double left = step * (double)i, height = HEIGHT * ((double)bars[i].value / most);

		if (bars[i].value > 0 && height < 1)
			height = 1;
		box(x, left + step * 0.1, 18 + HEIGHT - height, step * 0.8, height, &bars[i]);
		if (each == 1)
			words(x, left + step / 2, 12 + HEIGHT - height, "middle", bars[i].shown);
		if (i % each == 0)	/* the first must not begin before the page does */
			words(x, i > 0 ? left + step / 2 : 0, HEIGHT + 34, i > 0 ? "middle" : "start",
			      bars[i].label);
	}
	end(x);
}

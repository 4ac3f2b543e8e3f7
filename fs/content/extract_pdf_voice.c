#include "fs/content/extract_pdf_inside.h"

#include <string.h>

/* Of what is drawn, not of what is written. */
static bool is_about_looks(const char *line)
{
	static const char *const looks[] = {
		"font file", "font weight", "Font Weight", "bounding box", "Type 3", "ligature",
		"Couldn't find a font", "No display font", "optional content", "Optional content",
		"OCG", "color space", "Color space", "ColorSpace", "ICC", "shading", "pattern",
		"Pattern", "mask", "Mask", "blend", "halftone", "annotation", "Annot", "XFA",
		"destination", "named dest", "action", "Action", "page label", "transition",
		"struct", "Struct", "Type mismatch", "image", "JBIG2", "JPX", "DCT", "CCITT",
	};

	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		if (strstr(line, looks[i]))
			return true;
	return false;
}

/* "Couldn't find 'GBK-EUC-H' CMap file for ...", "Missing language pack for
 * 'Adobe-GB1' mapping", "Unknown character collection 'Adobe-GB1'". */
static bool take_table(struct pdf_voice *v, const char *line)
{
	const char *quote, *end;

	if (!strstr(line, "CMap file") && !strstr(line, "language pack") &&
	    !strstr(line, "character collection"))
		return false;
	quote = strchr(line, '\'');
	/* The apostrophe of "Couldn't" opens no name. */
	if (quote && quote > line && quote[-1] == 'n' && quote[1] == 't')
		quote = strchr(quote + 1, '\'');
	end = quote ? strchr(quote + 1, '\'') : NULL;
	if (!*v->table)
		snprintf(v->table, sizeof v->table, "%.*s", end ? (int)(end - quote - 1) : 5,
			 end ? quote + 1 : "a CMap");
	return true;
}

static void hear(struct pdf_voice *v)
{
	v->line[v->line_size] = '\0';
	v->line_size = 0;
	if (take_table(v, v->line) || !*v->line)
		return;
	if ((!strncmp(v->line, "Syntax Error", 12) || !strncmp(v->line, "Internal Error", 14)) &&
	    !is_about_looks(v->line))
		v->is_damaged = true;
}

static ssize_t on_write(void *cookie, const char *text, size_t size)
{
	struct pdf_voice *v = cookie;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			hear(v);
		else if (v->line_size < sizeof v->line - 1)
			v->line[v->line_size++] = text[i];
	}
	return (ssize_t)size;
}

void pdf_voice_begin(struct pdf_voice *v)
{
	const cookie_io_functions_t calls = { .write = on_write };

	*v = (struct pdf_voice){ .before = stderr };
	v->ours = fopencookie(v, "w", calls);
	if (!v->ours)
		return;
	setvbuf(v->ours, NULL, _IONBF, 0);
	stderr = v->ours;
}

void pdf_voice_end(struct pdf_voice *v)
{
	if (!v->ours)
		return;
	stderr = v->before;
	fclose(v->ours);
	v->ours = NULL;
}

void pdf_voice_reset(struct pdf_voice *v)
{
	v->table[0] = '\0';
	v->is_damaged = false;
}

#include "fs/content/extract_pdf_inside.h"

#include <stdio.h>
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

/* "Syntax error at position 1234: Unknown font tag 'F2'". */
static void hear(const gchar *domain, GLogLevelFlags level, const gchar *line, gpointer arg)
{
	struct pdf_voice *v = arg;

	(void)domain;
	(void)level;
	if (take_table(v, line))
		return;
	if ((!strncmp(line, "Syntax error", 12) || !strncmp(line, "Internal error", 14) ||
	     !strncmp(line, "IO error", 8)) && !is_about_looks(line))
		v->is_damaged = true;
}

void pdf_voice_begin(struct pdf_voice *v)
{
	*v = (struct pdf_voice){ .table = "" };
	v->handler = g_log_set_handler("Poppler", G_LOG_LEVEL_MASK, hear, v);
}

void pdf_voice_end(struct pdf_voice *v)
{
	g_log_remove_handler("Poppler", v->handler);
}

void pdf_voice_reset(struct pdf_voice *v)
{
	v->table[0] = '\0';
	v->is_damaged = false;
}

/* A sheet of decisions as an officer's spreadsheet left it: any bytes.  What is read is
 * UTF-8 and of one width, and comes back the same when it is written again (H1). */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"
#include "tools/sheet.h"

static int folder;
static char path[128], again_path[128];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	folder = scratch_folder();
	snprintf(path, sizeof path, "%s/sheet.csv", scratch_path());
	snprintf(again_path, sizeof again_path, "%s/again.csv", scratch_path());
	return 0;
}

/* Under heads of our own: those of the file may be twice the same. */
static unsigned columns_of(const struct sheet *s, int at[SHEET_COLUMNS_MAX])
{
	static const char *const names[] = { "path", "path_base64", "decision", "class", "reason",
					     "a", "b", "because" };
	unsigned n = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (sheet_column(s, names[i]) >= 0)
			at[n++] = sheet_column(s, names[i]);
	return n;
}

static void write_again(const struct sheet *s, const int *at, unsigned columns)
{
	struct sheet_out out = { .to = fopen(again_path, "w") };

	MUST(out.to);
	sheet_mark(&out);
	for (unsigned c = 0; c < columns; c++) {
		char name[16];

		snprintf(name, sizeof name, "c%u", c);
		sheet_cell(&out, name);
	}
	sheet_end_row(&out);
	for (size_t row = 0; row < sheet_rows(s); row++) {
		for (unsigned c = 0; c < columns; c++)
			sheet_cell(&out, sheet_at(s, row, at[c]));
		sheet_end_row(&out);
	}
	fclose(out.to);
}

static void compare(const struct sheet *s, const int *at, unsigned columns)
{
	struct sheet *again;
	struct err e = ERR_NONE;

	write_again(s, at, columns);
	if (sheet_read(again_path, &again, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	for (size_t row = 0, k = 0; row < sheet_rows(s); row++) {
		bool is_blank = true;

		for (unsigned c = 0; c < columns; c++)
			is_blank = is_blank && *sheet_at(s, row, at[c]) == '\0';
		if (is_blank)	/* a line of nothing is none */
			continue;
		MUST(k < sheet_rows(again));
		for (unsigned c = 0; c < columns; c++)
			MUST(strcmp(sheet_at(s, row, at[c]), sheet_at(again, k, (int)c)) == 0);
		k++;
	}
	sheet_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int at[SHEET_COLUMNS_MAX];
	struct sheet *s;
	struct err e = ERR_NONE;

	scratch_put(folder, "sheet.csv", data, size);
	if (sheet_read(path, &s, &e) < 0) {
		MUST(e.code != MUNI_OK && *e.text);
		return 0;
	}
	for (size_t row = 0; row < sheet_rows(s); row++) {
		MUST(sheet_line(s, row) > 0);
		MUST(*sheet_at(s, row, -1) == '\0');
		for (int c = 0; c < SHEET_COLUMNS_MAX; c++) {
			const char *text = sheet_at(s, row, c);

			MUST(text_is_utf8(text, strlen(text)));
		}
	}
	unsigned columns = columns_of(s, at);
	if (columns > 0)
		compare(s, at, columns);
	sheet_free(s);
	return 0;
}

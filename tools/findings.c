#include "tools/findings.h"

#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/cli.h"
#include "tools/jsonl.h"
#include "tools/progress.h"

static const char *kind_word(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_DAMAGE:
		return "damage";
	case FINDING_FILE:
		return "file";
	case FINDING_NOTE:
		return "note";
	}
	return "note";
}

static void show_json(struct findings *f, const struct verify_finding *found)
{
	json_t *o = jsonl_new(kind_word(found->kind));

	jsonl_text(o, "where", found->where);
	jsonl_text(o, "what", found->what);
	if (found->kind != FINDING_NOTE)
		jsonl_bool(o, f->is_repair ? "repaired" : "repairable", found->can_repair);
	if (found->kind == FINDING_FILE) {
		jsonl_text(o, "system", found->system);
		jsonl_bytes(o, "path", found->path, found->path_size);
		jsonl_text(o, "first_version", found->first_label);
		jsonl_text(o, "last_version", found->last_label);
	}
	if (f->failed.code == MUNI_OK)
		jsonl_end(o, &f->failed);
	else
		json_decref(o);
}

static const char *outcome(const struct findings *f, const struct verify_finding *found)
{
	if (found->kind == FINDING_NOTE)
		return "";
	if (f->is_repair)
		return found->can_repair ? " (repaired)" : " (NOT repaired)";
	return found->can_repair ? " (can be repaired)" : " (cannot be repaired)";
}

static void show_file(struct findings *f, const struct verify_finding *found)
{
	const char *first = found->first_label != NULL ? found->first_label : "?";
	const char *last = found->last_label != NULL ? found->last_label : first;

	printf("file    %s@%s%s%s: %s: %s%s\n",
	       text_printable(found->system != NULL ? found->system : "?"),
	       text_printable(first), strcmp(first, last) != 0 ? ".." : "",
	       strcmp(first, last) != 0 ? text_printable(last) : "",
	       text_printable_n(found->path, found->path_size), found->what, outcome(f, found));
}

void findings_show(void *arg, const struct verify_finding *found)
{
	struct findings *f = arg;

	progress_pause(f->cli->progress);
	if (f->cli->json)
		show_json(f, found);
	else if (found->kind == FINDING_FILE)
		show_file(f, found);
	else if (found->kind == FINDING_DAMAGE || !f->cli->quiet)
		printf("%-6s  %s: %s%s\n", kind_word(found->kind),
		       found->where != NULL ? found->where : "archive", found->what,
		       outcome(f, found));
	progress_resume(f->cli->progress);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_summary(const struct findings *f, const struct verify_summary *s, int rc)
{
	char blocks[TEXT_COUNT_MAX], bytes[TEXT_SIZE_MAX], files[TEXT_COUNT_MAX];
	char versions[TEXT_COUNT_MAX], damages[TEXT_COUNT_MAX], mended[TEXT_COUNT_MAX];

	printf("read    %s block%s (%s)", text_count(s->blocks, blocks), plural(s->blocks),
	       text_size(s->block_bytes, bytes));
	if (!f->is_repair)
		printf(", %s file%s in %s version%s", text_count(s->files, files),
		       plural(s->files), text_count(s->versions, versions), plural(s->versions));
	putchar('\n');
	if (s->is_unvouched)
		puts("parity  was made anew for segments whose blocks were NOT authenticated: "
		     "there is no catalogue that knows them");
	if (s->damages == 0) {
		if (rc == 0)
			puts("result  whole: nothing is damaged");
		return;
	}
	printf("result  %s damage%s: %s %s; %s file%s touched\n",
	       text_count(s->damages, damages), plural(s->damages),
	       text_count(s->repairable, mended),
	       f->is_repair ? "repaired" : "can be repaired",
	       text_count(s->files_touched, files), plural(s->files_touched));
}

/* What to do: the damages themselves were told one by one. */
static void advise(const struct findings *f, const struct verify_summary *s, struct err *e)
{
	uint64_t left = s->damages > s->repairable ? s->damages - s->repairable : 0;

	if (s->damages == 0)
		return;		/* e says it */
	if (f->is_repair)
		err_set(e, MUNI_DAMAGED, "%llu damage%s left that parity and copies do not cover: "
			"bring the objects named above back from a backup of the archive",
			(unsigned long long)left, left == 1 ? " is" : "s are");
	else if (left == 0)
		err_set(e, MUNI_DAMAGED, "the archive is damaged, and `muni repair` can mend all "
			"of it");
	else
		err_set(e, MUNI_DAMAGED, "the archive is damaged: `muni repair` mends what can be "
			"mended; for the rest bring the objects named above back from a backup of "
			"the archive");
}

int findings_end(struct findings *f, const struct verify_summary *s, int rc,
		 struct err *e)
{
	json_t *o;

	progress_end(f->cli->progress);
	if (rc == 0 && f->failed.code != MUNI_OK) {
		*e = f->failed;
		return -1;
	}
	if (rc < 0 && e->code != MUNI_DAMAGED)
		return rc;
	if (rc < 0)
		advise(f, s, e);
	if (!f->cli->json) {
		print_summary(f, s, rc);
		return rc;
	}
	o = jsonl_new(f->is_repair ? "repair" : "verify");
	jsonl_bool(o, "whole", rc == 0);
	jsonl_number(o, "blocks", s->blocks);
	jsonl_number(o, "block_bytes", s->block_bytes);
	jsonl_number(o, "files", s->files);
	jsonl_number(o, "versions", s->versions);
	jsonl_number(o, "damages", s->damages);
	jsonl_number(o, f->is_repair ? "repaired" : "repairable", s->repairable);
	jsonl_number(o, "files_touched", s->files_touched);
	if (f->is_repair)
		jsonl_bool(o, "parity_authenticated", !s->is_unvouched);
	return jsonl_end(o, rc < 0 ? &(struct err){ .code = MUNI_OK } : e) < 0 ? -1 : rc;
}

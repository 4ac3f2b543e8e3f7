#include "tools/problems.h"

#include "fs/base/text.h"
#include "tools/jsonl.h"

int problem_tell(void *problems, const void *path, size_t path_size, const char *what)
{
	struct problems *p = problems;
	json_t *o;

	if (!p->cli->json) {
		cli_say(p->cli, "%s%s: %s", p->before,
			path_size ? text_printable_n(path, path_size)
				  : text_printable(p->cli->operands[1]),
			text_printable(what));
		return 0;
	}
	o = jsonl_new("problem");
	jsonl_bytes(o, "path", path, path_size);
	jsonl_text(o, "what", what);
	return jsonl_end(o, p->e);
}

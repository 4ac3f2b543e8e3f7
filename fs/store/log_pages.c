/* Which states of the catalogue the log's heads signed. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

struct walk {
	uint8_t raw[LOG_RECORD_MAX];
	struct log_record record;
};

static int look_through(int fd, struct walk *w, const struct digest *pages, bool *has,
			struct err *e)
{
	uint64_t at = LOG_FILE_HEAD;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "asking for the size of audit/heads");
	while (!*has && at < (uint64_t)st.st_size) {
		if (log_record_read(fd, (uint64_t)st.st_size, at, w->raw, &w->record, e) < 0)
			return -1;
		*has = digest_equal(&w->record.head.pages, pages);
		at += w->record.size;
	}
	return 0;
}

int log_has_pages(int auditfd, const struct digest *pages, bool *has, struct err *e)
{
	struct walk *w = malloc(sizeof *w);
	int rc = -1;

	*has = false;
	if (w == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look through the log's heads");
	for (int c = 0; rc < 0 && c < LOG_COPIES; c++) {
		int fd = file_open(auditfd, log_file_names[LOG_FILE_HEADS][c], O_RDONLY, 0, e);

		if (fd < 0)
			continue;
		*e = ERR_NONE;
		rc = look_through(fd, w, pages, has, e);
		file_close(&fd);
	}
	free(w);
	return rc;
}

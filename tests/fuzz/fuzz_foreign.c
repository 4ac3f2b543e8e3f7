/*
 * An archive that somebody else made, any bytes, read as the child reads it (libarchive,
 * packings, pax times, entries), here without its sandbox; what it says is then heard as
 * the parent hears it, which finds sense in every word (F2): a child that was not taken
 * over never talks nonsense.  The first byte says with which options, and
 * whether it begins with the zeros of an ISO image.
 */
#include <archive.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/foreign_child_inside.h"
#include "fs/vault/foreign_frames.h"
#include "tests/fuzz/foreign_hear.h"
#include "tests/fuzz/fuzz.h"

#define LIMIT (8u << 20)	/* of what comes out: a bomb is not to take our time */
#define ISO_SYSTEM_AREA 32768

static int input, output;
static jmp_buf way_out;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	input = memfd_create("archive", MFD_CLOEXEC);
	output = memfd_create("said", MFD_CLOEXEC);
	MUST(input >= 0 && output >= 0);
	return 0;
}

/* In place of the one that ends the process. */
_Noreturn void child_leave(struct child *c, int status)
{
	(void)status;
	voice_flush(&c->voice);
	longjmp(way_out, 1);
}

static void read_as_child(struct child *c)
{
	struct err e = ERR_NONE;

	MUST(child_prepare(c, input, &e) == 0);
	if (setjmp(way_out) == 0)
		child_read(c);
	uselocale(LC_GLOBAL_LOCALE);
	for (size_t i = 0; i < CONVERTERS; i++)
		if (c->converters[i] != (iconv_t)-1)
			iconv_close(c->converters[i]);
	freelocale(c->utf8);
	freelocale(c->bytes);
	archive_read_free(c->a);
	source_end(&c->source);
	buffer_free(&c->voice.pending);
	free(c->scratch.xattrs);
	free(c->scratch.acls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct foreign_options o = { .bomb_limit = LIMIT };
	struct child c = { .options = &o, .name = "folder/of.tar.gz", .voice.fd = output };

	bool is_old_cpio;

	if (size == 0)
		return 0;
	o.allow_raw = data[0] & 1;
	o.allow_rar = data[0] & 2;
	/* libarchive 3.6.2 follows a null pointer where a cpio of the old kind has names in
	 * another encoding: the child dies of it, in its jail, and that is told. */
	is_old_cpio = size > 2 && (data[1] == 0xc7 || data[1] == 0x71);
	o.name_encoding = data[0] & 4 && !is_old_cpio ? "GB18030" : NULL;
	MUST(ftruncate(input, 0) == 0 && ftruncate(output, 0) == 0);
	MUST(pwrite(input, data + 1, size - 1, data[0] & 8 ? ISO_SYSTEM_AREA : 0) ==
	     (ssize_t)size - 1);
	MUST(lseek(input, 0, SEEK_SET) == 0 && lseek(output, 0, SEEK_SET) == 0);
	read_as_child(&c);
	MUST(lseek(output, 0, SEEK_SET) == 0);
	foreign_hear(dup(output), &o, true);
	return 0;
}

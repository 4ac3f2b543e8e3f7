/*
 * muni-examine: looks into files for `muni scan`, behind a filter.  No command
 * for people.
 *
 * Everything that is loaded, asked for or opened is so before the door closes;
 * then workers are forked, which find it there.
 */
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/extract_pdf.h"
#include "fs/content/glib_voice.h"
#include "fs/content/wire.h"
#include "fs/examine/growth.h"
#include "fs/examine/jail.h"
#include "fs/examine/keeper.h"
#include "fs/examine/warm.h"
#include "policy/detect/detect.h"

#define STATUS_READER 4		/* a library of a reader gave up */

static bool has_control(void)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(JAIL_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

static int hear_hello(struct inbox *control, struct wire_hello *h, struct err *e)
{
	struct reader r;

	if (inbox_wait(control, e) < 0)
		return -1;
	r = reader_over(control->message.data, control->message.size);
	if (control->type != WIRE_HELLO)
		return err_set(e, MUNI_DAMAGED, "no greeting came first");
	return wire_get_hello(&r, h, e);
}

static int hear_custom(struct inbox *control, struct custom_recogniser *out, struct err *e)
{
	struct reader r;

	if (inbox_wait(control, e) < 0)
		return -1;
	r = reader_over(control->message.data, control->message.size);
	if (control->type != WIRE_CUSTOM)
		return err_set(e, MUNI_DAMAGED, "a recogniser was announced, and did not come");
	return wire_get_custom(&r, out, e);
}

static int load_recognisers(struct inbox *control, uint32_t count, struct recognisers **out,
			    struct err *e)
{
	struct custom_recogniser *custom = calloc(count + 1, sizeof *custom);
	uint32_t heard = 0;
	int rc = -1;

	if (!custom)
		return err_set(e, MUNI_NO_MEMORY, "no memory for recognisers");
	while (heard < count && hear_custom(control, &custom[heard], e) == 0)
		heard++;
	if (heard == count)
		rc = recognisers_new(custom, count, out, e);
	for (uint32_t i = 0; i < heard; i++)
		wire_custom_clear(&custom[i]);
	free(custom);
	return rc;
}

static int prepare(struct inbox *control, struct looker **out, struct err *e)
{
	/* Both for as long as this process lives. */
	struct recognisers *r = NULL;
	struct pdf_tables *tables = NULL;
	struct wire_hello hello;

	if (hear_hello(control, &hello, e) < 0 ||
	    load_recognisers(control, hello.custom_count, &r, e) < 0 ||
	    looker_new(r, &hello.limits, out, e) < 0 || warm_up(*out, e) < 0 ||
	    pdf_tables_open(&tables, e) < 0)
		return -1;
	return jail_close(&(struct jail_memory){ .lean = hello.lean, .most = hello.memory }, e);
}

int main(void)
{
	static struct inbox control;
	struct err e = ERR_NONE, ignored = ERR_NONE;
	struct looker *looker = NULL;

	if (!has_control()) {
		fputs("muni-examine is started by `muni scan`, not by hand\n", stderr);
		return 2;
	}
	/* Compiling takes much for a moment: apart from the heap, which stays for good. */
	(void)mallopt(M_MMAP_THRESHOLD, 64 << 10);
	glib_voice_silence(STATUS_READER);
	setlocale(LC_ALL, "C.UTF-8");
	growth_prepare();
	inbox_init(&control, JAIL_SOCKET, true);
	if (jail_descriptors(&e) < 0 || prepare(&control, &looker, &e) < 0) {
		(void)wire_send_failure(JAIL_SOCKET, &e, &ignored);
		return 1;
	}
	if (wire_send(JAIL_SOCKET, WIRE_READY, NULL, 0, -1, &e) < 0)
		return 1;
	keeper_run(looker, &control);
}

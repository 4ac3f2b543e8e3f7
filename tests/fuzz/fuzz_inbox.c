/*
 * Messages between a scan and muni-examine, either way: packets of any bytes, with and
 * without a descriptor, put together and taken apart.  The input is packets: 1 byte how, 2
 * size, so many bytes (of which the first two are the packet's own head).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/examination.h"
#include "fs/content/wire.h"
#include "tests/fuzz/fuzz.h"

#define PACKETS_MAX 64

static int null_fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	MUST(null_fd >= 0);
	return 0;
}

static void send_packet(int to, const uint8_t *data, size_t size, bool with_descriptor)
{
	struct iovec part = { (void *)(uintptr_t)data, size };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (with_descriptor) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control.space;
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &null_fd, sizeof null_fd);
	}
	(void)!sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);	/* full: the rest is lost */
}

static void take_custom(struct reader *r)
{
	struct custom_recogniser c;
	struct err e = ERR_NONE;

	if (wire_get_custom(r, &c, &e) == 0)
		MUST(c.id && c.pattern);
	wire_custom_clear(&c);
}

static void take(struct inbox *in)
{
	struct reader r = reader_over(in->message.data, in->message.size);
	static struct wire_look look;
	struct wire_hello hello;
	struct wire_ended ended;
	struct examination x;
	struct err e = ERR_NONE;

	switch (in->type) {
	case WIRE_HELLO:
		wire_get_hello(&r, &hello, &e);
		break;
	case WIRE_CUSTOM:
		take_custom(&r);
		break;
	case WIRE_LOOK:
		if (wire_get_look(&r, &look, &e) == 0)
			MUST(memchr(look.name, 0, sizeof look.name));
		break;
	case WIRE_ENDED:
		if (wire_get_ended(&r, &ended, &e) == 0)
			MUST(memchr(ended.format, 0, sizeof ended.format) &&
			     memchr(ended.reader, 0, sizeof ended.reader));
		break;
	case WIRE_FOUND:
	case WIRE_FOUND_LAST:
		examination_read(&r, &x, &e);
		examination_clear(&x);
		break;
	case WIRE_FAILED:
		MUST(inbox_failure(in, &e) < 0 && e.code != MUNI_OK && *e.text);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	enum inbox_state state = INBOX_MORE;
	struct inbox in;
	struct err e = ERR_NONE;
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	inbox_init(&in, ends[0], reader_u8(&r) % 2);
	for (int i = 0; i < PACKETS_MAX && reader_left(&r) > 0; i++) {
		uint8_t how = reader_u8(&r);
		size_t n = reader_u16(&r);

		n = n < reader_left(&r) ? n : reader_left(&r);
		send_packet(ends[1], reader_view(&r, n), n, how & 1);
	}
	close(ends[1]);
	while (inbox_receive(&in, false, &state, &e) == 0 && state != INBOX_END) {
		if (state == INBOX_NOTHING)
			break;
		if (state != INBOX_MESSAGE)
			continue;
		take(&in);
		MUST(in.fd < 0 || in.takes_descriptors);	/* W2 */
		if (in.fd >= 0)
			close(in.fd);
		in.fd = -1;
	}
	inbox_clear(&in);
	close(ends[0]);
	return 0;
}

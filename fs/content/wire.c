#include "fs/content/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

#define PACKET_HEAD 2u		/* type, more */

/* The most that a message of a type may hold; 0: no such type (W1). */
static size_t size_max(uint8_t type)
{
	switch ((enum wire_type)type) {
	case WIRE_HELLO:
		return 64;
	case WIRE_CUSTOM:
		return WIRE_CUSTOM_MAX;
	case WIRE_READY:
	case WIRE_WORKER:
	case WIRE_STARTED:
	case WIRE_END:
	case WIRE_GROW:
	case WIRE_GROWN:
		return 8;
	case WIRE_ENDED:
		return 512;
	case WIRE_LOOK:
		return 64 + WIRE_NAME_MAX;
	case WIRE_FOUND:
	case WIRE_FOUND_LAST:
		return EXAMINATION_MAX;
	case WIRE_FAILED:
		return 1 + WIRE_WHY_MAX;
	}
	return 0;
}

/* ---- sending ---------------------------------------------------------------------------- */

static int send_packet(int socket, const uint8_t head[PACKET_HEAD], const void *data,
		       size_t size, int fd, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = "" };
	struct iovec parts[2] = { { (void *)head, PACKET_HEAD }, { (void *)data, size } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	while (sendmsg(socket, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return err_errno(e, "speaking to muni-examine");
	return 0;
}

int wire_send(int socket, enum wire_type type, const void *data, size_t size, int fd,
	      struct err *e)
{
	const uint8_t *at = data;

	do {
		size_t part = size < WIRE_PACKET_MAX - PACKET_HEAD ? size
								    : WIRE_PACKET_MAX - PACKET_HEAD;
		const uint8_t head[PACKET_HEAD] = { (uint8_t)type, part < size };

		if (send_packet(socket, head, at, part, fd, e) < 0)
			return -1;
		fd = -1;	/* with the first packet */
		if (part > 0)
			at += part;
		size -= part;
	} while (size > 0);
	return 0;
}

int wire_send_failure(int socket, const struct err *why, struct err *e)
{
	uint8_t message[1 + WIRE_WHY_MAX];
	size_t size = strnlen(why->text, WIRE_WHY_MAX);

	message[0] = (uint8_t)why->code;
	memcpy(message + 1, why->text, size);
	return wire_send(socket, WIRE_FAILED, message, 1 + size, -1, e);
}

/* ---- receiving -------------------------------------------------------------------------- */

void inbox_init(struct inbox *in, int socket, bool takes_descriptors)
{
	in->socket = socket;
	in->takes_descriptors = takes_descriptors;
	in->message = (struct buffer){ .data = NULL };
	in->fd = -1;
	in->is_partial = false;
}

void inbox_clear(struct inbox *in)
{
	buffer_free(&in->message);
	file_close(&in->fd);
}

static int nonsense(struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "what came makes no sense");
}

/* The descriptor in a message, if there is one; the control buffer has room for no
 * more, so the kernel keeps others from us. */
static int descriptor_of(struct msghdr *m)
{
	struct cmsghdr *c = m->msg_controllen >= sizeof *c ? CMSG_FIRSTHDR(m) : NULL;
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

/* Returns recvmsg()'s result. */
static ssize_t receive_packet(struct inbox *in, bool is_waiting)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { in->packet, sizeof in->packet };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;
	int fd;

	if (in->takes_descriptors) {	/* W2 */
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
	}
	do
		n = recvmsg(in->socket, &m, MSG_CMSG_CLOEXEC | (is_waiting ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	fd = n >= 0 && in->takes_descriptors ? descriptor_of(&m) : -1;
	if (fd >= 0) {
		file_close(&in->fd);
		in->fd = fd;
	}
	return n;
}

static int take_packet(struct inbox *in, size_t size, enum inbox_state *state, struct err *e)
{
	const uint8_t *p = in->packet;

	if (!in->is_partial) {
		buffer_reset(&in->message);
		in->type = (enum wire_type)p[0];
	}
	if (size < PACKET_HEAD || p[1] > 1 || size_max(p[0]) == 0 || p[0] != (uint8_t)in->type ||
	    size - PACKET_HEAD > size_max(p[0]) - in->message.size ||
	    /* Else a message could be made of empty packets without an end. */
	    (p[1] && size == PACKET_HEAD))
		return nonsense(e);
	buffer_append(&in->message, p + PACKET_HEAD, size - PACKET_HEAD);
	if (in->message.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a message");
	in->is_partial = p[1] == 1;
	*state = in->is_partial ? INBOX_MORE : INBOX_MESSAGE;
	return 0;
}

int inbox_receive(struct inbox *in, bool is_waiting, enum inbox_state *state, struct err *e)
{
	ssize_t n = receive_packet(in, is_waiting);

	if (n > 0)
		return take_packet(in, (size_t)n, state, e);
	if (n == 0 || errno == ECONNRESET) {
		*state = INBOX_END;
		return 0;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		*state = INBOX_NOTHING;
		return 0;
	}
	return err_errno(e, "hearing from muni-examine");
}

int inbox_wait(struct inbox *in, struct err *e)
{
	enum inbox_state state;

	do
		if (inbox_receive(in, true, &state, e) < 0)
			return -1;
	while (state == INBOX_MORE || state == INBOX_NOTHING);
	if (state == INBOX_END)
		return err_set(e, MUNI_IO, "the other side has ended");
	return 0;
}

int inbox_failure(const struct inbox *in, struct err *e)
{
	const struct buffer *m = &in->message;

	if (m->size < 2 || m->data[0] == MUNI_OK || m->data[0] > MUNI_CANCELLED)
		return nonsense(e);
	return err_set(e, (enum muni_code)m->data[0], "%s",
		       text_printable_n(m->data + 1, m->size - 1));
}

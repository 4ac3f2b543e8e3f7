/*
 * What the kernel, an NFS client through it, or whoever holds /dev/fuse asks of a mount:
 * any request with any numbers, names and offsets, in any order, as raw messages through
 * libfuse.  Every request gets one answer that fits its question; what is read of a file
 * is what stands in it; nothing is ever written.
 *
 * The first byte says which mount; then each request is an operation, a node (one that
 * is known, or any number), and what the operation takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/mount/ahead.h"
#include "fs/mount/cursors.h"
#include "fs/mount/family.h"
#include "fs/mount/listings.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/pool.h"
#include "fs/mount/recent.h"
#include "fs/mount/status.h"
#include "fs/mount/view.h"
#include "tests/fuzz/archive.h"
#include "tests/fuzz/fuzz.h"

#define MOUNTS 4		/* the archive, audited too; a system; a version */
#define NODES_MAX 512
#define REQUESTS_MAX 64
#define ANSWER_MAX (2u << 20)

struct known {
	uint64_t ino;
	uint8_t *content;	/* of a file that does not change */
	size_t size;
};

struct one_mount {
	struct mount m;
	struct known nodes[NODES_MAX];
	size_t count;
};

static struct vault *vault;
static struct one_mount mounts[MOUNTS];
static uint8_t answer[ANSWER_MAX];
static size_t answer_size;
static unsigned answers;
static uint64_t unique;

/* ---- the other end of the session ----------------------------------------------------- */

static ssize_t take_answer(int fd, struct iovec *parts, int count, void *userdata)
{
	(void)fd;
	(void)userdata;
	answer_size = 0;
	for (int i = 0; i < count; i++) {
		MUST(parts[i].iov_len <= sizeof answer - answer_size);
		if (parts[i].iov_len)
			memcpy(answer + answer_size, parts[i].iov_base, parts[i].iov_len);
		answer_size += parts[i].iov_len;
	}
	answers++;
	return (ssize_t)answer_size;
}

static ssize_t no_read(int fd, void *buffer, size_t size, void *userdata)
{
	(void)fd;
	(void)buffer;
	(void)size;
	(void)userdata;
	errno = EIO;
	return -1;
}

/* The answer's error (0 or -errno); *body is what stands behind its head. */
static int ask(struct mount *m, uint32_t opcode, uint64_t ino, uint32_t uid, const void *body,
	       size_t size)
{
	static uint8_t message[1u << 17];
	struct fuse_in_header head = { .len = (uint32_t)(sizeof head + size), .opcode = opcode,
				       .unique = ++unique, .nodeid = ino, .uid = uid, .gid = 1,
				       .pid = 1 };
	struct fuse_out_header out;
	struct fuse_buf buf = { .size = head.len, .mem = message };

	MUST(head.len <= sizeof message);
	memcpy(message, &head, sizeof head);
	if (size)
		memcpy(message + sizeof head, body, size);
	answers = 0;
	fuse_session_process_buf(m->session, &buf);
	if (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET) {
		MUST(answers == 0);
		return 0;
	}
	MUST(answers == 1 && answer_size >= sizeof out);
	memcpy(&out, answer, sizeof out);
	MUST(out.len == answer_size && out.unique == head.unique);
	MUST(out.error <= 0 && out.error > -512);
	MUST(out.error == 0 || answer_size == sizeof out);
	return out.error;
}

/* ---- mounts ------------------------------------------------------------------------------ */

static void begin_session(struct mount *m)
{
	static const struct fuse_custom_io io = { .writev = take_answer, .read = no_read };
	char *argv[] = { "munifs", "-o", "max_read=1048576", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION,
				     .minor = FUSE_KERNEL_MINOR_VERSION, .flags = ~0u,
				     .max_readahead = 1u << 17 };

	m->session = fuse_session_new(&args, &mount_ops, sizeof mount_ops, m);
	MUST(m->session);
	MUST(fuse_session_custom_io(m->session, &io, open("/dev/null", O_RDWR)) == 0);
	MUST(ask(m, FUSE_INIT, 0, 0, &init, sizeof init) == 0);
	fuse_opt_free_args(&args);
}

static void open_mount(struct mount *m)
{
	struct catalogue *c = vault_catalogue(vault);
	struct view_change change;
	struct err e = ERR_NONE;

	m->vault = vault;
	m->o.cache = 4u << 20;
	m->o.archive = (char *)vault_path(vault);
	m->folder = open(vault_path(vault), O_RDONLY | O_DIRECTORY);
	if (m->shape != MOUNT_ARCHIVE)
		MUST(catalogue_system_find(c, "crm", &m->system, &e) == 0);
	if (m->shape == MOUNT_VERSION)
		MUST(catalogue_version_find(c, m->system.id, NULL, &m->version, &e) == 0);
	m->messages = messages_new();
	m->blocks = block_cache_new(m->o.cache);
	m->view = view_new(m);
	m->recent = recent_new();
	m->cursors = cursors_new();
	m->family = family_new();
	m->listings = listings_new(m);
	m->ahead = ahead_new(1u << 20);
	m->status = status_new();
	m->pool = pool_new(vault, m->blocks, 1, 256u << 10);
	MUST(view_refresh(m->view, c, &change, &e) == 0);
	node_set_free(&change.nodes);
	begin_session(m);
}

static void close_all(void)
{
	for (size_t i = 0; i < MOUNTS; i++) {
		struct mount *m = &mounts[i].m;

		fuse_session_destroy(m->session);
		listings_free(m->listings);
		family_free(m->family);
		pool_free(m->pool);
		block_cache_free(m->blocks);
		status_free(m->status);
		ahead_free(m->ahead);
		cursors_free(m->cursors);
		recent_free(m->recent);
		view_free(m->view);
		messages_free(m->messages);
		close(m->folder);
		for (size_t k = 0; k < mounts[i].count; k++)
			free(mounts[i].nodes[k].content);
	}
	vault_close(vault);
}

/* ---- what is known of them --------------------------------------------------------------- */

static struct known *find(struct one_mount *o, uint64_t ino)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->nodes[i].ino == ino)
			return &o->nodes[i];
	return NULL;
}

static void learn_content(struct one_mount *o, struct known *k, size_t size)
{
	struct fuse_read_in in = { .size = 1u << 20 };

	k->content = malloc(size + 1);
	k->size = size;
	MUST(k->content && size < in.size);
	MUST(ask(&o->m, FUSE_READ, k->ino, 0, &in, sizeof in) == 0);
	MUST(answer_size == sizeof(struct fuse_out_header) + size);
	memcpy(k->content, answer + sizeof(struct fuse_out_header), size);
}

static void learn(struct one_mount *o, uint64_t ino, mode_t mode, size_t size);

/* A directory, to its end, and all below it. */
static void walk(struct one_mount *o, uint64_t ino)
{
	struct fuse_read_in in = { .size = 1u << 16 };
	size_t seen = 0;

	for (;;) {
		static uint8_t page[1u << 16];
		size_t size, next;

		MUST(ask(&o->m, FUSE_READDIRPLUS, ino, 0, &in, sizeof in) == 0);
		size = answer_size - sizeof(struct fuse_out_header);
		if (size == 0)
			return;
		MUST(size <= sizeof page && ++seen < 1000);
		/* Copied: what is learnt asks for more. */
		uint8_t *copy = memcpy(malloc(size), answer + sizeof(struct fuse_out_header), size);
		for (size_t at = 0; at < size; at = next) {
			struct fuse_direntplus d;

			memcpy(&d, copy + at, FUSE_NAME_OFFSET_DIRENTPLUS);
			next = at + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + d.dirent.namelen);
			in.offset = d.dirent.off;
			if (d.entry_out.nodeid != 0)
				learn(o, d.entry_out.nodeid, d.entry_out.attr.mode,
				      d.entry_out.attr.size);
		}
		free(copy);
	}
}

static void learn(struct one_mount *o, uint64_t ino, mode_t mode, size_t size)
{
	struct known *k;

	if (find(o, ino) || o->count == NODES_MAX)
		return;
	k = &o->nodes[o->count++];
	k->ino = ino;
	if (S_ISDIR(mode))
		walk(o, ino);
	else if (S_ISREG(mode) && size > 0 && mode != (S_IFREG | 0444))	/* not ours */
		learn_content(o, k, size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const enum mount_shape shapes[MOUNTS] = { MOUNT_ARCHIVE, MOUNT_ARCHIVE,
							 MOUNT_SYSTEM, MOUNT_VERSION };

	(void)argc;
	(void)argv;
	archive_make(VAULT_READ, &vault);
	MUST(atexit(close_all) == 0);
	for (size_t i = 0; i < MOUNTS; i++) {
		mounts[i].m.shape = shapes[i];
		mounts[i].m.o.audit = i == 1;	/* ids with versions; opens tell nobody */
		open_mount(&mounts[i].m);
		learn(&mounts[i], FUSE_ROOT_ID, S_IFDIR, 0);
		MUST(mounts[i].count > 40);
	}
	return 0;
}

/* ---- requests ---------------------------------------------------------------------------- */

static uint64_t node_of(const struct one_mount *o, struct reader *r)
{
	uint8_t which = reader_u8(r);

	if (which == 255)
		return reader_u64(r);
	if (which == 254)	/* one of another mount */
		return mounts[reader_u8(r) % MOUNTS].nodes[reader_u8(r) % 40].ino;
	return o->nodes[(which + 254u * (reader_u8(r) % 2u)) % o->count].ino;
}

/* A name as the kernel gives it: without a NUL inside, at most 1,024 bytes (a kernel
 * that lets larger ones pass than we do). */
static void put_name(struct buffer *b, struct reader *r)
{
	static const char *const some[] = { "a.txt", "d", "latest", "versions", ".muniment",
					    "@2023-11-14", "crm", "1", "status", "certificates",
					    "user.muniment.sha256", "user.comment", ".", "..",
					    "system.posix_acl_access", "trusted.x" };
	uint8_t size = reader_u8(r);

	if (size >= 240) {
		const char *name = some[size - 240];
		buffer_append(b, name, strlen(name) + 1);
		return;
	}
	for (unsigned i = 0; i < size * (size > 230 ? 5u : 1u); i++) {
		uint8_t c = size > 230 ? 'x' : reader_u8(r);
		buffer_u8(b, c ? c : '@');
	}
	buffer_u8(b, 0);
}

static void put_zeros(struct buffer *b, size_t size)
{
	while (size-- > 0)
		buffer_u8(b, 0);
}

/* What a message of this kind holds; its fields where they stand in linux/fuse.h. */
static void put_body(struct buffer *b, uint32_t opcode, const struct one_mount *o,
		     struct reader *r)
{
	struct fuse_read_in read = { .offset = reader_u64(r) };

	switch (opcode) {
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		/* The kernel asks for no more than max_read. */
		read.size = reader_u32(r) % (MOUNT_MAX_READ + 1);
		read.offset >>= reader_u8(r) % 64;
		buffer_append(b, &read, sizeof read);
		break;
	case FUSE_LSEEK: {
		struct fuse_lseek_in in = { .offset = read.offset >> reader_u8(r) % 64,
					    .whence = reader_u8(r) };
		buffer_append(b, &in, sizeof in);
		break;
	}
	case FUSE_LOOKUP:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
	case FUSE_REMOVEXATTR:
		put_name(b, r);
		break;
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR: {
		struct fuse_getxattr_in in = { .size = reader_u32(r) % 65537 };
		buffer_append(b, &in, sizeof in);
		if (opcode == FUSE_GETXATTR)
			put_name(b, r);
		break;
	}
	case FUSE_BATCH_FORGET: {
		struct fuse_batch_forget_in in = { .count = 1 };
		struct fuse_forget_one one = { .nodeid = node_of(o, r), .nlookup = read.offset };
		buffer_append(b, &in, sizeof in);
		buffer_append(b, &one, sizeof one);
		break;
	}
	case FUSE_SYMLINK:
	case FUSE_RENAME:
	case FUSE_RENAME2:
	case FUSE_LINK:
		if (opcode == FUSE_RENAME2)
			put_zeros(b, sizeof(struct fuse_rename2_in));
		else if (opcode != FUSE_SYMLINK)
			buffer_u64(b, node_of(o, r));
		put_name(b, r);
		put_name(b, r);
		break;
	case FUSE_SETXATTR:
		put_zeros(b, FUSE_COMPAT_SETXATTR_IN_SIZE);
		put_name(b, r);
		break;
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_CREATE:
		put_zeros(b, opcode == FUSE_MKDIR ? sizeof(struct fuse_mkdir_in) : 16);
		put_name(b, r);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		buffer_u32(b, (uint32_t)read.offset);
		buffer_u32(b, 0);
		break;
	default:	/* all zeros, as long as the longest: write, setattr, ioctl, ... */
		buffer_u64(b, read.offset);
		put_zeros(b, 256);
	}
}

static void check_data(const struct one_mount *o, uint64_t ino, const struct buffer *body)
{
	const struct known *k = find((struct one_mount *)o, ino);
	size_t got = answer_size - sizeof(struct fuse_out_header);
	struct fuse_read_in in;

	memcpy(&in, body->data, sizeof in);
	MUST(got <= in.size);
	if (!k || !k->content)
		return;
	if (in.offset >= k->size) {
		MUST(got == 0);
		return;
	}
	MUST(got == (in.size < k->size - in.offset ? in.size : k->size - in.offset));
	MUST(memcmp(answer + sizeof(struct fuse_out_header), k->content + in.offset, got) == 0);
}

static void check_listing(bool has_attrs, size_t room)
{
	const uint8_t *at = answer + sizeof(struct fuse_out_header);
	size_t size = answer_size - sizeof(struct fuse_out_header);

	MUST(size <= room);
	while (size > 0) {
		size_t head = has_attrs ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
		struct fuse_dirent d;

		MUST(size >= head);
		memcpy(&d, at + head - FUSE_NAME_OFFSET, FUSE_NAME_OFFSET);
		MUST(d.namelen > 0 && d.namelen <= 255 && size >= head + d.namelen);
		MUST(!memchr(at + head, '/', d.namelen) && !memchr(at + head, 0, d.namelen));
		MUST(size >= FUSE_DIRENT_ALIGN(head + d.namelen));
		at += FUSE_DIRENT_ALIGN(head + d.namelen);
		size -= FUSE_DIRENT_ALIGN(head + d.namelen);
	}
}

static void check_answer(const struct one_mount *o, uint32_t opcode, uint64_t ino,
			 const struct buffer *body)
{
	struct fuse_entry_out entry;
	struct fuse_attr_out attr;
	struct fuse_read_in in;

	switch (opcode) {
	case FUSE_LOOKUP:
		memcpy(&entry, answer + sizeof(struct fuse_out_header), sizeof entry);
		MUST(entry.nodeid == 0 || (entry.attr.mode & S_IFMT) != 0);
		break;
	case FUSE_GETATTR:
		memcpy(&attr, answer + sizeof(struct fuse_out_header), sizeof attr);
		MUST((attr.attr.mode & S_IFMT) != 0 && (attr.attr.ino == ino ||
		     attr.attr.ino == FUSE_ROOT_ID));	/* the root has two numbers */
		break;
	case FUSE_READ:
		check_data(o, ino, body);
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		memcpy(&in, body->data, sizeof in);
		check_listing(opcode == FUSE_READDIRPLUS, in.size);
		break;
	case FUSE_SETATTR: case FUSE_SYMLINK: case FUSE_MKNOD: case FUSE_MKDIR:
	case FUSE_UNLINK: case FUSE_RMDIR: case FUSE_RENAME: case FUSE_RENAME2:
	case FUSE_LINK: case FUSE_WRITE: case FUSE_SETXATTR: case FUSE_REMOVEXATTR:
	case FUSE_CREATE: case FUSE_FALLOCATE: case FUSE_COPY_FILE_RANGE: case FUSE_TMPFILE:
		MUST(!"a mount that writes");
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct one_mount *o = &mounts[reader_u8(&r) % MOUNTS];

	for (unsigned i = 0; i < REQUESTS_MAX && reader_left(&r) > 0; i++) {
		uint32_t opcode = reader_u8(&r) % (FUSE_TMPFILE + 2);
		uint64_t ino = node_of(o, &r);
		struct buffer body = { .data = NULL };

		/* Those speak of the session; an interrupt waits for what it interrupts. */
		if (opcode == FUSE_INIT || opcode == FUSE_DESTROY || opcode == FUSE_INTERRUPT ||
		    opcode == FUSE_NOTIFY_REPLY)
			continue;
		put_body(&body, opcode, o, &r);
		if (ask(&o->m, opcode, ino, i % 2 ? 1000 : 0, body.data, body.size) == 0)
			check_answer(o, opcode, ino, &body);
		buffer_free(&body);
	}
	return 0;
}

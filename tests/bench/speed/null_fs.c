/*
 * A file system that does nothing: what is left is the kernel's round trip, which no file
 * system in user space can avoid.
 *
 *	null_fs MOUNTPOINT FOLDERS FILES-A-FOLDER FILE-SIZE BIG-SIZE
 *
 * Shows FOLDERS folders of equal small files, and one large file, events.log, unless its size
 * is 0; all of them zeros.  It is as kind to the kernel as the protocol allows: no open or release to answer,
 * names and attributes good for a day, listings with attributes, requests of a MiB.
 */
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROOT = FUSE_ROOT_ID, BIG = 2, FIRST = 16, REQUEST = 1 << 20, THREADS = 10 };
static const double DAY = 86400;

/* Nodes: FIRST + folder; after all folders, its files, folder after folder. */
struct shape {
	unsigned folders, files;
	off_t file_size, big_size;
	char *zeros;
};

static const struct shape *shape_of(fuse_req_t request)
{
	return fuse_req_userdata(request);
}

static bool is_folder(const struct shape *s, fuse_ino_t node)
{
	return node == ROOT || (node >= FIRST && node < FIRST + s->folders);
}

static struct stat attributes(const struct shape *s, fuse_ino_t node)
{
	struct stat st = { .st_ino = node, .st_nlink = 1, .st_mode = S_IFREG | 0444 };

	st.st_mtime = st.st_ctime = st.st_atime = 1500000000;
	if (is_folder(s, node)) {
		st.st_mode = S_IFDIR | 0555;
		st.st_nlink = 2;
	} else {
		st.st_size = node == BIG ? s->big_size : s->file_size;
		st.st_blocks = (st.st_size + 511) / 512;
	}
	return st;
}

static struct fuse_entry_param entry_of(const struct shape *s, fuse_ino_t node)
{
	return (struct fuse_entry_param){ .ino = node, .attr = attributes(s, node),
					  .attr_timeout = DAY, .entry_timeout = DAY };
}

static fuse_ino_t file_node(const struct shape *s, fuse_ino_t folder, unsigned file)
{
	return FIRST + s->folders + (folder - FIRST) * s->files + file;
}

/* The nth child: its name into `name`, its node returned; 0 after the last. */
static fuse_ino_t child(const struct shape *s, fuse_ino_t folder, uint64_t n, char name[24])
{
	if (folder == ROOT && n < s->folders) {
		snprintf(name, 24, "d%05u", (unsigned)n);
		return FIRST + n;
	}
	if (folder == ROOT && n == s->folders && s->big_size > 0) {
		strcpy(name, "events.log");
		return BIG;
	}
	if (folder == ROOT || n >= s->files)
		return 0;
	snprintf(name, 24, "f%03u.txt", (unsigned)n);
	return file_node(s, folder, (unsigned)n);
}

static void on_init(void *userdata, struct fuse_conn_info *connection)
{
	(void)userdata;
	connection->want |= connection->capable & FUSE_CAP_PARALLEL_DIROPS;
	connection->max_read = REQUEST;
	connection->max_readahead = REQUEST;
	connection->max_background = 64;
	connection->congestion_threshold = 48;
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	const struct shape *s = shape_of(request);
	fuse_ino_t node = 0;
	unsigned n = 0;

	if (parent == ROOT && strcmp(name, "events.log") == 0)
		node = BIG;
	else if (parent == ROOT && sscanf(name, "d%5u", &n) == 1 && n < s->folders)
		node = FIRST + n;
	else if (parent != ROOT && sscanf(name, "f%u", &n) == 1 && n < s->files)
		node = file_node(s, parent, n);
	if (node == 0) {
		fuse_reply_err(request, ENOENT);
		return;
	}
	struct fuse_entry_param e = entry_of(s, node);
	fuse_reply_entry(request, &e);
}

static void on_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
	struct stat st = attributes(shape_of(request), node);

	(void)file;
	fuse_reply_attr(request, &st, DAY);
}

/* ENOSYS once, and the kernel opens and releases by itself from then on. */
static void on_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file)
{
	(void)node;
	(void)file;
	fuse_reply_err(request, ENOSYS);
}

static void on_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *file)
{
	const struct shape *s = shape_of(request);
	off_t end = node == BIG ? s->big_size : s->file_size;

	(void)file;
	if (offset >= end)
		size = 0;
	else if ((off_t)size > end - offset)
		size = (size_t)(end - offset);
	fuse_reply_buf(request, s->zeros, size < REQUEST ? size : REQUEST);
}

static void list(fuse_req_t request, fuse_ino_t folder, size_t size, off_t offset, bool plus)
{
	const struct shape *s = shape_of(request);
	char *buffer = malloc(size), name[24];
	size_t used = 0;

	for (uint64_t n = (uint64_t)offset; buffer; n++) {
		fuse_ino_t node = child(s, folder, n, name);
		if (node == 0)
			break;
		struct fuse_entry_param e = entry_of(s, node);
		size_t needs = plus
			? fuse_add_direntry_plus(request, buffer + used, size - used, name, &e,
						 (off_t)n + 1)
			: fuse_add_direntry(request, buffer + used, size - used, name, &e.attr,
					    (off_t)n + 1);
		if (needs > size - used)
			break;
		used += needs;
	}
	if (buffer)
		fuse_reply_buf(request, buffer, used);
	else
		fuse_reply_err(request, ENOMEM);
	free(buffer);
}

static void on_readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		       struct fuse_file_info *file)
{
	(void)file;
	list(request, node, size, offset, false);
}

static void on_readdirplus(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
			   struct fuse_file_info *file)
{
	(void)file;
	list(request, node, size, offset, true);
}

static void on_forget(fuse_req_t request, fuse_ino_t node, uint64_t times)
{
	(void)node;
	(void)times;
	fuse_reply_none(request);
}

static void on_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets)
{
	(void)count;
	(void)forgets;
	fuse_reply_none(request);
}

static const struct fuse_lowlevel_ops OPERATIONS = {
	.init = on_init, .lookup = on_lookup, .getattr = on_getattr, .open = on_open,
	.opendir = on_open, .read = on_read, .readdir = on_readdir,
	.readdirplus = on_readdirplus, .forget = on_forget, .forget_multi = on_forget_multi,
};

static int serve(struct fuse_session *session, const char *mountpoint)
{
	struct fuse_loop_config *threads = fuse_loop_cfg_create();
	int rc = -1;

	if (fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, mountpoint) == 0) {
		fuse_loop_cfg_set_max_threads(threads, THREADS);
		fuse_loop_cfg_set_idle_threads(threads, THREADS);
		if (fuse_daemonize(0) == 0)
			rc = fuse_session_loop_mt(session, threads);
		fuse_session_unmount(session);
	}
	fuse_remove_signal_handlers(session);
	fuse_loop_cfg_destroy(threads);
	return rc;
}

int main(int argc, char **argv)
{
	char *options[] = { argv[0], "-omax_read=1048576,fsname=null_fs" };
	struct fuse_args args = FUSE_ARGS_INIT(2, options);
	struct shape s = { .zeros = calloc(1, REQUEST) };

	if (argc != 6 || !s.zeros) {
		fprintf(stderr, "usage: null_fs MOUNTPOINT FOLDERS FILES FILE-SIZE BIG-SIZE\n");
		return 2;
	}
	s.folders = (unsigned)strtoul(argv[2], NULL, 10);
	s.files = (unsigned)strtoul(argv[3], NULL, 10);
	s.file_size = strtoll(argv[4], NULL, 10);
	s.big_size = strtoll(argv[5], NULL, 10);
	struct fuse_session *session = fuse_session_new(&args, &OPERATIONS, sizeof OPERATIONS, &s);
	if (!session)
		return 1;
	int rc = serve(session, argv[1]);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	free(s.zeros);
	return rc == 0 ? 0 : 1;
}

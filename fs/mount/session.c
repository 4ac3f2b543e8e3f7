#include "fs/mount/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/mount/device.h"
#include "fs/mount/kernel_ahead.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"

static void add(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

/* A comma in a value would end the option. */
static void add_value(struct buffer *b, const char *value)
{
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			buffer_u8(b, '\\');
		buffer_u8(b, (uint8_t)*value);
	}
}

static char *mount_words(const struct mount_options *o, struct err *e)
{
	struct buffer b = { 0 };
	char max_read[48];

	add(&b, "ro,default_permissions,subtype=munifs");
	snprintf(max_read, sizeof max_read, ",max_read=%u,fsname=", MOUNT_MAX_READ);
	add(&b, max_read);
	add_value(&b, o->fsname ? o->fsname : o->archive);
	if (o->allow_other)
		add(&b, ",allow_other");
	add(&b, o->dev ? ",dev" : ",nodev");
	add(&b, o->suid ? ",suid" : ",nosuid");
	if (o->debug)
		add(&b, ",debug");
	if (o->pass_on)
		add(&b, o->pass_on);
	buffer_u8(&b, '\0');
	if (b.failed) {
		buffer_free(&b);
		err_set(e, MUNI_NO_MEMORY, "no memory for the mount's options");
		return NULL;
	}
	return (char *)b.data;
}

/* libfuse's words, in our name. */
static void relay(enum fuse_log_level level, const char *format, va_list args)
{
	(void)level;
	fputs("munifs: ", stderr);
	vfprintf(stderr, format, args);
}

int session_open(struct mount *m, struct err *e)
{
	char *words = mount_words(&m->o, e);
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int rc = -1;

	if (!words)
		return -1;
	fuse_set_log_func(relay);
	if (fuse_opt_add_arg(&args, "munifs") < 0 || fuse_opt_add_arg(&args, "-o") < 0 ||
	    fuse_opt_add_arg(&args, words) < 0) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the mount's options");
		goto out;
	}
	m->session = fuse_session_new(&args, &mount_ops, sizeof mount_ops, m);
	if (!m->session) {
		err_set(e, MUNI_USAGE, "libfuse does not take these options (see above)");
		goto out;
	}
	if (fuse_session_mount(m->session, m->o.mountpoint) < 0) {
		fuse_session_destroy(m->session);
		m->session = NULL;
		err_set(e, MUNI_UNSUPPORTED, "mounting on %s was refused (see above): is "
			"mounting allowed here, and is the mountpoint yours?",
			text_printable(m->o.mountpoint));
		goto out;
	}
	if (m->o.kernel_readahead > 0)
		m->kernel_ahead_fd = kernel_ahead_open(m->o.mountpoint);
	rc = device_attach(m, e);
	if (rc < 0) {
		fuse_session_unmount(m->session);
		fuse_session_destroy(m->session);
		m->session = NULL;
	}
out:
	fuse_opt_free_args(&args);
	free(words);
	return rc;
}

int session_loop(struct fuse_session *s, unsigned threads, bool *was_signalled,
		 struct err *e)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int rc;

	if (!config)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the session");
	/* Threads stay: each new one would open a connection anew. */
	fuse_loop_cfg_set_max_threads(config, threads);
	fuse_loop_cfg_set_idle_threads(config, threads);
	fuse_loop_cfg_set_clone_fd(config, 0);
	if (fuse_set_signal_handlers(s) < 0) {
		fuse_loop_cfg_destroy(config);
		return err_set(e, MUNI_IO, "signal handlers could not be set");
	}
	rc = fuse_session_loop_mt(s, config);
	fuse_remove_signal_handlers(s);
	fuse_loop_cfg_destroy(config);
	*was_signalled = rc > 0;	/* the signal's number */
	if (rc < 0)
		return err_set(e, MUNI_IO, "the session with the kernel broke off: %s",
			       strerror(-rc));
	return 0;
}

static void hush(enum fuse_log_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
}

void session_close(struct fuse_session *s)
{
	if (!s)
		return;
	/* Only frees by now: the mount is gone, or waits lazily for its last user,
	 * and the sandbox would refuse; nobody needs to hear of that. */
	fuse_set_log_func(hush);
	fuse_session_unmount(s);
	fuse_session_destroy(s);
}

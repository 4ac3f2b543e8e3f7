#include "fs/mount/serve.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/mount/access_log.h"
#include "fs/mount/ahead.h"
#include "fs/mount/beside.h"
#include "fs/mount/cursors.h"
#include "fs/mount/family.h"
#include "fs/mount/listings.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/pool.h"
#include "fs/mount/prompt.h"
#include "fs/mount/recent.h"
#include "fs/mount/sandbox.h"
#include "fs/mount/session.h"
#include "fs/mount/status.h"
#include "fs/mount/unmounter.h"
#include "fs/mount/view.h"
#include "fs/mount/watch.h"
#include "fs/vault/follow.h"
#include "fs/vault/frozen.h"
#include "fs/vault/presence.h"

/* SQLite's caches of all connections together; the rest of the 32 MiB that a
 * mount takes besides cache= is code, decoders and these tables. */
#define CATALOGUE_CACHES (6u << 20)
#define CATALOGUE_CACHE_MIN (256u * 1024)
#define HELPERS_MAX 4

/* ---- what is done beside the rest ------------------------------------------------------ */

/* What the sandbox wants before it closes; nothing has to be unlocked for it. */
static int prepare(struct mount *m, struct err *e)
{
	(void)e;
	/* glibc loads the unwinder at the first cancellation: too late in a sandbox, but
	 * what is loaded already it finds by this name.  It stays. */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW);
	if (!m->o.foreground)
		messages_open_syslog();
	return 0;
}

static int warm_pool(struct mount *m, struct err *e)
{
	(void)e;
	pool_warm(m->pool);
	return 0;
}

static int register_mount(struct mount *m, struct err *e)
{
	char about[PATH_MAX + 64];

	snprintf(about, sizeof about, "munifs, process %ld, on %s", (long)getpid(),
		 m->o.mountpoint);
	return presence_register(m->vault, about, &m->presence, e);
}

/* ---- what is mounted ----------------------------------------------------------------- */

static int resolve(struct mount *m, struct catalogue *c, struct err *e)
{
	char spec[300];

	m->shape = MOUNT_ARCHIVE;
	if (!m->o.system)
		return 0;
	if (catalogue_system_find(c, m->o.system, &m->system, e) < 0)
		return e->code != MUNI_NOT_FOUND ? -1 :
		       err_set(e, MUNI_NOT_FOUND, "there is no system %s in this archive; "
			       "`muni log` lists them", text_printable(m->o.system));
	m->shape = MOUNT_SYSTEM;
	if (!m->o.version)
		return 0;
	m->shape = MOUNT_VERSION;
	if (strcmp(m->o.version, "latest") == 0)
		return catalogue_version_find(c, m->system.id, NULL, &m->version, e);
	snprintf(spec, sizeof spec, "%s@%s", m->o.system,
		 m->o.version + (m->o.version[0] == '@'));
	return vault_resolve(c, spec, &m->version, e);
}

/* Folders above a version are ours: the mounting user's, and where an audience
 * was named for others to enter, the audience's alone. */
static int own_folders(struct mount *m, struct err *e)
{
	gid_t audience;

	m->owner_uid = geteuid();
	m->owner_gid = getegid();
	if (!m->o.audience)
		return 0;
	if (options_group(m->o.audience, &audience)) {
		m->owner_gid = audience;
	} else if (m->o.allow_other) {
		return err_set(e, MUNI_USAGE, "audience=%s: this host has no such group, so "
			       "nobody could be kept out", text_printable(m->o.audience));
	}
	return 0;
}

static int open_parts(struct mount *m, struct beside *open_reader, struct err *e)
{
	unsigned readers = m->o.threads + LISTINGS_THREADS;
	size_t each = CATALOGUE_CACHES / readers;
	size_t window = m->o.readahead < m->o.cache / 4 ? m->o.readahead : m->o.cache / 4;
	unsigned processors = team_processors();
	unsigned helpers = processors < 2 ? 1 : processors > HELPERS_MAX ? HELPERS_MAX :
			   processors - 1;
	struct catalogue_settings settings;
	struct view_change unused;

	if (each < CATALOGUE_CACHE_MIN)
		each = CATALOGUE_CACHE_MIN;
	m->blocks = block_cache_new(m->o.cache);
	m->view = view_new(m);
	m->recent = recent_new();
	m->cursors = cursors_new();
	m->family = family_new();
	m->listings = listings_new(m);
	m->ahead = ahead_new(window);
	m->status = status_new();
	m->pool = m->blocks ? pool_new(m->vault, m->blocks, readers, each) : NULL;
	if (!m->blocks || !m->view || !m->recent || !m->cursors || !m->family ||
	    !m->listings || !m->ahead || !m->status ||
	    !m->pool)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a cache of %zu bytes; give a "
			       "smaller cache=", m->o.cache);
	beside_start(open_reader, warm_pool, m);
	if (catalogue_settings_get(vault_catalogue(m->vault), &settings, e) < 0)
		return -1;
	m->generation = settings.generation;
	if (view_refresh(m->view, vault_catalogue(m->vault), &unused, e) < 0)
		return -1;
	m->helpers = helpers;
	return 0;
}

static void close_parts(struct mount *m)
{
	listings_free(m->listings);
	family_free(m->family);
	pool_free(m->pool);
	block_cache_free(m->blocks);
	status_free(m->status);
	ahead_free(m->ahead);
	cursors_free(m->cursors);
	recent_free(m->recent);
	view_free(m->view);
	file_close(&m->folder);
}

/* ---- the moment from which it serves --------------------------------------------------- */

static void on_ready(struct mount *m)
{
	char serving = 0;

	if (m->ready_fd < 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		dup2(m->null_fd, fd);
	messages_to_syslog(m->messages);
	(void)!write(m->ready_fd, &serving, 1);
	file_close(&m->ready_fd);
}

static int enter_sandbox(struct mount *m, struct err *e)
{
	struct sandbox_paths paths = { .archive = m->o.archive,
				       .run = m->presence ? presence_folder(m->presence) : -1 };

	return sandbox_enter(&paths, e);
}

/* ---- serving ------------------------------------------------------------------------------ */

struct steps {
	struct beside prepare, open_reader, register_mount;
};

static void finish_steps(struct steps *s)
{
	struct err ignored = ERR_NONE;

	(void)beside_finish(&s->prepare, &ignored);
	(void)beside_finish(&s->open_reader, &ignored);
	(void)beside_finish(&s->register_mount, &ignored);
}

/* From here to the end the mountpoint is mounted. */
static int run(struct mount *m, struct serve_ends *ends, struct steps *s, struct err *e)
{
	struct watch *watch = NULL;
	bool was_signalled = false;
	int rc = -1;

	finish_steps(s);
	vault_frozen_prepare(m->vault);
	if (enter_sandbox(m, e) < 0 ||
	    block_cache_start_helpers(m->blocks, m->vault, m->helpers, e) < 0 ||
	    listings_start(m->listings, e) < 0 || watch_start(m, &watch, e) < 0)
		goto out;
	rc = session_loop(m->session, m->o.threads, &was_signalled, e);
	if (rc == 0 && atomic_load(&m->was_refused))
		rc = err_set(e, MUNI_IO, "the kernel could not be answered when it asked who serves "
			     "this mount, most likely for want of memory: mount again");
out:
	if (rc < 0 || was_signalled)
		unmounter_unmount(&ends->unmounter);
	else
		unmounter_dismiss(&ends->unmounter);
	watch_stop(watch);
	listings_stop(m->listings);
	return rc;
}

static int serve_vault(struct mount *m, struct serve_ends *ends, struct steps *s,
		       struct err *e)
{
	struct err why = ERR_NONE;
	int rc = -1;

	beside_start(&s->register_mount, register_mount, m);
	if (resolve(m, vault_catalogue(m->vault), e) < 0 || own_folders(m, e) < 0 ||
	    open_parts(m, &s->open_reader, e) < 0)
		goto out;
	for (unsigned i = 0; vault_notice(m->vault, i); i++)
		messages_say(m->messages, "%s", vault_notice(m->vault, i));
	if (vault_memory_warning())
		messages_say(m->messages, "%s", vault_memory_warning());
	if (beside_finish(&s->register_mount, &why) < 0)
		messages_say(m->messages, "this mount could not register itself, so no "
			     "destruction can count on it: %s", why.text);
	/* Who switched the epoch before we could be told has not heard of us. */
	if (vault_epoch_check(m->vault, e) < 0 || session_open(m, e) < 0)
		goto out;
	if (m->presence && presence_set_mountpoint(m->presence, m->o.mountpoint, &why) < 0)
		messages_say(m->messages, "the run folder does not say where this mount is: %s",
			     why.text);
	rc = run(m, ends, s, e);
	session_close(m->session);
out:
	finish_steps(s);
	presence_close(m->presence);
	close_parts(m);
	return rc;
}

int serve(const struct mount_options *o, struct serve_ends *ends, struct err *e)
{
	struct vault_options vault = { .keys = {
		.keyring = o->keyring,
		.key_file = o->key_file,
		.passphrase_file = o->passphrase_file,
		.prompt = prompt_terminal,
	} };
	struct mount m = { .o = *o, .folder = -1, .ready_fd = ends->ready,
			   .kernel_ahead_fd = -1,
			   .on_ready = on_ready, .access_log = ends->access_log };
	struct steps steps = { .prepare.rc = 0 };
	int rc = -1;

	m.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	m.messages = messages_new();
	if (m.null_fd < 0 || !m.messages) {
		err_set(e, MUNI_NO_MEMORY, "no memory to start");
		goto out;
	}
	beside_start(&steps.prepare, prepare, &m);
	if (vault_open(o->archive, &vault, VAULT_READ, &m.vault, e) < 0)
		goto out;
	if (ends->ready >= 0)	/* after the prompt: the terminal is no longer needed */
		setsid();
	/* Reading needs the catalogue's key alone; that of another epoch will be told. */
	vault_forget_keys(m.vault);
	m.folder = file_open_user(o->archive, O_RDONLY | O_DIRECTORY, 0, e);
	if (m.folder >= 0)
		rc = serve_vault(&m, ends, &steps, e);
	vault_close(m.vault);
out:
	finish_steps(&steps);
	messages_free(m.messages);
	file_close(&m.kernel_ahead_fd);
	file_close(&m.null_fd);
	return rc;
}

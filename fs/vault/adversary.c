/* Starting muni-adversary, telling it what it is to look for, hearing what it found. */
#include "fs/vault/adversary.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/arena.h"
#include "fs/vault/inside.h"
#include "fs/vault/sibling.h"

#define REQUEST_FD 3
#define NAME "muni-adversary"

/* ---- what it is asked --------------------------------------------------------------- */

static int load_traces(struct vault *v, struct traces *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t size;
	int rc = catalogue_traces_get(v->catalogue, &data, &size, e);

	if (rc == 0 && data != NULL)
		rc = traces_unpack(data, size, out, e);
	free(data);
	return rc;
}

/* Every key that the keyring holds and that is one of 32 bytes. */
static void add_keys(const struct vault *v, struct adversary_request *r)
{
	const uint8_t *const keys[] = { keyring_dedupe_key(v->keyring),
					keyring_chunker_key(v->keyring) };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		memcpy(r->keys[r->key_count++], keys[i], 32);
}

static int fill_request(struct vault *v, struct adversary_request *r, struct err *e)
{
	const uint8_t *key = keyring_catalogue_key(v->keyring, v->epoch);

	memset(r, 0, sizeof *r);
	r->archive = strdup(v->path);
	r->keyring = strdup(v->keyring_path);
	memcpy(r->archive_id, v->id, sizeof r->archive_id);
	r->epoch = v->epoch;
	if (r->archive == NULL || r->keyring == NULL || key == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the adversarial check");
	memcpy(r->catalogue_key, key, sizeof r->catalogue_key);
	add_keys(v, r);
	return load_traces(v, &r->traces, e);
}

/* ---- the program ----------------------------------------------------------------------- */

struct pipes {
	int to[2], from[2];
};

static int start(const char *path, struct pipes *p, pid_t *pid, struct err *e)
{
	char name[] = NAME, *args[] = { name, NULL };
	char locale[] = "LC_ALL=C.UTF-8", *environment[] = { locale, NULL };
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, p->from[1], 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, p->to[0], REQUEST_FD);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, NULL, args, environment);
	posix_spawn_file_actions_destroy(&actions);
	file_close(&p->to[0]);
	file_close(&p->from[1]);
	if (rc == 0)
		return 0;
	errno = rc;
	return err_errno(e, "starting " NAME);
}

/* Above the places that are filled in the child. */
static int make_pipe(int ends[2], struct err *e)
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) < 0)
		return err_errno(e, "making a pipe");
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, REQUEST_FD + 1);
		close(low[i]);
	}
	return ends[0] < 0 || ends[1] < 0 ? err_errno(e, "making a pipe") : 0;
}

/* It reads all before it says anything; should it end early, SIGPIPE is not for us. */
static int send_request(int fd, const uint8_t *data, size_t size, struct err *e)
{
	sigset_t pipe_only, before;
	size_t sent = 0;
	int rc = 0;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	while (rc == 0 && sent < size) {
		ssize_t n = write(fd, data + sent, size - sent);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			rc = err_errno(e, "asking " NAME);
	}
	if (rc < 0 && e->sys == EPIPE)
		sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0, 0 });
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int hear(int fd, char **out, struct err *e)
{
	char *text = malloc(ADVERSARY_REPORT_MAX + 1);
	size_t used = 0;
	ssize_t n;

	if (text == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the adversary's report");
	while (used < ADVERSARY_REPORT_MAX &&
	       ((n = read(fd, text + used, ADVERSARY_REPORT_MAX - used)) > 0 ||
		(n < 0 && errno == EINTR)))
		used += n > 0 ? (size_t)n : 0;
	text[used] = '\0';
	*out = text;
	return 0;
}

/* The report, or NULL with e. */
static char *ask(const char *path, const struct adversary_request *r, struct err *e)
{
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	uint8_t *data = NULL;
	size_t size = 0;
	char *text = NULL;
	int status = 0, rc = -1;
	pid_t pid = 0;

	if (adversary_request_pack(r, &data, &size, e) < 0)
		return NULL;
	if (make_pipe(p.to, e) == 0 && make_pipe(p.from, e) == 0 && start(path, &p, &pid, e) == 0) {
		rc = send_request(p.to[1], data, size, e);
		file_close(&p.to[1]);
		if (rc == 0)
			rc = hear(p.from[0], &text, e);
	}
	for (int i = 0; i < 2; i++) {
		file_close(&p.to[i]);
		file_close(&p.from[i]);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = err_set(e, MUNI_IO, NAME " ended without a report");
	if (rc < 0) {
		free(text);
		text = NULL;
	}
	arena_key_free(data);
	return text;
}

static int not_run(struct adversary_report *out, const struct err *why, struct err *e)
{
	json_t *o = json_pack("{ss}", "not_run", why->text);

	out->text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return out->text != NULL ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a report");
}

/* It found nothing and did not come to its end: that is no finding. */
static int broke_off(const json_t *report, struct err *e)
{
	const char *why = json_string_value(json_object_get(report, "failed"));

	if (!why || json_array_size(json_object_get(report, "found")) > 0)
		return 0;
	return err_set(e, MUNI_IO, "the adversarial check broke off: %.600s", why);
}

int adversary_run(struct vault *v, struct adversary_report *out, struct err *e)
{
	struct adversary_request request;
	struct err why = ERR_NONE;
	char path[PATH_MAX];
	json_t *report;
	int rc = fill_request(v, &request, e);

	*out = (struct adversary_report){ .text = NULL };
	if (rc < 0) {
		adversary_request_clear(&request);
		return -1;
	}
	if (sibling_find(NAME, "MUNIMENT_ADVERSARY", "tries to find what was destroyed", path,
			 sizeof path, &why) == 0)
		out->text = ask(path, &request, &why);
	adversary_request_clear(&request);
	if (out->text == NULL)
		return not_run(out, &why, e);
	report = json_loads(out->text, JSON_REJECT_DUPLICATES, NULL);
	out->was_run = report != NULL;
	out->has_passed = json_is_true(json_object_get(report, "passed"));
	rc = broke_off(report, e);
	json_decref(report);
	if (rc < 0) {
		free(out->text);
		*out = (struct adversary_report){ .text = NULL };
	}
	return rc;
}

#include "fs/crypt/stretch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/secret.h"

#define KEY_SIZE 32
#define MEMORY_MAX ((uint64_t)1 << 30)
#define MEMORY_SLACK ((uint64_t)1 << 20)	/* OpenSSL counts its own tables too */

/* A pipe holds this much without a reader: POSIX promises PIPE_BUF. */
_Static_assert(STRETCH_PASSPHRASE_MAX <= PIPE_BUF, "a passphrase fits a pipe");

static int check(const struct stretch *how, size_t size, struct err *e)
{
	if (how->log_n < 1 || how->log_n > 24 || how->r < 1 || how->r > 64 || how->p < 1 ||
	    how->p > 16 || ((uint64_t)128 * how->r << how->log_n) > MEMORY_MAX)
		return err_set(e, MUNI_LIMIT, "its scrypt parameters (N=2^%u, r=%u, p=%u) ask "
			       "for more than 1 GiB: no slot of ours does",
			       how->log_n, how->r, how->p);
	if (size == 0 || size > STRETCH_PASSPHRASE_MAX)
		return err_set(e, MUNI_CANNOT_UNLOCK, "a passphrase has 1 to %d bytes, this "
			       "one has %zu", STRETCH_PASSPHRASE_MAX, size);
	return 0;
}

static ssize_t read_whole(int fd, void *out, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, (char *)out + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* In the child: passphrase in, key out, nothing else touched. */
static int child_main(const struct stretch *how, int in, int out)
{
	char *passphrase;
	uint8_t *key;
	ssize_t size;

	secret_begin_child();
	passphrase = secret_new(STRETCH_PASSPHRASE_MAX);
	key = secret_new(KEY_SIZE);
	if (!passphrase || !key)
		return 1;
	size = read_whole(in, passphrase, STRETCH_PASSPHRASE_MAX);
	if (size > 0 &&
	    EVP_PBE_scrypt(passphrase, (size_t)size, how->salt, sizeof how->salt,
			   (uint64_t)1 << how->log_n, how->r, how->p,
			   2 * MEMORY_MAX + MEMORY_SLACK, key, KEY_SIZE) == 1 &&
	    write(out, key, KEY_SIZE) == KEY_SIZE)
		return 0;
	return 1;	/* it ends at once, and its memory with it */
}

/* Secret memory is zeros in a child: the passphrase goes through a pipe. */
static int run(const struct stretch *how, int to[2], int from[2], uint8_t out[KEY_SIZE],
	       struct err *e)
{
	ssize_t got;
	int status;
	pid_t child = fork();

	if (child < 0)
		return err_errno(e, "starting a process for key derivation");
	if (child == 0)
		_exit(child_main(how, to[0], from[1]));
	file_close(&from[1]);
	got = read_whole(from[0], out, KEY_SIZE);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (got != KEY_SIZE)
		return err_set(e, MUNI_NO_MEMORY, "key derivation ended without a key: it "
			       "takes %llu MiB of memory for a moment",
			       (unsigned long long)(((uint64_t)128 * how->r << how->log_n) >>
						    20));
	return 0;
}

int stretch(const struct stretch *how, const void *passphrase, size_t size,
	    uint8_t out[32], struct err *e)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	int rc = -1;

	if (check(how, size, e) < 0)
		return -1;
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
		err_errno(e, "making a pipe for key derivation");
		goto out;
	}
	if (write(to[1], passphrase, size) != (ssize_t)size) {
		err_errno(e, "handing a passphrase to key derivation");
		goto out;
	}
	file_close(&to[1]);	/* before the fork: the child reads to its end */
	rc = run(how, to, from, out, e);
out:
	file_close(&to[0]);
	file_close(&to[1]);
	file_close(&from[0]);
	file_close(&from[1]);
	return rc;
}

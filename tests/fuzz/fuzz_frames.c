/* What a reading child could say that a hostile archive has taken over: frames with any
 * bytes, as they come, and (first byte odd) each with a size that fits what is left. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/vault/foreign.h"
#include "fs/vault/foreign_wire.h"
#include "tests/fuzz/foreign_hear.h"
#include "tests/fuzz/fuzz.h"

static int said;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	said = memfd_create("said", MFD_CLOEXEC);
	MUST(said >= 0);
	return 0;
}

/* Each frame is a type, two bytes of size and so many bytes. */
static void say_frames(const uint8_t *data, size_t size)
{
	while (size >= 3) {
		size_t n = (size_t)data[1] << 8 | data[2];
		uint8_t head[WIRE_HEAD_SIZE] = { (uint8_t)(WIRE_KIND + data[0] % WIRE_BROKEN) };

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		head[1] = (uint8_t)n;
		head[2] = (uint8_t)(n >> 8);
		MUST(write(said, head, sizeof head) == (ssize_t)sizeof head);
		MUST(write(said, data, n) == (ssize_t)n);
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct foreign_options o = { .bomb_limit = 1u << 20 };

	if (size == 0)
		return 0;
	MUST(ftruncate(said, 0) == 0 && lseek(said, 0, SEEK_SET) == 0);
	if (data[0] % 2)
		say_frames(data + 1, size - 1);
	else
		MUST(write(said, data + 1, size - 1) == (ssize_t)size - 1);
	MUST(lseek(said, 0, SEEK_SET) == 0);
	foreign_hear(dup(said), &o, false);
	return 0;
}

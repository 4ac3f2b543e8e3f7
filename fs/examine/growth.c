/*
 * Two things meet the soft limit of the address space: an allocation, which then is
 * NULL, and the stack, whose fault is a SIGSEGV.  So the allocator's functions stand
 * here in front of the C library's, which tells the libraries' calls nothing as long
 * as there is memory; and a handler, on a stack of its own, asks for the other.
 */
#include "fs/examine/growth.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/base/shortage.h"
#include "fs/content/wire.h"
#include "fs/examine/jail.h"

#define STATUS_PARENT_GONE 0
#define STACK_TO_ASK 8192
#define HANDLER_STACK (64u << 10)

/* The allocator has no argument to pass a state in. */
enum state { NOT_BEGUN, LEAN, ASKING, GROWN };
static atomic_int state;
static atomic_uchar *shortage;	/* set once, by the only thread that there is then */

/* Until it is granted.  No allocation in here, nor anything that a handler may not. */
static void ask(void)
{
	static const uint8_t grow[] = { WIRE_GROW, 0 };
	uint8_t answer[16];
	ssize_t n;

	do
		n = send(JAIL_SOCKET, grow, sizeof grow, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		_exit(STATUS_PARENT_GONE);
	do
		n = recv(JAIL_SOCKET, answer, sizeof answer, 0);
	while (n < 0 && errno == EINTR);
	if (n < 1 || answer[0] != WIRE_GROWN)
		_exit(STATUS_PARENT_GONE);
}

/* What asking needs of the stack is there before it begins: there is no asking
 * while asking. */
static void reach_down(void)
{
	volatile char room[STACK_TO_ASK];

	for (size_t i = sizeof room; i > 0; i -= sizeof room / 8)
		room[i - 1] = 0;
}

/* false: it is as large as it may be already. */
static bool grow(void)
{
	int was = LEAN, error = errno;

	reach_down();
	if (atomic_compare_exchange_strong(&state, &was, ASKING)) {
		ask();
		atomic_store(&state, GROWN);
		(void)syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	} else if (was == ASKING) {	/* another thread does, and it may take long */
		while (atomic_load(&state) == ASKING)
			(void)syscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, ASKING, NULL, NULL, 0);
	} else {
		return false;
	}
	errno = error;
	return true;
}

bool growth_has_happened(void)
{
	return atomic_load(&state) == GROWN;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

/* The allocator and the handler are the sanitizer's; the small limit is not set. */
void growth_prepare(void)
{
}

void growth_begin(atomic_uchar *why)
{
	(void)grow;
	shortage = why;
}

#else

/* ---- the stack ------------------------------------------------------------------------- */

static uintptr_t stack_lowest, stack_highest;

static void on_fault(int number, siginfo_t *info, void *context)
{
	bool is_fault = info->si_code > 0;	/* else somebody sent it */
	uintptr_t at = is_fault ? (uintptr_t)info->si_addr : 0;

	(void)context;
	/* Either way what faulted is done again. */
	if (at >= stack_lowest && at < stack_highest && grow())
		return;
	(void)signal(number, SIG_DFL);
	if (!is_fault)
		(void)raise(number);
}

void growth_prepare(void)
{
	struct rlimit l;
	uintptr_t here = (uintptr_t)&l;

	if (getrlimit(RLIMIT_STACK, &l) < 0 || l.rlim_cur > here)
		l.rlim_cur = here;
	stack_highest = here;
	stack_lowest = here - l.rlim_cur;
}

void growth_begin(atomic_uchar *why)
{
	static char room[HANDLER_STACK];
	const stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	/* Without these a file is opaque that wants much stack and much heap. */
	if (sigaltstack(&stack, NULL) == 0)
		(void)sigaction(SIGSEGV, &action, NULL);
	shortage = why;
	atomic_store(&state, LEAN);
}

/* ---- the heap -------------------------------------------------------------------------- */

#define OURS __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
void __libc_free(void *p);

OURS void *malloc(size_t size);
OURS void *calloc(size_t count, size_t size);
OURS void *realloc(void *old, size_t size);
OURS void *memalign(size_t align, size_t size);
OURS void *aligned_alloc(size_t align, size_t size);
OURS int posix_memalign(void **out, size_t align, size_t size);
OURS void *valloc(size_t size);
OURS void *pvalloc(size_t size);
OURS void free(void *p);

/* G2.  NULL. */
static void *refused(size_t size)
{
	enum shortage why = shortage ? shortage_of(size) : SHORTAGE_NONE;

	if (why != SHORTAGE_NONE)
		atomic_store(shortage, (unsigned char)why);
	return NULL;
}

void *malloc(size_t size)
{
	void *p = __libc_malloc(size);

	if (!p && grow())
		p = __libc_malloc(size);
	return p ? p : refused(size);
}

void *calloc(size_t count, size_t size)
{
	void *p = __libc_calloc(count, size);

	if (!p && grow())
		p = __libc_calloc(count, size);
	return p ? p : refused(size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

void *realloc(void *old, size_t size)
{
	void *p = __libc_realloc(old, size);

	if (size == 0)		/* it has freed it, and NULL is no failure */
		return p;
	if (!p && grow())
		p = __libc_realloc(old, size);
	return p ? p : refused(size);
}

void *memalign(size_t align, size_t size)
{
	void *p = __libc_memalign(align, size);

	if (!p && grow())
		p = __libc_memalign(align, size);
	return p ? p : refused(size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p;

	if (align == 0 || align % sizeof(void *) != 0 || (align & (align - 1)) != 0)
		return EINVAL;
	p = memalign(align, size);
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void *valloc(size_t size)
{
	void *p = __libc_valloc(size);

	if (!p && grow())
		p = __libc_valloc(size);
	return p ? p : refused(size);
}

void *pvalloc(size_t size)
{
	void *p = __libc_pvalloc(size);

	if (!p && grow())
		p = __libc_pvalloc(size);
	return p ? p : refused(size);
}

void free(void *p)
{
	__libc_free(p);
}

#endif

/* What is to fail, and whether this call is it. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "inject.h"

#define DEPTH_MAX 64
#define FOREIGN_MAX 4	/* of a library's frames, the innermost: which of its calls it is */
#define MODULES_MAX TRACE_MODULES

static struct {
	unsigned ops, depth, own;
	unsigned long nth;
	uint64_t site, caller;
	enum verdict verdict;
	bool is_kill, is_sticky, is_ready, is_recording;
	int code;
	const char *path, *count_file;
	pid_t main_pid;
} order = { .ops = OP_WRITE | OP_SYNC | OP_NAME | OP_TRUNCATE, .depth = 12,
	    .verdict = FAILS, .code = ENOSPC };
static atomic_ulong counted;
static atomic_bool has_come;
static struct trace *trace;
static __thread bool is_hushed __attribute__((tls_model("initial-exec")));

/* ---- the program's parts --------------------------------------------------------------- */

static struct module {
	uintptr_t start, end;
	uint64_t name;
	unsigned shown;		/* where the trace has its name */
} modules[MODULES_MAX];
static unsigned module_count, own_module;

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

/* One table for all processes of a command: each has parts of its own, most are shared. */
static unsigned show_module(const char *name)
{
	const size_t size = sizeof trace->modules[0] - 1;
	char text[sizeof trace->modules[0]];
	char *mark;

	memset(text, 0, sizeof text);
	snprintf(text, size, "%s", name);
	for (unsigned i = 0; i < TRACE_MODULES; i++) {
		char none = '\0';

		mark = &trace->modules[i][size];
		/* Its last byte says that it is taken, or being written. */
		if (__atomic_compare_exchange_n(mark, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			memcpy(trace->modules[i], text, size);
			__atomic_store_n(mark, 2, __ATOMIC_RELEASE);
			return i;
		}
		while (__atomic_load_n(mark, __ATOMIC_ACQUIRE) == 1)
			;
		if (strncmp(trace->modules[i], text, size) == 0)
			return i;
	}
	return TRACE_MODULES;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *name = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";
	struct module *m = &modules[module_count];

	(void)size;
	(void)arg;
	if (module_count == MODULES_MAX)
		return 1;
	*m = (struct module){ .start = UINTPTR_MAX };
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD)
			continue;
		if (at < m->start)
			m->start = at;
		if (at + p->p_memsz > m->end)
			m->end = at + p->p_memsz;
	}
	for (const char *c = name; *c != '\0'; c++)
		m->name = mix(m->name, (uint64_t)*c);
	if (trace != NULL) {
		char exe[120] = "";

		if (info->dlpi_name[0] == '\0' &&
		    syscall(SYS_readlink, "/proc/self/exe", exe, sizeof exe - 1) > 0)
			name = exe;
		m->shown = show_module(name);
	}
	module_count++;
	return 0;
}

static unsigned module_of(uintptr_t at)
{
	for (unsigned i = 0; i < module_count; i++)
		if (at >= modules[i].start && at < modules[i].end)
			return i;
	return MODULES_MAX;
}

/* ---- places ------------------------------------------------------------------------------ */

struct look {
	struct trace_place *out;
	uint64_t digest;
	unsigned used, foreign, own;
};

static void add_frame(struct look *l, unsigned m, uint64_t offset)
{
	l->digest = mix(l->digest, m < module_count ? modules[m].name : 1);
	l->digest = mix(l->digest, offset);
	if (l->used < TRACE_FRAMES) {
		l->out->frames[l->used][0] = m < module_count ? modules[m].shown : TRACE_MODULES;
		l->out->frames[l->used][1] = (uint32_t)offset;
	}
	l->used++;
}

/* The first module is the program. */
static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *arg)
{
	struct look *l = arg;
	uintptr_t at = _Unwind_GetIP(context);
	unsigned m = module_of(at);

	if (m == own_module)
		return _URC_NO_REASON;
	if (order.own == 0) {
		add_frame(l, m, m < module_count ? at - modules[m].start : 0);
		return l->used < order.depth ? _URC_NO_REASON : _URC_END_OF_STACK;
	}
	if (m == 0) {
		add_frame(l, m, at - modules[m].start);
		l->own++;
		return l->own < order.own - (l->foreign > 0) ? _URC_NO_REASON : _URC_END_OF_STACK;
	}
	if (l->foreign++ < FOREIGN_MAX && l->own == 0)
		add_frame(l, m, m < module_count ? at - modules[m].start : 0);
	return l->foreign < DEPTH_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* The digest of who called; our own frames are left out. */
static uint64_t look_at_stack(enum op op, struct trace_place *out)
{
	struct look l = { .out = out, .digest = mix(7, op) };

	_Unwind_Backtrace(look_at_frame, &l);
	return l.digest == 0 ? 1 : l.digest;
}

/* Who called this library: it keeps frame pointers, so that is cheap to see. */
static uint64_t caller_of(void)
{
	const uintptr_t *frame = __builtin_frame_address(0);
	unsigned m = own_module;
	uintptr_t at = 0;

	for (unsigned i = 0; i < 16 && m == own_module; i++) {
		at = frame[1];
		m = module_of(at);
		frame = (const uintptr_t *)frame[0];
	}
	return m < module_count ? mix(modules[m].name, at - modules[m].start) : 1;
}

static void note_place(const struct trace_place *p)
{
	for (unsigned i = 0, at = (unsigned)p->site; i < 64; i++, at++) {
		struct trace_place *q = &trace->places[at % TRACE_PLACES];
		uint64_t none = 0;

		if (__atomic_load_n(&q->site, __ATOMIC_ACQUIRE) == p->site ||
		    __atomic_compare_exchange_n(&q->site, &none, p->site, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE) || none == p->site) {
			if (__atomic_fetch_add(&q->count, 1, __ATOMIC_RELAXED) == 0) {
				q->op = p->op;
				q->caller = p->caller;
				memcpy(q->name, p->name, sizeof q->name);
				memcpy(q->frames, p->frames, sizeof q->frames);
			}
			return;
		}
	}
	__atomic_fetch_add(&trace->lost, 1, __ATOMIC_RELAXED);
}

static void note_fired(const struct trace_place *p)
{
	if (trace == NULL || __atomic_fetch_add(&trace->fired, 1, __ATOMIC_RELAXED) != 0)
		return;
	trace->fired_site = p->site;
	trace->fired_at = *p;
}

/* ---- the decision ---------------------------------------------------------------------------- */

static bool is_it(enum op op, const char *name)
{
	struct trace_place p = { .op = op };
	unsigned long n;

	if (order.is_sticky && atomic_load(&has_come))
		return true;
	/* Most calls are not the one: they are told without a look at the stack. */
	p.caller = order.site != 0 || trace != NULL ? caller_of() : 0;
	if (order.caller != 0 && p.caller != order.caller)
		return false;
	if (trace != NULL || order.site != 0) {
		p.site = look_at_stack(op, &p);
		snprintf(p.name, sizeof p.name, "%s", name);
	}
	if (order.site != 0 && p.site != order.site)
		return false;
	n = atomic_fetch_add(&counted, 1) + 1;
	if (trace != NULL) {
		__atomic_fetch_add(&trace->counted, 1, __ATOMIC_RELAXED);
		if (order.nth == 0)
			note_place(&p);
	}
	if (order.nth == 0 || n < order.nth || (n > order.nth && !order.is_sticky))
		return false;
	atomic_store(&has_come, true);
	note_fired(&p);
	return true;
}

enum verdict inject(enum op op, const char *name)
{
	int before = errno;
	bool is_now;

	if (is_hushed || !order.is_ready || (order.ops & op) == 0)
		return GOES_ON;
	is_hushed = true;
	is_now = is_it(op, name);
	is_hushed = false;
	errno = before;
	if (!is_now)
		return GOES_ON;
	if (order.is_kill)
		inject_end();
	if ((order.verdict == IS_TORN || order.verdict == IS_SHORT) && op != OP_WRITE &&
	    op != OP_READ) {
		if (order.verdict == IS_TORN)
			inject_end();
		return FAILS;
	}
	return order.verdict;
}

enum verdict inject_fd(enum op op, const char *name, int fd)
{
	char link[40], path[4096];
	ssize_t size;

	if (order.path == NULL || (order.ops & op) == 0 || is_hushed)
		return inject(op, name);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	size = syscall(SYS_readlink, link, path, sizeof path - 1);
	if (size < 0)
		return GOES_ON;
	path[size] = '\0';
	return strstr(path, order.path) != NULL ? inject(op, name) : GOES_ON;
}

int inject_code(void)
{
	return order.code;
}

bool inject_is_same_part(const void *at, void (*function)(void))
{
	unsigned m = module_of((uintptr_t)at);

	return m < module_count && m == module_of((uintptr_t)function);
}

void inject_end(void)
{
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	__builtin_unreachable();
}

bool inject_hush(bool now)
{
	bool before = is_hushed;

	is_hushed = now;
	return before;
}

bool inject_is_recording(void)
{
	return order.is_recording && !is_hushed;
}

/* ---- what we are told --------------------------------------------------------------------------- */

static unsigned ops_of(const char *text)
{
	static const char *const names[] = { "write", "sync", "name", "truncate", "open", "read",
					     "alloc", "sqlite", "reply", "process" };
	unsigned ops = 0;

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strstr(text, names[i]) != NULL)
			ops |= 1u << i;
	return ops;
}

static void read_how(const char *how)
{
	static const struct { const char *name; int code; } codes[] = {
		{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR },
		{ "EAGAIN", EAGAIN }, { "EMFILE", EMFILE }, { "ENOENT", ENOENT },
		{ "EACCES", EACCES }, { "BUSY", 5 }, { "NOMEM", 7 }, { "IOERR", 10 },
		{ "CORRUPT", 11 }, { "FULL", 13 },
	};
	static const struct { const char *name; enum verdict verdict; } verdicts[] = {
		{ "short", IS_SHORT }, { "tear", IS_TORN }, { "after", ENDS_AFTER },
		{ "grow", GROWS },
	};

	order.is_kill = strcmp(how, "kill") == 0;
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
		if (strcmp(how, codes[i].name) == 0)
			order.code = codes[i].code;
	for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (strcmp(how, verdicts[i].name) == 0) {
			order.verdict = verdicts[i].verdict;
			order.code = EIO;
		}
}

static unsigned long number_of(const char *name, unsigned long otherwise, int base)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, base) : otherwise;
}

static void map_trace(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof *trace) < 0)
		return;
	at = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		trace = at;
}

__attribute__((constructor)) static void start(void)
{
	const char *text;
	struct trace_place warm;

	is_hushed = true;
	order.nth = number_of("FAULT_NTH", 0, 10);
	order.site = number_of("FAULT_SITE", 0, 16);
	order.caller = number_of("FAULT_CALLER", 0, 16);
	order.own = (unsigned)number_of("FAULT_OWN", 0, 10);
	order.depth = (unsigned)number_of("FAULT_DEPTH", 12, 10);
	if (order.depth > DEPTH_MAX - 6)
		order.depth = DEPTH_MAX - 6;
	if ((text = getenv("FAULT_HOW")) != NULL)
		read_how(text);
	if ((text = getenv("FAULT_OPS")) != NULL)
		order.ops = ops_of(text);
	order.is_sticky = getenv("FAULT_STICKY") != NULL;
	order.path = getenv("FAULT_PATH");
	order.count_file = getenv("FAULT_COUNT");
	order.is_recording = getenv("FAULT_RECORD") != NULL;
	order.main_pid = getpid();
	if ((text = getenv("FAULT_TRACE")) != NULL)
		map_trace(text);
	dl_iterate_phdr(add_module, NULL);
	own_module = module_of((uintptr_t)&start);
	if (trace != NULL || order.site != 0)
		look_at_stack(0, &warm);	/* what unwinds asks for memory of its own */
	order.is_ready = true;
	is_hushed = false;
}

__attribute__((destructor)) static void end(void)
{
	char text[32];
	int fd, size;

	order.nth = 0;
	if (order.count_file == NULL || getpid() != order.main_pid)
		return;
	is_hushed = true;
	fd = open(order.count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size = snprintf(text, sizeof text, "%lu\n", atomic_load(&counted));
	if (fd >= 0 && write(fd, text, (size_t)size) != size)
		abort();
	close(fd);
}

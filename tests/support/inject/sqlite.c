/*
 * SQLite's functions: one that fails was not called, and says the code that was asked for.
 * Where SQLite calls itself, a code out of the blue would be its own bug: left alone.
 */
#include <sqlite3.h>

#include "inject.h"

static bool is_refused(const char *name, const void *caller, void (*function)(void))
{
	enum verdict v = inject_is_same_part(caller, function) ? GOES_ON :
			 inject(OP_SQLITE, name);

	if (v == ENDS_AFTER)
		inject_end();
	return v != GOES_ON;
}

#define WRAP(name, parameters, arguments) \
	int name parameters \
	{ \
		REAL(int, name, ANY) \
		return is_refused(#name, __builtin_return_address(0), (void (*)(void))real) ? inject_code() : real arguments; \
	}
#define ANY /* the parameters stand in the call */
#undef REAL
#define REAL(type, name, ...) \
	static __typeof__(&name) real; \
	if (real == NULL) { \
		void *found = dlsym(RTLD_NEXT, #name); \
		memcpy(&real, &found, sizeof real); \
	}

/* What is handed out is handed out as empty. */
#define WRAP_OUT(name, parameters, arguments, out) \
	int name parameters \
	{ \
		REAL(int, name, ANY) \
		if (is_refused(#name, __builtin_return_address(0), (void (*)(void))real)) { \
			*(out) = NULL; \
			return inject_code(); \
		} \
		return real arguments; \
	}

WRAP_OUT(sqlite3_open_v2, (const char *n, sqlite3 **d, int f, const char *v), (n, d, f, v), d)
WRAP_OUT(sqlite3_prepare_v2, (sqlite3 *d, const char *z, int n, sqlite3_stmt **s, const char **t),
	 (d, z, n, s, t), s)
WRAP_OUT(sqlite3_prepare_v3,
	 (sqlite3 *d, const char *z, int n, unsigned f, sqlite3_stmt **s, const char **t),
	 (d, z, n, f, s, t), s)
WRAP(sqlite3_step, (sqlite3_stmt *s), (s))
WRAP(sqlite3_exec,
     (sqlite3 *d, const char *z, int (*f)(void *, int, char **, char **), void *a, char **m),
     (d, z, f, a, m))
WRAP(sqlite3_bind_blob64,
     (sqlite3_stmt *s, int i, const void *p, sqlite3_uint64 n, void (*f)(void *)), (s, i, p, n, f))
WRAP(sqlite3_bind_blob, (sqlite3_stmt *s, int i, const void *p, int n, void (*f)(void *)),
     (s, i, p, n, f))
WRAP(sqlite3_bind_text, (sqlite3_stmt *s, int i, const char *p, int n, void (*f)(void *)),
     (s, i, p, n, f))
WRAP(sqlite3_bind_text64,
     (sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n, void (*f)(void *), unsigned char e),
     (s, i, p, n, f, e))
WRAP(sqlite3_bind_int64, (sqlite3_stmt *s, int i, sqlite3_int64 x), (s, i, x))
WRAP(sqlite3_bind_null, (sqlite3_stmt *s, int i), (s, i))
WRAP(sqlite3_busy_timeout, (sqlite3 *d, int ms), (d, ms))
WRAP(sqlite3_wal_autocheckpoint, (sqlite3 *d, int n), (d, n))
WRAP(sqlite3_wal_checkpoint_v2, (sqlite3 *d, const char *n, int m, int *l, int *c),
     (d, n, m, l, c))

/* What SQLite answers where a column's value finds no memory. */
const void *sqlite3_column_blob(sqlite3_stmt *s, int i)
{
	REAL(const void *, sqlite3_column_blob, ANY)
	return is_refused("sqlite3_column_blob", __builtin_return_address(0),
			  (void (*)(void))real) ? NULL : real(s, i);
}

const unsigned char *sqlite3_column_text(sqlite3_stmt *s, int i)
{
	REAL(const unsigned char *, sqlite3_column_text, ANY)
	return is_refused("sqlite3_column_text", __builtin_return_address(0),
			  (void (*)(void))real) ? NULL : real(s, i);
}

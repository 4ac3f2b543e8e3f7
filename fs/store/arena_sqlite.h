/* SQLite's view of the heap that core dumps leave out. */
#ifndef FS_STORE_ARENA_SQLITE_H
#define FS_STORE_ARENA_SQLITE_H

struct sqlite3_mem_methods;

/* For sqlite3_config(SQLITE_CONFIG_MALLOC). */
const struct sqlite3_mem_methods *arena_methods(void);

#endif

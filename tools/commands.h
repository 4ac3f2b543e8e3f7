/*
 * Every command of muni, one file each: tools/cmd_NAME.c.  main.c holds the
 * table.
 */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "tools/cli.h"

extern const struct command cmd_init;
extern const struct command cmd_ingest;
extern const struct command cmd_scan;
extern const struct command cmd_inventory;
extern const struct command cmd_classify;
extern const struct command cmd_decisions;
extern const struct command cmd_decide;
extern const struct command cmd_policy;
extern const struct command cmd_log;
extern const struct command cmd_ls;
extern const struct command cmd_find;
extern const struct command cmd_cat;
extern const struct command cmd_stat;
extern const struct command cmd_diff;
extern const struct command cmd_mount;
extern const struct command cmd_umount;
extern const struct command cmd_due;
extern const struct command cmd_event;
extern const struct command cmd_hold;
extern const struct command cmd_retain;
extern const struct command cmd_export;
extern const struct command cmd_verify;
extern const struct command cmd_repair;
extern const struct command cmd_restore;
extern const struct command cmd_audit;
extern const struct command cmd_key;
extern const struct command cmd_officer;
extern const struct command cmd_dispose;
extern const struct command cmd_cert;
extern const struct command cmd_copy;
extern const struct command cmd_report;

#endif

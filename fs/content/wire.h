/*
 * What passes between a scan and muni-examine, on one SOCK_SEQPACKET pair a
 * worker and one for control.  Numbers little-endian; every message bounded.
 *
 * The scan is the parent; muni-examine loads its tables, goes behind its filter
 * and forks a worker for each request for one (fork is cheap: tables are shared).
 */
#ifndef FS_CONTENT_WIRE_H
#define FS_CONTENT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "fs/content/look.h"

#define WIRE_VERSION 1

#endif

/*
 * The bytes of the audit log.  Only fs/store/log*.c includes this.
 *
 *   file head  8 magic 4 format 4 entry size or 0, zeros, 16 sum of these 112
 *   entry      8 sequence 4 act 4 zero 8 time 32 actor 32 commitment 24 zero
 *              16 sum of these 112
 *   head       4 size of statement 4 size of signature, statement, signature,
 *              4 size of all of it 16 sum of all before
 */
#ifndef FS_STORE_LOG_INSIDE_H
#define FS_STORE_LOG_INSIDE_H

#include "fs/store/log.h"

#define LOG_FORMAT 1
#define LOG_FILE_HEAD 128
#define LOG_ENTRY 128		/* never straddles a page: a killed write leaves it whole */
#define LOG_SUMMED 112		/* of a file head or an entry */
#define LOG_SUM 16
#define LOG_STATEMENT_MAX 1024
#define LOG_SIGNATURE_MAX (16 * 1024)
#define LOG_RECORD_FRAME 28	/* of a head: what is neither statement nor signature */
#define LOG_RECORD_MAX (LOG_STATEMENT_MAX + LOG_SIGNATURE_MAX + LOG_RECORD_FRAME)
#define LOG_COPIES 2

enum log_file { LOG_FILE_ENTRIES, LOG_FILE_HEADS, LOG_FILE_COUNT };

extern const char *const log_file_names[LOG_FILE_COUNT][LOG_COPIES];

struct log {
	int fds[LOG_FILE_COUNT][LOG_COPIES];	/* owned; -1 where absent */
	struct log_position position;
	bool has_head;
	struct log_head head;		/* the newest */
	uint64_t heads_end;		/* where the next head goes */
	bool is_writable;
};

struct log *log_new(struct err *e);	/* nothing open yet; NULL without memory */

/* A stored head. */
struct log_record {
	uint64_t size;		/* of the whole record */
	struct log_head head;
	char statement[LOG_STATEMENT_MAX + 1];
	size_t statement_size;
	uint8_t signature[LOG_SIGNATURE_MAX];
	size_t signature_size;
};

void log_file_head(enum log_file file, uint8_t out[LOG_FILE_HEAD]);
/* MUNI_DAMAGED, or MUNI_FORMAT for a later one. */
int log_check_file_head(int fd, enum log_file file, struct err *e);

void log_entry_write(const struct log_entry *entry, uint8_t out[LOG_ENTRY]);
/* MUNI_DAMAGED unless the sum holds and it is number `sequence`. */
int log_entry_parse(const uint8_t raw[LOG_ENTRY], uint64_t sequence,
		    struct log_entry *out, struct err *e);
struct digest log_entry_leaf(const uint8_t raw[LOG_ENTRY]);
uint64_t log_entry_offset(uint64_t sequence);
uint64_t log_entries_in(uint64_t file_size);	/* whole ones */

/* Canonical JSON; returns its size. */
size_t log_statement(const struct log_head *head, char out[LOG_STATEMENT_MAX + 1]);
/* *out malloc'ed. */
int log_record_write(const char *statement, size_t statement_size,
		     const uint8_t *signature, size_t signature_size, uint8_t **out,
		     size_t *size, struct err *e);
/*
 * The record at `offset` of a heads file of `file_size` bytes.  MUNI_DAMAGED
 * unless it is whole; does not look at the signature.  Its raw bytes are in
 * `raw`.
 */
int log_record_read(int fd, uint64_t file_size, uint64_t offset,
		    uint8_t raw[LOG_RECORD_MAX], struct log_record *out, struct err *e);
/*
 * May a power cut have left this, from `at` on, where neither copy has a head?  Of what was
 * not synced a disk keeps any part, so the first file may end anywhere within a head; its
 * copy is not begun before (L5).
 */
bool log_is_cut_off(const uint64_t sizes[LOG_COPIES], uint64_t at);
/* Offset of the last record by its size at the end; 0 if that does not parse. */
uint64_t log_record_last(int fd, uint64_t file_size);
/* MUNI_DAMAGED unless this archive's key made it; r->head.signer is filled. */
int log_record_check_signature(struct log_record *r, const struct signatories *who,
			       struct err *e);

/* The copy to believe where both are whole and differ: 0, 1; -1: it cannot be told. */
struct log_trust {
	int entries;	/* its entries lead to the newest signed head, the other's do not */
	int heads;	/* its last head is signed by the archive's key, the other's is not */
	uint64_t covered;	/* entries under any head of a copy whose last was found so */
};
/* By file, then copy; descriptors may be -1.  Fails only without memory. */
int log_trust(int (*fds)[LOG_COPIES], uint64_t (*sizes)[LOG_COPIES],
	      const struct signatories *who, struct log_trust *out, struct err *e);

#endif

/*
 * Certificates that an older copy is told by (`muni restore`): any JSON and any marks,
 * signed by the archive's own key, in any number and order.  Those that are taken follow
 * each other without a gap, and what they say is gone is in order, none twice.
 *
 * The input is certificates: 1 byte how, 1 how much marks, 2 how much text, and so many
 * bytes of each.  In a text "@A", "@M" and "@P" stand for the archive's id, the SHA-256 of
 * the marks and that of the certificate before, which no fuzzer guesses.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/vault/inside.h"
#include "fs/vault/restore_inside.h"
#include "tests/fuzz/archive.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1700000000
#define CERTIFICATES_MAX 4

struct made {
	uint8_t *cms, *own, *marks;
	size_t cms_size, own_size, marks_size;
};

static struct vault *vault;
static const struct signer *signer;

static void close_all(void)
{
	vault_close(vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	archive_make(VAULT_WRITE, &vault);
	signer = keyring_signer(vault->keyring, &e);
	MUST(signer && atexit(close_all) == 0);
	return 0;
}

static void put(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

static void expand(const uint8_t *text, size_t size, const char *marks, const char *previous,
		   struct buffer *out)
{
	for (size_t i = 0; i < size; i++) {
		char next = i + 1 < size ? (char)text[i + 1] : '\0';

		if (text[i] != '@' || (next != 'A' && next != 'M' && next != 'P')) {
			buffer_u8(out, text[i]);
			continue;
		}
		put(out, next == 'A' ? vault_id_hex(vault) : next == 'M' ? marks : previous);
		i++;
	}
	MUST(!out->failed);
}

/* In canonical form where it is JSON; previous: SHA-256 of the one before, then of this. */
static void make(struct reader *r, char previous[DIGEST_HEX_SIZE], struct made *m)
{
	uint8_t how = reader_u8(r);
	size_t marks_size = reader_u8(r), size = reader_u16(r), text_size = 0;
	const uint8_t *marks, *said;
	struct buffer text = { .data = NULL };
	char hex[DIGEST_HEX_SIZE], *canonical = NULL;
	struct digest of;
	struct err e = ERR_NONE;

	marks_size = marks_size < reader_left(r) ? marks_size : reader_left(r);
	marks = reader_view(r, marks_size);
	size = size < reader_left(r) ? size : reader_left(r);
	said = reader_view(r, size);
	*m = (struct made){ .marks = malloc(marks_size + 1), .marks_size = marks_size };
	MUST(m->marks);
	memcpy(m->marks, marks, marks_size);
	of = digest_of(m->marks, marks_size);
	digest_hex(&of, hex);
	expand(said, size, hex, previous, &text);
	json_t *o = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);

	if (o && canonical_dump(o, &canonical, &text_size, &e) == 0) {
		buffer_reset(&text);
		buffer_append(&text, canonical, text_size);
	}
	json_decref(o);
	free(canonical);
	buffer_u8(&text, 0);
	MUST(!text.failed);
	text.size--;
	of = digest_of(text.data, text.size);
	digest_hex(&of, previous);
	MUST(cms_sign_attached(signer, NULL, text.data, text.size, NOW, &m->cms, &m->cms_size,
			       &e) == 0);
	if (!(how & 1))		/* else its own signature is not beside it */
		MUST(sign_detached(signer, text.data, text.size, NOW, &m->own, &m->own_size,
				   &e) == 0);
	if (how & 2) {
		free(m->marks);
		m->marks = NULL;
	}
	buffer_free(&text);
}

static void judge(const struct testimony *list, size_t count, const struct marks *marks)
{
	for (size_t i = 0; i < count; i++) {
		MUST(list[i].number == (int64_t)i + 1 && list[i].disposition > 0);
		MUST(list[i].has_previous == (i > 0));
		if (i > 0)
			MUST(list[i].previous == (int64_t)i &&
			     digest_equal(&list[i].previous_content, &list[i - 1].content));
	}
	for (size_t i = 0; i < marks->count; i++) {
		MUST(marks_has(marks, marks->list[i]));
		if (i > 0)
			MUST(memcmp(marks->list[i - 1], marks->list[i], MARK_SIZE) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct made made[CERTIFICATES_MAX];
	struct restore_certificate list[CERTIFICATES_MAX];
	struct restore_request request = { .certificates = list, .reason = "lost" };
	char previous[DIGEST_HEX_SIZE] = "";
	const struct roster nobody = { .is_closed = true };
	struct testimony_officers officers = { .roster = &nobody };
	struct testimony *taken = NULL;
	struct marks marks = { .list = NULL };
	struct err e = ERR_NONE;
	size_t n = 0, count;

	for (; n < CERTIFICATES_MAX && reader_left(&r) > 4; n++) {
		make(&r, previous, &made[n]);
		list[n] = (struct restore_certificate){
			.name = "C\x1b.p7m", .cms = made[n].cms, .cms_size = made[n].cms_size,
			.own = made[n].own, .own_size = made[n].own_size,
			.marks = made[n].marks, .marks_size = made[n].marks_size,
		};
	}
	request.certificate_count = n;
	/* Held against officers, of whom there are none, and as one that was already. */
	for (int turn = 0; turn < 2; turn++) {
		e = ERR_NONE;
		if (testimonies_read(vault, &request, turn == 0 ? &officers : NULL, &taken,
				     &count, &marks, &e) == 0)
			judge(taken, count, &marks);
		else
			MUST(!taken && (e.code == MUNI_DAMAGED || e.code == MUNI_REFUSED ||
					e.code == MUNI_FORMAT || e.code == MUNI_USAGE ||
					e.code == MUNI_LIMIT));
		marks_clear(&marks);
		free(taken);
	}
	for (size_t i = 0; i < n; i++) {
		free(made[i].cms);
		free(made[i].own);
		free(made[i].marks);
	}
	return 0;
}

#include "fs/vault/certificate_verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/certificate_verify_inside.h"
#include "fs/vault/marks.h"

/* ---- telling ------------------------------------------------------------------------------- */

void judge_tell(struct judging *j, const char *check, enum check_result result,
		const char *format, ...)
{
	char sentence[sizeof j->worst.text];
	enum muni_code code = result == CHECK_FAILS ? MUNI_DAMAGED : MUNI_REFUSED;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	if (j->lacks.code != MUNI_OK && (result == CHECK_FAILS || result == CHECK_UNTRUSTED))
		return;
	j->found(j->arg, check, result, sentence);
	if ((result == CHECK_FAILS && j->worst.code != MUNI_DAMAGED) ||
	    (result == CHECK_UNTRUSTED && j->worst.code == MUNI_OK))
		err_set(&j->worst, code, "%s: %s", check, sentence);
}

void judge_lacks(struct judging *j, const char *check, const struct err *e)
{
	judge_tell(j, check, CHECK_SKIPPED, "%s", e->text);
	if (j->lacks.code == MUNI_OK)
		j->lacks = *e;
}

void judge_no_memory(struct judging *j, const char *check)
{
	struct err e = ERR_NONE;

	err_set(&e, MUNI_NO_MEMORY, "no memory to judge a certificate");
	judge_lacks(j, check, &e);
}

/* What could not be asked, as of a bundle without authorities, is no fault of the
 * certificate. */
void judge_tell_err(struct judging *j, const char *check, const struct err *e)
{
	if (e->code == MUNI_NO_MEMORY || e->code == MUNI_IO)
		judge_lacks(j, check, e);
	else
		judge_tell(j, check, e->code == MUNI_DAMAGED ? CHECK_FAILS : CHECK_UNTRUSTED, "%s",
		   e->text);
}

/* ---- small words ----------------------------------------------------------------------------- */

const char *judge_text(const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	return text ? text : "";
}

int judge_digest(const json_t *from, const char *key, struct digest *out)
{
	return text_unhex(judge_text(from, key), out->bytes, DIGEST_SIZE);
}

uint8_t *judge_bytes(struct judging *j, const json_t *from, const char *key, size_t *size)
{
	uint8_t *bytes;

	errno = 0;
	bytes = text_unbase64_bytes(judge_text(from, key), size);
	if (!bytes && errno == ENOMEM)	/* glibc's malloc() says so */
		judge_no_memory(j, key);
	return bytes;
}

/* ---- the certificate itself --------------------------------------------------------------------- */

static int open_content(struct judging *j)
{
	struct err e = ERR_NONE;

	if (cms_verify_attached(j->with->cms, j->with->cms_size, &j->text, &j->text_size,
				&j->signers, &j->signer_count, &e) < 0) {
		if (e.code == MUNI_NO_MEMORY)
			judge_lacks(j, "signatures", &e);
		else
			judge_tell(j, "signatures", CHECK_FAILS, "%s", e.text);
		return -1;
	}
	judge_tell(j, "signatures", CHECK_HOLDS, "%zu signature%s over these very %zu bytes",
		   j->signer_count, j->signer_count == 1 ? "" : "s", j->text_size);
	if (canonical_load(j->text, j->text_size, &j->content, &e) < 0 &&
	    e.code == MUNI_NO_MEMORY) {
		judge_lacks(j, "content", &e);
		return -1;
	}
	if (!j->content ||
	    strcmp(judge_text(j->content, "type"), CERTIFICATE_TYPE) != 0) {
		judge_tell(j, "content", CHECK_FAILS, "what was signed is no certificate of "
			   "muniment in canonical form");
		return -1;
	}
	return 0;
}

/* One time-stamp over a digest; *at: what it says. */
static bool judge_stamp(struct judging *j, const uint8_t *data, size_t size,
			const struct digest *of, int64_t *at)
{
	const struct evidence *w = j->with;
	struct err e = ERR_NONE;

	if (timestamp_verify(data, size, of, w->authority ? w->authority : w->ca,
			     w->authority ? w->authority_size : w->ca_size, at, &e) == 0)
		return true;
	judge_tell_err(j, "time-stamp", &e);
	return false;
}

/* What renewal i is over: the content and all stamps before it. */
static int renewed(const struct judging *j, size_t i, struct digest *out)
{
	const struct evidence *w = j->with;
	struct hasher *h = hasher_new();

	if (!h)
		return -1;
	hasher_update(h, j->text, j->text_size);
	hasher_update(h, w->timestamp, w->timestamp_size);
	for (size_t k = 0; k < i; k++)
		hasher_update(h, w->renewals[k].data, w->renewals[k].size);
	*out = hasher_finish(h);
	hasher_free(h);
	return 0;
}

static void check_renewals(struct judging *j)
{
	const struct evidence *w = j->with;
	int64_t last = j->stamped, at;
	char when[TEXT_TIME_MAX];
	struct digest of;

	for (size_t i = 0; i < w->renewal_count; i++, last = at) {
		if (renewed(j, i, &of) < 0) {
			judge_no_memory(j, "time-stamp");
			return;
		}
		if (!judge_stamp(j, w->renewals[i].data, w->renewals[i].size, &of, &at))
			return;
		if (at < last) {
			judge_tell(j, "time-stamp", CHECK_FAILS, "its renewal of %s is older than "
				   "what it renews", text_time(at, 0, when));
			return;
		}
		judge_tell(j, "time-stamp", CHECK_HOLDS, "renewed on %s", text_time(at, 0, when));
	}
}

static void check_timestamp(struct judging *j)
{
	const struct evidence *w = j->with;
	const struct digest of = digest_of(j->text, j->text_size);
	char when[TEXT_TIME_MAX];

	if (!w->timestamp) {
		judge_tell(j, "time-stamp", CHECK_SKIPPED, "none was given: the times of signing "
			   "are what the signers say");
		return;
	}
	if (!judge_stamp(j, w->timestamp, w->timestamp_size, &of, &j->stamped))
		return;
	judge_tell(j, "time-stamp", CHECK_HOLDS, "it existed on %s, says its authority",
		   text_time(j->stamped, 0, when));
	check_renewals(j);
}

/* As of the moment of signing; without one in the signature as of the certificate's own. */
static void check_signer(struct judging *j, const struct cms_signer *s)
{
	const struct evidence *w = j->with;
	int64_t at = s->signed_at;
	struct err e = ERR_NONE;
	char when[TEXT_TIME_MAX];

	if (at == 0 && text_parse_time(judge_text(json_object_get(j->content, "identity"),
						  "made"), false, &at) < 0)
		at = 0;
	if (!s->identity.can_sign)
		judge_tell(j, "signer", CHECK_UNTRUSTED, "the certificate of %s is not for signing",
			   text_printable(s->identity.subject));
	else if (identity_check_chain(&s->identity, w->ca, w->ca_size, w->cms, w->cms_size, at,
				      &e) < 0)
		judge_tell_err(j, "signer", &e);
	else
		judge_tell(j, "signer", CHECK_HOLDS, "%s, on %s",
			   text_printable(s->identity.subject), text_time(at, 0, when));
}

/* The archive's own signature lies beside: no officers' authority vouches for it. */
static void check_archive(struct judging *j)
{
	const struct evidence *w = j->with;
	const json_t *identity = json_object_get(j->content, "identity");
	size_t size = 0;
	uint8_t *cert = judge_bytes(j, identity, "archive_certificate", &size);
	struct err e = ERR_NONE;

	if (!cert)
		judge_tell(j, "archive", CHECK_FAILS, "the certificate does not say which archive "
			   "it is of");
	else if (!w->archive_signature)
		judge_tell(j, "archive", CHECK_SKIPPED, "the archive's own signature (C1.p7s) was "
			   "not given");
	else if (sign_verify_detached(w->archive_signature, w->archive_signature_size, j->text,
				      j->text_size, cert, size, &e) < 0)
		judge_tell_err(j, "archive", &e);
	else
		judge_tell(j, "archive", CHECK_HOLDS, "signed by the key of archive %s too",
			   text_printable(judge_text(identity, "archive")));
	free(cert);
}

/* What an older copy is told by; of a live source there is none. */
static void check_marks(struct judging *j)
{
	const struct evidence *w = j->with;
	const json_t *said = json_object_get(json_object_get(j->content, "what"), "marks");
	struct digest wanted, made = digest_of(w->marks ? w->marks : (const uint8_t *)"",
					       w->marks_size);
	struct marks m = { .list = NULL };
	struct err e = ERR_NONE;

	if (!said)
		return;
	if (!w->marks)
		judge_tell(j, "marks", CHECK_SKIPPED, "the marks of what was destroyed (C1.marks) "
			   "were not given");
	else if (judge_digest(said, "sha256", &wanted) < 0 || !digest_equal(&wanted, &made))
		judge_tell(j, "marks", CHECK_FAILS, "they were changed: their SHA-256 is another");
	else if (marks_parse(&m, w->marks, w->marks_size, &e) < 0)
		judge_tell_err(j, "marks", &e);
	else
		judge_tell(j, "marks", CHECK_HOLDS, "of %zu records: an older copy knows by them "
			   "what must not come back", m.count);
	marks_clear(&m);
}

static void check_previous(struct judging *j)
{
	const json_t *previous =
		json_object_get(json_object_get(j->content, "proof"), "previous");
	struct digest of;

	if (json_is_null(previous))
		judge_tell(j, "previous", CHECK_HOLDS, "it is the archive's first certificate");
	else if (judge_digest(previous, "sha256", &of) < 0)
		judge_tell(j, "previous", CHECK_FAILS, "the certificate before it is not named");
	else
		judge_tell(j, "previous", CHECK_HOLDS, "it follows %s, whose content has SHA-256 %s",
			   text_printable(judge_text(previous, "certificate")),
			   judge_text(previous, "sha256"));
}

int certificate_verify(const struct evidence *w,
		       void (*found)(void *arg, const char *check, enum check_result result,
				     const char *sentence), void *arg, json_t **content,
		       struct err *e)
{
	struct judging j = { .with = w, .found = found, .arg = arg, .worst = ERR_NONE,
			     .lacks = ERR_NONE };

	*content = NULL;
	if (open_content(&j) == 0) {
		check_timestamp(&j);
		for (size_t i = 0; i < j.signer_count; i++)
			check_signer(&j, &j.signers[i]);
		judge_people(&j);
		judge_annex(&j);
		judge_log(&j);
		check_marks(&j);
		check_archive(&j);
		check_previous(&j);
		*content = json_incref(j.content);
	}
	json_decref(j.content);
	free(j.text);
	cms_signers_free(j.signers, j.signer_count);
	if (j.lacks.code == MUNI_OK && j.worst.code == MUNI_OK)
		return 0;
	*e = j.lacks.code != MUNI_OK ? j.lacks : j.worst;
	return -1;
}

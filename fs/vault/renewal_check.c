/* Whose signatures count for what may be of a later state than ours. */
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal_inside.h"

int renewal_later_signatories(struct vault *v, int beside, struct signatories *out,
			      struct err *e)
{
	int folders[2] = { file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e), beside }, rc = 0;

	if (folders[0] < 0 && e->code == MUNI_NOT_FOUND)
		*e = ERR_NONE;
	*out = v->signatories;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		struct renewal_links links;

		if (folders[i] < 0)
			continue;
		rc = renewal_links_load(folders[i], v->id_hex, &links, e);
		if (rc == 0)
			(void)renewal_links_forward(&links, out);
	}
	file_close(&folders[0]);
	return rc;
}

int renewal_check_certificate(const struct signatories *who, const json_t *content,
			      const void *text, size_t size, const uint8_t *own, size_t own_size,
			      struct err *e)
{
	const json_t *head = json_object_get(json_object_get(content, "proof"), "head");
	json_int_t count = json_integer_value(json_object_get(head, "count"));

	return signatories_verify(who, count > 0 ? (uint64_t)count : 0, own, own_size, text, size,
				  NULL, e);
}

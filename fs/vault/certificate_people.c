/*
 * Who did what, with what proves it: proposer, approvers, witnesses, who executed.
 */
#include <string.h>

#include "fs/vault/certificate_inside.h"

/* Of who proposed: the signature is over the statement too. */
static json_t *proposer(const struct certificate_facts *f)
{
	const struct known_officer *o =
		certificate_officer(f, f->row.proposer, f->row.proposed);

	if (!o)
		return json_pack("{s:s, s:s, s:o}", "act", "proposed", "id", f->row.proposer,
				 "at", time_value(f->row.proposed));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "act", "proposed", "id",
			 o->id, "person", o->identity.subject, "roles", o->roles, "added",
			 time_value(o->added), "at", time_value(f->row.proposed), "certificate",
			 base64_value(o->identity.cert, o->identity.cert_size), "signature",
			 base64_value(f->row.signature, f->row.signature_size));
}

/* Of who executed, and of who vouches for this certificate: that is the CMS around it. */
static json_t *actor(const struct certificate_facts *f, const char *act, const char *id,
		     int64_t at)
{
	const struct known_officer *o = certificate_officer(f, id, at);

	if (!o)
		return json_pack("{s:s, s:s?, s:o}", "act", act, "id", id, "at", time_value(at));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "act", act, "id", o->id,
			 "person", o->identity.subject, "roles", o->roles, "added",
			 time_value(o->added), "at", time_value(at), "certificate", base64_value(o->identity.cert, o->identity.cert_size));
}

json_t *certificate_people(const struct certificate_facts *f)
{
	json_t *people = json_array();

	json_array_append_new(people, proposer(f));
	json_array_extend(people, f->approvals);
	json_array_append_new(people, actor(f, "executed", f->execution.officer ?
					    f->execution.officer : f->maker,
					    f->execution.ended ? f->execution.ended : f->now));
	json_array_append_new(people, actor(f, "certified", f->maker, f->now));
	return people;
}

/*
 * Who did what, with what proves it: proposer, approvers, witnesses, who executed.
 */
#include <string.h>

#include "fs/vault/certificate_inside.h"
#include "fs/vault/office.h"

void certificate_put_office(const struct certificate_facts *f, const struct known_officer *who,
			    json_t *part)
{
	size_t at = (size_t)(who - f->officers);
	const struct officer *o = &f->roster.list[at];
	json_t *by;

	if (!part || at >= f->roster.count)
		return;
	json_object_set_new(part, "admitted", json_string(office_word(o->standing)));
	if (o->because)
		json_object_set_new(part, "because", json_string(o->because));
	if (o->approved_count == 0)
		return;
	by = json_array();
	for (size_t i = 0; i < o->approved_count; i++) {
		const struct officer *one = &f->roster.list[o->approved_by[i]];

		json_array_append_new(by, json_pack("{s:s, s:s}", "id", one->id, "person",
						    one->person));
	}
	json_object_set_new(part, "approved_by", by);
}

/* Of who proposed: the signature is over the statement too. */
static json_t *proposer(const struct certificate_facts *f)
{
	const struct known_officer *o =
		certificate_officer(f, f->row.proposer, f->row.proposed);
	json_t *part;

	if (!o)
		return json_pack("{s:s, s:s, s:o}", "act", "proposed", "id", f->row.proposer,
				 "at", time_value(f->row.proposed));
	part = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "act", "proposed", "id",
			 o->id, "person", o->identity.subject, "roles", o->roles, "added",
			 time_value(o->added), "at", time_value(f->row.proposed), "certificate",
			 base64_value(o->identity.cert, o->identity.cert_size), "signature",
			 base64_value(f->row.signature, f->row.signature_size));
	certificate_put_office(f, o, part);
	return part;
}

/* Of who executed, and of who vouches for this certificate: that is the CMS around it. */
static json_t *actor(const struct certificate_facts *f, const char *act, const char *id,
		     int64_t at)
{
	const struct known_officer *o = certificate_officer(f, id, at);
	json_t *part;

	if (!o)
		return json_pack("{s:s, s:s?, s:o}", "act", act, "id", id, "at", time_value(at));
	part = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "act", act, "id", o->id,
			 "person", o->identity.subject, "roles", o->roles, "added",
			 time_value(o->added), "at", time_value(at), "certificate",
			 base64_value(o->identity.cert, o->identity.cert_size));
	certificate_put_office(f, o, part);
	return part;
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

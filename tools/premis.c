/*
 * PREMIS 3.0 (Library of Congress, namespace http://www.loc.gov/premis/v3): the order of
 * elements is the schema's: events first, then agents.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"
#include "fs/base/text.h"
#include "tools/audit_list.h"
#include "tools/xml.h"

#define NAMESPACE "http://www.loc.gov/premis/v3"
#define SCHEMA NAMESPACE " https://www.loc.gov/standards/premis/premis.xsd"
#define AGENT_MAX 132

struct premis {
	struct xml *to;		/* owned */
	const char *archive_id;
	char (*agents)[AGENT_MAX];	/* officers that were named so far */
	size_t count, capacity;
};

int premis_begin(const char *archive_id, struct premis **out, struct err *e)
{
	struct premis *p = calloc(1, sizeof *p);

	*out = p;
	if (p == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a PREMIS document");
	p->archive_id = archive_id;
	p->to = xml_new(stdout, XML_DOCUMENT, "PREMIS document");
	xml_open(p->to, "premis");
	xml_attribute(p->to, "xmlns", "%s", NAMESPACE);
	xml_attribute(p->to, "xmlns:xsi", "%s", "http://www.w3.org/2001/XMLSchema-instance");
	xml_attribute(p->to, "xsi:schemaLocation", "%s", SCHEMA);
	xml_attribute(p->to, "version", "3.0");
	return 0;
}

static bool remember(struct premis *p, const char *agent)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->agents[i], agent) == 0)
			return true;
	if (!list_room(&p->agents, p->count, &p->capacity, sizeof *p->agents))
		return false;
	snprintf(p->agents[p->count++], AGENT_MAX, "%s", agent);
	return true;
}

static void write_agent_link(struct premis *p, const char *type, const char *value,
			     const char *role)
{
	xml_open(p->to, "linkingAgentIdentifier");
	xml_element(p->to, "linkingAgentIdentifierType", type);
	xml_element(p->to, "linkingAgentIdentifierValue", value);
	xml_element(p->to, "linkingAgentRole", role);
	xml_close(p->to);
}

static void write_detail(struct premis *p, const char *text)
{
	xml_open(p->to, "eventDetailInformation");
	xml_element(p->to, "eventDetail", text);
	xml_close(p->to);
}

static void write_event(struct premis *p, const struct audit_entry *a, const char *agent)
{
	char id[80], time[TEXT_TIME_MAX];
	const char *details = a->details;

	snprintf(id, sizeof id, "%s/%" PRIu64, p->archive_id, a->entry.sequence);
	if (details == NULL)
		details = a->state == AUDIT_DESTROYED ? "(destroyed)" : "(altered)";
	xml_open(p->to, "event");
	xml_open(p->to, "eventIdentifier");
	xml_element(p->to, "eventIdentifierType", "muniment audit log");
	xml_element(p->to, "eventIdentifierValue", id);
	xml_close(p->to);
	xml_element(p->to, "eventType", audit_act_premis(a->entry.act));
	xml_element(p->to, "eventDateTime", text_time(a->entry.time, 0, time));
	write_detail(p, audit_act_name(a->entry.act));
	write_detail(p, details);
	xml_open(p->to, "eventOutcomeInformation");
	xml_element(p->to, "eventOutcome",
		    audit_act_is_success(a->entry.act) ? "success" : "failure");
	xml_close(p->to);
	write_agent_link(p, "muniment officer", agent, "authorizer");
	write_agent_link(p, "program", "muniment", "executing program");
	xml_close(p->to);
}

int premis_event(struct premis *p, const struct audit_entry *a, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];
	const char *agent = "holder of the archive's key";

	if (a->is_officer) {
		digest_hex(&a->entry.actor, hex);
		agent = a->officer != NULL ? a->officer : hex;
	}
	if (!remember(p, agent))
		return err_set(e, MUNI_NO_MEMORY, "no memory for a PREMIS document");
	write_event(p, a, agent);
	return 0;
}

static void write_agent(struct premis *p, const char *type, const char *value,
			const char *kind)
{
	xml_open(p->to, "agent");
	xml_open(p->to, "agentIdentifier");
	xml_element(p->to, "agentIdentifierType", type);
	xml_element(p->to, "agentIdentifierValue", value);
	xml_close(p->to);
	xml_element(p->to, "agentName", value);
	xml_element(p->to, "agentType", kind);
	xml_close(p->to);
}

int premis_end(struct premis *p, struct err *e)
{
	int rc;

	for (size_t i = 0; i < p->count; i++)
		write_agent(p, "muniment officer", p->agents[i], "person");
	if (p->count > 0)
		write_agent(p, "program", "muniment", "software");
	rc = xml_end(p->to, e);
	free(p->agents);
	free(p);
	return rc;
}

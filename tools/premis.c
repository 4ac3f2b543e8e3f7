/*
 * PREMIS 3.0 (Library of Congress, namespace http://www.loc.gov/premis/v3): the order of
 * elements is the schema's: events first, then agents.
 */
#include <inttypes.h>
#include <libxml/xmlmemory.h>
#include <libxml/xmlwriter.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/audit_list.h"

#define NAMESPACE "http://www.loc.gov/premis/v3"
#define SCHEMA NAMESPACE " https://www.loc.gov/standards/premis/premis.xsd"
#define AGENT_MAX 132

struct premis {
	xmlTextWriterPtr to;
	const char *archive_id;
	char (*agents)[AGENT_MAX];	/* officers that were named so far */
	size_t count, capacity;
};

/* libxml2 goes on where it could not note which element is open, and never closes it; so its
 * memory is watched.  Set once, and for good. */
static atomic_bool lacked;

static void *watched(void *p)
{
	if (p == NULL)
		atomic_store(&lacked, true);
	return p;
}

static void *take(size_t size)
{
	return watched(malloc(size));
}

static void *take_again(void *p, size_t size)
{
	return watched(realloc(p, size));
}

static char *take_copy(const char *text)
{
	return watched(strdup(text));
}

/* Its sentence says less than ours. */
static void keep_silent(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static int failed(struct err *e)
{
	if (atomic_load(&lacked))
		return err_set(e, MUNI_NO_MEMORY, "no memory for a PREMIS document");
	return err_set(e, MUNI_IO, "the PREMIS document could not be written");
}

/* What XML 1.0 has no way to say (control characters, U+FFFE) as JSON says it, for details are
 * JSON: malloc'ed; NULL without memory. */
static char *without_unsafe(const char *text)
{
	char *out = NULL;
	size_t size, length;
	const char *unsafe;
	uint32_t c;
	FILE *f = open_memstream(&out, &size);

	if (f == NULL)
		return NULL;
	for (; (unsafe = text_unsafe(text, &length, &c)) != NULL; text = unsafe + length) {
		fwrite(text, 1, (size_t)(unsafe - text), f);
		if (c >= 0x10000)
			fprintf(f, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
		else
			fprintf(f, "\\u%04x", c);
	}
	fputs(text, f);
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

static bool element(struct premis *p, const char *name, const char *text)
{
	char *safe = without_unsafe(text);
	bool is_written = safe != NULL &&
			  xmlTextWriterWriteElement(p->to, BAD_CAST name, BAD_CAST safe) >= 0;

	free(safe);
	return is_written;
}

static bool open_element(struct premis *p, const char *name)
{
	return xmlTextWriterStartElement(p->to, BAD_CAST name) >= 0;
}

static bool close_element(struct premis *p)
{
	return xmlTextWriterEndElement(p->to) >= 0;
}

static int write_standard_output(void *context, const char *data, int size)
{
	(void)context;
	return fwrite(data, 1, (size_t)size, stdout) == (size_t)size ? size : -1;
}

int premis_begin(const char *archive_id, struct premis **out, struct err *e)
{
	struct premis *p = calloc(1, sizeof *p);
	xmlOutputBufferPtr buffer;

	*out = p;
	if (p == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a PREMIS document");
	p->archive_id = archive_id;
	xmlMemSetup(free, take, take_again, take_copy);
	xmlSetGenericErrorFunc(NULL, keep_silent);
	buffer = xmlOutputBufferCreateIO(write_standard_output, NULL, NULL, NULL);
	p->to = buffer != NULL ? xmlNewTextWriter(buffer) : NULL;
	if (p->to == NULL || xmlTextWriterSetIndent(p->to, 1) < 0 ||
	    xmlTextWriterStartDocument(p->to, NULL, "UTF-8", NULL) < 0 ||
	    !open_element(p, "premis") ||
	    xmlTextWriterWriteAttribute(p->to, BAD_CAST "xmlns", BAD_CAST NAMESPACE) < 0 ||
	    xmlTextWriterWriteAttribute(p->to, BAD_CAST "xmlns:xsi",
			BAD_CAST "http://www.w3.org/2001/XMLSchema-instance") < 0 ||
	    xmlTextWriterWriteAttribute(p->to, BAD_CAST "xsi:schemaLocation",
					BAD_CAST SCHEMA) < 0 ||
	    xmlTextWriterWriteAttribute(p->to, BAD_CAST "version", BAD_CAST "3.0") < 0)
		return failed(e);
	return 0;
}

static bool remember(struct premis *p, const char *agent)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->agents[i], agent) == 0)
			return true;
	if (p->count == p->capacity) {
		size_t more = p->capacity > 0 ? p->capacity * 2 : 16;
		char (*list)[AGENT_MAX] = realloc(p->agents, more * sizeof *list);

		if (list == NULL)
			return false;
		p->agents = list;
		p->capacity = more;
	}
	snprintf(p->agents[p->count++], AGENT_MAX, "%s", agent);
	return true;
}

static bool write_agent_link(struct premis *p, const char *type, const char *value,
			     const char *role)
{
	return open_element(p, "linkingAgentIdentifier") &&
	       element(p, "linkingAgentIdentifierType", type) &&
	       element(p, "linkingAgentIdentifierValue", value) &&
	       element(p, "linkingAgentRole", role) && close_element(p);
}

static bool write_event(struct premis *p, const struct audit_entry *a, const char *agent)
{
	char id[80], time[TEXT_TIME_MAX];
	const char *details = a->details;

	snprintf(id, sizeof id, "%s/%" PRIu64, p->archive_id, a->entry.sequence);
	if (details == NULL)
		details = a->state == AUDIT_DESTROYED ? "(destroyed)" : "(altered)";
	return open_element(p, "event") &&
	       open_element(p, "eventIdentifier") &&
	       element(p, "eventIdentifierType", "muniment audit log") &&
	       element(p, "eventIdentifierValue", id) && close_element(p) &&
	       element(p, "eventType", audit_act_premis(a->entry.act)) &&
	       element(p, "eventDateTime", text_time(a->entry.time, 0, time)) &&
	       open_element(p, "eventDetailInformation") &&
	       element(p, "eventDetail", audit_act_name(a->entry.act)) && close_element(p) &&
	       open_element(p, "eventDetailInformation") &&
	       element(p, "eventDetail", details) && close_element(p) &&
	       open_element(p, "eventOutcomeInformation") &&
	       element(p, "eventOutcome",
		       audit_act_is_success(a->entry.act) ? "success" : "failure") &&
	       close_element(p) &&
	       write_agent_link(p, "muniment officer", agent, "authorizer") &&
	       write_agent_link(p, "program", "muniment", "executing program") &&
	       close_element(p);
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
	return write_event(p, a, agent) ? 0 : failed(e);
}

static bool write_agent(struct premis *p, const char *type, const char *value,
			const char *kind)
{
	return open_element(p, "agent") && open_element(p, "agentIdentifier") &&
	       element(p, "agentIdentifierType", type) &&
	       element(p, "agentIdentifierValue", value) && close_element(p) &&
	       element(p, "agentName", value) && element(p, "agentType", kind) &&
	       close_element(p);
}

int premis_end(struct premis *p, struct err *e)
{
	bool is_good = p->to != NULL;

	for (size_t i = 0; is_good && i < p->count; i++)
		is_good = write_agent(p, "muniment officer", p->agents[i], "person");
	is_good = is_good && (p->count == 0 || write_agent(p, "program", "muniment", "software")) &&
		  xmlTextWriterEndDocument(p->to) >= 0 && xmlTextWriterFlush(p->to) >= 0;
	if (p->to != NULL)
		xmlFreeTextWriter(p->to);
	free(p->agents);
	free(p);
	return is_good && !atomic_load(&lacked) ? 0 : failed(e);
}

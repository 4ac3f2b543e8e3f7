/*
 * Addresses on a network: IPv4, IPv6, MAC.
 *
 * What stands for every machine or for none is not counted, since it tells of nobody:
 * 127.0.0.1 and ::1, 0.0.0.0 and ::, the broadcast addresses, netmasks.  Private
 * ranges are: inside the retired system's network they name a machine and its user.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_contact.h"

/* What stands before a number of four parts that is no address. */
static const char *const version_words[] = {
	"version", "versions", "ver", "v", "release", "rel", "build", "rev", "revision",
	"firmware", "driver", "assembly", "upgrade", "upgraded", "section", "chapter",
	"clause", "paragraph", "figure", "table", "oid", "fileversion", "productversion",
	"版本",
	"固件",
	"第",
	"条款",
	NULL,
};

static const char *const address_words[] = {
	"ip", "ipv4", "address", "addr", "host", "server", "client", "from", "gateway", "dns",
	"peer", "remote", "port", "地址", NULL,
};

/* ---- IPv4 ---------------------------------------------------------------------------- */

static bool parse_octets(const struct candidate *c, uint32_t *out)
{
	const char *p = c->text, *end = c->text + c->size;

	*out = 0;
	for (unsigned i = 0; i < 4; i++) {
		unsigned octet = 0;
		const char *first = i == 0 ? p : p + 1;

		if (i > 0 && (p == end || *p != '.'))
			return false;
		for (p = first; p < end && p - first < 3 && around_is_digit(*p); p++)
			octet = octet * 10 + (unsigned)(*p - '0');
		if (p == first || octet > 255 || (*first == '0' && p - first > 1))
			return false;
		*out = *out << 8 | octet;
	}
	return p == end;
}

static bool is_of_nobody(uint32_t address)
{
	uint32_t inverse = ~address;

	if (address >> 24 == 0 || address == INADDR_LOOPBACK)
		return true;
	/* A netmask: ones, then zeros. */
	return address >> 24 == 255 && (inverse & (inverse + 1)) == 0;
}

/* Chrome/120.0.0.0, nginx/1.18.0.1, but not localhost/10.0.0.7:8080 (as Java prints addresses). */
static bool is_product(const struct candidate *c, uint32_t address)
{
	return around_left(c, c->text, 1) == '/' && around_is_letter(around_left(c, c->text, 2)) &&
	       around_right(c, c->text + c->size, 0) != ':' &&
	       ((address & 0xffff) == 0 || address >> 24 < 10);
}

/* 22.2.3.2, 1.8.1.6: four small numbers are a section or a version as often; of all
 * addresses they are one in four thousand.  8.8.8.8 is known to everybody. */
static bool is_like_version(uint32_t address)
{
	return (address & 0xe0e0e0e0) == 0 && address >> 24 != 10 &&
	       address != (address & 0xff) * 0x01010101u;
}

/* Is the nearest word before it one of versions?  A number between parts them. */
static bool is_version(const struct candidate *c)
{
	struct span before = around_words_before(c, c->text, 28, 0), version, address;

	if (around_label_has(c, version_words) && !around_label_has(c, address_words))
		return true;
	if (!around_last_word(before, version_words, &version))
		return false;
	return !around_last_word(before, address_words, &address) ||
	       address.end < version.end;
}

static bool is_part_of_more(const struct candidate *c)
{
	char left = around_left(c, c->text, 1), left2 = around_left(c, c->text, 2);
	const char *end = c->text + c->size;
	char right = around_right(c, end, 0), right2 = around_right(c, end, 1);

	if (around_is_alnum(left) || left == '_' || around_is_alnum(right) || right == '_')
		return true;
	if (left == '.' && (around_is_alnum(left2) || left2 == ')'))
		return true;
	if (right == '.' && around_is_alnum(right2))
		return true;
	/* lib-1.2.3.4, 1.2.3.4-rc1, 1.2.3.4+git */
	if (left == '-' && around_is_letter(left2) && !c->has_context)
		return true;
	return (right == '-' || right == '+' || right == '~') && around_is_letter(right2);
}

enum verdict ipv4_check(const struct candidate *c)
{
	uint32_t address;

	if (is_part_of_more(c) || !parse_octets(c, &address) || is_of_nobody(address))
		return VERDICT_NO;
	if (c->is_first_look)
		return VERDICT_VALID;
	if (is_product(c, address) || is_version(c))
		return VERDICT_NO;
	return is_like_version(address) ? VERDICT_WEAK : VERDICT_VALID;
}

/* ---- IPv6 ---------------------------------------------------------------------------- */

static bool is_ipv6_char(char ch)
{
	return around_is_hex(ch) || ch == ':' || ch == '.';
}

/* The run of characters of an address around the trigger, without what is punctuation
 * or the end of a word before it ("addr:fe80::1", "ipv6:2001:db8::1"). */
static struct span ipv6_run(const struct candidate *c)
{
	struct span s = { c->text, c->text + c->size };

	while (s.from > c->before && is_ipv6_char(s.from[-1]) && s.end - s.from < 64)
		s.from--;
	while (s.end < c->after && is_ipv6_char(*s.end) && s.end - s.from < 64)
		s.end++;
	if (around_is_alnum(around_left(c, s.from, 1)) || around_left(c, s.from, 1) == '_') {
		while (s.from < s.end && *s.from != ':')
			s.from++;
	}
	if (s.end - s.from >= 2 && s.from[0] == ':' && s.from[1] != ':')
		s.from++;
	while (s.end > s.from && s.end[-1] == '.')
		s.end--;
	if (s.end - s.from >= 2 && s.end[-1] == ':' && s.end[-2] != ':')
		s.end--;
	return s;
}

struct groups {
	unsigned count, longest, of_two;
	bool has_dot, is_compressed;
};

static struct groups ipv6_groups(struct span s)
{
	struct groups g = { 0, 0, 0, false, false };
	unsigned size = 0;

	for (const char *p = s.from; p <= s.end; p++) {
		if (p < s.end && *p != ':') {
			g.has_dot = g.has_dot || *p == '.';
			size++;
			continue;
		}
		g.is_compressed = g.is_compressed || (p > s.from && p < s.end && p[-1] == ':');
		g.count += size > 0 ? 1 : 0;
		g.of_two += size == 2 ? 1 : 0;
		g.longest = size > g.longest ? size : g.longest;
		size = 0;
	}
	return g;
}

/* Of a range that is in use: global, unique local, link local, multicast. */
static bool is_in_use(const uint8_t a[16])
{
	return (a[0] & 0xe0) == 0x20 || (a[0] & 0xfe) == 0xfc ||
	       (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || (a[0] == 0xff && a[1] <= 0x3f) ||
	       (a[0] == 0 && a[1] == 0x64 && a[2] == 0xff);
}

static bool is_loopback_or_none(const uint8_t a[16])
{
	for (unsigned i = 0; i < 15; i++) {
		if (a[i] != 0)
			return false;
	}
	return a[15] <= 1;
}

enum verdict ipv6_check(const struct candidate *c)
{
	struct span s = ipv6_run(c);
	struct groups g = ipv6_groups(s);
	char text[INET6_ADDRSTRLEN], next = around_right(c, s.end, 0);
	uint8_t address[16];
	size_t size = (size_t)(s.end - s.from);

	if (size < 3 || size >= sizeof text || s.end <= c->text)
		return VERDICT_NO;
	if (around_is_alnum(next) || next == '_' || next == '(' ||
	    (next == '-' && around_is_digit(around_right(c, s.end, 1))))
		return VERDICT_NO;
	memcpy(text, s.from, size);
	text[size] = '\0';
	if (inet_pton(AF_INET6, text, address) != 1 || is_loopback_or_none(address))
		return VERDICT_NO;
	/* a[1::2] of Python */
	if (around_left(c, s.from, 1) == '[' &&
	    (around_is_alnum(around_left(c, s.from, 2)) || around_left(c, s.from, 2) == ']'))
		return VERDICT_NO;
	if (g.has_dot)
		return VERDICT_VALID;
	/* Eight bytes in hexadecimal are an EUI-64 or a part of a fingerprint. */
	if (!g.is_compressed && g.of_two == 8)
		return VERDICT_NO;
	/* "dead::beef", "x[1::2]", "1:2:3:4:5:6:7:8": of other languages too. */
	if ((g.longest >= 3 && g.count >= 3) || (g.longest == 4 && is_in_use(address)))
		return VERDICT_VALID;
	return g.is_compressed && g.count >= 4 ? VERDICT_VALID : VERDICT_WEAK;
}

void ipv6_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = ipv6_run(c);

	if (around_right(c, s.end, 0) == '%') {	/* the zone: fe80::1%eth0 */
		const char *p = s.end + 1;

		while (p < c->after && p - s.end < 17 && (around_is_alnum(*p) || *p == '-'))
			p++;
		s.end = p;
	}
	*start = s.from;
	*size = (size_t)(s.end - s.from);
}

/* ---- MAC ----------------------------------------------------------------------------- */

/* Does a group of `size` hexadecimal digits end just before p? */
static bool group_ends(const struct candidate *c, const char *p, size_t size)
{
	for (size_t i = 1; i <= size; i++) {
		if (!around_is_hex(around_left(c, p, i)))
			return false;
	}
	return !around_is_alnum(around_left(c, p, size + 1));
}

/* xoxb-309732207188-x: a piece of something longer. */
static bool is_joined(char joint, char beyond)
{
	return (joint == '-' || joint == '.' || joint == '+' || joint == '/') &&
	       around_is_alnum(beyond);
}

enum verdict mac_check(const struct candidate *c)
{
	struct span s = { c->text, c->text + c->size };
	char separator = c->size == 17 ? s.from[2] : c->size == 14 ? s.from[4] : '\0';
	char left = around_left(c, s.from, 1), right = around_right(c, s.end, 0);
	size_t group = c->size == 17 ? 2 : 4, zeros = 0, ones = 0, digits;

	if (around_is_alnum(left) || left == '_' || around_is_alnum(right) || right == '_')
		return VERDICT_NO;
	if (separator != '\0') {
		/* A longer run: EUI-64, a fingerprint, a UUID. */
		if (left == separator && (group == 4 || group_ends(c, s.from - 1, group)))
			return VERDICT_NO;
		if (right == separator && around_is_hex(around_right(c, s.end, 1)))
			return VERDICT_NO;
		if (separator == '-' && group == 4 && (left == '-' || right == '-'))
			return VERDICT_NO;
	} else if (is_joined(left, around_left(c, s.from, 2)) ||
		   is_joined(right, around_right(c, s.end, 1))) {
		return VERDICT_NO;
	}
	for (const char *p = s.from; p < s.end; p++) {
		if (!around_is_hex(*p) && *p != separator)
			return VERDICT_NO;
		zeros += *p == '0' ? 1 : 0;
		ones += *p == 'f' || *p == 'F' ? 1 : 0;
	}
	if (zeros == 12 || ones == 12)	/* nobody's, everybody's */
		return VERDICT_NO;
	digits = around_count_digits(s);
	if (separator == ':')
		return VERDICT_VALID;
	if (separator == '\0' || (separator == '-' && group == 4) || digits == 12)
		return VERDICT_WEAK;
	return VERDICT_VALID;
}

#include "policy/detect/check_contact.h"
#include "policy/detect/recogniser.h"

static const char *const email_words[] = {
	"email", "e-mail", "mail", "mailto", "contact", "from", "to", "cc", "bcc", "reply to",
	"邮箱", "邮件", "电子邮件", "電子郵件", "メール", "correo", "courriel", NULL,
};

static const char *const email_patterns[] = { "@", "%40", NULL };

/* Brackets and plus signs are triggers: what follows is read group by group. */
static const char *const phone_pictures[] = {
	"+9{1,15}", "+(9{1,3})", "(+9{1,3})", "(9{2,5})",
	/* North America, and three groups without a trunk digit */
	"999-999-9999", "999.999.9999", "999 999 9999", "999/999-9999", "9-999-999-9999",
	"9 999 999 9999", "9.999.999.9999", "9 (999) 999", "9(999)999", "9-(999)-999",
	"999-9999-999", "9999 999 999", "9999-999-999",
	"999-999-9999a9{1,5}", "999.999.9999a9{1,5}", "999 999 9999a9{1,5}", "+9{11}a9{1,5}",
	/* a trunk digit and two groups */
	"9{2,5}-9{5,8}", "9{2,5}/9{5,8}", "9{2,5} 9{5,8}", "9{2,5} / 9{5,8}",
	"9{2,5} - 9{5,8}", "99-9{2,3}-9{7,8}",
	/* three groups and more */
	"9{2,5}-9{2,4}-9{3,4}", "9{2,5} 9{2,4} 9{3,4}", "9{2,5}.9{2,4}.9{3,4}",
	"9{4,5} 9{2,5} 9{5,8}", "9{4,5}-9{2,5}-9{5,8}", "99 99 9{2,4} 9{3,4}",
	"9{2,5} 9{2,3} 99 99", "9{2,5}-9{2,3} 99 99", "9{2,5}/9{2,3} 99 99",
	"9{2,5}-9{2,3}-99-99", "9{2,5}.9{2,3}.99.99", "9{2,4}-9{2,3} 9{2,3} 99",
	"9 999 999-99-99", "9-999-999-99-99", "9 999 999 99 99",
	"99 99 99 99 99", "99.99.99.99.99", "99-99-99-99-99",
	/* only in context */
	"9{7,15}", "9999 9999", "9999-9999", "999-9999", "999 9999", "99999 99999",
	"99999-99999", "999 999 999", "999-999-999", "99 999 9999", "9 9999 9999",
	"99 99999-9999", "999 99 99 99", "99 99 99 99", "999 999 99 99",
	NULL,
};

static const char *const ipv4_pictures[] = { "9{1,3}.9{1,3}.9{1,3}.9{1,3}", NULL };

static const char *const ip_words[] = {
	"ip", "ips", "ipv4", "ip address", "ip addr", "ipaddr", "ipaddress", "address", "host",
	"server", "client", "remote", "gateway", "dns", "subnet", "src", "dst", "peer",
	"x-forwarded-for", "inet", "inet6", "ipv6", "地址", "IP地址", "ip地址", "主机", NULL,
};

static const char *const ipv6_patterns[] = { "::", NULL };
/* Six groups of the eight: the first may be all letters. */
static const char *const ipv6_pictures[] = {
	"x{1,4}:x{1,4}:x{1,4}:x{1,4}:x{1,4}:x{1,4}", NULL,
};

static const char *const mac_pictures[] = {
	"xx:xx:xx:xx:xx:xx", "xx-xx-xx-xx-xx-xx", "xxxx.xxxx.xxxx", "xxxx-xxxx-xxxx",
	"x{12}", NULL,
};

/* Pictures begin at a word that holds a digit: of these the first holds none. */
static const char *const mac_words[] = {
	"mac", "mac address", "macaddr", "hwaddr", "ether", "ethernet", "bssid", "wifi", "wlan",
	"physical address", "link layer", "lladdr", "hardware address", "nic", "arp",
	"物理地址", "网卡", NULL,
};

/* A day, or a day and a year, is enough to be found by: month names stand before it. */
static const char *const birth_pictures[] = {
	"9999-9{1,2}-9{1,2}", "9999/9{1,2}/9{1,2}", "9999.9{1,2}.9{1,2}",
	"9999-99-99a99:99", "9{1,2}-9{1,2}-9999", "9{1,2}/9{1,2}/9999",
	"9{1,2}.9{1,2}.9999", "9{1,2}. 9{1,2}. 9999", "9{1,2}-9{1,2}-99",
	"9{1,2}/9{1,2}/99", "9{1,2}.9{1,2}.99", "99999999",
	"9{1,2} a{3,10} 9999", "9{1,2} a{3,10}, 9999", "9{1,2}. a{3,10} 9999",
	"9{1,2} aaa. 9999", "9{1,2} aaa 99", "9{1,2}-aaa-9999", "9{1,2}-aaa-99", "9{1,2}/aaa/9999",
	"9{1,2}.aaa.9999", "9{1,2}aaa9999",
	"9{1,2}aa a{3,9} 9999", "9{1,2}aa a{3,9}, 9999", "9{1,2}aa aa a{3,9} 9999",
	"9{1,2}aa aa a{3,9}, 9999", "9{1,2} aa a{4,10} aa 9999",
	"9{1,2} aa a{4,10} aaa 9999", "9{1,2}, 9999", "9{1,2} 9999", "9{1,2}aa, 9999",
	"9{1,2}aa 9999", "9999-aaa-99", "9999 a{3,9} 9{1,2}", NULL,
};

static const char *const birth_patterns[] = {
	"[0-9]月", "[0-9] 月", "[一二三四五六七八九十]月", "[0-9]월",
	"[Mm]ärz", "[Ff]évrier", "[Aa]oût", "[Dd]écembre", "[Mm]arço",
	"[Ww]rześnia", "[Pp]aździernika", NULL,
};

static const char *const birth_context[] = { BIRTH_WORDS, "生", NULL };

static const struct recogniser rows[] = {
	{
		.id = "email", .title = "E-mail address",
		.patterns = email_patterns, .min_size = 1, .max_size = 3,
		.check = email_check, .value = email_value, .context = email_words,
		.alone = 95, .in_context = 98,
		.masking = MASK_MAIL, .sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 60,
	},
	{
		.id = "phone", .title = "Telephone number",
		.pictures = phone_pictures, .min_size = 2, .max_size = 32,
		.check = phone_check, .value = phone_value, .context = phone_words,
		.alone = 70, .in_context = 90,
		.masking = MASK_TAIL, .sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 10,
	},
	{
		.id = "ipv4", .title = "IPv4 address",
		.pictures = ipv4_pictures, .min_size = 7, .max_size = 15,
		.check = ipv4_check, .context = ip_words, .alone = 80, .in_context = 95,
		.masking = MASK_ENDS, .sensitivity = SENSITIVITY_INTERNAL, .rank = 40,
	},
	{
		.id = "ipv6", .title = "IPv6 address",
		.patterns = ipv6_patterns, .pictures = ipv6_pictures,
		.min_size = 2, .max_size = 64,
		.check = ipv6_check, .value = ipv6_value, .context = ip_words,
		.alone = 85, .in_context = 95,
		.masking = MASK_ENDS, .sensitivity = SENSITIVITY_INTERNAL, .rank = 40,
	},
	{
		.id = "mac", .title = "MAC address",
		.pictures = mac_pictures, .min_size = 12, .max_size = 17,
		.check = mac_check, .context = mac_words, .alone = 85, .in_context = 95,
		.masking = MASK_ENDS, .sensitivity = SENSITIVITY_INTERNAL, .rank = 40,
	},
	{
		.id = "date-of-birth", .title = "Date of birth",
		.patterns = birth_patterns, .pictures = birth_pictures,
		.min_size = 4, .max_size = 40,
		.check = birth_check, .value = birth_value, .context = birth_context,
		.alone = 0, .in_context = 90,
		.masking = MASK_ALL, .sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 30,
	},
};

const struct recogniser_table recognisers_contact = {
	.rows = rows, .count = sizeof rows / sizeof rows[0],
};

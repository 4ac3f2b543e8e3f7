"""What fills a company's disks and is none of it: nothing in here should be found."""

import base64
import string

from numbers_asia_america import DIGITS, digits
from secret_values import ALNUM, HEX, some

WORDS = ("the report of last quarter shows that orders from the northern region were late again and "
         "nobody knew why until the warehouse counted its pallets twice with a new scanner").split()
CHINESE = "本季度报告显示北方地区的订单再次延误直到仓库用新的扫描仪清点了两次托盘才知道原因请各部门按流程办理"


def stamp(r):
    return "20%02d-%02d-%02dT%02d:%02d:%02d" % (r.randint(10, 25), r.randint(1, 12), r.randint(1, 28),
                                                r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))


def uuid(r):
    h = some(r, HEX, 32)
    return "-".join((h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:]))


def prose(r):
    return " ".join(r.choice(WORDS) for _ in range(60)) + ".\n"


def chinese(r):
    at = r.randrange(20)
    return CHINESE[at:] + "。第%d条，共%d项，%d年度。\n" % (r.randint(1, 99), r.randint(1, 999), r.randint(1990, 2025))


def orders(r):
    return "order %s invoice INV-%s shipped %s qty %d total %d.%02d EUR ref PO-%s-%s\n" % (
        digits(r, 8), digits(r, 6), stamp(r), r.randint(1, 900), r.randint(1, 99999), r.randint(0, 99),
        digits(r, 5), digits(r, 3))


def log(r):
    return "%s.%s DEBUG [pool-%d-thread-%d] o.e.c.Store:%d - request %s took %d ms, heap %d of %d\n" % (
        stamp(r), digits(r, 3), r.randint(1, 9), r.randint(1, 40), r.randint(1, 999), some(r, HEX, 16),
        r.randint(1, 9999), r.randint(10 ** 6, 10 ** 9), r.randint(10 ** 8, 10 ** 10))


def hashes(r):
    return "%s  file%d.bin\n%s  other.txt\ncommit %s\n" % (
        some(r, HEX, 64), r.randint(1, 99), some(r, HEX, 32), some(r, HEX, 40))


def numbers(r):
    return "\n".join("%d;%.6f;%.3e;%d" % (r.randint(1, 10 ** 6), r.uniform(-1000, 1000),
                                         r.uniform(0, 1e9), r.randint(-50, 50)) for _ in range(12)) + "\n"


def versions(r):
    return "lib%s-%d.%d.%d.so version %d.%d.%d.%d build %s; requires >= %d.%d\n" % (
        r.choice(WORDS), *(r.randint(0, 20) for _ in range(3)), *(r.randint(0, 30) for _ in range(4)),
        digits(r, 4), r.randint(0, 9), r.randint(0, 99))


def code(r):
    return """static int count_%s(const struct item *it, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (it[i].key == 0x%s && it[i].token->next != NULL)
			total += it[i].value * %d.%d;	/* %s */
	return std::max(total, %du) ? key_compare(a, b) : -1;
}
""" % (r.choice(WORDS), some(r, HEX, 8), r.randint(0, 9), r.randint(0, 999), r.choice(WORDS), r.randint(1, 10 ** 6))


def picture(r):
    data = base64.b64encode(bytes(r.randrange(256) for _ in range(400))).decode()
    return '<img src="data:image/png;base64,%s" alt="%s">\n' % (data, r.choice(WORDS))


def ids(r):
    return '{"id": "%s", "parent": "%s", "rev": %d, "etag": "W/\\"%s\\"", "ts": %s}\n' % (
        uuid(r), uuid(r), r.randint(1, 99), some(r, HEX, 20), digits(r, 13))


def hexdump(r):
    return "".join("%08x  %s  |%s|\n" % (16 * i, " ".join(some(r, HEX, 2) for _ in range(16)), "." * 16)
                   for i in range(4))


def places(r):
    return "lat %.6f lon %.6f alt %d; tile %d/%d/%d; bbox %.4f,%.4f\n" % (
        r.uniform(-90, 90), r.uniform(-180, 180), r.randint(0, 4000), r.randint(0, 18), r.randint(0, 9999),
        r.randint(0, 9999), r.uniform(-90, 90), r.uniform(-180, 180))


def listing(r):
    return "-rw-r--r-- 1 app staff %8d Mar %2d %02d:%02d report_%s_%s.csv\n" % (
        r.randint(1, 10 ** 8), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59), stamp(r)[:10], digits(r, 3))


def markup(r):
    return '<div id="c%s" class="%s key-%d" data-token-count="%d"><a href="/p/%s?page=%d">%s</a></div>\n' % (
        digits(r, 4), r.choice(WORDS), r.randint(1, 9), r.randint(1, 900), uuid(r), r.randint(1, 50),
        r.choice(WORDS))


def yaml(r):
    return "retries: %d\ntimeout: %ds\nimage: registry.local/app:%d.%d.%d\nkeyboard: us\nauth: none\n" \
        "tokens_per_minute: %d\nsecret_name: app-config\npassword_policy: strict\n" % (
            r.randint(1, 9), r.randint(1, 90), *(r.randint(0, 20) for _ in range(3)), r.randint(1, 10 ** 5))


def diff(r):
    return "@@ -%d,%d +%d,%d @@\n-\treturn %d;\n+\treturn %d;\nindex %s..%s 100644\n" % (
        *(r.randint(1, 900) for _ in range(6)), some(r, HEX, 7), some(r, HEX, 7))


def shop(r):
    return "SKU %s-%s-%s EAN 400%s tracking 1Z%s%s weight %d.%d kg\n" % (
        some(r, string.ascii_uppercase, 2), digits(r, 4), some(r, string.ascii_uppercase, 1), digits(r, 10),
        some(r, string.ascii_uppercase + DIGITS, 6), digits(r, 8), r.randint(0, 30), r.randint(0, 9))


def meetings(r):
    return "%s meeting on %d/%d/%d at %02d:%02d, room %d, agenda v%d.%d, created %s\n" % (
        r.choice(["Weekly", "Monthly"]), r.randint(1, 12), r.randint(1, 28), r.randint(2015, 2025),
        r.randint(8, 18), r.choice((0, 15, 30)), r.randint(100, 999), r.randint(1, 9), r.randint(0, 9), stamp(r))


def blob(r):
    return some(r, ALNUM + "+/", 300) + "\n"


KINDS = [prose, chinese, orders, log, hashes, numbers, versions, code, picture, ids, hexdump, places, listing,
         markup, yaml, diff, shop, meetings, blob]


def text(r):
    kind = r.choice(KINDS)
    return kind.__name__, kind(r)

"""Addresses, telephone numbers and dates of birth, as people write them."""

import ipaddress

from numbers_asia_america import DIGITS, digits

NAMES = "anna bob chen.wei d.miller elena_r fatima grace-h info j.o'neil karl.heinz li.na m2 " \
    "noreply office petra sales zhang.san wu8 support".split()
DOMAINS = "example.com example.org mail.example.net corp.example.co.uk example.de firm.example.cn " \
    "example.io a-b.example.fr sub.dept.example.edu 163.com qq.com example.museum test-shop.it " \
    "example.com.br x.example.jp example.travel".split()


def email(r):
    kind = r.random()
    if kind < .04:
        return r.choice(["müller@bücher.de", "用户@例子.中国", "josé@correo.es",
                         "info@xn--bcher-kva.example"])
    name = r.choice(NAMES) + r.choice(["", "", str(r.randint(1, 99)), "+news", ".x"])
    s = name + "@" + r.choice(DOMAINS)
    return s.upper() if kind > .95 else s


def email_near(r):
    kind = r.choice(["no domain", "file", "version", "dots", "scp", "unit", "tld", "at", "hyphen",
                     "handle"])
    return kind, {
        "no domain": "root@localhost", "file": "icon@%dx.png" % r.randint(2, 3),
        "version": "pkg@%d.%d.%d" % (r.randint(1, 9), r.randint(0, 9), r.randint(0, 9)),
        "dots": "a..%s@example.com" % r.choice(["b", "c"]),
        "scp": "git@git.example.com:team/project.git", "unit": "getty@tty%d.service" % r.randint(1, 6),
        "tld": "bob@example.c", "at": "bob@@example.com", "hyphen": "bob@-example-.com",
        "handle": "@example_user",
    }[kind]


# ---- telephones -----------------------------------------------------------------------------


def pattern(r, shape):
    """N: 2-9, Z: 1-9, X: a digit."""
    return "".join(r.choice({"N": "23456789", "Z": "123456789", "X": DIGITS}[c])
                   if c in "NZX" else c for c in shape)


# Writings that are a telephone number's alone.
PHONES = """+1 NXX NXX XXXX|+1-NXX-NXX-XXXX|+1 (NXX) NXX-XXXX|+1NXXNXXXXXX|(NXX) NXX-XXXX|NXX-NXX-XXXX
|1-NXX-NXX-XXXX|NXX.NXX.XXXX|+44 20 7XXX XXXX|+44 (0)20 7XXX XXXX|+442079XXXXXX|+44 7700 9XXXXX
|020 7XXX XXXX|(020) 7XXX XXXX|07700 9XXXXX|01632 96XXXX|0161 4XX XXXX|+49 30 ZXXXXXX
|+49 (0)89 ZXXXXXX|+49 171 ZXXXXXX|030/ZXXXXXXX|0171-ZXXXXXXX|+33 1 ZX XX XX XX|+33 6 ZX XX XX XX
|01 ZX XX XX XX|06.ZX.XX.XX.XX|06-ZX-XX-XX-XX|+86 10 ZXXX XXXX|+86-21-ZXXXXXXX|010-ZXXXXXXX
|0755-8XXXXXXX|(021)ZXXXXXXX|021-ZXXXXXXX|+81 3 ZXXX XXXX|03-ZXXX-XXXX|090-ZXXX-XXXX
|045-ZXX-XXXX|+61 2 9XXX XXXX|(02) 9XXX XXXX|0412 XXX XXX|+61 4XX XXX XXX|+91 98XXX XXXXX
|+91-9XXXXXXXXX|+7 495 ZXX-XX-XX|8 (495) ZXX-XX-XX|+39 06 ZXXXXXXX|+34 91 ZXX XX XX
|+34 6XX XXX XXX|+55 11 9XXXX-XXXX|(11) 9XXXX-XXXX|+82 2-ZXXX-XXXX|010-ZXXX-XXXX|+65 6XXX XXXX
|+852 2XXX XXXX|+886 2 2XXX XXXX|+31 20 ZXX XXXX|+46 8 ZXX XX XX|070-ZXX XX XX|+48 5XX XXX XXX
|+41 44 ZXX XX XX|+971 50 ZXX XXXX|+27 82 ZXX XXXX|0041 44 ZXX XX XX|001-NXX-NXX-XXXX
|400-6XX-XXXX|+353 1 ZXX XXXX|+351 21 ZXX XXXX|+90 532 ZXX XX XX|+62 812 ZXXX XXXX""".replace(
    "\n", "").split("|")

# Those that need a word beside them.
PHONES_NAMED = """NXXNXXXXXX|NXX NXX XXXX|02079XXXXXX|07700 XXXXXX|0301234XXX|98XXX XXXXX|9XXXXXXXXX
|6XX XXX XXX|9X XXX XX XX|8XXXXXXX|ZXXX XXXX|2XXX XXXX|555-01XX|0612345XXX|44207XXXXXXX
|ZX XX XX XX""".replace("\n", "").split("|")


def is_north_american_service(s):
    d = "".join(c for c in s if c in DIGITS)[-10:]
    return d[1:3] == "11"


def phone(r, named=False):
    while True:
        s = pattern(r, r.choice(PHONES + PHONES_NAMED if named else PHONES))
        if not is_north_american_service(s):
            return s


def phone_near(r):
    return r.choice([
        ("short", pattern(r, "+44 20 7XX")), ("area", pattern(r, "+1 1XX NXX XXXX")),
        ("area", pattern(r, "(0XX) 1XX-XX")), ("long", pattern(r, "+1 NXX NXX XXXX99999")),
        ("short", pattern(r, "NXX-XX")), ("code", pattern(r, "+999 XXX XXX XXX")),
        ("exchange", pattern(r, "NXX-1XX-XXXX")), ("short", "+12"),
        ("order", pattern(r, "ORD-NXX-NXX-XXXX-9")), ("letters", pattern(r, "NXX-ABC-XXXX")),
        ("sum", pattern(r, "+$NXX,XXX.XX")), ("time", pattern(r, "+0800")),
    ])


# ---- addresses on a network -----------------------------------------------------------------


def ipv4(r):
    while True:
        a = [r.randint(1, 223)] + [r.randint(0, 255) for _ in range(3)]
        if a[0] != 127:
            return ".".join(map(str, a)) + r.choice(["", "", "", ":%d" % r.randint(1, 65535), "/24"])


def ipv4_near(r):
    a = [r.randint(1, 223) for _ in range(5)]
    return r.choice([
        ("octet", "%d.%d.%d.%d" % (a[0], r.randint(256, 999), a[1], a[2])),
        ("three", "%d.%d.%d" % tuple(a[:3])), ("five", ".".join(map(str, a))),
        ("version", "version %d.%d.%d.%d" % tuple(a[:4])), ("version", "v%d.%d.%d.%d" % tuple(a[:4])),
        ("zeros", "%03d.%03d.%03d.%03d" % tuple(n % 90 for n in a[:4])),
        ("library", "libfoo-%d.%d.%d.%d.jar" % tuple(a[:4])),
        ("browser", "Chrome/%d.0.0.0 Safari" % r.randint(90, 130)),
        ("mask", r.choice(["255.255.255.0", "255.255.0.0", "0.0.0.0", "127.0.0.1"])),
        ("date", "%02d.%02d.%d" % (r.randint(1, 28), r.randint(1, 12), r.randint(1990, 2030))),
    ])


def ipv6(r):
    top = r.choice([0x2001, 0x2a02, 0x2400, 0xfe80, 0xfd00 + r.randint(0, 255), 0x2606])
    words = [top] + [r.choice([0, 0, r.randint(1, 0xffff), r.randint(1, 0xfff)]) for _ in range(6)]
    words.append(r.randint(1, 0xffff))
    a = ipaddress.IPv6Address(":".join("%x" % w for w in words))
    s = r.choice([a.compressed, a.compressed, a.exploded, a.compressed.upper()])
    if s.startswith("fe80") and r.random() < .5:
        s += "%eth0"
    if r.random() < .05:
        s = "::ffff:%d.%d.%d.%d" % tuple(r.randint(1, 223) for _ in range(4))
    return "[%s]:443" % s if r.random() < .1 else s


def ipv6_near(r):
    h = "%x" % r.randint(0x1000, 0xffff)
    return r.choice([
        ("twice", "2001::%s::1" % h), ("long", "2001:db8:1:2:3:4:5:6:%s" % h),
        ("group", "2001:db8::%s1" % h), ("hex", "2001:db8::g%s" % h),
        ("time", "%02d:%02d:%02d" % (r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))),
        ("scope", r.choice(["std::vector", "Foo::bar()", "a[1::2]", "Face::add(x)", "x::y"])),
        ("short", "2001:db8:1:2"), ("eui", ":".join("%02x" % r.randint(0, 255) for _ in range(8))),
    ])


def mac(r):
    b = ["%02x" % r.randint(0, 255) for _ in range(6)]
    if all(c in DIGITS for c in "".join(b)):
        b[2] = "ab"
    s = r.choice([":".join(b), ":".join(b), "-".join(b),
                  "%s%s.%s%s.%s%s" % tuple(b)])
    return s.upper() if r.random() < .5 else s


def mac_near(r):
    b = ["%02x" % r.randint(0, 255) for _ in range(9)]
    return r.choice([
        ("short", ":".join(b[:5])), ("long", ":".join(b[:7])), ("mixed", "%s:%s-%s:%s-%s:%s" % tuple(b[:6])),
        ("hex", ":".join(b[:5]) + ":g" + b[5][0]), ("none", "ff:ff:ff:ff:ff:ff"),
        ("fingerprint", ":".join("%02x" % r.randint(0, 255) for _ in range(16))),
        ("zero", "00:00:00:00:00:00"),
    ])


# ---- dates of birth -------------------------------------------------------------------------

MONTHS = "January February March April May June July August September October November " \
    "December".split()


def birth(r):
    y, m, d = r.randint(1930, 2012), r.randint(1, 12), r.randint(1, 28)
    name = MONTHS[m - 1]
    return r.choice([
        "%04d-%02d-%02d" % (y, m, d), "%04d-%02d-%02d" % (y, m, d), "%04d/%02d/%02d" % (y, m, d),
        "%02d.%02d.%04d" % (d, m, y), "%d.%d.%04d" % (d, m, y), "%02d/%02d/%04d" % (m, d, y),
        "%02d/%02d/%04d" % (d, m, y), "%d %s %d" % (d, name, y), "%s %d, %d" % (name, d, y),
        "%d-%s-%d" % (d, name[:3], y), "%d年%d月%d日" % (y, m, d), "%d年%02d月%02d日" % (y, m, d),
        "%02d-%02d-%04d" % (d, m, y), "%04d%02d%02d" % (y, m, d), "%s %d, %d" % (name[:3], d, y),
    ])


def birth_near(r):
    y = r.randint(1930, 2012)
    return "no date", r.choice(["%d-13-%02d" % (y, r.randint(1, 28)), "%d-02-30" % y, "31.04.%d" % y,
                                "32/01/%d" % y, "%d-00-12" % y, "45 March %d" % y, "%d年13月1日" % y,
                                "%d" % y])

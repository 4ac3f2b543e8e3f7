"""Identity numbers of Asia, America and Australia, made by the rules that their
issuers publish, apart from the validators in policy/detect."""

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digits(r, n):
    return "".join(r.choice(DIGITS) for _ in range(n))


def luhn_digit(body):
    total = 0
    for i, c in enumerate(reversed(body)):
        d = int(c)
        if i % 2 == 0:
            d = d * 2 - 9 if d > 4 else d * 2
        total += d
    return str(-total % 10)


def date(r, first=1940, last=2004):
    year, month = r.randint(first, last), r.randint(1, 12)
    return year, month, r.randint(1, 28)


def other_digit(r, d):
    return r.choice([c for c in DIGITS if c != d])


def grouped(s, sizes, sep):
    out, at = [], 0
    for n in sizes:
        out.append(s[at:at + n])
        at += n
    return sep.join(out)


def trivial(s):
    return len(set(s)) < 3


# ---- China ----------------------------------------------------------------------------

REGIONS = ("110101 110105 120101 130102 210102 310104 310115 320102 320583 330106 340102 "
           "350203 370202 410103 420102 430102 440305 440104 450103 500103 510104 520102 "
           "530102 610102 620102 640104 650102").split()


def cn_id_check(body):
    weights = [2 ** (17 - i) % 11 for i in range(17)]
    return "10X98765432"[sum(int(c) * w for c, w in zip(body, weights)) % 11]


def cn_resident_id(r):
    y, m, d = date(r)
    body = r.choice(REGIONS) + "%04d%02d%02d" % (y, m, d) + digits(r, 3)
    check = cn_id_check(body)
    return body + (check.lower() if r.random() < .1 else check)


def cn_resident_id_near(r):
    s = cn_resident_id(r).upper()
    kind = r.choice(["check", "region", "date", "short"])
    if kind == "check":
        return kind, s[:17] + r.choice([c for c in "0123456789X" if c != s[17]])
    if kind == "region":
        body = r.choice(["99", "00", "77", "19"]) + s[2:17]
        return kind, body + cn_id_check(body)
    if kind == "date":
        body = s[:10] + r.choice(["1332", "0230", "0000", "1131"]) + s[14:17]
        return kind, body + cn_id_check(body)
    return kind, s[:16]


USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def cn_uscc(r):
    org = "".join(r.choice(DIGITS + LETTERS) for _ in range(8)) if r.random() < .3 else \
        "MA" + "".join(r.choice(USCC) for _ in range(6))
    org = "".join(c if c in USCC else "7" for c in org)
    value = {c: i for i, c in enumerate(DIGITS + LETTERS)}
    total = sum(value[c] * w for c, w in zip(org, (3, 7, 9, 10, 5, 8, 4, 2)))
    check = "0123456789X0"[11 - total % 11] if total % 11 else "0"
    body = r.choice(["91", "92", "93", "12", "51", "52"]) + r.choice(REGIONS) + org + check
    return body + uscc_check(body)


def uscc_check(body):
    weights = [pow(3, i, 31) for i in range(17)]
    total = sum(USCC.index(c) * w for c, w in zip(body, weights))
    return USCC[-total % 31]


def cn_uscc_near(r):
    s = cn_uscc(r)
    kind = r.choice(["check", "letter", "short"])
    if kind == "check":
        return kind, s[:17] + r.choice([c for c in USCC if c != s[17]])
    if kind == "letter":
        return kind, s[:9] + r.choice("IOSVZ") + s[10:]
    return kind, s[:15]


def cn_mobile(r):
    s = "1" + r.choice("30 31 35 36 37 38 39 50 51 52 57 58 59 66 73 76 77 78 80 81 82 83 86 "
                       "87 88 89 91 98 99".split()) + digits(r, 8)
    return r.choice([s, s, s, grouped(s, (3, 4, 4), " "), grouped(s, (3, 4, 4), "-"), "+86" + s,
                     "+86 " + s, "+86 " + grouped(s, (3, 4, 4), " "), "86-" + s])


def cn_mobile_near(r):
    kind = r.choice(["prefix", "short", "long"])
    if kind == "prefix":
        return kind, "1" + r.choice("012") + digits(r, 9)
    return kind, "13" + digits(r, 8 if kind == "short" else 10)


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def cn_plate(r):
    head = r.choice(PROVINCES) + r.choice("ABCDEFGHJKLMN")
    if r.random() < .25:    # new energy
        body = r.choice(["D", "F"]) + digits(r, 5)
    else:
        body = "".join(r.choice(PLATE) if i in (0, 1) else r.choice(DIGITS) for i in range(5))
    return head + r.choice(["", "", "·", " ", "-"]) + body


def cn_plate_near(r):
    kind = r.choice(["province", "short", "letter"])
    if kind == "province":
        return kind, r.choice("人民法院大小好第") + "A" + digits(r, 5)
    if kind == "short":
        return kind, r.choice(PROVINCES) + "A" + digits(r, 3)
    return kind, r.choice(PROVINCES) + "A" + digits(r, 2) + r.choice("IO") + digits(r, 2)


def cn_bank_card(r):
    bin6 = r.choice("622202 622848 621700 621661 622588 622262 622700 621226 623058 "
                    "621483 622622 622155".split())
    body = bin6 + digits(r, r.choice([16, 19, 19]) - 7)
    s = body + luhn_digit(body)
    return s if r.random() < .6 else " ".join(s[i:i + 4] for i in range(0, len(s), 4))


def cn_bank_card_near(r):
    s = cn_bank_card(r).replace(" ", "")
    return "check", s[:-1] + other_digit(r, s[-1])


def hk_id(r):
    prefix = r.choice(LETTERS) if r.random() < .85 else "W" + r.choice("XYZ")
    number = digits(r, 6)
    check = hk_check(prefix, number)
    return prefix + number + r.choice(["(%s)", "(%s)", "%s", "-%s"]) % check


def hk_check(prefix, number):
    chars = (" " + prefix)[-2:] + number
    total = sum((36 if c == " " else ord(c) - 55 if c.isalpha() else int(c)) * w
                for c, w in zip(chars, range(9, 1, -1)))
    return "0123456789A"[-total % 11]


def hk_id_near(r):
    prefix, number = r.choice(LETTERS), digits(r, 6)
    check = r.choice([c for c in "0123456789A" if c != hk_check(prefix, number)])
    return "check", prefix + number + "(%s)" % check


TW = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36)))


def tw_check(s):
    n = TW[s[0]]
    total = n // 10 + n % 10 * 9 + sum(int(c) * w for c, w in zip(s[1:9], range(8, 0, -1)))
    return str(-total % 10)


def tw_id(r):
    s = r.choice(LETTERS) + r.choice("1289" if r.random() < .2 else "12") + digits(r, 7)
    return s + tw_check(s)


def tw_id_near(r):
    s = tw_id(r)
    if r.random() < .5:
        return "check", s[:9] + other_digit(r, s[9])
    body = s[0] + r.choice("034567") + s[2:9]
    return "sex", body + tw_check(body)


# ---- Japan, Korea, India ------------------------------------------------------------------


def jp_my_number(r):
    body = digits(r, 11)
    while trivial(body):
        body = digits(r, 11)
    s = body + my_number_check(body)
    return r.choice([s, grouped(s, (4, 4, 4), " "), grouped(s, (4, 4, 4), "-")])


def my_number_check(body):
    total = sum(int(c) * (n + 1 if n <= 6 else n - 5)
                for n, c in enumerate(reversed(body), 1))
    return "0" if total % 11 <= 1 else str(11 - total % 11)


def jp_my_number_near(r):
    body = digits(r, 11)
    return "check", body + other_digit(r, my_number_check(body))


def rrn_check(body):
    total = sum(int(c) * w for c, w in zip(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)))
    return str((11 - total % 11) % 10)


def kr_rrn(r):
    y, m, d = date(r)
    body = "%02d%02d%02d" % (y % 100, m, d) + r.choice("12" if y < 2000 else "34") + digits(r, 5)
    s = body + rrn_check(body)
    return s if r.random() < .2 else s[:6] + "-" + s[6:]


def kr_rrn_near(r):
    s = kr_rrn(r).replace("-", "")
    if r.random() < .5:
        return "check", s[:6] + "-" + s[6:12] + other_digit(r, s[12])
    body = s[:2] + "1340" + s[6:12]
    return "date", body[:6] + "-" + body[6:] + rrn_check(body)


D5 = ["0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321",
      "6598710432", "7659821043", "8765932104", "9876543210"]
P8 = ["0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901",
      "2793806415", "7046913258"]


def verhoeff_digit(body):
    c = 0
    for i, ch in enumerate(reversed(body), 1):
        c = int(D5[c][int(P8[i % 8][int(ch)])])
    return str(next(d for d in range(10) if D5[c][d] == "0"))


def in_aadhaar(r):
    body = r.choice("23456789") + digits(r, 10)
    s = body + verhoeff_digit(body)
    return r.choice([grouped(s, (4, 4, 4), " "), grouped(s, (4, 4, 4), " "), s,
                     grouped(s, (4, 4, 4), "-")])


def in_aadhaar_near(r):
    body = r.choice("23456789") + digits(r, 10)
    kind = r.choice(["check", "first"])
    if kind == "check":
        s = body + other_digit(r, verhoeff_digit(body))
    else:
        body = r.choice("01") + body[1:]
        s = body + verhoeff_digit(body)
    return kind, grouped(s, (4, 4, 4), " ")


def in_pan(r):
    three = "".join(r.choice(LETTERS) for _ in range(3))
    return three + r.choice("PPPPCHFATBLJG") + r.choice(LETTERS) + digits(r, 4) + r.choice(LETTERS)


def in_pan_near(r):
    s = in_pan(r)
    kind = r.choice(["holder", "short", "shape"])
    if kind == "holder":
        return kind, s[:3] + r.choice("DEIKMNOQRSUVWXYZ") + s[4:]
    return kind, s[:9] if kind == "short" else s[:5] + s[9] + s[6:]


# ---- America, Australia ------------------------------------------------------------------


def us_ssn(r):
    area = r.choice([n for n in range(1, 900) if n not in (666,)])
    s = "%03d%02d%04d" % (area, r.randint(1, 99), r.randint(1, 9999))
    return r.choice([grouped(s, (3, 2, 4), "-")] * 4 + [grouped(s, (3, 2, 4), " "), s])


def us_ssn_near(r):
    kind = r.choice(["area", "group", "serial", "long"])
    area, group, serial = "%03d" % r.randint(1, 665), "%02d" % r.randint(1, 99), \
        "%04d" % r.randint(1, 9999)
    if kind == "area":
        area = r.choice(["000", "666"])
    elif kind == "group":
        group = "00"
    elif kind == "serial":
        serial = "0000"
    else:
        serial += "1"
    return kind, "-".join((area, group, serial))


def us_itin(r):
    group = r.choice([n for n in range(50, 100) if n not in (66, 67, 68, 69, 89, 93)])
    s = "9" + digits(r, 2) + str(group) + digits(r, 4)
    return r.choice([grouped(s, (3, 2, 4), "-")] * 4 + [s])


def us_itin_near(r):
    return "group", "9" + digits(r, 2) + "-" + r.choice(["00", "12", "49", "66", "89", "93"]) + \
        "-" + digits(r, 4)


def ca_sin(r):
    body = r.choice("1234579") + digits(r, 7)
    s = body + luhn_digit(body)
    return r.choice([grouped(s, (3, 3, 3), " "), grouped(s, (3, 3, 3), "-"), s])


def ca_sin_near(r):
    body = r.choice("1234579") + digits(r, 7)
    return "check", grouped(body + other_digit(r, luhn_digit(body)), (3, 3, 3), "-")


TFN = (1, 4, 3, 7, 5, 8, 6, 9, 10)


def au_tfn(r):
    while True:
        s = r.choice("123456789") + digits(r, 8)
        if sum(int(c) * w for c, w in zip(s, TFN)) % 11 == 0 and not trivial(s):
            return r.choice([grouped(s, (3, 3, 3), " "), s])


def au_tfn_near(r):
    s = au_tfn(r).replace(" ", "")
    return "check", grouped(s[:8] + other_digit(r, s[8]), (3, 3, 3), " ")


def cpf_digits(body):
    for _ in range(2):
        total = sum(int(c) * w for c, w in zip(body, range(len(body) + 1, 1, -1)))
        body += str((total * 10 % 11) % 10)
    return body


def br_cpf(r):
    body = digits(r, 9)
    while trivial(body):
        body = digits(r, 9)
    s = cpf_digits(body)
    dotted = "%s.%s.%s-%s" % (s[:3], s[3:6], s[6:9], s[9:])
    return r.choice([dotted, dotted, dotted, s])


def br_cpf_near(r):
    s = cpf_digits(digits(r, 9))
    return "check", "%s.%s.%s-%s%s" % (s[:3], s[3:6], s[6:9], s[9], other_digit(r, s[10]))


def cnpj_digits(body):
    for _ in range(2):
        weights = [2 + i % 8 for i in range(len(body))]
        total = sum(int(c) * w for c, w in zip(reversed(body), weights))
        body += "0" if total % 11 < 2 else str(11 - total % 11)
    return body


def br_cnpj(r):
    s = cnpj_digits(digits(r, 8) + "000" + r.choice("123456"))
    dotted = "%s.%s.%s/%s-%s" % (s[:2], s[2:5], s[5:8], s[8:12], s[12:])
    return r.choice([dotted, dotted, dotted, s])


def br_cnpj_near(r):
    s = cnpj_digits(digits(r, 8) + "0001")
    return "check", "%s.%s.%s/%s-%s%s" % (s[:2], s[2:5], s[5:8], s[8:12], s[12],
                                          other_digit(r, s[13]))

"""Identity numbers of Europe, passports and the numbers of money, made by the rules
that their issuers publish, apart from the validators in policy/detect."""

from numbers_asia_america import DIGITS, LETTERS, date, digits, grouped, luhn_digit, other_digit

# ---- Europe ------------------------------------------------------------------------------


def uk_nino(r):
    while True:
        prefix = r.choice("ABCEGHJKLMNOPRSTWXYZ") + r.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
            break
    n, suffix = digits(r, 6), r.choice("ABCD")
    return r.choice([prefix + n + suffix, prefix + " " + grouped(n, (2, 2, 2), " ") + " " + suffix,
                     prefix + n + " " + suffix])


def uk_nino_near(r):
    kind = r.choice(["prefix", "suffix", "short"])
    if kind == "prefix":
        return kind, r.choice(["BG", "GB", "ZZ", "DA", "QA", "AO", "FU"]) + digits(r, 6) + "A"
    if kind == "suffix":
        return kind, "AB" + digits(r, 6) + r.choice("EFGHZ")
    return kind, "AB" + digits(r, 5) + "A"


def nhs_check(body):
    return (11 - sum(int(c) * w for c, w in zip(body, range(10, 1, -1))) % 11) % 11


def uk_nhs(r):
    while True:
        body = r.choice("4679") + digits(r, 8)
        if nhs_check(body) < 10:
            break
    s = body + str(nhs_check(body))
    return r.choice([grouped(s, (3, 3, 4), " "), s, grouped(s, (3, 3, 4), "-")])


def uk_nhs_near(r):
    s = uk_nhs(r).replace(" ", "").replace("-", "")
    return "check", grouped(s[:9] + other_digit(r, s[9]), (3, 3, 4), " ")


def mod11_10(body):
    product = 10
    for c in body:
        total = (product + int(c)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def de_tax_id(r):
    chosen = r.sample(DIGITS, 9)
    body = chosen + [r.choice(chosen)]
    while True:
        r.shuffle(body)
        if body[0] != "0" and not any(a == b == c for a, b, c in zip(body, body[1:], body[2:])):
            break
    s = "".join(body)
    s += mod11_10(s)
    return r.choice([s, grouped(s, (2, 3, 3, 3), " ")])


def de_tax_id_near(r):
    s = de_tax_id(r).replace(" ", "")
    if r.random() < .5:
        return "check", s[:10] + other_digit(r, s[10])
    body = "1" * 5 + digits(r, 5)
    return "repeats", body + mod11_10(body)


def fr_nir(r):
    dep = r.choice(["%02d" % n for n in range(1, 96) if n != 20] + ["2A", "2B", "99"])
    body = r.choice("12") + "%02d%02d" % (r.randint(30, 99), r.randint(1, 12)) + dep + \
        "%03d%03d" % (r.randint(1, 600), r.randint(1, 999))
    number = int(body.replace("2A", "19").replace("2B", "18"))
    s = body + "%02d" % (97 - number % 97)
    return r.choice([s, grouped(s, (1, 2, 2, 2, 3, 3, 2), " ")])


def fr_nir_near(r):
    s = fr_nir(r).replace(" ", "")
    key = (int(s[13:]) + r.randint(1, 90)) % 97
    return "key", grouped(s[:13] + "%02d" % (key or 97), (1, 2, 2, 2, 3, 3, 2), " ")


ODD = dict(zip(DIGITS + LETTERS, (1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
                                  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8,
                                  12, 14, 16, 10, 22, 25, 24, 23)))


def cf_check(body):
    total = 0
    for i, c in enumerate(body):
        total += ODD[c] if i % 2 == 0 else int(c) if c.isdigit() else ord(c) - 65
    return LETTERS[total % 26]


def it_codice_fiscale(r):
    consonants = "BCDFGLMNPRSTVZ"
    y, m, d = date(r)
    body = "".join(r.choice(consonants) for _ in range(6)) + "%02d" % (y % 100) + \
        "ABCDEHLMPRST"[m - 1] + "%02d" % (d + r.choice((0, 40))) + r.choice("ABCDEFGHIL") + \
        "%03d" % r.randint(100, 999)
    return body + cf_check(body)


def it_codice_fiscale_near(r):
    s = it_codice_fiscale(r)
    if r.random() < .5:
        return "check", s[:15] + r.choice([c for c in LETTERS if c != s[15]])
    body = s[:8] + r.choice("FGIJKNOQUVWXYZ") + s[9:15]
    return "month", body + cf_check(body)


DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_dni(r):
    n = digits(r, 8)
    return n + r.choice(["", "", "", "-"]) + DNI[int(n) % 23]


def es_dni_near(r):
    n = digits(r, 8)
    return "letter", n + r.choice([c for c in DNI if c != DNI[int(n) % 23]])


def es_nie(r):
    first, n = r.choice("XYZ"), digits(r, 7)
    sep = r.choice(["", "", "-"])
    return first + sep + n + sep + DNI[int(str("XYZ".index(first)) + n) % 23]


def es_nie_near(r):
    s = es_nie(r).replace("-", "")
    return "letter", s[:8] + r.choice([c for c in DNI if c != s[8]])


def pesel_check(body):
    return str(-sum(int(c) * w for c, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3))) % 10)


def pl_pesel(r):
    y, m, d = date(r)
    body = "%02d%02d%02d" % (y % 100, m + (20 if y >= 2000 else 0), d) + digits(r, 4)
    return body + pesel_check(body)


def pl_pesel_near(r):
    s = pl_pesel(r)
    if r.random() < .5:
        return "check", s[:10] + other_digit(r, s[10])
    body = s[:2] + r.choice(["13", "00", "35"]) + s[4:10]
    return "date", body + pesel_check(body)


def se_personnummer(r):
    y, m, d = date(r)
    body = "%02d%02d%02d" % (y % 100, m, d) + digits(r, 3)
    s = body + luhn_digit(body)
    century = str(y // 100)
    return r.choice([s[:6] + "-" + s[6:], s[:6] + "-" + s[6:], century + s[:6] + "-" + s[6:],
                     century + s])


def se_personnummer_near(r):
    s = se_personnummer(r).replace("-", "")[-10:]
    return "check", s[:6] + "-" + s[6:9] + other_digit(r, s[9])


# ---- passports ------------------------------------------------------------------------------


def mrz_digit(s):
    value = {c: i for i, c in enumerate(DIGITS + LETTERS)}
    value["<"] = 0
    return str(sum(value[c] * (7, 3, 1)[i % 3] for i, c in enumerate(s)) % 10)


def mrz_lines(r):
    state = r.choice("UTO GBR D<< FRA CHN USA JPN ITA ESP BRA".split())
    surname = "".join(r.choice(LETTERS) for _ in range(r.randint(3, 10)))
    given = "".join(r.choice(LETTERS) for _ in range(r.randint(3, 8)))
    first = ("P<" + state + surname + "<<" + given).ljust(44, "<")
    number = "".join(r.choice(LETTERS + DIGITS) for _ in range(9))
    y, m, d = date(r)
    birth = "%02d%02d%02d" % (y % 100, m, d)
    expiry = "%02d%02d%02d" % (r.randint(24, 33), r.randint(1, 12), r.randint(1, 28))
    body = number + mrz_digit(number) + state + birth + mrz_digit(birth) + r.choice("MF<") + \
        expiry + mrz_digit(expiry) + "<" * 14 + r.choice(["<", "0"])
    return first, body + mrz_digit(body[:10] + body[13:20] + body[21:43])


def passport_mrz(r):
    return "\n".join(mrz_lines(r))


def passport_mrz_near(r):
    first, second = mrz_lines(r)
    kind = r.choice(["number", "composite", "birth"])
    at = {"number": 9, "composite": 43, "birth": 19}[kind]
    return kind, first + "\n" + second[:at] + other_digit(r, second[at]) + second[at + 1:]


# ---- money ------------------------------------------------------------------------------------

CARDS = [("4", 16), ("4", 16), ("51", 16), ("53", 16), ("55", 16), ("2221", 16), ("2549", 16),
         ("34", 15), ("37", 15), ("6011", 16), ("65", 16), ("645", 16), ("3530", 16),
         ("36", 14), ("305", 14)]


def payment_card(r):
    prefix, size = r.choice(CARDS)
    body = prefix + digits(r, size - len(prefix) - 1)
    s = body + luhn_digit(body)
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[size]
    return r.choice([s, s, grouped(s, sizes, " "), grouped(s, sizes, "-")])


def payment_card_near(r):
    s = payment_card(r).replace(" ", "").replace("-", "")
    kind = r.choice(["check", "issuer", "short"])
    if kind == "check":
        return kind, s[:-1] + other_digit(r, s[-1])
    body = r.choice(["10", "70", "90", "87"]) + digits(r, 13) if kind == "issuer" else \
        "4" + digits(r, 10)
    return kind, body + luhn_digit(body)


IBAN = """DE 18n|GB 4a14n|FR 10n11c2n|ES 20n|IT 1a10n12c|NL 4a10n|CH 5n12c|BE 12n|AT 16n|PL 24n
|SE 20n|NO 11n|DK 14n|FI 14n|PT 21n|IE 4a14n|GR 7n16c|CZ 20n|HU 24n|RO 4a16c|BG 4a6n8c|HR 17n
|LU 3n13c|SA 2n18c|AE 19n|TR 6n16c|IL 19n|BR 23n1a1c|MT 4a5n18c|CY 8n16c|EE 16n|LV 4a13c|LT 16n
|SI 15n|SK 20n"""


def iban_parts(r):
    country, shape = r.choice(IBAN.replace("\n", "").split("|")).split()
    out, number = "", ""
    for c in shape:
        if c.isdigit():
            number += c
            continue
        kind = {"n": DIGITS, "a": LETTERS, "c": DIGITS + LETTERS}[c]
        out += "".join(r.choice(kind) for _ in range(int(number)))
        number = ""
    return country, out


def iban_check(country, bban):
    text = "".join(str(int(c, 36)) for c in bban + country + "00")
    return "%02d" % (98 - int(text) % 97)


def iban(r):
    country, bban = iban_parts(r)
    s = country + iban_check(country, bban) + bban
    return s if r.random() < .5 else " ".join(s[i:i + 4] for i in range(0, len(s), 4))


def iban_near(r):
    country, bban = iban_parts(r)
    kind = r.choice(["check", "country", "length"])
    if kind == "check":
        good = int(iban_check(country, bban))
        return kind, country + "%02d" % (2 + (good - 2 + r.randint(1, 90)) % 97) + bban
    if kind == "country":
        country = r.choice(["XX", "ZZ", "QQ", "UU"])
    else:
        bban = bban[:-1] + digits(r, 2)
    return kind, country + iban_check(country, bban) + bban


def swift_bic(r):
    s = "".join(r.choice(LETTERS) for _ in range(4)) + \
        r.choice("DE GB FR US CN JP IT ES NL CH BE AT SE HK SG AU CA BR IN".split()) + \
        r.choice(LETTERS + "23456789") + r.choice(LETTERS + "23456789")
    return s + r.choice(["", "XXX", "XXX", "".join(r.choice(LETTERS + DIGITS) for _ in range(3))])


def swift_bic_near(r):
    kind = r.choice(["country", "short", "long"])
    s = swift_bic(r)[:8]
    if kind == "country":
        return kind, s[:4] + r.choice(["XX", "QQ", "ZZ", "WW"]) + s[6:]
    return kind, s[:7] if kind == "short" else s + "AB"

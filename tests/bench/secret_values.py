"""Secrets in the forms that their issuers document; none was ever issued."""

import base64
import json
import string

from numbers_asia_america import DIGITS

ALNUM = string.ascii_letters + DIGITS
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase


def some(r, chars, n):
    return "".join(r.choice(chars) for _ in range(n))


def b64(r, n):
    return base64.b64encode(bytes(r.randrange(256) for _ in range(n))).decode()


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# ---- armour ------------------------------------------------------------------------------------

ARMOUR = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "]


def armour(label, body):
    dashes = "-" * 5
    return "%sBEGIN %s%s\n%s\n%sEND %s%s" % (dashes, label, dashes, body, dashes, label, dashes)


def private_key(r):
    lines = "\n".join(b64(r, 48) for _ in range(r.randint(2, 25))) + "\n" + b64(r, 30)
    kind = r.choice(ARMOUR + ["PGP", "1line"])
    if kind == "PGP":
        return armour("PGP PRIVATE KEY BLOCK", "Version: X 1.0\n\n" + lines + "\n=AbCd")
    if kind == "1line":
        return armour("PRIVATE KEY", lines).replace("\n", "\\n")
    if kind == "RSA " and r.random() < .4:
        lines = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC," + some(r, HEX.upper(), 32) + \
            "\n\n" + lines
    return armour(kind + "PRIVATE KEY", lines)


def private_key_near(r):
    lines = "\n".join(b64(r, 48) for _ in range(3))
    kind = r.choice(["public", "certificate", "empty", "ellipsis", "pgp public", "request"])
    return kind, {
        "public": armour(r.choice(["", "RSA "]) + "PUBLIC KEY", lines),
        "certificate": armour("CERTIFICATE", lines),
        "empty": armour("RSA PRIVATE KEY", ""), "ellipsis": armour("PRIVATE KEY", "..."),
        "pgp public": armour("PGP PUBLIC KEY BLOCK", lines),
        "request": armour("CERTIFICATE REQUEST", lines),
    }[kind]


# ---- clouds ------------------------------------------------------------------------------------


def aws(r):
    if r.random() < .6:
        return r.choice(["AKIA", "AKIA", "ASIA"]) + some(r, UPPER + "234567", 16)
    return "@aws_secret_access_key", b64(r, 30)


def aws_near(r):
    return r.choice([
        ("short", "AKIA" + some(r, UPPER, 12)), ("long", "AKIA" + some(r, UPPER, 20)),
        ("case", "akia" + some(r, string.ascii_lowercase, 16)), ("prefix", "AXIA" + some(r, UPPER, 16)),
        ("no name", b64(r, 30)), ("digest", some(r, HEX, 40)),
    ])


def gcp(r):
    kind = r.random()
    if kind < .6:
        return "AI" + "za" + some(r, ALNUM + "_-", 34) + r.choice(ALNUM)
    if kind < .8:
        return "ya" + "29." + some(r, ALNUM + "_-", r.randint(60, 150)) + r.choice(ALNUM)
    return "@private_key_id", some(r, HEX, 40)


def gcp_near(r):
    return r.choice([("short", "AI" + "za" + some(r, ALNUM, 28)), ("case", "aiZA" + some(r, ALNUM, 35)),
                     ("long", "AI" + "za" + some(r, ALNUM, 45))])


def azure(r):
    kind = r.randrange(4)
    if kind == 0:
        return "DefaultEndpointsProtocol=https;AccountName=%s;AccountKey=%s;" \
            "EndpointSuffix=core.windows.net" % (some(r, string.ascii_lowercase, 9), b64(r, 64))
    if kind == 1:
        return "https://%s.blob.core.windows.net/c?sv=2021-06-08&se=2023-01-01T00%%3A00Z&sp=r&sig=%s" % (
            some(r, string.ascii_lowercase, 8),
            b64(r, 32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"))
    if kind == 2:
        return "Endpoint=sb://%s.servicebus.windows.net/;SharedAccessKeyName=Root;" \
            "SharedAccessKey=%s" % (some(r, string.ascii_lowercase, 8), b64(r, 32))
    return some(r, ALNUM, 3) + r.choice(DIGITS) + "Q~" + some(r, ALNUM + "_.-", 32) + \
        some(r, ALNUM, 2)


def azure_near(r):
    return r.choice([
        ("short", "AccountName=x;AccountKey=%s;" % some(r, ALNUM, 9)),
        ("variable", "AccountName=x;AccountKey=${STORAGE_KEY};"),
        ("parameter", "https://x.example.com/?sig=abc&v=1"), ("no name", b64(r, 64)),
    ])


# ---- tokens ------------------------------------------------------------------------------------


def github(r):
    if r.random() < .2:
        return "github" + "_pat_" + some(r, ALNUM, 22) + "_" + some(r, ALNUM, 59)
    return "gh" + r.choice("pousr") + "_" + some(r, ALNUM, 36)


def github_near(r):
    return r.choice([("short", "gh" + "p_" + some(r, ALNUM, r.randint(5, 34))),
                     ("kind", "gh" + "x_" + some(r, ALNUM, 36)),
                     ("pat", "github" + "_pat_" + some(r, ALNUM, 22)),
                     ("filler", "gh" + "p_" + "x" * 36)])


def gitlab(r):
    kind = r.choice(["glpat-", "glpat-", "glpat-", "gldt-", "glrt-", "glptt-"])
    return kind[:2] + kind[2:] + (some(r, HEX, 40) if kind == "glptt-" else
                                  some(r, ALNUM + "_-", 19) + r.choice(ALNUM))


def gitlab_near(r):
    return r.choice([("short", "gl" + "pat-" + some(r, ALNUM, r.randint(4, 18))),
                     ("kind", "gl" + "xxx-" + some(r, ALNUM, 20)),
                     ("filler", "gl" + "pat-" + "x" * 20)])


def slack(r):
    kind = r.randrange(4)
    if kind == 0:
        return "xo" + "xb-" + some(r, DIGITS, 12) + "-" + some(r, DIGITS, 13) + "-" + some(r, ALNUM, 24)
    if kind == 1:
        return "xo" + "xp-" + "-".join(some(r, DIGITS, 12) for _ in range(3)) + "-" + some(r, HEX, 32)
    if kind == 2:
        return "xa" + "pp-1-A" + some(r, UPPER + DIGITS, 10) + "-" + some(r, DIGITS, 13) + "-" + \
            some(r, HEX, 64)
    return "https://hooks.sl" + "ack.com/services/T" + some(r, UPPER + DIGITS, 9) + "/B" + \
        some(r, UPPER + DIGITS, 10) + "/" + some(r, ALNUM, 24)


def slack_near(r):
    return r.choice([("short", "xo" + "xb-123"), ("kind", "xo" + "xz-" + some(r, DIGITS, 12) + "-" +
                                                  some(r, ALNUM, 24)),
                     ("other", "https://hooks.example.com/services/T0/B0/" + some(r, ALNUM, 10)),
                     ("page", "https://app.slack.com/client/T0123ABCD/C0123ABCD")])


def stripe(r):
    return r.choice("sr") + "k_" + r.choice(["live", "test"]) + "_" + \
        some(r, ALNUM, r.choice([24, 24, 34, 99]))


def stripe_near(r):
    return r.choice([("public", "pk_" + "live_" + some(r, ALNUM, 24)),
                     ("short", "sk_" + "live_" + some(r, ALNUM, r.randint(2, 9))),
                     ("filler", "sk_" + "test_" + "x" * 24), ("kind", "sk_" + "prod2_" + some(r, ALNUM, 24)),
                     ("object", "cus_" + some(r, ALNUM, 14))])


def jwt(r):
    header = {"alg": r.choice(["HS256", "RS256", "ES256", "HS512"]), "typ": "JWT"}
    if r.random() < .4:
        header["kid"] = some(r, HEX, 20)
    space = r.choice([(",", ":"), (", ", ": ")])
    body = {"sub": some(r, DIGITS, 9), "name": "x y", "iat": r.randint(10 ** 9, 2 * 10 ** 9)}
    if r.random() < .3:
        body["scope"] = [some(r, string.ascii_lowercase, 12) for _ in range(20)]
    return ".".join((url64(json.dumps(header, separators=space).encode()),
                     url64(json.dumps(body).encode()), some(r, ALNUM + "_-", r.choice([43, 86, 342]))))


def jwt_near(r):
    good = jwt(r).split(".")
    return r.choice([
        ("two parts", ".".join(good[:2])), ("no alg", url64(b'{"typ":"JWT"}') + "." + ".".join(good[1:])),
        ("no json", "eyJ" + some(r, ALNUM, 30) + "." + ".".join(good[1:])),
        ("plain", "eyJ.foo.bar"), ("dotted", "eyJhbGci.example.com"),
    ])


# ---- passwords and keys of no form ---------------------------------------------------------------

WORDS = "summer Dragon tiger Berlin monkey shadow Winter rocket master sunshine panda orange".split()


def password_value(r):
    return r.choice([
        r.choice(WORDS) + str(r.randint(1, 9999)), r.choice(WORDS) + "!" + str(r.randint(10, 99)),
        some(r, ALNUM + "!@#%^*_+-", r.randint(9, 16)).lstrip("!@#%^*_+-") + r.choice(ALNUM),
        r.choice(WORDS).capitalize() + "@" + str(r.randint(2000, 2024)),
        "P@ssw0rd" + str(r.randint(1, 99)), some(r, string.ascii_lowercase, 6) + some(r, DIGITS, 2),
    ])


PASSWORD_PLACES = [
    "password=%s", "password = %s", "PASSWORD=%s", "DB_PASSWORD=%s", 'password: "%s"', "password: %s",
    "spring.datasource.password=%s", '"password": "%s"', "'passwd' => '%s',", "pwd=%s", "passwd: %s",
    "<password>%s</password>", "export MYSQL_PWD='%s'", "$db_pass = '%s';", "secret: %s", "密码：%s",
    "密码: %s", "口令：%s", "登录密码为%s", "postgres://app:%s@db.example.com:5432/x",
    "Server=db;User Id=sa;Password=%s;Timeout=30", "mysql -u root -p%s app", "--password=%s",
    "IDENTIFIED BY '%s';", "curl -u admin:%s https://example.com/", 'const password = "%s";',
    "user: app\n  password: %s\n  host: db", "login_password='%s'", "ftp://bob:%s@ftp.example.com/",
    "requirepass %s", "sshpass -p '%s' ssh bob@h", 'String password = "%s";', "smtp_passwd=%s",
    "machine h login bob password %s", "rootpw: %s", '<add key="DbPassword" value="%s" />',
    "https://bob:%s@example.com/path", "userPassword: %s", "- name: ADMIN_PASSWORD\n  value: \"%s\"",
]

# Characters that end a value in the place rather than stand in it.
UNFIT = {"://": "@#%/:?", "Server=": ";", "<password>": "<&", "为": "，"}


def password(r):
    place, value = r.choice(PASSWORD_PLACES), password_value(r)
    for sign, bad in UNFIT.items():
        if sign in place:
            value = "".join(c for c in value if c not in bad)
    return value, place % value


PASSWORD_NEAR = [
    "password=${DB_PASSWORD}", "password: <password>", "password=********", "password=", 'password: ""',
    "password: null", "password = getpass.getpass()", "Your password must be at least 12 characters long.",
    "password = os.environ['DB_PASS']", "PWD=/home/app", "Enter your password:", "password_min_length = 12",
    "password: {{ vault_db_password }}", "password = request.form['password']", "password: string",
    "<input type=\"password\" name=\"password\" required>", "密码不能为空", "请输入密码：", "forgot password?",
    "reset_password_url=https://example.com/reset", "password_hash_rounds=12", "password=%DB_PASS%",
    "if (password == null) {", "String password;", "show_password: true", "password: changeme",
    "passwordEncoder = new BCryptPasswordEncoder()", "password=$PASSWORD", "bypass: true", "pass=14 fail=2",
    "The secret of success is hard work.", "password: xxxxxxxx", "password: [REDACTED]", "compass = north",
    "secretary: Anna", "password: must contain a digit", "self.password = password", "pwd: ./build",
    "password_file=/run/secrets/db", "PASSWORD: required", "passwords do not match", "password: None",
    "密码长度至少8位", "mysql -u root -p", "http://example.com:8080/@home", "password: your_password_here",
]


def password_near(r):
    return "stands for one", r.choice(PASSWORD_NEAR)


KEY_PLACES = [
    'api_key = "%s"', "API_KEY=%s", '"apiKey": "%s"', "secret_key: %s", "client_secret=%s",
    "X-Api-Key: %s", "access_token=%s", "Authorization: Bearer %s", "SECRET_KEY = '%s'",
    "auth_token: '%s'", "encryption_key=%s", '"token": "%s"', "curl -H 'X-Auth-Token: %s' https://x",
    "https://api.example.com/v1?api_key=%s&x=1", "APP_SECRET=%s", "signing-key: %s", "refresh_token = %s",
    "const API_TOKEN = '%s';", "密钥：%s",
]


def key_value(r):
    return r.choice([some(r, ALNUM, r.choice([24, 32, 40, 64])), some(r, HEX, r.choice([32, 40, 64])),
                     b64(r, r.choice([24, 32, 48])), some(r, ALNUM + "_-", 36) + r.choice(ALNUM)])


def key(r):
    value = key_value(r)
    return value, r.choice(KEY_PLACES) % value


def key_near(r):
    h = some(r, HEX, 64)
    uuid = "%s-%s-4%s-a%s-%s" % (h[:8], h[8:12], h[12:15], h[15:18], h[18:30])
    return r.choice([
        ("digest", "sha256: " + h), ("digest", "md5=" + h[:32]), ("commit", "commit " + h[:40]),
        ("etag", 'ETag: "%s"' % h[:32]), ("uuid", "session_key=" + uuid), ("uuid", "token: " + uuid),
        ("path", "key: /etc/ssl/private/server-2021.key.pem"), ("name", "api_key = your_api_key_goes_here"),
        ("variable", "api_key: ${API_KEY}"), ("word", "primary_key = customer_identifier_number"),
        ("public", "public_key=" + b64(r, 32)), ("checksum", "checksum=" + h[:40]),
        ("picture", "img: data:image/png;base64," + b64(r, 60)), ("bare", b64(r, 33)),
        ("file", "tokenizer_file=models/tokenizer-v2.1-large.json"), ("call", "token = client.get_token()"),
        ("word", "keyword=internationalization2023"), ("integrity", '"integrity": "sha512-%s"' % b64(r, 64)),
        ("cache", "cache_key=" + h[:40]), ("number", "key=1234567890123456789"),
    ])

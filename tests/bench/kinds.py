"""The 46 recognisers: how their values are made, which words stand near them, and
whether they are to be found without any."""

import contacts
import numbers_asia_america as far
import numbers_europe_money as near
import secret_values as secret


class Kind:
    """make(r): a value; a pair ("@key", value) must stand under that key; with how
    "own", a pair (value, whole text).  miss(r): (what is wrong, a value that is none)."""

    def __init__(self, make, miss, how, words=(), zh=(), keys=(), checked=False, bare=None, cell=None):
        self.make, self.miss, self.how = make, miss, how
        self.words, self.zh, self.keys = words, zh, keys
        self.checked = checked      # by a check digit: held to 0.98
        self.bare = bare or (lambda value: True)    # what may stand alone, of "both"
        self.cell = cell            # of "own": a value as it stands in a table below keys


def both(make, miss, words, zh, keys, checked=True, bare=None):
    return Kind(make, miss, "both", words, zh, keys, checked, bare)


def named(make, miss, words, zh, keys, checked=True):
    return Kind(make, miss, "named", words, zh, keys, checked)


def token(make, miss):
    return Kind(make, miss, "code")


def own(make, miss, cell=None, keys=()):
    return Kind(make, miss, "own", keys=keys, cell=cell)


KINDS = {
    "payment-card": both(near.payment_card, near.payment_card_near, ["card number", "credit card", "Visa card"],
                         ["信用卡号", "卡号"], ["card_number", "cc_number", "creditCard", "pan"]),
    "iban": both(near.iban, near.iban_near, ["IBAN", "account"], ["国际银行账号", "IBAN"],
                 ["iban", "account_iban", "bank_account"]),
    "swift-bic": named(near.swift_bic, near.swift_bic_near, ["BIC", "SWIFT code", "SWIFT/BIC"], ["SWIFT代码"],
                       ["bic", "swift_code", "swift"], False),
    "cn-bank-card": named(far.cn_bank_card, far.cn_bank_card_near, ["bank card", "UnionPay card", "account number"],
                          ["银行卡号", "银行账号", "储蓄卡号"], ["bank_card", "bankCardNo", "银行卡号"]),
    "us-ssn": named(far.us_ssn, far.us_ssn_near, ["SSN", "social security number", "Social Security no."],
                    ["美国社会安全号码"], ["ssn", "social_security_number", "employee_ssn"]),
    "us-itin": named(far.us_itin, far.us_itin_near, ["ITIN", "taxpayer identification number", "ITIN number"], [],
                     ["itin", "taxpayer_id", "itin_number"]),
    "uk-nino": both(near.uk_nino, near.uk_nino_near, ["national insurance number", "NINO", "NI number"], [],
                    ["nino", "ni_number", "national_insurance"]),
    "uk-nhs": named(near.uk_nhs, near.uk_nhs_near, ["NHS number", "NHS no"], [], ["nhs_number", "nhsNo", "nhs"]),
    "cn-resident-id": both(far.cn_resident_id, far.cn_resident_id_near, ["ID card", "resident ID", "identity number"],
                           ["身份证号", "身份证号码", "公民身份号码"], ["id_card", "idcard_no", "身份证号", "identity_no"]),
    "cn-uscc": both(far.cn_uscc, far.cn_uscc_near, ["unified social credit code", "USCC"],
                    ["统一社会信用代码", "信用代码"], ["uscc", "credit_code", "统一社会信用代码"]),
    "cn-mobile": both(far.cn_mobile, far.cn_mobile_near, ["mobile", "phone", "cell phone"],
                      ["手机号", "手机号码", "联系电话", "电话"], ["mobile", "phone", "手机号", "mobilePhone"], False),
    "cn-plate": both(far.cn_plate, far.cn_plate_near, ["license plate", "plate number"], ["车牌号", "车牌"],
                     ["plate_no", "license_plate", "车牌号"], False),
    "hk-id": both(far.hk_id, far.hk_id_near, ["HKID", "Hong Kong ID card"], ["香港身份证", "香港身份證號碼"],
                  ["hkid", "hkid_no", "hk_id"], bare=lambda value: "(" in value),
    "tw-id": both(far.tw_id, far.tw_id_near, ["Taiwan ID", "national ID"], ["身分證字號", "台湾身份证"],
                  ["tw_id", "taiwan_id", "身分證字號"]),
    "passport-mrz": both(near.passport_mrz, near.passport_mrz_near, ["passport", "MRZ"], ["护照"], ["mrz", "passport"]),
    "de-tax-id": named(near.de_tax_id, near.de_tax_id_near, ["Steuer-ID", "Steueridentifikationsnummer", "tax id", "IdNr"],
                       [], ["steuer_id", "steuerid", "tax_id"]),
    "fr-nir": both(near.fr_nir, near.fr_nir_near, ["numéro de sécurité sociale", "NIR", "INSEE number"], [],
                   ["nir", "secu", "numero_secu"]),
    "it-codice-fiscale": both(near.it_codice_fiscale, near.it_codice_fiscale_near, ["codice fiscale", "tax code"], [],
                              ["codice_fiscale", "cf", "codiceFiscale"]),
    "es-dni": both(near.es_dni, near.es_dni_near, ["DNI", "NIF", "documento nacional de identidad"], [],
                   ["dni", "nif", "dni_numero"]),
    "es-nie": both(near.es_nie, near.es_nie_near, ["NIE", "número de identidad de extranjero"], [], ["nie", "nie_numero"]),
    "pl-pesel": named(near.pl_pesel, near.pl_pesel_near, ["PESEL", "numer PESEL"], [], ["pesel", "pesel_no"]),
    "se-personnummer": named(near.se_personnummer, near.se_personnummer_near, ["personnummer", "Swedish personal number"],
                             [], ["personnummer", "person_nr", "pnr"]),
    "ca-sin": named(far.ca_sin, far.ca_sin_near, ["SIN", "social insurance number"], [],
                    ["sin", "social_insurance_number", "sin_number"]),
    "au-tfn": named(far.au_tfn, far.au_tfn_near, ["TFN", "tax file number"], [], ["tfn", "tax_file_number"]),
    "in-aadhaar": named(far.in_aadhaar, far.in_aadhaar_near, ["Aadhaar", "Aadhaar number", "UIDAI number"], [],
                        ["aadhaar", "aadhaar_no", "aadhar"]),
    "in-pan": named(far.in_pan, far.in_pan_near, ["PAN", "permanent account number", "PAN card"], [],
                    ["pan", "pan_no", "pan_number"], False),
    "br-cpf": named(far.br_cpf, far.br_cpf_near, ["CPF", "CPF do cliente"], [], ["cpf", "cpf_cliente"]),
    "br-cnpj": named(far.br_cnpj, far.br_cnpj_near, ["CNPJ", "CNPJ da empresa"], [], ["cnpj", "cnpj_empresa"]),
    "jp-my-number": named(far.jp_my_number, far.jp_my_number_near, ["My Number", "individual number"],
                          ["マイナンバー", "個人番号"], ["my_number", "mynumber", "個人番号"]),
    "kr-rrn": named(far.kr_rrn, far.kr_rrn_near, ["RRN", "resident registration number"], ["주민등록번호"],
                    ["rrn", "jumin", "주민등록번호"]),
    "email": both(contacts.email, contacts.email_near, ["e-mail", "email address", "mail"], ["邮箱", "电子邮件"],
                  ["email", "user_email", "mail", "contact"], False),
    "phone": both(contacts.phone, contacts.phone_near, ["phone", "telephone", "tel", "phone number", "fax"],
                  ["电话", "联系电话", "传真"], ["phone", "tel", "telephone", "contact_phone"], False),
    "ipv4": both(contacts.ipv4, contacts.ipv4_near, ["IP address", "client IP", "host"], ["IP地址", "主机"],
                 ["ip", "client_ip", "remote_addr", "host"], False),
    "ipv6": both(contacts.ipv6, contacts.ipv6_near, ["IPv6 address", "address", "peer"], ["IPv6地址"],
                 ["ipv6", "addr", "remote_ip"], False),
    "mac": both(contacts.mac, contacts.mac_near, ["MAC address", "hardware address", "MAC"], ["MAC地址", "物理地址"],
                ["mac", "mac_address", "hwaddr"], False),
    "date-of-birth": named(contacts.birth, contacts.birth_near, ["date of birth", "DOB", "birth date", "birthday"],
                           ["出生日期", "生日", "出生年月日"], ["dob", "birth_date", "dateOfBirth", "birthday", "出生日期"],
                           False),
    "private-key": own(lambda r: (v := secret.private_key(r), v), secret.private_key_near),
    "aws-key": token(secret.aws, secret.aws_near),
    "gcp-key": token(secret.gcp, secret.gcp_near),
    "azure-key": token(secret.azure, secret.azure_near),
    "github-token": token(secret.github, secret.github_near),
    "gitlab-token": token(secret.gitlab, secret.gitlab_near),
    "slack-token": token(secret.slack, secret.slack_near),
    "stripe-key": token(secret.stripe, secret.stripe_near),
    "jwt": token(secret.jwt, secret.jwt_near),
    "password": own(secret.password, secret.password_near, secret.password_value,
                    ["password", "passwd", "user_pwd", "dbPassword", "db_pass", "login_password"]),
    "high-entropy": own(secret.key, secret.key_near, secret.key_value,
                        ["api_key", "access_token", "apiKey", "auth_token", "secret_key", "encryption_key"]),
}

SECRETS = [name for name in KINDS if KINDS[name].how in ("code", "own")]

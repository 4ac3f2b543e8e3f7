/* Europe: the numbers under which states, tax offices and health services keep people. */
#include "policy/detect/check.h"
#include "policy/detect/recogniser.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const nino_pictures[] = {
	"aa999999a", "aa 999999 a", "aa 99 99 99 a", "aa-99-99-99-a", "aa-999999-a",
	"aa999999 a", "aa99 99 99a", "aa 99 99 99a", NULL,
};
static const char *const nino_context[] = { "nino", "national insurance", "ni number", "ni no",
	"insurance number", "hmrc", "paye", "payroll", "英国国民保险号", "国民保险号",
	"国民保险", NULL };

static const char *const nhs_pictures[] = {
	"9{10}", "999 999 9999", "999-999-9999", NULL,
};
static const char *const nhs_context[] = { "nhs", "nhs number", "nhs no", "national health",
	"health service", "patient", "patient id", "gp", "hospital", "chi number",
	"医疗服务号", "国民保健", "患者", NULL };

static const char *const de_pictures[] = {
	"9{11}", "99 999 999 999", NULL,
};
static const char *const de_context[] = { "steuer id", "steuer-id", "steuerid", "steuer idnr",
	"idnr", "id-nr", "tin", "steueridentifikationsnummer", "steuer-identifikationsnummer",
	"steuer identifikationsnummer", "identifikationsnummer",
	"steuerliche identifikationsnummer", "steuernummer", "finanzamt", "bzst",
	"german tax", "tax id", "tax identification", "taxpayer", "德国税号", "税号",
	"税务识别号", NULL };

static const char *const nir_pictures[] = {
	"9{6}x9{8}", "9{6}x9{6} 99", "9{6}x9{6}-99", "9 99 99 9x 999 999 99",
	"9 99 99 9x 999 999-99", "9 99 99 9x 999 999 - 99", "9 99 99 9x 999 999/99",
	"9-99-99-9x-999-999-99", "9.99.99.9x.999.999.99", NULL,
};
static const char *const nir_context[] = { "nir", "insee", "sécurité sociale",
	"securite sociale", "numéro de sécu", "n° sécu", "numéro ss", "carte vitale", "vitale",
	"assuré", "assurance maladie", "immatriculation", "social security", "french social",
	"法国社会保险号", "社会保险号", "社保号", NULL };

static const char *const fiscale_pictures[] = {
	"AAAAAAXXAXXAXXXA", NULL,
};
static const char *const fiscale_context[] = { "codice fiscale", "cod fisc", "cod. fisc", "cf",
	"c.f", "codicefiscale", "tessera sanitaria", "contribuente", "fiscal code", "tax code",
	"意大利税号", "税号", NULL };

static const char *const dni_pictures[] = {
	"9{8}a", "9{8}-a", "9{8} a", "99.999.999a", "99.999.999-a", "99.999.999 a", NULL,
};
static const char *const dni_context[] = { "dni", "nif", "d.n.i", "n.i.f", "documento nacional",
	"documento de identidad", "documento", "identidad", "identity", "identity document",
	"id number", "id no", "national id", "identification", "spanish id", "西班牙身份证",
	"身份证", "证件号", NULL };

static const char *const nie_pictures[] = {
	"a9{7}a", "a-9{7}-a", "a-9{7}a", "a9{7}-a", "a 9{7} a", NULL,
};
static const char *const nie_context[] = { "nie", "n.i.e", "nif", "extranjero", "extranjeros",
	"identidad de extranjero", "tarjeta de residencia", "residencia", "documento",
	"identity", "id number", "id no", "foreigner", "foreigner id", "外国人身份号",
	"外国人", "身份证", "证件号", NULL };

static const char *const pesel_pictures[] = {
	"9{11}", NULL,
};
static const char *const pesel_context[] = { "pesel", "nr pesel", "numer pesel",
	"dowód osobisty", "obywatel", "pacjent", "ubezpieczony", "national id", "polish id",
	"identification number", "波兰身份证", "波兰身份号", NULL };

static const char *const personnummer_pictures[] = {
	"999999-9999", "999999+9999", "9{8}-9999", "9{8}+9999", "999999 9999",
	"9{8} 9999", "9{10}", "9{12}", NULL,
};
static const char *const personnummer_context[] = { "personnummer", "personnr", "pnr",
	"person nr", "samordningsnummer", "personal identity", "personal number",
	"personal identity number", "swedish personal", "folkbokföring", "födelsenummer",
	"national id", "identity number",
	"identification number", "瑞典身份证", "瑞典个人号码", "个人号码", NULL };

static const struct recogniser rows[] = {
	{
		.id = "uk-nino", .title = "UK national insurance number",
		.pictures = nino_pictures, .min_size = 9, .max_size = 13,
		.check = check_uk_nino, .context = nino_context,
		.alone = 80, .in_context = 97, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "uk-nhs", .title = "UK NHS number",
		.pictures = nhs_pictures, .min_size = 10, .max_size = 12,
		.check = check_uk_nhs, .context = nhs_context,
		.bare_is_weak = true, .alone = 62, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 40,
	}, {
		.id = "de-tax-id", .title = "German tax identification number",
		.pictures = de_pictures, .min_size = 11, .max_size = 14,
		.check = check_de_tax_id, .context = de_context,
		.alone = 76, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "fr-nir", .title = "French social security number (NIR)",
		.pictures = nir_pictures, .min_size = 15, .max_size = 23,
		.check = check_fr_nir, .context = nir_context,
		.alone = 92, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 80,
	}, {
		.id = "it-codice-fiscale", .title = "Italian codice fiscale",
		.pictures = fiscale_pictures, .min_size = 16, .max_size = 16,
		.check = check_it_codice_fiscale, .context = fiscale_context,
		.alone = 97, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 80,
	}, {
		.id = "es-dni", .title = "Spanish identity number (DNI)",
		.pictures = dni_pictures, .min_size = 9, .max_size = 12,
		.check = check_es_dni, .context = dni_context,
		.alone = 78, .in_context = 97, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "es-nie", .title = "Spanish foreigner's identity number (NIE)",
		.pictures = nie_pictures, .min_size = 9, .max_size = 11,
		.check = check_es_nie, .context = nie_context,
		.alone = 88, .in_context = 98, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "pl-pesel", .title = "Polish PESEL number",
		.pictures = pesel_pictures, .min_size = 11, .max_size = 11,
		.check = check_pl_pesel, .context = pesel_context,
		.alone = 75, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "se-personnummer", .title = "Swedish personal identity number",
		.pictures = personnummer_pictures, .min_size = 10, .max_size = 13,
		.check = check_se_personnummer, .context = personnummer_context,
		.alone = 80, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	},
};

const struct recogniser_table recognisers_europe = { rows, COUNT(rows) };

/* Europe: the numbers under which states, tax offices and health services keep people. */
#include "policy/detect/check.h"
#include "policy/detect/recogniser.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OMOCODIA "[0-9L-NP-V]"

static const char *const nino_patterns[] = {
	"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\\d{6}[ -]?[A-D]\\b",
	"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\\d{2}[ -]\\d{2}[ -]\\d{2}[ -]?[A-D]\\b",
	NULL,
};
static const char *const nino_context[] = { "nino", "national insurance", "ni number", "ni no",
	"insurance number", "hmrc", "paye", "payroll", "英国国民保险号", "国民保险号",
	"国民保险", NULL };

static const char *const nhs_patterns[] = {
	"\\d{10}\\b", "\\d{3}[ -]\\d{3}[ -]\\d{4}\\b", NULL,
};
static const char *const nhs_context[] = { "nhs", "nhs number", "nhs no", "national health",
	"health service", "patient", "patient id", "gp", "hospital", "chi number",
	"医疗服务号", "国民保健", "患者", NULL };

static const char *const de_patterns[] = {
	"\\d{11}\\b", "\\d{2} \\d{3} \\d{3} \\d{3}\\b", NULL,
};
static const char *const de_context[] = { "steuer id", "steuer-id", "steuerid", "steuer idnr",
	"idnr", "id-nr", "tin", "steueridentifikationsnummer", "steuer-identifikationsnummer",
	"steuer identifikationsnummer", "identifikationsnummer",
	"steuerliche identifikationsnummer", "steuernummer", "finanzamt", "bzst",
	"german tax", "tax id", "tax identification", "taxpayer", "德国税号", "税号",
	"税务识别号", NULL };

static const char *const nir_patterns[] = {
	"[1-478]\\d{5}[\\dABab]\\d{8}\\b",
	"[1-478]\\d{5}[\\dABab]\\d{6}[ /-]\\d{2}\\b",
	"[1-478][ .-]\\d{2}[ .-]\\d{2}[ .-]\\d[\\dABab][ .-]\\d{3}[ .-]\\d{3}[ .|/-]{1,3}\\d{2}\\b",
	NULL,
};
static const char *const nir_context[] = { "nir", "insee", "sécurité sociale",
	"securite sociale", "numéro de sécu", "n° sécu", "numéro ss", "carte vitale", "vitale",
	"assuré", "assurance maladie", "immatriculation", "social security", "french social",
	"法国社会保险号", "社会保险号", "社保号", NULL };

static const char *const fiscale_patterns[] = {
	"[A-Z]{6}" OMOCODIA "{2}[A-EHLMPR-T]" OMOCODIA "{2}[A-Z]" OMOCODIA "{3}[A-Z]\\b",
	"[A-Z]{3} [A-Z]{3} " OMOCODIA "{2}[A-EHLMPR-T]" OMOCODIA "{2} [A-Z]" OMOCODIA
	"{3}[A-Z]\\b",
	NULL,
};
static const char *const fiscale_context[] = { "codice fiscale", "cod fisc", "cod. fisc", "cf",
	"c.f", "codicefiscale", "tessera sanitaria", "contribuente", "fiscal code", "tax code",
	"意大利税号", "税号", NULL };

static const char *const dni_patterns[] = {
	"\\d{8}[ -]?[A-Za-z]\\b", "\\d{2}\\.\\d{3}\\.\\d{3}[ -]?[A-Za-z]\\b", NULL,
};
static const char *const dni_context[] = { "dni", "nif", "d.n.i", "n.i.f", "documento nacional",
	"documento de identidad", "documento", "identidad", "identity", "identity document",
	"id number", "id no", "national id", "identification", "spanish id", "西班牙身份证",
	"身份证", "证件号", NULL };

static const char *const nie_patterns[] = { "[XYZxyz][ -]?\\d{7}[ -]?[A-Za-z]\\b", NULL };
static const char *const nie_context[] = { "nie", "n.i.e", "nif", "extranjero", "extranjeros",
	"identidad de extranjero", "tarjeta de residencia", "residencia", "documento",
	"identity", "id number", "id no", "foreigner", "foreigner id", "外国人身份号",
	"外国人", "身份证", "证件号", NULL };

static const char *const pesel_patterns[] = { "\\d{11}\\b", NULL };
static const char *const pesel_context[] = { "pesel", "nr pesel", "numer pesel",
	"dowód osobisty", "obywatel", "pacjent", "ubezpieczony", "national id", "polish id",
	"identification number", "波兰身份证", "波兰身份号", NULL };

static const char *const personnummer_patterns[] = {
	"\\d{6}[-+]\\d{4}\\b", "\\d{8}[-+ ]\\d{4}\\b", "\\d{6} \\d{4}\\b", "\\d{10}\\b",
	"\\d{12}\\b", NULL,
};
static const char *const personnummer_context[] = { "personnummer", "personnr", "pnr",
	"person nr", "samordningsnummer", "personal identity", "personal number",
	"personal identity number", "swedish personal", "folkbokföring", "födelsenummer",
	"national id", "瑞典个人号码", "个人号码", NULL };

static const struct recogniser rows[] = {
	{
		.id = "uk-nino", .title = "UK national insurance number",
		.patterns = nino_patterns, .ignores_case = true, .min_size = 9, .max_size = 13,
		.check = check_uk_nino, .context = nino_context,
		.alone = 80, .in_context = 97, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "uk-nhs", .title = "UK NHS number",
		.patterns = nhs_patterns, .min_size = 10, .max_size = 12,
		.check = check_uk_nhs, .context = nhs_context,
		.alone = 62, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 40,
	}, {
		.id = "de-tax-id", .title = "German tax identification number",
		.patterns = de_patterns, .min_size = 11, .max_size = 14,
		.check = check_de_tax_id, .context = de_context,
		.alone = 66, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "fr-nir", .title = "French social security number (NIR)",
		.patterns = nir_patterns, .min_size = 15, .max_size = 23,
		.check = check_fr_nir, .context = nir_context,
		.alone = 92, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 80,
	}, {
		.id = "it-codice-fiscale", .title = "Italian codice fiscale",
		.patterns = fiscale_patterns, .ignores_case = true, .min_size = 16, .max_size = 19,
		.check = check_it_codice_fiscale, .context = fiscale_context,
		.alone = 97, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 80,
	}, {
		.id = "es-dni", .title = "Spanish identity number (DNI)",
		.patterns = dni_patterns, .min_size = 9, .max_size = 12,
		.check = check_es_dni, .context = dni_context,
		.alone = 78, .in_context = 97, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "es-nie", .title = "Spanish foreigner's identity number (NIE)",
		.patterns = nie_patterns, .min_size = 9, .max_size = 11,
		.check = check_es_nie, .context = nie_context,
		.alone = 88, .in_context = 98, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "pl-pesel", .title = "Polish PESEL number",
		.patterns = pesel_patterns, .min_size = 11, .max_size = 11,
		.check = check_pl_pesel, .context = pesel_context,
		.alone = 64, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "se-personnummer", .title = "Swedish personal identity number",
		.patterns = personnummer_patterns, .min_size = 10, .max_size = 13,
		.check = check_se_personnummer, .context = personnummer_context,
		.alone = 80, .in_context = 97, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	},
};

const struct recogniser_table recognisers_europe = { rows, COUNT(rows) };

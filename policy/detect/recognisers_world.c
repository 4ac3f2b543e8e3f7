/* The Americas, Asia and the Pacific; travel documents of all states. */
#include "policy/detect/check.h"
#include "policy/detect/recogniser.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const nine_pictures[] = {
	"999-99-9999", "999 99 9999", "999.99.9999", "9{9}", NULL,
};
static const char *const ssn_context[] = { "ssn", "social security", "social security number",
	"social security no", "soc sec",
	"w-2", "社会安全号", "社会安全号码", "社会保障号", "社会保险号", "社安号", NULL };
static const char *const itin_context[] = { "itin", "individual taxpayer", "taxpayer",
	"taxpayer id", "taxpayer identification", "tax id", "tin", "irs", "w-7",
	"个人纳税识别号", "纳税人识别号", "税号", NULL };

static const char *const threes_pictures[] = {
	"999-999-999", "999 999 999", "9{9}", NULL,
};
static const char *const sin_context[] = { "sin", "social insurance",
	"social insurance number", "assurance sociale", "numéro d'assurance sociale",
	"canada revenue", "cra", "加拿大社会保险号", "社会保险号", "工卡号", NULL };
static const char *const tfn_pictures[] = {
	"999 999 999", "999-999-999", "9{9}", "99 999 999", "9{8}", NULL,
};
static const char *const tfn_context[] = { "tfn", "tax file", "tax file number", "tax file no",
	"ato", "australian taxation", "税号", "澳大利亚税号", "税务档案号", "税档号", NULL };

static const char *const twelve_pictures[] = {
	"9999 9999 9999", "9999-9999-9999", "9{12}", NULL,
};
static const char *const aadhaar_context[] = { "aadhaar", "aadhar", "adhaar", "uidai", "uid number",
	"national id", "identity number", "identification number", "证件号",
	"आधार", "आधार संख्या", "印度身份证", "阿达哈尔", NULL };
static const char *const my_number_context[] = { "マイナンバー", "個人番号", "my number",
	"mynumber", "individual number", "national id", "identity number",
	"identification number", "证件号", "日本个人编号", "个人编号", "个人番号",
	NULL };

static const char *const pan_pictures[] = {
	"aaaaa9999a", NULL,
};
static const char *const pan_context[] = { "pan", "pan card", "pan no", "pan number",
	"permanent account", "permanent account number", "income tax", "आयकर", "पैन",
	"印度税号", "永久账号", NULL };

static const char *const cpf_pictures[] = {
	"999.999.999-99", "9{9}-99", "9{11}", NULL,
};
static const char *const cpf_context[] = { "cpf", "cadastro de pessoas", "pessoa física",
	"pessoa fisica", "contribuinte", "documento", "receita federal", "tax id", "national id",
	"identification number", "证件号", "巴西个人税号", "个人税号", "税号",
	NULL };
static const char *const cnpj_pictures[] = {
	"XX.XXX.XXX/XXXX-99", "X{8}/XXXX-99", "X{12}99", NULL,
};
static const char *const cnpj_context[] = { "cnpj", "cadastro nacional", "pessoa jurídica",
	"pessoa juridica", "empresa", "razão social", "receita federal", "巴西企业税号",
	"企业税号", "税号", NULL };

static const char *const rrn_pictures[] = {
	"999999-9999999", "999999 9999999", "9{13}", NULL,
};
static const char *const rrn_context[] = { "rrn", "jumin", "resident registration",
	"resident registration number", "resident number", "national id", "identity number",
	"identification number", "证件号", "주민등록번호", "주민번호", "주민등록",
	"외국인등록번호", "외국인등록", "alien registration", "foreigner registration",
	"韩国身份证", "居民登录号", "居民登记号", NULL };

/* The end of a line that is filled up, and what follows; the zone around it is
 * check_passport_mrz_value()'s to find. */
static const char *const mrz_patterns[] = {
	"<<<\\n[A-Z0-9]", "<<<\\r\\n[A-Z0-9]", "<<<\\\\n[A-Z0-9]", "<<<[ ]{1,4}[A-Z0-9]",
	"<<<\\n[ \\t]{1,8}[A-Z0-9]", "<<<[A-Z0-9][A-Z0-9<]{8}\\d[A-Z]", "<<<[0-9]\\b",
	"<<<[0-9<][0-9]\\b", NULL,
};
static const char *const mrz_context[] = { "mrz", "passport", "passport no", "machine readable",
	"travel document", "护照", "機読", "护照机读", "机读码", "passeport", "reisepass",
	"pasaporte", "passaporto", "パスポート", "여권", NULL };

static const struct recogniser rows[] = {
	{
		.id = "us-ssn", .title = "US social security number",
		.pictures = nine_pictures, .min_size = 9, .max_size = 11,
		.check = check_us_ssn, .context = ssn_context,
		.bare_is_weak = true, .alone = 80, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 70,
	}, {
		.id = "us-itin", .title = "US individual taxpayer identification number",
		.pictures = nine_pictures, .min_size = 9, .max_size = 11,
		.check = check_us_itin, .context = itin_context,
		.bare_is_weak = true, .alone = 80, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 70,
	}, {
		.id = "ca-sin", .title = "Canadian social insurance number",
		.pictures = threes_pictures, .min_size = 9, .max_size = 11,
		.check = check_ca_sin, .context = sin_context,
		.bare_is_weak = true, .alone = 60, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "au-tfn", .title = "Australian tax file number",
		.pictures = tfn_pictures, .min_size = 8, .max_size = 11,
		.check = check_au_tfn, .context = tfn_context,
		.bare_is_weak = true, .alone = 56, .in_context = 95, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 40,
	}, {
		.id = "in-aadhaar", .title = "Indian Aadhaar number",
		.pictures = twelve_pictures, .min_size = 12, .max_size = 14,
		.check = check_in_aadhaar, .context = aadhaar_context,
		.bare_is_weak = true, .alone = 62, .in_context = 96, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 50,
	}, {
		.id = "in-pan", .title = "Indian permanent account number (PAN)",
		.pictures = pan_pictures, .min_size = 10, .max_size = 10,
		.check = check_in_pan, .context = pan_context,
		.alone = 75, .in_context = 96, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "br-cpf", .title = "Brazilian CPF",
		.pictures = cpf_pictures, .min_size = 11, .max_size = 14,
		.check = check_br_cpf, .context = cpf_context,
		.bare_is_weak = true, .alone = 92, .in_context = 98, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 70,
	}, {
		.id = "br-cnpj", .title = "Brazilian CNPJ",
		.pictures = cnpj_pictures, .min_size = 14, .max_size = 18,
		.check = check_br_cnpj, .context = cnpj_context,
		.alone = 92, .in_context = 99, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_INTERNAL, .rank = 70,
	}, {
		.id = "jp-my-number", .title = "Japanese individual number (My Number)",
		.pictures = twelve_pictures, .min_size = 12, .max_size = 14,
		.check = check_jp_my_number, .context = my_number_context,
		.bare_is_weak = true, .alone = 58, .in_context = 96, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 40,
	}, {
		.id = "kr-rrn", .title = "Korean resident registration number",
		.pictures = rrn_pictures, .min_size = 13, .max_size = 14,
		.check = check_kr_rrn, .context = rrn_context,
		.bare_is_weak = true, .alone = 88, .in_context = 97, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 70,
	}, {
		.id = "passport-mrz", .title = "Machine-readable zone of a travel document",
		.patterns = mrz_patterns, .min_size = 4, .max_size = 16,
		.check = check_passport_mrz, .value = check_passport_mrz_value,
		.context = mrz_context,
		.alone = 99, .in_context = 99, .masking = MASK_ALL,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 90,
	},
};

const struct recogniser_table recognisers_world = { rows, COUNT(rows) };

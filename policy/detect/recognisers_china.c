/* China: persons, firms, telephones, vehicles; Hong Kong and Taiwan. */
#include "policy/detect/check.h"
#include "policy/detect/recogniser.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const resident_pictures[] = {
	"9{17}x", "999999 9{8} 999x", "999999-9{8}-999x", "999999 9999 9999 999x",
	"999999-9999-9999-999x", "9{15}", NULL,
};
static const char *const resident_context[] = { "身份证", "身份證", "身份号码", "身份证号",
	"公民身份", "居民身份", "证件号", "证件号码", "證件號碼", "居留证", "居住证",
	"sfzh", "sfz", "idcard", "id card", "id_card", "id number", "id no", "identity card",
	"identity", "identity number", "identification", "national id", "resident id",
	"resident identity", "citizen id", "cert no", "certno", "person id", NULL };

static const char *const uscc_pictures[] = { "x9{7}x{10}", NULL };
static const char *const uscc_context[] = { "统一社会信用代码", "社会信用代码", "信用代码",
	"统一代码", "税号", "纳税人识别号", "营业执照", "注册号", "uscc", "uscic", "usci",
	"credit code", "social credit", "taxpayer id", "business licence", "business license",
	"registration number", NULL };

static const char *const mobile_pictures[] = {
	"9{11}", "999 9999 9999", "999-9999-9999",
	"9{13}", "99 9{11}", "99-9{11}", "99 999 9999 9999", "99-999-9999-9999",
	"+9{13}", "+99 9{11}", "+99-9{11}", "+99 999 9999 9999", "+99-999-9999-9999",
	"+99 999-9999-9999", "(+99)9{11}", "(+99) 9{11}", "(+99) 999 9999 9999",
	"(+99)999-9999-9999", "(+99) 999-9999-9999",
	"9{15}", "9999 9{11}", "9999-9{11}", "9999 999 9999 9999", NULL,
};
static const char *const mobile_context[] = { "手机", "手机号", "手機", "电话", "電話",
	"移动电话", "联系电话", "联系方式", "联系人", "致电", "拨打", "来电", "短信", "微信",
	"mobile", "phone", "cell", "cellphone", "telephone", "tel", "call", "sms", "contact",
	"whatsapp", "wechat", "msisdn", NULL };

/* Without the province in front and a character behind: check_cn_plate_value(). */
static const char *const plate_pictures[] = {
	"AX{4,6}", "A X{4,6}", "A-X{4,6}", NULL,
};
static const char *const plate_patterns[] = { "·[0-9A-HJ-NP-Z]{4}", "•[0-9A-HJ-NP-Z]{4}", NULL };
static const char *const plate_context[] = { "车牌", "车牌号", "車牌", "号牌", "车辆", "牌照",
	"车号", "行驶证", "机动车", "违章", "停车", "plate", "licence plate", "license plate",
	"vehicle", "registration", NULL };

/* Wide brackets are check_hk_id_value()'s to see. */
static const char *const hk_pictures[] = {
	"a{1,2}999999(x)", "a{1,2}999999 (x)", "a{1,2}999999-x", "A{1,2}999999X", "a{1,2}999999", NULL,
};
static const char *const hk_context[] = { "hkid", "hkic", "hk id", "hong kong id",
	"hong kong identity", "hong kong", "identity card", "identity", "id card", "id number",
	"id no", "香港身份证", "香港身份證", "香港", "身份證", "身份证", "证件号", "證件號碼",
	NULL };

static const char *const tw_pictures[] = { "A9{9}", "AA9{8}", NULL };
static const char *const tw_context[] = { "身分證", "身份證", "身份证", "台湾", "台灣", "臺灣",
	"統一編號", "统一编号", "居留證", "证件号", "taiwan", "national id", "id card",
	"identity card", "identity", "id number", "id no", "arc", "resident certificate", NULL };

static const struct recogniser rows[] = {
	{
		.id = "cn-resident-id", .title = "Chinese resident identity number",
		.pictures = resident_pictures, .min_size = 15, .max_size = 22,
		.check = check_cn_resident_id, .context = resident_context,
		.alone = 95, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 90,
	}, {
		.id = "cn-uscc", .title = "Chinese unified social credit code",
		.pictures = uscc_pictures, .min_size = 18, .max_size = 18,
		.check = check_cn_uscc, .context = uscc_context,
		.alone = 92, .in_context = 99, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_INTERNAL, .rank = 80,
	}, {
		.id = "cn-mobile", .title = "Chinese mobile telephone number",
		.pictures = mobile_pictures, .min_size = 11, .max_size = 20,
		.check = check_cn_mobile, .context = mobile_context,
		.alone = 72, .in_context = 96, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 70,
	}, {
		.id = "cn-plate", .title = "Chinese licence plate",
		.pictures = plate_pictures, .patterns = plate_patterns,
		.min_size = 5, .max_size = 10,
		.check = check_cn_plate, .value = check_cn_plate_value,
		.context = plate_context,
		.alone = 85, .in_context = 96, .masking = MASK_TAIL,
		.sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 60,
	}, {
		.id = "hk-id", .title = "Hong Kong identity card number",
		.pictures = hk_pictures, .min_size = 7, .max_size = 12,
		.check = check_hk_id, .value = check_hk_id_value, .context = hk_context,
		.alone = 80, .in_context = 96, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	}, {
		.id = "tw-id", .title = "Taiwan identity number",
		.pictures = tw_pictures, .min_size = 10, .max_size = 10,
		.check = check_tw_id, .context = tw_context,
		.alone = 70, .in_context = 96, .masking = MASK_ENDS,
		.sensitivity = SENSITIVITY_RESTRICTED, .rank = 60,
	},
};

const struct recogniser_table recognisers_china = { rows, COUNT(rows) };

#include "policy/detect/check_secret.h"
#include "policy/detect/recogniser.h"

static const char *const pem_patterns[] = {
	"-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----",
	"-----BEGIN EC PRIVATE KEY-----", "-----BEGIN DSA PRIVATE KEY-----",
	"-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----",
	"-----BEGIN PGP PRIVATE KEY BLOCK-----",
	"-----BEGIN [A-Z0-9]{2,12} (?:[A-Z0-9]{2,12} )?PRIVATE KEY-----",
	"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "---- BEGIN SSH2 PRIVATE KEY ----",
	"Private-Lines: ", "AGE-SECRET-KEY-1", NULL,
};

static const char *const aws_patterns[] = {
	"AKIA", "ASIA", "ABIA", "ACCA", "A3T", "(?i)secret",
	"A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9/+\\n]{1,4}[A-Za-z0-9/+]{40}", NULL,
};

static const char *const gcp_patterns[] = {
	"AIza", "ya29\\.", "GOCSPX-", "(?i)private_key_id", NULL,
};

static const char *const azure_patterns[] = {
	"(?i)accountkey", "(?i)account_key", "(?i)accesskey", "(?i)access_key", "(?i)azure",
	"(?i)ocp-apim", "sig=", "[0-9]Q~", "(?i)secret", NULL,
};

static const char *const github_patterns[] = {
	"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", NULL,
};

static const char *const gitlab_patterns[] = {
	"glpat-", "gldt-", "glrt-", "glft-", "glcbt-", "glptt-", "glimt-", "glagent-", "gloas-",
	"glsoat-", "glffct-", "GR1348941", NULL,
};

static const char *const slack_patterns[] = {
	"xox[abceoprsd]-", "xoxe\\.xox", "xapp-", "hooks\\.slack\\.com/", NULL,
};

static const char *const stripe_patterns[] = {
	"[sr]k_live_", "[sr]k_test_", "[sr]k_prod_", "whsec_", NULL,
};

/* The beginnings of {"  { "  {\n  {\r in base64. */
static const char *const jwt_patterns[] = { "eyJ", "eyAi", "ewog", "ewo", "ew0K", NULL };

static const char *const password_patterns[] = {
	"(?i)pass", "(?i)pwd", "(?i)psk", "(?i)secret", "(?i)pw[=: \"'>\\]]", "(?i)kennwort", "(?i)senha",
	"(?i)contrase", "密码", "密碼", "口令", "パスワード", "비밀번호", "://",
	"(?i)identified by", "curl", "mysql", "(?i)basic ", "sshpass",
	NULL,
};

static const char *const entropy_patterns[] = {
	"(?i)key", "(?i)token", "(?i)secret", "(?i)auth", "(?i)cred", "(?i)api", "(?i)bearer ",
	"密钥", "秘钥", "令牌", "私钥", "npm_", "pypi-AgE", "sk-", "SG\\.", "dop_v1_", "hf_",
	"shpat_", "hvs\\.", "NRAK-", "dapi", NULL,
};

/* What is left out is the same for all: nothing but a prefix is ever shown, and every
 * secret is restricted. */
#define SECRET .masking = MASK_ALL, .sensitivity = SENSITIVITY_RESTRICTED

static const struct recogniser rows[] = {
	{
		.id = "private-key", .title = "Private key",
		.patterns = pem_patterns, .min_size = 12, .max_size = 64, .check = pem_check,
		.alone = 99, .in_context = 99, .public_prefix = 11, .rank = 90, SECRET,
	},
	{
		.id = "aws-key", .title = "AWS access key",
		.patterns = aws_patterns, .min_size = 1, .max_size = 64, .check = aws_check,
		.value = aws_value, .alone = 95, .in_context = 95, .rank = 80, .takes_cells = true, SECRET,
	},
	{
		.id = "gcp-key", .title = "Google Cloud key",
		.patterns = gcp_patterns, .min_size = 1, .max_size = 16, .check = gcp_check,
		.value = gcp_value, .alone = 95, .in_context = 95, .rank = 80, .takes_cells = true, SECRET,
	},
	{
		.id = "azure-key", .title = "Azure key",
		.patterns = azure_patterns, .min_size = 1, .max_size = 16, .check = azure_check,
		.value = azure_value, .alone = 93, .in_context = 93, .rank = 70, .takes_cells = true, SECRET,
	},
	{
		.id = "github-token", .title = "GitHub token",
		.patterns = github_patterns, .min_size = 4, .max_size = 11,
		.check = github_check, .value = github_value, .alone = 99, .in_context = 99,
		.public_prefix = 4, .rank = 80, SECRET,
	},
	{
		.id = "gitlab-token", .title = "GitLab token",
		.patterns = gitlab_patterns, .min_size = 5, .max_size = 9,
		.check = gitlab_check, .value = gitlab_value, .alone = 99, .in_context = 99,
		.public_prefix = 5, .rank = 80, SECRET,
	},
	{
		.id = "slack-token", .title = "Slack token or webhook",
		.patterns = slack_patterns, .min_size = 5, .max_size = 16,
		.check = slack_check, .value = slack_value, .alone = 98, .in_context = 98,
		.public_prefix = 5, .rank = 80, SECRET,
	},
	{
		.id = "stripe-key", .title = "Stripe secret key",
		.patterns = stripe_patterns, .min_size = 6, .max_size = 8,
		.check = stripe_check, .value = stripe_value, .alone = 98, .in_context = 98,
		.public_prefix = 5, .rank = 80, SECRET,
	},
	{
		.id = "jwt", .title = "JSON web token",
		.patterns = jwt_patterns, .min_size = 3, .max_size = 4, .check = jwt_check,
		.value = jwt_value, .alone = 97, .in_context = 97, .public_prefix = 3,
		.rank = 75, SECRET,
	},
	{
		.id = "password", .title = "Password",
		.patterns = password_patterns, .min_size = 1, .max_size = 24,
		.check = password_check, .value = password_value,
		.alone = 85, .in_context = 85, .rank = 40, .takes_cells = true, SECRET,
	},
	{
		.id = "high-entropy", .title = "Key or token of no known form",
		.patterns = entropy_patterns, .min_size = 1, .max_size = 16,
		.check = entropy_check, .value = entropy_value,
		.alone = 75, .in_context = 75, .rank = 30, .takes_cells = true, SECRET,
	},
};

const struct recogniser_table recognisers_secrets = {
	.rows = rows, .count = sizeof rows / sizeof rows[0],
};

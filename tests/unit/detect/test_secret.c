/*
 * Secrets in the places where they are left behind; what stands in their place; and
 * that nothing of one is shown.  Values are drawn here, and their prefixes are put
 * together from pieces, so that no scanner takes this file for a leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "finds.h"

static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char hex[] = "0123456789abcdef";
static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char digits[] = "0123456789";

/* `size` characters of `from`, the same for the same seed (splitmix64). */
static const char *drawn(const char *from, size_t size, uint64_t seed)
{
	static char ring[8][600];
	static unsigned next;
	char *out = ring[next++ % 8];

	for (size_t i = 0; i < size; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		out[i] = from[(z ^ z >> 31) % strlen(from)];
	}
	out[size] = '\0';
	return out;
}

#define FINDS(id, ...) do { \
		char text_[2048]; \
		snprintf(text_, sizeof text_, __VA_ARGS__); \
		assert_finds_only(*state, text_, NULL, id); \
	} while (0)

#define EACH 50

static void tokens_are_found_by_prefix_and_length(void **state)
{
	for (uint64_t n = 0; n < EACH; n++) {
		FINDS("github-token", "t=%s%s x", "gh" "p_", drawn(alnum, 36, n));
		FINDS("github-token", "%s%s_%s", "github" "_pat_", drawn(alnum, 22, n),
		      drawn(alnum, 59, n + 1));
		FINDS("gitlab-token", "%s%s", "gl" "pat-", drawn(alnum, 20, n));
		FINDS("slack-token", "%s%s-%s-%s", "xo" "xb-", drawn(digits, 12, n),
		      drawn(digits, 13, n), drawn(alnum, 24, n));
		FINDS("slack-token", "https://hooks.%s/services/T%s/B%s/%s", "slack" ".com",
		      drawn(base32, 9, n), drawn(base32, 10, n), drawn(alnum, 24, n));
		FINDS("stripe-key", "%s%s", "sk" "_live_", drawn(alnum, 24, n));
	}
}

static void a_token_of_another_length_or_kind_is_none(void **state)
{
	for (uint64_t n = 0; n < EACH; n++) {
		FINDS(NULL, "see %s%s", "gh" "p_", drawn(alnum, 35, n));
		FINDS(NULL, "see %s%s", "gh" "p_", drawn(alnum, 37, n));
		FINDS(NULL, "see %s%s", "gh" "x_", drawn(alnum, 36, n));
		FINDS(NULL, "see %s%s", "gl" "pat-", drawn(alnum, 12, n));
		FINDS(NULL, "see %s%s", "pk" "_live_", drawn(alnum, 24, n));
		FINDS(NULL, "see %s%s", "sk" "_live_", drawn(alnum, 8, n));
		FINDS(NULL, "see %s%s-%s", "xo" "xz-", drawn(digits, 12, n), drawn(alnum, 24, n));
	}
	FINDS(NULL, "%s%s", "gh" "p_", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void keys_of_clouds_are_found(void **state)
{
	for (uint64_t n = 0; n < EACH; n++) {
		FINDS("aws-key", "id %s%s", "AK" "IA", drawn(base32, 16, n));
		FINDS("aws-key", "aws_secret_access_key = %s/%s", drawn(alnum, 19, n),
		      drawn(alnum, 20, n + 1));
		FINDS("gcp-key", "key=%s%s", "AI" "za", drawn(alnum, 35, n));
		FINDS("gcp-key", "\"private_key_id\": \"%s\"", drawn(hex, 40, n));
		FINDS("azure-key", "AccountName=x;AccountKey=%s==;", drawn(alnum, 86, n));
		FINDS("azure-key", "https://x.example.net/c?sv=2021-06-08&sig=%s%%3D",
		      drawn(alnum, 43, n));
		FINDS("azure-key", "SharedAccessKeyName=R;SharedAccessKey=%s=", drawn(alnum, 43, n));
	}
	FINDS(NULL, "sum %s", drawn(alnum, 40, 7));
	FINDS(NULL, "%s%s", "AK" "IA", drawn(base32, 12, 7));
	FINDS(NULL, "AccountName=x;AccountKey=${STORAGE_KEY};");
}

static void a_secret_key_behind_its_id_is_another_finding(void **state)
{
	char text[128];
	size_t count;
	const struct finding *f;

	snprintf(text, sizeof text, "bob,%s%s,%s/%s\n", "AK" "IA", drawn(base32, 16, 3),
		 drawn(alnum, 20, 4), drawn(alnum, 19, 5));
	f = finds_in(*state, text, NULL, &count);
	assert_int_equal(count, 1);
	assert_string_equal(f[0].id, "aws-key");
	assert_int_equal(f[0].count, 2);
}

static void a_private_key_is_found_in_any_armour_but_not_empty(void **state)
{
	static const char *const kinds[] = { "", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED " };
	const char *body = drawn(alnum, 200, 1);

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		FINDS("private-key", "-----" "BEGIN %sPRIVATE KEY-----\n%.64s\n%.64s\n", kinds[i],
		      body, body + 64);
		FINDS(NULL, "-----" "BEGIN %sPRIVATE KEY-----\n-----END %sPRIVATE KEY-----\n",
		      kinds[i], kinds[i]);
		FINDS(NULL, "-----" "BEGIN %sPRIVATE KEY-----\n...\n", kinds[i]);
	}
	FINDS("private-key", "-----" "BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n%.64s\n", body);
	FINDS("private-key", "-----" "BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: X\n\n%.64s\n", body);
	FINDS("private-key", "\"-----" "BEGIN PRIVATE KEY-----\\n%.64s\\n%.64s\\n\"", body, body + 64);
	FINDS("private-key", "> -----" "BEGIN PRIVATE KEY-----\n> %.64s\n", body);
	FINDS(NULL, "-----" "BEGIN PUBLIC KEY-----\n%.64s\n", body);
	FINDS(NULL, "-----" "BEGIN CERTIFICATE-----\n%.64s\n", body);
}

static void a_web_token_needs_a_header_that_names_an_algorithm(void **state)
{
	/* {"alg":"HS256","typ":"JWT"}  {"typ":"JWT"}  {"sub":"1234567890"} */
	static const char with_alg[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
	static const char without[] = "eyJ0eXAiOiJKV1QifQ";
	static const char payload[] = "eyJzdWIiOiIxMjM0NTY3ODkwIn0";
	const char *signature = drawn(alnum, 43, 5);

	FINDS("jwt", "Authorization: Bearer %s.%s.%s", with_alg, payload, signature);
	FINDS("jwt", "token=%s.%s.%s&x=1", with_alg, payload, signature);
	FINDS(NULL, "%s.%s.%s", without, payload, signature);
	FINDS(NULL, "%s.%s", with_alg, payload);
	FINDS(NULL, "%s.%s.%s", with_alg, "Zm9vYmFy", signature);
	FINDS(NULL, "eyJfoo.bar.baz");
}

static void a_password_is_found_wherever_one_is_written_down(void **state)
{
	static const char *const texts[] = {
		"password=hunter2", "DB_PASSWORD=\"Tr0ub4dor&3\"", "\"password\": \"s3cr3t!x\"",
		"spring.datasource.password=Qwerty12", "pwd = Abc@1234", "密码：Abc@123", "口令: x9Kd!23",
		"postgres://app:S3cr3tPw@db.example.com/x", "redis://:s3cr3tpw@cache:6379/0",
		"<password>hunter2</password>", "mysql -u root -pS3cret99 db",
		"curl -u bob:S3cret99 https://x.example.com", "sshpass -p S3cret99 ssh x",
		"CREATE USER x IDENTIFIED BY 'S3cret99'", "Server=x;User Id=sa;Password=P@ssw0rd;",
		"export PGPASSWORD=letmein99", "$cfg[\"password\"] = \"letmein99\";", "password=letmein",
		"--password S3cret99", "<add key=\"Password\" value=\"S3cret99\"/>",
		"- name: DB_PASSWORD\n  value: S3cret99", "secret: hunter22", "他的密码是Abc12345",
		"setPassword(\"S3cret99\")", "ALTER USER bob WITH PASSWORD 'n3wpass!';",
		"let userPassword: string = \"Abc$1234\";", "password=123456", "PASSWORD=root",
		"machine h login bob password S3cret99", "enable secret 0 Cisc0123",
		"\\\"password\\\": \\\"s3cr3tx9\\\"", "password := \"abc$1234\"", "Password\tAbc$1234",
		"password: '$2b$12$abcdefghijklmnopqrstuv'", "wpa psk: MyWifiPass9", NULL,
	};

	for (size_t i = 0; texts[i] != NULL; i++)
		assert_finds_only(*state, texts[i], NULL, "password");
}

static void what_stands_in_a_passwords_place_is_none(void **state)
{
	static const char *const texts[] = {
		"password=${DB_PASS}", "password: <password>", "password=****", "password=changeme",
		"password=", "password: null", "password = getpass()", "\"password\": \"\"",
		"your password must be long", "Password: must contain 8 characters",
		"password = os.environ[\"X\"]", "password: string", "PWD=/home/x", "compass: north",
		"bypass=true", "password_hash_length = 12", "password = self.password",
		"<input type=\"password\" name=\"password\" value=\"\">", "密码不能为空",
		"password: \"Enter your password\"", "password={{ vault_pw }}", "pass=12 fail=3",
		"password_file=/run/secrets/x", "password != null", "String password;",
		"password: process.env.DB_PASS", "cat /etc/passwd: denied", "密码：******",
		"password VARCHAR(255) NOT NULL", "password=\" + pw + \"", "password=%DB_PASS%",
		"The secret of success is hard work.", "https://example.com:8080/a@b",
		"password: [REDACTED]", "password=@Model.Password", "password = ",
		"secretary: Anna", "mysql -u root -p db", NULL,
	};

	for (size_t i = 0; texts[i] != NULL; i++)
		assert_finds_only(*state, texts[i], NULL, NULL);
}

static void a_random_value_is_a_secret_under_the_name_of_a_key(void **state)
{
	for (uint64_t n = 0; n < EACH; n++) {
		FINDS("high-entropy", "api_key = \"%s\"", drawn(alnum, 32, n));
		FINDS("high-entropy", "API_TOKEN=%s", drawn(hex, 40, n));
		FINDS("high-entropy", "Authorization: Bearer %s", drawn(alnum, 40, n));
		FINDS("high-entropy", "client_secret=%s", drawn(alnum, 40, n));
		FINDS("high-entropy", "密钥：%s", drawn(alnum, 32, n));
		FINDS(NULL, "sha256: %s", drawn(hex, 64, n));
		FINDS(NULL, "commit %s", drawn(hex, 40, n));
		FINDS(NULL, "ETag: \"%s\"", drawn(hex, 32, n));
		FINDS(NULL, "public_key=%s", drawn(alnum, 44, n));
		FINDS(NULL, "cache_key=%s", drawn(hex, 40, n));
		FINDS(NULL, "%s", drawn(alnum, 44, n));
	}
	FINDS(NULL, "session_key=550e8400-e29b-41d4-a716-446655440000");
	FINDS(NULL, "key: /etc/ssl/private/server-2021.key.pem");
	FINDS(NULL, "primary_key = customer_identifier_number");
	FINDS(NULL, "\"apiKey\": \"YOUR_API_KEY_HERE_123\"");
	FINDS(NULL, "<key>CFBundleShortVersionString12</key>");
}

static void a_cell_is_a_secret_if_its_column_says_so(void **state)
{
	assert_finds_only(*state, "hunter2", "password", "password");
	assert_finds_only(*state, "letmein", "user.passwd", "password");
	assert_finds_only(*state, "\"Tr0ub4dor\"", "DB_PASSWORD", "password");
	assert_finds_only(*state, drawn(alnum, 32, 1), "api_key", "high-entropy");
	assert_finds_only(*state, drawn(alnum, 40, 2), "aws_secret_access_key", "aws-key");
	assert_finds_only(*state, drawn(hex, 40, 3), "private_key_id", "gcp-key");
	assert_finds_only(*state, "hunter2", "nickname", NULL);
	assert_finds_only(*state, "2021-01-01", "password_changed", NULL);
	assert_finds_only(*state, "******", "password", NULL);
	assert_finds_only(*state, drawn(hex, 64, 4), "password_hash", NULL);
}

/* No character but of the prefix that is the same for everybody. */
static void nothing_of_a_secret_is_shown(void **state)
{
	static const char *const names[] = {
		"password=%s", "api_key=%s", "aws_secret_access_key=%s", "gh" "p_%.36s",
		"sk" "_live_%.24s", "gl" "pat-%.20s", "https://bob:%s@example.com/",
	};
	const char *secret = drawn("GHJKMNPQRSTVWXYZ", 40, 9);
	char text[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t count;
		const struct finding *f;

		snprintf(text, sizeof text, names[i], secret);
		f = finds_in(*state, text, NULL, &count);
		for (size_t k = 0; k < count; k++)
			assert_null(strpbrk(f[k].samples[0].text, "GHJKMNPQRSTVWXYZ"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_found_by_prefix_and_length),
		cmocka_unit_test(a_token_of_another_length_or_kind_is_none),
		cmocka_unit_test(keys_of_clouds_are_found),
		cmocka_unit_test(a_secret_key_behind_its_id_is_another_finding),
		cmocka_unit_test(a_private_key_is_found_in_any_armour_but_not_empty),
		cmocka_unit_test(a_web_token_needs_a_header_that_names_an_algorithm),
		cmocka_unit_test(a_password_is_found_wherever_one_is_written_down),
		cmocka_unit_test(what_stands_in_a_passwords_place_is_none),
		cmocka_unit_test(a_random_value_is_a_secret_under_the_name_of_a_key),
		cmocka_unit_test(a_cell_is_a_secret_if_its_column_says_so),
		cmocka_unit_test(nothing_of_a_secret_is_shown),
	};

	return cmocka_run_group_tests(tests, finds_open, finds_close);
}

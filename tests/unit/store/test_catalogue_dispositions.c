#include "fs/store/catalogue_dispositions.h"
#include "tests/unit/store/catalogue_fixture.h"

/* ---- officers -------------------------------------------------------------------- */

static struct officer_row officer(const char *id, int mark)
{
	struct officer_row o = { .id = id, .roles = "records,owner", .person = "CN=A. Officer",
				 .cert = (const uint8_t *)"certificate", .cert_size = 11,
				 .added = 100 };

	memset(o.fingerprint.bytes, mark, DIGEST_SIZE);
	return o;
}

static int tell_officer(void *arg, const struct officer_row *o)
{
	char *out = arg;

	sprintf(out + strlen(out), "%s %s %" PRId64 " %" PRId64 "; ", o->id, o->roles, o->added,
		o->removed);
	assert_int_equal(o->cert_size, 11);
	return 0;
}

static void an_officer_comes_once_and_may_come_again_after_leaving(void **state)
{
	struct fixture *f = *state;
	struct officer_row a = officer("ann", 1), b = officer("ann", 2), d = officer("dan", 1);
	char told[400] = "";
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	must(catalogue_officer_add(f->c, &a, &e));
	must_fail(catalogue_officer_add(f->c, &b, &e), MUNI_EXISTS);
	must_fail(catalogue_officer_add(f->c, &d, &e), MUNI_EXISTS);
	must(catalogue_officer_remove(f->c, "ann", 150, &e));
	must_fail(catalogue_officer_remove(f->c, "ann", 151, &e), MUNI_NOT_FOUND);
	b.added = 200;
	must(catalogue_officer_add(f->c, &b, &e));
	must(catalogue_officers(f->c, tell_officer, told, &e));
	assert_string_equal(told, "ann records,owner 100 150; ann records,owner 200 0; ");
	catalogue_rollback(f->c);
}

/* ---- dispositions ------------------------------------------------------------------ */

static int64_t add_disposition(struct catalogue *c, enum disposition_kind kind)
{
	struct disposition_row d = {
		.kind = kind, .proposer = (char *)(uintptr_t)"ann", .proposed = 5, .asof = 6,
		.scope = (char *)(uintptr_t)"{}", .statement = (char *)(uintptr_t)"{\"a\":1}",
		.signature = (uint8_t *)(uintptr_t)"sig", .signature_size = 3,
	};
	struct err e = ERR_NONE;

	must(catalogue_disposition_add(c, &d, &e));
	return d.id;
}

static void add_item(struct catalogue *c, int64_t disposition, const char *name,
		     enum item_names names)
{
	struct disposition_item i = { .key = { .directory = 7, .first = 2 }, .class_code = "FIN",
				      .names = names };
	char text[64];
	struct err e = ERR_NONE;

	snprintf(text, sizeof text, "{\"path\":\"%s\"}", name);
	i.leaf = digest_of(text, strlen(text));
	i.key.name_size = (uint16_t)strlen(name);
	strcpy(i.key.name, name);
	i.text = text;
	must(catalogue_disposition_item_put(c, disposition, &i, &e));
}

static int tell_item(void *arg, const struct disposition_item *i)
{
	char *out = arg;

	sprintf(out + strlen(out), "%s/%d/%s/%s; ", i->key.name_size ? i->key.name : "-",
		i->outcome, i->text ? i->text : "-", i->why ? i->why : "-");
	return 0;
}

static const char *items_of(struct catalogue *c, int64_t disposition, char out[1000])
{
	struct err e = ERR_NONE;

	out[0] = '\0';
	must(catalogue_disposition_items(c, disposition, tell_item, out, &e));
	return out;
}

static void an_approval_counts_once(void **state)
{
	struct fixture *f = *state;
	const struct approval_row a = { .officer = "bob", .made = 9,
					.signature = (const uint8_t *)"cms", .signature_size = 3 };
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	int64_t id = add_disposition(f->c, DISPOSITION_RECORDS);
	must(catalogue_approval_put(f->c, id, &a, &e));
	must_fail(catalogue_approval_put(f->c, id, &a, &e), MUNI_EXISTS);
	must_fail(catalogue_disposition_state(f->c, id + 1, DISPOSITION_GONE, NULL, &e),
		  MUNI_NOT_FOUND);
	must(catalogue_disposition_state(f->c, id, DISPOSITION_GONE, "{\"r\":1}", &e));
	must(catalogue_disposition_state(f->c, id, DISPOSITION_CERTIFIED, NULL, &e));
	struct disposition_row d;
	must(catalogue_disposition_get(f->c, id, &d, &e));
	assert_int_equal(d.state, DISPOSITION_CERTIFIED);
	assert_string_equal(d.result, "{\"r\":1}");
	assert_string_equal(d.statement, "{\"a\":1}");
	assert_memory_equal(d.signature, "sig", 3);
	disposition_row_clear(&d);
	catalogue_rollback(f->c);
}

/* ---- settling ------------------------------------------------------------------------ */

static enum item_outcome outcome_of(void *arg, const struct record_key *key)
{
	(void)arg;
	assert_int_equal(key->directory, 7);
	switch (key->name[0]) {
	case 'g':
		return OUTCOME_GONE;
	case 's':
		return OUTCOME_BYTES_STAY;
	default:
		return OUTCOME_PENDING;
	}
}

static void only_what_its_class_lets_stay_of_a_name_reaches_the_next_catalogue(void **state)
{
	struct fixture *f = *state;
	struct catalogue *next = NULL;
	char told[1000];
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	int64_t one = add_disposition(f->c, DISPOSITION_RECORDS);
	int64_t other = add_disposition(f->c, DISPOSITION_RECORDS);
	add_item(f->c, one, "g-keep", ITEM_NAMES_KEEP);
	add_item(f->c, one, "g-commit", ITEM_NAMES_COMMIT);
	add_item(f->c, one, "s-drop", ITEM_NAMES_DROP);
	add_item(f->c, other, "g-other", ITEM_NAMES_COMMIT);
	add_item(f->c, other, "remains", ITEM_NAMES_COMMIT);
	must(catalogue_commit(f->c, &e));

	must(catalogue_create(f->dirfd, FIXTURE_EPOCH + 1, f->key_id, &next, &e));
	must(catalogue_begin(next, &e));
	must(catalogue_disposition_settle(f->c, next, one, "{\"gone\":3}", outcome_of, NULL, &e));
	must(catalogue_commit(next, &e));

	const char *items = items_of(next, one, told);
	assert_non_null(strstr(items, "g-keep/1/{\"path\":\"g-keep\"}/-; "));
	assert_non_null(strstr(items, "-/1/-/-; "));
	assert_null(strstr(items, "g-commit"));
	assert_null(strstr(items, "s-drop"));
	assert_null(strstr(items, "/2/"));
	items = items_of(next, other, told);
	assert_null(strstr(items, "g-other"));
	assert_non_null(strstr(items, "remains/0/{\"path\":\"remains\"}/-; "));
	struct disposition_row d;
	must(catalogue_disposition_get(next, one, &d, &e));
	assert_int_equal(d.state, DISPOSITION_GONE);
	assert_string_equal(d.result, "{\"gone\":3}");
	disposition_row_clear(&d);
	must(catalogue_disposition_get(next, other, &d, &e));
	assert_int_equal(d.state, DISPOSITION_PROPOSED);
	disposition_row_clear(&d);
	catalogue_close(next);
}

static void an_item_that_failed_keeps_its_name_and_says_why(void **state)
{
	struct fixture *f = *state;
	struct disposition_item i = { .key = { .directory = 3 }, .path = "a/b", .path_size = 3,
				      .class_code = "", .names = ITEM_NAMES_COMMIT,
				      .text = "{\"path\":\"a/b\"}" };
	char told[1000];
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	int64_t id = add_disposition(f->c, DISPOSITION_LIVE);
	must(catalogue_disposition_item_put(f->c, id, &i, &e));
	must(catalogue_disposition_item_outcome(f->c, id, &i.leaf, OUTCOME_FAILED, "it changed",
						&e));
	assert_string_equal(items_of(f->c, id, told), "-/3/{\"path\":\"a/b\"}/it changed; ");
	must(catalogue_disposition_item_outcome(f->c, id, &i.leaf, OUTCOME_GONE, "overwritten",
						&e));
	assert_string_equal(items_of(f->c, id, told), "-/1/-/overwritten; ");
	catalogue_rollback(f->c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_officer_comes_once_and_may_come_again_after_leaving, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(an_approval_counts_once, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			only_what_its_class_lets_stay_of_a_name_reaches_the_next_catalogue,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_item_that_failed_keeps_its_name_and_says_why,
						fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

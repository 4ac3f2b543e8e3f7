#include "tests/unit/policy/policies.h"
#include "policy/retention.h"

struct dates {
	const char *modified, *event;	/* NULL: not known */
};

static bool tell(void *arg, const char *word, int64_t *seconds)
{
	const struct dates *d = arg;
	const char *text = strcmp(word, "modified") == 0 ? d->modified :
			   strcmp(word, "event:closed") == 0 ? d->event : NULL;

	if (text == NULL)
		return false;
	*seconds = moment(text);
	return true;
}

static struct retention retention(const char *retain, const char *then, const char *modified,
				  const char *event)
{
	struct dates d = { modified, event };
	struct retention r;
	struct policy *p;
	char text[1000];

	snprintf(text, sizeof text, HEAD "classes:\n  - {id: A, title: {en: T}, retain: %s, then: %s}\n"
		 "rules:\n  - {id: r, when: {path: a}, decide: archive, class: A}\n", retain, then);
	p = load(text);
	retention_of(&policy_info(p)->classes[0], policy_zone(p), tell, &d, &r);
	/* The words that it borrows from the policy are not looked at later. */
	r.moment = r.moment == NULL ? NULL : strcmp(r.moment, "modified") == 0 ? "modified" : "event";
	policy_free(p);
	return r;
}

static void assert_until(const struct retention *r, const char *date)
{
	char text[16];

	assert_int_equal(r->state, RETENTION_DATED);
	civil_text(r->until, text);
	assert_string_equal(text, date);
}

static void the_period_runs_from_the_cutoff_after_the_trigger(void **state)
{
	struct retention r;

	(void)state;
	r = retention("{trigger: modified, period: P30Y}", "destroy", "2024-02-29T10:00:00Z", NULL);
	assert_until(&r, "2054-02-28");
	r = retention("{trigger: modified, cutoff: 12-31, period: P30Y}", "destroy",
		      "2013-05-05T10:00:00Z", NULL);
	assert_until(&r, "2043-12-31");
	assert_string_equal(r.moment, "modified");
	r = retention("{trigger: modified, cutoff: 03-31, period: P1Y}", "review",
		      "2013-05-05T10:00:00Z", NULL);
	assert_until(&r, "2015-03-31");
}

static void the_fallback_counts_where_the_trigger_is_not_known(void **state)
{
	static const char retain[] = "{trigger: 'event:closed', fallback: modified, period: P1Y}";
	struct retention r = retention(retain, "destroy", "2013-05-05T00:00:00Z",
				       "2020-01-01T00:00:00Z");

	(void)state;
	assert_until(&r, "2021-01-01");
	assert_string_equal(r.moment, "event");
	r = retention(retain, "destroy", "2013-05-05T00:00:00Z", NULL);
	assert_until(&r, "2014-05-05");
	assert_string_equal(r.moment, "modified");
}

static void without_a_date_it_is_kept(void **state)
{
	struct retention r = retention("{trigger: 'event:closed', period: P1Y}", "destroy",
				       "2013-05-05T00:00:00Z", NULL);

	(void)state;
	assert_int_equal(r.state, RETENTION_MISSING);
	assert_false(retention_is_due(&r, (struct civil){ 9999, 12, 31 }));
}

static void what_is_kept_for_ever_is_never_due(void **state)
{
	struct retention r = retention("{trigger: modified, period: forever}", "keep",
				       "1970-01-01T00:00:00Z", NULL);

	(void)state;
	assert_int_equal(r.state, RETENTION_FOREVER);
	r = retention("{trigger: modified, period: P1Y}", "keep", "1970-01-01T00:00:00Z", NULL);
	assert_int_equal(r.state, RETENTION_FOREVER);
	assert_false(retention_is_due(&r, (struct civil){ 9999, 12, 31 }));
}

static void a_record_is_due_when_its_last_day_has_passed(void **state)
{
	struct retention r = retention("{trigger: modified, period: P1Y}", "destroy",
				       "2013-05-05T00:00:00Z", NULL);

	(void)state;
	assert_false(retention_is_due(&r, (struct civil){ 2014, 5, 4 }));
	assert_false(retention_is_due(&r, (struct civil){ 2014, 5, 5 }));
	assert_true(retention_is_due(&r, (struct civil){ 2014, 5, 6 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_period_runs_from_the_cutoff_after_the_trigger),
		cmocka_unit_test(the_fallback_counts_where_the_trigger_is_not_known),
		cmocka_unit_test(without_a_date_it_is_kept),
		cmocka_unit_test(what_is_kept_for_ever_is_never_due),
		cmocka_unit_test(a_record_is_due_when_its_last_day_has_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* XML of any kind: labels, places, entities, and where it stops being XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/content/examined.h"

static void assert_seen(void **state, const char *xml, size_t size, const char *where,
			unsigned confidence)
{
	const struct finding *f = examined(*state, "a.xml", xml, size);

	if (!f)
		fail_msg("nothing found in: %.100s", xml);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
	assert_string_equal(((struct bench *)*state)->seen.opaque, "");
}

#define assert_where(xml, where, confidence)                                                     \
	assert_seen(state, xml, strlen(xml), where, confidence)

#define HEAD "<?xml version=\"1.0\"?>\n"

static void the_end_of_the_path_is_the_label(void **state)
{
	assert_where(HEAD "<rows><row><token>TKN-4711</token></row></rows>", "rows/row/token", 90);
	assert_where(HEAD "<rows><row><other>TKN-4711</other></row></rows>", "rows/row/other", 50);
	assert_where(HEAD "<rows><token><value>TKN-4711</value></token></rows>",
		     "rows/token/value", 90);
	/* Further up it says nothing about this value. */
	assert_where(HEAD "<token><a><b><value>TKN-4711</value></b></a></token>",
		     "token/a/b/value", 50);
}

static void an_attribute_is_labelled_by_its_name(void **state)
{
	assert_where(HEAD "<rows><row token=\"TKN-4711\"/></rows>", "rows/row/@token", 90);
	assert_where(HEAD "<rows><row id=\"TKN-4711\"/></rows>", "rows/row/@id", 50);
}

static void what_an_element_calls_itself_is_its_label_too(void **state)
{
	assert_where(HEAD "<row><field name=\"token\">TKN-4711</field></row>", "row/field", 90);
	assert_where(HEAD "<row><item key=\"token\">TKN-4711</item></row>", "row/item", 90);
}

static void text_with_elements_in_it_is_one_text(void **state)
{
	assert_where(HEAD "<p>my token is <b>TKN-4711</b> now</p>", "p", 90);
}

static void character_data_and_references_are_text(void **state)
{
	assert_where(HEAD "<a><![CDATA[<token> TKN-4711]]></a>", "a", 90);
	assert_where(HEAD "<a>&#84;KN-&#x34;711</a>", "a", 50);
	assert_where(HEAD "<a><!-- token TKN-4711 --></a>", "a", 90);
	assert_where(HEAD "<a><?php $token = 'TKN-4711' ?></a>", "a", 90);
}

static void an_entity_stands_for_its_text(void **state)
{
	assert_where("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY four \"47\">]><a>TKN-&four;11</a>",
		     "a", 50);
	/* Of HTML, declared by nobody. */
	assert_where(HEAD "<a>x&nbsp;TKN-4711&eacute;&unknown; y</a>", "a", 50);
}

static void encodings_are_as_declared(void **state)
{
	static const char gb[] = "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n"
				 "<a>\xb1\xe0\xba\xc5 token TKN-4711</a>";
	static const char wide[] = "<\0?\0x\0m\0l\0 \0v\0e\0r\0s\0i\0o\0n\0=\0'\0" "1\0.\0" "0\0'\0?\0>\0"
				   "<\0a\0>\0T\0K\0N\0-\0" "4\0" "7\0" "1\0" "1\0<\0/\0a\0>\0";

	assert_where(gb, "a", 90);
	assert_seen(state, wide, sizeof wide - 1, "a", 50);
}

static void what_is_no_longer_xml_is_text_all_the_same(void **state)
{
	static const char *const broken[] = {
		HEAD "<a><b>one</c> token TKN-4711</a>",
		HEAD "<a b=c d=\"token TKN-4711\"/>",
		HEAD "<a>one</a> token TKN-4711",
		HEAD "<a>one</a>\n" HEAD "<a>token TKN-4711</a>",
		HEAD "<a>token TKN-4711",
		HEAD "<a>one \x01 token TKN-4711</a>",
		HEAD "<a><!-- token TKN-4711",
		HEAD "<a><b attribute=\"token TKN-4711",
	};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		const struct finding *f = examined(*state, "a.xml", broken[i], strlen(broken[i]));

		if (!f || f->count != 1)
			fail_msg("lost, or more than once: %s", broken[i]);
	}
}

static void a_billion_laughs_are_stopped_and_said(void **state)
{
	char xml[4096];
	size_t used = (size_t)snprintf(xml, sizeof xml, HEAD "<!DOCTYPE a [<!ENTITY l0 \"%0100d\">", 0);
	const struct finding *f;

	for (int i = 1; i < 12; i++)
		used += (size_t)snprintf(xml + used, sizeof xml - used, "<!ENTITY l%d \"&l%d;&l%d;&l%d;"
					 "&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;\">", i, i - 1, i - 1,
					 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	snprintf(xml + used, sizeof xml - used, "]><a>&l11; token TKN-4711</a>");
	f = examined(*state, "a.xml", xml, strlen(xml));
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	assert_non_null(strstr(((struct bench *)*state)->seen.opaque, "entities expand without end"));
}

static void an_entity_of_itself_is_stopped_and_said(void **state)
{
	static const char xml[] = HEAD "<!DOCTYPE a [<!ENTITY x \"&y;\"><!ENTITY y \"&x;\">]>"
				  "<a>&x; token TKN-4711</a>";

	assert_non_null(examined(*state, "a.xml", xml, strlen(xml)));
	assert_non_null(strstr(((struct bench *)*state)->seen.opaque, "entities expand without end"));
}

static void what_lies_outside_is_not_fetched(void **state)
{
	assert_where("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"/etc/hostname\">"
		     "<!ENTITY % y SYSTEM \"http://127.0.0.1/y\"> %y;]><a>&x; TKN-4711</a>", "a", 50);
}

static void depth_without_end_is_read_to_its_bottom(void **state)
{
	enum { DEPTH = 5000 };
	char *xml = malloc(DEPTH * 7 + 100);
	size_t used = 0;
	const struct finding *f;

	assert_non_null(xml);
	used += (size_t)sprintf(xml, "%s", HEAD);
	for (int i = 0; i < DEPTH; i++)
		used += (size_t)sprintf(xml + used, "<a>");
	used += (size_t)sprintf(xml + used, " TKN-4711 ");
	for (int i = 0; i < DEPTH; i++)
		used += (size_t)sprintf(xml + used, "</a>");
	f = examined(*state, "a.xml", xml, used);
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	free(xml);
}

static void a_text_of_many_megabytes_is_read_to_its_end(void **state)
{
	enum { SIZE = 3 << 20 };
	char *xml = malloc(SIZE + 100);
	size_t used;
	const struct finding *f;

	assert_non_null(xml);
	used = (size_t)sprintf(xml, "%s<a>", HEAD);
	memset(xml + used, 'x', SIZE - used);
	for (size_t i = used; i < SIZE; i += 1000)
		xml[i] = ' ';
	used = SIZE;
	used += (size_t)sprintf(xml + used, " token TKN-4711 </a>");
	f = examined(*state, "a.xml", xml, used);
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	free(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_the_path_is_the_label),
		cmocka_unit_test(an_attribute_is_labelled_by_its_name),
		cmocka_unit_test(what_an_element_calls_itself_is_its_label_too),
		cmocka_unit_test(text_with_elements_in_it_is_one_text),
		cmocka_unit_test(character_data_and_references_are_text),
		cmocka_unit_test(an_entity_stands_for_its_text),
		cmocka_unit_test(encodings_are_as_declared),
		cmocka_unit_test(what_is_no_longer_xml_is_text_all_the_same),
		cmocka_unit_test(a_billion_laughs_are_stopped_and_said),
		cmocka_unit_test(an_entity_of_itself_is_stopped_and_said),
		cmocka_unit_test(what_lies_outside_is_not_fetched),
		cmocka_unit_test(depth_without_end_is_read_to_its_bottom),
		cmocka_unit_test(a_text_of_many_megabytes_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "daemon/matching.h"

typedef void plain_fn(struct str text, struct plain *plain);

static const uint8_t test_key[HASH_KEY_SIZE] = {7};

static void assert_plain(plain_fn *fn, const char *text, const char *expected)
{
	struct plain plain;

	fn(str_from(text), &plain);
	if (!str_equal((struct str){plain.data, plain.size}, str_from(expected)))
		fail_msg("\"%s\" became \"%.*s\", not \"%s\"", text, (int)plain.size, plain.data,
			 expected);
}

struct row {
	const char *text, *plain;
};

/* However a name is typed, the same person comes out. */
static void test_names_lose_case_accents_signs_and_order(void **unused)
{
	static const struct row rows[] = {
		{"Jean Dupont", "dupont jean"},
		{"DUPONT Jean", "dupont jean"},
		{"  Dupont,   Jean ", "dupont jean"},
		{"Élodie Lefèvre-Côté", "cote elodie lefevre"},
		{"E\xcc\x81lodie Lefe\xcc\x80vre Cote\xcc\x81", "cote elodie lefevre"},
		{"Marie-Cœur Œdipe", "coeur marie oedipe"},
		{"Lætitia", "laetitia"},
		{"Łukasz Søren Đorđe", "dorde lukasz soren"},
		{"François D’Arc", "arc d francois"},
		{"François d'Arc", "arc d francois"},
		{"GROẞMANN", "grossmann"},
		{"Großmann", "grossmann"},
		{"ﬁlip", "filip"},
		{"Ｊｅａｎ", "jean"},
		{"İpek Işık", "ipek isik"},
		{"Jean\xc2\xa0Paul", "jean paul"},
		{"Je\xc2\xad"
		 "an",
		 "jean"},
		{"Ольга", "ольга"},
		{"", ""},
		{"--- ...", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_plain(plain_name, rows[i].text, rows[i].plain);
}

/* An address keeps its order. */
static void test_addresses_keep_their_order(void **unused)
{
	static const struct row rows[] = {
		{"12 bis, rue de la Paix", "12 bis rue de la paix"},
		{"12 BIS RUE DE LA PAIX.", "12 bis rue de la paix"},
		{"3, Allée des Hêtres — Bât. B", "3 allee des hetres bat b"},
		{"n° 4 rue du Bœuf\nDole", "n 4 rue du boeuf dole"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_plain(plain_text, rows[i].text, rows[i].plain);
}

/* +33, 0033, (0), dots and blanks are ways of writing one number; what is no number is none. */
static void test_phones_become_national_digits(void **unused)
{
	static const struct row rows[] = {
		{"06 12 34 56 78", "0612345678"},
		{"06.12.34.56.78", "0612345678"},
		{"+33 6 12 34 56 78", "0612345678"},
		{"+33612345678", "0612345678"},
		{"0033612345678", "0612345678"},
		{"00 33 6 12 34 56 78", "0612345678"},
		{"+33 (0)6 12 34 56 78", "0612345678"},
		{"(+33) 6-12-34-56-78", "0612345678"},
		{"tel: 0612345678", "0612345678"},
		{"+41 22 345 67 89", "41223456789"},
		{"3612345", "3612345"},
		{"12345", ""},
		{"aucun", ""},
		{"0000000000", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_plain(plain_phone, rows[i].text, rows[i].plain);
}

/* An e-mail address is only lowercased. */
static void test_emails_are_lowercased(void **unused)
{
	assert_plain(plain_email, " Jean.Dupont@Example.ORG ", "jean.dupont@example.org");
	assert_plain(plain_email, "É@x.fr", "é@x.fr");
	assert_plain(plain_email, "a+b@x.fr", "a+b@x.fr");
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Random text, half of it plain letters, the rest anywhere in Unicode. */
static struct str random_text(uint32_t *seed, char *text, size_t size_max)
{
	size_t size = 0;

	while (size + 4 <= size_max && random_next(seed) % 16 != 0) {
		uint32_t code = random_next(seed) % 2 ? 32 + random_next(seed) % 95
						      : random_next(seed) % 0x11000;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		if (code < 0x80) {
			text[size++] = (char)code;
		} else if (code < 0x800) {
			text[size++] = (char)(0xc0 | code >> 6);
			text[size++] = (char)(0x80 | (code & 63));
		} else if (code < 0x10000) {
			text[size++] = (char)(0xe0 | code >> 12);
			text[size++] = (char)(0x80 | (code >> 6 & 63));
			text[size++] = (char)(0x80 | (code & 63));
		} else {
			text[size++] = (char)(0xf0 | code >> 18);
			text[size++] = (char)(0x80 | (code >> 12 & 63));
			text[size++] = (char)(0x80 | (code >> 6 & 63));
			text[size++] = (char)(0x80 | (code & 63));
		}
	}
	return (struct str){text, size};
}

/* Normalising what is normal changes nothing, whatever went in. */
static void test_normalising_twice_is_normalising_once(void **unused)
{
	plain_fn *const all[] = {plain_text, plain_name, plain_phone, plain_email};
	struct plain once, twice;
	uint32_t seed = 1;
	char text[200];

	for (int round = 0; round < 200000; round++) {
		plain_fn *fn = all[round % ARRAY_SIZE(all)];

		fn(random_text(&seed, text, sizeof(text)), &once);
		fn((struct str){once.data, once.size}, &twice);

		if (once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0)
			fail_msg("round %d: \"%.*s\" became \"%.*s\"", round, (int)once.size,
				 once.data, (int)twice.size, twice.data);
	}
}

/* Every code point alone is normal after one pass. */
static void test_every_code_point_is_normal_after_one_pass(void **unused)
{
	struct plain once, twice;
	char text[4];

	for (uint32_t code = 0x80; code < 0x30000; code++) {
		size_t size = 0;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		if (code < 0x800)
			text[size++] = (char)(0xc0 | code >> 6);
		else if (code < 0x10000)
			text[size++] = (char)(0xe0 | code >> 12);
		else
			text[size++] = (char)(0xf0 | code >> 18);
		if (code >= 0x10000)
			text[size++] = (char)(0x80 | (code >> 12 & 63));
		if (code >= 0x800)
			text[size++] = (char)(0x80 | (code >> 6 & 63));
		text[size++] = (char)(0x80 | (code & 63));

		plain_text((struct str){text, size}, &once);
		plain_text((struct str){once.data, once.size}, &twice);
		if (once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0)
			fail_msg("U+%04X: \"%.*s\" became \"%.*s\"", code, (int)once.size,
				 once.data, (int)twice.size, twice.data);
	}
}

static struct person person_make(const char *name, const char *phone, const char *email,
				 const char *address)
{
	return (struct person){
		.is_set = true,
		.name = str_from(name),
		.phone = str_from(phone),
		.email = str_from(email),
		.address = str_from(address),
		.persons = UINT_NONE,
	};
}

static void remember(struct matching *matching, uint32_t number, struct person person,
		     insee_t insee)
{
	struct fingerprints prints;

	fingerprints_make(test_key, &person, insee, &prints);
	for (uint32_t kind = 0; kind < LIKENESS_KINDS; kind++)
		if (prints.present & 1u << kind)
			(void)matching_remember(matching, number, 1u << kind, prints.print[kind]);
}

static uint32_t match(struct matching *matching, struct person person, insee_t insee,
		      struct candidate found[CANDIDATES_MAX])
{
	struct fingerprints prints;

	fingerprints_make(test_key, &person, insee, &prints);
	return matching_match(matching, &prints, found);
}

/* The one with more in common comes first, then the older one. */
static void test_better_likeness_comes_first(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct candidate found[CANDIDATES_MAX];

	remember(&matching, 9, person_make("Jean Dupont", "0611111122", NULL, NULL), 39);
	remember(&matching, 3, person_make("Luc Martin", "0611111122", NULL, NULL), 39);
	remember(&matching, 2, person_make("Anne Petit", "0611111122", NULL, NULL), 39);

	assert_int_equal(
		match(&matching, person_make("DUPONT JEAN", "+33611111122", NULL, NULL), 39, found),
		3);
	assert_int_equal(found[0].number, 9);
	assert_int_equal(found[0].likeness, LIKENESS_NAME | LIKENESS_PHONE);
	assert_int_equal(found[1].number, 2);
	assert_int_equal(found[1].likeness, LIKENESS_PHONE);
	assert_int_equal(found[2].number, 3);
}

/* The same name elsewhere, or nowhere, is another person. */
static void test_name_and_address_need_the_commune(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct person person = person_make("Jean Dupont", NULL, NULL, "1 rue Haute");
	struct candidate found[CANDIDATES_MAX];

	remember(&matching, 1, person, 39198);

	assert_int_equal(match(&matching, person, 39198, found), 1);
	assert_int_equal(found[0].likeness, LIKENESS_NAME | LIKENESS_ADDRESS);
	assert_int_equal(match(&matching, person, 39300, found), 0);
	assert_int_equal(match(&matching, person, 0, found), 0);
}

/* One text in two fields is no likeness. */
static void test_kinds_never_agree_with_one_another(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct candidate found[CANDIDATES_MAX];

	remember(&matching, 1, person_make("dole", NULL, NULL, NULL), 39198);

	assert_int_equal(match(&matching, person_make("x", NULL, NULL, "dole"), 39198, found), 0);
}

/* Two phones of one household, given one after the other, are one likeness. */
static void test_same_kind_counts_once(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct candidate found[CANDIDATES_MAX];

	remember(&matching, 1, person_make("a", "0611111112", NULL, NULL), 0);
	remember(&matching, 1, person_make("a", "0611111113", NULL, NULL), 0);
	remember(&matching, 1, person_make("a", "0611111113", NULL, NULL), 0);

	assert_int_equal(match(&matching, person_make("b", "0611111113", NULL, NULL), 0, found), 1);
	assert_int_equal(found[0].likeness, LIKENESS_PHONE);
	assert_int_equal(matching.count, 2);
}

/* What was forgotten does not come back, and others stay. */
static void test_forgotten_household_is_not_found(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct candidate found[CANDIDATES_MAX];

	for (uint32_t number = 1; number <= 1000; number++) {
		char phone[16];

		snprintf(phone, sizeof(phone), "07%08u", number);
		remember(&matching, number, person_make("x", phone, "family@example.org", NULL), 0);
	}
	for (uint32_t number = 1; number <= 1000; number += 2)
		matching_forget(&matching, number);
	matching_forget(&matching, 1);
	matching_forget(&matching, 5000000);

	for (uint32_t number = 1; number <= 1000; number++) {
		char phone[16];

		snprintf(phone, sizeof(phone), "07%08u", number);
		assert_int_equal(match(&matching, person_make("x", phone, NULL, NULL), 0, found),
				 number % 2 == 0);
	}
}

/* A town hall's phone that everybody gives neither floods the answer nor slows it. */
static void test_widely_shared_print_is_bounded(void **unused)
{
	scoped(matching_done) struct matching matching = {0};
	struct candidate found[CANDIDATES_MAX];

	for (uint32_t number = 1; number <= 10000; number++)
		remember(&matching, number, person_make("x", "0384000000", NULL, NULL), 0);

	assert_int_equal(matching.count, SHARED_MAX);
	assert_int_equal(match(&matching, person_make("x", "0384000000", NULL, NULL), 0, found),
			 CANDIDATES_MAX);
	for (uint32_t i = 0; i < CANDIDATES_MAX; i++)
		assert_int_equal(found[i].number, i + 1);
}

/* Another installation's key gives other fingerprints: a stolen index tells nothing. */
static void test_fingerprints_depend_on_the_key(void **unused)
{
	static const uint8_t other_key[HASH_KEY_SIZE] = {8};
	struct person person = person_make("Jean", "0612345678", "a@b.fr", "1 rue");
	struct fingerprints ours, theirs;

	fingerprints_make(test_key, &person, 39198, &ours);
	fingerprints_make(other_key, &person, 39198, &theirs);

	assert_int_equal(ours.present, 15);
	for (int kind = 0; kind < LIKENESS_KINDS; kind++)
		assert_memory_not_equal(ours.print[kind], theirs.print[kind], HASH_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_lose_case_accents_signs_and_order),
		cmocka_unit_test(test_addresses_keep_their_order),
		cmocka_unit_test(test_phones_become_national_digits),
		cmocka_unit_test(test_emails_are_lowercased),
		cmocka_unit_test(test_normalising_twice_is_normalising_once),
		cmocka_unit_test(test_every_code_point_is_normal_after_one_pass),
		cmocka_unit_test(test_better_likeness_comes_first),
		cmocka_unit_test(test_name_and_address_need_the_commune),
		cmocka_unit_test(test_kinds_never_agree_with_one_another),
		cmocka_unit_test(test_same_kind_counts_once),
		cmocka_unit_test(test_forgotten_household_is_not_found),
		cmocka_unit_test(test_widely_shared_print_is_bounded),
		cmocka_unit_test(test_fingerprints_depend_on_the_key),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "daemon/matching.h"

#include <stdlib.h>

#include <utf8proc.h>

/* One fingerprint of one household; entries of a household are linked. */
struct matching_entry {
	uint8_t print[HASH_SIZE];
	uint32_t number;
	uint32_t next;
	uint8_t likeness;
};

/* ---- normalising ---- */

enum { DECOMPOSED_MAX = 32, WORDS_MAX = 512 };

static void plain_add(struct plain *plain, const char *data, size_t size)
{
	assert(size <= sizeof(plain->data) - plain->size);
	memcpy(plain->data + plain->size, data, size);
	plain->size += size;
}

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

static void plain_add_letter(struct plain *plain, char letter)
{
	assert(plain->size < sizeof(plain->data));
	plain->data[plain->size++] = letter;
}

/* At most one space, and none at the beginning. */
static void plain_space(struct plain *plain)
{
	if (plain->size > 0 && plain->data[plain->size - 1] != ' ')
		plain_add_letter(plain, ' ');
}

static void plain_trim(struct plain *plain)
{
	if (plain->size > 0 && plain->data[plain->size - 1] == ' ')
		plain->size--;
}

/* Letters that Unicode does not take apart but that people type without their sign. */
static const struct {
	int32_t letter;
	const char *plain;
} undecomposed[] = {
	{0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},  {0x0127, "h"},
	{0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"}, {0x0167, "t"},
};

static const char *undecomposed_find(int32_t letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(undecomposed); i++)
		if (undecomposed[i].letter == letter)
			return undecomposed[i].plain;
	return NULL;
}

static bool is_letter_or_digit(int32_t codepoint)
{
	utf8proc_category_t category = utf8proc_category(codepoint);

	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
	       (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static void add_codepoint(struct plain *plain, int32_t codepoint)
{
	const char *spelt = undecomposed_find(codepoint);
	uint8_t bytes[4];

	if (spelt)
		plain_add(plain, spelt, strlen(spelt));
	else if (is_letter_or_digit(codepoint))
		plain_add(plain, (char *)bytes, utf8proc_encode_char(codepoint, bytes));
	else
		plain_space(plain);
}

/* Taken apart one by one: the order of accents, which would need the whole text, does not matter as
 * they are all left out. */
static void add_beyond_ascii(struct plain *plain, int32_t codepoint)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
					  UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
	int32_t parts[DECOMPOSED_MAX];
	int boundary = 0;
	utf8proc_ssize_t count =
		utf8proc_decompose_char(codepoint, parts, DECOMPOSED_MAX, options, &boundary);

	assert(count >= 0 && count <= DECOMPOSED_MAX);
	for (utf8proc_ssize_t i = 0; i < count; i++)
		add_codepoint(plain, parts[i]);
}

/* The next code point, and how many bytes it took. What is no UTF-8 counts as a space: it was
 * refused long before. */
static size_t codepoint_at(struct str text, size_t at, int32_t *codepoint)
{
	utf8proc_ssize_t size = utf8proc_iterate((const uint8_t *)text.data + at,
						 (utf8proc_ssize_t)(text.size - at), codepoint);

	if (size > 0)
		return (size_t)size;
	*codepoint = ' ';
	return 1;
}

static char ascii_lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter + 'a' - 'A') : letter;
}

/* As far as the text is ASCII from `at` on, which is nearly always to its end. Returns where it stopped. */
static size_t add_ascii(struct plain *plain, struct str text, size_t at)
{
	char *out = plain->data + plain->size, *begin = plain->data;

	assert(text.size - at <= sizeof(plain->data) - plain->size);
	for (; at < text.size && (uint8_t)text.data[at] < 0x80; at++) {
		char letter = ascii_lower(text.data[at]);

		if ((letter >= 'a' && letter <= 'z') || is_digit(letter))
			*out++ = letter;
		else if (out > begin && out[-1] != ' ')
			*out++ = ' ';
	}
	plain->size = (size_t)(out - begin);
	return at;
}

void plain_text(struct str text, struct plain *plain)
{
	plain->size = 0;
	for (size_t at = add_ascii(plain, text, 0); at < text.size;) {
		int32_t codepoint;

		at += codepoint_at(text, at, &codepoint);
		add_beyond_ascii(plain, codepoint);
		at = add_ascii(plain, text, at);
	}
	plain_trim(plain);
}

static int compare_words(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static size_t split_words(const struct plain *plain, struct str *words)
{
	size_t count = 0, begin = 0;

	for (size_t at = 0; at <= plain->size; at++) {
		if (at < plain->size && plain->data[at] != ' ')
			continue;
		if (at > begin && count < WORDS_MAX)
			words[count++] = (struct str){plain->data + begin, at - begin};
		begin = at + 1;
	}
	return count;
}

/* A handful of words: sorted in place, without qsort's detour. */
static void sort_words(struct str *words, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j > 0 && compare_words(&words[j - 1], &words[j]) > 0; j--) {
			struct str word = words[j];

			words[j] = words[j - 1];
			words[j - 1] = word;
		}
}

void plain_name(struct str name, struct plain *plain)
{
	struct plain unsorted;
	struct str words[WORDS_MAX];
	size_t count;

	plain_text(name, &unsorted);
	count = split_words(&unsorted, words);
	sort_words(words, count);
	plain->size = 0;
	for (size_t i = 0; i < count; i++) {
		plain_space(plain);
		plain_add(plain, words[i].data, words[i].size);
	}
	explicit_bzero(unsorted.data, unsorted.size);
}

static bool is_one_digit_repeated(const struct plain *plain)
{
	for (size_t i = 1; i < plain->size; i++)
		if (plain->data[i] != plain->data[0])
			return false;
	return true;
}

/* "+33 (0)6" and "0033 6" both mean "06". */
static void put_national(struct plain *plain, size_t prefix)
{
	while (prefix < plain->size && plain->data[prefix] == '0')
		prefix++;
	memmove(plain->data + 1, plain->data + prefix, plain->size - prefix);
	plain->data[0] = '0';
	plain->size -= prefix - 1;
}

static bool plain_begins(const struct plain *plain, const char *prefix)
{
	return plain->size >= strlen(prefix) && memcmp(plain->data, prefix, strlen(prefix)) == 0;
}

void plain_phone(struct str phone, struct plain *plain)
{
	struct plain text;
	bool is_international = false;

	plain->size = 0;
	for (size_t i = 0; i < phone.size && !is_digit(phone.data[i]); i++)
		is_international = is_international || phone.data[i] == '+';
	plain_text(phone, &text);
	for (size_t i = 0; i < text.size; i++)
		if (is_digit(text.data[i]))
			plain_add_letter(plain, text.data[i]);
	explicit_bzero(text.data, text.size);

	if (plain_begins(plain, "0033"))
		put_national(plain, 4);
	else if (is_international && plain_begins(plain, "33"))
		put_national(plain, 2);
	if (plain->size < PHONE_DIGITS_MIN || is_one_digit_repeated(plain))
		plain->size = 0;
}

void plain_email(struct str email, struct plain *plain)
{
	while (email.size > 0 && email.data[0] == ' ')
		email = (struct str){email.data + 1, email.size - 1};
	while (email.size > 0 && email.data[email.size - 1] == ' ')
		email.size--;

	plain->size = 0;
	for (size_t at = 0; at < email.size;) {
		uint8_t bytes[4];
		int32_t codepoint;

		if ((uint8_t)email.data[at] < 0x80) {
			plain_add_letter(plain, ascii_lower(email.data[at++]));
			continue;
		}
		at += codepoint_at(email, at, &codepoint);
		plain_add(plain, (char *)bytes,
			  utf8proc_encode_char(utf8proc_tolower(codepoint), bytes));
	}
}

/* ---- fingerprints ---- */

/* The kind is hashed too: a phone never agrees with an address. */
static void add_print(const uint8_t key[HASH_KEY_SIZE], uint32_t likeness, insee_t insee,
		      struct plain *plain, struct fingerprints *prints)
{
	const uint8_t tail[] = {0, likeness, insee >> 24, insee >> 16, insee >> 8, insee};

	if (plain->size == 0)
		return;

	plain_add(plain, (const char *)tail, sizeof(tail));
	hash_keyed(key, (struct str){plain->data, plain->size},
		   prints->print[__builtin_ctz(likeness)]);
	prints->present |= likeness;
	explicit_bzero(plain->data, plain->size);
}

void fingerprints_make(const uint8_t key[HASH_KEY_SIZE], const struct person *person, insee_t insee,
		       struct fingerprints *prints)
{
	struct plain plain;

	prints->present = 0;
	plain_phone(person->phone, &plain);
	add_print(key, LIKENESS_PHONE, 0, &plain, prints);
	plain_email(person->email, &plain);
	add_print(key, LIKENESS_EMAIL, 0, &plain, prints);
	if (insee == 0)
		return;

	plain_name(person->name, &plain);
	add_print(key, LIKENESS_NAME, insee, &plain, prints);
	plain_text(person->address, &plain);
	add_print(key, LIKENESS_ADDRESS, insee, &plain, prints);
}

/* ---- the index ---- */

static uint64_t print_key(const uint8_t print[HASH_SIZE])
{
	uint64_t key;

	memcpy(&key, print, sizeof(key));
	return key;
}

static bool entry_is(const struct matching_entry *entry, uint32_t likeness,
		     const uint8_t print[HASH_SIZE])
{
	return entry->likeness == likeness && memcmp(entry->print, print, HASH_SIZE) == 0;
}

static void candidate_add(struct candidate *list, uint32_t *count, uint32_t number,
			  uint32_t likeness)
{
	for (uint32_t i = 0; i < *count; i++)
		if (list[i].number == number) {
			list[i].likeness |= likeness;
			return;
		}
	list[(*count)++] = (struct candidate){.number = number, .likeness = likeness};
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int kinds = __builtin_popcount(y->likeness) - __builtin_popcount(x->likeness);

	if (kinds != 0)
		return kinds;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void match_kind(const struct matching *matching, const struct fingerprints *prints,
		       uint32_t kind, struct candidate *list, uint32_t *count)
{
	const uint8_t *print = prints->print[kind];
	struct map_cursor cursor = {0};
	uint32_t place;

	while (map_next(&matching->prints, print_key(print), &cursor, &place)) {
		const struct matching_entry *entry = &matching->entries[place - 1];

		if (entry_is(entry, 1u << kind, print))
			candidate_add(list, count, entry->number, 1u << kind);
	}
}

uint32_t matching_match(const struct matching *matching, const struct fingerprints *prints,
			struct candidate found[CANDIDATES_MAX])
{
	struct candidate list[LIKENESS_KINDS * SHARED_MAX];
	uint32_t count = 0;

	for (uint32_t kind = 0; kind < LIKENESS_KINDS; kind++)
		if (prints->present & 1u << kind)
			map_expect(&matching->prints, print_key(prints->print[kind]));
	for (uint32_t kind = 0; kind < LIKENESS_KINDS; kind++)
		if (prints->present & 1u << kind)
			match_kind(matching, prints, kind, list, &count);
	if (count > 1)
		qsort(list, count, sizeof(list[0]), compare_candidates);
	count = min_u64(count, CANDIDATES_MAX);
	memcpy(found, list, count * sizeof(list[0]));
	return count;
}

static uint32_t *first_of(struct matching *matching, uint32_t number)
{
	while (number >= matching->first_capacity) {
		uint32_t old = matching->first_capacity;

		matching->first = mem_grow(matching->first,
					   sizeof(uint32_t) * mem_next(&matching->first_capacity));
		memset(matching->first + old, 0,
		       sizeof(uint32_t) * (matching->first_capacity - old));
	}
	return &matching->first[number];
}

/* 1 + the place of an entry nobody uses. */
static uint32_t entry_new(struct matching *matching)
{
	uint32_t place = matching->free;

	if (place != 0) {
		matching->free = matching->entries[place - 1].next;
		return place;
	}
	MEM_ROOM(matching->entries, matching->count, matching->capacity);
	return ++matching->count;
}

/* Already kept for this number, or by as many households as are worth telling? */
static bool is_known_or_shared(const struct matching *matching, uint32_t number, uint32_t likeness,
			       const uint8_t print[HASH_SIZE])
{
	struct map_cursor cursor = {0};
	uint32_t place, sharing = 0;

	while (map_next(&matching->prints, print_key(print), &cursor, &place)) {
		const struct matching_entry *entry = &matching->entries[place - 1];

		if (!entry_is(entry, likeness, print))
			continue;
		if (entry->number == number || ++sharing == SHARED_MAX)
			return true;
	}
	return false;
}

bool matching_remember(struct matching *matching, uint32_t number, uint32_t likeness,
		       const uint8_t print[HASH_SIZE])
{
	uint32_t *first, place;

	if (is_known_or_shared(matching, number, likeness, print))
		return false;

	first = first_of(matching, number);
	place = entry_new(matching);
	struct matching_entry *entry = &matching->entries[place - 1];

	*entry = (struct matching_entry){.number = number, .next = *first, .likeness = likeness};
	memcpy(entry->print, print, HASH_SIZE);
	*first = place;
	map_put(&matching->prints, print_key(print), place);
	return true;
}

void matching_forget(struct matching *matching, uint32_t number)
{
	uint32_t place;

	if (number >= matching->first_capacity)
		return;

	place = matching->first[number];
	matching->first[number] = 0;
	while (place != 0) {
		struct matching_entry *entry = &matching->entries[place - 1];
		uint32_t next = entry->next;
		bool was_there = map_remove(&matching->prints, print_key(entry->print), place);

		assert(was_there);
		explicit_bzero(entry, sizeof(*entry));
		entry->next = matching->free;
		matching->free = place;
		place = next;
	}
}

void matching_done(struct matching *matching)
{
	map_done(&matching->prints);
	free(matching->entries);
	free(matching->first);
	*matching = (struct matching){0};
}

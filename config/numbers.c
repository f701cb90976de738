#include "config/numbers.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct scan {
	const char *at, *end;
	uint32_t line;
	uint32_t name_line;
	char name[NUMBER_NAME_MAX];
	struct numbers *found;
};

static bool is_at(const struct scan *scan, const char *text)
{
	size_t size = strlen(text);

	return (size_t)(scan->end - scan->at) >= size && memcmp(scan->at, text, size) == 0;
}

static void step(struct scan *scan)
{
	if (*scan->at++ == '\n')
		scan->line++;
}

static void skip_to(struct scan *scan, const char *end)
{
	while (scan->at < scan->end && !is_at(scan, end))
		step(scan);
	for (size_t i = 0; i < strlen(end) && scan->at < scan->end; i++)
		step(scan);
}

static void skip_string(struct scan *scan)
{
	step(scan);
	while (scan->at < scan->end && *scan->at != '"') {
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			step(scan);
		step(scan);
	}
	if (scan->at < scan->end)
		step(scan);
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static void take_name(struct scan *scan)
{
	const char *from = scan->at;

	while (scan->at < scan->end && is_name_char(*scan->at))
		scan->at++;
	snprintf(scan->name, sizeof(scan->name), "%.*s", (int)(scan->at - from), from);
	scan->name_line = scan->line;
}

static void add(struct scan *scan, struct str number, const char *wrong)
{
	struct numbers *found = scan->found;
	struct number *item;

	MEM_ROOM(found->items, found->count, found->capacity);
	item = &found->items[found->count++];
	*item = (struct number){.name_line = scan->name_line, .line = scan->line, .wrong = wrong};
	snprintf(item->name, sizeof(item->name), "%s", scan->name);
	snprintf(item->text, sizeof(item->text), "%.*s", (int)number.size, number.data);
}

/* NULL when libconfig reads it as what it is. */
static const char *find_wrong(struct str number)
{
	bool is_long = number.data[number.size - 1] == 'L';
	bool is_hex = number.size > 1 && (number.data[1] | 0x20) == 'x';
	char *digits = mem_copy(number);
	unsigned long long value;
	int failed;

	if (!is_hex && number.size > 1 && digits[0] == '0' && isdigit((unsigned char)digits[1])) {
		free(digits);
		return "begins with 0; write it without";
	}
	errno = 0;
	value = strtoull(digits, NULL, is_hex ? 16 : 10);
	failed = errno;
	free(digits);
	if (failed || value > INT64_MAX)
		return "is too large for any option; write a smaller one";
	if (!is_long && value > INT32_MAX)
		return "is too large as it is written; put an L behind it, or write a size as "
		       "\"8 GiB\"";
	return NULL;
}

/* Decimal fractions and exponents are libconfig's to read: no option is one. */
static void take_number(struct scan *scan)
{
	const char *from = scan->at;
	struct str number;
	const char *wrong;

	while (scan->at < scan->end && isxdigit((unsigned char)*scan->at))
		scan->at++;
	if (scan->at < scan->end && (*scan->at | 0x20) == 'x')
		scan->at++;
	while (scan->at < scan->end && isxdigit((unsigned char)*scan->at))
		scan->at++;
	if (scan->at < scan->end && *scan->at == '.') {
		while (scan->at < scan->end &&
		       (isalnum((unsigned char)*scan->at) || *scan->at == '.'))
			scan->at++;
		return;
	}
	while (scan->at < scan->end && *scan->at == 'L')
		scan->at++;
	number = (struct str){from, (size_t)(scan->at - from)};
	wrong = find_wrong(number);
	if (wrong)
		add(scan, number, wrong);
}

static void scan_one(struct scan *scan)
{
	if (*scan->at == '#' || is_at(scan, "//"))
		skip_to(scan, "\n");
	else if (is_at(scan, "/*"))
		skip_to(scan, "*/");
	else if (*scan->at == '"')
		skip_string(scan);
	else if (isdigit((unsigned char)*scan->at))
		take_number(scan);
	else if (isalpha((unsigned char)*scan->at) || *scan->at == '*')
		take_name(scan);
	else
		step(scan);
}

void numbers_find(struct str text, struct numbers *numbers)
{
	struct scan scan = {
		.at = text.data, .end = text.data + text.size, .line = 1, .found = numbers};

	while (scan.at < scan.end) {
		if (*scan.at == '@' && numbers->include_line == 0)
			numbers->include_line = scan.line;
		scan_one(&scan);
	}
}

const struct number *numbers_at(const struct numbers *numbers, const char *name, uint32_t line)
{
	for (uint32_t i = 0; i < numbers->count; i++) {
		const struct number *number = &numbers->items[i];

		if (strcmp(number->name, name) == 0 && number->name_line <= line &&
		    line <= number->line)
			return number;
	}
	return NULL;
}

void numbers_done(struct numbers *numbers)
{
	free(numbers->items);
	*numbers = (struct numbers){0};
}

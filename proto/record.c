#include "proto/record.h"

#include <stdlib.h>

static void field_clear(const struct field *field, void *value)
{
	switch (field->type) {
	case FIELD_uint:
		*(uint64_t *)value = UINT_NONE;
		break;
	case FIELD_sint:
		*(int64_t *)value = SINT_NONE;
		break;
	case FIELD_day:
		*(day_t *)value = DAY_NONE;
		break;
	case FIELD_time:
		*(ms_t *)value = MS_NONE;
		break;
	case FIELD_record:
		record_clear(field->record, value);
		break;
	default:
		break; /* absent is zero */
	}
}

void record_clear(const struct record *record, void *object)
{
	memset(object, 0, record->size);
	for (uint32_t i = 0; i < record->count; i++)
		field_clear(&record->fields[i], (char *)object + record->fields[i].offset);
}

bool field_is_absent(const struct field *field, const void *object)
{
	const void *value = (const char *)object + field->offset;

	switch (field->type) {
	case FIELD_flag:
		return *(const enum answer *)value == UNSAID;
	case FIELD_uint:
		return *(const uint64_t *)value == UINT_NONE;
	case FIELD_sint:
		return *(const int64_t *)value == SINT_NONE;
	case FIELD_day:
		return *(const day_t *)value == DAY_NONE;
	case FIELD_time:
		return *(const ms_t *)value == MS_NONE;
	case FIELD_text:
		return ((const struct str *)value)->size == 0;
	case FIELD_bytes:
		return ((const struct str *)value)->data == NULL;
	case FIELD_insee:
	case FIELD_word:
	case FIELD_set:
		return *(const uint32_t *)value == 0;
	case FIELD_texts:
		return ((const struct texts *)value)->count == 0;
	case FIELD_insees:
		return ((const struct insees *)value)->count == 0;
	case FIELD_record:
		return !*(const bool *)value; /* is_set is the first member of every record */
	case FIELD_list:
		return ((const struct list *)value)->count == 0;
	}
	assert(!"a field type without a row");
	abort();
}

const char *words_name(const struct words *words, uint32_t value)
{
	return value < words->count ? words->word[value] : NULL;
}

uint32_t words_find(const struct words *words, struct str text)
{
	for (uint32_t value = 1; value < words->count; value++) {
		const char *word = words->word[value];

		if (word && text.size > 0 && word[0] == text.data[0] && str_is(text, word))
			return value;
	}
	return 0;
}

void words_print(const struct words *words, struct buf *out)
{
	for (uint32_t value = 1; value < words->count; value++)
		buf_printf(out, "%s%s", value == 1 ? "" : ", ", words->word[value]);
}

/* 0-9 and A-Z as 0-35; -1 for all else. */
static int base36(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

/* 01-95, 2A, 2B, 971-978. */
static bool is_department(const char *code)
{
	int tens = base36(code[0]), ones = base36(code[1]), third = base36(code[2]);

	if (tens == 2 && (code[1] == 'A' || code[1] == 'B'))
		return true;
	if (tens > 9 || ones > 9)
		return false;
	if (tens * 10 + ones == 97)
		return third >= 1 && third <= 8;
	return tens * 10 + ones >= 1 && tens * 10 + ones <= 95;
}

bool insee_parse(struct str text, insee_t *insee)
{
	insee_t value = 0;

	if (text.size != INSEE_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		int digit = base36(text.data[i]);

		if (digit < 0)
			return false;
		value = value * 36 + (insee_t)digit;
	}
	if (!is_department(text.data))
		return false;
	*insee = value;
	return true;
}

const char *insee_print(insee_t insee, char text[INSEE_TEXT_SIZE])
{
	text[INSEE_TEXT_SIZE - 1] = '\0';
	for (int i = INSEE_TEXT_SIZE - 2; i >= 0; i--) {
		text[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[insee % 36];
		insee /= 36;
	}
	return text;
}

const char *insee_department(insee_t insee, char text[DEPARTMENT_TEXT_SIZE])
{
	char code[INSEE_TEXT_SIZE];
	size_t size;

	insee_print(insee, code);
	size = code[0] == '9' && code[1] == '7' ? 3 : 2;
	memcpy(text, code, size);
	text[size] = '\0';
	return text;
}

#include "proto/mail_failure.h"

static const struct {
	const char *code;
	enum failure class;
	const char *meaning;
} rows[] = {
#define ROW(NAME, code, class, meaning) [MAIL_##NAME] = {#code, FAILURE_##class, meaning},
	MAIL_FAILURE_TABLE(ROW)
#undef ROW
};

const char *mail_failure_code(enum mail_failure failure)
{
	assert(failure > MAIL_LEFT && failure < MAIL_FAILURE_COUNT);
	return rows[failure].code;
}

enum failure mail_failure_class(enum mail_failure failure)
{
	assert(failure > MAIL_LEFT && failure < MAIL_FAILURE_COUNT);
	return rows[failure].class;
}

const char *mail_failure_meaning(enum mail_failure failure)
{
	assert(failure > MAIL_LEFT && failure < MAIL_FAILURE_COUNT);
	return rows[failure].meaning;
}

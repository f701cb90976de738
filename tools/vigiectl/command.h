/* What vigiectl can say. One table, in command.c, gives the command line, its help, its completion,
 * the call and how the answer is shown. To add a command: a row there, its section in
 * docs/control.md, its paragraph in docs/vigiectl.1.scd. */
#pragma once

#include "proto/message.h"
#include "tools/vigiectl/session.h"
#include "tools/vigiectl/table.h"

enum argument_type {
	ARGUMENT_TEXT,
	ARGUMENT_NUMBER, /* of a case, visit, task, household */
	ARGUMENT_LIMIT,  /* 1 … LIST_LIMIT_MAX */
	ARGUMENT_DAY,    /* YYYY-MM-DD */
	ARGUMENT_MOMENT, /* the same, or RFC 3339 */
	ARGUMENT_WEEK,   /* 2015-W12 */
	ARGUMENT_WORD,   /* one of `words` */
	ARGUMENT_WORDS,  /* several of them, separated by commas */
	ARGUMENT_ANSWER, /* `answers`: what stands for false, and for true */
	ARGUMENT_FLAG,   /* an option without a value */
	ARGUMENT_FILE,
};

enum argument_flags {
	IS_POSITIONAL = 1 << 0,
	IS_REQUIRED = 1 << 1,
	MAKES_LONG = 1 << 2, /* with it the answer takes long */
};

struct argument {
	const char *name; /* of the parameter; an option is written with - for _ */
	enum argument_type type;
	uint32_t flags;
	const char *help;
	const struct words *words;
	const char *answers[2];
};

enum { ARGUMENTS_MAX = 8 };

struct command {
	const char *words; /* "queue list" */
	const char *method;
	enum session_socket socket;
	const char *help;
	struct argument arguments[ARGUMENTS_MAX + 1]; /* to the first without a name */

	bool is_long;        /* dots show that it is still at work */
	const char *verdict; /* a flag of the answer: false means status 1 */

	/* How the answer is shown: a list of the answer in columns, or a function. */
	const char *list;
	const struct column *columns;
	void (*print)(const json_t *answer);

	/* What is done instead of one call. Returns the exit status. */
	int (*run)(const struct command *command, struct session *session, json_t *params);
};

extern const struct command commands[]; /* to the first without words */

/* The command that the first one or two words name, or NULL; `used` tells how many they were. */
const struct command *command_find(char *const *words, int count, int *used);

uint32_t command_argument_count(const struct command *command);

/* One call, and its answer shown as --json or the table asks. Takes params. */
int command_run(const struct command *command, struct session *session, json_t *params);

/* The command line is whole, but does not hold together: tells it, and returns STATUS_USAGE. Takes
 * params. */
int command_misused(const struct command *command, json_t *params, const char *text);

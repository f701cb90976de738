/* One question: what is asked and by whom, and its answer. Parameters are read from it by their names. */
#pragma once

#include <jansson.h>

#include "daemon/io/job.h"

struct question {
	struct core *core;
	const json_t *params;
	uint32_t uid;
	bool may_tell; /* asked on control.sock: reasons in words, which tell of health and help */
	const struct state *present; /* as it is now, when asked of a past day; else NULL */
	struct job_feed *feed;       /* of a long one; NULL when the core itself answers */
	json_t *answer;              /* set on success; the caller's */
	struct fault fault;
};

/* Answers with `answer`, or fills `fault` and returns its code. */
typedef enum err question_fn(struct question *question);

/* The state it is asked of. */
const struct state *question_state(const struct question *question);

/* What is wrong with a parameter, and what would be right. */
enum err question_wrong(struct question *question, const char *name, const char *text);
/* What there is none of under the name that was given, and what there is. */
enum err question_unknown(struct question *question, enum err code, const char *name,
			  const char *what, const struct buf *known);
void question_unknown_word(struct question *question, const char *name, const struct words *words);

/* Parameters. False: `fault` says what is wrong. One that is absent is empty, 0, false, or what `absent`
 * says. */
bool question_get_text(struct question *question, const char *name, struct str *text);
bool question_get_number(struct question *question, const char *name, uint64_t least, uint64_t most,
			 uint64_t absent, uint64_t *number);
bool question_get_limit(struct question *question, uint64_t *limit);
bool question_get_word(struct question *question, const char *name, const struct words *words,
		       uint32_t *value);
bool question_get_day(struct question *question, const char *name, day_t absent, day_t *day);
bool question_get_week(struct question *question, const char *name, day_t *monday); /* DAY_NONE */
bool question_get_flag(struct question *question, const char *name, bool *flag);
bool question_get_case(struct question *question, uint32_t *number);   /* must be there */
bool question_get_sector(struct question *question, uint32_t *sector); /* position plus 1, 0: any */

/* The look at what is personal is on disk before it is given. */
enum err question_log_look(struct question *question, const char *method, const char *what,
			   uint64_t number);

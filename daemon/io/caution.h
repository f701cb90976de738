/* What makes the core end again and again. Ends that the core brought on itself (an assertion, a bad
 * address: never a kill from outside) are counted in a small file. After ENDS_BEFORE_CAUTION in a row,
 * none of them after a minute of life, the core is cautious: one event a turn, whose identity is on disk
 * before it is tried. The identity that was at work at an end is a suspect: it is refused until an
 * operator admits it again. */
#pragma once

#include <jansson.h>

#include "base/date.h"
#include "daemon/engine.h"
#include "proto/loop.h"

enum { ENDS_BEFORE_CAUTION = 3, CALM_AFTER_MS = 60000 };

struct caution;

/* Reads what earlier lives left in `folder`, whose only user the caller is. What cannot be read is told
 * by a log line and taken for nothing: caution must not be what keeps the core from starting. */
void caution_open(const char *folder, struct caution **caution);
void caution_close(struct caution **caution);

struct caution_port caution_port(struct caution *caution);

/* The core begins to take events: its ends count from here on, until caution_end(). An identity that
 * the last end leaves behind becomes a suspect, and the engine is made careful when there were too many.
 * After `calm_after_ms` all this is forgotten, but for the suspects. One at a time in a process:
 * signals have no context. */
void caution_begin(struct caution *caution, struct loop *loop, struct engine *engine,
		   int64_t calm_after_ms);
/* A clean end. */
void caution_end(struct caution *caution);

/* [{source, id, since}] in the order of time; borrowed. */
const json_t *caution_suspects(const struct caution *caution);
/* The day of the first of them; DAY_NONE when there is none. */
day_t caution_since(const struct caution *caution);

/* Lets an identity come again. ERR_NOT_FOUND when it is no suspect; ERR_IO: nothing has changed. */
enum err caution_admit(struct caution *caution, struct str source, struct str id) must_use;

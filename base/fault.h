/* A refusal told in full: the code, the path of the field, and what is wrong and would be right.
 * The text never quotes what was sent: it may be personal. */
#pragma once

#include "base/err.h"

enum { FAULT_PATH_MAX = 96, FAULT_TEXT_MAX = 240 };

struct fault {
	enum err code;
	uint32_t retry_after_ms;   /* ERR_BUSY only, else 0 */
	char path[FAULT_PATH_MAX]; /* "data.person.phone", "time"; "" when no field is at fault */
	char text[FAULT_TEXT_MAX];
};

/* Fills `fault` and returns `code`, so that a check can end with `return fault_set(…)`. A NULL
 * fault is accepted: the caller only wants the code. Text too long is cut. */
enum err fault_set(struct fault *fault, enum err code, const char *path, const char *format, ...)
	printf_like(4, 5);

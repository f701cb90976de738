/* Alarms in French, as the coordinator's morning mail tells them. */
#pragma once

#include "proto/message.h"

/* What the numbers and names of an alarm are. */
enum alarm_about { ABOUT_CASES, ABOUT_NAMES, ABOUT_TASKS };

struct alarm_words {
	const char *one, *many; /* "un doublon possible", "doublons possibles" after a number */
	const char *remedy;     /* what to do, in a sentence or two */
	enum alarm_about about;
};

const struct alarm_words *alarm_words(uint32_t alarm);

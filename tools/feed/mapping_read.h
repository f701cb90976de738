/* What mapping.c and mapping_event.c share while a mapping is read. */
#pragma once

#include <libconfig.h>

#include "tools/feed/mapping.h"

struct mapping_reading {
	struct mapping *mapping;
	struct complaints *complaints;
	struct date_forms dates;     /* of cells that give none */
	struct strings blank;        /* of cells that give none, folded */
	const struct record *record; /* the data of the event that is being read */
};

/* "FILE:LINE: what is wrong and what would be right". */
void mapping_complain(struct mapping_reading *reading, const config_setting_t *setting,
		      const char *format, ...) printf_like(3, 4);

void mapping_complain_line(struct mapping_reading *reading, int line, const char *format, ...)
	printf_like(3, 4);

/* Each of the group's settings must have one of the names, which end with NULL. */
void mapping_check_names(struct mapping_reading *reading, const config_setting_t *group,
			 const char *const *names);

/* The member of a group, or NULL. */
config_setting_t *mapping_member(const config_setting_t *group, const char *name);

/* These complain, and give something empty, when the setting is of another type. NULL gives the same
 * silently: it is for the caller to say what must be there. */
struct str mapping_string(struct mapping_reading *reading, const config_setting_t *setting);
struct strings mapping_strings(struct mapping_reading *reading, const config_setting_t *setting);
struct strings mapping_folded(struct mapping_reading *reading, const config_setting_t *setting);
struct columns mapping_columns(struct mapping_reading *reading, const config_setting_t *setting);
struct date_forms mapping_dates(struct mapping_reading *reading, const config_setting_t *setting);
struct conditions mapping_conditions(struct mapping_reading *reading,
				     const config_setting_t *setting);
const struct word_table *mapping_words(struct mapping_reading *reading,
				       const config_setting_t *setting);

/* Reads the list of events into the mapping. */
void mapping_read_events(struct mapping_reading *reading, const config_setting_t *events);

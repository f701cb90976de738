/* Givers: who refers households. A giver nobody registered is a placeholder: its mails are held. Name
 * and address stay sealed in the journal, at the number of the fact that told them. */
#pragma once

#include "proto/message.h"

struct giver {
	uint32_t party;     /* party number */
	uint32_t id;        /* name number of its identifier */
	uint64_t name_at;   /* number of the event with its name, or 0 */
	uint64_t email_at;  /* number of the event with its address, or 0 */
	uint32_t kind;      /* enum giver_kind; 0: a placeholder */
	uint32_t structure; /* name number */
	uint32_t successor; /* party number, or 0 */
	day_t left_on;      /* DAY_NONE: not left */
	bool is_erased;
};

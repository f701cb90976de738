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
	uint32_t cantons;   /* index among the places of the first canton, 0: never told */
	uint32_t communes;  /* the same for communes */
	uint8_t canton_count, commune_count;
	uint8_t pace;  /* enum pace; 0: at each step */
	day_t left_on; /* DAY_NONE: not left */
	bool is_erased;

	/* not told by facts about it */
	uint32_t last_referral; /* fact; the earlier ones hang on it */
	uint64_t refused_at;    /* the `email_at` whose address refused mail for good, or 0 */
	day_t nudged_for;       /* the opening for which it was nudged last, DAY_NONE: none */
};

/* Reasons told as a social worker would say them, in French. */
#pragma once

#include "daemon/settle.h"

/* One reason, as it stands inside a sentence: "60 jours pour trois demandes FSL en 24 mois". */
void tell_reason(const struct policy *policy, const struct portrait *portrait,
		 const struct reason_given *reason, struct buf *out);

/* The whole place of an open case in one sentence: "comme si elle attendait depuis le 3 novembre 2014 :
 * signalée le 2 février 2015, 60 jours pour …". */
void tell_place(const struct policy *policy, const struct portrait *portrait, struct buf *out);

/* Why a case stands before the next: "palier plus urgent", "attend depuis plus longtemps", … */
void tell_before(const struct case_record *before, const struct case_record *after,
		 struct buf *out);

/* "3 novembre 2014", with "1er" for the first. */
void tell_day(day_t day, struct buf *out);

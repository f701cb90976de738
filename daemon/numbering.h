/* Numbers of cases. A number is given once, when a case opens, and is kept by the fact that opened it, in
 * the version that holds. People were told it: it stays with the case of that household for as long as
 * there is one, whatever is corrected, retracted, merged or parted, and where its case became part of
 * another it leads there. */
#pragma once

#include "daemon/settle.h"

/* Gives each case of a group its number: the one that a fact of it has; else one that nobody of the group
 * uses any more; else the next. True when facts or visits changed hands, and the portrait is to be made
 * again. */
bool numbering_assign(struct state *state, struct portrait *portrait, uint32_t head) must_use;

/* Every number the group ever gave leads to the case its fact belongs to now, or is gone. True when visits
 * were cancelled, and the portrait is to be made again. */
bool numbering_lead(struct state *state, const struct portrait *portrait, uint32_t head,
		    const struct cause *cause) must_use;

/* A number leads nowhere any more: its visits are cancelled. True when there were any. */
bool numbering_forget(struct state *state, uint32_t number, const struct cause *cause);

/* Before groups are settled because a fact went from one to another, with its number: leaves it behind
 * where it is needed. */
void numbering_leave(struct state *state, uint32_t fact);

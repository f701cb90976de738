/* What a pair of visitors can do: whom it may visit, and on which half-days it works. */
#pragma once

#include "proto/message.h"

/* Policy's sectors and, for cases of closed sectors, the pairs that go there. */
bool pair_may_serve(const struct plan_pair *pair, const struct plan_case *item);

/* On a day that is neither Saturday nor Sunday, nor in one of the pair's absences. Public holidays are
 * the caller's. */
bool pair_works_on(const struct plan_pair *pair, day_t day, enum half half);

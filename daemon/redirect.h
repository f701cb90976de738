/* Mails that wait, when somebody comes, leaves or takes no mail: who reads them now. */
#pragma once

#include "daemon/state.h"

/* A giver (index) became known, left or changed: what waits for it goes out, or to whom it should. */
void redirect_giver(struct state *state, uint32_t giver);

/* A mail whose time has come; whoever left meanwhile has somebody else who reads it. */
void redirect_due(struct state *state, uint32_t task);

/* The address of a giver refused mail for good: what comes waits for another one. */
void redirect_refused(struct state *state, uint32_t task);

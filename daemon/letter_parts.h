/* The parts of a letter, each from what the state knows of it (letter.c puts them together). */
#pragma once

#include "daemon/letter.h"

struct letter {
	struct engine *engine;
	const struct state *state;
	struct arena *arena;
	struct mail_body *body;
};

/* The name of a mail or a visit ("visit-7-…"), the same in every mail. */
struct str letter_print_id(struct arena *arena, const struct state *state, const char *what,
			   uint32_t number);

/* --- a case --- */

/* The mail's own case, or one of those that a digest tells of. */
enum err letter_write_case(struct letter *letter, const struct mail *mail) must_use;
enum err letter_describe_case(struct letter *letter, const struct mail *mail,
			      struct mail_item *item) must_use;
/* The visit as it was when the mail was written; unset when it is about none. */
void letter_describe_visit(const struct letter *letter, const struct mail *mail,
			   struct mail_visit *visit);
/* One of several cases that a mail is about, but for its form. */
void letter_fill_case(const struct letter *letter, uint32_t number, struct mail_case *row);
/* The number of the giver's own form; none when the referral is 0. */
enum err letter_read_form(struct letter *letter, uint64_t referral, struct str *form) must_use;

/* The sector that a case lies in, or NULL; the weeks to wait there, or UINT_NONE. */
const struct policy_sector *letter_sector_of(const struct state *state,
					     const struct case_record *record);
uint64_t letter_wait_in(const struct state *state, struct str sector);

/* --- the rest, each a part of a digest too --- */

enum err letter_write_network(struct letter *letter, const struct mail *mail) must_use;
enum err letter_write_agenda(struct letter *letter, const struct mail *mail) must_use;
enum err letter_write_coordinator(struct letter *letter, const struct mail *mail) must_use;
enum err letter_write_digest(struct letter *letter, const struct mail *mail) must_use;

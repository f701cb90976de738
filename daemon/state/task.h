/* Tasks: what workers are asked to do, and the life of each. */
#pragma once

#include "proto/message.h"

enum recipient_kind { TO_GIVER = 1, TO_PAIR = 2, TO_COORDINATOR = 3 };

/* A mail to write: what it is about and to whom. The words are found when it is handed out. A mail about
 * several sectors has one part for each but the first; a digest has the mails it stands for. */
struct mail {
	uint64_t about;    /* number of the event it answers; of an import, its last fact */
	uint64_t referral; /* number of the referral whose form the giver knows; of an import, its
				 first fact; or 0 */
	uint32_t case_number; /* number, or 0 */
	uint32_t sector;      /* name number, or 0 */
	uint32_t parts;       /* the first of its parts, or 0 */
	uint32_t next;        /* as a part: the next one of the same mail, or 0 */
	uint16_t part_count;
	uint32_t giver;     /* party number of the giver it was meant for, or 0 */
	uint32_t recipient; /* giver's party number, or pair's name number; 0: the coordinator */
	uint32_t visit;     /* number, or 0; the next four are the visit as it was then */
	day_t day;          /* without a visit: what is announced, the opening or closing day */
	uint32_t pair;      /* name number */
	uint32_t sequence;
	uint8_t half, visit_state;
	uint8_t template; /* enum template */
	uint8_t to;       /* enum recipient_kind */
	uint8_t case_state, closing;
	uint8_t second_visit;
	bool is_counted; /* among the mails of the day on which it goes out */
};

/* What one recipient gets in a day, and the digest that gathers the rest. */
struct mailbox {
	uint32_t recipient; /* as in struct mail */
	uint8_t to;
	uint32_t count; /* mails on `day` */
	day_t day;
	uint32_t
		digest; /* the last one that was opened, or 0; it takes more while it is scheduled */
};

struct task {
	uint8_t kind;  /* enum task_kind */
	uint8_t state; /* enum task_state */
	uint8_t deaths;
	uint16_t attempts;
	uint16_t
		spared; /* attempts that failed for no fault of the task (limited): they do not count */
	bool has_started; /* the worker said so under the present lease */
	uint64_t token;   /* of the present or last lease */
	ms_t first_ready; /* when it could first be tried, and before that, when it was made */
	ms_t due; /* when it is ready (scheduled), retried, expires (held), or was done; MS_NONE: no timer */
	uint32_t next, previous; /* in the list of its state: ready and held tasks are listed */
	uint32_t code;           /* name number of the last failure's code, or 0 */
	struct mail mail;
};

/* Asserts that the lifecycle allows the move. */
void task_move(struct task *task, uint32_t state);
bool task_state_is_over(uint32_t state);
/* Over without having been done. */
bool task_state_is_void(uint32_t state);

/* How long to wait after the n-th failed attempt: growing up to `most_ms`, with a jitter of ± half from a
 * hash of task and attempt, so that a burst of failures spreads out. */
int64_t task_retry_delay_ms(uint32_t number, uint32_t attempts, int64_t most_ms);

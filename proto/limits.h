/* Every bound in one place: sizes in bytes, counts, depths, times. */
#pragma once

enum {
	/* what senders send */
	EVENT_SIZE_MAX = 16 * 1024,
	FRAME_SIZE_MAX = 1024 * 1024,
	REQUEST_EVENTS_MAX = 500,
	SENDER_INFLIGHT_SIZE_MAX = 4 * 1024 * 1024,
	MSGPACK_DEPTH_MAX = 8,
	MSGPACK_KEYS_MAX = 64, /* of one map: looking for a duplicate stays cheap */
	TEXT_SIZE_MAX = 200,
	IDENT_SIZE_MAX = 64,
	NAME_SIZE_MAX = 128, /* id, source, subject, subjectsource */
	SET_COUNT_MAX = 16,  /* identifiers or communes in one field */

	/* what is derived for one household: more is refused (too_large) */
	HOUSEHOLD_FACTS_MAX = 2000,
	CUTOFFS_MAX = 32, /* energies x suppliers shown for one household */

	/* a turn of the core */
	TURN_STEP_MAX = 128, /* events, then answers leave and sockets are read */
	TURN_SIZE_MAX = 8 * 1024 * 1024,

	/* policy: see config/policy.def for its numbers */
	POLICY_SIZE_MAX = 4 * 1024 * 1024,
	POLICY_SECTORS_MAX = 64,
	POLICY_PAIRS_MAX = 64,
	POLICY_OPENINGS_MAX = 64, /* of one sector */
	POLICY_COMMUNES_MAX = 2000,
	POLICY_LAWS_MAX = 16,

	/* planning */
	PLAN_WEEKS_MAX = 12,
	PLAN_CASES_MAX = 2000, /* the first of the list that a plan is asked for */
	PLAN_VISITS_MAX = 2000,

	/* mails */
	MAIL_CASES_MAX = 50,  /* cases that one mail about a sector lists */
	MAIL_VISITS_MAX = 50, /* visits that one agenda lists */
	MAIL_ITEMS_MAX = 500, /* mails that one digest stands for */
	MAIL_WAIT_WEEKS_MAX = 10000,

	/* frames between our own processes (AF_UNIX) */
	PEER_FRAME_SIZE_MAX = 4 * 1024 * 1024,

	/* workers */
	WORKER_SLOTS_MAX = 256,
	WORKER_KINDS_MAX = 8,
	WORKER_COUNT_MAX = 64,
	HEARTBEAT_MS = 5000,
	HEARTBEATS_MISSED_MAX = 3,
	LEASE_PRESENT_MS = 15000, /* after a restart of the core: what no worker presents is lost */
	TASK_ATTEMPTS_MAX = 12,   /* about four days of growing delays: a long weekend */
	TASK_DEATHS_MAX = 3,
	TASK_RETRY_FIRST_MS = 30 * 1000,
	TASK_RETRY_GROWTH = 3,
	TASK_RETRY_MAX_MS = 24 * 3600 * 1000,
	TASK_LIMITED_MAX_MS = 3600 * 1000, /* where the way is closed, which may open any time */
	TASK_LIMITED_ALARM = 6,            /* times in a row: after about an hour */
	TASK_LIFE_HOURS = 7 * 24,
	MAIL_HELD_DAYS = 30,

	/* mails */
	TEMPLATE_SIZE_MAX = 256 * 1024, /* bytes of one file */
	TEMPLATE_DEPTH_MAX = 16,        /* sections inside one another */
	SENT_KEEP_DAYS = 30,            /* tasks live a week: more than any of them needs */
	SENT_LINES_SPARE = 2000,        /* lines added to the sent-journal before it is shortened */

	/* operators' sockets */
	CONTROL_LINE_SIZE_MAX = 4 * 1024 * 1024,
	CONTROL_CLIENTS_MAX = 64,
	CONTROL_OUTPUT_SIZE_MAX = 64 * 1024 * 1024,
	CONTROL_PATIENCE_S = 5, /* silence after which a caller asks whether the core is alive */
	CONTROL_JOBS_MAX = 2,   /* long questions at once: each takes the memory of a state */
	LIST_LIMIT_DEFAULT = 50,
	LIST_LIMIT_MAX = 10000,

	/* keys made ahead of need */
	KEYS_AHEAD = 4096,

	/* the machine's clock beside the core's calendar */
	CLOCK_LEAP_DAYS_MAX = 7,      /* ahead at once: more is not followed while the core runs */
	CLOCK_AHEAD_DAYS_MAX = 40,    /* of the journal at a start: the core may have been off */
	CLOCK_BEHIND_MINUTES_MAX = 5, /* of the journal: more raises an alarm */

	FUTURE_SKEW_HOURS = 24, /* how far an event's time may lie ahead of the core's */
};

/* Inside one week, what the order of the list leaves free: cases close to one another share a day.
 *
 * The list has decided who is visited in this week, and gave each case a half-day of a pair. Now two
 * visits exchange their half-days when that saves a kilometre at least on the way from the morning's
 * visits to the afternoon's. What makes no difference is exchanged when the case that is higher in the
 * list comes sooner by it: two visits, or all visits of two days. Exchanges are tried again and again,
 * from the end of the week, until none helps.
 *
 * What is confirmed stays, and so do cut and critical. Others exchange within their tier, urgent with
 * urgent and normal with normal, and only if each pair serves the case it gets. A normal case may also
 * take a half-day of its own pair that the list left open: one that is sooner, or beside a visit within
 * 15 km, if that saves a day out or a kilometre. So each case stays in its week, each pair keeps its
 * number of visits, and urgent cases keep the half-days of urgent cases among them.
 *
 * Nobody said where a pair starts from, and between days of two visits it makes no difference: each of
 * the four is driven to from there or back once, whoever it shares its day with. */
#pragma once

#include "workers/schedule/spot.h"
#include "workers/schedule/pair.h"

/* A visit that lies on a half-day, if one does. */
struct stop {
	bool is_set;
	struct spot spot;
	uint32_t turn;                /* place in the order of the list */
	const struct plan_case *item; /* NULL: booked, it is none of the plan's */
};

/* A place in a pair's week: one half-day. */
struct place {
	const struct plan_pair *pair;
	uint32_t moment; /* half-days since Monday morning */
	bool is_fixed;   /* what lies here stays, or nothing may come */
	struct stop stop;
	int64_t cost; /* of a morning: of its whole day; week_share_days() keeps it */
};

/* Deals the stops of a week anew. Places come by two, morning and afternoon of one pair's day, and
 * these days in order: by date, then by pair. */
void week_share_days(struct place *places, uint32_t count);

#include "daemon/tell.h"

void tell_day(day_t day, struct buf *out)
{
	static const char *const months[] = {"janvier",   "février", "mars",     "avril",
					     "mai",       "juin",    "juillet",  "août",
					     "septembre", "octobre", "novembre", "décembre"};
	struct ymd date = day_to_ymd(day);

	if (date.day == 1)
		buf_printf(out, "1er %s %d", months[date.month - 1], date.year);
	else
		buf_printf(out, "%d %s %d", date.day, months[date.month - 1], date.year);
}

static const char *energy_name(uint32_t energy)
{
	static const char *const names[ENERGY_END] = {
		[ENERGY_ELECTRICITY] = "l’électricité",
		[ENERGY_GAS] = "le gaz",
		[ENERGY_HEAT] = "le chauffage",
	};

	return energy < ENERGY_END && names[energy] ? names[energy] : "l’énergie";
}

/* The earliest of the dates at which the household may be cut off. */
static const struct cutoff *nearest_cutoff(const struct rank *rank)
{
	const struct cutoff *nearest = NULL;

	for (uint32_t i = 0; i < rank->cutoff_count; i++)
		if (!nearest || rank->cutoffs[i].earliest < nearest->earliest)
			nearest = &rank->cutoffs[i];
	return nearest;
}

static void tell_cutoff(const struct portrait *portrait, struct buf *out)
{
	const struct cutoff *cutoff = nearest_cutoff(&portrait->rank);

	assert(cutoff);
	if (cutoff->earliest > portrait->horizon.today)
		buf_printf(out, "%s peut être coupé%s à partir du ", energy_name(cutoff->energy),
			   cutoff->energy == ENERGY_ELECTRICITY ? "e" : "");
	else
		buf_printf(out, "%s peut être coupé%s depuis le ", energy_name(cutoff->energy),
			   cutoff->energy == ENERGY_ELECTRICITY ? "e" : "");
	tell_day(cutoff->earliest, out);
}

static void tell_number(uint32_t number, struct buf *out)
{
	static const char *const words[] = {"zéro", "une",  "deux", "trois", "quatre", "cinq",
					    "six",  "sept", "huit", "neuf",  "dix"};

	if (number < ARRAY_SIZE(words))
		buf_printf(out, "%s", words[number]);
	else
		buf_printf(out, "%u", number);
}

static void tell_requests(const struct policy *policy, int32_t days, struct buf *out)
{
	uint32_t each = (uint32_t)policy->rules.fsl_repeat;

	buf_printf(out, "%d jours pour ", (int)days);
	if (each) {
		tell_number((uint32_t)days / each + 1, out);
		buf_printf(out, " demandes FSL en %u mois",
			   (unsigned)policy->rules.fsl_window_months);
	} else {
		buf_printf(out, "plusieurs demandes FSL en %u mois",
			   (unsigned)policy->rules.fsl_window_months);
	}
}

static void tell_no_shows(const struct policy *policy, int32_t days, struct buf *out)
{
	uint32_t each = (uint32_t)policy->rules.no_show;
	uint32_t count = each ? (uint32_t)-days / each : 0;

	buf_printf(out, "%d jours de moins pour ", (int)-days);
	if (count == 1) {
		buf_printf(out, "un rendez-vous manqué");
	} else {
		tell_number(count, out);
		buf_printf(out, " rendez-vous manqués");
	}
}

static void tell_carry(const struct policy *policy, const struct portrait *portrait,
		       const struct reason_given *reason, struct buf *out)
{
	buf_printf(out, "%d jours car son secteur a fermé alors qu’elle attendait, le ",
		   (int)reason->days);
	tell_day(life_open_case(&portrait->life)->carry.closing, out);
	if (reason->tier == TIER_URGENT)
		buf_printf(out, ", et ne rouvre pas dans les %u mois : elle est urgente",
			   (unsigned)policy->rules.reopening_months);
}

void tell_reason(const struct policy *policy, const struct portrait *portrait,
		 const struct reason_given *reason, struct buf *out)
{
	switch (reason->code) {
	case RANK_CODE_CUT:
		buf_printf(out, "l’énergie est coupée");
		return;
	case RANK_CODE_LIMITED:
		buf_printf(out, "la puissance est réduite par le fournisseur");
		return;
	case RANK_CODE_CUTOFF_CRITICAL:
	case RANK_CODE_CUTOFF_URGENT:
		tell_cutoff(portrait, out);
		return;
	case RANK_CODE_FSL_REPEAT:
		tell_requests(policy, reason->days, out);
		return;
	case RANK_CODE_FSL_URGENT:
		buf_printf(out, "au moins %u demandes FSL en %u mois",
			   (unsigned)policy->rules.fsl_urgent_from,
			   (unsigned)policy->rules.fsl_window_months);
		return;
	case RANK_CODE_INFANT:
		buf_printf(out, "%d jours pour un enfant de moins de trois ans", (int)reason->days);
		return;
	case RANK_CODE_ELDERLY:
		buf_printf(out, "%d jours pour une personne âgée", (int)reason->days);
		return;
	case RANK_CODE_ILL:
		buf_printf(out, "%d jours pour une personne malade", (int)reason->days);
		return;
	case RANK_CODE_CARRIED_OVER:
		tell_carry(policy, portrait, reason, out);
		return;
	case RANK_CODE_CLOSING:
		buf_printf(out, "%d jours car le secteur ferme bientôt", (int)reason->days);
		return;
	case RANK_CODE_NO_SHOW:
		tell_no_shows(policy, reason->days, out);
		return;
	}
}

void tell_place(const struct policy *policy, const struct portrait *portrait, struct buf *out)
{
	const struct rank *rank = &portrait->rank;
	const struct life_case *open = life_open_case(&portrait->life);

	assert(open);
	if (rank->effective_date != open->first_date) {
		buf_printf(out, "comme si elle attendait depuis le ");
		tell_day(rank->effective_date, out);
		buf_printf(out, " : ");
	}
	buf_printf(out, open->has_referral ? "signalée le " : "connue depuis le ");
	tell_day(open->first_date, out);
	for (uint32_t i = 0; i < rank->reason_count; i++) {
		buf_printf(out, ", ");
		tell_reason(policy, portrait, &rank->reasons[i], out);
	}
}

void tell_before(const struct case_record *before, const struct case_record *after, struct buf *out)
{
	static const char *const tiers[TIER_END] = {
		[TIER_CUT] = "l’énergie y est coupée",
		[TIER_CRITICAL] = "la situation y est critique",
		[TIER_URGENT] = "la situation y est urgente",
		[TIER_NORMAL] = "elle suit l’ordre d’attente",
	};

	if (before->tier != after->tier) {
		buf_printf(out, "passe avant car %s", tiers[before->tier]);
		return;
	}
	if (before->effective_date != after->effective_date) {
		buf_printf(out, "passe avant car elle compte comme en attente depuis le ");
		tell_day(before->effective_date, out);
		buf_printf(out, ", l’autre depuis le ");
		tell_day(after->effective_date, out);
		return;
	}
	buf_printf(out, "passe avant car elle a été signalée la première, le même jour compté");
}

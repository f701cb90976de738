#include "config/policy_remarks.h"

#include <stdio.h>

struct remarking {
	const struct policy *policy;
	policy_report_fn *report;
	void *context;
};

static void remark(const struct remarking *remarking, const char *list, uint32_t index,
		   const char *what)
{
	char path[FAULT_PATH_MAX];

	snprintf(path, sizeof(path), "%s[%u]", list, index);
	remarking->report(remarking->context, path, what);
}

static bool has_communes(const struct policy *policy, uint32_t sector)
{
	for (uint32_t i = 0; i < policy->communes.count; i++)
		if (list_at(&policy->communes, struct policy_commune, i)->sector == sector)
			return true;
	return false;
}

/* Does any pair that makes visits at all serve it? */
static bool is_visited(const struct policy *policy, struct str sector, bool closed)
{
	for (uint32_t i = 0; i < policy->pairs.count; i++) {
		const struct policy_pair *pair = list_at(&policy->pairs, struct policy_pair, i);

		if (pair->visits_a_week > 0 && pair_serves(pair, sector, closed))
			return true;
	}
	return false;
}

/* May a case of a closed sector be eligible at all? */
static bool closed_sectors_wait(const struct policy_rules *rules)
{
	return rules->derogation != DEROGATION_NEVER || rules->carry_over_weeks > 0;
}

static void remark_sector(const struct remarking *remarking, uint32_t index)
{
	const struct policy *policy = remarking->policy;
	const struct policy_sector *sector = policy_sector_at(policy, index);

	if (!has_communes(policy, index)) {
		remark(remarking, "sectors", index,
		       "no commune lies in it, which is right for a sector that is over");
		return;
	}
	if (sector->openings.count == 0)
		remark(remarking, "sectors", index, "it never opens: its cases are put off");
	else if (!is_visited(policy, sector->id, false))
		remark(remarking, "sectors", index, "no pair visits it while it is open");
	if (closed_sectors_wait(&policy->rules) && !is_visited(policy, sector->id, true))
		remark(remarking, "sectors", index,
		       "no pair visits it while it is closed, though rules let its cases be "
		       "eligible then (derogation, carry_over_weeks)");
}

static void remark_pair(const struct remarking *remarking, uint32_t index)
{
	const struct policy_pair *pair =
		list_at(&remarking->policy->pairs, struct policy_pair, index);

	if (pair->visits_a_week == 0)
		remark(remarking, "pairs", index, "with 0 visits a week it visits nobody");
}

void policy_remark(const struct policy *policy, policy_report_fn *report, void *context)
{
	const struct remarking remarking = {policy, report, context};

	for (uint32_t i = 0; i < policy->sectors.count; i++)
		remark_sector(&remarking, i);
	for (uint32_t i = 0; i < policy->pairs.count; i++)
		remark_pair(&remarking, i);
}

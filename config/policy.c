#include "config/policy.h"

#include <stdio.h>

#include "config/policy_check.h"

#define FIELD             FIELD_ROW
#define RECORD(name, ...) RECORD_TABLE(name __VA_ARGS__)
#include "config/policy.def"
#undef RECORD
#undef FIELD

/* Keeps the first mistake. */
static void report_first(void *context, const char *path, const char *what)
{
	struct fault *fault = context;
	char whole[FAULT_PATH_MAX + sizeof("policy.")];

	if (fault->code != ERR_OK)
		return;
	snprintf(whole, sizeof(whole), "policy.%s", path);
	(void)fault_set(fault, ERR_INVALID_EVENT, whole, "%s", what);
}

static enum err decode(struct str bytes, struct arena *arena, struct policy *policy,
		       struct fault *fault)
{
	struct reader reader = reader_from(bytes);
	enum err err = codec_walk(bytes, fault);

	if (err)
		return err;
	err = codec_decode(&record_policy, &reader, "policy", 0, arena, policy, fault);
	if (err)
		return err;
	policy_check(policy, report_first, fault);
	policy_check_order(policy, report_first, fault);
	return fault->code;
}

enum err policy_decode(struct str bytes, struct arena *arena, struct policy *policy,
		       struct fault *fault)
{
	struct policy decoded;
	struct fault found = {.code = ERR_OK};
	enum err err = decode(arena_copy(arena, bytes), arena, &decoded, &found);

	if (err) {
		if (fault)
			*fault = found;
		return err;
	}
	*policy = decoded;
	return ERR_OK;
}

void policy_encode(const struct policy *policy, struct buf *out)
{
	codec_encode(&record_policy, policy, 0, 0, out);
}

const struct policy_commune *policy_find_commune(const struct policy *policy, insee_t insee)
{
	uint32_t first = 0, end = policy->communes.count;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;
		const struct policy_commune *commune =
			list_at(&policy->communes, struct policy_commune, middle);

		if (commune->insee == insee)
			return commune;
		if (commune->insee < insee)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

const struct policy_sector *policy_find_sector(const struct policy *policy, struct str id)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		const struct policy_sector *sector =
			list_at(&policy->sectors, struct policy_sector, i);

		if (str_equal(sector->id, id))
			return sector;
	}
	return NULL;
}

const struct policy_sector *policy_sector_at(const struct policy *policy, uint32_t position)
{
	assert(position < policy->sectors.count);
	return list_at(&policy->sectors, struct policy_sector, position);
}

uint32_t policy_sector_number(const struct policy *policy, struct str id)
{
	const struct policy_sector *sector = policy_find_sector(policy, id);

	return sector ? (uint32_t)(sector - policy_sector_at(policy, 0)) + 1 : 0;
}

const struct policy_pair *policy_find_pair(const struct policy *policy, struct str id)
{
	for (uint32_t i = 0; i < policy->pairs.count; i++) {
		const struct policy_pair *pair = list_at(&policy->pairs, struct policy_pair, i);

		if (str_equal(pair->id, id))
			return pair;
	}
	return NULL;
}

const struct policy_opening *sector_opening_on(const struct policy_sector *sector, day_t day)
{
	for (uint32_t i = 0; i < sector->openings.count; i++) {
		const struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);

		if (opening->from <= day && day <= opening->to)
			return opening;
	}
	return NULL;
}

const struct policy_opening *sector_opening_after(const struct policy_sector *sector, day_t day)
{
	for (uint32_t i = 0; i < sector->openings.count; i++) {
		const struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);

		if (opening->from > day)
			return opening;
	}
	return NULL;
}

/* The first law without a day has DAY_NONE, which lies before every day. */
const struct policy_law *policy_law_on(const struct policy *policy, day_t day)
{
	const struct policy_law *law = list_at(&policy->laws, struct policy_law, 0);

	assert(policy->laws.count > 0);
	for (uint32_t i = 1; i < policy->laws.count; i++) {
		const struct policy_law *later = list_at(&policy->laws, struct policy_law, i);

		if (later->valid_from <= day)
			law = later;
	}
	return law;
}

bool pair_serves(const struct policy_pair *pair, struct str sector, bool closed)
{
	if (closed && pair->closed_sectors != SAID_YES)
		return false;
	if (pair->sectors.count == 0)
		return true;
	for (uint32_t i = 0; i < pair->sectors.count; i++)
		if (str_equal(pair->sectors.item[i], sector))
			return true;
	return false;
}

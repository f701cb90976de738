#include "config/policy_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/communes.h"
#include "config/document.h"
#include "config/policy_check.h"

#define SECTION(title)                          {"", IS_SECTION, NULL, "", title},
#define OPTION(name, form, initial, unit, help) {#name, form, initial, unit, help},
#define GROUP(name, record, help)               {#name, AS_ELSEWHERE, NULL, "", help, &record_##record},
#define OPTIONS(name, ...)                      static const struct option rows_##name[] = {__VA_ARGS__};
#include "config/policy_options.def"
#undef OPTIONS

static const struct options family[] = {
#define OPTIONS(name, ...) {&record_##name, rows_##name, ARRAY_SIZE(rows_##name)},
#include "config/policy_options.def"
	{NULL},
};
#undef OPTIONS
#undef GROUP
#undef OPTION
#undef SECTION

/* Openings: in any order in the file, sorted and merged in the policy. */

/* An opening and its place in the file. */
struct placed {
	struct policy_opening opening;
	uint32_t place;
};

static int compare_placed(const void *a, const void *b)
{
	const struct placed *first = a, *second = b;

	if (first->opening.from != second->opening.from)
		return first->opening.from < second->opening.from ? -1 : 1;
	return first->place < second->place ? -1 : first->place > second->place;
}

/* Those that could be read, each ending after it begins. */
static uint32_t take_openings(struct document *document, uint32_t sector,
			      const struct list *openings, struct placed *placed)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < openings->count; i++) {
		const struct policy_opening *opening = list_at(openings, struct policy_opening, i);
		char path[FAULT_PATH_MAX];

		if (opening->from == DAY_NONE || opening->to == DAY_NONE)
			continue;
		snprintf(path, sizeof(path), "sectors[%u].openings[%u].to", sector, i);
		if (opening->to < opening->from)
			document_complain(document, path,
					  "lies before from; must be the same day or later");
		else
			placed[count++] = (struct placed){*opening, i};
	}
	return count;
}

static void complain_overlap(struct document *document, uint32_t sector,
			     const struct placed *earlier, const struct placed *later)
{
	char path[FAULT_PATH_MAX];

	snprintf(path, sizeof(path), "sectors[%u].openings[%u].from", sector, later->place);
	document_complain(document, path,
			  "openings[%u] is still open that day; openings must not overlap",
			  earlier->place);
}

static void merge_openings(struct document *document, uint32_t sector, const struct placed *placed,
			   uint32_t count, struct list *openings)
{
	struct policy_opening *merged = openings->items;
	const struct placed *before = placed;

	openings->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0 && placed[i].opening.from <= before->opening.to)
			complain_overlap(document, sector, before, &placed[i]);
		if (i == 0 || placed[i].opening.to > before->opening.to)
			before = &placed[i];
		if (i > 0 && placed[i].opening.from <= merged[openings->count - 1].to + 1)
			merged[openings->count - 1].to = before->opening.to;
		else
			merged[openings->count++] = placed[i].opening;
	}
}

static void arrange_openings(struct document *document, struct policy *policy)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		struct policy_sector *sector = list_at(&policy->sectors, struct policy_sector, i);
		struct placed placed[POLICY_OPENINGS_MAX];
		uint32_t count = take_openings(document, i, &sector->openings, placed);

		qsort(placed, count, sizeof(placed[0]), compare_placed);
		merge_openings(document, i, placed, count, &sector->openings);
	}
}

/* Laws. */

static const struct policy_law *law_at(const struct list *laws, uint32_t index)
{
	return list_at(laws, struct policy_law, index);
}

/* Its first day was written, but is none: it has been complained of already. */
static bool is_unknown(const struct document *document, const struct list *laws, uint32_t index)
{
	char path[FAULT_PATH_MAX];

	snprintf(path, sizeof(path), "laws[%u].valid_from", index);
	return law_at(laws, index)->valid_from == DAY_NONE && document_has(document, path);
}

/* In the file's order, which the complaint speaks of. */
static void check_law(struct document *document, const struct list *laws, uint32_t index)
{
	char path[FAULT_PATH_MAX];

	if (is_unknown(document, laws, index))
		return;
	snprintf(path, sizeof(path), "laws[%u].valid_from", index);
	for (uint32_t i = 0; i < index; i++) {
		if (law_at(laws, i)->valid_from != law_at(laws, index)->valid_from ||
		    is_unknown(document, laws, i))
			continue;
		document_complain(document, path,
				  "laws[%u] begins then too; each must have its own first day, and "
				  "only one may be without",
				  i);
		return;
	}
}

static int compare_laws(const void *a, const void *b)
{
	day_t first = ((const struct policy_law *)a)->valid_from;
	day_t second = ((const struct policy_law *)b)->valid_from;

	return first < second ? -1 : first > second;
}

/* The whole. */

static void report_missing(void *context, const char *option, const char *what)
{
	char path[FAULT_PATH_MAX];

	snprintf(path, sizeof(path), "communes.%s", option);
	document_complain(context, path, "%s", what);
}

static void report_mistake(void *context, const char *path, const char *what)
{
	document_complain(context, path, "%s", what);
}

static void read_communes(struct document *document, struct arena *arena, struct policy *policy,
			  struct complaints *complaints)
{
	uint32_t mistakes = complaints->count;
	struct policy_communes_file source;

	document_fill(document, "communes", family, &record_policy_communes_file, arena, &source);
	if (document_has(document, "communes.lat") != document_has(document, "communes.lon"))
		document_complain(document, "communes",
				  "names one of lat and lon; must name both or none");
	if (complaints->count == mistakes)
		communes_read(&source, arena, policy, complaints, report_missing, document);
}

static void read_all(struct document *document, struct arena *arena, struct policy *policy,
		     struct complaints *complaints)
{
	document_fill(document, "", family, &record_policy, arena, policy);
	read_communes(document, arena, policy, complaints);
	for (uint32_t i = 1; i < policy->laws.count; i++)
		check_law(document, &policy->laws, i);
	arrange_openings(document, policy);
	policy_check(policy, report_mistake, document);
	if (policy->laws.count)
		qsort(policy->laws.items, policy->laws.count, sizeof(struct policy_law),
		      compare_laws);
}

enum err policy_read(const char *path, struct arena *arena, struct policy *policy,
		     struct complaints *complaints)
{
	uint32_t mistakes = complaints->count;
	struct document *document = document_open(path, complaints);
	struct policy read;

	if (!document)
		return ERR_USAGE;
	read_all(document, arena, &read, complaints);
	document_close(&document);
	if (complaints->count > mistakes)
		return ERR_USAGE;
	*policy = read;
	return ERR_OK;
}

void policy_complain(const char *file, const char *path, const char *what,
		     struct complaints *complaints)
{
	struct document *document = document_open(file, complaints);

	if (!document)
		return; /* it has said why */
	document_complain(document, path, "%s", what);
	document_close(&document);
}

void policy_print_sample(struct buf *out)
{
	buf_printf(out,
		   "# policy.conf: what the department decides. A line that begins with #name = "
		   "shows the default,\n# or an example where something must be given.\n");
	options_print_sample(family, &record_policy, out);
}

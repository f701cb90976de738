/* Two policies beside each other, option by option. */
#include <string.h>

#include "daemon/view_trial.h"
#include "proto/json.h"

/* Lists whose items have a name of their own: these are compared item by item, all others whole. */
static const struct {
	const char *list, *name;
} named_lists[] = {
	{"sectors", "id"},
	{"communes", "insee"},
	{"pairs", "id"},
	{"laws", "valid_from"},
};

struct changes {
	json_t *list;
	struct buf path; /* of what is being compared */
};

static void compare(struct changes *changes, const char *name, const json_t *old,
		    const json_t *new);

static json_t *value_or_null(const json_t *value)
{
	return value ? json_incref((json_t *)value) : json_null();
}

static void add_change(struct changes *changes, const json_t *old, const json_t *new)
{
	json_array_append_new(changes->list,
			      json_pack("{s:s%, s:o, s:o}", "option", changes->path.data,
					changes->path.size, "old", value_or_null(old), "new",
					value_or_null(new)));
}

/* --- lists ------------------------------------------------------------------------------------ */

static const char *find_item_name(const char *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(named_lists); i++)
		if (strcmp(named_lists[i].list, list) == 0)
			return named_lists[i].name;
	return NULL;
}

/* "dole"; a law without a first day is the first. */
static const char *name_of(const json_t *item, const char *key)
{
	const char *name = json_string_value(json_object_get(item, key));

	return name ? name : "first";
}

static const json_t *find_item(const json_t *list, const char *key, const char *name)
{
	size_t at;
	json_t *item;

	json_array_foreach((json_t *)list, at, item)
	{
		if (strcmp(name_of(item, key), name) == 0)
			return item;
	}
	return NULL;
}

static void compare_item(struct changes *changes, const char *name, const json_t *old,
			 const json_t *new)
{
	size_t size = changes->path.size;

	buf_printf(&changes->path, "[%s]", name);
	compare(changes, "", old, new);
	changes->path.size = size;
}

static void compare_items(struct changes *changes, const char *key, const json_t *old,
			  const json_t *new)
{
	size_t at;
	json_t *item;

	json_array_foreach((json_t *)old, at, item)
	{
		compare_item(changes, name_of(item, key), item,
			     find_item(new, key, name_of(item, key)));
	}
	json_array_foreach((json_t *)new, at, item)
	{
		if (!find_item(old, key, name_of(item, key)))
			compare_item(changes, name_of(item, key), NULL, item);
	}
}

/* --- groups ----------------------------------------------------------------------------------- */

static void compare_member(struct changes *changes, const char *name, const json_t *old,
			   const json_t *new)
{
	size_t size = changes->path.size;

	buf_printf(&changes->path, "%s%s", size ? "." : "", name);
	compare(changes, name, json_object_get(old, name), json_object_get(new, name));
	changes->path.size = size;
}

static void compare_members(struct changes *changes, const json_t *old, const json_t *new)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)old, name, value)
	{
		compare_member(changes, name, old, new);
	}
	json_object_foreach((json_t *)new, name, value)
	{
		if (!json_object_get(old, name))
			compare_member(changes, name, old, new);
	}
}

static bool has_named_items(const json_t *list)
{
	return json_is_array(list) && json_is_object(json_array_get(list, 0));
}

static void compare(struct changes *changes, const char *name, const json_t *old, const json_t *new)
{
	const char *key = find_item_name(name);

	if (old && new &&json_equal(old, new))
		return;
	if (json_is_object(old) && json_is_object(new))
		compare_members(changes, old, new);
	else if (key && has_named_items(old) && has_named_items(new))
		compare_items(changes, key, old, new);
	else
		add_change(changes, old, new);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* A commune names its sector by its place in the list, which says nothing when the list changes. */
static json_t *policy_json(const struct policy *policy)
{
	json_t *json = record_to_json(&record_policy, policy, 0);
	size_t at;
	json_t *commune;

	json_array_foreach(json_object_get(json, "communes"), at, commune)
	{
		uint64_t sector =
			list_at(&policy->communes, struct policy_commune, (uint32_t)at)->sector;
		struct str id = list_at(&policy->sectors, struct policy_sector, sector)->id;

		json_object_set_new(commune, "sector", json_stringn(id.data, id.size));
	}
	return json;
}

json_t *view_policy_changes(const struct policy *old, const struct policy *new)
{
	struct changes changes = {.list = json_array()};
	json_t *first = policy_json(old), *second = policy_json(new);

	compare(&changes, "", first, second);
	json_decref(first);
	json_decref(second);
	buf_done(&changes.path);
	return changes.list;
}

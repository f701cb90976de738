#include "tools/vigiectl/special.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/policy_file.h"
#include "config/policy_remarks.h"

/* --- visit confirm --- */

static enum exit_status list_planned(struct session *session, json_t *week, json_t **answer)
{
	return session_call(session, SOCKET_READS, false, "visit.list",
			    json_pack("{s:O, s:s, s:i}", "week", week, "state", "planned", "limit",
				      LIST_LIMIT_MAX),
			    answer);
}

/* Each visit is an event of its own. One that is refused does not keep the others from it. */
static int confirm_week(const struct command *command, struct session *session, json_t *week)
{
	json_t *answer, *visit, *visits;
	size_t at;
	int worst = list_planned(session, week, &answer);

	if (worst)
		return worst;
	visits = json_object_get(answer, "visits");
	if (json_array_size(visits) == 0 && !session->as_json)
		puts("No visit of this week is planned and unconfirmed.");
	json_array_foreach(visits, at, visit)
	{
		json_t *number = json_object_get(visit, "visit");
		int status;

		if (!session->as_json)
			printf("visit %lld: ", (long long)json_integer_value(number));
		fflush(stdout);
		status = command_run(command, session, json_pack("{s:O}", "visit", number));
		if (status && !session->as_json)
			puts("not confirmed");
		if (status > worst)
			worst = status;
	}
	json_decref(answer);
	return worst;
}

int special_confirm(const struct command *command, struct session *session, json_t *params)
{
	json_t *week = json_object_get(params, "week");
	bool is_all = json_object_get(params, "all");
	bool is_one = json_object_get(params, "visit");
	int status;

	if (is_one && (week || is_all))
		return command_misused(command, params, "VISIT, or --week with --all: not both");
	if (!is_one && !(week && is_all))
		return command_misused(command, params, "VISIT is missing, or --week with --all");
	if (is_one)
		return command_run(command, session, params);
	if (json_object_get(params, "day") || json_object_get(params, "half"))
		return command_misused(command, params, "--day and --half are for one visit");

	status = confirm_week(command, session, week);
	json_decref(params);
	return status;
}

/* --- task kick, household erase --- */

int special_kick(const struct command *command, struct session *session, json_t *params)
{
	bool is_buried = json_object_get(params, "buried");

	if (json_object_size(params) != 1)
		return command_misused(command, params,
				       "TASK, --buried or --retrying is expected, one of them");
	if (json_object_get(params, "task"))
		return command_run(command, session, params);
	json_decref(params);
	return command_run(command, session,
			   json_pack("{s:s}", "state", is_buried ? "buried" : "retrying"));
}

/* The flag is for the person, not for the core. */
int special_erase(const struct command *command, struct session *session, json_t *params)
{
	json_object_del(params, "forever");
	return command_run(command, session, params);
}

/* --- policies --- */

static int read_policy(const json_t *params, struct arena *arena, struct policy *policy)
{
	const char *path = json_string_value(json_object_get(params, "file"));
	struct complaints complaints = {0};
	enum err err = policy_read(path, arena, policy, &complaints);

	if (err)
		fprintf(stderr, "%.*s", (int)complaints.text.size, complaints.text.data);
	if (err && complaints.count == 0)
		fprintf(stderr, "vigiectl: %s: %s\n", path, err_meaning(err));
	buf_done(&complaints.text);
	return err ? STATUS_REFUSED : STATUS_OK;
}

struct remarks {
	const char *file;
	struct complaints complaints;
};

static void add_remark(void *context, const char *path, const char *what)
{
	struct remarks *remarks = context;

	policy_complain(remarks->file, path, what, &remarks->complaints);
}

/* What is seldom meant is told, and keeps nobody from applying it. */
static void tell_remarks(const char *file, const struct policy *policy)
{
	struct remarks remarks = {.file = file};

	policy_remark(policy, add_remark, &remarks);
	fprintf(stderr, "%.*s", (int)remarks.complaints.text.size, remarks.complaints.text.data);
	buf_done(&remarks.complaints.text);
}

static json_t *encode_base64(struct str bytes)
{
	size_t size = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);
	char *text = mem_new(size);
	json_t *json;

	sodium_bin2base64(text, size, (const unsigned char *)bytes.data, bytes.size,
			  sodium_base64_VARIANT_ORIGINAL);
	json = json_string(text);
	free(text);
	return json;
}

/* Puts the policy where the file's name was. */
static int compile_policy(json_t *params)
{
	scoped(arena_done) struct arena arena = {0};
	struct policy policy;
	struct buf bytes = {0};
	int status = read_policy(params, &arena, &policy);

	if (status)
		return status;
	tell_remarks(json_string_value(json_object_get(params, "file")), &policy);
	policy_encode(&policy, &bytes);
	json_object_del(params, "file");
	json_object_set_new(params, "policy", encode_base64(buf_str(&bytes)));
	buf_done(&bytes);
	return STATUS_OK;
}

int special_policy_send(const struct command *command, struct session *session, json_t *params)
{
	int status = compile_policy(params);

	if (!status)
		return command_run(command, session, params);
	json_decref(params);
	return status;
}

/* What the core found wrong, each where it stands in the file. */
static void tell_mistakes(const char *file, const json_t *mistakes)
{
	struct complaints complaints = {0};
	size_t at;
	json_t *mistake;

	json_array_foreach((json_t *)mistakes, at, mistake)
	{
		const char *path = json_string_value(json_object_get(mistake, "path"));
		const char *text = json_string_value(json_object_get(mistake, "text"));

		policy_complain(file, path ? path : "", text ? text : "wrong", &complaints);
	}
	fprintf(stderr, "%.*s", (int)complaints.text.size, complaints.text.data);
	buf_done(&complaints.text);
}

static int check_with_core(const struct command *command, struct session *session, const char *file,
			   json_t *params)
{
	json_t *answer;
	int status =
		session_call(session, command->socket, false, command->method, params, &answer);

	if (status)
		return status;
	if (!json_is_true(json_object_get(answer, "ok")))
		status = STATUS_REFUSED;
	if (session->as_json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (status) {
		tell_mistakes(file, json_object_get(answer, "mistakes"));
	} else {
		puts("This policy holds together, and can be applied.");
	}
	json_decref(answer);
	return status;
}

int special_policy_check(const struct command *command, struct session *session, json_t *params)
{
	char *file = mem_copy(str_from(json_string_value(json_object_get(params, "file"))));
	bool is_alone = json_object_get(params, "file_only");
	int status = compile_policy(params);

	json_object_del(params, "file_only");
	if (!status && !is_alone)
		status = check_with_core(command, session, file, json_incref(params));
	else if (!status)
		puts(session->as_json ? "{\"ok\":true}" : "This policy holds together.");
	json_decref(params);
	free(file);
	return status;
}

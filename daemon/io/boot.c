#include "daemon/io/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "daemon/io/caution.h"
#include "daemon/io/journal.h"
#include "daemon/io/keystore.h"
#include "daemon/io/pairing.h"
#include "daemon/io/snapshots.h"

static ms_t get_now(void *context)
{
	struct core *core = context;

	return calendar_now(&core->calendar, engine_state(core->engine)->now);
}

/* --- files ------------------------------------------------------------------------------------ */

static struct str join_path(struct buf *buf, const struct core *core, const char *name)
{
	buf_reset(buf);
	buf_printf(buf, "%s/%s", core->config->state_dir, name);
	buf_add(buf, "", 1);
	return buf_str(buf);
}

static enum err tell(const char *what, const struct fault *fault, enum err err)
{
	fprintf(stderr, "vigied: %s: %s\n", what, fault->text);
	log_error("boot.failed", "what=%s code=%s", what, err_name(err));
	return err;
}

static enum err open_folder(const struct core *core)
{
	struct fault fault;

	if (!mkdir(core->config->state_dir, 0700) || errno == EEXIST)
		return ERR_OK;
	(void)fault_set(&fault, ERR_IO, "", "%s: %s", core->config->state_dir, strerror(errno));
	return tell("state_dir", &fault, ERR_IO);
}

static enum err open_journal(struct core *core, struct buf *path)
{
	const struct journal_options options = {join_path(path, core, "journal").data,
						core->config->journal_size_max,
						core->config->disk_free_min};
	struct fault fault;
	enum err err = journal_open(&options, &core->journal, &fault);

	return err ? tell("journal", &fault, err) : ERR_OK;
}

static enum err open_keystore(struct core *core, struct buf *path)
{
	const struct keystore_options options = {join_path(path, core, "keys").data,
						 core->config->key_file};
	struct fault fault;
	enum err err = keystore_open(&options, &core->keystore, &fault);

	return err ? tell("keystore", &fault, err) : ERR_OK;
}

static bool has_store(const struct core *core, const char *name, struct buf *path)
{
	struct stat status;

	return lstat(join_path(path, core, name).data, &status) == 0;
}

static enum err check_count(const struct core *core, uint64_t held)
{
	struct fault fault;
	enum err err = pairing_check_count(held, keystore_noted(core->keystore), &fault);

	return err ? tell("state_dir", &fault, err) : ERR_OK;
}

static enum err check_keys(const struct core *core)
{
	struct fault fault;
	enum err err = pairing_check_keys(core->journal, core->keystore, &fault);

	return err ? tell("state_dir", &fault, err) : ERR_OK;
}

/* The first of them to be made is the journal: keys are only missing when somebody took them away. */
static enum err check_keys_gone(const struct core *core, struct buf *path)
{
	uint64_t held = journal_last_seq(core->journal);
	struct fault fault;

	if (!held)
		return ERR_OK;
	(void)fault_set(&fault, ERR_CORRUPT, "",
			"the journal holds %llu events and its keys in %s are missing: restore the "
			"newest backup of the keys",
			(unsigned long long)held, join_path(path, core, "keys").data);
	return tell("keystore", &fault, ERR_CORRUPT);
}

/* What is there is looked at before anything new is made beside it. */
static enum err open_stores(struct core *core, struct buf *path)
{
	bool has_journal = has_store(core, "journal", path),
	     has_keys = has_store(core, "keys", path);
	enum err err = has_keys ? open_keystore(core, path) : ERR_OK;

	if (!err && has_keys && !has_journal)
		err = check_count(core, 0);
	if (!err)
		err = open_journal(core, path);
	if (!err && !has_keys && !(err = check_keys_gone(core, path)))
		err = open_keystore(core, path);
	if (!err)
		err = check_keys(core);
	return err ? err : check_count(core, journal_last_seq(core->journal));
}

static enum err open_access_log(struct core *core, struct buf *path)
{
	struct fault fault;
	enum err err = access_log_open(join_path(path, core, "access.log").data, &core->access_log);

	if (!err)
		return ERR_OK;
	(void)fault_set(&fault, err, "", "%s cannot be opened: %s", path->data, strerror(errno));
	return tell("access log", &fault, err);
}

static enum err open_files(struct core *core)
{
	struct buf path = {0};
	enum err err;

	if (!(err = open_folder(core)) && !(err = open_stores(core, &path)))
		err = open_access_log(core, &path);
	buf_done(&path);
	if (!err)
		caution_open(core->config->state_dir, &core->caution);
	return err;
}

/* --- replay ----------------------------------------------------------------------------------- */

static enum err replay_turn(void *context, uint64_t first, uint32_t count, struct str record)
{
	struct core *core = context;
	struct str event;

	for (uint32_t i = 0; i < count; i++) {
		enum err err;

		if (!journal_next_event(&record, &event))
			return ERR_CORRUPT;
		if (first + i <= engine_state(core->engine)->seq)
			continue; /* in the snapshot already */
		err = engine_replay(core->engine, event);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err replay(struct core *core)
{
	struct fault fault;
	uint64_t seq, stopped;
	enum err err;

	snapshots_load(core, engine_restore(core->engine));
	seq = engine_state(core->engine)->seq;
	if (seq == journal_last_seq(core->journal))
		return ERR_OK;
	err = journal_walk(core->journal, seq + 1, replay_turn, core, &stopped);
	if (!err)
		return ERR_OK;
	(void)fault_set(&fault, err, "",
			"%s/journal cannot be replayed beyond event %llu: %s; restore a backup",
			core->config->state_dir,
			(unsigned long long)engine_state(core->engine)->seq, err_meaning(err));
	return tell("journal", &fault, err);
}

/* --- what must hold before anything is taken -------------------------------------------------- */

static void remember_person(struct core *core, uint64_t seq)
{
	struct keys_port keys = keystore_port(core->keystore);
	struct arena arena = {0};
	struct event event;

	if (!engine_read(core->engine, seq, &arena, &event)) {
		if (event.kind == EVENT_REFERRAL_RECEIVED)
			keys.remember(keys.context, seq, event.found.household,
				      &event.data.referral_received.person,
				      event.data.referral_received.insee);
		else if (event.kind == EVENT_FSL_REQUEST_FILED &&
			 event.data.fsl_request_filed.person.is_set)
			keys.remember(keys.context, seq, event.found.household,
				      &event.data.fsl_request_filed.person,
				      event.data.fsl_request_filed.insee);
	}
	arena_done(&arena);
}

static enum err tell_keys_unmended(enum err err)
{
	struct fault fault;

	(void)fault_set(&fault, err, "",
			"what the journal says could not be written to the keys: %s",
			err_meaning(err));
	return tell("keystore", &fault, err);
}

/* Keys that the state calls erased are destroyed again; fingerprints that had not reached the disk
 * are made again. */
static enum err mend_keys(struct core *core)
{
	const struct state *state = engine_state(core->engine);
	struct keys_port keys = keystore_port(core->keystore);
	enum err err;

	if (state->parties.count > 1 && keystore_made(core->keystore) < state->parties.count - 1) {
		log_error("boot.keys_short", "parties=%u keys=%u", state->parties.count - 1,
			  keystore_made(core->keystore));
		fprintf(stderr,
			"vigied: the keystore is older than the journal; restore the newest "
			"backup of the keys\n");
		return ERR_CORRUPT;
	}
	for (uint32_t i = 1; i < state->parties.count; i++)
		if (state->parties.items[i].is_erased) {
			err = keys.erase(keys.context, i);
			if (err)
				return tell_keys_unmended(err);
		}
	for (uint64_t seq = keystore_noted(core->keystore) + 1; seq <= state->seq; seq++)
		remember_person(core, seq);
	keystore_note(core->keystore, state->seq);
	err = keystore_flush(core->keystore);
	return err ? tell_keys_unmended(err) : ERR_OK;
}

/* --- a new journal ---------------------------------------------------------------------------- */

static void keep_verdict(void *context, const struct verdict *verdict)
{
	*(struct verdict *)context = *verdict;
}

static enum err apply_policy(struct core *core, const struct policy *policy)
{
	struct verdict verdict = {0};
	struct buf bytes = {0};
	struct event event;
	enum err err;

	policy_encode(policy, &bytes);
	event_clear(&event, EVENT_POLICY_APPLIED);
	event.source = STR("urn:vigie:control");
	event.id = STR("first-policy");
	event.time = engine_now(core->engine);
	event.data.policy_applied.policy = buf_str(&bytes);
	engine_submit(core->engine, AUTHORITY_COORDINATOR, &event, keep_verdict, &verdict);
	err = engine_turn(core->engine);
	buf_done(&bytes);
	if (err)
		(void)fault_set(&verdict.fault, err, "", "it could not be written: %s",
				err_meaning(err));
	return verdict.fault.code ? tell("first policy", &verdict.fault, verdict.fault.code)
				  : ERR_OK;
}

static enum err read_first_day(const struct boot *boot, day_t *day)
{
	if (day_parse(str_from(boot->rehearse), day))
		return ERR_OK;
	fprintf(stderr, "vigied: --rehearse: no such day; YYYY-MM-DD is expected\n");
	return ERR_USAGE;
}

static enum err begin_calendar(struct core *core, const struct boot *boot)
{
	day_t day;
	enum err err;

	if (!boot->rehearse)
		return ERR_OK;
	err = read_first_day(boot, &day);
	if (err)
		return err;
	core->calendar = (struct calendar){.is_rehearsal = true, .now = time_at_paris(day, 0, 0)};
	return ERR_OK;
}

static enum err begin_journal(struct core *core)
{
	uint8_t salt[DIGEST_SIZE];
	struct fault fault;
	enum err err;

	random_bytes(salt, sizeof(salt));
	err = engine_begin(core->engine, core->calendar.is_rehearsal, salt);
	if (!err)
		return ERR_OK;
	(void)fault_set(&fault, err, "", "it could not be begun: %s", err_meaning(err));
	return tell("journal", &fault, err);
}

/* A journal is not begun where its first policy would be refused. */
static enum err check_room(struct core *core)
{
	struct fault room, fault;
	enum err err = journal_check_room(core->journal, EVENT_SIZE_MAX, &room);

	if (!err)
		return ERR_OK;
	(void)fault_set(&fault, err, "", "%s: %s", core->config->state_dir, room.text);
	return tell("state_dir", &fault, err);
}

/* The journal's first turn, and its policy in the second; a core that ended between them goes on here. */
static enum err begin(struct core *core, const struct boot *boot)
{
	struct complaints complaints = {0};
	struct arena arena = {0};
	struct policy policy;
	enum err err = policy_read(core->config->policy_file, &arena, &policy, &complaints);

	fwrite(complaints.text.data, 1, complaints.text.size, stderr);
	if (!err)
		err = check_room(core);
	if (!err && !engine_state(core->engine)->seq) {
		err = begin_calendar(core, boot);
		if (!err)
			err = begin_journal(core);
	}
	if (!err)
		err = apply_policy(core, &policy);
	buf_done(&complaints.text);
	arena_done(&arena);
	return err;
}

/* Its calendar stands where it was left, whatever day is asked for. */
static enum err go_on_rehearsing(const struct state *state, const struct boot *boot)
{
	char text[DAY_TEXT_SIZE];
	day_t day;
	enum err err = read_first_day(boot, &day);

	if (!err && day != time_paris_day(state->now))
		fprintf(stderr,
			"vigied: this rehearsal goes on from %s, where it was left: --rehearse "
			"tells only where a new one begins\n",
			day_print(time_paris_day(state->now), text));
	return err;
}

/* A journal is what it began as, for ever. */
static enum err check_rehearsal(struct core *core, const struct boot *boot)
{
	const struct state *state = engine_state(core->engine);

	if (boot->rehearse && !state->is_rehearsal) {
		fprintf(stderr, "vigied: this journal is a real one; a rehearsal needs a state_dir "
				"of its own\n");
		return ERR_USAGE;
	}
	core->calendar = (struct calendar){.is_rehearsal = state->is_rehearsal, .now = state->now};
	return boot->rehearse ? go_on_rehearsing(state, boot) : ERR_OK;
}

static enum err check_clock(const struct core *core, const struct boot *boot)
{
	struct fault fault;
	enum err err = calendar_check(&core->calendar, engine_state(core->engine)->now,
				      boot->accept_clock, &fault);

	return err ? tell("clock", &fault, err) : ERR_OK;
}

enum err boot_open(struct core *core, const struct boot *boot)
{
	struct engine_ports ports = {.context = core, .now = get_now};
	enum err err = open_files(core);

	if (err)
		return err;
	ports.journal = journal_port(core->journal);
	ports.keys = keystore_port(core->keystore);
	ports.caution = caution_port(core->caution);
	core->engine = engine_new(&ports);
	err = replay(core);
	if (err)
		return err;
	if (engine_state(core->engine)->seq)
		err = check_rehearsal(core, boot);
	if (!err && engine_state(core->engine)->seq)
		err = check_clock(core, boot);
	if (!err && !engine_state(core->engine)->has_policy)
		err = begin(core, boot);
	if (!err)
		err = mend_keys(core);
	if (err)
		return err;
	core->epoch = engine_state(core->engine)->seq;
	log_info("boot.ready", "seq=%llu", (unsigned long long)core->epoch);
	return ERR_OK;
}

void boot_close(struct core *core)
{
	engine_free(&core->engine);
	access_log_close(&core->access_log);
	caution_close(&core->caution);
	keystore_close(&core->keystore);
	journal_close(&core->journal);
}

void boot_after_turn(struct core *core)
{
	keystore_note(core->keystore, engine_durable_seq(core->engine));
	snapshots_after_turn(core);
}

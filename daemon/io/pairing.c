#include "daemon/io/pairing.h"

#include <string.h>

#include "proto/codec.h"

/* The first is the journal's own, without a digest; the second is its first policy. */
enum { POLICY_SEQ = 2 };

enum err pairing_check_count(uint64_t held, uint64_t known, struct fault *fault)
{
	if (known <= held)
		return ERR_OK;
	return fault_set(
		fault, ERR_CORRUPT, "",
		"the keystore knows of %llu events and the journal holds %llu: one of them "
		"is missing or of another time; restore both from the same backup",
		(unsigned long long)known, (unsigned long long)held);
}

/* What the journal kept was made by hash_content() from the same content, when the event was taken. */
static bool is_made_with(struct keystore *keystore, const struct event *event)
{
	static const uint8_t none[DIGEST_SIZE];
	struct keys_port keys = keystore_port(keystore);
	scoped(buf_done) struct buf content = {0};
	uint8_t digest[DIGEST_SIZE];

	if (memcmp(event->digest, none, DIGEST_SIZE) == 0)
		return true;
	event_content(event, &content);
	keys.hash_content(keys.context, buf_str(&content), digest);
	return memcmp(event->digest, digest, DIGEST_SIZE) == 0;
}

/* Its turn is checked: what was damaged must not be taken for another's. */
static enum err read_policy(struct journal *journal, struct arena *arena, struct event *event)
{
	scoped(journal_reader_free) struct journal_reader *reader =
		journal_reader_new(journal, POLICY_SEQ);
	struct str record, stored = {0};
	uint64_t first;
	uint32_t count;
	enum err err = journal_reader_next(reader, &first, &count, &record);

	if (err)
		return err;
	for (uint64_t seq = first; seq <= POLICY_SEQ; seq++)
		if (!journal_next_event(&record, &stored))
			return ERR_CORRUPT;
	return event_stored_decode(arena_copy(arena, stored), arena, event);
}

enum err pairing_check_keys(struct journal *journal, struct keystore *keystore, struct fault *fault)
{
	scoped(arena_done) struct arena arena = {0};
	struct event event;
	enum err err = read_policy(journal, &arena, &event);

	if (err == ERR_NOT_FOUND)
		return ERR_OK; /* it has only begun: nothing was taken yet */
	if (err)
		return fault_set(fault, err, "",
				 "the first events of the journal cannot be read: %s; restore it "
				 "from a backup",
				 err_meaning(err));
	if (is_made_with(keystore, &event))
		return ERR_OK;
	return fault_set(fault, ERR_CORRUPT, "",
			 "the keystore and its key file are not those of this journal, but another "
			 "installation's: restore all three from backups of one installation");
}

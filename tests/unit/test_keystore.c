#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/io/keystore.h"
#include "proto/hash.h"
#include "tests/lib/files.h"

static enum err open_it(struct keystore **keystore, struct fault *fault)
{
	struct keystore_options options = {.path = files_path("keys"),
					   .key_file = files_path("kek")};

	return keystore_open(&options, keystore, fault);
}

static struct keystore *open_well(void)
{
	struct keystore *keystore = NULL;
	struct fault fault = {0};

	if (open_it(&keystore, &fault) != ERR_OK)
		fail_msg("%s", fault.text);
	return keystore;
}

static void reopen(struct keystore **keystore)
{
	keystore_close(keystore);
	*keystore = open_well();
}

static enum err seal(struct keystore *keystore, uint32_t number, uint32_t kind, const char *text,
		     struct buf *out)
{
	struct keys_port port = keystore_port(keystore);

	return port.seal(port.context, number, kind, str_from(text), out);
}

static enum err open_sealed(struct keystore *keystore, uint32_t number, uint32_t kind,
			    struct str sealed, struct buf *out)
{
	struct keys_port port = keystore_port(keystore);

	return port.open(port.context, number, kind, sealed, out);
}

static enum err reach(struct keystore *keystore, uint32_t number)
{
	struct keys_port port = keystore_port(keystore);

	return port.reach(port.context, number);
}

static enum err erase(struct keystore *keystore, uint32_t number)
{
	struct keys_port port = keystore_port(keystore);

	return port.erase(port.context, number);
}

static struct person person_make(const char *name, const char *phone)
{
	return (struct person){.is_set = true,
			       .name = str_from(name),
			       .phone = str_from(phone),
			       .persons = UINT_NONE};
}

static void remember_of(struct keystore *keystore, uint64_t seq, uint32_t number, const char *name,
			const char *phone)
{
	struct keys_port port = keystore_port(keystore);
	struct person person = person_make(name, phone);

	port.remember(port.context, seq, number, &person, 39198);
}

/* Of an event that any note covers. */
static void remember(struct keystore *keystore, uint32_t number, const char *name,
		     const char *phone)
{
	remember_of(keystore, 0, number, name, phone);
}

/* How many households share something with that person. */
static uint32_t match(struct keystore *keystore, const char *name, const char *phone)
{
	struct keys_port port = keystore_port(keystore);
	struct person person = person_make(name, phone);
	struct candidate found[CANDIDATES_MAX];

	return port.match(port.context, &person, 39198, found);
}

static void assert_opens(struct keystore *keystore, uint32_t number, const struct buf *sealed,
			 const char *text)
{
	scoped(buf_done) struct buf plain = {0};

	assert_int_equal(open_sealed(keystore, number, 9, buf_str(sealed), &plain), ERR_OK);
	assert_true(str_is(buf_str(&plain), text));
}

/* A new keystore and its key file are for their owner only. */
static void test_new_keystore_is_private(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	struct stat status;

	(void)unused;
	assert_int_equal(stat(files_path("kek"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, 32);
	assert_int_equal(stat(files_path("keys/data.mdb"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(keystore_made(keystore), 0);
}

/* What was sealed opens again, also after a restart, and never looks the same twice. */
static void test_sealed_opens_after_restart(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf first = {0}, second = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 7), ERR_OK);
	assert_int_equal(seal(keystore, 7, 9, "Jean Dupont", &first), ERR_OK);
	assert_int_equal(seal(keystore, 7, 9, "Jean Dupont", &second), ERR_OK);
	reopen(&keystore);

	assert_int_equal(first.size, 24 + 11 + 16);
	assert_memory_not_equal(first.data, second.data, 24);
	assert_opens(keystore, 7, &first, "Jean Dupont");
	assert_opens(keystore, 7, &second, "Jean Dupont");
}

/* A thousand nonces, over several draws, are all different. */
static void test_nonces_never_repeat(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 1), ERR_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(seal(keystore, 1, 9, "", &sealed), ERR_OK);

	for (int i = 0; i < 1000; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(sealed.data + i * 40, sealed.data + j * 40, 24);
}

/* One changed bit, another household or another kind: it does not open. */
static void test_tampered_or_moved_seal_is_corrupt(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0}, plain = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 8), ERR_OK);
	assert_int_equal(seal(keystore, 7, 9, "Jean Dupont", &sealed), ERR_OK);

	for (size_t i = 0; i < sealed.size; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(open_sealed(keystore, 7, 9, buf_str(&sealed), &plain),
				 ERR_CORRUPT);
		sealed.data[i] ^= 1;
	}
	for (size_t size = 0; size < sealed.size; size++)
		assert_int_equal(
			open_sealed(keystore, 7, 9, (struct str){sealed.data, size}, &plain),
			ERR_CORRUPT);
	assert_int_equal(open_sealed(keystore, 8, 9, buf_str(&sealed), &plain), ERR_CORRUPT);
	assert_int_equal(open_sealed(keystore, 7, 10, buf_str(&sealed), &plain), ERR_CORRUPT);
	assert_int_equal(plain.size, 0);
	assert_opens(keystore, 7, &sealed, "Jean Dupont");
}

/* Keys are made ahead, durably, and only so far. */
static void test_keys_are_made_ahead(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0};
	uint32_t made, more;

	(void)unused;
	assert_int_equal(seal(keystore, 1, 9, "x", &sealed), ERR_NOT_FOUND);
	assert_int_equal(reach(keystore, 1), ERR_OK);
	made = keystore_made(keystore);
	assert_in_range(made, 1 + KEYS_AHEAD, 100 + KEYS_AHEAD);
	assert_int_equal(reach(keystore, made), ERR_OK);
	assert_int_equal(keystore_made(keystore), made);
	assert_int_equal(reach(keystore, made + 1), ERR_OK);
	more = keystore_made(keystore);
	assert_in_range(more, made + 1 + KEYS_AHEAD, made + 100 + KEYS_AHEAD);
	reopen(&keystore);

	assert_int_equal(keystore_made(keystore), more);
	assert_int_equal(seal(keystore, made, 9, "x", &sealed), ERR_OK);
	assert_int_equal(seal(keystore, made + 1, 9, "x", &sealed), ERR_OK);
	assert_int_equal(seal(keystore, more, 9, "x", &sealed), ERR_OK);
	assert_int_equal(seal(keystore, more + 1, 9, "x", &sealed), ERR_NOT_FOUND);
	assert_int_equal(seal(keystore, 0, 9, "x", &sealed), ERR_NOT_FOUND);
}

/* Keys that are stored together are destroyed one by one: the others go on opening what they sealed,
 * whichever went before, after restarts and a renewal. */
static void test_neighbours_of_an_erased_key_stay(void **unused)
{
	static const uint32_t erased[] = {31, 32, 1, 63, 40};
	scoped(keystore_close) struct keystore *keystore = open_well();
	struct buf sealed[65] = {0};
	bool is_erased[65] = {false};

	(void)unused;
	assert_int_equal(reach(keystore, 64), ERR_OK);
	for (uint32_t number = 1; number <= 64; number++)
		assert_int_equal(seal(keystore, number, 9, "Jean", &sealed[number]), ERR_OK);

	for (size_t i = 0; i < ARRAY_SIZE(erased); i++) {
		assert_int_equal(erase(keystore, erased[i]), ERR_OK);
		is_erased[erased[i]] = true;
		if (i == 2)
			assert_int_equal(keystore_renew(keystore), ERR_OK);
		if (i % 2 == 0)
			reopen(&keystore);
		for (uint32_t number = 1; number <= 64; number++) {
			scoped(buf_done) struct buf plain = {0};

			assert_int_equal(
				open_sealed(keystore, number, 9, buf_str(&sealed[number]), &plain),
				is_erased[number] ? ERR_ERASED : ERR_OK);
		}
	}
	for (uint32_t number = 1; number <= 64; number++)
		buf_done(&sealed[number]);
}

/* An erased key is gone, now and after a restart, with its fingerprints; its neighbours stay. */
static void test_erased_key_never_opens_again(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0}, other = {0}, plain = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 300), ERR_OK);
	assert_int_equal(seal(keystore, 256, 9, "Jean", &sealed), ERR_OK);
	assert_int_equal(seal(keystore, 257, 9, "Anne", &other), ERR_OK);
	for (uint32_t number = 250; number < 260; number++)
		remember(keystore, number, "Jean", "0612345678");
	keystore_note(keystore, 10);
	assert_int_equal(keystore_flush(keystore), ERR_OK);
	remember(keystore, 256, "Luc", "0687654321");
	assert_false(keystore_is_stale(keystore));

	for (int start = 0; start < 3; start++) {
		assert_int_equal(erase(keystore, 256), ERR_OK);
		assert_int_equal(open_sealed(keystore, 256, 9, buf_str(&sealed), &plain),
				 ERR_ERASED);
		assert_int_equal(seal(keystore, 256, 9, "x", &sealed), ERR_ERASED);
		assert_opens(keystore, 257, &other, "Anne");
		assert_int_equal(match(keystore, "Jean", "0612345678"), 9);
		assert_int_equal(match(keystore, "Luc", "0687654321"), 0);
		remember(keystore, 256, "Luc", "0687654321");
		assert_int_equal(match(keystore, "Luc", "0687654321"), 0);
		assert_true(keystore_is_stale(keystore));
		reopen(&keystore);
	}
	assert_int_equal(erase(keystore, 100000), ERR_NOT_FOUND);
}

/* Fingerprints of events that were noted come back after a restart; those of events that were never journaled
 * do not, though they were remembered by then. */
static void test_only_noted_fingerprints_are_kept(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();

	(void)unused;
	assert_int_equal(reach(keystore, 10), ERR_OK);
	remember_of(keystore, 4, 1, "Jean", "0612345678");
	remember_of(keystore, 5, 2, "Anne", "0687654321");
	keystore_note(keystore, 4);
	assert_int_equal(match(keystore, "Anne", "0687654321"), 1);
	reopen(&keystore);

	assert_int_equal(keystore_noted(keystore), 4);
	assert_int_equal(match(keystore, "Jean", "0612345678"), 1);
	assert_int_equal(match(keystore, "Anne", "0687654321"), 0);
}

/* Each of a household's fingerprints comes back after a restart, whether remembered with the others or
 * later, and none of a neighbour's with them. */
static void test_every_fingerprint_comes_back(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();

	(void)unused;
	assert_int_equal(reach(keystore, 10), ERR_OK);
	remember(keystore, 1, "Jean", "0612345678");
	remember(keystore, 2, "Anne", "0687654321");
	remember(keystore, 1, "Jean", "0698765432");
	keystore_note(keystore, 4);
	reopen(&keystore);

	assert_int_equal(match(keystore, "Jean", ""), 1);
	assert_int_equal(match(keystore, "", "0612345678"), 1);
	assert_int_equal(match(keystore, "", "0698765432"), 1);
	assert_int_equal(match(keystore, "Jean", "0687654321"), 2);
	assert_int_equal(erase(keystore, 1), ERR_OK);
	reopen(&keystore);
	assert_int_equal(match(keystore, "Jean", "0612345678"), 0);
	assert_int_equal(match(keystore, "", "0698765432"), 0);
	assert_int_equal(match(keystore, "", "0687654321"), 1);
}

static uint32_t match_numbered(struct keystore *keystore, uint32_t number)
{
	char phone[16];

	snprintf(phone, sizeof(phone), "06%08u", number);
	return match(keystore, "", phone);
}

/* However many there are of neighbours, each comes back, and those of an erased household do not, in
 * whichever row they stand. */
static void test_many_fingerprints_come_back(void **unused)
{
	enum { NUMBERS = 70, EACH = 6 };
	scoped(keystore_close) struct keystore *keystore = open_well();

	(void)unused;
	assert_int_equal(reach(keystore, NUMBERS), ERR_OK);
	for (uint32_t number = 1; number <= NUMBERS; number++)
		for (uint32_t i = 0; i < EACH; i++) {
			char phone[16];

			snprintf(phone, sizeof(phone), "06%08u", number * EACH + i);
			remember(keystore, number, "", phone);
			keystore_note(keystore, number);
		}
	assert_int_equal(keystore_flush(keystore), ERR_OK);
	assert_int_equal(erase(keystore, 5), ERR_OK);
	assert_int_equal(erase(keystore, 64), ERR_OK);
	assert_int_equal(keystore_renew(keystore), ERR_OK);
	remember(keystore, 1, "Jean", "");
	keystore_note(keystore, NUMBERS + 1);
	reopen(&keystore);
	assert_int_equal(erase(keystore, 33), ERR_OK);
	reopen(&keystore);

	for (uint32_t number = 1; number <= NUMBERS; number++)
		for (uint32_t i = 0; i < EACH; i++)
			assert_int_equal(match_numbered(keystore, number * EACH + i),
					 number != 5 && number != 33 && number != 64);
	assert_int_equal(match(keystore, "Jean", ""), 1);
}

/* Making keys takes the noted fingerprints along. */
static void test_reach_writes_noted_fingerprints(void **unused)
{
	pid_t pid = fork();
	int status;

	(void)unused;
	if (pid == 0) {
		struct keystore *keystore = open_well();
		bool all = reach(keystore, 10) == ERR_OK;

		remember(keystore, 1, "Jean", "0612345678");
		keystore_note(keystore, 4);
		remember(keystore, 2, "Anne", "0687654321");
		all = all && reach(keystore, 10000) == ERR_OK;
		_exit(all ? 0 : 1); /* without closing: as if killed */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	scoped(keystore_close) struct keystore *keystore = open_well();
	assert_int_equal(keystore_noted(keystore), 4);
	assert_int_equal(match(keystore, "Jean", "0612345678"), 1);
	assert_int_equal(match(keystore, "Anne", "0687654321"), 0);
}

/* Hashes are the installation's: the same after a restart, other in another, and parts do not run
 * together. */
static void test_hashes_belong_to_the_installation(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	struct keys_port port = keystore_port(keystore);
	uint8_t first[DIGEST_SIZE], second[DIGEST_SIZE];

	(void)unused;
	port.hash_subject(port.context, STR("ab"), STR("c"), first);
	port.hash_subject(port.context, STR("a"), STR("bc"), second);
	assert_memory_not_equal(first, second, DIGEST_SIZE);
	reopen(&keystore);
	port = keystore_port(keystore);
	port.hash_subject(port.context, STR("ab"), STR("c"), second);
	assert_memory_equal(first, second, DIGEST_SIZE);
	port.hash_content(port.context, STR("content"), first);

	keystore_close(&keystore);
	assert_int_equal(files_teardown(NULL), 0);
	assert_int_equal(files_setup(NULL), 0);
	keystore = open_well();
	port = keystore_port(keystore);
	port.hash_content(port.context, STR("content"), second);
	assert_memory_not_equal(first, second, DIGEST_SIZE);
}

static void write_file(const char *path, const char *bytes, size_t size, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_refused(enum err expected, const char *saying)
{
	struct keystore *keystore = NULL;
	struct fault fault = {0};

	assert_int_equal(open_it(&keystore, &fault), expected);
	if (!strstr(fault.text, saying))
		fail_msg("\"%s\" does not say \"%s\"", fault.text, saying);
}

/* A key file that is another's, damaged, missing or open to all is refused, and nothing is made. */
static void test_wrong_key_file_is_refused(void **unused)
{
	static const char zeros[33];
	struct keystore *keystore = open_well();
	char good[32];
	FILE *file;

	(void)unused;
	keystore_close(&keystore);
	file = fopen(files_path("kek"), "r");
	assert_non_null(file);
	assert_int_equal(fread(good, 1, sizeof(good), file), sizeof(good));
	fclose(file);

	write_file(files_path("kek"), zeros, 32, 0600);
	assert_refused(ERR_CORRUPT, "does not open");
	write_file(files_path("kek"), good, 31, 0600);
	assert_refused(ERR_CORRUPT, "exactly 32");
	write_file(files_path("kek"), zeros, 33, 0600);
	assert_refused(ERR_CORRUPT, "exactly 32");
	write_file(files_path("kek"), good, 32, 0604);
	assert_refused(ERR_CORRUPT, "0600");
	assert_int_equal(unlink(files_path("kek")), 0);
	assert_refused(ERR_CORRUPT, "missing");
	assert_int_equal(access(files_path("kek"), F_OK), -1);

	write_file(files_path("kek"), good, 32, 0440);
	keystore = open_well();
	keystore_close(&keystore);
}

/* A key file that is already there, a credential say, is used by a new keystore. */
static void test_given_key_file_is_used(void **unused)
{
	static const char given[32] = "thirty-two bytes that were given";
	char found[32];

	(void)unused;
	write_file(files_path("kek"), given, 32, 0400);
	struct keystore *keystore = open_well();
	keystore_close(&keystore);

	FILE *file = fopen(files_path("kek"), "r");
	assert_non_null(file);
	assert_int_equal(fread(found, 1, sizeof(found), file), sizeof(found));
	fclose(file);
	assert_memory_equal(found, given, 32);
}

/* Does any file below the folder hold these bytes? */
static bool is_on_disk(const uint8_t *bytes, size_t size)
{
	static const char *const files[] = {"keys/data.mdb", "keys.next/data.mdb", "kek"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *file = fopen(files_path(files[i]), "r");
		scoped(buf_done) struct buf all = {0};
		int letter;

		if (!file)
			continue;
		while ((letter = getc(file)) != EOF)
			buf_add(&all, &(char){(char)letter}, 1);
		fclose(file);
		found = found || memmem(all.data, all.size, bytes, size);
	}
	return found;
}

static void read_kek(uint8_t kek[32])
{
	FILE *file = fopen(files_path("kek"), "r");

	assert_non_null(file);
	assert_int_equal(fread(kek, 1, 32, file), 32);
	fclose(file);
}

/* Renewing keeps every living key, fingerprint and hash, and leaves nothing that the old key-encryption
 * key could open. */
static void test_renewal_keeps_all_but_the_old_key(void **unused)
{
	scoped(keystore_close) struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0}, erased = {0}, plain = {0};
	uint8_t old_kek[32], hash[DIGEST_SIZE], again[DIGEST_SIZE];
	struct keys_port port = keystore_port(keystore);
	uint32_t made;

	(void)unused;
	assert_int_equal(reach(keystore, 20000), ERR_OK);
	made = keystore_made(keystore);
	assert_int_equal(seal(keystore, 19999, 9, "Jean", &sealed), ERR_OK);
	assert_int_equal(seal(keystore, 6, 9, "Anne", &erased), ERR_OK);
	remember(keystore, 5, "Jean", "0612345678");
	keystore_note(keystore, 77);
	assert_int_equal(erase(keystore, 6), ERR_OK);
	port.hash_content(port.context, STR("content"), hash);
	read_kek(old_kek);

	assert_int_equal(keystore_renew(keystore), ERR_OK);

	for (int start = 0; start < 2; start++, reopen(&keystore)) {
		port = keystore_port(keystore);
		assert_false(keystore_is_stale(keystore));
		assert_opens(keystore, 19999, &sealed, "Jean");
		assert_int_equal(open_sealed(keystore, 6, 9, buf_str(&erased), &plain), ERR_ERASED);
		assert_int_equal(keystore_made(keystore), made);
		assert_int_equal(keystore_noted(keystore), 77);
		assert_int_equal(match(keystore, "Jean", "0612345678"), 1);
		port.hash_content(port.context, STR("content"), again);
		assert_memory_equal(hash, again, DIGEST_SIZE);
	}
	assert_int_equal(reach(keystore, 30000), ERR_OK);
	assert_false(is_on_disk(old_kek, sizeof(old_kek)));
	assert_int_equal(access(files_path("keys.next"), F_OK), -1);
	assert_int_equal(access(files_path("kek.next"), F_OK), -1);
}

static void run(const char *format, const char *file)
{
	char command[400];

	snprintf(command, sizeof(command), "cd '%s' && ", files_folder());
	snprintf(command + strlen(command), sizeof(command) - strlen(command), format, file);
	assert_int_equal(system(command), 0);
}

/* An end at any step of a renewal leaves a keystore that opens, with its leavings cleaned up. */
static void test_interrupted_renewal_is_put_right(void **unused)
{
	static const char *const states[] = {
		/* the new key was made, nothing else */
		"cp old.kek kek && cp new.kek kek.next && cp -r old.keys keys%s",
		/* and the new store begun */
		"cp old.kek kek && cp new.kek kek.next && cp -r old.keys keys && mkdir keys.next%s",
		/* and whole */
		"cp old.kek kek && cp new.kek kek.next && cp -r old.keys keys && cp -r new.keys "
		"keys.next%s",
		/* and exchanged */
		"cp old.kek kek && cp new.kek kek.next && cp -r new.keys keys && cp -r old.keys "
		"keys.next%s",
		/* and the old key overwritten */
		"head -c 32 /dev/zero > kek && cp new.kek kek.next && cp -r new.keys keys && cp -r "
		"old.keys keys.next%s",
		/* and replaced */
		"cp new.kek kek && cp -r new.keys keys && cp -r old.keys keys.next%s",
	};
	struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 10), ERR_OK);
	assert_int_equal(seal(keystore, 5, 9, "Jean", &sealed), ERR_OK);
	run("cp kek old.kek && cp -r keys old.keys%s", "");
	assert_int_equal(keystore_renew(keystore), ERR_OK);
	keystore_close(&keystore);
	run("cp kek new.kek && cp -r keys new.keys%s", "");

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		run("rm -rf kek keys kek.next keys.next%s", "");
		run(states[i], "");
		run("chmod 600 kek%s", "");
		keystore = open_well();
		assert_opens(keystore, 5, &sealed, "Jean");
		assert_int_equal(keystore_renew(keystore), ERR_OK);
		reopen(&keystore);
		assert_opens(keystore, 5, &sealed, "Jean");
		keystore_close(&keystore);
		assert_int_equal(access(files_path("keys.next"), F_OK), -1);
		assert_int_equal(access(files_path("kek.next"), F_OK), -1);
	}
}

/* A key file that cannot be written anew, a credential say: the renewal is refused, nothing changes. */
static void test_renewal_without_writable_folder_changes_nothing(void **unused)
{
	struct keystore_options options = {.path = files_path("keys"),
					   .key_file = files_path("ro/kek")};
	scoped(keystore_close) struct keystore *keystore = NULL;
	scoped(buf_done) struct buf sealed = {0};
	struct fault fault = {0};

	(void)unused;
	assert_int_equal(mkdir(files_path("ro"), 0700), 0);
	assert_int_equal(keystore_open(&options, &keystore, &fault), ERR_OK);
	assert_int_equal(reach(keystore, 10), ERR_OK);
	assert_int_equal(seal(keystore, 5, 9, "Jean", &sealed), ERR_OK);
	run("mkdir ro/kek.next && touch ro/kek.next/in-the-way%s", "");

	assert_int_equal(keystore_renew(keystore), ERR_IO);
	assert_opens(keystore, 5, &sealed, "Jean");
	assert_int_equal(access(files_path("keys.next"), F_OK), -1);
}

/* A copy opens with the same key file. */
static void test_copy_opens_with_the_key_file(void **unused)
{
	struct keystore_options options = {.path = files_path("copy"),
					   .key_file = files_path("kek")};
	struct keystore *keystore = open_well();
	scoped(buf_done) struct buf sealed = {0};

	(void)unused;
	assert_int_equal(reach(keystore, 10), ERR_OK);
	assert_int_equal(seal(keystore, 5, 9, "Jean", &sealed), ERR_OK);
	assert_int_equal(keystore_copy(keystore, files_path("copy")), ERR_OK);
	keystore_close(&keystore);

	assert_int_equal(keystore_open(&options, &keystore, NULL), ERR_OK);
	assert_opens(keystore, 5, &sealed, "Jean");
	keystore_close(&keystore);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_keystore_is_private),
		TEST(test_sealed_opens_after_restart),
		TEST(test_nonces_never_repeat),
		TEST(test_tampered_or_moved_seal_is_corrupt),
		TEST(test_keys_are_made_ahead),
		TEST(test_neighbours_of_an_erased_key_stay),
		TEST(test_erased_key_never_opens_again),
		TEST(test_only_noted_fingerprints_are_kept),
		TEST(test_every_fingerprint_comes_back),
		TEST(test_many_fingerprints_come_back),
		TEST(test_reach_writes_noted_fingerprints),
		TEST(test_hashes_belong_to_the_installation),
		TEST(test_wrong_key_file_is_refused),
		TEST(test_given_key_file_is_used),
		TEST(test_renewal_keeps_all_but_the_old_key),
		TEST(test_interrupted_renewal_is_put_right),
		TEST(test_renewal_without_writable_folder_changes_nothing),
		TEST(test_copy_opens_with_the_key_file),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

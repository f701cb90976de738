#include "daemon/io/snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/io/child.h"
#include "daemon/io/journal.h"
#include "daemon/snapshot.h"
#include "proto/hash.h"

/* A file is this head, and what snapshot_write() writes. */
struct head {
	char magic[8];
	uint8_t digest[CHAIN_SIZE]; /* of all that follows it */
	uint8_t chain[CHAIN_SIZE];  /* of the journal's turn that ends where the state stands */
};

static const char magic[8] = {'v', 'i', 'g', 'i', 'e', 's', 'n', '2'};

enum { DIGEST_END = offsetof(struct head, chain), KEPT = 2 };

static void folder_path(const struct core *core, char *path, size_t size)
{
	snprintf(path, size, "%s/snapshots", core->config->state_dir);
}

/* --- listing ---------------------------------------------------------------------------------- */

struct found {
	uint64_t *seqs;
	uint32_t count, capacity;
};

static int newest_first(const void *first, const void *second)
{
	uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;

	return a > b ? -1 : a < b;
}

static void list_files(const struct core *core, struct found *found)
{
	char path[PATH_MAX];
	unsigned long long seq;
	struct dirent *entry;
	int end;
	DIR *folder;

	folder_path(core, path, sizeof(path));
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		end = 0;
		if (sscanf(entry->d_name, "%20llu.state%n", &seq, &end) != 1 ||
		    entry->d_name[end ? end : 0])
			continue;
		MEM_ROOM(found->seqs, found->count, found->capacity);
		found->seqs[found->count++] = seq;
	}
	if (folder)
		closedir(folder);
	if (found->count)
		qsort(found->seqs, found->count, sizeof(*found->seqs), newest_first);
}

static void file_path(const struct core *core, uint64_t seq, char *path, size_t size)
{
	snprintf(path, size, "%s/snapshots/%020llu.state", core->config->state_dir,
		 (unsigned long long)seq);
}

/* --- whose they are --------------------------------------------------------------------------- */

static bool read_head(const struct core *core, uint64_t seq, struct head *head)
{
	char path[PATH_MAX];
	ssize_t size;
	int fd;

	file_path(core, seq, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, head, sizeof(*head));
	close(fd);
	return size == sizeof(*head) && memcmp(head->magic, magic, sizeof(magic)) == 0;
}

/* Does the journal lead to this state? Else it is another journal's, or of a longer history. */
static bool is_of_journal(const struct core *core, uint64_t seq, const struct head *head)
{
	uint8_t chain[CHAIN_SIZE];

	return !journal_chain_at(core->journal, seq, chain) &&
	       memcmp(chain, head->chain, sizeof(chain)) == 0;
}

/* Kept for whoever wants to know why, under a name that is not looked at: it must not take the place of
 * one that holds. */
static void set_aside(const struct core *core, uint64_t seq, const char *why)
{
	char path[PATH_MAX], aside[PATH_MAX + sizeof(".aside")];

	log_warn(why, "seq=%llu journal=%llu", (unsigned long long)seq,
		 (unsigned long long)journal_last_seq(core->journal));
	file_path(core, seq, path, sizeof(path));
	snprintf(aside, sizeof(aside), "%s.aside", path);
	(void)rename(path, aside); /* else it is met again at the next start */
}

/* Afterwards all that are left belong to this journal: whoever reads them need not ask it. */
static void set_strangers_aside(const struct core *core)
{
	struct found found = {0};
	struct head head;

	list_files(core, &found);
	for (uint32_t i = 0; i < found.count; i++)
		if (!read_head(core, found.seqs[i], &head))
			set_aside(core, found.seqs[i], "snapshot.damaged");
		else if (!is_of_journal(core, found.seqs[i], &head))
			set_aside(core, found.seqs[i], "snapshot.of_another_journal");
	free(found.seqs);
}

/* --- loading ---------------------------------------------------------------------------------- */

/* ERR_NOT_FOUND: it was taken after `until`. */
static enum err read_bytes_of(uint64_t seq, struct str bytes, ms_t until, struct state *state)
{
	struct str held = {bytes.data + sizeof(struct head), bytes.size - sizeof(struct head)};
	uint8_t digest[CHAIN_SIZE];
	struct digest sum;
	struct head head;
	enum err err;

	memcpy(&head, bytes.data, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0)
		return ERR_CORRUPT;
	if (snapshot_time(held) > until)
		return ERR_NOT_FOUND;
	digest_begin(&sum);
	digest_add(&sum, bytes.data + DIGEST_END, bytes.size - DIGEST_END);
	digest_end(&sum, digest);
	if (memcmp(digest, head.digest, sizeof(digest)) != 0)
		return ERR_CORRUPT;
	err = snapshot_read(held, state);
	return err || state->seq == seq ? err : ERR_CORRUPT;
}

static enum err load_file(const struct core *core, uint64_t seq, ms_t until, struct state *state)
{
	char path[PATH_MAX];
	struct stat info;
	enum err err;
	void *bytes;
	int fd;

	file_path(core, seq, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) || (size_t)info.st_size < sizeof(struct head)) {
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return ERR_IO;
	err = read_bytes_of(seq, (struct str){bytes, (size_t)info.st_size}, until, state);
	munmap(bytes, (size_t)info.st_size);
	return err;
}

/* Its number; 0: none was good, the state is empty. */
static uint64_t load_newest(const struct core *core, ms_t until, struct state *state)
{
	struct found found = {0};
	uint64_t loaded = 0;

	list_files(core, &found);
	for (uint32_t i = 0; i < found.count && !loaded; i++) {
		enum err err = load_file(core, found.seqs[i], until, state);

		if (!err) {
			loaded = found.seqs[i];
			continue;
		}
		if (err == ERR_CORRUPT)
			set_aside(core, found.seqs[i], "snapshot.damaged");
		state_done(state);
		state_init(state);
	}
	free(found.seqs);
	return loaded;
}

void snapshots_load(struct core *core, struct state *state)
{
	set_strangers_aside(core);
	core->snapshot_seq = load_newest(core, INT64_MAX, state);
	if (core->snapshot_seq)
		log_info("snapshot.read", "seq=%llu", (unsigned long long)core->snapshot_seq);
}

void snapshots_load_until(const struct core *core, ms_t until, struct state *state)
{
	(void)load_newest(core, until, state);
}

/* --- writing, in a child ---------------------------------------------------------------------- */

struct output {
	int fd;
	bool is_broken;
	struct digest sum;
};

static void write_out(void *context, const void *bytes, size_t size)
{
	struct output *output = context;
	const char *at = bytes;

	digest_add(&output->sum, bytes, size);
	while (size && !output->is_broken) {
		ssize_t written = write(output->fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			output->is_broken = true;
			return;
		}
		at += written;
		size -= (size_t)written;
	}
}

static bool sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return is_synced;
}

/* The digest is known last: its place is left free and filled in at the end. The chain is in memory:
 * LMDB is not asked. */
static bool write_file(const struct core *core, const char *path)
{
	struct output output = {.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
	struct head head = {0};

	if (output.fd < 0)
		return false;
	assert(journal_last_seq(core->journal) == engine_state(core->engine)->seq);
	journal_last_chain(core->journal, head.chain);
	memcpy(head.magic, magic, sizeof(magic));
	if (write(output.fd, &head, DIGEST_END) != DIGEST_END)
		return false;
	digest_begin(&output.sum);
	write_out(&output, head.chain, sizeof(head.chain));
	snapshot_write(engine_state(core->engine), write_out, &output);
	digest_end(&output.sum, head.digest);
	return !output.is_broken && pwrite(output.fd, &head, DIGEST_END, 0) == DIGEST_END &&
	       fsync(output.fd) == 0 && close(output.fd) == 0;
}

static void count_out(void *context, const void *bytes, size_t size)
{
	(void)bytes;
	*(uint64_t *)context += size;
}

/* A snapshot can be done without, and must not be what fills the disk. */
static bool has_room(const struct core *core, const char *folder)
{
	uint64_t need = core->config->disk_free_min + sizeof(struct head), left = 0;
	struct statvfs disk;

	snapshot_write(engine_state(core->engine), count_out, &need);
	if (statvfs(folder, &disk) == 0)
		left = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (left < need)
		log_warn("snapshot.no_room", "free_kib=%llu needed_kib=%llu",
			 (unsigned long long)left / 1024, (unsigned long long)need / 1024 + 1);
	return left >= need;
}

static void remove_old(const struct core *core)
{
	struct found found = {0};
	char path[PATH_MAX];

	list_files(core, &found);
	for (uint32_t i = KEPT; i < found.count; i++) {
		file_path(core, found.seqs[i], path, sizeof(path));
		(void)unlink(path); /* one too many does no harm */
	}
	free(found.seqs);
}

/* Runs in a copy of the process: touches nothing but its file, and never LMDB. */
static bool write_snapshot(const struct core *core)
{
	char folder[PATH_MAX], draft[PATH_MAX], path[PATH_MAX];

	folder_path(core, folder, sizeof(folder));
	if (mkdir(folder, 0700) && errno != EEXIST)
		return false;
	snprintf(draft, sizeof(draft), "%.*s/draft", PATH_MAX - 8, folder);
	(void)unlink(draft); /* of an end in the middle of it */
	if (!has_room(core, folder))
		return false;
	file_path(core, engine_state(core->engine)->seq, path, sizeof(path));
	if (!write_file(core, draft) || rename(draft, path) || !sync_folder(folder)) {
		log_warn("snapshot.write", "errno=%d", errno);
		(void)unlink(draft);
		return false;
	}
	remove_old(core);
	return true;
}

static void start_child(struct core *core)
{
	uint64_t seq = engine_state(core->engine)->seq;
	pid_t child;

	turns_settle(core->turns); /* the child must not know more than the journal */
	child = child_fork(-1);
	if (child < 0) {
		log_warn("snapshot.fork", "seq=%llu", (unsigned long long)seq);
		return;
	}
	if (!child)
		_exit(write_snapshot(core) ? EXIT_SUCCESS : EXIT_FAILURE);
	core->snapshot_child = child;
	core->snapshot_seq = seq;
}

static void look_after_child(struct core *core)
{
	int status;

	if (waitpid(core->snapshot_child, &status, WNOHANG) != core->snapshot_child)
		return;
	core->snapshot_child = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		log_warn("snapshot.failed", "seq=%llu status=%d",
			 (unsigned long long)core->snapshot_seq, status);
	else
		log_info("snapshot.written", "seq=%llu", (unsigned long long)core->snapshot_seq);
}

void snapshots_after_turn(struct core *core)
{
	uint64_t seq = engine_state(core->engine)->seq;

	if (core->snapshot_child)
		look_after_child(core);
	else if (core->config->snapshot_every &&
		 seq - core->snapshot_seq >= core->config->snapshot_every)
		start_child(core);
}

void snapshots_write_last(struct core *core)
{
	if (core->snapshot_child)
		(void)waitpid(core->snapshot_child, NULL, 0);
	core->snapshot_child = 0;
	if (engine_state(core->engine)->seq == core->snapshot_seq)
		return;
	if (!write_snapshot(core))
		log_warn("snapshot.failed", "seq=%llu",
			 (unsigned long long)engine_state(core->engine)->seq);
}

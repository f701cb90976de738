#include "workers/notify/sent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "proto/hash.h"
#include "proto/limits.h"

enum { LINE_SIZE = 512 };

/* What is known of one mail. It does not move while it is ours. */
struct entry {
	char *message_id;
	enum sent_word word; /* the last one */
	ms_t at;             /* … and when; 0: the file has no line of it */
	bool is_ours;        /* between sent_begin() and sent_end() */
	bool has_intent;     /* … and about to be handed over */
	bool was_ambiguous;  /* an earlier copy may have arrived */
};

struct sent {
	pthread_mutex_t lock;
	char *folder, *path, *new_path;
	int folder_fd;  /* also carries the lock against a second process */
	int fd;         /* -1: has to be written anew before anything is added */
	uint32_t lines; /* in the file */
	uint32_t lines_max;
	struct entry **entries;
	uint32_t count, capacity;
	struct map by_id; /* fingerprint → index + 1 */
};

static enum err open_folder(struct sent *sent) must_use;
static enum err read_all(struct sent *sent) must_use;
static bool read_line(struct sent *sent, struct str line);
static void note_ambiguous(struct sent *sent);
static enum err rewrite(struct sent *sent, ms_t now) must_use;
static void drop_old(struct sent *sent, ms_t oldest);
static enum err replace_file(struct sent *sent, struct str text, int *fd) must_use;
static struct entry *find(struct sent *sent, struct str message_id);
static struct entry *find_or_add(struct sent *sent, struct str message_id);
static uint64_t fingerprint(struct str message_id);
static void entry_free(struct entry *entry);
static enum err append(struct sent *sent, struct entry *entry, enum sent_word word,
		       ms_t now) must_use;
static enum err make_room(struct sent *sent, ms_t now) must_use;
static void print_line(struct buf *out, const struct entry *entry);
static enum err write_whole(int fd, struct str text) must_use;
static void close_file(struct sent *sent);

static const char *const words[] = {
#define ROW(NAME, word) [SENT_##NAME] = word,
	SENT_TABLE(ROW)
#undef ROW
};

enum err sent_open(const char *folder, ms_t now, struct sent **sent)
{
	struct sent *new = mem_new(sizeof(*new));
	enum err err;

	pthread_mutex_init(&new->lock, NULL);
	new->folder = mem_copy(str_from(folder));
	new->folder_fd = -1;
	new->fd = -1;
	err = open_folder(new);
	if (err == ERR_OK)
		err = read_all(new);
	if (err == ERR_OK) {
		note_ambiguous(new);
		err = rewrite(new, now);
	}
	if (err != ERR_OK) {
		sent_close(&new);
		return err;
	}
	*sent = new;
	return ERR_OK;
}

void sent_close(struct sent **sent)
{
	struct sent *old = *sent;

	if (!old)
		return;
	for (uint32_t i = 0; i < old->count; i++)
		entry_free(old->entries[i]);
	free(old->entries);
	map_done(&old->by_id);
	close_file(old);
	if (old->folder_fd >= 0)
		close(old->folder_fd);
	free(old->new_path);
	free(old->path);
	free(old->folder);
	pthread_mutex_destroy(&old->lock);
	mem_free(sent);
}

enum err sent_begin(struct sent *sent, struct str message_id)
{
	struct entry *entry;
	enum err err = ERR_OK;

	pthread_mutex_lock(&sent->lock);
	entry = find_or_add(sent, message_id);
	if (entry->is_ours)
		err = ERR_BUSY;
	else if (entry->word == SENT_DELIVERED || entry->word == SENT_COPIED)
		err = ERR_CONFLICT;
	else
		entry->is_ours = true;
	pthread_mutex_unlock(&sent->lock);
	return err;
}

enum err sent_intend(struct sent *sent, struct str message_id, ms_t now)
{
	struct entry *entry;
	enum err err;

	pthread_mutex_lock(&sent->lock);
	entry = find(sent, message_id);
	assert(entry && entry->is_ours);
	err = append(sent, entry, SENT_INTENT, now);
	entry->has_intent = err == ERR_OK;
	pthread_mutex_unlock(&sent->lock);
	return err;
}

/* What was ambiguous stays so until it is delivered, whatever comes in between. */
static enum sent_word find_word(const struct entry *entry, enum sent_word outcome)
{
	if (!entry->was_ambiguous)
		return outcome;
	return outcome == SENT_DELIVERED ? SENT_COPIED : SENT_AMBIGUOUS;
}

enum sent_word sent_end(struct sent *sent, struct str message_id, enum sent_word outcome, ms_t now)
{
	struct entry *entry;
	enum sent_word word;

	pthread_mutex_lock(&sent->lock);
	entry = find(sent, message_id);
	assert(entry && entry->is_ours);
	assert(entry->has_intent || outcome != SENT_DELIVERED);
	word = find_word(entry, outcome);
	if (entry->has_intent && append(sent, entry, word, now) != ERR_OK)
		entry->word = word; /* goes into the file when it is written anew */
	entry->was_ambiguous |= word == SENT_AMBIGUOUS;
	entry->is_ours = entry->has_intent = false;
	pthread_mutex_unlock(&sent->lock);
	return word;
}

static enum err open_folder(struct sent *sent)
{
	scoped(buf_done) struct buf path = {0};

	if (mkdir(sent->folder, 0700) < 0 && errno != EEXIST)
		return ERR_IO;
	sent->folder_fd = open(sent->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sent->folder_fd < 0)
		return ERR_IO;
	if (flock(sent->folder_fd, LOCK_EX | LOCK_NB) < 0)
		return ERR_BUSY;
	buf_printf(&path, "%s/sent.log", sent->folder);
	sent->path = mem_copy(buf_str(&path));
	buf_printf(&path, ".new");
	sent->new_path = mem_copy(buf_str(&path));
	return ERR_OK;
}

/* A last line without its end was cut by a crash, before anybody could rely on it. */
static enum err read_all(struct sent *sent)
{
	FILE *file = fopen(sent->path, "re");
	char line[LINE_SIZE];
	uint32_t unread = 0;
	bool is_read;

	if (!file)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	while (fgets(line, sizeof(line), file)) {
		size_t size = strlen(line);

		if (size && line[size - 1] == '\n')
			unread += !read_line(sent, (struct str){line, size - 1});
	}
	is_read = !ferror(file);
	fclose(file);
	if (unread)
		log_warn("sent.lines_unread", "count=%u", unread);
	return is_read ? ERR_OK : ERR_IO;
}

static bool read_line(struct sent *sent, struct str line)
{
	char text[LINE_SIZE], word[16], message_id[LINE_SIZE];
	struct entry *entry;
	long long seconds;
	int end = 0;

	snprintf(text, sizeof(text), "%.*s", (int)line.size, line.data);
	if (sscanf(text, "%lld %15s %511s%n", &seconds, word, message_id, &end) != 3 || text[end])
		return false;
	for (enum sent_word i = 0; i < SENT_WORD_COUNT; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		entry = find_or_add(sent, str_from(message_id));
		entry->word = i;
		entry->at = seconds * MS_SECOND;
		entry->was_ambiguous |= i == SENT_AMBIGUOUS;
		return true;
	}
	return false;
}

static void note_ambiguous(struct sent *sent)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sent->count; i++) {
		struct entry *entry = sent->entries[i];

		if (entry->word != SENT_INTENT)
			continue;
		entry->word = SENT_AMBIGUOUS;
		entry->was_ambiguous = true;
		count++;
	}
	log_info("sent.opened", "mails=%u ambiguous=%u", sent->count, count);
}

/* One line an entry, in a new file that takes the old one's place. */
static enum err rewrite(struct sent *sent, ms_t now)
{
	scoped(buf_done) struct buf text = {0};
	int fd = -1;

	drop_old(sent, now - SENT_KEEP_DAYS * MS_DAY);
	for (uint32_t i = 0; i < sent->count; i++) {
		if (sent->entries[i]->at)
			print_line(&text, sent->entries[i]);
	}
	if (replace_file(sent, buf_str(&text), &fd) != ERR_OK) {
		log_error("sent.rewrite", "errno=%d", errno);
		unlink(sent->new_path);
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	close_file(sent);
	sent->fd = fd;
	sent->lines = sent->count;
	sent->lines_max = 2 * sent->count + SENT_LINES_SPARE;
	return ERR_OK;
}

static void drop_old(struct sent *sent, ms_t oldest)
{
	uint32_t kept = 0;

	map_done(&sent->by_id);
	for (uint32_t i = 0; i < sent->count; i++) {
		struct entry *entry = sent->entries[i];

		if (entry->at < oldest && !entry->is_ours) {
			entry_free(entry);
			continue;
		}
		sent->entries[kept++] = entry;
		map_put(&sent->by_id, fingerprint(str_from(entry->message_id)), kept);
	}
	sent->count = kept;
}

/* When only the last step fails, nobody knows which file a crash would leave: it counts as not done,
 * and what is added to the old one is lost. So nothing may be, until this has worked. */
static enum err replace_file(struct sent *sent, struct str text, int *fd)
{
	*fd = open(sent->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (*fd < 0 || write_whole(*fd, text) != ERR_OK || fsync(*fd) < 0)
		return ERR_IO;
	if (rename(sent->new_path, sent->path) < 0)
		return ERR_IO;
	if (fsync(sent->folder_fd) == 0)
		return ERR_OK;
	close_file(sent);
	return ERR_IO;
}

static struct entry *find(struct sent *sent, struct str message_id)
{
	struct map_cursor cursor = {0};
	uint32_t value;

	while (map_next(&sent->by_id, fingerprint(message_id), &cursor, &value)) {
		struct entry *entry = sent->entries[value - 1];

		if (str_is(message_id, entry->message_id))
			return entry;
	}
	return NULL;
}

/* A new entry reads as refused for now: nothing has left. */
static struct entry *find_or_add(struct sent *sent, struct str message_id)
{
	struct entry *entry = find(sent, message_id);

	if (entry)
		return entry;
	entry = mem_new(sizeof(*entry));
	entry->message_id = mem_copy(message_id);
	entry->word = SENT_LATER;
	MEM_ROOM(sent->entries, sent->count, sent->capacity);
	sent->entries[sent->count++] = entry;
	map_put(&sent->by_id, fingerprint(message_id), sent->count);
	return entry;
}

static uint64_t fingerprint(struct str message_id)
{
	static const uint8_t key[16] = "sent-journal";

	return hash_short(key, &message_id, 1);
}

static void entry_free(struct entry *entry)
{
	free(entry->message_id);
	free(entry);
}

/* A line that went in half would spoil the next one, and after a failed sync nobody knows what is on
 * disk: then the file is written anew before anything else. */
static enum err append(struct sent *sent, struct entry *entry, enum sent_word word, ms_t now)
{
	scoped(buf_done) struct buf line = {0};
	struct entry next = *entry;

	if (make_room(sent, now) != ERR_OK)
		return ERR_IO;
	next.word = word;
	next.at = now;
	print_line(&line, &next);
	if (write_whole(sent->fd, buf_str(&line)) != ERR_OK || fdatasync(sent->fd) < 0) {
		log_error("sent.write", "errno=%d", errno);
		close_file(sent);
		return ERR_IO;
	}
	sent->lines++;
	*entry = next;
	return ERR_OK;
}

/* Too long a file is no reason to stop: where it cannot be made shorter, it grows on. */
static enum err make_room(struct sent *sent, ms_t now)
{
	if (sent->fd >= 0 && sent->lines < sent->lines_max)
		return ERR_OK;
	if (rewrite(sent, now) == ERR_OK || sent->fd >= 0)
		return ERR_OK;
	return ERR_IO;
}

static void print_line(struct buf *out, const struct entry *entry)
{
	buf_printf(out, "%lld %s %s\n", (long long)(entry->at / MS_SECOND), words[entry->word],
		   entry->message_id);
}

static enum err write_whole(int fd, struct str text)
{
	ssize_t written = text.size ? write(fd, text.data, text.size) : 0;

	if (written >= 0 && written < (ssize_t)text.size)
		errno = ENOSPC;
	return written == (ssize_t)text.size ? ERR_OK : ERR_IO;
}

static void close_file(struct sent *sent)
{
	if (sent->fd >= 0)
		close(sent->fd);
	sent->fd = -1;
}

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

enum { LINE_SIZE = 512 };

struct entry {
	char *message_id;
	enum sent_word word; /* the last one */
	ms_t at;
	bool is_ours; /* the intent is of this process */
};

struct sent {
	pthread_mutex_t lock;
	char *folder, *path;
	int folder_fd; /* also carries the lock against a second process */
	int fd;
	struct entry *entries;
	uint32_t count, capacity;
	struct map by_id; /* fingerprint → index + 1 */
};

static enum err open_folder(struct sent *sent) must_use;
static enum err read_all(struct sent *sent) must_use;
static void read_line(struct sent *sent, struct str line);
static enum err rewrite(struct sent *sent, ms_t oldest) must_use;
static enum err note_ambiguous(struct sent *sent, ms_t now) must_use;
static struct entry *find(struct sent *sent, struct str message_id);
static struct entry *find_or_add(struct sent *sent, struct str message_id);
static uint64_t fingerprint(struct str message_id);
static enum err append(struct sent *sent, struct entry *entry, enum sent_word word,
		       ms_t now) must_use;
static void print_line(struct buf *out, const struct entry *entry);
static enum err write_whole(int fd, struct str text) must_use;

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
	if (err == ERR_OK)
		err = rewrite(new, now - SENT_KEEP_DAYS * MS_DAY);
	if (err == ERR_OK)
		err = note_ambiguous(new, now);
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
		free(old->entries[i].message_id);
	free(old->entries);
	map_done(&old->by_id);
	if (old->fd >= 0)
		close(old->fd);
	if (old->folder_fd >= 0)
		close(old->folder_fd);
	free(old->path);
	free(old->folder);
	pthread_mutex_destroy(&old->lock);
	mem_free(sent);
}

enum err sent_begin(struct sent *sent, struct str message_id, ms_t now)
{
	struct entry *entry;
	enum err err;

	pthread_mutex_lock(&sent->lock);
	entry = find_or_add(sent, message_id);
	if (entry->is_ours)
		err = ERR_BUSY;
	else if (entry->word == SENT_DELIVERED)
		err = ERR_CONFLICT;
	else
		err = append(sent, entry, SENT_INTENT, now);
	if (err == ERR_OK)
		entry->is_ours = true;
	pthread_mutex_unlock(&sent->lock);
	return err;
}

/* When the outcome cannot be written, the mail counts as delivered while this process lives, and as
 * ambiguous for the next. */
enum err sent_end(struct sent *sent, struct str message_id, enum sent_word outcome, ms_t now)
{
	struct entry *entry;
	enum err err;

	pthread_mutex_lock(&sent->lock);
	entry = find(sent, message_id);
	assert(entry && entry->is_ours);
	err = append(sent, entry, outcome, now);
	entry->word = outcome;
	entry->is_ours = false;
	pthread_mutex_unlock(&sent->lock);
	return err;
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
	return ERR_OK;
}

/* A last line without its end was cut by a crash, before anybody could rely on it. */
static enum err read_all(struct sent *sent)
{
	FILE *file = fopen(sent->path, "re");
	char line[LINE_SIZE];
	bool is_read;

	if (!file)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	while (fgets(line, sizeof(line), file)) {
		size_t size = strlen(line);

		if (size && line[size - 1] == '\n')
			read_line(sent, (struct str){line, size - 1});
	}
	is_read = !ferror(file);
	fclose(file);
	return is_read ? ERR_OK : ERR_IO;
}

static void read_line(struct sent *sent, struct str line)
{
	char text[LINE_SIZE], word[16], message_id[LINE_SIZE];
	struct entry *entry;
	long long seconds;

	snprintf(text, sizeof(text), "%.*s", (int)line.size, line.data);
	if (sscanf(text, "%lld %15s %511s", &seconds, word, message_id) != 3)
		return;
	for (enum sent_word i = 0; i < SENT_WORD_COUNT; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		entry = find_or_add(sent, str_from(message_id));
		entry->word = i;
		entry->at = seconds * MS_SECOND;
	}
}

/* One line an entry, in a new file that takes the old one's place; what is too old is left out. */
static enum err rewrite(struct sent *sent, ms_t oldest)
{
	scoped(buf_done) struct buf text = {0};
	scoped(buf_done) struct buf path = {0};
	bool is_written;

	for (uint32_t i = 0; i < sent->count; i++) {
		if (sent->entries[i].at >= oldest)
			print_line(&text, &sent->entries[i]);
	}
	buf_printf(&path, "%s.new%c", sent->path, '\0');
	sent->fd = open(path.data, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (sent->fd < 0)
		return ERR_IO;
	is_written = write_whole(sent->fd, buf_str(&text)) == ERR_OK && fsync(sent->fd) == 0 &&
		     rename(path.data, sent->path) == 0 && fsync(sent->folder_fd) == 0;
	return is_written ? ERR_OK : ERR_IO;
}

static enum err note_ambiguous(struct sent *sent, ms_t now)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sent->count; i++) {
		if (sent->entries[i].word != SENT_INTENT)
			continue;
		if (append(sent, &sent->entries[i], SENT_AMBIGUOUS, now) != ERR_OK)
			return ERR_IO;
		count++;
	}
	log_info("sent.opened", "mails=%u ambiguous=%u", sent->count, count);
	return ERR_OK;
}

static struct entry *find(struct sent *sent, struct str message_id)
{
	struct map_cursor cursor = {0};
	uint32_t value;

	while (map_next(&sent->by_id, fingerprint(message_id), &cursor, &value)) {
		struct entry *entry = &sent->entries[value - 1];

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
	MEM_ROOM(sent->entries, sent->count, sent->capacity);
	entry = &sent->entries[sent->count++];
	*entry = (struct entry){.message_id = mem_copy(message_id), .word = SENT_LATER};
	map_put(&sent->by_id, fingerprint(message_id), sent->count);
	return entry;
}

static uint64_t fingerprint(struct str message_id)
{
	static const uint8_t key[16] = "sent-journal";

	return hash_short(key, &message_id, 1);
}

static enum err append(struct sent *sent, struct entry *entry, enum sent_word word, ms_t now)
{
	scoped(buf_done) struct buf line = {0};
	struct entry next = *entry;

	next.word = word;
	next.at = now;
	print_line(&line, &next);
	if (write_whole(sent->fd, buf_str(&line)) != ERR_OK || fdatasync(sent->fd) < 0) {
		log_error("sent.write", "errno=%d", errno);
		return ERR_IO;
	}
	*entry = next;
	return ERR_OK;
}

static void print_line(struct buf *out, const struct entry *entry)
{
	buf_printf(out, "%lld %s %s\n", (long long)(entry->at / MS_SECOND), words[entry->word],
		   entry->message_id);
}

static enum err write_whole(int fd, struct str text)
{
	ssize_t written = text.size ? write(fd, text.data, text.size) : 0;

	return written == (ssize_t)text.size ? ERR_OK : ERR_IO;
}

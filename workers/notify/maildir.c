#include "workers/notify/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_folder(const char *path, const char *name);
static bool has_file(const char *path, const char *folder, struct str message_id);
static enum err write_file(const char *path, struct str text) must_use;
static enum err sync_folder(const char *path, const char *folder) must_use;

enum err maildir_open(const char *path)
{
	bool is_made = make_folder(path, "") && make_folder(path, "tmp") &&
		       make_folder(path, "new") && make_folder(path, "cur");

	return is_made ? ERR_OK : ERR_IO;
}

enum err maildir_deliver(const char *path, struct str message_id, struct str message)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (has_file(path, "new", message_id) || has_file(path, "cur", message_id))
		return ERR_OK;
	snprintf(from, sizeof(from), "%s/tmp/%.*s", path, (int)message_id.size, message_id.data);
	snprintf(to, sizeof(to), "%s/new/%.*s", path, (int)message_id.size, message_id.data);
	if (write_file(from, message) != ERR_OK)
		return ERR_IO;
	if (rename(from, to) < 0)
		return ERR_IO;
	return sync_folder(path, "new");
}

static bool make_folder(const char *path, const char *name)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/%s", path, name);
	return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

/* Whoever reads the mail moves it to cur and adds to its name, after ':' or ','. */
static bool is_named(const char *name, struct str message_id)
{
	if (strncmp(name, message_id.data, message_id.size) != 0)
		return false;
	name += message_id.size;
	return *name == '\0' || *name == ':' || *name == ',';
}

static bool has_file(const char *path, const char *folder, struct str message_id)
{
	char name[PATH_MAX];
	struct dirent *entry;
	bool is_there = false;
	DIR *files;

	snprintf(name, sizeof(name), "%s/%s", path, folder);
	files = opendir(name);
	if (!files)
		return false; /* writing into it will tell */
	while (!is_there && (entry = readdir(files)))
		is_there = is_named(entry->d_name, message_id);
	closedir(files);
	return is_there;
}

static enum err write_file(const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_written = fd >= 0;

	while (is_written && text.size) {
		ssize_t size = write(fd, text.data, text.size);

		is_written = size > 0;
		if (is_written)
			text = (struct str){text.data + size, text.size - size};
	}
	is_written = is_written && fsync(fd) == 0;
	if (fd >= 0 && close(fd) < 0)
		is_written = false;
	return is_written ? ERR_OK : ERR_IO;
}

static enum err sync_folder(const char *path, const char *folder)
{
	char name[PATH_MAX];
	bool is_synced;
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, folder);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	is_synced = fsync(fd) == 0;
	close(fd);
	return is_synced ? ERR_OK : ERR_IO;
}

#include "workers/notify/password.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *check_file(int fd);
static const char *cut_line(char *text, size_t size);

const char *password_read(const char *path, char password[PASSWORD_SIZE_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[PASSWORD_SIZE_MAX + 2] = {0};
	const char *wrong;
	ssize_t size;

	if (fd < 0)
		return "cannot be opened; must be a file that vigie-notify may read";
	wrong = check_file(fd);
	size = wrong ? 0 : read(fd, text, sizeof(text));
	close(fd);
	if (size < 0)
		wrong = "cannot be read; must be a file that vigie-notify may read";
	if (!wrong)
		wrong = cut_line(text, size);
	if (!wrong)
		memcpy(password, text, PASSWORD_SIZE_MAX + 1);
	explicit_bzero(text, sizeof(text));
	return wrong;
}

static const char *check_file(int fd)
{
	struct stat stat_buf;

	if (fstat(fd, &stat_buf) != 0 || !S_ISREG(stat_buf.st_mode))
		return "is no file; must be one that holds the password in its first line";
	if (stat_buf.st_mode & S_IRWXO)
		return "may be read by anybody; must have mode 0600, or 0640 and a group of its "
		       "own";
	return NULL;
}

/* The first line, without its end. */
static const char *cut_line(char *text, size_t size)
{
	size_t length = 0;

	while (length < size && text[length] != '\n' && text[length] != '\r')
		length++;
	if (length == 0)
		return "has an empty first line; must hold the password there";
	if (length > PASSWORD_SIZE_MAX)
		return "has a first line of more than 255 bytes; must hold the password there";
	if (memchr(text, '\0', length))
		return "has a zero byte in its first line; must hold the password there";
	text[length] = '\0';
	return NULL;
}

#include "daemon/io/kek.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/store.h"

enum { NONCE_SIZE = WRAP_NONCE_SIZE };

_Static_assert((int)NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "the cipher's");

static enum err read_open(const char *path, int fd, uint8_t kek[KEK_SIZE], struct fault *fault)
{
	struct stat stat_buf;

	if (fstat(fd, &stat_buf) != 0)
		return fault_set(fault, ERR_IO, "", "%s cannot be looked at: %s", path,
				 strerror(errno));
	if (stat_buf.st_mode & S_IRWXO)
		return fault_set(fault, ERR_CORRUPT, "",
				 "%s may be read by anybody: make it mode 0600", path);
	if (stat_buf.st_size != KEK_SIZE || read(fd, kek, KEK_SIZE) != KEK_SIZE)
		return fault_set(fault, ERR_CORRUPT, "", "%s must hold exactly %d bytes", path,
				 KEK_SIZE);
	return ERR_OK;
}

enum err kek_read(const char *path, uint8_t kek[KEK_SIZE], struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err err;

	if (fd < 0)
		return fault_set(fault, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "",
				 "%s cannot be opened: %s", path, strerror(errno));
	err = read_open(path, fd, kek, fault);
	close(fd);
	return err;
}

enum err kek_make(const char *path, uint8_t kek[KEK_SIZE], struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return fault_set(fault, ERR_IO, "", "%s cannot be made: %s", path, strerror(errno));
	randombytes_buf(kek, KEK_SIZE);
	written = write(fd, kek, KEK_SIZE) == KEK_SIZE && fsync(fd) == 0;
	close(fd);
	if (written && sync_folder_of(path) == ERR_OK)
		return ERR_OK;
	unlink(path);
	return fault_set(fault, ERR_IO, "", "%s cannot be written", path);
}

/* An end between the two leaves a useless old file and a good new one: opening finds it. */
static void overwrite(const char *path)
{
	uint8_t noise[KEK_SIZE];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	randombytes_buf(noise, sizeof(noise));
	if (write(fd, noise, sizeof(noise)) == sizeof(noise))
		(void)fsync(fd);
	close(fd);
}

enum err kek_replace(const char *new_path, const char *path)
{
	overwrite(path);
	if (rename(new_path, path) != 0)
		return ERR_IO;
	return sync_folder_of(path);
}

void kek_wrap(const uint8_t kek[KEK_SIZE], struct str name, struct str plain, uint8_t *out)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + NONCE_SIZE, NULL, (const uint8_t *)plain.data, plain.size,
		(const uint8_t *)name.data, name.size, NULL, out, kek);
}

bool kek_unwrap(const uint8_t kek[KEK_SIZE], struct str name, struct str sealed, uint8_t *out)
{
	const uint8_t *nonce = (const uint8_t *)sealed.data;

	return sealed.size >= WRAP_EXTRA &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(
		       out, NULL, NULL, nonce + NONCE_SIZE, sealed.size - NONCE_SIZE,
		       (const uint8_t *)name.data, name.size, nonce, kek) == 0;
}

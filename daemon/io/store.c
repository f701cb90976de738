#include "daemon/io/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	STORE_PATH_MAX = PATH_MAX - 64,
	LOCK_FILE_SIZE = 8192, /* as LMDB makes it for the readers it allows by default */
	DATA_SIZE_MIN = 8192,  /* two pages of LMDB's smallest: its heads */
	DISK_FULL_BELOW = 1024 * 1024,
};

struct store {
	MDB_env *env;
	MDB_dbi tables[STORE_TABLES_MAX];
	int lock_fd;
	char path[PATH_MAX];
};

enum err store_err(int code)
{
	switch (code) {
	case MDB_SUCCESS:
		return ERR_OK;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return ERR_STORAGE_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_DBI:
		return ERR_CORRUPT;
	default:
		return ERR_IO;
	}
}

static const char *beside(const char *path, const char *ending, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%.*s%s", STORE_PATH_MAX, path, ending);
	return out;
}

enum err sync_folder_of(const char *path)
{
	scoped(mem_free) char *folder = mem_copy(str_from(path));
	char *slash = strrchr(folder, '/');
	int fd, failed;

	if (slash && slash != folder)
		*slash = '\0';
	fd = open(!slash            ? "."
		  : slash == folder ? "/"
				    : folder,
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;

	failed = fsync(fd);
	close(fd);
	return failed ? ERR_IO : ERR_OK;
}

bool store_exists(const char *path)
{
	struct stat stat_buf;

	return lstat(path, &stat_buf) == 0;
}

void store_remove(const char *path)
{
	char file[PATH_MAX];

	unlink(beside(path, "/data.mdb", file));
	unlink(beside(path, "/lock.mdb", file));
	rmdir(path);
}

/* ---- opening ---- */

/* LMDB must not be opened twice, and flock() ends with the process however it ends. */
static enum err lock_take(const char *path, int *lock_fd, struct fault *fault)
{
	char file[PATH_MAX];
	int fd = open(beside(path, ".lock", file), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fault_set(fault, ERR_IO, "", "%s cannot be opened: %s", file,
				 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return fault_set(fault, ERR_BUSY, "",
				 "%s is in use by another process: only one may have it", path);
	}
	*lock_fd = fd;
	return ERR_OK;
}

/* LMDB maps its lock file and writes there: a page without room on the disk would end us by a signal. */
static int lock_file_fill(const char *path)
{
	char file[PATH_MAX];
	int fd = open(beside(path, "/lock.mdb", file), O_RDWR | O_CREAT | O_CLOEXEC, 0600), code;

	if (fd < 0)
		return errno;
	code = posix_fallocate(fd, 0, LOCK_FILE_SIZE);
	close(fd);
	return code;
}

/* LMDB met what it never writes. */
static void on_assert(MDB_env *env, const char *message)
{
	fprintf(stderr, "vigied: %s/data.mdb is damaged (%s): restore it from a backup\n",
		(const char *)mdb_env_get_userctx(env), message);
	_exit(EXIT_FAILURE);
}

/* `path` must live as long as the environment. */
static int env_begin(const struct store_options *options, const char *path, MDB_env **env)
{
	int code = lock_file_fill(path);

	if (code)
		return code;
	code = mdb_env_create(env);
	if (code)
		return code;
	code = mdb_env_set_userctx(*env, (void *)path);
	if (!code)
		code = mdb_env_set_assert(*env, on_assert);
	if (!code)
		code = mdb_env_set_mapsize(*env, options->size_max);
	if (!code)
		code = mdb_env_set_maxdbs(*env, STORE_TABLES_MAX);
	if (!code)
		code = mdb_env_open(*env, path, MDB_NOTLS, 0600);
	if (!code)
		return 0;
	mdb_env_close(*env);
	*env = NULL;
	return code;
}

static int tables_open(MDB_env *env, const struct store_options *options, unsigned int create,
		       MDB_dbi *tables)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(env, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (code)
		return code;
	for (uint32_t i = 0; i < options->table_count && !code; i++)
		code = mdb_dbi_open(txn, options->tables[i].name, options->tables[i].flags | create,
				    &tables[i]);
	if (!code)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

static int fill_new(const struct store_options *options, const char *path)
{
	MDB_dbi tables[STORE_TABLES_MAX];
	MDB_env *env;
	int code = env_begin(options, path, &env);

	if (code)
		return code;
	code = tables_open(env, options, MDB_CREATE, tables);
	if (!code)
		code = mdb_env_sync(env, 1);
	mdb_env_close(env);
	return code;
}

/* An end while it is made leaves the temporary folder behind, which is then begun again: no half-made
 * store ever has the real name. */
static enum err store_create(const struct store_options *options, struct fault *fault)
{
	char new_path[PATH_MAX], inside[PATH_MAX];
	int code;

	store_remove(beside(options->path, ".new", new_path));
	if (mkdir(new_path, 0700) != 0)
		return fault_set(fault, ERR_IO, "", "%s cannot be made: %s", new_path,
				 strerror(errno));
	code = fill_new(options, new_path);
	if (code)
		return fault_set(fault, ERR_IO, "", "%s cannot be filled: %s", new_path,
				 mdb_strerror(code));
	if (sync_folder_of(beside(new_path, "/data.mdb", inside)) != ERR_OK ||
	    rename(new_path, options->path) != 0 || sync_folder_of(options->path) != ERR_OK)
		return fault_set(fault, ERR_IO, "", "%s cannot be put in place: %s", options->path,
				 strerror(errno));
	return ERR_OK;
}

static enum err tell_short(const char *path, uint64_t size, uint64_t expected, struct fault *fault)
{
	return fault_set(fault, ERR_CORRUPT, "",
			 "%s/data.mdb is cut short: it is %llu bytes long and should be at least "
			 "%llu; restore it from a backup",
			 path, (unsigned long long)size, (unsigned long long)expected);
}

/* A folder without its data would be filled anew by LMDB, without a word. */
static enum err check_there(const char *path, struct fault *fault)
{
	struct stat stat_buf;
	char file[PATH_MAX];

	if (stat(beside(path, "/data.mdb", file), &stat_buf) != 0 || stat_buf.st_size == 0)
		return fault_set(fault, ERR_CORRUPT, "",
				 "%s is missing or empty: restore it, or move %s away", file, path);
	if (stat_buf.st_size < DATA_SIZE_MIN)
		return tell_short(path, (uint64_t)stat_buf.st_size, DATA_SIZE_MIN, fault);
	return ERR_OK;
}

/* What is missing at the end of a file would end us by a signal as soon as it is read. Each commit writes
 * its free list last, so that a file is never shorter than its head says. */
static enum err check_length(const char *path, MDB_env *env, struct fault *fault)
{
	MDB_envinfo info;
	MDB_stat stats;
	struct stat file;
	uint64_t expected;
	int fd;

	if (mdb_env_info(env, &info) || mdb_env_stat(env, &stats) || mdb_env_get_fd(env, &fd) ||
	    fstat(fd, &file) != 0)
		return fault_set(fault, ERR_IO, "", "%s cannot be looked at", path);
	expected = (info.me_last_pgno + 1) * (uint64_t)stats.ms_psize;
	if ((uint64_t)file.st_size < expected)
		return tell_short(path, (uint64_t)file.st_size, expected, fault);
	return ERR_OK;
}

/* A worker that is executed must not inherit the database. */
static int env_settle(MDB_env *env)
{
	int fd, dead, code = mdb_env_get_fd(env, &fd);

	if (!code && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		code = errno;
	return code ? code : mdb_reader_check(env, &dead);
}

static enum err tell_unopened(const struct store_options *options, int code, struct fault *fault)
{
	enum err err = code == MDB_NOTFOUND ? ERR_CORRUPT : store_err(code);

	return fault_set(fault, err, "", "%s cannot be opened: %s%s", options->path,
			 mdb_strerror(code),
			 err == ERR_CORRUPT ? "; restore it from a backup" : "");
}

static enum err store_attach(const struct store_options *options, struct store *store,
			     struct fault *fault)
{
	enum err err = check_there(options->path, fault);
	int code;

	if (err != ERR_OK)
		return err;
	code = env_begin(options, store->path, &store->env);
	if (code)
		return tell_unopened(options, code, fault);
	err = check_length(options->path, store->env, fault);
	if (err != ERR_OK)
		return err;
	code = env_settle(store->env);
	if (!code)
		code = tables_open(store->env, options, 0, store->tables);
	return code ? tell_unopened(options, code, fault) : ERR_OK;
}

enum err store_open(const struct store_options *options, struct store **out, struct fault *fault)
{
	scoped(store_close) struct store *store = mem_new(sizeof(*store));
	enum err err;

	assert(options->table_count <= STORE_TABLES_MAX);
	if (strlen(options->path) > STORE_PATH_MAX)
		return fault_set(fault, ERR_USAGE, "", "the path of a store is too long");
	snprintf(store->path, sizeof(store->path), "%s", options->path);
	store->lock_fd = -1;
	err = lock_take(options->path, &store->lock_fd, fault);
	if (err == ERR_OK && !store_exists(options->path))
		err = store_create(options, fault);
	if (err == ERR_OK)
		err = store_attach(options, store, fault);
	if (err != ERR_OK)
		return err;

	*out = store;
	store = NULL;
	return ERR_OK;
}

void store_close(struct store **address)
{
	struct store *store = *address;

	*address = NULL;
	if (!store)
		return;
	if (store->env)
		mdb_env_close(store->env);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store);
}

/* ---- use ---- */

MDB_env *store_env(struct store *store)
{
	return store->env;
}

MDB_dbi store_table(const struct store *store, uint32_t index)
{
	assert(index < STORE_TABLES_MAX);
	return store->tables[index];
}

enum err store_begin(struct store *store, bool write, MDB_txn **txn)
{
	return store_err(mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, txn));
}

enum err store_get(MDB_txn *txn, MDB_dbi table, struct str key, struct str *value)
{
	MDB_val name = {.mv_size = key.size, .mv_data = (void *)key.data}, found;
	int code = mdb_get(txn, table, &name, &found);

	if (code)
		return store_err(code);
	*value = (struct str){found.mv_data, found.mv_size};
	return ERR_OK;
}

enum err store_put(MDB_txn *txn, MDB_dbi table, struct str key, struct str value,
		   unsigned int flags)
{
	MDB_val name = {.mv_size = key.size, .mv_data = (void *)key.data};
	MDB_val content = {.mv_size = value.size, .mv_data = (void *)value.data};

	return store_err(mdb_put(txn, table, &name, &content, flags));
}

uint64_t store_disk_free(const struct store *store)
{
	struct statvfs disk;

	if (fstatvfs(store->lock_fd, &disk) != 0)
		return 0;
	return (uint64_t)disk.f_bavail * disk.f_frsize;
}

void store_complain(const struct store *store, const char *what, const char *why)
{
	uint64_t left = store_disk_free(store);

	fprintf(stderr, "vigied: %s: %s: %s; its disk has %llu KiB left%s\n", store->path, what,
		why, (unsigned long long)left / 1024,
		left < DISK_FULL_BELOW ? ": make room there, then start again" : "");
}

uint64_t store_map_left(struct store *store)
{
	MDB_envinfo info;
	MDB_stat stats;
	uint64_t used;

	if (mdb_env_info(store->env, &info) || mdb_env_stat(store->env, &stats))
		return 0;
	used = (info.me_last_pgno + 1) * (uint64_t)stats.ms_psize;
	return used < info.me_mapsize ? info.me_mapsize - used : 0;
}

/* ---- copies ---- */

/* mdb_env_copy() would make a file that others may read, and would not sync it. */
enum err store_copy(struct store *store, const char *path)
{
	char file[PATH_MAX];
	int fd, code;

	if (mkdir(path, 0700) != 0)
		return ERR_IO;
	fd = open(beside(path, "/data.mdb", file), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;

	code = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
	if (!code && fsync(fd) != 0)
		code = errno;
	close(fd);
	if (code) {
		log_error("store.copy", "code=%d", code);
		store_remove(path);
		return store_err(code);
	}
	return sync_folder_of(file) == ERR_OK ? sync_folder_of(path) : ERR_IO;
}

enum err store_exchange(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) != 0)
		return ERR_IO;
	return sync_folder_of(to);
}

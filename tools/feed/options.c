#include "tools/feed/options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_USAGE = 2, TIMEOUT_SECONDS = 30, SECRET_KEY_SIZE = 40, KEY_FILE_SIZE_MAX = 64 };

enum key {
	KEY_CONFIG = 'c',
	KEY_TO = 't',
	KEY_MAP = 'm',
	KEY_CHECK = 256,
	KEY_PRINT,
	KEY_DRIVE,
	KEY_FROM,
	KEY_UNTIL,
	KEY_CONTROL,
	KEY_TIMEOUT,
	KEY_REJECTS,
	KEY_REISSUE,
	KEY_ID_KEY,
	KEY_SERVER_KEY,
	KEY_SECRET_KEY,
};

static const struct argp_option table[] = {
	{"map", KEY_MAP, "MAPPING", 0,
	 "How files become events; again for each kind of file. A folder stands for its *.map", 0},
	{"config", KEY_CONFIG, "FILE", 0, "Take the sockets from vigie.conf", 1},
	{"to", KEY_TO, "ENDPOINT", 0, "Send there (ipc:///run/vigie/intake.sock, tcp://HOST:5570)",
	 1},
	{"server-key", KEY_SERVER_KEY, "KEY", 0, "The gate's public key, for tcp://", 1},
	{"secret-key", KEY_SECRET_KEY, "FILE", 0, "This sender's secret key, for tcp://", 1},
	{"timeout", KEY_TIMEOUT, "SECONDS", 0, "Give up when nothing is heard (30)", 1},
	{"check", KEY_CHECK, 0, 0, "Read and map only; the refused rows go to stdout", 2},
	{"print", KEY_PRINT, 0, 0, "Write the events to stdout, in order of time", 2},
	{"drive", KEY_DRIVE, 0, 0, "Move a rehearsal along with the events, to --until", 2},
	{"control", KEY_CONTROL, "SOCKET", 0, "The rehearsal's control.sock, for --drive", 2},
	{"from", KEY_FROM, "DATE", 0, "Only events of that day in Paris or later", 3},
	{"until", KEY_UNTIL, "DATE", 0, "Only events of that day in Paris or earlier", 3},
	{"rejects", KEY_REJECTS, "FOLDER", 0, "Where FILE.rejects.csv goes (beside FILE)", 4},
	{"reissue", KEY_REISSUE, "WORD", 0,
	 "Give the same rows other ids: for a row that was corrected, and now back", 4},
	{"id-key", KEY_ID_KEY, "FILE", 0, "32 bytes: make ids that nobody else can compute", 4},
	{0},
};

static void read_day(struct argp_state *state, const char *text, day_t *day)
{
	if (!day_parse(str_from(text), day))
		argp_error(state, "%s is no date: YYYY-MM-DD is wanted", text);
}

static void read_timeout(struct argp_state *state, const char *text, int64_t *timeout_ms)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || seconds < 1 || seconds > 86400)
		argp_error(state, "%s: a timeout is 1 to 86400 seconds", text);
	*timeout_ms = seconds * MS_SECOND;
}

/* What the file holds; of one that is longer than any key, as much as shows it. */
static struct str read_key_file(struct argp_state *state, const char *path,
				char data[KEY_FILE_SIZE_MAX])
{
	FILE *file = fopen(path, "re");
	struct str key = {data, 0};

	if (!file)
		argp_failure(state, STATUS_USAGE, errno, "%s", path);
	key.size = fread(data, 1, KEY_FILE_SIZE_MAX, file);
	fclose(file);
	return key;
}

static struct str without_line_end(struct str text)
{
	if (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (text.size > 0 && text.data[text.size - 1] == '\r')
		text.size--;
	return text;
}

static void read_secret_key(struct argp_state *state, const char *path, struct options *options)
{
	char data[KEY_FILE_SIZE_MAX];
	struct str key = without_line_end(read_key_file(state, path, data));

	if (key.size != SECRET_KEY_SIZE)
		argp_error(state, "%s: a secret key has 40 characters", path);
	free(options->secret_key);
	options->secret_key = mem_copy(key);
}

static void read_id_key(struct argp_state *state, const char *path, struct options *options)
{
	char data[KEY_FILE_SIZE_MAX];
	struct str key = read_key_file(state, path, data);

	if (key.size != HASH_KEY_SIZE)
		argp_error(state, "%s: a key for ids has 32 bytes, this file has %s", path,
			   key.size > HASH_KEY_SIZE ? "more" : "fewer");
	memcpy(options->id_key, key.data, HASH_KEY_SIZE);
	options->has_id_key = true;
}

static void set_mode(struct argp_state *state, enum mode mode)
{
	struct options *options = state->input;

	if (options->mode != MODE_SEND && options->mode != mode)
		argp_error(state, "one of --check, --print and --drive");
	options->mode = mode;
}

static void check_together(struct argp_state *state, const struct options *options)
{
	if (options->file_count == 0)
		argp_error(state, "no file");
	if (options->mode == MODE_DRIVE && options->until == DAY_NONE)
		argp_error(state, "--drive needs --until DATE");
	if (options->from != DAY_NONE && options->until != DAY_NONE &&
	    options->from > options->until)
		argp_error(state, "--from is later than --until: no day is between them");
	if (!options->server_key != !options->secret_key)
		argp_error(state, "--server-key and --secret-key go together");
	if (options->config && options->endpoint)
		argp_error(state, "either --config or --to");
}

static error_t read_option(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_MAP:
		MEM_ROOM(options->mappings, options->mapping_count, options->mappings_capacity);
		options->mappings[options->mapping_count++] = argument;
		break;
	case ARGP_KEY_ARG:
		MEM_ROOM(options->files, options->file_count, options->files_capacity);
		options->files[options->file_count++] = argument;
		break;
	case KEY_CONFIG:
		options->config = argument;
		break;
	case KEY_TO:
		options->endpoint = argument;
		break;
	case KEY_CONTROL:
		options->control = argument;
		break;
	case KEY_SERVER_KEY:
		options->server_key = argument;
		break;
	case KEY_SECRET_KEY:
		read_secret_key(state, argument, options);
		break;
	case KEY_TIMEOUT:
		read_timeout(state, argument, &options->timeout_ms);
		break;
	case KEY_CHECK:
		set_mode(state, MODE_CHECK);
		break;
	case KEY_PRINT:
		set_mode(state, MODE_PRINT);
		break;
	case KEY_DRIVE:
		set_mode(state, MODE_DRIVE);
		break;
	case KEY_FROM:
		read_day(state, argument, &options->from);
		break;
	case KEY_UNTIL:
		read_day(state, argument, &options->until);
		break;
	case KEY_REJECTS:
		options->rejects = argument;
		break;
	case KEY_REISSUE:
		options->reissue = argument;
		break;
	case KEY_ID_KEY:
		read_id_key(state, argument, options);
		break;
	case ARGP_KEY_END:
		check_together(state, options);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void options_read(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = table,
		.parser = read_option,
		.args_doc = "FILE...",
		.doc = "Files to events: CSV by a mapping that a person writes, NDJSON as it is."
		       "\vExit status: 0 all was taken, 1 something was refused (see "
		       "FILE.rejects.csv), 2 a mistake in the command or a mapping, 3 no daemon.",
	};

	*options = (struct options){
		.reissue = "",
		.from = DAY_NONE,
		.until = DAY_NONE,
		.timeout_ms = TIMEOUT_SECONDS * MS_SECOND,
	};
	argp_err_exit_status = STATUS_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, options);
}

void options_done(struct options *options)
{
	free(options->secret_key);
	free(options->mappings);
	free(options->files);
}

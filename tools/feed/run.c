#include "tools/feed/run.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/config.h"
#include "tools/feed/progress.h"
#include "tools/feed/publisher.h"

/* --- mappings --- */

static void add_mapping(struct run *run, const char *path, struct complaints *complaints)
{
	struct mapping *mapping = mapping_read(path, complaints);

	if (!mapping)
		return;
	MEM_ROOM(run->mappings, run->mapping_count, run->mappings_capacity);
	run->mappings[run->mapping_count++] = mapping;
}

static void add_folder(struct run *run, const char *folder, struct complaints *complaints)
{
	struct buf pattern = {0};
	glob_t found;

	buf_printf(&pattern, "%s/*.map", folder);
	buf_add(&pattern, "", 1);
	if (glob(pattern.data, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_mapping(run, found.gl_pathv[i], complaints);
		globfree(&found);
	} else {
		complain(complaints, folder, 0, "", "no *.map there");
	}
	buf_done(&pattern);
}

static void read_mappings(struct run *run, struct complaints *complaints)
{
	for (uint32_t i = 0; i < run->options->mapping_count; i++) {
		const char *path = run->options->mappings[i];
		struct stat status;

		if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
			add_folder(run, path, complaints);
		else
			add_mapping(run, path, complaints);
	}
}

/* --- where the core is --- */

static char *join(const char *a, const char *b)
{
	struct buf text = {0};
	char *copy;

	buf_printf(&text, "%s%s", a, b);
	copy = mem_copy(buf_str(&text));
	buf_done(&text);
	return copy;
}

static void find_core(struct run *run, struct complaints *complaints)
{
	const struct options *options = run->options;
	struct config *config = NULL;

	if (options->config && !config_load(options->config, &config, complaints)) {
		run->endpoint = join("ipc://", config->intake_ipc);
		run->control = join(config->control_socket, "");
		config_free(&config);
	}
	if (!run->endpoint)
		run->endpoint = join(
			options->endpoint ? options->endpoint : "ipc:///run/vigie/intake.sock", "");
	if (options->control || !run->control) {
		free(run->control);
		run->control =
			join(options->control ? options->control : "/run/vigie/control.sock", "");
	}
}

/* --- files --- */

static void open_sources(struct run *run, struct complaints *complaints)
{
	const struct options *options = run->options;

	run->source_count = options->file_count;
	run->sources = mem_new(run->source_count * sizeof(*run->sources));
	for (uint32_t i = 0; i < run->source_count; i++) {
		struct source *source = &run->sources[i];

		source->number = i;
		source_open(source, options->files[i], run->mappings, run->mapping_count,
			    complaints);
		source->converter.reissue = str_from(options->reissue);
		converter_set_default_key(&source->converter);
		if (options->has_id_key)
			memcpy(source->converter.id_key, options->id_key, HASH_KEY_SIZE);
	}
}

/* --- where refused rows go --- */

/* Who only looks at the events finds nothing new beside the files. */
static bool keeps_rejects(const struct options *options)
{
	switch (options->mode) {
	case MODE_CHECK:
		return false;
	case MODE_PRINT:
		return options->rejects != NULL;
	default:
		return true;
	}
}

static char *rejects_path(const struct run *run, const struct source *source)
{
	struct buf path = {0};
	char *copy;

	if (run->options->rejects)
		buf_printf(&path, "%s/%s", run->options->rejects, source->name);
	else
		buf_printf(&path, "%s", source->path);
	buf_printf(&path, ".rejects.csv");
	copy = mem_copy(buf_str(&path));
	buf_done(&path);
	return copy;
}

static void try_rejects(const struct run *run, struct complaints *complaints)
{
	for (uint32_t i = 0; i < run->source_count && keeps_rejects(run->options); i++) {
		char *path = rejects_path(run, &run->sources[i]);

		if (rejects_try(path))
			complain(complaints, path, 0, "", "%s (--rejects FOLDER puts it elsewhere)",
				 strerror(errno));
		free(path);
	}
}

/* The files are looked at only by mappings that hold. */
enum status run_prepare(struct run *run, const struct options *options)
{
	struct complaints complaints = {0};

	*run = (struct run){.options = options};
	find_core(run, &complaints);
	read_mappings(run, &complaints);
	if (complaints.count == 0)
		open_sources(run, &complaints);
	if (complaints.count == 0)
		try_rejects(run, &complaints);
	fprintf(stderr, "%.*s", (int)complaints.text.size, complaints.text.data);
	buf_done(&complaints.text);
	return complaints.count > 0 ? STATUS_USAGE : STATUS_OK;
}

void run_done(struct run *run)
{
	publisher_free(&run->publisher);
	for (uint32_t i = 0; i < run->source_count; i++)
		source_done(&run->sources[i]);
	free(run->sources);
	for (uint32_t i = 0; i < run->mapping_count; i++)
		mapping_free(&run->mappings[i]);
	free(run->mappings);
	free(run->endpoint);
	free(run->control);
}

/* --- reading --- */

bool run_wants(const struct run *run, ms_t time)
{
	day_t day = time_paris_day(time);

	return (run->options->from == DAY_NONE || day >= run->options->from) &&
	       (run->options->until == DAY_NONE || day <= run->options->until);
}

bool run_read(struct run *run, source_event_fn *on_event, void *context)
{
	for (uint32_t i = 0; i < run->source_count; i++) {
		enum err err = source_read(&run->sources[i], on_event, context);

		if (err == ERR_CLOSED)
			return false;
		if (!err)
			continue;
		fprintf(stderr, "%s: it cannot be read to its end\n", run->sources[i].path);
		run->is_broken = true;
	}
	return true;
}

/* --- what is left to say --- */

static void keep_rejects(struct run *run, struct source *source)
{
	char *path = rejects_path(run, source);

	if (rejects_write(&source->rejects, path)) {
		fprintf(stderr, "%s: %s (--rejects FOLDER puts it elsewhere)\n", path,
			strerror(errno));
		run->is_broken = true;
	} else if (source->rejects.count > 0) {
		fprintf(stderr, "%s: see %s\n", source->name, path);
	}
	free(path);
}

static void say_counts(const struct run *run, const char *name, const struct counts *counts)
{
	fprintf(stderr,
		"%s: %" PRIu64 " rows, %" PRIu64 " left out, %" PRIu64 " rejected, %" PRIu64
		" events",
		name, counts->rows, counts->left_out, counts->rejected, counts->events);
	if (run->publisher)
		fprintf(stderr, ": %" PRIu64 " taken, %" PRIu64 " duplicates, %" PRIu64 " refused",
			counts->taken, counts->duplicates, counts->refused);
	fputc('\n', stderr);
}

static void add_counts(struct counts *sum, const struct counts *counts)
{
	sum->rows += counts->rows;
	sum->left_out += counts->left_out;
	sum->rejected += counts->rejected;
	sum->events += counts->events;
	sum->taken += counts->taken;
	sum->duplicates += counts->duplicates;
	sum->refused += counts->refused;
}

enum status run_conclude(struct run *run, enum status status)
{
	struct counts sum = {0};

	progress_end();
	for (uint32_t i = 0; i < run->source_count; i++) {
		say_counts(run, run->sources[i].name, &run->sources[i].counts);
		add_counts(&sum, &run->sources[i].counts);
		if (keeps_rejects(run->options))
			keep_rejects(run, &run->sources[i]);
	}
	if (run->source_count > 1)
		say_counts(run, "all", &sum);
	if (status == STATUS_OK && (sum.rejected > 0 || sum.refused > 0 || run->is_broken))
		return STATUS_REFUSED;
	return status;
}

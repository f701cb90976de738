#include "tools/feed/rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

void rejects_add(struct rejects *rejects, uint64_t row, struct str column, struct str reason)
{
	MEM_ROOM(rejects->item, rejects->count, rejects->capacity);
	rejects->item[rejects->count] = (struct reject){
		.row = row,
		.order = rejects->count,
		.column = mem_copy(column),
		.reason = mem_copy(reason),
	};
	rejects->count++;
}

static int compare_rejects(const void *a, const void *b)
{
	const struct reject *left = a, *right = b;

	if (left->row != right->row)
		return left->row < right->row ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

void rejects_sort(struct rejects *rejects)
{
	if (rejects->count > 0)
		qsort(rejects->item, rejects->count, sizeof(*rejects->item), compare_rejects);
}

void rejects_done(struct rejects *rejects)
{
	for (uint32_t i = 0; i < rejects->count; i++) {
		free(rejects->item[i].column);
		free(rejects->item[i].reason);
	}
	free(rejects->item);
	*rejects = (struct rejects){0};
}

void rejects_print_text(FILE *out, const char *text, char after)
{
	if (text[strcspn(text, ",;\"\r\n")] == '\0') {
		fputs(text, out);
	} else {
		fputc('"', out);
		for (; *text; text++) {
			if (*text == '"')
				fputc('"', out);
			fputc(*text, out);
		}
		fputc('"', out);
	}
	fputc(after, out);
}

static enum err write_file(const struct rejects *rejects, const char *path)
{
	FILE *file = fopen(path, "w");
	bool is_bad;

	if (!file)
		return ERR_IO;
	fputs("row,column,reason\n", file);
	for (uint32_t i = 0; i < rejects->count; i++) {
		fprintf(file, "%" PRIu64 ",", rejects->item[i].row);
		rejects_print_text(file, rejects->item[i].column, ',');
		rejects_print_text(file, rejects->item[i].reason, '\n');
	}
	is_bad = ferror(file) != 0;
	if (fclose(file) != 0 || is_bad)
		return ERR_IO;
	return ERR_OK;
}

/* A draft is written beside it, and takes its place when it is whole. */
static char *draft_path(const char *path)
{
	scoped(buf_done) struct buf draft = {0};

	buf_printf(&draft, "%s.new", path);
	return mem_copy(buf_str(&draft));
}

enum err rejects_try(const char *path)
{
	char *draft = draft_path(path);
	FILE *file = fopen(draft, "w");
	bool is_good = file != NULL;

	if (file) {
		fclose(file);
		is_good = unlink(draft) == 0;
	}
	free(draft);
	return is_good ? ERR_OK : ERR_IO;
}

enum err rejects_write(struct rejects *rejects, const char *path)
{
	enum err err = ERR_OK;
	char *draft;

	if (rejects->count == 0)
		return unlink(path) == 0 || errno == ENOENT ? ERR_OK : ERR_IO;
	rejects_sort(rejects);
	draft = draft_path(path);
	err = write_file(rejects, draft);
	if (!err && rename(draft, path) != 0)
		err = ERR_IO;
	free(draft);
	return err;
}

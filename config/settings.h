/* A file in libconfig's syntax, read into records: the table that gives the struct (record.h) also says
 * which settings there may be, their types and bounds. Every mistake is told, with file and line.
 * libconfig is known to settings.c alone. */
#pragma once

#include "config/complaints.h"
#include "proto/codec.h"

struct settings;

/* Opens and parses. ERR_USAGE with complaints when the file cannot be read as settings. Text lies in
 * `arena`. */
enum err settings_open(const char *path, struct arena *arena, struct complaints *complaints,
		       struct settings **settings) must_use;
void settings_close(struct settings **settings);

/* Reads all settings into an object that already holds the defaults. What is required and neither there
 * nor a default is complained of. */
void settings_read(struct settings *settings, const struct record *record, void *object);

/* The line of a setting by its path ("pairs[0].email"), or of the nearest one around it. */
uint32_t settings_line(const struct settings *settings, const char *path);

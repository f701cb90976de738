/* A file in libconfig's syntax, read into records by tables of options. libconfig is known to
 * document*.c only. What is wrong is collected; nothing stops at the first mistake but a mistake of
 * syntax. */
#pragma once

#include "config/complaints.h"
#include "config/options.h"

struct document;

/* NULL when it cannot be read or is no libconfig syntax. `complaints` must outlive the document. */
struct document *document_open(const char *path, struct complaints *complaints);
void document_close(struct document **document);

/* Reads the group at `at` ("communes"; "" is the whole file) into `object`, which is cleared first:
 * defaults where nothing is set, a complaint about each option that is unknown, missing or wrong (it
 * stays absent then). Texts and lists lie in `arena`; each text is followed by a zero byte. */
void document_fill(struct document *document, const char *at, const struct options *family,
		   const struct record *record, struct arena *arena, void *object);

/* Was "senders[0].uid" written, rightly or wrongly? */
bool document_has(const struct document *document, const char *path);

/* The line of "senders[0].uid", or of the nearest group around it. */
uint32_t document_line(const struct document *document, const char *path);

/* Complains at the line of "sectors[1].openings[0]", or of the nearest group around it. */
void document_complain(struct document *document, const char *path, const char *format, ...)
	printf_like(3, 4);

/* `path` itself when it begins with /, else put behind the folder of the document's file. */
struct str document_path(const struct document *document, struct str path, struct arena *arena);

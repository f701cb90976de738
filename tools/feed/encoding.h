/* Files in any encoding, read as UTF-8. iconv is known to this file. */
#pragma once

#include <stdio.h>

#include "base/mem.h"

/* What a file is written in, by its byte order mark, or UTF-8 when all of it is valid UTF-8, else
 * CP1252, which Windows writes in France and which contains ISO-8859-1. The file is at its
 * beginning afterwards. */
const char *encoding_detect(FILE *file);

bool encoding_is_known(const char *name);

struct decoder;

/* `name` must be known. */
struct decoder *decoder_new(const char *name);
void decoder_free(struct decoder **decoder);

/* Appends to `out` what the bytes say in UTF-8; a character cut by the end of the bytes waits for the
 * next call, or is unreadable when `is_last`. Each unreadable byte becomes U+FFFD and is counted. A
 * byte order mark at the beginning is left out. */
void decoder_feed(struct decoder *decoder, struct str bytes, bool is_last, struct buf *out);
uint64_t decoder_errors(const struct decoder *decoder);

/* Text as it lies in other people's files, made comparable. utf8proc is known to this file. */
#pragma once

#include "base/mem.h"

/* Outer spaces off; inner spaces, no-break spaces, tabs and line ends are one space each run;
 * letters and their accents joined (NFC), so that the same word always has the same bytes. */
struct str text_clean(struct arena *arena, struct str text);

/* What two spellings of one word have in common: clean, without case and without accents. */
struct str text_fold(struct arena *arena, struct str text);

/* Holds U+FFFD, which the decoder puts where bytes were no character of the file's encoding. */
bool text_is_unreadable(struct str text);

/* The next piece of `*rest` before any of the `separators`; false when nothing is left. */
bool text_split(struct str *rest, struct str separators, struct str *piece);

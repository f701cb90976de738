/* Do a journal and a keystore belong together? Asked at the start, before anything is made or moved: after
 * a restore from backups they may be of different times, or one of them may be missing. */
#pragma once

#include "daemon/io/journal.h"
#include "daemon/io/keystore.h"

/* The journal holds so many events, and the keystore knows of so many: never of more. ERR_CORRUPT with a
 * sentence. */
enum err pairing_check_count(uint64_t held, uint64_t known, struct fault *fault) must_use;

/* Were this journal's events taken with these keys? Told by the first of them that has a digest made with
 * the installation's own key. ERR_CORRUPT with a sentence. */
enum err pairing_check_keys(struct journal *journal, struct keystore *keystore,
			    struct fault *fault) must_use;

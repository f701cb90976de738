/* Every look at a household's personal data, one line each, synced before the look is answered: when,
 * who (uid), what for, which case. It holds no personal data itself. */
#pragma once

#include "base/date.h"

struct access_log;

enum err access_log_open(const char *path, struct access_log **log) must_use;
void access_log_close(struct access_log **log);

/* After an error the look must not be given. */
enum err access_log_add(struct access_log *log, ms_t when, uint32_t uid, const char *method,
			const char *what, uint64_t number) must_use;

#include "base/err.h"

#include <string.h>

static const struct {
	const char *name, *meaning;
} rows[] = {
#define ROW(NAME, name, meaning) [ERR_##NAME] = {name, meaning},
	ERR_TABLE(ROW)
#undef ROW
};

const char *err_name(enum err err)
{
	assert(err < ERR_COUNT);
	return rows[err].name;
}

const char *err_meaning(enum err err)
{
	assert(err < ERR_COUNT);
	return rows[err].meaning;
}

enum err err_from_name(const char *name, size_t size)
{
	enum err err = 0;

	while (err < ERR_COUNT &&
	       !(strlen(rows[err].name) == size && memcmp(rows[err].name, name, size) == 0))
		err++;
	return err;
}

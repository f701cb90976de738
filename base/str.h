/* A borrowed piece of text or bytes: not terminated, owned by whoever holds the buffer. */
#pragma once

#include <string.h>

#include "base/base.h"

struct str {
	const char *data; /* NULL only when size is 0 */
	size_t size;
};

#define STR(literal) ((struct str){literal, sizeof(literal) - 1})

static inline struct str str_from(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
	return str_equal(a, str_from(text));
}

/* Bytewise, shorter first when one begins the other. */
int str_compare(struct str a, struct str b);

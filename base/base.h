/* What every file may use: assertions that stay in release builds, sizes, ownership marks. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The result says whether it worked, and must be looked at. */
#define must_use __attribute__((warn_unused_result))

/* Releases a local when its block ends: scoped(config_free) struct config *config = NULL; The
 * release function takes the address of the variable. */
#define scoped(release) __attribute__((cleanup(release)))

#define printf_like(text, first) __attribute__((format(printf, text, first)))

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

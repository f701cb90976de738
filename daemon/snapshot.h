/* State ↔ bytes. The same state gives the same bytes on every machine, so their digest compares two
 * states; indexes are left out and rebuilt. Numbers are little-endian, in the order of the tables of
 * snapshot.c. The version rises with the layout, and with any rule by which a journal gives another state: older
 * snapshots are then left aside and the journal is replayed. */
#pragma once

#include "daemon/state.h"

enum { SNAPSHOT_VERSION = 13 };

typedef void snapshot_out_fn(void *context, const void *bytes, size_t size);

/* Writes in pieces; nothing is kept of them. */
void snapshot_write(const struct state *state, snapshot_out_fn *out, void *context);

/* Fills an initialised, empty state and rebuilds its indexes. ERR_CORRUPT, with the state to be thrown
 * away, when the bytes are not of this version or do not end where they should. */
enum err snapshot_read(struct str bytes, struct state *state) must_use;

/* The time at which it was taken, from its first bytes alone; INT64_MAX when they are not of this
 * version. */
ms_t snapshot_time(struct str bytes);

/* BLAKE2b-256 of what snapshot_write() writes. */
void snapshot_digest(const struct state *state, uint8_t digest[32]);

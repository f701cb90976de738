/* A framed peer on AF_UNIX: 4 bytes of length (big-endian), then one MessagePack-RPC message. Used
 * between the core, the gate and the workers. The kernel says who is there. */
#pragma once

#include "base/str.h"
#include "base/err.h"
#include "proto/loop.h"

struct peer;

struct peer_handler {
	/* One frame; `bytes` are borrowed until the call returns. */
	void (*on_frame)(void *context, struct peer *peer, struct str bytes);
	/* All frames that were there have been given: the moment to do work in batches. May be NULL. */
	void (*on_idle)(void *context, struct peer *peer);
	/* The other side is gone, or sent a frame over PEER_FRAME_SIZE_MAX. The peer is freed after. */
	void (*on_closed)(void *context, struct peer *peer);
};

/* Takes the descriptor. Reading is bounded per turn of the loop. */
struct peer *peer_new(struct loop *loop, int fd, const struct peer_handler *handler, void *context);
void peer_close(struct peer **peer); /* without calling on_closed */

void peer_send(struct peer *peer, struct str frame); /* queued; the length is put in front */
size_t peer_pending(const struct peer *peer);   /* bytes queued and not yet taken by the kernel */
void peer_pause(struct peer *peer, bool pause); /* stop or go on reading */

uint32_t peer_uid(const struct peer *peer);
int32_t peer_pid(const struct peer *peer);
void peer_set_data(struct peer *peer, void *data); /* the owner's own */
void *peer_data(const struct peer *peer);

/* Listening and connecting. A stale socket file nobody listens on is replaced; one that answers is
 * not (ERR_IO, "in use"). */
struct listener;
typedef void listener_fn(void *context, int fd); /* takes the descriptor */
enum err listener_open(struct loop *loop, const char *path, uint32_t mode, listener_fn *fn,
		       void *context, struct listener **listener) must_use;
void listener_close(struct listener **listener);
enum err peer_connect(const char *path, int *fd) must_use; /* non-blocking, CLOEXEC */

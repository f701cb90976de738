/* Who a peer is, and how much of it the gate lets in. On ipc:// the kernel says the peer's uid;
 * bare TCP, which is bound to loopback only, stands for the one sender that the configuration
 * names. Nobody else is let in. What a sender may say is checked by the core. */
#pragma once

#include "base/fault.h"
#include "config/config.h"

enum {
	/* Requests of one sender on their way: no more, so that the answers always fit in what
	 * ZeroMQ queues for a peer that reads. */
	SENDER_INFLIGHT_MAX = 16384,
	INFLIGHT_RETRY_MS = 100,
};

/* One sender as the gate sees it. */
struct account {
	const struct sender *sender;
	size_t inflight_size; /* bytes of its frames on their way */
	uint32_t inflight;    /* and how many they are */
	int64_t allowance; /* thousandths of an event it may still send; below 0 after a large one */
	int64_t filled_ms; /* when the allowance was last brought up to date */
};

struct access {
	struct account accounts[SENDERS_MAX];
	uint32_t count;
};

/* The configuration must outlive the access. Allowances begin full at `now_ms`. */
void access_init(struct access *access, const struct config *config, int64_t now_ms);

/* `peer_address` as ZeroMQ tells it on ipc://, "localhost:uid:gid:pid"; NULL is nobody. */
struct account *access_find_uid(struct access *access, const char *peer_address);
struct account *access_find_loopback(struct access *access);

/* May a frame of that size and so many events come in now? When it may, it is counted until
 * account_settle() is called with the same size. ERR_BUSY tells how long to wait. */
enum err account_admit(struct account *account, size_t size, uint32_t events, int64_t now_ms,
		       struct fault *fault) must_use;
void account_settle(struct account *account, size_t size);

/* "127.0.0.1:5570", "[::1]:5570" and the like: nothing else may be bound without CURVE. */
bool address_is_loopback(const char *address);

#include "daemon/gate/access.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "proto/limits.h"

void access_init(struct access *access, const struct config *config, int64_t now_ms)
{
	access->count = config->sender_count;
	for (uint32_t i = 0; i < access->count; i++)
		access->accounts[i] = (struct account){
			.sender = &config->senders[i],
			.allowance = config->senders[i].rate * 1000LL,
			.filled_ms = now_ms,
		};
}

static bool parse_uid(const char *peer_address, int64_t *uid)
{
	const char *colon = peer_address ? strchr(peer_address, ':') : NULL;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	*uid = strtoll(colon + 1, &end, 10);
	return *end == ':' && *uid <= UINT32_MAX;
}

struct account *access_find_uid(struct access *access, const char *peer_address)
{
	int64_t uid;

	if (!parse_uid(peer_address, &uid))
		return NULL;
	for (uint32_t i = 0; i < access->count; i++)
		if (access->accounts[i].sender->uid == uid)
			return &access->accounts[i];
	return NULL;
}

struct account *access_find_loopback(struct access *access)
{
	for (uint32_t i = 0; i < access->count; i++)
		if (access->accounts[i].sender->loopback)
			return &access->accounts[i];
	return NULL;
}

/* By then any debt, which one request of the most events can leave, is paid at the slowest rate. */
enum { FILL_MAX_MS = (REQUEST_EVENTS_MAX + 1) * 1000 };

/* An allowance fills by the sender's rate, up to one second of it. */
static void fill(struct account *account, int64_t now_ms)
{
	int64_t rate = account->sender->rate, full = rate * 1000;
	int64_t elapsed_ms = now_ms - account->filled_ms;

	account->filled_ms = now_ms;
	if (elapsed_ms > FILL_MAX_MS)
		elapsed_ms = FILL_MAX_MS;
	account->allowance += elapsed_ms * rate;
	if (account->allowance > full)
		account->allowance = full;
}

/* How long until so many events may pass. A request of more events than a second allows passes when
 * the allowance is full, and leaves a debt. */
static int64_t wait_ms(const struct account *account, uint32_t events)
{
	int64_t rate = account->sender->rate;
	int64_t needed = (int64_t)min_u64(events, (uint64_t)rate) * 1000;

	if (account->allowance >= needed)
		return 0;
	return (needed - account->allowance + rate - 1) / rate;
}

static enum err check_rate(struct account *account, uint32_t events, int64_t now_ms,
			   struct fault *fault)
{
	int64_t wait;

	if (account->sender->rate == 0)
		return ERR_OK;
	fill(account, now_ms);
	wait = wait_ms(account, events);
	if (wait > 0) {
		fault_set(fault, ERR_BUSY, "", "over the %u events a second of this sender",
			  account->sender->rate);
		fault->retry_after_ms = (uint32_t)wait;
		return ERR_BUSY;
	}
	account->allowance -= events * 1000LL;
	return ERR_OK;
}

static bool has_room(const struct account *account, size_t size)
{
	return account->inflight < SENDER_INFLIGHT_MAX &&
	       account->inflight_size + size <= SENDER_INFLIGHT_SIZE_MAX;
}

enum err account_admit(struct account *account, size_t size, uint32_t events, int64_t now_ms,
		       struct fault *fault)
{
	if (!has_room(account, size)) {
		fault_set(fault, ERR_BUSY, "", "too much of this sender waits for its answers");
		fault->retry_after_ms = INFLIGHT_RETRY_MS;
		return ERR_BUSY;
	}
	if (check_rate(account, events, now_ms, fault) != ERR_OK)
		return ERR_BUSY;
	account->inflight_size += size;
	account->inflight++;
	return ERR_OK;
}

void account_settle(struct account *account, size_t size)
{
	assert(account->inflight > 0);
	assert(account->inflight_size >= size);

	account->inflight_size -= size;
	account->inflight--;
}

bool address_is_loopback(const char *address)
{
	const char *colon = strrchr(address, ':');
	char host[16] = "";
	struct in_addr ip4;

	if (!colon || (size_t)(colon - address) >= sizeof(host))
		return false;
	memcpy(host, address, (size_t)(colon - address));
	if (strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &ip4) == 1 && ntohl(ip4.s_addr) >> 24 == 127;
}

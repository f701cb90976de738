/* The least that a durable intake can do, to compare vigie with: one ZeroMQ ROUTER and one LMDB
 * journal in one loop. What is there is drained, each request decoded, the lot appended as one
 * record, synced, and only then acknowledged. No checks, no sealing, no state, no second process.
 *
 *   ceiling ENDPOINT FOLDER
 *
 * It is a measuring stick and no intake: what comes from outside is trusted. */
#include <errno.h>
#include <lmdb.h>
#include <msgpack.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/base.h"

enum { DRAIN_MAX = 4096, QUEUE_MAX = 20000 };
#define JOURNAL_SIZE_MAX (16UL * 1024 * 1024 * 1024)

struct request {
	zmq_msg_t route;
	uint32_t msgid, events;
	uint64_t seq; /* of its first event */
};

struct ceiling {
	void *context, *socket;
	MDB_env *env;
	MDB_dbi journal;
	uint64_t seq;

	struct request requests[DRAIN_MAX];
	uint32_t count;
	msgpack_sbuffer record, answer;
};

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
	(void)number;
	is_stopping = 1;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "ceiling: %s: %s\n", what, why);
	exit(1);
}

static void check_lmdb(int code, const char *what)
{
	if (code != 0)
		fail(what, mdb_strerror(code));
}

static void journal_open(struct ceiling *ceiling, const char *folder)
{
	MDB_txn *txn;

	check_lmdb(mdb_env_create(&ceiling->env), "create");
	check_lmdb(mdb_env_set_mapsize(ceiling->env, JOURNAL_SIZE_MAX), "map size");
	check_lmdb(mdb_env_open(ceiling->env, folder, MDB_NOTLS, 0600), folder);
	check_lmdb(mdb_txn_begin(ceiling->env, NULL, 0, &txn), "begin");
	check_lmdb(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &ceiling->journal), "open");
	check_lmdb(mdb_txn_commit(txn), "commit");
}

/* Returns when the record is on the disk. */
static void journal_append(struct ceiling *ceiling, uint64_t number)
{
	MDB_txn *txn;
	MDB_val key = {sizeof(number), &number};
	MDB_val value = {ceiling->record.size, ceiling->record.data};

	check_lmdb(mdb_txn_begin(ceiling->env, NULL, 0, &txn), "begin");
	check_lmdb(mdb_put(txn, ceiling->journal, &key, &value, MDB_APPEND), "put");
	check_lmdb(mdb_txn_commit(txn), "commit");
}

static void socket_open(struct ceiling *ceiling, const char *endpoint)
{
	int queue = QUEUE_MAX, mandatory = 1;

	ceiling->context = zmq_ctx_new();
	ceiling->socket = zmq_socket(ceiling->context, ZMQ_ROUTER);
	zmq_setsockopt(ceiling->socket, ZMQ_SNDHWM, &queue, sizeof(queue));
	zmq_setsockopt(ceiling->socket, ZMQ_RCVHWM, &queue, sizeof(queue));
	zmq_setsockopt(ceiling->socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof(mandatory));
	if (zmq_bind(ceiling->socket, endpoint) != 0)
		fail(endpoint, zmq_strerror(errno));
}

/* [0, msgid, method, [[event, …]]] */
static bool decode(struct request *request, const char *data, size_t size)
{
	msgpack_unpacked unpacked;
	const msgpack_object *item, *params;
	bool is_good;

	msgpack_unpacked_init(&unpacked);
	is_good = msgpack_unpack_next(&unpacked, data, size, NULL) == MSGPACK_UNPACK_SUCCESS &&
		  unpacked.data.type == MSGPACK_OBJECT_ARRAY && unpacked.data.via.array.size == 4;
	if (is_good) {
		item = unpacked.data.via.array.ptr;
		params = &item[3];
		request->msgid = (uint32_t)item[1].via.u64;
		request->events = 0;
		if (params->via.array.size == 1 &&
		    params->via.array.ptr[0].type == MSGPACK_OBJECT_ARRAY)
			request->events = params->via.array.ptr[0].via.array.size;
	}
	msgpack_unpacked_destroy(&unpacked);
	return is_good;
}

static void take_payload(struct ceiling *ceiling, struct request *request, zmq_msg_t *payload)
{
	uint32_t size = (uint32_t)zmq_msg_size(payload);

	if (!decode(request, zmq_msg_data(payload), size))
		fail("decode", "not a request");
	request->seq = ceiling->seq + 1;
	ceiling->seq += request->events;
	ceiling->count++;
	if (request->events == 0)
		return;
	msgpack_sbuffer_write(&ceiling->record, (const char *)&size, sizeof(size));
	msgpack_sbuffer_write(&ceiling->record, zmq_msg_data(payload), size);
}

static bool take_one(struct ceiling *ceiling)
{
	struct request *request = &ceiling->requests[ceiling->count];
	zmq_msg_t payload;

	zmq_msg_init(&request->route);
	if (zmq_msg_recv(&request->route, ceiling->socket, ZMQ_DONTWAIT) < 0)
		return false;
	zmq_msg_init(&payload);
	zmq_msg_recv(&payload, ceiling->socket, 0);
	take_payload(ceiling, request, &payload);
	zmq_msg_close(&payload);
	return true;
}

static void acknowledge(struct ceiling *ceiling, struct request *request)
{
	msgpack_packer packer;

	msgpack_sbuffer_clear(&ceiling->answer);
	msgpack_packer_init(&packer, &ceiling->answer, msgpack_sbuffer_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, 1);
	msgpack_pack_uint32(&packer, request->msgid);
	msgpack_pack_nil(&packer);
	msgpack_pack_array(&packer, request->events);
	for (uint32_t i = 0; i < request->events; i++) {
		msgpack_pack_map(&packer, 1);
		msgpack_pack_str_with_body(&packer, "seq", 3);
		msgpack_pack_uint64(&packer, request->seq + i);
	}
	if (zmq_msg_send(&request->route, ceiling->socket, ZMQ_SNDMORE) >= 0)
		zmq_send(ceiling->socket, ceiling->answer.data, ceiling->answer.size, 0);
	zmq_msg_close(&request->route);
}

static void turn(struct ceiling *ceiling)
{
	uint64_t first = ceiling->seq + 1;

	ceiling->count = 0;
	msgpack_sbuffer_clear(&ceiling->record);
	while (ceiling->count < DRAIN_MAX && take_one(ceiling))
		;
	if (ceiling->record.size > 0)
		journal_append(ceiling, first);
	for (uint32_t i = 0; i < ceiling->count; i++)
		acknowledge(ceiling, &ceiling->requests[i]);
}

int main(int argc, char **argv)
{
	struct ceiling *ceiling = calloc(1, sizeof(*ceiling));
	struct sigaction action = {.sa_handler = on_signal};

	if (argc != 3 || !ceiling)
		fail("usage", "ceiling ENDPOINT FOLDER");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	journal_open(ceiling, argv[2]);
	socket_open(ceiling, argv[1]);
	while (!is_stopping) {
		zmq_pollitem_t item = {ceiling->socket, 0, ZMQ_POLLIN, 0};

		if (zmq_poll(&item, 1, 1000) > 0)
			turn(ceiling);
	}
	zmq_close(ceiling->socket);
	zmq_ctx_term(ceiling->context);
	mdb_env_close(ceiling->env);
	msgpack_sbuffer_destroy(&ceiling->record);
	msgpack_sbuffer_destroy(&ceiling->answer);
	free(ceiling);
	return 0;
}

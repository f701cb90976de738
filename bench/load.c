/* Publishes events as fast as the answers allow, and tells how fast that was. Everything that is
 * sent is made before the clock starts, from a seed: the same seed and time give the same bytes.
 *
 *   load --endpoint ipc:///…/intake.sock --producers 8 --depth 1024 --events 100000
 *
 * Each producer is a thread with its own DEALER and `depth` events on their way. */
#include <argp.h>
#include <errno.h>
#include <msgpack.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "base/base.h"
#include "base/date.h"
#include "base/mem.h"

enum {
	SILENCE_MAX_MS = 30000, /* no answer for so long: what is missing counts as unanswered */
	QUEUE_MAX = 20000,
	CODES_MAX = 24,
	HELLO_MSGID = UINT32_MAX,
};

struct arguments {
	const char *endpoint, *source;
	uint32_t producers, depth, batch, events, seconds;
	uint64_t seed;
	int64_t time_ms;
};

/* Refusals by code: few codes, so a list. */
struct tally {
	struct {
		char code[32];
		uint64_t count;
	} row[CODES_MAX];
	uint32_t count;
};

struct producer {
	const struct arguments *arguments;
	void *context, *socket;
	pthread_barrier_t *start;
	uint64_t random;

	msgpack_sbuffer bytes; /* all requests, one after the other; request n ends at end[n] */
	size_t *end;
	uint32_t requests;

	int64_t *sent_us;
	uint32_t *ack_us;
	uint32_t sent, answered; /* requests */
	uint64_t taken;          /* events with a number */
	int64_t started_us, ended_us;
	struct tally refused;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- events */

/* splitmix64, public domain: the same numbers everywhere. */
static uint64_t next_random(struct producer *producer)
{
	uint64_t z = producer->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void pack_text(msgpack_packer *packer, const char *text)
{
	msgpack_pack_str_with_body(packer, text, strlen(text));
}

static void pack_pair(msgpack_packer *packer, const char *key, const char *value)
{
	pack_text(packer, key);
	pack_text(packer, value);
}

/* A key with a value made of `format` and one new random number. */
static void pack_random(struct producer *producer, msgpack_packer *packer, const char *key,
			const char *format, uint64_t modulus)
{
	char text[96];

	snprintf(text, sizeof(text), format, (unsigned long long)(next_random(producer) % modulus));
	pack_pair(packer, key, text);
}

/* Nobody is like anybody else: no two agree in two of name, phone and address. */
static void pack_person(struct producer *producer, msgpack_packer *packer)
{
	pack_text(packer, "person");
	msgpack_pack_map(packer, 3);
	pack_random(producer, packer, "name", "Martin %llx", 1ULL << 48);
	pack_random(producer, packer, "phone", "06%08llu", 100000000);
	pack_random(producer, packer, "address", "%llu rue des Arènes", 1ULL << 40);
}

static void pack_data(struct producer *producer, msgpack_packer *packer, const char *day)
{
	msgpack_pack_map(packer, 6);
	pack_random(producer, packer, "form", "%llx", 1ULL << 60);
	pack_pair(packer, "giver", "TS001");
	pack_pair(packer, "insee", "39198");
	pack_text(packer, "reasons");
	msgpack_pack_array(packer, 1);
	pack_text(packer, "arrears");
	pack_pair(packer, "consent_on", day);
	pack_person(producer, packer);
}

static void pack_event(struct producer *producer, msgpack_packer *packer, const char *time,
		       const char *day)
{
	msgpack_pack_map(packer, 7);
	pack_pair(packer, "specversion", "1.0");
	pack_random(producer, packer, "id", "%016llx", UINT64_MAX);
	pack_pair(packer, "source", producer->arguments->source);
	pack_pair(packer, "type", "fr.vigie.referral.received");
	pack_pair(packer, "time", time);
	pack_random(producer, packer, "subject", "%llx", UINT64_MAX);
	pack_text(packer, "data");
	pack_data(producer, packer, day);
}

static void make_requests(struct producer *producer, uint32_t requests)
{
	const struct arguments *arguments = producer->arguments;
	char time[TIME_TEXT_SIZE], day[DAY_TEXT_SIZE];
	msgpack_packer packer;

	time_print(arguments->time_ms, time);
	day_print(time_paris_day(arguments->time_ms), day);
	producer->requests = requests;
	producer->end = mem_new(sizeof(*producer->end) * (requests + 1));
	producer->sent_us = mem_new(sizeof(*producer->sent_us) * (requests + 1));
	producer->ack_us = mem_new(sizeof(*producer->ack_us) * (requests + 1));
	msgpack_packer_init(&packer, &producer->bytes, msgpack_sbuffer_write);
	for (uint32_t i = 0; i < requests; i++) {
		msgpack_pack_array(&packer, 4);
		msgpack_pack_int(&packer, 0);
		msgpack_pack_uint32(&packer, i);
		pack_text(&packer, "publish");
		msgpack_pack_array(&packer, 1);
		msgpack_pack_array(&packer, arguments->batch);
		for (uint32_t event = 0; event < arguments->batch; event++)
			pack_event(producer, &packer, time, day);
		producer->end[i] = producer->bytes.size;
	}
}

/* ---- answers */

static void tally_add(struct tally *tally, const char *code, size_t size, uint64_t count)
{
	uint32_t i = 0;

	while (i < tally->count &&
	       (strlen(tally->row[i].code) != size || memcmp(tally->row[i].code, code, size) != 0))
		i++;
	if (i == CODES_MAX || size >= sizeof(tally->row[i].code))
		return;
	if (i == tally->count)
		memcpy(tally->row[tally->count++].code, code, size);
	tally->row[i].count += count;
}

static const msgpack_object *map_find(const msgpack_object *map, const char *key)
{
	if (map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *pair = &map->via.map.ptr[i];

		if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == strlen(key) &&
		    memcmp(pair->key.via.str.ptr, key, strlen(key)) == 0)
			return &pair->val;
	}
	return NULL;
}

static void count_refused(struct producer *producer, const msgpack_object *error, uint64_t events)
{
	const msgpack_object *code = map_find(error, "code");

	if (code && code->type == MSGPACK_OBJECT_STR)
		tally_add(&producer->refused, code->via.str.ptr, code->via.str.size, events);
	else
		tally_add(&producer->refused, "?", 1, events);
}

static void count_results(struct producer *producer, const msgpack_object *results)
{
	if (results->type != MSGPACK_OBJECT_ARRAY)
		return;
	for (uint32_t i = 0; i < results->via.array.size; i++) {
		const msgpack_object *result = &results->via.array.ptr[i];
		const msgpack_object *error = map_find(result, "error");

		if (error)
			count_refused(producer, error, 1);
		else if (map_find(result, "seq"))
			producer->taken++;
	}
}

/* [1, msgid, error, result] */
static void on_answer(struct producer *producer, const msgpack_object *answer)
{
	const msgpack_object *item = answer->via.array.ptr;
	uint64_t msgid;

	if (answer->type != MSGPACK_OBJECT_ARRAY || answer->via.array.size != 4)
		fail("answer", "not one of MessagePack-RPC");
	msgid = item[1].via.u64;
	if (msgid == HELLO_MSGID)
		return;
	if (msgid >= producer->sent)
		fail("answer", "to something that was not asked");
	producer->ended_us = now_us();
	producer->ack_us[producer->answered++] =
		(uint32_t)(producer->ended_us - producer->sent_us[msgid]);
	if (item[2].type != MSGPACK_OBJECT_NIL)
		count_refused(producer, &item[2], producer->arguments->batch);
	else
		count_results(producer, &item[3]);
}

static bool receive(struct producer *producer, int flags)
{
	msgpack_unpacked unpacked;
	zmq_msg_t message;
	bool is_there;

	zmq_msg_init(&message);
	is_there = zmq_msg_recv(&message, producer->socket, flags) >= 0;
	if (is_there) {
		msgpack_unpacked_init(&unpacked);
		if (msgpack_unpack_next(&unpacked, zmq_msg_data(&message), zmq_msg_size(&message),
					NULL) != MSGPACK_UNPACK_SUCCESS)
			fail("answer", "not msgpack");
		on_answer(producer, &unpacked.data);
		msgpack_unpacked_destroy(&unpacked);
	}
	zmq_msg_close(&message);
	return is_there;
}

/* ---- producing */

static void send_next(struct producer *producer)
{
	uint32_t number = producer->sent++;
	size_t begin = number ? producer->end[number - 1] : 0;

	producer->sent_us[number] = now_us();
	if (zmq_send(producer->socket, producer->bytes.data + begin, producer->end[number] - begin,
		     0) < 0)
		fail("send", zmq_strerror(errno));
}

static void socket_open(struct producer *producer)
{
	int queue = QUEUE_MAX, linger = 0, silence = SILENCE_MAX_MS;

	producer->socket = zmq_socket(producer->context, ZMQ_DEALER);
	zmq_setsockopt(producer->socket, ZMQ_SNDHWM, &queue, sizeof(queue));
	zmq_setsockopt(producer->socket, ZMQ_RCVHWM, &queue, sizeof(queue));
	zmq_setsockopt(producer->socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(producer->socket, ZMQ_RCVTIMEO, &silence, sizeof(silence));
	if (zmq_connect(producer->socket, producer->arguments->endpoint) != 0)
		fail(producer->arguments->endpoint, zmq_strerror(errno));
}

/* So that connecting is not measured. */
static void say_hello(struct producer *producer)
{
	msgpack_sbuffer bytes;
	msgpack_packer packer;

	msgpack_sbuffer_init(&bytes);
	msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, 0);
	msgpack_pack_uint32(&packer, HELLO_MSGID);
	pack_text(&packer, "hello");
	msgpack_pack_array(&packer, 1);
	msgpack_pack_map(&packer, 0);
	zmq_send(producer->socket, bytes.data, bytes.size, 0);
	msgpack_sbuffer_destroy(&bytes);
	if (!receive(producer, 0))
		fail(producer->arguments->endpoint, "nobody answers");
}

/* Sends while the window and the time allow; answers are taken as they come. */
static void produce(struct producer *producer)
{
	const struct arguments *arguments = producer->arguments;
	uint32_t window = arguments->depth / arguments->batch;
	int64_t until_us =
		arguments->seconds ? now_us() + arguments->seconds * 1000000LL : INT64_MAX;
	bool is_over = false;

	if (window == 0)
		window = 1;
	producer->started_us = now_us();
	while (producer->answered < producer->sent || !is_over) {
		is_over = producer->sent == producer->requests || now_us() >= until_us;
		while (!is_over && producer->sent - producer->answered < window) {
			send_next(producer);
			is_over = producer->sent == producer->requests;
		}
		if (producer->answered < producer->sent && !receive(producer, 0))
			return;
		while (producer->answered < producer->sent && receive(producer, ZMQ_DONTWAIT))
			;
	}
}

static void *run_producer(void *context)
{
	struct producer *producer = context;

	socket_open(producer);
	say_hello(producer);
	pthread_barrier_wait(producer->start);
	produce(producer);
	zmq_close(producer->socket);
	return NULL;
}

/* ---- the report */

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

struct sum {
	uint64_t taken, sent, answered, bytes;
	int64_t started_us, ended_us;
	uint32_t *ack_us;
	struct tally refused;
};

static void sum_add(struct sum *sum, const struct producer *producer)
{
	memcpy(sum->ack_us + sum->answered, producer->ack_us,
	       producer->answered * sizeof(*sum->ack_us));
	sum->taken += producer->taken;
	sum->sent += producer->sent;
	sum->answered += producer->answered;
	sum->bytes += producer->sent ? producer->end[producer->sent - 1] : 0;
	sum->started_us =
		producer->started_us < sum->started_us ? producer->started_us : sum->started_us;
	sum->ended_us = producer->ended_us > sum->ended_us ? producer->ended_us : sum->ended_us;
	for (uint32_t i = 0; i < producer->refused.count; i++)
		tally_add(&sum->refused, producer->refused.row[i].code,
			  strlen(producer->refused.row[i].code), producer->refused.row[i].count);
}

static double percentile_ms(const struct sum *sum, unsigned percent)
{
	if (sum->answered == 0)
		return 0;
	return sum->ack_us[(sum->answered - 1) * percent / 100] / 1000.0;
}

static void print_report(const struct arguments *arguments, struct sum *sum)
{
	double seconds = (double)(sum->ended_us - sum->started_us) / 1e6;

	qsort(sum->ack_us, sum->answered, sizeof(*sum->ack_us), compare_u32);
	printf("{\"rate\": %.0f, \"events\": %lu, \"seconds\": %.3f, ",
	       sum->taken && seconds > 0 ? (double)sum->taken / seconds : 0.0, sum->taken, seconds);
	printf("\"ack_p50_ms\": %.3f, \"ack_p99_ms\": %.3f, ", percentile_ms(sum, 50),
	       percentile_ms(sum, 99));
	printf("\"request_bytes\": %lu, \"unanswered\": %lu, \"errors\": {",
	       sum->sent ? sum->bytes / sum->sent : 0,
	       (sum->sent - sum->answered) * arguments->batch);
	for (uint32_t i = 0; i < sum->refused.count; i++)
		printf("%s\"%s\": %lu", i ? ", " : "", sum->refused.row[i].code,
		       sum->refused.row[i].count);
	printf("}}\n");
}

static void report(const struct arguments *arguments, const struct producer *producers)
{
	struct sum sum = {.started_us = INT64_MAX};
	size_t answered = 1;

	for (uint32_t i = 0; i < arguments->producers; i++)
		answered += producers[i].answered;
	sum.ack_us = mem_new(answered * sizeof(*sum.ack_us));
	for (uint32_t i = 0; i < arguments->producers; i++)
		sum_add(&sum, &producers[i]);
	print_report(arguments, &sum);
	free(sum.ack_us);
}

/* ---- arguments */

enum {
	KEY_ENDPOINT = 256,
	KEY_PRODUCERS,
	KEY_DEPTH,
	KEY_BATCH,
	KEY_EVENTS,
	KEY_SECONDS,
	KEY_SEED,
	KEY_TIME,
	KEY_SOURCE
};

static const struct argp_option options[] = {
	{"endpoint", KEY_ENDPOINT, "URL", 0, "of the intake", 0},
	{"producers", KEY_PRODUCERS, "N", 0, "threads with a connection each (1)", 0},
	{"depth", KEY_DEPTH, "N", 0, "events on their way per producer (64)", 0},
	{"batch", KEY_BATCH, "N", 0, "events a request (1)", 0},
	{"events", KEY_EVENTS, "N", 0, "events in all (100000), and no more with --seconds", 0},
	{"seconds", KEY_SECONDS, "N", 0, "stop sending after so long", 0},
	{"seed", KEY_SEED, "N", 0, "for what is sent (1)", 0},
	{"time", KEY_TIME, "MS", 0, "of the events, since 1970 (now)", 0},
	{"source", KEY_SOURCE, "TEXT", 0, "of the events (bench)", 0},
	{0},
};

static uint32_t parse_count(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || value == 0 || value > 100000000)
		argp_error(state, "%s is not a number from 1 to 100000000", text);
	return (uint32_t)value;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case KEY_ENDPOINT:
		arguments->endpoint = text;
		return 0;
	case KEY_SOURCE:
		arguments->source = text;
		return 0;
	case KEY_PRODUCERS:
		arguments->producers = parse_count(state, text);
		return 0;
	case KEY_DEPTH:
		arguments->depth = parse_count(state, text);
		return 0;
	case KEY_BATCH:
		arguments->batch = parse_count(state, text);
		return 0;
	case KEY_EVENTS:
		arguments->events = parse_count(state, text);
		return 0;
	case KEY_SECONDS:
		arguments->seconds = parse_count(state, text);
		return 0;
	case KEY_SEED:
		arguments->seed = strtoull(text, NULL, 10);
		return 0;
	case KEY_TIME:
		arguments->time_ms = strtoll(text, NULL, 10);
		return 0;
	case ARGP_KEY_END:
		if (!arguments->endpoint)
			argp_error(state, "--endpoint is needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Publishes events and prints the rate, the times to the answer and the refusals.",
};

static void run(const struct arguments *arguments, struct producer *producers)
{
	uint32_t requests = arguments->events / arguments->producers / arguments->batch;
	void *context = zmq_ctx_new();
	pthread_t *threads = mem_new(sizeof(*threads) * arguments->producers);
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, arguments->producers);
	for (uint32_t i = 0; i < arguments->producers; i++) {
		producers[i].arguments = arguments;
		producers[i].context = context;
		producers[i].start = &start;
		producers[i].random = arguments->seed * 1000003 + i * 7919;
		make_requests(&producers[i], requests ? requests : 1);
	}
	for (uint32_t i = 0; i < arguments->producers; i++)
		pthread_create(&threads[i], NULL, run_producer, &producers[i]);
	for (uint32_t i = 0; i < arguments->producers; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	zmq_ctx_term(context);
	free(threads);
}

static void producers_free(struct producer *producers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		msgpack_sbuffer_destroy(&producers[i].bytes);
		free(producers[i].end);
		free(producers[i].sent_us);
		free(producers[i].ack_us);
	}
	free(producers);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.source = "bench",
		.producers = 1,
		.depth = 64,
		.batch = 1,
		.events = 100000,
		.seed = 1,
		.time_ms = (int64_t)time(NULL) * 1000,
	};
	struct producer *producers;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	producers = mem_new(sizeof(*producers) * arguments.producers);
	run(&arguments, producers);
	report(&arguments, producers);
	producers_free(producers, arguments.producers);
	return 0;
}

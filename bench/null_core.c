/* A core that does nothing, to measure the gate alone: takes the gate's connection, and answers
 * every forwarded request as taken, with one event and one number.
 *
 *   null_core SOCKET
 */
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_SIZE = 1024 * 1024 };

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t get_u32(const char *data)
{
	const unsigned char *byte = (const unsigned char *)data;

	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static void pack_answer(struct buf *out, uint32_t msgid, const char *result, size_t size)
{
	char head[] = {'\x94',
		       '\x01',
		       '\xce',
		       (char)(msgid >> 24),
		       (char)(msgid >> 16),
		       (char)(msgid >> 8),
		       (char)msgid,
		       '\xc0'};

	buf_add(out, head, sizeof(head));
	buf_add(out, result, size);
}

static uint32_t read_msgid(const char *data, size_t size, msgpack_unpacked *unpacked)
{
	if (msgpack_unpack_next(unpacked, data, size, NULL) != MSGPACK_UNPACK_SUCCESS)
		fail("unpack");
	return (uint32_t)unpacked->data.via.array.ptr[1].via.u64;
}

/* [0, gate's msgid, "forward", [sender, frame]] */
static void on_frame(struct buf *out, const char *data, size_t size)
{
	static const char taken[] = "\x91\x81\xa3seq\x01";
	struct buf answer = {0};
	msgpack_unpacked outer, inner;
	const msgpack_object *params;
	uint32_t gate_msgid, msgid, length;
	char head[6];

	msgpack_unpacked_init(&outer);
	msgpack_unpacked_init(&inner);
	gate_msgid = read_msgid(data, size, &outer);
	params = &outer.data.via.array.ptr[3];
	msgid = read_msgid(params->via.array.ptr[1].via.bin.ptr,
			   params->via.array.ptr[1].via.bin.size, &inner);
	pack_answer(&answer, msgid, taken, sizeof(taken) - 1);
	head[0] = '\xc4';
	head[1] = (char)answer.size;
	length = (uint32_t)answer.size + 2 + 8;
	buf_add(out, (char[]){0, 0, (char)(length >> 8), (char)length}, 4);
	pack_answer(out, gate_msgid, head, 2);
	buf_add(out, answer.data, answer.size);
	buf_done(&answer);
	msgpack_unpacked_destroy(&outer);
	msgpack_unpacked_destroy(&inner);
}

static void send_all(int fd, const struct buf *out)
{
	for (size_t sent = 0; sent < out->size;) {
		ssize_t n = write(fd, out->data + sent, out->size - sent);

		if (n < 0)
			fail("write");
		sent += (size_t)n;
	}
}

/* All that came in one read is answered in one write. */
static void serve(int fd)
{
	struct buf in = {0}, out = {0};

	for (;;) {
		char *room = buf_room(&in, READ_SIZE);
		ssize_t n = read(fd, room, READ_SIZE);
		size_t at = 0;

		if (n <= 0)
			break;
		in.size -= READ_SIZE - (size_t)n;
		buf_reset(&out);
		while (in.size - at >= 4 && in.size - at - 4 >= get_u32(in.data + at)) {
			on_frame(&out, in.data + at + 4, get_u32(in.data + at));
			at += 4 + get_u32(in.data + at);
		}
		memmove(in.data, in.data + at, in.size - at);
		in.size -= at;
		send_all(fd, &out);
	}
	buf_done(&in);
	buf_done(&out);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: null_core SOCKET\n");
		return 2;
	}
	strcpy(address.sun_path, argv[1]);
	unlink(argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0)
		fail(argv[1]);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			fail("accept");
		serve(fd);
		close(fd);
	}
}

#include "proto/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "proto/limits.h"

/* Much at once makes much durable with one sync: so the kernel may keep as much on its way as we take
 * in one turn of the loop, as far as the system allows it. */
enum {
	HEADER_SIZE = 4,
	READ_SIZE = 512 * 1024,  /* taken from one peer in one turn of the loop, at most */
	SEND_SIZE = READ_SIZE,   /* on its way in the kernel */
	WRITE_SIZE = 256 * 1024, /* so much is not left waiting for the end of the turn */
	ACCEPTS_MAX = 64,        /* in one turn of the loop */
	ACCEPT_PAUSE_MS = 100,   /* when there are no descriptors left */
	BACKLOG = 128,
};

struct peer {
	struct loop *loop;
	int fd; /* -1 once closed */
	const struct peer_handler *handler;
	void *context, *data;
	uint32_t uid;
	int32_t pid;

	struct watch *readable;        /* NULL while paused */
	struct watch *writable;        /* only while the kernel would take no more */
	struct timer *flush, *deliver; /* both at once after what is ready now */

	char *in; /* from in_begin to in_end: read, not yet delivered */
	size_t in_begin, in_end, in_capacity;
	struct buf out;
	size_t out_sent;

	bool is_paused, is_flushing;
	bool is_deaf;   /* takes nothing more from us: what it sent before is still read */
	bool is_ended;  /* sends nothing more */
	uint32_t calls; /* of the owner's functions we are in: it is not freed under them */
};

static void descriptor_prepare(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void on_readable(void *context, int fd, bool can_read, bool can_write);
static void on_writable(void *context, int fd, bool can_read, bool can_write);
static void on_flush(void *context);
static void on_deliver(void *context);

struct peer *peer_new(struct loop *loop, int fd, const struct peer_handler *handler, void *context)
{
	struct peer *peer = mem_new(sizeof(*peer));
	struct ucred who = {.pid = 0, .uid = UINT32_MAX};
	socklen_t size = sizeof(who);

	descriptor_prepare(fd);
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_SIZE}, sizeof(int));
	peer->loop = loop;
	peer->fd = fd;
	peer->handler = handler;
	peer->context = context;
	peer->uid = who.uid;
	peer->pid = who.pid;
	peer->readable = watch_new(loop, fd, true, false, on_readable, peer);
	peer->flush = timer_new(loop, on_flush, peer);
	peer->deliver = timer_new(loop, on_deliver, peer);
	return peer;
}

/* Closing: the descriptor at once, the memory when nobody is inside any more. */

static void peer_end(struct peer *peer)
{
	watch_free(&peer->readable);
	watch_free(&peer->writable);
	timer_free(&peer->flush);
	timer_free(&peer->deliver);
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

/* True when the peer is gone. */
static bool peer_leave(struct peer *peer)
{
	peer->calls--;
	if (peer->fd >= 0)
		return false;
	if (peer->calls == 0) {
		free(peer->in);
		buf_done(&peer->out);
		free(peer);
	}
	return true;
}

static void peer_write(struct peer *peer);

void peer_close(struct peer **address)
{
	struct peer *peer = *address;

	*address = NULL;
	if (!peer || peer->fd < 0)
		return;
	peer->calls++;
	peer_write(peer); /* a last word, as far as it fits */
	peer_end(peer);
	peer_leave(peer);
}

static void peer_lost(struct peer *peer)
{
	if (peer->handler->on_closed)
		peer->handler->on_closed(peer->context, peer);
	peer_end(peer);
}

/* Reading. */

static void input_make_room(struct peer *peer)
{
	size_t left = peer->in_end - peer->in_begin;

	if (left && peer->in_begin)
		memmove(peer->in, peer->in + peer->in_begin, left);
	peer->in_begin = 0;
	peer->in_end = left;
	if (peer->in_capacity - left < READ_SIZE / 2) {
		peer->in_capacity = left + READ_SIZE;
		peer->in = mem_grow(peer->in, peer->in_capacity);
	}
}

static void input_read(struct peer *peer)
{
	ssize_t got;

	input_make_room(peer);
	got = read(peer->fd, peer->in + peer->in_end, peer->in_capacity - peer->in_end);
	if (got > 0)
		peer->in_end += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		peer->is_ended = true;
}

static uint32_t length_read(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The next whole frame; `is_ended` is set when one is announced that is too large. */
static bool input_next(struct peer *peer, struct str *frame)
{
	size_t left = peer->in_end - peer->in_begin;
	const char *at = peer->in + peer->in_begin;
	uint32_t size;

	if (left < HEADER_SIZE)
		return false;
	size = length_read(at);
	if (size > PEER_FRAME_SIZE_MAX) {
		peer->is_ended = true;
		return false;
	}
	if (left < HEADER_SIZE + (size_t)size)
		return false;
	*frame = (struct str){at + HEADER_SIZE, size};
	peer->in_begin += HEADER_SIZE + size;
	return true;
}

/* Gives every whole frame, unless the owner closes or pauses the peer meanwhile. */
static void input_deliver(struct peer *peer)
{
	struct str frame;
	bool any = false;

	while (peer->fd >= 0 && !peer->is_paused && input_next(peer, &frame)) {
		any = true;
		peer->handler->on_frame(peer->context, peer, frame);
	}
	if (any && peer->fd >= 0 && peer->handler->on_idle)
		peer->handler->on_idle(peer->context, peer);
	if (peer->fd >= 0 && !peer->is_paused && peer->is_ended)
		peer_lost(peer);
}

static void on_readable(void *context, int fd, bool can_read, bool can_write)
{
	struct peer *peer = context;

	(void)fd;
	(void)can_read;
	(void)can_write;
	peer->calls++;
	input_read(peer);
	input_deliver(peer);
	peer_leave(peer);
}

static void on_deliver(void *context)
{
	struct peer *peer = context;

	peer->calls++;
	input_deliver(peer);
	peer_leave(peer);
}

/* What was read before the pause is delivered after it, from the loop and not from this call. */
void peer_pause(struct peer *peer, bool pause)
{
	if (peer->fd < 0 || pause == peer->is_paused)
		return;
	peer->is_paused = pause;
	if (pause) {
		watch_free(&peer->readable);
		timer_stop(peer->deliver);
		return;
	}
	peer->readable = watch_new(peer->loop, peer->fd, true, false, on_readable, peer);
	timer_set(peer->deliver, 0);
}

/* Writing. Frames are gathered, and written together once what is ready now has been worked off. */

static void output_forget_sent(struct peer *peer)
{
	size_t left = peer->out.size - peer->out_sent;

	if (left && peer->out_sent < left)
		return; /* not worth moving */
	if (left)
		memmove(peer->out.data, peer->out.data + peer->out_sent, left);
	peer->out.size = left;
	peer->out_sent = 0;
}

static void output_watch(struct peer *peer, bool watch)
{
	if (!watch)
		watch_free(&peer->writable);
	else if (!peer->writable)
		peer->writable = watch_new(peer->loop, peer->fd, false, true, on_writable, peer);
}

static void peer_write(struct peer *peer)
{
	while (peer->out_sent < peer->out.size) {
		ssize_t sent = send(peer->fd, peer->out.data + peer->out_sent,
				    peer->out.size - peer->out_sent, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break;
		peer->out_sent += (size_t)sent;
	}
	if (peer->out_sent < peer->out.size && errno != EAGAIN) {
		peer->is_deaf = true;
		peer->out_sent = peer->out.size;
	}
	output_watch(peer, peer->out_sent < peer->out.size);
	output_forget_sent(peer);
}

static void on_flush(void *context)
{
	struct peer *peer = context;

	peer->is_flushing = false;
	peer_write(peer);
}

static void on_writable(void *context, int fd, bool can_read, bool can_write)
{
	(void)fd;
	(void)can_read;
	(void)can_write;
	peer_write(context);
}

void peer_send(struct peer *peer, struct str frame)
{
	unsigned char *header;

	assert(frame.size <= PEER_FRAME_SIZE_MAX);
	if (peer->fd < 0 || peer->is_deaf)
		return;
	header = buf_room(&peer->out, HEADER_SIZE);
	header[0] = (unsigned char)(frame.size >> 24);
	header[1] = (unsigned char)(frame.size >> 16);
	header[2] = (unsigned char)(frame.size >> 8);
	header[3] = (unsigned char)frame.size;
	buf_add_str(&peer->out, frame);

	if (peer->writable)
		return; /* the kernel says when */
	if (peer->out.size - peer->out_sent >= WRITE_SIZE) {
		peer_write(peer);
	} else if (!peer->is_flushing) {
		peer->is_flushing = true;
		timer_set(peer->flush, 0);
	}
}

size_t peer_pending(const struct peer *peer)
{
	return peer->out.size - peer->out_sent;
}

uint32_t peer_uid(const struct peer *peer)
{
	return peer->uid;
}

int32_t peer_pid(const struct peer *peer)
{
	return peer->pid;
}

void peer_set_data(struct peer *peer, void *data)
{
	peer->data = data;
}

void *peer_data(const struct peer *peer)
{
	return peer->data;
}

/* Connecting and listening. */

static bool address_set(struct sockaddr_un *address, const char *path)
{
	size_t size = strlen(path);

	memset(address, 0, sizeof(*address));
	if (size == 0 || size >= sizeof(address->sun_path))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, size);
	return true;
}

static int socket_new(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

enum err peer_connect(const char *path, int *fd)
{
	struct sockaddr_un address;
	int connecting, reason;

	if (!address_set(&address, path))
		return ERR_USAGE;
	connecting = socket_new();
	if (connecting < 0)
		return ERR_IO;
	if (!connect(connecting, (struct sockaddr *)&address, sizeof(address))) {
		*fd = connecting;
		return ERR_OK;
	}
	reason = errno;
	close(connecting);
	if (reason == ECONNREFUSED || reason == ENOENT)
		return ERR_CLOSED;
	return reason == EAGAIN ? ERR_BUSY : ERR_IO;
}

struct listener {
	struct loop *loop;
	int fd;
	struct watch *watch;
	struct timer *again;
	listener_fn *fn;
	void *context;
	char *path;
	dev_t device; /* of the file we made: another's is not removed */
	ino_t inode;
};

/* Makes the name free if what stands there is a socket that nobody answers. */
static enum err path_clear(const char *path)
{
	struct stat stat;
	int fd = -1;
	enum err err;

	if (lstat(path, &stat) != 0)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	if (!S_ISSOCK(stat.st_mode))
		return ERR_IO;
	err = peer_connect(path, &fd);
	if (err != ERR_CLOSED) {
		if (fd >= 0)
			close(fd);
		return ERR_IO; /* in use */
	}
	return unlink(path) == 0 || errno == ENOENT ? ERR_OK : ERR_IO;
}

/* The mode holds from the first moment: the file is born with it. */
static bool socket_bind(int fd, const struct sockaddr_un *address, uint32_t mode)
{
	mode_t before = umask(0777 & ~mode);
	int failed = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(before);
	return !failed && chmod(address->sun_path, mode) == 0 && listen(fd, BACKLOG) == 0;
}

static void on_acceptable(void *context, int fd, bool can_read, bool can_write);

static void on_accept_again(void *context)
{
	struct listener *listener = context;

	listener->watch =
		watch_new(listener->loop, listener->fd, true, false, on_acceptable, listener);
}

/* Without descriptors the socket stays readable and would keep the loop busy: look away a while. */
static void on_acceptable(void *context, int fd, bool can_read, bool can_write)
{
	struct listener *listener = context;

	(void)can_read;
	(void)can_write;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (accepted >= 0) {
			listener->fn(listener->context, accepted);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			watch_free(&listener->watch);
			timer_set(listener->again, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

enum err listener_open(struct loop *loop, const char *path, uint32_t mode, listener_fn *fn,
		       void *context, struct listener **out)
{
	struct sockaddr_un address;
	struct listener *listener;
	struct stat stat;
	int fd;

	if (!address_set(&address, path))
		return ERR_USAGE;
	if (path_clear(path))
		return ERR_IO;
	fd = socket_new();
	if (fd < 0)
		return ERR_IO;
	if (!socket_bind(fd, &address, mode) || lstat(path, &stat) != 0) {
		close(fd);
		return ERR_IO;
	}
	listener = mem_new(sizeof(*listener));
	*listener = (struct listener){.loop = loop,
				      .fd = fd,
				      .fn = fn,
				      .context = context,
				      .path = mem_copy(str_from(path)),
				      .device = stat.st_dev,
				      .inode = stat.st_ino};
	listener->again = timer_new(loop, on_accept_again, listener);
	listener->watch = watch_new(loop, fd, true, false, on_acceptable, listener);
	*out = listener;
	return ERR_OK;
}

void listener_close(struct listener **address)
{
	struct listener *listener = *address;
	struct stat stat;

	*address = NULL;
	if (!listener)
		return;
	watch_free(&listener->watch);
	timer_free(&listener->again);
	if (lstat(listener->path, &stat) == 0 && stat.st_dev == listener->device &&
	    stat.st_ino == listener->inode)
		unlink(listener->path);
	close(listener->fd);
	free(listener->path);
	free(listener);
}

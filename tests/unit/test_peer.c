#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "proto/limits.h"
#include "proto/peer.h"

/* Two ends of one socket in one loop. */
struct scene {
	struct loop *loop;
	struct peer *left, *right;
	uint64_t frames, bytes, idles, closes;
	uint64_t stop_after; /* frames */
	struct buf last;
	bool close_in_frame, close_in_closed, echo, pause_in_frame;
};

static void on_frame(void *context, struct peer *peer, struct str bytes)
{
	struct scene *scene = context;

	scene->frames++;
	scene->bytes += bytes.size;
	buf_reset(&scene->last);
	buf_add_str(&scene->last, bytes);
	if (scene->echo && peer == scene->right)
		peer_send(peer, bytes);
	if (scene->pause_in_frame)
		peer_pause(peer, true);
	if (scene->close_in_frame) {
		assert_ptr_equal(peer, scene->right);
		peer_close(&scene->right);
		loop_stop(scene->loop);
	}
	if (scene->frames == scene->stop_after)
		loop_stop(scene->loop);
}

static void on_idle(void *context, struct peer *peer)
{
	struct scene *scene = context;

	(void)peer;
	scene->idles++;
}

static void on_closed(void *context, struct peer *peer)
{
	struct scene *scene = context;

	scene->closes++;
	if (peer == scene->right && scene->close_in_closed)
		peer_close(&scene->right);
	if (peer == scene->right)
		scene->right = NULL;
	else
		scene->left = NULL;
	loop_stop(scene->loop);
}

static const struct peer_handler handler = {on_frame, on_idle, on_closed};

static void on_too_long(void *context)
{
	struct scene *scene = context;

	loop_stop(scene->loop);
}

static void scene_run(struct scene *scene, int64_t at_most_ms)
{
	struct timer *timer = timer_new(scene->loop, on_too_long, scene);

	timer_set(timer, at_most_ms);
	loop_run(scene->loop, NULL, NULL, NULL);
	timer_free(&timer);
}

static int setup(void **state)
{
	struct scene *scene = mem_new(sizeof(*scene));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	scene->loop = loop_new();
	scene->left = peer_new(scene->loop, fds[0], &handler, scene);
	scene->right = peer_new(scene->loop, fds[1], &handler, scene);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	peer_close(&scene->left);
	peer_close(&scene->right);
	loop_free(&scene->loop);
	buf_done(&scene->last);
	free(scene);
	return 0;
}

/* A frame arrives as it was sent, also an empty one and the largest there may be. */
static void test_frames_arrive_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 255, 256 * 1024 - 4, 256 * 1024, PEER_FRAME_SIZE_MAX};
	struct scene *scene = *state;
	char *bytes = mem_new(PEER_FRAME_SIZE_MAX);

	memset(bytes, 'v', PEER_FRAME_SIZE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		scene->stop_after = scene->frames + 1;
		peer_send(scene->left, (struct str){bytes, sizes[i]});
		scene_run(scene, 5000);

		assert_int_equal(scene->frames, i + 1);
		assert_int_equal(scene->last.size, sizes[i]);
		assert_true(sizes[i] == 0 || !memcmp(scene->last.data, bytes, sizes[i]));
	}
	free(bytes);
}

/* Many frames of one turn come in order and with few pauses between: they are read together. */
static void test_many_frames_are_read_together(void **state)
{
	struct scene *scene = *state;
	int64_t begun = clock_boot_ms(), took;

	scene->stop_after = 200000;
	for (uint32_t i = 0; i < scene->stop_after; i++) {
		char text[32] = "abcdefghijklmnop";

		memcpy(text, &i, sizeof(i));
		peer_send(scene->left, (struct str){text, sizeof(text)});
	}
	scene_run(scene, 20000);

	took = clock_boot_ms() - begun;
	print_message("%d frames of 32 bytes in %d ms\n", (int)scene->frames, (int)took);
	assert_int_equal(scene->frames, 200000);
	assert_true(scene->idles < 1000);
	assert_memory_equal(scene->last.data, &(uint32_t){199999}, sizeof(uint32_t));
}

/* An answer sent from within on_frame arrives. */
static void test_answers_from_within_arrive(void **state)
{
	struct scene *scene = *state;

	scene->echo = true;
	scene->stop_after = 2;
	peer_send(scene->left, STR("ping"));
	scene_run(scene, 2000);

	assert_int_equal(scene->frames, 2);
	assert_true(str_is(buf_str(&scene->last), "ping"));
}

/* A peer may be closed by its owner while it is handing out a frame; what follows is dropped. */
static void test_closing_from_within_is_safe(void **state)
{
	struct scene *scene = *state;

	scene->close_in_frame = true;
	peer_send(scene->left, STR("one"));
	peer_send(scene->left, STR("two"));
	scene_run(scene, 2000);

	assert_int_equal(scene->frames, 1);
	assert_null(scene->right);
	assert_int_equal(scene->closes, 0);
}

/* An owner that closes the peer once more when told it is gone does no harm. */
static void test_closing_when_told_is_safe(void **state)
{
	struct scene *scene = *state;

	scene->close_in_closed = true;
	peer_close(&scene->left);
	scene_run(scene, 2000);

	assert_int_equal(scene->closes, 1);
}

/* What was sent before the other side left is delivered, and then its leaving. */
static void test_last_words_are_heard(void **state)
{
	struct scene *scene = *state;

	peer_send(scene->left, STR("farewell"));
	peer_close(&scene->left);
	scene_run(scene, 2000);

	assert_int_equal(scene->frames, 1);
	assert_true(str_is(buf_str(&scene->last), "farewell"));
	assert_int_equal(scene->closes, 1);
}

/* A frame announced larger than allowed ends the connection before it is read. */
static void test_oversized_frame_ends_the_peer(void **state)
{
	struct scene *scene = *state;
	int fds[2];

	peer_close(&scene->right);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	scene->right = peer_new(scene->loop, fds[0], &handler, scene);
	assert_int_equal(write(fds[1], "\x00\x40\x00\x01", 4), 4);
	peer_close(&scene->left);
	scene_run(scene, 2000);

	assert_int_equal(scene->closes, 1);
	assert_null(scene->right);
	assert_int_equal(scene->frames, 0);
	close(fds[1]);
}

/* A length cut in the middle, and a frame that comes byte by byte, are put together. */
static void test_frames_in_crumbs_are_put_together(void **state)
{
	static const char bytes[] = "\0\0\0\3abc\0\0\0\1d";
	struct scene *scene = *state;
	int fds[2];

	peer_close(&scene->right);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	scene->right = peer_new(scene->loop, fds[0], &handler, scene);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		assert_int_equal(write(fds[1], bytes + i, 1), 1);
		scene_run(scene, 2);
	}

	assert_int_equal(scene->frames, 2);
	assert_true(str_is(buf_str(&scene->last), "d"));
	close(fds[1]);
}

/* A paused peer delivers nothing, also of what was read already, and goes on where it was. */
static void test_pause_holds_everything_back(void **state)
{
	struct scene *scene = *state;

	scene->pause_in_frame = true;
	peer_send(scene->left, STR("one"));
	peer_send(scene->left, STR("two"));
	peer_send(scene->left, STR("three"));
	scene_run(scene, 30);
	assert_int_equal(scene->frames, 1);

	scene->pause_in_frame = false;
	peer_pause(scene->right, false);
	scene_run(scene, 30);

	assert_int_equal(scene->frames, 3);
	assert_true(str_is(buf_str(&scene->last), "three"));
}

/* What the kernel does not take waits, is counted, and is sent when it does. */
static void test_pending_output_waits(void **state)
{
	struct scene *scene = *state;
	static char bytes[1024 * 1024];

	peer_pause(scene->right, true);
	for (int i = 0; i < 8; i++)
		peer_send(scene->left, (struct str){bytes, sizeof(bytes)});
	scene_run(scene, 30);
	assert_int_equal(scene->frames, 0);
	assert_true(peer_pending(scene->left) > 6 * sizeof(bytes));

	scene->stop_after = 8;
	peer_pause(scene->right, false);
	scene_run(scene, 5000);

	assert_int_equal(scene->frames, 8);
	assert_int_equal(scene->bytes, 8 * sizeof(bytes));
	assert_int_equal(peer_pending(scene->left), 0);
}

static void count_timer(void *context)
{
	++*(int *)context;
}

/* A peer that never stops talking does not keep timers from their turn. */
static void test_timers_run_beside_a_flood(void **state)
{
	struct scene *scene = *state;
	struct timer *timer;
	int fired = 0;

	scene->echo = true;
	timer = timer_new(scene->loop, count_timer, &fired);
	timer_set(timer, 0);
	for (int i = 0; i < 100000; i++)
		peer_send(scene->left, STR("flood flood flood flood"));
	scene->stop_after = 200000;
	scene_run(scene, 10000);

	assert_int_equal(scene->frames, 200000);
	assert_int_equal(fired, 1);
	timer_free(&timer);
}

/* The kernel tells who is there. */
static void test_credentials_are_the_kernels(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(peer_uid(scene->left), getuid());
	assert_int_equal(peer_pid(scene->left), getpid());
}

static int accepted_fd;

static void on_accepted(void *context, int fd)
{
	accepted_fd = fd;
	loop_stop(context);
}

/* A socket file has the mode asked for, takes connections, and is removed at the end. */
static void test_listener_takes_connections(void **state)
{
	struct scene *scene = *state;
	struct listener *listener = NULL;
	char path[64];
	struct stat stat;
	int fd = -1;

	snprintf(path, sizeof(path), "/tmp/test_peer.%d", (int)getpid());
	accepted_fd = -1;

	assert_int_equal(
		listener_open(scene->loop, path, 0660, on_accepted, scene->loop, &listener),
		ERR_OK);
	assert_int_equal(lstat(path, &stat), 0);
	assert_int_equal(stat.st_mode & 0777, 0660);
	assert_int_equal(peer_connect(path, &fd), ERR_OK);
	scene_run(scene, 2000);
	assert_true(accepted_fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);

	listener_close(&listener);
	assert_int_equal(lstat(path, &stat), -1);
	close(fd);
	close(accepted_fd);
}

/* A socket somebody answers on is left alone; one left behind is replaced; a file is never. */
static void test_listener_replaces_only_what_is_stale(void **state)
{
	struct scene *scene = *state;
	struct listener *first = NULL, *second = NULL;
	char path[64], aside[72];
	int fd;

	snprintf(path, sizeof(path), "/tmp/test_peer.%d", (int)getpid());
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(listener_open(scene->loop, path, 0600, on_accepted, scene->loop, &first),
			 ERR_OK);
	assert_int_equal(listener_open(scene->loop, path, 0600, on_accepted, scene->loop, &second),
			 ERR_IO);

	assert_int_equal(rename(path, aside), 0); /* so that closing leaves it behind */
	listener_close(&first);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(listener_open(scene->loop, path, 0600, on_accepted, scene->loop, &second),
			 ERR_OK);
	listener_close(&second);

	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(listener_open(scene->loop, path, 0600, on_accepted, scene->loop, &second),
			 ERR_IO);
	assert_int_equal(unlink(path), 0);
}

/* Nobody there is another matter than a path that cannot be. */
static void test_connecting_to_nobody_is_told(void **state)
{
	char path[200];
	int fd;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';

	assert_int_equal(peer_connect("/tmp/nobody.is.here", &fd), ERR_CLOSED);
	assert_int_equal(peer_connect(path, &fd), ERR_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_frames_arrive_whole),
		TEST(test_many_frames_are_read_together),
		TEST(test_answers_from_within_arrive),
		TEST(test_closing_from_within_is_safe),
		TEST(test_closing_when_told_is_safe),
		TEST(test_last_words_are_heard),
		TEST(test_oversized_frame_ends_the_peer),
		TEST(test_frames_in_crumbs_are_put_together),
		TEST(test_pause_holds_everything_back),
		TEST(test_pending_output_waits),
		TEST(test_timers_run_beside_a_flood),
		TEST(test_credentials_are_the_kernels),
		TEST(test_listener_takes_connections),
		TEST(test_listener_replaces_only_what_is_stale),
		TEST(test_connecting_to_nobody_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

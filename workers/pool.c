#include "workers/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct queue {
	struct pool_item *first;
	struct pool_item **end;
};

struct pool {
	pool_fn *work, *on_finished;
	void *context;

	pthread_mutex_t lock; /* guards what is below, up to `wake_fd` */
	pthread_cond_t waiting_grew;
	struct queue waiting, finished;
	bool stopping;

	int wake_fd; /* an eventfd: something has finished */
	struct watch *watch;
	uint32_t thread_count;
	pthread_t threads[];
};

static void queue_clear(struct queue *queue);
static void queue_push(struct queue *queue, struct pool_item *item);
static struct pool_item *queue_pop(struct queue *queue);
static void start_threads(struct pool *pool, uint32_t threads);
static void *run_thread(void *context);
static void on_wake(void *context, int fd, bool can_read, bool can_write);

struct pool *pool_new(struct loop *loop, uint32_t threads, pool_fn *work, pool_fn *on_finished,
		      void *context)
{
	struct pool *pool = mem_new(sizeof(*pool) + threads * sizeof(pool->threads[0]));

	pool->work = work;
	pool->on_finished = on_finished;
	pool->context = context;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->waiting_grew, NULL);
	queue_clear(&pool->waiting);
	queue_clear(&pool->finished);
	pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(pool->wake_fd >= 0);
	pool->watch = watch_new(loop, pool->wake_fd, true, false, on_wake, pool);
	start_threads(pool, threads);
	return pool;
}

/* The threads take no signals: those are the loop's. */
static void start_threads(struct pool *pool, uint32_t threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (uint32_t i = 0; i < threads; i++) {
		int error = pthread_create(&pool->threads[i], NULL, run_thread, pool);

		assert(error == 0);
		pool->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pool_put(struct pool *pool, struct pool_item *item)
{
	pthread_mutex_lock(&pool->lock);
	queue_push(&pool->waiting, item);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_signal(&pool->waiting_grew);
}

static struct pool_item *wait_for_item(struct pool *pool)
{
	struct pool_item *item = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stopping && !pool->waiting.first)
		pthread_cond_wait(&pool->waiting_grew, &pool->lock);
	if (!pool->stopping)
		item = queue_pop(&pool->waiting);
	pthread_mutex_unlock(&pool->lock);
	return item;
}

static void hand_back(struct pool *pool, struct pool_item *item)
{
	uint64_t one = 1;
	ssize_t written;

	pthread_mutex_lock(&pool->lock);
	queue_push(&pool->finished, item);
	pthread_mutex_unlock(&pool->lock);
	written = write(pool->wake_fd, &one, sizeof(one));
	assert(written == sizeof(one) || errno == EAGAIN); /* full: it is readable anyway */
}

static void *run_thread(void *context)
{
	struct pool *pool = context;
	struct pool_item *item;

	while ((item = wait_for_item(pool))) {
		pool->work(pool->context, item);
		hand_back(pool, item);
	}
	return NULL;
}

static struct pool_item *take_finished(struct pool *pool)
{
	struct pool_item *item;

	pthread_mutex_lock(&pool->lock);
	item = queue_pop(&pool->finished);
	pthread_mutex_unlock(&pool->lock);
	return item;
}

static void on_wake(void *context, int fd, bool can_read, bool can_write)
{
	struct pool *pool = context;
	struct pool_item *item;
	uint64_t count;

	(void)can_read, (void)can_write;
	if (read(fd, &count, sizeof(count)) < 0)
		assert(errno == EAGAIN || errno == EINTR);
	while ((item = take_finished(pool)))
		pool->on_finished(pool->context, item);
}

void pool_free(struct pool **pool)
{
	struct pool *old = *pool;

	if (!old)
		return;
	pthread_mutex_lock(&old->lock);
	old->stopping = true;
	pthread_mutex_unlock(&old->lock);
	pthread_cond_broadcast(&old->waiting_grew);
	for (uint32_t i = 0; i < old->thread_count; i++)
		pthread_join(old->threads[i], NULL);
	watch_free(&old->watch);
	close(old->wake_fd);
	pthread_cond_destroy(&old->waiting_grew);
	pthread_mutex_destroy(&old->lock);
	mem_free(pool);
}

static void queue_clear(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_push(struct queue *queue, struct pool_item *item)
{
	item->next = NULL;
	*queue->end = item;
	queue->end = &item->next;
}

static struct pool_item *queue_pop(struct queue *queue)
{
	struct pool_item *item = queue->first;

	if (!item)
		return NULL;
	queue->first = item->next;
	if (!queue->first)
		queue_clear(queue);
	return item;
}

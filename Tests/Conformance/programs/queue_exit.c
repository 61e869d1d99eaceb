/* Ends while a queue has validations under way; the argument says how. The exit status must arrive, no signal. */
#include "queue_common.h"
#include <pthread.h>
#include <stdatomic.h>

enum { UNDER_WAY = 16 };
static hanko_queue *queue;
static atomic_int submitted;

static void *keep_busy(void *argument)
{
  hanko_completion completions[8];
  for (;;) {
    /* What a server does: the next request comes, also after the library has begun to refuse them. */
    while (atomic_load(&submitted) < UNDER_WAY && submit(queue, "yes-token", 1) == HANKO_OK)
      atomic_fetch_add(&submitted, 1);
    (void)wait_for_completions(queue, 5);
    size_t count = hanko_queue_drain(queue, completions, 8, sizeof completions[0]);
    for (size_t index = 0; index < count; index++) hanko_session_free(completions[index].session);
    atomic_fetch_sub(&submitted, (int)count);
  }
  return argument;
}

static void *leave(void *argument)
{
  usleep((useconds_t)(getpid() % 50) * 1000);
  exit(42);
  return argument;
}

int main(int count, char **arguments)
{
  pthread_t thread;
  queue = make_queue(make_client(30000));
  if (count > 1 && strcmp(arguments[1], "thread") == 0) {
    MUST(pthread_create(&thread, NULL, leave, NULL) == 0);
    keep_busy(NULL);
  }
  MUST(pthread_create(&thread, NULL, keep_busy, NULL) == 0);
  while (atomic_load(&submitted) < UNDER_WAY) usleep(100);
  /* A moment that differs from run to run. */
  usleep((useconds_t)(getpid() % 50) * 1000);
  if (count > 1 && strcmp(arguments[1], "return") == 0) return 42;
  exit(42);
}

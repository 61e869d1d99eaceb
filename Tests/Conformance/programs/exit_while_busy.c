/* Ends while calls are under way in other threads; the argument says how. The exit status must arrive, no signal. */
#include "common.h"
#include <pthread.h>
#include <stdatomic.h>

static hanko_client *client;
static atomic_int begun;

static void *work(void *argument)
{
  for (;;) {
    atomic_fetch_add(&begun, 1);
    hanko_status status = ask(client, "yes-token");
    /* What a server's thread does: the next call, also after the library has begun to refuse them. */
    if (status != HANKO_OK) usleep(1000);
  }
  return argument;
}

int main(int count, char **arguments)
{
  pthread_t thread;
  client = make_client(30000);
  if (count > 2 && strcmp(arguments[2], "warm") == 0) (void)ask(client, "yes-token");
  for (int number = 0; number < 4; number++) MUST(pthread_create(&thread, NULL, work, NULL) == 0);
  while (atomic_load(&begun) < 4) usleep(100);
  /* A moment that differs from run to run. */
  usleep((useconds_t)(getpid() % 50) * 1000);
  if (count > 1 && strcmp(arguments[1], "return") == 0) return 42;
  exit(42);
}

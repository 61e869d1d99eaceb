/* 64 threads on one client, each with distinct tokens, valid and invalid ones mixed. Prints one JSON line. */
#include "common.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 64, CALLS = 150 };
static hanko_client *client;
static atomic_long right, wrong, most_threads;
static pthread_barrier_t barrier;

static void *work(void *argument)
{
  long number = (long)argument;
  char token[64];
  pthread_barrier_wait(&barrier);
  for (int call = 0; call < CALLS; call++) {
    int good = (number + call) % 3 == 0;
    snprintf(token, sizeof token, "%s-%ld-%d", good ? "yes" : "no", number, call);
    hanko_status status = ask(client, token);
    atomic_fetch_add(status == (good ? HANKO_OK : HANKO_INVALID_TOKEN) ? &right : &wrong, 1);
    if (number == 0 && call == CALLS / 2) atomic_store(&most_threads, count_threads());
  }
  return NULL;
}

int main(void)
{
  pthread_t threads[THREADS];
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  client = make_client(30000);
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (long number = 0; number < THREADS; number++)
    MUST(pthread_create(&threads[number], NULL, work, (void *)number) == 0);
  for (int number = 0; number < THREADS; number++) pthread_join(threads[number], NULL);
  MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
  hanko_client_free(client);
  printf("{\"right\":%ld,\"wrong\":%ld,\"ok\":%llu,\"refused\":%llu,\"threads_after\":%d,\"threads_within\":%ld}\n",
         right, wrong, (unsigned long long)statistics.results[HANKO_OK],
         (unsigned long long)statistics.results[HANKO_INVALID_TOKEN],
         count_threads(), most_threads);
  return 0;
}

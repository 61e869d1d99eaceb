/* Threads submit to, cancel on and drain several queues of one client at once: each submission completes exactly once,
   with its own verdict or as cancelled. Prints one JSON line. */
#include "queue_common.h"
#include <pthread.h>
#include <stdatomic.h>

enum { QUEUES = 3, SUBMITTERS = 6, DRAINERS = 6, CALLS = 3000, MOST_UNDER_WAY = 4000 };
static hanko_client *client;
static hanko_queue *queues[QUEUES];
/* By tag: how often it was taken, and whether it was cancelled at some moment. */
static atomic_int taken[SUBMITTERS * CALLS], cancelled[SUBMITTERS * CALLS];
static atomic_long submitted, drained, ok, refused, withdrawn, wrong;
static atomic_int stop;

static int is_good(long tag) { return tag % 3 == 0; }

static void *submit_all(void *argument)
{
  long number = (long)argument;
  hanko_queue *queue = queues[number % QUEUES];
  char token[64];
  for (long call = 0; call < CALLS; call++) {
    long tag = number * CALLS + call;
    snprintf(token, sizeof token, "%s-%ld", is_good(tag) ? "yes" : "no", tag);
    while (atomic_load(&submitted) - atomic_load(&drained) > MOST_UNDER_WAY) usleep(100);
    if (call % 5 == 0) {
      char cookie[128];
      int length = snprintf(cookie, sizeof cookie, "theme=dark; hanko=%s", token);
      MUST(hanko_queue_submit_authenticate(queue, cookie, (size_t)length, NULL, 0, (uint64_t)tag) == HANKO_OK);
    } else {
      MUST(submit(queue, token, (uint64_t)tag) == HANKO_OK);
    }
    atomic_fetch_add(&submitted, 1);
    if (call % 7 == 0) {
      long earlier = call >= 3 ? tag - call % 4 : tag;
      atomic_store(&cancelled[earlier], 1);
      MUST(hanko_queue_cancel(queue, (uint64_t)earlier) == HANKO_OK);
    }
    if (call % 11 == 0) {
      /* Refused at once: without a completion. */
      MUST(submit(queue, "", (uint64_t)tag) == HANKO_NO_TOKEN);
      MUST(submit(queue, "\xff", (uint64_t)tag) == HANKO_INVALID_TOKEN);
    }
  }
  return argument;
}

static void take(const hanko_completion *completion)
{
  long tag = (long)completion->tag;
  look_at(completion);
  if (atomic_fetch_add(&taken[tag], 1) != 0) atomic_fetch_add(&wrong, 1);
  if (completion->status == HANKO_CANCELLED) {
    if (!atomic_load(&cancelled[tag])) atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&withdrawn, 1);
  } else {
    if (completion->status != (is_good(tag) ? HANKO_OK : HANKO_INVALID_TOKEN)) atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(is_good(tag) ? &ok : &refused, 1);
  }
  hanko_session_free(completion->session);
}

static void *drain_all(void *argument)
{
  hanko_queue *queue = queues[(long)argument % QUEUES];
  hanko_completion completions[7];
  while (!atomic_load(&stop)) {
    /* Two drain each queue: either may find that the other was quicker. */
    if (!wait_for_completions(queue, 5)) continue;
    size_t count = hanko_queue_drain(queue, completions, 7, sizeof completions[0]);
    for (size_t index = 0; index < count; index++) take(&completions[index]);
    atomic_fetch_add(&drained, (long)count);
  }
  return argument;
}

int main(void)
{
  pthread_t submitters[SUBMITTERS], drainers[DRAINERS];
  client = make_client(30000);
  for (int number = 0; number < QUEUES; number++) queues[number] = make_queue(client);
  for (long number = 0; number < DRAINERS; number++)
    MUST(pthread_create(&drainers[number], NULL, drain_all, (void *)number) == 0);
  for (long number = 0; number < SUBMITTERS; number++)
    MUST(pthread_create(&submitters[number], NULL, submit_all, (void *)number) == 0);
  /* Blocking calls beside them, on the same client. */
  for (int number = 0; number < 200; number++) MUST(ask(client, "yes-blocking") == HANKO_OK);
  for (int number = 0; number < SUBMITTERS; number++) pthread_join(submitters[number], NULL);
  double end = seconds() + 40;
  while (atomic_load(&drained) < atomic_load(&submitted) && seconds() < end) usleep(1000);
  /* Whatever came twice would come now. */
  usleep(50000);
  atomic_store(&stop, 1);
  for (int number = 0; number < DRAINERS; number++) pthread_join(drainers[number], NULL);
  long missing = 0;
  for (long tag = 0; tag < SUBMITTERS * CALLS; tag++) missing += atomic_load(&taken[tag]) == 0;
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
  for (int number = 0; number < QUEUES; number++) hanko_queue_free(queues[number]);
  hanko_client_free(client);
  printf("{\"submitted\":%ld,\"drained\":%ld,\"ok\":%ld,\"refused\":%ld,\"cancelled\":%ld,\"missing\":%ld,\"wrong\":%ld,"
         "\"counted_ok\":%llu,\"counted_refused\":%llu,\"counted_cancelled\":%llu,\"under_way\":%llu}\n",
         atomic_load(&submitted), atomic_load(&drained), atomic_load(&ok), atomic_load(&refused),
         atomic_load(&withdrawn), missing, atomic_load(&wrong),
         (unsigned long long)statistics.results[HANKO_OK],
         (unsigned long long)statistics.results[HANKO_INVALID_TOKEN],
         (unsigned long long)statistics.results[HANKO_CANCELLED], (unsigned long long)statistics.in_flight);
  return 0;
}

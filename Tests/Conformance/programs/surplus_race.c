/* Asks about many distinct tokens, valid and invalid ones mixed, and counts the verdicts that are not their own. Prints
   one JSON line.

   Arguments: "blocking" (by several threads) or "queue"; how many calls. */
#include "queue_common.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, UNDER_WAY = 32 };
static hanko_client *client;
static atomic_long next, right, wrong_yes, wrong_no, not_asked;
static long calls;

/* In no order that a shifted row of answers would have. */
static int is_good(long number) { return (number * 2654435761u >> 7) & 1; }

static void name(char *token, size_t size, long number)
{
  snprintf(token, size, "%s-%ld", is_good(number) ? "yes" : "no", number);
}

static void count(long number, hanko_status status)
{
  if (status == HANKO_OK)
    atomic_fetch_add(is_good(number) ? &right : &wrong_yes, 1);
  else if (status == HANKO_INVALID_TOKEN)
    atomic_fetch_add(is_good(number) ? &wrong_no : &right, 1);
  else
    atomic_fetch_add(&not_asked, 1);
}

static void *ask_all(void *argument)
{
  char token[64];
  for (long number; (number = atomic_fetch_add(&next, 1)) < calls;) {
    name(token, sizeof token, number);
    hanko_status status = ask(client, token);
    MUST(status >= 0);
    count(number, status);
  }
  return argument;
}

static void submit_all(void)
{
  hanko_queue *queue = make_queue(client);
  hanko_completion completions[UNDER_WAY];
  char token[64];
  for (long submitted = 0, taken = 0; taken < calls;) {
    for (; submitted < calls && submitted - taken < UNDER_WAY; submitted++) {
      name(token, sizeof token, submitted);
      MUST(submit(queue, token, (uint64_t)submitted) == HANKO_OK);
    }
    MUST(wait_for_completions(queue, 20000));
    size_t drained = hanko_queue_drain(queue, completions, UNDER_WAY, sizeof completions[0]);
    for (size_t index = 0; index < drained; index++) {
      look_at(&completions[index]);
      count((long)completions[index].tag, completions[index].status);
      hanko_session_free(completions[index].session);
    }
    taken += (long)drained;
  }
  hanko_queue_free(queue);
}

int main(int number, char **arguments)
{
  pthread_t threads[THREADS];
  MUST(number == 3);
  calls = atol(arguments[2]);
  client = make_client(10000);
  double start = seconds();
  if (strcmp(arguments[1], "queue") == 0) {
    submit_all();
  } else {
    for (int index = 0; index < THREADS; index++) MUST(pthread_create(&threads[index], NULL, ask_all, NULL) == 0);
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
  }
  double took = seconds() - start;
  hanko_client_free(client);
  printf("{\"right\":%ld,\"wrong_yes\":%ld,\"wrong_no\":%ld,\"not_asked\":%ld,\"seconds\":%.1f}\n", right, wrong_yes,
         wrong_no, not_asked, took);
  return 0;
}

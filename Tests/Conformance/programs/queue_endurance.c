/* 100,000 validations through one queue, 32 at a time, then 500 clients with a queue each: descriptors and memory, in
   JSON lines. */
#include "queue_common.h"

enum { AT_A_TIME = 32 };

static void show(const char *when)
{
  printf("{\"when\":\"%s\",\"descriptors\":%d,\"kilobytes\":%ld,\"threads\":%d}\n", when, count_descriptors(),
         resident_kilobytes(), count_threads());
  fflush(stdout);
}

static void ask_one(hanko_queue *queue, long number)
{
  char token[64];
  snprintf(token, sizeof token, "%s-%ld", number % 2 ? "no" : "yes", number);
  MUST(submit(queue, token, (uint64_t)number) == HANKO_OK);
}

/* The number of completions taken. */
static long take_some(hanko_queue *queue)
{
  hanko_completion completions[AT_A_TIME];
  MUST(wait_for_completions(queue, 20000));
  size_t count = hanko_queue_drain(queue, completions, AT_A_TIME, sizeof completions[0]);
  for (size_t index = 0; index < count; index++) {
    look_at(&completions[index]);
    MUST(completions[index].status == (completions[index].tag % 2 ? HANKO_INVALID_TOKEN : HANKO_OK));
    hanko_session_free(completions[index].session);
  }
  return (long)count;
}

int main(int count, char **arguments)
{
  long validations = count > 1 ? atol(arguments[1]) : 100000, clients = count > 2 ? atol(arguments[2]) : 500;
  long submitted = 0, taken = 0;
  int shown = 0;
  hanko_client *client = make_client(30000);
  hanko_queue *queue = make_queue(client);
  while (taken < validations) {
    while (submitted < validations && submitted - taken < AT_A_TIME) ask_one(queue, submitted++);
    taken += take_some(queue);
    if (!shown && taken > validations / 10) {
      show("first calls");
      shown = 1;
    }
  }
  show("calls");
  hanko_queue_free(queue);
  hanko_client_free(client);
  for (long number = 0; number < clients; number++) {
    client = make_client(30000);
    queue = make_queue(client);
    ask_one(queue, number);
    (void)take_some(queue);
    /* Some of these are answered, some are not, when everything is freed. */
    for (long more = 0; more < number % 3; more++) ask_one(queue, more);
    if (number % 2) hanko_client_free(client);
    hanko_queue_free(queue);
    if (number % 2 == 0) hanko_client_free(client);
    if (number == clients / 10) show("first clients");
  }
  show("clients");
  return 0;
}

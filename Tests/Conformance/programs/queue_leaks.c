/* What the library owes after a queue was used in one way and everything was freed, again and again (failing.c is
   preloaded, and counts). Prints one JSON line.

   The argument: "drained", "undrained", "under way", "cancelled", "refused" or "client first". */
#include "queue_common.h"

enum { SUBMISSIONS = 50, ROUNDS = 8, CHECK = 9 };

static void drain(hanko_queue *queue, int wanted)
{
  hanko_completion completions[16];
  while (wanted > 0) {
    MUST(wait_for_completions(queue, 20000));
    size_t count = hanko_queue_drain(queue, completions, 16, sizeof completions[0]);
    for (size_t index = 0; index < count; index++) {
      /* A check that went well has no session. */
      if (completions[index].tag != CHECK) look_at(&completions[index]);
      hanko_session_free(completions[index].session);
    }
    wanted -= (int)count;
  }
}

static void wait_until_answered(hanko_client *client)
{
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  for (int turn = 0; turn < 20000; turn++) {
    MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
    if (statistics.in_flight == 0) return;
    usleep(1000);
  }
  MUST(!"all are answered");
}

static void use(const char *way)
{
  static const char cookie[] = "hanko=no-token; hanko=yes-token";
  hanko_client *client = make_client(30000);
  hanko_queue *queue = make_queue(client);
  for (uint64_t tag = 0; tag < SUBMISSIONS; tag++) {
    MUST(submit(queue, tag % 2 ? "yes-token" : "no-token", tag % 5) == HANKO_OK);
    MUST(hanko_queue_submit_authenticate(queue, cookie, sizeof cookie - 1, NULL, 0, tag % 5) == HANKO_OK);
    if (strcmp(way, "refused") == 0) {
      MUST(submit(queue, "", tag) == HANKO_NO_TOKEN);
      MUST(submit(queue, "token\xff", tag) == HANKO_INVALID_TOKEN);
      MUST(hanko_queue_submit_authenticate(queue, "\0", 1, NULL, 0, tag) == HANKO_INVALID_TOKEN);
      MUST(hanko_queue_submit_authenticate(queue, "x=1", 3, NULL, 0, tag) == HANKO_NO_TOKEN);
    }
  }
  MUST(hanko_queue_submit_check(queue, CHECK) == HANKO_OK);
  int all = 2 * SUBMISSIONS + 1;
  if (strcmp(way, "cancelled") == 0) {
    for (uint64_t tag = 0; tag < 5; tag++) MUST(hanko_queue_cancel(queue, tag) == HANKO_OK);
    drain(queue, all);
  } else if (strcmp(way, "undrained") == 0) {
    wait_until_answered(client);
    drain(queue, 10);
  } else if (strcmp(way, "client first") == 0) {
    hanko_client_free(client);
    client = NULL;
    drain(queue, all);
  } else if (strcmp(way, "under way") != 0) {
    drain(queue, all);
  }
  hanko_queue_free(queue);
  hanko_client_free(client);
}

int main(int count, char **arguments)
{
  HOOK(int, find, void);
  HOOK(long, balance, void);
  if (count < 2 || !find()) return 97;
  long most = 0, least = 0;
  /* The first uses make what is made once. */
  for (int round = 0; round < 3; round++) use(arguments[1]);
  long before = balance(), all = before;
  int descriptors = count_descriptors();
  for (int round = 0; round < ROUNDS; round++) {
    use(arguments[1]);
    all = balance() - before;
    most = all > most ? all : most;
    least = all < least ? all : least;
  }
  printf("{\"owed\":%ld,\"most\":%ld,\"least\":%ld,\"before\":%ld,\"descriptors\":%d}\n", all, most, least, before,
         count_descriptors() - descriptors);
  return 0;
}

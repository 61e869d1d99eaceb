/* Drains a queue while the library gets no memory at all (programs/failing.c is preloaded). Prints one JSON line: how many
   completions there were then, whether the descriptor was readable still, and how many there were afterwards. */
#include "queue_common.h"

int main(void)
{
  HOOK(int, find, void);
  HOOK(void, arm, const char *, long);
  HOOK(void, disarm, void);
  MUST(find());
  hanko_client *client = make_client(5000);
  hanko_queue *queue = make_queue(client);
  hanko_completion completion = {0};
  MUST(submit(queue, "token", 1) == HANKO_OK);
  MUST(wait_for_completions(queue, 10000));
  arm("all memory", 1);
  size_t without = hanko_queue_drain(queue, &completion, 1, sizeof completion);
  disarm();
  int readable = wait_for_completions(queue, 0);
  size_t again = hanko_queue_drain(queue, &completion, 1, sizeof completion);
  printf("{\"without\":%zu,\"readable\":%d,\"again\":%zu,\"status\":%d}\n", without, readable, again,
         (int)completion.status);
  hanko_session_free(completion.session);
  hanko_queue_free(queue);
  hanko_client_free(client);
  return 0;
}

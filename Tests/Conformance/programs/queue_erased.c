/* Submits a token in every way and looks whether the library frees memory that still holds it (failing.c is
   preloaded). Arguments: the token, and a text that must be found. */
#include "queue_common.h"

static void drain(hanko_queue *queue, int wanted)
{
  hanko_completion completion;
  for (; wanted > 0; wanted--) {
    MUST(wait_for_completions(queue, 20000));
    MUST(hanko_queue_drain(queue, &completion, 1, sizeof completion) == 1);
    hanko_session_free(completion.session);
  }
}

int main(int count, char **arguments)
{
  HOOK(int, find, void);
  HOOK(void, watch, const char *);
  HOOK(long, dirty, void);
  HOOK(long, looked_at, void);
  if (count < 3 || !find()) return 97;
  const char *token = arguments[1], *control = arguments[2];
  char cookie[4096];
  int length = snprintf(cookie, sizeof cookie, "other=1; hanko=\"%s\"; hanko=another-token", token);

  /* A part is enough to tell that it was not erased: the end of the header, the payload and the signature. */
  MUST(strlen(token) > 80);
  watch(token + 40);
  for (int round = 0; round < 3; round++) {
    hanko_client *client = make_client(400);
    hanko_queue *queue = make_queue(client);
    int submitted = 0;
    for (; submitted < 200; submitted += 2) {
      MUST(submit(queue, token, 1) == HANKO_OK);
      MUST(hanko_queue_submit_authenticate(queue, cookie, (size_t)length, token, strlen(token), 2) == HANKO_OK);
    }
    /* Completed, cancelled, and dropped. */
    if (round == 1) MUST(hanko_queue_cancel(queue, 1) == HANKO_OK && hanko_queue_cancel(queue, 2) == HANKO_OK);
    if (round < 2) drain(queue, submitted);
    hanko_queue_free(queue);
    hanko_client_free(client);
  }
  long token_found = dirty(), looked = looked_at();

  /* The proof that looking finds something: what the library frees without wiping it. */
  watch(control);
  hanko_client_free(make_client(1000));
  printf("{\"dirty\":%ld,\"looked_at\":%ld,\"control\":%ld}\n", token_found, looked, dirty());
  return 0;
}

/* Exits while a validation hangs, and waits for its completion in a handler that runs after the library's own. Prints
   the status. */
#include "queue_common.h"

static hanko_queue *queue;

static void wait_at_exit(void)
{
  hanko_completion completion = {.status = -1};
  if (wait_for_completions(queue, 2000)) (void)hanko_queue_drain(queue, &completion, 1, sizeof completion);
  printf("%d\n", (int)completion.status);
}

int main(void)
{
  /* What is registered first runs last. */
  MUST(atexit(wait_at_exit) == 0);
  queue = make_queue(make_client(40000));
  MUST(submit(queue, "a-token", 1) == HANKO_OK);
  usleep(300000);
  return 0;
}

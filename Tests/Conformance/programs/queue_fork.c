/* Forks again and again while two threads submit to a queue and two drain it. Prints one JSON line. */
#include "queue_common.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { THREADS = 2, MOST_UNDER_WAY = 200 };
static hanko_client *client;
static hanko_queue *queue;
/* Made by the queue's thread, which no child has: there it can only be freed by who gives it up. */
static hanko_session *kept;
static atomic_int stop;
static atomic_long submitted, completed, wrong;

static void *submit_all(void *argument)
{
  for (long number = 0; !atomic_load(&stop); number++) {
    int good = number % 2 == 0;
    while (atomic_load(&submitted) - atomic_load(&completed) > MOST_UNDER_WAY) usleep(100);
    MUST(submit(queue, good ? "yes-token" : "no-token", (uint64_t)good) == HANKO_OK);
    atomic_fetch_add(&submitted, 1);
  }
  return argument;
}

static void *drain_all(void *argument)
{
  hanko_completion completions[16];
  while (!atomic_load(&stop) || atomic_load(&completed) < atomic_load(&submitted)) {
    (void)wait_for_completions(queue, 5);
    size_t count = hanko_queue_drain(queue, completions, 16, sizeof completions[0]);
    for (size_t index = 0; index < count; index++) {
      look_at(&completions[index]);
      if (completions[index].status != (completions[index].tag ? HANKO_OK : HANKO_INVALID_TOKEN))
        atomic_fetch_add(&wrong, 1);
      hanko_session_free(completions[index].session);
    }
    atomic_fetch_add(&completed, (long)count);
  }
  return argument;
}

/* What a child does; the exit status that says that all was right is 7. */
static int in_child(void)
{
  hanko_completion completion;
  alarm(20); /* a child that hangs ends by its signal */
  if (submit(queue, "yes-token", 1) != HANKO_INVALID_ARGUMENT) return 1;
  if (hanko_queue_cancel(queue, 1) != HANKO_INVALID_ARGUMENT) return 2;
  if (hanko_queue_drain(queue, &completion, 1, sizeof completion) != 0) return 3;
  if (hanko_queue_file_descriptor(queue) != -1) return 4;
  hanko_session_free(kept);
  hanko_queue *own = NULL;
  if (hanko_queue_new(client, &own) != HANKO_OK) return 5;
  for (uint64_t tag = 0; tag < 10; tag++) {
    if (submit(own, "yes-token", tag) != HANKO_OK) return 6;
    if (!wait_for_completions(own, 15000)) return 8;
    if (hanko_queue_drain(own, &completion, 1, sizeof completion) != 1) return 9;
    if (completion.status != HANKO_OK || completion.tag != tag) return 10;
    hanko_session_free(completion.session);
  }
  hanko_queue_free(queue);
  hanko_queue_free(own);
  hanko_client_free(client);
  return 7;
}

int main(int count, char **arguments)
{
  int children = count > 1 ? atoi(arguments[1]) : 25, well = 0;
  pthread_t threads[2 * THREADS];
  client = make_client(30000);
  queue = make_queue(client);
  hanko_completion first;
  MUST(submit(queue, "yes-token", 1) == HANKO_OK && wait_for_completions(queue, 15000));
  MUST(hanko_queue_drain(queue, &first, 1, sizeof first) == 1 && first.status == HANKO_OK);
  kept = first.session;
  for (int number = 0; number < 2 * THREADS; number++)
    MUST(pthread_create(&threads[number], NULL, number % 2 ? drain_all : submit_all, NULL) == 0);
  for (int number = 0; number < children; number++) {
    usleep((useconds_t)(number % 7) * 3000);
    pid_t process = fork();
    if (process == 0) {
      int status = in_child();
      if (number % 2) exit(status);
      _exit(status);
    }
    int status = 0;
    MUST(process > 0 && waitpid(process, &status, 0) == process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 7) well++;
    else fprintf(stderr, "child %d ended with %#x\n", number, status);
  }
  atomic_store(&stop, 1);
  for (int number = 0; number < 2 * THREADS; number++) pthread_join(threads[number], NULL);
  hanko_client_free(client);
  hanko_queue_free(queue);
  hanko_session_free(kept); /* outlives all that it came from */
  printf("{\"children\":%d,\"well\":%d,\"submitted\":%ld,\"completed\":%ld,\"wrong\":%ld}\n", children, well,
         atomic_load(&submitted), atomic_load(&completed), atomic_load(&wrong));
  return 0;
}

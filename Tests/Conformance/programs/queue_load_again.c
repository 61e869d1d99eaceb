/* dlopen, use a queue, dlclose, dlopen again; then dlclose with a queue at work. Prints one JSON line. */
#include "common.h"
#include <dlfcn.h>
#include <poll.h>

/* No function of the library may be linked here: it would stay loaded by that alone. */
#define FIND(name) __typeof__(name) *name##_found = (__typeof__(name) *)dlsym(library, #name)

/* A queue that has answered once; `rest` says whether everything is freed, or left with work under way. */
static int use(void *library, int rest)
{
  FIND(hanko_client_new);
  FIND(hanko_client_free);
  FIND(hanko_session_free);
  FIND(hanko_queue_new);
  FIND(hanko_queue_file_descriptor);
  FIND(hanko_queue_submit);
  FIND(hanko_queue_drain);
  FIND(hanko_queue_free);
  hanko_client *client = NULL;
  hanko_queue *queue = NULL;
  hanko_completion completion;
  if (hanko_client_new_found(NULL, &client) != HANKO_OK || hanko_queue_new_found(client, &queue) != HANKO_OK) return 0;
  if (hanko_queue_submit_found(queue, "yes-token", 9, 5) != HANKO_OK) return 0;
  struct pollfd readable = {.fd = hanko_queue_file_descriptor_found(queue), .events = POLLIN};
  if (poll(&readable, 1, 20000) != 1) return 0;
  if (hanko_queue_drain_found(queue, &completion, 1, sizeof completion) != 1) return 0;
  int right = completion.status == HANKO_OK && completion.tag == 5;
  hanko_session_free_found(completion.session);
  if (rest) {
    hanko_queue_free_found(queue);
    hanko_client_free_found(client);
  } else {
    for (int number = 0; number < 100; number++)
      right = right && hanko_queue_submit_found(queue, "no-token", 8, 6) == HANKO_OK;
  }
  return right;
}

/* A thread that was joined may still be listed for a moment. */
static int threads_at_rest(int expected)
{
  for (int turn = 0; turn < 1000 && count_entries("/proc/self/task") != expected; turn++) usleep(5000);
  return count_entries("/proc/self/task");
}

int main(int count, char **arguments)
{
  int right = 0, rounds = 5;
  if (count < 2) return 2;
  for (int round = 0; round < rounds; round++) {
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) { fprintf(stderr, "%s\n", dlerror()); return 3; }
    right += use(library, 1);
    dlclose(library);
  }
  int threads = threads_at_rest(1);
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  right += use(library, 0);
  dlclose(library);
  usleep(300000); /* the thread goes on meanwhile */
  printf("{\"right\":%d,\"of\":%d,\"threads\":[%d,%d]}\n", right, rounds + 1, threads, threads_at_rest(2));
  return 0;
}

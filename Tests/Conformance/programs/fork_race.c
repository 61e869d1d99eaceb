/* Forks again and again; the first two calls of each child come from two threads at one moment. Neither may get what is
   the parent's. Argument: how many children. Prints one JSON line. */
#include "common.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static hanko_client *client;
static atomic_int ready;
static long mine = -2, other = -2;

/* How many validations the client has seen in this process; -1 for no answer. */
static long validations(void)
{
  hanko_statistics found = {.struct_size = sizeof found};
  long sum = 0;
  if (hanko_client_statistics(client, &found) != HANKO_OK) return -1;
  for (int index = 0; index < 16; index++) sum += (long)found.results[index];
  return sum;
}

static void *first_call(void *result)
{
  atomic_fetch_add(&ready, 1);
  while (atomic_load(&ready) < 2) {}
  *(long *)result = validations();
  return NULL;
}

int main(int count, char **arguments)
{
  long children = count > 1 ? atol(arguments[1]) : 1, strangers = 0;
  client = make_client(5000);
  MUST(ask(client, "yes-token") == HANKO_OK && validations() == 1);
  for (long number = 0; number < children; number++) {
    pid_t process = fork();
    MUST(process >= 0);
    if (process == 0) {
      pthread_t thread;
      if (pthread_create(&thread, NULL, first_call, &other) != 0) _exit(3);
      first_call(&mine);
      pthread_join(thread, NULL);
      _exit(mine == 0 && other == 0 ? 0 : 1);
    }
    int status;
    MUST(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) < 2);
    strangers += WEXITSTATUS(status);
  }
  printf("{\"children\":%ld,\"with_what_is_the_parents\":%ld}\n", children, strangers);
  hanko_client_free(client);
  return 0;
}

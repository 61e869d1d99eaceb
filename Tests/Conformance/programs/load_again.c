/* dlopen, use, dlclose, dlopen again, several times, with threads that used it and ended. Prints one JSON line. */
#include "common.h"
#include <dlfcn.h>
#include <pthread.h>

static void *library;

/* No function of the library may be linked here: it would stay loaded by that alone. */
#define FIND(name) __typeof__(name) *name##_found = (__typeof__(name) *)dlsym(library, #name)

static int use(void)
{
  FIND(hanko_client_new);
  FIND(hanko_client_validate);
  FIND(hanko_client_free);
  FIND(hanko_session_free);
  FIND(hanko_validate);
  hanko_client *client = NULL;
  hanko_session *session = NULL;
  if (!hanko_client_new_found || hanko_client_new_found(NULL, &client) != HANKO_OK) return 0;
  int first = hanko_client_validate_found(client, "yes-token", 9, &session) == HANKO_OK;
  hanko_session_free_found(session);
  int second = hanko_client_validate_found(client, "no-token", 8, NULL) == HANKO_INVALID_TOKEN;
  hanko_client_free_found(client);
  return first && second && hanko_validate_found("yes-token") == 1;
}

static void *use_in_thread(void *argument) { return use() ? argument : NULL; }

int main(int count, char **arguments)
{
  int right = 0, rounds = 5;
  if (count < 2) return 2;
  for (int round = 0; round < rounds; round++) {
    pthread_t thread;
    void *result;
    library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) { fprintf(stderr, "%s\n", dlerror()); return 3; }
    right += use();
    pthread_create(&thread, NULL, use_in_thread, &right);
    if (round % 2) {
      /* The thread's end, with whatever the library kept for it, comes after dlclose. */
      dlclose(library);
      pthread_join(thread, &result);
    } else {
      pthread_join(thread, &result);
      dlclose(library);
    }
    right += result != NULL;
  }
  printf("{\"right\":%d,\"of\":%d,\"threads\":%d}\n", right, 2 * rounds, count_entries("/proc/self/task"));
  return 0;
}

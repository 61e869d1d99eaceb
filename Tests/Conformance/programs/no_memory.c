/* Calls one function while the library gets no memory at all (programs/failing.c is preloaded).

   Arguments: the function, and "first" (the client has not been used) or "later"; then, if it is not to be all memory,
   the function that fails and which of its calls. Prints one JSON line: the status then, that of the same call
   afterwards, and how often something failed. */
#include "common.h"
#include <dlfcn.h>

static int calls(const char *function, hanko_client *client)
{
  hanko_session *session = NULL;
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  const char *token = getenv("TEST_TOKEN");
  int status = -1;
  if (strcmp(function, "check") == 0) status = hanko_client_check(client);
  if (strcmp(function, "refuse") == 0) status = hanko_client_validate(client, "", 0, &session);
  if (strcmp(function, "refuse_headers") == 0) status = hanko_client_authenticate(client, NULL, 0, NULL, 0, &session);
  if (strcmp(function, "statistics") == 0) status = hanko_client_statistics(client, &statistics);
  if (strcmp(function, "initialize") == 0) status = hanko_initialize();
  if (strcmp(function, "validate") == 0) status = hanko_client_validate(client, "yes-token", 9, &session);
  if (strcmp(function, "only_validate") == 0) status = hanko_client_validate(client, token, strlen(token), NULL);
  hanko_session_free(session);
  if ((int)hanko_last_status() != status || (hanko_last_error()[0] == 0) != (status == HANKO_OK)) return -2;
  return status;
}

int main(int count, char **arguments)
{
  int (*find)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "failing_find");
  void (*arm)(const char *, long) = (void (*)(const char *, long))dlsym(RTLD_DEFAULT, "failing_arm");
  void (*disarm)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "failing_disarm");
  long (*hits)(void) = (long (*)(void))dlsym(RTLD_DEFAULT, "failing_hits");
  if (count < 3 || find == NULL || arm == NULL || disarm == NULL || hits == NULL || !find()) return 97;
  hanko_client *client = NULL;
  /* The thread's record is there; a client only where the function is not the one before all others. */
  MUST(hanko_client_check(NULL) == HANKO_INVALID_ARGUMENT);
  if (strcmp(arguments[1], "initialize") != 0) client = make_client(5000);
  if (strcmp(arguments[2], "later") == 0) MUST(calls(arguments[1], client) >= 0);
  arm(count > 4 ? arguments[3] : "all memory", count > 4 ? atol(arguments[4]) : 1);
  int without = calls(arguments[1], client);
  disarm();
  printf("{\"without\":%d,\"again\":%d,\"hits\":%ld}\n", without, calls(arguments[1], client), hits());
  hanko_client_free(client);
  return 0;
}

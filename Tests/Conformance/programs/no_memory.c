/* Calls one function while the library gets no memory at all (programs/failing.c is preloaded).

   Arguments: the function, and "first" (the client has not been used) or "later"; then, if it is not to be all memory,
   the function that fails and which of its calls. Prints one JSON line: the status of a call that meets the shortage,
   that of one which begins when the shortage is known, that of the same call afterwards, and how often something
   failed. */
#include "common.h"
#include <dlfcn.h>

static void ignore(void *context, hanko_log_level level, const char *message)
{
  (void)context, (void)level, (void)message;
}

/* As make_client, with every line logged. */
static hanko_client *make_talkative_client(void)
{
  hanko_client *client = NULL;
  hanko_config *config = hanko_config_new();
  MUST(hanko_config_set_logger(config, ignore, NULL, HANKO_LOG_DEBUG) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  MUST(hanko_client_new(config, &client) == HANKO_OK);
  hanko_config_free(config);
  return client;
}

/* The functions that need no client; -1 for others. */
static int configures(const char *function)
{
  static hanko_config *config;
  hanko_client *client = NULL;
  int status = -1;
  char token[64];
  if (strcmp(function, "make config") == 0) return config = hanko_config_new(), HANKO_OK;
  if (strcmp(function, "cookie_name") == 0) status = hanko_config_set_cookie_name(config, "a-name-that-needs-memory");
  if (strcmp(function, "audience") == 0) status = hanko_config_add_audience(config, "an-audience-that-needs-memory");
  if (strcmp(function, "ca_file") == 0) status = hanko_config_set_ca_file(config, getenv("TEST_CA_FILE"));
  if (strcmp(function, "wrong_timeout") == 0) status = hanko_config_set_timeout_ms(config, 0);
  if (strcmp(function, "load_environment") == 0) status = hanko_config_load_environment(config);
  if (strcmp(function, "client_of_environment") == 0) status = hanko_client_new(NULL, &client);
  if (strcmp(function, "extract_token") == 0)
    status = hanko_extract_token("my-cookie-name=token", 20, NULL, 0, "my-cookie-name", token, sizeof token, NULL);
  hanko_client_free(client);
  return status;
}

static int calls(const char *function, hanko_client *client)
{
  hanko_session *session = NULL;
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  const char *token = getenv("TEST_TOKEN");
  int status = configures(function);
  if (strcmp(function, "check") == 0) status = hanko_client_check(client);
  if (strcmp(function, "refuse") == 0) status = hanko_client_validate(client, "", 0, &session);
  if (strcmp(function, "refuse_logged") == 0) status = hanko_client_validate(client, "\xff", 1, &session);
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
  if (strcmp(arguments[1], "initialize") != 0)
    client = strcmp(arguments[1], "refuse_logged") == 0 ? make_talkative_client() : make_client(5000);
  configures("make config");
  if (strcmp(arguments[2], "later") == 0) MUST(calls(arguments[1], client) >= 0);
  arm(count > 4 ? arguments[3] : "all memory", count > 4 ? atol(arguments[4]) : 1);
  int meets = calls(arguments[1], client), without = -9;
  if (count <= 4) {
    hanko_config_free(hanko_config_new()); /* an object, which needs the reserve at the latest */
    without = calls(arguments[1], client);
  }
  disarm();
  printf("{\"meets\":%d,\"without\":%d,\"again\":%d,\"hits\":%ld}\n", meets, without,
         calls(arguments[1], client), hits());
  hanko_client_free(client);
  return 0;
}

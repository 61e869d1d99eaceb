/* Makes and uses a client while the n-th call of one function fails (programs/failing.c is preloaded).

   Arguments: the function, n, "first" (nothing was used before) or "later". Prints what came of it as one JSON line:
   the statuses while it failed, those of the same client afterwards, and what was left behind. */
#include "common.h"
#include <dlfcn.h>

#define HOOK(result, name, ...) \
  result (*name)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_DEFAULT, "failing_" #name); \
  if (name == NULL) return 98

/* The status of one call; texts and sessions must fit it. */
static int checked(hanko_status status, hanko_session *session, int wants_session)
{
  if ((hanko_last_error()[0] == 0) != (status == HANKO_OK)) return -1;
  if (hanko_last_status() != status) return -2;
  if (wants_session && (session != NULL) != (status == HANKO_OK)) return -3;
  hanko_session_free(session);
  return status;
}

static int validates(hanko_client *client, const char *token)
{
  hanko_session *session = NULL;
  hanko_status status = hanko_client_validate(client, token, strlen(token), &session);
  return checked(status, session, 1);
}

static int authenticates(hanko_client *client)
{
  static const char cookie[] = "hanko=no-token; hanko=yes-token";
  hanko_session *session = NULL;
  hanko_status status = hanko_client_authenticate(client, cookie, sizeof cookie - 1, NULL, 0, &session);
  return checked(status, session, 1);
}

/* A client, or the status why there is none. */
static int makes(hanko_client **client)
{
  hanko_config *config = hanko_config_new();
  *client = NULL;
  if (config == NULL) return HANKO_UNAVAILABLE;
  int status = checked(hanko_config_set_api_url(config, getenv("TEST_URL")), NULL, 0);
  if (status == HANKO_OK) status = checked(hanko_config_set_max_retries(config, 0), NULL, 0);
  if (status == HANKO_OK) status = checked(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_OFF), NULL, 0);
  if (status == HANKO_OK) status = checked(hanko_client_new(config, client), NULL, 0);
  hanko_config_free(config);
  return status;
}

static int whole_cycle(void)
{
  hanko_client *client;
  if (makes(&client) != HANKO_OK) return 0;
  int right = validates(client, "yes-token") == HANKO_OK && authenticates(client) == HANKO_OK &&
              validates(client, "no-token") == HANKO_INVALID_TOKEN && hanko_validate("yes-token") == 1;
  hanko_client_free(client);
  return right;
}

int main(int count, char **arguments)
{
  HOOK(int, find, void);
  HOOK(void, arm, const char *, long);
  HOOK(void, disarm, void);
  HOOK(long, hits, void);
  HOOK(long, balance, void);
  if (count < 4 || !find()) return 97;
  int later = strcmp(arguments[3], "later") == 0;
  int descriptors = 0, made, yes = -9, authenticated = -9, no = -9, again = -9, plain;
  long kept = 0;
  hanko_client *client;
  if (later) {
    MUST(whole_cycle() && whole_cycle());
    descriptors = count_descriptors();
    kept = balance();
    MUST(whole_cycle() && balance() == kept);
  }
  /* Twice: what is left behind once may be kept for later, what is left behind each time is lost. */
  for (int round = 0; later && round < 2; round++) {
    arm(arguments[1], atol(arguments[2]));
    if (makes(&client) == HANKO_OK) {
      (void)validates(client, "yes-token");
      (void)authenticates(client);
      (void)validates(client, "no-token");
    }
    disarm();
    hanko_client_free(client);
    MUST(whole_cycle());
    if (round == 0) kept = balance();
  }
  arm(arguments[1], atol(arguments[2]));
  made = makes(&client);
  if (client) {
    yes = validates(client, "yes-token");
    authenticated = authenticates(client);
    no = validates(client, "no-token");
  }
  plain = hanko_validate("yes-token") ? HANKO_OK : hanko_last_status();
  disarm();
  if (client) {
    again = validates(client, "yes-token") == HANKO_OK && authenticates(client) == HANKO_OK &&
            validates(client, "no-token") == HANKO_INVALID_TOKEN;
  }
  hanko_client_free(client);
  int well = whole_cycle();
  printf("{\"hits\":%ld,\"made\":%d,\"yes\":%d,\"authenticated\":%d,\"no\":%d,\"plain\":%d,\"again\":%d,\"well\":%d,"
         "\"descriptors\":%d,\"leaked\":%ld}\n",
         hits(), made, yes, authenticated, no, plain, again, well, later ? count_descriptors() - descriptors : 0,
         later ? (balance() - kept) / 2 : 0);
  return 0;
}

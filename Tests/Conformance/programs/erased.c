/* Asks about a token and looks whether the library frees memory that still holds it (failing.c is preloaded). */
#define _GNU_SOURCE
#include "common.h"
#include <dlfcn.h>

#define HOOK(result, name, ...) \
  result (*name)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_DEFAULT, "failing_" #name); \
  if (name == NULL) return 98

int main(int count, char **arguments)
{
  HOOK(int, find, void);
  HOOK(void, watch, const char *);
  HOOK(long, dirty, void);
  HOOK(long, looked_at, void);
  if (count < 3 || !find()) return 97;
  const char *token = arguments[1], *control = arguments[2];
  char cookie[4096];
  snprintf(cookie, sizeof cookie, "other=1; hanko=\"%s\"; hanko=another-token", token);

  /* A part is enough to tell that it was not erased: the end of the header, the payload and the signature. */
  MUST(strlen(token) > 80);
  watch(token + 40);
  for (int round = 0; round < 2; round++) {
    hanko_client *client = make_client(500);
    MUST(hanko_client_validate(client, token, strlen(token), NULL) != HANKO_INVALID_ARGUMENT);
    MUST(hanko_client_authenticate(client, cookie, strlen(cookie), token, strlen(token), NULL) != HANKO_NO_TOKEN);
    hanko_client_free(client);
    (void)hanko_validate(token);
  }
  long token_found = dirty(), looked = looked_at();

  /* The proof that looking finds something: what the library frees without wiping it. */
  watch(control);
  hanko_client_free(make_client(1000));
  printf("{\"dirty\":%ld,\"looked_at\":%ld,\"control\":%ld}\n", token_found, looked, dirty());
  return 0;
}

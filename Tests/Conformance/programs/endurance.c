/* 100,000 validations on one client, then 1000 clients made, used and freed: descriptors and memory, in JSON lines. */
#include "common.h"

static void show(const char *when)
{
  printf("{\"when\":\"%s\",\"descriptors\":%d,\"kilobytes\":%ld}\n", when, count_descriptors(), resident_kilobytes());
  fflush(stdout);
}

int main(int count, char **arguments)
{
  long validations = count > 1 ? atol(arguments[1]) : 100000, clients = count > 2 ? atol(arguments[2]) : 1000;
  char token[64];
  hanko_client *client = make_client(30000);
  for (long call = 0; call < validations; call++) {
    int good = call % 2 == 0;
    snprintf(token, sizeof token, "%s-%ld", good ? "yes" : "no", call);
    MUST(ask(client, token) == (good ? HANKO_OK : HANKO_INVALID_TOKEN));
    if (call == validations / 10) show("first calls");
  }
  show("calls");
  hanko_client_free(client);
  for (long number = 0; number < clients; number++) {
    client = make_client(30000);
    MUST(ask(client, "yes") == HANKO_OK);
    hanko_client_free(client);
    if (number == clients / 10) show("first clients");
  }
  show("clients");
  return 0;
}

/* Closes the standard streams, then makes calls and queues with the log at its fullest, which writes to number 2.
   Prints to the descriptor 60, which was standard output, what stands at the three numbers afterwards. */
#include "queue_common.h"
#include <netinet/in.h>
#include <sys/socket.h>

static char seen[512];

/* What is not libcurl's own: its wake-up pairs are local sockets, or an eventfd. */
static void look(const char *when)
{
  for (int number = 0; number < 3; number++) {
    char path[64], target[128] = "";
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    ssize_t got = readlink(path, target, sizeof target - 1);
    if (got < 0) continue;
    target[got] = 0;
    int is_network = getsockname(number, (struct sockaddr *)&address, &length) == 0 && address.ss_family != AF_UNIX;
    if (is_network || strstr(target, "eventpoll"))
      snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s: %d is %s; ", when, number, target);
  }
}

static hanko_client *make_talkative_client(void)
{
  hanko_client *client = NULL;
  hanko_config *config = hanko_config_new();
  MUST(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_DEBUG) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  if (getenv("HANKO_CA_FILE")) MUST(hanko_config_set_ca_file(config, getenv("HANKO_CA_FILE")) == HANKO_OK);
  MUST(hanko_client_new(config, &client) == HANKO_OK);
  hanko_config_free(config);
  return client;
}

int main(int count, char **arguments)
{
  int uses_queue = count > 1 && strcmp(arguments[1], "queue") == 0, lowest = 1000, wrong = 0;
  char text[1024];
  if (dup2(1, 60) != 60 || dup2(2, 61) != 61) return 96;
  for (int number = 0; number < 3; number++) close(number);

  for (int round = 0; round < 3; round++) {
    hanko_client *client = make_talkative_client();
    if (uses_queue) {
      hanko_completion completion;
      hanko_queue *queue = make_queue(client);
      int descriptor = hanko_queue_file_descriptor(queue);
      if (descriptor < lowest) lowest = descriptor;
      look("queue");
      for (int call = 0; call < 3; call++) {
        if (submit(queue, "test-token", 1) != HANKO_OK || !wait_for_completions(queue, 20000)) wrong++;
        if (hanko_queue_drain(queue, &completion, 1, sizeof completion) != 1) wrong++;
        else if (completion.status != HANKO_INVALID_TOKEN) wrong++;
        look("submitted");
      }
      hanko_queue_free(queue);
    } else {
      for (int call = 0; call < 3; call++) {
        if (ask(client, "test-token") != HANKO_INVALID_TOKEN) wrong++;
        look("asked");
      }
      hanko_validate("test-token");
      if (hanko_last_status() != HANKO_INVALID_TOKEN) wrong++;
      look("validated");
    }
    hanko_client_free(client);
  }
  int length = snprintf(text, sizeof text, "{\"wrong\":%d,\"lowest\":%d,\"seen\":\"%s\"}\n", wrong, lowest, seen);
  return write(60, text, (size_t)length) == length ? 0 : 95;
}

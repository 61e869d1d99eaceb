/* Fills a queue at once, then takes every completion. Prints one JSON line.

   Arguments: how many submissions, how many connections at the most. */
#include "queue_common.h"

int main(int count, char **arguments)
{
  long submissions = count > 1 ? atol(arguments[1]) : 100000, taken = 0, wrong = 0;
  unsigned char *seen = calloc((size_t)submissions, 1);
  static hanko_completion completions[1024];
  hanko_client *client = NULL;
  hanko_config *config = hanko_config_new();
  char token[64];
  MUST(seen != NULL && config != NULL);
  MUST(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_OFF) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  MUST(hanko_config_set_timeout_ms(config, 120000) == HANKO_OK);
  MUST(hanko_config_set_max_connections(config, count > 2 ? (uint32_t)atol(arguments[2]) : 8) == HANKO_OK);
  MUST(hanko_client_new(config, &client) == HANKO_OK);
  hanko_config_free(config);
  hanko_queue *queue = make_queue(client);
  /* What is open beyond this is connections: at a time, as far as looking now and then can tell. */
  int before = count_descriptors(), most = 0;
  for (long tag = 0; tag < submissions; tag++) {
    snprintf(token, sizeof token, "%s-%ld", tag % 2 ? "yes" : "no", tag);
    MUST(submit(queue, token, (uint64_t)tag) == HANKO_OK);
  }
  while (taken < submissions && wait_for_completions(queue, 20000)) {
    size_t drained = hanko_queue_drain(queue, completions, 1024, sizeof completions[0]);
    for (size_t index = 0; index < drained; index++) {
      hanko_completion *completion = &completions[index];
      look_at(completion);
      wrong += completion->tag >= (uint64_t)submissions || seen[completion->tag]++ != 0
               || completion->status != (completion->tag % 2 ? HANKO_OK : HANKO_INVALID_TOKEN);
      hanko_session_free(completion->session);
    }
    taken += (long)drained;
    int connections = count_descriptors() - before;
    most = connections > most ? connections : most;
  }
  hanko_queue_free(queue);
  hanko_client_free(client);
  free(seen);
  printf("{\"taken\":%ld,\"wrong\":%ld,\"connections\":%d}\n", taken, wrong, most);
  return 0;
}

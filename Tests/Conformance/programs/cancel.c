/* Cancels threads that are in a call (pthread_cancel), and looks at what the calls after that come to.

   Argument: where the thread is. A token with "hangs" in it is not answered. Prints one JSON line. */
#include "queue_common.h"
#include <pthread.h>
#include <stdatomic.h>

static hanko_client *client;
static hanko_queue *queue;
static atomic_int returned; /* calls that came back in a thread with a cancellation pending */
static atomic_int last_status = -1;

static void note(int status)
{
  atomic_store(&last_status, status);
  atomic_fetch_add(&returned, 1);
}

/* Each ends at a cancellation point of its own, as a thread does. */
static void *ask_silent(void *argument)
{
  (void)argument;
  note(ask(client, "token-that-hangs"));
  pthread_testcancel();
  return NULL;
}

static void *ask_answered(void *argument)
{
  (void)argument;
  note(ask(client, "test-token"));
  pthread_testcancel();
  return NULL;
}

static void *ask_with_pending(void *argument)
{
  pthread_cancel(pthread_self());
  return ask_answered(argument);
}

static void *validate(void *argument)
{
  note(hanko_validate(argument));
  note((int)hanko_last_status());
  pthread_testcancel();
  return NULL;
}

static void log_line(void *context, hanko_log_level level, const char *message)
{
  (void)context, (void)level;
  /* Both are cancellation points. */
  if (write(STDERR_FILENO, message, strlen(message)) < 0) return;
  usleep(1000);
}

static hanko_client *client_with_logger(hanko_log_function logger)
{
  hanko_client *made = NULL;
  hanko_config *config = hanko_config_new();
  MUST(config != NULL);
  MUST(hanko_config_set_logger(config, logger, NULL, HANKO_LOG_DEBUG) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  MUST(hanko_client_new(config, &made) == HANKO_OK);
  hanko_config_free(config);
  return made;
}

/* Every kind of call with a cancellation that is pending before it. */
static void *call_everything(void *argument)
{
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  hanko_completion completion;
  char buffer[64];
  (void)argument;
  pthread_cancel(pthread_self());
  note(hanko_initialize());
  hanko_config *config = hanko_config_new();
  note(hanko_config_load_environment(config));
  if (getenv("TEST_CA_FILE")) note(hanko_config_set_ca_file(config, getenv("TEST_CA_FILE")));
  note(hanko_config_set_api_url(config, getenv("TEST_URL")));
  note(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_DEBUG));
  hanko_client *own = NULL;
  note(hanko_client_new(config, &own));
  hanko_config_free(config);
  note(hanko_client_check(own));
  note(ask(own, "test-token") != HANKO_INVALID_TOKEN);
  note(ask(own, "") != HANKO_NO_TOKEN);
  note(hanko_client_statistics(own, &statistics));
  note(hanko_extract_token("hanko=x", 7, NULL, 0, NULL, buffer, sizeof buffer, NULL));
  hanko_queue *first = NULL, *second = NULL;
  note(hanko_queue_new(own, &first));
  note(hanko_queue_new(own, &second));
  note(submit(first, "test-token", 1));
  note(submit(second, "token-that-hangs", 2));
  note(hanko_queue_submit_authenticate(first, "hanko=test-token", 16, NULL, 0, 3));
  note(hanko_queue_submit_check(first, 4));
  note(hanko_queue_cancel(first, 4));
  hanko_queue_drain(first, &completion, 1, sizeof completion);
  hanko_queue_free(first);
  hanko_client_free(own);
  hanko_queue_free(second); /* joins the background thread */
  atomic_fetch_add(&returned, 100);
  pthread_testcancel();
  return NULL;
}

/* The queue of the whole program, used by a thread with a cancellation pending. */
static void *use_queue(void *argument)
{
  hanko_completion completion;
  (void)argument;
  pthread_cancel(pthread_self());
  note(submit(queue, "token-that-hangs", 1));
  note(submit(queue, "test-token", 2));
  note(hanko_queue_cancel(queue, 1));
  hanko_queue_drain(queue, &completion, 1, sizeof completion);
  atomic_fetch_add(&returned, 100);
  pthread_testcancel();
  return NULL;
}

static uint64_t requests(void)
{
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
  return statistics.requests;
}

/* Waits until so many calls are under way, and a while for them to get where they will wait. */
static void wait_for_calls(uint64_t count)
{
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  do {
    usleep(1000);
    MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
  } while (statistics.in_flight < count);
  usleep(200000);
}

static pthread_t start(void *(*body)(void *), void *argument)
{
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, body, argument) == 0);
  return thread;
}

static int was_cancelled(pthread_t thread)
{
  void *result = NULL;
  MUST(pthread_join(thread, &result) == 0);
  return result == PTHREAD_CANCELED;
}

static hanko_client *client_with_one_connection(uint32_t timeout_ms)
{
  hanko_client *made = NULL;
  hanko_config *config = hanko_config_new();
  MUST(config != NULL);
  MUST(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_OFF) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  MUST(hanko_config_set_timeout_ms(config, timeout_ms) == HANKO_OK);
  MUST(hanko_config_set_max_connections(config, 1) == HANKO_OK);
  MUST(hanko_config_set_max_retries(config, 0) == HANKO_OK);
  MUST(hanko_client_new(config, &made) == HANKO_OK);
  hanko_config_free(config);
  return made;
}

int main(int count, char **arguments)
{
  const char *where = count > 1 ? arguments[1] : "";
  int cancelled = 0, after = -1;
  hanko_statistics statistics = {.struct_size = sizeof statistics};

  if (strcmp(where, "asking") == 0) {
    client = client_with_one_connection(1000);
    pthread_t thread = start(ask_silent, NULL);
    wait_for_calls(1);
    pthread_cancel(thread);
    cancelled = was_cancelled(thread);
  } else if (strcmp(where, "in line") == 0) {
    client = client_with_one_connection(2000);
    pthread_t first = start(ask_silent, NULL);
    wait_for_calls(1);
    pthread_t second = start(ask_answered, NULL);
    wait_for_calls(2);
    pthread_cancel(second);
    cancelled = was_cancelled(second);
    pthread_join(first, NULL);
  } else if (strcmp(where, "probing") == 0) {
    client = client_with_one_connection(2000);
    /* "fails" is answered with 500. */
    do {
      MUST(ask(client, "token-that-fails") == HANKO_UNAVAILABLE);
      MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
    } while (statistics.breaker_opened == 0);
    /* While it is open calls end at once; the one that is the probe takes its time. */
    for (uint64_t before = requests(); requests() == before;) {
      pthread_t thread = start(ask_silent, NULL);
      usleep(100000);
      pthread_cancel(thread);
      cancelled = was_cancelled(thread);
    }
    /* A later call probes again, and closes the breaker. */
    for (double end = seconds() + 20; after != HANKO_INVALID_TOKEN && seconds() < end; usleep(20000))
      after = ask(client, "test-token");
  } else if (strcmp(where, "logging") == 0 || strcmp(where, "in the logger") == 0) {
    client = client_with_logger(strcmp(where, "logging") == 0 ? NULL : log_line);
    cancelled = was_cancelled(start(ask_with_pending, NULL));
  } else if (strcmp(where, "hanko_validate") == 0) {
    client = make_client(1000);
    pthread_t thread = start(validate, "token-that-hangs");
    usleep(300000);
    pthread_cancel(thread);
    cancelled = was_cancelled(thread);
    hanko_validate("test-token");
    MUST(hanko_last_status() == HANKO_INVALID_TOKEN);
  } else if (strcmp(where, "everywhere") == 0) {
    client = make_client(2000);
    cancelled = was_cancelled(start(call_everything, NULL));
  } else if (strcmp(where, "queue") == 0) {
    client = make_client(2000);
    queue = make_queue(client);
    cancelled = was_cancelled(start(use_queue, NULL));
    hanko_completion completion;
    int left = 3;
    MUST(submit(queue, "test-token", 3) == HANKO_OK);
    /* One that its thread has drained is missing here. */
    for (double end = seconds() + 20; left > 0 && seconds() < end;) {
      if (!wait_for_completions(queue, 500)) break;
      if (hanko_queue_drain(queue, &completion, 1, sizeof completion) == 1) left--;
    }
    hanko_queue_free(queue);
  } else {
    return 97;
  }

  if (after < 0) after = ask(client, "test-token");
  MUST(hanko_client_statistics(client, &statistics) == HANKO_OK);
  hanko_client_free(client);
  printf("{\"cancelled\":%d,\"returned\":%d,\"status\":%d,\"after\":%d,\"in_flight\":%llu}\n", cancelled,
         atomic_load(&returned), atomic_load(&last_status), after, (unsigned long long)statistics.in_flight);
  return 0;
}

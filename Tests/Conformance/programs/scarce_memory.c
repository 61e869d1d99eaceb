/* Validates while memory is scarce for the whole process (programs/scarce.c is preloaded).

   Arguments: "blocking" or "queue", how many calls, one allocation in how many begins a burst of failures, a seed.
   Prints one JSON line: how often memory failed, and what the calls came to. A good token may be accepted or could not
   be asked about, a bad one refused or likewise: everything else ends the program with 99. Where it dies, it prints the
   stack, so that its caller sees in whose code that was. */
#include "queue_common.h"
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#undef HOOK
#define HOOK(result, name, ...) static result (*name)(__VA_ARGS__)
HOOK(void, scarce_switch, long, unsigned long long);
HOOK(long, scarce_failures, void);
HOOK(long, scarce_bursts, void);

enum { THREADS = 4, WINDOW = 64, CALLS_OF_A_CLIENT = 250 };

static pthread_barrier_t all_begin, is_scarce;
static long one_in;
static unsigned long long seed;
static atomic_long calls_left, yes, no, unavailable, made;

/* Memory is not scarce for this: the row goes on where it was. */
#define FAIL(...)                                         \
  do {                                                    \
    scarce_switch(0, 0);                                  \
    fprintf(stderr, __VA_ARGS__);                         \
    fprintf(stderr, " (%s)\n", hanko_last_error());       \
    _exit(99);                                            \
  } while (0)

/* Where it died --------------------------------------------------------------------------------------------------- */

static void died(int number)
{
  void *frames[64];
  scarce_switch(0, 0);
  int count = backtrace(frames, 64);
  printf("{\"signal\":%d,\"calls_left\":%ld,\"frames\":[", number, atomic_load(&calls_left));
  for (int index = 0; index < count; index++) {
    Dl_info found = {0};
    dladdr(frames[index], &found);
    const char *module = found.dli_fname ? found.dli_fname : "?";
    const char *slash = strrchr(module, '/');
    printf("%s[\"%s\",\"%s\",\"%#lx\"]", index ? "," : "", slash ? slash + 1 : module,
           found.dli_sname ? found.dli_sname : "?", (long)((char *)frames[index] - (char *)found.dli_fbase));
  }
  printf("]}\n");
  fflush(stdout);
  _exit(98);
}

static void watch_for_death(void)
{
  static char stack[1 << 17];
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = died, .sa_flags = SA_ONSTACK | SA_RESETHAND};
  void *frames[4];
  (void)backtrace(frames, 4); /* loads what it needs, while there is memory */
  sigaltstack(&alternate, NULL);
  for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) sigaction(signals[index], &action, NULL);
}

/* Calls ------------------------------------------------------------------------------------------------------------- */

static void count(int good, hanko_status status, const char *text)
{
  /* libcurl has one word for no memory and for a line that is too long. */
  int is_unclear = status == HANKO_PROTOCOL_ERROR && strncmp(text, "the head of the answer was longer", 33) == 0;
  if (good && status == HANKO_OK) atomic_fetch_add(&yes, 1);
  else if (!good && status == HANKO_INVALID_TOKEN) atomic_fetch_add(&no, 1);
  else if (status == HANKO_UNAVAILABLE || status == HANKO_TIMEOUT || status == HANKO_CANCELLED || is_unclear) atomic_fetch_add(&unavailable, 1);
  else FAIL("a %s token: status %d: %s", good ? "good" : "bad", (int)status, text);
}

/* Whether its circuit breaker has opened: it would keep all further calls from asking. */
static int is_paused(hanko_client *client)
{
  hanko_statistics statistics = {.struct_size = sizeof statistics};
  return hanko_client_statistics(client, &statistics) == HANKO_OK && statistics.breaker_opened > 0;
}

/* A client, made from scratch; NULL while there is no memory for it. */
static hanko_client *try_client(void)
{
  hanko_client *client = NULL;
  hanko_config *config = hanko_config_new();
  if (config == NULL) return NULL;
  hanko_status status = hanko_config_set_api_url(config, getenv("TEST_URL"));
  if (status == HANKO_OK) status = hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_OFF);
  if (status == HANKO_OK) status = hanko_config_set_max_retries(config, 0);
  /* Where libcurl could not note that it waits for a socket, the call ends with its deadline. */
  if (status == HANKO_OK) status = hanko_config_set_timeout_ms(config, 1000);
  if (status == HANKO_OK) status = hanko_client_new(config, &client);
  if (status != HANKO_OK && status != HANKO_UNAVAILABLE) FAIL("a client: status %d", (int)status);
  hanko_config_free(config);
  if (client) atomic_fetch_add(&made, 1);
  return client;
}

static hanko_client *insist_on_client(void)
{
  hanko_client *client = NULL;
  for (long tries = 0; client == NULL; tries++) {
    client = try_client();
    if (tries > 1000000) FAIL("no client in a million tries");
  }
  return client;
}

static hanko_status one_call(hanko_client *client, long call, int good)
{
  char token[64], cookie[160];
  hanko_session *session = NULL;
  hanko_status status;
  snprintf(token, sizeof token, "%s-%ld", good ? "yes" : "no", call);
  switch (call / 2 % 4) {
  case 0: /* the client of the environment */
    status = hanko_validate(token) ? HANKO_OK : hanko_last_status();
    break;
  case 1:
    status = hanko_client_validate(client, token, strlen(token), NULL);
    break;
  case 2:
    snprintf(cookie, sizeof cookie, "hanko=no-%ld; hanko=%s", call, token);
    status = hanko_client_authenticate(client, cookie, strlen(cookie), NULL, 0, &session);
    break;
  default:
    status = hanko_client_validate(client, token, strlen(token), &session);
    if ((session != NULL) != (status == HANKO_OK)) FAIL("a session does not fit status %d", (int)status);
  }
  if ((int)hanko_last_status() != (int)status) FAIL("hanko_last_status differs from %d", (int)status);
  if ((hanko_last_error()[0] == 0) != (status == HANKO_OK)) FAIL("no text, or one too many: status %d", (int)status);
  hanko_session_free(session);
  return status;
}

static void *block(void *argument)
{
  (void)argument;
  hanko_client *client = NULL;
  long call, done = 0;
  /* The record of the thread's last call is there before memory is scarce: without it no text could be looked at. */
  if (hanko_client_check(NULL) != HANKO_INVALID_ARGUMENT) FAIL("no record");
  pthread_barrier_wait(&all_begin);
  pthread_barrier_wait(&is_scarce);
  while ((call = atomic_fetch_sub(&calls_left, 1)) > 0) {
    if (done++ % CALLS_OF_A_CLIENT == 0 || is_paused(client)) {
      hanko_client_free(client);
      client = insist_on_client();
    }
    int good = call % 2 == 0;
    count(good, one_call(client, call, good), hanko_last_error());
  }
  hanko_client_free(client);
  return NULL;
}

/* Queue ------------------------------------------------------------------------------------------------------------- */

static hanko_queue *insist_on_queue(hanko_client *client)
{
  hanko_queue *queue = NULL;
  for (long tries = 0; hanko_queue_new(client, &queue) != HANKO_OK; tries++) {
    if (hanko_last_status() != HANKO_UNAVAILABLE) FAIL("a queue: status %d", (int)hanko_last_status());
    if (tries > 1000000) FAIL("no queue in a million tries");
  }
  return queue;
}

/* Takes what is there, or waits for it; how many there were. */
static long take(hanko_queue *queue, int waits)
{
  hanko_completion completions[16];
  if (waits && !wait_for_completions(queue, 60000)) FAIL("no completion in a minute");
  size_t count_of_them = hanko_queue_drain(queue, completions, 16, sizeof completions[0]);
  for (size_t index = 0; index < count_of_them; index++) {
    look_at(&completions[index]);
    count(completions[index].tag % 2 == 0, completions[index].status, completions[index].error);
    hanko_session_free(completions[index].session);
  }
  return (long)count_of_them;
}

static void submit_all(void)
{
  hanko_client *client = NULL;
  hanko_queue *queue = NULL;
  long call, done = 0, under_way = 0;
  char token[64];
  while ((call = atomic_fetch_sub(&calls_left, 1)) > 0) {
    if (done++ % CALLS_OF_A_CLIENT == 0 || is_paused(client)) {
      while (under_way > 0) under_way -= take(queue, 1);
      hanko_queue_free(queue);
      hanko_client_free(client);
      client = insist_on_client();
      queue = insist_on_queue(client);
    }
    snprintf(token, sizeof token, "%s-%ld", call % 2 == 0 ? "yes" : "no", call);
    hanko_status status = hanko_queue_submit(queue, token, strlen(token), (uint64_t)call);
    if (status == HANKO_OK) under_way++;
    else count(call % 2 == 0, status, hanko_last_error());
    if (call % 50 == 0 && hanko_queue_cancel(queue, (uint64_t)call) != HANKO_OK) FAIL("cancelling");
    under_way -= take(queue, under_way >= WINDOW);
  }
  while (under_way > 0) under_way -= take(queue, 1);
  hanko_queue_free(queue);
  hanko_client_free(client);
}

/* ------------------------------------------------------------------------------------------------------------------- */

/* The same client is well again: its circuit breaker may have opened, but not for long. */
static void must_be_well(hanko_client *client)
{
  double end = seconds() + 60;
  while (ask(client, "yes-again") != HANKO_OK) {
    if (seconds() > end) FAIL("not well again");
    usleep(10000);
  }
  MUST(ask(client, "no-again") == HANKO_INVALID_TOKEN);
}

int main(int argument_count, char **arguments)
{
  scarce_switch = (void (*)(long, unsigned long long))dlsym(RTLD_DEFAULT, "scarce_switch");
  scarce_failures = (long (*)(void))dlsym(RTLD_DEFAULT, "scarce_failures");
  scarce_bursts = (long (*)(void))dlsym(RTLD_DEFAULT, "scarce_bursts");
  if (argument_count < 5 || !scarce_switch || !scarce_failures || !scarce_bursts) return 97;
  atomic_store(&calls_left, atol(arguments[2]));
  one_in = atol(arguments[3]);
  seed = strtoull(arguments[4], NULL, 10);
  watch_for_death();
  setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* its memory is there now */
  printf(" ");
  hanko_client *client = insist_on_client();
  must_be_well(client);
  MUST(hanko_validate("yes") == 1);
  if (strcmp(arguments[1], "queue") == 0) {
    hanko_queue *queue = insist_on_queue(client);
    scarce_switch(one_in, seed);
    submit_all();
    scarce_switch(0, 0);
    MUST(submit(queue, "yes", 2) == HANKO_OK);
    MUST(take(queue, 1) == 1);
    hanko_queue_free(queue);
  } else {
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_begin, NULL, THREADS + 1);
    pthread_barrier_init(&is_scarce, NULL, THREADS + 1);
    for (int index = 0; index < THREADS; index++) MUST(pthread_create(&threads[index], NULL, block, NULL) == 0);
    pthread_barrier_wait(&all_begin);
    scarce_switch(one_in, seed);
    pthread_barrier_wait(&is_scarce);
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    scarce_switch(0, 0);
  }
  must_be_well(client);
  MUST(hanko_validate("yes") == 1 || hanko_last_status() == HANKO_UNAVAILABLE);
  printf("{\"failures\":%ld,\"bursts\":%ld,\"clients\":%ld,\"yes\":%ld,\"no\":%ld,\"unavailable\":%ld,"
         "\"kilobytes\":%ld}\n",
         scarce_failures(), scarce_bursts(), atomic_load(&made), atomic_load(&yes), atomic_load(&no),
         atomic_load(&unavailable), resident_kilobytes());
  hanko_client_free(client);
  return 0;
}

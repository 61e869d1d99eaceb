/* Validations under a storm of interrupting signals, or with connections that break while SIGPIPE would kill.
   Arguments: "storm" or "pipe", and how many calls. Prints one JSON line. */
#include "common.h"
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static atomic_long ticks;
static void tick(int number) { (void)number; atomic_fetch_add(&ticks, 1); }

int main(int count, char **arguments)
{
  if (count < 3) return 2;
  long calls = atol(arguments[2]), right = 0;
  int results[16] = {0};
  hanko_client *client = make_client(20000);
  int storm = strcmp(arguments[1], "storm") == 0;
  if (storm) {
    /* Without SA_RESTART: every blocking system call of this thread can end with EINTR. */
    struct sigaction action = {.sa_handler = tick};
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
  } else {
    signal(SIGPIPE, SIG_DFL);
  }
  for (long call = 0; call < calls; call++) {
    int good = call % 2 == 0;
    hanko_status status = ask(client, good ? "yes-token" : "no-token");
    right += status == (good ? HANKO_OK : HANKO_INVALID_TOKEN);
    if (status >= 0 && status < 16) results[status]++; else return 4;
  }
  struct sigaction now;
  sigaction(SIGPIPE, NULL, &now);
  printf("{\"right\":%ld,\"ticks\":%ld,\"unavailable\":%d,\"default\":%d}\n", right, atomic_load(&ticks),
         results[HANKO_UNAVAILABLE], now.sa_handler == SIG_DFL);
  fflush(stdout);
  hanko_client_free(client);
  return 0;
}

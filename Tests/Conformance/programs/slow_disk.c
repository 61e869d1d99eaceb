/* hanko_validate in several threads while the first of them cannot read HANKO_CA_FILE (slow_open.c is preloaded).
   Prints what each call came to, and in which order, as one JSON line. */
#define _GNU_SOURCE
#include "common.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { OTHERS = 8 };
static atomic_int maker_status = -1, maker_is_done;

static void *make(void *argument)
{
  (void)argument;
  hanko_validate("test-token");
  atomic_store(&maker_status, hanko_last_status());
  atomic_store(&maker_is_done, 1);
  return NULL;
}

static void *validate(void *argument)
{
  (void)argument;
  hanko_validate("test-token");
  return (void *)(intptr_t)hanko_last_status();
}

int main(void)
{
  int (*slow_open_count)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "slow_open_count");
  pthread_t maker, others[OTHERS];
  int late = 0, earlier = 0, child = -1;
  if (slow_open_count == NULL) return 98;
  MUST(pthread_create(&maker, NULL, make, NULL) == 0);
  while (slow_open_count() == 0) usleep(1000);

  for (int number = 0; number < OTHERS; number++) MUST(pthread_create(&others[number], NULL, validate, NULL) == 0);
  for (int number = 0; number < OTHERS; number++) {
    void *status;
    pthread_join(others[number], &status);
    late += (intptr_t)status == HANKO_TIMEOUT;
    earlier += !atomic_load(&maker_is_done);
  }
  /* A child that is forked meanwhile has a client of its own, and here another disk. */
  pid_t process = fork();
  if (process == 0) {
    unsetenv("TEST_SLOW_FILE");
    hanko_validate("test-token");
    _exit(hanko_last_status());
  }
  waitpid(process, &child, 0);
  int child_was_earlier = !atomic_load(&maker_is_done);

  close(open(getenv("TEST_RELEASE"), O_CREAT | O_WRONLY, 0600));
  pthread_join(maker, NULL);
  hanko_validate("test-token");
  printf("{\"late\":%d,\"earlier\":%d,\"child\":%d,\"child_was_earlier\":%d,\"maker\":%d,\"after\":%d,\"opened\":%d}\n",
         late, earlier, WIFEXITED(child) ? WEXITSTATUS(child) : 256, child_was_earlier, atomic_load(&maker_status),
         hanko_last_status(), slow_open_count());
  return 0;
}

/* Preloaded: to open the file TEST_SLOW_FILE takes until there is a file TEST_RELEASE, as on a disk that hangs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int opening;
/* How many threads have begun to open it. */
int slow_open_count(void) { return atomic_load(&opening); }

int open(const char *path, int flags, ...)
{
  va_list list;
  va_start(list, flags);
  int mode = va_arg(list, int);
  va_end(list);
  const char *slow = getenv("TEST_SLOW_FILE"), *release = getenv("TEST_RELEASE");
  if (slow && release && strcmp(path, slow) == 0) {
    atomic_fetch_add(&opening, 1);
    /* It ends by itself: a test that fails must not hang. */
    for (int patience = 0; access(release, F_OK) != 0 && patience < 4000; patience++) usleep(5000);
  }
  return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}

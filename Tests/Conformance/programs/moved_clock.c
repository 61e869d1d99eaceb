/* Preloaded: CLOCK_REALTIME is TEST_CLOCK_OFFSET seconds away from the machine's. Other clocks stay as they are. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  const char *offset = getenv("TEST_CLOCK_OFFSET");
  if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += atol(offset);
  return result;
}

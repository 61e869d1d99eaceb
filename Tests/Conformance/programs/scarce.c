/* Preloaded: lets allocations of the whole process fail, libcurl's and the C library's own included, with one chance in
   so many and then in a burst, as long as it is switched on. The same seed gives the same row of failures; which thread
   meets which of them is up to the scheduler.

   The program under test finds the scarce_… functions by dlsym. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LONGEST_BURST = 1000 };

static atomic_long chances, left_of_burst, failures, bursts;
static atomic_ullong number;

/* One in `one_in` allocations begins a burst; 0 switches it off. */
void scarce_switch(long one_in, unsigned long long seed)
{
  if (one_in > 0) atomic_store(&number, seed << 32);
  atomic_store(&chances, one_in);
  atomic_store(&left_of_burst, 0);
}

long scarce_failures(void) { return atomic_load(&failures); }
long scarce_bursts(void) { return atomic_load(&bursts); }

/* SplitMix64 over a counter, so that threads need no lock. */
static uint64_t bits(void)
{
  uint64_t mixed = (atomic_fetch_add(&number, 1) + 1) * 0x9E3779B97F4A7C15u;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
  return mixed ^ mixed >> 31;
}

static int fails(void)
{
  long one_in = atomic_load_explicit(&chances, memory_order_relaxed);
  if (one_in == 0) return 0;
  long left = atomic_load(&left_of_burst);
  while (left > 0)
    if (atomic_compare_exchange_weak(&left_of_burst, &left, left - 1)) goto failed;
  if (bits() % (uint64_t)one_in != 0) return 0;
  /* A single failure, a few and many, as often each: single ones get furthest into a call. */
  static const long lengths[] = {1, 10, 100, LONGEST_BURST};
  long length = (long)(bits() % (uint64_t)lengths[bits() % 4]);
  atomic_store(&left_of_burst, length);
  atomic_fetch_add(&bursts, 1);
failed:
  atomic_fetch_add(&failures, 1);
  errno = ENOMEM;
  return 1;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return size > 0 && fails() ? NULL : __libc_realloc(memory, size); }
void *memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size)
{
  void *got = fails() ? NULL : __libc_memalign(alignment, size);
  if (got == NULL) return ENOMEM;
  *memory = got;
  return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
  static void *(*next)(void *, size_t, int, int, int, off_t);
  if (next == NULL) next = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
  return fails() ? MAP_FAILED : next(address, length, protection, flags, file, offset);
}

/* The library's own thread blocks all signals; those of a death must reach the program, which says where it was. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
  static const int deaths[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
  static int (*next)(int, const sigset_t *, sigset_t *);
  sigset_t without;
  if (next == NULL) next = (int (*)(int, const sigset_t *, sigset_t *))dlsym(RTLD_NEXT, "pthread_sigmask");
  if (set == NULL || how == SIG_UNBLOCK) return next(how, set, before);
  without = *set;
  for (size_t index = 0; index < sizeof deaths / sizeof *deaths; index++) sigdelset(&without, deaths[index]);
  return next(how, &without, before);
}

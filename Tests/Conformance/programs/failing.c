/* Preloaded: lets the n-th call of one function fail that the library under test makes itself (not libcurl, not the
   program), counts what the library allocates and frees, and looks for a secret in what it frees.

   The program under test finds the failing_… functions by dlsym. */
#define _GNU_SOURCE
/* Its first parameter became const with curl 8.1: declared here instead. */
#define curl_url_get curl_url_get_of_the_header
#include <curl/curl.h>
#undef curl_url_get
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static char armed[64];
static long armed_at;
static atomic_long calls, hits, balance, dirty, looked_at;
static uintptr_t first_address, last_address;
static char secret[256];

static int find_library(struct dl_phdr_info *info, size_t size, void *data)
{
  (void)size, (void)data;
  /* The file's own name: folders may be called so as well. */
  const char *slash = strrchr(info->dlpi_name, '/');
  if (strncmp(slash == NULL ? info->dlpi_name : slash + 1, "libhanko", 8) != 0) return 0;
  for (int index = 0; index < info->dlpi_phnum; index++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[index];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
    first_address = info->dlpi_addr + header->p_vaddr;
    last_address = first_address + header->p_memsz;
  }
  return 1;
}

/* To be called when the library is loaded, before anything else. */
int failing_find(void)
{
  dl_iterate_phdr(find_library, NULL);
  return last_address != 0;
}

void failing_arm(const char *name, long number)
{
  atomic_store(&calls, 0);
  atomic_store(&hits, 0);
  armed_at = number;
  strncpy(armed, name, sizeof armed - 1);
}

void failing_disarm(void) { armed[0] = 0; }
long failing_hits(void) { return atomic_load(&hits); }
long failing_balance(void) { return atomic_load(&balance); }
long failing_dirty(void) { return atomic_load(&dirty); }
long failing_looked_at(void) { return atomic_load(&looked_at); }
void failing_watch(const char *text)
{
  atomic_store(&dirty, 0);
  atomic_store(&looked_at, 0);
  strncpy(secret, text, sizeof secret - 1);
}

static int by_library(void *address)
{
  return (uintptr_t)address >= first_address && (uintptr_t)address < last_address;
}

static int fails(const char *name, void *caller)
{
  if (armed[0] == 0 || !by_library(caller) || strcmp(name, armed) != 0) return 0;
  if (atomic_fetch_add(&calls, 1) + 1 != armed_at) return 0;
  atomic_fetch_add(&hits, 1);
  return 1;
}

/* Every allocation of the library, from the n-th on. */
static int lacks_memory(void *caller)
{
  if (strcmp("all memory", armed) != 0 || !by_library(caller)) return 0;
  if (atomic_fetch_add(&calls, 1) + 1 < armed_at) return 0;
  atomic_fetch_add(&hits, 1);
  return 1;
}

static void look(const void *memory, size_t length, void *caller)
{
  if (secret[0] == 0 || memory == NULL || !by_library(caller)) return;
  atomic_fetch_add(&looked_at, 1);
  if (memmem(memory, length, secret, strlen(secret))) atomic_fetch_add(&dirty, 1);
}

#define CALLER __builtin_return_address(0)
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
  if (lacks_memory(CALLER) || fails("malloc", CALLER)) { errno = ENOMEM; return NULL; }
  void *memory = __libc_malloc(size);
  if (memory && by_library(CALLER)) atomic_fetch_add(&balance, 1);
  return memory;
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
  if (lacks_memory(CALLER) || fails("posix_memalign", CALLER)) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  if (*memory == NULL) return ENOMEM;
  if (by_library(CALLER)) atomic_fetch_add(&balance, 1);
  return 0;
}

void free(void *memory)
{
  if (memory && by_library(CALLER)) {
    atomic_fetch_sub(&balance, 1);
    /* With the large one the library sees whether memory is back; what is in it was there before. */
    size_t size = malloc_usable_size(memory);
    if (size < 65536 || size > 65536 + 64) look(memory, size, CALLER);
  }
  __libc_free(memory);
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
  if (fails("mmap", CALLER)) { errno = ENOMEM; return MAP_FAILED; }
  void *memory = NEXT(mmap)(address, length, protection, flags, file, offset);
  if (memory != MAP_FAILED && by_library(CALLER)) atomic_fetch_add(&balance, 1);
  return memory;
}

int munmap(void *memory, size_t length)
{
  if (by_library(CALLER)) {
    atomic_fetch_sub(&balance, 1);
    look(memory, length, CALLER);
  }
  return NEXT(munmap)(memory, length);
}

int madvise(void *memory, size_t length, int advice)
{
  if (fails("madvise", CALLER)) { errno = EINVAL; return -1; }
  return NEXT(madvise)(memory, length, advice);
}

int socket(int domain, int type, int protocol)
{
  if (fails("socket", CALLER)) { errno = EMFILE; return -1; }
  return NEXT(socket)(domain, type, protocol);
}

int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
  if (fails("pthread_key_create", CALLER)) return EAGAIN;
  return NEXT(pthread_key_create)(key, destroy);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
  if (fails("pthread_setspecific", CALLER)) return ENOMEM;
  return NEXT(pthread_setspecific)(key, value);
}

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *handle);
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *handle)
{
  if (fails("__register_atfork", CALLER)) return ENOMEM;
  return NEXT(__register_atfork)(prepare, parent, child, handle);
}

int __cxa_atexit(void (*function)(void *), void *argument, void *handle);
int __cxa_atexit(void (*function)(void *), void *argument, void *handle)
{
  if (fails("__cxa_atexit", CALLER)) return -1;
  return NEXT(__cxa_atexit)(function, argument, handle);
}

/* What the library gets from libcurl it owes it: it counts in the balance as well. */
static void *owed(void *memory, void *caller)
{
  if (memory && by_library(caller)) atomic_fetch_add(&balance, 1);
  return memory;
}

static void returned(const void *memory, void *caller)
{
  if (memory && by_library(caller)) atomic_fetch_sub(&balance, 1);
}

CURL *curl_easy_init(void) { return fails("curl_easy_init", CALLER) ? NULL : owed(NEXT(curl_easy_init)(), CALLER); }
CURLU *curl_url(void) { return fails("curl_url", CALLER) ? NULL : owed(NEXT(curl_url)(), CALLER); }

CURLcode curl_global_init(long flags)
{
  return fails("curl_global_init", CALLER) ? CURLE_FAILED_INIT : NEXT(curl_global_init)(flags);
}

CURLcode curl_easy_send(CURL *handle, const void *bytes, size_t count, size_t *sent)
{
  if (fails("curl_easy_send", CALLER)) return CURLE_OUT_OF_MEMORY;
  return NEXT(curl_easy_send)(handle, bytes, count, sent);
}

CURLcode curl_easy_recv(CURL *handle, void *bytes, size_t count, size_t *received)
{
  if (fails("curl_easy_recv", CALLER)) return CURLE_OUT_OF_MEMORY;
  return NEXT(curl_easy_recv)(handle, bytes, count, received);
}

CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags)
{
  return fails("curl_url_set", CALLER) ? CURLUE_OUT_OF_MEMORY : NEXT(curl_url_set)(url, part, text, flags);
}

CURLUcode curl_url_get(const CURLU *url, CURLUPart part, char **text, unsigned int flags);
CURLUcode curl_url_get(const CURLU *url, CURLUPart part, char **text, unsigned int flags)
{
  if (fails("curl_url_get", CALLER)) return CURLUE_OUT_OF_MEMORY;
  CURLUcode code = NEXT(curl_url_get)(url, part, text, flags);
  if (code == CURLUE_OK) owed(*text, CALLER);
  return code;
}

/* libcurl ends these with a jump to free(), which then seems to be called by the library: so they go through here. */
void curl_free(void *memory)
{
  returned(memory, CALLER);
  NEXT(curl_free)(memory);
  __asm__ volatile("");
}

void curl_easy_cleanup(CURL *handle)
{
  returned(handle, CALLER);
  NEXT(curl_easy_cleanup)(handle);
  __asm__ volatile("");
}

void curl_url_cleanup(CURLU *url)
{
  returned(url, CALLER);
  NEXT(curl_url_cleanup)(url);
  __asm__ volatile("");
}


/* Both are variadic with exactly one further argument, which travels in a register of its own size. */
#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
  va_list list;
  va_start(list, option);
  void *argument = va_arg(list, void *);
  va_end(list);
  return fails("curl_easy_setopt", CALLER) ? CURLE_OUT_OF_MEMORY : NEXT(curl_easy_setopt)(handle, option, argument);
}

#undef curl_easy_getinfo
CURLcode curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
  va_list list;
  va_start(list, info);
  void *argument = va_arg(list, void *);
  va_end(list);
  if (fails("curl_easy_getinfo", CALLER)) return CURLE_BAD_FUNCTION_ARGUMENT;
  return NEXT(curl_easy_getinfo)(handle, info, argument);
}

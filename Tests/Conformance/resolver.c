/* Preloaded in front of the system's getaddrinfo for the one name "hanko.test", so that no test asks a
   real name server. HANKO_TEST_RESOLVER in the environment would start with the library's own prefix,
   so the variables here are called RESOLVER_…:

   RESOLVER_ANSWER  "silent" (never answers), "unknown" (no such name) or "loopback" (127.0.0.1)
   RESOLVER_LOG     a file that gets one line a call: proof that the function was used at all */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*getaddrinfo_function)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int is_test_name(const char *name)
{
  return name != NULL && strcmp(name, "hanko.test") == 0;
}

static void note(const char *line)
{
  const char *path = getenv("RESOLVER_LOG");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (file >= 0) {
    if (write(file, line, strlen(line)) < 0) abort();
    close(file);
  }
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
  getaddrinfo_function system_function = (getaddrinfo_function)dlsym(RTLD_NEXT, "getaddrinfo");
  const char *answer = getenv("RESOLVER_ANSWER");
  if (!is_test_name(name) || answer == NULL) return system_function(name, service, hints, result);
  note("asked\n");
  if (strcmp(answer, "silent") == 0) {
    sleep(25);
    return EAI_AGAIN;
  }
  if (strcmp(answer, "loopback") == 0) return system_function("127.0.0.1", service, hints, result);
  return EAI_NONAME;
}

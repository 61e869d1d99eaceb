/* The first call of a process, while it gets no memory at all (programs/failing.c is preloaded). Argument: which. Prints
   what it answered. */
#include "common.h"
#include <dlfcn.h>

int main(int count, char **arguments)
{
  int (*find)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "failing_find");
  void (*arm)(const char *, long) = (void (*)(const char *, long))dlsym(RTLD_DEFAULT, "failing_arm");
  void (*disarm)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "failing_disarm");
  if (count < 2 || find == NULL || arm == NULL || disarm == NULL || !find()) return 97;
  const char *which = arguments[1];
  hanko_queue *queue = NULL;
  int status = -1;
  arm("all memory", 1);
  if (strcmp(which, "statistics") == 0) status = hanko_client_statistics(NULL, NULL);
  if (strcmp(which, "client") == 0) status = hanko_client_new(NULL, NULL);
  if (strcmp(which, "queue") == 0) status = hanko_queue_new(NULL, &queue);
  if (strcmp(which, "extract") == 0) status = hanko_extract_token("hanko=a", 7, NULL, 0, NULL, NULL, 9, NULL);
  if (strcmp(which, "validate") == 0) status = hanko_validate("a.b.c") == 0 ? hanko_last_status() : -2;
  if (strcmp(which, "config") == 0) status = hanko_config_set_timeout_ms(NULL, 1);
  disarm();
  printf("{\"status\":%d}\n", status);
  return 0;
}

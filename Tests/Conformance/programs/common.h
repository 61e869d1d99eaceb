/* What the test programs share: a client from the arguments' settings, and looking at this process from inside. */
#ifndef COMMON_H
#define COMMON_H
#include <dirent.h>
#include <hanko.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define MUST(expression)                                                                  \
  do {                                                                                    \
    if (!(expression)) {                                                                  \
      fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #expression,        \
              hanko_last_error());                                                        \
      _exit(99);                                                                          \
    }                                                                                     \
  } while (0)

/* A client of the Hanko at TEST_URL, with the authority in TEST_CA, if there is one. */
static inline hanko_client *make_client(uint32_t timeout_ms)
{
  hanko_client *client = NULL;
  hanko_config *config = hanko_config_new();
  MUST(config != NULL);
  MUST(hanko_config_set_logger(config, NULL, NULL, HANKO_LOG_OFF) == HANKO_OK);
  MUST(hanko_config_set_api_url(config, getenv("TEST_URL")) == HANKO_OK);
  if (getenv("TEST_CA")) MUST(hanko_config_set_ca_file(config, getenv("TEST_CA")) == HANKO_OK);
  if (getenv("TEST_BELIEVED")) MUST(hanko_config_set_confirm_rejections(config, 0) == HANKO_OK);
  MUST(hanko_config_set_timeout_ms(config, timeout_ms) == HANKO_OK);
  MUST(hanko_client_new(config, &client) == HANKO_OK);
  hanko_config_free(config);
  return client;
}

static inline int count_entries(const char *folder)
{
  DIR *open_folder = opendir(folder);
  int count = 0;
  if (open_folder == NULL) return -1;
  while (readdir(open_folder)) count++;
  closedir(open_folder);
  return count - 2;
}

static inline int count_descriptors(void) { return count_entries("/proc/self/fd") - 1; /* without its own */ }
static inline int count_threads(void) { return count_entries("/proc/self/task"); }

static inline long resident_kilobytes(void)
{
  char line[256];
  long kilobytes = -1;
  FILE *file = fopen("/proc/self/status", "r");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kilobytes);
  fclose(file);
  return kilobytes;
}

static inline double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline hanko_status ask(hanko_client *client, const char *token)
{
  hanko_session *session = NULL;
  hanko_status status = hanko_client_validate(client, token, strlen(token), &session);
  /* A session exists exactly with a yes, and a text with everything else. */
  if ((session != NULL) != (status == HANKO_OK)) return -1;
  if ((hanko_last_error()[0] == 0) != (status == HANKO_OK)) return -2;
  hanko_session_free(session);
  return status;
}
#endif

/* What the programs about the completion queue share. */
#ifndef QUEUE_COMMON_H
#define QUEUE_COMMON_H
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "common.h"
#include <dlfcn.h>
#include <poll.h>

/* A function of failing.c, which is preloaded. */
#define HOOK(result, name, ...) \
  result (*name)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_DEFAULT, "failing_" #name); \
  if (name == NULL) return 98

static inline hanko_queue *make_queue(hanko_client *client)
{
  hanko_queue *queue = NULL;
  MUST(hanko_queue_new(client, &queue) == HANKO_OK);
  return queue;
}

/* Waits for completions; whether there are any within the time. */
static inline int wait_for_completions(hanko_queue *queue, int milliseconds)
{
  struct pollfd readable = {.fd = hanko_queue_file_descriptor(queue), .events = POLLIN};
  return poll(&readable, 1, milliseconds) == 1;
}

/* A session exists exactly with a yes, and a text with everything else. */
static inline void look_at(const hanko_completion *completion)
{
  MUST((completion->session != NULL) == (completion->status == HANKO_OK));
  MUST((completion->error[0] == 0) == (completion->status == HANKO_OK));
  MUST(memchr(completion->error, 0, sizeof completion->error) != NULL);
  MUST(completion->reserved == 0);
}

static inline hanko_status submit(hanko_queue *queue, const char *token, uint64_t tag)
{
  return hanko_queue_submit(queue, token, strlen(token), tag);
}
#endif

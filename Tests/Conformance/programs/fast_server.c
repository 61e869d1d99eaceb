/* A Hanko that answers in microseconds: yes to tokens that begin with "yes", no to all others, and a key set, over kept
   connections, one thread each. As Hanko does, it echoes X-Request-Id, and makes one where a request has none. Prints
   its port; when its standard input ends, it prints how many connections and requests about tokens it saw. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long connections, requests, made_ids;

static const char yes[] = "{\"is_valid\":true}";
static const char no[] = "{\"is_valid\":false}";
static const char keys[] = "{\"keys\":[]}";

/* One whole request starts at the buffer: its length, or 0 while bytes are missing. */
static size_t whole(const char *buffer)
{
  const char *end = strstr(buffer, "\r\n\r\n");
  if (end == NULL) return 0;
  const char *field = strcasestr(buffer, "\r\nContent-Length:");
  size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
  size_t length = (size_t)(end + 4 - buffer) + body;
  return strlen(buffer) >= length ? length : 0;
}

/* Sends an answer to the whole request at the start of the buffer, in one piece. */
static int answer(int peer, const char *request, const char *body)
{
  static const char name[] = "\r\nX-Request-Id:";
  const char *id = strcasestr(request, name);
  int length = 0;
  if (id && id < strstr(request, "\r\n\r\n")) {
    id += sizeof name - 1;
    id += strspn(id, " ");
    length = (int)strcspn(id, "\r");
  }
  char made[33];
  if (length == 0) {
    length = snprintf(made, sizeof made, "%032lx", atomic_fetch_add(&made_ids, 1));
    id = made;
  }
  char text[2048];
  int size = snprintf(text, sizeof text,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: %.*s\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      length, id, strlen(body), body);
  if (size < 0 || (size_t)size >= sizeof text) return -1;
  return send(peer, text, (size_t)size, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void *serve(void *argument)
{
  int peer = (int)(long)argument;
  char buffer[65536];
  size_t filled = 0;
  for (;;) {
    ssize_t count = read(peer, buffer + filled, sizeof buffer - 1 - filled);
    if (count <= 0) break;
    filled += (size_t)count;
    buffer[filled] = 0;
    size_t length;
    while ((length = whole(buffer)) > 0) {
      const char *said = keys;
      if (strncmp(buffer, "GET ", 4) != 0) {
        const char *body = strstr(buffer, "\"session_token\":\"");
        int good = body && body < buffer + length && strncmp(body + 17, "yes", 3) == 0;
        atomic_fetch_add(&requests, 1);
        said = good ? yes : no;
      }
      if (answer(peer, buffer, said) < 0) break;
      memmove(buffer, buffer + length, filled - length + 1);
      filled -= length;
    }
  }
  close(peer);
  return NULL;
}

static void *accept_all(void *argument)
{
  int listener = (int)(long)argument, one = 1;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (;;) {
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) continue;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    atomic_fetch_add(&connections, 1);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, serve, (void *)(long)peer) != 0) abort();
  }
}

int main(void)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 256) < 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, accept_all, (void *)(long)listener) != 0) return 1;
  char byte;
  while (read(0, &byte, 1) > 0) {}
  printf("%ld %ld\n", atomic_load(&connections), atomic_load(&requests));
  return 0;
}

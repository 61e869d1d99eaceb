/* A Hanko behind something that mixes answers up: yes to tokens that begin with "yes", no to all others, and behind
   each answer, some microseconds later, a surplus answer with the other verdict. It may arrive before the next request,
   or after the client has looked at the kept connection and before the next answer.

   Each answer carries the X-Request-Id of its request; a surplus one that of an earlier request, a random one or none.

   Arguments: what the delays begin with, and for TLS the files of a certificate and its key.

   Prints its port; when its standard input ends, it prints how many requests and surplus answers there were, and how
   many of these came between a request and its answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_DELAY = 200000 /* nanoseconds */, ID = 300 };
static atomic_long requests, surplus_answers, between;
static atomic_uint seeds;

/* OpenSSL as it is installed, without its headers. */
static void *context;
static void *(*SSL_new)(void *);
static void (*SSL_free)(void *);
static int (*SSL_set_fd)(void *, int), (*SSL_accept)(void *);
static int (*SSL_read)(void *, void *, int), (*SSL_write)(void *, const void *, int);

#define FIND(name) *(void **)&name = dlsym(openssl, #name)

static int use_tls(const char *certificate, const char *key)
{
  void *openssl = dlopen("libssl.so.3", RTLD_NOW);
  if (openssl == NULL) openssl = dlopen("libssl.so.1.1", RTLD_NOW);
  if (openssl == NULL) return 0;
  void *(*TLS_server_method)(void), *(*SSL_CTX_new)(void *);
  int (*SSL_CTX_use_certificate_chain_file)(void *, const char *);
  int (*SSL_CTX_use_PrivateKey_file)(void *, const char *, int);
  FIND(SSL_new), FIND(SSL_free), FIND(SSL_set_fd), FIND(SSL_accept), FIND(SSL_read), FIND(SSL_write);
  FIND(TLS_server_method), FIND(SSL_CTX_new), FIND(SSL_CTX_use_certificate_chain_file);
  FIND(SSL_CTX_use_PrivateKey_file);
  context = SSL_CTX_new(TLS_server_method());
  /* 1: the file is in PEM form. */
  return SSL_CTX_use_certificate_chain_file(context, certificate) == 1
         && SSL_CTX_use_PrivateKey_file(context, key, 1) == 1;
}

/* One connection, with TLS or without. */
typedef struct {
  int socket;
  void *tls;
} connection;

static long receive(connection *peer, char *buffer, size_t size)
{
  return peer->tls ? SSL_read(peer->tls, buffer, (int)size) : read(peer->socket, buffer, size);
}

static int transmit(connection *peer, const char *bytes, int length)
{
  return length == (peer->tls ? SSL_write(peer->tls, bytes, length) : send(peer->socket, bytes, (size_t)length, 0));
}

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

/* The id of a request, or nothing. */
static void read_id(const char *request, char *id)
{
  const char *end = strstr(request, "\r\n\r\n"), *field = strcasestr(request, "\r\nX-Request-Id:");
  id[0] = 0;
  if (field != NULL && field < end) sscanf(field + 15, " %255[^\r]", id);
}

static int say(connection *peer, const char *body, const char *id)
{
  char answer[1024];
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
                        id[0] ? "X-Request-Id: " : "", id, id[0] ? "\r\n" : "", strlen(body), body);
  return transmit(peer, answer, length);
}

static int say_verdict(connection *peer, int good, const char *id)
{
  return say(peer, good ? "{\"is_valid\":true}" : "{\"is_valid\":false}", id);
}

static int say_surplus(connection *peer, int good, const char *last, const char *earlier, unsigned *seed)
{
  char random[ID];
  snprintf(random, sizeof random, "%08x%08x%08x%08x", rand_r(seed), rand_r(seed), rand_r(seed), rand_r(seed));
  const char *ids[] = {last, earlier, random, ""};
  atomic_fetch_add(&surplus_answers, 1);
  return say_verdict(peer, good, ids[rand_r(seed) % 4]);
}

/* Whether a request comes within so many nanoseconds. */
static int comes_within(connection *peer, long nanoseconds)
{
  struct timespec time = {.tv_nsec = nanoseconds};
  struct pollfd readable = {.fd = peer->socket, .events = POLLIN};
  return ppoll(&readable, 1, &time, NULL) == 1;
}

static void talk(connection *peer)
{
  /* What is owed: a surplus answer with this verdict, where `owed` is set. */
  int owed = 0, surplus_verdict = 0;
  unsigned seed = atomic_fetch_add(&seeds, 7919);
  char buffer[65536], id[ID], last[ID] = "", earlier[ID] = "";
  size_t filled = 0;
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    if (owed && !comes_within(peer, rand_r(&seed) % 4 ? rand_r(&seed) % LONGEST_DELAY : 0)) {
      if (!say_surplus(peer, surplus_verdict, last, earlier, &seed)) break;
      owed = 0;
    }
    long count = receive(peer, buffer + filled, sizeof buffer - 1 - filled);
    if (count <= 0) break;
    filled += (size_t)count;
    buffer[filled] = 0;
    size_t length = whole(buffer);
    if (length == 0) continue;
    read_id(buffer, id);
    if (memmem(buffer, length, "POST ", 5) == NULL) {
      if (!say(peer, "{\"keys\":[]}", id)) break;
    } else {
      int good = memmem(buffer, length, "\"session_token\":\"yes", 20) != NULL;
      atomic_fetch_add(&requests, 1);
      if (owed) {
        /* The surplus meets the request that the client has sent after its look. */
        atomic_fetch_add(&between, 1);
        if (!say_surplus(peer, surplus_verdict, last, earlier, &seed)) break;
      }
      if (!say_verdict(peer, good, id)) break;
      owed = 1;
      surplus_verdict = !good;
      strcpy(earlier, last);
      strcpy(last, id);
    }
    memmove(buffer, buffer + length, filled - length + 1);
    filled -= length;
  }
}

static void *serve(void *argument)
{
  connection peer = {.socket = (int)(long)argument};
  if (context) {
    peer.tls = SSL_new(context);
    SSL_set_fd(peer.tls, peer.socket);
  }
  if (!context || SSL_accept(peer.tls) == 1) talk(&peer);
  if (context) SSL_free(peer.tls);
  close(peer.socket);
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
    pthread_t thread;
    if (pthread_create(&thread, &attributes, serve, (void *)(long)peer) != 0) abort();
  }
}

int main(int count, char **arguments)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  atomic_store(&seeds, count > 1 ? (unsigned)atol(arguments[1]) : 1);
  /* A client may leave while something is said to it. */
  signal(SIGPIPE, SIG_IGN);
  if (count > 3 && !use_tls(arguments[2], arguments[3])) return 2;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 256) < 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, accept_all, (void *)(long)listener) != 0) return 1;
  char byte;
  while (read(0, &byte, 1) > 0) {}
  printf("%ld %ld %ld\n", atomic_load(&requests), atomic_load(&surplus_answers), atomic_load(&between));
  return 0;
}

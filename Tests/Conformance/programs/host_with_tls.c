/* A program that has a TLS library of its own inside and exports its functions, as Node does: what libcurl calls may be
   the program's function, or the system's, and an object of the one means nothing to the other.

   Compiled with -rdynamic and one of
     OWN      the exported functions work, but their objects are addresses where nothing is: whoever hands one to
              another function, or reads it, crashes
     FOREIGN  each exported function ends the program: it belongs to a library that has not been set up
     ALONE    the same, but for SSL_has_pending alone

   Arguments: the library under test, "plain" or "deep" (RTLD_DEEPBIND), "blocking" or "queue", how many calls. Prints
   one JSON line. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <hanko.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *library;

/* What takes a connection as its first argument, in libcurls old and new. */
#define FUNCTIONS(X) \
  X(SSL_accept) X(SSL_alert_desc_string_long) X(SSL_connect) X(SSL_ctrl) X(SSL_do_handshake) X(SSL_free) \
  X(SSL_get0_alpn_selected) X(SSL_get0_peer_certificate) X(SSL_get1_peer_certificate) X(SSL_get1_session) \
  X(SSL_get_SSL_CTX) X(SSL_get_certificate) X(SSL_get_current_cipher) X(SSL_get_error) X(SSL_get_ex_data) \
  X(SSL_get_fd) X(SSL_get_peer_cert_chain) X(SSL_get_peer_certificate) X(SSL_get_privatekey) X(SSL_get_rbio) \
  X(SSL_get_session) X(SSL_get_shutdown) X(SSL_get_state) X(SSL_get_verify_result) X(SSL_get_version) X(SSL_get_wbio) \
  X(SSL_has_pending) X(SSL_in_init) X(SSL_is_init_finished) X(SSL_peek) X(SSL_pending) X(SSL_read) X(SSL_read_ex) \
  X(SSL_session_reused) X(SSL_set0_rbio) X(SSL_set0_wbio) X(SSL_set1_host) X(SSL_set_alpn_protos) X(SSL_set_bio) \
  X(SSL_set_connect_state) X(SSL_set_ex_data) X(SSL_set_fd) X(SSL_set_info_callback) X(SSL_set_session) \
  X(SSL_set_shutdown) X(SSL_set_verify) X(SSL_shutdown) X(SSL_up_ref) X(SSL_version) X(SSL_write) X(SSL_write_ex)

#ifdef OWN

enum { MOST = 4096 };
/* The objects that callers get are addresses in here. */
static char *nowhere;
static void *objects[MOST];
static int count_of_objects;

static void *own(void *object)
{
  int is_ours = (char *)object >= nowhere && (char *)object < nowhere + MOST;
  /* What comes out of a callback is the object inside. */
  return is_ours ? objects[(char *)object - nowhere] : object;
}

/* Any function of up to six arguments, of which none is a floating-point number. */
typedef void *(*function)(void *, void *, void *, void *, void *, void *);

static function inside(const char *name)
{
  function found = (function)dlsym(library, name);
  if (found == NULL) abort();
  return found;
}

#define EXPORT(name) \
  void *name(void *object, void *a, void *b, void *c, void *d, void *e) \
  { \
    return inside(#name)(own(object), a, b, c, d, e); \
  }

void *SSL_new(void *context)
{
  void *object = inside("SSL_new")(context, NULL, NULL, NULL, NULL, NULL);
  if (object == NULL || count_of_objects == MOST) return NULL;
  objects[count_of_objects] = object;
  return nowhere + count_of_objects++;
}

FUNCTIONS(EXPORT)

#else

static void end(const char *name)
{
  fprintf(stderr, "the program's own %s was called\n", name);
  abort();
}

#define EXPORT(name) \
  void name(void) { end(#name); }

#ifdef FOREIGN
FUNCTIONS(EXPORT)
EXPORT(SSL_CTX_new)
EXPORT(SSL_new)
#else
EXPORT(SSL_has_pending)
#endif
#endif

#define FIND(name) __typeof__(hanko_##name) *name = (__typeof__(hanko_##name) *)dlsym(library, "hanko_" #name)

static hanko_status ask(hanko_client *client)
{
  FIND(client_validate);
  FIND(session_free);
  hanko_session *session = NULL;
  hanko_status status = client_validate(client, "test-token", 10, &session);
  session_free(session);
  return status;
}

static hanko_status ask_through(hanko_queue *queue)
{
  FIND(queue_submit);
  FIND(queue_drain);
  FIND(queue_file_descriptor);
  FIND(session_free);
  hanko_completion completion;
  struct pollfd readable = {.fd = queue_file_descriptor(queue), .events = POLLIN};
  if (queue_submit(queue, "test-token", 10, 1) != HANKO_OK || poll(&readable, 1, 20000) != 1) return -1;
  if (queue_drain(queue, &completion, 1, sizeof completion) != 1) return -1;
  session_free(completion.session);
  return completion.status;
}

int main(int number, char **arguments)
{
  if (number != 5) return 2;
#ifdef OWN
  nowhere = mmap(NULL, MOST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (nowhere == MAP_FAILED) return 3;
#endif
  library = dlopen(arguments[1], RTLD_NOW | (strcmp(arguments[2], "deep") == 0 ? RTLD_DEEPBIND : 0));
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 4;
  }
  FIND(client_new);
  FIND(client_free);
  FIND(queue_new);
  FIND(queue_free);
  hanko_client *client = NULL;
  hanko_queue *queue = NULL;
  if (client_new(NULL, &client) != HANKO_OK || queue_new(client, &queue) != HANKO_OK) return 5;
  int right = 0, calls = atoi(arguments[4]);
  for (int call = 0; call < calls; call++)
    right += (strcmp(arguments[3], "queue") == 0 ? ask_through(queue) : ask(client)) == HANKO_OK;
  queue_free(queue);
  client_free(client);
#ifdef OWN
  printf("{\"right\":%d,\"connections\":%d}\n", right, count_of_objects);
#else
  printf("{\"right\":%d}\n", right);
#endif
  return 0;
}

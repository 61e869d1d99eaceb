/* Preloaded in front of libcurl: it says that its TLS library is GnuTLS, and behaves as it does with that one behind a
   session ticket. curl_easy_recv says AGAIN once before it gives what the socket has.

   HIDING_LOG in the environment names a file that gets one byte each time: proof that it was asked at all. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char hidden[4096];

static void *of_libcurl(const char *name)
{
  void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD);
  void *function = library ? dlsym(library, name) : NULL;
  if (function == NULL) abort();
  return function;
}

curl_version_info_data *curl_version_info(CURLversion age)
{
  static curl_version_info_data information;
  curl_version_info_data *(*real)(CURLversion) = of_libcurl("curl_version_info");
  information = *real(age);
  information.ssl_version = "GnuTLS/3.7.9";
  return &information;
}

static void note(void)
{
  const char *path = getenv("HIDING_LOG");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (file < 0) return;
  if (write(file, ".", 1) < 0) abort();
  close(file);
}

CURLcode curl_easy_recv(CURL *handle, void *buffer, size_t size, size_t *count)
{
  CURLcode (*real)(CURL *, void *, size_t, size_t *) = of_libcurl("curl_easy_recv");
  CURLcode (*get)(CURL *, CURLINFO, ...) = of_libcurl("curl_easy_getinfo");
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (get(handle, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket >= 0) {
    struct pollfd wanted = {socket, POLLIN, 0};
    int has_input = poll(&wanted, 1, 0) > 0;
    unsigned char *mark = hidden + ((uintptr_t)handle >> 4) % sizeof hidden;
    pthread_mutex_lock(&lock);
    int hides = has_input && !*mark;
    *mark = (unsigned char)hides;
    pthread_mutex_unlock(&lock);
    if (hides) {
      note();
      return CURLE_AGAIN;
    }
  }
  return real(handle, buffer, size, count);
}

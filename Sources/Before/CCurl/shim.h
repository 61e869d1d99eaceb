// libcurl for Swift. Its setopt and getinfo functions are variadic, which Swift cannot call: each kind of argument gets
// one static inline function here, with the type that libcurl expects for it. Beside them stands only what needs the
// address of a libcurl function. Nothing else belongs into this file.
#ifndef HANKO_CCURL_SHIM_H
#define HANKO_CCURL_SHIM_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

static inline CURLcode hanko_curl_set_long(CURL *handle, CURLoption option, long value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode hanko_curl_set_size(CURL *handle, CURLoption option, curl_off_t value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode hanko_curl_set_text(CURL *handle, CURLoption option, const char *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode hanko_curl_set_pointer(CURL *handle, CURLoption option, void *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode hanko_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode hanko_curl_set_address(CURL *handle, CURLU *address)
{
    return curl_easy_setopt(handle, CURLOPT_CURLU, address);
}

// CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION
static inline CURLcode hanko_curl_set_receive(CURL *handle, CURLoption option,
                                              size_t (*function)(char *, size_t, size_t, void *))
{
    return curl_easy_setopt(handle, option, function);
}

static inline CURLcode hanko_curl_set_open_socket(CURL *handle, curl_opensocket_callback function)
{
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline CURLcode hanko_curl_set_close_socket(CURL *handle, curl_closesocket_callback function)
{
    return curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, function);
}

static inline CURLcode hanko_curl_set_before_request(CURL *handle, curl_prereq_callback function)
{
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode hanko_curl_get_size(CURL *handle, CURLINFO info, curl_off_t *value)
{
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode hanko_curl_multi_set_long(CURLM *multi, CURLMoption option, long value)
{
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode hanko_curl_multi_set_socket(CURLM *multi, curl_socket_callback function, void *context)
{
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context) : code;
}

static inline CURLMcode hanko_curl_multi_set_timer(CURLM *multi, curl_multi_timer_callback function, void *context)
{
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : code;
}

// From libcurl 8.20 on the resolver's threads belong to the multi handle, and this option (CURLMOPT_QUICK_EXIT, which
// older headers do not name) keeps cleaning up from waiting for them. Older ones do not know it.
static inline CURLMcode hanko_curl_multi_set_quick_exit(CURLM *multi)
{
    CURLMcode code = curl_multi_setopt(multi, (CURLMoption)21, 1L);
    return code == CURLM_UNKNOWN_OPTION ? CURLM_OK : code;
}

// The macro holds a cast.
static inline curl_socket_t hanko_curl_socket_timeout(void)
{
    return CURL_SOCKET_TIMEOUT;
}

// The result of a transfer that ended, out of a union that Swift would have to reinterpret.
static inline CURLcode hanko_curl_message_result(const CURLMsg *message)
{
    return message->data.result;
}

static inline void *hanko_curl_get_private(CURL *handle)
{
    char *value = NULL;
    return curl_easy_getinfo(handle, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

static inline CURLcode hanko_curl_get_tls(CURL *handle, struct curl_tlssessioninfo **value)
{
    return curl_easy_getinfo(handle, CURLINFO_TLS_SSL_PTR, value);
}

// Whether the transfer's URL, and so its connection, uses TLS.
static inline int hanko_curl_uses_tls(CURL *handle)
{
    const char *scheme = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_SCHEME, &scheme) != CURLE_OK || scheme == NULL)
        return 1;
    return strcmp(scheme, "http") != 0 && strcmp(scheme, "HTTP") != 0;
}

// A function of a library that libcurl itself uses; NULL when there is none of that name. Such a library need not be
// visible to the whole process, so it is looked for from libcurl.
static inline void *hanko_curl_dependency(const char *name)
{
    Dl_info info;
    void *library = NULL;
    void *function = NULL;
    if (dladdr((void *)&curl_easy_init, &info) != 0 && info.dli_fname != NULL)
        library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library != NULL) {
        function = dlsym(library, name);
        dlclose(library);
    }
    return function != NULL ? function : dlsym(RTLD_DEFAULT, name);
}

#endif

// libcurl for Swift. Its setopt and getinfo functions are variadic, which Swift cannot call: each kind of argument gets
// one static inline function here, with the type that libcurl expects for it. Beside them stands only what needs the
// address of a libcurl function. Nothing else belongs into this file.
#ifndef HANKO_CCURL_SHIM_H
#define HANKO_CCURL_SHIM_H

#include <curl/curl.h>

static inline CURLcode hanko_curl_set_long(CURL *handle, CURLoption option, long value)
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

static inline CURLcode hanko_curl_get_long(CURL *handle, CURLINFO info, long *value)
{
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode hanko_curl_get_socket(CURL *handle, curl_socket_t *value)
{
    return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, value);
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

#endif

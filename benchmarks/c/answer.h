/*
 * What the programs on libcurl alone have in common: a handle, and how its answer is read, into a buffer and then for its
 * verdict.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "bench.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    char text[16384];
    size_t length;
};

/** For CURLOPT_WRITEFUNCTION. */
static inline size_t answer_receive(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t length = size * count;
    if (length >= sizeof answer->text - answer->length) {
        return 0;
    }
    memcpy(answer->text + answer->length, bytes, length);
    answer->length += length;
    return length;
}

/** A handle with the usual options, whose answers go to `answer`; HTTP/1.1 only where that is asked for. */
static inline CURL *answer_handle(const char *url, struct curl_slist *headers, struct answer *answer, bool only_http1)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        exit(1);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (bench_ca != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, bench_ca);
    }
    if (only_http1) {
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    }
    return curl;
}

/** Whether the request that ended with `result` got a yes. */
static inline bool answer_is_yes(CURL *curl, CURLcode result, struct answer *answer)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->text[answer->length] = '\0';
    return result == CURLE_OK && status == 200 && strstr(answer->text, "\"is_valid\":true") != NULL;
}

#endif

/* How the programs on libcurl alone read an answer: into a buffer, and then for its verdict. */
#ifndef ANSWER_H
#define ANSWER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
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

/** Whether the request that ended with `result` got a yes. */
static inline bool answer_is_yes(CURL *curl, CURLcode result, struct answer *answer)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->text[answer->length] = '\0';
    return result == CURLE_OK && status == 200 && strstr(answer->text, "\"is_valid\":true") != NULL;
}

#endif

/*
 * One validation at a time with libcurl, as most people would write it.
 *
 *     curl_easy kept    one handle for all requests, so that its connection is kept
 *     curl_easy new     a handle for each request
 *     curl_easy kept1   as `kept`, with HTTP/1.1 asked for over TLS, too
 */
#include "answer.h"
#include "bench.h"

#include <stdio.h>
#include <string.h>

static bool validate(CURL *curl, struct answer *answer, const char *token)
{
    char body[16384];
    snprintf(body, sizeof body, "{\"session_token\":\"%s\"}", token);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    answer->length = 0;
    return answer_is_yes(curl, curl_easy_perform(curl), answer);
}

int main(int argc, char **argv)
{
    bool is_kept = argc > 1 && strncmp(argv[1], "kept", 4) == 0;
    bool only_http1 = argc > 1 && strcmp(argv[1], "kept1") == 0;
    bench_begin();
    bench_tokens tokens;
    bench_tokens_open(&tokens);

    static struct answer answer;
    char url[1024];
    snprintf(url, sizeof url, "%s/sessions/validate", bench_api_url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *kept = is_kept ? answer_handle(url, headers, &answer, only_http1) : NULL;

    while (bench_goes_on()) {
        bench_tokens_next(&tokens);
        CURL *curl = is_kept ? kept : answer_handle(url, headers, &answer, false);
        bench_answered(validate(curl, &answer, tokens.text), "libcurl did not get a yes");
        if (!is_kept) {
            curl_easy_cleanup(curl);
        }
    }

    bench_end();
    curl_easy_cleanup(kept);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}

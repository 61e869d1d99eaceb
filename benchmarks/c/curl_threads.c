/*
 * Many validations in flight with libcurl in threads: each has an easy handle that it keeps.
 */
#include "answer.h"
#include "bench.h"

#include <stdio.h>

static char url[1024];
static struct curl_slist *headers;

static void *work(void *unused)
{
    struct answer answer;
    bench_tokens tokens;
    bench_tokens_open(&tokens);
    CURL *curl = answer_handle(url, headers, &answer, false);
    /* In a program with threads libcurl must not use signals. */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);

    while (bench_goes_on()) {
        bench_tokens_next(&tokens);
        char body[16384];
        snprintf(body, sizeof body, "{\"session_token\":\"%s\"}", tokens.text);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        answer.length = 0;
        CURLcode result = curl_easy_perform(curl);
        bench_answered(answer_is_yes(curl, result, &answer), "libcurl did not get a yes");
    }

    curl_easy_cleanup(curl);
    return unused;
}

int main(void)
{
    bench_begin();
    snprintf(url, sizeof url, "%s/sessions/validate", bench_api_url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = curl_slist_append(NULL, "Content-Type: application/json");

    bench_threads(work);

    bench_end();
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}

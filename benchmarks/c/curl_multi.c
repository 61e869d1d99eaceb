/*
 * Many validations in flight with a bare libcurl multi handle: one thread, one easy handle and one connection for each
 * of them, each handle put back with the next token as soon as it is done.
 *
 *     curl_multi        curl_multi_perform and curl_multi_poll
 *     curl_multi http1  the same, with HTTP/1.1 asked for over TLS, too
 */
#include "answer.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    CURL *curl;
    char body[16384];
    struct answer answer;
};

static void begin(CURLM *multi, struct request *request, bench_tokens *tokens)
{
    bench_tokens_next(tokens);
    snprintf(request->body, sizeof request->body, "{\"session_token\":\"%s\"}", tokens->text);
    curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS, request->body);
    request->answer.length = 0;
    curl_multi_add_handle(multi, request->curl);
}

int main(int argc, char **argv)
{
    bool only_http1 = argc > 1 && strcmp(argv[1], "http1") == 0;
    bench_begin();
    bench_tokens tokens;
    bench_tokens_open(&tokens);

    char url[1024];
    snprintf(url, sizeof url, "%s/sessions/validate", bench_api_url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)bench_connections);
    if (bench_connections < bench_in_flight) {
        curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)bench_connections);
    }
    struct request *requests = calloc((size_t)bench_in_flight, sizeof *requests);
    int under_way = 0;
    for (int index = 0; index < bench_in_flight; index++) {
        struct request *request = &requests[index];
        request->curl = answer_handle(url, headers, &request->answer, only_http1);
        curl_easy_setopt(request->curl, CURLOPT_PRIVATE, request);
        if (bench_goes_on()) {
            begin(multi, request, &tokens);
            under_way++;
        }
    }

    while (under_way > 0) {
        int running;
        curl_multi_perform(multi, &running);
        int left;
        CURLMsg *message;
        bool has_begun_some = false;
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            if (message->msg != CURLMSG_DONE) {
                continue;
            }
            CURL *curl = message->easy_handle;
            CURLcode result = message->data.result;
            struct request *request;
            curl_easy_getinfo(curl, CURLINFO_PRIVATE, &request);
            bench_answered(answer_is_yes(curl, result, &request->answer), "libcurl did not get a yes");
            curl_multi_remove_handle(multi, curl);
            under_way--;
            if (bench_goes_on()) {
                begin(multi, request, &tokens);
                under_way++;
                has_begun_some = true;
            }
        }
        if (!has_begun_some && under_way > 0) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }
    }

    bench_end();
    for (int index = 0; index < bench_in_flight; index++) {
        curl_easy_cleanup(requests[index].curl);
    }
    curl_multi_cleanup(multi);
    free(requests);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}

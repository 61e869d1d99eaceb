/*
 * Many validations in flight with a bare libcurl multi handle in a thread of its own, as a program needs it whose own
 * thread has other things to do: it hands each token over, and takes the results when a descriptor says that there are
 * some. Beside it one sees what handing over costs, and what libhanko's queue does besides.
 *
 *     curl_multi_worker        as libcurl comes
 *     curl_multi_worker http1  the same, with HTTP/1.1 asked for over TLS, too
 */
#include "answer.h"
#include "bench.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct request {
    CURL *curl;
    char *token;
    char body[16384];
    struct answer answer;
    bool is_yes;
    struct request *next;
};

static CURLM *multi;
static int event;

/* What the two threads share. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *submitted;
static struct request *completed;
static bool is_asleep;
static bool is_stopping;

static void check(bool holds)
{
    if (!holds) {
        fprintf(stderr, "the loop could not be set up\n");
        exit(1);
    }
}

/* --- The worker --------------------------------------------------------------------------------------------------- */

static struct request *take_submitted(void)
{
    pthread_mutex_lock(&lock);
    struct request *list = submitted;
    submitted = NULL;
    is_asleep = false;
    pthread_mutex_unlock(&lock);
    return list;
}

static void begin_all(struct request *list)
{
    for (struct request *request = list; request != NULL; request = request->next) {
        snprintf(request->body, sizeof request->body, "{\"session_token\":\"%s\"}", request->token);
        curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS, request->body);
        request->answer.length = 0;
        check(curl_multi_add_handle(multi, request->curl) == CURLM_OK);
    }
}

static void publish(struct request *first, struct request *last)
{
    pthread_mutex_lock(&lock);
    bool is_signalled = completed != NULL;
    last->next = completed;
    completed = first;
    if (!is_signalled) {
        eventfd_write(event, 1);
    }
    pthread_mutex_unlock(&lock);
}

static void collect(void)
{
    struct request *first = NULL;
    struct request *last = NULL;
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result;
        struct request *request;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, &request);
        request->is_yes = answer_is_yes(curl, result, &request->answer);
        curl_multi_remove_handle(multi, curl);
        request->next = first;
        first = request;
        last = last == NULL ? request : last;
    }
    if (first != NULL) {
        publish(first, last);
    }
}

/* Waits for the network, unless there is something to do. Returns false when the worker is to end. */
static bool wait_for_work(void)
{
    pthread_mutex_lock(&lock);
    is_asleep = submitted == NULL && !is_stopping;
    bool sleeps = is_asleep;
    bool goes_on = !is_stopping;
    pthread_mutex_unlock(&lock);
    if (sleeps) {
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    return goes_on;
}

static void *work(void *unused)
{
    do {
        begin_all(take_submitted());
        int running;
        curl_multi_perform(multi, &running);
        collect();
    } while (wait_for_work());
    return unused;
}

/* --- The program's own thread ------------------------------------------------------------------------------------- */

static void submit(struct request *request, bench_tokens *tokens)
{
    bench_tokens_next(tokens);
    request->token = strdup(tokens->text);
    pthread_mutex_lock(&lock);
    request->next = submitted;
    submitted = request;
    bool wakes = is_asleep;
    is_asleep = false;
    pthread_mutex_unlock(&lock);
    if (wakes) {
        curl_multi_wakeup(multi);
    }
}

static struct request *take_completed(void)
{
    pthread_mutex_lock(&lock);
    struct request *list = completed;
    completed = NULL;
    if (list != NULL) {
        eventfd_t count;
        eventfd_read(event, &count);
    }
    pthread_mutex_unlock(&lock);
    return list;
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
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)bench_connections);
    if (bench_connections < bench_in_flight) {
        curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)bench_connections);
    }
    event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    check(event >= 0);
    pthread_t worker;
    check(pthread_create(&worker, NULL, work, NULL) == 0);

    struct request *requests = calloc((size_t)bench_in_flight, sizeof *requests);
    int under_way = 0;
    for (int index = 0; index < bench_in_flight; index++) {
        struct request *request = &requests[index];
        request->curl = answer_handle(url, headers, &request->answer, only_http1);
        curl_easy_setopt(request->curl, CURLOPT_PRIVATE, request);
        /* In a program with threads libcurl must not use signals. */
        curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
        if (bench_goes_on()) {
            submit(request, &tokens);
            under_way++;
        }
    }

    struct pollfd descriptor = {.fd = event, .events = POLLIN};
    while (under_way > 0) {
        poll(&descriptor, 1, -1);
        struct request *next;
        for (struct request *request = take_completed(); request != NULL; request = next) {
            next = request->next;
            bench_answered(request->is_yes, "libcurl did not get a yes");
            free(request->token);
            under_way--;
            if (bench_goes_on()) {
                submit(request, &tokens);
                under_way++;
            }
        }
    }

    bench_end();
    pthread_mutex_lock(&lock);
    is_stopping = true;
    pthread_mutex_unlock(&lock);
    curl_multi_wakeup(multi);
    pthread_join(worker, NULL);
    for (int index = 0; index < bench_in_flight; index++) {
        curl_easy_cleanup(requests[index].curl);
    }
    curl_multi_cleanup(multi);
    close(event);
    free(requests);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}

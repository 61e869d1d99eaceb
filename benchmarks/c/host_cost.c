/*
 * What it costs a process to have libhanko, or libcurl alone, in it: each measurement needs a fresh process.
 *
 *     host_cost LIBRARY load            time to load, memory, threads; libcurl is loaded before libhanko
 *     host_cost LIBRARY call            the same, then a first validation
 *     host_cost LIBRARY connections N   the heap before and after N connections that are kept
 *     host_cost LIBRARY queue           the threads before and after a completion queue is made
 *
 * LIBRARY is the path of libhanko.so, or `libcurl` for the short program on libcurl alone. The settings are those of
 * bench.h. Nothing is linked, so that loading can be seen.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <hanko.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *library;
static bool is_hanko;

/* Memory in use that would not be without us, in KiB, as the system counts it. */
static long resident(void)
{
    long kibibytes = 0;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Rss: %ld", &kibibytes) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kibibytes;
}

static int threads(void)
{
    int count = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Threads: %d", &count) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return handle;
}

static void *function(const char *name)
{
    void *address = dlsym(library, name);
    if (address == NULL) {
        fprintf(stderr, "there is no %s\n", name);
        exit(1);
    }
    return address;
}
#define FUNCTION(name) ((__typeof__(&name))function(#name))

static hanko_client *make_client(void)
{
    hanko_config *config = FUNCTION(hanko_config_new)();
    hanko_client *client = NULL;
    if (FUNCTION(hanko_config_set_api_url)(config, bench_api_url) != HANKO_OK ||
        FUNCTION(hanko_config_set_max_connections)(config, (uint32_t)bench_in_flight) != HANKO_OK ||
        (bench_ca != NULL && FUNCTION(hanko_config_set_ca_file)(config, bench_ca) != HANKO_OK) ||
        FUNCTION(hanko_client_new)(config, &client) != HANKO_OK) {
        fprintf(stderr, "%s\n", FUNCTION(hanko_last_error)());
        exit(1);
    }
    FUNCTION(hanko_config_free)(config);
    return client;
}

static hanko_client *client;

static void *validate(void *context)
{
    bench_tokens *tokens = context;
    if (FUNCTION(hanko_client_validate)(client, tokens->text, tokens->length, NULL) != HANKO_OK) {
        fprintf(stderr, "%s\n", FUNCTION(hanko_last_error)());
        exit(1);
    }
    return NULL;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void ask_with_libcurl(CURL *curl, const char *token)
{
    __typeof__(&curl_easy_setopt) set = FUNCTION(curl_easy_setopt);
    char url[1024], body[16384];
    snprintf(url, sizeof url, "%s/sessions/validate", bench_api_url);
    snprintf(body, sizeof body, "{\"session_token\":\"%s\"}", token);
    struct curl_slist *headers = FUNCTION(curl_slist_append)(NULL, "Content-Type: application/json");
    set(curl, CURLOPT_URL, url);
    set(curl, CURLOPT_HTTPHEADER, headers);
    set(curl, CURLOPT_POSTFIELDS, body);
    set(curl, CURLOPT_WRITEFUNCTION, receive);
    if (bench_ca != NULL) {
        set(curl, CURLOPT_CAINFO, bench_ca);
    }
    CURLcode result = FUNCTION(curl_easy_perform)(curl);
    long status = 0;
    FUNCTION(curl_easy_getinfo)(curl, CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK || status != 200) {
        fprintf(stderr, "libcurl got no answer\n");
        exit(1);
    }
    set(curl, CURLOPT_HTTPHEADER, NULL);
    FUNCTION(curl_slist_free_all)(headers);
}

/* N threads that ask at once: the server has to be slow enough that their calls overlap. */
static void connect_hanko(bench_tokens *tokens, int count)
{
    pthread_t *all = calloc((size_t)count, sizeof *all);
    for (int index = 0; index < count; index++) {
        pthread_create(&all[index], NULL, validate, tokens);
    }
    for (int index = 0; index < count; index++) {
        pthread_join(all[index], NULL);
    }
    free(all);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 2;
    }
    /* Threads then share one heap, which mallinfo2 shows. */
    mallopt(M_ARENA_MAX, 1);
    is_hanko = strcmp(argv[1], "libcurl") != 0;
    const char *what = argv[2];
    int count = argc > 3 ? atoi(argv[3]) : 1;
    bench_begin();
    bench_tokens tokens;
    bench_tokens_open(&tokens);
    bench_tokens_next(&tokens);
    threads();
    resident();

    long empty = resident();
    double began = now();
    library = load("libcurl.so.4");
    double loaded_libcurl = now();
    long with_libcurl = resident();
    double loading_hanko = now();
    if (is_hanko) {
        library = load(argv[1]);
    }
    double loaded = now();
    printf("{\"load_libcurl_us\": %.1f, \"load_us\": %.1f, \"libcurl_kib\": %ld, \"load_kib\": %ld, \"threads\": %d",
           (loaded_libcurl - began) * 1e6, (loaded - loading_hanko) * 1e6, with_libcurl - empty,
           resident() - with_libcurl, threads());
    if (strcmp(what, "load") == 0) {
        printf("}\n");
        return 0;
    }

    began = now();
    CURL *curl = NULL;
    if (is_hanko) {
        client = make_client();
        validate(&tokens);
    } else {
        FUNCTION(curl_global_init)(CURL_GLOBAL_DEFAULT);
        curl = FUNCTION(curl_easy_init)();
        ask_with_libcurl(curl, tokens.text);
    }
    double called = now();
    printf(", \"first_call_us\": %.1f, \"called_kib\": %ld, \"threads_called\": %d", (called - began) * 1e6,
           resident() - with_libcurl, threads());

    if (strcmp(what, "connections") == 0) {
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        if (is_hanko) {
            connect_hanko(&tokens, count + 1);
        } else {
            for (int index = 0; index < count; index++) {
                ask_with_libcurl(FUNCTION(curl_easy_init)(), tokens.text);
            }
        }
        size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
        size_t opened = (size_t)count + 1;
        if (is_hanko) {
            hanko_statistics statistics = {.struct_size = sizeof statistics};
            if (FUNCTION(hanko_client_statistics)(client, &statistics) == HANKO_OK) {
                opened = statistics.connections_opened;
            }
        }
        printf(", \"connections\": %zu, \"connection_bytes\": %.0f", opened,
               opened > 1 ? ((double)after - (double)before) / (double)(opened - 1) : 0.0);
    }
    if (strcmp(what, "queue") == 0) {
        hanko_queue *queue;
        if (FUNCTION(hanko_queue_new)(client, &queue) != HANKO_OK) {
            return 1;
        }
        printf(", \"threads_queue\": %d", threads());
    }
    printf("}\n");
    return 0;
}

#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *bench_api_url;
const char *bench_ca;
int bench_in_flight = 1;
int bench_connections = 1;

static const char *token_file;
static double seconds;
static uint64_t count;

static double warm;
static atomic_uint_fast64_t begun;
static atomic_uint_fast64_t answered;
/* What had been answered when the time to warm up was over, and when that was. */
static atomic_bool is_warm;
static uint64_t answered_warm;
static double measured_since;
/* The same at the end: what is in flight then is waited for, and not counted. */
static _Atomic double ends = HUGE_VAL;
static atomic_bool has_ended;
static uint64_t answered_last;
static double measured_until;
/* Threads that validate, and those of them that have had an answer. */
static unsigned threads_in_use = 1;
static atomic_uint warm_threads;
static _Thread_local bool thread_is_warm;
static atomic_uint_fast32_t sources;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void stop(const char *problem)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, problem);
    exit(1);
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL || *value == '\0') {
        fprintf(stderr, "%s: %s is not set\n", program_invocation_short_name, name);
        exit(2);
    }
    return value;
}

void bench_begin(void)
{
    bench_api_url = setting("BENCH_API_URL");
    bench_ca = getenv("BENCH_CA");
    token_file = setting("BENCH_TOKEN");
    if (getenv("BENCH_IN_FLIGHT") != NULL) {
        bench_in_flight = atoi(setting("BENCH_IN_FLIGHT"));
    }
    bench_connections =
        getenv("BENCH_CONNECTIONS") == NULL ? bench_in_flight : atoi(setting("BENCH_CONNECTIONS"));
    if (getenv("BENCH_COUNT") != NULL) {
        count = strtoull(setting("BENCH_COUNT"), NULL, 10);
    } else {
        seconds = strtod(setting("BENCH_SECONDS"), NULL);
    }
    if (bench_in_flight < 1 || bench_connections < 1 || (count == 0 && !(seconds > 0))) {
        stop("there is nothing to do");
    }
    measured_since = now();
    warm = measured_since + seconds / 10;
}

void bench_tokens_open(bench_tokens *tokens)
{
    char text[65536];
    FILE *file = fopen(token_file, "r");
    size_t length = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL) {
        fclose(file);
    }
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    char *dot = strrchr(text, '.');
    if (dot == NULL || strlen(dot + 1) < 16) {
        stop("the token file holds no session token");
    }
    tokens->text = strdup(text);
    if (tokens->text == NULL) {
        stop("there is no memory");
    }
    tokens->length = strlen(text);
    tokens->serial = tokens->text + (dot + 1 - text);
    /* 24 bits for the process, 8 for the source in it, 32 for the token. */
    uint64_t source = atomic_fetch_add(&sources, 1) & 0xff;
    tokens->next = ((uint64_t)getpid() & 0xffffff) << 40 | source << 32;
}

void bench_tokens_next(bench_tokens *tokens)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = tokens->next++;
    for (int position = 15; position >= 0; position--) {
        tokens->serial[position] = digits[number & 15];
        number >>= 4;
    }
}

/* Every connection has carried something, and a tenth of the time has passed. */
static bool is_warmed_up(double time)
{
    return time >= warm && atomic_load(&warm_threads) >= threads_in_use &&
           atomic_load(&answered) >= (uint64_t)bench_in_flight;
}

bool bench_goes_on(void)
{
    if (count > 0) {
        return atomic_fetch_add(&begun, 1) < count;
    }
    double time = now();
    if (!atomic_load(&is_warm) && is_warmed_up(time) && !atomic_exchange(&is_warm, true)) {
        answered_warm = atomic_load(&answered);
        measured_since = time;
        atomic_store(&ends, time + seconds);
    }
    if (time < atomic_load(&ends)) {
        return true;
    }
    if (!atomic_exchange(&has_ended, true)) {
        answered_last = atomic_load(&answered);
        measured_until = time;
    }
    return false;
}

void bench_answered(bool is_valid, const char *problem)
{
    if (!is_valid) {
        stop(problem);
    }
    if (!thread_is_warm) {
        thread_is_warm = true;
        atomic_fetch_add(&warm_threads, 1);
    }
    atomic_fetch_add(&answered, 1);
}

void bench_threads(void *(*work)(void *))
{
    threads_in_use = (unsigned)bench_in_flight;
    pthread_t *threads = calloc((size_t)bench_in_flight, sizeof *threads);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (int index = 0; index < bench_in_flight; index++) {
        if (threads == NULL || pthread_create(&threads[index], &attributes, work, NULL) != 0) {
            stop("there are not enough threads");
        }
    }
    for (int index = 0; index < bench_in_flight; index++) {
        pthread_join(threads[index], NULL);
    }
    pthread_attr_destroy(&attributes);
    free(threads);
}

void bench_end(void)
{
    if (count > 0) {
        answered_last = atomic_load(&answered);
        measured_until = now();
    }
    printf("{\"validations\": %llu, \"seconds\": %.9f}\n", (unsigned long long)(answered_last - answered_warm),
           measured_until - measured_since);
}

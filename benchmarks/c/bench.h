/*
 * What the C programs of the benchmark have in common: their settings, distinct tokens, the clock, and the report.
 *
 *     BENCH_API_URL      where Hanko answers
 *     BENCH_TOKEN        a file with one session token; the first digits of its signature are replaced by a number
 *     BENCH_CA           PEM file of the authorities that TLS trusts
 *     BENCH_IN_FLIGHT    validations under way at a time; 1 when unset
 *     BENCH_CONNECTIONS  connections that may be open at a time; as many as validations in flight when unset
 *     BENCH_SECONDS      for how long to measure, once every connection is warm; or
 *     BENCH_COUNT        how many validations to make, with no time to warm up
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const char *bench_api_url;
extern const char *bench_ca;
extern int bench_in_flight;
extern int bench_connections;

/** Reads the settings; ends the program when one is missing. */
void bench_begin(void);

/** Tokens that differ from each other, within a run and between runs; each thread has its own source. */
typedef struct bench_tokens {
    char *text;
    size_t length;
    char *serial;
    uint64_t next;
} bench_tokens;

void bench_tokens_open(bench_tokens *tokens);
/** Writes the next token into `text`. */
void bench_tokens_next(bench_tokens *tokens);

/** Whether another validation is to be begun; to be asked once before each, by any thread. */
bool bench_goes_on(void);

/** Tells what became of one validation; the first wrong answer ends the program with a message. */
void bench_answered(bool is_valid, const char *problem);

/** Runs a function in as many threads as validations are in flight, to their end. */
void bench_threads(void *(*work)(void *));

/** Prints the result. */
void bench_end(void);

#endif

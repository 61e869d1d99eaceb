/*
 * Many validations in flight with libhanko's completion queue: one thread of the program waits for its descriptor, takes
 * what has completed, and submits as many new tokens.
 */
#include "bench.h"
#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY = 64 };

static void submit(hanko_queue *queue, bench_tokens *tokens)
{
    bench_tokens_next(tokens);
    if (hanko_queue_submit(queue, tokens->text, tokens->length, tokens->next) != HANKO_OK) {
        fprintf(stderr, "%s\n", hanko_last_error());
        exit(1);
    }
}

int main(void)
{
    bench_begin();
    bench_tokens tokens;
    bench_tokens_open(&tokens);
    hanko_client *client = bench_make_client();
    hanko_queue *queue;
    if (hanko_queue_new(client, &queue) != HANKO_OK) {
        fprintf(stderr, "%s\n", hanko_last_error());
        return 1;
    }

    int under_way = 0;
    while (under_way < bench_in_flight && bench_goes_on()) {
        submit(queue, &tokens);
        under_way++;
    }
    struct pollfd descriptor = {.fd = hanko_queue_file_descriptor(queue), .events = POLLIN};
    while (under_way > 0) {
        poll(&descriptor, 1, -1);
        hanko_completion completions[CAPACITY];
        size_t count = hanko_queue_drain(queue, completions, CAPACITY, sizeof completions[0]);
        for (size_t index = 0; index < count; index++) {
            bench_answered(completions[index].status == HANKO_OK && completions[index].session != NULL,
                           completions[index].error);
            hanko_session_free(completions[index].session);
            under_way--;
            if (bench_goes_on()) {
                submit(queue, &tokens);
                under_way++;
            }
        }
    }

    bench_end();
    hanko_queue_free(queue);
    hanko_client_free(client);
    return 0;
}

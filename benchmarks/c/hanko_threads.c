/*
 * Many validations in flight with libhanko's blocking function in threads that share one client.
 */
#include "bench.h"
#include "client.h"

static hanko_client *client;

static void *work(void *unused)
{
    bench_tokens tokens;
    bench_tokens_open(&tokens);
    while (bench_goes_on()) {
        bench_tokens_next(&tokens);
        hanko_status status = hanko_client_validate(client, tokens.text, tokens.length, NULL);
        bench_answered(status == HANKO_OK, hanko_last_error());
    }
    return unused;
}

int main(void)
{
    bench_begin();
    client = bench_make_client();
    bench_threads(work);
    bench_end();
    hanko_client_free(client);
    return 0;
}

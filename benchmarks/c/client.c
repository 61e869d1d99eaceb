#include "client.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

hanko_client *bench_make_client(void)
{
    hanko_config *config = hanko_config_new();
    hanko_client *client = NULL;
    if (hanko_config_set_api_url(config, bench_api_url) != HANKO_OK ||
        hanko_config_set_max_connections(config, (uint32_t)bench_connections) != HANKO_OK ||
        (bench_ca != NULL && hanko_config_set_ca_file(config, bench_ca) != HANKO_OK) ||
        hanko_client_new(config, &client) != HANKO_OK) {
        fprintf(stderr, "%s\n", hanko_last_error());
        exit(1);
    }
    hanko_config_free(config);
    return client;
}

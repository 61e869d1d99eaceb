/* The client of libhanko that the programs of the benchmark use. */
#ifndef CLIENT_H
#define CLIENT_H

#include <hanko.h>

/** Makes a client for BENCH_API_URL that may open as many connections as validations are in flight. */
hanko_client *bench_make_client(void);

#endif

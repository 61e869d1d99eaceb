/*
 * A distant server: takes connections on loopback, passes what they say to a server on loopback at once, and passes the
 * answer back after a delay. The first answer of a connection waits twice as long, because over a distance the
 * connection itself costs a round trip. It stands in for `tc netem` where the kernel has none.
 *
 *     delay PORT MILLISECONDS
 *
 * prints the port on which it listens, and at its end (standard input closed) how many bytes it passed and how many
 * connections there were: {"sent": …, "received": …, "connections": …}, from the client's point of view.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Bytes on their way back, in the order of their time. */
struct parcel {
    struct parcel *next;
    struct pair *pair;
    uint64_t due;
    size_t length; /* 0: the server closed the connection */
    char bytes[];
};

struct end {
    int socket;
    struct pair *pair;
};

struct pair {
    struct end client, server;
    struct pair *next_dead;
    int parcels;
    uint64_t last_due; /* 0: it has not answered yet */
    int is_closed;
};

static uint64_t delay;
static struct sockaddr_in server_address = {.sin_family = AF_INET};
static int polled;
static struct parcel *first, *last;
/* Closed, and freed when the events that were taken together are done with: one of them may speak of it. */
static struct pair *dead;
static unsigned long long sent, received, connections;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void watch(struct end *end, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = end};
    epoll_ctl(polled, EPOLL_CTL_ADD, end->socket, &event);
}

static void prepare(int socket)
{
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void close_pair(struct pair *pair)
{
    if (!pair->is_closed) {
        pair->is_closed = 1;
        close(pair->client.socket);
        close(pair->server.socket);
    }
    if (pair->parcels == 0) {
        pair->next_dead = dead;
        dead = pair;
    }
}

static void bury(void)
{
    while (dead != NULL) {
        struct pair *pair = dead;
        dead = pair->next_dead;
        free(pair);
    }
}

/* What is passed on is small and each side reads it: the socket's buffer holds it. */
static int pass(int socket, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = send(socket, bytes, length, MSG_NOSIGNAL);
        if (written < 0) {
            return -1;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static void post(struct pair *pair, const char *bytes, size_t length)
{
    struct parcel *parcel = malloc(sizeof *parcel + length);
    if (parcel == NULL) {
        abort();
    }
    parcel->next = NULL;
    parcel->pair = pair;
    uint64_t due = now() + (pair->last_due == 0 ? 2 * delay : delay);
    /* It must not overtake an earlier one of its connection. */
    parcel->due = due > pair->last_due ? due : pair->last_due;
    pair->last_due = parcel->due;
    parcel->length = length;
    if (length > 0) {
        memcpy(parcel->bytes, bytes, length);
    }
    pair->parcels++;
    if (last == NULL || last->due <= parcel->due) {
        *(last == NULL ? &first : &last->next) = parcel;
        last = parcel;
        return;
    }
    struct parcel **place = &first;
    while (*place != NULL && (*place)->due <= parcel->due) {
        place = &(*place)->next;
    }
    parcel->next = *place;
    *place = parcel;
}

static void deliver(void)
{
    while (first != NULL && first->due <= now()) {
        struct parcel *parcel = first;
        struct pair *pair = parcel->pair;
        first = parcel->next;
        if (first == NULL) {
            last = NULL;
        }
        pair->parcels--;
        if (pair->is_closed || parcel->length == 0 || pass(pair->client.socket, parcel->bytes, parcel->length) < 0) {
            close_pair(pair);
        }
        free(parcel);
    }
}

static void read_from(struct end *end)
{
    static char bytes[65536];
    struct pair *pair = end->pair;
    if (pair->is_closed) {
        return;
    }
    ssize_t length = recv(end->socket, bytes, sizeof bytes, 0);
    if (length < 0 && errno == EINTR) {
        return;
    }
    if (end == &pair->client) {
        if (length <= 0 || pass(pair->server.socket, bytes, (size_t)length) < 0) {
            close_pair(pair);
            return;
        }
        sent += (unsigned long long)length;
        return;
    }
    if (length <= 0) {
        epoll_ctl(polled, EPOLL_CTL_DEL, end->socket, NULL);
        length = 0;
    }
    received += (unsigned long long)length;
    post(pair, bytes, (size_t)length);
}

static void take(int listening)
{
    int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) {
        return;
    }
    struct pair *pair = calloc(1, sizeof *pair);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair == NULL || server < 0 ||
        connect(server, (struct sockaddr *)&server_address, sizeof server_address) < 0) {
        perror("delay");
        exit(1);
    }
    connections++;
    prepare(client);
    prepare(server);
    pair->client = (struct end){client, pair};
    pair->server = (struct end){server, pair};
    watch(&pair->client, EPOLLIN);
    watch(&pair->server, EPOLLIN);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    server_address.sin_port = htons((uint16_t)atoi(argv[1]));
    server_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    delay = (uint64_t)(atof(argv[2]) * 1e6);
    /* Otherwise the kernel lets it sleep up to 50 us longer. */
    prctl(PR_SET_TIMERSLACK, 1L);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    polled = epoll_create1(EPOLL_CLOEXEC);
    if (bind(listening, (struct sockaddr *)&address, size) < 0 || listen(listening, 4096) < 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) < 0 || polled < 0) {
        perror("delay");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    struct end listener = {listening, NULL}, input = {STDIN_FILENO, NULL};
    watch(&listener, EPOLLIN);
    watch(&input, EPOLLIN | EPOLLHUP);
    for (;;) {
        struct timespec pause, *until = NULL;
        if (first != NULL) {
            uint64_t time = now();
            uint64_t left = first->due > time ? first->due - time : 0;
            pause = (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
            until = &pause;
        }
        struct epoll_event events[256];
        int count = epoll_pwait2(polled, events, 256, until, NULL);
        for (int index = 0; index < count; index++) {
            struct end *end = events[index].data.ptr;
            if (end == &input) {
                printf("{\"sent\": %llu, \"received\": %llu, \"connections\": %llu}\n", sent, received, connections);
                return 0;
            }
            if (end == &listener) {
                take(listening);
            } else {
                read_from(end);
            }
        }
        deliver();
        bury();
    }
}

/*
 * A small HTTP backend with a route that only logged-in users reach: one thread, an event loop around epoll(7), and a
 * completion queue, so that it waits neither for a client nor for Hanko.
 *
 *     HANKO_API_URL=https://<tenant>.hanko.io ./epoll 8080        (0 or nothing: a free port, which it prints)
 *     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/me
 *
 *     /      everybody
 *     /me    200 and the user's id; 401 when Hanko said no; 503 when Hanko could not be asked
 *
 * What to copy is ask(), drain() and leave(), and in main() how client and queue are made, watched and freed. The rest
 * stands in for the HTTP server that you have: loopback only, 1,000 connections, kept alive, GET and HEAD without a
 * body. SIGTERM or SIGINT ends it after the requests that are under way.
 */
#define _GNU_SOURCE /* accept4, memmem, explicit_bzero, strcasestr */
#include <arpa/inet.h>
#include <errno.h>
#include <hanko.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 1000,    /* at a time; the others wait in the listen queue */
    DESCRIPTORS = 4096,    /* for them, and for the library's own connections */
    HEAD_LIMIT = 32768,    /* bytes of a request's head; a cookie jar is rarely over 8 KiB */
    IDLE_MS = 15000,       /* between two requests */
    REQUEST_MS = 5000,     /* for the whole head, so that a client cannot hold a place byte by byte */
    ANSWER_MS = 5000,      /* for the client to take the answer */
    LINGER_MS = 1000,      /* for its last bytes to arrive before the connection is closed */
    SWEEP_MS = 500,        /* how often the deadlines above are looked at */
};

/* Without the first line one user's page may be stored and shown to another. Every answer that depends on who asks
 * carries both, refusals as well. */
#define PRIVATE "Cache-Control: no-store\r\nVary: Cookie, Authorization\r\n"

enum state { READING, ASKING, ANSWERING, LINGERING };

struct connection {
    uint64_t tag; /* of its events and of its validation; no other connection ever has the same */
    int socket;
    enum state state;
    uint32_t watched; /* events */
    int64_t deadline; /* 0: none, because the library has its own */
    bool is_head, keeps;
    size_t answer_length, answer_sent, length;
    char answer[2048];
    char head[HEAD_LIMIT + 1]; /* `length` bytes, of which the first requests may be whole */
};

struct request {
    bool is_head, keeps;
    const char *path, *authorization; /* authorization is NULL when there is none */
    size_t cookie_length;
    char cookie[HEAD_LIMIT]; /* all Cookie fields, joined with "; " */
};

/* The tags of what is no connection. */
enum { LISTENER, COMPLETIONS, SIGNALS };

static hanko_client *client;
static hanko_queue *queue;
static int poller, listener, open_connections;
static bool is_listening, is_stopping;
static struct connection *connections[CONNECTIONS];

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- Connections -------------------------------------------------------------------------------------------------- */

/* The connection of a tag; NULL when it is closed. Its place may have been taken by another one since. */
static struct connection *find(uint64_t tag)
{
    struct connection *found = connections[tag % CONNECTIONS];
    return found != NULL && found->tag == tag ? found : NULL;
}

static bool watch(int descriptor, uint64_t tag, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(poller, operation, descriptor, &event) == 0;
}

static void enter(struct connection *connection, enum state state, uint32_t events, int64_t milliseconds)
{
    connection->state = state;
    connection->deadline = milliseconds > 0 ? now_ms() + milliseconds : 0;
    if (connection->watched != events) {
        connection->watched = events;
        (void)watch(connection->socket, connection->tag, events, EPOLL_CTL_MOD);
    }
}

/* While there is no place for another connection nobody is accepted. */
static void listen_or_not(bool wanted)
{
    if (wanted != is_listening && !is_stopping) {
        is_listening = wanted;
        (void)watch(listener, LISTENER, wanted ? EPOLLIN : 0, EPOLL_CTL_MOD);
    }
}

static void close_connection(struct connection *connection)
{
    connections[connection->tag % CONNECTIONS] = NULL;
    close(connection->socket);
    /* Tokens have no business in the next connection or in a core dump. */
    explicit_bzero(connection, sizeof *connection);
    free(connection);
    open_connections--;
    listen_or_not(true);
}

/* The client is gone. The validation that nobody waits for any more is withdrawn; it still completes, and drain() then
 * finds no connection of that tag. */
static void leave(struct connection *connection)
{
    if (connection->state == ASKING && hanko_queue_cancel(queue, connection->tag) != HANKO_OK) {
        fprintf(stderr, "epoll: %s\n", hanko_last_error());
    }
    close_connection(connection);
}

static void accept_connections(void)
{
    static uint64_t last_number;
    for (size_t place = 0; place < CONNECTIONS; place++) {
        if (connections[place] != NULL) {
            continue;
        }
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            break; /* others must give something back first */
        }
        if (descriptor < 0) {
            return;
        }
        struct connection *new = calloc(1, sizeof *new);
        if (new == NULL) {
            close(descriptor);
            break;
        }
        new->tag = ++last_number * CONNECTIONS + place;
        new->socket = descriptor;
        new->watched = EPOLLIN;
        connections[place] = new;
        open_connections++;
        if (!watch(descriptor, new->tag, EPOLLIN, EPOLL_CTL_ADD)) {
            close_connection(new);
            break;
        }
        enter(new, READING, EPOLLIN, IDLE_MS);
    }
    listen_or_not(false);
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

/* `headers` are whole lines, `body` is JSON; neither holds anything that a client sent. */
static void respond(struct connection *connection, const char *status, const char *headers, const char *body)
{
    int length = snprintf(connection->answer, sizeof connection->answer,
                          "HTTP/1.1 %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\nConnection: %s\r\n%s\r\n%s",
                          status, strlen(body), connection->keeps ? "keep-alive" : "close", headers,
                          connection->is_head ? "" : body);
    connection->answer_length = (size_t)length;
    connection->answer_sent = 0;
    enter(connection, ANSWERING, connection->watched, ANSWER_MS);
}

/* Whether everything is sent and the next request may be looked at. The connection may be closed afterwards. */
static bool send_answer(struct connection *connection)
{
    while (connection->answer_sent < connection->answer_length) {
        /* A client that has gone away must not end the process with SIGPIPE. */
        ssize_t sent = send(connection->socket, connection->answer + connection->answer_sent,
                            connection->answer_length - connection->answer_sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            enter(connection, ANSWERING, EPOLLOUT, ANSWER_MS);
            return false;
        }
        if (sent <= 0 && errno != EINTR) {
            close_connection(connection);
            return false;
        }
        connection->answer_sent += sent > 0 ? (size_t)sent : 0;
    }
    if (connection->keeps && !is_stopping) {
        enter(connection, READING, EPOLLIN, IDLE_MS);
        return true;
    }
    /* Closing at once would throw away an answer that the client has not read while it was still sending. */
    shutdown(connection->socket, SHUT_WR);
    enter(connection, LINGERING, EPOLLIN, LINGER_MS);
    return false;
}

/* Writes a text as a JSON string; false when it does not fit. User ids are UUIDs, but nothing promises that to us. */
static bool write_json(char *out, size_t capacity, const char *text)
{
    size_t used = 0;
    out[used++] = '"';
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool is_plain = byte >= 0x20 && byte != '"' && byte != '\\';
        if (used + 8 > capacity) {
            return false;
        }
        used += (size_t)sprintf(out + used, is_plain ? "%c" : "\\u%04x", byte);
    }
    out[used++] = '"';
    out[used] = '\0';
    return true;
}

/* --- The protected route ------------------------------------------------------------------------------------------ */

static void refuse(struct connection *connection, hanko_status status)
{
    char body[128];
    /* This text is made for clients. That of the completion is not; the library has written that to standard error
     * already, at most one line a second (HANKO_LOG). */
    snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", hanko_status_message(status));
    switch (status) {
    case HANKO_INVALID_TOKEN:
    case HANKO_NO_TOKEN:
        respond(connection, "401 Unauthorized", PRIVATE "WWW-Authenticate: Bearer\r\n", body);
        break;
    default:
        /* Hanko could not be asked, which says nothing about the session: the front end should try again, and nobody is
         * logged out. Statuses that later versions add belong here, too. */
        respond(connection, "503 Service Unavailable", PRIVATE "Retry-After: 5\r\n", body);
    }
}

static void welcome(struct connection *connection, const hanko_session *session)
{
    char user[512], body[640];
    /* The id comes from its own function, because a custom claim may overwrite `sub` among the claims. NULL, which no
     * Hanko sends, would be a session of nobody. */
    const char *id = hanko_session_user_id(session);
    if (id != NULL && write_json(user, sizeof user, id)) {
        snprintf(body, sizeof body, "{\"user_id\":%s}\n", user);
        respond(connection, "200 OK", PRIVATE, body);
    } else {
        refuse(connection, HANKO_PROTOCOL_ERROR);
    }
}

/* Finds the token itself, and returns at once: the answer comes through drain(). */
static void ask(struct connection *connection, const struct request *request)
{
    const char *authorization = request->authorization;
    hanko_status status =
        hanko_queue_submit_authenticate(queue, request->cookie, request->cookie_length, authorization,
                                        authorization != NULL ? strlen(authorization) : 0, connection->tag);
    if (status == HANKO_OK) {
        /* Exactly one completion follows. Meanwhile nothing is read; a client that ends its side has lost interest. */
        enter(connection, ASKING, EPOLLRDHUP, 0);
    } else {
        refuse(connection, status); /* no token, or the queue is full: there is nothing to wait for */
    }
}

/* Goes on with a connection as far as it goes without waiting. */
static void advance(struct connection *connection);

static void drain(void)
{
    hanko_completion done[64];
    /* What does not fit comes next time: the descriptor stays readable. */
    size_t count = hanko_queue_drain(queue, done, 64, sizeof done[0]);
    for (size_t index = 0; index < count; index++) {
        struct connection *connection = find(done[index].tag);
        if (connection != NULL) {
            if (done[index].status == HANKO_OK) {
                welcome(connection, done[index].session);
            } else {
                refuse(connection, done[index].status);
            }
            advance(connection);
        }
        hanko_session_free(done[index].session);
    }
}

/* --- Requests ----------------------------------------------------------------------------------------------------- */

/* The next line, without its end; NULL when it does not end with CR LF or holds a bare one (RFC 9112 section 2.2). */
static char *next_line(char **rest)
{
    char *line = *rest, *end = strpbrk(line, "\r\n");
    if (end == NULL || end[0] != '\r' || end[1] != '\n') {
        return NULL;
    }
    *end = '\0';
    *rest = end + 2;
    return line;
}

/* Takes one field; false when it must not be there. */
static bool take_field(struct request *request, char *field)
{
    char *value = strchr(field, ':');
    /* No folded lines and no blank before the colon: servers and proxies disagree about both. */
    if (value == NULL || value == field || strcspn(field, " \t") < (size_t)(value - field)) {
        return false;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(field, "Cookie") == 0) {
        /* Several are one list (RFC 9113 section 8.2.3). It cannot be longer than the head it comes from. */
        request->cookie_length += (size_t)snprintf(request->cookie + request->cookie_length,
                                                   sizeof request->cookie - request->cookie_length, "%s%s",
                                                   request->cookie_length > 0 ? "; " : "", value);
    } else if (strcasecmp(field, "Authorization") == 0) {
        bool is_second = request->authorization != NULL; /* whose is it? */
        request->authorization = value;
        return !is_second;
    } else if (strcasecmp(field, "Connection") == 0) {
        request->keeps = request->keeps && strcasestr(value, "close") == NULL;
    } else if (strcasecmp(field, "Transfer-Encoding") == 0) {
        return false; /* a body that is not read would be taken for the next request */
    } else if (strcasecmp(field, "Content-Length") == 0) {
        return strcmp(value, "0") == 0;
    }
    return true;
}

/* Takes a head apart, up to and with the end of its last line; NULL, or the status to answer. */
static const char *parse(struct request *request, char *head)
{
    char *rest = head, *line = next_line(&rest);
    char *target = line != NULL ? strchr(line, ' ') : NULL;
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL || strncmp(version, " HTTP/1.", 8) != 0 || strlen(version) != 9) {
        return "400 Bad Request";
    }
    *target = *version = '\0';
    request->keeps = version[8] != '0';
    request->path = target + 1;
    target[1 + strcspn(target + 1, "?")] = '\0';
    request->is_head = strcmp(line, "HEAD") == 0;
    if (!request->is_head && strcmp(line, "GET") != 0) {
        return "405 Method Not Allowed";
    }
    while (*rest != '\0') {
        char *field = next_line(&rest);
        if (field == NULL || !take_field(request, field)) {
            return "400 Bad Request";
        }
    }
    return NULL;
}

/* What is no request, or too large a one, ends the connection: nobody knows where the next one would begin. */
static void reject(struct connection *connection, const char *problem)
{
    bool is_method = strncmp(problem, "405", 3) == 0;
    fprintf(stderr, "epoll: %.3s\n", problem);
    connection->keeps = connection->is_head = false;
    connection->length = 0;
    respond(connection, problem, is_method ? "Allow: GET, HEAD\r\n" : "Cache-Control: no-store\r\n",
            "{\"error\":\"Bad request\"}\n");
}

static void serve(struct connection *connection, const struct request *request)
{
    connection->is_head = request->is_head;
    connection->keeps = request->keeps && !is_stopping;
    if (strcmp(request->path, "/me") == 0) {
        ask(connection, request);
    } else if (strcmp(request->path, "/") == 0) {
        respond(connection, "200 OK", "", "{\"hello\":\"everybody\"}\n");
    } else {
        respond(connection, "404 Not Found", "", "{\"error\":\"Not found\"}\n");
    }
}

/* Takes one request out of what was read; false when it is not whole yet. */
static bool take_request(struct connection *connection)
{
    static struct request request;
    char *head = connection->head, *end = memmem(head, connection->length, "\r\n\r\n", 4);
    if (end == NULL) {
        if (connection->length == HEAD_LIMIT) {
            reject(connection, "431 Request Header Fields Too Large");
        }
        return connection->length == 0 ? false : connection->state == ANSWERING;
    }
    size_t used = (size_t)(end + 4 - head);
    end[2] = '\0';
    /* A NUL would make us see a shorter head than a proxy in front of us did. */
    const char *problem = strlen(head) == used - 2 ? parse(&request, head) : "400 Bad Request";
    if (problem != NULL) {
        reject(connection, problem);
    } else {
        serve(connection, &request);
        connection->length -= used;
        memmove(head, head + used, connection->length);
    }
    explicit_bzero(head + connection->length, sizeof connection->head - connection->length);
    explicit_bzero(&request, sizeof request);
    return true;
}

static void advance(struct connection *connection)
{
    bool goes_on = true;
    while (goes_on) {
        switch (connection->state) {
        case READING:
            goes_on = take_request(connection);
            break;
        case ANSWERING:
            goes_on = send_answer(connection);
            break;
        default:
            goes_on = false;
        }
    }
}

static void read_more(struct connection *connection)
{
    ssize_t count = recv(connection->socket, connection->head + connection->length, HEAD_LIMIT - connection->length, 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        close_connection(connection);
        return;
    }
    if (connection->length == 0) {
        enter(connection, READING, EPOLLIN, REQUEST_MS);
    }
    connection->length += (size_t)count;
    advance(connection);
}

static void throw_away(struct connection *connection)
{
    char rest[4096];
    ssize_t count = recv(connection->socket, rest, sizeof rest, 0);
    explicit_bzero(rest, sizeof rest);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        close_connection(connection);
    }
}

static void go_on(struct connection *connection)
{
    switch (connection->state) {
    case READING:
        read_more(connection);
        break;
    case ASKING:
        leave(connection);
        break;
    case ANSWERING:
        advance(connection);
        break;
    case LINGERING:
        throw_away(connection);
        break;
    }
}

/* --- Start, time and stop ----------------------------------------------------------------------------------------- */

/* Ends what takes too long. */
static void sweep(void)
{
    int64_t now = now_ms();
    for (size_t place = 0; place < CONNECTIONS; place++) {
        struct connection *connection = connections[place];
        if (connection == NULL || connection->deadline == 0 || connection->deadline > now) {
            continue;
        }
        if (connection->state == READING && connection->length > 0) {
            reject(connection, "408 Request Timeout");
            advance(connection);
        } else {
            close_connection(connection);
        }
    }
    listen_or_not(open_connections < CONNECTIONS); /* where it was for want of memory or descriptors */
}

/* Accepts nobody any more, and lets go of those who have asked nothing. */
static void stop(void)
{
    is_stopping = true;
    close(listener);
    for (size_t place = 0; place < CONNECTIONS; place++) {
        if (connections[place] != NULL && connections[place]->state == READING) {
            close_connection(connections[place]);
        } else if (connections[place] != NULL) {
            connections[place]->keeps = false;
        }
    }
}

static void run(void)
{
    struct epoll_event events[64];
    int64_t last_sweep = now_ms();
    while (!is_stopping || open_connections > 0) {
        int count = epoll_wait(poller, events, 64, SWEEP_MS);
        for (int index = 0; index < count; index++) {
            uint64_t tag = events[index].data.u64;
            struct connection *connection = find(tag); /* an earlier event may have closed it */
            if (tag == LISTENER && !is_stopping) {
                accept_connections();
            } else if (tag == COMPLETIONS) {
                drain();
            } else if (tag == SIGNALS && !is_stopping) {
                stop();
            } else if (connection != NULL) {
                go_on(connection);
            }
        }
        if (now_ms() - last_sweep >= SWEEP_MS) {
            last_sweep = now_ms();
            sweep();
        }
    }
}

/* Listens on a port of this machine only; the port, 0 when that failed. */
static int listen_locally(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, SOMAXCONN) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

/* Raises the soft limit of descriptors; without that a thousand connections are the most that many systems allow. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* A client that has asked once, and its queue; false when there cannot be one. */
static bool make_client(void)
{
    hanko_status status = hanko_client_new(NULL, &client); /* NULL: configured by the environment */
    if (status == HANKO_OK) {
        status = hanko_client_check(client); /* blocks, which does not matter yet */
    }
    if (status == HANKO_UNAVAILABLE || status == HANKO_TIMEOUT) {
        /* An outage at this moment is no reason not to start: /me answers 503 until it is over. */
        fprintf(stderr, "epoll: starting without Hanko: %s\n", hanko_last_error());
        status = HANKO_OK;
    }
    if (status == HANKO_OK) {
        status = hanko_queue_new(client, &queue);
    }
    if (status != HANKO_OK) {
        /* A wrong setting is one: better no server than one that nobody can use. */
        fprintf(stderr, "epoll: %s\n", hanko_last_error());
    }
    return status == HANKO_OK;
}

int main(int argc, char **argv)
{
    /* Both come as readable descriptors instead. */
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGINT);
    sigprocmask(SIG_BLOCK, &stopping, NULL);

    allow_descriptors();
    if (!make_client()) {
        hanko_client_free(client);
        return EXIT_FAILURE;
    }
    long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    int port = wanted >= 0 && wanted <= 65535 ? listen_locally((int)wanted) : 0;
    int signals = signalfd(-1, &stopping, SFD_NONBLOCK | SFD_CLOEXEC);
    int completions = hanko_queue_file_descriptor(queue);
    poller = epoll_create1(EPOLL_CLOEXEC);
    is_listening = true;
    bool is_ready = port != 0 && watch(listener, LISTENER, EPOLLIN, EPOLL_CTL_ADD)
                    && watch(signals, SIGNALS, EPOLLIN, EPOLL_CTL_ADD)
                    && watch(completions, COMPLETIONS, EPOLLIN, EPOLL_CTL_ADD);
    if (is_ready) {
        printf("http://127.0.0.1:%d\n", port);
        fflush(stdout);
        run();
        /* Out of epoll first: its descriptor is closed with the queue. */
        (void)watch(completions, COMPLETIONS, 0, EPOLL_CTL_DEL);
    } else {
        perror("epoll: cannot listen");
    }
    hanko_queue_free(queue);
    hanko_client_free(client);
    close(poller);
    close(signals);
    return is_ready ? EXIT_SUCCESS : EXIT_FAILURE;
}

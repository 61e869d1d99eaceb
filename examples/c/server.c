/*
 * A small HTTP backend with a route that only logged-in users reach.
 *
 *     HANKO_API_URL=https://<tenant>.hanko.io ./server 8080        (0 or nothing: a free port, which it prints)
 *     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/me
 *
 *     /      everybody
 *     /me    200 and the user's id; 401 when Hanko said no; 503 when Hanko could not be asked
 *
 * What to copy is protect() and the few lines in main() that make, check and free the client. The rest stands in for
 * the HTTP server that you have: one request a connection, loopback only, GET and HEAD. SIGTERM or SIGINT ends it after
 * the requests that are under way.
 */
#define _GNU_SOURCE /* accept4, memmem, explicit_bzero */
#include <arpa/inet.h>
#include <errno.h>
#include <hanko.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS = 16,          /* requests at a time; the others wait in the listen queue */
    HEAD_LIMIT = 32768,    /* bytes of a request's head; a cookie jar is rarely over 8 KiB */
    REQUEST_MS = 5000,     /* for the whole head, so that a client cannot hold a thread byte by byte */
    LINGER_MS = 1000,      /* for the client to take the answer */
};

/* Without the first line one user's page may be stored and shown to another. Every answer that depends on who asks
 * carries both, refusals as well. */
#define PRIVATE "Cache-Control: no-store\r\nVary: Cookie, Authorization\r\n"

static hanko_client *client;
static int listener;

struct request {
    bool is_head;
    char *path;
    const char *authorization; /* NULL: none */
    char cookie[HEAD_LIMIT];   /* all Cookie fields, joined with "; " */
    size_t cookie_length;
    char head[HEAD_LIMIT + 1];
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- Answers ---------------------------------------------------------------------------------------------------- */

/* `headers` are whole lines, `body` is JSON; neither holds anything that a client sent. */
static void respond(int connection, const struct request *request, const char *status, const char *headers,
                    const char *body)
{
    char text[2048];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s",
                          status, strlen(body), headers, request->is_head ? "" : body);
    const char *next = text;
    while (length > 0) {
        /* A client that has gone away must not end the process with SIGPIPE. */
        ssize_t sent = send(connection, next, (size_t)length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return;
        }
        next += sent;
        length -= (int)sent;
    }
}

/* Writes a text as a JSON string; false when it does not fit. User ids are UUIDs, but nothing promises that to us. */
static bool write_json(char *out, size_t capacity, const char *text)
{
    size_t used = 0;
    if (capacity < 3) {
        return false;
    }
    out[used++] = '"';
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (used + 8 > capacity) {
            return false;
        }
        if (byte == '"' || byte == '\\') {
            out[used++] = '\\';
            out[used++] = (char)byte;
        } else if (byte < 0x20) {
            used += (size_t)snprintf(out + used, capacity - used, "\\u%04x", byte);
        } else {
            out[used++] = (char)byte;
        }
    }
    out[used++] = '"';
    out[used] = '\0';
    return true;
}

/* --- The protected route ---------------------------------------------------------------------------------------- */

static void refuse(int connection, const struct request *request, hanko_status status)
{
    char body[128];
    /* This text is made for clients. hanko_last_error() is not; the library has written that to standard error already,
     * at most one line a second (HANKO_LOG). */
    snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", hanko_status_message(status));
    switch (status) {
    case HANKO_INVALID_TOKEN:
    case HANKO_NO_TOKEN:
        respond(connection, request, "401 Unauthorized", PRIVATE "WWW-Authenticate: Bearer\r\n", body);
        break;
    default:
        /* Hanko could not be asked, which says nothing about the session: the front end should try again, and nobody is
         * logged out. Statuses that later versions add belong here, too. */
        respond(connection, request, "503 Service Unavailable", PRIVATE "Retry-After: 5\r\n", body);
    }
}

static void protect(int connection, const struct request *request)
{
    const char *authorization = request->authorization;
    hanko_session *session = NULL;
    /* Finds the token itself. It blocks until Hanko has answered or HANKO_TIMEOUT_MS have passed. */
    hanko_status status = hanko_client_authenticate(client, request->cookie, request->cookie_length, authorization,
                                                    authorization != NULL ? strlen(authorization) : 0, &session);
    char user[512], body[640];
    if (status == HANKO_OK) {
        /* The id comes from its own function, because a custom claim may overwrite `sub` among the claims. NULL, which
         * no Hanko sends, would be a session of nobody. */
        const char *user_id = hanko_session_user_id(session);
        if (user_id == NULL || !write_json(user, sizeof user, user_id)) {
            status = HANKO_PROTOCOL_ERROR;
        }
        hanko_session_free(session);
    }
    fprintf(stderr, "server: /me %s\n", hanko_status_name(status));
    if (status != HANKO_OK) {
        refuse(connection, request, status);
        return;
    }
    snprintf(body, sizeof body, "{\"user_id\":%s}\n", user);
    respond(connection, request, "200 OK", PRIVATE, body);
}

/* --- Requests --------------------------------------------------------------------------------------------------- */

/* Reads more into a buffer; the number of bytes, 0 at the end, on an error or when the time is over. */
static size_t receive(int connection, char *buffer, size_t capacity, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd readable = {.fd = connection, .events = POLLIN};
        if (left <= 0) {
            return 0;
        }
        int ready = poll(&readable, 1, (int)left);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t count = ready > 0 ? recv(connection, buffer, capacity, 0) : 0;
        return count > 0 ? (size_t)count : 0;
    }
}

/* Reads a head up to and with its empty line; NULL, or the status to answer. */
static const char *read_head(int connection, struct request *request)
{
    int64_t deadline = now_ms() + REQUEST_MS;
    size_t length = 0;
    for (;;) {
        if (length == HEAD_LIMIT) {
            return "431 Request Header Fields Too Large";
        }
        size_t count = receive(connection, request->head + length, HEAD_LIMIT - length, deadline);
        if (count == 0) {
            return now_ms() >= deadline ? "408 Request Timeout" : "400 Bad Request";
        }
        length += count;
        char *end = memmem(request->head, length, "\r\n\r\n", 4);
        if (end != NULL) {
            end[2] = '\0';
            /* A NUL would make us see a shorter head than a proxy in front of us did. */
            return strlen(request->head) == (size_t)(end + 2 - request->head) ? NULL : "400 Bad Request";
        }
    }
}

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

/* Several Cookie fields are one list (RFC 9113 section 8.2.3). It cannot be longer than the head it comes from. */
static void add_cookie(struct request *request, const char *value)
{
    int written = snprintf(request->cookie + request->cookie_length, sizeof request->cookie - request->cookie_length,
                           "%s%s", request->cookie_length > 0 ? "; " : "", value);
    request->cookie_length += (size_t)written;
}

/* Takes a head apart; NULL, or the status to answer. */
static const char *parse(struct request *request)
{
    char *rest = request->head, *line = next_line(&rest);
    char *target = line != NULL ? strchr(line, ' ') : NULL;
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL || strncmp(version, " HTTP/1.", 8) != 0 || strlen(version) != 9) {
        return "400 Bad Request";
    }
    *target = *version = '\0';
    request->path = target + 1;
    request->path[strcspn(request->path, "?")] = '\0';
    request->is_head = strcmp(line, "HEAD") == 0;
    bool is_known_method = request->is_head || strcmp(line, "GET") == 0;

    while (*rest != '\0') {
        char *field = next_line(&rest);
        char *value = field != NULL ? strchr(field, ':') : NULL;
        /* No folded lines and no blank before the colon: servers and proxies disagree about both. */
        if (value == NULL || value == field || strcspn(field, " \t") < (size_t)(value - field)) {
            return "400 Bad Request";
        }
        *value++ = '\0';
        value += strspn(value, " \t");
        if (strcasecmp(field, "Cookie") == 0) {
            add_cookie(request, value);
        } else if (strcasecmp(field, "Authorization") == 0) {
            if (request->authorization != NULL) {
                return "400 Bad Request"; /* whose is it? */
            }
            request->authorization = value;
        }
    }
    return is_known_method ? NULL : "405 Method Not Allowed";
}

static void serve(int connection, struct request *request)
{
    const char *problem = read_head(connection, request);
    if (problem == NULL) {
        problem = parse(request);
    }
    if (problem != NULL) {
        bool is_method = strncmp(problem, "405", 3) == 0;
        fprintf(stderr, "server: %.3s\n", problem);
        respond(connection, request, problem, is_method ? "Allow: GET, HEAD\r\n" : "Cache-Control: no-store\r\n",
                "{\"error\":\"Bad request\"}\n");
    } else if (strcmp(request->path, "/me") == 0) {
        protect(connection, request);
    } else if (strcmp(request->path, "/") == 0) {
        respond(connection, request, "200 OK", "", "{\"hello\":\"everybody\"}\n");
    } else {
        respond(connection, request, "404 Not Found", "", "{\"error\":\"Not found\"}\n");
    }
    /* Closing at once would throw away an answer that the client has not read while it was still sending. */
    char rest[4096];
    int64_t deadline = now_ms() + LINGER_MS;
    shutdown(connection, SHUT_WR);
    while (receive(connection, rest, sizeof rest, deadline) > 0) {
    }
    explicit_bzero(rest, sizeof rest);
}

static void *work(void *unused)
{
    struct request request = {0};
    (void)unused;
    for (;;) {
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0) {
            struct timeval patience = {.tv_sec = REQUEST_MS / 1000};
            setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            serve(connection, &request);
            close(connection);
            /* The token of this request has no business in the next one or in a core dump. */
            explicit_bzero(&request, sizeof request);
        } else if (errno == EINVAL) {
            return NULL; /* shut down by main() */
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            poll(NULL, 0, 100); /* others must give something back first */
        }
    }
}

/* --- Start and stop --------------------------------------------------------------------------------------------- */

/* Listens on a port of this machine only; the port, 0 when that failed. */
static int listen_locally(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, SOMAXCONN) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    /* Before the first thread, so that all inherit it and only sigwait() below receives these signals. */
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stopping, NULL);

    /* One client for all threads, configured by the environment. */
    hanko_status status = hanko_client_new(NULL, &client);
    if (status == HANKO_OK) {
        status = hanko_client_check(client);
    }
    if (status == HANKO_UNAVAILABLE || status == HANKO_TIMEOUT) {
        /* An outage at this moment is no reason not to start: /me answers 503 until it is over. */
        fprintf(stderr, "server: starting without Hanko: %s\n", hanko_last_error());
    } else if (status != HANKO_OK) {
        /* A wrong setting is one: better no server than one that nobody can use. */
        fprintf(stderr, "server: %s\n", hanko_last_error());
        hanko_client_free(client);
        return EXIT_FAILURE;
    }
    long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    int port = wanted >= 0 && wanted <= 65535 ? listen_locally((int)wanted) : 0;
    if (port == 0) {
        perror("server: cannot listen");
        hanko_client_free(client);
        return EXIT_FAILURE;
    }

    pthread_t threads[THREADS];
    int count = 0;
    while (count < THREADS && pthread_create(&threads[count], NULL, work, NULL) == 0) {
        count++;
    }
    printf("http://127.0.0.1:%d\n", port);
    fflush(stdout);
    if (count > 0) {
        int signal_number;
        sigwait(&stopping, &signal_number);
    }
    /* On Linux this wakes every accept(), and each later one fails as well. */
    shutdown(listener, SHUT_RDWR);
    for (int index = 0; index < count; index++) {
        pthread_join(threads[index], NULL);
    }
    /* The last use of the client: no thread is in a call any more. */
    hanko_client_free(client);
    close(listener);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

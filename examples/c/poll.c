/*
 * Asks Hanko about many tokens at once, from one thread: the smallest event loop around a completion queue.
 *
 *     HANKO_API_URL=https://<tenant>.hanko.io ./poll < tokens
 *
 * Reads a token from each line, as the lines come, and prints `<line number> valid|invalid <status>` as the answers come.
 * Exit status: 0 all valid, 1 one was refused (a web server would answer 401), 2 one could not be asked about (503).
 */
#include <hanko.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_LIMIT = 16384,  /* bytes; a session token has about a thousand */
    MOST_WAITING = 1000, /* then no more is read until some are answered; a queue holds at most 100,000 */
};

static hanko_queue *queue;
static size_t waiting; /* submitted, but not completed */
static int result;

static void tell(uint64_t line, hanko_status status, const char *reason)
{
    printf("%llu %s %s\n", (unsigned long long)line, status == HANKO_OK ? "valid" : "invalid",
           hanko_status_name(status));
    if (status != HANKO_OK) {
        fprintf(stderr, "%llu %s\n", (unsigned long long)line, reason);
        int outcome = status == HANKO_INVALID_TOKEN || status == HANKO_NO_TOKEN ? 1 : 2;
        result = outcome > result ? outcome : result;
    }
}

static void submit(uint64_t line, const char *token, size_t length)
{
    /* Returns at once, and has copied the token. The tag is ours to choose. */
    hanko_status status = hanko_queue_submit(queue, token, length, line);
    if (status == HANKO_OK) {
        waiting++; /* exactly one completion with this tag follows, whatever happens */
    } else {
        tell(line, status, hanko_last_error()); /* none follows: this is the answer */
    }
}

static void drain(void)
{
    hanko_completion done[64];
    size_t count = hanko_queue_drain(queue, done, 64, sizeof done[0]);
    for (size_t index = 0; index < count; index++) {
        tell(done[index].tag, done[index].status, done[index].error);
        hanko_session_free(done[index].session); /* whose it is: hanko_session_user_id() and its like */
    }
    waiting -= count;
}

/* Reads what is there and submits each line that is complete; false at the end of the input. */
static int read_lines(void)
{
    static char text[LINE_LIMIT];
    static size_t length;
    static uint64_t line = 1;
    ssize_t count = read(STDIN_FILENO, text + length, sizeof text - length);
    char *start = text, *end;
    length += count > 0 ? (size_t)count : 0;
    while ((end = memchr(start, '\n', length)) != NULL) {
        submit(line++, start, (size_t)(end - start));
        length -= (size_t)(end + 1 - start);
        start = end + 1;
    }
    memmove(text, start, length);
    if (count <= 0 && length > 0) {
        submit(line, text, length); /* the last line, without its end */
    } else if (length == sizeof text) {
        tell(line, HANKO_INVALID_TOKEN, "the line is too long; what follows is not read");
        count = 0;
    }
    return count > 0;
}

int main(void)
{
    hanko_client *client = NULL;
    hanko_status status = hanko_client_new(NULL, &client); /* NULL: everything from the environment */
    if (status == HANKO_OK) {
        status = hanko_queue_new(client, &queue);
    }
    if (status != HANKO_OK) {
        fprintf(stderr, "%s\n", hanko_last_error());
        hanko_client_free(client);
        return 2;
    }
    int reading = 1;
    while (reading || waiting > 0) {
        struct pollfd ready[] = {
            {.fd = hanko_queue_file_descriptor(queue), .events = POLLIN}, /* readable while completions wait */
            {.fd = reading && waiting < MOST_WAITING ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(ready, 2, -1) < 0) {
            continue; /* a signal */
        }
        if (ready[0].revents != 0) {
            drain();
        }
        if (ready[1].revents != 0) {
            reading = read_lines();
        }
        fflush(stdout);
    }
    hanko_queue_free(queue);
    hanko_client_free(client);
    return result;
}

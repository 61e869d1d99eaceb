/*
 * The contract of the header, as a program sees it. Built as C99, C11 and C++17. The header comes first and twice: it
 * must bring everything that it needs itself, and do nothing the second time.
 *
 * Started without HANKO_API_URL, so that every call with a token ends before the network.
 */
#include <hanko.h>
#include <hanko.h>

#include <stdio.h>
#include <string.h>

/* C99 has no static assertion: an array of negative size does not compile. */
#define ALWAYS(name, condition) typedef char name[(condition) ? 1 : -1]

/* Numbers that programs out there were compiled with. They never change. */
ALWAYS(status_is_four_bytes, sizeof(hanko_status) == 4);
ALWAYS(status_is_signed, (hanko_status)-1 < 0);
ALWAYS(ok, HANKO_OK == 0);
ALWAYS(invalid_token, HANKO_INVALID_TOKEN == 1);
ALWAYS(no_token, HANKO_NO_TOKEN == 2);
ALWAYS(timeout, HANKO_TIMEOUT == 3);
ALWAYS(unavailable, HANKO_UNAVAILABLE == 4);
ALWAYS(misconfigured, HANKO_MISCONFIGURED == 5);
ALWAYS(protocol_error, HANKO_PROTOCOL_ERROR == 6);
ALWAYS(invalid_argument, HANKO_INVALID_ARGUMENT == 7);
ALWAYS(cancelled, HANKO_CANCELLED == 8);
ALWAYS(buffer_too_small, HANKO_BUFFER_TOO_SMALL == 9);

/* The signatures: a function of another type could not be assigned. */
static const char *(*const version)(void) = hanko_version;
static uint32_t (*const version_number)(void) = hanko_version_number;
static hanko_status (*const initialize)(void) = hanko_initialize;
static int (*const validate)(const char *) = hanko_validate;
static hanko_status (*const last_status)(void) = hanko_last_status;
static const char *(*const last_error)(void) = hanko_last_error;
static const char *(*const status_name)(hanko_status) = hanko_status_name;
static const char *(*const status_message)(hanko_status) = hanko_status_message;

static int failures = 0;

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                      \
        }                                                                    \
    } while (0)

static int same(const char *left, const char *right)
{
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

int main(void)
{
    char number[32];

    /* Macros and functions agree by value. */
    CHECK(same(version(), HANKO_VERSION_STRING));
    CHECK(version_number() == HANKO_VERSION_NUMBER);
    CHECK(version_number() ==
          (uint32_t)(HANKO_VERSION_MAJOR * 10000 + HANKO_VERSION_MINOR * 100 + HANKO_VERSION_PATCH));
    snprintf(number, sizeof number, "%d.%d.%d", HANKO_VERSION_MAJOR, HANKO_VERSION_MINOR, HANKO_VERSION_PATCH);
    CHECK(same(number, HANKO_VERSION_STRING));

    /* Before the first call. */
    CHECK(last_status() == HANKO_NO_TOKEN);
    CHECK(same(last_error(), ""));

    /* NULL wherever a pointer goes. */
    CHECK(validate(NULL) == 0);
    CHECK(last_status() == HANKO_NO_TOKEN);
    CHECK(last_error() != NULL && last_error()[0] != '\0');
    CHECK(validate("") == 0);
    CHECK(last_status() == HANKO_NO_TOKEN);

    /* A success takes the last failure back. */
    CHECK(initialize() == HANKO_OK);
    CHECK(last_status() == HANKO_OK);
    CHECK(same(last_error(), ""));
    CHECK(initialize() == HANKO_OK);

    /* Without an address nothing can be valid, and the text names the variable to set. */
    CHECK(validate("test-token") == 0);
    CHECK(last_status() == HANKO_MISCONFIGURED);
    CHECK(strstr(last_error(), "HANKO_API_URL") != NULL);
    CHECK(strstr(last_error(), "test-token") == NULL);

    /* Functions that say nothing about a call leave the last one alone. */
    CHECK(same(status_name(HANKO_OK), "HANKO_OK"));
    CHECK(same(status_message(HANKO_OK), "OK"));
    CHECK(last_status() == HANKO_MISCONFIGURED);

    if (failures == 0) {
        puts("all right");
    }
    return failures == 0 ? 0 : 1;
}

/*
 * Asks Hanko whether a session token is valid.
 *
 *     HANKO_API_URL=https://<tenant>.hanko.io ./validate "$TOKEN"
 *
 * Exit status: 0 valid, 1 refused (a web server would answer 401), 2 could not ask (503).
 */
#include <hanko.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    /* NULL and "" are fine: a request without a token is simply not logged in. */
    const char *token = argc > 1 ? argv[1] : NULL;

    int valid = hanko_validate(token);
    hanko_status status = hanko_last_status(); /* of this thread's last call */
    printf("%s %s\n", valid ? "valid" : "invalid", hanko_status_name(status));

    if (valid) {
        return 0;
    }
    /* For the log of the server. What a client may see is hanko_status_message(). */
    fprintf(stderr, "%s\n", hanko_last_error());

    switch (status) {
    case HANKO_INVALID_TOKEN:
    case HANKO_NO_TOKEN:
        return 1;
    default:
        /* Hanko could not be asked, which says nothing about the session: do not log anybody out for it. Statuses
         * that later versions add belong here, too. */
        return 2;
    }
}

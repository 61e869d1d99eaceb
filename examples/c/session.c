/*
 * Asks Hanko whose session the headers of a request belong to.
 *
 *     HANKO_API_URL=https://<tenant>.hanko.io ./session "hanko=$TOKEN"
 *     HANKO_API_URL=https://<tenant>.hanko.io ./session "" "Bearer $TOKEN"
 *
 * The first argument is the value of the Cookie header, the second that of Authorization; either may be left out.
 * Exit status: 0 valid, 1 refused (a web server would answer 401), 2 could not ask (503).
 */
#define _POSIX_C_SOURCE 200809L /* gmtime_r */
#include <hanko.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Prints why there is no session; the exit status. */
static int refuse(hanko_status status)
{
    printf("invalid %s\n", hanko_status_name(status));
    /* For the log of the server. What a client may see is hanko_status_message(). */
    fprintf(stderr, "%s\n", hanko_last_error());
    return status == HANKO_INVALID_TOKEN || status == HANKO_NO_TOKEN ? 1 : 2;
}

static void print(const char *label, const char *text)
{
    /* NULL means that Hanko did not send it: a user may have no e-mail, a tenant no such claim. */
    printf("%-8s %s\n", label, text != NULL ? text : "-");
}

static void print_time(const char *label, int64_t seconds)
{
    char text[32];
    time_t moment = (time_t)seconds;
    struct tm utc;
    /* 0 means that Hanko did not send it. */
    int known = seconds != 0 && gmtime_r(&moment, &utc) != NULL
                && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0;
    print(label, known ? text : NULL);
}

int main(int argc, char **argv)
{
    const char *cookie = argc > 1 ? argv[1] : "";
    const char *authorization = argc > 2 ? argv[2] : "";

    /* NULL: everything from the environment. A server makes one client and uses it from all its threads. */
    hanko_client *client = NULL;
    hanko_status status = hanko_client_new(NULL, &client);
    if (status == HANKO_OK) {
        /* Once, at start-up: a wrong URL, authority, tenant or clock shows here and not with the first user. */
        status = hanko_client_check(client);
    }
    if (status != HANKO_OK) {
        int result = refuse(status);
        hanko_client_free(client);
        return result;
    }

    hanko_session *session = NULL;
    status = hanko_client_authenticate(client, cookie, strlen(cookie), authorization, strlen(authorization), &session);
    int result = 0;
    if (status == HANKO_OK) {
        printf("valid %s\n", hanko_status_name(status));
        print("user", hanko_session_user_id(session));
        print("e-mail", hanko_session_email(session));
        print_time("expires", hanko_session_expires_at(session));
        /* A custom claim of this name, as JSON. Trust it only if its template takes nothing that users can change. */
        print("plan", hanko_session_claim_json(session, "plan"));
        hanko_session_free(session);
    } else {
        result = refuse(status);
    }
    hanko_client_free(client);
    return result;
}

/*
 * One validation at a time with libhanko.
 *
 *     hanko_blocking               hanko_client_validate, only the verdict
 *     hanko_blocking session       the same, with the session
 *     hanko_blocking environment   hanko_validate
 */
#include "bench.h"
#include "client.h"

#include <stdlib.h>
#include <string.h>

static bool validate_with_session(hanko_client *client, const bench_tokens *tokens)
{
    hanko_session *session;
    if (hanko_client_validate(client, tokens->text, tokens->length, &session) != HANKO_OK) {
        return false;
    }
    bool has_user = hanko_session_user_id(session) != NULL;
    hanko_session_free(session);
    return has_user;
}

int main(int argc, char **argv)
{
    bool wants_session = argc > 1 && strcmp(argv[1], "session") == 0;
    bool of_environment = argc > 1 && strcmp(argv[1], "environment") == 0;
    bench_begin();
    bench_tokens tokens;
    bench_tokens_open(&tokens);

    hanko_client *client = NULL;
    if (of_environment) {
        setenv("HANKO_API_URL", bench_api_url, 1);
        setenv("HANKO_CA_FILE", bench_ca == NULL ? "" : bench_ca, 1);
    } else {
        client = bench_make_client();
    }

    while (bench_goes_on()) {
        bench_tokens_next(&tokens);
        bool is_valid;
        if (of_environment) {
            is_valid = hanko_validate(tokens.text) == 1;
        } else if (wants_session) {
            is_valid = validate_with_session(client, &tokens);
        } else {
            is_valid = hanko_client_validate(client, tokens.text, tokens.length, NULL) == HANKO_OK;
        }
        bench_answered(is_valid, hanko_last_error());
    }

    bench_end();
    hanko_client_free(client);
    return 0;
}

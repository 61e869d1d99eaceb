/*
 * hanko.h - is the session that a browser sent real?
 *
 * libhanko asks a Hanko server (https://hanko.io) whether a session token is valid, over connections that it keeps,
 * within a deadline, and it never says yes by mistake.
 *
 * SPDX-License-Identifier: MIT
 *
 * ---------------------------------------------------------------------------------------------------------------------
 *  Introduction
 * ---------------------------------------------------------------------------------------------------------------------
 *
 *  A front end that logs people in with Hanko sends a session token with each request, in the cookie `hanko` or in the
 *  header `Authorization: Bearer ...`. The back end hands that token to one function:
 *
 *      #include <hanko.h>
 *      #include <stdio.h>
 *
 *      int main(int argc, char **argv)                       // cc main.c $(pkg-config --cflags --libs hanko)
 *      {                                                     // HANKO_API_URL=https://<tenant>.hanko.io ./a.out "$TOKEN"
 *          if (hanko_validate(argc > 1 ? argv[1] : NULL)) {
 *              puts("200 welcome");
 *          } else if (hanko_last_status() == HANKO_INVALID_TOKEN || hanko_last_status() == HANKO_NO_TOKEN) {
 *              puts("401 please log in");                    // Hanko said no
 *          } else {
 *              puts("503 please try again");                 // Hanko could not be asked: do not log anybody out
 *              fprintf(stderr, "%s\n", hanko_last_error());  // for the operator, never for the client
 *          }
 *      }
 *
 *  `1` always means that Hanko said yes to this token. `0` means everything else; hanko_last_status() tells "Hanko
 *  said no" from "Hanko could not be asked", and only the first of the two should log a user out.
 *
 *  Configuration
 *
 *  Taken from the environment, and read anew when one of these variables has changed. An empty variable counts as
 *  unset. A malformed or out-of-range value is never replaced by a default: calls then answer HANKO_MISCONFIGURED, and
 *  hanko_last_error() names the variable and what it should look like.
 *
 *      HANKO_API_URL              required: https://<tenant>.hanko.io, or where your own Hanko answers; a path is kept
 *      HANKO_TIMEOUT_MS           10000    1 to 3600000: the whole call, waiting included
 *      HANKO_CONNECT_TIMEOUT_MS   3000     1 to 3600000: resolving, connecting and TLS, within the former
 *      HANKO_MAX_CONNECTIONS      64       1 to 10000: requests under way at a time; callers beyond it wait in order
 *      HANKO_CA_FILE              none     PEM file of a private authority, used instead of the system's
 *      HANKO_AUDIENCE             none     comma-separated; the session's audience must hold one of them. Set but empty
 *                                          is an error, so that a check cannot vanish silently
 *      HANKO_ALLOW_INSECURE_HTTP  0        1 lets http:// go to hosts other than localhost, 127.0.0.0/8 and [::1]
 *      HANKO_LOG                  error    off, error, warning, info or debug: what is written to standard error, at
 *                                          most one line a second for each status and HTTP code
 *      HANKO_MAX_RETRIES          1        0 to 10   ) checked now, used by the client handles
 *      HANKO_COOKIE_NAME          hanko              ) of a later version
 *      HANKO_CONFIRM_REJECTIONS   0        1 is not built yet and therefore refused (HANKO_MISCONFIGURED)
 *
 *  Proxies are taken from the environment as libcurl does (https_proxy, HTTPS_PROXY, ALL_PROXY, NO_PROXY, lower-case
 *  http_proxy), except that loopback hosts are always asked directly. In a process that runs with raised privileges
 *  (setuid, setgid, file capabilities) no HANKO_* variable and no proxy is taken from the environment.
 *
 *  Threads
 *
 *  Every function here may be called from any number of threads at once. One rule comes with getenv(3) itself: no
 *  thread may change any environment variable (setenv, putenv, unsetenv) while another thread may be in this library.
 *
 *  Processes
 *
 *  A process may fork before, after and between calls. A child does not use the connections of its parent; it opens
 *  its own. No signal reaches the host process from here (no SIGPIPE, no SIGALRM), and no thread is started, except
 *  that libcurl resolves host names on a short-lived thread of its own.
 *
 *  Conventions
 *
 *  Text is UTF-8. Every pointer that is passed in may be NULL. Returned strings are never NULL, belong to the library,
 *  and must not be freed or changed. A token never appears in an error text, a log line or a URL. libcurl and the TLS
 *  library keep copies of what they send that are not ours to erase: leave core dumps off in production.
 */
#ifndef HANKO_H
#define HANKO_H

#include <stdint.h>

#if defined(__GNUC__) && defined(__linux__)
#  define HANKO_API __attribute__((visibility("default")))
#  define HANKO_MUST_USE __attribute__((warn_unused_result))
#else
#  define HANKO_API
#  define HANKO_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------------------------
 *  Version
 * ------------------------------------------------------------------------------------------------------------------ */

#define HANKO_VERSION_MAJOR 0
#define HANKO_VERSION_MINOR 1
#define HANKO_VERSION_PATCH 0
#define HANKO_VERSION_STRING "0.1.0"
/** The version of this header as one number that can be compared: major * 10000 + minor * 100 + patch. */
#define HANKO_VERSION_NUMBER (HANKO_VERSION_MAJOR * 10000 + HANKO_VERSION_MINOR * 100 + HANKO_VERSION_PATCH)

/**
 * The version of the library that is loaded, as text: "0.1.0".
 *
 * @return  a constant string, valid as long as the library is loaded
 * @threads from any thread at any time
 */
HANKO_API const char *hanko_version(void);

/**
 * The version of the library that is loaded, as a number; differs from HANKO_VERSION_NUMBER where the program was
 * compiled against the header of another version.
 *
 * @return  major * 10000 + minor * 100 + patch
 * @threads from any thread at any time
 */
HANKO_API uint32_t hanko_version_number(void);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Status
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * What came of a call. HANKO_OK is 0, the opposite truth to hanko_validate(): compare with HANKO_OK by name.
 *
 * New values may come in later versions. Treat a value that you do not know as "could not ask" (503).
 */
typedef int32_t hanko_status;
enum {
    HANKO_OK = 0,               /**< Hanko said: this session is valid */
    HANKO_INVALID_TOKEN = 1,    /**< Hanko said no, or these bytes cannot be a token: answer 401 */
    HANKO_NO_TOKEN = 2,         /**< NULL or empty token; nothing was sent: answer 401 */
    HANKO_TIMEOUT = 3,          /**< the deadline passed first: answer 503 */
    HANKO_UNAVAILABLE = 4,      /**< no connection, TLS failure, 429, 5xx, too many callers waiting: answer 503 */
    HANKO_MISCONFIGURED = 5,    /**< no or bad API URL, bad option, or an answer that only a wrong URL or a gateway
                                     gives; an operator must act: answer 503 */
    HANKO_PROTOCOL_ERROR = 6,   /**< status 200, but not an answer that Hanko gives: answer 503 */
    HANKO_INVALID_ARGUMENT = 7, /**< the caller passed something the function cannot take: a bug in the program */
    HANKO_CANCELLED = 8,        /**< the caller withdrew it */
    HANKO_BUFFER_TOO_SMALL = 9  /**< the caller's buffer cannot hold the result */
};

/**
 * The name of a status, for logs: "HANKO_TIMEOUT".
 *
 * @param status  any number
 * @return        a constant string; "HANKO_UNKNOWN_STATUS" for a number that is no status of this version
 * @threads       from any thread at any time
 */
HANKO_API const char *hanko_status_name(hanko_status status);

/**
 * A text that may be shown to a client. It tells nothing about the server, its address or its configuration.
 *
 * @param status  any number
 * @return        a constant string: "OK", "Invalid token", "Authentication service timeout" or, for everything else,
 *                "Authentication service unavailable" (source of the words: Hanko's Python guide)
 * @threads       from any thread at any time
 */
HANKO_API const char *hanko_status_message(hanko_status status);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Validation
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * Prepares the process: checks the version of libcurl and initialises it. Optional, because the first call does the
 * same; a program that starts threads can call it first thing in main(), where nothing runs beside it. It reads no
 * configuration and makes no connection.
 *
 * @return  HANKO_OK; HANKO_MISCONFIGURED where libcurl is older than 7.87 or cannot be initialised (hanko_last_error()
 *          says which)
 * @threads from any thread at any time; a second call does nothing and answers as the first
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_initialize(void);

/**
 * Asks Hanko whether a session token is valid: POST {HANKO_API_URL}/sessions/validate.
 *
 * The call blocks until Hanko has answered or HANKO_TIMEOUT_MS have passed. In an event loop call it from a worker
 * thread.
 *
 * What makes a 1 (source: Hanko's API, design of this library): status 200 and a JSON object whose `is_valid` is
 * exactly true, once; and nothing in it may contradict that: a user that is empty, the nil UUID or not the token's own,
 * an expiry that is unreadable or over a minute ago, an audience other than HANKO_AUDIENCE, a session that is not the
 * token's own.
 *
 * @param session_token  the token as the browser sent it, NUL-terminated; it stays the caller's and is not needed after
 *                       the call. NULL and "" are "no" without a request (HANKO_NO_TOKEN), as are bytes that are not
 *                       UTF-8 or more than 262,144 of them (HANKO_INVALID_TOKEN). Every other text is sent as it is.
 * @return               1: Hanko said that this session is valid. 0: everything else, never another value.
 *                       hanko_last_status() and hanko_last_error() then say what happened:
 *                       HANKO_INVALID_TOKEN, HANKO_NO_TOKEN (answer 401); HANKO_TIMEOUT, HANKO_UNAVAILABLE,
 *                       HANKO_MISCONFIGURED, HANKO_PROTOCOL_ERROR (answer 503)
 * @threads              from any number of threads at once
 */
HANKO_API int hanko_validate(const char *session_token);

/* ---------------------------------------------------------------------------------------------------------------------
 *  The thread's last call
 *
 *  Both speak of this thread's last call of hanko_validate() or of a function that returns a hanko_status. A runtime
 *  that moves its tasks between threads must hold the thread around the call and these two (Go: runtime.LockOSThread).
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * The status of this thread's last call.
 *
 * @return  a hanko_status; HANKO_NO_TOKEN before the first call
 * @threads each thread has its own
 */
HANKO_API hanko_status hanko_last_status(void);

/**
 * What happened in this thread's last call and what to do about it, for logs: words and numbers of this library only,
 * no token, nothing that a server sent. It is for operators; show clients hanko_status_message() instead.
 *
 * @return  a string that belongs to the thread and lives until its next such call or its end; "" after success and
 *          before the first call
 * @threads each thread has its own
 */
HANKO_API const char *hanko_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* HANKO_H */

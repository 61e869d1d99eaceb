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
 *  A backend that needs to know who it is, that takes tokens out of headers, or that configures itself, makes a client
 *  once and uses it from all its threads:
 *
 *      hanko_client *client;
 *      if (hanko_client_new(NULL, &client) != HANKO_OK || hanko_client_check(client) != HANKO_OK) {
 *          fprintf(stderr, "%s\n", hanko_last_error());
 *          exit(1);                                          // a wrong URL shows at start-up, not with the first user
 *      }
 *      ...
 *      hanko_session *session;
 *      switch (hanko_client_authenticate(client, cookie, cookie_length, authorization, authorization_length, &session)) {
 *      case HANKO_OK:
 *          respond(200, "hello %s", hanko_session_user_id(session));
 *          hanko_session_free(session);
 *          break;
 *      case HANKO_INVALID_TOKEN:
 *      case HANKO_NO_TOKEN:
 *          respond(401, "Invalid token");
 *          break;
 *      default:
 *          respond(503, "Authentication service unavailable");
 *      }
 *
 *  Configuration
 *
 *  hanko_validate() and hanko_client_new(NULL, ...) take it from the environment; hanko_validate() reads it anew when one
 *  of these variables has changed. An empty variable counts as unset. A malformed or out-of-range value is never replaced
 *  by a default: calls then answer HANKO_MISCONFIGURED, and hanko_last_error() names the variable and what it should look
 *  like.
 *
 *      HANKO_API_URL              required: https://<tenant>.hanko.io, or where your own Hanko answers; a path is kept
 *      HANKO_TIMEOUT_MS           10000    1 to 3600000: the whole call, retries and waiting included
 *      HANKO_CONNECT_TIMEOUT_MS   3000     1 to 3600000: resolving, connecting and TLS, within the former
 *      HANKO_MAX_RETRIES          1        0 to 10: further requests of one call, only where Hanko cannot have answered
 *      HANKO_MAX_CONNECTIONS      64       1 to 10000: requests under way at a time; callers beyond it wait in order
 *      HANKO_COOKIE_NAME          hanko    the cookie that hanko_client_authenticate() reads
 *      HANKO_CA_FILE              none     PEM file of a private authority, used instead of the system's
 *      HANKO_AUDIENCE             none     comma-separated; the token of a session must name one of them. Set but empty
 *                                          is an error, so that a check cannot vanish silently
 *      HANKO_ALLOW_INSECURE_HTTP  0        1 lets http:// go to hosts other than localhost, 127.0.0.0/8 and [::1]
 *      HANKO_CONFIRM_REJECTIONS   1        a "no" counts only when Hanko can show its keys, because a Hanko that has lost
 *                                          its database says "no" to everybody. 0 believes every "no"
 *      HANKO_LOG                  error    off, error, warning, info or debug: what is written to standard error, at
 *                                          most one line a second for each status and HTTP code
 *
 *  For 0 and 1 of the two flags false, no, off, true, yes and on are taken as well; these and the log's levels in any case.
 *  A variable HANKO_... that nothing reads and whose name is near to one that is read is told in one line at error level,
 *  once in a process for each name, when a client is made.
 *
 *  Proxies are taken from the environment as libcurl does (https_proxy, HTTPS_PROXY, ALL_PROXY, NO_PROXY, lower-case
 *  http_proxy), except that loopback hosts are always asked directly; they are read once, when a client is made. An HTTP
 *  proxy is asked for a connection (CONNECT) to an http:// address as well as to an https:// one: Squid, for one, allows
 *  that to port 443 alone unless it is told otherwise. In a process that runs with raised privileges (setuid, setgid, file
 *  capabilities) no HANKO_* variable and no proxy is taken from the environment.
 *
 *  Resilience
 *
 *  A request is sent again only where Hanko cannot have answered: connection refused, closed before the first line of an
 *  answer, 502, 503, 504, and 429 with a Retry-After that fits the deadline. A circuit breaker, one for each client,
 *  opens when ten of the last twenty exchanges failed; calls then answer HANKO_UNAVAILABLE at once, and one at a time
 *  probes whether Hanko is back, after 1 s, then 2, 4, ... up to 30 s. None of this can turn a "no" into a "yes".
 *
 *  Threads
 *
 *  Every function here may be called from any number of threads at once, on one client, too, except that `_free` is the
 *  last use of a handle and that a hanko_config belongs to one thread at a time. One rule comes with getenv(3) itself: no
 *  thread may change any environment variable (setenv, putenv, unsetenv) while another thread may be in this library.
 *
 *  A thread cannot be cancelled in a call: pthread_cancel(3) does not end the waiting, the call goes on to its end, and
 *  the cancellation acts at the thread's next cancellation point after it. What the call has given, a session, is then
 *  for the program's own cleanup handlers to free. Asynchronous cancellation acts as soon as the call returns.
 *
 *  Processes
 *
 *  A process may fork before, after and during calls in other threads; clients and sessions work in the child. A child
 *  closes its copies of the parent's connections without a word on them, and opens its own. What this library cannot
 *  help: a child that is forked while other threads are inside of TLS or of the resolver inherits locks of OpenSSL and of
 *  the C library as they are, in any program; make TLS calls in such a child only after exec(2), or fork while no call
 *  runs. exec(2) keeps no socket of ours, and none has the number of a standard stream that the host has closed (libcurl's
 *  own wake-up pairs may). exit(3) while calls run in other threads is fine: those calls end as HANKO_CANCELLED. No
 *  signal reaches the host process from here (no SIGPIPE, no SIGALRM), and no thread is started before the first
 *  completion queue, except that libcurl resolves host names on a short-lived thread of its own.
 *
 *  Memory
 *
 *  Where there is no memory, a call answers HANKO_UNAVAILABLE, and nothing aborts. With the first call the library sets
 *  256 KiB aside in each process. When an allocation of its own code fails, calls under way are served from that reserve,
 *  and calls that begin are refused until there is memory again. What remains: where the reserve is used up as well and
 *  no memory comes back within a second, the process ends with a trap. That takes a lasting shortage with more than some
 *  hundred calls under way, or one allocation of more than 240 KiB that fails for a second, which a client makes beyond
 *  some 30,000 calls that wait for one confirmation or 6,000 connections of a queue. libcurl, the TLS library and the C
 *  library allocate for themselves and may do worse; and where Linux overcommits, a process out of memory is killed and no
 *  allocation fails at all.
 *
 *  Loading
 *
 *  A program that exports a TLS library of its own under OpenSSL's names, as Node does, loads this library with
 *  dlopen(3) and RTLD_DEEPBIND: otherwise libcurl, which comes with it, is bound to that one's functions.
 *
 *  Conventions
 *
 *  Text is UTF-8. Every pointer that is passed in may be NULL. Returned strings are never NULL, belong to the library,
 *  and must not be freed or changed. A token never appears in an error text, a log line or a URL. libcurl and the TLS
 *  library keep copies of what they send that are not ours to erase: leave core dumps off in production.
 */
#ifndef HANKO_H
#define HANKO_H

#include <stddef.h>
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
    HANKO_UNAVAILABLE = 4,      /**< no connection, TLS failure, 429, 5xx, a "no" of a Hanko that cannot show its keys,
                                     breaker open, too many waiting: answer 503 */
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
 * thread. The first call, and the first after a change of the environment, also initialises libcurl and reads
 * HANKO_CA_FILE, which may take longer on a slow disk; calls in other threads do not wait for that beyond their own time.
 *
 * What makes a 1 (source: Hanko's API, design of this library): status 200 and a JSON object whose `is_valid` is
 * exactly true, once; and nothing in it may contradict that: a user that is empty or the nil UUID, a user, session or
 * expiry that is not the token's own where the token is one of Hanko's, an expiry that is unreadable or over a minute
 * ago, an audience other than HANKO_AUDIENCE.
 *
 * What is refused without a request (HANKO_INVALID_TOKEN): bytes that are not UTF-8, more than 262,144 of them, nothing
 * but white space, and what has the shape of a JWS (two or more dots, or a `{` in front) but not the one form in which
 * Hanko issues them: three parts of base64url without padding and with unused bits zero (RFC 7515 section 2), of which
 * header and payload are JSON objects with distinct names, nested at most 64 deep. Hanko verifies other spellings of a
 * token as well, which could hide from this library whose it is. Every other text, such as a test double's `test-token`,
 * is sent as it is; white space around it is cut off, as Hanko does.
 *
 * @param session_token  the token as the browser sent it, NUL-terminated; it stays the caller's and is not needed after
 *                       the call. NULL and "" are "no" without a request (HANKO_NO_TOKEN)
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
 * After HANKO_UNAVAILABLE and HANKO_PROTOCOL_ERROR it ends with the X-Request-Id of the last request, where one was sent,
 * by which an operator finds it in Hanko's log. Lines of the log at debug level have it as well.
 *
 * @return  a string that belongs to the thread and lives until its next such call or its end; "" after success and
 *          before the first call
 * @threads each thread has its own
 */
HANKO_API const char *hanko_last_error(void);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Configuration
 *
 *  A hanko_config is a plain value: it can serve for several clients and be freed as soon as they are made. It is not
 *  thread-safe. Each setter checks what it is given: HANKO_MISCONFIGURED means that the value is not allowed (the config
 *  stays as it was, and hanko_last_error() says what is allowed), HANKO_INVALID_ARGUMENT that a pointer is NULL which
 *  must not be, HANKO_UNAVAILABLE that there is no memory. Texts are copied.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct hanko_config hanko_config;

/** How much is logged: everything at a level and above it. */
typedef int32_t hanko_log_level;
enum {
    HANKO_LOG_OFF = 0,
    HANKO_LOG_ERROR = 1,   /**< could not ask, a setting logs everybody out, or an outage would: somebody should act */
    HANKO_LOG_WARNING = 2, /**< something odd that was dealt with */
    HANKO_LOG_INFO = 3,    /**< each refused token as well */
    HANKO_LOG_DEBUG = 4    /**< each call */
};

/**
 * Receives log lines. It may be called from any thread, also from several at once, and must not call this library. It
 * must return: an exception of C++ that leaves it ends the process, and longjmp(3) or pthread_exit(3) out of it leaves
 * this library in the middle of a call. The thread cannot be cancelled while it runs.
 *
 * @param context  what was given to hanko_config_set_logger()
 * @param level    how important the line is
 * @param message  one line without its end, valid during the call; words and numbers of this library only
 */
typedef void (*hanko_log_function)(void *context, hanko_log_level level, const char *message);

/**
 * Makes a configuration with the defaults; the environment is not read.
 *
 * @return  a config to be freed with hanko_config_free(); NULL when there is no memory
 */
HANKO_API HANKO_MUST_USE hanko_config *hanko_config_new(void);

/**
 * Takes every HANKO_* variable that is set. The later of this and a setter wins. A missing HANKO_API_URL is no error
 * here; hanko_client_new() will say so, and tell misspelt names.
 *
 * @return  HANKO_OK; HANKO_MISCONFIGURED when a variable is malformed: the config is then as it was
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_load_environment(hanko_config *config);

/**
 * Sets the address of the Hanko to ask.
 *
 * @param url  https://host[:port][/path], or http:// for loopback hosts (others: hanko_config_set_allow_insecure_http());
 *             no credentials, query or fragment. The path of a tenant is kept, trailing slashes are dropped.
 * @return     HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_api_url(hanko_config *config, const char *url);

/**
 * Sets the name of the cookie that holds the token; default "hanko".
 *
 * @param name  letters, digits and !#$%&'*+-.^_`|~ (RFC 6265 section 4.1.1)
 * @return      HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_cookie_name(hanko_config *config, const char *name);

/**
 * Sets the deadline of a whole call, retries and waiting for a connection included.
 *
 * @param milliseconds  1 to 3,600,000; default 10,000
 * @return              HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_timeout_ms(hanko_config *config, uint32_t milliseconds);

/**
 * Sets how long resolving, connecting and TLS may take together, within the deadline of the call.
 *
 * @param milliseconds  1 to 3,600,000; default 3,000
 * @return              HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_connect_timeout_ms(hanko_config *config, uint32_t milliseconds);

/**
 * Sets how many further requests one call may send where Hanko cannot have answered the first.
 *
 * @param count  0 to 10; default 1
 * @return       HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_max_retries(hanko_config *config, uint32_t count);

/**
 * Sets how many requests a client has under way at a time; up to 16 times as many callers wait in order.
 *
 * @param count  1 to 10,000; default 64
 * @return       HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_max_connections(hanko_config *config, uint32_t count);

/**
 * Trusts the authorities in a file instead of the system's.
 *
 * @param path  a readable file with certificates in PEM form; NULL: the system's
 * @return      HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT (config is NULL)
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_ca_file(hanko_config *config, const char *path);

/**
 * Allows http:// to hosts other than loopback ones. Tokens then cross the network in the clear.
 *
 * @param allowed  0 (default) or 1
 * @return         HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_allow_insecure_http(hanko_config *config, int allowed);

/**
 * Adds one to the audiences of which a session must have at least one; without any the audience is not checked. The
 * first one that is added replaces those from the environment. The audience is read from the payload of the token that
 * Hanko has verified and from nothing else, because a claims template may overwrite what the answer says. A token without
 * a readable payload of Hanko's (one with a `session_id` that is a UUID), or with one that names no audience, is
 * HANKO_INVALID_TOKEN, whatever the answer says.
 *
 * @param audience  not empty, compared byte by byte (RFC 7519 section 4.1.3)
 * @return          HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_add_audience(hanko_config *config, const char *audience);

/**
 * Removes all audiences, those from the environment as well: the audience is not checked.
 *
 * @return  HANKO_OK, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_clear_audiences(hanko_config *config);

/**
 * Whether a "no" is confirmed by asking for Hanko's public keys, GET {HANKO_API_URL}/.well-known/jwks.json. A Hanko that
 * has lost its database answers "no" to good tokens, and only its key set shows that. It costs at most ten small requests
 * a second, never with a token.
 *
 * Where the key set fails (no answer, 408, 425, 429, 5xx) or comes out of a cache, a "no" becomes HANKO_UNAVAILABLE.
 * Where a gateway hides it (401, 403, 404, 405, 410) a "no" stands, and each client says once, at HANKO_LOG_ERROR, that
 * outages cannot be told apart from rejections. Every other answer but 2xx makes a "no" HANKO_MISCONFIGURED.
 *
 * @param confirm  1 (default), or 0: every "no" is believed, an outage's as well
 * @return         HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_confirm_rejections(hanko_config *config, int confirm);

/**
 * Sets who receives log lines and from which level on. A logger receives every line; standard error, the default, gets
 * at most one a second for each status and HTTP code.
 *
 * @param logger   NULL: standard error
 * @param context  is handed to the logger; it must stay valid until the last client made with this config is freed,
 *                 and the last queue of it
 * @param level    HANKO_LOG_OFF to HANKO_LOG_DEBUG; default HANKO_LOG_ERROR
 * @return         HANKO_OK, HANKO_MISCONFIGURED, HANKO_INVALID_ARGUMENT
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_config_set_logger(hanko_config *config, hanko_log_function logger,
                                                              void *context, hanko_log_level level);

/**
 * Frees a configuration; clients made with it keep theirs.
 *
 * @param config  may be NULL
 */
HANKO_API void hanko_config_free(hanko_config *config);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Client
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct hanko_client hanko_client;
typedef struct hanko_session hanko_session;

/**
 * Makes a client. It makes no request; hanko_client_check() does.
 *
 * @param config  NULL: everything from the environment
 * @param client  receives the client, to be freed with hanko_client_free(); NULL on failure
 * @return        HANKO_OK; HANKO_MISCONFIGURED (no API URL, plain http to another host, malformed environment, libcurl
 *                too old); HANKO_INVALID_ARGUMENT (client is NULL); HANKO_UNAVAILABLE (no memory)
 * @threads       from any thread at any time
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_client_new(const hanko_config *config, hanko_client **client);

/**
 * Proves at start-up that URL, TLS, tenant and clock are right, and warms a connection: asks about a token that cannot
 * be valid, and for the key set. It asks even while the circuit breaker is open.
 *
 * @return  HANKO_OK: Hanko refused that token, and its key set does not fail (where a gateway hides it, the log says so:
 *          hanko_config_set_confirm_rejections()). HANKO_MISCONFIGURED: hanko_last_error() names the
 *          likely mistake (also when any token is accepted, or when the clocks are more than a minute apart).
 *          HANKO_TIMEOUT, HANKO_UNAVAILABLE, HANKO_PROTOCOL_ERROR; HANKO_INVALID_ARGUMENT (client is NULL)
 * @threads from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_client_check(hanko_client *client);

/**
 * Asks Hanko whether a session token is valid, and whose it is. The rules are those of hanko_validate().
 *
 * @param token         need not be NUL-terminated; a U+0000 in it makes it HANKO_INVALID_TOKEN. NULL or empty:
 *                      HANKO_NO_TOKEN
 * @param token_length  in bytes
 * @param session       receives the session, to be freed with hanko_session_free(); NULL on failure. May be NULL
 * @return              HANKO_OK, HANKO_INVALID_TOKEN, HANKO_NO_TOKEN, HANKO_TIMEOUT, HANKO_UNAVAILABLE,
 *                      HANKO_MISCONFIGURED, HANKO_PROTOCOL_ERROR, HANKO_CANCELLED (the process exits),
 *                      HANKO_INVALID_ARGUMENT (client is NULL)
 * @threads             from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_client_validate(hanko_client *client, const char *token,
                                                            size_t token_length, hanko_session **session);

/**
 * Finds the token in the headers of a request and asks about it.
 *
 * Candidates: a `Bearer` credential, then each cookie of the configured name in the order sent (browsers do send two of
 * one name), which is Hanko's own order. Cookies are read as Hanko reads them (Go's net/http): quotes around a value are
 * stripped, and a cookie whose value holds a quote, a backslash, a control character or a byte that is not ASCII is
 * dropped. Equal candidates count once; a credential that is not UTF-8 does not count, nor does a candidate that is
 * refused without a request (see hanko_validate()). Those that could be good as far as one can see (a token of Hanko's
 * whose expiry is ahead) are asked about before the others, and at most four altogether. The first that Hanko accepts
 * wins; HANKO_TIMEOUT, HANKO_UNAVAILABLE and HANKO_CANCELLED end the search. If none is accepted: HANKO_INVALID_TOKEN
 * when every one was refused, otherwise the status of the first that could not be judged.
 *
 * @param cookie                the value of the Cookie header; several fields joined with "; ". May be NULL
 * @param cookie_length         in bytes
 * @param authorization         the value of the Authorization header. May be NULL
 * @param authorization_length  in bytes
 * @param session               as in hanko_client_validate()
 * @return                      as hanko_client_validate(); HANKO_NO_TOKEN when there is no candidate;
 *                              HANKO_INVALID_TOKEN when a header holds a U+0000, or nothing but what is refused
 *                              without a request
 * @threads                     from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_client_authenticate(hanko_client *client, const char *cookie,
                                                                size_t cookie_length, const char *authorization,
                                                                size_t authorization_length, hanko_session **session);

/** Counters of one client in this process since it was made, or since the process was forked. */
typedef struct hanko_statistics {
    size_t struct_size;          /**< set by the caller: sizeof(hanko_statistics); no more than that is filled */
    uint64_t results[16];        /**< finished validations by hanko_status */
    uint64_t requests;           /**< requests sent to Hanko, retries included */
    uint64_t retries;            /**< requests sent again */
    uint64_t connections_opened;
    uint64_t breaker_opened;     /**< how often the circuit breaker opened */
    uint64_t in_flight;          /**< validations under way now */
    uint64_t hidden_key_set;     /**< 401, 403, 404, 405 or 410 where the key set was last answered with that, so that
                                      outages cannot be told apart from rejections; 0 where it never was */
} hanko_statistics;

/**
 * Reads the counters.
 *
 * @param statistics  its struct_size must be set; what lies beyond that is not written
 * @return            HANKO_OK; HANKO_INVALID_ARGUMENT (a pointer is NULL, or struct_size is less than its own size)
 * @threads           from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_client_statistics(hanko_client *client, hanko_statistics *statistics);

/**
 * Frees a client and closes its connections. No other call on it may be running. Sessions and queues live on; the logger
 * may be called until the last queue of the client is freed as well.
 *
 * @param client  may be NULL
 */
HANKO_API void hanko_client_free(hanko_client *client);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Session
 *
 *  What Hanko said about a token, at the moment it was asked. A session never changes, outlives its client, and may be
 *  read from any number of threads at once. The texts belong to it and live as long as it does. NULL, or 0 for a time,
 *  means that Hanko did not send it; a NULL session is answered like one that holds nothing.
 * ------------------------------------------------------------------------------------------------------------------ */

/** The id of the user, a UUID. NULL: not sent, which no Hanko does, but a test double may: treat it as "not known". */
HANKO_API const char *hanko_session_user_id(const hanko_session *session);

/** The id of the session, a UUID. */
HANKO_API const char *hanko_session_id(const hanko_session *session);

/** The address of the user's primary e-mail. */
HANKO_API const char *hanko_session_email(const hanko_session *session);

/** 1: that address is verified. 0: it is not, or it was not sent. */
HANKO_API int hanko_session_email_verified(const hanko_session *session);

/** The user's name, where users have one. */
HANKO_API const char *hanko_session_username(const hanko_session *session);

/** When the session was made, in seconds since 1970. */
HANKO_API int64_t hanko_session_issued_at(const hanko_session *session);

/** When the session ends, in seconds since 1970. */
HANKO_API int64_t hanko_session_expires_at(const hanko_session *session);

/** When the session ends if it is not used, in seconds since 1970; Hanko sends it where an idle timeout is configured. */
HANKO_API int64_t hanko_session_idle_expires_at(const hanko_session *session);

/**
 * Every claim as Hanko sent it: one JSON object without white space between its parts; numbers keep all their digits.
 * Custom claims stand beside Hanko's own here and may overwrite `subject`, `audience` and the times; what the functions
 * above tell of user and times comes from where it cannot be overwritten, as long as Hanko sends it there. What users
 * can change, such as unsafe metadata, is not to be trusted.
 */
HANKO_API const char *hanko_session_claims_json(const hanko_session *session);

/**
 * One claim of the top level, as JSON.
 *
 * @param name  the claim's name; it must match exactly
 * @return      for example "\"Ada\"" or "[1,2]"; NULL when there is none, or when name is NULL
 */
HANKO_API const char *hanko_session_claim_json(const hanko_session *session, const char *name);

/**
 * Frees a session.
 *
 * @param session  may be NULL
 */
HANKO_API void hanko_session_free(hanko_session *session);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Token
 * ------------------------------------------------------------------------------------------------------------------ */

/**
 * Finds the first candidate for a token in the headers of a request, in Hanko's own order and as it stands there, without
 * asking anybody. hanko_client_authenticate() may ask about another one first, and refuses some without a request.
 *
 * @param cookie, cookie_length, authorization, authorization_length  as in hanko_client_authenticate()
 * @param cookie_name  NULL: "hanko"
 * @param buffer       receives the token and a NUL; NULL with capacity 0 asks for the length
 * @param capacity     of the buffer, in bytes; it must exceed the length of the token
 * @param length       receives the length of the token without the NUL; may be NULL
 * @return             HANKO_OK; HANKO_NO_TOKEN; HANKO_INVALID_TOKEN (a U+0000 in a header);
 *                     HANKO_BUFFER_TOO_SMALL: only *length was written; HANKO_MISCONFIGURED (not a cookie's name);
 *                     HANKO_INVALID_ARGUMENT (buffer is NULL with a capacity); HANKO_UNAVAILABLE (no memory)
 * @threads            from any thread at any time
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_extract_token(const char *cookie, size_t cookie_length,
                                                          const char *authorization, size_t authorization_length,
                                                          const char *cookie_name, char *buffer, size_t capacity,
                                                          size_t *length);

/* ---------------------------------------------------------------------------------------------------------------------
 *  Completion queue
 *
 *  Validation for event loops: submitting takes microseconds and waits for nothing, a background thread of the client
 *  does the asking, and a descriptor is readable while there are completions to take:
 *
 *      hanko_queue *queue;
 *      if (hanko_queue_new(client, &queue) != HANKO_OK)
 *          ...
 *      struct pollfd waiting = { .fd = hanko_queue_file_descriptor(queue), .events = POLLIN };
 *      ...
 *      if (hanko_queue_submit(queue, token, token_length, (uint64_t)(uintptr_t)request) != HANKO_OK)
 *          ...                                               // answer at once; no completion will come
 *      ...
 *      hanko_completion completions[64];
 *      size_t count = hanko_queue_drain(queue, completions, 64, sizeof completions[0]);
 *      for (size_t i = 0; i < count; i++) {
 *          respond((struct request *)(uintptr_t)completions[i].tag, completions[i].status);
 *          hanko_session_free(completions[i].session);
 *      }
 *
 *  A queue may be used from any number of threads at once, except that hanko_queue_free() is its last use. It keeps what
 *  it needs of its client: either may be freed first. All queues of a client share one thread, which is started with the
 *  first queue and ends with the last of the client and its queues. It blocks all signals. Verdicts, retries, breaker,
 *  confirmations and statistics are those of the blocking calls, and max_connections holds for both together.
 *
 *  After a fork an inherited queue is dead in the child: submitting and cancelling answer HANKO_INVALID_ARGUMENT, there is
 *  nothing to drain, its descriptor is -1. hanko_queue_free() works, and so does a new queue on the inherited client.
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct hanko_queue hanko_queue;

/** What came of one submission. */
typedef struct hanko_completion {
    uint64_t tag;           /**< what was given to the submit function */
    hanko_session *session; /**< only with HANKO_OK; yours, to be freed with hanko_session_free() */
    hanko_status status;    /**< as hanko_client_validate() would have answered, or HANKO_CANCELLED */
    uint32_t reserved;      /**< 0 */
    char error[232];        /**< what hanko_last_error() would say, cut at a character; "" with HANKO_OK */
} hanko_completion;

/**
 * Makes a completion queue; the first one of a client starts its background thread.
 *
 * @param queue  receives the queue, to be freed with hanko_queue_free(); NULL on failure
 * @return       HANKO_OK; HANKO_UNAVAILABLE (no memory, descriptors or threads); HANKO_INVALID_ARGUMENT (a pointer is
 *               NULL)
 * @threads      from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_queue_new(hanko_client *client, hanko_queue **queue);

/**
 * The descriptor to poll. It is readable exactly while completions wait (level-triggered: it stays so until they are
 * drained). It is for poll(2), epoll(7) and the like only: do not read, write or close it.
 *
 * @return  a descriptor that stays the same until the queue is freed; -1 for NULL and in a forked child
 */
HANKO_API int hanko_queue_file_descriptor(const hanko_queue *queue);

/**
 * Hands over a token to be asked about. Its deadline counts from now, waiting for a connection included.
 *
 * @param token         as in hanko_client_validate(); it is copied
 * @param token_length  in bytes
 * @param tag           comes back with the completion; tags may repeat. What it refers to must be kept until the
 *                      completion has been drained, also after hanko_queue_cancel()
 * @return              HANKO_OK: exactly one completion follows, whatever happens. With everything else none follows:
 *                      HANKO_NO_TOKEN, HANKO_INVALID_TOKEN (no such token can be valid; nothing is asked),
 *                      HANKO_UNAVAILABLE (the queue is full: 100,000 submissions that were not drained, or 64 MiB of
 *                      tokens; or no memory), HANKO_INVALID_ARGUMENT (queue is NULL or a parent's)
 * @threads             from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_queue_submit(hanko_queue *queue, const char *token, size_t token_length,
                                                         uint64_t tag);

/**
 * Finds the token in the headers of a request, as hanko_client_authenticate() does, and hands it over.
 *
 * @param cookie, cookie_length, authorization, authorization_length  as there; they are copied
 * @param tag  as in hanko_queue_submit()
 * @return     as hanko_queue_submit()
 * @threads    from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_queue_submit_authenticate(hanko_queue *queue, const char *cookie,
                                                                      size_t cookie_length, const char *authorization,
                                                                      size_t authorization_length, uint64_t tag);

/**
 * Hands over the start-up test; its completion says what hanko_client_check() would answer, without a session.
 *
 * @param tag  as in hanko_queue_submit()
 * @return     HANKO_OK, HANKO_UNAVAILABLE, HANKO_INVALID_ARGUMENT, as hanko_queue_submit()
 * @threads    from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_queue_submit_check(hanko_queue *queue, uint64_t tag);

/**
 * Takes completions that wait, oldest first. It never blocks, and is not counted as a thread's last call.
 *
 * @param completions      receives them
 * @param capacity         how many fit
 * @param completion_size  sizeof(hanko_completion), so that the structure can grow; less than this version's or
 *                         more than 65,536: nothing is taken
 * @return                 how many there were; 0 when none waits, when a pointer is NULL, and in a forked child
 * @threads                from any number of threads at once; each completion is given to one of them
 */
HANKO_API size_t hanko_queue_drain(hanko_queue *queue, hanko_completion *completions, size_t capacity,
                                   size_t completion_size);

/**
 * Withdraws all submissions of a tag that have not completed. They complete all the same: with HANKO_CANCELLED, or with
 * the result they already had.
 *
 * @return   HANKO_OK, also when there is none left; HANKO_INVALID_ARGUMENT (queue is NULL or a parent's)
 * @threads  from any number of threads at once
 */
HANKO_API HANKO_MUST_USE hanko_status hanko_queue_cancel(hanko_queue *queue, uint64_t tag);

/**
 * Frees a queue. What has not been drained is dropped unreported, its sessions included, and what is under way is
 * withdrawn. The descriptor is closed: take it out of epoll first. It does not wait for the network; the last one to be
 * freed of a client and its queues waits for the background thread and for a logger that it may be in.
 *
 * @param queue  may be NULL
 */
HANKO_API void hanko_queue_free(hanko_queue *queue);

#ifdef __cplusplus
}
#endif

#endif /* HANKO_H */

/*
 * Loads the library as a plug-in does: dlopen, use, dlclose, dlopen again. A thread that used the library outlives the
 * dlclose; what the library keeps for it is destroyed by code that must still be there when it ends.
 *
 *     reload path/to/libhanko.so.0        with HANKO_API_URL at a port where nobody answers
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int (*validate_function)(const char *);
typedef int32_t (*last_status_function)(void);
typedef const char *(*text_function)(void);

enum { UNAVAILABLE = 4 };

static const char *path;
static sem_t used, closed;

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
    }
    return found;
}

/* 0 when the library, however often it was loaded, does its work. */
static int use(void *library)
{
    validate_function validate;
    last_status_function last_status;
    text_function last_error, version;

    /* ISO C knows no cast from void * to a function; POSIX promises that this works. */
    *(void **)&validate = symbol(library, "hanko_validate");
    *(void **)&last_status = symbol(library, "hanko_last_status");
    *(void **)&last_error = symbol(library, "hanko_last_error");
    *(void **)&version = symbol(library, "hanko_version");
    if (!validate || !last_status || !last_error || !version || version()[0] == '\0') {
        return 1;
    }
    if (validate("some-token") != 0 || last_status() != UNAVAILABLE || last_error()[0] == '\0') {
        fprintf(stderr, "status %d, %s\n", (int)last_status(), last_error());
        return 1;
    }
    return 0;
}

static void *other_thread(void *library)
{
    int failed = use(library);
    sem_post(&used);
    sem_wait(&closed);
    return failed ? library : NULL; /* what the library kept for this thread goes now */
}

int main(int argc, char **argv)
{
    pthread_t thread;
    void *library, *outcome = NULL;
    int round;

    if (argc != 2) {
        return 2;
    }
    path = argv[1];
    for (round = 0; round < 3; round++) {
        sem_init(&used, 0, 0);
        sem_init(&closed, 0, 0);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        if (use(library) != 0 || pthread_create(&thread, NULL, other_thread, library) != 0) {
            return 1;
        }
        sem_wait(&used);
        if (dlclose(library) != 0) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        /* The flag nodelete: closed, but still there. */
        library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        if (library == NULL) {
            fprintf(stderr, "unloaded by dlclose\n");
            return 1;
        }
        dlclose(library);
        sem_post(&closed);
        pthread_join(thread, &outcome);
        if (outcome != NULL) {
            return 1;
        }
    }
    puts("all right");
    return 0;
}

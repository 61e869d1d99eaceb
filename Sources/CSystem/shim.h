// The C library for Swift (Embedded Swift has no Glibc module): the headers the core uses, and static inline functions
// for what Swift cannot import, macros and expressions on them. Nothing else belongs into this file.
#ifndef HANKO_CSYSTEM_SHIM_H
#define HANKO_CSYSTEM_SHIM_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline int hanko_errno(void)
{
    return errno;
}

// Where the C library keeps the address of the environment; NULL when that has no entries, and then it may be another
// place later. A program that refers to environ may have a copy of that variable, which the C library then uses as well,
// while a library loaded with RTLD_DEEPBIND is linked to the unused original. __environ is the name of the C library's own
// uses: a program may have an environ that is something else.
static inline char ***hanko_environment_place(void)
{
    if (__environ != NULL)
        return &__environ;
    void *program = dlopen(NULL, RTLD_LAZY);
    if (program == NULL)
        return NULL;
    char ***place = (char ***)dlsym(program, "__environ");
    if (place == NULL || *place == NULL)
        place = (char ***)dlsym(program, "environ");
    dlclose(program);
    return place == NULL || *place == NULL ? NULL : place;
}

// Whether an entry of the environment is one of ours: a name that begins so, and a value. In C, because it is asked of
// every entry.
static inline int hanko_is_ours(const char *entry)
{
    return entry[0] == 'H' && strncmp(entry, "HANKO_", 6) == 0 && strchr(entry, '=') != NULL;
}

// How many entries of the environment have the addresses that they had before. It stops at the first that has not, and so
// reads nothing beyond the end of an array that has become shorter.
static inline size_t hanko_count_same_entries(char *const *array, char *const *before, size_t count)
{
    size_t index = 0;
    while (index < count && array[index] == before[index])
        index++;
    return index;
}

// Whether there is a piece of memory of a size. Volatile, because a compiler may leave out memory that nobody uses.
static inline int hanko_has_memory(size_t size)
{
    void *volatile memory = malloc(size);
    if (memory == NULL)
        return 0;
    free(memory);
    return 1;
}

// Memory from the kernel, zeroed and there at once: what is only promised would be missing when it is needed.
static inline void *hanko_map_memory(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// The process' own, while the linker leads this library's calls of them to its reserve (MemoryReserve+Runtime.swift).
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);

static inline int hanko_runs_with_raised_privileges(void)
{
    return getauxval(AT_SECURE) != 0;
}

// Opens a regular file for reading; -1 for everything else. open is variadic, and without O_NONBLOCK a FIFO would block.
static inline int hanko_open_regular_file(const char *path)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        return descriptor;
    close(descriptor);
    return -1;
}

// Keeps a descriptor of ours off the numbers of the standard streams, which are free where the host has closed them: what
// is written to standard error would go into it. -1 where there is no other number. fcntl is variadic.
static inline int hanko_beyond_standard_streams(int descriptor)
{
    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    int higher = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(descriptor);
    errno = error;
    return higher;
}

// The flags are an enumeration in C, and a socket must not be inherited by programs that the host starts.
static inline int hanko_open_socket(int family, int type, int protocol)
{
    return hanko_beyond_standard_streams(socket(family, type | SOCK_CLOEXEC, protocol));
}

// A counter whose descriptor is readable while it is not 0. The flags are an enumeration in C.
static inline int hanko_open_event(void)
{
    return hanko_beyond_standard_streams(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static inline void hanko_signal_event(int event)
{
    uint64_t one = 1;
    ssize_t written = write(event, &one, sizeof one);
    (void)written; // a full counter is readable as well
}

static inline void hanko_clear_event(int event)
{
    uint64_t count;
    ssize_t got = read(event, &count, sizeof count);
    (void)got;
}

static inline int hanko_open_poller(void)
{
    return hanko_beyond_standard_streams(epoll_create1(EPOLL_CLOEXEC));
}

// What a poller tells of a descriptor, and the number that comes with it. epoll_event is a packed structure with a union.
static inline int hanko_poller_control(int poller, int operation, int descriptor, uint32_t events, uint64_t key)
{
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = key;
    return epoll_ctl(poller, operation, descriptor, &event);
}

// Tells of a descriptor as long as it has what is wanted, whether it was known before or not.
static inline int hanko_poller_set(int poller, int descriptor, int wants_input, int wants_output, uint64_t key)
{
    uint32_t events = (wants_input ? EPOLLIN | EPOLLRDHUP : 0u) | (wants_output ? EPOLLOUT : 0u);
    if (hanko_poller_control(poller, EPOLL_CTL_MOD, descriptor, events, key) == 0)
        return 0;
    return hanko_poller_control(poller, EPOLL_CTL_ADD, descriptor, events, key);
}

// Tells of a descriptor each time that something has come, or room: once for all exchanges on it.
static inline int hanko_poller_add_edges(int poller, int descriptor, uint64_t key)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    return hanko_poller_control(poller, EPOLL_CTL_ADD, descriptor, events, key);
}

static inline int hanko_poller_remove(int poller, int descriptor)
{
    return hanko_poller_control(poller, EPOLL_CTL_DEL, descriptor, 0, 0);
}

static inline uint64_t hanko_event_key(const struct epoll_event *event)
{
    return event->data.u64;
}

static inline int hanko_event_has_input(const struct epoll_event *event)
{
    return (event->events & (EPOLLIN | EPOLLRDHUP)) != 0;
}

static inline int hanko_event_has_output(const struct epoll_event *event)
{
    return (event->events & EPOLLOUT) != 0;
}

static inline int hanko_event_has_error(const struct epoll_event *event)
{
    return (event->events & (EPOLLERR | EPOLLHUP)) != 0;
}

// The other side has closed the connection, or it broke.
static inline int hanko_event_has_end(const struct epoll_event *event)
{
    return (event->events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
}

// Waits until a descriptor has input, or room where that is wanted as well, or the time is over; a signal ends the wait.
static inline int hanko_wait_for(int descriptor, int or_output, int milliseconds)
{
    struct pollfd wanted = {descriptor, (short)(POLLIN | (or_output ? POLLOUT : 0)), 0};
    return poll(&wanted, 1, milliseconds);
}

// A page that a forked child sees as zeros; NULL where the kernel cannot do that. Expressions on macros.
static inline void *hanko_page_wiped_on_fork(void)
{
    long size = sysconf(_SC_PAGESIZE);
    if (size <= 0)
        return NULL;
    void *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, (size_t)size, MADV_WIPEONFORK) != 0) {
        munmap(page, (size_t)size);
        return NULL;
    }
    return page;
}

static inline void hanko_unmap_page(void *page)
{
    long size = sysconf(_SC_PAGESIZE);
    if (size > 0)
        munmap(page, (size_t)size);
}

// Writes, and lets no SIGPIPE come of a closed pipe, whatever the host does about that signal; one that was waiting for
// the host before is left to it. MSG_NOSIGNAL is for sockets only.
static inline void hanko_write_without_signal(int descriptor, const void *bytes, size_t count)
{
    sigset_t pipe, before, waiting;
    const struct timespec at_once = {0, 0};
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe, &before) != 0)
        return;
    sigemptyset(&waiting);
    sigpending(&waiting);
    if (write(descriptor, bytes, count) < 0 && errno == EPIPE && !sigismember(&waiting, SIGPIPE)) {
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static inline int hanko_shutdown_both(void)
{
    return SHUT_RDWR;
}

// Whether no descriptor can be opened beside a socket, or that one could not be. fcntl is variadic.
static inline int hanko_lacks_descriptors(int socket)
{
    int copy = socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0)
        return errno == EMFILE || errno == ENFILE;
    close(copy);
    return 0;
}

#endif

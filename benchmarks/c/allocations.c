/*
 * Counts allocations, to be loaded with LD_PRELOAD: all of them, and those that were asked for by a function of
 * libhanko itself rather than of libcurl, of TLS or of the C library.
 *
 * At its end the program writes {"all": …, "own": …, "own_bytes": …} to the file that BENCH_ALLOCATIONS names. With
 * BENCH_ALLOCATIONS_TRACE it also writes from where in libhanko each of its own came, as an offset for addr2line.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ullong all, own, own_bytes;
static uintptr_t library_start, library_end;
static FILE *trace;

static int look_for_library(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    // The file's own name: folders may be called so as well.
    const char *slash = strrchr(object->dlpi_name, '/');
    if (strncmp(slash == NULL ? object->dlpi_name : slash + 1, "libhanko.so", 11) != 0) {
        return 0;
    }
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            library_start = object->dlpi_addr + part->p_vaddr;
            library_end = library_start + part->p_memsz;
        }
    }
    return 1;
}

static void count(const void *caller, size_t size)
{
    uintptr_t address = (uintptr_t)caller;
    atomic_fetch_add(&all, 1);
    if (address < library_start || address >= library_end) {
        return;
    }
    atomic_fetch_add(&own, 1);
    atomic_fetch_add(&own_bytes, size);
    if (trace != NULL) {
        fprintf(trace, "%zu %p %p\n", size, __builtin_extract_return_addr((void *)caller), (void *)library_start);
    }
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0), size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count(__builtin_return_address(0), number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    count(__builtin_return_address(0), size);
    return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    count(__builtin_return_address(0), size);
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0), size);
    return __libc_memalign(alignment, size);
}

__attribute__((constructor)) static void begin(void)
{
    dl_iterate_phdr(look_for_library, NULL);
    const char *name = getenv("BENCH_ALLOCATIONS_TRACE");
    if (name != NULL) {
        static char buffer[1 << 16];
        FILE *file = fopen(name, "w");
        setvbuf(file, buffer, _IOFBF, sizeof buffer);
        trace = file;
    }
}

__attribute__((destructor)) static void end(void)
{
    const char *name = getenv("BENCH_ALLOCATIONS");
    FILE *file = name == NULL ? NULL : fopen(name, "w");
    if (file != NULL) {
        fprintf(file, "{\"all\": %llu, \"own\": %llu, \"own_bytes\": %llu}\n", atomic_load(&all), atomic_load(&own),
                atomic_load(&own_bytes));
        fclose(file);
    }
    if (trace != NULL) {
        fclose(trace);
    }
}

/* malloc and its kin, in the executable so that the library's calls come here too, with an account
 * of what is allocated. The memory is glibc's own, under the names that it has for this. */
#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static atomic_long allocated, most, base;

static void *add(void *block) {
    if (block == NULL)
        return NULL;
    const long size = (long)malloc_usable_size(block);
    const long now = atomic_fetch_add(&allocated, size) + size;
    long before = atomic_load(&most);
    while (now > before && !atomic_compare_exchange_weak(&most, &before, now)) {
    }
    return block;
}

static void subtract(void *block) {
    if (block != NULL)
        atomic_fetch_sub(&allocated, (long)malloc_usable_size(block));
}

void *malloc(size_t size) { return add(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return add(__libc_calloc(count, size)); }

/* One that moves counts with its old place: glibc may have to copy. */
void *realloc(void *block, size_t size) {
    const long old = block == NULL ? 0 : (long)malloc_usable_size(block);
    void *moved = __libc_realloc(block, size);
    if (moved == block)
        atomic_fetch_sub(&allocated, old);
    add(moved);
    if (moved != block && (moved != NULL || size == 0))
        atomic_fetch_sub(&allocated, old);
    return moved;
}

void *memalign(size_t alignment, size_t size) { return add(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

void free(void *block) {
    subtract(block);
    __libc_free(block);
}

void watch_allocations(void) {
    const long now = atomic_load(&allocated);
    atomic_store(&base, now);
    atomic_store(&most, now);
}

size_t allocated_at_most(void) { return (size_t)(atomic_load(&most) - atomic_load(&base)); }

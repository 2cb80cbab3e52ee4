/* The allocator of `ours-counted`, which keeps account of what is allocated: allocations.c. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stddef.h>

/* From now on. */
void watch_allocations(void);

/* The most bytes that there were at a time since then, beyond what there was at that moment. */
size_t allocated_at_most(void);

#endif

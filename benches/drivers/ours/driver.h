/* What the measures of libim_client's driver have in common: clients, waiting, clocks, and one line
 * of JSON at the end. */
#ifndef DRIVER_H
#define DRIVER_H

#include <im_client.h>

#include <stdatomic.h>

/* --- the measures: each prints its line; `size` is 0 where none was given --- */
typedef void measure_fn(const char *root, long count, long size);

measure_fn receive, receive_among, emit, round_trip, pair, in_flight, connects, idle, clients,
    fleet, queue, create;

/* --- clients --- */

/* The options of every client: nothing but the root, a namespace and the path, and what `more` adds
 * (`,"option":value`). */
im_client new_client(const char *root, const char *more);

/* One that is connected. */
im_client connected_client(const char *root, const char *more);

/* Asks the server for `count` messages, of so many bytes each where `bytes` is not 0. */
void ask_for_messages(im_client client, long count, long bytes);

/* A JSON object of so many bytes whose one string is the rest; to be freed. */
char *sized_message(long bytes);

/* Ends the driver, loudly. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* --- counting on threads of the library, waiting on the main thread --- */
typedef struct counter {
    atomic_long count, wanted;
} counter;

void count_one(counter *counter);
void wait_for(counter *counter, long wanted);
/* False where it takes longer. */
int wait_at_most(counter *counter, long wanted, double seconds);

/* --- clocks and the process --- */
double cpu_now(void);
double wall_now(void);
long resident_kb(void);
/* The main thread too. */
long threads(void);
/* 10,000 clients need as many descriptors. */
void raise_descriptor_limit(void);

/* --- results --- */
void tell_costs(double cpu_before, double wall_before, long count);
/* Sorts the times, in seconds. */
void tell_times(double *times, long count);
void sort_times(double *times, long count);

#endif

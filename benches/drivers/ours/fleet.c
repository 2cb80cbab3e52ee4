/* A fleet of clients in one process: what it costs while idle, and how it comes back after the
 * server was restarted.
 *
 * `{"phase":"idle"}` is printed when all are connected, `{"phase":"restart"}` when the server may
 * be restarted. */
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct member {
    im_client client;
    double lost_at, back_at;
} member;

static counter connected, returned, received;
static long most_threads;

static void on_connect(const im_event *event, void *user_data) {
    (void)event;
    member *member = user_data;
    if (member->lost_at == 0) {
        count_one(&connected);
        return;
    }
    member->back_at = wall_now();
    count_one(&returned);
}

static void on_disconnect(const im_event *event, void *user_data) {
    (void)event;
    ((member *)user_data)->lost_at = wall_now();
}

static void on_message(const im_event *event, void *user_data) {
    (void)event, (void)user_data;
    count_one(&received);
}

/* Waits, and looks all the while at how many threads there are. */
static void watch(counter *counter, long wanted, double seconds) {
    const double end = wall_now() + seconds;
    do {
        /* The library's: all but the main thread. */
        const long now = threads() - 1;
        most_threads = now > most_threads ? now : most_threads;
    } while (!wait_at_most(counter, wanted, 0.01) && wall_now() < end);
}

static void phase(const char *name) {
    printf("{\"phase\":\"%s\"}\n", name);
    fflush(stdout);
}

static void open_all(const char *root, member *members, long count) {
    for (long i = 0; i < count; i++) {
        members[i].client = new_client(root, "");
        im_client_on(members[i].client, IM_EVENT_CONNECT, on_connect, &members[i]);
        im_client_on(members[i].client, IM_EVENT_DISCONNECT, on_disconnect, &members[i]);
        im_client_on(members[i].client, IM_CHAT_MESSAGE, on_message, &members[i]);
    }
}

/* How long after its loss each came back; the end of the array is the longest. */
static double *pauses(const member *members, long count) {
    double *pauses = calloc((size_t)count, sizeof *pauses);
    for (long i = 0; i < count; i++)
        pauses[i] = members[i].back_at - members[i].lost_at;
    sort_times(pauses, count);
    return pauses;
}

/* The most that came back within a tenth of a second, as a part of all. */
static double rush(const double *sorted, long count) {
    long most = 0;
    for (long first = 0, last = 0; last < count; last++) {
        while (sorted[last] - sorted[first] > 0.1)
            first++;
        most = last - first + 1 > most ? last - first + 1 : most;
    }
    return (double)most / (double)count;
}

static void tell(const member *members, long count, double kb, double cpu) {
    double *sorted = pauses(members, count);
    printf("{\"clients\":%ld,\"kbPerClient\":%.2f,\"idleCpuMsPerSecond\":%.2f,\"threads\":%ld,"
           "\"returned\":%ld,\"heard\":%ld,\"backFirst\":%.3f,\"backP5\":%.3f,\"backP50\":%.3f,"
           "\"backP95\":%.3f,\"backLast\":%.3f,\"rush\":%.3f}\n",
           count, kb, cpu, most_threads, returned.count, received.count, sorted[0],
           sorted[(count - 1) * 5 / 100], sorted[(count - 1) / 2], sorted[(count - 1) * 95 / 100],
           sorted[count - 1], rush(sorted, count));
    free(sorted);
}

void fleet(const char *root, long count, long idle_seconds) {
    raise_descriptor_limit();
    const long before = resident_kb();
    member *members = calloc((size_t)count, sizeof *members);
    open_all(root, members, count);
    watch(&connected, count, 120);
    if (connected.count != count)
        fail("%ld of %ld connected", connected.count, count);
    sleep(1);
    const double kb = (double)(resident_kb() - before) / (double)count;

    phase("idle");
    const double cpu = cpu_now();
    sleep((unsigned)idle_seconds);
    const double idle_cpu = (cpu_now() - cpu) * 1e3 / (double)idle_seconds;

    phase("restart");
    watch(&returned, count, 60);
    im_client_emit(members[0].client, "all", "1");
    watch(&received, count, 20);
    tell(members, count, kb, idle_cpu);
    im_shutdown(10000);
    free(members);
}

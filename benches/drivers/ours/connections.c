/* Many clients: made one after the other, idle, and all of them receiving. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct connecting {
    counter done;
    double at;
} connecting;

static void on_connect(const im_event *event, void *user_data) {
    (void)event;
    connecting *connecting = user_data;
    connecting->at = wall_now();
    count_one(&connecting->done);
}

/* Beside one client, for the peers' and the floor's threads stand, too, when their clocks start. */
void connects(const char *root, long count, long size) {
    (void)size;
    connected_client(root, "");
    connecting connecting = {0};
    double *times = calloc((size_t)count, sizeof *times);
    for (long i = 0; i < count; i++) {
        const double start = wall_now();
        im_client client = new_client(root, "");
        im_client_on(client, IM_EVENT_CONNECT, on_connect, &connecting);
        wait_for(&connecting.done, i + 1);
        times[i] = connecting.at - start;
        im_client_destroy(client);
    }
    tell_times(times, count);
    free(times);
    im_shutdown(10000);
}

/* Beside one client, which brings all that is there once. */
void idle(const char *root, long count, long size) {
    (void)size;
    connected_client(root, "");
    const long before = resident_kb();
    connecting connecting = {0};
    for (long i = 0; i < count; i++)
        im_client_on(new_client(root, ""), IM_EVENT_CONNECT, on_connect, &connecting);
    wait_for(&connecting.done, count);
    sleep(1);
    printf("{\"kbPerClient\":%.2f,\"threads\":%ld}\n",
           (double)(resident_kb() - before) / (double)count, threads());
    im_shutdown(10000);
}

enum { BURST = 100 };

static void on_message(const im_event *event, void *user_data) {
    if (event->json_len == 0)
        fail("no message");
    count_one(user_data);
}

/* About so many messages, in bursts to all clients at once; and what a client costs, all that is
 * there once included. */
void clients(const char *root, long count, long messages) {
    raise_descriptor_limit();
    const long before = resident_kb();
    connecting connecting = {0};
    counter received = {0};
    im_client client = 0;
    for (long i = 0; i < count; i++) {
        client = new_client(root, "");
        im_client_on(client, IM_EVENT_CONNECT, on_connect, &connecting);
        im_client_on(client, IM_CHAT_MESSAGE, on_message, &received);
    }
    wait_for(&connecting.done, count);
    sleep(1);
    const double kb = (double)(resident_kb() - before);
    const long rounds = messages / (count * BURST) > 0 ? messages / (count * BURST) : 1;
    const double cpu = cpu_now();
    char burst[16];
    snprintf(burst, sizeof burst, "%d", BURST);
    for (long i = 0; i < rounds; i++) {
        im_client_emit(client, "all", burst);
        wait_for(&received, (i + 1) * count * BURST);
    }
    printf("{\"mb\":%.3f,\"kbPerClient\":%.2f,\"cpuUs\":%.4f}\n", kb / 1e3, kb / (double)count,
           (cpu_now() - cpu) * 1e6 / (double)(rounds * count * BURST));
    im_shutdown(10000);
}

/* Messages of one client: received, emitted, answered. Times end where the library calls back. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

typedef struct reading {
    const char *key;
    size_t content_bytes;
    long left;
    counter done;
} reading;

/* The content is looked for and read, as a parser would. */
static void on_message(const im_event *event, void *user_data) {
    reading *reading = user_data;
    const char *content = strstr(event->json, reading->key);
    if (content == NULL)
        fail("no content: %s", event->json);
    content += strlen(reading->key);
    reading->content_bytes += (size_t)(strchr(content, '"') - content);
    if (--reading->left == 0)
        count_one(&reading->done);
}

static void receive_by(im_client client, long count, long bytes) {
    reading reading = {.key = bytes == 0 ? "\"content\":\"" : "\"c\":\"", .left = count};
    im_client_on(client, IM_CHAT_MESSAGE, on_message, &reading);
    const double cpu = cpu_now(), wall = wall_now();
    ask_for_messages(client, count, bytes);
    wait_for(&reading.done, 1);
    tell_costs(cpu, wall, count);
    if (reading.content_bytes == 0)
        fail("no content");
    im_client_destroy(client);
}

void receive(const char *root, long count, long bytes) {
    receive_by(connected_client(root, ""), count, bytes);
}

static void on_other(const im_event *event, void *user_data) {
    (void)user_data;
    fail("%s was not sent", event->name);
}

/* With so many subscriptions to other names. */
void receive_among(const char *root, long count, long subscriptions) {
    im_client client = connected_client(root, "");
    char name[32];
    for (long i = 0; i < subscriptions; i++) {
        snprintf(name, sizeof name, "other_%ld", i);
        im_client_on(client, name, on_other, NULL);
    }
    receive_by(client, count, 0);
}

typedef struct answering {
    counter done;
    long value;
} answering;

static void on_answer(im_status status, const im_event *reply, void *user_data) {
    answering *answering = user_data;
    if (status != IM_OK || reply == NULL)
        fail("an answer: %s", im_status_name(status));
    answering->value = atol(reply->json);
    count_one(&answering->done);
}

/* With the default bound of the queue: where it is full, what is in it goes out first. */
static void emit_one(im_client client, const char *message) {
    im_status status;
    while ((status = im_client_emit(client, IM_CHAT_TO, message)) == IM_ERROR_QUEUE_FULL)
        im_client_flush(client, 0);
    if (status != IM_OK)
        fail("%s", im_last_error());
}

void emit(const char *root, long count, long bytes) {
    im_client client = connected_client(root, "");
    char *message = bytes == 0 ? strdup(MESSAGE) : sized_message(bytes);
    answering counted = {0};
    const double cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++)
        emit_one(client, message);
    if (im_client_flush(client, 0) != IM_OK ||
        im_client_emit_with_ack(client, "count", NULL, 0, on_answer, &counted) < 0)
        fail("%s", im_last_error());
    wait_for(&counted.done, 1);
    tell_costs(cpu, wall, count);
    if (counted.value != count)
        fail("%ld of %ld arrived", counted.value, count);
    im_client_destroy(client);
    free(message);
}

typedef struct round_trips {
    im_client client;
    /* Emitted right before, if not NULL. */
    const char *before;
    double *times, start;
    long next, count;
    counter done;
} round_trips;

static void on_return(im_status status, const im_event *reply, void *user_data);

static void set_out(round_trips *all) {
    all->start = wall_now();
    if (all->before != NULL)
        im_client_emit(all->client, IM_CHAT_TO, all->before);
    im_client_emit_with_ack(all->client, "echo", "1", 0, on_return, all);
}

/* The next one sets out from here: a program of callbacks does it so, and waking another thread of
 * its own would only add a change between threads on the one core that a driver has. */
static void on_return(im_status status, const im_event *reply, void *user_data) {
    round_trips *all = user_data;
    all->times[all->next] = wall_now() - all->start;
    if (status != IM_OK || reply == NULL)
        fail("an answer: %s", im_status_name(status));
    if (++all->next < all->count)
        set_out(all);
    else
        count_one(&all->done);
}

static void measure_round_trips(const char *root, long count, const char *before) {
    round_trips all = {.client = connected_client(root, ""), .before = before, .count = count};
    all.times = calloc((size_t)count, sizeof *all.times);
    set_out(&all);
    wait_for(&all.done, 1);
    tell_times(all.times, count);
    im_client_destroy(all.client);
    free(all.times);
}

void round_trip(const char *root, long count, long size) {
    (void)size;
    measure_round_trips(root, count, NULL);
}

/* The acknowledged event leaves behind one that asks for nothing: where a socket waits for more to
 * send, it shows here. */
void pair(const char *root, long count, long size) {
    (void)size;
    measure_round_trips(root, count, MESSAGE);
}

typedef struct asking {
    long wanted;
    counter *own, *all;
} asking;

static void on_own_answer(im_status status, const im_event *reply, void *user_data) {
    asking *asking = user_data;
    if (status == IM_OK && atol(reply->json) == asking->wanted)
        count_one(asking->own);
    count_one(asking->all);
}

static int64_t ask(im_client client, asking *asking) {
    char number[32];
    snprintf(number, sizeof number, "%ld", asking->wanted);
    return im_client_emit_with_ack(client, "echo", number, 0, on_own_answer, asking);
}

/* All are asked before the first answer is waited for; each has to be the caller's own. */
void in_flight(const char *root, long count, long size) {
    (void)size;
    im_client client = connected_client(root, ",\"sendQueueBytes\":100000000");
    counter own = {0}, all = {0};
    asking *askings = calloc((size_t)count, sizeof *askings);
    const double cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++) {
        askings[i] = (asking){.wanted = i, .own = &own, .all = &all};
        if (ask(client, &askings[i]) < 0)
            fail("%s", im_last_error());
    }
    wait_for(&all, count);
    printf("{\"cpuUs\":%.4f,\"wallUs\":%.4f,\"wrong\":%ld}\n",
           (cpu_now() - cpu) * 1e6 / (double)count, (wall_now() - wall) * 1e6 / (double)count,
           count - own.count);
    im_client_destroy(client);
    free(askings);
}

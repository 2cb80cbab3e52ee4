/* The driver `ours-counted ROOT large-receive|large-emit BYTES`: one large message, and the most
 * memory that the library has for it at a time, in multiples of the message. See benches/README.md.
 */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"

#define LIMITS                                                                                     \
    ",\"maxMessageBytes\":100000000,\"sendQueueBytes\":100000000,\"receiveQueueBytes\":100000000"

static void tell_peak(long bytes) {
    printf("{\"peak\":%.3f}\n", (double)allocated_at_most() / (double)bytes);
}

typedef struct arrival {
    counter done;
    size_t length;
} arrival;

static void on_message(const im_event *event, void *user_data) {
    arrival *arrival = user_data;
    arrival->length = event->json_len;
    count_one(&arrival->done);
}

static void on_bytes(im_status status, const im_event *reply, void *user_data) {
    arrival *arrival = user_data;
    if (status != IM_OK)
        fail("an answer: %s", im_status_name(status));
    arrival->length = (size_t)atol(reply->json);
    count_one(&arrival->done);
}

static void large_receive(const char *root, long bytes) {
    im_client client = connected_client(root, LIMITS);
    arrival arrival = {0};
    im_client_on(client, IM_CHAT_MESSAGE, on_message, &arrival);
    watch_allocations();
    ask_for_messages(client, 1, bytes);
    wait_for(&arrival.done, 1);
    tell_peak(bytes);
    if (arrival.length != (size_t)bytes)
        fail("%zu of %ld bytes", arrival.length, bytes);
    im_client_destroy(client);
}

static void large_emit(const char *root, long bytes) {
    im_client client = connected_client(root, LIMITS);
    char *message = sized_message(bytes);
    arrival arrival = {0};
    watch_allocations();
    if (im_client_emit(client, IM_CHAT_TO, message) != IM_OK ||
        im_client_emit_with_ack(client, "bytes", NULL, 0, on_bytes, &arrival) < 0)
        fail("%s", im_last_error());
    wait_for(&arrival.done, 1);
    tell_peak(bytes);
    if (arrival.length != (size_t)bytes)
        fail("%zu of %ld bytes", arrival.length, bytes);
    im_client_destroy(client);
    free(message);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[2], "large-receive") == 0)
        large_receive(argv[1], atol(argv[3]));
    else if (argc == 4 && strcmp(argv[2], "large-emit") == 0)
        large_emit(argv[1], atol(argv[3]));
    else
        fail("ours-counted ROOT large-receive|large-emit BYTES");
    return 0;
}

/* Calls that need no server: what the library does in the caller's own thread. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

/* Emits of a client that is not connected: checked, encoded and queued, and none is sent. */
void queue(const char *root, long count, long size) {
    (void)size;
    im_client client = new_client(root, ",\"autoConnect\":false,\"sendQueueBytes\":1000000000");
    const double cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++)
        if (im_client_emit(client, IM_CHAT_TO, MESSAGE) != IM_OK)
            fail("%s", im_last_error());
    tell_costs(cpu, wall, count);
    im_client_destroy(client);
}

void create(const char *root, long count, long size) {
    (void)root, (void)size;
    static const char given[] =
        "{\"type\":1,\"from\":\"111\",\"to\":\"222\",\"content\":\"hello\"}";
    const double cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++) {
        char *message = im_message_create(given);
        if (message == NULL)
            fail("%s", im_last_error());
        im_string_free(message);
    }
    tell_costs(cpu, wall, count);
}

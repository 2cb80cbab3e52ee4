/* A process that sends messages and keeps them in a store, for the tests that kill it.
 *
 * sender ROOT STORE FROM TO PREFIX COUNT: sends COUNT messages, whose fingerprints are PREFIX and a
 * number. Says "kept FP" when a message is in the store, "stored FP" when the server has it,
 * "outbox JSON" for what an earlier process left, "idle" when nothing waits any more. Ends when its
 * stdin does. */

#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <im_client.h>

static void say(const char *word, const char *text) {
    printf("%s %s\n", word, text);
    fflush(stdout);
}

static void on_outbox(const im_event *event, void *user_data) {
    (void)user_data;
    say("outbox", event->json);
}

static void on_outcome(im_status status, const im_event *reply, void *user_data) {
    (void)reply;
    if (status == IM_OK)
        say("stored", user_data);
    free(user_data);
}

int main(int argc, char **argv) {
    char text[1024];
    if (argc != 7)
        return 2;
    snprintf(text, sizeof text,
             "{\"root\":\"%s\",\"nsp\":\"chat\",\"path\":\"/ws\",\"store\":\"%s\","
             "\"query\":{\"token\":\"t\",\"userId\":\"%s\"},"
             "\"reconnectionDelay\":10,\"reconnectionDelayMax\":20}",
             argv[1], argv[2], argv[3]);
    im_client client = im_client_new(text);
    if (client == 0) {
        say("failed", im_last_error());
        return 1;
    }
    im_client_on(client, IM_EVENT_OUTBOX, on_outbox, NULL);
    say("open", argv[2]);
    for (int i = 0; i < atoi(argv[6]); i++) {
        char fp[64];
        snprintf(fp, sizeof fp, "%s%d", argv[5], i);
        snprintf(text, sizeof text,
                 "{\"type\":1,\"from\":\"%s\",\"to\":\"%s\",\"content\":\"x\",\"fp\":\"%s\"}",
                 argv[3], argv[4], fp);
        if (im_client_send_message(client, text, 0, on_outcome, strdup(fp)) < 0) {
            say("failed", im_last_error());
            return 1;
        }
        say("kept", fp);
    }
    for (bool idle = false; !idle; usleep(1000)) {
        char *info = im_client_info(client);
        idle = strstr(info, "\"outbox\":{\"bytes\":0,\"messages\":0}") != NULL;
        im_string_free(info);
    }
    say("idle", argv[5]);
    while (getchar() != EOF) {
    }
    im_client_destroy(client);
    say("bye", argv[5]);
    return 0;
}

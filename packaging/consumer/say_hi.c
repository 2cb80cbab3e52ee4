/* Says hi to the user echo of the server in IM_ROOT, and ends when the answer is there. */
#include <im_client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000

int main(void) {
    char options[512];
    snprintf(options, sizeof options,
             "{\"root\":\"%s\",\"nsp\":\"chat\",\"delivery\":\"manual\","
             "\"query\":{\"token\":\"t\",\"userId\":\"111\"}}",
             getenv("IM_ROOT"));
    if (im_version_check(IM_VERSION_NUMBER) != IM_OK) {
        fprintf(stderr, "%s\n", im_last_error());
        return 1;
    }
    im_client client = im_client_new(options);
    im_client_emit(client, IM_CHAT_TO,
                   "{\"type\":1,\"from\":\"111\",\"to\":\"echo\",\"content\":\"hi\"}");
    const im_event *event = NULL;
    int answered = 0;
    while (!answered && im_client_poll(client, PATIENCE_MS, &event) == IM_OK) {
        answered = strcmp(event->name, IM_CHAT_MESSAGE) == 0;
        im_event_release(event);
    }
    im_client_destroy(client);
    puts(answered ? "echo: hi" : im_last_error());
    return !answered;
}

/* minimal: the smallest useful program: says hi to user 222, prints what user 111 is told. */
#include <im_client.h>
#include <stdio.h>

static void print_event(const im_event *event, void *user_data) {
    (void)user_data;
    printf("%s %s\n", event->name, event->json);
}

int main(int argc, char **argv) {
    char options[512];
    snprintf(options, sizeof options,
             "{\"root\":\"%s\",\"nsp\":\"chat\",\"query\":{\"token\":\"t\",\"userId\":\"111\"}}",
             argc > 1 ? argv[1] : "http://localhost:7001");

    im_client client = im_client_new(options);
    if (client == 0) {
        fprintf(stderr, "%s\n", im_last_error());
        return 1;
    }
    im_client_on(client, IM_EVENT_CONNECT, print_event, NULL);
    im_client_on(client, IM_EVENT_CONNECT_ERROR, print_event, NULL);
    im_client_on(client, IM_CHAT_TO_ACK, print_event, NULL);
    im_client_on(client, IM_CHAT_MESSAGE, print_event, NULL);
    im_client_emit(client, IM_CHAT_TO,
                   "{\"type\":1,\"from\":\"111\",\"to\":\"222\",\"content\":\"hi\",\"typeu\":1}");

    puts("Press Enter to quit.");
    getchar();
    im_client_destroy(client);
    return 0;
}

/*
 * chat: a line of text goes out as a message, what comes in is printed.
 *
 * One thread and no lock: with "delivery": "manual" the callbacks run in im_client_dispatch, and
 * the descriptor of im_client_wake_fd tells when there is something to do.
 */
#include "envelope.h"
#include "flags.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIRM_TIMEOUT_MS 10000
#define EXIT_OTHER_DEVICE 3

struct chat {
    im_client client;
    const char *user, *peer;
    int unconfirmed; /* messages whose on_outcome has not run yet */
    bool is_kicked_out;
};

static void on_connection(const im_event *event, void *user_data) {
    (void)user_data;
    json_t *detail = envelope_of(event);
    if (strcmp(event->name, IM_EVENT_CONNECT) == 0)
        printf("* connected by %s\n", string_in(detail, "transport"));
    else if (strcmp(event->name, IM_EVENT_DISCONNECT) == 0)
        printf("* disconnected: %s\n", string_in(detail, "reason"));
    else
        printf("* cannot connect: %s\n", string_in(detail, "message"));
    json_decref(detail);
}

static void show_message(const json_t *message) {
    print_safely(string_in(message, "from"), string_in(message, "content"));
}

static void on_chat_event(const im_event *event, void *user_data) {
    struct chat *chat = user_data;
    json_t *envelope = envelope_of(event), *payload = payload_of(envelope), *message;
    const int code = integer_in(envelope, "code");
    size_t index;
    if (code != IM_CODE_OK) {
        printf("! %s (%d, %s)\n", code_name(code), code,
               string_in(json_object_get(envelope, "meta"), "msg"));
        chat->is_kicked_out |= code == IM_CODE_OTHER_DEVICE;
    } else if (strcmp(event->name, IM_CHAT_ONLINE) == 0) {
        printf("* %s is %s\n", string_in(payload, "current"), string_in(payload, "type"));
    } else if (strcmp(event->name, IM_CHAT_MESSAGE) == 0) {
        show_message(payload);
    } else { /* IM_CHAT_PULL_OFFLINE_MESSAGE: a list */
        json_array_foreach(payload, index, message) show_message(message);
    }
    json_decref(envelope);
}

/* Runs exactly once for each message that im_client_send_message took. */
static void on_outcome(im_status status, const im_event *reply, void *user_data) {
    struct chat *chat = user_data;
    chat->unconfirmed--;
    if (status != IM_OK) {
        printf("! not confirmed: %s\n", im_status_text(status));
        return;
    }
    json_t *envelope = envelope_of(reply);
    printf("✓ stored %d\n", integer_in(payload_of(envelope), "sequenceId"));
    json_decref(envelope);
}

static void send_text(struct chat *chat, const char *content) {
    json_t *message = json_pack("{s:i, s:s, s:s, s:s}", "type", IM_MESSAGE_TYPE_TEXT, "from",
                                chat->user, "to", chat->peer, "content", content);
    char *json = json_dumps(message, JSON_COMPACT); /* NULL if the line is not UTF-8 */
    if (im_client_send_message(chat->client, json, CONFIRM_TIMEOUT_MS, on_outcome, chat) > 0)
        chat->unconfirmed++;
    else
        printf("! not sent: %s\n", im_last_error());
    free(json);
    json_decref(message);
}

/* Until the input has ended and all is confirmed, or somebody signs in elsewhere. */
static void run(struct chat *chat) {
    struct pollfd sources[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = im_client_wake_fd(chat->client), .events = POLLIN}};
    char *line = NULL;
    size_t capacity = 0;
    while (!chat->is_kicked_out && (sources[0].fd >= 0 || chat->unconfirmed > 0)) {
        poll(sources, 2, -1);
        if (sources[1].revents != 0)
            im_client_dispatch(chat->client, 0, 0);
        if (sources[0].revents == 0)
            continue;
        if (getline(&line, &capacity, stdin) < 0) {
            sources[0].fd = -1; /* poll passes over it */
            continue;
        }
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            send_text(chat, line);
    }
    free(line);
}

static im_client new_client(const char *root, const char *user, const char *token) {
    json_t *options = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "root", root, "nsp", "chat",
                                "delivery", "manual", "query", "userId", user, "token", token);
    char *json = json_dumps(options, JSON_COMPACT);
    im_client client = im_client_new(json);
    free(json);
    json_decref(options);
    return client;
}

int main(int argc, char **argv) {
    struct chat chat = {.user = "111", .peer = "echo"};
    const char *root = default_root(), *token = "t";
    const struct flag flags[] = {{"--root", &root},
                                 {"--user", &chat.user},
                                 {"--token", &token},
                                 {"--peer", &chat.peer},
                                 {NULL, NULL}};
    if (!read_flags(argc, argv, flags))
        return EXIT_USAGE;
    setvbuf(stdin, NULL, _IONBF, 0);  /* a buffer would hide lines from poll */
    setvbuf(stdout, NULL, _IOLBF, 0); /* for who watches through a pipe */

    chat.client = new_client(root, chat.user, token);
    if (chat.client == 0) {
        fprintf(stderr, "chat: %s\n", im_last_error());
        return EXIT_FAILURE;
    }
    im_client_on(chat.client, IM_EVENT_CONNECT, on_connection, NULL);
    im_client_on(chat.client, IM_EVENT_CONNECT_ERROR, on_connection, NULL);
    im_client_on(chat.client, IM_EVENT_DISCONNECT, on_connection, NULL);
    im_client_on(chat.client, IM_IMERROR, on_chat_event, &chat);
    im_client_on(chat.client, IM_CHAT_ONLINE, on_chat_event, &chat);
    im_client_on(chat.client, IM_CHAT_MESSAGE, on_chat_event, &chat);
    im_client_on(chat.client, IM_CHAT_PULL_OFFLINE_MESSAGE, on_chat_event, &chat);
    run(&chat);
    im_client_destroy(chat.client);
    return chat.is_kicked_out ? EXIT_OTHER_DEVICE : EXIT_SUCCESS;
}

/*
 * console: a console chat over im-client with all that an IM server does; chat.c is the short one.
 *
 * Two threads meet here. The main thread reads stdin and calls the library; a thread of the
 * library's runs the on_... functions, one at a time. What both use is at the end of struct chat,
 * under its lock. The lock is never held across im_client_destroy: that waits for running
 * callbacks, and they lock it.
 */
#include "envelope.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIRM_TIMEOUT_MS 10000
#define FLUSH_TIMEOUT_MS 5000
#define EXIT_USAGE 2
#define EXIT_SIGNED_IN_ELSEWHERE 3

struct chat {
    im_client client;
    const char *user;
    char *to; /* where text goes: a user, a group if the domain says so, or NULL */
    int domain;
    int wake[2]; /* a pipe: on_refusal writes, the main thread polls */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t confirmed;
    int unconfirmed;                 /* messages whose on_stored has not run yet */
    char *last_sent, *last_received; /* messages as JSON */
    char *online;                    /* user ids for people */
};

/* One line to stdout. Control characters in other people's text must not reach the terminal. */
static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *line = length < 0 ? NULL : malloc((size_t)length + 1);
    if (line == NULL)
        return;
    va_start(args, format);
    vsnprintf(line, (size_t)length + 1, format, args);
    va_end(args);
    for (unsigned char *c = (unsigned char *)line; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = ' ';
        if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            c[0] = c[1] = ' '; /* U+0080 to U+009F */
    }
    puts(line); /* stdio's own lock keeps the lines of two threads apart */
    free(line);
}

/* Replaces *slot by a malloc'ed string, which it takes over. Comes before the line that tells of
 * it: who reads that line may type a command that needs the slot. */
static void keep(struct chat *chat, char **slot, char *value) {
    pthread_mutex_lock(&chat->lock);
    free(*slot);
    *slot = value;
    pthread_mutex_unlock(&chat->lock);
}

/* A copy of *slot to free, or NULL while it is empty. */
static char *copy_kept(struct chat *chat, char **slot) {
    pthread_mutex_lock(&chat->lock);
    char *copy = *slot != NULL ? strdup(*slot) : NULL;
    pthread_mutex_unlock(&chat->lock);
    return copy;
}

/* The strings of a list, "a, b, c"; to free. */
static char *joined(const json_t *list) {
    size_t index, length = 1;
    json_t *item;
    json_array_foreach(list, index, item) length += json_string_length(item) + 2;
    char *text = calloc(length, 1);
    if (text == NULL)
        return NULL;
    json_array_foreach(list, index, item) {
        if (*text != '\0')
            strcat(text, ", ");
        strcat(text, json_is_string(item) ? json_string_value(item) : "");
    }
    return text;
}

static bool is_recall(const json_t *message) {
    const int type = integer_in(message, "type");
    return type == IM_MESSAGE_TYPE_RECALLED_TEXT || type == IM_MESSAGE_TYPE_RECALLED;
}

static void show_message(struct chat *chat, const char *note, const json_t *message) {
    const char *from = string_in(message, "from"), *to = string_in(message, "to");
    const bool to_me = strcmp(to, chat->user) == 0; /* else to a group, or from me */
    if (is_recall(message))
        say("* %s%s recalled a message", note, from);
    else
        say("%s%s%s%s: %s", note, from, to_me ? "" : " to ", to_me ? "" : to,
            string_in(message, "content"));
}

/* The last message of somebody else, for /read. */
static void keep_received(struct chat *chat, const json_t *message) {
    if (!is_recall(message) && strcmp(string_in(message, "from"), chat->user) != 0)
        keep(chat, &chat->last_received, json_dumps(message, JSON_COMPACT));
}

static void on_refusal(struct chat *chat, int code, const char *text) {
    say("! %s (%d, %s)", code_name(code), code, text);
    if (code != IM_CODE_OTHER_DEVICE)
        return;
    if (write(chat->wake[1], "", 1) < 0)
        perror("console"); /* ends the program */
}

static void on_chat_event(const im_event *event, void *user_data) {
    struct chat *chat = user_data;
    json_t *envelope = envelope_of(event), *payload = payload_of(envelope), *item;
    const json_t *meta = json_object_get(envelope, "meta");
    const int code = integer_in(envelope, "code");
    size_t index;
    if (code != IM_CODE_OK) {
        on_refusal(chat, code, string_in(meta, "msg"));
    } else if (strcmp(event->name, IM_CHAT_ONLINE) == 0) {
        keep(chat, &chat->online, joined(json_object_get(payload, "clients")));
        say("* %s is %s", string_in(payload, "current"), string_in(payload, "type"));
    } else if (strcmp(event->name, IM_CHAT_MESSAGE) == 0) {
        const bool own_copy = json_is_true(json_object_get(meta, "sync"));
        keep_received(chat, payload);
        show_message(chat, own_copy ? "(your other device) " : "", payload);
    } else if (strcmp(event->name, IM_CHAT_PULL_OFFLINE_MESSAGE) == 0) {
        json_array_foreach(payload, index, item) {
            keep_received(chat, item);
            show_message(chat, "(while you were away) ", item);
        }
    } else if (strcmp(event->name, IM_CHAT_PULL_HISTORY_MESSAGE) == 0) {
        for (index = json_array_size(payload); index > 0; index--) /* the newest came first */
            show_message(chat, "(history) ", json_array_get(payload, index - 1));
    } else if (strcmp(event->name, IM_CHAT_PULL_RECENT_CONVERSATION) == 0) {
        json_array_foreach(payload, index, item) {
            say("(recent) %s, %d unread", string_in(item, "with"), integer_in(item, "unread"));
        }
    } else if (strcmp(event->name, IM_CHAT_TO_READED) == 0) {
        json_array_foreach(payload, index, item) {
            char *readers = joined(json_object_get(item, "readed"));
            say("✓✓ read by %s", readers != NULL ? readers : "?");
            free(readers);
        }
    } else if (strcmp(event->name, IM_CHAT_TO_TYPING) == 0) {
        say("* %s is typing", string_in(payload, "from"));
    } else { /* a notice */
        char *text = json_dumps(payload, JSON_COMPACT | JSON_ENCODE_ANY);
        say("* notice: %s", text != NULL ? text : "?");
        free(text);
    }
    json_decref(envelope);
}

static const char *const CHAT_EVENTS[] = {
    IM_IMERROR,
    IM_CHAT_ONLINE,
    IM_CHAT_MESSAGE,
    IM_CHAT_PULL_OFFLINE_MESSAGE,
    IM_CHAT_PULL_HISTORY_MESSAGE,
    IM_CHAT_PULL_RECENT_CONVERSATION,
    IM_CHAT_TO_READED,
    IM_CHAT_TO_TYPING,
    IM_CHAT_GROUP_NOTICE,
    IM_CHAT_SYSTEM_NOTICE,
};

/* The connection's own events have no envelope. */
static void on_connection(const im_event *event, void *user_data) {
    (void)user_data;
    json_t *detail = envelope_of(event);
    const bool again = json_is_true(json_object_get(detail, "willReconnect")) ||
                       json_is_true(json_object_get(detail, "willRetry"));
    if (strcmp(event->name, IM_EVENT_CONNECT) == 0)
        say("* connected by %s", string_in(detail, "transport"));
    else if (strcmp(event->name, IM_EVENT_DISCONNECT) == 0)
        say("* disconnected: %s%s", string_in(detail, "reason"), again ? ", reconnecting" : "");
    else
        say("* cannot connect: %s%s", string_in(detail, "message"), again ? ", trying again" : "");
    json_decref(detail);
}

static void add_unconfirmed(struct chat *chat, int change) {
    pthread_mutex_lock(&chat->lock);
    chat->unconfirmed += change;
    pthread_cond_signal(&chat->confirmed);
    pthread_mutex_unlock(&chat->lock);
}

/* Runs exactly once for each message that im_client_send_message took. */
static void on_stored(im_status status, const im_event *reply, void *user_data) {
    struct chat *chat = user_data;
    if (status == IM_OK) {
        json_t *envelope = envelope_of(reply), *message = payload_of(envelope);
        keep(chat, &chat->last_sent, json_dumps(message, JSON_COMPACT));
        say("✓ stored %d", integer_in(message, "sequenceId"));
        json_decref(envelope);
    } else {
        say("! not confirmed: %s", im_status_text(status));
    }
    add_unconfirmed(chat, -1);
}

/* ---- From here on: the main thread ---- */

static void send_text(struct chat *chat, const char *content) {
    json_t *message =
        json_pack("{s:i, s:s, s:s, s:s, s:i}", "type", IM_MESSAGE_TYPE_TEXT, "from", chat->user,
                  "to", chat->to, "content", content, "typeu", chat->domain);
    if (message == NULL) { /* json_pack takes nothing but UTF-8 */
        say("! not sent: this is not UTF-8");
        return;
    }
    char *json = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    add_unconfirmed(chat, +1); /* first, for on_stored may run before the call returns */
    if (im_client_send_message(chat->client, json, CONFIRM_TIMEOUT_MS, on_stored, chat) < 0) {
        say("! not sent: %s", im_last_error());
        add_unconfirmed(chat, -1);
    }
    free(json);
}

/* Emits the text of one argument, or none, and frees it. */
static void emit(struct chat *chat, const char *event, char *json) {
    if (im_client_emit(chat->client, event, json) < 0)
        say("! %s", im_last_error());
    free(json);
}

static void emit_kept(struct chat *chat, const char *event, char **slot) {
    char *message = copy_kept(chat, slot);
    if (message != NULL)
        emit(chat, event, message);
    else
        say("! there is no message yet");
}

/* Emits {key: value, "typeu": what we talk to}. */
static void emit_about_target(struct chat *chat, const char *event, const char *key,
                              const char *value) {
    json_t *argument = json_pack("{s:s, s:i}", key, value, "typeu", chat->domain);
    emit(chat, event, json_dumps(argument, JSON_COMPACT));
    json_decref(argument);
}

static void ask_history(struct chat *chat) {
    char *timeline = im_timeline_id(chat->user, chat->to);
    emit_about_target(chat, IM_CHAT_PULL_HISTORY_MESSAGE, "timelineId", timeline);
    im_string_free(timeline);
}

static void show_online(struct chat *chat) {
    char *users = copy_kept(chat, &chat->online);
    say("online: %s", users != NULL ? users : "not known yet");
    free(users);
}

static void talk_to(struct chat *chat, const char *to, int domain) {
    free(chat->to);
    chat->to = strdup(to);
    chat->domain = domain;
}

static const char HELP[] =
    "/peer ID   talk to a user          /group ID  talk to a group\n"
    "/typing    show that you type      /recall    take back your last message\n"
    "/read      confirm the last one    /history   of this conversation\n"
    "/recent    your conversations      /who       is online\n"
    "/quit      or the end of input     other text is sent";

/* Returns false when it is time to quit. */
static bool run_line(struct chat *chat, const char *line) {
    if (strcmp(line, "/quit") == 0)
        return false;
    if (strcmp(line, "/help") == 0)
        puts(HELP);
    else if (strncmp(line, "/peer ", 6) == 0)
        talk_to(chat, line + 6, IM_MESSAGE_DOMAIN_DIRECT);
    else if (strncmp(line, "/group ", 7) == 0)
        talk_to(chat, line + 7, IM_MESSAGE_DOMAIN_GROUP);
    else if (strcmp(line, "/recall") == 0)
        emit_kept(chat, IM_CHAT_TO_UNDO, &chat->last_sent);
    else if (strcmp(line, "/read") == 0)
        emit_kept(chat, IM_CHAT_TO_READED, &chat->last_received);
    else if (strcmp(line, "/recent") == 0)
        emit(chat, IM_CHAT_PULL_RECENT_CONVERSATION, NULL);
    else if (strcmp(line, "/who") == 0)
        show_online(chat);
    else if (chat->to == NULL)
        say("! to whom? /peer ID or /group ID (or /help)");
    else if (strcmp(line, "/typing") == 0)
        emit_about_target(chat, IM_CHAT_TO_TYPING, "to", chat->to);
    else if (strcmp(line, "/history") == 0)
        ask_history(chat);
    else if (line[0] == '/')
        say("! no such command, see /help: %s", line);
    else if (line[0] != '\0')
        send_text(chat, line);
    return true;
}

enum input { INPUT_LINE, INPUT_END, INPUT_SIGNED_IN_ELSEWHERE };

/* Waits for a line and for the wake pipe at once, which getline alone cannot. Stdin is unbuffered:
 * a buffer of stdio's would hide lines from poll. */
static enum input next_line(char **line, size_t *capacity, int wake) {
    struct pollfd sources[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = wake, .events = POLLIN}};
    if (poll(sources, 2, -1) < 0)
        return INPUT_END;
    if (sources[1].revents != 0)
        return INPUT_SIGNED_IN_ELSEWHERE;
    if (getline(line, capacity, stdin) < 0)
        return INPUT_END;
    (*line)[strcspn(*line, "\r\n")] = '\0';
    return INPUT_LINE;
}

/* Waits until all is sent, and confirmed or given up: CONFIRM_TIMEOUT_MS sees to that. */
static void finish(struct chat *chat) {
    if (im_client_flush(chat->client, FLUSH_TIMEOUT_MS) < 0)
        say("! not all was sent: %s", im_last_error());
    else {
        pthread_mutex_lock(&chat->lock);
        while (chat->unconfirmed > 0)
            pthread_cond_wait(&chat->confirmed, &chat->lock);
        pthread_mutex_unlock(&chat->lock);
    }
}

static im_client new_client(const char *root, const char *user, const char *token,
                            const char *device) {
    json_t *options = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "root", root, "nsp", "chat",
                                "query", "userId", user, "token", token, "deviceType", device);
    char *json = json_dumps(options, JSON_COMPACT);
    im_client client = im_client_new(json);
    free(json);
    json_decref(options);
    return client;
}

int main(int argc, char **argv) {
    const char *root = NULL, *user = NULL, *token = "t", *device = "desktop", *peer = NULL,
               *group = NULL;
    const struct {
        const char *name, **value;
    } flags[] = {{"--root", &root},     {"--user", &user}, {"--token", &token},
                 {"--device", &device}, {"--peer", &peer}, {"--group", &group}};
    const size_t flag_count = sizeof flags / sizeof *flags;
    bool usable = true;
    for (int i = 1; i < argc && usable; i += 2) {
        size_t flag = 0;
        while (flag < flag_count && strcmp(flags[flag].name, argv[i]) != 0)
            flag++;
        usable = flag < flag_count && i + 1 < argc;
        if (usable)
            *flags[flag].value = argv[i + 1];
    }
    if (!usable || root == NULL || user == NULL) {
        fputs("usage: console --root URL --user ID [--peer ID | --group ID] [--token TOKEN]\n"
              "            [--device desktop|mobile]\n",
              stderr);
        return EXIT_USAGE;
    }
    setvbuf(stdin, NULL, _IONBF, 0);  /* see next_line */
    setvbuf(stdout, NULL, _IOLBF, 0); /* for who watches through a pipe */

    struct chat chat = {
        .user = user, .lock = PTHREAD_MUTEX_INITIALIZER, .confirmed = PTHREAD_COND_INITIALIZER};
    if (peer != NULL)
        talk_to(&chat, peer, IM_MESSAGE_DOMAIN_DIRECT);
    if (group != NULL)
        talk_to(&chat, group, IM_MESSAGE_DOMAIN_GROUP);
    if (pipe(chat.wake) != 0) {
        perror("console");
        return EXIT_FAILURE;
    }
    chat.client = new_client(root, user, token, device);
    if (chat.client == 0) {
        fprintf(stderr, "console: %s\n", im_last_error());
        return EXIT_FAILURE;
    }
    /* It connects from now on. What comes before its subscription waits for it. */
    im_client_on(chat.client, IM_EVENT_CONNECT, on_connection, NULL);
    im_client_on(chat.client, IM_EVENT_CONNECT_ERROR, on_connection, NULL);
    im_client_on(chat.client, IM_EVENT_DISCONNECT, on_connection, NULL);
    for (size_t i = 0; i < sizeof CHAT_EVENTS / sizeof *CHAT_EVENTS; i++)
        im_client_on(chat.client, CHAT_EVENTS[i], on_chat_event, &chat);

    char *line = NULL;
    size_t capacity = 0;
    enum input input;
    do {
        input = next_line(&line, &capacity, chat.wake[0]);
    } while (input == INPUT_LINE && run_line(&chat, line));

    if (input != INPUT_SIGNED_IN_ELSEWHERE)
        finish(&chat);
    im_client_destroy(chat.client); /* after this no callback runs and nothing is shared */
    free(line);
    free(chat.to);
    free(chat.last_sent);
    free(chat.last_received);
    free(chat.online);
    return input == INPUT_SIGNED_IN_ELSEWHERE ? EXIT_SIGNED_IN_ELSEWHERE : EXIT_SUCCESS;
}

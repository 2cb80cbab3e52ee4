/* Promise 14: tokens, cookies and contents appear in no log line, info or error; the query's values
 * are masked. */

#include "check.h"

#define TOKEN "S3CRET-token-77"
#define CONTENT "S3CRET-content-88"
#define MARK "S3CRET"

static atomic_int told, lines;
static recorder events = RECORDER;

static void look_at(const char *where, const char *words) {
    if (strstr(words, MARK) == NULL)
        return;
    told++;
    printf("in %s: %s\n", where, words);
}
static void on_line(int32_t level, const char *line, void *data) {
    (void)level, (void)data;
    lines++;
    look_at("the log", line);
}
static void look_at_info(im_client client) {
    char *info = im_client_info(client);
    CHECK(info != NULL);
    look_at("the info", info);
    im_string_free(info);
}
static void ignore_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
}

/* What the library itself says; a message's own event has its content, of course. */
static void look_at_events(void) {
    static const char *const own[] = {"connect",         "connect_error",     "disconnect",
                                      "error",           "reconnect_attempt", "reconnect",
                                      "reconnect_error", "reconnect_failed"};
    pthread_mutex_lock(&events.lock);
    for (int i = 0; i < events.count; i++) {
        for (size_t j = 0; j < sizeof own / sizeof *own; j++) {
            if (strcmp(events.items[i].name, own[j]) == 0)
                look_at(own[j], events.items[i].args);
        }
    }
    pthread_mutex_unlock(&events.lock);
}

static im_client secret_client(const char *at, const char *nsp, const char *more) {
    im_client client = im_client_new(text(
        "{\"root\":\"%s\",\"nsp\":\"%s\",\"query\":{\"token\":\"" TOKEN "\",\"userId\":\"u1\"},"
        "\"auth\":{\"password\":\"" TOKEN "\"},\"reconnectionDelay\":10%s}",
        at, nsp, more));
    CHECK(client != 0);
    CHECK(im_client_on_any(client, record, &events) > 0);
    return client;
}

static void in_a_life_of_messages_and_losses(void) {
    im_client client =
        secret_client(root, "chat", ",\"agent\":\"" TOKEN "\",\"timestampRequests\":true");
    wait_connected(client);
    look_at_info(client);
    char *info = im_client_info(client);
    /* The URL is there, its values are not. */
    CHECK(strstr(info, "token=") != NULL && strstr(info, "userId=") != NULL);
    CHECK(strstr(info, "userId=u1") == NULL);
    im_string_free(info);
    const char *message = "{\"type\":1,\"from\":\"u1\",\"to\":\"u2\",\"content\":\"" CONTENT "\"}";
    CHECK(im_client_send_message(client, message, 5000, ignore_ack, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "to", message), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "echo", "\"" CONTENT "\""), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "ask", "\"" CONTENT "\""), IM_OK);
    CHECK(im_client_emit_with_ack(client, "echo", "\"" CONTENT "\"", 0, ignore_ack, NULL) > 0);
    CHECK(im_client_emit_with_ack(client, "silent", "\"" CONTENT "\"", 10, ignore_ack, NULL) > 0);
    wait_item(&events, "to_ack", 1);
    wait_item(&events, "question", 0);
    const im_blob secret = {CONTENT, strlen(CONTENT)};
    CHECK(im_client_emit_args_with_ack(client, "silent", 6, NULL, 0, &secret, 1, 0, 10, ignore_ack,
                                       NULL, NULL) > 0);
    CHECK_EQUAL(im_client_emit_args(client, "ask_binary", 10, NULL, 0, &secret, 1, 0), IM_OK);
    uint64_t binary = wait_item(&events, "question", 1).ack_id;
    CHECK_EQUAL(im_client_reply_args(client, binary, NULL, 0, &secret, 1), IM_OK);
    CHECK_EQUAL(
        im_client_reply(client, wait_item(&events, "question", 0).ack_id, "\"" CONTENT "\""),
        IM_OK);
    round_trip(client);
    look_at_info(client);
    post("drop", "{}");
    wait_item(&events, "reconnect", 0);
    post("drop", "{\"how\":\"reset\"}");
    wait_item(&events, "reconnect", 1);
    /* A frame that is no packet ends the connection with words about it. */
    const char *bad = "[\"2/chat,[\\\"x\\\"," CONTENT "\"]";
    CHECK_EQUAL(im_client_emit_args(client, "raw", 3, bad, strlen(bad), NULL, 0, 0), IM_OK);
    wait_item(&events, "disconnect", 2);
    wait_item(&events, "reconnect", 2);
    CHECK_EQUAL(im_client_close(client), IM_OK);
    wait_item(&events, "disconnect", 3);
    CHECK(lines > 0);
    look_at_info(client);
    look_at_events();
    destroy(client);
    CHECK_EQUAL(told, 0);
}

static void where_connecting_fails(void) {
    char *port = strrchr(root, ':');
    const char *const roots[] = {"http://127.0.0.1:1", "http://nowhere.invalid:1",
                                 text("https://127.0.0.1%s", port)};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        recorder_clear(&events);
        im_client client = secret_client(roots[i], "chat", ",\"reconnectionAttempts\":1");
        wait_item(&events, "reconnect_failed", 0);
        look_at_info(client);
        look_at_events();
        destroy(client);
    }
    recorder_clear(&events);
    im_client refused = secret_client(root, "refused", "");
    CHECK(strstr(wait_item(&events, "connect_error", 0).json, "refused by the server") != NULL);
    look_at_info(refused);
    look_at_events();
    destroy(refused);
    recorder_clear(&events);
    im_client lost = secret_client(
        root, "chat", ",\"path\":\"/nothing/here\",\"reconnectionAttempts\":1,\"timeout\":1500");
    wait_item(&events, "reconnect_failed", 0);
    CHECK(strstr(wait_item(&events, "connect_error", 0).json, "token=") != NULL);
    look_at_info(lost);
    look_at_events();
    destroy(lost);
    CHECK_EQUAL(told, 0);
}

static void in_the_words_of_failing_calls(void) {
    static const char *const options[] = {
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"query\":{\"token\":[\"" TOKEN "\"]}}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"query\":\"token=" TOKEN "\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"auth\":\"" TOKEN "\"}",
        "{\"root\":\"http://h:1/?token=" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://h:1?token=" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://h:1/im?token=" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://h:1/#" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://user:" TOKEN "@h:1\",\"nsp\":\"chat\"}",
        "{\"root\":\"user:" TOKEN "@h:1\",\"nsp\":\"chat\"}",
        "{\"root\":\"h:1?token=" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://h:x?token=" TOKEN "\",\"nsp\":\"chat\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat?token=" TOKEN "\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"path\":\"/ws?token=" TOKEN "\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"query\":{\"token\":\"" TOKEN "\"}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"query\":{\"token\":\"" TOKEN "\",}}",
        "{\"root\":\"http://h:1\",\"nsp\":\"chat\",\"query\":{\"token\":\"" TOKEN
        "\"},\"timeout\":\"" TOKEN "\"}",
        "\"" TOKEN "\"",
        TOKEN,
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        CHECK_EQUAL(im_client_new(options[i]), 0);
        look_at("an error", im_last_error());
    }
    im_client client = new_client("/", ",\"autoConnect\":false,\"sendQueueBytes\":1024");
    static const char *const broken[] = {"{\"content\":\"" CONTENT "\"", CONTENT,
                                         "\"" CONTENT "\xff\"", "[\"" CONTENT "\",]", "\"" CONTENT};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        CHECK(im_client_emit(client, "x", broken[i]) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_emit_args(client, "x", 1, broken[i], strlen(broken[i]), NULL, 0, 0) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_emit_with_ack(client, "x", broken[i], 0, ignore_ack, NULL) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_reply(client, 1, broken[i]) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_emit_args_with_ack(client, "x", 1, broken[i], strlen(broken[i]), NULL, 0, 0,
                                           0, ignore_ack, NULL, NULL) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_reply_args(client, 1, broken[i], strlen(broken[i]), NULL, 0) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_send_message(client, broken[i], 0, ignore_ack, NULL) < 0);
        look_at("an error", im_last_error());
        CHECK(im_message_create(broken[i]) == NULL);
        look_at("an error", im_last_error());
        CHECK(im_messages_unique(broken[i]) == NULL);
        look_at("an error", im_last_error());
    }
    static const char *const misplaced[] = {
        "[{\"_placeholder\":true,\"num\":\"" CONTENT "\"}]",
        "[{\"_placeholder\":true,\"num\":7,\"x\":\"" CONTENT "\"}]",
        "[\"" CONTENT "\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]"};
    const im_blob secret = {CONTENT, strlen(CONTENT)};
    for (size_t i = 0; i < sizeof misplaced / sizeof *misplaced; i++) {
        const char *args = misplaced[i];
        CHECK(im_client_emit_args(client, "x", 1, args, strlen(args), &secret, 1, 0) < 0);
        look_at("an error", im_last_error());
        CHECK(im_client_emit_args(client, "x", 1, args, strlen(args), NULL, 0, 0) < 0);
        look_at("an error", im_last_error());
    }
    CHECK(im_message_create("{\"type\":\"" CONTENT
                            "\",\"from\":\"a\",\"to\":\"b\",\"content\":\"" CONTENT "\"}") == NULL);
    look_at("an error", im_last_error());
    while (im_client_emit(client, "x", "\"" CONTENT "\"") == IM_OK) {
    }
    look_at("an error", im_last_error());
    destroy(client);
    CHECK_EQUAL(told, 0);
}

static void is_silent(bool failed) {
    CHECK(failed);
    look_at("an error", im_last_error());
}

/* What is valid and not what is asked for: the error says where it is and not what it says. */
static void in_the_words_about_values_of_the_wrong_shape(void) {
    static const char *const more[] = {
        "\"protocols\":[\"bearer " TOKEN "\"]",
        "\"protocols\":[\"" TOKEN "\",\"" TOKEN "\"]",
        "\"extraHeaders\":{\"Authorization: " TOKEN "\":\"\"}",
        "\"extraHeaders\":{\"Authorization: " TOKEN "\":1}",
        "\"transportOptions\":{\"polling\":{\"extraHeaders\":{\"" TOKEN ":\":\"\"}}}",
        "\"pinnedPublicKeys\":\"" TOKEN "\"",
        "\"store\":\"s\",\"query\":{\"userId\":[\"" TOKEN "\"]}",
        "\"root\":\"http://h:1/" TOKEN "\"",
        "\"root\":\"http://user:pass/" TOKEN "@h:1\"",
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        is_silent(im_client_new(text("{\"root\":\"http://h:1\",\"nsp\":\"chat\",%s}", more[i])) ==
                  0);
    static const char *const shapes[] = {"\"" TOKEN "\"", "{\"" TOKEN "\":[1]}", "[\"" TOKEN "\"]"};
    im_client client = new_client("/", ",\"autoConnect\":false");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        bool is_object = *shapes[i] == '{', is_list = *shapes[i] == '[';
        is_silent(im_message_create(shapes[i]) == NULL);
        is_silent(im_client_send_message(client, shapes[i], 0, ignore_ack, NULL) < 0);
        is_silent(im_client_answer(client, 1, shapes[i]) < 0);
        if (!is_list)
            is_silent(im_messages_unique(shapes[i]) == NULL);
        if (!is_object) {
            is_silent(im_client_set_auth(client, shapes[i]) == IM_ERROR_JSON);
            is_silent(im_client_set_query(client, shapes[i]) == IM_ERROR_JSON);
        }
    }
    is_silent(im_client_set_query(client, "{\"token\":[\"" TOKEN "\"]}") == IM_ERROR_JSON);
    destroy(client);
    CHECK_EQUAL(told, 0);
}

int main(int argc, char **argv) {
    static const test_case cases[] = {CASE(in_a_life_of_messages_and_losses),
                                      CASE(where_connecting_fails),
                                      CASE(in_the_words_of_failing_calls),
                                      CASE(in_the_words_about_values_of_the_wrong_shape),
                                      {NULL, NULL}};
    CHECK_EQUAL(im_set_log_callback(IM_LOG_TRACE, on_line, NULL, NULL), IM_OK);
    return run_cases(argc, argv, "secrets", cases);
}

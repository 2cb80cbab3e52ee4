/* The behaviours of bindings/behaviours.json in C. Usage: matrix BEHAVIOUR ROOT; run_matrix.py
 * starts the servers, runs each behaviour in a process of its own and writes the results down. */

#include "chat.h"
#include "manual.h"

static im_client new_default(void) {
    im_client client = im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\"}", root));
    CHECK(client != 0);
    return client;
}

/* ---- Connection ---- */

static void connect_(void) {
    recorder events = RECORDER;
    im_client client = new_default();
    CHECK(im_client_on(client, IM_EVENT_CONNECT, record, &events) > 0);
    item connected = wait_item(&events, "connect", 0);
    CHECK(strstr(connected.json, "\"transport\":\"websocket\"") != NULL);
    char *id = copy_socket_id(client);
    CHECK(strstr(connected.json, id) != NULL);
    free(id);
    destroy(client);
    recorder_clear(&events);
}

static void reconnect(void) {
    recorder events = RECORDER, answers = RECORDER;
    im_client client =
        im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\",\"reconnectionDelay\":500}", root));
    CHECK(client != 0);
    wait_connected(client);
    CHECK(im_client_on(client, IM_EVENT_DISCONNECT, record, &events) > 0);
    CHECK(im_client_on(client, IM_EVENT_RECONNECT, record, &events) > 0);
    post("drop", "{}");
    item lost = wait_item(&events, "disconnect", 0);
    CHECK(strstr(lost.json, "\"willReconnect\":true") != NULL);
    WAIT(im_client_state(client) == IM_STATE_RECONNECTING);
    CHECK(im_client_emit_with_ack(client, "echo", "\"waited\"", 0, record_ack, &answers) > 0);
    wait_item(&events, "reconnect", 0);
    item answer = wait_item(&answers, NULL, 0);
    CHECK_EQUAL(answer.status, IM_OK);
    CHECK(strcmp(answer.json, "\"waited\"") == 0);
    destroy(client);
    recorder_clear(&events);
    recorder_clear(&answers);
}

static void close_(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on_any(client, record, &events) > 0);
    CHECK_EQUAL(im_client_close(client), IM_OK);
    item closed = wait_item(&events, "disconnect", 0);
    CHECK(strstr(closed.json, "io client disconnect") != NULL);
    CHECK_EQUAL(im_client_state(client), IM_STATE_DISCONNECTED);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    round_trip(client);
    CHECK_EQUAL(recorded(&events, "connect"), 2);
    destroy(client);
    recorder_clear(&events);
}

static atomic_int destroy_status = 99;
static void destroy_here(const im_event *event, void *user_data) {
    (void)user_data;
    destroy_status = im_client_destroy(event->client);
}
static void destroy_in_callback(void) {
    recorder frees = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_subscribe(client, "burst", 0, destroy_here, &frees, record_free) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    WAIT(frees.freed == 1 && im_client_count() == 0);
    CHECK_EQUAL(destroy_status, IM_DEFERRED);
    CHECK_EQUAL(im_client_state(client), IM_ERROR_HANDLE);
}

/* main returns while events come. What must not happen is a crash, or an end that hangs:
 * run_matrix.py looks at the exit. */
static atomic_int received;
static void count(const im_event *event, void *user_data) {
    (void)event, (void)user_data;
    received++;
}
static void exit_with_live_client(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", count, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "20000"), IM_OK);
    WAIT(received > 50);
    CHECK_EQUAL(im_client_count(), 1);
    exit(0);
}

/* ---- Events ---- */

static void receive(void) {
    static const char args[] = "[\"told\",{\"a\":[1,\"ä€😀\"]},2]";
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "told", record, &events) > 0);
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    item told = wait_item(&events, "told", 0);
    CHECK(strcmp(told.json, "{\"a\":[1,\"ä€😀\"]}") == 0);
    CHECK(strcmp(told.args, "[{\"a\":[1,\"ä€😀\"]},2]") == 0);
    destroy(client);
    recorder_clear(&events);
}

static void emit(void) {
    static const char args[] = "[1,\"two\",{\"three\":3},[4],null]";
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", record, &events) > 0);
    CHECK_EQUAL(im_client_emit_args(client, "echo", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    CHECK(strcmp(wait_item(&events, "echo", 0).args, args) == 0);
    CHECK_EQUAL(im_client_emit(client, "echo", NULL), IM_OK);
    CHECK(strcmp(wait_item(&events, "echo", 1).args, "[]") == 0);
    destroy(client);
    recorder_clear(&events);
}

static void thousand_in_order(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", record, &events) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "1000"), IM_OK);
    for (int i = 0; i < 1000; i++)
        CHECK_EQUAL(atoi(wait_item(&events, NULL, i).json), i);
    destroy(client);
    recorder_clear(&events);
}

/* ---- Acknowledgements ---- */

static void ack_from_server(void) {
    static const char args[] = "[1,\"two\"]";
    recorder answers = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_emit_with_ack(client, "echo", "{\"n\":1}", 0, record_ack, &answers) > 0);
    item one = wait_item(&answers, NULL, 0);
    CHECK_EQUAL(one.status, IM_OK);
    CHECK(strcmp(one.json, "{\"n\":1}") == 0);
    CHECK(im_client_emit_args_with_ack(client, "echo", 4, args, strlen(args), NULL, 0, 0, 0,
                                       record_ack, &answers, record_free) > 0);
    CHECK(strcmp(wait_item(&answers, NULL, 1).args, args) == 0);
    WAIT(answers.freed == 1);
    destroy(client);
    recorder_clear(&answers);
}

static void reply_at_once(const im_event *event, void *user_data) {
    (void)user_data;
    CHECK_EQUAL(im_event_reply(event, "\"at once\""), IM_OK);
}
static const im_event *_Atomic kept;
static void keep(const im_event *event, void *user_data) {
    (void)user_data;
    kept = im_event_retain(event);
}
static void ack_to_server(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "answered", record, &events) > 0);
    CHECK(im_client_once(client, "question", reply_at_once, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "ask", "1"), IM_OK);
    CHECK(strcmp(wait_item(&events, "answered", 0).json, "\"at once\"") == 0);
    CHECK(im_client_once(client, "question", keep, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "ask", "2"), IM_OK);
    WAIT(kept != NULL);
    CHECK_EQUAL(im_client_reply(client, kept->ack_id, "\"later\""), IM_OK);
    CHECK(strcmp(wait_item(&events, "answered", 1).json, "\"later\"") == 0);
    CHECK_EQUAL(im_event_reply(kept, "\"twice\""), IM_ERROR_NOT_FOUND);
    im_event_release(kept);
    destroy(client);
    recorder_clear(&events);
}

static void check_bytes(const im_event *event, size_t index, const void *bytes, size_t len) {
    im_blob blob;
    CHECK_EQUAL(im_event_blob(event, index, &blob), IM_OK);
    CHECK_EQUAL(blob.len, len);
    CHECK(memcmp(blob.data, bytes, len) == 0);
}
static void binary(void) {
    static const char args[] = "[{\"_placeholder\":true,\"num\":1},{\"in\":{\"_placeholder\":true,"
                               "\"num\":0}},\"text\"]";
    static const unsigned char bytes[] = {0, 1, 255, 0};
    const im_blob blobs[] = {{bytes, sizeof bytes}, {"", 0}};
    im_client client = new_client("/", MANUAL);
    CHECK_EQUAL(im_client_emit_args(client, "echo", 4, args, strlen(args), blobs, 2, 0), IM_OK);
    const im_event *echo = take_named(client, "echo");
    CHECK_EQUAL(echo->blob_count, 2);
    /* The packet numbers them in the order of their places. */
    check_bytes(echo, 0, "", 0);
    check_bytes(echo, 1, bytes, sizeof bytes);
    im_event_release(echo);
    CHECK_EQUAL(im_client_emit_args(client, "describe", 8, NULL, 0, blobs, 1, 0), IM_OK);
    echo = take_named(client, "described");
    CHECK(strcmp(echo->json, "{\"hex\":\"0001ff00\"}") == 0);
    im_event_release(echo);
    destroy(client);
}

/* ---- The IM protocol ---- */

static void send_message(void) {
    recorder outcomes = RECORDER, messages = RECORDER;
    im_client sender = new_chat("111", ""), receiver = new_chat("222", "");
    wait_connected(receiver);
    CHECK(im_client_on(receiver, IM_CHAT_MESSAGE, record, &messages) > 0);
    CHECK(im_client_send_message(
              sender,
              "{\"type\":1,\"from\":\"111\",\"to\":\"222\",\"content\":\"hi\",\"fp\":\"f1\"}", 0,
              record_ack, &outcomes) > 0);
    item stored = wait_item(&outcomes, NULL, 0);
    CHECK_EQUAL(stored.status, IM_OK);
    CHECK(strstr(stored.json, "\"fp\":\"f1\"") != NULL);
    item message = wait_item(&messages, IM_CHAT_MESSAGE, 0);
    CHECK(strstr(message.json, "\"content\":\"hi\"") != NULL);
    destroy(sender);
    destroy(receiver);
    recorder_clear(&outcomes);
    recorder_clear(&messages);
}

static void qr_login(void) {
    recorder events = RECORDER;
    im_client client = im_client_new(
        text("{\"root\":\"%s\",\"nsp\":\"sso\",\"query\":{\"device_id\":\"pc1\"}}", root));
    CHECK(client != 0);
    CHECK(im_client_on(client, IM_SSO_QRLOGIN, record, &events) > 0);
    CHECK(im_client_on(client, IM_EVENT_DISCONNECT, record, &events) > 0);
    wait_connected(client);
    scan_qr_code("pc1");
    CHECK(strstr(wait_item(&events, IM_SSO_QRLOGIN, 0).json, "\"token\":\"") != NULL);
    /* Its work is done: the library closes it. */
    CHECK(strstr(wait_item(&events, "disconnect", 0).json, "\"willReconnect\":false") != NULL);
    destroy(client);
    recorder_clear(&events);
}

static void kick_out(void) {
    recorder events = RECORDER;
    im_client first = new_chat("111", "");
    CHECK(im_client_on(first, IM_IMERROR, record, &events) > 0);
    CHECK(im_client_on(first, IM_EVENT_DISCONNECT, record, &events) > 0);
    wait_connected(first);
    im_client second = new_chat("111", "");
    char *code = strdup(text("\"code\":%d", IM_CODE_OTHER_DEVICE));
    CHECK(strstr(wait_item(&events, IM_IMERROR, 0).json, code) != NULL);
    CHECK(strstr(wait_item(&events, "disconnect", 0).json, "\"willReconnect\":false") != NULL);
    CHECK_EQUAL(im_client_state(first), IM_STATE_DISCONNECTED);
    wait_connected(second);
    free(code);
    destroy(first);
    destroy(second);
    recorder_clear(&events);
}

/* ---- Errors ---- */

static void error_unknown_option(void) {
    CHECK_EQUAL(im_client_new("{\"root\":\"http://127.0.0.1:1\",\"nsp\":\"/\",\"timeuot\":1}"), 0);
    CHECK_FAULT(IM_ERROR_OPTION, "timeuot");
    CHECK_FAULT(IM_ERROR_OPTION, "\"timeout\"");
}

static void error_wrong_type(void) {
    CHECK_EQUAL(im_client_new("{\"root\":\"http://127.0.0.1:1\",\"nsp\":\"/\",\"timeout\":\"1\"}"),
                0);
    CHECK_FAULT(IM_ERROR_OPTION, "timeout");
    im_client client = new_default();
    CHECK_EQUAL(im_client_on(client, "x", NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"fn\"");
    CHECK_EQUAL(im_client_set_query(client, "[]"), IM_ERROR_JSON);
    CHECK_FAULT(IM_ERROR_JSON, "query");
    destroy(client);
}

static void error_invalid_json(void) {
    im_client client = connected_client();
    CHECK_EQUAL(im_client_emit(client, "echo", "{\"a\":"), IM_ERROR_JSON);
    CHECK_FAULT(IM_ERROR_JSON, "\"json\"");
    CHECK_EQUAL(im_client_emit(client, "echo", "1,2"), IM_ERROR_JSON);
    CHECK_EQUAL(im_client_emit(client, "echo", "\"\xff\""), IM_ERROR_UTF8);
    CHECK_EQUAL(im_client_emit_args(client, "echo", 4, "{}", 2, NULL, 0, 0), IM_ERROR_JSON);
    round_trip(client);
    CHECK_EQUAL(in_stats("\"name\":\"echo\""), 1);
    destroy(client);
}

static void error_closed_client(void) {
    im_client client = connected_client();
    destroy(client);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_on(client, "x", record, NULL), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy(client), IM_ERROR_HANDLE);
    CHECK(im_client_info(client) == NULL);
    CHECK_FAULT(IM_ERROR_HANDLE, "client");
}

static void error_timeout(void) {
    recorder outcomes = RECORDER;
    im_client client = connected_client();
    const long long start = now_ms();
    CHECK(im_client_emit_with_ack(client, "silent", NULL, 100, record_ack, &outcomes) > 0);
    CHECK_EQUAL(wait_item(&outcomes, NULL, 0).status, IM_ERROR_TIMEOUT);
    CHECK(now_ms() - start >= 100);
    destroy(client);
    recorder_clear(&outcomes);
}

static void error_canceled(void) {
    recorder outcomes = RECORDER;
    im_client client = connected_client();
    int64_t request = im_client_emit_with_ack(client, "silent", NULL, 0, record_ack, &outcomes);
    CHECK(request > 0);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK_EQUAL(wait_item(&outcomes, NULL, 0).status, IM_ERROR_CANCELED);
    CHECK_EQUAL(im_client_cancel(client, request), IM_ERROR_NOT_FOUND);
    /* And one that waits for a message. */
    im_client idle = new_client("/", MANUAL ",\"autoConnect\":false");
    const im_event *event;
    CHECK_EQUAL(im_client_wake(idle), IM_OK);
    CHECK_EQUAL(im_client_poll(idle, -1, &event), IM_WOKEN);
    destroy(idle);
    destroy(client);
    recorder_clear(&outcomes);
}

/* C throws nothing: the nearest is a callback whose own call fails. It is told so, on its thread
 * alone, and the next event comes. */
static atomic_int failures;
static void fails(const im_event *event, void *user_data) {
    (void)user_data;
    CHECK_EQUAL(im_client_emit(event->client, "echo", "no JSON"), IM_ERROR_JSON);
    CHECK_FAULT(IM_ERROR_JSON, "\"json\"");
    failures++;
}
static void error_throwing_callback_that_fails_in_c(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", fails, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
    WAIT(failures == 3);
    CHECK_EQUAL(im_last_status(), IM_OK);
    destroy(client);
}

/* C has no finalizers: the nearest are free functions, which run when the library ends what was
 * forgotten, and call it. */
static atomic_int freed;
static void free_calls_the_library(void *user_data) {
    im_client client = *(im_client *)user_data;
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy(client), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_shutdown(0), IM_ERROR_DEADLOCK);
    freed++;
}
static void error_in_finalizer_which_is_a_free_function_in_c(void) {
    static im_client forgotten;
    forgotten = connected_client();
    CHECK(im_client_subscribe(forgotten, "x", 0, count, &forgotten, free_calls_the_library) > 0);
    CHECK_EQUAL(im_shutdown(PATIENCE_MS), IM_OK);
    CHECK_EQUAL(freed, 1);
    CHECK_EQUAL(im_client_state(forgotten), IM_ERROR_HANDLE);
}

static void error_other_version(void) {
    CHECK_EQUAL(im_version_check(IM_VERSION_NUMBER), IM_OK);
    CHECK_EQUAL(im_version_check(IM_VERSION_NUMBER + 100), IM_ERROR_VERSION);
    CHECK_FAULT(IM_ERROR_VERSION, im_version_string());
    CHECK_FAULT(IM_ERROR_VERSION,
                text("%d.%d.%d", IM_VERSION_MAJOR, IM_VERSION_MINOR + 1, IM_VERSION_PATCH));
}

/* ---- The program ---- */

static const test_case CASES_OF_THE_MATRIX[] = {
    {"connect", connect_},
    CASE(receive),
    CASE(emit),
    CASE(ack_from_server),
    CASE(ack_to_server),
    CASE(binary),
    CASE(send_message),
    CASE(qr_login),
    CASE(kick_out),
    CASE(reconnect),
    {"close", close_},
    CASE(destroy_in_callback),
    CASE(thousand_in_order),
    CASE(exit_with_live_client),
    CASE(error_unknown_option),
    CASE(error_wrong_type),
    CASE(error_invalid_json),
    CASE(error_closed_client),
    CASE(error_timeout),
    CASE(error_canceled),
    CASE(error_throwing_callback_that_fails_in_c),
    CASE(error_in_finalizer_which_is_a_free_function_in_c),
    CASE(error_other_version),
    {NULL, NULL},
};

int main(int argc, char **argv) {
    const char *wanted = argc == 3 ? argv[1] : "";
    const test_case *it = CASES_OF_THE_MATRIX;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (; it->name != NULL; it++)
            puts(it->name);
        return 0;
    }
    while (it->name != NULL && strcmp(it->name, wanted) != 0)
        it++;
    if (it->name == NULL) {
        fprintf(stderr, "usage: matrix BEHAVIOUR ROOT, or matrix --list\n");
        return 2;
    }
    current_case = it->name;
    root = argv[2];
    signal(SIGALRM, on_alarm);
    alarm(CASE_SECONDS);
    it->run();
    WAIT(im_client_count() == 0);
    WAIT(library_threads() == 0);
    return 0;
}

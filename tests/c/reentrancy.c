/* Promise 2: what may be called inside the code that the library runs, and that it holds no lock
 * meanwhile. */

#include "check.h"

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }

/* ---- Everything inside a callback ---- */

static recorder heard = RECORDER, acks = RECORDER;
static atomic_int done;

static void call_everything(const im_event *event, void *data) {
    im_client client = event->client;
    int64_t on = im_client_on(client, "later", record, &heard);
    CHECK(on > 0);
    int64_t twin = im_client_on(client, "later", record, &heard);
    CHECK(im_client_once(client, "later", record, &heard) > 0);
    CHECK(im_client_on_any(client, ignore, NULL) > 0);
    CHECK(im_client_on_any_outgoing(client, ignore, NULL) > 0);
    CHECK(im_client_on(client, "x", ignore, NULL) > 0);
    CHECK_EQUAL(im_client_off(client, twin), IM_OK);
    CHECK_EQUAL(im_client_off(client, twin), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_off_event(client, "x"), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "tell", "\"nobody\""), IM_OK);
    const char *args = "[\"later\",1]";
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    CHECK_EQUAL(
        im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, IM_EMIT_VOLATILE),
        IM_OK);
    CHECK(im_client_emit_with_ack(client, "echo", "2", 0, record_ack, &acks) > 0);
    int64_t request = im_client_emit_with_ack(client, "silent", "3", 0, record_ack, &acks);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK(im_client_send_message(client,
                                 "{\"type\":1,\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}", 20,
                                 record_ack, &acks) > 0);
    const im_blob blob = {"x", 1};
    CHECK(im_client_emit_args_with_ack(client, "echo", 4, NULL, 0, &blob, 1, 0, 0, record_ack,
                                       &acks, NULL) > 0);
    CHECK_EQUAL(im_client_reply(client, 77, NULL), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_reply_args(client, 77, NULL, 0, &blob, 1), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_event_reply(event, NULL), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_state(client), IM_STATE_CONNECTED);
    im_string_free(im_client_info(client));
    im_string_free(im_client_socket_id(client));
    im_event_release(im_event_retain(event));
    CHECK(im_event_args(event) != NULL);
    im_client other = new_client("/", ",\"autoConnect\":false");
    CHECK_EQUAL(im_client_clear_send_buffer(other), 0);
    CHECK_EQUAL(im_client_open(other), IM_OK);
    CHECK_EQUAL(im_client_close(other), IM_OK);
    CHECK_EQUAL(im_client_destroy_socket(other), IM_OK);
    CHECK_EQUAL(im_client_destroy(other), IM_DEFERRED);
    im_string_free(im_message_create("{\"type\":1,\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}"));
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    *(atomic_int *)data = 1;
}

static void everything_works_inside_a_callback(void) {
    im_client client = connected_client();
    CHECK(im_client_once(client, "echo", call_everything, &done) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(done == 1);
    /* Two events "later": both for the one that is left, the first for the one that is once. */
    WAIT(recorded(&heard, "later") == 3);
    WAIT(recorded(&acks, NULL) == 4);
    round_trip(client);
    CHECK_EQUAL(recorded(&heard, "later"), 3);
    CHECK_EQUAL(recorded(&acks, NULL), 4);
    destroy(client);
}

/* Closing, opening and destroying inside callbacks of the connection. */
static atomic_int connects, disconnects;

static void close_on_connect(const im_event *event, void *data) {
    (void)data;
    connects++;
    CHECK_EQUAL(im_client_close(event->client), IM_OK);
}

static void open_or_destroy_on_disconnect(const im_event *event, void *data) {
    (void)data;
    CHECK(strstr(event->json, "io client disconnect") != NULL);
    if (++disconnects < 3) {
        CHECK_EQUAL(im_client_open(event->client), IM_OK);
    } else {
        CHECK_EQUAL(im_client_destroy(event->client), IM_DEFERRED);
    }
}

static void closing_opening_and_destroying_inside_work(void) {
    im_client client = new_client("/", ",\"autoConnect\":false");
    CHECK(im_client_on(client, "connect", close_on_connect, NULL) > 0);
    CHECK(im_client_on(client, "disconnect", open_or_destroy_on_disconnect, NULL) > 0);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(connects, 3);
    CHECK_EQUAL(disconnects, 3);
}

/* ---- Calls that would wait for themselves ---- */

static im_client the_client;
static atomic_int refused[5];

static void would_deadlock(int kind) {
    CHECK_EQUAL(im_client_flush(the_client, 1000), IM_ERROR_DEADLOCK);
    CHECK_FAULT(IM_ERROR_DEADLOCK, "flush");
    CHECK_EQUAL(im_shutdown(1000), IM_ERROR_DEADLOCK);
    CHECK_FAULT(IM_ERROR_DEADLOCK, "shutdown");
    refused[kind]++;
}
static void event_deadlock(const im_event *event, void *data) {
    (void)event, (void)data, would_deadlock(0);
}
static void ack_deadlock(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data, would_deadlock(1);
}
static void free_deadlock(void *data) { (void)data, would_deadlock(2); }
static void log_deadlock(int32_t level, const char *line, void *data) {
    (void)level, (void)line, (void)data;
    if (the_client != 0)
        would_deadlock(3);
}
static void done_deadlock(void *data) { (void)data, would_deadlock(4); }

static void flush_and_shutdown_inside_are_refused(void) {
    the_client = connected_client();
    CHECK_EQUAL(im_set_log_callback(IM_LOG_TRACE, log_deadlock, NULL, NULL), IM_OK);
    CHECK(im_client_on(the_client, "echo", event_deadlock, NULL) > 0);
    CHECK_EQUAL(im_client_emit(the_client, "echo", "1"), IM_OK);
    CHECK(im_client_emit_with_ack(the_client, "echo", "1", 0, ack_deadlock, NULL) > 0);
    int64_t off = im_client_subscribe(the_client, "x", 0, ignore, NULL, free_deadlock);
    CHECK_EQUAL(im_client_off(the_client, off), IM_OK);
    im_client other = new_client("/", "");
    wait_connected(other);
    CHECK_EQUAL(im_client_destroy_async(other, done_deadlock, NULL), IM_OK);
    for (int kind = 0; kind < 5; kind++)
        WAIT(refused[kind] > 0);
    /* A free function that a failing call runs at once, on this very thread. */
    int before = refused[2];
    CHECK(im_client_subscribe(the_client, "x", 8, ignore, NULL, free_deadlock) < 0);
    CHECK_EQUAL(refused[2], before + 1);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_client_flush(the_client, 5000), IM_OK);
    im_client client = the_client;
    the_client = 0;
    destroy(client);
}

/* ---- No lock is held ---- */

static gate held;

static void hold(void) { CHECK(gate_wait(&held)); }
static void hold_event(const im_event *event, void *data) { (void)event, (void)data, hold(); }
static void hold_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data, hold();
}
static void hold_free(void *data) { (void)data, hold(); }
static void hold_log(int32_t level, const char *line, void *data) {
    (void)level, (void)line, (void)data, hold();
}
static void hold_done(void *data) { (void)data, hold(); }

/* While some code is held: all that must not wait, on the client whose code it is (or another). */
static void use(im_client client) {
    WAIT(held.waiting > 0);
    long long start = now_ms();
    int64_t id = im_client_on(client, "y", ignore, NULL);
    CHECK(id > 0);
    CHECK(im_client_on_any(client, ignore, NULL) > 0);
    CHECK_EQUAL(im_client_off(client, id), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "x", "1"), IM_OK);
    int64_t request = im_client_emit_with_ack(client, "silent", "1", 0, record_ack, &acks);
    CHECK(request > 0);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK_EQUAL(im_client_reply(client, 5, NULL), IM_ERROR_NOT_FOUND);
    CHECK(im_client_state(client) == IM_STATE_CONNECTED);
    im_string_free(im_client_info(client));
    im_string_free(im_client_socket_id(client));
    CHECK_EQUAL(im_client_flush(client, 5000), IM_OK);
    CHECK(im_client_count() >= 1);
    im_client other = connected_client();
    round_trip(other);
    CHECK_EQUAL(im_client_destroy_async(other, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_shutdown(-1), IM_ERROR_INVALID_ARGUMENT);
    /* 20 s is what the gate waits for where somebody waits for the code that is held. */
    CHECK(now_ms() - start < 10000);
    CHECK(held.waiting > 0);
    held.open = true;
    WAIT(held.waiting == 0);
    held.open = false;
}

static void no_lock_is_held_while_user_code_runs(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "held", hold_event, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "tell", "\"held\""), IM_OK);
    use(client);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, hold_ack, NULL) > 0);
    use(client);
    int64_t id = im_client_subscribe(client, "z", 0, ignore, NULL, hold_free);
    CHECK_EQUAL(im_client_off(client, id), IM_OK);
    use(client);
    im_client gone = connected_client();
    CHECK(im_client_subscribe(gone, "z", 0, ignore, NULL, hold_free) > 0);
    CHECK_EQUAL(im_client_destroy_async(gone, NULL, NULL), IM_OK);
    use(client);
    gone = connected_client();
    CHECK_EQUAL(im_client_destroy_async(gone, hold_done, NULL), IM_OK);
    use(client);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_DEBUG, hold_log, NULL, NULL), IM_OK);
    gone = connected_client();
    WAIT(held.waiting > 0);
    /* Replacing it does not wait for it either. */
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    use(client);
    destroy(gone);
    destroy(client);
}

CASES("reentrancy", CASE(everything_works_inside_a_callback),
      CASE(closing_opening_and_destroying_inside_work), CASE(flush_and_shutdown_inside_are_refused),
      CASE(no_lock_is_held_while_user_code_runs))

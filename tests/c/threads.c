/* Promise 1: which threads run what. */

#include "check.h"

static const char *const quiet[] = {"disconnect", "connect_error", "error"};

static void none_of_these(recorder *events) {
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        CHECK_EQUAL(recorded(events, quiet[i]), 0);
}

/* ---- A callback that blocks ---- */

static void wait_at_gate(const im_event *event, void *data) {
    (void)event;
    gate_wait(data);
}

/* The server closes after a second without a heartbeat; the callback blocks for thrice as long. */
static void a_blocked_callback_delays_no_heartbeat_and_no_other_client(void) {
    recorder of_blocked = RECORDER, of_other = RECORDER;
    gate blocked = {0};
    im_client client = new_client("/", ""), other = new_client("/", "");
    CHECK(im_client_on(other, "echo", record, &of_other) > 0);
    CHECK(im_client_on(client, "echo", wait_at_gate, &blocked) > 0);
    CHECK(im_client_on(client, "disconnect", record, &of_blocked) > 0);
    wait_connected(client);
    char *before = copy_socket_id(client);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(blocked.waiting == 1);
    long long until = now_ms() + 3000;
    int rounds = 0;
    for (; now_ms() < until; rounds++) {
        long long start = now_ms();
        CHECK_EQUAL(im_client_emit(other, "echo", "2"), IM_OK);
        wait_item(&of_other, "echo", rounds);
        CHECK(now_ms() - start < 2000);
        pass_ms(10);
    }
    CHECK(rounds > 5);
    CHECK_EQUAL(blocked.waiting, 1);
    blocked.open = true;
    round_trip(client);
    char *after = copy_socket_id(client);
    CHECK(strcmp(before, after) == 0);
    none_of_these(&of_blocked);
    CHECK_EQUAL(in_stats("ping timeout"), 0);
    free(before);
    free(after);
    destroy(client);
    destroy(other);
    recorder_clear(&of_other);
}

/* Two clients have something to call at the same moment, and the first call holds its thread until
 * the second has come. */
static atomic_int called_now;

static void hold_until_both_are_called(void *data) {
    called_now++;
    gate_wait(data);
}
static void event_hold(const im_event *event, void *data) {
    (void)event;
    hold_until_both_are_called(data);
}

static void events_at_the_same_moment_do_not_wait_for_one_another(void) {
    for (int round = 0; round < 10; round++) {
        gate gate = {0};
        called_now = 0;
        im_client a = connected_client(), b = connected_client();
        CHECK(im_client_on(a, "all", event_hold, &gate) > 0 &&
              im_client_on(b, "all", event_hold, &gate) > 0);
        post("emit", "{\"nsp\":\"/\",\"event\":\"all\",\"args\":[1]}");
        WAIT_MS(called_now == 2, 5000);
        gate.open = true;
        destroy(a);
        destroy(b);
    }
}

static void calls_due_at_the_same_moment_do_not_wait_for_one_another(void) {
    for (int round = 0; round < 10; round++) {
        gate gate = {0};
        called_now = 0;
        im_client a = new_client("/", ",\"autoConnect\":false"),
                  b = new_client("/", ",\"autoConnect\":false");
        int64_t of_a =
            im_client_subscribe(a, "x", 0, event_hold, &gate, hold_until_both_are_called);
        int64_t of_b =
            im_client_subscribe(b, "x", 0, event_hold, &gate, hold_until_both_are_called);
        CHECK(of_a > 0 && of_b > 0);
        CHECK_EQUAL(im_client_off(a, of_a), IM_OK);
        CHECK_EQUAL(im_client_off(b, of_b), IM_OK);
        WAIT_MS(called_now == 2, 5000);
        gate.open = true;
        destroy(a);
        destroy(b);
    }
}

/* ---- Never on the network thread ---- */

static atomic_int user_calls, wrong_threads, calls_of[5];
static pthread_t main_thread;

static void look_at_thread(int kind) {
    char name[32];
    this_thread(name);
    user_calls++;
    calls_of[kind]++;
    if (strcmp(name, "im-callbacks") != 0 || pthread_equal(pthread_self(), main_thread))
        wrong_threads++;
}
static void event_thread(const im_event *event, void *data) {
    (void)event, (void)data, look_at_thread(0);
}
static void ack_thread(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data, look_at_thread(1);
}
static void free_thread(void *data) { (void)data, look_at_thread(2); }
static void log_thread(int32_t level, const char *line, void *data) {
    (void)level, (void)line, (void)data, look_at_thread(3);
}
static void done_thread(void *data) { (void)data, look_at_thread(4); }

static void user_code_never_runs_on_the_network_thread(void) {
    main_thread = pthread_self();
    CHECK_EQUAL(im_set_log_callback(IM_LOG_TRACE, log_thread, NULL, NULL), IM_OK);
    im_client client = new_client("/", "");
    CHECK(im_client_subscribe(client, NULL, 0, event_thread, NULL, free_thread) > 0);
    int64_t off = im_client_subscribe(client, "x", 0, event_thread, NULL, free_thread);
    CHECK(im_client_subscribe(client, "echo", IM_SUBSCRIBE_ONCE, event_thread, NULL, free_thread) >
          0);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, ack_thread, NULL) > 0);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 20, ack_thread, NULL) > 0);
    int64_t canceled = im_client_emit_with_ack(client, "silent", "1", 0, ack_thread, NULL);
    CHECK_EQUAL(im_client_cancel(client, canceled), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    CHECK_EQUAL(im_client_off(client, off), IM_OK);
    WAIT(calls_of[1] == 3 && calls_of[2] == 2 && calls_of[0] >= 3 && calls_of[3] >= 1);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 0, ack_thread, NULL) > 0);
    CHECK_EQUAL(im_client_destroy_async(client, done_thread, NULL), IM_OK);
    WAIT(calls_of[4] == 1);
    CHECK_EQUAL(calls_of[1], 4);
    CHECK_EQUAL(calls_of[2], 3);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(wrong_threads, 0);
}

/* ---- One at a time ---- */

static atomic_int inside, overlaps, total;

static void alone(void) {
    if (inside++ != 0)
        overlaps++;
    for (volatile int i = 0; i < 2000; i++) {
    }
    total++;
    inside--;
}
static void event_alone(const im_event *event, void *data) { (void)event, (void)data, alone(); }
static void ack_alone(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data, alone();
}
static void free_alone(void *data) { (void)data, alone(); }

static void *emit_a_lot(void *data) {
    im_client client = *(im_client *)data;
    for (int i = 0; i < 500; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
        CHECK(im_client_emit_with_ack(client, "echo", "1", 0, ack_alone, NULL) > 0);
        int64_t id = im_client_subscribe(client, "x", 0, event_alone, NULL, free_alone);
        CHECK(id > 0);
        CHECK_EQUAL(im_client_off(client, id), IM_OK);
    }
    return NULL;
}

static void one_client_has_one_callback_at_a_time(void) {
    /* Others keep more threads of the pool busy, so that there is somebody who could call at the
     * same time. */
    gate gate = {0};
    im_client client = connected_client(), busy[3];
    for (int i = 0; i < 3; i++) {
        busy[i] = connected_client();
        CHECK(im_client_on(busy[i], "echo", wait_at_gate, &gate) > 0);
        CHECK_EQUAL(im_client_emit(busy[i], "echo", "1"), IM_OK);
    }
    WAIT(gate.waiting == 3);
    gate.open = true;
    CHECK(im_client_on(client, "echo", event_alone, NULL) > 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = run_thread(emit_a_lot, &client);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    WAIT(total == 4 * 500 * 3);
    CHECK_EQUAL(overlaps, 0);
    destroy(client);
    for (int i = 0; i < 3; i++)
        destroy(busy[i]);
}

/* ---- How many threads ---- */

enum { MANY = 20, MOST = 16 };

static void at_most_16_threads_and_idle_ones_end(void) {
    gate gate = {0};
    im_client clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = connected_client();
    CHECK_EQUAL(count_threads("im-callbacks"), 1);
    for (int i = 0; i < MANY; i++) {
        CHECK(im_client_on(clients[i], "echo", wait_at_gate, &gate) > 0);
        CHECK_EQUAL(im_client_emit(clients[i], "echo", "1"), IM_OK);
    }
    WAIT(gate.waiting == MOST);
    /* Time in which a seventeenth thread would come: one is added every 50 ms. */
    for (int i = 0; i < 30; i++) {
        CHECK_EQUAL(gate.waiting, MOST);
        CHECK(count_threads("im-callbacks") <= MOST);
        pass_ms(10);
    }
    gate.open = true;
    for (int i = 0; i < MANY; i++)
        round_trip(clients[i]);
    long long start = now_ms();
    WAIT(count_threads("im-callbacks") == 1);
    CHECK(now_ms() - start > 2000);
    round_trip(clients[0]);
    for (int i = 0; i < MANY; i++)
        destroy(clients[i]);
}

static void three_threads_are_enough_where_nothing_blocks(void) {
    enum { CLIENTS = 12 };
    im_client clients[CLIENTS];
    int others = count_threads("");
    const char *port = strrchr(root, ':');
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = im_client_new(
            text("{\"root\":\"http://localhost%s\",\"nsp\":\"/\",\"path\":\"/socket.io\"}", port));
        CHECK(clients[i] != 0);
    }
    for (int i = 0; i < CLIENTS; i++)
        wait_connected(clients[i]);
    for (int i = 0; i < CLIENTS; i++) {
        round_trip(clients[i]);
        CHECK(library_threads() <= 3);
        CHECK(count_threads("") - others <= 3);
    }
    for (int i = 0; i < CLIENTS; i++)
        destroy(clients[i]);
}

/* ---- Any thread ---- */

static atomic_int outcomes;
static void count_outcome(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    outcomes++;
}

static void ignore_event(const im_event *event, void *data) { (void)event, (void)data; }

static void *call_everything(void *data) {
    im_client client = *(im_client *)data;
    for (int i = 0; i < 200; i++) {
        int64_t id = im_client_on(client, "x", event_alone, NULL);
        CHECK(id > 0);
        CHECK(im_client_once(client, "y", event_alone, NULL) > 0);
        CHECK(im_client_state(client) == IM_STATE_CONNECTED);
        im_string_free(im_client_info(client));
        im_string_free(im_client_socket_id(client));
        CHECK_EQUAL(im_client_emit(client, "x", NULL), IM_OK);
        int64_t request = im_client_emit_with_ack(client, "echo", "1", 5000, count_outcome, NULL);
        CHECK(request > 0);
        im_status canceled = im_client_cancel(client, request);
        CHECK(canceled == IM_OK || canceled == IM_ERROR_NOT_FOUND);
        const im_blob blob = {"x", 1};
        CHECK(im_client_emit_args_with_ack(client, "echo", 4, NULL, 0, &blob, 1, 0, 5000,
                                           count_outcome, NULL, NULL) > 0);
        CHECK(i % 10 != 0 || im_client_clear_send_buffer(client) >= 0);
        int64_t sent = im_client_on_any_outgoing(client, ignore_event, NULL);
        CHECK(sent > 0);
        CHECK_EQUAL(im_client_off(client, sent), IM_OK);
        CHECK_EQUAL(im_client_reply(client, 1u << 30, NULL), IM_ERROR_NOT_FOUND);
        if (i % 20 == 0)
            CHECK_EQUAL(im_client_flush(client, 5000), IM_OK);
        CHECK_EQUAL(im_client_off(client, id), IM_OK);
        im_string_free(im_timeline_id("a", "b"));
        CHECK(im_client_count() == 1);
    }
    return NULL;
}

static void every_function_works_on_many_threads_at_once(void) {
    im_client client = connected_client();
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        threads[i] = run_thread(call_everything, &client);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    WAIT(outcomes == 8 * 400);
    round_trip(client);
    destroy(client);
    CHECK_EQUAL(outcomes, 8 * 400);
}

CASES("threads", CASE(a_blocked_callback_delays_no_heartbeat_and_no_other_client),
      CASE(events_at_the_same_moment_do_not_wait_for_one_another),
      CASE(calls_due_at_the_same_moment_do_not_wait_for_one_another),
      CASE(user_code_never_runs_on_the_network_thread), CASE(one_client_has_one_callback_at_a_time),
      CASE(at_most_16_threads_and_idle_ones_end),
      CASE(three_threads_are_enough_where_nothing_blocks),
      CASE(every_function_works_on_many_threads_at_once))

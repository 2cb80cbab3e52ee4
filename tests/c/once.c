/* Promise 5: every accepted ack callback is called exactly once, every free function too. */

#include "check.h"

enum { MANY = 2000 };

/* What came of each request. */
typedef struct outcome {
    atomic_int calls;
    im_status status;
    bool answered;
} outcome;

static outcome *outcomes;
static atomic_int settled;

static void on_ack(im_status status, const im_event *reply, void *data) {
    outcome *it = data;
    it->status = status;
    it->answered = reply != NULL;
    it->calls++;
    settled++;
}

static void fresh(void) {
    free(outcomes);
    outcomes = calloc(4 * MANY, sizeof *outcomes);
    settled = 0;
}

static void ask(im_client client, const char *event, int at, int64_t timeout) {
    int64_t id =
        im_client_emit_with_ack(client, event, text("%d", at), timeout, on_ack, &outcomes[at]);
    CHECK(id > 0);
}

/* Each was called once; gives how many ended so. */
static int count(int from, int to, im_status status) {
    int found = 0;
    for (int i = from; i < to; i++) {
        CHECK_EQUAL(outcomes[i].calls, 1);
        CHECK_EQUAL(outcomes[i].answered, outcomes[i].status == IM_OK);
        found += outcomes[i].status == status;
    }
    return found;
}

static void answers(void) {
    fresh();
    im_client client = connected_client();
    for (int i = 0; i < MANY; i++)
        ask(client, "echo", i, i % 2 == 0 ? 0 : 15000);
    WAIT(settled == MANY);
    CHECK_EQUAL(count(0, MANY, IM_OK), MANY);
    CHECK_EQUAL(info_number(client, "\"pendingRequests\":"), 0);
    destroy(client);
    CHECK_EQUAL(settled, MANY);
}

static void timeouts_count_from_the_call(void) {
    fresh();
    im_client client = new_client("/", ",\"autoConnect\":false,\"ackTimeout\":60");
    long long start = now_ms();
    for (int i = 0; i < MANY; i++)
        ask(client, "timed_out", i, i % 2 == 0 ? 50 : 0);
    WAIT(settled == MANY);
    CHECK(now_ms() - start >= 50);
    CHECK_EQUAL(count(0, MANY, IM_ERROR_TIMEOUT), MANY);
    /* They are not sent any more. */
    CHECK_EQUAL(info_number(client, "\"sendQueue\":{\"bytes\":"), 0);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    round_trip(client);
    CHECK_EQUAL(in_stats("\"timed_out\""), 0);
    /* While connected too, and the answer that comes too late is nobody's. */
    for (int i = 0; i < 100; i++) {
        CHECK(im_client_emit_with_ack(client, "silent", "1", 20, on_ack, &outcomes[MANY + i]) > 0);
    }
    WAIT(settled == MANY + 100);
    CHECK_EQUAL(count(MANY, MANY + 100, IM_ERROR_TIMEOUT), 100);
    recorder late = RECORDER;
    CHECK(im_client_emit_with_ack(client, "slow_ack", "100", 20, record_ack, &late) > 0);
    WAIT(recorded(&late, NULL) == 1);
    pass_ms(150);
    round_trip(client);
    CHECK_EQUAL(recorded(&late, NULL), 1);
    CHECK_EQUAL(late.items[0].status, IM_ERROR_TIMEOUT);
    destroy(client);
    recorder_clear(&late);
}

static void cancel(void) {
    fresh();
    im_client client = connected_client();
    int64_t ids[200];
    for (int i = 0; i < 200; i++) {
        ids[i] = im_client_emit_with_ack(client, "silent", "1", 0, on_ack, &outcomes[i]);
        CHECK(ids[i] > 0);
    }
    for (int i = 0; i < 200; i++) {
        CHECK_EQUAL(im_client_cancel(client, ids[i]), IM_OK);
        CHECK_EQUAL(im_client_cancel(client, ids[i]), IM_ERROR_NOT_FOUND);
    }
    WAIT(settled == 200);
    CHECK_EQUAL(count(0, 200, IM_ERROR_CANCELED), 200);
    int64_t answered = im_client_emit_with_ack(client, "echo", "1", 0, on_ack, &outcomes[200]);
    WAIT(settled == 201);
    CHECK_EQUAL(im_client_cancel(client, answered), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_cancel(client, 0), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_cancel(client, -5), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_cancel(client, INT64_MAX), IM_ERROR_NOT_FOUND);
    destroy(client);
    CHECK_EQUAL(settled, 201);
}

/* Answer, timeout and cancel at the same time: cancel's status agrees with what the callback was
 * told. */
static im_client contested;
static int64_t contested_ids[4 * MANY];
static atomic_int asked;

static void *cancel_all(void *data) {
    for (int i = 0; i < MANY; i++) {
        while (asked <= i) {
        }
        im_status status = im_client_cancel(contested, contested_ids[i]);
        CHECK(status == IM_OK || status == IM_ERROR_NOT_FOUND);
        WAIT(outcomes[i].calls == 1);
        CHECK_EQUAL(outcomes[i].status == IM_ERROR_CANCELED, status == IM_OK);
    }
    return data;
}

static void answer_timeout_and_cancel_race(void) {
    fresh();
    asked = 0;
    contested = connected_client();
    pthread_t canceler = run_thread(cancel_all, NULL);
    for (int i = 0; i < MANY; i++) {
        contested_ids[i] =
            im_client_emit_with_ack(contested, "echo", "1", 1 + i % 3, on_ack, &outcomes[i]);
        CHECK(contested_ids[i] > 0);
        asked++;
    }
    pthread_join(canceler, NULL);
    WAIT(settled == MANY);
    count(0, MANY, IM_OK);
    destroy(contested);
    CHECK_EQUAL(settled, MANY);
}

static void a_lost_connection(void) {
    fresh();
    recorder events = RECORDER;
    /* It comes back when it is told to, below, and not amid what is asked while it is away. */
    im_client client =
        new_client("/", ",\"reconnectionDelay\":600000,\"reconnectionDelayMax\":600000");
    CHECK(im_client_on(client, "disconnect", record, &events) > 0);
    wait_connected(client);
    for (int i = 0; i < MANY; i++)
        ask(client, "silent", i, 0);
    CHECK_EQUAL(im_client_flush(client, 15000), IM_OK);
    CHECK_EQUAL(settled, 0);
    post("drop", "{}");
    WAIT(settled == MANY);
    CHECK_EQUAL(count(0, MANY, IM_ERROR_DISCONNECTED), MANY);
    wait_item(&events, "disconnect", 0);
    /* What had not gone out waits on, and is answered after the reconnect, in order. */
    for (int i = MANY; i < MANY + 200; i++)
        ask(client, "echo", i, 0);
    CHECK(im_client_state(client) != IM_STATE_CONNECTED);
    CHECK_EQUAL(settled, MANY);
    CHECK_EQUAL(im_client_network_changed(client), IM_OK);
    WAIT(settled == MANY + 200);
    CHECK_EQUAL(count(MANY, MANY + 200, IM_OK), 200);
    destroy(client);
    CHECK_EQUAL(settled, MANY + 200);
    recorder_clear(&events);
}

/* The client may not have noticed the last reset yet: then it takes this question with it. */
static void round_trip_at_last(im_client client) {
    for (im_status status = IM_ERROR_DISCONNECTED; status != IM_OK;) {
        recorder answers = RECORDER;
        CHECK(im_client_emit_with_ack(client, "echo", "1", PATIENCE_MS, record_ack, &answers) > 0);
        status = wait_item(&answers, NULL, 0).status;
        CHECK(status == IM_OK || status == IM_ERROR_DISCONNECTED);
        recorder_clear(&answers);
    }
}

/* A reset in the middle of the traffic. */
static void a_reset_amid_the_traffic(void) {
    fresh();
    im_client client = connected_client();
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY / 2; i++) {
            ask(client, i % 3 == 0 ? "silent" : "echo", round * (MANY / 2) + i, 10000);
        }
        post("drop", "{\"how\":\"reset\"}");
    }
    round_trip_at_last(client);
    /* Those that went out on the last connection are still silent. */
    CHECK_EQUAL(im_client_destroy_socket(client), IM_OK);
    WAIT(settled == 2 * MANY);
    int answered = count(0, 2 * MANY, IM_OK);
    CHECK_EQUAL(answered + count(0, 2 * MANY, IM_ERROR_DISCONNECTED) +
                    count(0, 2 * MANY, IM_ERROR_CANCELED),
                2 * MANY);
    destroy(client);
}

static void destroy_with_thousands_in_flight(void) {
    fresh();
    im_client client = connected_client();
    for (int i = 0; i < 2 * MANY; i++)
        ask(client, i % 2 == 0 ? "silent" : "slow_ack", i, 20000);
    destroy(client);
    CHECK_EQUAL(settled, 2 * MANY);
    count(0, 2 * MANY, IM_OK);
    /* The server answers none of these. */
    for (int i = 0; i < 2 * MANY; i += 2)
        CHECK_EQUAL(outcomes[i].status, IM_ERROR_CANCELED);
}

static void destroy_socket_cancels_and_drops(void) {
    fresh();
    recorder events = RECORDER;
    im_client client = new_client("/", "");
    CHECK(im_client_on(client, "disconnect", record, &events) > 0);
    wait_connected(client);
    for (int i = 0; i < MANY; i++)
        ask(client, "silent", i, 0);
    CHECK_EQUAL(im_client_flush(client, 15000), IM_OK);
    CHECK_EQUAL(im_client_destroy_socket(client), IM_OK);
    WAIT(settled == MANY);
    CHECK_EQUAL(count(0, MANY, IM_ERROR_CANCELED), MANY);
    CHECK(strstr(wait_item(&events, "disconnect", 0).json, "io client disconnect") != NULL);
    WAIT(im_client_state(client) == IM_STATE_DISCONNECTED);
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(im_client_emit(client, "dropped", "1"), IM_OK);
    for (int i = 0; i < 100; i++) {
        CHECK(im_client_emit_with_ack(client, "dropped", "1", 0, on_ack, &outcomes[MANY + i]) > 0);
    }
    CHECK_EQUAL(im_client_destroy_socket(client), IM_OK);
    WAIT(settled == MANY + 100);
    CHECK_EQUAL(count(MANY, MANY + 100, IM_ERROR_CANCELED), 100);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    round_trip(client);
    CHECK_EQUAL(in_stats("\"dropped\""), 0);
    destroy(client);
    recorder_clear(&events);
}

static void close_keeps_what_is_unsent_for_the_next_open(void) {
    fresh();
    recorder echoes = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", record, &echoes) > 0);
    ask(client, "silent", MANY, 0);
    CHECK_EQUAL(im_client_flush(client, 5000), IM_OK);
    CHECK_EQUAL(im_client_close(client), IM_OK);
    WAIT(im_client_state(client) == IM_STATE_DISCONNECTED);
    /* What went out has lost its answer. */
    WAIT(settled == 1);
    CHECK_EQUAL(outcomes[MANY].status, IM_ERROR_DISCONNECTED);
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", text("%d", i)), IM_OK);
        ask(client, "echo", i, 0);
    }
    CHECK_EQUAL(im_client_close(client), IM_OK);
    CHECK_EQUAL(settled, 1);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    WAIT(settled == 101);
    CHECK_EQUAL(count(0, 100, IM_OK), 100);
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(atoi(wait_item(&echoes, "echo", i).json), i);
    round_trip(client);
    CHECK_EQUAL(recorded(&echoes, "echo"), 100);
    destroy(client);
    recorder_clear(&echoes);
}

static void destroy_drops_what_is_unsent(void) {
    fresh();
    im_client client = new_client("/", ",\"autoConnect\":false");
    for (int i = 0; i < 100; i++)
        ask(client, "unsent", i, 0);
    destroy(client);
    CHECK_EQUAL(settled, 100);
    CHECK_EQUAL(count(0, 100, IM_ERROR_CANCELED), 100);
    client = connected_client();
    round_trip(client);
    CHECK_EQUAL(in_stats("\"unsent\""), 0);
    destroy(client);
}

/* ---- What failed ---- */

static atomic_int frees;
static void on_free(void *data) { (void)data, frees++; }
static void on_event(const im_event *event, void *data) { (void)event, (void)data; }
static void on_log(int32_t level, const char *line, void *data) {
    (void)level, (void)line, (void)data;
}

static void a_call_that_failed_never_calls_back(void) {
    fresh();
    im_client client = new_client("/", ",\"autoConnect\":false,\"sendQueueBytes\":1024");
    outcome *it = &outcomes[0];
    CHECK_EQUAL(im_client_emit_with_ack(0, "x", "1", 0, on_ack, it), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_emit_with_ack(client, NULL, "1", 0, on_ack, it),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_emit_with_ack(client, "", "1", 0, on_ack, it), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_emit_with_ack(client, "connect", "1", 0, on_ack, it),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_emit_with_ack(client, "\xff", "1", 0, on_ack, it), IM_ERROR_UTF8);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", "{", 0, on_ack, it), IM_ERROR_JSON);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", "1", -1, on_ack, it),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", "1", 0, NULL, it), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_send_message(client, "{\"type\":1}", 0, on_ack, it), IM_ERROR_JSON);
    CHECK_EQUAL(im_client_send_message(client, NULL, 0, on_ack, it), IM_ERROR_INVALID_ARGUMENT);
    while (im_client_emit(client, "filler", "\"0123456789012345678901234567890123456789\"") ==
           IM_OK) {
    }
    char large[600];
    memset(large, 'x', sizeof large);
    large[0] = large[598] = '"';
    large[599] = 0;
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", large, 1, on_ack, it), IM_ERROR_QUEUE_FULL);
    CHECK_EQUAL(info_number(client, "\"pendingRequests\":"), 0);
    destroy(client);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", "1", 0, on_ack, it), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy_async(client, on_free, NULL), IM_ERROR_HANDLE);
    CHECK_EQUAL(settled, 0);
    CHECK_EQUAL(frees, 0);
}

static void every_free_function_runs_once(void) {
    frees = 0;
    im_client client = connected_client();
    CHECK_EQUAL(im_client_subscribe(0, "x", 0, on_event, NULL, on_free), IM_ERROR_HANDLE);
    CHECK_EQUAL(frees, 1);
    CHECK_EQUAL(im_client_subscribe(client, "", 0, on_event, NULL, on_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_subscribe(client, "\xff", 0, on_event, NULL, on_free), IM_ERROR_UTF8);
    CHECK_EQUAL(im_client_subscribe(client, "x", 0, NULL, NULL, on_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_subscribe(client, "x", 2, on_event, NULL, on_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(frees, 5);
    CHECK_EQUAL(im_set_log_callback(6, on_log, NULL, on_free), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(frees, 6);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, on_free), IM_OK);
    CHECK_EQUAL(frees, 7);
    /* Replaced, off, once, off by name, at the end. */
    CHECK_EQUAL(im_set_log_callback(IM_LOG_ERROR, on_log, NULL, on_free), IM_OK);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_ERROR, on_log, NULL, on_free), IM_OK);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    WAIT(frees == 9);
    int64_t id = im_client_subscribe(client, "x", 0, on_event, NULL, on_free);
    CHECK_EQUAL(im_client_off(client, id), IM_OK);
    WAIT(frees == 10);
    CHECK(im_client_subscribe(client, "echo", IM_SUBSCRIBE_ONCE, on_event, NULL, on_free) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(frees == 11);
    CHECK(im_client_subscribe(client, "y", 0, on_event, NULL, on_free) > 0);
    CHECK_EQUAL(im_client_off_event(client, "y"), IM_OK);
    WAIT(frees == 12);
    CHECK(im_client_subscribe(client, NULL, 0, on_event, NULL, on_free) > 0);
    CHECK(im_client_subscribe(client, "z", IM_SUBSCRIBE_ONCE, on_event, NULL, on_free) > 0);
    round_trip(client);
    CHECK_EQUAL(frees, 12);
    destroy(client);
    CHECK_EQUAL(frees, 14);
}

CASES("once", CASE(answers), CASE(timeouts_count_from_the_call), CASE(cancel),
      CASE(answer_timeout_and_cancel_race), CASE(a_lost_connection), CASE(a_reset_amid_the_traffic),
      CASE(destroy_with_thousands_in_flight), CASE(destroy_socket_cancels_and_drops),
      CASE(close_keeps_what_is_unsent_for_the_next_open), CASE(destroy_drops_what_is_unsent),
      CASE(a_call_that_failed_never_calls_back), CASE(every_free_function_runs_once))

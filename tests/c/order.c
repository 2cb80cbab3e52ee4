/* Promise 7: events in wire order, emits of a thread in theirs, and before the connection is up:
 * after it, in order, once. */

#include "check.h"

enum { MANY = 10000 };

static atomic_int next, wrong;

/* Takes numbers as they come: 0, 1, 2 ... */
static void expect_next(const im_event *event, void *data) {
    (void)data;
    if (atoi(event->json) != next)
        wrong++;
    next++;
}

static void in_order(const char *name, im_client client) {
    next = wrong = 0;
    CHECK(im_client_on(client, name, expect_next, NULL) > 0);
}

static void ten_thousand_events_come_in_order(void) {
    im_client client = connected_client();
    in_order("burst", client);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    WAIT(next == MANY);
    CHECK_EQUAL(wrong, 0);
    destroy(client);
}

static void ten_thousand_emits_go_in_order(void) {
    im_client client = connected_client();
    in_order("echo", client);
    for (int i = 0; i < MANY; i++)
        CHECK_EQUAL(im_client_emit(client, "echo", text("%d", i)), IM_OK);
    WAIT(next == MANY);
    CHECK_EQUAL(wrong, 0);
    destroy(client);
}

/* Events and acknowledgements are one row. */
static atomic_int row;
static void event_is_even(const im_event *event, void *data) {
    (void)event, (void)data;
    if (row++ % 2 != 0)
        wrong++;
}
static void ack_is_odd(im_status status, const im_event *reply, void *data) {
    (void)reply, (void)data;
    CHECK_EQUAL(status, IM_OK);
    if (row++ % 2 != 1)
        wrong++;
}

static void acknowledgements_keep_their_place_among_the_events(void) {
    im_client client = connected_client();
    wrong = row = 0;
    CHECK(im_client_on(client, "echo", event_is_even, NULL) > 0);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
        CHECK(im_client_emit_with_ack(client, "echo", "1", 0, ack_is_odd, NULL) > 0);
    }
    WAIT(row == 2000);
    CHECK_EQUAL(wrong, 0);
    destroy(client);
}

/* Emits of several threads: each thread's in its order. */
enum { THREADS = 4 };
static int next_of[THREADS];
static atomic_int came;

static void expect_next_of_thread(const im_event *event, void *data) {
    int number = atoi(event->json);
    (void)data;
    if (number % 10000 != next_of[number / 10000]++)
        wrong++;
    came++;
}

typedef struct job {
    im_client client;
    int number;
} job;

static void *emit_in_order(void *data) {
    job *it = data;
    for (int i = 0; i < MANY / THREADS; i++) {
        CHECK_EQUAL(im_client_emit(it->client, "echo", text("%d", it->number * 10000 + i)), IM_OK);
    }
    return NULL;
}

static void each_threads_emits_go_in_order(void) {
    im_client client = new_client("/", "");
    job jobs[THREADS];
    pthread_t threads[THREADS];
    wrong = 0;
    CHECK(im_client_on(client, "echo", expect_next_of_thread, NULL) > 0);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){client, i};
        threads[i] = run_thread(emit_in_order, &jobs[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    WAIT(came == MANY);
    CHECK_EQUAL(wrong, 0);
    destroy(client);
}

/* The server takes 300 ms to accept the namespace (--connect-delay). A packet before that would end
   the connection, or be lost. */
static void emits_before_the_connection_go_after_it_once(void) {
    recorder events = RECORDER;
    im_client client = new_client("/chat", ",\"autoConnect\":false,\"pullOnConnect\":false");
    CHECK(im_client_on_any(client, expect_next, NULL) > 0);
    CHECK(im_client_on(client, "disconnect", record, &events) > 0);
    CHECK(im_client_on(client, "connect_error", record, &events) > 0);
    for (int i = 0; i < 300; i++)
        CHECK_EQUAL(im_client_emit(client, "before", text("%d", i)), IM_OK);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    for (int i = 300; im_client_state(client) != IM_STATE_CONNECTED; i++) {
        if (i < 600)
            CHECK_EQUAL(im_client_emit(client, "before", text("%d", i)), IM_OK);
        pass_ms(1);
    }
    CHECK_EQUAL(im_client_emit(client, "last", "\"last\""), IM_OK);
    round_trip(client);
    char *stats = control("GET /control/stats", "");
    const char *at = stats;
    int count = 0;
    for (; (at = strstr(at, "\"name\":\"before\",\"args\":[")) != NULL; count++) {
        at += strlen("\"name\":\"before\",\"args\":[");
        CHECK_EQUAL(atoi(at), count);
    }
    CHECK(count > 300);
    free(stats);
    CHECK_EQUAL(in_stats("\"last\","), 1);
    CHECK_EQUAL(in_stats("40/chat"), 1);
    CHECK_EQUAL(recorded(&events, NULL), 0);
    destroy(client);
}

/* A client that says it is connected has the id of its connection. */
static void a_connected_client_has_its_socket_id(void) {
    for (int i = 0; i < 50; i++) {
        im_client client = new_client("/", "");
        while (im_client_state(client) != IM_STATE_CONNECTED) {
        }
        char *id = im_client_socket_id(client);
        CHECK(id != NULL);
        im_string_free(id);
        destroy(client);
    }
}

CASES("order", CASE(ten_thousand_events_come_in_order), CASE(ten_thousand_emits_go_in_order),
      CASE(acknowledgements_keep_their_place_among_the_events),
      CASE(each_threads_emits_go_in_order), CASE(emits_before_the_connection_go_after_it_once),
      CASE(a_connected_client_has_its_socket_id))

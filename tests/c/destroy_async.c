/* Promise 3: im_client_destroy_async never blocks, and tells the end. */

#include "check.h"

static gate in_callback;
static atomic_int acks, frees, dones, done_was_last;

static void hold(const im_event *event, void *data) {
    (void)event, (void)data, gate_wait(&in_callback);
}
static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)reply, (void)data;
    CHECK_EQUAL(status, IM_ERROR_CANCELED);
    acks++;
}
static void on_free(void *data) { (void)data, frees++; }
static void on_done(void *data) {
    done_was_last = acks == 100 && frees == 3;
    ++*(atomic_int *)data;
}

static void reset(void) {
    in_callback.open = false;
    acks = frees = dones = done_was_last = 0;
}

static im_client busy_client(void) {
    im_client client = connected_client();
    for (int i = 0; i < 3; i++)
        CHECK(im_client_subscribe(client, "echo", 0, hold, NULL, on_free) > 0);
    for (int i = 0; i < 100; i++)
        CHECK(im_client_emit_with_ack(client, "silent", "1", 0, on_ack, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(in_callback.waiting == 1);
    return client;
}

/* Its callback waits for what comes after the call: a call that blocks waits in vain. */
static void never_blocks_and_done_is_last(void) {
    reset();
    im_client client = busy_client();
    CHECK_EQUAL(im_client_destroy_async(client, on_done, &dones), IM_OK);
    CHECK_EQUAL(im_client_state(client), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy_async(client, on_done, &dones), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy(client), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_count(), 1);
    CHECK_EQUAL(dones, 0);
    CHECK_EQUAL(in_callback.waiting, 1);
    in_callback.open = true;
    WAIT(dones == 1);
    CHECK_EQUAL(done_was_last, 1);
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(acks, 100);
    CHECK_EQUAL(frees, 3);
    CHECK_EQUAL(dones, 1);
}

static void without_a_done_function(void) {
    reset();
    im_client client = busy_client();
    CHECK_EQUAL(im_client_destroy_async(client, NULL, NULL), IM_OK);
    in_callback.open = true;
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(acks, 100);
    CHECK_EQUAL(frees, 3);
}

static void destroy_inside(const im_event *event, void *data) {
    CHECK_EQUAL(im_client_destroy_async(event->client, on_done, data), IM_OK);
    CHECK_EQUAL(im_client_state(event->client), IM_ERROR_HANDLE);
    CHECK_EQUAL(dones, 0);
}

static void inside_its_own_callback(void) {
    reset();
    im_client client = new_client("/", "");
    CHECK(im_client_on(client, "connect", destroy_inside, &dones) > 0);
    WAIT(dones == 1);
}

static im_client next;
static void renew(void *data) {
    /* A client for the next round, inside the end of the last. */
    next = new_client("/", "");
    ++*(atomic_int *)data;
}

static void a_done_function_may_make_the_next_client(void) {
    reset();
    im_client client = connected_client();
    for (int round = 1; round <= 10; round++) {
        CHECK_EQUAL(im_client_destroy_async(client, renew, &dones), IM_OK);
        WAIT(dones == round);
        client = next;
        round_trip(client);
        CHECK_EQUAL(im_client_count(), 1);
    }
    destroy(client);
}

static void count_done(void *data) { ++*(atomic_int *)data; }

static void many_at_once(void) {
    enum { MANY = 100 };
    reset();
    im_client clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = new_client("/", "");
    wait_connected(clients[MANY / 2]);
    for (int i = 0; i < MANY; i++)
        CHECK_EQUAL(im_client_destroy_async(clients[i], count_done, &dones), IM_OK);
    WAIT(dones == MANY);
    WAIT(im_client_count() == 0);
    WAIT(stats_number("\"enginesNow\":") == 0);
}

CASES("destroy_async", CASE(never_blocks_and_done_is_last), CASE(without_a_done_function),
      CASE(inside_its_own_callback), CASE(a_done_function_may_make_the_next_client),
      CASE(many_at_once))

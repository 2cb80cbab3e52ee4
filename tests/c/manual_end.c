/* Manual delivery: the end of a client. What it calls runs on the thread that destroyed the client.
 */

#include "manual.h"

static pthread_t own_thread;

static void on_own_thread(void) { CHECK(pthread_equal(pthread_self(), own_thread)); }

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void record_ack_here(im_status status, const im_event *reply, void *to) {
    on_own_thread(), record_ack(status, reply, to);
}
static void record_free_here(void *to) { on_own_thread(), record_free(to); }

static gate hold_gate;
static atomic_int calls;
static void count_call(const im_event *event, void *data) { (void)event, (void)data, calls++; }

static void *dispatch_until_over(void *data) {
    im_client client = *(im_client *)data;
    for (;;) {
        im_status called = im_client_dispatch(client, 1000, 3);
        if (called < 0 && called != IM_ERROR_TIMEOUT) {
            CHECK_EQUAL(called, IM_ERROR_HANDLE);
            return NULL;
        }
    }
}

enum { PENDING = 5, SUBSCRIPTIONS = 3 };

typedef struct victim {
    im_client handle;
    recorder acks, frees;
    atomic_int struck;
} victim;

/* A client whose end has something to call, which has to be called on this thread. */
static void raise_victim(victim *it) {
    memset(it, 0, sizeof *it);
    it->acks = (recorder)RECORDER, it->frees = (recorder)RECORDER;
    own_thread = pthread_self();
    it->handle = connected_manual();
    for (int i = 0; i < PENDING; i++)
        CHECK(im_client_emit_with_ack(it->handle, "silent", "1", 0, record_ack_here, &it->acks) >
              0);
    for (int i = 0; i < SUBSCRIPTIONS; i++)
        CHECK(im_client_subscribe(it->handle, "x", 0, ignore, &it->frees, record_free_here) > 0);
}

static void is_buried(victim *it) {
    CHECK_EQUAL(recorded(&it->acks, NULL), PENDING);
    for (int i = 0; i < PENDING; i++)
        CHECK_EQUAL(wait_item(&it->acks, NULL, i).status, IM_ERROR_CANCELED);
    CHECK_EQUAL(it->frees.freed, SUBSCRIPTIONS);
    CHECK_EQUAL(im_client_dispatch(it->handle, 0, 0), IM_ERROR_HANDLE);
    recorder_clear(&it->acks);
    recorder_clear(&it->frees);
}

static void strike(void *data) {
    victim *it = data;
    CHECK_EQUAL(im_client_destroy(it->handle), IM_DEFERRED);
    CHECK_EQUAL(im_client_state(it->handle), IM_ERROR_HANDLE);
    CHECK_EQUAL(recorded(&it->acks, NULL), 0);
    CHECK_EQUAL(it->frees.freed, 0);
    it->struck++;
}
static void strike_event(const im_event *event, void *data) { (void)event, strike(data); }
static void strike_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, strike(data);
}

static void destroy_calls_on_this_thread(void) {
    victim it;
    raise_victim(&it);
    destroy(it.handle);
    is_buried(&it);
    raise_victim(&it);
    CHECK_EQUAL(im_shutdown(PATIENCE_MS), IM_OK);
    is_buried(&it);
}

/* All of it is done when the call that ran the destroying code returns. */
static void destroy_inside_is_done_with_the_dispatch(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_on(it.handle, "burst", strike_event, &it) > 0);
    CHECK_EQUAL(im_client_emit(it.handle, "burst", "100"), IM_OK);
    CHECK_EQUAL(im_client_dispatch(it.handle, PATIENCE_MS, 0), IM_ERROR_HANDLE);
    CHECK_EQUAL(it.struck, 1);
    is_buried(&it);
    CHECK_EQUAL(im_client_count(), 0);

    raise_victim(&it);
    CHECK(im_client_emit_with_ack(it.handle, "echo", "1", 0, strike_ack, &it) > 0);
    CHECK_EQUAL(im_client_dispatch(it.handle, PATIENCE_MS, 0), IM_ERROR_HANDLE);
    is_buried(&it);

    /* In a free function that poll runs. */
    raise_victim(&it);
    const im_event *event;
    int64_t id = im_client_subscribe(it.handle, "y", 0, ignore, &it, strike);
    im_event_release(take_named(it.handle, "connect"));
    CHECK_EQUAL(im_client_off(it.handle, id), IM_OK);
    CHECK_EQUAL(im_client_poll(it.handle, 1000, &event), IM_ERROR_HANDLE);
    is_buried(&it);

    /* In the free function of a call that fails, without any dispatch. */
    raise_victim(&it);
    CHECK(im_client_subscribe(it.handle, "y", 0, NULL, &it, strike) < 0);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"fn\"");
    is_buried(&it);

    /* In another client's dispatch. */
    im_client other = connected_manual();
    raise_victim(&it);
    CHECK(im_client_on(other, "connect", strike_event, &it) > 0);
    CHECK_EQUAL(im_client_dispatch(other, PATIENCE_MS, 0), 1);
    is_buried(&it);
    CHECK_EQUAL(im_client_count(), 1);

    /* In another client's destroy. */
    raise_victim(&it);
    CHECK(im_client_emit_with_ack(other, "silent", "1", 0, strike_ack, &it) > 0);
    destroy(other);
    is_buried(&it);
    CHECK_EQUAL(im_client_count(), 0);
}

/* A thread of the library's has no call of the caller's to end in. */
static void inside_a_callback_of_the_library_the_library_ends_it(void) {
    recorder acks = RECORDER;
    victim it;
    raise_victim(&it);
    destroy(it.handle);
    is_buried(&it);
    it.handle = connected_manual();
    im_client other = connected_client();
    CHECK(im_client_emit_with_ack(it.handle, "silent", "1", 0, record_ack, &acks) > 0);
    CHECK(im_client_on(other, "echo", strike_event, &it) > 0);
    CHECK_EQUAL(im_client_emit(other, "echo", "1"), IM_OK);
    CHECK_EQUAL(wait_item(&acks, NULL, 0).status, IM_ERROR_CANCELED);
    WAIT(im_client_count() == 1);
    destroy(other);
    recorder_clear(&acks);
}

static atomic_int returned;
static void slow(const im_event *event, void *data) {
    (void)event, (void)data;
    gate_wait(&hold_gate);
    pass_ms(30);
    returned++;
}
static void *open_later(void *data) {
    pass_ms(30);
    hold_gate.open = true;
    return data;
}
static atomic_int done_calls;
static void on_done(void *data) { (void)data, done_calls++; }

static void destroy_waits_for_a_dispatch_of_another_thread(void) {
    for (int how = 0; how < 3; how++) {
        recorder acks = RECORDER;
        im_client client = connected_manual();
        hold_gate = (gate){0};
        returned = done_calls = 0;
        CHECK(im_client_on(client, "burst", slow, NULL) > 0);
        CHECK(im_client_emit_with_ack(client, "silent", "1", 0, record_ack, &acks) > 0);
        CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
        pthread_t dispatcher = run_thread(dispatch_until_over, &client);
        WAIT(hold_gate.waiting == 1);
        pthread_t opener = 0;
        if (how == 0) {
            opener = run_thread(open_later, NULL);
            destroy(client);
        } else if (how == 1) {
            CHECK_EQUAL(im_client_destroy_async(client, on_done, NULL), IM_OK);
            CHECK_EQUAL(returned, 0);
            opener = run_thread(open_later, NULL);
            WAIT(done_calls == 1);
        } else {
            /* It is left to the library where the time is over. */
            CHECK_EQUAL(im_shutdown(20), IM_ERROR_TIMEOUT);
            CHECK_EQUAL(recorded(&acks, NULL), 0);
            opener = run_thread(open_later, NULL);
            CHECK_EQUAL(im_shutdown(PATIENCE_MS), IM_OK);
        }
        CHECK_EQUAL(returned, 1);
        CHECK_EQUAL(recorded(&acks, NULL), 1);
        CHECK_EQUAL(wait_item(&acks, NULL, 0).status, IM_ERROR_CANCELED);
        pthread_join(dispatcher, NULL);
        pthread_join(opener, NULL);
        recorder_clear(&acks);
    }
}

/* Two threads, each in the dispatch of one, destroy the other's client. */
static im_client pair[2];
static atomic_int ready, struck;
static void strike_the_other(const im_event *event, void *data) {
    (void)data;
    ready++;
    WAIT(ready == 2);
    CHECK_EQUAL(im_client_destroy(event->client == pair[0] ? pair[1] : pair[0]), IM_DEFERRED);
    struck++;
    WAIT(struck == 2);
}
static void two_that_destroy_one_another(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = connected_manual();
        CHECK(im_client_on(pair[i], "echo", strike_the_other, NULL) > 0);
        CHECK_EQUAL(im_client_emit(pair[i], "echo", "1"), IM_OK);
    }
    for (int i = 0; i < 2; i++)
        threads[i] = run_thread(dispatch_until_over, &pair[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(im_client_count(), 0);
}

static void destroyed_in_a_flood_it_calls_nothing_more(void) {
    for (int round = 0; round < 30; round++) {
        pthread_t threads[2];
        atomic_int *data = malloc(sizeof *data);
        recorder acks = RECORDER;
        im_client client = new_client("/", MANUAL);
        CHECK(im_client_subscribe(client, NULL, 0, count_call, data, free) > 0);
        CHECK_EQUAL(im_client_emit(client, "burst", "1000"), IM_OK);
        for (int i = 0; i < 50; i++)
            CHECK(im_client_emit_with_ack(client, "echo", "1", 1 + i % 7, record_ack, &acks) > 0);
        for (int i = 0; i < 2; i++)
            threads[i] = run_thread(dispatch_until_over, &client);
        pass_ms(round % 9);
        if (round % 3 == 0) {
            CHECK_EQUAL(im_client_destroy_async(client, NULL, NULL), IM_OK);
            WAIT(im_client_count() == 0);
        } else {
            destroy(client);
        }
        int before = calls;
        CHECK_EQUAL(recorded(&acks, NULL), 50);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        CHECK_EQUAL(calls, before);
        recorder_clear(&acks);
    }
}

CASES("manual_end", CASE(destroy_calls_on_this_thread),
      CASE(destroy_inside_is_done_with_the_dispatch),
      CASE(inside_a_callback_of_the_library_the_library_ends_it),
      CASE(destroy_waits_for_a_dispatch_of_another_thread), CASE(two_that_destroy_one_another),
      CASE(destroyed_in_a_flood_it_calls_nothing_more))

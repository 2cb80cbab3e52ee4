/* Promise 11: im_shutdown destroys all clients and joins all threads, for a host's exit hook. */

#include "check.h"

static atomic_int acks, frees, calls, ended_threads, known_threads;
static pthread_key_t key;

/* Each thread that ran a callback of ours tells when it has ended. */
static void thread_ended(void *data) { (void)data, ended_threads++; }
static void note_thread(void) {
    if (pthread_getspecific(key) == NULL) {
        known_threads++;
        pthread_setspecific(key, &key);
    }
}
static void on_event(const im_event *event, void *data) {
    (void)event, (void)data, note_thread(), calls++;
}
static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)reply, (void)data;
    CHECK_EQUAL(status, IM_ERROR_CANCELED);
    note_thread();
    acks++;
}
static void on_free(void *data) { (void)data, note_thread(), frees++; }
static void on_done(void *data) { (void)data, note_thread(); }

static void live_clients_are_destroyed_and_threads_joined(void) {
    enum { CLIENTS = 10 };
    for (int round = 0; round < 5; round++) {
        im_client clients[CLIENTS];
        acks = frees = 0;
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = i % 2 == 0 ? connected_client() : new_client("/", "");
        for (int i = 0; i < CLIENTS; i++) {
            CHECK(im_client_subscribe(clients[i], "burst", 0, on_event, NULL, on_free) > 0);
            CHECK(im_client_emit_with_ack(clients[i], "silent", "1", 0, on_ack, NULL) > 0);
            CHECK_EQUAL(im_client_emit(clients[i], "burst", "100"), IM_OK);
        }
        WAIT(calls > 100);
        CHECK_EQUAL(im_shutdown(10000), IM_OK);
        CHECK_EQUAL(ended_threads, known_threads);
        CHECK_EQUAL(acks, CLIENTS);
        CHECK_EQUAL(frees, CLIENTS);
        CHECK_EQUAL(im_client_count(), 0);
        int before = calls;
        for (int i = 0; i < CLIENTS; i++)
            CHECK_EQUAL(im_client_destroy(clients[i]), IM_ERROR_HANDLE);
        CHECK_EQUAL(calls, before);
        calls = 0;
    }
    /* New clients may be made afterwards. */
    im_client client = connected_client();
    round_trip(client);
    destroy(client);
    CHECK_EQUAL(im_shutdown(0), IM_OK);
    CHECK_EQUAL(im_shutdown(1000), IM_OK);
}

/* A client that ends by itself at the same time: when shutdown returns, its threads have ended too.
 */
static void threads_that_are_ending_already_are_joined(void) {
    for (int round = 0; round < 200; round++) {
        im_client client = new_client("/", ",\"autoConnect\":false");
        CHECK(im_client_subscribe(client, "x", 0, on_event, NULL, on_free) > 0);
        CHECK_EQUAL(im_client_destroy_async(client, on_done, NULL), IM_OK);
        if (round % 2 == 0) {
            while (im_client_count() > 0) {
            }
        }
        CHECK_EQUAL(im_shutdown(10000), IM_OK);
        CHECK_EQUAL(ended_threads, known_threads);
    }
}

static void hold(const im_event *event, void *data) { (void)event, note_thread(), gate_wait(data); }

static void a_callback_that_does_not_return_is_a_timeout(void) {
    gate gate = {0};
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", hold, &gate) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(gate.waiting == 1);
    long long start = now_ms();
    CHECK_EQUAL(im_shutdown(100), IM_ERROR_TIMEOUT);
    CHECK(now_ms() - start >= 100 && now_ms() - start < 5000);
    CHECK_EQUAL(im_client_state(client), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_count(), 1);
    gate.open = true;
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    CHECK_EQUAL(im_client_count(), 0);
    CHECK_EQUAL(ended_threads, known_threads);
}

/* Threads that make clients while others shut down. */
static void *make_and_destroy(void *data) {
    for (int i = 0; i < 50; i++) {
        im_client client = new_client("/", i % 2 == 0 ? "" : ",\"autoConnect\":false");
        CHECK(im_client_subscribe(client, "x", 0, on_event, NULL, on_free) > 0 ||
              im_last_status() == IM_ERROR_HANDLE);
        im_status status = im_client_destroy(client);
        CHECK(status == IM_OK || status == IM_ERROR_HANDLE);
    }
    return data;
}
static void *shut_down(void *data) {
    for (int i = 0; i < 50; i++) {
        im_status status = im_shutdown(20);
        CHECK(status == IM_OK || status == IM_ERROR_TIMEOUT);
    }
    return data;
}

static void at_the_same_time_as_everything_else(void) {
    pthread_t threads[5];
    frees = 0;
    for (int i = 0; i < 5; i++)
        threads[i] = run_thread(i < 3 ? make_and_destroy : shut_down, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    CHECK_EQUAL(frees, 150);
}

int main(int argc, char **argv) {
    static const test_case cases[] = {
        CASE(live_clients_are_destroyed_and_threads_joined),
        CASE(threads_that_are_ending_already_are_joined),
        CASE(a_callback_that_does_not_return_is_a_timeout),
        CASE(at_the_same_time_as_everything_else),
        {NULL, NULL},
    };
    CHECK(pthread_key_create(&key, thread_ended) == 0);
    return run_cases(argc, argv, "shutdown", cases);
}

/* Promise 3: destroy joins, except inside code that the library runs, where it never waits. */

#include "check.h"

/* ---- Inside ---- */

/* A client to be destroyed from within: it counts what the end owes it. */
typedef struct victim {
    im_client handle;
    atomic_int acks, not_canceled, frees, dead, after_death, destroyed;
} victim;

static void on_ack(im_status status, const im_event *reply, void *data) {
    victim *it = data;
    it->acks++;
    if (status != IM_ERROR_CANCELED || reply != NULL)
        it->not_canceled++;
}
static void on_free(void *data) { ((victim *)data)->frees++; }
static void on_event(const im_event *event, void *data) {
    victim *it = data;
    (void)event;
    if (it->dead)
        it->after_death++;
}

enum { PENDING = 50, SUBSCRIPTIONS = 5 };

static void raise_victim(victim *it) {
    memset(it, 0, sizeof *it);
    it->handle = connected_client();
    for (int i = 0; i < PENDING; i++) {
        CHECK(im_client_emit_with_ack(it->handle, "silent", "1", 0, on_ack, it) > 0);
    }
    for (int i = 0; i < SUBSCRIPTIONS; i++) {
        CHECK(im_client_subscribe(it->handle, "burst", 0, on_event, it, on_free) > 0);
    }
}

/* Destroys the victim from within, and looks that the handle is dead at once. */
static void strike(victim *it) {
    if (it->destroyed++ > 0)
        return;
    /* Events are on their way. */
    CHECK_EQUAL(im_client_emit(it->handle, "burst", "100"), IM_OK);
    CHECK_EQUAL(im_client_destroy(it->handle), IM_DEFERRED);
    it->dead = 1;
    CHECK_EQUAL(im_client_state(it->handle), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_emit(it->handle, "x", NULL), IM_ERROR_HANDLE);
    CHECK_EQUAL(im_client_destroy(it->handle), IM_ERROR_HANDLE);
    CHECK(im_client_count() >= 1);
}

static void bury(victim *it) {
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(it->acks, PENDING);
    CHECK_EQUAL(it->not_canceled, 0);
    CHECK_EQUAL(it->frees, SUBSCRIPTIONS);
}

static void strike_event(const im_event *event, void *data) { (void)event, strike(data); }
static void strike_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, strike(data);
}
static void strike_free(void *data) { strike(data); }
static void strike_log(int32_t level, const char *line, void *data) {
    (void)level, (void)line, strike(data);
}
static void strike_done(void *data) { strike(data); }

static void inside_its_own_callback(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_on(it.handle, "echo", strike_event, &it) > 0);
    CHECK_EQUAL(im_client_emit(it.handle, "echo", "1"), IM_OK);
    bury(&it);
    CHECK_EQUAL(it.after_death, 0);
}

static void inside_its_own_callback_of_any_event(void) {
    victim it;
    raise_victim(&it);
    /* The connection's own events may come before this one, and end the client. */
    CHECK(im_client_on_any(it.handle, strike_event, &it) > 0);
    im_client_emit(it.handle, "echo", "1");
    WAIT(it.destroyed > 0);
    bury(&it);
    CHECK_EQUAL(it.destroyed, 1);
}

static void inside_its_own_callback_of_what_goes_out(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_on_any_outgoing(it.handle, strike_event, &it) > 0);
    CHECK_EQUAL(im_client_emit(it.handle, "echo", "1"), IM_OK);
    WAIT(it.destroyed > 0);
    bury(&it);
    CHECK_EQUAL(it.destroyed, 1);
}

static void inside_its_own_ack_callback(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_emit_with_ack(it.handle, "echo", "1", 0, strike_ack, &it) > 0);
    bury(&it);
    CHECK_EQUAL(it.after_death, 0);
}

static void inside_its_own_free_function(void) {
    victim it;
    raise_victim(&it);
    int64_t id = im_client_subscribe(it.handle, "x", 0, on_event, &it, strike_free);
    CHECK(id > 0);
    CHECK_EQUAL(im_client_off(it.handle, id), IM_OK);
    bury(&it);
    CHECK_EQUAL(it.after_death, 0);
}

static void inside_a_free_function_of_a_call_that_failed(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_subscribe(it.handle, "x", 0, NULL, &it, strike_free) < 0);
    CHECK_EQUAL(it.destroyed, 1);
    bury(&it);
}

static void inside_a_log_callback(void) {
    victim it;
    raise_victim(&it);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_TRACE, strike_log, &it, NULL), IM_OK);
    /* Something to log. */
    im_client other = new_client("/", ",\"autoConnect\":false,\"agent\":null");
    WAIT(it.destroyed > 0);
    destroy(other);
    bury(&it);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
}

static void inside_a_done_function(void) {
    victim it;
    raise_victim(&it);
    im_client other = new_client("/", "");
    CHECK_EQUAL(im_client_destroy_async(other, strike_done, &it), IM_OK);
    bury(&it);
}

static void inside_another_clients_callback(void) {
    victim it;
    raise_victim(&it);
    im_client other = connected_client();
    CHECK(im_client_on(other, "echo", strike_event, &it) > 0);
    CHECK_EQUAL(im_client_emit(other, "echo", "1"), IM_OK);
    WAIT(it.destroyed == 1);
    WAIT(im_client_count() == 1);
    destroy(other);
    bury(&it);
}

/* Each waits inside its callback until the other's handle is dead: with a destroy that waits both
 * hang. */
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
    for (int i = 0; i < 2; i++) {
        pair[i] = connected_client();
        CHECK(im_client_on(pair[i], "echo", strike_the_other, NULL) > 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(im_client_emit(pair[i], "echo", "1"), IM_OK);
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(struck, 2);
}

/* ---- Outside ---- */

static gate gate_of_callback;
static atomic_int returned;
static atomic_bool is_destroyed;
static atomic_int calls_after;

static void slow_callback(const im_event *event, void *data) {
    (void)event, (void)data;
    if (is_destroyed)
        calls_after++;
    gate_wait(&gate_of_callback);
    pass_ms(100);
    returned++;
}

static void *open_gate_later(void *data) {
    pass_ms(100);
    gate_of_callback.open = true;
    return data;
}

static void outside_it_joins(void) {
    victim it;
    raise_victim(&it);
    CHECK(im_client_subscribe(it.handle, "echo", 0, slow_callback, &it, on_free) > 0);
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(im_client_emit(it.handle, "echo", "1"), IM_OK);
    WAIT(gate_of_callback.waiting == 1);
    pthread_t opener = run_thread(open_gate_later, NULL);
    destroy(it.handle);
    is_destroyed = true;
    /* All of it at once, without waiting. */
    CHECK_EQUAL(returned, 1);
    CHECK_EQUAL(it.acks, PENDING);
    CHECK_EQUAL(it.not_canceled, 0);
    CHECK_EQUAL(it.frees, SUBSCRIPTIONS + 1);
    CHECK_EQUAL(im_client_count(), 0);
    CHECK_EQUAL(im_client_destroy(it.handle), IM_ERROR_HANDLE);
    pthread_join(opener, NULL);
    CHECK_EQUAL(returned, 1);
    CHECK_EQUAL(calls_after, 0);
}

/* The user data is poisoned the moment destroy has returned. */
static void poisoned(const im_event *event, void *data) {
    (void)event;
    CHECK_EQUAL(*(atomic_int *)data, 1234);
}
static void poisoned_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply;
    CHECK_EQUAL(*(atomic_int *)data, 1234);
}
static void poisoned_free(void *data) { CHECK_EQUAL(*(atomic_int *)data, 1234); }

static void nothing_runs_after_it_in_a_flood(void) {
    for (int round = 0; round < 30; round++) {
        atomic_int *data = malloc(sizeof *data);
        *data = 1234;
        im_client client = connected_client();
        CHECK(im_client_subscribe(client, NULL, 0, poisoned, data, poisoned_free) > 0);
        CHECK_EQUAL(im_client_emit(client, "burst", "2000"), IM_OK);
        for (int i = 0; i < 100; i++) {
            CHECK(im_client_emit_with_ack(client, "echo", "1", 1 + i % 7, poisoned_ack, data) > 0);
        }
        pass_ms(round % 6);
        destroy(client);
        *data = -1;
        free(data);
    }
}

/* Of 64 threads exactly one wins. */
static im_client contested;
static atomic_int winners, losers;
static pthread_barrier_t start;

static void *contest(void *data) {
    pthread_barrier_wait(&start);
    im_status status = im_client_destroy(contested);
    if (status == IM_OK) {
        winners++;
        CHECK_EQUAL(im_client_count(), 0);
    } else {
        CHECK_EQUAL(status, IM_ERROR_HANDLE);
        losers++;
    }
    return data;
}

static void of_64_threads_one_destroys(void) {
    for (int round = 0; round < 10; round++) {
        victim it;
        pthread_t threads[64];
        raise_victim(&it);
        contested = it.handle;
        winners = losers = 0;
        pthread_barrier_init(&start, NULL, 64);
        for (int i = 0; i < 64; i++)
            threads[i] = run_thread(contest, NULL);
        for (int i = 0; i < 64; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&start);
        CHECK_EQUAL(winners, 1);
        CHECK_EQUAL(losers, 63);
        CHECK_EQUAL(it.acks, PENDING);
        CHECK_EQUAL(it.frees, SUBSCRIPTIONS);
    }
}

/* While others use the client, and their calls fail with the handle from some moment on. */
static void *use_until_dead(void *data) {
    victim *it = data;
    for (int accepted = 0;; accepted++) {
        int64_t id = im_client_emit_with_ack(it->handle, "silent", "1", 0, on_ack, it);
        if (id < 0) {
            CHECK_EQUAL(id, IM_ERROR_HANDLE);
            return (void *)(long)accepted;
        }
        id = im_client_subscribe(it->handle, "burst", 0, on_event, it, on_free);
        CHECK(id > 0 || id == IM_ERROR_HANDLE);
    }
}

static void others_that_use_it_meanwhile(void) {
    for (int round = 0; round < 20; round++) {
        victim it = {.handle = connected_client()};
        pthread_t threads[3];
        long accepted = 0;
        for (int i = 0; i < 3; i++)
            threads[i] = run_thread(use_until_dead, &it);
        pass_ms(round % 5);
        destroy(it.handle);
        for (int i = 0; i < 3; i++) {
            void *result;
            pthread_join(threads[i], &result);
            accepted += (long)result;
        }
        CHECK_EQUAL(it.acks, accepted);
        CHECK_EQUAL(it.not_canceled, 0);
    }
}

static void *flush_without_end(void *data) {
    CHECK_EQUAL(im_client_flush(*(im_client *)data, 0), IM_ERROR_HANDLE);
    return NULL;
}

static void a_waiting_flush_ends_with_it(void) {
    im_client client = new_client("/", ",\"autoConnect\":false");
    CHECK_EQUAL(im_client_emit(client, "x", NULL), IM_OK);
    pthread_t thread = run_thread(flush_without_end, &client);
    pass_ms(50);
    destroy(client);
    pthread_join(thread, NULL);
}

static void in_every_state_of_the_connection(void) {
    /* Before it begins, while it connects, while it waits for its next attempt, after a close,
     * right after an open. */
    for (int state = 0; state < 40; state++) {
        im_client client = new_client("/", state % 4 == 0 ? ",\"autoConnect\":false" : "");
        if (state % 4 == 2)
            CHECK_EQUAL(im_client_close(client), IM_OK);
        if (state % 4 == 3) {
            CHECK_EQUAL(im_client_close(client), IM_OK);
            CHECK_EQUAL(im_client_open(client), IM_OK);
        }
        if (state >= 20)
            pass_ms(state % 7);
        destroy(client);
    }
    im_client nobody =
        im_client_new("{\"root\":\"http://127.0.0.1:1\",\"nsp\":\"/\",\"reconnectionDelay\":60000,"
                      "\"reconnectionDelayMax\":60000}");
    WAIT(im_client_state(nobody) == IM_STATE_RECONNECTING);
    long long begin = now_ms();
    destroy(nobody);
    CHECK(now_ms() - begin < 5000);
    im_client lost = connected_client();
    post("drop", "{\"how\":\"reset\"}");
    destroy(lost);
    im_client paused = connected_client();
    post("pause", "{}");
    begin = now_ms();
    destroy(paused);
    CHECK(now_ms() - begin < 5000);
    post("resume", "{}");
}

CASES("destroy", CASE(inside_its_own_callback), CASE(inside_its_own_callback_of_any_event),
      CASE(inside_its_own_callback_of_what_goes_out), CASE(inside_its_own_ack_callback),
      CASE(inside_its_own_free_function), CASE(inside_a_free_function_of_a_call_that_failed),
      CASE(inside_a_log_callback), CASE(inside_a_done_function),
      CASE(inside_another_clients_callback), CASE(two_that_destroy_one_another),
      CASE(outside_it_joins), CASE(nothing_runs_after_it_in_a_flood),
      CASE(of_64_threads_one_destroys), CASE(others_that_use_it_meanwhile),
      CASE(a_waiting_flush_ends_with_it), CASE(in_every_state_of_the_connection))

/* Manual delivery, taken with im_client_poll. */

#include "manual.h"

static void never(const im_event *event, void *data) {
    (void)event, (void)data;
    check_failed(__FILE__, __LINE__, "a callback was called");
}
static void never_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    check_failed(__FILE__, __LINE__, "an acknowledgement function was called");
}

/* ---- Every event, in order ---- */

static void poll_sees_every_event_in_order(void) {
    enum { MANY = 10000 };
    im_client client = new_client("/", MANUAL);
    /* A subscription makes no difference, nor does its absence. */
    CHECK(im_client_on(client, "burst", never, NULL) > 0);
    const im_event *event = take(client);
    CHECK(strcmp(event->name, "connect") == 0 && event->kind == IM_EVENT_KIND_LOCAL);
    im_event_release(event);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "several", NULL), IM_OK);
    for (int i = 0; i < MANY; i++) {
        event = take(client);
        CHECK(strcmp(event->name, "burst") == 0);
        CHECK_EQUAL(atoi(event->json), i);
        CHECK_EQUAL(event->request, 0);
        im_event_release(event);
    }
    event = take(client);
    CHECK(strcmp(im_event_args(event), "[1,\"two\",{\"three\":3},[4],null]") == 0);
    im_event_release(event);
    nothing_waits(client);
    CHECK_EQUAL(info_number(client, "\"receiveQueue\":{\"bytes\":"), 0);
    destroy(client);
}

/* Acknowledgements keep their place among the events. */
static void outcomes_and_events_are_one_row(void) {
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    int64_t requests[500];
    for (int i = 0; i < 500; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", text("%d", i)), IM_OK);
        requests[i] = im_client_emit_with_ack(client, "echo", text("%d", i), 0, never_ack, NULL);
        CHECK(requests[i] > 0);
    }
    for (int i = 0; i < 500; i++) {
        const im_event *event = take(client), *answer = take(client);
        CHECK(event->kind == IM_EVENT_KIND_EVENT && atoi(event->json) == i);
        CHECK(answer->kind == IM_EVENT_KIND_ACK && atoi(answer->json) == i);
        CHECK_EQUAL(answer->request, requests[i]);
        CHECK_EQUAL(answer->status, IM_OK);
        im_event_release(event);
        im_event_release(answer);
    }
    nothing_waits(client);
    destroy(client);
}

static const im_event *take_outcome_alone(im_client client) {
    const im_event *event = NULL;
    CHECK_EQUAL(im_client_poll_outcome(client, PATIENCE_MS, &event), IM_OK);
    CHECK(event->kind == IM_EVENT_KIND_ACK);
    return event;
}

/* Who has no room for more events still learns how his requests end. */
static void outcomes_can_be_taken_alone(void) {
    enum { EVENTS = 300, REQUESTS = 3 };
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    const im_event *event = NULL;
    CHECK_EQUAL(im_client_poll_outcome(client, 20, &event), IM_ERROR_TIMEOUT);
    CHECK(event == NULL);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", EVENTS)), IM_OK);
    for (int i = 0; i < REQUESTS; i++) {
        int64_t request = im_client_emit_with_ack(client, "echo", text("%d", i), 0, NULL, NULL);
        event = take_outcome_alone(client);
        CHECK(event->request == request && atoi(event->json) == i);
        im_event_release(event);
    }
    int64_t request = im_client_emit_with_ack(client, "silent", "1", 10, NULL, NULL);
    event = take_outcome_alone(client);
    CHECK(event->request == request && event->status == IM_ERROR_TIMEOUT);
    im_event_release(event);
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK_EQUAL(im_client_poll_outcome(client, -1, &event), IM_WOKEN);
    for (int i = 0; i < EVENTS; i++) {
        event = take(client);
        CHECK(strcmp(event->name, "burst") == 0 && atoi(event->json) == i);
        im_event_release(event);
    }
    nothing_waits(client);
    CHECK_EQUAL(info_number(client, "\"receiveQueue\":{\"bytes\":"), 0);
    destroy(client);
    CHECK_EQUAL(im_client_poll_outcome(client, 0, &event), IM_ERROR_HANDLE);
}

/* ---- Outcomes of every status ---- */

static void no_answer(im_client client, int64_t request, im_status status) {
    const im_event *outcome = take_outcome(client, request);
    CHECK_EQUAL(outcome->status, status);
    CHECK(strcmp(outcome->json, "null") == 0 && outcome->json_len == 4);
    CHECK(strcmp(im_event_args(outcome), "[]") == 0);
    CHECK_EQUAL(outcome->ack_id, 0);
    im_event_release(outcome);
}

static void outcomes_of_every_status_are_events(void) {
    im_client client = connected_manual();
    int64_t request = im_client_emit_with_ack(client, "echo", "{\"a\":[1]}", 0, never_ack, NULL);
    const im_event *answer = take_outcome(client, request);
    CHECK_EQUAL(answer->status, IM_OK);
    CHECK(strcmp(answer->json, "{\"a\":[1]}") == 0);
    im_event_release(answer);

    request = im_client_emit_with_ack(client, "silent", "1", 20, never_ack, NULL);
    no_answer(client, request, IM_ERROR_TIMEOUT);

    request = im_client_emit_with_ack(client, "silent", "1", 0, NULL, NULL);
    CHECK(request > 0);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK_EQUAL(im_client_cancel(client, request), IM_ERROR_NOT_FOUND);
    no_answer(client, request, IM_ERROR_CANCELED);

    request = im_client_emit_with_ack(client, "silent", "1", 0, never_ack, NULL);
    poll_round_trip(client);
    post("drop", "{}");
    no_answer(client, request, IM_ERROR_DISCONNECTED);

    im_event_release(take_named(client, "connect"));
    request = im_client_emit_with_ack(client, "silent", "1", 0, never_ack, NULL);
    CHECK_EQUAL(im_client_destroy_socket(client), IM_OK);
    no_answer(client, request, IM_ERROR_CANCELED);
    destroy(client);
}

#define MESSAGE "{\"type\":1,\"from\":\"a\",\"to\":\"b\",\"content\":\"c\",\"fp\":\"%s\"}"

static void a_message_is_an_outcome_and_its_event_comes_too(void) {
    im_client client = new_client("/chat", MANUAL);
    int64_t request = im_client_send_message(client, text(MESSAGE, "f1"), 0, NULL, NULL);
    CHECK(request > 0);
    const im_event *stored = take_outcome(client, request);
    CHECK_EQUAL(stored->status, IM_OK);
    CHECK(strstr(stored->json, "\"fp\":\"f1\"") != NULL && stored->json_len > 20);
    CHECK(strlen(im_event_args(stored)) == stored->json_len + 2);
    const im_event *event = take_named(client, IM_CHAT_TO_ACK);
    CHECK(event->kind == IM_EVENT_KIND_EVENT && strcmp(event->json, stored->json) == 0);
    im_event_release(event);
    im_event_release(stored);
    /* The server refuses: the code of its answer is not 0. */
    const char *args = "[\"to_ack\",{\"meta\":{\"timestamp\":1},\"code\":1,\"data\":{\"action\":"
                       "\"CHAT_TO_ACK\",\"payload\":{\"fp\":\"f3\"}}}]";
    CHECK_EQUAL(im_client_close(client), IM_OK);
    im_event_release(take_named(client, "disconnect"));
    /* The refusal of f3 is asked for first, so it overtakes the server's own answer. */
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    request = im_client_send_message(client, text(MESSAGE, "f3"), 0, never_ack, NULL);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    const im_event *refused = take_outcome(client, request);
    CHECK_EQUAL(refused->status, IM_ERROR_REFUSED);
    CHECK(strstr(refused->json, "\"code\":1") != NULL);
    im_event_release(refused);
    destroy(client);
}

/* ---- Waiting ---- */

static void timeouts_are_those_of_poll_2(void) {
    im_client client = new_client("/", MANUAL ",\"autoConnect\":false");
    nothing_waits(client);
    CHECK_FAULT(IM_ERROR_TIMEOUT, "nothing came");
    const im_event *event;
    long long start = now_ms();
    CHECK_EQUAL(im_client_poll(client, 60, &event), IM_ERROR_TIMEOUT);
    CHECK(now_ms() - start >= 60);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    CHECK_EQUAL(im_client_poll(client, -1, &event), IM_OK);
    CHECK(strcmp(event->name, "connect") == 0);
    im_event_release(event);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    CHECK_EQUAL(im_client_poll(client, INT64_MAX, &event), IM_OK);
    im_event_release(event);
    CHECK_EQUAL(im_client_emit(client, "echo", "2"), IM_OK);
    CHECK_EQUAL(im_client_poll(client, INT64_MIN, &event), IM_OK);
    im_event_release(event);
    destroy(client);
}

static gate inside;
static void would_wait_for_itself(const im_event *event, void *data) {
    const im_event *taken;
    im_client manual = *(im_client *)data;
    (void)event;
    CHECK_EQUAL(im_client_poll(manual, 0, &taken), IM_ERROR_DEADLOCK);
    CHECK_FAULT(IM_ERROR_DEADLOCK, "im_client_poll ");
    CHECK_EQUAL(im_client_poll_outcome(manual, 0, &taken), IM_ERROR_DEADLOCK);
    CHECK_FAULT(IM_ERROR_DEADLOCK, "im_client_poll_outcome ");
    CHECK_EQUAL(im_client_dispatch(manual, 0, 0), IM_ERROR_DEADLOCK);
    CHECK_FAULT(IM_ERROR_DEADLOCK, "im_client_dispatch");
    CHECK_EQUAL(im_client_wake(manual), IM_OK);
    CHECK(im_client_wake_fd(manual) >= 0);
    inside.waiting++;
}

static void wrong_calls_are_named(void) {
    im_client callback = connected_client(), manual = connected_manual();
    const im_event *event;
    CHECK_EQUAL(im_client_poll(callback, 0, &event), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"delivery\"");
    CHECK_EQUAL(im_client_dispatch(callback, 0, 0), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"manual\"");
    CHECK_EQUAL(im_client_wake(callback), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_wake_fd(callback), -1);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "im_client_wake_fd");
    CHECK(im_client_emit_with_ack(callback, "echo", "1", 0, NULL, NULL) < 0);
    CHECK_EQUAL(im_client_poll(manual, 0, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"event\"");
    for (im_client wrong = 0; wrong < 1000; wrong += 999) {
        CHECK_EQUAL(im_client_poll(wrong, 0, &event), IM_ERROR_HANDLE);
        CHECK(event == NULL);
        CHECK_EQUAL(im_client_dispatch(wrong, 0, 0), IM_ERROR_HANDLE);
        CHECK_EQUAL(im_client_wake(wrong), IM_ERROR_HANDLE);
        CHECK_EQUAL(im_client_wake_fd(wrong), -1);
        CHECK_EQUAL(im_last_status(), IM_ERROR_HANDLE);
    }
    /* Inside a callback of a library thread, and of a dispatch. */
    inside.waiting = 0;
    CHECK(im_client_on(callback, "echo", would_wait_for_itself, &manual) > 0);
    CHECK_EQUAL(im_client_emit(callback, "echo", "1"), IM_OK);
    WAIT(inside.waiting == 1);
    CHECK_EQUAL(im_client_dispatch(manual, 0, 0), 0);
    CHECK(im_client_on(manual, "echo", would_wait_for_itself, &manual) > 0);
    CHECK_EQUAL(im_client_emit(manual, "echo", "1"), IM_OK);
    CHECK_EQUAL(im_client_dispatch(manual, PATIENCE_MS, 1), 1);
    CHECK_EQUAL(inside.waiting, 2);
    destroy(callback);
    destroy(manual);
    CHECK(im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\",\"delivery\":\"pull\"}", root)) == 0);
    CHECK_FAULT(IM_ERROR_OPTION, "\"delivery\"");
}

/* ---- Threads ---- */

enum { POLLERS = 4, SHARED = 4000 };
static atomic_int seen[SHARED], total, out_of_order;

static void *poll_numbers(void *data) {
    im_client client = *(im_client *)data;
    const im_event *event;
    im_status status;
    int last = -1;
    while ((status = im_client_poll(client, -1, &event)) == IM_OK) {
        if (strcmp(event->name, "burst") == 0) {
            int number = atoi(event->json);
            seen[number]++;
            out_of_order += number <= last;
            last = number;
            total++;
        }
        im_event_release(event);
    }
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    CHECK(event == NULL);
    return NULL;
}

static void several_threads_take_each_event_once(void) {
    im_client client = connected_manual();
    pthread_t threads[POLLERS];
    for (int i = 0; i < POLLERS; i++)
        threads[i] = run_thread(poll_numbers, &client);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", SHARED)), IM_OK);
    WAIT(total == SHARED);
    for (int i = 0; i < SHARED; i++)
        CHECK_EQUAL(seen[i], 1);
    CHECK_EQUAL(out_of_order, 0);
    /* They wait again; the end of the client ends them all. */
    destroy(client);
    for (int i = 0; i < POLLERS; i++)
        pthread_join(threads[i], NULL);
}

static void *poll_until_over(void *data) {
    const im_event *event;
    im_status status;
    while ((status = im_client_poll(*(im_client *)data, -1, &event)) == IM_OK)
        im_event_release(event);
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void *flush_without_end(void *data) {
    im_status status = im_client_flush(*(im_client *)data, 0);
    CHECK(status == IM_ERROR_HANDLE || status == IM_OK);
    return NULL;
}

static atomic_int done_calls;
static void on_done(void *data) { (void)data, done_calls++; }

static void destroy_ends_those_who_poll(void) {
    for (int round = 0; round < 60; round++) {
        im_client client = new_client("/", MANUAL);
        pthread_t threads[4];
        if (round % 3 == 0)
            wait_connected(client);
        if (round % 3 == 1)
            CHECK_EQUAL(im_client_emit(client, "burst", "500"), IM_OK);
        for (int i = 0; i < 3; i++)
            threads[i] = run_thread(poll_until_over, &client);
        threads[3] = run_thread(flush_without_end, &client);
        if (round % 2 == 0)
            pass_ms(round % 7);
        if (round % 5 == 0) {
            done_calls = 0;
            CHECK_EQUAL(im_client_destroy_async(client, on_done, NULL), IM_OK);
            WAIT(done_calls == 1);
        } else if (round % 5 == 1) {
            CHECK_EQUAL(im_shutdown(PATIENCE_MS), IM_OK);
        } else {
            destroy(client);
        }
        WAIT(im_client_count() == 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
    }
}

/* ---- Bounds ---- */

static void a_full_queue_pauses_reading_and_drops_nothing(void) {
    enum { EVENTS = 1500, SIZE = 2000 };
    im_client client = new_client("/", MANUAL ",\"receiveQueueBytes\":65536");
    wait_connected(client);
    im_client asker = connected_client();
    char *id = copy_socket_id(client), *pad = calloc(1, SIZE + 1);
    memset(pad, 'x', SIZE);
    for (int i = 0; i < EVENTS; i++) {
        char args[SIZE + 200];
        snprintf(args, sizeof args, "[\"%s\",\"flood\",{\"i\":%d,\"pad\":\"%s\"}]", id, i, pad);
        CHECK_EQUAL(im_client_emit_args(asker, "relay", 5, args, strlen(args), NULL, 0, 0), IM_OK);
    }
    WAIT(info_number(client, "\"receiveQueue\":{\"bytes\":") >= 65536);
    round_trip(asker);
    CHECK(info_number(client, "\"receiveQueue\":{\"bytes\":") < 65536 + 3 * SIZE);
    CHECK(info_has(client, "\"full\":true"));
    for (int i = 0; i < EVENTS; i++) {
        const im_event *event = take_named(client, "flood");
        int number = -1;
        CHECK(sscanf(event->json, "{\"i\":%d", &number) == 1);
        CHECK_EQUAL(number, i);
        im_event_release(event);
    }
    nothing_waits(client);
    char *now = copy_socket_id(client);
    CHECK(strcmp(now, id) == 0);
    free(now);
    free(id);
    free(pad);
    destroy(asker);
    destroy(client);
}

CASES("pull", CASE(poll_sees_every_event_in_order), CASE(outcomes_and_events_are_one_row),
      CASE(outcomes_can_be_taken_alone), CASE(outcomes_of_every_status_are_events),
      CASE(a_message_is_an_outcome_and_its_event_comes_too), CASE(timeouts_are_those_of_poll_2),
      CASE(wrong_calls_are_named), CASE(several_threads_take_each_event_once),
      CASE(destroy_ends_those_who_poll), CASE(a_full_queue_pauses_reading_and_drops_nothing))

/* Manual delivery, called by im_client_dispatch: user code runs on the threads of the caller, and
 * nowhere else. */

#include "manual.h"

static pthread_t own_thread;

static void on_own_thread(void) { CHECK(pthread_equal(pthread_self(), own_thread)); }

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void record_here(const im_event *event, void *to) { on_own_thread(), record(event, to); }
static void record_ack_here(im_status status, const im_event *reply, void *to) {
    on_own_thread(), record_ack(status, reply, to);
}
static void record_free_here(void *to) { on_own_thread(), record_free(to); }

/* ---- Order, and whose thread ---- */

static int next, wrong;
static void expect_next(const im_event *event, void *data) {
    (void)data;
    on_own_thread();
    wrong += atoi(event->json) != next++;
}

static void ten_thousand_events_come_in_order_on_this_thread(void) {
    enum { MANY = 10000 };
    own_thread = pthread_self();
    next = wrong = 0;
    im_client client = connected_manual();
    CHECK(im_client_on(client, "burst", expect_next, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    DISPATCH_UNTIL(client, next == MANY);
    CHECK_EQUAL(wrong, 0);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    destroy(client);
}

static void nothing_is_called_but_from_dispatch(void) {
    recorder events = RECORDER;
    own_thread = pthread_self();
    im_client client = connected_manual(), asker = connected_client();
    CHECK(im_client_on_any(client, record_here, &events) > 0);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, record_ack_here, &events) > 0);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 1, record_ack_here, &events) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    int64_t off = im_client_subscribe(client, "x", 0, ignore, &events, record_free_here);
    CHECK_EQUAL(im_client_off(client, off), IM_OK);
    /* connect, two outcomes, ten events and a free function. */
    WAIT(info_number(client, "\"events\":") == 14);
    round_trip(asker);
    CHECK_EQUAL(recorded(&events, NULL), 0);
    CHECK_EQUAL(events.freed, 0);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 13);
    CHECK_EQUAL(recorded(&events, NULL), 13);
    CHECK_EQUAL(events.freed, 1);
    destroy(asker);
    destroy(client);
    recorder_clear(&events);
}

/* ---- How many ---- */

static void max_bounds_the_callbacks_of_a_call(void) {
    recorder first = RECORDER, second = RECORDER, any = RECORDER;
    im_client client = connected_manual();
    int fd = im_client_wake_fd(client);
    CHECK(im_client_on(client, "burst", record, &first) > 0);
    CHECK(im_client_on(client, "burst", record, &second) > 0);
    DISPATCH_UNTIL(client, !is_readable(fd));
    CHECK(im_client_on_any(client, record, &any) > 0);
    DISPATCH_UNTIL(client, recorded(&any, "connect") == 1);
    CHECK_EQUAL(im_client_emit(client, "burst", "2"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 2);
    /* One at a time, through two events with three subscribers each. */
    for (int i = 0; i < 6; i++) {
        CHECK(is_readable(fd));
        CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
        CHECK_EQUAL(recorded(&first, NULL), 1 + i / 3);
        CHECK_EQUAL(recorded(&second, NULL), i / 3 + (i % 3 >= 1));
        CHECK_EQUAL(recorded(&any, "burst"), i / 3 + (i % 3 >= 2));
    }
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), IM_ERROR_TIMEOUT);
    /* What one call leaves, another takes: outcomes count too. */
    CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, record_ack, &any) > 0);
    WAIT(info_number(client, "\"events\":") == 4);
    CHECK_EQUAL(im_client_dispatch(client, 0, 5), 5);
    CHECK_EQUAL(im_client_dispatch(client, 0, UINT32_MAX), 5);
    CHECK(!is_readable(fd));
    destroy(client);
    recorder_clear(&first);
    recorder_clear(&second);
    recorder_clear(&any);
}

/* An event in the middle of its subscribers comes to the next poll. */
static void what_dispatch_has_begun_poll_may_take(void) {
    recorder first = RECORDER, second = RECORDER;
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    CHECK(im_client_on(client, "echo", record, &first) > 0);
    CHECK(im_client_on(client, "echo", record, &second) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "echo", "2"), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, PATIENCE_MS, 1), 1);
    const im_event *event = take(client);
    CHECK(strcmp(event->json, "1") == 0);
    im_event_release(event);
    CHECK_EQUAL(im_client_dispatch(client, PATIENCE_MS, 2), 2);
    CHECK(strcmp(wait_item(&second, NULL, 0).json, "2") == 0);
    CHECK_EQUAL(recorded(&first, NULL), 2);
    nothing_waits(client);
    destroy(client);
    recorder_clear(&first);
    recorder_clear(&second);
}

/* ---- Waiting and turns ---- */

static void the_timeout_waits_for_the_first(void) {
    recorder events = RECORDER;
    im_client client = new_client("/", MANUAL ",\"autoConnect\":false");
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    long long start = now_ms();
    CHECK_EQUAL(im_client_dispatch(client, 50, 0), IM_ERROR_TIMEOUT);
    CHECK(now_ms() - start >= 50);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, -1, 0), 1);
    CHECK_EQUAL(recorded(&events, "connect"), 1);
    destroy(client);
    recorder_clear(&events);
}

static atomic_int running, overlaps, calls;
static gate hold_gate;
static void hold(const im_event *event, void *data) {
    (void)event, (void)data, gate_wait(&hold_gate);
}
static void alone(const im_event *event, void *data) {
    (void)event, (void)data;
    overlaps += running++ > 0;
    sched_yield();
    running--;
    calls++;
}
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

static void one_thread_calls_at_a_time(void) {
    enum { MANY = 3000 };
    im_client client = connected_manual();
    pthread_t threads[4];
    running = overlaps = calls = 0;
    CHECK(im_client_on(client, "burst", alone, NULL) > 0);
    for (int i = 0; i < 4; i++)
        threads[i] = run_thread(dispatch_until_over, &client);
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    WAIT(calls == MANY);
    CHECK_EQUAL(overlaps, 0);
    destroy(client);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    /* The second waits for its turn, as long as its timeout allows. */
    client = connected_manual();
    hold_gate = (gate){0};
    CHECK(im_client_on(client, "echo", hold, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    threads[0] = run_thread(dispatch_until_over, &client);
    WAIT(hold_gate.waiting == 1);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK_FAULT(IM_ERROR_TIMEOUT, "another thread");
    long long start = now_ms();
    CHECK_EQUAL(im_client_dispatch(client, 40, 0), IM_ERROR_TIMEOUT);
    CHECK(now_ms() - start >= 40);
    /* Poll does not: it takes what waits. */
    CHECK_EQUAL(im_client_emit(client, "burst", "1"), IM_OK);
    im_event_release(take_named(client, "burst"));
    hold_gate.open = true;
    destroy(client);
    pthread_join(threads[0], NULL);
}

/* The turn goes to one who waits for it, with nothing else to wake it. */
static void *dispatch_one(void *data) {
    CHECK_EQUAL(im_client_dispatch(*(im_client *)data, -1, 1), 1);
    return NULL;
}
static void the_turn_goes_on(void) {
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    CHECK(im_client_on(client, "burst", hold, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 3);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[3];
        hold_gate = (gate){0};
        if (round > 0)
            CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
        for (int i = 0; i < 3; i++)
            threads[i] = run_thread(dispatch_one, &client);
        WAIT(hold_gate.waiting == 1);
        /* Time for the others to come to wait. */
        pass_ms(20);
        CHECK_EQUAL(hold_gate.waiting, 1);
        hold_gate.open = true;
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    }
    destroy(client);
}

/* ---- Subscriptions ---- */

static recorder late = RECORDER;
static void subscribe_in_callback(const im_event *event, void *data) {
    (void)data;
    CHECK(im_client_on(event->client, "early", record_here, &late) > 0);
    CHECK_EQUAL(im_client_emit(event->client, "echo", "\"inside\""), IM_OK);
}
static int64_t twin;
static void remove_twin(const im_event *event, void *data) {
    (void)data;
    CHECK_EQUAL(im_client_off(event->client, twin), IM_OK);
}

static void subscriptions_work_as_ever(void) {
    recorder once = RECORDER, removed = RECORDER, last = RECORDER;
    own_thread = pthread_self();
    im_client client = connected_manual();
    /* What nobody subscribes to waits, also behind a dispatch. */
    const char *args = "[\"early\",1]";
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    WAIT(info_number(client, "\"events\":") == 2);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK_EQUAL(info_number(client, "\"earlyEvents\":"), 2);
    int fd = im_client_wake_fd(client);
    CHECK(!is_readable(fd));
    CHECK(im_client_on(client, "connect", subscribe_in_callback, NULL) > 0);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 2);
    CHECK_EQUAL(recorded(&late, "early"), 1);
    /* Once is once; an off in a callback skips no other, and its free function runs here. */
    CHECK(im_client_once(client, "echo", record_here, &once) > 0);
    CHECK(im_client_on(client, "burst", remove_twin, NULL) > 0);
    twin = im_client_subscribe(client, "burst", 0, record_here, &removed, record_free_here);
    CHECK(im_client_on(client, "burst", record_here, &last) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "2"), IM_OK);
    CHECK_EQUAL(im_client_emit(client, "burst", "1"), IM_OK);
    DISPATCH_UNTIL(client, removed.freed == 1);
    CHECK_EQUAL(recorded(&once, "echo"), 1);
    CHECK(strcmp(wait_item(&once, "echo", 0).json, "\"inside\"") == 0);
    CHECK_EQUAL(recorded(&removed, NULL), 0);
    CHECK_EQUAL(recorded(&last, "burst"), 1);
    CHECK(!is_readable(fd));
    /* Early events that have a subscriber now come to poll too, and before what came later. */
    args = "[\"later\",1]";
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    WAIT(info_number(client, "\"events\":") == 2);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK_EQUAL(im_client_emit(client, "echo", "3"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 1);
    CHECK(im_client_on(client, "later", record_here, &late) > 0);
    for (int i = 0; i < 3; i++) {
        const im_event *event = take(client);
        CHECK(strcmp(event->name, i < 2 ? "later" : "echo") == 0);
        im_event_release(event);
        CHECK_EQUAL(is_readable(fd), i < 2);
    }
    destroy(client);
    recorder_clear(&once);
    recorder_clear(&removed);
    recorder_clear(&last);
    recorder_clear(&late);
}

/* ---- Outcomes ---- */

static void outcomes_come_through_their_function(void) {
    recorder acks = RECORDER, events = RECORDER;
    own_thread = pthread_self();
    im_client client = connected_manual();
    CHECK(im_client_emit_with_ack(client, "echo", "7", 0, record_ack_here, &acks) > 0);
    DISPATCH_UNTIL(client, recorded(&acks, NULL) == 1);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 10, record_ack_here, &acks) > 0);
    DISPATCH_UNTIL(client, recorded(&acks, NULL) == 2);
    int64_t request = im_client_emit_with_ack(client, "silent", "1", 0, record_ack_here, &acks);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 1);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 0, record_ack_here, &acks) > 0);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, record_ack_here, &events) > 0);
    DISPATCH_UNTIL(client, recorded(&events, NULL) == 1);
    post("drop", "{}");
    DISPATCH_UNTIL(client, recorded(&acks, NULL) == 4);
    /* One without a function is for poll alone. */
    request = im_client_emit_with_ack(client, "silent", "1", 0, NULL, NULL);
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 0, record_ack_here, &acks) > 0);
    destroy(client);
    static const im_status expected[] = {IM_OK, IM_ERROR_TIMEOUT, IM_ERROR_CANCELED,
                                         IM_ERROR_DISCONNECTED, IM_ERROR_CANCELED};
    CHECK_EQUAL(recorded(&acks, NULL), 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(wait_item(&acks, NULL, i).status, expected[i]);
    recorder_clear(&acks);
    recorder_clear(&events);
}

/* The receipt waits for the last callback, also where max comes between. */
static void a_message_is_receipted_after_its_last_callback(void) {
    static const char args[] =
        "[\"c_message\",{\"meta\":{\"timestamp\":1},\"code\":0,\"data\":{\"action\":\"CHAT_"
        "MESSAGE\",\"payload\":{\"type\":1,\"from\":\"b\",\"to\":\"a\",\"content\":\"hi\","
        "\"fp\":\"f\"}}}]";
    recorder acks = RECORDER;
    im_client client = new_client("/chat", MANUAL);
    int before = in_stats("\"name\":\"c_message_ack\"");
    CHECK(im_client_on(client, IM_CHAT_MESSAGE, ignore, NULL) > 0);
    CHECK(im_client_on(client, IM_CHAT_MESSAGE, ignore, NULL) > 0);
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, PATIENCE_MS, 1), 1);
    CHECK(im_client_emit_with_ack(client, "echo", "1", 0, record_ack, &acks) > 0);
    WAIT(info_number(client, "\"events\":") == 1);
    CHECK_EQUAL(in_stats("\"name\":\"c_message_ack\""), before);
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
    WAIT(in_stats("\"name\":\"c_message_ack\"") == before + 1);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 1);
    destroy(client);
    recorder_clear(&acks);
}

/* What is sent counts as its callbacks do: one by one where max says so, and nothing where nobody
 * is left. */
static void callbacks_for_what_is_sent_count_as_others_do(void) {
    recorder sent = RECORDER;
    im_client client = connected_manual();
    int64_t ids[3];
    for (int i = 0; i < 3; i++)
        CHECK((ids[i] = im_client_on_any_outgoing(client, record, &sent)) > 0);
    CHECK_EQUAL(im_client_emit(client, "silent", "1"), IM_OK);
    for (int called = 1; called <= 3; called++) {
        CHECK_EQUAL(im_client_dispatch(client, PATIENCE_MS, 1), 1);
        CHECK_EQUAL(recorded(&sent, "silent"), called);
    }
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK_EQUAL(im_client_emit(client, "silent", "2"), IM_OK);
    CHECK_EQUAL(im_client_flush(client, PATIENCE_MS), IM_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(im_client_off(client, ids[i]), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK_EQUAL(recorded(&sent, "silent"), 3);
    destroy(client);
    recorder_clear(&sent);
}

CASES("dispatch", CASE(ten_thousand_events_come_in_order_on_this_thread),
      CASE(nothing_is_called_but_from_dispatch), CASE(max_bounds_the_callbacks_of_a_call),
      CASE(what_dispatch_has_begun_poll_may_take), CASE(the_timeout_waits_for_the_first),
      CASE(one_thread_calls_at_a_time), CASE(the_turn_goes_on), CASE(subscriptions_work_as_ever),
      CASE(outcomes_come_through_their_function),
      CASE(a_message_is_receipted_after_its_last_callback),
      CASE(callbacks_for_what_is_sent_count_as_others_do))

/* Manual delivery: im_client_wake, and the descriptor for event loops. Here is where a wake-up
 * could get lost. */

#include "manual.h"

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }

static im_client idle_manual(void) { return new_client("/", MANUAL ",\"autoConnect\":false"); }

static void woken(im_client client, int64_t timeout_ms) {
    const im_event *event = (const im_event *)&event;
    CHECK_EQUAL(im_client_poll(client, timeout_ms, &event), IM_WOKEN);
    CHECK(event == NULL);
}

/* ---- Wake ---- */

static void a_wake_before_is_remembered_once(void) {
    im_client client = idle_manual();
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(im_client_wake(client), IM_OK);
    woken(client, -1);
    nothing_waits(client);
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, -1, 0), 0);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK(strcmp(im_status_name(IM_WOKEN), "IM_WOKEN") == 0 && IM_WOKEN > 0);
    destroy(client);
    CHECK_EQUAL(im_client_wake(client), IM_ERROR_HANDLE);
}

/* It goes before the events: in a flood it would never be seen behind them. None is lost. */
static void a_wake_goes_before_what_waits(void) {
    enum { MANY = 200 };
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    WAIT(info_number(client, "\"events\":") == MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQUAL(im_client_wake(client), IM_OK);
        woken(client, 0);
        const im_event *event = take(client);
        CHECK_EQUAL(atoi(event->json), i);
        im_event_release(event);
    }
    nothing_waits(client);
    destroy(client);
}

/* In a dispatch too, between two callbacks. */
static atomic_int calls;
static void wake_on_third(const im_event *event, void *data) {
    (void)data;
    if (++calls == 3)
        CHECK_EQUAL(im_client_wake(event->client), IM_OK);
}
static void a_wake_ends_a_dispatch_between_two_callbacks(void) {
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    calls = 0;
    CHECK(im_client_on(client, "burst", wake_on_third, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 10);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 3);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 7);
    destroy(client);
}

/* Each wake ends one of those who wait; nobody waits on after it, and nobody is woken for nothing.
 */
static atomic_int ended;
static void *poll_for_a_wake(void *data) {
    woken(*(im_client *)data, -1);
    ended++;
    return NULL;
}
static void *dispatch_for_a_wake(void *data) {
    CHECK_EQUAL(im_client_dispatch(*(im_client *)data, -1, 0), 0);
    ended++;
    return NULL;
}
static void each_wake_ends_one_who_waits(void) {
    enum { WAITERS = 6 };
    im_client client = idle_manual();
    for (int round = 0; round < 20; round++) {
        pthread_t threads[WAITERS];
        ended = 0;
        /* Two of them wait for their turn to dispatch. */
        for (int i = 0; i < WAITERS; i++)
            threads[i] = run_thread(i < 3 ? dispatch_for_a_wake : poll_for_a_wake, &client);
        for (int i = 0; i < WAITERS; i++) {
            CHECK_EQUAL(im_client_wake(client), IM_OK);
            WAIT(ended == i + 1);
        }
        for (int i = 0; i < WAITERS; i++)
            pthread_join(threads[i], NULL);
        nothing_waits(client);
    }
    destroy(client);
}

/* One wake after another, each only when the one before was seen: the first that is lost hangs. */
static atomic_int seen;
static void *count_wakes(void *data) {
    const im_event *event;
    im_status status;
    while ((status = im_client_poll(*(im_client *)data, -1, &event)) == IM_WOKEN)
        seen++;
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void no_wake_is_lost(void) {
    im_client client = idle_manual();
    pthread_t thread = run_thread(count_wakes, &client);
    seen = 0;
    for (int i = 0; i < 5000; i++) {
        CHECK_EQUAL(im_client_wake(client), IM_OK);
        while (seen <= i)
            sched_yield();
    }
    destroy(client);
    pthread_join(thread, NULL);
    CHECK_EQUAL(seen, 5000);
}

/* Pollers and dispatchers, woken and not: whatever is sent comes to one of them while all others
 * sleep. */
static atomic_int came;
static void count_echo(const im_event *event, void *data) { (void)event, (void)data, came++; }
static void *take_by_poll(void *data) {
    const im_event *event;
    im_status status;
    while ((status = im_client_poll(*(im_client *)data, -1, &event)) >= 0) {
        came += event != NULL && strcmp(event->name, "echo") == 0;
        im_event_release(event);
    }
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void *take_by_dispatch(void *data) {
    im_status status;
    while ((status = im_client_dispatch(*(im_client *)data, -1, 1)) >= 0) {
    }
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void no_event_waits_while_everybody_sleeps(void) {
    enum { TAKERS = 5 };
    im_client client = connected_manual();
    pthread_t threads[TAKERS];
    CHECK(im_client_on(client, "echo", count_echo, NULL) > 0);
    for (int i = 0; i < TAKERS; i++)
        threads[i] = run_thread(i < 2 ? take_by_dispatch : take_by_poll, &client);
    for (int i = 0; i < 600; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
        if (i % 3 == 0)
            CHECK_EQUAL(im_client_wake(client), IM_OK);
        if (i % 5 == 0)
            im_client_off(client, im_client_on(client, "x", ignore, NULL));
        WAIT(came == i + 1);
    }
    destroy(client);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
}

CASES("wake", CASE(a_wake_before_is_remembered_once), CASE(a_wake_goes_before_what_waits),
      CASE(a_wake_ends_a_dispatch_between_two_callbacks), CASE(each_wake_ends_one_who_waits),
      CASE(no_wake_is_lost), CASE(no_event_waits_while_everybody_sleeps))

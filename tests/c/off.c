/* Promise 4: off never blocks, nothing starts after it, and it skips nobody. */

#include "check.h"

static gate held;
static atomic_int calls, frees;

static void count_call(const im_event *event, void *data) { (void)event, ++*(atomic_int *)data; }
static void count_free(void *data) { ++*(atomic_int *)data; }

static void hold(const im_event *event, void *data) {
    (void)event, (void)data;
    calls++;
    gate_wait(&held);
}

/* The callback waits for what comes after off: an off that blocks waits in vain. */
static void never_blocks_and_the_free_function_waits(void) {
    im_client client = connected_client();
    int64_t id = im_client_subscribe(client, "echo", 0, hold, &frees, count_free);
    CHECK(id > 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(held.waiting == 1);
    CHECK_EQUAL(im_client_off(client, id), IM_OK);
    CHECK_EQUAL(held.waiting, 1);
    CHECK_EQUAL(frees, 0);
    CHECK_EQUAL(im_client_off(client, id), IM_ERROR_NOT_FOUND);
    held.open = true;
    WAIT(frees == 1);
    round_trip(client);
    CHECK_EQUAL(calls, 1);
    CHECK_EQUAL(frees, 1);
    destroy(client);
    CHECK_EQUAL(frees, 1);
}

/* In a flood. A call may have been under way when off returned: one at most, and it ends before the
 * free function runs. */
typedef struct subscription {
    atomic_int calls, running, freed, after_free;
} subscription;

static void on_flood(const im_event *event, void *data) {
    subscription *it = data;
    (void)event;
    it->running++;
    if (it->freed)
        it->after_free++;
    it->calls++;
    it->running--;
}
static void on_flood_free(void *data) {
    subscription *it = data;
    if (it->running)
        it->after_free++;
    it->freed++;
}

static void in_a_flood_no_call_starts_after_it(void) {
    enum { ROUNDS = 200 };
    static subscription all[ROUNDS];
    im_client client = connected_client();
    static atomic_int others;
    CHECK(im_client_on(client, "burst", count_call, &others) > 0);
    for (int round = 0; round < ROUNDS; round++) {
        if (round % 20 == 0)
            CHECK_EQUAL(im_client_emit(client, "burst", "2000"), IM_OK);
        subscription *it = &all[round];
        int64_t id = im_client_subscribe(client, "burst", 0, on_flood, it, on_flood_free);
        CHECK(id > 0);
        int before = others;
        for (int spin = 0; others < before + 3 && spin < 2000; spin++)
            sched_yield();
        CHECK_EQUAL(im_client_off(client, id), IM_OK);
        int at_return = it->calls;
        WAIT(it->freed == 1);
        CHECK(it->calls <= at_return + 1);
    }
    WAIT(others == ROUNDS / 20 * 2000);
    destroy(client);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(all[i].after_free, 0);
        CHECK_EQUAL(all[i].freed, 1);
    }
}

/* Inside a callback: nobody else's call is skipped, and those that are off are not called any more.
 */
static int64_t ids[6];
static char order[16];

static void note(void *data) {
    char text[2] = {*(const char *)data, 0};
    strcat(order, text);
}
static void only_note(const im_event *event, void *data) {
    if (strcmp(event->name, "echo") == 0)
        note(data);
}
static void off_itself(const im_event *event, void *data) {
    note(data);
    CHECK_EQUAL(im_client_off(event->client, ids[1]), IM_OK);
}
static void off_the_one_before_and_the_one_after(const im_event *event, void *data) {
    note(data);
    CHECK_EQUAL(im_client_off(event->client, ids[0]), IM_OK);
    CHECK_EQUAL(im_client_off(event->client, ids[3]), IM_OK);
    CHECK(im_client_on(event->client, "echo", only_note, "F") > 0);
}

static void off_inside_a_callback_skips_no_other(void) {
    im_client client = connected_client();
    ids[0] = im_client_on(client, "echo", only_note, "A");
    ids[1] = im_client_on(client, "echo", off_itself, "B");
    ids[2] = im_client_once(client, "echo", off_the_one_before_and_the_one_after, "C");
    ids[3] = im_client_on(client, "echo", only_note, "D");
    ids[4] = im_client_on(client, "echo", only_note, "E");
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    round_trip(client);
    CHECK(strcmp(order, "ABCE") == 0);
    order[0] = 0;
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    round_trip(client);
    /* One that came during the delivery gets the next event. */
    CHECK(strcmp(order, "EF") == 0);
    destroy(client);
}

static void off_event(const im_event *event, void *data) {
    note(data);
    CHECK_EQUAL(im_client_off_event(event->client, "echo"), IM_OK);
}

static void off_event_ends_them_all(void) {
    im_client client = connected_client();
    order[0] = 0;
    frees = 0;
    ids[0] = im_client_on(client, "echo", off_event, "A");
    ids[1] = im_client_subscribe(client, "echo", 0, only_note, &frees, count_free);
    ids[2] = im_client_on_any(client, only_note, "C");
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    round_trip(client);
    CHECK(strcmp(order, "AC") == 0);
    /* It runs behind what was delivered already, the round trip's answer perhaps. */
    WAIT(frees == 1);
    CHECK_EQUAL(im_client_off_event(client, "echo"), IM_ERROR_NOT_FOUND);
    CHECK_FAULT(IM_ERROR_NOT_FOUND, "echo");
    CHECK_EQUAL(im_client_off(client, ids[1]), IM_ERROR_NOT_FOUND);
    /* Both names of an IM event are one. */
    frees = 0;
    CHECK(im_client_subscribe(client, "c_message", 0, only_note, &frees, count_free) > 0);
    CHECK(im_client_subscribe(client, "CHAT_MESSAGE", 0, only_note, &frees, count_free) > 0);
    CHECK_EQUAL(im_client_off_event(client, "CHAT_MESSAGE"), IM_OK);
    WAIT(frees == 2);
    destroy(client);
}

CASES("off", CASE(never_blocks_and_the_free_function_waits),
      CASE(in_a_flood_no_call_starts_after_it), CASE(off_inside_a_callback_skips_no_other),
      CASE(off_event_ends_them_all))

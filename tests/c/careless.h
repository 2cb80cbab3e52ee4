/* What careless callers share, write, and do where they are called back. */

#ifndef CARELESS_H
#define CARELESS_H

#include "check.h"

typedef struct dice {
    uint64_t state;
} dice;

static uint32_t roll(dice *dice, uint32_t sides) {
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (uint32_t)(dice->state >> 33) % sides;
}

/* What each thread does comes from the seed of the run. */
static dice dice_of(int thread) {
    const char *seed = getenv("IM_TORTURE_SEED");
    uint64_t number = seed == NULL ? 1 : strtoull(seed, NULL, 10);
    return (dice){0x9e3779b97f4a7c15u * (number * 1000 + (uint64_t)thread + 1)};
}

/* ---- What they share ---- */

enum { SLOTS = 6, KEPT = 4, LIVE = 24 };

static _Atomic(im_client) slots[SLOTS];
static _Atomic(im_client) stale = 77;
static _Atomic(const im_event *) kept[KEPT];
/* Outcomes promised and told, free functions given and run. */
static atomic_int accepted, answered, given, freed, events;
/* How many of the slots are used. */
static uint32_t used_slots = SLOTS;

static im_client some_client(dice *dice) {
    switch (roll(dice, 12)) {
    case 0:
        return 0;
    case 1:
        return stale;
    case 2:
        return (im_client)roll(dice, 1000) << 40 | roll(dice, 1000);
    default:
        return slots[roll(dice, used_slots)];
    }
}

/* ---- What they write, and what they should not ---- */

static const char *const texts[] = {
    "1",
    "null",
    "{\"from\":\"a\",\"to\":\"b\",\"content\":\"hi\",\"type\":1}",
    "[{\"fp\":\"1\",\"type\":1},{\"fp\":\"1\",\"type\":1}]",
    "[\"echo\",[1,2",
    "",
    "\xff\xfe",
    "\xc0\x80",
    "{\"_placeholder\":true,\"num\":0}",
    NULL,
};

static const char *const names[] = {"echo", "echo", "silent", "burst", "connect", "disconnect"};

static const char *some_text(dice *dice) { return texts[roll(dice, sizeof texts / sizeof *texts)]; }
/* The half of the names is good, and some of the arguments. */
static const char *some_name(dice *dice) {
    return roll(dice, 2) == 0 ? some_text(dice) : names[roll(dice, sizeof names / sizeof *names)];
}
static const char *some_json(dice *dice) { return texts[roll(dice, roll(dice, 2) == 0 ? 3 : 8)]; }
static size_t length_of(const char *text) { return text == NULL ? 0 : strlen(text); }

static char *huge_text(void) {
    size_t size = 200000;
    char *huge = malloc(size);
    CHECK(huge != NULL);
    memset(huge, 'x', size);
    huge[0] = huge[size - 2] = '"';
    huge[size - 1] = 0;
    return huge;
}

static const im_blob blobs[2] = {{"blob", 4}, {NULL, 0}};

/* ---- What is called back ---- */

static atomic_uint callbacks;

/* One callback of the whole run blocks for seconds. */
enum { BLOCKING_CALLBACK = 200, BLOCKED_MS = 2000 };

static void keep(const im_event *event, uint32_t at) {
    im_event_release(atomic_exchange(&kept[at % KEPT], im_event_retain(event)));
}

/* What one callback, the next, does besides. */
static void (*_Atomic once_inside)(void);

/* Every function that the library calls comes here, and may end its client or another. */
static void inside(im_client client, const char *event) {
    uint32_t turn = callbacks++;
    void (*more)(void) = atomic_exchange(&once_inside, NULL);
    if (more != NULL)
        more();
    if (turn == BLOCKING_CALLBACK)
        pass_ms(BLOCKED_MS);
    switch (turn % 61) {
    case 0:
        CHECK(im_client_destroy(client) != IM_OK);
        break;
    case 1:
        CHECK(im_client_destroy(slots[turn % used_slots]) != IM_OK);
        break;
    case 2:
        im_client_off_event(client, event);
        break;
    case 3:
        pass_ms(3);
        break;
    case 4:
        im_client_emit(client, "echo", "1");
        break;
    case 5:
        CHECK(im_client_flush(client, 10) < 0);
        break;
    case 6:
        im_client_close(client);
        break;
    case 7:
        CHECK_EQUAL(im_shutdown(10), IM_ERROR_DEADLOCK);
        break;
    default:
        break;
    }
}

static void on_event(const im_event *event, void *data) {
    (void)data;
    events++;
    CHECK(strlen(event->json) == event->json_len && im_event_args(event) != NULL);
    if (event->kind == IM_EVENT_KIND_REQUEST)
        im_client_answer(event->client, event->request, "null");
    if (event->ack_id != 0)
        im_event_reply(event, "1");
    keep(event, callbacks);
    inside(event->client, event->name);
}

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)data;
    CHECK(status <= 0);
    inside(reply == NULL ? (im_client)stale : reply->client, NULL);
    answered++;
}

static void on_free(void *data) {
    (void)data;
    inside(stale, "echo");
    freed++;
}

static void on_done(void *data) {
    (void)data;
    inside(stale, "echo");
    answered++;
}

static void on_log(int32_t level, const char *line, void *data) {
    (void)data;
    CHECK(level > IM_LOG_OFF && line != NULL);
    inside(stale, "echo");
}

#endif

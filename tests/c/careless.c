/* Threads that call whatever comes to their mind, with handles that others are destroying. What is
   done comes from a seed. Run as it is, under valgrind and under AddressSanitizer, and for longer
   by `make torture`. */

#include "check.h"

enum { THREADS = 8, SLOTS = 6, CALLS = 1500, LIVE = 4 };

static _Atomic(im_client) slots[SLOTS];
static _Atomic(im_client) stale = 77;
static atomic_int accepted, answered, given, freed, calls;

typedef struct dice {
    uint64_t state;
} dice;

static uint32_t roll(dice *dice, uint32_t sides) {
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (uint32_t)(dice->state >> 33) % sides;
}

/* ---- What callers write, and what they should not ---- */

static const char *const texts[] = {
    "1",
    "null",
    "{\"from\":\"a\",\"to\":\"b\",\"content\":\"hi\",\"type\":1}",
    "[1,2",
    "",
    "\xff\xfe",
    "\xc0\x80",
    "{\"_placeholder\":true,\"num\":0}",
    "echo",
    "burst",
    "connect",
    NULL,
};

static const char *some_text(dice *dice) { return texts[roll(dice, sizeof texts / sizeof *texts)]; }

static char *huge_text(void) {
    size_t size = 200000;
    char *huge = malloc(size);
    CHECK(huge != NULL);
    memset(huge, 'x', size);
    huge[0] = huge[size - 2] = '"';
    huge[size - 1] = 0;
    return huge;
}

static im_client some_client(dice *dice) {
    switch (roll(dice, 12)) {
    case 0:
        return 0;
    case 1:
        return stale;
    case 2:
        return (im_client)roll(dice, 1000) << 40 | roll(dice, 1000);
    default:
        return slots[roll(dice, SLOTS)];
    }
}

/* ---- What is called back ---- */

static void on_event(const im_event *event, void *data) {
    (void)data;
    CHECK(strlen(event->json) == event->json_len);
    switch (event->json_len % 7) {
    case 0:
        im_client_destroy(event->client);
        break;
    case 1:
        im_client_off_event(event->client, event->name);
        break;
    case 2:
        pass_ms(3);
        break;
    case 3:
        im_client_emit(event->client, "echo", event->json);
        break;
    case 4:
        CHECK(im_client_flush(event->client, 10) < 0);
        break;
    default:
        break;
    }
}

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)data;
    CHECK(status <= 0);
    if (reply != NULL)
        on_event(reply, NULL);
    answered++;
}

static void on_free(void *data) { (void)data, freed++; }

static void on_done(void *data) { (void)data, answered++; }

/* ---- One call ---- */

static void make_one(dice *dice) {
    static const char *const more[] = {"",
                                       ",\"delivery\":\"manual\"",
                                       ",\"autoConnect\":false",
                                       ",\"transports\":[\"polling\"]",
                                       ",\"multiplex\":true",
                                       ",\"sendQueueBytes\":100,\"receiveQueueBytes\":100",
                                       ",\"nonsense\":1"};
    im_client none = 0, made;
    if (im_client_count() >= LIVE * SLOTS)
        return;
    made = im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\"%s}", root,
                              more[roll(dice, sizeof more / sizeof *more)]));
    if (made == 0)
        return;
    if (!atomic_compare_exchange_strong(&slots[roll(dice, SLOTS)], &none, made))
        im_client_destroy(made);
}

static void end_one(dice *dice) {
    im_client it = atomic_exchange(&slots[roll(dice, SLOTS)], 0);
    if (roll(dice, 2) == 0) {
        im_client_destroy(it);
    } else {
        accepted++;
        if (im_client_destroy_async(it, on_done, NULL) != IM_OK)
            accepted--;
    }
    stale = it;
}

/* The outcome may come before the call returns, so it is expected before. */
#define REQUEST(call)                                                                              \
    do {                                                                                           \
        accepted++;                                                                                \
        if ((call) <= 0)                                                                           \
            accepted--;                                                                            \
    } while (0)

static void send_one(dice *dice, im_client it) {
    const char *a = some_text(dice), *b = some_text(dice);
    im_blob blobs[2] = {{"blob", 4}, {NULL, 0}};
    char *huge;
    switch (roll(dice, 9)) {
    case 0:
        im_client_emit(it, a, b);
        break;
    case 1:
        REQUEST(im_client_emit_with_ack(it, a, b, (int64_t)roll(dice, 60) - 1, on_ack, NULL));
        break;
    case 2:
        given++;
        REQUEST(im_client_emit_args_with_ack(it, a, a == NULL ? 0 : strlen(a), b,
                                             b == NULL ? 0 : strlen(b), blobs, roll(dice, 3),
                                             roll(dice, 4), 50, on_ack, NULL, on_free));
        break;
    case 3:
        REQUEST(im_client_send_message(it, b, 50, on_ack, NULL));
        break;
    case 4:
        huge = huge_text();
        im_client_emit(it, "echo", huge);
        free(huge);
        break;
    case 5:
        im_client_reply(it, roll(dice, 5), b);
        break;
    case 6:
        im_client_cancel(it, roll(dice, 2000));
        break;
    case 7:
        im_client_clear_send_buffer(it);
        break;
    default:
        im_client_emit(it, roll(dice, 2) == 0 ? "burst" : "echo", "3");
        break;
    }
}

static void listen_to_one(dice *dice, im_client it) {
    const char *event = some_text(dice);
    switch (roll(dice, 6)) {
    case 0:
        im_client_on(it, event, on_event, NULL);
        break;
    case 1:
        im_client_once(it, event, on_event, NULL);
        break;
    case 2:
        given++;
        im_client_subscribe(it, event, roll(dice, 5), on_event, NULL, on_free);
        break;
    case 3:
        im_client_off(it, roll(dice, 200));
        break;
    case 4:
        im_client_off_event(it, event);
        break;
    default:
        im_client_on(it, event, NULL, NULL);
        break;
    }
}

static void ask_one(dice *dice, im_client it) {
    const im_event *event = NULL;
    switch (roll(dice, 12)) {
    case 0:
        im_string_free(im_client_info(it));
        break;
    case 1:
        im_string_free(im_client_socket_id(it));
        break;
    case 2:
        im_client_dispatch(it, 1, 5);
        break;
    case 3:
        /* An outcome that is taken here is told here. */
        if (im_client_poll(it, 1, &event) == IM_OK) {
            answered += event->kind == IM_EVENT_KIND_ACK;
            im_event_release(event);
        }
        break;
    case 4:
        im_client_close(it);
        break;
    case 5:
        im_client_open(it);
        break;
    case 6:
        im_client_background(it);
        break;
    case 7:
        im_client_foreground(it);
        break;
    case 8:
        im_client_network_changed(it);
        break;
    case 9:
        im_client_set_auth(it, some_text(dice));
        break;
    case 10:
        im_client_flush(it, 1 + roll(dice, 5));
        break;
    default:
        CHECK(im_last_error() != NULL && im_client_state(it) <= IM_STATE_RECONNECTING);
        break;
    }
}

static int calls_wanted(void) {
    const char *wanted = getenv("IM_TORTURE_CALLS");
    return wanted == NULL ? CALLS : atoi(wanted) / THREADS;
}

static void *be_careless(void *data) {
    dice dice = {*(uint64_t *)data};
    for (int i = 0, most = calls_wanted(); i < most; i++, calls++) {
        switch (roll(&dice, 14)) {
        case 0:
            make_one(&dice);
            break;
        case 1:
            if (roll(&dice, 3) == 0)
                end_one(&dice);
            break;
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
            send_one(&dice, some_client(&dice));
            break;
        case 7:
        case 8:
            listen_to_one(&dice, some_client(&dice));
            break;
        default:
            ask_one(&dice, some_client(&dice));
            break;
        }
        CHECK(im_last_status() != IM_ERROR_PANIC);
    }
    return NULL;
}

static void careless_threads_do_no_harm_and_nothing_is_lost(void) {
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    const char *seed = getenv("IM_TORTURE_SEED");
    /* The first client of a process may leave a socket pair, which is the process's: tokio's, for
     * signals, where somebody who shares the build asks for that. */
    destroy(connected_client());
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    int fds = count_fds(), before = count_threads("");
    for (int i = 0; i < THREADS; i++) {
        seeds[i] =
            0x9e3779b97f4a7c15u * ((seed == NULL ? 1 : strtoull(seed, NULL, 10)) + (uint64_t)i);
        threads[i] = run_thread(be_careless, &seeds[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(calls >= THREADS * calls_wanted());
    for (int i = 0; i < SLOTS; i++)
        im_client_destroy(slots[i]);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    WAIT(answered == accepted);
    WAIT(freed == given);
    CHECK(accepted > 0 && given > 0);
    CHECK_EQUAL(im_client_count(), 0);
    WAIT(count_threads("") == before);
    CHECK_EQUAL(count_fds(), fds);
}

CASES("careless", CASE(careless_threads_do_no_harm_and_nothing_is_lost))

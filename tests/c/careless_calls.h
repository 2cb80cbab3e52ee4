/* A call of each function of the header, with whatever comes; a test sees to it that none is
 * missing. */

#ifndef CARELESS_CALLS_H
#define CARELESS_CALLS_H

#include "careless.h"

/* ---- A call of each function ---- */

#define CALL(function)                                                                             \
    static void call_##function(dice *dice __attribute__((unused)),                                \
                                im_client it __attribute__((unused)))
#define CALL_WITH_HANDLE(function)                                                                 \
    CALL(function) { function(it); }
/* The outcome may come before the call returns, so it is expected before. */
#define REQUEST(call)                                                                              \
    do {                                                                                           \
        accepted++;                                                                                \
        if ((call) <= 0)                                                                           \
            accepted--;                                                                            \
    } while (0)

CALL_WITH_HANDLE(im_client_open)
CALL_WITH_HANDLE(im_client_close)
CALL_WITH_HANDLE(im_client_destroy_socket)
CALL_WITH_HANDLE(im_client_clear_send_buffer)
CALL_WITH_HANDLE(im_client_network_changed)
CALL_WITH_HANDLE(im_client_background)
CALL_WITH_HANDLE(im_client_foreground)
CALL_WITH_HANDLE(im_client_wake)
CALL_WITH_HANDLE(im_client_wake_fd)

CALL(im_client_new) {
    static const char *const more[] = {"",
                                       ",\"delivery\":\"manual\"",
                                       ",\"autoConnect\":false",
                                       ",\"transports\":[\"polling\"]",
                                       ",\"multiplex\":true",
                                       ",\"sendQueueBytes\":100,\"receiveQueueBytes\":100",
                                       ",\"askAuth\":true,\"askQuery\":true,\"timeout\":500",
                                       ",\"nonsense\":1"};
    /* In the place of one that is dead by now. */
    _Atomic(im_client) *place = &slots[roll(dice, used_slots)];
    if (im_client_count() >= LIVE || im_client_state(*place) >= 0)
        return;
    im_client made =
        im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\"%s}", root,
                           more[roll(dice, roll(dice, 2) == 0 ? 1 : sizeof more / sizeof *more)]));
    stale = atomic_exchange(place, made);
    im_client_destroy(stale);
    /* Others use it meanwhile; that some are connected is worth a moment. */
    for (int ms = 0; ms < 300 && im_client_state(made) == IM_STATE_CONNECTING; ms++)
        pass_ms(1);
}

CALL(im_client_destroy) {
    stale = atomic_exchange(&slots[roll(dice, used_slots)], 0);
    im_client_destroy(stale);
}
CALL(im_client_destroy_async) {
    im_client victim = atomic_exchange(&slots[roll(dice, used_slots)], 0);
    accepted++;
    if (im_client_destroy_async(victim, on_done, NULL) != IM_OK)
        accepted--;
    stale = victim;
}

CALL(im_client_emit) { im_client_emit(it, some_name(dice), some_json(dice)); }
CALL(im_client_emit_args) {
    char *huge = huge_text();
    im_client_emit_args(it, "echo", 4, huge, roll(dice, 2) == 0 ? strlen(huge) : 100, blobs,
                        roll(dice, 3), roll(dice, 4));
    free(huge);
}
CALL(im_client_emit_with_ack) {
    REQUEST(im_client_emit_with_ack(it, some_name(dice), some_json(dice),
                                    (int64_t)roll(dice, 60) - 1, on_ack, NULL));
}
CALL(im_client_emit_args_with_ack) {
    const char *a = some_name(dice), *b = some_text(dice);
    given++;
    REQUEST(im_client_emit_args_with_ack(it, a, length_of(a), b, length_of(b), blobs, roll(dice, 3),
                                         roll(dice, 4), 50, on_ack, NULL, on_free));
}
CALL(im_client_send_message) {
    REQUEST(im_client_send_message(it, some_json(dice), 50, on_ack, NULL));
}
CALL(im_client_cancel) { im_client_cancel(it, roll(dice, 2000)); }
CALL(im_client_reply) { im_client_reply(it, roll(dice, 5), some_json(dice)); }
CALL(im_client_reply_args) {
    const char *args = some_text(dice);
    im_client_reply_args(it, roll(dice, 5), args, length_of(args), blobs, roll(dice, 3));
}
CALL(im_client_answer) { im_client_answer(it, (int64_t)roll(dice, 20), some_text(dice)); }
CALL(im_client_set_auth) { im_client_set_auth(it, some_json(dice)); }
CALL(im_client_set_query) { im_client_set_query(it, some_json(dice)); }
CALL(im_client_flush) { im_client_flush(it, 1 + roll(dice, 5)); }

CALL(im_client_on) {
    im_client_on(it, some_name(dice), roll(dice, 5) == 0 ? NULL : on_event, NULL);
}
CALL(im_client_once) { im_client_once(it, some_name(dice), on_event, NULL); }
CALL(im_client_on_any) { im_client_on_any(it, on_event, NULL); }
CALL(im_client_on_any_outgoing) { im_client_on_any_outgoing(it, on_event, NULL); }
CALL(im_client_subscribe) {
    given++;
    im_client_subscribe(it, some_name(dice), roll(dice, 5), on_event, NULL, on_free);
}
CALL(im_client_off) { im_client_off(it, roll(dice, 200)); }
CALL(im_client_off_event) { im_client_off_event(it, some_name(dice)); }

/* An outcome that is taken here is told here. */
static void took(dice *dice, im_status status, const im_event *event) {
    CHECK((status == IM_OK) == (event != NULL));
    if (event == NULL)
        return;
    answered += event->kind == IM_EVENT_KIND_ACK;
    if (roll(dice, 3) == 0)
        keep(event, roll(dice, KEPT));
    im_event_release(event);
}
CALL(im_client_poll) {
    const im_event *event = NULL;
    im_status status = im_client_poll(it, 1, &event);
    took(dice, status, event);
}
CALL(im_client_poll_outcome) {
    const im_event *event = NULL;
    im_status status = im_client_poll_outcome(it, 1, &event);
    took(dice, status, event);
}
CALL(im_client_dispatch) { im_client_dispatch(it, 1, 5); }

/* Those of events that somebody has kept, on a thread that never had them. */
static const im_event *take_kept(dice *dice) {
    return atomic_exchange(&kept[roll(dice, KEPT)], NULL);
}
CALL(im_event_retain) {
    const im_event *event = take_kept(dice);
    im_event_release(im_event_retain(event));
    keep(event, roll(dice, KEPT));
    im_event_release(event);
}
CALL(im_event_release) { im_event_release(take_kept(dice)); }
CALL(im_event_discard) { im_event_discard(take_kept(dice)); }
CALL(im_event_reply) {
    const im_event *event = take_kept(dice);
    if (event != NULL)
        im_event_reply(event, some_json(dice));
    im_event_release(event);
}
CALL(im_event_args) {
    const im_event *event = take_kept(dice);
    CHECK((im_event_args(event) == NULL) == (event == NULL));
    im_event_release(event);
}
CALL(im_event_blob) {
    const im_event *event = take_kept(dice);
    im_blob blob;
    im_event_blob(event, roll(dice, 3), roll(dice, 3) == 0 ? NULL : &blob);
    im_event_release(event);
}

CALL(im_client_state) { CHECK(im_client_state(it) <= IM_STATE_RECONNECTING); }
CALL(im_client_info) { im_string_free(im_client_info(it)); }
CALL(im_client_socket_id) { im_string_free(im_client_socket_id(it)); }
CALL(im_client_count) { im_client_count(); }
CALL(im_version_number) { CHECK_EQUAL(im_version_number(), IM_VERSION_NUMBER); }
CALL(im_version_string) { CHECK(im_version_string()[0] != 0); }
CALL(im_version_check) { im_version_check(roll(dice, 20000)); }
CALL(im_status_name) { CHECK(im_status_name((im_status)roll(dice, 100) - 90) != NULL); }
CALL(im_status_text) { CHECK(im_status_text((im_status)roll(dice, 100) - 90) != NULL); }
CALL(im_last_error) { CHECK(im_last_error() != NULL); }
CALL(im_last_status) { CHECK(im_last_status() <= 0); }
CALL(im_string_free) { im_string_free(NULL); }
CALL(im_message_create) { im_string_free(im_message_create(some_text(dice))); }
CALL(im_timeline_id) { im_string_free(im_timeline_id(some_text(dice), some_text(dice))); }
CALL(im_messages_unique) { im_string_free(im_messages_unique(some_text(dice))); }
CALL(im_set_log_callback) {
    given++;
    im_set_log_callback((int32_t)roll(dice, 8) - 1, roll(dice, 3) == 0 ? on_log : NULL, NULL,
                        on_free);
}
CALL(im_shutdown) { im_shutdown(roll(dice, 50)); }

/* ---- Any of them ---- */

typedef struct call {
    const char *name;
    void (*run)(dice *, im_client);
    uint32_t weight;
} call;

#define ROW(function, weight)                                                                      \
    { #function, call_##function, weight }

static const call calls[] = {
    ROW(im_client_new, 360),
    ROW(im_client_destroy, 4),
    ROW(im_client_destroy_async, 4),
    ROW(im_client_open, 80),
    ROW(im_client_close, 12),
    ROW(im_client_destroy_socket, 4),
    ROW(im_client_emit, 240),
    ROW(im_client_emit_args, 24),
    ROW(im_client_emit_with_ack, 240),
    ROW(im_client_emit_args_with_ack, 160),
    ROW(im_client_send_message, 160),
    ROW(im_client_cancel, 80),
    ROW(im_client_reply, 80),
    ROW(im_client_reply_args, 80),
    ROW(im_client_answer, 40),
    ROW(im_client_clear_send_buffer, 40),
    ROW(im_client_flush, 80),
    ROW(im_client_set_auth, 40),
    ROW(im_client_set_query, 40),
    ROW(im_client_on, 80),
    ROW(im_client_once, 80),
    ROW(im_client_on_any, 40),
    ROW(im_client_on_any_outgoing, 40),
    ROW(im_client_subscribe, 160),
    ROW(im_client_off, 80),
    ROW(im_client_off_event, 80),
    ROW(im_client_poll, 120),
    ROW(im_client_poll_outcome, 80),
    ROW(im_client_dispatch, 120),
    ROW(im_client_wake, 40),
    ROW(im_client_wake_fd, 40),
    ROW(im_client_network_changed, 24),
    ROW(im_client_background, 8),
    ROW(im_client_foreground, 48),
    ROW(im_client_state, 40),
    ROW(im_client_info, 40),
    ROW(im_client_socket_id, 40),
    ROW(im_client_count, 16),
    ROW(im_event_retain, 40),
    ROW(im_event_release, 40),
    ROW(im_event_discard, 40),
    ROW(im_event_reply, 40),
    ROW(im_event_args, 40),
    ROW(im_event_blob, 40),
    ROW(im_version_number, 16),
    ROW(im_version_string, 16),
    ROW(im_version_check, 16),
    ROW(im_status_name, 16),
    ROW(im_status_text, 16),
    ROW(im_last_error, 16),
    ROW(im_last_status, 16),
    ROW(im_string_free, 16),
    ROW(im_message_create, 40),
    ROW(im_timeline_id, 16),
    ROW(im_messages_unique, 16),
    ROW(im_set_log_callback, 24),
    ROW(im_shutdown, 1),
};

enum { ROWS = sizeof calls / sizeof *calls };

static void call_it(const call *it, dice *dice) {
    it->run(dice, some_client(dice));
    CHECK(im_last_status() != IM_ERROR_PANIC);
}

static void call_anything(dice *dice) {
    const call *it = calls;
    uint32_t sum = 0;
    for (int i = 0; i < ROWS; i++)
        sum += calls[i].weight;
    for (uint32_t left = roll(dice, sum); left >= it->weight; it++)
        left -= it->weight;
    call_it(it, dice);
}

#endif

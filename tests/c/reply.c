/* Answers to the server's questions: once, from any thread, on their own connection. */

#include "check.h"

static void ask(im_client client, const char *value) {
    CHECK_EQUAL(im_client_emit(client, "ask", value), IM_OK);
}

static void answer_at_once(const im_event *event, void *data) {
    (void)data;
    CHECK(event->ack_id > 0);
    CHECK_EQUAL(event->kind, IM_EVENT_KIND_EVENT);
    CHECK_EQUAL(im_event_reply(event, text("{\"to\":%s}", event->json)), IM_OK);
    CHECK_EQUAL(im_event_reply(event, "2"), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_reply(event->client, event->ack_id, "3"), IM_ERROR_NOT_FOUND);
}

static void inside_the_callback_and_once(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "question", answer_at_once, NULL) > 0);
    CHECK(im_client_on(client, "answered", record, &events) > 0);
    for (int i = 0; i < 100; i++)
        ask(client, text("%d", i));
    for (int i = 0; i < 100; i++) {
        CHECK(strcmp(wait_item(&events, "answered", i).args, text("[{\"to\":%d}]", i)) == 0);
    }
    round_trip(client);
    CHECK_EQUAL(recorded(&events, "answered"), 100);
    destroy(client);
    recorder_clear(&events);
}

typedef struct job {
    im_client client;
    uint64_t ack_id;
    atomic_int *accepted;
} job;

static void *answer_later(void *data) {
    job *it = data;
    im_status status = im_client_reply(it->client, it->ack_id, "\"later\"");
    if (status == IM_OK) {
        ++*it->accepted;
    } else {
        CHECK_EQUAL(status, IM_ERROR_NOT_FOUND);
    }
    return NULL;
}

static void later_from_many_threads_one_answer_goes_out(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "question", record, &events) > 0);
    CHECK(im_client_on(client, "answered", record, &events) > 0);
    for (int round = 0; round < 20; round++) {
        ask(client, "1");
        atomic_int accepted = 0;
        job it = {client, wait_item(&events, "question", round).ack_id, &accepted};
        pthread_t threads[8];
        for (int i = 0; i < 8; i++)
            threads[i] = run_thread(answer_later, &it);
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
        CHECK_EQUAL(accepted, 1);
        CHECK(strcmp(wait_item(&events, "answered", round).args, "[\"later\"]") == 0);
    }
    round_trip(client);
    CHECK_EQUAL(recorded(&events, "answered"), 20);
    destroy(client);
    recorder_clear(&events);
}

static void out_of_order_and_without_a_value(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "question", record, &events) > 0);
    CHECK(im_client_on(client, "answered", record, &events) > 0);
    for (int i = 0; i < 3; i++)
        ask(client, text("%d", i));
    wait_item(&events, "question", 2);
    CHECK_EQUAL(im_client_reply(client, wait_item(&events, "question", 2).ack_id, "\"last\""),
                IM_OK);
    CHECK_EQUAL(im_client_reply(client, wait_item(&events, "question", 0).ack_id, NULL), IM_OK);
    /* What is no JSON answers nothing, and leaves the question open. */
    uint64_t open = wait_item(&events, "question", 1).ack_id;
    CHECK_EQUAL(im_client_reply(client, open, "{"), IM_ERROR_JSON);
    CHECK_EQUAL(im_client_reply(client, open, "\"\xff\""), IM_ERROR_UTF8);
    CHECK_EQUAL(im_client_reply(client, open, "[1,2]"), IM_OK);
    CHECK(strcmp(wait_item(&events, "answered", 0).args, "[\"last\"]") == 0);
    CHECK(strcmp(wait_item(&events, "answered", 1).args, "[]") == 0);
    CHECK(strcmp(wait_item(&events, "answered", 2).args, "[[1,2]]") == 0);
    destroy(client);
    recorder_clear(&events);
}

static void after_a_reconnect_nothing_is_sent(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on_any(client, record, &events) > 0);
    ask(client, "1");
    uint64_t old = wait_item(&events, "question", 0).ack_id;
    post("drop", "{}");
    wait_item(&events, "disconnect", 0);
    CHECK_EQUAL(im_client_reply(client, old, "1"), IM_ERROR_DISCONNECTED);
    wait_item(&events, "reconnect", 0);
    CHECK_EQUAL(im_client_reply(client, old, "1"), IM_ERROR_DISCONNECTED);
    /* The server counts its ids from 0 again: the old one's answer must not answer the new
     * question. */
    ask(client, "2");
    uint64_t new = wait_item(&events, "question", 1).ack_id;
    CHECK(new != old);
    CHECK_EQUAL(im_client_reply(client, old, "\"old\""), IM_ERROR_DISCONNECTED);
    CHECK_FAULT(IM_ERROR_DISCONNECTED, "connection");
    CHECK_EQUAL(im_client_reply(client, new, "\"new\""), IM_OK);
    CHECK(strcmp(wait_item(&events, "answered", 0).args, "[\"new\"]") == 0);
    round_trip(client);
    CHECK_EQUAL(recorded(&events, "answered"), 1);
    /* After a close too. */
    ask(client, "3");
    new = wait_item(&events, "question", 2).ack_id;
    CHECK_EQUAL(im_client_close(client), IM_OK);
    wait_item(&events, "disconnect", 1);
    CHECK_EQUAL(im_client_reply(client, new, "1"), IM_ERROR_DISCONNECTED);
    destroy(client);
    CHECK_EQUAL(im_client_reply(client, new, "1"), IM_ERROR_HANDLE);
    recorder_clear(&events);
}

static void nobody_waits_for_an_answer_to_ack_id_0(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", record, &events) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    CHECK_EQUAL(wait_item(&events, "echo", 0).ack_id, 0);
    CHECK_EQUAL(im_client_reply(client, 0, "1"), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_reply(client, 12345, "1"), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_reply(client, UINT64_MAX, "1"), IM_ERROR_NOT_FOUND);
    /* Of two clients each has its own questions. */
    im_client other = connected_client();
    CHECK(im_client_on(client, "question", record, &events) > 0);
    ask(client, "1");
    uint64_t id = wait_item(&events, "question", 0).ack_id;
    CHECK_EQUAL(im_client_reply(other, id, "1"), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_reply(client, id, "1"), IM_OK);
    destroy(other);
    destroy(client);
    recorder_clear(&events);
}

/* An event that was kept is answered long after its callback, and outlives its client. */
static const im_event *_Atomic kept;
static void keep(const im_event *event, void *data) { (void)data, kept = im_event_retain(event); }

static void an_event_that_was_kept(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "question", keep, NULL) > 0);
    CHECK(im_client_on(client, "answered", record, &events) > 0);
    ask(client, "\"kept\"");
    WAIT(kept != NULL);
    round_trip(client);
    const im_event *event = kept;
    CHECK(event->client == client && event->ack_id > 0 && event->size == sizeof *event);
    CHECK(strcmp(event->name, "question") == 0 && event->name_len == 8);
    CHECK(strcmp(event->json, "\"kept\"") == 0 && event->json_len == 6);
    CHECK_EQUAL(im_event_reply(event, "4"), IM_OK);
    wait_item(&events, "answered", 0);
    destroy(client);
    CHECK(strcmp(event->json, "\"kept\"") == 0);
    CHECK(strcmp(im_event_args(event), "[\"kept\"]") == 0);
    CHECK_EQUAL(im_event_reply(event, "5"), IM_ERROR_HANDLE);
    im_event_release(event);
    recorder_clear(&events);
}

CASES("reply", CASE(inside_the_callback_and_once),
      CASE(later_from_many_threads_one_answer_goes_out), CASE(out_of_order_and_without_a_value),
      CASE(after_a_reconnect_nothing_is_sent), CASE(nobody_waits_for_an_answer_to_ack_id_0),
      CASE(an_event_that_was_kept))

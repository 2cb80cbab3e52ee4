/* Manual delivery: what becomes of an event that poll gave, and of what ends meanwhile. */

#include "manual.h"

static void never(const im_event *event, void *data) {
    (void)event, (void)data;
    check_failed(__FILE__, __LINE__, "a callback was called");
}

/* ---- Events that are kept ---- */

static void events_outlive_their_client(void) {
    enum { KEPT = 50 };
    im_client client = connected_manual();
    const im_event *kept[KEPT];
    im_event_release(take_named(client, "connect"));
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", KEPT)), IM_OK);
    for (int i = 0; i < KEPT; i++)
        kept[i] = take(client);
    int64_t request = im_client_emit_with_ack(client, "silent", "1", 10, NULL, NULL);
    const im_event *outcome = take_outcome(client, request);
    CHECK_EQUAL(im_client_emit(client, "ask", "1"), IM_OK);
    const im_event *question = take_named(client, "question");
    CHECK(im_event_retain(question) == question);
    destroy(client);
    for (int i = 0; i < KEPT; i++) {
        CHECK(kept[i]->client == client && strcmp(kept[i]->name, "burst") == 0);
        CHECK_EQUAL(atoi(kept[i]->json), i);
        CHECK_EQUAL(atoi(im_event_args(kept[i]) + 1), i);
        im_event_release(kept[i]);
    }
    CHECK(outcome->status == IM_ERROR_TIMEOUT && strcmp(outcome->json, "null") == 0);
    im_event_release(outcome);
    CHECK_EQUAL(im_event_reply(question, "1"), IM_ERROR_HANDLE);
    im_event_release(question);
    im_event_release(question);
}

static void *answer(void *data) {
    const im_event *question = data;
    CHECK_EQUAL(im_event_reply(question, text("{\"to\":%s}", question->json)), IM_OK);
    CHECK_EQUAL(im_event_reply(question, "1"), IM_ERROR_NOT_FOUND);
    im_event_release(question);
    return NULL;
}

static void questions_are_answered_later_from_any_thread(void) {
    enum { QUESTIONS = 20 };
    im_client client = connected_manual();
    const im_event *questions[QUESTIONS];
    for (int i = 0; i < QUESTIONS; i++)
        CHECK_EQUAL(im_client_emit(client, "ask", text("%d", i)), IM_OK);
    for (int i = 0; i < QUESTIONS; i++) {
        questions[i] = take_named(client, "question");
        CHECK(questions[i]->ack_id > 0 && atoi(questions[i]->json) == i);
    }
    for (int i = QUESTIONS - 1; i >= 0; i--) {
        pthread_join(run_thread(answer, (void *)questions[i]), NULL);
        const im_event *answered = take_named(client, "answered");
        CHECK(strcmp(im_event_args(answered), text("[{\"to\":%d}]", i)) == 0);
        im_event_release(answered);
    }
    destroy(client);
}

/* ---- Receipts ---- */

static const char *const MESSAGE_ARGS =
    "[\"c_message\",{\"meta\":{\"timestamp\":1},\"code\":0,\"data\":{\"action\":\"CHAT_MESSAGE\","
    "\"payload\":{\"type\":1,\"from\":\"b\",\"to\":\"a\",\"content\":\"hi\",\"fp\":\"f\"}}}]";
#define RECEIPT "\"name\":\"c_message_ack\""

static const im_event *take_message(im_client client) {
    CHECK_EQUAL(
        im_client_emit_args(client, "tell", 4, MESSAGE_ARGS, strlen(MESSAGE_ARGS), NULL, 0, 0),
        IM_OK);
    return take_named(client, IM_CHAT_MESSAGE);
}

/* Not with the poll, nor with the next: when the caller has done with the message. */
static void a_message_is_receipted_when_it_is_released(void) {
    /* The same message comes twice here, and is to be seen twice. */
    im_client client = new_client("/chat", MANUAL ",\"dedupe\":false");
    int before = in_stats(RECEIPT);
    const im_event *message = take_message(client);
    poll_round_trip(client);
    CHECK_EQUAL(in_stats(RECEIPT), before);
    CHECK(im_event_retain(message) == message);
    im_event_release(message);
    poll_round_trip(client);
    CHECK_EQUAL(in_stats(RECEIPT), before);
    im_event_release(message);
    poll_round_trip(client);
    CHECK_EQUAL(in_stats(RECEIPT), before + 1);
    /* Never released before the end: the server keeps the message. */
    message = take_message(client);
    destroy(client);
    im_event_release(message);
    WAIT(stats_number("\"enginesNow\":") == 0);
    CHECK_EQUAL(in_stats(RECEIPT), before + 1);
    /* With "receipts": false the caller does it. */
    client = new_client("/chat", MANUAL ",\"receipts\":false");
    im_event_release(take_message(client));
    poll_round_trip(client);
    CHECK_EQUAL(in_stats(RECEIPT), before + 1);
    destroy(client);
}

/* What nobody has seen is not receipted, and is shown when it comes again. */
static void a_discarded_message_was_not_delivered(void) {
    im_client client = new_client("/chat", MANUAL);
    int before = in_stats(RECEIPT);
    const im_event *message = take_message(client);
    CHECK(im_event_retain(message) == message);
    im_event_discard(message);
    im_event_release(message);
    message = take_message(client);
    CHECK_EQUAL(in_stats(RECEIPT), before);
    im_event_release(message);
    poll_round_trip(client);
    CHECK_EQUAL(in_stats(RECEIPT), before + 1);
    im_event_discard(NULL);
    destroy(client);
}

/* So is the end of a login: the client closes when the token is released. */
static void a_login_closes_when_it_is_released(void) {
    static const char args[] = "[\"qrlogin\",{\"meta\":{\"timestamp\":1},\"code\":0,\"data\":{"
                               "\"action\":\"x\",\"payload\":{\"token\":\"t\"}}}]";
    im_client client = new_client("/sso", MANUAL);
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    const im_event *event = take_named(client, IM_SSO_QRLOGIN);
    poll_round_trip(client);
    CHECK_EQUAL(im_client_state(client), IM_STATE_CONNECTED);
    im_event_release(event);
    event = take_named(client, "disconnect");
    CHECK(strstr(event->json, "io client disconnect") != NULL);
    im_event_release(event);
    destroy(client);
}

/* ---- Free functions ---- */

static pthread_t own_thread;
static atomic_int freed;
static void free_here(void *data) {
    (void)data;
    CHECK(pthread_equal(pthread_self(), own_thread));
    freed++;
}

static void free_functions_run_in_poll_or_in_destroy(void) {
    own_thread = pthread_self();
    freed = 0;
    im_client client = new_client("/", MANUAL ",\"autoConnect\":false");
    int64_t ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = im_client_subscribe(client, "x", 0, never, NULL, free_here);
        CHECK(ids[i] > 0);
    }
    CHECK_EQUAL(im_client_off(client, ids[0]), IM_OK);
    CHECK_EQUAL(freed, 0);
    nothing_waits(client);
    CHECK_EQUAL(freed, 1);
    CHECK_EQUAL(im_client_off(client, ids[1]), IM_OK);
    destroy(client);
    CHECK_EQUAL(freed, 3);
}

CASES("polled", CASE(events_outlive_their_client),
      CASE(questions_are_answered_later_from_any_thread),
      CASE(a_message_is_receipted_when_it_is_released), CASE(a_discarded_message_was_not_delivered),
      CASE(a_login_closes_when_it_is_released), CASE(free_functions_run_in_poll_or_in_destroy))

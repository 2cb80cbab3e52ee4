/* Binary through the ABI: attachments in emits, requests and answers; how long an answer's bytes
 * live; what is refused; the free functions. */

#include "check.h"

#define ZERO "{\"_placeholder\":true,\"num\":0}"
#define ONE "{\"_placeholder\":true,\"num\":1}"

static recorder events = RECORDER;

static atomic_int calls, frees, last_status;
static _Atomic(const im_event *) kept;

static void keep_answer(im_status status, const im_event *reply, void *user_data) {
    CHECK(user_data == &calls);
    last_status = status;
    kept = im_event_retain(reply);
    calls++;
}

static void count_free(void *user_data) {
    CHECK(user_data == &calls);
    frees++;
}

static void reset(void) {
    calls = frees = last_status = 0;
    kept = NULL;
    recorder_clear(&events);
}

static im_blob bytes(const char *text) { return (im_blob){text, strlen(text)}; }

static int64_t ask(im_client client, const char *event, const char *args, const im_blob *blobs,
                   size_t count) {
    return im_client_emit_args_with_ack(client, event, strlen(event), args, strlen(args), blobs,
                                        count, 0, 0, keep_answer, &calls, count_free);
}

static im_client recorded_client(void) {
    im_client client = connected_client();
    CHECK(im_client_on_any(client, record, &events) > 0);
    return client;
}

static void the_callers_bytes_are_copied(void) {
    reset();
    im_client client = recorded_client();
    char data[] = "bytes", args[] = "[{\"x\":" ZERO "}]", name[] = "describe";
    im_blob blob = {data, 5};
    CHECK_EQUAL(im_client_emit_args(client, name, 8, args, strlen(args), &blob, 1, 0), IM_OK);
    memset(data, 0, sizeof data);
    memset(args, 0, sizeof args);
    memset(name, 0, sizeof name);
    CHECK(strcmp(wait_item(&events, "described", 0).json, "{\"x\":{\"hex\":\"6279746573\"}}") == 0);
    destroy(client);
}

static void an_answers_bytes_live_as_long_as_it_is_kept(void) {
    reset();
    im_client client = recorded_client();
    const im_blob blobs[] = {bytes("zero"), bytes("")};
    CHECK(ask(client, "echo", "[[" ONE "],{\"y\":" ZERO "}]", blobs, 2) > 0);
    WAIT(calls == 1);
    CHECK_EQUAL(last_status, IM_OK);
    WAIT(frees == 1);
    destroy(client);
    const im_event *answer = kept;
    CHECK_EQUAL(answer->blob_count, 2);
    CHECK_EQUAL(answer->kind, IM_EVENT_KIND_ACK);
    im_blob first, second;
    CHECK_EQUAL(im_event_blob(answer, 0, &first), IM_OK);
    CHECK_EQUAL(im_event_blob(answer, 1, &second), IM_OK);
    CHECK_EQUAL(first.len, 0);
    CHECK_EQUAL(second.len, 4);
    CHECK(memcmp(second.data, "zero", 4) == 0);
    CHECK(strcmp(im_event_args(answer), "[[" ZERO "],{\"y\":" ONE "}]") == 0);
    CHECK_EQUAL(im_event_blob(answer, 2, &first), IM_ERROR_NOT_FOUND);
    im_event_release(answer);
}

static void answer_with_what_came(const im_event *event, void *user_data) {
    im_blob blob;
    CHECK(user_data == &calls);
    CHECK_EQUAL(im_event_blob(event, 0, &blob), IM_OK);
    const char *args = "[1,[" ZERO "],\"three\"]";
    CHECK_EQUAL(im_client_reply_args(event->client, event->ack_id, args, strlen(args), &blob, 1),
                IM_OK);
    CHECK_EQUAL(im_client_reply_args(event->client, event->ack_id, NULL, 0, NULL, 0),
                IM_ERROR_NOT_FOUND);
    calls++;
}

static void a_question_is_answered_inside_its_callback(void) {
    reset();
    im_client client = recorded_client();
    CHECK(im_client_on(client, "question", answer_with_what_came, &calls) > 0);
    const im_blob blob = bytes("\x01\x02");
    CHECK_EQUAL(im_client_emit_args(client, "ask_binary", 10, NULL, 0, &blob, 1, 0), IM_OK);
    CHECK(strcmp(wait_item(&events, "described", 0).json, "1") == 0);
    CHECK_EQUAL(calls, 1);
    destroy(client);
}

static void what_is_refused_is_named_and_freed(void) {
    reset();
    im_client client = new_client("/", ",\"autoConnect\":false");
    const im_blob good = bytes("x"), hollow = {NULL, 3}, endless = {"x", SIZE_MAX};
    im_blob many[11];
    for (int i = 0; i < 11; i++)
        many[i] = good;
    const struct {
        const char *args;
        const im_blob *blobs;
        size_t count;
        im_status status;
        const char *fault;
    } all[] = {
        {"[]", NULL, 1, IM_ERROR_INVALID_ARGUMENT, "\"blobs\" is NULL"},
        {"[]", &hollow, 1, IM_ERROR_INVALID_ARGUMENT, "blob 0 is NULL"},
        {"[]", &endless, 1, IM_ERROR_INVALID_ARGUMENT, "length of blob 0"},
        {"[]", many, 11, IM_ERROR_INVALID_ARGUMENT, "at most 10"},
        {"[]", &good, SIZE_MAX, IM_ERROR_INVALID_ARGUMENT, "at most 10"},
        {"[" ONE "]", &good, 1, IM_ERROR_INVALID_ARGUMENT, "\"args\""},
        {"[" ZERO "]", NULL, 0, IM_ERROR_INVALID_ARGUMENT, "none is given"},
        {"[" ZERO, &good, 1, IM_ERROR_JSON, "\"args\""},
        {"{}", &good, 1, IM_ERROR_JSON, "array"},
        {"[\"\xff\"]", &good, 1, IM_ERROR_UTF8, "\"args\""},
    };
    const int count = sizeof all / sizeof *all;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(all[i].args);
        CHECK_EQUAL(
            im_client_emit_args(client, "x", 1, all[i].args, length, all[i].blobs, all[i].count, 0),
            all[i].status);
        CHECK_FAULT(all[i].status, all[i].fault);
        CHECK_EQUAL(ask(client, "x", all[i].args, all[i].blobs, all[i].count), all[i].status);
        CHECK_FAULT(all[i].status, all[i].fault);
        CHECK_EQUAL(
            im_client_reply_args(client, 1, all[i].args, length, all[i].blobs, all[i].count),
            all[i].status);
        CHECK_FAULT(all[i].status, all[i].fault);
        CHECK_EQUAL(frees, i + 1);
    }
    CHECK_EQUAL(im_client_emit_args_with_ack(client, "", 0, NULL, 0, NULL, 0, 0, 0, keep_answer,
                                             &calls, count_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
    CHECK_EQUAL(im_client_emit_args_with_ack(client, "x", 1, NULL, 0, NULL, 0, 0, -1, keep_answer,
                                             &calls, count_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "timeout_ms");
    CHECK_EQUAL(im_client_emit_args_with_ack(client, "x", 1, NULL, 0, NULL, 0, 2, 0, keep_answer,
                                             &calls, count_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "flags");
    CHECK_EQUAL(im_client_emit_args_with_ack(client, "x", 1, NULL, 0, NULL, 0, 0, 0, NULL, &calls,
                                             count_free),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "fn");
    CHECK_EQUAL(frees, count + 4);
    CHECK_EQUAL(calls, 0);
    destroy(client);
    CHECK_EQUAL(im_client_clear_send_buffer(client), IM_ERROR_HANDLE);
    CHECK_EQUAL(ask(client, "x", "[]", NULL, 0), IM_ERROR_HANDLE);
    CHECK_EQUAL(frees, count + 5);
}

static void clear_it(const im_event *event, void *user_data) {
    CHECK(user_data == &calls);
    CHECK_EQUAL(im_client_clear_send_buffer(event->client), 2);
    calls++;
}

/* Inside a callback, with the answers' functions called after it, once each. */
static void clearing_cancels_and_frees(void) {
    reset();
    im_client client = new_client("refused", ",\"autoConnect\":false");
    const im_blob blob = bytes("x");
    CHECK(ask(client, "x", "[]", &blob, 1) > 0);
    CHECK_EQUAL(im_client_emit(client, "x", NULL), IM_OK);
    CHECK(im_client_on(client, IM_EVENT_CONNECT_ERROR, clear_it, &calls) > 0);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    WAIT(calls == 2);
    CHECK_EQUAL(last_status, IM_ERROR_CANCELED);
    WAIT(frees == 1);
    destroy(client);
    CHECK_EQUAL(calls, 2);
}

CASES("binary", CASE(the_callers_bytes_are_copied),
      CASE(an_answers_bytes_live_as_long_as_it_is_kept),
      CASE(a_question_is_answered_inside_its_callback), CASE(what_is_refused_is_named_and_freed),
      CASE(clearing_cancels_and_frees))

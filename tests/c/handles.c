/* The handles of promise 12 and of the table of types: zero, stale and foreign ones in every
 * function. */

#include "check.h"

static atomic_int frees;

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void never_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    CHECK(!"called back though the call failed");
}
static void never_done(void *data) {
    (void)data;
    CHECK(!"called back though the call failed");
}
static void on_free(void *data) { (void)data, frees++; }

#define REFUSED(call)                                                                              \
    do {                                                                                           \
        CHECK_EQUAL(call, IM_ERROR_HANDLE);                                                        \
        CHECK_FAULT(IM_ERROR_HANDLE, "client");                                                    \
    } while (0)

static void refused_everywhere(im_client client) {
    frees = 0;
    REFUSED(im_client_open(client));
    REFUSED(im_client_close(client));
    REFUSED(im_client_destroy_socket(client));
    REFUSED(im_client_state(client));
    CHECK(im_client_socket_id(client) == NULL);
    CHECK_EQUAL(im_last_status(), IM_ERROR_HANDLE);
    CHECK(im_client_info(client) == NULL);
    CHECK_EQUAL(im_last_status(), IM_ERROR_HANDLE);
    REFUSED(im_client_on(client, "x", ignore, NULL));
    REFUSED(im_client_once(client, "x", ignore, NULL));
    REFUSED(im_client_on_any(client, ignore, NULL));
    REFUSED(im_client_subscribe(client, "x", 0, ignore, NULL, on_free));
    CHECK_EQUAL(frees, 1);
    REFUSED(im_client_off(client, 1));
    REFUSED(im_client_off_event(client, "x"));
    REFUSED(im_client_emit(client, "x", "1"));
    REFUSED(im_client_emit_args(client, "x", 1, NULL, 0, NULL, 0, 0));
    REFUSED(im_client_emit_with_ack(client, "x", "1", 0, never_ack, NULL));
    REFUSED(im_client_send_message(
        client, "{\"type\":1,\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}", 0, never_ack, NULL));
    REFUSED(im_client_cancel(client, 1));
    REFUSED(im_client_reply(client, 1, "1"));
    REFUSED(im_client_on_any_outgoing(client, ignore, NULL));
    REFUSED(im_client_emit_args_with_ack(client, "x", 1, NULL, 0, NULL, 0, 0, 0, never_ack, NULL,
                                         on_free));
    CHECK_EQUAL(frees, 2);
    REFUSED(im_client_reply_args(client, 1, NULL, 0, NULL, 0));
    REFUSED(im_client_clear_send_buffer(client));
    REFUSED(im_client_flush(client, 10));
    REFUSED(im_client_destroy_async(client, never_done, NULL));
    REFUSED(im_client_destroy(client));
}

static void foreign_handles(void) {
    for (int live = 0; live < 2; live++) {
        im_client client = live ? connected_client() : 0;
        refused_everywhere(0);
        refused_everywhere(client + 1);
        refused_everywhere(UINT64_MAX);
        refused_everywhere(UINT32_MAX);
        refused_everywhere((im_client)1 << 63);
        refused_everywhere(client ^ ((im_client)1 << 32));
        refused_everywhere(client ^ ((im_client)1 << 55));
        refused_everywhere((uintptr_t)&client);
        if (live) {
            round_trip(client);
            destroy(client);
        }
    }
}

static void stale_handles_even_where_their_slot_is_taken_again(void) {
    im_client old[50];
    for (int i = 0; i < 50; i++) {
        old[i] = new_client("/", ",\"autoConnect\":false");
        CHECK(old[i] != 0);
        for (int j = 0; j < i; j++)
            CHECK(old[i] != old[j]);
        destroy(old[i]);
        refused_everywhere(old[i]);
    }
    im_client now = connected_client();
    for (int i = 0; i < 50; i++)
        refused_everywhere(old[i]);
    round_trip(now);
    CHECK_EQUAL(im_client_count(), 1);
    destroy(now);
    refused_everywhere(now);
}

CASES("handles", CASE(foreign_handles), CASE(stale_handles_even_where_their_slot_is_taken_again))

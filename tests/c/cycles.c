/* 200 lives of a client; afterwards threads and descriptors are back where they were. Run as it is,
   under valgrind and under AddressSanitizer. */

#include "check.h"

enum { CYCLES = 200 };

static recorder events = RECORDER;
static atomic_int acks;

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    acks++;
}

static void two_hundred_lives_leave_nothing_behind(void) {
    /* Whatever is made once in a process. */
    im_client first = connected_client();
    round_trip(first);
    destroy(first);
    recorder_clear(&events);
    int threads = count_threads(""), fds = count_fds();
    for (int i = 0; i < CYCLES; i++) {
        /* Each with a connection, and each ended at another moment. */
        im_client client = new_client("/", ",\"query\":{\"token\":\"t\",\"userId\":1}");
        CHECK(im_client_subscribe(client, NULL, 0, record, &events, record_free) > 0);
        CHECK(im_client_emit_with_ack(client, "silent", "1", 0, on_ack, NULL) > 0);
        if (i % 4 != 3)
            wait_connected(client);
        if (i % 4 == 1)
            round_trip(client);
        if (i % 4 == 2)
            CHECK_EQUAL(im_client_emit(client, "burst", "20"), IM_OK);
        if (i % 5 == 4) {
            CHECK_EQUAL(im_client_destroy_async(client, record_free, &events), IM_OK);
            WAIT(events.freed == 2);
            WAIT(im_client_count() == 0);
        } else {
            destroy(client);
        }
        CHECK_EQUAL(acks, i + 1);
        CHECK_EQUAL(im_client_count(), 0);
        recorder_clear(&events);
    }
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    WAIT(count_threads("") == threads);
    CHECK_EQUAL(count_fds(), fds);
    WAIT(stats_number("\"enginesNow\":") == 0);
}

CASES("cycles", CASE(two_hundred_lives_leave_nothing_behind))

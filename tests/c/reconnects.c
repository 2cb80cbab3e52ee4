/* 200 losses of one connection, each with traffic before it: what the process holds does not grow.
 */

#include "check.h"

#include <malloc.h>

enum { WARM_UP = 30, LOSSES = 200 };

/* In bytes: far below a buffer, a task or an event that each loss leaves behind. */
#define ALLOWANCE (100 * LOSSES)

static atomic_int acks;

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    acks++;
}

/* Loses the connection with an emit, a request and a question on their way, and gets it back. */
static void lose(im_client client, const char *how) {
    long connects = stats_number("\"engines\":");
    CHECK_EQUAL(im_client_emit(client, "burst", "5"), IM_OK);
    CHECK(im_client_emit_with_ack(client, "silent", "1", 0, on_ack, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "ask", "1"), IM_OK);
    post("drop", how);
    WAIT(stats_number("\"engines\":") > connects);
    round_trip(client);
}

static void two_hundred_losses_leave_nothing_behind(void) {
    im_client client = im_client_new(text("{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\","
                                          "\"reconnectionDelay\":1,\"reconnectionDelayMax\":1}",
                                          root));
    CHECK(client != 0);
    wait_connected(client);
    for (int i = 0; i < WARM_UP; i++)
        lose(client, i % 2 ? "{\"how\":\"reset\"}" : "{}");
    int threads = library_threads(), fds = count_fds();
    size_t bytes = mallinfo2().uordblks;
    for (int i = 0; i < LOSSES; i++)
        lose(client, i % 2 ? "{\"how\":\"reset\"}" : "{}");
    WAIT(acks == WARM_UP + LOSSES);
    /* A thread that delivered in a busy moment may still be there, or gone. */
    CHECK(library_threads() <= threads + 1);
    CHECK(count_fds() <= fds);
    CHECK(mallinfo2().uordblks <= bytes + ALLOWANCE);
    destroy(client);
}

CASES("reconnects", CASE(two_hundred_losses_leave_nothing_behind))

/* 200 losses of one connection, each with traffic before it: what the process holds does not grow.
 */

#include "check.h"

#include <malloc.h>

enum { WARM_UP = 30, LOSSES = 200 };

/* In bytes: below what a buffer, a task or an event would take that each loss leaves behind. Seen
   are 2 to 3 kB, after 800 losses too. */
#define ALLOWANCE (50 * LOSSES)

/* What each thread keeps of freed memory counts as used, and threads come and go: 20 kB of noise.
   It is switched off before the first allocation or not at all, so the program starts itself again.
 */
__attribute__((constructor)) static void without_caches(int argc, char **argv) {
    static const char *const tunable = "GLIBC_TUNABLES", *const off = "glibc.malloc.tcache_count=0";
    const char *now = getenv(tunable);
    (void)argc;
    if (now != NULL && strcmp(now, off) == 0)
        return;
    CHECK(setenv(tunable, off, 1) == 0);
    execv("/proc/self/exe", argv);
    CHECK(!"the program can start itself");
}

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
    WAIT(library_threads() <= threads + 1);
    WAIT(count_fds() <= fds);
    WAIT(mallinfo2().uordblks <= bytes + ALLOWANCE);
    destroy(client);
}

CASES("reconnects", CASE(two_hundred_losses_leave_nothing_behind))

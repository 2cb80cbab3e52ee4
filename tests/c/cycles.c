/* Lives of a client; afterwards threads, descriptors and memory are back where they were. Run as it
   is, under valgrind and under AddressSanitizer, and with many more lives by `make torture`. */

#include "check.h"

/* Until then memory may grow: buffers, arenas and tables find their size. */
enum { LIVES = 200, WARM = 1000, MOST_GROWTH_KB = 2048 };

static recorder events = RECORDER;
static atomic_int acks;

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    acks++;
}

static int lives_wanted(void) {
    const char *wanted = getenv("IM_TORTURE_CYCLES");
    return wanted == NULL ? LIVES : atoi(wanted);
}

static long resident_kb(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void many_lives_leave_nothing_behind(void) {
    int lives = lives_wanted();
    long warm = 0;
    CHECK(lives >= LIVES);
    /* More lives take more than a case usually may. */
    alarm((unsigned)(CASE_SECONDS + lives / 20));
    /* Whatever is made once in a process. */
    im_client first = connected_client();
    round_trip(first);
    destroy(first);
    recorder_clear(&events);
    int threads = count_threads(""), fds = count_fds();
    for (int i = 0; i < lives; i++) {
        if (i == WARM)
            warm = resident_kb();
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
    if (lives >= 4 * WARM)
        CHECK(resident_kb() - warm < MOST_GROWTH_KB);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    WAIT(count_threads("") == threads);
    CHECK_EQUAL(count_fds(), fds);
    WAIT(stats_number("\"enginesNow\":") == 0);
}

CASES("cycles", CASE(many_lives_leave_nothing_behind))

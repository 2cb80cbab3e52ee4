/* Deadlines also count the time that the machine slept. The program's own clock_gettime takes the
   place of the system's for the library too, and lets the clock that counts sleep jump. */

#include "check.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long slept_seconds;

int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = (int)syscall(SYS_clock_gettime, clock, time);
    if (done == 0 && clock == CLOCK_BOOTTIME)
        time->tv_sec += slept_seconds;
    return done;
}

static atomic_int outcomes;
static atomic_int outcome;

static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)reply;
    (void)data;
    outcome = status;
    outcomes++;
}

static void a_deadline_that_passed_in_sleep_is_over_on_waking(void) {
    im_client client = connected_client();
    int64_t id = im_client_emit_with_ack(client, "silent", "1", 3600 * 1000, on_ack, NULL);
    CHECK(id > 0);
    slept_seconds += 2 * 3600;
    WAIT(outcomes == 1);
    CHECK_EQUAL(outcome, IM_ERROR_TIMEOUT);
    /* The connection was checked, and lives. */
    CHECK_EQUAL(im_client_state(client), IM_STATE_CONNECTED);
    outcomes = 0;
    CHECK(im_client_emit_with_ack(client, "echo", "1", 60 * 1000, on_ack, NULL) > 0);
    WAIT(outcomes == 1);
    CHECK_EQUAL(outcome, IM_OK);
    destroy(client);
}

CASES("sleep", CASE(a_deadline_that_passed_in_sleep_is_over_on_waking))

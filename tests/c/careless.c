/* Threads that call whatever comes to their mind, with handles that others are destroying. Run as
 * it is, under valgrind, under AddressSanitizer and under ThreadSanitizer, and for longer by `make
 * torture`. */

#include "careless_calls.h"

enum { THREADS = 8, CALLS = 12000, MANY_THREADS = 64 };

static int calls_of_each;

static int calls_wanted(void) {
    const char *wanted = getenv("IM_TORTURE_CALLS");
    return wanted == NULL ? CALLS : atoi(wanted);
}

static void *be_careless(void *data) {
    for (int i = 0; i < calls_of_each; i++)
        call_anything(data);
    return NULL;
}

/* Every function at least once, whatever the dice say. */
static void call_everything(dice *dice) {
    for (int i = 0; i < ROWS; i++)
        call_it(&calls[i], dice);
}

static void start_everything(void) {
    for (uint32_t i = 0; i < used_slots; i++) {
        im_client client = slots[i] = connected_client();
        CHECK(im_client_on_any(client, on_event, NULL) > 0);
    }
}

static void end_everything(void) {
    for (int i = 0; i < SLOTS; i++)
        im_client_destroy(atomic_exchange(&slots[i], 0));
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    for (int i = 0; i < KEPT; i++)
        im_event_release(atomic_exchange(&kept[i], NULL));
}

static void do_harm(int threads, int calls) {
    pthread_t running[MANY_THREADS];
    dice dices[MANY_THREADS];
    alarm((unsigned)(2 * CASE_SECONDS + calls / 500));
    /* The first client of a process may leave a socket pair, which is the process's: tokio's, for
     * signals, where somebody who shares the build asks for that. */
    destroy(connected_client());
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    int fds = count_fds(), before = count_threads("");
    start_everything();
    calls_of_each = calls / threads;
    for (int i = 0; i < threads; i++) {
        dices[i] = dice_of(i);
        running[i] = run_thread(be_careless, &dices[i]);
    }
    dice own = dice_of(threads);
    call_everything(&own);
    for (int i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    end_everything();
    WAIT(answered == accepted);
    WAIT(freed == given);
    CHECK(accepted > 0 && given > 0 && events > 0);
    CHECK_EQUAL(im_client_count(), 0);
    WAIT(count_threads("") == before);
    CHECK_EQUAL(count_fds(), fds);
}

static void careless_threads_do_no_harm_and_nothing_is_lost(void) {
    used_slots = SLOTS;
    do_harm(THREADS, calls_wanted());
}

static void sixty_four_threads_on_one_client(void) {
    used_slots = 1;
    do_harm(MANY_THREADS, calls_wanted() / 2);
}

CASES("careless", CASE(careless_threads_do_no_harm_and_nothing_is_lost),
      CASE(sixty_four_threads_on_one_client))

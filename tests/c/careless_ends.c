/* A careless process: it forks and exits in the midst, while its threads call anything. */

#include "careless_calls.h"
#include "child.h"

enum { THREADS = 4, FORKS = 10, EXIT_CODE = 7, CALLS_OF_A_CHILD = 100 };

static atomic_bool over;

static void *be_careless(void *data) {
    while (!over)
        call_anything(data);
    return NULL;
}

static void start_threads(pthread_t threads[THREADS], dice dices[THREADS]) {
    over = false;
    callbacks = 0;
    for (int i = 0; i < THREADS; i++) {
        dices[i] = dice_of(i);
        threads[i] = run_thread(be_careless, &dices[i]);
    }
    WAIT(callbacks > 20);
}

/* ---- Fork ---- */

static void be_a_child(int number) {
    dice own = dice_of(100 + number);
    CHECK_EQUAL(im_client_count(), 0);
    for (int i = 0; i < SLOTS; i++) {
        im_client old = slots[i];
        CHECK_EQUAL(im_client_emit(old, "echo", "1"), old == 0 ? IM_ERROR_HANDLE : IM_ERROR_FORKED);
    }
    for (int i = 0; i < CALLS_OF_A_CHILD; i++)
        call_anything(&own);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    im_client client = connected_client();
    round_trip(client);
    /* A child in two leaves it to the end of the process. */
    if (number % 2 == 0)
        destroy(client);
    exit(0);
}

static void fork_in_the_midst(void) {
    pthread_t threads[THREADS];
    dice dices[THREADS];
    start_threads(threads, dices);
    for (int i = 0; i < FORKS; i++) {
        fflush(stdout);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            be_a_child(i);
        CHECK_EQUAL(wait_child(child), 0);
    }
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    WAIT(answered == accepted);
    WAIT(freed == given);
}

/* ---- Exit ---- */

static void leave(void) { exit(EXIT_CODE); }

static void *leave_from_a_thread(void *data) {
    leave();
    return data;
}

static void leave_from_another_thread(void) {
    pthread_join(run_thread(leave_from_a_thread, NULL), NULL);
}

static void leave_from_a_callback(void) {
    once_inside = leave;
    WAIT(over);
}

static void exits(void (*how)(void)) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pthread_t threads[THREADS];
        dice dices[THREADS];
        start_threads(threads, dices);
        how();
        check_failed(__FILE__, __LINE__, "it exits");
    }
    CHECK_EQUAL(wait_child(child), EXIT_CODE);
}

static void exit_in_the_midst(void) {
    for (int i = 0; i < 5; i++) {
        exits(leave);
        exits(leave_from_another_thread);
        exits(leave_from_a_callback);
    }
}

CASES("careless_ends", CASE(exit_in_the_midst), CASE(fork_in_the_midst))

/* Calls in destructors of a thread that ends, when what the library itself kept for that thread is
 * gone already.
 */

#include "manual.h"

static pthread_key_t at_end;
static recorder acks = RECORDER, frees = RECORDER;
static atomic_int ended;

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }

/* The thread has used all that the library keeps for one: a last error, and clients that it ended.
 */
static void use_all(void) {
    CHECK(im_client_new("{") == 0);
    CHECK_EQUAL(im_last_status(), IM_ERROR_JSON);
    destroy(new_client("/", MANUAL ",\"autoConnect\":false"));
}

static void raise_client(im_client client) {
    CHECK(im_client_emit_with_ack(client, "silent", "1", 0, record_ack, &acks) > 0);
    CHECK(im_client_subscribe(client, "x", 0, ignore, &frees, record_free) > 0);
}

static void is_buried(void) {
    CHECK_EQUAL(recorded(&acks, NULL), 1);
    CHECK_EQUAL(wait_item(&acks, NULL, 0).status, IM_ERROR_CANCELED);
    CHECK_EQUAL(frees.freed, 1);
    CHECK_EQUAL(im_client_count(), 0);
    recorder_clear(&acks);
    recorder_clear(&frees);
}

static void *end_with(void *client) {
    use_all();
    pthread_setspecific(at_end, client);
    return NULL;
}

static void thread_that_ends_with(im_client client, void (*what)(void *)) {
    ended = 0;
    CHECK_EQUAL(pthread_key_create(&at_end, what), 0);
    pthread_join(run_thread(end_with, (void *)(uintptr_t)client), NULL);
    CHECK_EQUAL(ended, 1);
    pthread_key_delete(at_end);
}

static void destroy_it(void *data) {
    destroy((im_client)(uintptr_t)data);
    ended++;
}

static void a_destroy_calls_all_that_waits(void) {
    im_client client = connected_manual();
    raise_client(client);
    thread_that_ends_with(client, destroy_it);
    is_buried();
    client = connected_client();
    raise_client(client);
    thread_that_ends_with(client, destroy_it);
    is_buried();
}

static im_client inner;
static void destroy_inner(const im_event *event, void *data) {
    (void)event, (void)data;
    CHECK_EQUAL(im_client_destroy(inner), IM_DEFERRED);
}
static void dispatch_and_destroy(void *data) {
    im_client client = (im_client)(uintptr_t)data;
    CHECK(im_client_on(client, "echo", destroy_inner, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    DISPATCH_UNTIL(client, im_client_state(inner) == IM_ERROR_HANDLE);
    destroy(client);
    ended++;
}

/* There the library ends it, for the thread won't be there. */
static void a_destroy_inside_a_dispatch_calls_all_that_waits(void) {
    im_client client = connected_manual();
    inner = connected_manual();
    raise_client(inner);
    thread_that_ends_with(client, dispatch_and_destroy);
    WAIT(im_client_count() == 0);
    CHECK_EQUAL(im_shutdown(PATIENCE_MS), IM_OK);
    is_buried();
}

static void use_and_destroy(void *data) {
    im_client client = (im_client)(uintptr_t)data;
    CHECK_EQUAL(im_client_emit(client, "", "1"), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_last_status(), IM_ERROR_INVALID_ARGUMENT);
    CHECK(im_last_error()[0] != '\0');
    CHECK(im_client_subscribe(client, "x", 0, NULL, &frees, record_free) < 0);
    CHECK_EQUAL(frees.freed, 1);
    recorder_clear(&frees);
    /* Each of them may go out from this thread. */
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    CHECK_EQUAL(im_client_flush(client, PATIENCE_MS), IM_OK);
    poll_round_trip(client);
    destroy(client);
    ended++;
}

static void every_call_works(void) {
    thread_that_ends_with(connected_manual(), use_and_destroy);
    CHECK_EQUAL(im_client_count(), 0);
}

CASES("thread_end", CASE(a_destroy_calls_all_that_waits),
      CASE(a_destroy_inside_a_dispatch_calls_all_that_waits), CASE(every_call_works))

/* Promise 11: a process may exit with live clients. Each scenario is a child of its own, forked
 * before the library is used. */

#include "child.h"
#include "manual.h"

#include <sys/mman.h>

/* What the children tell. */
typedef struct shared_notes {
    atomic_int calls, finished, finished_in_time, hook_is_over, started_after_hook;
    atomic_llong left_at, hook_over_at;
} shared_notes;

static shared_notes *notes;

/* Registered before the library's hook, so it runs after it: whatever starts now started too late.
 */
static void after_the_librarys_hook(void) {
    notes->hook_over_at = now_ms();
    notes->finished_in_time = notes->finished;
    notes->hook_is_over = 1;
    pass_ms(200);
}

static void run(void (*code)(void), int exit_code, long long at_least_ms, long long at_most_ms) {
    memset(notes, 0, sizeof *notes);
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        atexit(after_the_librarys_hook);
        code();
        check_failed(__FILE__, __LINE__, "the scenario ends the process");
    }
    CHECK_EQUAL(wait_child(child), exit_code);
    CHECK_EQUAL(notes->hook_is_over, 1);
    CHECK_EQUAL(notes->started_after_hook, 0);
    CHECK(notes->left_at != 0);
    long long took = notes->hook_over_at - notes->left_at;
    CHECK(took >= at_least_ms);
    CHECK(took <= at_most_ms);
}

static void leave(int code) {
    notes->left_at = now_ms();
    exit(code);
}

static void count(void) {
    if (notes->hook_is_over)
        notes->started_after_hook++;
    notes->calls++;
}
static void on_event(const im_event *event, void *data) { (void)event, (void)data, count(); }
static void on_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data, count();
}
static void on_log(int32_t level, const char *line, void *data) {
    (void)level, (void)line, (void)data, count();
}

/* ---- Scenarios ---- */

static void idle_client(void) {
    connected_client();
    leave(3);
}

static void connecting_clients(void) {
    for (int i = 0; i < 20; i++)
        new_client("/", "");
    leave(4);
}

static void flooded_client(void) {
    im_client client = connected_client();
    im_set_log_callback(IM_LOG_TRACE, on_log, NULL, NULL);
    CHECK(im_client_on_any(client, on_event, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "20000"), IM_OK);
    for (int i = 0; i < 2000; i++)
        CHECK(im_client_emit_with_ack(client, "echo", "1", 0, on_ack, NULL) > 0);
    WAIT(notes->calls > 100);
    leave(5);
}

static void takes_300_ms(const im_event *event, void *data) {
    (void)event, (void)data;
    count();
    pass_ms(300);
    notes->finished = 1;
}

static void running_callback(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", takes_300_ms, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    WAIT(notes->calls == 1);
    leave(6);
}

static void takes_for_ever(const im_event *event, void *data) {
    (void)event, (void)data;
    count();
    for (;;)
        pass_ms(1000);
}

static void callback_that_never_returns(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", takes_for_ever, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    WAIT(notes->calls == 1);
    leave(7);
}

static void exits(const im_event *event, void *data) {
    (void)event, (void)data;
    count();
    leave(8);
}

static void exit_inside_a_callback(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", exits, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    for (;;)
        pass_ms(1000);
}

/* main waits in destroy for the very callback that exits. */
static void exit_inside_a_callback_that_destroy_waits_for(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "burst", exits, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    im_client_destroy(client);
    leave(8);
}

static im_client global;
static void destroy_in_hook(void) { CHECK_EQUAL(im_client_destroy(global), IM_OK); }

/* A host that cleans up in a hook of its own, before and after the library's. */
static void destroy_in_a_hook_before(void) {
    global = connected_client();
    CHECK(im_client_on(global, "burst", on_event, NULL) > 0);
    CHECK_EQUAL(im_client_emit(global, "burst", "10000"), IM_OK);
    WAIT(notes->calls > 10);
    atexit(destroy_in_hook);
    leave(9);
}
static void destroy_in_a_hook_after(void) {
    atexit(destroy_in_hook);
    global = connected_client();
    CHECK(im_client_on(global, "burst", on_event, NULL) > 0);
    CHECK_EQUAL(im_client_emit(global, "burst", "10000"), IM_OK);
    WAIT(notes->calls > 10);
    leave(10);
}

/* The caller's own threads sit in dispatch and in poll; main leaves. */
static void *dispatch_for_ever(void *data) {
    while (im_client_dispatch(*(im_client *)data, -1, 0) != IM_ERROR_HANDLE) {
    }
    return NULL;
}
static void *poll_for_ever(void *data) {
    const im_event *event;
    while (im_client_poll(*(im_client *)data, -1, &event) == IM_OK)
        im_event_release(event);
    return NULL;
}
static void threads_that_take(void) {
    static im_client flooded, polled, idle;
    flooded = connected_manual(), polled = connected_manual(), idle = connected_manual();
    CHECK(im_client_on_any(flooded, on_event, NULL) > 0);
    CHECK_EQUAL(im_client_emit(flooded, "burst", "20000"), IM_OK);
    CHECK_EQUAL(im_client_emit(polled, "burst", "20000"), IM_OK);
    run_thread(dispatch_for_ever, &flooded);
    run_thread(poll_for_ever, &polled);
    run_thread(poll_for_ever, &idle);
    CHECK(im_client_wake_fd(idle) >= 0);
    WAIT(notes->calls > 100);
    leave(11);
}
static void dispatch_that_is_slow(void) {
    static im_client client;
    client = connected_manual();
    CHECK(im_client_on(client, "burst", takes_300_ms, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    run_thread(dispatch_for_ever, &client);
    WAIT(notes->calls == 1);
    leave(12);
}
static void exit_inside_a_dispatch(void) {
    im_client client = connected_manual();
    CHECK(im_client_on(client, "burst", exits, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    im_client_dispatch(client, -1, 0);
    CHECK_EQUAL(im_client_dispatch(client, -1, 0), 1);
}

static void with_live_clients(void) {
    run(idle_client, 3, 0, 900);
    run(connecting_clients, 4, 0, 900);
}
static void no_callback_starts_after_it(void) {
    for (int i = 0; i < 10; i++)
        run(flooded_client, 5, 0, 900);
}
static void a_running_callback_is_waited_for(void) {
    run(running_callback, 6, 0, 900);
    CHECK_EQUAL(notes->finished_in_time, 1);
    CHECK_EQUAL(notes->calls, 1);
}
static void for_a_second_at_most(void) { run(callback_that_never_returns, 7, 950, 2500); }
static void called_inside_a_callback(void) {
    run(exit_inside_a_callback, 8, 0, 900);
    run(exit_inside_a_callback_that_destroy_waits_for, 8, 0, 900);
}
/* Messages that no callback has seen are not receipted: the server keeps them. */
static void on_message(const im_event *event, void *data) {
    (void)event, (void)data, count();
    pass_ms(1);
}
static im_client flood_with_messages(const char *more) {
    static const char args[] = "[\"c_message\",{\"code\":0,\"data\":{\"payload\":{\"type\":1}}}]";
    im_client client = new_client("/chat", more);
    CHECK(im_client_on(client, IM_CHAT_MESSAGE, on_message, NULL) > 0);
    for (int i = 0; i < 1000; i++)
        CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    return client;
}
static void messages_to_callbacks(void) {
    flood_with_messages("");
    WAIT(notes->calls > 50);
    leave(13);
}
static void messages_to_dispatch(void) {
    static im_client client;
    client = flood_with_messages(MANUAL);
    run_thread(dispatch_for_ever, &client);
    WAIT(notes->calls > 50);
    leave(14);
}
static void no_message_is_receipted_that_nobody_saw(void) {
    long before = in_stats("\"name\":\"c_message_ack\""), calls = 0;
    for (int i = 0; i < 4; i++) {
        run(i % 2 == 0 ? messages_to_callbacks : messages_to_dispatch, i % 2 == 0 ? 13 : 14, 0,
            900);
        WAIT(stats_number("\"enginesNow\":") == 0);
        CHECK(notes->calls < 1000);
        calls += notes->calls;
        long receipts = in_stats("\"name\":\"c_message_ack\"") - before;
        CHECK(receipts > 0 && receipts <= calls);
    }
}

static void with_manual_delivery(void) {
    for (int i = 0; i < 5; i++)
        run(threads_that_take, 11, 0, 900);
    run(dispatch_that_is_slow, 12, 0, 900);
    CHECK_EQUAL(notes->finished_in_time, 1);
    CHECK_EQUAL(notes->calls, 1);
    run(exit_inside_a_dispatch, 8, 0, 900);
}
static void destroy_in_a_hook(void) {
    run(destroy_in_a_hook_before, 9, 0, 1500);
    run(destroy_in_a_hook_after, 10, 0, 1500);
}

int main(int argc, char **argv) {
    static const test_case cases[] = {
        CASE(with_live_clients),
        CASE(no_callback_starts_after_it),
        CASE(a_running_callback_is_waited_for),
        CASE(for_a_second_at_most),
        CASE(called_inside_a_callback),
        CASE(no_message_is_receipted_that_nobody_saw),
        CASE(with_manual_delivery),
        CASE(destroy_in_a_hook),
        {NULL, NULL},
    };
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(notes != MAP_FAILED);
    CHECK(argc > 1);
    root = argv[1];
    for (const test_case *it = cases; it->name != NULL; it++) {
        current_case = it->name;
        it->run();
        printf("ok exit: %s\n", it->name);
        fflush(stdout);
    }
    return 0;
}

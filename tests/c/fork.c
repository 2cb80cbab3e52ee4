/* Promise 10: what happens in a forked child. */

#include "child.h"
#include "manual.h"

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void ignore_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
}
static void ignore_done(void *data) { (void)data; }

/* Runs code in a child, which must end with exit code 0 in time. */
static void in_child(void (*code)(void *), void *data) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        code(data);
        exit(0);
    }
    CHECK_EQUAL(wait_child(child), 0);
}

static void every_call_says_forked(im_client client) {
    CHECK_EQUAL(im_client_open(client), IM_ERROR_FORKED);
    CHECK_FAULT(IM_ERROR_FORKED, "fork");
    CHECK_EQUAL(im_client_close(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_destroy_socket(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_state(client), IM_ERROR_FORKED);
    CHECK(im_client_socket_id(client) == NULL);
    CHECK_EQUAL(im_last_status(), IM_ERROR_FORKED);
    CHECK(im_client_info(client) == NULL);
    CHECK_EQUAL(im_client_emit(client, "x", NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_emit_args(client, "x", 1, NULL, 0, NULL, 0, 0), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", NULL, 0, ignore_ack, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_send_message(client, "{}", 0, ignore_ack, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_cancel(client, 1), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_reply(client, 1, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_on_any_outgoing(client, ignore, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_emit_args_with_ack(client, "x", 1, NULL, 0, NULL, 0, 0, 0, ignore_ack,
                                             NULL, NULL),
                IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_reply_args(client, 1, NULL, 0, NULL, 0), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_clear_send_buffer(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_flush(client, 0), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_on(client, "x", ignore, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_once(client, "x", ignore, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_on_any(client, ignore, NULL), IM_ERROR_FORKED);
    const im_event *event = NULL;
    CHECK_EQUAL(im_client_poll(client, -1, &event), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_dispatch(client, -1, 0), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_wake(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_wake_fd(client), -1);
    CHECK_EQUAL(im_last_status(), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_set_auth(client, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_set_query(client, "{}"), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_answer(client, 1, "null"), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_network_changed(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_background(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_foreground(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_off(client, 1), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_off_event(client, "x"), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_destroy_async(client, ignore_done, NULL), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_destroy(client), IM_ERROR_FORKED);
    CHECK_EQUAL(im_client_destroy(client), IM_ERROR_FORKED);
}

static void functions_without_a_handle_work(void) {
    CHECK_EQUAL(im_client_count(), 0);
    CHECK_EQUAL(im_version_number(), IM_VERSION_NUMBER);
    CHECK(im_version_string()[0] != 0);
    CHECK(strcmp(im_status_name(IM_ERROR_FORKED), "IM_ERROR_FORKED") == 0);
    CHECK(strcmp(im_status_name(IM_OK), "IM_OK") == 0);
    CHECK(im_status_text(IM_ERROR_FORKED)[0] != 0);
    im_string_free(im_timeline_id("a", "b"));
    im_string_free(im_message_create("{\"type\":1,\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}"));
    CHECK_EQUAL(im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL), IM_OK);
    CHECK_EQUAL(im_shutdown(1000), IM_OK);
}

static void a_new_client_works(void) {
    im_client client = connected_client();
    CHECK_EQUAL(im_client_count(), 1);
    round_trip(client);
    destroy(client);
    CHECK_EQUAL(im_client_count(), 0);
    client = connected_client();
    round_trip(client);
    CHECK_EQUAL(im_shutdown(5000), IM_OK);
    CHECK_EQUAL(im_client_state(client), IM_ERROR_HANDLE);
}

static void child_does_everything(void *data) {
    /* None but the thread that forked. */
    CHECK_EQUAL(count_threads(""), 1);
    every_call_says_forked(*(im_client *)data);
    functions_without_a_handle_work();
    a_new_client_works();
    every_call_says_forked(*(im_client *)data);
}

static void handles_are_dead_new_clients_work_and_the_parent_does_not_notice(void) {
    recorder lost = RECORDER;
    im_client client = new_client("/", "");
    CHECK(im_client_on(client, "disconnect", record, &lost) > 0);
    wait_connected(client);
    char *before = copy_socket_id(client);
    for (int i = 0; i < 5; i++) {
        in_child(child_does_everything, &client);
        round_trip(client);
    }
    char *after = copy_socket_id(client);
    CHECK(strcmp(before, after) == 0);
    CHECK_EQUAL(recorded(&lost, NULL), 0);
    /* One of the parent, two of each child, which said goodbye; ours did not. */
    CHECK_EQUAL(stats_number("\"engines\":"), 11);
    WAIT(stats_number("\"enginesNow\":") == 1);
    CHECK_EQUAL(im_client_count(), 1);
    free(before);
    free(after);
    destroy(client);
}

static void child_only_destroys(void *data) {
    CHECK_EQUAL(im_client_destroy(*(im_client *)data), IM_ERROR_FORKED);
}

static void destroy_in_the_child_sends_nothing(void) {
    im_client client = connected_client();
    round_trip(client);
    long packets = stats_number("\"message\":");
    for (int i = 0; i < 10; i++)
        in_child(child_only_destroys, &client);
    CHECK_EQUAL(stats_number("\"message\":"), packets);
    CHECK_EQUAL(stats_number("\"enginesNow\":"), 1);
    round_trip(client);
    destroy(client);
}

/* Three generations: each has its own clients, and sees the handles of those before as forked. */
static im_client clients[3];

static void grandchild(void *data) {
    (void)data;
    every_call_says_forked(clients[0]);
    every_call_says_forked(clients[1]);
    a_new_client_works();
}
static void child_with_a_child(void *data) {
    (void)data;
    clients[1] = connected_client();
    CHECK(clients[1] != clients[0]);
    in_child(grandchild, NULL);
    round_trip(clients[1]);
    destroy(clients[1]);
    every_call_says_forked(clients[0]);
}

static void a_child_of_the_child(void) {
    clients[0] = connected_client();
    in_child(child_with_a_child, NULL);
    round_trip(clients[0]);
    destroy(clients[0]);
}

static void fork_inside(const im_event *event, void *data) {
    in_child(child_does_everything, &(im_client){event->client});
    *(atomic_int *)data = 1;
}

static void inside_a_callback(void) {
    atomic_int done = 0;
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", fork_inside, &done) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(done == 1);
    round_trip(client);
    destroy(client);
}

/* While other threads are everywhere in the library: the child must find no lock taken. */
static atomic_bool stop;
static atomic_int hammers;

static void *hammer(void *data) {
    im_client client = *(im_client *)data;
    hammers++;
    while (!stop) {
        im_status_name(IM_ERROR_FORKED);
        im_status_text(IM_ERROR_FORKED);
        int64_t id = im_client_on(client, "y", ignore, NULL);
        im_client_off(client, id);
        im_client_emit(client, "echo", "1");
        im_string_free(im_client_info(client));
        im_set_log_callback(IM_LOG_OFF, NULL, NULL, NULL);
        im_client_emit(0, "x", NULL);
    }
    return NULL;
}

static void *hammer_names(void *data) {
    hammers++;
    while (!stop)
        im_status_name(IM_ERROR_FORKED);
    return data;
}

static void no_lock_from_before_the_fork_is_taken(void) {
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", ignore, NULL) > 0);
    stop = false;
    pthread_t threads[4];
    for (int i = 0; i < 3; i++)
        threads[i] = run_thread(hammer, &client);
    threads[3] = run_thread(hammer_names, NULL);
    WAIT(hammers == 4);
    for (int i = 0; i < 30; i++)
        in_child(child_does_everything, &client);
    stop = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    round_trip(client);
    destroy(client);
}

/* The parent's running callbacks are not the child's: its exit waits for none of them. */
static void child_exits_at_once(void *data) { (void)data; }
static void hold(const im_event *event, void *data) { (void)event, gate_wait(data); }

static void the_childs_exit_waits_for_no_callback_of_the_parent(void) {
    gate gate = {0};
    im_client client = connected_client();
    CHECK(im_client_on(client, "echo", hold, &gate) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    WAIT(gate.waiting == 1);
    long long start = now_ms();
    in_child(child_exits_at_once, NULL);
    CHECK(now_ms() - start < 900);
    gate.open = true;
    destroy(client);
}

/* The child has the parent's descriptor, but nothing that it calls reads or writes it. */
static void child_has_its_own_descriptors(void *data) {
    every_call_says_forked(*(im_client *)data);
    im_client client = connected_manual();
    int fd = im_client_wake_fd(client);
    wait_readable(fd);
    poll_round_trip(client);
    CHECK(!is_readable(fd));
    destroy(client);
}

static void the_wake_descriptor_is_the_parents(void) {
    im_client client = connected_manual();
    int fd = im_client_wake_fd(client);
    im_event_release(take_named(client, "connect"));
    in_child(child_has_its_own_descriptors, &client);
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    in_child(child_has_its_own_descriptors, &client);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 0);
    poll_round_trip(client);
    CHECK(!is_readable(fd));
    destroy(client);
}

/* A client that was destroyed in a callback ends when that has returned: the parent's, not the
 * child's. */
static void destroy_then_fork(const im_event *event, void *data) {
    CHECK_EQUAL(im_client_destroy(*(im_client *)data), IM_DEFERRED);
    in_child(child_does_everything, &(im_client){event->client});
}
static void freed_in_the_parent(void *data) { ++*(int *)data; }
static void a_deferred_end_is_the_parents(void) {
    int freed = 0;
    im_client client = connected_manual(), victim = connected_manual();
    CHECK(im_client_subscribe(victim, "x", 0, ignore, &freed, freed_in_the_parent) > 0);
    CHECK(im_client_on(client, "connect", destroy_then_fork, &victim) > 0);
    CHECK_EQUAL(im_client_dispatch(client, PATIENCE_MS, 1), 1);
    CHECK_EQUAL(freed, 1);
    destroy(client);
}

/* To release a polled message is to receipt it, which is the parent's to do. */
static void *hammer_queue(void *data) {
    hammers++;
    while (!stop)
        im_client_emit_args(*(im_client *)data, "x", 1, NULL, 0, NULL, 0, IM_EMIT_VOLATILE);
    return NULL;
}
static void child_releases(void *data) {
    const im_event *message = data;
    CHECK_EQUAL(atoi(strstr(im_event_args(message), "\"timestamp\":") + 12), 1);
    CHECK_EQUAL(im_event_reply(message, "1"), IM_ERROR_FORKED);
    CHECK(im_event_retain(message) == message);
    im_event_release(message);
    im_event_release(message);
}
static void a_child_only_forgets_a_polled_message(void) {
    static const char args[] = "[\"c_message\",{\"meta\":{\"timestamp\":1},\"code\":0,\"data\":{"
                               "\"action\":\"CHAT_MESSAGE\",\"payload\":{\"type\":1,\"from\":\"b\","
                               "\"to\":\"a\",\"content\":\"hi\",\"fp\":\"f\"}}}]";
    im_client client = new_client("/chat", MANUAL);
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
    const im_event *message = take_named(client, IM_CHAT_MESSAGE);
    CHECK_EQUAL(im_client_close(client), IM_OK);
    stop = false;
    hammers = 0;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = run_thread(hammer_queue, &client);
    WAIT(hammers == 3);
    for (int i = 0; i < 100; i++)
        in_child(child_releases, (void *)message);
    stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    im_event_release(message);
    destroy(client);
}

CASES("fork", CASE(handles_are_dead_new_clients_work_and_the_parent_does_not_notice),
      CASE(destroy_in_the_child_sends_nothing), CASE(a_child_of_the_child), CASE(inside_a_callback),
      CASE(the_childs_exit_waits_for_no_callback_of_the_parent),
      CASE(no_lock_from_before_the_fork_is_taken), CASE(the_wake_descriptor_is_the_parents),
      CASE(a_deferred_end_is_the_parents), CASE(a_child_only_forgets_a_polled_message))

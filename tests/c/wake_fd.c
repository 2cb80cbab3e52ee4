/* Manual delivery: the descriptor for event loops. */

#include "manual.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void ignore_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
}

static im_client idle_manual(void) { return new_client("/", MANUAL ",\"autoConnect\":false"); }

static void woken(im_client client) {
    const im_event *event;
    CHECK_EQUAL(im_client_poll(client, 0, &event), IM_WOKEN);
}

static void it_is_made_on_first_use_and_closed_with_the_client(void) {
    im_client client = idle_manual(), other = idle_manual();
    int before = count_fds();
    int fd = im_client_wake_fd(client);
    CHECK(fd >= 0);
    CHECK_EQUAL(count_fds(), before + 1);
    CHECK_EQUAL(im_client_wake_fd(client), fd);
    CHECK_EQUAL(count_fds(), before + 1);
    CHECK(im_client_wake_fd(other) != fd);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    destroy(client);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    CHECK_EQUAL(im_client_wake_fd(client), -1);
    CHECK_EQUAL(im_last_status(), IM_ERROR_HANDLE);
    fd = im_client_wake_fd(other);
    CHECK_EQUAL(im_client_destroy_async(other, NULL, NULL), IM_OK);
    WAIT(im_client_count() == 0);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    /* Made and closed in turn, while others are woken and destroyed. */
    for (int i = 0; i < 50; i++) {
        im_client fresh = i % 2 == 0 ? idle_manual() : new_client("/", MANUAL);
        CHECK(im_client_wake_fd(fresh) >= 0);
        CHECK_EQUAL(im_client_wake(fresh), IM_OK);
        destroy(fresh);
    }
    CHECK(count_fds() <= before);
}

/* Readable exactly while a poll or a dispatch has something to do. */
static void it_is_readable_while_anything_waits(void) {
    im_client client = idle_manual();
    int fd = im_client_wake_fd(client);
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK(is_readable(fd) && is_readable(fd));
    woken(client);
    CHECK(!is_readable(fd));
    /* Events: until the last is taken. */
    CHECK_EQUAL(im_client_open(client), IM_OK);
    wait_readable(fd);
    im_event_release(take_named(client, "connect"));
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 3);
    /* Events are queued a moment before anybody is told. */
    wait_readable(fd);
    for (int i = 0; i < 3; i++) {
        CHECK(is_readable(fd));
        im_event_release(take(client));
    }
    CHECK(!is_readable(fd));
    /* Outcomes, and free functions. */
    int64_t request = im_client_emit_with_ack(client, "silent", "1", 0, ignore_ack, NULL);
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_cancel(client, request), IM_OK);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 1);
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_off(client, im_client_on(client, "x", ignore, NULL)), IM_OK);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK(!is_readable(fd));
    /* A dispatch that leaves something. */
    CHECK(im_client_on(client, "burst", ignore, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "2"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 2);
    wait_readable(fd);
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
    CHECK(!is_readable(fd));
    destroy(client);
    /* Made when something waits already. */
    client = idle_manual();
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK(is_readable(im_client_wake_fd(client)));
    woken(client);
    CHECK(!is_readable(im_client_wake_fd(client)));
    destroy(client);
}

/* A loop that asks the descriptor alone misses nothing of a flood, and rests behind it. */
static void it_is_a_level_in_a_flood(void) {
    enum { MANY = 10000 };
    im_client client = connected_manual();
    int fd = im_client_wake_fd(client), next = 0;
    im_event_release(take_named(client, "connect"));
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    for (int turn = 0; next < MANY; turn++) {
        wait_readable(fd);
        /* Sometimes one event, sometimes all. */
        for (int i = 0; turn % 3 == 0 || i < turn % 7 + 1; i++) {
            const im_event *event;
            im_status status = im_client_poll(client, 0, &event);
            if (status == IM_ERROR_TIMEOUT)
                break;
            CHECK_EQUAL(status, IM_OK);
            CHECK_EQUAL(atoi(event->json), next++);
            im_event_release(event);
        }
    }
    CHECK(!is_readable(fd));
    nothing_waits(client);
    destroy(client);
}

/* Edge-triggered too, where one takes until there is nothing: every level after that is a new edge.
 */
static void it_works_edge_triggered(void) {
    im_client client = connected_manual();
    int fd = im_client_wake_fd(client), loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET}, got;
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &edge) == 0);
    im_event_release(take_named(client, "connect"));
    for (int i = 0; i < 1000; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", text("%d", i)), IM_OK);
        for (bool found = false; !found;) {
            const im_event *event;
            CHECK_EQUAL(epoll_wait(loop, &got, 1, PATIENCE_MS), 1);
            while (im_client_poll(client, 0, &event) == IM_OK) {
                CHECK_EQUAL(atoi(event->json), i);
                found = true;
                im_event_release(event);
            }
        }
    }
    close(loop);
    destroy(client);
}

/* ---- Many clients, one thread ---- */

static void many_clients_one_thread(void) {
    enum { CLIENTS = 12, EACH = 200 };
    im_client clients[CLIENTS];
    int next[CLIENTS] = {0}, left = CLIENTS, loop = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct epoll_event it = {.events = EPOLLIN, .data.u32 = i};
        clients[i] = new_client("/", MANUAL);
        CHECK_EQUAL(im_client_emit(clients[i], "burst", text("%d", EACH)), IM_OK);
        CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, im_client_wake_fd(clients[i]), &it) == 0);
    }
    while (left > 0) {
        struct epoll_event ready[CLIENTS];
        int count = epoll_wait(loop, ready, CLIENTS, PATIENCE_MS);
        CHECK(count > 0);
        for (int i = 0; i < count; i++) {
            uint32_t at = ready[i].data.u32;
            const im_event *event;
            CHECK_EQUAL(im_client_poll(clients[at], 0, &event), IM_OK);
            if (strcmp(event->name, "burst") == 0) {
                CHECK_EQUAL(atoi(event->json), next[at]++);
                left -= next[at] == EACH;
            }
            im_event_release(event);
        }
    }
    CHECK_EQUAL(epoll_wait(loop, &(struct epoll_event){0}, 1, 0), 0);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK(epoll_ctl(loop, EPOLL_CTL_DEL, im_client_wake_fd(clients[i]), NULL) == 0);
        destroy(clients[i]);
    }
    close(loop);
}

/* ---- The end ---- */

/* A loop in another thread sees the end: the descriptor is readable, and the poll says so. */
static atomic_int watching;
static void *watch(void *data) {
    im_client client = *(im_client *)data;
    int loop = epoll_create1(EPOLL_CLOEXEC), fd = im_client_wake_fd(client);
    struct epoll_event it = {.events = EPOLLIN};
    const im_event *event;
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &it) == 0);
    watching = 1;
    CHECK_EQUAL(epoll_wait(loop, &it, 1, PATIENCE_MS), 1);
    CHECK_EQUAL(im_client_poll(client, -1, &event), IM_ERROR_HANDLE);
    close(loop);
    return NULL;
}
static gate hold_gate;
static void hold(const im_event *event, void *data) {
    (void)event, (void)data, gate_wait(&hold_gate);
}
static void *dispatch_once(void *data) {
    CHECK_EQUAL(im_client_dispatch(*(im_client *)data, -1, 1), IM_ERROR_HANDLE);
    return NULL;
}
static void the_end_makes_it_readable(void) {
    im_client client = connected_manual();
    hold_gate = (gate){0};
    watching = 0;
    im_event_release(take_named(client, "connect"));
    CHECK(im_client_on(client, "echo", hold, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
    /* The end waits for this callback, so the descriptor stays open meanwhile. */
    pthread_t holder = run_thread(dispatch_once, &client);
    WAIT(hold_gate.waiting == 1);
    pthread_t watcher = run_thread(watch, &client);
    WAIT(watching == 1);
    CHECK_EQUAL(im_client_destroy_async(client, NULL, NULL), IM_OK);
    pthread_join(watcher, NULL);
    hold_gate.open = true;
    pthread_join(holder, NULL);
    WAIT(im_client_count() == 0);
}

static void *poll_or_wake(void *data) {
    im_client client = *(im_client *)data;
    const im_event *event;
    for (int i = 0;; i++) {
        im_status status = i % 3 == 0   ? im_client_wake(client)
                           : i % 3 == 1 ? im_client_poll(client, i % 2, &event)
                                        : im_client_dispatch(client, i % 2, 1);
        if (i % 3 == 1)
            im_event_release(event);
        if (i % 10 == 0)
            im_client_wake_fd(client);
        if (status == IM_ERROR_HANDLE)
            return NULL;
        CHECK(status >= 0 || status == IM_ERROR_TIMEOUT);
    }
}
static void everything_at_once_until_the_end(void) {
    int before = count_fds();
    for (int round = 0; round < 40; round++) {
        pthread_t threads[6];
        im_client client = new_client("/", MANUAL);
        CHECK_EQUAL(im_client_emit(client, "burst", "300"), IM_OK);
        for (int i = 0; i < 6; i++)
            threads[i] = run_thread(poll_or_wake, &client);
        pass_ms(round % 11);
        if (round % 2 == 0) {
            destroy(client);
        } else {
            CHECK_EQUAL(im_client_destroy_async(client, NULL, NULL), IM_OK);
        }
        for (int i = 0; i < 6; i++)
            pthread_join(threads[i], NULL);
        WAIT(im_client_count() == 0);
    }
    WAIT(count_fds() <= before);
}

CASES("wake_fd", CASE(it_is_made_on_first_use_and_closed_with_the_client),
      CASE(it_is_readable_while_anything_waits), CASE(it_is_a_level_in_a_flood),
      CASE(it_works_edge_triggered), CASE(many_clients_one_thread), CASE(the_end_makes_it_readable),
      CASE(everything_at_once_until_the_end))

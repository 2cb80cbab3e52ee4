/* Manual delivery: im_client_wake, and the descriptor for event loops. Here is where a wake-up
 * could get lost. */

#include "manual.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void ignore_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
}

static im_client idle_manual(void) { return new_client("/", MANUAL ",\"autoConnect\":false"); }

static void woken(im_client client, int64_t timeout_ms) {
    const im_event *event = (const im_event *)&event;
    CHECK_EQUAL(im_client_poll(client, timeout_ms, &event), IM_WOKEN);
    CHECK(event == NULL);
}

/* ---- Wake ---- */

static void a_wake_before_is_remembered_once(void) {
    im_client client = idle_manual();
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(im_client_wake(client), IM_OK);
    woken(client, -1);
    nothing_waits(client);
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK_EQUAL(im_client_dispatch(client, -1, 0), 0);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), IM_ERROR_TIMEOUT);
    CHECK(strcmp(im_status_name(IM_WOKEN), "IM_WOKEN") == 0 && IM_WOKEN > 0);
    destroy(client);
    CHECK_EQUAL(im_client_wake(client), IM_ERROR_HANDLE);
}

/* It goes before the events: in a flood it would never be seen behind them. None is lost. */
static void a_wake_goes_before_what_waits(void) {
    enum { MANY = 200 };
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    CHECK_EQUAL(im_client_emit(client, "burst", text("%d", MANY)), IM_OK);
    WAIT(info_number(client, "\"events\":") == MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQUAL(im_client_wake(client), IM_OK);
        woken(client, 0);
        const im_event *event = take(client);
        CHECK_EQUAL(atoi(event->json), i);
        im_event_release(event);
    }
    nothing_waits(client);
    destroy(client);
}

/* In a dispatch too, between two callbacks. */
static atomic_int calls;
static void wake_on_third(const im_event *event, void *data) {
    (void)data;
    if (++calls == 3)
        CHECK_EQUAL(im_client_wake(event->client), IM_OK);
}
static void a_wake_ends_a_dispatch_between_two_callbacks(void) {
    im_client client = connected_manual();
    im_event_release(take_named(client, "connect"));
    calls = 0;
    CHECK(im_client_on(client, "burst", wake_on_third, NULL) > 0);
    CHECK_EQUAL(im_client_emit(client, "burst", "10"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 10);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 3);
    CHECK_EQUAL(im_client_dispatch(client, 0, 0), 7);
    destroy(client);
}

/* Each wake ends one of those who wait; nobody waits on after it, and nobody is woken for nothing.
 */
static atomic_int ended;
static void *poll_for_a_wake(void *data) {
    woken(*(im_client *)data, -1);
    ended++;
    return NULL;
}
static void *dispatch_for_a_wake(void *data) {
    CHECK_EQUAL(im_client_dispatch(*(im_client *)data, -1, 0), 0);
    ended++;
    return NULL;
}
static void each_wake_ends_one_who_waits(void) {
    enum { WAITERS = 6 };
    im_client client = idle_manual();
    for (int round = 0; round < 20; round++) {
        pthread_t threads[WAITERS];
        ended = 0;
        /* Two of them wait for their turn to dispatch. */
        for (int i = 0; i < WAITERS; i++)
            threads[i] = run_thread(i < 3 ? dispatch_for_a_wake : poll_for_a_wake, &client);
        for (int i = 0; i < WAITERS; i++) {
            CHECK_EQUAL(im_client_wake(client), IM_OK);
            WAIT(ended == i + 1);
        }
        for (int i = 0; i < WAITERS; i++)
            pthread_join(threads[i], NULL);
        nothing_waits(client);
    }
    destroy(client);
}

/* One wake after another, each only when the one before was seen: the first that is lost hangs. */
static atomic_int seen;
static void *count_wakes(void *data) {
    const im_event *event;
    im_status status;
    while ((status = im_client_poll(*(im_client *)data, -1, &event)) == IM_WOKEN)
        seen++;
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void no_wake_is_lost(void) {
    im_client client = idle_manual();
    pthread_t thread = run_thread(count_wakes, &client);
    seen = 0;
    for (int i = 0; i < 5000; i++) {
        CHECK_EQUAL(im_client_wake(client), IM_OK);
        while (seen <= i)
            sched_yield();
    }
    destroy(client);
    pthread_join(thread, NULL);
    CHECK_EQUAL(seen, 5000);
}

/* Pollers and dispatchers, woken and not: whatever is sent comes to one of them while all others
 * sleep. */
static atomic_int came;
static void count_echo(const im_event *event, void *data) { (void)event, (void)data, came++; }
static void *take_by_poll(void *data) {
    const im_event *event;
    im_status status;
    while ((status = im_client_poll(*(im_client *)data, -1, &event)) >= 0) {
        came += event != NULL && strcmp(event->name, "echo") == 0;
        im_event_release(event);
    }
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void *take_by_dispatch(void *data) {
    im_status status;
    while ((status = im_client_dispatch(*(im_client *)data, -1, 1)) >= 0) {
    }
    CHECK_EQUAL(status, IM_ERROR_HANDLE);
    return NULL;
}
static void no_event_waits_while_everybody_sleeps(void) {
    enum { TAKERS = 5 };
    im_client client = connected_manual();
    pthread_t threads[TAKERS];
    CHECK(im_client_on(client, "echo", count_echo, NULL) > 0);
    for (int i = 0; i < TAKERS; i++)
        threads[i] = run_thread(i < 2 ? take_by_dispatch : take_by_poll, &client);
    for (int i = 0; i < 600; i++) {
        CHECK_EQUAL(im_client_emit(client, "echo", "1"), IM_OK);
        if (i % 3 == 0)
            CHECK_EQUAL(im_client_wake(client), IM_OK);
        if (i % 5 == 0)
            im_client_off(client, im_client_on(client, "x", ignore, NULL));
        WAIT(came == i + 1);
    }
    destroy(client);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- The descriptor ---- */

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
    woken(client, 0);
    CHECK(!is_readable(fd));
    /* Events: until the last is taken. */
    CHECK_EQUAL(im_client_open(client), IM_OK);
    wait_readable(fd);
    im_event_release(take_named(client, "connect"));
    CHECK(!is_readable(fd));
    CHECK_EQUAL(im_client_emit(client, "burst", "3"), IM_OK);
    WAIT(info_number(client, "\"events\":") == 3);
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
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
    CHECK(is_readable(fd));
    CHECK_EQUAL(im_client_dispatch(client, 0, 1), 1);
    CHECK(!is_readable(fd));
    destroy(client);
    /* Made when something waits already. */
    client = idle_manual();
    CHECK_EQUAL(im_client_wake(client), IM_OK);
    CHECK(is_readable(im_client_wake_fd(client)));
    woken(client, 0);
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

CASES("wake", CASE(a_wake_before_is_remembered_once), CASE(a_wake_goes_before_what_waits),
      CASE(a_wake_ends_a_dispatch_between_two_callbacks), CASE(each_wake_ends_one_who_waits),
      CASE(no_wake_is_lost), CASE(no_event_waits_while_everybody_sleeps),
      CASE(it_is_made_on_first_use_and_closed_with_the_client),
      CASE(it_is_readable_while_anything_waits), CASE(it_is_a_level_in_a_flood),
      CASE(it_works_edge_triggered), CASE(many_clients_one_thread), CASE(the_end_makes_it_readable),
      CASE(everything_at_once_until_the_end))

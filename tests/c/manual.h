/* What the tests of manual delivery share. */

#ifndef MANUAL_H
#define MANUAL_H

#include "check.h"

#include <poll.h>

#define MANUAL ",\"delivery\":\"manual\""

static inline im_client connected_manual(void) {
    im_client client = new_client("/", MANUAL);
    wait_connected(client);
    return client;
}

/* The next event, to be released; there has to come one. */
static inline const im_event *take(im_client client) {
    const im_event *event = NULL;
    CHECK_EQUAL(im_client_poll(client, PATIENCE_MS, &event), IM_OK);
    CHECK(event != NULL && event->client == client && event->size == sizeof *event);
    return event;
}

/* The next event of a name, to be released; those before it are dropped. */
static inline const im_event *take_named(im_client client, const char *name) {
    for (;;) {
        const im_event *event = take(client);
        if (strcmp(event->name, name) == 0)
            return event;
        im_event_release(event);
    }
}

/* The outcome of a request, to be released. */
static inline const im_event *take_outcome(im_client client, int64_t request) {
    for (;;) {
        const im_event *event = take(client);
        if (event->kind == IM_EVENT_KIND_ACK) {
            CHECK_EQUAL(event->request, request);
            CHECK_EQUAL(event->name_len, 0);
            return event;
        }
        im_event_release(event);
    }
}

static inline void nothing_waits(im_client client) {
    const im_event *event = (const im_event *)&event;
    CHECK_EQUAL(im_client_poll(client, 0, &event), IM_ERROR_TIMEOUT);
    CHECK(event == NULL);
}

/* A round trip whose answer poll takes; every other event is dropped. */
static inline void poll_round_trip(im_client client) {
    int64_t request = im_client_emit_with_ack(client, "echo", "\"there\"", 0, NULL, NULL);
    CHECK(request > 0);
    const im_event *answer = take_outcome(client, request);
    CHECK_EQUAL(answer->status, IM_OK);
    im_event_release(answer);
}

static inline bool is_readable(int fd) {
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    CHECK(poll(&asked, 1, 0) >= 0);
    CHECK((asked.revents & ~POLLIN) == 0);
    return asked.revents != 0;
}

static inline void wait_readable(int fd) {
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    CHECK_EQUAL(poll(&asked, 1, PATIENCE_MS), 1);
    CHECK_EQUAL(asked.revents, POLLIN);
}

/* Dispatches until a condition holds; patience begins again with every callback. */
#define DISPATCH_UNTIL(client, condition)                                                          \
    do {                                                                                           \
        long long end_ = now_ms() + PATIENCE_MS;                                                   \
        while (!(condition)) {                                                                     \
            im_status called_ = im_client_dispatch((client), 100, 0);                              \
            CHECK(called_ > 0 || called_ == IM_ERROR_TIMEOUT);                                     \
            if (called_ > 0)                                                                       \
                end_ = now_ms() + PATIENCE_MS;                                                     \
            if (now_ms() >= end_)                                                                  \
                check_failed(__FILE__, __LINE__, "dispatched in vain: " #condition);               \
        }                                                                                          \
    } while (0)

#endif

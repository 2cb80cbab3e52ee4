/*
 * event_loop: several chat users in one thread.
 *
 * With "delivery": "manual" the library calls nobody by itself: it makes a descriptor readable, and
 * the functions below run in im_client_dispatch, on this one thread. So they share a struct without
 * a lock. The users stand in a ring; each greets the next one when all are there.
 */
#include <im_client.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MOST_USERS 64
#define PATIENCE_MS 20000
/* So many callbacks of one client, then the next client has its turn. */
#define CALLBACKS_PER_TURN 16

struct ring;

struct user {
    struct ring *ring;
    im_client client;
    int number;
    bool is_connected;
};

struct ring {
    struct user users[MOST_USERS];
    int size;
    int connected, stored, greeted;
    bool failed;
};

static void on_stored(im_status status, const im_event *reply, void *user_data) {
    struct user *user = user_data;
    (void)reply;
    if (status != IM_OK) {
        fprintf(stderr, "user %d: not stored: %s\n", user->number, im_status_text(status));
        user->ring->failed = true;
    }
    user->ring->stored++;
}

static void greet_next(struct user *user) {
    char message[160];
    int next = (user->number + 1) % user->ring->size;
    snprintf(message, sizeof message,
             "{\"type\":1,\"from\":\"%d\",\"to\":\"%d\",\"content\":\"hi from %d\"}", user->number,
             next, user->number);
    if (im_client_send_message(user->client, message, PATIENCE_MS, on_stored, user) < 0) {
        fprintf(stderr, "user %d: %s\n", user->number, im_last_error());
        user->ring->failed = true;
    }
}

static void on_connect(const im_event *event, void *user_data) {
    struct user *user = user_data;
    struct ring *ring = user->ring;
    (void)event;
    if (user->is_connected)
        return; /* It has reconnected. */
    user->is_connected = true;
    if (++ring->connected == ring->size) {
        for (int i = 0; i < ring->size; i++)
            greet_next(&ring->users[i]);
    }
}

static void on_connect_error(const im_event *event, void *user_data) {
    const struct user *user = user_data;
    fprintf(stderr, "user %d: %s\n", user->number, event->json);
}

static void on_message(const im_event *event, void *user_data) {
    struct user *user = user_data;
    printf("user %d got %s\n", user->number, event->json);
    user->ring->greeted++;
}

/* Gives false where something could not be made; the end cleans up. */
static bool add_user(struct ring *ring, int epoll, const char *root) {
    struct user *user = &ring->users[ring->size];
    char options[512];
    *user = (struct user){.ring = ring, .number = ring->size};
    snprintf(options, sizeof options,
             "{\"root\":\"%s\",\"nsp\":\"chat\",\"delivery\":\"manual\","
             "\"query\":{\"token\":\"t\",\"userId\":\"%d\"}}",
             root, user->number);
    user->client = im_client_new(options);
    if (user->client == 0) {
        fprintf(stderr, "%s\n", im_last_error());
        return false;
    }
    ring->size++;
    im_client_on(user->client, IM_EVENT_CONNECT, on_connect, user);
    im_client_on(user->client, IM_EVENT_CONNECT_ERROR, on_connect_error, user);
    im_client_on(user->client, IM_CHAT_MESSAGE, on_message, user);
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = user};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, im_client_wake_fd(user->client), &readable) != 0) {
        perror("event_loop");
        return false;
    }
    return true;
}

static bool run(struct ring *ring, int epoll) {
    while (ring->stored < ring->size || ring->greeted < ring->size) {
        struct epoll_event ready[MOST_USERS];
        int count = epoll_wait(epoll, ready, MOST_USERS, PATIENCE_MS);
        if (count <= 0 || ring->failed)
            return false;
        for (int i = 0; i < count; i++) {
            struct user *user = ready[i].data.ptr;
            /* What is left keeps the descriptor readable. */
            im_client_dispatch(user->client, 0, CALLBACKS_PER_TURN);
        }
    }
    return !ring->failed;
}

int main(int argc, char **argv) {
    const char *root = argc > 1 ? argv[1] : "http://localhost:7001";
    int users = argc > 2 ? atoi(argv[2]) : 4;
    if (users < 2 || users > MOST_USERS) {
        fprintf(stderr, "usage: event_loop [ROOT [USERS, 2 to %d]]\n", MOST_USERS);
        return 2;
    }
    static struct ring ring;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool done = epoll >= 0;
    for (int i = 0; done && i < users; i++)
        done = add_user(&ring, epoll, root);
    done = done && run(&ring, epoll);
    for (int i = 0; i < ring.size; i++) {
        /* Out of the loop first: the library closes the descriptor. */
        epoll_ctl(epoll, EPOLL_CTL_DEL, im_client_wake_fd(ring.users[i].client), NULL);
        im_client_flush(ring.users[i].client, PATIENCE_MS);
        im_client_destroy(ring.users[i].client);
    }
    close(epoll);
    printf("%d users, %d connected, %d messages stored, %d received\n", ring.size, ring.connected,
           ring.stored, ring.greeted);
    return done ? 0 : 1;
}

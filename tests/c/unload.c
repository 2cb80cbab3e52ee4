/* Promise 13: the library is never unloaded, so a host may load and unload it, as a plugin does,
 * while clients live. This program is not linked with it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "im_client.h"

static const char library[] = "libim_client.so.0";

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAILED %s:%d: %s\n", __FILE__, __LINE__, #condition);                          \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* A function of the library, with the type that the header gives it. */
#define FUNCTION(loaded, name) __typeof__(&name) name##_ = (__typeof__(&name))dlsym(loaded, #name)

static void pass_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int events;
static void on_event(const im_event *event, void *data) {
    (void)event, (void)data;
    __atomic_add_fetch(&events, 1, __ATOMIC_SEQ_CST);
}
static int seen(void) { return __atomic_load_n(&events, __ATOMIC_SEQ_CST); }

/* Loads the library, makes a client that lives on, and unloads it; gives the client. */
static im_client a_visit(const char *root) {
    char options[300];
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(loaded != NULL);
    FUNCTION(loaded, im_client_new);
    FUNCTION(loaded, im_client_on);
    FUNCTION(loaded, im_client_emit);
    snprintf(options, sizeof options,
             "{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\",\"reconnectionDelay\":20}",
             root);
    im_client client = im_client_new_(options);
    CHECK(client != 0);
    CHECK(im_client_on_(client, "echo", on_event, NULL) > 0);
    CHECK(im_client_emit_(client, "echo", "1") == IM_OK);
    CHECK(dlclose(loaded) == 0);
    return client;
}

enum { VISITS = 20 };

static void clients_live_on_while_it_is_loaded_and_unloaded(const char *root) {
    im_client clients[VISITS];
    CHECK(dlopen(library, RTLD_NOW | RTLD_NOLOAD) == NULL);
    for (int i = 0; i < VISITS; i++)
        clients[i] = a_visit(root);
    for (int waited = 0; seen() < VISITS; waited++) {
        CHECK(waited < 20000);
        pass_ms(1);
    }
    /* All but the last few end here; those live on until the process ends. */
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(loaded != NULL);
    FUNCTION(loaded, im_client_count);
    FUNCTION(loaded, im_client_destroy);
    CHECK(im_client_count_() == VISITS);
    for (int i = 0; i < VISITS - 3; i++)
        CHECK(im_client_destroy_(clients[i]) == IM_OK);
    CHECK(im_client_count_() == 3);
    CHECK(dlclose(loaded) == 0);
}

#define CASE(function) function(argv[1]), puts("ok unload: " #function)

int main(int argc, char **argv) {
    CHECK(argc > 1);
    CASE(clients_live_on_while_it_is_loaded_and_unloaded);
    return 0;
}

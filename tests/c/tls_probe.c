/* Connects with the options of its first argument and prints the first connect or connect_error as
 * "name JSON"; the log and the client's info go to standard error. A process of its own, because a
 * process reads its trusted certificates once, and with name lookups of its own: the names under
 * .test have addresses of both families, whatever the machine's resolver says. */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "im_client.h"

static sem_t told, logged;
static int tells;

static void on_outcome(const im_event *event, void *user_data) {
    (void)user_data;
    if (tells) {
        return;
    }
    tells = 1;
    printf("%s %s\n", event->name, event->json);
    fflush(stdout);
    sem_post(&told);
}

static void on_line(int32_t level, const char *line, void *user_data) {
    (void)user_data;
    fprintf(stderr, "log %d: %s\n", (int)level, line);
    if (strstr(line, "\"autoUnref\" has no meaning") != NULL) {
        sem_post(&logged);
    }
}

/* Lines come in their order, so when that of another client is there, all earlier ones are. */
static void wait_for_the_log(void) {
    im_client last = im_client_new(
        "{\"root\":\"http://localhost\",\"nsp\":\"last\",\"autoConnect\":false,\"proxy\":\"none\","
        "\"autoUnref\":true}");
    if (last != 0) {
        sem_wait(&logged);
        im_client_destroy(last);
    }
}

int main(int argc, char **argv) {
    im_client client;
    char *info;
    if (argc != 2 || sem_init(&told, 0, 0) != 0 || sem_init(&logged, 0, 0) != 0) {
        fprintf(stderr, "usage: tls_probe OPTIONS\n");
        return 2;
    }
    im_set_log_callback(IM_LOG_TRACE, on_line, NULL, NULL);
    client = im_client_new(argv[1]);
    if (client == 0) {
        fprintf(stderr, "%s\n", im_last_error());
        return 1;
    }
    im_client_on(client, IM_EVENT_CONNECT, on_outcome, NULL);
    im_client_on(client, IM_EVENT_CONNECT_ERROR, on_outcome, NULL);
    sem_wait(&told);
    info = im_client_info(client);
    fprintf(stderr, "info %s\n", info);
    im_string_free(info);
    wait_for_the_log();
    im_client_destroy(client);
    return 0;
}

/* The lookup that the library calls, found here before the C library's. */

struct node {
    struct addrinfo info;
    struct sockaddr_in6 address;
};

static struct addrinfo *node_of(const char *address, const char *service, struct addrinfo *next) {
    struct node *node = calloc(1, sizeof *node);
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&node->address;
    unsigned short port = service ? htons((unsigned short)atoi(service)) : 0;
    if (inet_pton(AF_INET6, address, &node->address.sin6_addr) == 1) {
        node->address.sin6_family = AF_INET6;
        node->address.sin6_port = port;
        node->info.ai_addrlen = sizeof(struct sockaddr_in6);
    } else {
        memset(&node->address, 0, sizeof node->address);
        four->sin_family = AF_INET;
        four->sin_port = port;
        inet_pton(AF_INET, address, &four->sin_addr);
        node->info.ai_addrlen = sizeof(struct sockaddr_in);
    }
    node->info.ai_addr = (struct sockaddr *)(void *)&node->address;
    node->info.ai_family = node->info.ai_addr->sa_family;
    node->info.ai_socktype = SOCK_STREAM;
    node->info.ai_next = next;
    return &node->info;
}

static struct addrinfo *both(const char *first, const char *second, const char *service) {
    return node_of(first, service, node_of(second, service, NULL));
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    struct in_addr four;
    (void)hints;
    if (strcmp(name, "six-then-four.test") == 0) {
        *found = both("::1", "127.0.0.1", service);
    } else if (strcmp(name, "four-then-six.test") == 0) {
        *found = both("127.0.0.1", "::1", service);
    } else if (strcmp(name, "deaf-then-four.test") == 0) {
        *found = both("127.0.0.9", "127.0.0.1", service);
    } else if (strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &four) == 1) {
        *found = node_of(strcmp(name, "localhost") == 0 ? "127.0.0.1" : name, service, NULL);
    } else {
        return EAI_NONAME;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list) {
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

/* What the C tests share: checks, waiting for conditions, recorded events, counts of threads and
 * descriptors. */

#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "im_client.h"

/* How long a test waits for something that has to happen; nothing waits so long where all is well.
 */
#define PATIENCE_MS 20000

/* ---- Checks ---- */

static const char *current_case = "";

static inline void check_failed(const char *file, int line, const char *what) {
    printf("FAILED %s: %s:%d: %s (im_last_error: \"%s\")\n", current_case, file, line, what,
           im_last_error());
    fflush(stdout);
    _exit(1);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

/* As CHECK, and tells both numbers. */
#define CHECK_EQUAL(got, wanted)                                                                   \
    do {                                                                                           \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                          \
        if (got_ != wanted_) {                                                                     \
            char text_[256];                                                                       \
            snprintf(text_, sizeof text_, "%s is %lld, not %lld", #got, got_, wanted_);            \
            check_failed(__FILE__, __LINE__, text_);                                               \
        }                                                                                          \
    } while (0)

/* The last failure was this one, and its words name the culprit. */
#define CHECK_FAULT(status, culprit)                                                               \
    do {                                                                                           \
        CHECK_EQUAL(im_last_status(), (status));                                                   \
        if (strstr(im_last_error(), (culprit)) == NULL)                                            \
            check_failed(__FILE__, __LINE__, "the error names " #culprit);                         \
    } while (0)

/* ---- Time ---- */

static inline long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For code that is to take time, never for a condition. */
static inline void pass_ms(long ms) {
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

#define WAIT_MS(condition, limit)                                                                  \
    do {                                                                                           \
        long long until_ = now_ms() + (limit);                                                     \
        while (!(condition)) {                                                                     \
            if (now_ms() >= until_)                                                                \
                check_failed(__FILE__, __LINE__, "waited in vain: " #condition);                   \
            pass_ms(1);                                                                            \
        }                                                                                          \
    } while (0)

#define WAIT(condition) WAIT_MS(condition, PATIENCE_MS)

/* ---- The process ---- */

static inline int count_entries(const char *folder) {
    DIR *dir = opendir(folder);
    int count = 0;
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static inline int count_fds(void) { return count_entries("/proc/self/fd") - 1; }

/* Threads whose name starts so; "" counts all. */
static inline int count_threads(const char *prefix) {
    DIR *dir = opendir("/proc/self/task");
    int count = 0;
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[300], name[32] = "";
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue; /* It has just ended. */
        if (fgets(name, sizeof name, file) != NULL) {
            count += strncmp(name, prefix, strlen(prefix)) == 0;
        }
        fclose(file);
    }
    closedir(dir);
    return count;
}

static inline int library_threads(void) { return count_threads("im-"); }

static inline void this_thread(char name[32]) {
    if (pthread_getname_np(pthread_self(), name, 32) != 0)
        name[0] = 0;
}

static inline pthread_t run_thread(void *(*code)(void *), void *data) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, code, data) == 0);
    return thread;
}

/* ---- A gate that callbacks wait at ---- */

typedef struct gate {
    atomic_int waiting;
    atomic_bool open;
} gate;

/* Gives false where it was never opened. */
static inline bool gate_wait(gate *it) {
    long long until = now_ms() + PATIENCE_MS;
    it->waiting++;
    while (!it->open && now_ms() < until)
        pass_ms(1);
    it->waiting--;
    return it->open;
}

/* ---- Events that came ---- */

typedef struct item {
    char *name;
    char *json;
    char *args;
    uint64_t ack_id;
    im_status status;
} item;

typedef struct recorder {
    pthread_mutex_t lock;
    pthread_cond_t more;
    item *items;
    int count, capacity;
    atomic_int freed;
} recorder;

#define RECORDER                                                                                   \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0, 0 }

static inline void record_item(recorder *to, const im_event *event, im_status status) {
    pthread_mutex_lock(&to->lock);
    if (to->count == to->capacity) {
        to->capacity = to->capacity == 0 ? 64 : 2 * to->capacity;
        to->items = realloc(to->items, (size_t)to->capacity * sizeof *to->items);
    }
    item *it = &to->items[to->count++];
    it->name = strdup(event == NULL ? "" : event->name);
    it->json = strdup(event == NULL ? "" : event->json);
    it->args = strdup(event == NULL ? "" : im_event_args(event));
    it->ack_id = event == NULL ? 0 : event->ack_id;
    it->status = status;
    pthread_cond_broadcast(&to->more);
    pthread_mutex_unlock(&to->lock);
}

/* An im_event_fn, an im_ack_fn and an im_free_fn whose user data is a recorder. */
static inline void record(const im_event *event, void *to) { record_item(to, event, IM_OK); }
static inline void record_ack(im_status status, const im_event *reply, void *to) {
    record_item(to, reply, status);
}
static inline void record_free(void *to) { ((recorder *)to)->freed++; }

static inline int recorded(recorder *of, const char *name) {
    int count = 0;
    pthread_mutex_lock(&of->lock);
    for (int i = 0; i < of->count; i++)
        count += name == NULL || strcmp(of->items[i].name, name) == 0;
    pthread_mutex_unlock(&of->lock);
    return count;
}

/* The n-th event (from 0) of a name, or of any (NULL), once it has come. */
static inline item wait_item(recorder *of, const char *name, int n) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&of->lock);
    for (int from = 0;;) {
        for (; from < of->count; from++) {
            item found = of->items[from];
            if ((name == NULL || strcmp(found.name, name) == 0) && n-- == 0) {
                pthread_mutex_unlock(&of->lock);
                return found;
            }
        }
        if (pthread_cond_timedwait(&of->more, &of->lock, &until) != 0) {
            char text[160];
            snprintf(text, sizeof text, "waited in vain for an event %s; %d others came",
                     name == NULL ? "(any)" : name, of->count);
            check_failed(__FILE__, __LINE__, text);
        }
    }
}

static inline void recorder_clear(recorder *it) {
    pthread_mutex_lock(&it->lock);
    for (int i = 0; i < it->count; i++) {
        free(it->items[i].name);
        free(it->items[i].json);
        free(it->items[i].args);
    }
    free(it->items);
    it->items = NULL;
    it->count = it->capacity = 0;
    pthread_mutex_unlock(&it->lock);
    it->freed = 0;
}

/* ---- Clients ---- */

static const char *root = "";

/* A printf into a static place of this thread, good for the next few calls. */
__attribute__((format(printf, 1, 2))) static inline const char *text(const char *format, ...) {
    static _Thread_local char buffers[8][4096];
    static _Thread_local int next;
    char *buffer = buffers[next++ % 8];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffers[0], format, arguments);
    va_end(arguments);
    return buffer;
}

/* A client of the test's server; `more` are further options, each with its comma in front. */
static inline im_client new_client(const char *nsp, const char *more) {
    im_client client = im_client_new(text("{\"root\":\"%s\",\"nsp\":\"%s\",\"path\":\"/socket.io\","
                                          "\"reconnectionDelay\":20,\"reconnectionDelayMax\":50%s}",
                                          root, nsp, more));
    CHECK(client != 0);
    return client;
}

static inline void wait_connected(im_client client) {
    WAIT(im_client_state(client) == IM_STATE_CONNECTED);
}

static inline im_client connected_client(void) {
    im_client client = new_client("/", "");
    wait_connected(client);
    return client;
}

/* A number in im_client_info, like info_number(client, "\"earlyEvents\":"). */
static inline long info_number(im_client client, const char *key) {
    char *info = im_client_info(client);
    CHECK(info != NULL);
    const char *found = strstr(info, key);
    CHECK(found != NULL);
    long number = strtol(found + strlen(key), NULL, 10);
    im_string_free(info);
    return number;
}

/* Is this a part of im_client_info, like "\"full\":true"? */
static inline bool info_has(im_client client, const char *part) {
    char *info = im_client_info(client);
    CHECK(info != NULL);
    const bool found = strstr(info, part) != NULL;
    im_string_free(info);
    return found;
}

static inline char *copy_socket_id(im_client client) {
    char *id = im_client_socket_id(client);
    CHECK(id != NULL);
    char *copy = strdup(id);
    im_string_free(id);
    return copy;
}

/* Waits until everything that was emitted has reached the server and come back. */
static inline void round_trip(im_client client) {
    recorder answers = RECORDER;
    int64_t id = im_client_emit_with_ack(client, "echo", "\"round trip\"", PATIENCE_MS, record_ack,
                                         &answers);
    CHECK(id > 0);
    item answer = wait_item(&answers, NULL, 0);
    CHECK_EQUAL(answer.status, IM_OK);
    CHECK(strcmp(answer.json, "\"round trip\"") == 0);
    recorder_clear(&answers);
}

static inline void destroy(im_client client) { CHECK_EQUAL(im_client_destroy(client), IM_OK); }

/* ---- The server's control interface ---- */

/* An HTTP request, like control("POST /control/drop", "{}"); gives the answer, to be freed. */
static inline char *control(const char *what, const char *body) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(root, ':');
    CHECK(colon != NULL);
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    const char *request = text("%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                               what, strlen(body), body);
    CHECK(write(fd, request, strlen(request)) == (ssize_t)strlen(request));
    size_t length = 0, capacity = 1 << 16;
    char *answer = malloc(capacity);
    for (ssize_t got; (got = read(fd, answer + length, capacity - length - 1)) > 0;) {
        length += (size_t)got;
        if (length + 1 >= capacity)
            answer = realloc(answer, capacity *= 2);
    }
    answer[length] = 0;
    close(fd);
    CHECK(strncmp(answer, "HTTP/1.1 2", 10) == 0);
    return answer;
}

static inline void post(const char *path, const char *body) {
    free(control(text("POST /control/%s", path), body));
}

/* How often a text stands in the server's counters. */
static inline int in_stats(const char *what) {
    char *stats = control("GET /control/stats", "");
    int count = 0;
    for (const char *at = stats; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    free(stats);
    return count;
}

/* A number in the server's counters, like stats_number("\"engines\":"). */
static inline long stats_number(const char *key) {
    char *stats = control("GET /control/stats", "");
    const char *found = strstr(stats, key);
    long number = found == NULL ? 0 : strtol(found + strlen(key), NULL, 10);
    free(stats);
    return number;
}

/* ---- The program ---- */

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

/* No case takes so long: a call that never returns fails by name. */
#define CASE_SECONDS 60

static inline void on_alarm(int signal) {
    static const char words[] = "FAILED: a call never returns, in the case ";
    (void)signal;
    if (write(1, words, sizeof words - 1) > 0 && write(1, current_case, strlen(current_case)) > 0 &&
        write(1, "\n", 1) > 0) {
        _exit(1);
    }
    _exit(2);
}

/* Usage: program ROOT [CASE...]. Runs these cases, or all; none may leave a client or a thread
 * behind. */
static inline int run_cases(int argc, char **argv, const char *name, const test_case *cases) {
    CHECK(argc > 1);
    root = argv[1];
    signal(SIGALRM, on_alarm);
    for (const test_case *it = cases; it->name != NULL; it++) {
        bool wanted = argc == 2;
        for (int i = 2; i < argc; i++)
            wanted |= strcmp(argv[i], it->name) == 0;
        if (!wanted)
            continue;
        current_case = it->name;
        alarm(CASE_SECONDS);
        it->run();
        WAIT(im_client_count() == 0);
        WAIT(library_threads() == 0);
        printf("ok %s: %s\n", name, it->name);
        fflush(stdout);
    }
    return 0;
}

#define CASES(program, ...)                                                                        \
    int main(int argc, char **argv) {                                                              \
        static const test_case cases[] = {__VA_ARGS__, {NULL, NULL}};                              \
        return run_cases(argc, argv, program, cases);                                              \
    }
#define CASE(function)                                                                             \
    { #function, function }

#endif

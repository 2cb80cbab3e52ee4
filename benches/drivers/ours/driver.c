#include "driver.h"

#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A semaphore: to wake and to be woken is one call of the system each, as for the peers. */
static sem_t reached;

__attribute__((constructor)) static void begin(void) { sem_init(&reached, 0, 0); }

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    /* Not exit: callbacks may still run, and the library would wait for this one. */
    _exit(1);
}

void count_one(counter *counter) {
    if (atomic_fetch_add(&counter->count, 1) + 1 >= atomic_load(&counter->wanted))
        sem_post(&reached);
}

void wait_for(counter *counter, long wanted) {
    if (!wait_at_most(counter, wanted, 120))
        fail("%ld of %ld after two minutes", counter->count, wanted);
}

int wait_at_most(counter *counter, long wanted, double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    const double end = (double)until.tv_nsec / 1e9 + seconds;
    until.tv_sec += (time_t)end;
    until.tv_nsec = (long)((end - (double)(time_t)end) * 1e9);
    atomic_store(&counter->wanted, wanted);
    while (atomic_load(&counter->count) < wanted)
        if (sem_timedwait(&reached, &until) != 0 && errno == ETIMEDOUT)
            return atomic_load(&counter->count) >= wanted;
    return 1;
}

im_client new_client(const char *root, const char *more) {
    char options[512];
    snprintf(options, sizeof options, "{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\"%s}",
             root, more);
    im_client client = im_client_new(options);
    if (client == 0)
        fail("%s", im_last_error());
    return client;
}

static void on_connect(const im_event *event, void *user_data) {
    (void)event;
    count_one(user_data);
}

static void on_connect_error(const im_event *event, void *user_data) {
    (void)user_data;
    fail("%s", event->json);
}

im_client connected_client(const char *root, const char *more) {
    static counter connected;
    const long before = connected.count;
    im_client client = new_client(root, more);
    im_client_on(client, IM_EVENT_CONNECT, on_connect, &connected);
    im_client_on(client, IM_EVENT_CONNECT_ERROR, on_connect_error, NULL);
    wait_for(&connected, before + 1);
    return client;
}

void ask_for_messages(im_client client, long count, long bytes) {
    char arguments[64];
    const int length = bytes == 0
                           ? snprintf(arguments, sizeof arguments, "[%ld]", count)
                           : snprintf(arguments, sizeof arguments, "[%ld,%ld]", count, bytes);
    if (im_client_emit_args(client, "start", 5, arguments, (size_t)length, NULL, 0, 0) != IM_OK)
        fail("%s", im_last_error());
}

char *sized_message(long bytes) {
    static const char head[] = "{\"c\":\"", tail[] = "\"}";
    const size_t frame = sizeof head + sizeof tail - 2;
    const size_t content = (size_t)bytes > frame ? (size_t)bytes - frame : 0;
    char *message = malloc(content + frame + 1);
    if (message == NULL)
        fail("no memory");
    memcpy(message, head, sizeof head - 1);
    memset(message + sizeof head - 1, 'x', content);
    memcpy(message + sizeof head - 1 + content, tail, sizeof tail);
    return message;
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double cpu_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long from_proc(const char *path, const char *format) {
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, format, &value) == 1)
            break;
    if (file != NULL)
        fclose(file);
    if (value < 0)
        fail("%s has no \"%s\"", path, format);
    return value;
}

long resident_kb(void) {
    return from_proc("/proc/self/statm", "%*d %ld") * (sysconf(_SC_PAGESIZE) / 1024);
}

long threads(void) { return from_proc("/proc/self/status", "Threads: %ld"); }

void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void tell_costs(double cpu_before, double wall_before, long count) {
    const double cpu = cpu_now() - cpu_before, wall = wall_now() - wall_before;
    printf("{\"cpuUs\":%.4f,\"wallUs\":%.4f}\n", cpu * 1e6 / (double)count,
           wall * 1e6 / (double)count);
}

static int by_value(const void *left, const void *right) {
    const double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

void sort_times(double *times, long count) { qsort(times, (size_t)count, sizeof *times, by_value); }

void tell_times(double *times, long count) {
    sort_times(times, count);
    printf("{\"p50Us\":%.1f,\"p99Us\":%.1f}\n", times[(count - 1) / 2] * 1e6,
           times[(count - 1) * 99 / 100] * 1e6);
}

/* The driver of libim_client: `ours ROOT MEASURE N`, see benches/README.md. */
#include <im_client.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long connected, answered;
static volatile size_t content_bytes;

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static double wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_one(long *counter) {
    pthread_mutex_lock(&lock);
    ++*counter;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(const long *counter, long wanted) {
    pthread_mutex_lock(&lock);
    while (*counter < wanted)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void on_connect(const im_event *event, void *user_data) {
    (void)event, (void)user_data;
    count_one(&connected);
}

static void on_connect_error(const im_event *event, void *user_data) {
    (void)user_data;
    fprintf(stderr, "%s\n", event->json);
    exit(1);
}

static im_client open_client(const char *root, const char *more) {
    char options[512];
    snprintf(options, sizeof options, "{\"root\":\"%s\",\"nsp\":\"/\",\"path\":\"/socket.io\"%s}", root, more);
    im_client client = im_client_new(options);
    if (client == 0) {
        fprintf(stderr, "%s\n", im_last_error());
        exit(1);
    }
    im_client_on(client, IM_EVENT_CONNECT, on_connect, NULL);
    return client;
}

static im_client connected_client(const char *root, const char *more) {
    im_client client = open_client(root, more);
    im_client_on(client, IM_EVENT_CONNECT_ERROR, on_connect_error, NULL);
    wait_for(&connected, 1);
    return client;
}

/* The content is looked for and read, as a parser would. */
static void on_message(const im_event *event, void *user_data) {
    static const char key[] = "\"content\":\"";
    long *left = user_data;
    const char *content = strstr(event->json, key);
    if (content == NULL)
        exit(1);
    content += sizeof key - 1;
    content_bytes += (size_t)(strchr(content, '"') - content);
    if (--*left == 0)
        count_one(&answered);
}

static void on_answer(im_status status, const im_event *reply, void *user_data) {
    (void)user_data;
    if (status != IM_OK || reply == NULL)
        exit(1);
    count_one(&answered);
}

static void tell_costs(double cpu, double wall, long count) {
    printf("{\"cpuUs\":%.4f,\"wallUs\":%.4f}\n", (cpu_now() - cpu) * 1e6 / (double)count,
           (wall_now() - wall) * 1e6 / (double)count);
}

static void receive(const char *root, long count) {
    im_client client = connected_client(root, "");
    long left = count;
    im_client_on(client, IM_CHAT_MESSAGE, on_message, &left);
    char number[32];
    snprintf(number, sizeof number, "%ld", count);
    const double cpu = cpu_now(), wall = wall_now();
    im_client_emit(client, "start", number);
    wait_for(&answered, 1);
    tell_costs(cpu, wall, count);
    im_client_destroy(client);
}

static long counted;

static void on_count(im_status status, const im_event *reply, void *user_data) {
    counted = status == IM_OK ? atol(reply->json) : -1;
    on_answer(status, reply, user_data);
}

static void emit(const char *root, long count) {
    im_client client = connected_client(root, ",\"sendQueueBytes\":1000000000");
    const double cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++)
        if (im_client_emit(client, IM_CHAT_TO, MESSAGE) != IM_OK)
            exit(1);
    im_client_emit_with_ack(client, "count", NULL, 0, on_count, NULL);
    wait_for(&answered, 1);
    tell_costs(cpu, wall, count);
    if (counted != count)
        exit(1);
    im_client_destroy(client);
}

static int by_value(const void *left, const void *right) {
    const double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void tell_times(double *times, long count) {
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("{\"p50Us\":%.1f,\"p99Us\":%.1f}\n", times[(count - 1) / 2] * 1e6, times[(count - 1) * 99 / 100] * 1e6);
    free(times);
}

static void round_trips(const char *root, long count, int pair) {
    im_client client = connected_client(root, "");
    double *times = calloc((size_t)count, sizeof *times);
    for (long i = 0; i < count; i++) {
        const double start = wall_now();
        if (pair)
            im_client_emit(client, IM_CHAT_TO, MESSAGE);
        im_client_emit_with_ack(client, "echo", "1", 0, on_answer, NULL);
        wait_for(&answered, i + 1);
        times[i] = wall_now() - start;
    }
    tell_times(times, count);
    im_client_destroy(client);
}

static void connects(const char *root, long count) {
    double *times = calloc((size_t)count, sizeof *times);
    for (long i = 0; i < count; i++) {
        const double start = wall_now();
        im_client client = open_client(root, "");
        wait_for(&connected, i + 1);
        times[i] = wall_now() - start;
        im_client_destroy(client);
    }
    tell_times(times, count);
}

static long own_answers;

static void on_own_answer(im_status status, const im_event *reply, void *user_data) {
    if (status == IM_OK && atol(reply->json) == (long)(size_t)user_data)
        own_answers++;
    count_one(&answered);
}

/* All acknowledgements are asked for before the first is looked at; each has to be the caller's own. */
static void in_flight(const char *root, long count) {
    im_client client = connected_client(root, ",\"sendQueueBytes\":1000000000");
    const double cpu = cpu_now(), wall = wall_now();
    char number[32];
    for (long i = 0; i < count; i++) {
        snprintf(number, sizeof number, "%ld", i);
        if (im_client_emit_with_ack(client, "echo", number, 0, on_own_answer, (void *)(size_t)i) < 0)
            exit(1);
    }
    wait_for(&answered, count);
    tell_costs(cpu, wall, count);
    if (own_answers != count)
        exit(1);
    im_client_destroy(client);
}

static long in_proc(const char *path, const char *format) {
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, format, &value) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return value;
}

static void idle(const char *root, long count) {
    const long before = in_proc("/proc/self/statm", "%*d %ld");
    for (long i = 0; i < count; i++)
        open_client(root, "");
    wait_for(&connected, count);
    sleep(1);
    const long pages = in_proc("/proc/self/statm", "%*d %ld") - before;
    printf("{\"kbPerClient\":%.2f,\"threads\":%ld}\n", (double)pages * 4 / (double)count,
           in_proc("/proc/self/status", "Threads: %ld") - 1);
    im_shutdown(10000);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "ours ROOT MEASURE N\n");
        return 2;
    }
    const char *root = argv[1], *measure = argv[2];
    const long count = atol(argv[3]);
    if (strcmp(measure, "receive") == 0)
        receive(root, count);
    else if (strcmp(measure, "emit") == 0)
        emit(root, count);
    else if (strcmp(measure, "roundtrip") == 0)
        round_trips(root, count, 0);
    else if (strcmp(measure, "pair") == 0)
        round_trips(root, count, 1);
    else if (strcmp(measure, "connect") == 0)
        connects(root, count);
    else if (strcmp(measure, "inflight") == 0)
        in_flight(root, count);
    else if (strcmp(measure, "idle") == 0)
        idle(root, count);
    else
        return 2;
    return 0;
}

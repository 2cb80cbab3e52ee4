/* The log callback: replaceable at any time, filtered by level, on a thread of the pool, through a
 * bounded queue. */

#include "check.h"

typedef struct lines {
    atomic_int count, beyond[7], frees, after_free, wrong_threads;
    atomic_bool lost;
    gate *gate;
} lines;

static void on_line(int32_t level, const char *line, void *data) {
    lines *it = data;
    char name[32];
    this_thread(name);
    if (strcmp(name, "im-callbacks") != 0)
        it->wrong_threads++;
    if (it->frees)
        it->after_free++;
    for (int i = 0; i < level && i < 7; i++)
        it->beyond[i]++;
    if (strstr(line, "lost") != NULL && strstr(line, "log") != NULL)
        it->lost = true;
    it->count++;
    if (it->gate != NULL)
        gate_wait(it->gate);
}
static void on_free(void *data) { ((lines *)data)->frees++; }

static void set(int32_t level, lines *to) {
    CHECK_EQUAL(
        im_set_log_callback(level, to == NULL ? NULL : on_line, to, to == NULL ? NULL : on_free),
        IM_OK);
}

/* Connects and loses connections, with a client that gets an option without meaning: lines of all
 * levels but ERROR. */
static void make_lines(void) {
    im_client client = new_client("/", ",\"agent\":null");
    round_trip(client);
    post("drop", "{}");
    WAIT(info_number(client, "\"connections\":") > 1);
    wait_connected(client);
    im_client nobody = im_client_new("{\"root\":\"http://127.0.0.1:1\",\"nsp\":\"/\"}");
    WAIT(im_client_state(nobody) == IM_STATE_RECONNECTING);
    destroy(nobody);
    destroy(client);
}

static void lines_up_to_the_level_come(void) {
    int before = -1;
    for (int32_t level = IM_LOG_ERROR; level <= IM_LOG_TRACE; level++) {
        lines it = {0};
        set(level, &it);
        make_lines();
        set(IM_LOG_OFF, NULL);
        WAIT(it.frees == 1);
        CHECK_EQUAL(it.beyond[level], 0);
        if (level >= IM_LOG_WARN)
            CHECK(it.beyond[IM_LOG_WARN - 1] > 0);
        if (level >= IM_LOG_INFO)
            CHECK(it.beyond[IM_LOG_INFO - 1] > it.beyond[IM_LOG_INFO]);
        CHECK(it.count >= before);
        CHECK_EQUAL(it.wrong_threads, 0);
        before = level >= IM_LOG_DEBUG ? it.count - 5 : it.count;
    }
    lines off = {0};
    set(IM_LOG_OFF, &off);
    make_lines();
    CHECK_EQUAL(off.count, 0);
    set(IM_LOG_OFF, NULL);
    WAIT(off.frees == 1);
}

static void it_may_be_replaced(void) {
    lines first = {0}, second = {0};
    set(IM_LOG_DEBUG, &first);
    im_client client = new_client("/", "");
    wait_connected(client);
    WAIT(first.count > 0);
    set(IM_LOG_DEBUG, &second);
    WAIT(first.frees == 1);
    int before = first.count;
    CHECK_EQUAL(im_client_close(client), IM_OK);
    WAIT(second.count > 0);
    CHECK_EQUAL(first.count, before);
    CHECK_EQUAL(first.after_free, 0);
    CHECK_EQUAL(second.frees, 0);
    set(IM_LOG_OFF, NULL);
    WAIT(second.frees == 1);
    destroy(client);
    CHECK_EQUAL(first.frees, 1);
}

/* After NULL no call starts; one that is running may end, and the free function tells when. */
static void null_stops_it(void) {
    for (int round = 0; round < 30; round++) {
        lines *it = calloc(1, sizeof *it);
        im_client clients[4];
        set(IM_LOG_TRACE, it);
        for (int i = 0; i < 4; i++)
            clients[i] = new_client("/", ",\"agent\":null,\"autoUnref\":1,\"loose\":1");
        for (int spin = 0; spin < round * 100; spin++)
            sched_yield();
        set(IM_LOG_OFF, NULL);
        int at_return = it->count;
        WAIT(it->frees == 1);
        CHECK(it->count <= at_return + 1);
        CHECK_EQUAL(it->after_free, 0);
        for (int i = 0; i < 4; i++)
            destroy(clients[i]);
        CHECK_EQUAL(it->frees, 1);
        free(it);
    }
}

static void a_slow_callback_loses_lines_and_tells_so(void) {
    gate gate = {0};
    lines it = {.gate = &gate};
    set(IM_LOG_TRACE, &it);
    im_client client = connected_client();
    WAIT(gate.waiting == 1);
    /* 1024 lines wait. Nobody else waits for the callback. */
    for (int i = 0; i < 1100; i++)
        destroy(new_client("/", ",\"agent\":null,\"autoConnect\":false"));
    round_trip(client);
    CHECK_EQUAL(it.count, 1);
    gate.open = true;
    WAIT(it.lost);
    CHECK(it.count >= 1024);
    set(IM_LOG_OFF, NULL);
    destroy(client);
    WAIT(it.frees == 1);
}

/* Inside the log callback the library may be used, and the callback be replaced. */
static atomic_int inner;
static void use_library(int32_t level, const char *line, void *data) {
    (void)level, (void)line;
    if (inner++ > 0)
        return;
    im_client client = new_client("/", ",\"autoConnect\":false");
    CHECK_EQUAL(im_client_destroy(client), IM_DEFERRED);
    set(IM_LOG_DEBUG, data);
}

static void inside_it_the_library_may_be_used(void) {
    lines second = {0};
    CHECK_EQUAL(im_set_log_callback(IM_LOG_DEBUG, use_library, &second, NULL), IM_OK);
    im_client client = connected_client();
    WAIT(inner > 0);
    CHECK_EQUAL(im_client_close(client), IM_OK);
    WAIT(second.count > 0);
    set(IM_LOG_OFF, NULL);
    destroy(client);
    WAIT(second.frees == 1);
}

CASES("log", CASE(lines_up_to_the_level_come), CASE(it_may_be_replaced), CASE(null_stops_it),
      CASE(a_slow_callback_loses_lines_and_tells_so), CASE(inside_it_the_library_may_be_used))

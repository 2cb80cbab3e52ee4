/* The option "store": what it costs a process, and what happens where the disk refuses. */

#include "check.h"
#include <sys/resource.h>
#include <sys/stat.h>

static recorder outcomes = RECORDER;

/* A file in a folder of its own, gone with the case. */
static char folder[64], file[96];

static void make_place(void) {
    strcpy(folder, "/tmp/im-store-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/im.store", folder);
}

static void remove_place(void) {
    CHECK(unlink(file) == 0);
    CHECK(rmdir(folder) == 0);
    recorder_clear(&outcomes);
}

static im_client with_store(const char *user, const char *more) {
    return new_client("chat",
                      text(",\"store\":\"%s\",\"query\":{\"userId\":\"%s\"}%s", file, user, more));
}

static int64_t send_message(im_client client, const char *fp, int size) {
    char *message = malloc((size_t)size + 200);
    snprintf(message, (size_t)size + 200,
             "{\"type\":1,\"from\":\"ann\",\"to\":\"bob\",\"fp\":\"%s\",\"content\":\"%0*d\"}", fp,
             size, 0);
    int64_t id = im_client_send_message(client, message, 0, record_ack, &outcomes);
    free(message);
    return id;
}

static void a_store_leaves_no_thread_and_no_descriptor_behind(void) {
    make_place();
    destroy(connected_client());
    int threads = count_threads(""), fds = count_fds();
    for (int i = 0; i < 20; i++) {
        im_client ann = with_store("ann", ""), eve = with_store("eve", "");
        CHECK_EQUAL(count_threads("im-store"), 1);
        CHECK(send_message(ann, text("f%d", i), 10) > 0);
        if (i % 2 == 0)
            CHECK_EQUAL(wait_item(&outcomes, NULL, i / 2 * 2).status, IM_OK);
        destroy(eve);
        destroy(ann);
        CHECK_EQUAL(count_threads("im-store"), 0);
    }
    CHECK_EQUAL(im_shutdown(10000), IM_OK);
    WAIT(count_threads("") == threads);
    CHECK_EQUAL(count_fds(), fds);
    remove_place();
}

static void a_full_disk_refuses_a_message_by_the_name_of_the_file(void) {
    make_place();
    im_client client = with_store("ann", ",\"autoConnect\":false");
    CHECK(send_message(client, "small", 10) > 0);
    /* The file must not grow any more; a write that would is an error instead of a signal. */
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    struct stat state;
    CHECK(stat(file, &state) == 0);
    limit = old;
    limit.rlim_cur = (rlim_t)state.st_size;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK_EQUAL(send_message(client, "large", 4 << 20), IM_ERROR_SYSTEM);
    CHECK_FAULT(IM_ERROR_SYSTEM, "im.store");
    CHECK_FAULT(IM_ERROR_SYSTEM, "\"store\"");
    CHECK_EQUAL(recorded(&outcomes, NULL), 0);
    /* There is room again: nothing was lost but what was refused. */
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(send_message(client, "again", 10) > 0);
    CHECK(send_message(client, "large", 10) > 0);
    destroy(client);
    CHECK_EQUAL(wait_item(&outcomes, NULL, 2).status, IM_ERROR_CANCELED);
    recorder told = RECORDER;
    client = with_store("ann", "");
    CHECK(im_client_on(client, IM_EVENT_OUTBOX, record, &told) > 0);
    CHECK(strstr(wait_item(&told, NULL, 0).json, "\"fp\":\"small\",\"status\":0") != NULL);
    CHECK(strstr(wait_item(&told, NULL, 1).json, "\"fp\":\"again\",\"status\":0") != NULL);
    CHECK(strstr(wait_item(&told, NULL, 2).json, "\"fp\":\"large\",\"status\":0") != NULL);
    CHECK_EQUAL(info_number(client, "\"messages\":"), 0);
    destroy(client);
    CHECK_EQUAL(recorded(&told, NULL), 3);
    recorder_clear(&told);
    remove_place();
}

static im_client shared_client;

static void *send_many(void *prefix) {
    for (int i = 0; i < 50; i++)
        CHECK(send_message(shared_client, text("%s%d", (const char *)prefix, i), 10) > 0);
    return NULL;
}

static void many_threads_keep_messages_at_once(void) {
    static const char *prefixes[] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    int before = in_stats("\"name\":\"to\"");
    make_place();
    shared_client = with_store("ann", "");
    for (int i = 0; i < 4; i++)
        threads[i] = run_thread(send_many, (void *)prefixes[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 200; i++)
        CHECK_EQUAL(wait_item(&outcomes, NULL, i).status, IM_OK);
    destroy(shared_client);
    CHECK_EQUAL(recorded(&outcomes, NULL), 200);
    CHECK_EQUAL(in_stats("\"name\":\"to\""), before + 200);
    remove_place();
}

static void *destroy_later(void *data) {
    (void)data;
    WAIT(recorded(&outcomes, NULL) > 20);
    destroy(shared_client);
    return NULL;
}

/* A destroy in the middle of many sends: each that was accepted has its one outcome. */
static void destroying_while_messages_are_kept_loses_no_outcome(void) {
    make_place();
    shared_client = with_store("ann", "");
    pthread_t thread = run_thread(destroy_later, NULL);
    int accepted = 0;
    while (send_message(shared_client, text("f%d", accepted), 10) > 0)
        accepted++;
    CHECK_FAULT(IM_ERROR_HANDLE, "destroyed");
    pthread_join(thread, NULL);
    CHECK_EQUAL(recorded(&outcomes, NULL), accepted);
    remove_place();
}

CASES("store", CASE(a_store_leaves_no_thread_and_no_descriptor_behind),
      CASE(a_full_disk_refuses_a_message_by_the_name_of_the_file),
      CASE(many_threads_keep_messages_at_once),
      CASE(destroying_while_messages_are_kept_loses_no_outcome))

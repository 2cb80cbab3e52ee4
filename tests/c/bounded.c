/* Promise 8: queues are bounded in bytes; a full inbound queue pauses reading and loses nothing. */

#include "check.h"

/* ---- Outbound ---- */

static atomic_int next, wrong;

static void expect_next(const im_event *event, void *data) {
    (void)data;
    if (atoi(event->json) != next)
        wrong++;
    next++;
}

static void a_full_send_queue_refuses_and_keeps_what_it_took(void) {
    im_client client = new_client("/", ",\"autoConnect\":false,\"sendQueueBytes\":20000");
    next = wrong = 0;
    CHECK(im_client_on(client, "echo", expect_next, NULL) > 0);
    int accepted = 0;
    im_status status;
    while ((status = im_client_emit(client, "echo", text("%d", accepted))) == IM_OK)
        accepted++;
    CHECK_EQUAL(status, IM_ERROR_QUEUE_FULL);
    CHECK_FAULT(IM_ERROR_QUEUE_FULL, "sendQueueBytes");
    CHECK(accepted > 500 && accepted < 2000);
    long waiting = info_number(client, "\"sendQueue\":{\"bytes\":");
    CHECK(waiting > 19000 && waiting <= 20000);
    CHECK_EQUAL(im_client_emit(client, "echo", "-1"), IM_ERROR_QUEUE_FULL);
    CHECK_EQUAL(im_client_flush(client, 20), IM_ERROR_TIMEOUT);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    WAIT(next == accepted);
    round_trip(client);
    CHECK_EQUAL(next, accepted);
    CHECK_EQUAL(wrong, 0);
    /* There is room again. */
    CHECK_EQUAL(im_client_emit(client, "echo", text("%d", accepted)), IM_OK);
    WAIT(next == accepted + 1);
    destroy(client);
}

/* ---- Inbound ---- */

enum { EVENTS = 1500, SIZE = 2000 };

typedef struct reader {
    gate gate;
    atomic_int next, wrong;
    recorder lost;
    im_client client;
    char *id;
} reader;

/* Holds the first event, then takes {"i":0,...}, {"i":1,...} ... */
static void hold_then_count(const im_event *event, void *data) {
    reader *it = data;
    int number = -1;
    sscanf(event->json, "{\"i\":%d", &number);
    if (number == 0)
        gate_wait(&it->gate);
    if (number != it->next)
        it->wrong++;
    it->next++;
}

static void start_reader(reader *it, const char *more) {
    memset(it, 0, sizeof *it);
    it->lost = (recorder)RECORDER;
    it->client = new_client("/", text(",\"receiveQueueBytes\":65536%s", more));
    CHECK(im_client_on(it->client, "flood", hold_then_count, it) > 0);
    CHECK(im_client_on(it->client, "disconnect", record, &it->lost) > 0);
    wait_connected(it->client);
    it->id = copy_socket_id(it->client);
}

/* Much more than fits into the queue comes from the server, without a packet of ours. Another
 * client asks for it. */
static void flood(reader *it) {
    im_client asker = connected_client();
    char *pad = calloc(1, SIZE + 1);
    memset(pad, 'x', SIZE);
    for (int i = 0; i < EVENTS; i++) {
        char args[SIZE + 200];
        snprintf(args, sizeof args, "[\"%s\",\"flood\",{\"i\":%d,\"pad\":\"%s\"}]", it->id, i, pad);
        CHECK_EQUAL(im_client_emit_args(asker, "relay", 5, args, strlen(args), NULL, 0, 0), IM_OK);
    }
    free(pad);
    WAIT(it->gate.waiting == 1);
    WAIT(info_number(it->client, "\"receiveQueue\":{\"bytes\":") >= 65536);
    /* The server has sent them all. */
    round_trip(asker);
    destroy(asker);
    /* Full: reading has stopped, a few events beyond the bound. */
    CHECK(info_number(it->client, "\"receiveQueue\":{\"bytes\":") < 65536 + 3 * SIZE);
    CHECK(info_has(it->client, "\"full\":true"));
}

/* All came, in order, on the same connection. */
static void finish_reader(reader *it) {
    WAIT(it->next == EVENTS);
    CHECK_EQUAL(it->wrong, 0);
    round_trip(it->client);
    CHECK(info_has(it->client, "\"full\":false"));
    CHECK_EQUAL(recorded(&it->lost, NULL), 0);
    char *id = copy_socket_id(it->client);
    CHECK(strcmp(id, it->id) == 0);
    free(id);
    free(it->id);
    destroy(it->client);
}

static void a_full_receive_queue_pauses_and_drops_nothing(void) {
    reader it;
    start_reader(&it, "");
    flood(&it);
    /* The client still works: it sends, and the answer waits behind the events. */
    recorder answer = RECORDER;
    CHECK(im_client_emit_with_ack(it.client, "echo", "1", 0, record_ack, &answer) > 0);
    CHECK_EQUAL(im_client_flush(it.client, 5000), IM_OK);
    CHECK_EQUAL(recorded(&answer, NULL), 0);
    it.gate.open = true;
    wait_item(&answer, NULL, 0);
    CHECK_EQUAL(it.next, EVENTS);
    finish_reader(&it);
    recorder_clear(&answer);
}

/* The pause lasts several times as long as the server waits for a heartbeat (a second). */
static void the_link_survives_a_pause(void) {
    reader it;
    start_reader(&it, "");
    flood(&it);
    pass_ms(3500);
    CHECK_EQUAL(im_client_state(it.client), IM_STATE_CONNECTED);
    CHECK_EQUAL(stats_number("\"enginesNow\":"), 1);
    it.gate.open = true;
    /* And the time after it. */
    WAIT(it.next == EVENTS);
    pass_ms(2000);
    CHECK_EQUAL(im_client_state(it.client), IM_STATE_CONNECTED);
    finish_reader(&it);
}

/* As by default, pingTimeout is shorter than pingInterval (2000 and 1000 ms here). A pause that
   begins late between two beats needs one soon: with the first only after a whole interval the
   server has given up before. */
static void the_link_survives_a_pause_that_begins_between_two_beats(void) {
    reader it;
    start_reader(&it, "");
    pass_ms(1600);
    flood(&it);
    pass_ms(2200);
    CHECK_EQUAL(stats_number("\"enginesNow\":"), 1);
    it.gate.open = true;
    finish_reader(&it);
}

/* After the pause the next beat must come within the interval from the last one, not from the
   pause's end. */
static void the_link_survives_the_end_of_a_pause_between_two_beats(void) {
    reader it;
    start_reader(&it, "");
    flood(&it);
    pass_ms(1600);
    it.gate.open = true;
    WAIT(it.next == EVENTS);
    pass_ms(2200);
    CHECK_EQUAL(stats_number("\"enginesNow\":"), 1);
    CHECK_EQUAL(recorded(&it.lost, NULL), 0);
    finish_reader(&it);
}

static void after_max_pause_it_disconnects_and_comes_back(void) {
    recorder events = RECORDER;
    reader it;
    start_reader(&it, ",\"maxPauseMs\":300");
    CHECK(im_client_on(it.client, "connect", record, &events) > 0);
    CHECK(im_client_on(it.client, "reconnect", record, &events) > 0);
    wait_item(&events, "connect", 0);
    long connections = info_number(it.client, "\"connections\":");
    flood(&it);
    long long start = now_ms();
    WAIT(im_client_state(it.client) != IM_STATE_CONNECTED);
    CHECK(now_ms() - start < 5000);
    /* It does not come back while the queue is full: time in which it would (the delay is 50 ms at
     * most). */
    for (int i = 0; i < 30; i++) {
        CHECK_EQUAL(info_number(it.client, "\"connections\":"), connections);
        CHECK(im_client_state(it.client) != IM_STATE_CONNECTED);
        pass_ms(10);
    }
    CHECK_EQUAL(recorded(&it.lost, NULL), 0);
    it.gate.open = true;
    item lost = wait_item(&it.lost, "disconnect", 0);
    CHECK(strstr(lost.json, "\"receive queue full\"") != NULL);
    CHECK(strstr(lost.json, "\"willReconnect\":true") != NULL);
    wait_item(&events, "reconnect", 0);
    wait_item(&events, "connect", 1);
    /* What had been received before was delivered, in order. */
    CHECK(it.next > 20);
    CHECK_EQUAL(it.wrong, 0);
    round_trip(it.client);
    free(it.id);
    destroy(it.client);
    recorder_clear(&it.lost);
    recorder_clear(&events);
}

static void closing_and_destroying_work_while_reading_is_paused(void) {
    reader it;
    start_reader(&it, "");
    flood(&it);
    CHECK_EQUAL(im_client_close(it.client), IM_OK);
    WAIT(im_client_state(it.client) == IM_STATE_DISCONNECTED);
    it.gate.open = true;
    CHECK(strstr(wait_item(&it.lost, "disconnect", 0).json, "io client disconnect") != NULL);
    CHECK_EQUAL(it.wrong, 0);
    destroy(it.client);
    free(it.id);
    recorder_clear(&it.lost);
    start_reader(&it, "");
    flood(&it);
    im_client client = it.client;
    CHECK_EQUAL(im_client_destroy_async(client, NULL, NULL), IM_OK);
    it.gate.open = true;
    WAIT(im_client_count() == 0);
    free(it.id);
    recorder_clear(&it.lost);
}

CASES("bounded", CASE(a_full_send_queue_refuses_and_keeps_what_it_took),
      CASE(a_full_receive_queue_pauses_and_drops_nothing), CASE(the_link_survives_a_pause),
      CASE(the_link_survives_a_pause_that_begins_between_two_beats),
      CASE(the_link_survives_the_end_of_a_pause_between_two_beats),
      CASE(after_max_pause_it_disconnects_and_comes_back),
      CASE(closing_and_destroying_work_while_reading_is_paused))

/* Promise 6: what arrives before the first subscription of its name. */

#include "check.h"

static long early(im_client client) { return info_number(client, "\"earlyEvents\":"); }
static long discarded(im_client client) { return info_number(client, "\"discardedEvents\":"); }

/* Makes the server send an event to this client. */
static void tell(im_client client, const char *args) {
    CHECK_EQUAL(im_client_emit_args(client, "tell", 4, args, strlen(args), NULL, 0, 0), IM_OK);
}

static void connect_waits_for_its_first_subscription(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    WAIT(early(client) == 1);
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    item connect = wait_item(&events, "connect", 0);
    CHECK(strstr(connect.json, "\"sid\"") != NULL);
    CHECK_EQUAL(early(client), 0);
    /* The second subscription comes too late. */
    recorder second = RECORDER;
    CHECK(im_client_on(client, "connect", record, &second) > 0);
    round_trip(client);
    CHECK_EQUAL(recorded(&second, NULL), 0);
    CHECK_EQUAL(recorded(&events, "connect"), 1);
    destroy(client);
    recorder_clear(&events);
}

static void the_newest_64_wait_in_order(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    for (int i = 0; i < 100; i++)
        tell(client, text("[\"early\",%d]", i));
    round_trip(client);
    CHECK_EQUAL(early(client), 64);
    CHECK_EQUAL(discarded(client), 36);
    CHECK(im_client_on(client, "early", record, &events) > 0);
    tell(client, "[\"early\",100]");
    for (int i = 0; i < 65; i++)
        CHECK_EQUAL(atoi(wait_item(&events, "early", i).json), 36 + i);
    CHECK_EQUAL(early(client), 0);
    CHECK_EQUAL(discarded(client), 36);
    destroy(client);
    recorder_clear(&events);
}

static void at_most_256_kib_wait(void) {
    recorder events = RECORDER;
    static char pad[60001];
    im_client client = connected_client();
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    round_trip(client);
    memset(pad, 'x', 60000);
    for (int i = 0; i < 10; i++) {
        static char args[60100];
        snprintf(args, sizeof args, "[\"large\",%d,\"%s\"]", i, pad);
        tell(client, args);
    }
    round_trip(client);
    /* Four of them are 240,000 bytes, and 256 KiB are 262,144. */
    CHECK_EQUAL(early(client), 4);
    CHECK_EQUAL(discarded(client), 6);
    CHECK(im_client_on_any(client, record, &events) > 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(atoi(wait_item(&events, "large", i).json), 6 + i);
    destroy(client);
    recorder_clear(&events);
}

static void each_waits_for_ten_seconds(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    tell(client, "[\"old\",1]");
    round_trip(client);
    long long start = now_ms();
    CHECK_EQUAL(early(client), 1);
    WAIT(early(client) == 0);
    CHECK(now_ms() - start > 9000);
    CHECK_EQUAL(discarded(client), 1);
    tell(client, "[\"old\",2]");
    round_trip(client);
    CHECK(im_client_on(client, "old", record, &events) > 0);
    CHECK_EQUAL(atoi(wait_item(&events, "old", 0).json), 2);
    destroy(client);
    recorder_clear(&events);
}

static void they_never_pause_reading(void) {
    im_client client = new_client("/", ",\"receiveQueueBytes\":16384");
    const char *args = "[2000,1000]";
    CHECK_EQUAL(im_client_emit_args(client, "flood", 5, args, strlen(args), NULL, 0, 0), IM_OK);
    /* Its answer comes after 2 MB of events that nobody takes. */
    round_trip(client);
    CHECK_EQUAL(early(client) + discarded(client), 2001);
    CHECK(early(client) <= 64);
    destroy(client);
}

static void any_counts_and_connect_is_the_first(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    tell(client, "[\"a\",1]");
    tell(client, "[\"b\",2]");
    round_trip(client);
    CHECK(im_client_on_any(client, record, &events) > 0);
    tell(client, "[\"c\",3]");
    CHECK(strcmp(wait_item(&events, NULL, 0).name, "connect") == 0);
    CHECK(strcmp(wait_item(&events, NULL, 1).name, "a") == 0);
    CHECK(strcmp(wait_item(&events, NULL, 2).name, "b") == 0);
    CHECK(strcmp(wait_item(&events, NULL, 3).name, "c") == 0);
    CHECK_EQUAL(discarded(client), 0);
    destroy(client);
    recorder_clear(&events);
}

static void either_name_of_an_im_event_is_its_name(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    tell(client, "[\"CHAT_MESSAGE\",1]");
    tell(client, "[\"c_message\",2]");
    tell(client, "[\"c_online\",3]");
    round_trip(client);
    CHECK(im_client_on(client, "c_message", record, &events) > 0);
    CHECK(strcmp(wait_item(&events, NULL, 0).name, "CHAT_MESSAGE") == 0);
    CHECK(strcmp(wait_item(&events, NULL, 1).name, "c_message") == 0);
    CHECK(im_client_on(client, "CHAT_ONLINE", record, &events) > 0);
    CHECK(strcmp(wait_item(&events, NULL, 2).json, "3") == 0);
    destroy(client);
    recorder_clear(&events);
}

static void what_nobody_subscribes_to_later_is_discarded(void) {
    recorder events = RECORDER;
    im_client client = connected_client();
    CHECK(im_client_on(client, "connect", record, &events) > 0);
    int64_t id = im_client_on(client, "late", record, &events);
    CHECK_EQUAL(im_client_off(client, id), IM_OK);
    tell(client, "[\"late\",1]");
    round_trip(client);
    CHECK_EQUAL(early(client), 0);
    CHECK_EQUAL(discarded(client), 1);
    CHECK(im_client_on(client, "late", record, &events) > 0);
    tell(client, "[\"late\",2]");
    CHECK_EQUAL(atoi(wait_item(&events, "late", 0).json), 2);
    destroy(client);
    recorder_clear(&events);
}

/* The first subscription comes while the events of its name come: those that waited go first. */
static atomic_int last, out_of_order, heard;

static void in_order(const im_event *event, void *data) {
    int number = atoi(event->json);
    (void)data;
    if (number <= last)
        out_of_order++;
    last = number;
    heard++;
}

static void a_subscription_amid_the_events_gets_them_in_order(void) {
    enum { ROUNDS = 300, EVENTS = 60 };
    im_client client = connected_client();
    for (int round = 0; round < ROUNDS; round++) {
        last = -1;
        heard = 0;
        long before = info_number(client, "\"received\":{\"bytes\":");
        for (int i = 0; i < EVENTS; i++)
            tell(client, text("[\"round %d\",%d]", round, i));
        while (info_number(client, "\"received\":{\"bytes\":") < before + 10 * (round % EVENTS)) {
        }
        CHECK(im_client_on(client, text("round %d", round), in_order, NULL) > 0);
        round_trip(client);
        /* 64 may wait, so none was discarded. */
        CHECK_EQUAL(heard, EVENTS);
        CHECK_EQUAL(out_of_order, 0);
    }
    destroy(client);
}

CASES("early", CASE(connect_waits_for_its_first_subscription), CASE(the_newest_64_wait_in_order),
      CASE(at_most_256_kib_wait), CASE(they_never_pause_reading),
      CASE(any_counts_and_connect_is_the_first), CASE(either_name_of_an_im_event_is_its_name),
      CASE(what_nobody_subscribes_to_later_is_discarded),
      CASE(a_subscription_amid_the_events_gets_them_in_order), CASE(each_waits_for_ten_seconds))

/* Promise 12: what is wrong with a string is an error that names it, and a call that failed changed
 * nothing. */

#include "check.h"

static void ignore(const im_event *event, void *data) { (void)event, (void)data; }
static void ignore_ack(im_status status, const im_event *reply, void *data) {
    (void)status, (void)reply, (void)data;
    CHECK(!"called back though the call failed");
}

/* ---- Options ---- */

static void no_client(const char *options, im_status status, const char *culprit) {
    im_client client = im_client_new(options);
    if (client != 0 || im_last_status() != status || strstr(im_last_error(), culprit) == NULL) {
        printf("for %s (status %s):\n", options, im_status_name(im_last_status()));
    }
    CHECK_EQUAL(client, 0);
    CHECK_EQUAL(im_last_status(), status);
    CHECK(strstr(im_last_error(), culprit) != NULL);
    CHECK_EQUAL(im_client_count(), 0);
    CHECK_EQUAL(library_threads(), 0);
}

static void no_option(const char *more, im_status status, const char *culprit) {
    no_client(text("{\"root\":\"http://127.0.0.1:1\",\"nsp\":\"chat\",%s}", more), status, culprit);
}

static void options_as_a_whole(void) {
    no_client(NULL, IM_ERROR_INVALID_ARGUMENT, "options_json");
    no_client("", IM_ERROR_JSON, "options");
    no_client("nonsense", IM_ERROR_JSON, "options");
    no_client("{\"root\":", IM_ERROR_JSON, "options");
    no_client("{} {}", IM_ERROR_JSON, "options");
    no_client("[]", IM_ERROR_JSON, "object");
    no_client("\"chat\"", IM_ERROR_JSON, "object");
    no_client("null", IM_ERROR_JSON, "object");
    no_client("{\"root\":\"\xff\"}", IM_ERROR_UTF8, "options_json");
    no_client("{\"root\":\"\xed\xa0\x80\"}", IM_ERROR_UTF8, "options_json");
    no_client("{}", IM_ERROR_OPTION, "missing");
}

static void root_and_namespace(void) {
    no_client("{\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\" is missing");
    no_client("{\"root\":\"http://127.0.0.1:1\"}", IM_ERROR_OPTION, "\"nsp\" is missing");
    no_client("{\"root\":null,\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":7,\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":\"\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":\"localhost:7001\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "scheme");
    no_client("{\"root\":\"127.0.0.1\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "scheme");
    no_client("{\"root\":\"ftp://h\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "scheme");
    no_client("{\"root\":\"http://\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":\"http://h:99999\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":\"http://h:x\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"root\"");
    no_client("{\"root\":\"http://h/socket.io\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"path\"");
    no_client("{\"root\":\"http://h:1/a/b/\",\"nsp\":\"chat\"}", IM_ERROR_OPTION, "\"path\"");
    no_client("{\"root\":\"http://h:1\",\"nsp\":5}", IM_ERROR_OPTION, "\"nsp\"");
    no_client("{\"root\":\"http://h:1\",\"nsp\":\"\"}", IM_ERROR_OPTION, "\"nsp\"");
    no_client("{\"root\":\"http://h:1\",\"nsp\":\"a,b\"}", IM_ERROR_OPTION, "\"nsp\"");
    no_client("{\"root\":\"http://h:1\",\"nsp\":\"chat?a=b\"}", IM_ERROR_OPTION, "\"nsp\"");
}

static void unknown_options_and_the_nearest_name(void) {
    no_option("\"recconnection\":true", IM_ERROR_OPTION, "did you mean \"reconnection\"");
    no_option("\"reconnectiondelay\":1", IM_ERROR_OPTION, "did you mean \"reconnectionDelay\"");
    no_option("\"autoconnect\":false", IM_ERROR_OPTION, "did you mean \"autoConnect\"");
    no_option("\"Path\":\"/ws\"", IM_ERROR_OPTION, "did you mean \"path\"");
    no_option("\"qurey\":{}", IM_ERROR_OPTION, "did you mean \"query\"");
    no_option("\"something_of_another_library\":1", IM_ERROR_OPTION,
              "something_of_another_library");
    no_option("\"\":1", IM_ERROR_OPTION, "unknown option \"\"");
}

static void wrong_types_and_values(void) {
    static const char *const wrong[][2] = {
        {"\"query\":\"a=b\"", "\"query\""},
        {"\"query\":{\"a\":{}}", "\"a\""},
        {"\"query\":{\"a\":null}", "\"a\""},
        {"\"auth\":\"token\"", "\"auth\""},
        {"\"path\":7", "\"path\""},
        {"\"path\":\"ws\"", "\"path\""},
        {"\"path\":\"/ws?x=1\"", "\"path\""},
        {"\"protocol\":5", "\"protocol\""},
        {"\"protocol\":\"3\"", "\"protocol\""},
        {"\"timeout\":\"5\"", "\"timeout\""},
        {"\"timeout\":0", "\"timeout\""},
        {"\"timeout\":-1", "\"timeout\""},
        {"\"timeout\":1.5", "\"timeout\""},
        {"\"timeout\":1e300", "\"timeout\""},
        {"\"reconnection\":1", "\"reconnection\""},
        {"\"reconnectionAttempts\":-1", "\"reconnectionAttempts\""},
        {"\"randomizationFactor\":2", "\"randomizationFactor\""},
        {"\"autoConnect\":\"no\"", "\"autoConnect\""},
        {"\"transports\":\"websocket\"", "\"transports\""},
        {"\"transports\":[]", "\"transports\""},
        {"\"eventNames\":\"both\"", "\"eventNames\""},
        {"\"delivery\":\"push\"", "\"delivery\""},
        {"\"sendQueueBytes\":10", "\"sendQueueBytes\""},
        {"\"receiveQueueBytes\":-1", "\"receiveQueueBytes\""},
        {"\"maxPauseMs\":\"x\"", "\"maxPauseMs\""},
        {"\"ackTimeout\":0", "\"ackTimeout\""},
        {"\"pullOnConnect\":null", "\"pullOnConnect\""},
        {"\"receipts\":0", "\"receipts\""},
        {"\"timestampParam\":\"a b\"", "\"timestampParam\""},
        {"\"addTrailingSlash\":\"\"", "\"addTrailingSlash\""},
        {"\"extraHeaders\":null", "\"extraHeaders\""},
        {"\"ca\":null", "\"ca\""},
        {"\"cert\":null", "\"cert\""},
        {"\"key\":null", "\"key\""},
        {"\"protocols\":null", "\"protocols\""},
        {"\"localAddress\":null", "\"localAddress\""},
        {"\"rejectUnauthorized\":null", "\"rejectUnauthorized\""},
        {"\"transportOptions\":null", "\"transportOptions\""},
        {"\"proxy\":null", "\"proxy\""},
        {"\"caFile\":null", "\"caFile\""},
        {"\"servername\":null", "\"servername\""},
        {"\"pinnedPublicKeys\":null", "\"pinnedPublicKeys\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        no_option(wrong[i][0], IM_ERROR_OPTION, wrong[i][1]);
    }
}

static void options_of_the_official_clients(void) {
    /* All of socket.io-client 2.5 and 4.8 are known; those that are not built say so. */
    static const char *const later[] = {"pfx", "passphrase", "ciphers", "perMessageDeflate"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        no_option(text("\"%s\":null", later[i]), IM_ERROR_UNSUPPORTED, text("\"%s\"", later[i]));
    }
    no_option("\"transports\":[\"webtransport\"]", IM_ERROR_UNSUPPORTED, "webtransport");
    im_client client = new_client(
        "/", ",\"agent\":null,\"withCredentials\":true,\"forceNode\":1,\"autoUnref\":false,"
             "\"protocol\":\"auto\",\"transports\":[\"websocket\"],\"timeout\":5000,"
             "\"perMessageDeflate\":false");
    round_trip(client);
    destroy(client);
}

/* ---- Arguments ---- */

static im_client client;

static void bad_names(const char *name, im_status status, const char *culprit) {
    CHECK_EQUAL(im_client_emit(client, name, "1"), status);
    CHECK_FAULT(status, culprit);
    CHECK_EQUAL(im_client_emit_with_ack(client, name, "1", 0, ignore_ack, NULL), status);
    CHECK_FAULT(status, culprit);
    CHECK_EQUAL(
        im_client_emit_args(client, name, name == NULL ? 0 : strlen(name), NULL, 0, NULL, 0, 0),
        status);
    CHECK_FAULT(status, culprit);
    if (strcmp(culprit, "reserved") == 0)
        return; /* Those may be listened for. */
    CHECK_EQUAL(im_client_on(client, name, ignore, NULL), status);
    CHECK_FAULT(status, culprit);
    CHECK_EQUAL(im_client_once(client, name, ignore, NULL), status);
    CHECK_EQUAL(im_client_off_event(client, name), status);
    if (name == NULL)
        return; /* That is every event. */
    CHECK_EQUAL(im_client_subscribe(client, name, 0, ignore, NULL, NULL), status);
}

static void bad_json(const char *json, im_status status, const char *culprit) {
    CHECK_EQUAL(im_client_emit(client, "x", json), status);
    CHECK_FAULT(status, culprit);
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", json, 0, ignore_ack, NULL), status);
    CHECK_FAULT(status, culprit);
    CHECK_EQUAL(im_client_reply(client, 1, json), status);
    CHECK_FAULT(status, culprit);
}

static void bad_args(const char *args, im_status status) {
    CHECK_EQUAL(im_client_emit_args(client, "x", 1, args, strlen(args), NULL, 0, 0), status);
    CHECK_FAULT(status, "args");
}

static void names_and_arguments(void) {
    client = new_client("/", ",\"autoConnect\":false");
    bad_names(NULL, IM_ERROR_INVALID_ARGUMENT, "\"event\"");
    bad_names("", IM_ERROR_INVALID_ARGUMENT, "\"event\"");
    bad_names("\xc3", IM_ERROR_UTF8, "\"event\"");
    bad_names("a\xff", IM_ERROR_UTF8, "byte 1");
    bad_names("connect", IM_ERROR_INVALID_ARGUMENT, "reserved");
    bad_names("disconnect", IM_ERROR_INVALID_ARGUMENT, "reserved");
    bad_json("", IM_ERROR_JSON, "\"json\"");
    bad_json("{", IM_ERROR_JSON, "\"json\"");
    bad_json("hello", IM_ERROR_JSON, "\"json\"");
    bad_json("'x'", IM_ERROR_JSON, "\"json\"");
    bad_json("1 2", IM_ERROR_JSON, "\"json\"");
    bad_json("[1,]", IM_ERROR_JSON, "\"json\"");
    bad_json("{\"a\":01}", IM_ERROR_JSON, "\"json\"");
    bad_json("\"\n\"", IM_ERROR_JSON, "\"json\"");
    bad_json("\"\xff\"", IM_ERROR_UTF8, "\"json\"");
    bad_args("", IM_ERROR_JSON);
    bad_args("{}", IM_ERROR_JSON);
    bad_args("1,2", IM_ERROR_JSON);
    bad_args("[1", IM_ERROR_JSON);
    bad_args("[\xff]", IM_ERROR_UTF8);
    CHECK_EQUAL(im_client_emit_args(client, "x", 1, NULL, 3, NULL, 0, 0),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "args");
    CHECK_EQUAL(im_client_emit_args(client, NULL, 3, NULL, 0, NULL, 0, 0),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
    CHECK_EQUAL(im_client_emit_args(client, "x", SIZE_MAX, NULL, 0, NULL, 0, 0),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_emit_args(client, "x", 1, NULL, 0, NULL, 0, 64),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "flags");
    im_blob blob = {"x", 1};
    CHECK_EQUAL(im_client_emit_args(client, "x", 1, NULL, 0, &blob, 11, 0),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "blob_count");
    CHECK_EQUAL(im_client_subscribe(client, "x", IM_SUBSCRIBE_OUTGOING, ignore, NULL, NULL),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
    CHECK_EQUAL(im_client_on_any_outgoing(client, NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "fn");
    CHECK_EQUAL(im_client_on(client, "x", NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "fn");
    CHECK_EQUAL(im_client_once(client, "x", NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_on_any(client, NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_EQUAL(im_client_subscribe(client, "x", 4, ignore, NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "flags");
    CHECK_EQUAL(im_client_emit_with_ack(client, "x", "1", -1, ignore_ack, NULL),
                IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "timeout_ms");
    CHECK_EQUAL(im_client_flush(client, -1), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "timeout_ms");
    CHECK_EQUAL(im_shutdown(-1), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "timeout_ms");
    CHECK_EQUAL(im_client_off(client, 7), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_off(client, -7), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_client_off_event(client, "x"), IM_ERROR_NOT_FOUND);
    CHECK_EQUAL(im_set_log_callback(99, NULL, NULL, NULL), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "level");
    /* None of these changed anything. */
    CHECK_EQUAL(info_number(client, "\"sendQueue\":{\"bytes\":"), 0);
    CHECK_EQUAL(info_number(client, "\"pendingRequests\":"), 0);
    CHECK_EQUAL(im_client_count(), 1);
    CHECK_EQUAL(im_client_open(client), IM_OK);
    round_trip(client);
    CHECK_EQUAL(in_stats("\"name\":\"x\""), 0);
    destroy(client);
}

static void messages(void) {
    static const char *const wrong[][2] = {
        {"{\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}", "type"},
        {"{\"type\":1,\"to\":\"b\",\"content\":\"c\"}", "from"},
        {"{\"type\":1,\"from\":\"a\",\"content\":\"c\"}", "to"},
        {"{\"type\":1,\"from\":\"a\",\"to\":\"b\"}", "content"},
        {"{\"type\":\"x\",\"from\":\"a\",\"to\":\"b\",\"content\":\"c\"}", "type"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(im_message_create(wrong[i][0]) == NULL);
        CHECK_FAULT(IM_ERROR_JSON, text("\"%s\"", wrong[i][1]));
    }
    CHECK(im_message_create(NULL) == NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "json");
    CHECK(im_message_create("{") == NULL);
    CHECK_EQUAL(im_last_status(), IM_ERROR_JSON);
    CHECK(im_message_create("\xff") == NULL);
    CHECK_FAULT(IM_ERROR_UTF8, "json");
    CHECK(im_timeline_id(NULL, "b") == NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "from");
    CHECK(im_timeline_id("a", NULL) == NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "\"to\"");
    CHECK(im_messages_unique(NULL) == NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "json");
    CHECK(im_messages_unique("{}") == NULL);
    CHECK_EQUAL(im_last_status(), IM_ERROR_JSON);
    CHECK(im_event_args(NULL) == NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
    CHECK(im_event_retain(NULL) == NULL);
    im_event_release(NULL);
    im_string_free(NULL);
    CHECK_EQUAL(im_event_reply(NULL, "1"), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
    im_blob blob;
    CHECK_EQUAL(im_event_blob(NULL, 0, &blob), IM_ERROR_INVALID_ARGUMENT);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "event");
}

/* ---- What is right stays as it is ---- */

static void valid_text_comes_back_unchanged(void) {
    static const char *const values[] = {
        "null",
        "true",
        "\"\"",
        "\"\xc3\xa4\xe2\x82\xac\xe4\xb8\xad\xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        "-1.5",
        "\"\xe2\x80\xa8\xe2\x80\xa9\"",
        "{\"a\":[1,{\"b\":\"c\"}]}",
        "\"[\\\"x\\\",1]\"",
        "\"/chat,12\"",
    };
    recorder events = RECORDER;
    im_client echo = connected_client();
    CHECK(im_client_on(echo, "\xf0\x9f\x98\x80 \"q\" \\", record, &events) > 0);
    CHECK(im_client_on(echo, "echo", record, &events) > 0);
    int count = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++, count++) {
        CHECK_EQUAL(im_client_emit(echo, "echo", text(" %s\n", values[i])), IM_OK);
        CHECK(strcmp(wait_item(&events, "echo", count).json, values[i]) == 0);
    }
    /* NUL comes escaped, so it ends no string early. */
    CHECK_EQUAL(im_client_emit(echo, "echo", "\"a\\u0000b\""), IM_OK);
    CHECK(strcmp(wait_item(&events, "echo", count++).json, "\"a\\u0000b\"") == 0);
    CHECK_EQUAL(im_client_emit(echo, "echo", NULL), IM_OK);
    CHECK(strcmp(wait_item(&events, "echo", count).json, "null") == 0);
    CHECK(strcmp(wait_item(&events, "echo", count++).args, "[]") == 0);
    const char *several = "[\"echo\", 1 , \"two\",{\"three\":3},[4],null]";
    CHECK_EQUAL(im_client_emit_args(echo, "tell", 4, several, strlen(several), NULL, 0, 0), IM_OK);
    CHECK(strcmp(wait_item(&events, "echo", count).json, "1") == 0);
    CHECK(strcmp(wait_item(&events, "echo", count++).args, "[1,\"two\",{\"three\":3},[4],null]") ==
          0);
    const char *named = "[\"\xf0\x9f\x98\x80 \\\"q\\\" \\\\\",5]";
    CHECK_EQUAL(im_client_emit_args(echo, "tell", 4, named, strlen(named), NULL, 0, 0), IM_OK);
    CHECK(strcmp(wait_item(&events, "\xf0\x9f\x98\x80 \"q\" \\", 0).json, "5") == 0);
    destroy(echo);
    recorder_clear(&events);
}

/* The longest times and numbers are no reason to panic. */
static void extreme_numbers(void) {
    recorder acks = RECORDER;
    im_client echo = connected_client();
    CHECK(im_client_emit_with_ack(echo, "echo", "1", INT64_MAX, record_ack, &acks) > 0);
    CHECK(im_client_emit_with_ack(echo, "echo", "1", 1, record_ack, &acks) > 0);
    CHECK_EQUAL(im_client_flush(echo, INT64_MAX), IM_OK);
    wait_item(&acks, NULL, 1);
    CHECK(im_client_emit_with_ack(echo, "silent", "1", INT64_MAX, record_ack, &acks) > 0);
    CHECK(im_client_emit_with_ack(echo, "silent", "1", 20, record_ack, &acks) > 0);
    CHECK_EQUAL(wait_item(&acks, NULL, 2).status, IM_ERROR_TIMEOUT);
    CHECK_EQUAL(im_shutdown(INT64_MAX), IM_OK);
    CHECK_EQUAL(recorded(&acks, NULL), 4);
    recorder_clear(&acks);
    for (int64_t number = INT32_MIN; number <= INT32_MAX; number += 1 << 24) {
        CHECK(im_status_name((im_status)number) != NULL &&
              im_status_text((im_status)number) != NULL);
    }
    CHECK(strcmp(im_status_name(12345), "IM_ERROR_UNKNOWN") == 0);
}

/* ---- The last error is this thread's ---- */

static void *other_thread(void *data) {
    CHECK(im_last_error()[0] == 0);
    CHECK_EQUAL(im_last_status(), IM_OK);
    CHECK_EQUAL(im_client_open(0), IM_ERROR_HANDLE);
    CHECK_FAULT(IM_ERROR_HANDLE, "handle");
    return data;
}

static void the_last_error_is_this_threads(void) {
    CHECK_EQUAL(im_client_new(NULL), 0);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "options_json");
    const char *before = im_last_error();
    pthread_join(run_thread(other_thread, NULL), NULL);
    CHECK_FAULT(IM_ERROR_INVALID_ARGUMENT, "options_json");
    /* A success leaves it, and the text stays where it is. */
    im_string_free(im_timeline_id("a", "b"));
    CHECK(im_last_error() == before && strstr(before, "options_json") != NULL);
}

CASES("strings", CASE(options_as_a_whole), CASE(root_and_namespace),
      CASE(unknown_options_and_the_nearest_name), CASE(wrong_types_and_values),
      CASE(options_of_the_official_clients), CASE(names_and_arguments), CASE(messages),
      CASE(valid_text_comes_back_unchanged), CASE(extreme_numbers),
      CASE(the_last_error_is_this_threads))

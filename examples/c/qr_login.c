/*
 * qr_login: what a PC does to be signed in by a phone. It shows a QR code with its device id and
 * waits in the namespace sso until the server passes on the token. The server waits 60 s for a
 * phone, then closes the connection: the code has expired, and a new one takes its place.
 */
#include "envelope.h"

#include <pthread.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_NO_PHONE 4
#define QUIET_ZONE 4 /* light modules around the code, as the standard asks */
#define RANDOM_ID_BYTES 16

enum outcome { OUTCOME_NONE, OUTCOME_SIGNED_IN, OUTCOME_EXPIRED, OUTCOME_FAILED };

/* What callbacks tell the main thread. */
struct login {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool connected;
    enum outcome outcome;
    char *token;
};

/* The first outcome counts: after the token the connection ends too. */
static void end_login(struct login *login, enum outcome outcome, const char *token) {
    pthread_mutex_lock(&login->lock);
    if (login->outcome == OUTCOME_NONE) {
        login->outcome = outcome;
        login->token = token != NULL ? strdup(token) : NULL;
    }
    pthread_cond_signal(&login->changed);
    pthread_mutex_unlock(&login->lock);
}

static void on_connect(const im_event *event, void *user_data) {
    struct login *login = user_data;
    (void)event;
    pthread_mutex_lock(&login->lock);
    login->connected = true;
    pthread_cond_signal(&login->changed);
    pthread_mutex_unlock(&login->lock);
}

static void on_connect_error(const im_event *event, void *user_data) {
    json_t *detail = envelope_of(event);
    const bool again = json_is_true(json_object_get(detail, "willRetry"));
    printf("cannot connect: %s%s\n", string_in(detail, "message"), again ? ", trying again" : "");
    if (!again)
        end_login(user_data, OUTCOME_FAILED, NULL);
    json_decref(detail);
}

static void on_disconnect(const im_event *event, void *user_data) {
    (void)event;
    end_login(user_data, OUTCOME_EXPIRED, NULL);
}

static void on_business_error(const im_event *event, void *user_data) {
    json_t *envelope = envelope_of(event);
    printf("the server refuses: %s\n", code_name(integer_in(envelope, "code")));
    end_login(user_data, OUTCOME_FAILED, NULL);
    json_decref(envelope);
}

static void on_login(const im_event *event, void *user_data) {
    json_t *envelope = envelope_of(event);
    const char *token = json_string_value(json_object_get(payload_of(envelope), "token"));
    if (integer_in(envelope, "code") != IM_CODE_OK)
        puts("the phone refused; still waiting");
    else if (token != NULL)
        end_login(user_data, OUTCOME_SIGNED_IN, token);
    json_decref(envelope);
}

static bool is_light(const QRcode *code, int x, int y) {
    if (y >= code->width + QUIET_ZONE)
        return false; /* the lower half of the last line */
    const bool inside = x >= 0 && x < code->width && y >= 0 && y < code->width;
    return !inside || (code->data[y * code->width + x] & 1) == 0;
}

/* Two rows of modules to a line of text. The light ones are drawn, as terminals are dark; where we
 * know that it is a terminal, we set the colours, so that it may as well be light. */
static void draw(const QRcode *code) {
    static const char *const HALVES[] = {" ", "▄", "▀", "█"};
    const bool terminal = isatty(STDOUT_FILENO);
    for (int y = -QUIET_ZONE; y < code->width + QUIET_ZONE; y += 2) {
        fputs(terminal ? "\033[97;40m" : "", stdout);
        for (int x = -QUIET_ZONE; x < code->width + QUIET_ZONE; x++)
            fputs(HALVES[is_light(code, x, y) * 2 + is_light(code, x, y + 1)], stdout);
        puts(terminal ? "\033[0m" : "");
    }
}

/* Appends text to a URL as a query value. */
static void append_encoded(char *url, size_t size, const char *text) {
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text != '\0'; text++) {
        const size_t length = strlen(url);
        snprintf(url + length, size - length, strchr(PLAIN, *text) != NULL ? "%c" : "%%%02X",
                 (unsigned char)*text);
    }
}

static bool show_code(const char *root, const char *device_id) {
    char url[1024];
    snprintf(url, sizeof url, "%s/qrlogin?device_id=", root);
    append_encoded(url, sizeof url, device_id);
    QRcode *code = QRcode_encodeString(url, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL) {
        perror("qr_login");
        return false;
    }
    draw(code);
    printf("url: %s\ndevice id: %s\n", url, device_id);
    QRcode_free(code);
    return true;
}

static void random_id(char id[2 * RANDOM_ID_BYTES + 1]) {
    unsigned char bytes[RANDOM_ID_BYTES];
    FILE *random = fopen("/dev/urandom", "rb");
    if (random == NULL || fread(bytes, sizeof bytes, 1, random) != 1) {
        perror("/dev/urandom");
        exit(EXIT_FAILURE);
    }
    fclose(random);
    for (size_t i = 0; i < sizeof bytes; i++)
        sprintf(id + 2 * i, "%02x", bytes[i]);
}

static im_client new_client(const char *root, const char *device_id) {
    json_t *options = json_pack("{s:s, s:s, s:{s:s}}", "root", root, "nsp", "sso", "query",
                                "device_id", device_id);
    char *json = json_dumps(options, JSON_COMPACT);
    im_client client = im_client_new(json);
    free(json);
    json_decref(options);
    return client;
}

/* One code, from its first connection to the outcome. */
static enum outcome run_round(const char *root, const char *device_id) {
    struct login login = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    im_client client = new_client(root, device_id);
    if (client == 0) {
        fprintf(stderr, "qr_login: %s\n", im_last_error());
        return OUTCOME_FAILED;
    }
    im_client_on(client, IM_EVENT_CONNECT, on_connect, &login);
    im_client_on(client, IM_EVENT_CONNECT_ERROR, on_connect_error, &login);
    im_client_on(client, IM_EVENT_DISCONNECT, on_disconnect, &login);
    im_client_on(client, IM_IMERROR, on_business_error, &login);
    im_client_on(client, IM_SSO_QRLOGIN, on_login, &login);

    pthread_mutex_lock(&login.lock);
    while (!login.connected && login.outcome == OUTCOME_NONE)
        pthread_cond_wait(&login.changed, &login.lock);
    const bool connected = login.connected;
    pthread_mutex_unlock(&login.lock);
    if (connected && !show_code(root, device_id))
        end_login(&login, OUTCOME_FAILED, NULL);

    pthread_mutex_lock(&login.lock);
    while (login.outcome == OUTCOME_NONE)
        pthread_cond_wait(&login.changed, &login.lock);
    pthread_mutex_unlock(&login.lock); /* callbacks lock it, and destroy waits for callbacks */
    im_client_destroy(client);

    if (login.outcome == OUTCOME_SIGNED_IN)
        printf("token: %s\n", login.token);
    free(login.token);
    return login.outcome;
}

static int usage(void) {
    fputs("usage: qr_login --root URL [--device-id ID] [--rounds N]\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    const char *root = NULL, *first_id = NULL;
    long rounds = -1; /* no end */
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--root") == 0)
            root = argv[i + 1];
        else if (strcmp(argv[i], "--device-id") == 0)
            first_id = argv[i + 1];
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtol(argv[i + 1], NULL, 10);
        else
            return usage();
    }
    if (root == NULL || rounds == 0)
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0); /* for who watches through a pipe */

    enum outcome outcome = OUTCOME_EXPIRED;
    for (long round = 0; round != rounds && outcome == OUTCOME_EXPIRED; round++) {
        char id[2 * RANDOM_ID_BYTES + 1];
        random_id(id);
        if (round > 0)
            puts("the code has expired, here is a new one");
        outcome = run_round(root, round == 0 && first_id != NULL ? first_id : id);
    }
    if (outcome == OUTCOME_EXPIRED)
        puts("no phone came");
    return outcome == OUTCOME_SIGNED_IN ? EXIT_SUCCESS
           : outcome == OUTCOME_EXPIRED ? EXIT_NO_PHONE
                                        : EXIT_FAILURE;
}

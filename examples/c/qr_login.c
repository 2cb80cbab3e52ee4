/*
 * qr_login: what a PC does to be signed in by a phone. It shows a QR code with its device id and
 * waits in the namespace sso until the server passes on the token; a server waits 60 s for a phone.
 */
#include "envelope.h"
#include "flags.h"

#include <qrencode.h>
#include <unistd.h>

#define QUIET_ZONE 4 /* light modules around the code, as the standard asks */
#define RANDOM_ID_BYTES 16

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

static bool show_code(const char *root, const char *device_id) {
    char url[1024];
    snprintf(url, sizeof url, "%s/qrlogin?device_id=%s", root, device_id);
    QRcode *code = QRcode_encodeString(url, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL)
        return false;
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
    json_t *options = json_pack("{s:s, s:s, s:s, s:{s:s}}", "root", root, "nsp", "sso", "delivery",
                                "manual", "query", "device_id", device_id);
    char *json = json_dumps(options, JSON_COMPACT);
    im_client client = im_client_new(json);
    free(json);
    json_decref(options);
    return client;
}

/* The program's exit code, or -1 while the login goes on. */
static int handle(const im_event *event, const char *root, const char *device_id) {
    json_t *detail = envelope_of(event);
    const int code = integer_in(detail, "code");
    int exit_code = -1;
    if (strcmp(event->name, IM_EVENT_CONNECT) == 0) {
        exit_code = show_code(root, device_id) ? -1 : EXIT_FAILURE;
    } else if (strcmp(event->name, IM_EVENT_CONNECT_ERROR) == 0) {
        printf("cannot connect: %s\n", string_in(detail, "message"));
        exit_code = json_is_true(json_object_get(detail, "willRetry")) ? -1 : EXIT_FAILURE;
    } else if (strcmp(event->name, IM_EVENT_DISCONNECT) == 0) {
        printf("no phone came: %s\n", string_in(detail, "reason"));
        exit_code = EXIT_FAILURE;
    } else if (strcmp(event->name, IM_IMERROR) == 0) {
        printf("! %s (%d)\n", code_name(code), code);
        exit_code = EXIT_FAILURE;
    } else if (strcmp(event->name, IM_SSO_QRLOGIN) == 0 && code != IM_CODE_OK) {
        puts("the phone refused; still waiting");
    } else if (strcmp(event->name, IM_SSO_QRLOGIN) == 0) {
        printf("token: %s\n", string_in(payload_of(detail), "token"));
        exit_code = EXIT_SUCCESS;
    }
    json_decref(detail);
    return exit_code;
}

int main(int argc, char **argv) {
    char id[2 * RANDOM_ID_BYTES + 1];
    random_id(id);
    const char *root = default_root(), *device_id = id;
    const struct flag flags[] = {{"--root", &root}, {"--device-id", &device_id}, {NULL, NULL}};
    if (!read_flags(argc, argv, flags))
        return EXIT_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0); /* for who watches through a pipe */

    im_client client = new_client(root, device_id);
    if (client == 0) {
        fprintf(stderr, "qr_login: %s\n", im_last_error());
        return EXIT_FAILURE;
    }
    int exit_code = -1;
    const im_event *event;
    while (exit_code < 0 && im_client_poll(client, -1, &event) == IM_OK) {
        exit_code = handle(event, root, device_id);
        im_event_release(event);
    }
    im_client_destroy(client);
    return exit_code < 0 ? EXIT_FAILURE : exit_code;
}

#include "envelope.h"

#include <stdbool.h>
#include <stdio.h>

json_t *envelope_of(const im_event *event) {
    return json_loadb(event->json, event->json_len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

json_t *payload_of(const json_t *envelope) {
    return json_object_get(json_object_get(envelope, "data"), "payload");
}

const char *string_in(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "?";
}

int integer_in(const json_t *object, const char *key) {
    return (int)json_integer_value(json_object_get(object, key));
}

const char *code_name(int code) {
    switch (code) {
    case IM_CODE_FAIL:
        return "IM_CODE_FAIL";
    case IM_CODE_RELOGIN:
        return "IM_CODE_RELOGIN";
    case IM_CODE_AUTH_FAILED:
        return "IM_CODE_AUTH_FAILED";
    case IM_CODE_PARAMETER_ABSENT:
        return "IM_CODE_PARAMETER_ABSENT";
    case IM_CODE_SEND_FAILED:
        return "IM_CODE_SEND_FAILED";
    case IM_CODE_OTHER_DEVICE:
        return "IM_CODE_OTHER_DEVICE";
    default:
        return "IM_CODE_...";
    }
}

void print_safely(const char *from, const char *text) {
    fputs(from, stdout);
    fputs(": ", stdout);
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text, next = (unsigned char)text[1];
        const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F */
        putchar(byte < 0x20 || byte == 0x7f || is_c1 ? ' ' : byte);
        text += is_c1;
    }
    putchar('\n');
}

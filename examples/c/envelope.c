#include "envelope.h"

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
    case IM_CODE_OK:
        return "success";
    case IM_CODE_FAIL:
        return "failure";
    case IM_CODE_RELOGIN:
        return "log in again";
    case IM_CODE_AUTH_FAILED:
        return "authentication failed";
    case IM_CODE_PARAMETER_ABSENT:
        return "parameter absent";
    case IM_CODE_SEND_FAILED:
        return "message not sent";
    case IM_CODE_OTHER_DEVICE:
        return "signed in elsewhere";
    default:
        return "unknown error";
    }
}

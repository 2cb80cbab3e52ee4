/* Clients of an IM server: of egg-socket.io, or of the embedded one. */

#ifndef CHAT_H
#define CHAT_H

#include "check.h"

static inline im_client new_chat(const char *user, const char *more) {
    im_client client =
        im_client_new(text("{\"root\":\"%s\",\"nsp\":\"chat\",\"reconnectionDelay\":20,"
                           "\"query\":{\"token\":\"t\",\"userId\":\"%s\"}%s}",
                           root, user, more));
    CHECK(client != 0);
    return client;
}

/* The phone's part. The two servers are told in ways of their own. */
static inline void scan_qr_code(const char *device_id) {
    if (getenv("IM_SERVER_IS_EMBEDDED") != NULL)
        free(control("POST /phone/qrlogin",
                     text("{\"device_id\":\"%s\",\"user_id\":\"111\"}", device_id)));
    else
        post("qrlogin", text("{\"device_id\":\"%s\",\"code\":0,\"token\":\"t\"}", device_id));
}

#endif

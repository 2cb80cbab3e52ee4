/*
 * Reading what the server sends: one JSON argument, an envelope
 * {"meta": {..}, "code": 0, "data": {"action": "CHAT_MESSAGE", "payload": ..}}.
 * All of these take whatever comes: what is missing or of another type is NULL, "?" or 0.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <im_client.h>
#include <jansson.h>

/* The first argument of an event, to json_decref. */
json_t *envelope_of(const im_event *event);

json_t *payload_of(const json_t *envelope);
const char *string_in(const json_t *object, const char *key);
int integer_in(const json_t *object, const char *key);

/* An error code of the server's by its name in the header. */
const char *code_name(int code);

/* A line `from: text`. Control characters in other people's text must not reach the terminal. */
void print_safely(const char *from, const char *text);

#endif

/*
 * im_client.h for the JVM, above all for Android: the native half of JniNative.kt.
 *
 * Texts are UTF-8 in byte arrays, those that go in with a NUL at their end: JNI's own strings are
 * in a UTF-8 of its own. What is polled is copied, and nothing of the library's threads enters the
 * machine but lines of the log.
 */
#include "im_client.h"

#include <jni.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CLASS "im/client/internal/JniNative"
/* So many binary values are held for a call: one more than the library takes, so that it refuses
 * what is too much. */
#define MOST_BLOBS 11

static JavaVM *machine;
static jclass binding;
static jmethodID log_method;
static pthread_key_t attached;

/* ---- Between the machine's memory and C's ---- */

/* Bytes of an array, as C may read them until free_bytes; for NULL, or where memory is short, data
 * is NULL. */
typedef struct bytes {
    jbyteArray array;
    jbyte *data;
    size_t len;
} bytes;

static bytes bytes_of(JNIEnv *env, jbyteArray array) {
    bytes taken = {.array = array};
    if (array != NULL) {
        taken.len = (size_t)(*env)->GetArrayLength(env, array);
        taken.data = (*env)->GetByteArrayElements(env, array, NULL);
    }
    return taken;
}

static void free_bytes(JNIEnv *env, bytes taken) {
    if (taken.data != NULL)
        (*env)->ReleaseByteArrayElements(env, taken.array, taken.data, JNI_ABORT);
}

static const char *text(bytes taken) { return (const char *)taken.data; }

static jbyteArray array_of(JNIEnv *env, const void *data, size_t len) {
    jbyteArray array = (*env)->NewByteArray(env, (jsize)len);
    if (array != NULL && len > 0)
        (*env)->SetByteArrayRegion(env, array, 0, (jsize)len, data);
    return array;
}

/* A string of the library's that is ours: copied and freed. */
static jbyteArray array_of_owned(JNIEnv *env, char *string) {
    if (string == NULL)
        return NULL;
    jbyteArray array = array_of(env, string, strlen(string));
    im_string_free(string);
    return array;
}

/* The binary values of a call. The library copies them, so they are held for the call alone. */
typedef struct attachments {
    size_t count;
    bytes held[MOST_BLOBS];
    im_blob blobs[MOST_BLOBS];
} attachments;

static void hold(JNIEnv *env, jobjectArray arrays, attachments *all) {
    all->count = (size_t)(*env)->GetArrayLength(env, arrays);
    if (all->count > MOST_BLOBS)
        all->count = MOST_BLOBS;
    for (size_t i = 0; i < all->count; i++) {
        all->held[i] = bytes_of(env, (*env)->GetObjectArrayElement(env, arrays, (jsize)i));
        all->blobs[i] = (im_blob){all->held[i].data, all->held[i].len};
    }
}

static void let_go(JNIEnv *env, attachments *all) {
    for (size_t i = 0; i < all->count; i++)
        free_bytes(env, all->held[i]);
}

/* ---- The log, on a thread of the library ---- */

/* Each thread is attached once, as a daemon, and detached at its end by its key. */
static JNIEnv *env_of_this_thread(void) {
    JNIEnv *env = NULL;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_1_6) == JNI_OK)
        return env;
    JavaVMAttachArgs arguments = {.version = JNI_VERSION_1_6, .name = "im-client-log"};
#ifdef __ANDROID__
    jint result = (*machine)->AttachCurrentThreadAsDaemon(machine, &env, &arguments);
#else
    jint result = (*machine)->AttachCurrentThreadAsDaemon(machine, (void **)&env, &arguments);
#endif
    if (result != JNI_OK)
        return NULL;
    pthread_setspecific(attached, env);
    return env;
}

static void detach(void *env) {
    (void)env;
    (*machine)->DetachCurrentThread(machine);
}

static void on_log(int32_t level, const char *line, void *user_data) {
    (void)user_data;
    JNIEnv *env = env_of_this_thread();
    if (env == NULL)
        return;
    jbyteArray array = array_of(env, line, strlen(line));
    if (array != NULL)
        (*env)->CallStaticVoidMethod(env, binding, log_method, level, array);
    if ((*env)->ExceptionCheck(env))
        (*env)->ExceptionClear(env);
    (*env)->DeleteLocalRef(env, array);
}

/* ---- The library as a whole ---- */

static jint version_check(JNIEnv *env, jobject self, jint version) {
    (void)env, (void)self;
    return im_version_check((uint32_t)version);
}

static jstring version_string(JNIEnv *env, jobject self) {
    (void)self;
    return (*env)->NewStringUTF(env, im_version_string());
}

static jstring status_name(JNIEnv *env, jobject self, jint status) {
    (void)self;
    return (*env)->NewStringUTF(env, im_status_name(status));
}

static jstring status_text(JNIEnv *env, jobject self, jint status) {
    (void)self;
    return (*env)->NewStringUTF(env, im_status_text(status));
}

static jbyteArray last_error(JNIEnv *env, jobject self) {
    (void)self;
    return array_of(env, im_last_error(), strlen(im_last_error()));
}

static jint last_status(JNIEnv *env, jobject self) {
    (void)env, (void)self;
    return im_last_status();
}

static jlong client_count(JNIEnv *env, jobject self) {
    (void)env, (void)self;
    return (jlong)im_client_count();
}

static jint shut_down(JNIEnv *env, jobject self, jlong timeout) {
    (void)env, (void)self;
    return im_shutdown(timeout);
}

static jint set_log_level(JNIEnv *env, jobject self, jint level) {
    (void)env, (void)self;
    return im_set_log_callback(level, level == IM_LOG_OFF ? NULL : on_log, NULL, NULL);
}

static jbyteArray message_create(JNIEnv *env, jobject self, jbyteArray json) {
    (void)self;
    bytes given = bytes_of(env, json);
    char *message = im_message_create(text(given));
    free_bytes(env, given);
    return array_of_owned(env, message);
}

static jbyteArray timeline_id(JNIEnv *env, jobject self, jbyteArray from, jbyteArray to) {
    (void)self;
    bytes sender = bytes_of(env, from), receiver = bytes_of(env, to);
    char *id = im_timeline_id(text(sender), text(receiver));
    free_bytes(env, sender);
    free_bytes(env, receiver);
    return array_of_owned(env, id);
}

static jbyteArray messages_unique(JNIEnv *env, jobject self, jbyteArray json) {
    (void)self;
    bytes given = bytes_of(env, json);
    char *list = im_messages_unique(text(given));
    free_bytes(env, given);
    return array_of_owned(env, list);
}

/* ---- A client ---- */

static jlong create(JNIEnv *env, jobject self, jbyteArray options) {
    (void)self;
    bytes given = bytes_of(env, options);
    im_client client = im_client_new(text(given));
    free_bytes(env, given);
    return (jlong)client;
}

/* The functions that take a client alone. */
#define ON_CLIENT(result, name, function)                                                          \
    static result name(JNIEnv *env, jobject self, jlong client) {                                  \
        (void)env, (void)self;                                                                     \
        return function((im_client)client);                                                        \
    }

ON_CLIENT(jint, open_client, im_client_open)
ON_CLIENT(jint, close_client, im_client_close)
ON_CLIENT(jint, destroy_socket, im_client_destroy_socket)
ON_CLIENT(jint, destroy_client, im_client_destroy)
ON_CLIENT(jint, state, im_client_state)
ON_CLIENT(jlong, clear_send_buffer, im_client_clear_send_buffer)
ON_CLIENT(jint, network_changed, im_client_network_changed)
ON_CLIENT(jint, background, im_client_background)
ON_CLIENT(jint, foreground, im_client_foreground)
ON_CLIENT(jint, wake, im_client_wake)

static jbyteArray socket_id(JNIEnv *env, jobject self, jlong client) {
    (void)self;
    return array_of_owned(env, im_client_socket_id((im_client)client));
}

static jbyteArray info(JNIEnv *env, jobject self, jlong client) {
    (void)self;
    return array_of_owned(env, im_client_info((im_client)client));
}

static jint set_auth(JNIEnv *env, jobject self, jlong client, jbyteArray json) {
    (void)self;
    bytes given = bytes_of(env, json);
    im_status status = im_client_set_auth((im_client)client, text(given));
    free_bytes(env, given);
    return status;
}

static jint set_query(JNIEnv *env, jobject self, jlong client, jbyteArray json) {
    (void)self;
    bytes given = bytes_of(env, json);
    im_status status = im_client_set_query((im_client)client, text(given));
    free_bytes(env, given);
    return status;
}

static jint answer(JNIEnv *env, jobject self, jlong client, jlong request, jbyteArray json) {
    (void)self;
    bytes given = bytes_of(env, json);
    im_status status = im_client_answer((im_client)client, request, text(given));
    free_bytes(env, given);
    return status;
}

/* ---- Sending ---- */

static jint emit(JNIEnv *env, jobject self, jlong client, jbyteArray event, jbyteArray args,
                 jobjectArray blobs, jint flags) {
    (void)self;
    bytes name = bytes_of(env, event), list = bytes_of(env, args);
    attachments all;
    hold(env, blobs, &all);
    im_status status = im_client_emit_args((im_client)client, text(name), name.len, text(list),
                                           list.len, all.blobs, all.count, (uint32_t)flags);
    let_go(env, &all);
    free_bytes(env, list);
    free_bytes(env, name);
    return status;
}

static jlong emit_with_ack(JNIEnv *env, jobject self, jlong client, jbyteArray event,
                           jbyteArray args, jobjectArray blobs, jlong timeout) {
    (void)self;
    bytes name = bytes_of(env, event), list = bytes_of(env, args);
    attachments all;
    hold(env, blobs, &all);
    int64_t request =
        im_client_emit_args_with_ack((im_client)client, text(name), name.len, text(list), list.len,
                                     all.blobs, all.count, 0, timeout, NULL, NULL, NULL);
    let_go(env, &all);
    free_bytes(env, list);
    free_bytes(env, name);
    return request;
}

static jlong send_message(JNIEnv *env, jobject self, jlong client, jbyteArray message,
                          jlong timeout) {
    (void)self;
    bytes given = bytes_of(env, message);
    int64_t request = im_client_send_message((im_client)client, text(given), timeout, NULL, NULL);
    free_bytes(env, given);
    return request;
}

static jint cancel(JNIEnv *env, jobject self, jlong client, jlong request) {
    (void)env, (void)self;
    return im_client_cancel((im_client)client, request);
}

static jint reply(JNIEnv *env, jobject self, jlong client, jlong ack_id, jbyteArray args,
                  jobjectArray blobs) {
    (void)self;
    bytes list = bytes_of(env, args);
    attachments all;
    hold(env, blobs, &all);
    im_status status = im_client_reply_args((im_client)client, (uint64_t)ack_id, text(list),
                                            list.len, all.blobs, all.count);
    let_go(env, &all);
    free_bytes(env, list);
    return status;
}

static jint flush(JNIEnv *env, jobject self, jlong client, jlong timeout) {
    (void)env, (void)self;
    return im_client_flush((im_client)client, timeout);
}

/* ---- Events ---- */

/* Events are polled, so nothing calls it. */
static void never_called(const im_event *event, void *user_data) { (void)event, (void)user_data; }

static jlong subscribe(JNIEnv *env, jobject self, jlong client, jbyteArray event) {
    (void)self;
    bytes name = bytes_of(env, event);
    int64_t subscription = im_client_on((im_client)client, text(name), never_called, NULL);
    free_bytes(env, name);
    return subscription;
}

static jint unsubscribe(JNIEnv *env, jobject self, jlong client, jlong subscription) {
    (void)env, (void)self;
    return im_client_off((im_client)client, subscription);
}

static void put(JNIEnv *env, jobjectArray into, jsize at, const char *data, size_t len) {
    jbyteArray array = array_of(env, data, len);
    if (array != NULL)
        (*env)->SetObjectArrayElement(env, into, at, array);
    (*env)->DeleteLocalRef(env, array);
}

static jint poll(JNIEnv *env, jobject self, jlong client, jboolean outcomes_only,
                 jlongArray numbers, jobjectArray texts) {
    (void)self;
    const im_event *event = NULL;
    im_status status = outcomes_only ? im_client_poll_outcome((im_client)client, -1, &event)
                                     : im_client_poll((im_client)client, -1, &event);
    if (status != IM_OK)
        return status;
    const jlong all[] = {(jlong)(intptr_t)event, event->kind,   (jlong)event->ack_id,
                         event->request,         event->status, (jlong)event->blob_count};
    (*env)->SetLongArrayRegion(env, numbers, 0, sizeof all / sizeof *all, all);
    put(env, texts, 0, event->name, event->name_len);
    put(env, texts, 1, event->json, event->json_len);
    const char *args = im_event_args(event);
    const size_t args_len = strlen(args);
    if (args_len != event->json_len + 2)
        put(env, texts, 2, args, args_len);
    return IM_OK;
}

static jbyteArray blob(JNIEnv *env, jobject self, jlong event, jint index) {
    (void)self;
    im_blob found = {0};
    im_event_blob((const im_event *)(intptr_t)event, (size_t)index, &found);
    return array_of(env, found.data, found.len);
}

static void release_event(JNIEnv *env, jobject self, jlong event, jboolean delivered) {
    (void)env, (void)self;
    if (delivered)
        im_event_release((const im_event *)(intptr_t)event);
    else
        im_event_discard((const im_event *)(intptr_t)event);
}

/* ---- Android ---- */

#ifdef __ANDROID__
/* Not in the header, for it is there on Android alone: src/ffi/android.rs. */
im_status im_android_init(JNIEnv *env, jobject context);
#endif

static jint android_init(JNIEnv *env, jobject self, jobject context) {
    (void)self;
#ifdef __ANDROID__
    return im_android_init(env, context);
#else
    (void)env, (void)context;
    return IM_ERROR_UNSUPPORTED;
#endif
}

/* ---- What JniNative.kt declares ---- */

#define BYTES "[B"
#define BLOBS "[[B"
#define STRING "Ljava/lang/String;"

static const JNINativeMethod methods[] = {
    {"versionCheck", "(I)I", version_check},
    {"versionString", "()" STRING, version_string},
    {"statusName", "(I)" STRING, status_name},
    {"statusText", "(I)" STRING, status_text},
    {"lastErrorBytes", "()" BYTES, last_error},
    {"lastStatus", "()I", last_status},
    {"clientCount", "()J", client_count},
    {"shutdown", "(J)I", shut_down},
    {"setLogLevel", "(I)I", set_log_level},
    {"messageCreateBytes", "(" BYTES ")" BYTES, message_create},
    {"timelineIdBytes", "(" BYTES BYTES ")" BYTES, timeline_id},
    {"messagesUniqueBytes", "(" BYTES ")" BYTES, messages_unique},
    {"create", "(" BYTES ")J", create},
    {"open", "(J)I", open_client},
    {"close", "(J)I", close_client},
    {"destroySocket", "(J)I", destroy_socket},
    {"destroy", "(J)I", destroy_client},
    {"state", "(J)I", state},
    {"socketIdBytes", "(J)" BYTES, socket_id},
    {"infoBytes", "(J)" BYTES, info},
    {"setAuth", "(J" BYTES ")I", set_auth},
    {"setQuery", "(J" BYTES ")I", set_query},
    {"answer", "(JJ" BYTES ")I", answer},
    {"emit", "(J" BYTES BYTES BLOBS "I)I", emit},
    {"emitWithAck", "(J" BYTES BYTES BLOBS "J)J", emit_with_ack},
    {"sendMessage", "(J" BYTES "J)J", send_message},
    {"cancel", "(JJ)I", cancel},
    {"reply", "(JJ" BYTES BLOBS ")I", reply},
    {"clearSendBuffer", "(J)J", clear_send_buffer},
    {"flush", "(JJ)I", flush},
    {"networkChanged", "(J)I", network_changed},
    {"background", "(J)I", background},
    {"foreground", "(J)I", foreground},
    {"subscribe", "(J" BYTES ")J", subscribe},
    {"unsubscribe", "(JJ)I", unsubscribe},
    {"poll", "(JZ[J" BLOBS ")I", poll},
    {"blob", "(JI)" BYTES, blob},
    {"wake", "(J)I", wake},
    {"release", "(JZ)V", release_event},
    {"androidInit", "(Ljava/lang/Object;)I", android_init},
};

JNIEXPORT jint JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void)reserved;
    JNIEnv *env = NULL;
    machine = vm;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) != JNI_OK ||
        pthread_key_create(&attached, detach) != 0)
        return JNI_ERR;
    jclass found = (*env)->FindClass(env, CLASS);
    if (found == NULL)
        return JNI_ERR;
    binding = (*env)->NewGlobalRef(env, found);
    log_method = (*env)->GetStaticMethodID(env, binding, "log", "(I" BYTES ")V");
    if (log_method == NULL)
        return JNI_ERR;
    jint registered =
        (*env)->RegisterNatives(env, binding, methods, sizeof methods / sizeof *methods);
    return registered == JNI_OK ? JNI_VERSION_1_6 : JNI_ERR;
}

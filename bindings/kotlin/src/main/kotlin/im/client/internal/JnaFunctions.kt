package im.client.internal

import com.sun.jna.Callback
import com.sun.jna.Pointer

internal interface LogCallback : Callback {
    fun invoke(
        level: Int,
        line: Pointer,
        data: Pointer?,
    )
}

internal interface EventCallback : Callback {
    fun invoke(
        event: Pointer?,
        data: Pointer?,
    )
}

/** The functions of `im_client.h`, bound by JNA under their names; `size_t` and pointers to events are of 64 bits. */
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class JnaFunctions {
    external fun im_client_new(optionsJson: ByteArray?): Long

    external fun im_client_open(client: Long): Int

    external fun im_client_close(client: Long): Int

    external fun im_client_destroy_socket(client: Long): Int

    external fun im_client_destroy(client: Long): Int

    external fun im_client_state(client: Long): Int

    external fun im_client_socket_id(client: Long): Pointer?

    external fun im_client_info(client: Long): Pointer?

    external fun im_client_set_auth(
        client: Long,
        authJson: ByteArray?,
    ): Int

    external fun im_client_set_query(
        client: Long,
        queryJson: ByteArray?,
    ): Int

    external fun im_client_answer(
        client: Long,
        request: Long,
        json: ByteArray?,
    ): Int

    external fun im_client_emit_args(
        client: Long,
        event: ByteArray?,
        eventLen: Long,
        args: ByteArray?,
        argsLen: Long,
        blobs: Pointer?,
        blobCount: Long,
        flags: Int,
    ): Int

    external fun im_client_emit_args_with_ack(
        client: Long,
        event: ByteArray?,
        eventLen: Long,
        args: ByteArray?,
        argsLen: Long,
        blobs: Pointer?,
        blobCount: Long,
        flags: Int,
        timeoutMs: Long,
        callback: Pointer?,
        userData: Pointer?,
        freeFn: Pointer?,
    ): Long

    external fun im_client_cancel(
        client: Long,
        request: Long,
    ): Int

    external fun im_client_reply_args(
        client: Long,
        ackId: Long,
        args: ByteArray?,
        argsLen: Long,
        blobs: Pointer?,
        blobCount: Long,
    ): Int

    external fun im_client_clear_send_buffer(client: Long): Long

    external fun im_client_flush(
        client: Long,
        timeoutMs: Long,
    ): Int

    external fun im_event_release(event: Long)

    external fun im_event_discard(event: Long)

    external fun im_event_args(event: Long): Pointer

    external fun im_event_blob(
        event: Long,
        index: Long,
        blob: LongArray,
    ): Int

    external fun im_version_string(): Pointer

    external fun im_version_check(version: Int): Int

    external fun im_status_name(status: Int): Pointer

    external fun im_status_text(status: Int): Pointer

    external fun im_last_error(): Pointer

    external fun im_last_status(): Int

    external fun im_client_count(): Long

    external fun im_shutdown(timeoutMs: Long): Int

    external fun im_string_free(string: Pointer?)

    external fun im_set_log_callback(
        level: Int,
        callback: LogCallback?,
        userData: Pointer?,
        freeFn: Pointer?,
    ): Int

    external fun im_message_create(json: ByteArray?): Pointer?

    external fun im_client_send_message(
        client: Long,
        messageJson: ByteArray?,
        timeoutMs: Long,
        callback: Pointer?,
        userData: Pointer?,
    ): Long

    external fun im_timeline_id(
        from: ByteArray?,
        to: ByteArray?,
    ): Pointer?

    external fun im_messages_unique(json: ByteArray?): Pointer?

    external fun im_client_network_changed(client: Long): Int

    external fun im_client_background(client: Long): Int

    external fun im_client_foreground(client: Long): Int

    external fun im_client_poll(
        client: Long,
        timeoutMs: Long,
        event: LongArray,
    ): Int

    external fun im_client_poll_outcome(
        client: Long,
        timeoutMs: Long,
        event: LongArray,
    ): Int

    external fun im_client_wake(client: Long): Int

    external fun im_client_on(
        client: Long,
        event: ByteArray?,
        callback: EventCallback?,
        userData: Pointer?,
    ): Long

    external fun im_client_off(
        client: Long,
        subscription: Long,
    ): Int
}

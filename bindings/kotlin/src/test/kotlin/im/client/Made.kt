package im.client

import im.client.internal.Library
import im.client.internal.Polled

/** An event that no server has sent. */
fun event(name: String): Event =
    Event(Library.native, 0, Polled(0, 0, 0, name.encodeToByteArray(), "1".encodeToByteArray(), null, emptyArray(), 0, 0, 0))

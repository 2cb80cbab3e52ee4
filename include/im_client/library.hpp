// What belongs to no client: the log, messages, the version, the end of the library.
#ifndef IM_CLIENT_LIBRARY_HPP
#define IM_CLIENT_LIBRARY_HPP

#include <chrono>
#include <im_client/callback.hpp>
#include <im_client/json.hpp>

namespace im {

/// The library's version, like "0.1.0"; IM_VERSION_NUMBER is the header's.
inline std::string_view version() noexcept { return im_version_string(); }

/// How many clients live, those included whose destroy is still at work.
inline std::size_t client_count() noexcept { return im_client_count(); }

/// Destroys all clients and joins all threads of the library. A program may simply end instead.
/// Inside a callback Status::deadlock.
inline Result<void> shutdown(std::chrono::milliseconds timeout) {
    return detail::done(im_shutdown(timeout.count()));
}

/// Sets the callback of the log, which takes a LogLevel and a std::string_view, on a thread of the
/// library. Tokens and message contents never appear in it.
template <class F> Result<void> set_log(LogLevel level, F callback) {
    static_assert(std::is_invocable_v<F &, LogLevel, std::string_view>,
                  "a log callback takes an im::LogLevel and a std::string_view");
    if (!detail::is_callable(callback))
        return detail::not_callable();
    return detail::done(im_set_log_callback(static_cast<std::int32_t>(level),
                                            detail::call_with_log<F>, new F(std::move(callback)),
                                            detail::free_callback<F>));
}

/// After this one call of the log's callback that is just being made may still start, and no other.
inline Result<void> clear_log() {
    return detail::done(im_set_log_callback(IM_LOG_OFF, nullptr, nullptr, nullptr));
}

/// Makes a message of {"type","from","to","content","typeu"?,"fp"?,"time"?}: adds a fingerprint,
/// the domain "one to one" and the time where they are missing.
inline Result<std::string> create_message(const JsonText &message) {
    if (!message.text())
        return message.text().error();
    return detail::text(im_message_create(message.text()->c_str()));
}

/// A JSON list of messages without its later copies.
inline Result<std::string> unique_messages(const JsonText &messages) {
    if (!messages.text())
        return messages.text().error();
    return detail::text(im_messages_unique(messages.text()->c_str()));
}

/// The id of a conversation's direction, "from@to".
inline Result<std::string> timeline_id(std::string_view from, std::string_view to) {
    const Result<std::string> sender = detail::c_string(from, "from");
    const Result<std::string> receiver = detail::c_string(to, "to");
    if (!sender || !receiver)
        return sender ? receiver.error() : sender.error();
    return detail::text(im_timeline_id(sender->c_str(), receiver->c_str()));
}

} // namespace im

#endif

// What a call gives: a value or an im::Error; and the exception for those who want one.
#ifndef IM_CLIENT_RESULT_HPP
#define IM_CLIENT_RESULT_HPP

#include <cstdio>
#include <cstdlib>
#include <im_client/event.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define IM_CLIENT_HAS_EXCEPTIONS 1
#else
#define IM_CLIENT_HAS_EXCEPTIONS 0
#endif

namespace im {

/// Why something failed.
struct Error {
    Status status = Status::ok;
    /// In words that name the argument or option at fault.
    std::string text;
    /// What the server answered, where it refused (Status::refused); else empty.
    Event reply;

    /// The status's name in C, like "IM_ERROR_TIMEOUT".
    const char *name() const noexcept { return im_status_name(static_cast<im_status>(status)); }

    /// The failure of this thread's last call.
    static Error last(im_status status) {
        return Error{static_cast<Status>(status), im_last_error(), {}};
    }
};

/// An Error, thrown by the value() of a Result.
class Exception : public std::runtime_error {
  public:
    explicit Exception(Error error)
        : std::runtime_error(std::string(error.name()) + ": " + error.text),
          error_(std::make_shared<const Error>(std::move(error))) {}

    const Error &error() const noexcept { return *error_; }
    Status status() const noexcept { return error_->status; }

  private:
    std::shared_ptr<const Error> error_; // an exception's copy must not throw
};

namespace detail {

[[noreturn]] inline void fail(Error error) {
    Exception exception(std::move(error));
#if IM_CLIENT_HAS_EXCEPTIONS
    throw exception;
#else
    std::fprintf(stderr, "im_client: %s\n", exception.what());
    std::abort();
#endif
}

/// What the error() of a success is. Never destroyed: statics may ask for it at the program's end.
inline const Error &no_error() noexcept {
    static const Error *const none = new Error;
    return *none;
}

} // namespace detail

/// A value or an Error. Look before you take (`if (result)`), or let value() throw an Exception;
/// built without exceptions it ends the program in words. Nothing here is undefined: `*` and `->`
/// check as value() does, and the error() of a success is Status::ok.
template <class T> class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    const T &value() const & { return checked(), *std::get_if<0>(&state_); }
    T &value() & { return checked(), *std::get_if<0>(&state_); }
    T &&value() && { return checked(), std::move(*std::get_if<0>(&state_)); }
    template <class U> T value_or(U &&other) const & {
        return has_value() ? value() : static_cast<T>(std::forward<U>(other));
    }

    const T &operator*() const & { return value(); }
    T &operator*() & { return value(); }
    T &&operator*() && { return std::move(*this).value(); }
    const T *operator->() const { return &value(); }
    T *operator->() { return &value(); }

    const Error &error() const noexcept {
        const Error *error = std::get_if<1>(&state_);
        return error ? *error : detail::no_error();
    }

  private:
    void checked() const {
        if (const Error *error = std::get_if<1>(&state_))
            detail::fail(*error);
    }

    std::variant<T, Error> state_;
};

/// As the others, of a call that gives nothing.
template <> class [[nodiscard]] Result<void> {
  public:
    Result() noexcept = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (error_)
            detail::fail(*error_);
    }
    const Error &error() const noexcept { return error_ ? *error_ : detail::no_error(); }

  private:
    std::optional<Error> error_;
};

namespace detail {

/// The result of a C call that gives a status and nothing else.
inline Result<void> done(im_status status) {
    return status < 0 ? Result<void>(Error::last(status)) : Result<void>();
}

/// The result of a C call that gives a number, or a negative status.
template <class T, class Number> Result<T> number(Number value) {
    if (value < 0)
        return Error::last(static_cast<im_status>(value));
    return static_cast<T>(value);
}

/// The result of a C call that gives a string of the caller's, or NULL.
inline Result<std::string> text(char *given) {
    const std::unique_ptr<char, void (*)(char *)> owned(given, im_string_free);
    if (!owned)
        return Error::last(im_last_status());
    return std::string(owned.get());
}

/// C's strings end with a NUL, so that one with a NUL inside would be cut short.
inline Result<std::string> c_string(std::string_view text, const char *argument) {
    if (text.find('\0') != std::string_view::npos)
        return Error{Status::invalid_argument,
                     std::string("the argument \"") + argument + "\" has a NUL inside",
                     {}};
    return std::string(text);
}

} // namespace detail

inline Result<Blob> Event::blob(std::size_t index) const {
    im_blob found{};
    const im_status status =
        event_ ? im_event_blob(event_, index, &found) : im_status{IM_ERROR_NOT_FOUND};
    if (!event_)
        return Error{Status::not_found, "the event is empty", {}};
    if (status < 0)
        return Error::last(status);
    return Blob(found.data, found.len);
}

} // namespace im

#endif

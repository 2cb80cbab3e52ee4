// How the library calls what a C++ program gave it: captures and exceptions.
#ifndef IM_CLIENT_CALLBACK_HPP
#define IM_CLIENT_CALLBACK_HPP

#include <cstdio>
#include <exception>
#include <functional>
#include <im_client/result.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>

namespace im {

/// Gets what a callback threw, inside its catch block (so that `throw;` throws it again), and whose
/// callback it was: an event's name, "reply", "log" or "done".
using ExceptionHandler = std::function<void(std::exception_ptr, std::string_view callback)>;

namespace detail {

class Reporter {
  public:
    static Reporter &instance() {
        // Never destroyed: a callback may still throw while the process ends.
        static Reporter *const reporter = new Reporter;
        return *reporter;
    }

    std::shared_ptr<const ExceptionHandler> current() {
        const std::lock_guard<std::mutex> guard(lock_);
        return handler_;
    }
    void set(std::shared_ptr<const ExceptionHandler> handler) {
        const std::lock_guard<std::mutex> guard(lock_);
        handler_.swap(handler);
    }

  private:
    std::mutex lock_;
    std::shared_ptr<const ExceptionHandler> handler_;
};

/// The client whose callback this thread is in, or 0.
inline thread_local im_client inside_callback_of = 0;

class Inside {
  public:
    explicit Inside(im_client client) noexcept : outer_(inside_callback_of) {
        inside_callback_of = client;
    }
    Inside(const Inside &) = delete;
    Inside &operator=(const Inside &) = delete;
    ~Inside() { inside_callback_of = outer_; }

  private:
    im_client outer_;
};

#if IM_CLIENT_HAS_EXCEPTIONS
inline void print_exception(std::exception_ptr exception, std::string_view callback) noexcept {
    const int length = static_cast<int>(callback.size());
    const char *const where = callback.data();
    try {
        std::rethrow_exception(std::move(exception));
    } catch (const std::exception &known) {
        std::fprintf(stderr, "im_client: the callback of \"%.*s\" threw: %s\n", length, where,
                     known.what());
    } catch (...) {
        std::fprintf(stderr, "im_client: the callback of \"%.*s\" threw\n", length, where);
    }
}

/// Inside a catch block.
inline void report_exception(std::string_view callback) noexcept {
    const std::exception_ptr exception = std::current_exception();
    try {
        if (const auto handler = Reporter::instance().current())
            (*handler)(exception, callback);
        else
            print_exception(exception, callback);
    } catch (...) {
        print_exception(exception, callback);
    }
}
#endif

/// Runs a caller's code; what it throws must not reach the library, which is not C++.
template <class Code> void guarded(std::string_view callback, Code &&code) noexcept {
#if IM_CLIENT_HAS_EXCEPTIONS
    try {
        code();
    } catch (...) {
        report_exception(callback);
    }
#else
    (void)callback;
    code();
#endif
}

/// Whether there is something to call: an empty std::function and a null pointer are nothing.
template <class F> bool is_callable(const F &function) noexcept {
    if constexpr (std::is_constructible_v<bool, const F &> && !std::is_convertible_v<F, bool>)
        return static_cast<bool>(function);
    else if constexpr (std::is_pointer_v<F>)
        return function != nullptr;
    else
        return true;
}

inline Error not_callable() { return Error{Status::invalid_argument, "the callback is empty", {}}; }

template <class F> void free_callback(void *data) noexcept { delete static_cast<F *>(data); }

template <class F> void call_with_event(const im_event *event, void *data) noexcept {
    const Inside inside(event->client);
    guarded({event->name, event->name_len},
            [&] { (*static_cast<F *>(data))(Event::retain(event)); });
}

inline Result<Event> outcome(im_status status, const im_event *reply) {
    if (status == IM_OK)
        return Event::retain(reply);
    return Error{static_cast<Status>(status), im_status_text(status), Event::retain(reply)};
}

/// A request's function with the client that it belongs to: an outcome without a reply does not
/// say.
template <class F> struct ReplyCallback {
    im_client client;
    F function;

    static void call(im_status status, const im_event *reply, void *data) noexcept {
        const std::unique_ptr<ReplyCallback> self(static_cast<ReplyCallback *>(data));
        const Inside inside(self->client);
        guarded("reply", [&] { self->function(outcome(status, reply)); });
    }
};

template <class F> void call_when_done(void *data) noexcept {
    const std::unique_ptr<F> function(static_cast<F *>(data));
    guarded("done", [&] { (*function)(); });
}

template <class F> void call_with_log(std::int32_t level, const char *line, void *data) noexcept {
    guarded("log", [&] {
        (*static_cast<F *>(data))(static_cast<LogLevel>(level), std::string_view(line));
    });
}

} // namespace detail

/// Sets who is told of exceptions that callbacks throw; an empty one goes back to the default, a
/// line on stderr. If the handler throws, what it was given is printed. Any thread.
inline void set_exception_handler(ExceptionHandler handler) {
    detail::Reporter::instance().set(
        handler ? std::make_shared<const ExceptionHandler>(std::move(handler)) : nullptr);
}

} // namespace im

#endif

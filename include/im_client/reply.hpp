// What is under way: subscriptions, requests and their replies.
#ifndef IM_CLIENT_REPLY_HPP
#define IM_CLIENT_REPLY_HPP

#include <chrono>
#include <future>
#include <im_client/callback.hpp>

namespace im {

/// Names a subscription; copy it as you like. Ending it, or the client's end, destroys the callback
/// with all that it captured, once its last call has returned.
class Subscription {
  public:
    Subscription() noexcept = default;
    Subscription(im_client client, std::int64_t id) noexcept : client_(client), id_(id) {}

    /// Inside a callback of the client no call starts after this; elsewhere one that is just being
    /// made may still start, or be running. Never blocks.
    /// Status::not_found where it has ended already.
    Result<void> off() const { return detail::done(im_client_off(client_, id_)); }
    std::int64_t id() const noexcept { return id_; }
    im_client client() const noexcept { return client_; }

  private:
    im_client client_ = 0;
    std::int64_t id_ = 0;
};

/// A subscription that ends with its scope.
class [[nodiscard]] ScopedSubscription {
  public:
    ScopedSubscription() noexcept = default;
    ScopedSubscription(Subscription subscription) noexcept : subscription_(subscription) {}
    ScopedSubscription(ScopedSubscription &&other) noexcept : subscription_(other.release()) {}
    ScopedSubscription &operator=(ScopedSubscription &&other) noexcept {
        if (this != &other) {
            off();
            subscription_ = other.release();
        }
        return *this;
    }
    ~ScopedSubscription() { off(); }

    /// Lets it live on.
    Subscription release() noexcept { return std::exchange(subscription_, Subscription()); }

  private:
    // Of one that has ended already (once, or with its client) there is nothing to tell.
    void off() noexcept {
        if (subscription_.id() != 0)
            (void)im_client_off(subscription_.client(), subscription_.id());
    }

    Subscription subscription_;
};

/// Names a request that waits for its reply; copy it as you like.
class Request {
  public:
    Request() noexcept = default;
    Request(im_client client, std::int64_t id) noexcept : client_(client), id_(id) {}

    /// Ends it with Status::canceled, told by its callback or future. Status::not_found where its
    /// outcome is decided. Never blocks.
    Result<void> cancel() const { return detail::done(im_client_cancel(client_, id_)); }
    std::int64_t id() const noexcept { return id_; }
    im_client client() const noexcept { return client_; }

  private:
    im_client client_ = 0;
    std::int64_t id_ = 0;
};

/// A reply to come: a std::future that can be canceled. It is always decided: by the server, the
/// timeout, cancel(), a lost connection or the client's end; a call that failed is decided at once.
/// Dropping it waits for nothing and cancels nothing.
///
/// With "delivery": "manual" somebody has to dispatch meanwhile.
class [[nodiscard]] PendingReply {
  public:
    PendingReply() = default;
    PendingReply(std::future<Result<Event>> future, Request request) noexcept
        : future_(std::move(future)), request_(request) {}

    /// Waits for the reply and takes it: once. Unless it is there already, this is Status::deadlock
    /// in a callback of the same client, which would wait for itself, and Status::forked in a
    /// forked child, whose parent gets the reply.
    Result<Event> get() {
        using namespace std::chrono_literals;
        if (!future_.valid())
            return Error{Status::not_found, "the reply was taken", {}};
        if (request_.id() != 0 && !wait_for(0ms)) {
            if (detail::inside_callback_of == request_.client())
                return Error{Status::deadlock,
                             "a callback that waits for a reply to its own client waits for itself",
                             {}};
            if (im_client_state(request_.client()) == IM_ERROR_FORKED)
                return Error::last(IM_ERROR_FORKED);
        }
        return future_.get();
    }

    /// Whether get() would not wait, after at most so long.
    template <class Rep, class Period>
    bool wait_for(const std::chrono::duration<Rep, Period> &time) const {
        return future_.valid() && future_.wait_for(time) == std::future_status::ready;
    }

    /// As Request::cancel.
    Result<void> cancel() const { return request_.cancel(); }
    /// Id 0 where the call failed.
    Request request() const noexcept { return request_; }
    /// The future itself, for a program that has its own ways with them.
    std::future<Result<Event>> future() &&noexcept { return std::move(future_); }

  private:
    std::future<Result<Event>> future_;
    Request request_;
};

} // namespace im

#endif

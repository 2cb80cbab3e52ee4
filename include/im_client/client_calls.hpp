// The longer functions of im::ClientRef (which is included by <im_client/client.hpp>).
#ifndef IM_CLIENT_CLIENT_CALLS_HPP
#define IM_CLIENT_CLIENT_CALLS_HPP

#include <im_client/client.hpp>

namespace im {

inline Result<void> ClientRef::emit(std::string_view event, const Arguments &arguments) const {
    if (arguments.error().status != Status::ok)
        return arguments.error();
    if (!arguments.is_list())
        return with_text(event, "event", [&](const char *name) {
            return im_client_emit(handle_, name, arguments.c_str());
        });
    return detail::done(im_client_emit_args(handle_, event.data(), event.size(), arguments.c_str(),
                                            arguments.size(), arguments.blobs().data(),
                                            arguments.blobs().size(), 0));
}

inline Result<void> ClientRef::emit_volatile(std::string_view event,
                                             const Arguments &arguments) const {
    if (arguments.error().status != Status::ok)
        return arguments.error();
    // The form of the call that has flags takes a list.
    std::string list(arguments.c_str() ? arguments.c_str() : "");
    if (!arguments.is_list())
        list = '[' + list + ']';
    return detail::done(im_client_emit_args(handle_, event.data(), event.size(), list.data(),
                                            list.size(), arguments.blobs().data(),
                                            arguments.blobs().size(), IM_EMIT_VOLATILE));
}

inline Result<Request> ClientRef::ask(std::string_view event, const Arguments &arguments,
                                      milliseconds timeout, im_ack_fn function, void *data) const {
    const Result<std::string> name = detail::c_string(event, "event");
    if (!name)
        return name.error();
    if (arguments.error().status != Status::ok)
        return arguments.error();
    const std::int64_t id =
        arguments.is_list()
            ? im_client_emit_args_with_ack(handle_, name->data(), name->size(), arguments.c_str(),
                                           arguments.size(), arguments.blobs().data(),
                                           arguments.blobs().size(), 0, timeout.count(), function,
                                           data, nullptr)
            : im_client_emit_with_ack(handle_, name->c_str(), arguments.c_str(), timeout.count(),
                                      function, data);
    if (id < 0)
        return Error::last(static_cast<im_status>(id));
    return Request(handle_, id);
}

inline Result<Request> ClientRef::send(const JsonText &message, milliseconds timeout,
                                       im_ack_fn function, void *data) const {
    if (!message.text())
        return message.text().error();
    const std::int64_t id =
        im_client_send_message(handle_, message.text()->c_str(), timeout.count(), function, data);
    if (id < 0)
        return Error::last(static_cast<im_status>(id));
    return Request(handle_, id);
}

template <class F, class Call>
Result<Request> ClientRef::with_callback(F callback, Call call) const {
    using Callback = detail::ReplyCallback<F>;
    static_assert(std::is_invocable_v<F &, Result<Event>>,
                  "a callback takes an im::Result<im::Event>");
    if (!detail::is_callable(callback))
        return detail::not_callable();
    std::unique_ptr<Callback> owned(new Callback{handle_, std::move(callback)});
    const Result<Request> request = call(Callback::call, owned.get());
    if (request)
        (void)owned.release(); // its call, which is the only one, frees it
    return request;
}

template <class Send> PendingReply ClientRef::pending(Send send) const {
    std::promise<Result<Event>> promise;
    std::future<Result<Event>> future = promise.get_future();
    const Result<Request> request =
        send([promise = std::move(promise)](Result<Event> reply) mutable {
            promise.set_value(std::move(reply));
        });
    if (request)
        return PendingReply(std::move(future), *request);
    std::promise<Result<Event>> failed;
    failed.set_value(request.error());
    return PendingReply(failed.get_future(), Request());
}

template <class F> Result<void> ClientRef::destroy_async(F done) const {
    if (!detail::is_callable(done))
        return detail::not_callable();
    auto owned = std::make_unique<F>(std::move(done));
    const im_status status =
        im_client_destroy_async(handle_, detail::call_when_done<F>, owned.get());
    if (status < 0)
        return Error::last(status);
    (void)owned.release(); // its call frees it
    return {};
}

template <class F>
Result<Subscription> ClientRef::subscribe(std::string_view event, std::uint32_t flags,
                                          F callback) const {
    const Result<std::string> name = detail::c_string(event, "event");
    if (!name)
        return name.error();
    return subscribe(name->c_str(), flags, std::move(callback));
}

template <class F>
Result<Subscription> ClientRef::subscribe(const char *event, std::uint32_t flags,
                                          F callback) const {
    static_assert(std::is_invocable_v<F &, const Event &>, "a callback takes a const im::Event &");
    if (!detail::is_callable(callback))
        return detail::not_callable();
    const std::int64_t id =
        im_client_subscribe(handle_, event, flags, detail::call_with_event<F>,
                            new F(std::move(callback)), detail::free_callback<F>);
    if (id < 0)
        return Error::last(static_cast<im_status>(id));
    return Subscription(handle_, id);
}

inline Result<Event> ClientRef::take(decltype(im_client_poll) *call, milliseconds timeout) const {
    const im_event *event = nullptr;
    const im_status status = call(handle_, timeout.count(), &event);
    if (status == IM_OK)
        return Event::adopt(event);
    if (status < 0)
        return Error::last(status);
    return Error{static_cast<Status>(status), im_status_text(status), {}};
}

} // namespace im

#endif

// A connection to one namespace of a server: im::Client, and im::ClientRef, which does not own it.
#ifndef IM_CLIENT_CLIENT_HPP
#define IM_CLIENT_CLIENT_HPP

#include <chrono>
#include <im_client/json.hpp>
#include <im_client/reply.hpp>

namespace im {

using std::chrono::milliseconds;

/// A time without end, for ClientRef::poll and ClientRef::dispatch.
inline constexpr milliseconds forever{-1};

/// In place of a request's callback, with "delivery": "manual": ClientRef::poll brings the outcome.
struct ByPoll {
    explicit ByPoll() = default; // so that {} in place of a callback is none
};
inline constexpr ByPoll by_poll{};

/// A client that somebody else owns. Copy it as you like: it is a number, and once its client is
/// gone every call gives Status::handle. Any thread may call anything, in a callback too.
///
/// Callbacks are whatever can be called, captures that can't be copied included. They run on a
/// thread of the library, those of one client in order and never two at a time.
class ClientRef {
  public:
    ClientRef() noexcept = default;
    explicit ClientRef(im_client handle) noexcept : handle_(handle) {}

    /// What the C functions take; 0 where there is none.
    im_client handle() const noexcept { return handle_; }
    friend bool operator==(ClientRef a, ClientRef b) noexcept { return a.handle_ == b.handle_; }
    friend bool operator!=(ClientRef a, ClientRef b) noexcept { return !(a == b); }

    // ---- Events: callbacks take a const Event & ----

    /// Calls for each event of a name. Either name of an IM event receives both ("c_message",
    /// "CHAT_MESSAGE"). What came before the first subscription of its name comes first.
    template <class F> Result<Subscription> on(std::string_view event, F callback) const {
        return subscribe(event, 0, std::move(callback));
    }
    /// For one event.
    template <class F> Result<Subscription> once(std::string_view event, F callback) const {
        return subscribe(event, IM_SUBSCRIBE_ONCE, std::move(callback));
    }
    /// For every event, the connection's own included.
    template <class F> Result<Subscription> on_any(F callback) const {
        return subscribe(nullptr, 0, std::move(callback));
    }
    /// For what this client emits, when it goes out.
    template <class F> Result<Subscription> on_any_outgoing(F callback) const {
        return subscribe(nullptr, IM_SUBSCRIBE_OUTGOING, std::move(callback));
    }
    /// Ends all subscriptions of an event. Status::not_found if there is none.
    Result<void> off(std::string_view event) const {
        return with_text(event, "event",
                         [this](const char *name) { return im_client_off_event(handle_, name); });
    }

    // ---- Sending: never blocks ----

    /// Sends an event with no argument, one JSON value, or im::args(...). What is emitted before
    /// the connection is up goes out after it, in order, once.
    Result<void> emit(std::string_view event, const Arguments &arguments = {}) const;
    /// As emit, dropped unless it can go out at once.
    Result<void> emit_volatile(std::string_view event, const Arguments &arguments = {}) const;
    /// Asks for the server's reply. Timeout 0: the option ackTimeout, else without end.
    PendingReply emit_with_ack(std::string_view event, const Arguments &arguments,
                               milliseconds timeout = {}) const {
        return pending([&](auto callback) {
            return emit_with_ack(event, arguments, timeout, std::move(callback));
        });
    }
    /// As above; the callback takes a Result<Event>, once.
    template <class F>
    Result<Request> emit_with_ack(std::string_view event, const Arguments &arguments,
                                  milliseconds timeout, F callback) const {
        return with_callback(std::move(callback), [&](im_ack_fn function, void *data) {
            return ask(event, arguments, timeout, function, data);
        });
    }
    /// As above; the outcome comes by poll alone.
    Result<Request> emit_with_ack(std::string_view event, const Arguments &arguments,
                                  milliseconds timeout, ByPoll) const {
        return ask(event, arguments, timeout, nullptr, nullptr);
    }
    /// Sends an IM message, completed as by im::create_message, and keeps it until the server has
    /// stored it: the reply is its to_ack. Where the server refused, error().reply is what it said.
    /// Timeout 0: the option messageTimeout. With the option store it blocks for the disk.
    PendingReply send_message(const JsonText &message, milliseconds timeout = {}) const {
        return pending(
            [&](auto callback) { return send_message(message, timeout, std::move(callback)); });
    }
    /// As above; the callback takes a Result<Event>, once.
    template <class F>
    Result<Request> send_message(const JsonText &message, milliseconds timeout, F callback) const {
        return with_callback(std::move(callback), [&](im_ack_fn function, void *data) {
            return send(message, timeout, function, data);
        });
    }
    /// As above; the outcome comes by poll alone.
    Result<Request> send_message(const JsonText &message, milliseconds timeout, ByPoll) const {
        return send(message, timeout, nullptr, nullptr);
    }
    /// Drops what has not gone out; gives how many packets that were.
    Result<std::size_t> clear_send_buffer() const {
        return detail::number<std::size_t>(im_client_clear_send_buffer(handle_));
    }
    /// Waits until all that was emitted before is written. Timeout 0: without end. In a callback
    /// Status::deadlock.
    Result<void> flush(milliseconds timeout) const {
        return detail::done(im_client_flush(handle_, timeout.count()));
    }

    // ---- State ----

    Result<State> state() const { return detail::number<State>(im_client_state(handle_)); }
    /// The Socket.IO id; Status::disconnected while there is none.
    Result<std::string> socket_id() const { return detail::text(im_client_socket_id(handle_)); }
    /// What goes on in the client, as a JSON object; the README of the project has its fields.
    Result<std::string> info() const { return detail::text(im_client_info(handle_)); }

    // ---- Connection ----

    Result<void> open() const { return detail::done(im_client_open(handle_)); }
    /// Disconnects until open(); what is unsent waits for that. The event disconnect tells the end.
    Result<void> close() const { return detail::done(im_client_close(handle_)); }
    /// As close, and drops what is unsent; requests end with Status::canceled.
    Result<void> destroy_socket() const { return detail::done(im_client_destroy_socket(handle_)); }
    /// Ends the client. Afterwards (Status::ok) no callback runs and all that they captured is
    /// destroyed, so hold no lock that one of those takes. In any code that the library runs it
    /// waits for nothing: Status::deferred.
    Result<Status> destroy() const { return detail::number<Status>(im_client_destroy(handle_)); }
    /// As destroy, but never blocks; `done` is called when all the rest has happened.
    template <class F> Result<void> destroy_async(F done) const;
    Result<void> destroy_async() const {
        return detail::done(im_client_destroy_async(handle_, nullptr, nullptr));
    }

    /// The auth of the next CONNECT, a JSON object.
    Result<void> set_auth(const JsonText &auth) const {
        return with_json(auth,
                         [this](const char *json) { return im_client_set_auth(handle_, json); });
    }
    Result<void> clear_auth() const { return detail::done(im_client_set_auth(handle_, nullptr)); }
    /// The query of the next connection, a JSON object, in place of the one before.
    Result<void> set_query(const JsonText &query) const {
        return with_json(query,
                         [this](const char *json) { return im_client_set_query(handle_, json); });
    }

    Result<void> network_changed() const {
        return detail::done(im_client_network_changed(handle_));
    }
    Result<void> background() const { return detail::done(im_client_background(handle_)); }
    Result<void> foreground() const { return detail::done(im_client_foreground(handle_)); }

    // ---- With the option "delivery": "manual" ----

    /// Takes the next event, subscribed to or not; outcomes of requests come as EventKind::ack.
    /// Status::timeout where none came, Status::woken where wake() ended the wait. A message is
    /// receipted when the last copy of its Event is gone.
    ///
    /// Make requests with im::by_poll where you poll: a callback or future whose outcome was taken
    /// here waits for ever, and is never destroyed.
    Result<Event> poll(milliseconds timeout) const { return take(im_client_poll, timeout); }
    /// As poll, but takes nothing except the outcomes of requests, past the events that wait before
    /// them: for a program whose own queue of events is full.
    Result<Event> poll_outcome(milliseconds timeout) const {
        return take(im_client_poll_outcome, timeout);
    }
    /// Runs callbacks on this thread, at most `max` (0: all that wait), and gives how many.
    /// Status::timeout where there was none to call, 0 where wake() ended the wait.
    Result<int> dispatch(milliseconds timeout, std::uint32_t max = 0) const {
        return detail::number<int>(im_client_dispatch(handle_, timeout.count(), max));
    }
    /// Ends one poll or dispatch, or the next.
    Result<void> wake() const { return detail::done(im_client_wake(handle_)); }
    /// For epoll and its like: readable while poll or dispatch has something to do. Never read,
    /// write or close it; take it out of the loop before the client ends.
    Result<int> wake_fd() const {
        const std::int32_t descriptor = im_client_wake_fd(handle_);
        if (descriptor < 0)
            return Error::last(im_last_status());
        return static_cast<int>(descriptor);
    }

  protected:
    im_client handle_ = 0;

  private:
    template <class F>
    Result<Subscription> subscribe(std::string_view event, std::uint32_t flags, F callback) const;
    template <class F>
    Result<Subscription> subscribe(const char *event, std::uint32_t flags, F callback) const;
    Result<Request> ask(std::string_view event, const Arguments &arguments, milliseconds timeout,
                        im_ack_fn function, void *data) const;
    Result<Request> send(const JsonText &message, milliseconds timeout, im_ack_fn function,
                         void *data) const;
    template <class F, class Call> Result<Request> with_callback(F callback, Call call) const;
    template <class Send> PendingReply pending(Send send) const;
    Result<Event> take(decltype(im_client_poll) *call, milliseconds timeout) const;

    template <class Call>
    static Result<void> with_text(std::string_view text, const char *argument, Call call) {
        const Result<std::string> terminated = detail::c_string(text, argument);
        return terminated ? detail::done(call(terminated->c_str())) : terminated.error();
    }
    template <class Call> static Result<void> with_json(const JsonText &json, Call call) {
        return json.text() ? detail::done(call(json.text()->c_str())) : json.text().error();
    }
};

/// A client and its end: destroying this ends it, as ClientRef::destroy does, and waits for running
/// callbacks (not inside one). One that was moved from is no client: every call gives
/// Status::handle.
class Client : public ClientRef {
  public:
    Client() noexcept = default;
    Client(Client &&other) noexcept : ClientRef(std::exchange(other.handle_, 0)) {}
    Client &operator=(Client &&other) noexcept {
        if (this != &other) {
            end();
            handle_ = std::exchange(other.handle_, 0);
        }
        return *this;
    }
    ~Client() { end(); }

    /// Makes a client of a JSON object of options (im::options; "root" and "nsp" are required) and
    /// connects it, unless "autoConnect": false. Status::version where the program was built with
    /// the header of another version. Does not wait for the network.
    static Result<Client> create(const JsonText &options) {
        if (const im_status status = im_version_check(IM_VERSION_NUMBER); status < 0)
            return Error::last(status);
        if (!options.text())
            return options.text().error();
        const im_client handle = im_client_new(options.text()->c_str());
        if (handle == 0)
            return Error::last(im_last_status());
        return Client(handle);
    }

    /// Leaves its end to somebody else.
    ClientRef release() noexcept { return ClientRef(std::exchange(handle_, 0)); }

  private:
    explicit Client(im_client handle) noexcept : ClientRef(handle) {}

    void end() noexcept {
        if (handle_ != 0)
            (void)im_client_destroy(handle_);
    }
};

inline ClientRef Event::client() const noexcept { return ClientRef(event_ ? event_->client : 0); }

} // namespace im

#include <im_client/client_calls.hpp>

#endif

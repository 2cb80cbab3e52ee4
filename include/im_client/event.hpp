// What a client receives: im::Event, and the bytes that come with it.
#ifndef IM_CLIENT_EVENT_HPP
#define IM_CLIENT_EVENT_HPP

#include <cstddef>
#include <im_client/constants.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace im {

template <class T> class Result;
class Arguments;
class ClientRef;
class JsonText;

/// Bytes of somebody else's: of a container of bytes, or of an Event, which they live as long as.
class Blob {
  public:
    Blob() noexcept = default;
    Blob(const void *data, std::size_t size) noexcept
        : data_(static_cast<const std::byte *>(data)), size_(size) {}

    /// Of a std::vector, std::array, std::string ... of bytes.
    template <class Container,
              class = std::enable_if_t<sizeof(*std::declval<const Container &>().data()) == 1>>
    Blob(const Container &bytes) noexcept : Blob(bytes.data(), bytes.size()) {}

    const std::byte *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    const std::byte *begin() const noexcept { return data_; }
    const std::byte *end() const noexcept { return data_ + size_; }

    std::string_view text() const noexcept {
        return size_ == 0 ? std::string_view{}
                          : std::string_view{reinterpret_cast<const char *>(data_), size_};
    }

  private:
    const std::byte *data_ = nullptr;
    std::size_t size_ = 0;
};

/// An event, an acknowledgement or a request. A cheap copy refers to the same event, which lives as
/// long as one of them does, the client's end included; all of it may be read on any thread.
///
/// An empty one (made by default, or moved from) has the name "" and the JSON "null".
class Event {
  public:
    Event() noexcept = default;
    Event(const Event &other) noexcept : event_(im_event_retain(other.event_)) {}
    Event(Event &&other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
    Event &operator=(Event other) noexcept {
        std::swap(event_, other.event_);
        return *this;
    }
    ~Event() { im_event_release(event_); }

    /// Keeps what C lent.
    static Event retain(const im_event *event) noexcept { return Event(im_event_retain(event)); }
    /// Takes over what C gave, as im_client_poll does.
    static Event adopt(const im_event *event) noexcept { return Event(event); }

    explicit operator bool() const noexcept { return event_ != nullptr; }

    /// As it came over the wire; empty for an acknowledgement.
    std::string_view name() const noexcept {
        return event_ ? std::string_view{event_->name, event_->name_len} : std::string_view{};
    }
    /// The first argument as JSON; "null" where there is none.
    std::string_view json() const noexcept {
        return event_ ? std::string_view{event_->json, event_->json_len} : "null";
    }
    /// All arguments as a JSON array.
    std::string_view args() const noexcept { return event_ ? im_event_args(event_) : "[]"; }
    /// The first argument as a value of T, which im::Json knows (see <im_client/json.hpp>).
    template <class T> Result<T> as() const;

    /// Who says it: a server's is EventKind::event, whatever its name.
    EventKind kind() const noexcept {
        return event_ ? static_cast<EventKind>(event_->kind) : EventKind::event;
    }
    /// The client that received it.
    ClientRef client() const noexcept;

    std::size_t blob_count() const noexcept { return event_ ? event_->blob_count : 0; }
    /// Binary attachment `index`, which stands where the arguments have its placeholder.
    /// Status::not_found where there is none.
    Result<Blob> blob(std::size_t index) const;

    /// Whether the server waits for a reply.
    bool wants_reply() const noexcept { return event_ && event_->ack_id != 0; }
    /// Replies to the server, in the callback or later, on any thread, once.
    Result<void> reply(const Arguments &arguments) const;
    Result<void> reply() const;

    /// Of an acknowledgement: the request that it answers; of a request: the number of it.
    std::int64_t request() const noexcept { return event_ ? event_->request : 0; }
    /// Of an acknowledgement: its outcome.
    Status status() const noexcept {
        return event_ ? static_cast<Status>(event_->status) : Status::ok;
    }
    /// Answers a request (events::query, events::auth) with an object, or "null" for no change.
    Result<void> answer(const JsonText &json) const;

    /// Gives an event of ClientRef::poll back that nobody has seen: it does not count as delivered,
    /// whoever else has a copy. So a message is not receipted, and comes again where the server
    /// sends it again. This copy is empty afterwards.
    void discard() noexcept { im_event_discard(std::exchange(event_, nullptr)); }

    /// What the C functions take; null if this is empty.
    const im_event *get() const noexcept { return event_; }

  private:
    explicit Event(const im_event *event) noexcept : event_(event) {}

    const im_event *event_ = nullptr;
};

} // namespace im

#endif

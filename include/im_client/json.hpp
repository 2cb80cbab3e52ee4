// JSON, of whatever library the caller likes, or of none.
#ifndef IM_CLIENT_JSON_HPP
#define IM_CLIENT_JSON_HPP

#include <im_client/result.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace im {

/// The way between JSON text and a type of yours: specialise it with
///
///     static Result<std::string> write(const T &value);
///     static Result<T> read(std::string_view json);
///
/// and values of T go where JsonText is asked for, and come out of Event::as<T>().
/// <im_client/nlohmann.hpp> does so for nlohmann::json.
template <class T> struct Json;

namespace detail {

template <class T, class = void> struct HasJson : std::false_type {};
template <class T>
struct HasJson<T, std::void_t<decltype(Json<T>::write(std::declval<const T &>()))>>
    : std::true_type {};

} // namespace detail

/// One JSON value, for a call: text, or a value of a type that im::Json knows.
class JsonText {
  public:
    JsonText(std::string_view json) : text_(detail::c_string(json, "json")) {}
    JsonText(const std::string &json) : JsonText(std::string_view(json)) {}
    JsonText(const char *json) : text_(of_pointer(json)) {}
    template <class T, class = std::enable_if_t<detail::HasJson<T>::value>>
    JsonText(const T &value) : text_(Json<T>::write(value)) {}

    /// The text, or why there is none.
    const Result<std::string> &text() const noexcept { return text_; }

  private:
    static Result<std::string> of_pointer(const char *json) {
        if (json == nullptr)
            return Error{Status::invalid_argument, "the argument \"json\" is NULL", {}};
        return std::string(json);
    }

    Result<std::string> text_;
};

/// What goes with an event: nothing, one JSON value (anything that makes a JsonText), or what
/// im::args gives.
class Arguments {
  public:
    Arguments() = default;
    template <class T, class = std::enable_if_t<std::is_convertible_v<const T &, JsonText>>>
    Arguments(const T &json) : json_(std::in_place, json) {}

    bool is_list() const noexcept { return is_list_; }
    const std::optional<JsonText> &json() const noexcept { return json_; }
    const std::vector<im_blob> &blobs() const noexcept { return blobs_; }

    /// Why nothing can be sent, or Status::ok.
    const Error &error() const noexcept {
        return json_ ? json_->text().error() : detail::no_error();
    }
    /// For C: null where there is no argument.
    const char *c_str() const {
        return json_ && json_->text() ? json_->text().value().c_str() : nullptr;
    }
    std::size_t size() const { return c_str() ? json_->text().value().size() : 0; }

  private:
    friend Arguments args(JsonText list, const std::vector<Blob> &blobs);

    std::optional<JsonText> json_;
    std::vector<im_blob> blobs_;
    bool is_list_ = false;
};

/// Any number of arguments: a JSON array of them. Blob *i* (at most 10) stands where the array has
/// `{"_placeholder":true,"num":i}`; where it has no such object they become further arguments. The
/// bytes are copied by the call that takes this, and have to live until then.
inline Arguments args(JsonText list, const std::vector<Blob> &blobs = {}) {
    Arguments made;
    made.json_ = std::move(list);
    made.is_list_ = true;
    made.blobs_.reserve(blobs.size());
    for (const Blob &blob : blobs)
        made.blobs_.push_back(im_blob{blob.data(), blob.size()});
    return made;
}

template <class T> Result<T> Event::as() const { return Json<T>::read(json()); }

inline Result<void> Event::reply() const { return reply(Arguments()); }

inline Result<void> Event::reply(const Arguments &arguments) const {
    if (!event_)
        return Error{Status::not_found, "the event is empty", {}};
    if (arguments.error().status != Status::ok)
        return arguments.error();
    if (!arguments.is_list())
        return detail::done(im_client_reply(event_->client, event_->ack_id, arguments.c_str()));
    return detail::done(im_client_reply_args(event_->client, event_->ack_id, arguments.c_str(),
                                             arguments.size(), arguments.blobs().data(),
                                             arguments.blobs().size()));
}

inline Result<void> Event::answer(const JsonText &json) const {
    if (!event_)
        return Error{Status::not_found, "the event is empty", {}};
    if (!json.text())
        return json.text().error();
    return detail::done(im_client_answer(event_->client, event_->request, json.text()->c_str()));
}

} // namespace im

#endif

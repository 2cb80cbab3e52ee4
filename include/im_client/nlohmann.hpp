// nlohmann::json in and out: client.emit("to", json), event.as<nlohmann::json>().
#ifndef IM_CLIENT_NLOHMANN_HPP
#define IM_CLIENT_NLOHMANN_HPP

#include <im_client/json.hpp>
#include <nlohmann/json.hpp>

namespace im {

template <> struct Json<nlohmann::json> {
    /// Status::utf8 where a string in it is not UTF-8.
    static Result<std::string> write(const nlohmann::json &value) {
#if IM_CLIENT_HAS_EXCEPTIONS
        try {
            return value.dump();
        } catch (const nlohmann::json::type_error &error) {
            return Error{Status::utf8, error.what(), {}};
        }
#else
        return value.dump();
#endif
    }

    static Result<nlohmann::json> read(std::string_view json) {
        nlohmann::json value = nlohmann::json::parse(json, nullptr, false);
        if (value.is_discarded())
            return Error{Status::json, "this is not JSON", {}};
        return value;
    }
};

} // namespace im

#endif

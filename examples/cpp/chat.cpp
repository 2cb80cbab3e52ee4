// chat: a line of text goes out as a message, what comes in is printed.
//
// The main thread reads stdin. Callbacks run on a thread of the library, one at a time: what both
// use is std::cout, which a Line writes to at once, and Unconfirmed.
#include "flags.hpp"

#include <condition_variable>
#include <im_client.hpp>
#include <im_client/nlohmann.hpp>
#include <mutex>
#include <sstream>

using nlohmann::json;

namespace {

constexpr int exit_other_device = 3;

/// One line of output, whole, whichever thread it comes from. Control characters in other people's
/// text must not reach the terminal.
class Line : public std::ostringstream {
  public:
    ~Line() override {
        std::string text = str();
        for (char &c : text)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                c = ' ';
        std::cout << text + '\n' << std::flush;
    }
};

/// Messages whose outcome is not known yet.
class Unconfirmed {
  public:
    void add(int change) {
        const std::lock_guard<std::mutex> guard(lock_);
        count_ += change;
        changed_.notify_all();
    }
    void wait_for_none() {
        std::unique_lock<std::mutex> guard(lock_);
        changed_.wait(guard, [this] { return count_ == 0; });
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    int count_ = 0;
};

std::string name_of(int code) {
    switch (static_cast<im::Code>(code)) {
    case im::Code::relogin:
        return "IM_CODE_RELOGIN";
    case im::Code::auth_failed:
        return "IM_CODE_AUTH_FAILED";
    case im::Code::parameter_absent:
        return "IM_CODE_PARAMETER_ABSENT";
    case im::Code::send_failed:
        return "IM_CODE_SEND_FAILED";
    case im::Code::other_device:
        return "IM_CODE_OTHER_DEVICE";
    default:
        return "IM_CODE_...";
    }
}

/// What the server's envelope {"meta", "code", "data": {"action", "payload"}} carries.
json payload_of(const im::Event &event) {
    return event.as<json>().value().value(json::json_pointer("/data/payload"), json());
}

void show_message(const json &message) {
    Line() << message.value("from", "?") << ": " << message.value("content", "?");
}

void show_error(const im::Event &event) {
    const json envelope = event.as<json>().value();
    const int code = envelope.value("code", 0);
    Line() << "! " << name_of(code) << " (" << code << ", "
           << envelope.value(json::json_pointer("/meta/msg"), "") << ')';
    if (static_cast<im::Code>(code) == im::Code::other_device)
        std::exit(exit_other_device); // a callback may: the main thread waits for a line
}

void subscribe(im::ClientRef client) {
    client
        .on(im::events::connect,
            [](const im::Event &event) {
                Line() << "* connected by " << event.as<json>().value().value("transport", "?");
            })
        .value();
    client
        .on(im::events::connect_error,
            [](const im::Event &event) {
                Line() << "* cannot connect: " << event.as<json>().value().value("message", "?");
            })
        .value();
    client
        .on(im::events::disconnect,
            [](const im::Event &event) {
                Line() << "* disconnected: " << event.as<json>().value().value("reason", "?");
            })
        .value();
    client.on(im::events::imerror, show_error).value();
    client
        .on(im::events::chat_online,
            [](const im::Event &event) {
                const json change = payload_of(event);
                Line() << "* " << change.value("current", "?") << " is "
                       << change.value("type", "?");
            })
        .value();
    client
        .on(im::events::chat_message,
            [](const im::Event &event) { show_message(payload_of(event)); })
        .value();
    client
        .on(im::events::chat_pull_offline_message,
            [](const im::Event &event) {
                for (const json &message : payload_of(event))
                    show_message(message);
            })
        .value();
}

void send_text(im::ClientRef client, const json &message, Unconfirmed &unconfirmed) {
    unconfirmed.add(+1); // first: the outcome may be there before the call returns
    const auto sent = client.send_message(message, std::chrono::seconds(10), [&](auto stored) {
        if (stored)
            Line() << "✓ stored " << payload_of(*stored).value("sequenceId", 0);
        else
            Line() << "! not confirmed: " << stored.error().text;
        unconfirmed.add(-1);
    });
    if (!sent) {
        Line() << "! not sent: " << sent.error().text;
        unconfirmed.add(-1);
    }
}

} // namespace

int main(int argc, char **argv) try {
    auto flags = read_flags(
        argc, argv,
        {{"--root", default_root()}, {"--user", "111"}, {"--token", "t"}, {"--peer", "echo"}});
    Unconfirmed unconfirmed; // before the client, which waits for its callbacks at its end
    const auto client =
        im::Client::create(
            json{
                {"root", flags["--root"]},
                {"nsp", "chat"},
                {"query", {{"userId", flags["--user"]}, {"token", flags["--token"]}}},
            })
            .value();
    subscribe(client);
    for (std::string line; std::getline(std::cin, line);)
        if (!line.empty())
            send_text(client,
                      {{"type", im::MessageType::text},
                       {"from", flags["--user"]},
                       {"to", flags["--peer"]},
                       {"content", line}},
                      unconfirmed);
    unconfirmed.wait_for_none();
} catch (const im::Exception &exception) {
    std::cerr << "chat: " << exception.what() << '\n';
    return 1;
}

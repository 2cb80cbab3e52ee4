// What the tests share: the servers they run against, clients of them, and an inbox for events.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <im_client.hpp>
#include <im_client/nlohmann.hpp>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using nlohmann::json;

/// How long a test waits for what has to happen; nothing waits so long where all is well.
inline constexpr std::chrono::seconds patience = 20s;

/// A server that with_servers.py has started: socketio2, socketio4, egg or embedded.
inline std::string root_of(const std::string &server) {
    const char *root = std::getenv(("IM_TEST_" + server).c_str());
    return root ? root
                : throw std::runtime_error("with_servers.py starts the servers of these tests");
}

/// Waits for a condition that no event tells of.
template <class Condition> void wait_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("waited in vain");
        std::this_thread::sleep_for(1ms);
    }
}

/// Events and outcomes that came, in their order.
class Inbox {
  public:
    void add(im::Event event) {
        const std::lock_guard<std::mutex> guard(lock_);
        events_.push_back(std::move(event));
        more_.notify_all();
    }
    /// A callback.
    auto adder() {
        return [this](const im::Event &event) { add(event); };
    }
    /// The next event of a name, once it has come; those before it are dropped.
    im::Event take(std::string_view name) {
        std::unique_lock<std::mutex> guard(lock_);
        for (;;) {
            for (; next_ < events_.size(); next_++)
                if (events_[next_].name() == name)
                    return events_[next_++];
            if (more_.wait_for(guard, patience) == std::cv_status::timeout)
                throw std::runtime_error("waited in vain for " + std::string(name));
        }
    }
    std::size_t size() {
        const std::lock_guard<std::mutex> guard(lock_);
        return events_.size();
    }

  private:
    std::mutex lock_;
    std::condition_variable more_;
    std::vector<im::Event> events_;
    std::size_t next_ = 0;
};

inline im::Client new_client(const std::string &server, json more = json::object()) {
    json options{{"root", root_of(server)}, {"nsp", "/"}, {"reconnectionDelay", 20}};
    options.update(more);
    return im::Client::create(options).value();
}

inline void wait_connected(im::ClientRef client) {
    wait_until([&] { return client.state().value() == im::State::connected; });
}

inline im::Client connected_client(const std::string &server, json more = json::object()) {
    im::Client client = new_client(server, std::move(more));
    wait_connected(client);
    return client;
}

inline im::Client new_chat(const std::string &server, const std::string &user) {
    return new_client(server, {{"nsp", "chat"}, {"query", {{"token", "t"}, {"userId", user}}}});
}

/// An HTTP request to a server of the tests, like http("egg", "POST /control/drop",
/// json::object()).
inline std::string http(const std::string &server, const std::string &what, const json &body) {
    const std::string root = root_of(server), text = body.dump();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(root.substr(root.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string request = what +
                                " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                "Content-Type: application/json\r\nContent-Length: " +
                                std::to_string(text.size()) + "\r\n\r\n" + text;
    std::string answer;
    if (connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0 &&
        write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
        char buffer[4096];
        for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
            answer.append(buffer, static_cast<std::size_t>(got));
    }
    close(fd);
    if (answer.rfind("HTTP/1.1 2", 0) != 0)
        throw std::runtime_error(what + ": " + answer);
    return answer;
}

inline void post(const std::string &server, const std::string &path,
                 const json &body = json::object()) {
    (void)http(server, "POST " + path, body);
}

/// How often a server got an event of that name.
inline std::size_t times_received(const std::string &server, const std::string &event) {
    const std::string stats = http(server, "GET /control/stats", json::object());
    const std::string mark = "\"name\":\"" + event + "\"";
    std::size_t count = 0;
    for (std::size_t at = 0; (at = stats.find(mark, at)) != std::string::npos; at += mark.size())
        count++;
    return count;
}

/// Each test against each server of a kind; none leaves a client behind.
class ServerTest : public testing::TestWithParam<std::string> {
  protected:
    const std::string &server() const { return GetParam(); }
    void TearDown() override {
        wait_until([] { return im::client_count() == 0; });
        im::set_exception_handler(nullptr);
    }
};
class Generations : public ServerTest {};
class ImServers : public ServerTest {};

/// The last part of a test's name.
inline std::string name_of_server(const testing::TestParamInfo<std::string> &test) {
    return test.param;
}

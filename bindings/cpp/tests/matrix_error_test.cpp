// The behaviours of bindings/behaviours.json that go wrong, each against both generations.
#include "support.hpp"

#include <array>
#include <cstdio>
#include <future>

class ErrorGenerations : public ServerTest {};
class Errors : public testing::Test {};

namespace {

/// The words name all of these.
void expect_error(const im::Error &error, im::Status status,
                  const std::vector<std::string> &words) {
    EXPECT_EQ(error.status, status) << error.name() << ": " << error.text;
    for (const std::string &word : words)
        EXPECT_NE(error.text.find(word), std::string::npos) << error.text;
}

} // namespace

TEST_F(Errors, matrix_error_unknown_option) {
    auto client =
        im::Client::create(json{{"root", "http://127.0.0.1:1"}, {"nsp", "/"}, {"timeuot", 1}});
    ASSERT_FALSE(client);
    expect_error(client.error(), im::Status::option, {"timeuot", "\"timeout\""});
    try {
        (void)client.value();
        FAIL() << "it was to throw";
    } catch (const im::Exception &exception) {
        EXPECT_EQ(exception.status(), im::Status::option);
        EXPECT_EQ(std::string(exception.what()).rfind("IM_ERROR_OPTION: ", 0), 0U);
    }
}

TEST_P(ErrorGenerations, matrix_error_wrong_type) {
    expect_error(
        im::Client::create(json{{"root", "http://127.0.0.1:1"}, {"nsp", "/"}, {"timeout", "1"}})
            .error(),
        im::Status::option, {"timeout"});
    auto client = new_client(server());
    expect_error(client.set_query("[]").error(), im::Status::json, {"query"});
    expect_error(client.on("x", std::function<void(const im::Event &)>()).error(),
                 im::Status::invalid_argument, {"callback"});
    void (*const none)(const im::Event &) = nullptr;
    expect_error(client.on("x", none).error(), im::Status::invalid_argument, {"callback"});
    expect_error(client.on("", [](const im::Event &) {}).error(), im::Status::invalid_argument,
                 {"event"});
    using namespace std::string_view_literals;
    expect_error(client.emit("a\0b"sv).error(), im::Status::invalid_argument, {"event", "NUL"});
    expect_error(client.emit("a", static_cast<const char *>(nullptr)).error(),
                 im::Status::invalid_argument, {"json"});
    expect_error(client.emit_with_ack("a", "1", -5ms).get().error(), im::Status::invalid_argument,
                 {"timeout"});
}

TEST_P(ErrorGenerations, matrix_error_invalid_json) {
    auto client = connected_client(server());
    const std::size_t before = times_received(server(), "echo");
    expect_error(client.emit("echo", R"({"a":)").error(), im::Status::json, {"json"});
    expect_error(client.emit("echo", "1,2").error(), im::Status::json, {"json"});
    expect_error(client.emit("echo", im::args("{}")).error(), im::Status::json, {"args"});
    expect_error(client.emit("echo", "\"\xff\"").error(), im::Status::utf8, {"json"});
    expect_error(client.emit("echo", json("\xff")).error(), im::Status::utf8, {"UTF-8"});
    expect_error(client.emit_with_ack("echo", "no JSON").get().error(), im::Status::json, {"json"});
    expect_error(client.send_message("no JSON").get().error(), im::Status::json, {});
    EXPECT_TRUE(client.emit_with_ack("echo", "1").get());
    EXPECT_EQ(times_received(server(), "echo"), before + 1);
}

TEST_P(ErrorGenerations, matrix_error_closed_client) {
    auto client = connected_client(server());
    const im::ClientRef ref = client;
    auto waits = client.emit_with_ack("silent", "1");
    EXPECT_EQ(client.destroy().value(), im::Status::ok);
    EXPECT_EQ(waits.get().error().status, im::Status::canceled);
    for (im::ClientRef gone : {im::ClientRef(client), ref, im::ClientRef()}) {
        expect_error(gone.emit("echo", "1").error(), im::Status::handle, {"client"});
        expect_error(gone.on("x", [](const im::Event &) {}).error(), im::Status::handle,
                     {"client"});
        expect_error(gone.info().error(), im::Status::handle, {"client"});
        expect_error(gone.emit_with_ack("echo", "1").get().error(), im::Status::handle, {"client"});
        expect_error(gone.destroy().error(), im::Status::handle, {"client"});
    }
    auto moved_from = connected_client(server());
    auto moved_to = std::move(moved_from);
    expect_error(moved_from.emit("echo").error(), im::Status::handle, {"client"});
    EXPECT_TRUE(moved_to.emit("echo"));
}

TEST_P(ErrorGenerations, matrix_error_timeout) {
    auto client = connected_client(server());
    const auto start = std::chrono::steady_clock::now();
    expect_error(client.emit_with_ack("silent", "1", 100ms).get().error(), im::Status::timeout, {});
    EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
}

TEST_P(ErrorGenerations, matrix_error_canceled) {
    auto client = connected_client(server());
    auto waits = client.emit_with_ack("silent", "1");
    EXPECT_FALSE(waits.wait_for(0ms));
    waits.cancel().value();
    EXPECT_EQ(waits.get().error().status, im::Status::canceled);
    EXPECT_EQ(waits.cancel().error().status, im::Status::not_found);
    EXPECT_EQ(waits.get().error().status, im::Status::not_found) << "it was taken";
}

TEST_P(ErrorGenerations, matrix_error_throwing_callback) {
    Inbox inbox;
    std::mutex lock;
    std::vector<std::string> thrown;
    im::set_exception_handler([&](std::exception_ptr exception, std::string_view callback) {
        const std::lock_guard<std::mutex> guard(lock);
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception &error) {
            thrown.push_back(std::string(callback) + ": " + error.what());
        }
        throw 1; // a handler that throws, too
    });
    auto client = new_client(server());
    client
        .on("burst",
            [&](const im::Event &event) {
                inbox.add(event);
                throw std::runtime_error("event " + std::string(event.json()));
            })
        .value();
    client.emit("burst", "2").value();
    inbox.take("burst");
    EXPECT_EQ(inbox.take("burst").json(), "1") << "the next event comes";
    client
        .emit_with_ack("echo", "1", 0ms,
                       [](im::Result<im::Event>) { throw std::runtime_error("outcome"); })
        .value();
    EXPECT_TRUE(client.emit_with_ack("echo", "1").get());
    client.destroy().value();
    EXPECT_EQ(thrown,
              (std::vector<std::string>{"burst: event 0", "burst: event 1", "reply: outcome"}));
}

/// C++'s finalizers are destructors: of a client that goes out of scope, and of what a callback
/// captured, which call the library while it ends their client.
TEST_P(ErrorGenerations, matrix_error_in_finalizer) {
    struct CallsTheLibrary {
        im::ClientRef client;
        std::vector<im::Status> &statuses;
        ~CallsTheLibrary() {
            statuses.push_back(client.emit("echo", "1").error().status);
            statuses.push_back(client.destroy().error().status);
            statuses.push_back(im::shutdown(0ms).error().status);
        }
    };
    std::vector<im::Status> statuses;
    {
        auto client = connected_client(server());
        auto captured = std::shared_ptr<CallsTheLibrary>(new CallsTheLibrary{client, statuses});
        client.on("x", [captured = std::move(captured)](const im::Event &) {}).value();
    }
    EXPECT_EQ(im::client_count(), 0U) << "its destructor has ended it";
    EXPECT_EQ(statuses, (std::vector<im::Status>{im::Status::handle, im::Status::handle,
                                                 im::Status::deadlock}));
}

/// other_version.cpp was compiled with a header whose minor version is 99.
TEST_F(Errors, matrix_error_other_version) {
    std::FILE *const program = popen(OTHER_VERSION_PROGRAM, "r");
    ASSERT_NE(program, nullptr);
    std::array<char, 1000> output{};
    const std::size_t length = std::fread(output.data(), 1, output.size() - 1, program);
    EXPECT_EQ(pclose(program), 0);
    const std::string said(output.data(), length);
    EXPECT_EQ(said.rfind("IM_ERROR_VERSION: ", 0), 0U) << said;
    EXPECT_NE(said.find("0.99."), std::string::npos) << said;
    EXPECT_NE(said.find(std::string(im::version())), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(Matrix, ErrorGenerations, testing::Values("socketio2", "socketio4"),
                         name_of_server);

// What is C++'s own: lifetimes, futures, captures, JSON of a library.
#include "support.hpp"

#include <atomic>
#include <future>
#include <sys/wait.h>

class Lifetimes : public ServerTest {};

TEST_P(Lifetimes, a_subscription_ends_with_its_scope_and_so_do_its_captures) {
    auto client = connected_client(server());
    auto captured = std::make_shared<int>(0);
    {
        im::ScopedSubscription scope =
            client.on("echo", [captured](const im::Event &) { ++*captured; }).value();
        client.emit("echo").value();
        EXPECT_TRUE(client.emit_with_ack("echo", "1").get());
        EXPECT_EQ(captured.use_count(), 2);
    }
    wait_until([&] { return captured.use_count() == 1; });
    client.emit("echo").value();
    EXPECT_TRUE(client.emit_with_ack("echo", "1").get());
    EXPECT_EQ(*captured, 1);
}

TEST_P(Lifetimes, a_subscription_is_a_value_that_outlives_its_client) {
    im::Subscription subscription;
    im::ScopedSubscription scope;
    {
        auto client = connected_client(server());
        subscription = client.on("x", [](const im::Event &) {}).value();
        subscription.off().value();
        EXPECT_EQ(subscription.off().error().status, im::Status::not_found);
        subscription = client.on("x", [](const im::Event &) {}).value();
        scope = client.on("x", [](const im::Event &) {}).value();
        EXPECT_TRUE(client.off("x"));
        EXPECT_EQ(client.off("x").error().status, im::Status::not_found);
    }
    EXPECT_EQ(subscription.off().error().status, im::Status::handle);
}

TEST_P(Lifetimes, captures_die_once_with_the_client_or_a_failed_call) {
    auto captured = std::make_shared<int>();
    auto client = connected_client(server());
    client.on("x", [captured](const im::Event &) {}).value();
    client.once("y", [captured](const im::Event &) {}).value();
    client.on_any_outgoing([captured](const im::Event &) {}).value();
    client.emit_with_ack("silent", "1", 0ms, [captured](im::Result<im::Event>) {}).value();
    EXPECT_EQ(captured.use_count(), 5);
    EXPECT_FALSE(client.on("", [captured](const im::Event &) {}));
    EXPECT_FALSE(client.emit_with_ack("x", "no JSON", 0ms, [captured](im::Result<im::Event>) {}));
    EXPECT_FALSE(client.send_message("{}", 0ms, [captured](im::Result<im::Event>) {}));
    EXPECT_EQ(captured.use_count(), 5);
    client = im::Client(); // the old one ends
    EXPECT_EQ(captured.use_count(), 1);
}

TEST_P(Lifetimes, an_event_outlives_callback_and_client) {
    im::Event kept, empty;
    {
        Inbox inbox;
        auto client = connected_client(server());
        client.on("echo", inbox.adder()).value();
        const std::vector<char> bytes{1, 2};
        client.emit("echo", im::args("[]", {bytes})).value();
        kept = inbox.take("echo");
    }
    const im::Event copy = kept;
    EXPECT_EQ(copy.blob(0)->size(), 2U);
    EXPECT_EQ(copy.name(), "echo");
    EXPECT_EQ(copy.reply("1").error().status, im::Status::handle);
    empty = std::move(kept);
    EXPECT_FALSE(kept); // NOLINT: what is left of a moved one is defined
    EXPECT_EQ(kept.json(), "null");
    EXPECT_EQ(kept.args(), "[]");
    EXPECT_EQ(kept.reply("1").error().status, im::Status::not_found);
    EXPECT_EQ(kept.blob(0).error().status, im::Status::not_found);
}

TEST_P(Lifetimes, a_client_is_destroyed_without_waiting) {
    std::promise<void> done;
    auto client = connected_client(server());
    client.destroy_async([&] { done.set_value(); }).value();
    EXPECT_EQ(client.state().error().status, im::Status::handle);
    ASSERT_EQ(done.get_future().wait_for(patience), std::future_status::ready);
    EXPECT_EQ(client.destroy_async([] {}).error().status, im::Status::handle);
    EXPECT_EQ(client.destroy_async().error().status, im::Status::handle);
}

TEST_P(Lifetimes, a_future_does_not_wait_for_itself_in_a_callback) {
    std::promise<im::Result<im::Event>> got;
    auto client = connected_client(server());
    client
        .once("echo",
              [&](const im::Event &event) {
                  auto reply = event.client().emit_with_ack("echo", "1");
                  got.set_value(reply.get());
              })
        .value();
    client.emit("echo").value();
    EXPECT_EQ(got.get_future().get().error().status, im::Status::deadlock);
}

/// Another client's reply may be waited for.
TEST_P(Lifetimes, a_callback_waits_for_a_reply_to_another_client) {
    std::promise<im::Result<im::Event>> got;
    auto client = connected_client(server()), other = connected_client(server());
    client
        .once("echo",
              [&](const im::Event &) {
                  got.set_value(other.emit_with_ack("echo", R"("other")").get());
              })
        .value();
    client.emit("echo").value();
    EXPECT_EQ(got.get_future().get()->json(), R"("other")");
}

TEST_P(Lifetimes, a_future_is_decided_by_the_clients_end_and_may_be_dropped) {
    std::future<im::Result<im::Event>> future;
    {
        auto client = connected_client(server());
        future = client.emit_with_ack("silent", "1").future();
        (void)client.emit_with_ack("silent", "2"); // dropped
    }
    EXPECT_EQ(future.get().error().status, im::Status::canceled);
    EXPECT_EQ(im::PendingReply().get().error().status, im::Status::not_found);
}

TEST_P(Lifetimes, a_forked_child_waits_for_no_reply_of_its_parents) {
    auto client = connected_client(server());
    auto reply = client.emit_with_ack("silent", "1");
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(reply.get().error().status == im::Status::forked ? 0 : 1);
    }
    int how_it_ended = -1;
    ASSERT_EQ(waitpid(child, &how_it_ended, 0), child);
    EXPECT_EQ(how_it_ended, 0);
    reply.cancel().value();
    EXPECT_EQ(reply.get().error().status, im::Status::canceled);
}

TEST_P(Lifetimes, a_volatile_value_is_one_argument_as_any_other) {
    Inbox inbox;
    auto client = connected_client(server());
    client.on("echo", inbox.adder()).value();
    wait_until([&] {
        client.emit_volatile("echo", "[3]").value();
        return inbox.size() > 0;
    });
    EXPECT_EQ(inbox.take("echo").args(), "[[3]]");
}

TEST_P(Lifetimes, what_waits_can_be_dropped_and_flushed) {
    auto client = new_client(server(), {{"autoConnect", false}});
    client.emit("echo", "1").value();
    auto canceled = client.emit_with_ack("echo", "2");
    EXPECT_TRUE(client.emit_volatile("echo", im::args("[3]"))) << "dropped without an error";
    EXPECT_EQ(client.clear_send_buffer().value(), 2U);
    EXPECT_EQ(canceled.get().error().status, im::Status::canceled);
    EXPECT_EQ(client.state().value(), im::State::disconnected);
    EXPECT_EQ(client.socket_id().error().status, im::Status::disconnected);
    client.open().value();
    client.emit("echo", "4").value();
    EXPECT_TRUE(client.flush(20000ms));
    EXPECT_EQ(json::parse(client.info().value())["droppedVolatile"], 1);
}

TEST_P(Lifetimes, a_token_is_asked_for_and_set) {
    auto client = new_client(server(), {{"askQuery", true}, {"autoConnect", false}});
    client
        .on(im::events::query,
            [](const im::Event &request) {
                EXPECT_EQ(request.kind(), im::EventKind::request);
                request.answer(json{{"token", "fresh"}}).value();
                EXPECT_EQ(request.answer("null").error().status, im::Status::not_found);
            })
        .value();
    EXPECT_TRUE(client.set_auth(json{{"token", "a"}}));
    EXPECT_TRUE(client.clear_auth());
    client.open().value();
    const auto handshake = client.emit_with_ack("handshake", {}).get();
    EXPECT_EQ(handshake->as<json>().value()["query"]["token"], "fresh");
    EXPECT_TRUE(client.set_query(json{{"token", "next"}}));
    EXPECT_TRUE(client.network_changed());
    EXPECT_TRUE(client.background());
    EXPECT_TRUE(client.foreground());
}

TEST_P(Lifetimes, what_a_server_forges_is_its_own) {
    Inbox inbox;
    auto client = new_client(server());
    client.on_any(inbox.adder()).value();
    EXPECT_EQ(inbox.take(im::events::connect).kind(), im::EventKind::local);
    client.emit("tell", im::args(R"(["outbox",{"fp":"f1","status":0}])")).value();
    EXPECT_EQ(inbox.take(im::events::outbox).kind(), im::EventKind::event);
}

TEST_P(Lifetimes, the_log_comes_until_it_is_cleared) {
    std::atomic<int> lines{0};
    auto captured = std::make_shared<int>();
    im::set_log(im::LogLevel::debug, [&lines, captured](im::LogLevel level, std::string_view line) {
        EXPECT_LE(level, im::LogLevel::debug);
        EXPECT_FALSE(line.empty());
        lines++;
        throw std::runtime_error("a log that throws");
    }).value();
    im::set_exception_handler(
        [](std::exception_ptr, std::string_view callback) { EXPECT_EQ(callback, "log"); });
    auto client = connected_client(server());
    wait_until([&] { return lines > 0; });
    im::clear_log().value();
    client.destroy().value();
    wait_until([&] { return captured.use_count() == 1; });
}

/// Who has set no handler of exceptions reads of them on stderr. In a process of its own.
[[noreturn]] void throw_without_a_handler(const std::string &server) {
    std::promise<void> both;
    auto client = connected_client(server);
    client
        .on("burst",
            [&](const im::Event &event) {
                if (event.json() == "1")
                    both.set_value();
                throw std::runtime_error("oh no");
            })
        .value();
    client.emit("burst", "2").value();
    both.get_future().wait();
    client.destroy().value();
    std::exit(0);
}
TEST_P(Lifetimes, an_exception_without_a_handler_is_told_on_stderr) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(throw_without_a_handler(server()), testing::ExitedWithCode(0),
                "the callback of \"burst\" threw: oh no");
}

INSTANTIATE_TEST_SUITE_P(Client, Lifetimes, testing::Values("socketio2", "socketio4"),
                         name_of_server);

/// The server's words come with the error.
TEST(Messages, a_refused_message_brings_the_servers_answer) {
    auto client = new_chat("egg", "111");
    const auto refused = client
                             .send_message(json{{"type", 1},
                                                {"from", "111"},
                                                {"to", "no such group"},
                                                {"content", "hi"},
                                                {"typeu", im::MessageDomain::group}})
                             .get();
    EXPECT_EQ(refused.error().status, im::Status::refused);
    EXPECT_EQ(refused.error().reply.as<json>().value()["code"], im::Code::send_failed);
}

TEST(Messages, are_made_named_and_made_unique) {
    const json made =
        json::parse(im::create_message(R"({"type":1,"from":"a","to":"b","content":"hi"})").value());
    EXPECT_EQ(made["typeu"], im::MessageDomain::direct);
    EXPECT_EQ(im::timeline_id("a", "b").value(), "a@b");
    EXPECT_EQ(json::parse(im::unique_messages(json{made, made}).value()).size(), 1U);
    EXPECT_EQ(im::create_message("{}").error().status, im::Status::json);
    EXPECT_EQ(im::unique_messages("{}").error().status, im::Status::json);
    using namespace std::string_view_literals;
    EXPECT_EQ(im::timeline_id("a\0"sv, "b").error().status, im::Status::invalid_argument);
}

TEST(Results, are_defined_whatever_is_asked_of_them) {
    const im::Result<int> one = 1;
    EXPECT_EQ(*one, 1);
    EXPECT_EQ(one.error().status, im::Status::ok);
    im::Result<int> none = im::Error{im::Status::timeout, "late", {}};
    EXPECT_THROW((void)*none, im::Exception);
    EXPECT_EQ(none.value_or(7), 7);
    EXPECT_STREQ(none.error().name(), "IM_ERROR_TIMEOUT");
    const im::Result<void> nothing = none.error();
    EXPECT_THROW(nothing.value(), im::Exception);
    const im::Result<std::unique_ptr<int>> owner = std::make_unique<int>(3);
    EXPECT_EQ(**owner, 3);
}

TEST(Library, ends_and_begins_again) {
    auto client = new_client("socketio4");
    im::shutdown(20s).value();
    EXPECT_EQ(client.state().error().status, im::Status::handle);
    EXPECT_EQ(im::client_count(), 0U);
    EXPECT_TRUE(connected_client("socketio4").state());
    EXPECT_EQ(im::version(), im_version_string());
}

// The behaviours of bindings/behaviours.json, each against both generations of Socket.IO or both IM
// servers. Those that go wrong are in matrix_error_test.cpp.
#include "support.hpp"

#include <future>

TEST_P(Generations, matrix_connect) {
    Inbox inbox;
    auto client = im::Client::create(json{{"root", root_of(server())}, {"nsp", "/"}}).value();
    client.on(im::events::connect, inbox.adder()).value();
    const json connected = inbox.take("connect").as<json>().value();
    EXPECT_EQ(connected["transport"], "websocket");
    EXPECT_EQ(connected["sid"], client.socket_id().value());
}

TEST_P(Generations, matrix_receive) {
    Inbox inbox;
    auto client = new_client(server());
    client.on("told", inbox.adder()).value();
    const json told{{"a", {1, "ä€😀"}}};
    client.emit("tell", im::args(json{"told", told, 2})).value();
    const im::Event event = inbox.take("told");
    EXPECT_EQ(event.name(), "told");
    EXPECT_EQ(event.as<json>().value(), told);
    EXPECT_EQ(json::parse(event.args()), (json{told, 2}));
    EXPECT_EQ(event.client(), client);
    EXPECT_FALSE(event.wants_reply());
}

TEST_P(Generations, matrix_emit) {
    Inbox inbox;
    auto client = new_client(server());
    client.on("echo", inbox.adder()).value();
    client.emit("echo", im::args(R"([1,"two",{"three":3},[4],null])")).value();
    EXPECT_EQ(inbox.take("echo").args(), R"([1,"two",{"three":3},[4],null])");
    client.emit("echo").value();
    EXPECT_EQ(inbox.take("echo").args(), "[]");
    client.emit("echo", R"("one")").value();
    EXPECT_EQ(inbox.take("echo").json(), R"("one")");
}

TEST_P(Generations, matrix_ack_from_server) {
    auto client = new_client(server());
    EXPECT_EQ(client.emit_with_ack("echo", R"({"n":1})").get().value().json(), R"({"n":1})");
    auto several = client.emit_with_ack("echo", im::args("[1,2]")).get();
    EXPECT_EQ(several->args(), "[1,2]");
    EXPECT_EQ(several->kind(), im::EventKind::ack);

    std::promise<std::string> told;
    client
        .emit_with_ack("echo", R"("called")", 0ms,
                       [told = std::move(told), &client](im::Result<im::Event> reply) mutable {
                           EXPECT_EQ(reply->client(), client);
                           told.set_value(std::string(reply->json()));
                       })
        .value();
    EXPECT_TRUE(client.emit_with_ack("echo", "1").get()) << "it comes after the one before";
}

TEST_P(Generations, matrix_ack_to_server) {
    Inbox answers, questions;
    auto client = new_client(server());
    client.on("answered", answers.adder()).value();
    client
        .once("question", [](const im::Event &question) { question.reply(R"("at once")").value(); })
        .value();
    client.emit("ask", "1").value();
    EXPECT_EQ(answers.take("answered").json(), R"("at once")");

    client.once("question", questions.adder()).value();
    client.emit("ask", "2").value();
    const im::Event question = questions.take("question");
    EXPECT_TRUE(question.wants_reply());
    question.reply(im::args("[1,2]")).value();
    EXPECT_EQ(answers.take("answered").args(), "[1,2]");
    EXPECT_EQ(question.reply().error().status, im::Status::not_found);
}

TEST_P(Generations, matrix_binary) {
    Inbox inbox;
    auto client = new_client(server());
    client.on_any(inbox.adder()).value();
    const std::vector<unsigned char> bytes{0, 1, 255, 0};
    const std::string text = "text";
    client
        .emit("echo",
              im::args(R"([{"_placeholder":true,"num":1},{"in":{"_placeholder":true,"num":0}}])",
                       {bytes, text}))
        .value();
    const im::Event echo = inbox.take("echo");
    ASSERT_EQ(echo.blob_count(), 2U);
    EXPECT_EQ(echo.blob(0)->text(), "text");
    const im::Blob got = echo.blob(1).value();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), im::Blob(bytes).begin(), im::Blob(bytes).end()));
    EXPECT_EQ(echo.blob(2).error().status, im::Status::not_found);

    client.emit("describe", im::args("[]", {bytes})).value();
    EXPECT_EQ(inbox.take("described").json(), R"({"hex":"0001ff00"})");
    client.emit("ask_binary", "[1]").value();
    inbox.take("question").reply(im::args("[]", {bytes})).value();
    EXPECT_EQ(inbox.take("described").json(), R"({"hex":"0001ff00"})");
    EXPECT_EQ(client.emit_with_ack("describe", im::args("[]", {bytes})).get()->json(),
              R"({"hex":"0001ff00"})");
}

TEST_P(ImServers, matrix_send_message) {
    Inbox inbox;
    auto sender = new_chat(server(), "111"), receiver = new_chat(server(), "222");
    wait_connected(receiver);
    receiver.on(im::events::chat_message, inbox.adder()).value();
    const std::string message =
        im::create_message(json{{"type", 1}, {"from", "111"}, {"to", "222"}, {"content", "hi"}})
            .value();
    const im::Event stored = sender.send_message(message).get().value();
    EXPECT_EQ(stored.as<json>().value()["data"]["payload"]["fp"], json::parse(message)["fp"]);
    const json received = inbox.take("c_message").as<json>().value();
    EXPECT_EQ(received["data"]["payload"]["content"], "hi");
}

TEST_P(ImServers, matrix_qr_login) {
    Inbox inbox;
    auto client = new_client(server(), {{"nsp", "sso"}, {"query", {{"device_id", "pc1"}}}});
    client.on(im::events::sso_qrlogin, inbox.adder()).value();
    client.on(im::events::disconnect, inbox.adder()).value();
    wait_connected(client);
    if (server() == "embedded")
        post(server(), "/phone/qrlogin", {{"device_id", "pc1"}, {"user_id", "111"}});
    else
        post(server(), "/control/qrlogin", {{"device_id", "pc1"}, {"code", 0}, {"token", "t"}});
    const json login = inbox.take("qrlogin").as<json>().value();
    EXPECT_FALSE(login["data"]["payload"]["token"].get<std::string>().empty());
    // Its work is done: the library closes it.
    EXPECT_EQ(inbox.take("disconnect").as<json>().value()["willReconnect"], false);
}

TEST_P(ImServers, matrix_kick_out) {
    Inbox inbox;
    auto first = new_chat(server(), "333");
    first.on(im::events::imerror, inbox.adder()).value();
    first.on(im::events::disconnect, inbox.adder()).value();
    wait_connected(first);
    auto second = new_chat(server(), "333");
    const json error = inbox.take("im_error").as<json>().value();
    EXPECT_EQ(error["code"].get<im::Code>(), im::Code::other_device);
    EXPECT_EQ(inbox.take("disconnect").as<json>().value()["willReconnect"], false);
    EXPECT_EQ(first.state().value(), im::State::disconnected);
    wait_connected(second);
}

TEST_P(Generations, matrix_reconnect) {
    Inbox inbox;
    auto client = connected_client(server(), {{"reconnectionDelay", 500}});
    client.on_any(inbox.adder()).value();
    post(server(), "/control/drop");
    EXPECT_EQ(inbox.take("disconnect").as<json>().value()["willReconnect"], true);
    auto waits = client.emit_with_ack("echo", R"("waited")");
    EXPECT_FALSE(waits.wait_for(0ms));
    inbox.take("reconnect");
    EXPECT_EQ(waits.get()->json(), R"("waited")");
}

TEST_P(Generations, matrix_close) {
    Inbox inbox;
    auto client = connected_client(server());
    client.on_any(inbox.adder()).value();
    inbox.take("connect");
    client.close().value();
    EXPECT_EQ(inbox.take("disconnect").as<json>().value()["reason"], "io client disconnect");
    EXPECT_EQ(client.state().value(), im::State::disconnected);
    client.open().value();
    inbox.take("connect");
    EXPECT_TRUE(client.emit_with_ack("echo", "1").get());
}

/// Tells when it is destroyed.
struct Mortal {
    explicit Mortal(std::promise<void> death) : death_(std::move(death)) {}
    ~Mortal() { death_.set_value(); }
    std::promise<void> death_;
};

TEST_P(Generations, matrix_destroy_in_callback) {
    std::promise<void> death;
    std::promise<im::Status> status;
    auto captures_died = death.get_future();
    auto client = connected_client(server());
    client
        .on("burst",
            [mortal = std::make_unique<Mortal>(std::move(death)), &status](const im::Event &event) {
                status.set_value(event.client().destroy().value());
            })
        .value();
    client.emit("burst", "10").value();
    EXPECT_EQ(status.get_future().get(), im::Status::deferred);
    ASSERT_EQ(captures_died.wait_for(patience), std::future_status::ready);
    EXPECT_EQ(client.state().error().status, im::Status::handle);
}

/// The owner itself goes in its own callback: its destructor waits for nothing there.
TEST_P(Generations, matrix_destroy_in_callback_with_its_owner) {
    auto owner = std::make_unique<im::Client>(connected_client(server()));
    const im::ClientRef client = *owner;
    std::promise<void> gone;
    client
        .on("echo",
            [&owner, &gone](const im::Event &) {
                owner.reset();
                gone.set_value();
            })
        .value();
    client.emit("echo").value();
    ASSERT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
    wait_until([] { return im::client_count() == 0; });
}

TEST_P(Generations, matrix_thousand_in_order) {
    Inbox inbox;
    auto client = new_client(server());
    client.on("burst", inbox.adder()).value();
    client.emit("burst", "1000").value();
    for (int i = 0; i < 1000; i++)
        ASSERT_EQ(inbox.take("burst").json(), std::to_string(i));
    EXPECT_EQ(inbox.size(), 1000U);
}

/// A static client, and one that nobody owns, while events come: run in a process of its own.
[[noreturn]] void exit_with_clients(const std::string &server) {
    static im::Client client;
    static std::atomic<int> count{0};
    client = connected_client(server);
    im::ClientRef unowned = connected_client(server).release();
    for (im::ClientRef each : {im::ClientRef(client), unowned}) {
        each.on("burst", [](const im::Event &) { count++; }).value();
        each.emit("burst", "20000").value();
    }
    wait_until([] { return count > 100; });
    std::exit(im::client_count() == 2 ? 0 : 1);
}

TEST_P(Generations, matrix_exit_with_live_client) {
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // a new process, not a fork of this one
    EXPECT_EXIT(exit_with_clients(server()), testing::ExitedWithCode(0), "^$");
}

INSTANTIATE_TEST_SUITE_P(Matrix, Generations, testing::Values("socketio2", "socketio4"),
                         name_of_server);
INSTANTIATE_TEST_SUITE_P(Matrix, ImServers, testing::Values("egg", "embedded"), name_of_server);

// Manual delivery: poll, dispatch, wake and the descriptor.
#include "support.hpp"

#include <poll.h>

class Manual : public ServerTest {
  protected:
    im::Client manual_client() { return connected_client(server(), {{"delivery", "manual"}}); }
};

namespace {

im::Event poll_named(im::ClientRef client, std::string_view name) {
    for (;;)
        if (im::Event event = client.poll(patience).value(); event.name() == name)
            return event;
}

/// Whether `{}` may stand in place of a callback.
template <class Client, class = void> struct TakesBraces : std::false_type {};
template <class Client>
struct TakesBraces<Client,
                   std::void_t<decltype(std::declval<Client &>().send_message("{}", 0ms, {}))>>
    : std::true_type {};
static_assert(!TakesBraces<im::ClientRef>::value, "who wants the outcome by poll alone says so");

} // namespace

TEST_P(Manual, poll_takes_events_and_outcomes) {
    auto client = manual_client();
    EXPECT_EQ(client.poll(im::forever)->name(), im::events::connect);
    client.emit("echo", "1").value();
    const im::Event echo = poll_named(client, "echo");
    EXPECT_EQ(echo.json(), "1");
    const im::Result<im::Event> nothing = client.poll(0ms);
    EXPECT_EQ(nothing.error().status, im::Status::timeout);
    client.wake().value();
    EXPECT_EQ(client.poll(im::forever).error().status, im::Status::woken);
}

TEST_P(Manual, outcomes_are_taken_past_events_that_wait) {
    auto client = manual_client();
    client.emit("burst", "3").value();
    const auto request = client.emit_with_ack("echo", R"("past")", 0ms, im::by_poll).value();
    const im::Event outcome = client.poll_outcome(patience).value();
    EXPECT_EQ(outcome.kind(), im::EventKind::ack);
    EXPECT_EQ(outcome.request(), request.id());
    EXPECT_EQ(outcome.json(), R"("past")");
    const auto message = client.send_message("{}", 0ms, im::by_poll);
    EXPECT_EQ(message.error().status, im::Status::json);
    im::Event first = poll_named(client, "burst");
    first.discard();
    EXPECT_FALSE(first);
    EXPECT_EQ(poll_named(client, "burst").json(), "1");
}

TEST_P(Manual, dispatch_runs_callbacks_on_this_thread) {
    auto client = manual_client();
    std::vector<int> numbers;
    std::thread::id thread;
    client
        .on("burst",
            [&](const im::Event &event) {
                thread = std::this_thread::get_id();
                numbers.push_back(event.as<json>().value().get<int>());
                EXPECT_EQ(event.client().dispatch(0ms).error().status, im::Status::deadlock);
            })
        .value();
    client.emit("burst", "10").value();
    while (numbers.size() < 10)
        EXPECT_LE(client.dispatch(patience, 3).value(), 3);
    EXPECT_EQ(thread, std::this_thread::get_id());
    EXPECT_EQ(numbers, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    client.wake().value();
    EXPECT_EQ(client.dispatch(im::forever).value(), 0);
    EXPECT_EQ(client.dispatch(0ms).error().status, im::Status::timeout);
}

TEST_P(Manual, a_future_is_decided_while_this_thread_dispatches) {
    auto client = manual_client();
    auto reply = client.emit_with_ack("echo", R"("there")");
    while (!reply.wait_for(0ms))
        (void)client.dispatch(100ms);
    EXPECT_EQ(reply.get()->json(), R"("there")");
}

TEST_P(Manual, the_descriptor_is_readable_while_something_waits) {
    auto client = manual_client();
    (void)poll_named(client, im::events::connect);
    pollfd descriptor{client.wake_fd().value(), POLLIN, 0};
    client.emit("echo", "1").value();
    ASSERT_EQ(::poll(&descriptor, 1, 20000), 1);
    EXPECT_EQ(poll_named(client, "echo").json(), "1");
    EXPECT_EQ(::poll(&descriptor, 1, 0), 0);
}

TEST_P(Manual, a_client_with_callbacks_is_not_polled) {
    auto client = connected_client(server());
    EXPECT_EQ(client.poll(0ms).error().status, im::Status::invalid_argument);
    EXPECT_EQ(client.dispatch(0ms).error().status, im::Status::invalid_argument);
    EXPECT_FALSE(client.wake_fd());
}

INSTANTIATE_TEST_SUITE_P(Delivery, Manual, testing::Values("socketio2", "socketio4"),
                         name_of_server);

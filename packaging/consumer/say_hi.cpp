// Says hi to the user echo of the server in IM_ROOT, and ends when the answer is there.
#include <cstdlib>
#include <future>
#include <im_client.hpp>
#include <iostream>

int main() try {
    const std::string root = std::getenv("IM_ROOT");
    const auto client = im::Client::create(R"({"root":")" + root + R"(","nsp":"chat",
        "query":{"token":"t","userId":"111"}})")
                            .value();
    std::promise<void> answered;
    client.once(im::events::chat_message, [&](const im::Event &) { answered.set_value(); }).value();
    client.send_message(R"({"type":1,"from":"111","to":"echo","content":"hi"})").get().value();
    if (answered.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready)
        std::cout << "echo: hi\n";
} catch (const im::Exception &exception) {
    std::cerr << exception.what() << '\n';
    return 1;
}

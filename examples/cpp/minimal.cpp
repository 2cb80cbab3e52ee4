// minimal: the smallest useful program: says hi to the user echo, prints what comes back.
#include <im_client.hpp>
#include <iostream>

int main(int argc, char **argv) try {
    const std::string root = argc > 1 ? argv[1] : "http://localhost:7001";
    const auto client = im::Client::create(R"({"root":")" + root + R"(","nsp":"chat",
        "query":{"token":"t","userId":"111"}})")
                            .value();

    const auto print = [](const im::Event &event) {
        std::cout << event.name() << ' ' << event.json() << '\n';
    };
    client.on(im::events::connect, print).value();
    client.on(im::events::connect_error, print).value();
    client.on(im::events::chat_message, print).value();

    const im::Result<im::Event> stored =
        client.send_message(R"({"type":1,"from":"111","to":"echo","content":"hi"})").get();
    if (!stored)
        std::cerr << stored.error().name() << ": " << stored.error().text << '\n';

    std::cout << "Press Enter to quit.\n";
    std::cin.get();
} catch (const im::Exception &exception) {
    std::cerr << exception.what() << '\n';
    return 1;
}

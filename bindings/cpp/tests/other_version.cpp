// A program that was built with the headers of another version: it is told so at its first client.
#include <im_client.hpp>
#include <iostream>

int main() {
    const auto client = im::Client::create(R"({"root":"http://127.0.0.1:1","nsp":"/"})");
    std::cout << client.error().name() << ": " << client.error().text << '\n';
    return client ? 1 : 0;
}

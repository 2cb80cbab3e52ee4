// im_client for C++17 and later: the C library in the terms of the language, header only.
//
//     auto client = im::Client::create(R"({"root":"http://localhost:7001","nsp":"chat",
//                                          "query":{"token":"t","userId":"111"}})").value();
//     client.on(im::events::chat_message, [](const im::Event &event) {
//         std::cout << event.json() << '\n';
//     }).value();
//     client.emit(im::events::chat_to,
//     R"({"type":1,"from":"111","to":"222","content":"hi"})").value();
//
// Threads. Any thread may call anything. Callbacks run on a thread of the library, those of one
// client in order and never two at a time; inside one everything may be called, but what would wait
// for itself gives Status::deadlock. With the option "delivery": "manual" nothing is called but in
// ClientRef::dispatch, and ClientRef::poll takes events.
//
// Ownership. An im::Client is its connection: destroying it ends it and waits for running
// callbacks, so hold no lock that one of them takes. What a callback captures is destroyed, once,
// when its subscription has ended, with its client at the latest. Capture an im::ClientRef (or use
// Event::client) rather than a reference to the Client, which may be moved. An im::Event kept
// beyond its callback is a copy of it.
//
// Errors. A call gives an im::Result, which may not be ignored: `if (result)`, or .value(), which
// throws an im::Exception. A call that failed changed nothing and calls nothing back. What the
// network does comes as events: events::connect_error and events::disconnect; what the server
// objects to comes as events::imerror.
//
// Exceptions. What a callback throws ends in im::set_exception_handler's function, by default a
// line on stderr, and the next event comes. Nothing here throws by itself but value(), and what the
// standard library throws where there is no memory. All of it compiles with -fno-exceptions (an
// error's value() then ends the program) and -fno-rtti.
//
// JSON is text here, in std::string_view. im::Json lets values of any JSON library in and out;
// <im_client/nlohmann.hpp> does so for nlohmann::json.
#ifndef IM_CLIENT_HPP
#define IM_CLIENT_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "im_client.hpp needs C++17"
#endif

#include <im_client/client.hpp>
#include <im_client/library.hpp>

#endif

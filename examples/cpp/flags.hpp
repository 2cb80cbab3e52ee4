// The command lines of chat and qr_login: flags with a value each.
#pragma once

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

/// The server that `im-server with` names, or the one that listens where im-server does.
inline std::string default_root() {
    const char *root = std::getenv("IM_ROOT");
    return root ? root : "http://127.0.0.1:7001";
}

/// The values of the flags, by default those in `values`; wrong usage ends the program.
inline std::map<std::string, std::string> read_flags(int argc, char **argv,
                                                     std::map<std::string, std::string> values) {
    for (int i = 1; i < argc; i += 2) {
        const auto value = values.find(argv[i]);
        if (value == values.end() || i + 1 == argc) {
            std::cerr << "usage: " << argv[0];
            for (const auto &[flag, otherwise] : values)
                std::cerr << " [" << flag << " (" << otherwise << ")]";
            std::cerr << '\n';
            std::exit(2);
        }
        value->second = argv[i + 1];
    }
    return values;
}

// qr_login: what a PC does to be signed in by a phone. It shows a QR code with its device id and
// waits in the namespace sso until the server passes on the token; a server waits 60 s for a phone.
#include "flags.hpp"

#include <im_client.hpp>
#include <im_client/nlohmann.hpp>
#include <memory>
#include <qrencode.h>
#include <random>
#include <unistd.h>

using nlohmann::json;

namespace {

constexpr int quiet_zone = 4; // light modules around the code, as the standard asks

bool is_light(const QRcode &code, int x, int y) {
    if (y >= code.width + quiet_zone)
        return false; // the lower half of the last line
    const bool inside = x >= 0 && x < code.width && y >= 0 && y < code.width;
    return !inside || (code.data[y * code.width + x] & 1) == 0;
}

/// Two rows of modules to a line of text. The light ones are drawn, as terminals are dark; where we
/// know that it is a terminal, we set the colours, so that it may as well be light.
void draw(const QRcode &code) {
    static const char *const halves[] = {" ", "▄", "▀", "█"};
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    for (int y = -quiet_zone; y < code.width + quiet_zone; y += 2) {
        std::cout << (terminal ? "\033[97;40m" : "");
        for (int x = -quiet_zone; x < code.width + quiet_zone; x++)
            std::cout << halves[is_light(code, x, y) * 2 + is_light(code, x, y + 1)];
        std::cout << (terminal ? "\033[0m\n" : "\n");
    }
}

void show_code(const std::string &root, const std::string &device_id) {
    const std::string url = root + "/qrlogin?device_id=" + device_id;
    const std::unique_ptr<QRcode, void (*)(QRcode *)> code(
        QRcode_encodeString(url.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1), QRcode_free);
    if (code)
        draw(*code);
    std::cout << "url: " << url << "\ndevice id: " << device_id << std::endl;
}

std::string random_id() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 32; i++)
        id += "0123456789abcdef"[random() % 16];
    return id;
}

enum class Step { waiting, signed_in, failed };

Step handle(const im::Event &event, const std::string &root, const std::string &device_id) {
    const json detail = event.as<json>().value();
    if (event.name() == im::events::connect) {
        show_code(root, device_id);
    } else if (event.name() == im::events::connect_error) {
        std::cout << "cannot connect: " << detail.value("message", "?") << std::endl;
        return detail.value("willRetry", false) ? Step::waiting : Step::failed;
    } else if (event.name() == im::events::disconnect) {
        std::cout << "no phone came: " << detail.value("reason", "?") << std::endl;
        return Step::failed;
    } else if (event.name() == im::events::imerror) {
        std::cout << "! the server refuses: " << detail.value("code", 0) << std::endl;
        return Step::failed;
    } else if (event.name() == im::events::sso_qrlogin) {
        if (detail.value("code", 0) != 0) {
            std::cout << "the phone refused; still waiting" << std::endl;
            return Step::waiting;
        }
        std::cout << "token: " << detail["data"]["payload"].value("token", "?") << std::endl;
        return Step::signed_in;
    }
    return Step::waiting;
}

} // namespace

int main(int argc, char **argv) try {
    auto flags = read_flags(argc, argv, {{"--root", default_root()}, {"--device-id", random_id()}});
    const std::string &root = flags["--root"], &device_id = flags["--device-id"];
    const auto client =
        im::Client::create(
            json{
                {"root", root},
                {"nsp", "sso"},
                {"delivery", "manual"}, // this thread takes the events: no callback, no lock
                {"query", {{"device_id", device_id}}},
            })
            .value();
    Step step = Step::waiting;
    while (step == Step::waiting)
        step = handle(client.poll(im::forever).value(), root, device_id);
    return step == Step::signed_in ? 0 : 1;
} catch (const im::Exception &exception) {
    std::cerr << "qr_login: " << exception.what() << '\n';
    return 1;
}

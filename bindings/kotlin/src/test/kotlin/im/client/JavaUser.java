package im.client;

import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** What a program in Java does with this package, without a word of Kotlin. */
final class JavaUser {
    private JavaUser() {}

    static List<String> run(String root) throws Exception {
        ImOptions options = new ImOptions(root, "/").query("token", "t");
        options.setTransports(List.of("websocket"));
        options.set("timeout", 30_000);
        BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        try (ImClient client = new ImClient(options);
                Subscription echo = client.addListener("echo", event -> heard.add(event.getArgs()))) {
            client.emit("echo", 1, Map.of("a", List.of(true)), new JsonText("[null]"));
            String args = heard.take();
            Event answer = client.emitWithAckAsync("echo", "é😀\0", new byte[] {1}).get();
            Message message = ImLibrary.createMessage(new Message("111", "222", "hi"));
            return List.of(
                    args,
                    answer.getArgs(),
                    refusalOf(client, new Object()),
                    ImLibrary.timelineId(message.getFrom(), message.getTo()));
        }
    }

    private static String refusalOf(ImClient client, Object value) {
        try {
            client.emit("echo", value);
            return "not refused";
        } catch (ImArgumentException e) {
            return e.getStatusName();
        }
    }
}

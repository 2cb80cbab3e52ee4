//! `/sso`, the phone, and the program as a process.

mod support;

use std::process::{Command, Output};

use serde_json::json;
use support::{message, payload, Client, Server, GENERATIONS};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_im-server"));
    command.args(arguments).output().unwrap()
}

fn phone(server: &Server, device: &str, more: &[&str]) -> Output {
    let url = server.url();
    let mut arguments = vec!["phone", "--url", &url, "--device-id", device, "--user", "111"];
    arguments.extend(more);
    run(&arguments)
}

#[tokio::test]
async fn qr_login_opens_the_chat() {
    for eio in GENERATIONS {
        let server = Server::start(&["--strict", "--user", "222:fixed"]);
        let mut pc = Client::join(&server, eio, "/sso", "device_id=pc%201").await;
        pc.emit("qrlogin", json!("ping")).await;
        let pong = pc.next("qrlogin").await;
        assert_eq!(pong["data"], json!({"action": "SSO_QRLOGIN", "payload": "pong"}));

        assert!(phone(&server, "pc 1", &["--fail"]).status.success());
        let failure = pc.next("qrlogin").await;
        assert_eq!((&failure["code"], payload(&failure)), (&json!(1), &json!({})));

        let printed = phone(&server, "pc 1", &[]).stdout;
        let login = pc.next("qrlogin").await;
        assert_eq!(login["code"], 0);
        let token = payload(&login)["token"].as_str().unwrap();
        assert_eq!(String::from_utf8(printed).unwrap().trim(), token);

        for (user, token, admitted) in
            [("111", token, true), ("222", token, false), ("222", "fixed", true), ("111", "any", false)]
        {
            let query = format!("token={token}&userId={user}");
            let mut client = Client::join(&server, eio, "/chat", &query).await;
            if admitted {
                assert_eq!(payload(&client.next("c_online").await)["current"], user);
            } else {
                assert_eq!(client.refused().await, 20001);
            }
        }
    }
}

#[tokio::test]
async fn sso_refusal_and_timeout() {
    for eio in GENERATIONS {
        let server = Server::start(&["--sso-timeout", "0.2"]);
        let mut nameless = Client::join(&server, eio, "/sso", "x=1").await;
        assert_eq!(nameless.refused().await, 20002);
        let mut waiting = Client::join(&server, eio, "/sso", "device_id=pc").await;
        waiting.disconnected().await;
        server.until("/stats", |stats| stats["namespaces"]["/sso"]["now"] == 0).await;

        let unknown = phone(&server, "pc", &[]);
        assert_eq!(unknown.status.code(), Some(1));
        assert!(String::from_utf8(unknown.stderr).unwrap().contains("404: no device \"pc\""));
        let (status, answer) = server.post("/phone/qrlogin", json!({"device_id": "pc", "user_id": "1"}));
        assert!(status == 404 && answer["error"].is_string());
    }
}

#[tokio::test]
async fn both_namespaces_on_one_transport() {
    for eio in GENERATIONS {
        let server = Server::start(&[]);
        let query = "device_id=pc&token=bad&userId=1";
        let mut client = Client::join(&server, eio, "/sso", query).await;
        client.send_packet("40/chat,").await;
        loop {
            // The refused namespace is left; the transport still serves the other.
            if client.packet().await.unwrap() == "41/chat," {
                break;
            }
        }
        client.emit("qrlogin", json!("ping")).await;
        client.next("qrlogin").await;
    }
}

#[tokio::test]
async fn handshakes_of_both_generations() {
    let server = Server::start(&[]);
    for eio in GENERATIONS {
        let client = Client::chat(&server, eio, "alice").await;
        assert_eq!(client.open["pingInterval"], 25000);
        assert_eq!(client.open["pingTimeout"], 20000);
        // socketioxide sends it to both generations: no sign of one.
        assert_eq!(client.open["maxPayload"], 1_000_000);
        assert_eq!(client.connect_answer.contains("sid"), eio == 4);
    }
    for (eio, prefix) in [(3, "1"), (4, "0{")] {
        let (status, body) = server.request("GET", &format!("/ws/?EIO={eio}&transport=polling"), "");
        assert!(status == 200 && body.starts_with(prefix), "{body}");
    }
}

#[tokio::test]
async fn polling_connect_of_a_2x_client_with_its_query() {
    let server = Server::start(&[]);
    let (_, body) = server.request("GET", "/ws/?EIO=3&transport=polling&token=t&userId=alice", "");
    let (_, sid) = body.split_once("\"sid\":\"").unwrap();
    let sid = &sid[..sid.find('"').unwrap()];
    let path = format!("/ws/?EIO=3&transport=polling&sid={sid}");
    let connect = "31:40/chat?token=t&userId=alice&x,";
    let connect = connect.replace("31:", &format!("{}:", connect.len() - 3));
    assert_eq!(server.request("POST", &path, &connect).0, 200);
    server.until("/stats", |stats| stats["users"] == json!(["alice"])).await;
}

#[tokio::test]
async fn data_survives_a_crash() {
    let file = std::env::temp_dir().join(format!("im-server-crash-{}", std::process::id()));
    let path = file.to_str().unwrap().to_owned();
    let flags = ["--data", &path, "--strict", "--user", "alice:t", "--user", "bob:t"];
    let mut server = Server::start(&flags);
    let mut alice = Client::join(&server, 4, "/chat", "token=t&userId=alice").await;
    let _pc = Client::join(&server, 4, "/sso", "device_id=pc").await;
    let token = String::from_utf8(phone(&server, "pc", &[]).stdout).unwrap();
    alice.emit("to", message("alice", "bob", "f1")).await;
    let ack = alice.next("to_ack").await;
    // No chance to write anything more: what was acknowledged must be there.
    server.child.kill().unwrap();
    server.child.wait().unwrap();

    let server = Server::start(&flags);
    let mut bob = Client::join(&server, 3, "/chat", "token=t&userId=bob").await;
    bob.emit("offline_message", json!(null)).await;
    assert_eq!(payload(&bob.next("offline_message").await)[0], *payload(&ack));
    let query = format!("token={}&userId=111", token.trim());
    let mut newcomer = Client::join(&server, 3, "/chat", &query).await;
    newcomer.next("c_online").await;
    server.stop();
    std::fs::remove_file(file).unwrap();
}

#[test]
fn bad_flags_end_with_2_and_name_the_flag() {
    for (arguments, flag) in [(&["--port", "x"][..], "--port"), (&["--nonsense"], "--nonsense")] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(flag));
        assert!(output.stdout.is_empty());
    }
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--sso-timeout"));
}

#[cfg(unix)]
#[tokio::test]
async fn signals_end_it_with_0() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&[]);
        let mut clients = Vec::new();
        for eio in GENERATIONS {
            clients.push(Client::chat(&server, eio, "alice").await);
        }
        let pid = server.child.id().to_string();
        // The shell's own: the program of that name is not on every machine.
        let kill = format!("kill {signal} {pid}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = tokio::task::spawn_blocking(move || server.child.wait().unwrap());
        for client in &mut clients {
            while client.packet().await.is_some() {}
        }
        assert!(ended.await.unwrap().success());
    }
}

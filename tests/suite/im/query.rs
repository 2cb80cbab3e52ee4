//! What the library adds to the query.

use serde_json::json;

use super::kit::*;
use crate::support::{egg, Server, TestClient};

/// The values of a parameter in the URL of the only connection.
fn parameter(server: &Server, name: &str) -> Vec<String> {
    let stats = server.stats();
    let urls = stats["upgradeUrls"].as_array().expect("a list");
    assert_eq!(urls.len(), 1, "{urls:?}");
    let url = urls[0].as_str().expect("a URL");
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let prefix = format!("{name}=");
    query.split('&').filter_map(|pair| pair.strip_prefix(&prefix)).map(Into::into).collect()
}

#[test]
fn a_chat_client_is_a_desktop_by_default() {
    let server = egg(&[]);
    TestClient::new(user(&server, "ann")).wait("connect");
    assert_eq!(parameter(&server, "deviceType"), ["desktop"]);
}

#[test]
fn the_callers_own_device_type_stands() {
    let server = egg(&[]);
    let mut options = user(&server, "ann");
    options["query"]["deviceType"] = json!("Mobile Phone");
    TestClient::new(options).wait("connect");
    assert_eq!(parameter(&server, "deviceType").len(), 1);
    let value = &parameter(&server, "deviceType")[0];
    assert!(["Mobile%20Phone", "Mobile+Phone"].contains(&value.as_str()), "{value}");
}

#[test]
fn there_is_no_device_type_in_sso() {
    let server = egg(&[]);
    TestClient::new(device(&server, "d1")).wait("connect");
    assert_eq!(parameter(&server, "deviceType").len(), 0);
    assert_eq!(parameter(&server, "device_id"), ["d1"]);
}

#[test]
fn a_server_that_requires_the_device_type_is_content_with_the_defaults() {
    let server = egg(&["--require-device-type"]);
    let ann = TestClient::chat(&server.root(), "ann");
    round_trip(&ann);
    assert_eq!(ann.count(wire("IMERROR")), 0);
}

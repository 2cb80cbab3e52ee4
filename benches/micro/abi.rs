//! Calls through the C ABI.

use std::ffi::CString;

use ::im_client::*;

use super::message;

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

/// Checks, encodes and queues an emit of a client that is not connected.
#[divan::bench]
fn emit(bencher: divan::Bencher) {
    let options =
        c(r#"{"root":"http://127.0.0.1:1","nsp":"chat","autoConnect":false,"sendQueueBytes":1073741824}"#);
    // SAFETY: NUL-terminated, as all strings here.
    let client = unsafe { im_client_new(options.as_ptr()) };
    assert_ne!(client, 0);
    let (event, message) = (c("to"), c(message()));
    let mut queued = 0;
    bencher.bench_local(|| {
        // SAFETY: as above.
        let status = unsafe { im_client_emit(client, event.as_ptr(), message.as_ptr()) };
        queued += 1;
        if queued % 100_000 == 0 {
            im_client_destroy_socket(client);
        }
        assert_eq!(status, 0);
    });
    im_client_destroy(client);
}

#[divan::bench]
fn message_create() {
    let json = c(r#"{"type":1,"from":"111","to":"222","content":"hello"}"#);
    // SAFETY: NUL-terminated; the library gave the string that is freed.
    unsafe { im_string_free(im_message_create(divan::black_box(json.as_ptr()))) };
}

#[divan::bench]
fn messages_unique_of_100(bencher: divan::Bencher) {
    let list = c(&format!("[{}]", vec![message(); 100].join(",")));
    // SAFETY: NUL-terminated; the library gave the string that is freed.
    bencher.bench_local(|| unsafe { im_string_free(im_messages_unique(divan::black_box(list.as_ptr()))) });
}

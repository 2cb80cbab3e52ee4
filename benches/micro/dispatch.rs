//! From a decoded event to the callback.

use std::ffi::{c_void, CString};

use divan::Bencher;
use im_client::{
    im_client_destroy, im_client_dispatch, im_client_new, im_client_on, im_event,
    internals::{self, Arguments, Received},
};

use super::envelope;

unsafe extern "C" fn count(event: *const im_event, user_data: *mut c_void) {
    // SAFETY: the library's event, and the number below.
    unsafe { *user_data.cast::<usize>() += (*event).json_len };
}

/// To one subscription, among so many in all. Manual delivery does it on this thread.
#[divan::bench(args = [1, 100])]
fn deliver(bencher: Bencher, subscriptions: usize) {
    let options = c(r#"{"root":"http://127.0.0.1:1","nsp":"/","autoConnect":false,"delivery":"manual"}"#);
    // SAFETY: NUL-terminated, as all strings here.
    let client = unsafe { im_client_new(options.as_ptr()) };
    assert_ne!(client, 0);
    let mut seen = 0_usize;
    let names = (1..subscriptions).map(|number| format!("other_{number}"));
    for name in names.chain(["c_message".to_owned()]) {
        // SAFETY: as above; `seen` outlives the client.
        let id = unsafe { im_client_on(client, c(&name).as_ptr(), Some(count), (&raw mut seen).cast()) };
        assert!(id > 0);
    }
    let data = format!("[\"c_message\",{}]", envelope());
    let Arguments { name, extent } = Arguments::of_event(&data).expect("an event");
    bencher.bench_local(|| {
        let event = Received {
            name: name.clone(),
            id: None,
            data: data.as_str().into(),
            extent: extent.clone(),
            attachments: Vec::new(),
        };
        assert!(internals::receive(client, event));
        assert_eq!(im_client_dispatch(client, 0, 0), 1);
    });
    im_client_destroy(client);
    assert_eq!(seen % envelope().len(), 0);
    assert_ne!(seen, 0);
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

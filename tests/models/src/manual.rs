//! Manual delivery: the caller's threads take.

use std::ptr;

use shuttle::thread;

use super::{
    world::{execution, manual_client, pause, request, subscribe, Probe, HANDLE, OK, WOKEN},
    Act, Model,
};
use crate::{im_client_destroy, im_client_dispatch, im_client_poll, im_client_wake, im_event_release};

pub const MODELS: &[Model] = &[
    Model { name: "dispatch_against_destroy_calls_nothing_afterwards", run: dispatch_destroy },
    Model { name: "two_polls_take_each_event_once", run: two_polls },
    Model { name: "a_wake_is_never_lost", run: wake },
    Model { name: "of_two_dispatches_one_calls_at_a_time", run: two_dispatches },
];

/// Takes one event; the status, where there was none.
fn poll(client: u64) -> i32 {
    let mut event = ptr::null();
    // SAFETY: the event is taken, and released once.
    unsafe {
        let status = im_client_poll(client, -1, &raw mut event);
        if status == OK && !event.is_null() {
            im_event_release(event);
            return 1;
        }
        status
    }
}

fn dispatch_destroy() {
    execution(|| {
        let (client, event, ack) =
            (manual_client(&[Act::Event("a"), Act::Event("a")]), Probe::new(), Probe::new());
        assert!(subscribe(client, "a", &event) > 0);
        assert!(request(client, false, &ack) > 0);
        let other = thread::spawn(move || loop {
            let called = im_client_dispatch(client, -1, 1);
            if called < 0 {
                break called;
            }
        });
        pause();
        assert_eq!(im_client_destroy(client), OK);
        event.is_quiet();
        ack.is_quiet();
        assert_eq!((event.frees(), ack.statuses().len()), (1, 1));
        assert_eq!(other.join().unwrap(), HANDLE);
        assert_eq!((event.late(), ack.late()), (0, 0));
    });
}

fn two_polls() {
    execution(|| {
        let client = manual_client(&[Act::Event("a"), Act::Event("b")]);
        // Each gets one of the two; a third would be waited for without end.
        let other = thread::spawn(move || poll(client));
        assert_eq!((poll(client), other.join().unwrap()), (1, 1));
        assert_eq!(im_client_destroy(client), OK);
    });
}

fn wake() {
    execution(|| {
        let client = manual_client(&[]);
        let other = thread::spawn(move || poll(client));
        assert_eq!(im_client_wake(client), OK);
        assert_eq!(other.join().unwrap(), WOKEN);
        assert_eq!(im_client_destroy(client), OK);
    });
}

fn two_dispatches() {
    execution(|| {
        let (client, probe) = (manual_client(&[Act::Event("a"), Act::Event("a")]), Probe::new());
        assert!(subscribe(client, "a", &probe) > 0);
        let other = thread::spawn(move || im_client_dispatch(client, -1, 1));
        // The probe itself sees two calls at a time.
        assert_eq!((im_client_dispatch(client, -1, 1), other.join().unwrap()), (1, 1));
        assert_eq!(im_client_destroy(client), OK);
        assert_eq!((probe.calls(), probe.frees()), (2, 1));
    });
}

//! Delivery against off against destroy.

use std::sync::{atomic::Ordering::SeqCst, Arc};

use shuttle::thread;

use super::{
    is_wrong,
    world::{
        client, execution, found, free_function, on_done, on_line, pause, subscribe, Probe, DEFERRED, OK,
    },
    Act, Model,
};
use crate::{
    im_client_destroy, im_client_destroy_async, im_client_off, im_client_off_event, im_set_log_callback,
    im_shutdown,
};

pub const MODELS: &[Model] = &[
    Model { name: "after_destroy_nothing_of_the_client_runs", run: destroy },
    Model { name: "after_off_one_call_at_most_may_still_start", run: off },
    Model { name: "after_off_inside_a_callback_no_call_starts", run: off_inside },
    Model { name: "off_against_destroy_frees_once_and_in_time", run: off_and_destroy },
    Model { name: "off_event_against_destroy_frees_once_and_in_time", run: off_event_and_destroy },
    Model { name: "destroyed_in_a_callback_it_calls_nothing_more", run: destroy_inside },
    Model { name: "destroy_async_is_done_when_all_is_done", run: destroy_async },
    Model { name: "every_event_is_delivered_in_its_order", run: order },
    Model { name: "an_early_event_is_never_forgotten", run: early },
    Model { name: "shutdown_against_new_subscriptions_and_destroy", run: shutdown },
    Model { name: "after_the_log_is_off_one_line_at_most_may_still_start", run: log_off },
];

/// In milliseconds.
const HOUR: i64 = 3_600_000;
const TWO: &[Act] = &[Act::Event("a"), Act::Event("a")];
const THREE: &[Act] = &[Act::Event("a"), Act::Event("b"), Act::Event("a")];

fn destroy() {
    execution(|| {
        let (client, first, second) = (client(THREE), Probe::new(), Probe::new());
        assert!(subscribe(client, "a", &first) > 0);
        let other = {
            let second = second.clone();
            thread::spawn(move || subscribe(client, "b", &second))
        };
        pause();
        assert_eq!(im_client_destroy(client), OK);
        let freed = second.frees();
        first.is_quiet();
        second.is_quiet();
        assert_eq!(first.frees(), 1, "every free function has run");
        // It may have come too late: then its free function ran in that call.
        let subscribed = other.join().unwrap() > 0;
        assert!(freed == 1 || !subscribed);
        for probe in [first, second] {
            assert_eq!((probe.frees(), probe.late()), (1, 0));
        }
    });
}

/// What the header says of off: a call that was just about to start may start; no other, and none after the free function.
fn off() {
    execution(|| {
        let [a, b] = [Act::Event("a"), Act::Event("b")];
        let (client, probe, last) = (client(&[a, a, a, b]), Probe::new(), Probe::new());
        let id = subscribe(client, "a", &probe);
        pause();
        assert_eq!(im_client_off(client, id), OK);
        probe.end();
        // All that came before it has been delivered then.
        assert!(subscribe(client, "b", &last) > 0);
        last.wait_for(1);
        assert_eq!(im_client_destroy(client), OK);
        // The header once said that no call starts at all.
        let most = if is_wrong("the_old_words_about_off") { 0 } else { 1 };
        assert!(probe.late() <= most, "{} calls started after off", probe.late());
        assert_eq!(probe.frees(), 1);
    });
}

fn off_inside() {
    execution(|| {
        let (client, other) = (client(THREE), Probe::new());
        let id = subscribe(client, "a", &other);
        let target = other.clone();
        let first = Probe::acting(move |_| {
            im_client_off(client, id);
            target.end();
        });
        assert!(subscribe(client, "b", &first) > 0);
        first.wait_for(1);
        assert_eq!(im_client_destroy(client), OK);
        assert_eq!((other.late(), other.frees(), first.frees()), (0, 1, 1));
    });
}

fn off_and_destroy() {
    ends_against_destroy(|client, id| im_client_off(client, id));
}

fn off_event_and_destroy() {
    // SAFETY: a string of C.
    ends_against_destroy(|client, _| unsafe { im_client_off_event(client, c"a".as_ptr()) });
}

fn ends_against_destroy(off: fn(u64, i64) -> i32) {
    execution(|| {
        let (client, probe) = (client(TWO), Probe::new());
        let id = subscribe(client, "a", &probe);
        let other = thread::spawn(move || {
            pause();
            off(client, id)
        });
        pause();
        assert_eq!(im_client_destroy(client), OK);
        probe.is_quiet();
        assert_eq!(probe.frees(), 1, "once, before destroy returned");
        other.join().unwrap();
        assert_eq!((probe.frees(), probe.late()), (1, 0));
    });
}

fn destroy_inside() {
    execution(|| {
        let client = client(TWO);
        let (done, second) = (Probe::new(), Probe::new());
        let target = second.clone();
        let first = Probe::acting(move |_| {
            if im_client_destroy(client) == DEFERRED {
                target.end();
            }
        });
        assert!(subscribe(client, "a", &first) > 0);
        // Unless the first was called, and has destroyed the client.
        let subscribed = subscribe(client, "a", &second) > 0;
        first.wait_for(1);
        // A client that is on its way out counts until it is gone.
        assert_eq!(im_shutdown(HOUR), OK);
        assert_eq!(first.calls(), 1);
        assert_eq!((first.frees(), second.frees(), second.late()), (1, 1, 0), "{subscribed}");
        drop(done);
    });
}

fn destroy_async() {
    execution(|| {
        let (client, probe) = (client(TWO), Probe::new());
        assert!(subscribe(client, "a", &probe) > 0);
        let seen = probe.clone();
        let done = Probe::acting(move |_| {
            seen.is_quiet();
            if seen.frees() != 1 {
                found("done before the free function");
            }
        });
        pause();
        assert_eq!(im_client_destroy_async(client, Some(on_done), done.data()), OK);
        done.wait_for(1);
        assert_eq!(im_shutdown(HOUR), OK);
        assert_eq!((done.calls(), probe.late()), (1, 0));
    });
}

fn order() {
    execution(|| {
        let (client, probe) = (client(&[Act::Event("1"), Act::Event("2"), Act::Event("3")]), Probe::new());
        for name in ["1", "2", "3"] {
            assert!(subscribe(client, name, &probe) > 0);
        }
        // One that is not delivered would be waited for without end.
        probe.wait_for(3);
        assert_eq!(im_client_destroy(client), OK);
        let mut names = probe.names();
        names.sort();
        assert_eq!(names, ["1", "2", "3"]);
    });
}

fn early() {
    execution(|| {
        let (client, probe) = (client(TWO), Probe::new());
        let other = {
            let probe = probe.clone();
            thread::spawn(move || assert!(subscribe(client, "a", &probe) > 0))
        };
        probe.wait_for(2);
        other.join().unwrap();
        assert_eq!(im_client_destroy(client), OK);
        assert_eq!((probe.calls(), probe.frees()), (2, 1));
    });
}

fn shutdown() {
    execution(|| {
        let (client, probe) = (client(TWO), Probe::new());
        let other = {
            let probe = probe.clone();
            thread::spawn(move || {
                subscribe(client, "a", &probe);
                pause();
                im_client_destroy(client);
            })
        };
        pause();
        assert_eq!(im_shutdown(HOUR), OK);
        other.join().unwrap();
        assert_eq!(im_shutdown(HOUR), OK);
        probe.is_quiet();
        assert_eq!((probe.frees(), probe.late()), (1, 0));
    });
}

fn log_off() {
    execution(|| {
        // SAFETY: functions, and a probe that the model keeps.
        let set = |probe: &Arc<Probe>, on: bool| unsafe {
            let function = on.then_some(on_line as unsafe extern "C" fn(_, _, _));
            im_set_log_callback(4, function, probe.data(), on.then(free_function).flatten())
        };
        let probe = Probe::new();
        assert_eq!(set(&probe, true), OK);
        // An option that is ignored is told in the log.
        super::set_script(&[]);
        // SAFETY: a string of C.
        let client = unsafe {
            crate::im_client_new(
                c"{\"root\":\"http://localhost:1\",\"nsp\":\"x\",\"agent\":false,\"withCredentials\":true}"
                    .as_ptr(),
            )
        };
        pause();
        assert_eq!(set(&probe, false), OK);
        probe.end();
        assert_eq!(im_client_destroy(client), OK);
        assert_eq!(im_shutdown(HOUR), OK);
        assert!(probe.late() <= 1, "{} lines after the log was off", probe.late());
        assert_eq!(probe.frees.load(SeqCst), 1);
    });
}

//! The handle table, and the runtime that the clients share.

use shuttle::thread;

use super::{
    world::{client, execution, found, pause, subscribe, Probe, HANDLE, OK},
    Act, Model,
};
use crate::{ffi::process::process, im_client_count, im_client_destroy, im_client_state};

pub const MODELS: &[Model] = &[
    Model { name: "a_stale_handle_reaches_no_other_client", run: stale },
    Model { name: "of_two_destroys_one_wins", run: two_destroys },
    Model { name: "handles_made_at_once_are_two_clients", run: two_news },
    Model { name: "the_last_destroy_leaves_the_next_client_its_threads", run: last_and_next },
];

/// The client that a handle finds is the one that it was made for.
fn look_up(handle: u64) {
    if let Ok(client) = process().client(handle) {
        if client.handle() != handle {
            found(format!("{handle:#x} found {:#x}", client.handle()));
        }
    }
}

fn stale() {
    execution(|| {
        let first = client(&[]);
        let looks = thread::spawn(move || (0..3).for_each(|_| look_up(first)));
        pause();
        assert_eq!(im_client_destroy(first), OK);
        // It takes the slot that just became free.
        let second = client(&[]);
        assert_ne!(first, second);
        assert_eq!(im_client_state(first), HANDLE, "a destroyed client's handle is dead");
        looks.join().unwrap();
        assert_eq!(im_client_destroy(second), OK);
    });
}

fn two_destroys() {
    execution(|| {
        let (client, probe) = (client(&[Act::Event("a")]), Probe::new());
        assert!(subscribe(client, "a", &probe) > 0);
        let other = thread::spawn(move || im_client_destroy(client));
        pause();
        let mut outcomes = [im_client_destroy(client), other.join().unwrap()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, [HANDLE, OK]);
        probe.is_quiet();
        assert_eq!(probe.frees(), 1);
    });
}

fn two_news() {
    execution(|| {
        // A slot that is free, for which both may reach.
        assert_eq!(im_client_destroy(client(&[])), OK);
        let other = thread::spawn(|| client(&[]));
        let (mine, others) = (client(&[]), other.join().unwrap());
        assert_ne!(mine, others);
        assert_eq!(im_client_count(), 2);
        for client in [mine, others] {
            look_up(client);
            assert_eq!(im_client_destroy(client), OK);
        }
    });
}

fn last_and_next() {
    execution(|| {
        let first = client(&[]);
        let other = thread::spawn(move || assert_eq!(im_client_destroy(first), OK));
        let (next, probe) = (client(&[Act::Event("a")]), Probe::new());
        assert!(subscribe(next, "a", &probe) > 0);
        // It has a pool that works, whichever came first.
        probe.wait_for(1);
        other.join().unwrap();
        assert_eq!(im_client_destroy(next), OK);
        probe.is_quiet();
        assert_eq!(probe.frees(), 1);
    });
}

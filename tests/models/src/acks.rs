//! Every accepted acknowledgement is called exactly once: answer, timeout, cancel, lost connection, end.

use shuttle::thread;

use super::{
    world::{client, execution, pause, request, Probe, CANCELED, HANDLE, OK, TIMEOUT},
    Act::{self, Answer, Connect, Lose, Write},
    Model,
};
use crate::{im_client_cancel, im_client_clear_send_buffer, im_client_destroy, im_client_destroy_socket};

pub const MODELS: &[Model] = &[
    Model { name: "an_answer_a_timeout_and_a_cancel_are_one_outcome", run: answer_timeout_cancel },
    Model { name: "an_answer_against_destroy_is_one_outcome", run: answer_destroy },
    Model { name: "a_lost_connection_against_destroy_is_one_outcome", run: lose_destroy },
    Model { name: "a_lost_connection_and_a_cancel_are_one_outcome", run: lose_cancel },
    Model { name: "a_request_against_destroy_is_refused_or_called", run: request_destroy },
    Model { name: "a_timeout_is_never_forgotten", run: timeouts },
    Model { name: "a_cleared_buffer_against_an_answer_is_one_outcome", run: clear_answer },
    Model { name: "destroy_socket_against_an_answer_is_one_outcome", run: destroy_socket_answer },
];

const ANSWERED: &[Act] = &[Connect, Write, Answer, Write, Answer];

/// The client ends; the request has had one outcome, before that returned.
fn end(client: u64, probe: &Probe) -> i32 {
    pause();
    assert_eq!(im_client_destroy(client), OK);
    probe.is_quiet();
    assert_eq!(probe.statuses().len(), 1, "{:?}", probe.statuses());
    probe.statuses()[0]
}

fn answer_timeout_cancel() {
    execution(|| {
        let (client, probe) = (client(ANSWERED), Probe::new());
        let id = request(client, true, &probe);
        assert!(id > 0);
        pause();
        let canceled = im_client_cancel(client, id);
        // Without the end of the client: an outcome that is lost would be waited for without end.
        probe.wait_for(1);
        let status = end(client, &probe);
        assert_eq!(canceled == OK, status == CANCELED, "{canceled} {status}");
        assert!([OK, CANCELED, TIMEOUT].contains(&status), "{status}");
        assert_eq!(probe.late(), 0);
    });
}

fn answer_destroy() {
    against_destroy(ANSWERED);
}

fn lose_destroy() {
    against_destroy(&[Connect, Write, Lose]);
}

fn against_destroy(script: &'static [Act]) {
    execution(|| {
        let (client, probe) = (client(script), Probe::new());
        assert!(request(client, true, &probe) > 0);
        end(client, &probe);
        assert_eq!(probe.late(), 0);
    });
}

fn lose_cancel() {
    execution(|| {
        let (client, probe) = (client(&[Connect, Write, Lose, Connect, Write, Answer]), Probe::new());
        let id = request(client, false, &probe);
        pause();
        let canceled = im_client_cancel(client, id);
        probe.wait_for(1);
        let status = end(client, &probe);
        assert_eq!(canceled == OK, status == CANCELED, "{canceled} {status}");
    });
}

fn request_destroy() {
    execution(|| {
        let (client, probe) = (client(ANSWERED), Probe::new());
        let other = {
            let probe = probe.clone();
            thread::spawn(move || {
                pause();
                request(client, true, &probe)
            })
        };
        pause();
        assert_eq!(im_client_destroy(client), OK);
        probe.is_quiet();
        let id = other.join().unwrap();
        match id {
            1.. => assert_eq!((probe.statuses().len(), probe.late()), (1, 0), "accepted"),
            _ => assert_eq!(
                (id, probe.statuses().len()),
                (HANDLE.into(), 0),
                "a call that failed calls nothing back"
            ),
        }
    });
}

fn timeouts() {
    execution(|| {
        let (client, probe) = (client(&[Connect, Write]), Probe::new());
        for times in 1..=3 {
            assert!(request(client, true, &probe) > 0);
            // Nobody answers: only the time can end it.
            probe.wait_for(times);
        }
        assert_eq!(im_client_destroy(client), OK);
        assert_eq!(probe.statuses(), [TIMEOUT; 3]);
    });
}

fn clear_answer() {
    execution(|| {
        let (client, probe) = (client(ANSWERED), Probe::new());
        assert!(request(client, false, &probe) > 0);
        pause();
        let dropped = im_client_clear_send_buffer(client);
        // Then nothing but this decides it.
        (dropped > 0).then(|| probe.wait_for(1));
        let status = end(client, &probe);
        assert!(dropped == 0 || status == CANCELED, "{dropped} {status}");
    });
}

fn destroy_socket_answer() {
    execution(|| {
        let (client, probe) = (client(ANSWERED), Probe::new());
        assert!(request(client, false, &probe) > 0);
        pause();
        assert_eq!(im_client_destroy_socket(client), OK);
        probe.wait_for(1);
        end(client, &probe);
    });
}

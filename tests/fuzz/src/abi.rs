//! The ABI as a sequence of calls: the input says which ones, with which handles, texts and callbacks.
//!
//! No server is there: clients that connect are refused. Events come by the door of the benchmarks.

mod callbacks;
mod script;

use std::{
    ffi::{c_char, c_void, CStr},
    ptr,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Mutex, OnceLock, PoisonError,
    },
    time::Duration,
};

use ::im_client::{internals::Status, *};

use callbacks::{on_ack, on_done, on_event, on_free, on_log, ACKS, FREES};
use script::Script;

const OK: i32 = Status::Ok as i32;

static CALLS: AtomicU64 = AtomicU64::new(0);
static END: OnceLock<End> = OnceLock::new();

/// When to end, and what is looked at then.
struct End {
    calls: u64,
    look: fn(),
}

/// Ends the process well once there were so many calls, the library was shut down and `look` has returned.
pub fn stop_after(calls: u64, look: fn()) {
    END.get_or_init(|| End { calls, look });
}

/// A call of one function of the ABI.
fn count() {
    CALLS.fetch_add(1, Relaxed);
}

/// A client beside those of the scripts: the threads of the library end with its last client, and would start and end for each
/// script. Some scripts end it, so that the threads do so too.
static STANDING: AtomicU64 = AtomicU64::new(0);

fn let_one_stand() {
    const OPTIONS: &CStr =
        cr#"{"root":"http://127.0.0.1:9","nsp":"/","autoConnect":false,"delivery":"manual"}"#;
    if STANDING.load(Relaxed) == 0 {
        // SAFETY: NUL-terminated.
        STANDING.store(unsafe { im_client_new(OPTIONS.as_ptr()) }, Relaxed);
        count();
    }
    assert_ne!(STANDING.load(Relaxed), 0, "no client can be made any more");
}

fn let_none_stand() {
    assert_eq!(sane(im_client_destroy(STANDING.swap(0, Relaxed))), OK);
}

const SLOTS: usize = 4;

#[derive(Default)]
struct Clients {
    live: [im_client; SLOTS],
    /// One that is gone.
    stale: im_client,
    subscription: i64,
    request: i64,
    ack_id: u64,
    /// At the end of the script no client is there.
    nothing_stands: bool,
}

/// Plays a script, ends all its clients, and holds the library to its account.
pub fn abi(data: &[u8]) {
    // The account is the process's.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let_one_stand();
    let mut script = Script::new(data);
    let mut clients = Clients::default();
    while !script.is_over() {
        call(&mut script, &mut clients);
    }
    for client in clients.live.into_iter().filter(|client| *client != 0) {
        sane(im_client_destroy(client));
    }
    if clients.nothing_stands {
        let_none_stand();
    }
    settle();
    if let Some(end) = END.get().filter(|end| CALLS.load(Relaxed) >= end.calls) {
        assert_eq!(im_shutdown(10_000), OK);
        (end.look)();
        println!("{} calls", CALLS.load(Relaxed));
        // SAFETY: ends the process without the handlers of its exit, which would call this a finding.
        unsafe { libc::_exit(0) };
    }
}

/// Every function that was accepted has been called once, and never more often. Those of the log's function and of a client that is
/// destroyed in the background come a moment later.
fn settle() {
    const LIMIT: Duration = Duration::from_secs(10);
    let settled = ACKS.settle(LIMIT) && FREES.settle(LIMIT);
    assert!(settled, "outcomes {ACKS:?}, free functions {FREES:?}");
}

/// The status of a call: none that says that the library is wrong, not its caller.
fn sane(status: i32) -> i32 {
    count();
    assert_ne!(status, Status::Panic as i32, "a panic inside the library");
    status
}

/// An id that a call gave, or a status.
fn accepted(id: i64) -> i64 {
    sane(i32::try_from(id.min(0)).unwrap_or(0));
    id
}

/// The client that the script means: a live one mostly.
fn handle(script: &mut Script<'_>, clients: &Clients) -> im_client {
    match script.byte() {
        0 => 0,
        1 => clients.stale,
        2 => script.number(),
        slot => clients.live[usize::from(slot) % SLOTS],
    }
}

fn call(script: &mut Script<'_>, clients: &mut Clients) {
    match script.byte() % 5 {
        0 => life(script, clients),
        1 => sending(script, clients),
        2 => hearing(script, clients),
        3 => taking(script, clients),
        _ => asking(script, clients),
    }
}

fn life(script: &mut Script<'_>, clients: &mut Clients) {
    let slot = usize::from(script.byte()) % SLOTS;
    match script.byte() % 13 {
        0..=3 => {
            let options = script.text();
            if clients.live[slot] == 0 {
                // SAFETY: NUL-terminated or null, as all texts here.
                clients.live[slot] = unsafe { im_client_new(options.pointer()) };
                count();
            }
        }
        4 => {
            clients.stale = std::mem::take(&mut clients.live[slot]);
            sane(im_client_destroy(clients.stale));
        }
        5 => {
            clients.stale = std::mem::take(&mut clients.live[slot]);
            let expected = ACKS.expect();
            if sane(im_client_destroy_async(clients.stale, Some(on_done), ptr::null_mut())) != OK {
                expected.not();
            }
        }
        6 => drop(sane(im_client_open(handle(script, clients)))),
        7 => drop(sane(im_client_close(handle(script, clients)))),
        8 => drop(sane(im_client_destroy_socket(handle(script, clients)))),
        9 => drop(sane(im_client_network_changed(handle(script, clients)))),
        10 => drop(sane(im_client_background(handle(script, clients)))),
        11 => drop(sane(im_client_foreground(handle(script, clients)))),
        _ => clients.nothing_stands = true,
    }
}

fn sending(script: &mut Script<'_>, clients: &mut Clients) {
    let client = handle(script, clients);
    let (what, event, json) = (script.byte(), script.text(), script.text());
    let (event, json) = (event.pointer(), json.pointer());
    let timeout = i64::from(script.byte()) - 1;
    let data = script.data();
    let blobs =
        [im_blob { data: data.as_ptr().cast(), len: data.len() }, im_blob { data: ptr::null(), len: 0 }];
    let (count, flags) = (usize::from(script.byte() % 3), u32::from(script.byte() % 4));
    let lengths = (script.length(event), script.length(json));
    let user = callbacks::behaviour(script.byte());
    // SAFETY: texts are NUL-terminated or null, lengths are theirs, blobs live until the call returns.
    unsafe {
        match what % 9 {
            0 => drop(sane(im_client_emit(client, event, json))),
            1 => drop(sane(im_client_emit_args(
                client,
                event,
                lengths.0,
                json,
                lengths.1,
                blobs.as_ptr(),
                count,
                flags,
            ))),
            2 => {
                request(clients, || im_client_emit_with_ack(client, event, json, timeout, Some(on_ack), user))
            }
            3 => {
                FREES.expect_always();
                request(clients, || {
                    im_client_emit_args_with_ack(
                        client,
                        event,
                        lengths.0,
                        json,
                        lengths.1,
                        blobs.as_ptr(),
                        count,
                        flags,
                        timeout,
                        Some(on_ack),
                        user,
                        Some(on_free),
                    )
                });
            }
            4 => request(clients, || im_client_send_message(client, json, timeout, Some(on_ack), user)),
            5 => drop(sane(im_client_cancel(client, clients.request))),
            6 => drop(sane(im_client_reply(client, clients.ack_id, json))),
            7 => drop(sane(im_client_reply_args(
                client,
                clients.ack_id,
                json,
                lengths.1,
                blobs.as_ptr(),
                count,
            ))),
            _ => {
                accepted(im_client_clear_send_buffer(client));
            }
        }
    }
}

/// A request whose outcome is told once where it was accepted.
fn request(clients: &mut Clients, call: impl FnOnce() -> i64) {
    let expected = ACKS.expect();
    let id = accepted(call());
    if id > 0 {
        clients.request = id;
    } else {
        expected.not();
    }
}

fn hearing(script: &mut Script<'_>, clients: &mut Clients) {
    let client = handle(script, clients);
    let (what, event) = (script.byte(), script.text());
    let (event, user) = (event.pointer(), callbacks::behaviour(script.byte()));
    // SAFETY: texts are NUL-terminated or null.
    let id = unsafe {
        match what % 8 {
            0 => im_client_on(client, event, Some(on_event), user),
            1 => im_client_once(client, event, Some(on_event), user),
            2 => im_client_on_any(client, Some(on_event), user),
            3 => im_client_on_any_outgoing(client, Some(on_event), user),
            4 => {
                FREES.expect_always();
                let flags = u32::from(script.byte() % 5);
                im_client_subscribe(client, event, flags, Some(on_event), user, Some(on_free))
            }
            5 => i64::from(im_client_off(client, clients.subscription)),
            6 => i64::from(im_client_off_event(client, event)),
            _ => im_client_on(client, event, None, user),
        }
    };
    if accepted(id) > 0 && what % 8 < 5 {
        clients.subscription = id;
    }
}

fn taking(script: &mut Script<'_>, clients: &mut Clients) {
    let client = handle(script, clients);
    // A wait is a wait: there are few.
    let timeout = i64::from(script.byte() % 32 == 31);
    match script.byte() % 8 {
        0..=2 => receive(script, client),
        3 | 4 => {
            let mut event = ptr::null();
            // SAFETY: the place is there.
            let status = unsafe {
                if script.byte().is_multiple_of(2) {
                    im_client_poll(client, timeout, &raw mut event)
                } else {
                    im_client_poll_outcome(client, timeout, &raw mut event)
                }
            };
            if sane(status) == OK {
                clients.ack_id = callbacks::take(event);
                // SAFETY: polled, so that it is this thread's to give back.
                unsafe { im_event_release(event) };
                count();
            }
        }
        5 => drop(sane(im_client_dispatch(client, timeout, u32::from(script.byte())))),
        6 => drop(sane(im_client_wake(client))),
        _ => drop(sane(im_client_wake_fd(client))),
    }
}

/// An event as a server might send it.
fn receive(script: &mut Script<'_>, client: im_client) {
    let text = script.array();
    let Some(read) = ::im_client::internals::Arguments::of_event(&text) else { return };
    let attachments = vec![script.data().to_vec(); usize::from(script.byte() % 3)];
    let id = script.byte().is_multiple_of(2).then(|| script.number());
    let event = ::im_client::internals::Received {
        name: read.name.clone(),
        id,
        data: (&*text).into(),
        extent: read.extent.clone(),
        attachments,
    };
    ::im_client::internals::receive(client, event);
}

fn asking(script: &mut Script<'_>, clients: &mut Clients) {
    let client = handle(script, clients);
    let (what, a, b) = (script.byte(), script.text(), script.text());
    let (a, b) = (a.pointer(), b.pointer());
    let number = i32::from(script.byte()) - 30;
    // SAFETY: texts are NUL-terminated or null; strings that the library gave are freed once.
    unsafe {
        match what % 17 {
            0 => drop(sane(im_client_state(client))),
            1 => free(im_client_socket_id(client)),
            2 => free(im_client_info(client)),
            3 => drop(sane(im_client_set_auth(client, a))),
            4 => drop(sane(im_client_set_query(client, a))),
            5 => drop(sane(im_client_answer(client, i64::from(number), a))),
            6 => drop(sane(im_client_flush(client, 1))),
            7 => free(im_message_create(a)),
            8 => free(im_timeline_id(a, b)),
            9 => free(im_messages_unique(a)),
            10 => there(im_status_name(number)),
            11 => there(im_status_text(number)),
            12 => drop(sane(im_version_check(script.number() as u32))),
            13 => {
                FREES.expect_always();
                sane(im_set_log_callback(number % 7, Some(on_log), ptr::null_mut(), Some(on_free)));
                // Given up at once, so that the account can be settled.
                sane(im_set_log_callback(0, None, ptr::null_mut(), None));
            }
            14 => there(im_last_error()),
            15 => {
                count();
                assert!(im_client_count() <= 1 << 20);
            }
            _ => drop(sane(im_last_status())),
        }
    }
}

/// A text that a call gave and keeps.
fn there(text: *const c_char) {
    count();
    assert!(!text.is_null());
}

/// A text that a call gave away; none where it had none to give.
fn free(text: *mut c_char) {
    count();
    // SAFETY: the library's, or null.
    unsafe { im_string_free(text) };
    count();
}

type User = *mut c_void;

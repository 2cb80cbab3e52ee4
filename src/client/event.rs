//! An event as a callback sees it, in one block that it shares.

use std::{
    ffi::CString,
    mem::size_of,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::Status;
use crate::{
    im,
    socketio::{Arguments, Extent, Received},
};

/// What an event is; the values are part of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Kind {
    Event = 0,
    Acknowledgement = 1,
    /// Of the library, to the caller.
    Request = 2,
    /// Of the connection itself.
    Local = 3,
}

/// The memory layout of the ABI's `im_event`, its pointers as addresses: they point into the event's own text, so the
/// whole is plain data that any thread may read.
#[derive(Debug)]
#[repr(C)]
pub struct EventView {
    pub size: usize,
    pub client: u64,
    pub kind: i32,
    pub name: usize,
    pub name_len: usize,
    pub json: usize,
    pub json_len: usize,
    pub ack_id: u64,
    pub request: i64,
    pub status: i32,
    pub blob_count: usize,
}

/// Only ever made inside an `Arc`. The view stands first, so that its address is the event's.
#[repr(C)]
pub struct Event {
    view: EventView,
    /// `name NUL first-argument NUL rest`: the second NUL took the place of `saved`.
    text: String,
    name_len: usize,
    /// The wire name of an IM event, by whichever of its names it came.
    im_event: Option<&'static str>,
    first: Option<usize>,
    saved: Option<char>,
    blobs: Vec<Vec<u8>>,
    all: OnceLock<CString>,
    /// Done once nobody has the event any more.
    when_released: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Drop for Event {
    fn drop(&mut self) {
        self.released();
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("view", &self.view).field("text", &self.text).finish_non_exhaustive()
    }
}

/// The JSON of an event without an argument.
const NOTHING: &str = "null\0";

impl Event {
    /// An event of the server, in the memory of one that is spent where there is one. `ack_id` is 0 where it waits for no answer.
    pub fn received(client: u64, received: Received<'_>, ack_id: u64, spent: Option<Arc<Self>>) -> Arc<Self> {
        if let Some(mut spent) = spent {
            if let Some(event) = Arc::get_mut(&mut spent) {
                let text = std::mem::take(&mut event.text);
                *event = Self::filled(text, client, Kind::Event, received, |view| view.ack_id = ack_id);
                return spent;
            }
        }
        Self::build(client, Kind::Event, received, |view| view.ack_id = ack_id)
    }

    /// The event as memory for another one, where nobody else has it and it is not larger than this: it is released.
    pub fn spent(mut event: Arc<Self>, largest: usize) -> Option<Arc<Self>> {
        let own = Arc::get_mut(&mut event).filter(|own| own.text.capacity() <= largest)?;
        own.released();
        Some(event)
    }

    fn released(&mut self) {
        let then = self.when_released.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(then) = then {
            then();
        }
    }

    /// The server's answer to a request.
    pub fn acknowledgement(client: u64, request: i64, received: Received<'_>) -> Arc<Self> {
        Self::build(client, Kind::Acknowledgement, received, |view| view.request = request)
    }

    /// An event of the connection itself, with one argument.
    pub fn local(client: u64, name: &str, json: &str) -> Arc<Self> {
        Self::own(client, Kind::Local, name, json, 0)
    }

    /// A question to the caller, with one argument.
    pub fn request(client: u64, request: i64, name: &str, json: &str) -> Arc<Self> {
        Self::own(client, Kind::Request, name, json, request)
    }

    fn own(client: u64, kind: Kind, name: &str, json: &str, request: i64) -> Arc<Self> {
        let received = Received {
            name: name.into(),
            id: None,
            data: json.into(),
            extent: Extent { first: Some(0..json.len()), all: 0..json.len() },
            attachments: Vec::new(),
        };
        Self::build(client, kind, received, |view| view.request = request)
    }

    /// An event that the caller sends: its name on the wire, its arguments as JSON values joined by commas.
    pub fn outgoing(client: u64, name: &str, arguments: &str, attachments: Vec<Vec<u8>>) -> Arc<Self> {
        let array = format!("[{arguments}]");
        let extent = Arguments::of_ack(&array).map(|read| read.extent).unwrap_or_default();
        let received = Received { name: name.into(), id: None, data: array.into(), extent, attachments };
        Self::build(client, Kind::Event, received, |_| {})
    }

    /// The same event with another first argument.
    pub fn with_json(&self, json: &str) -> Arc<Self> {
        let all = self.arguments().to_str().unwrap_or_default();
        let rest = all.get(1 + self.json().len()..all.len().saturating_sub(1)).unwrap_or_default();
        let data = format!("{json}{rest}");
        let received = Received {
            name: self.name().into(),
            id: None,
            extent: crate::socketio::Extent { first: Some(0..json.len()), all: 0..data.len() },
            data: data.into(),
            attachments: self.blobs.clone(),
        };
        Self::build(self.client(), Kind::Event, received, |view| view.ack_id = self.ack_id())
    }

    fn build(client: u64, kind: Kind, received: Received<'_>, set: impl FnOnce(&mut EventView)) -> Arc<Self> {
        Arc::new(Self::filled(String::new(), client, kind, received, set))
    }

    /// An event whose text is written into this.
    fn filled(
        mut text: String,
        client: u64,
        kind: Kind,
        received: Received<'_>,
        set: impl FnOnce(&mut EventView),
    ) -> Self {
        let Received { name, data, extent, attachments, .. } = received;
        let arguments = &data[extent.all];
        let first = extent.first.map(|first| first.len());
        // The byte behind the first argument goes, a NUL takes its place.
        let more = usize::from(first == Some(arguments.len()));
        text.clear();
        text.reserve_exact(name.len() + 1 + first.map_or(0, |_| arguments.len() + more));
        text.push_str(&name);
        text.push('\0');
        let mut saved = None;
        if let Some(first) = first {
            let mut rest = arguments[first..].chars();
            saved = rest.next();
            text.push_str(&arguments[..first]);
            text.push('\0');
            text.push_str(rest.as_str());
        }
        let address = text.as_ptr() as usize;
        let (json, json_len) = match first {
            Some(length) => (address + name.len() + 1, length),
            None => (NOTHING.as_ptr() as usize, NOTHING.len() - 1),
        };
        let mut view = EventView {
            size: size_of::<EventView>(),
            client,
            kind: kind as i32,
            name: address,
            name_len: name.len(),
            json,
            json_len,
            ack_id: 0,
            request: 0,
            status: Status::Ok as i32,
            blob_count: attachments.len(),
        };
        set(&mut view);
        Event {
            view,
            name_len: name.len(),
            im_event: im::im_event(&name),
            text,
            first,
            saved,
            blobs: attachments,
            all: OnceLock::new(),
            when_released: Mutex::default(),
        }
    }

    /// A request's outcome as an event: the server's answer, or JSON `null` where there is none.
    pub fn outcome(client: u64, request: i64, status: Status, reply: Option<&Arc<Event>>) -> Arc<Self> {
        if let Some(reply) = reply.filter(|reply| reply.view.kind == Kind::Acknowledgement as i32) {
            return reply.clone();
        }
        // A message is answered by an event, which others get too: its arguments are copied.
        let all = reply.map_or("[]", |reply| reply.arguments().to_str().unwrap_or("[]"));
        let arguments = &all[1..all.len() - 1];
        let first = reply.and_then(|reply| reply.first).map(|length| 0..length);
        let received = Received {
            name: "".into(),
            id: None,
            data: arguments.into(),
            extent: Extent { first, all: 0..arguments.len() },
            attachments: reply.map_or(Vec::new(), |reply| reply.blobs.clone()),
        };
        Self::build(client, Kind::Acknowledgement, received, |view| {
            view.request = request;
            view.status = status as i32;
        })
    }

    /// Does this once the last reference is gone; for an event that nobody else has yet.
    pub fn when_released(&self, then: impl FnOnce() + Send + 'static) {
        *self.release() = Some(Box::new(then));
    }

    /// Nobody has seen it, so nothing is done once the last reference is gone.
    pub fn forget_delivery(&self) {
        let forgotten = self.release().take();
        drop(forgotten);
    }

    fn release(&self) -> MutexGuard<'_, Option<Box<dyn FnOnce() + Send>>> {
        self.when_released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn view(&self) -> &EventView {
        &self.view
    }

    pub fn client(&self) -> u64 {
        self.view.client
    }

    pub fn ack_id(&self) -> u64 {
        self.view.ack_id
    }

    pub fn name(&self) -> &str {
        &self.text[..self.name_len]
    }

    /// The name under which both styles meet.
    pub fn canonical_name(&self) -> &str {
        self.im_event.unwrap_or_else(|| self.name())
    }

    /// The first argument.
    pub fn json(&self) -> &str {
        let start = self.name_len + 1;
        match self.first {
            Some(length) => &self.text[start..start + length],
            None => "null",
        }
    }

    /// All arguments as a JSON array, built on first use.
    pub fn arguments(&self) -> &CString {
        self.all.get_or_init(|| {
            let mut all = String::with_capacity(self.text.len() + 2);
            all.push('[');
            if let Some(length) = self.first {
                all.push_str(self.json());
                all.extend(self.saved);
                all.push_str(&self.text[self.name_len + 1 + length + 1..]);
            }
            all.push(']');
            // Valid JSON has no NUL byte, so this can't fail.
            CString::new(all).unwrap_or_default()
        })
    }

    pub fn blob(&self, index: usize) -> Option<&[u8]> {
        self.blobs.get(index).map(Vec::as_slice)
    }

    /// What it counts in the bounds of a queue.
    pub fn cost(&self) -> usize {
        size_of::<Event>() + self.text.len() + self.blobs.iter().map(Vec::len).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Arc<Event> {
        event_in(text, None)
    }

    fn event_in(text: &str, spent: Option<Arc<Event>>) -> Arc<Event> {
        let Arguments { name, extent } = Arguments::of_event(text).unwrap();
        Event::received(
            7,
            Received { name, id: None, data: text.into(), extent, attachments: vec![vec![1]] },
            9,
            spent,
        )
    }

    #[test]
    fn the_first_argument_and_all_are_told() {
        for (text, json, all) in [
            (r#"["a",{"x":1}]"#, r#"{"x":1}"#, r#"[{"x":1}]"#),
            (r#"["a", "é" , 2 ]"#, r#""é""#, r#"["é" , 2 ]"#),
            (r#"["a",1,"😀"]"#, "1", r#"[1,"😀"]"#),
            (r#"["a"]"#, "null", "[]"),
        ] {
            let event = event(text);
            assert_eq!((event.name(), event.json()), ("a", json));
            assert_eq!(event.arguments().to_str().unwrap(), all);
            let view = event.view();
            assert_eq!(
                (view.size, view.client, view.ack_id, view.blob_count),
                (size_of::<EventView>(), 7, 9, 1)
            );
            assert_eq!((view.name_len, view.json_len), (1, json.len()));
            assert_eq!(event.text.as_bytes()[event.name_len], 0);
        }
    }

    #[test]
    fn a_spent_event_is_another_in_the_same_memory() {
        let first = event(r#"["first",{"x":1},"and more"]"#);
        first.arguments();
        let (address, kept) = (Arc::as_ptr(&first), first.clone());
        assert!(Event::spent(first, 100).is_none(), "somebody has it");
        let spent = Event::spent(kept, 100);
        let second = event_in(r#"["second"]"#, spent);
        assert_eq!(
            (second.name(), second.json(), second.arguments().to_str().unwrap()),
            ("second", "null", "[]")
        );
        assert_eq!(Arc::as_ptr(&second), address);
        assert_eq!(
            (second.view().name, second.view().size),
            (second.text.as_ptr() as usize, size_of::<EventView>())
        );
        assert!(Event::spent(event(&format!("[\"{}\"]", "x".repeat(101))), 100).is_none(), "it is large");
    }

    #[test]
    fn what_is_to_be_done_is_done_once_where_the_memory_is_used_again() {
        let done = Arc::new(Mutex::new(0));
        let counter = done.clone();
        let first = event("[\"a\"]");
        first.when_released(move || *counter.lock().unwrap() += 1);
        let spent = Event::spent(first, 100);
        assert_eq!(*done.lock().unwrap(), 1);
        drop(event_in("[\"b\"]", spent));
        assert_eq!(*done.lock().unwrap(), 1);
    }

    #[test]
    fn what_the_caller_sends_is_an_event_too() {
        for (arguments, json, all) in [("", "null", "[]"), ("1", "1", "[1]"), ("{} , 2", "{}", "[{} , 2]")] {
            let event = Event::outgoing(1, "a", arguments, vec![vec![7]]);
            assert_eq!((event.json(), event.arguments().to_str().unwrap()), (json, all));
            assert_eq!((event.name(), event.blob(0)), ("a", Some(&[7][..])));
        }
    }

    #[test]
    fn the_first_argument_can_be_another() {
        for (text, all) in
            [(r#"["a",[1,2], "x" ]"#, r#"[{"y":1}, "x" ]"#), (r#"["a",[1,2]]"#, r#"[{"y":1}]"#)]
        {
            let other = event(text).with_json(r#"{"y":1}"#);
            assert_eq!((other.name(), other.json(), other.ack_id()), ("a", r#"{"y":1}"#, 9));
            assert_eq!(other.arguments().to_str().unwrap(), all);
            assert_eq!(other.blob(0), Some(&[1_u8][..]));
        }
    }

    #[test]
    fn local_events_have_one_argument() {
        let event = Event::local(1, "connect", "{}");
        assert_eq!(
            (event.name(), event.json(), event.arguments().to_str().unwrap()),
            ("connect", "{}", "[{}]")
        );
    }

    #[test]
    fn the_kind_tells_who_says_it() {
        let json = "[]";
        for (event, kind) in [
            (event(r#"["connect"]"#), Kind::Event),
            (Event::outgoing(1, "connect", "", Vec::new()), Kind::Event),
            (Event::local(1, "connect", json), Kind::Local),
            (Event::request(1, 7, "auth", json), Kind::Request),
        ] {
            assert_eq!(event.view().kind, kind as i32, "{event:?}");
        }
    }
}

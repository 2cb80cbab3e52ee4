"""What the models must find: deliberate faults, each put into a copy of the library's source, beside the right way."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("tests/models")


@dataclass(frozen=True)
class Fault:
    name: str
    file: str
    right: str
    """As it stands in the source, once; an expression or statements."""
    wrong: str
    found_by: tuple[str, ...]
    """The models that must find it."""

    def put_into(self, text: str) -> str:
        if text.count(self.right) != 1:
            raise ValueError(f"the fault {self.name!r} fits {text.count(self.right)} places of {self.file}, not one")
        both = f'if crate::models::is_wrong("{self.name}") {{ {self.wrong} }} else {{ {self.right} }}'
        return text.replace(self.right, both)


PROCESS, SHARED, CLIENT = "src/ffi/process.rs", "src/client/shared.rs", "src/client/client.rs"
MAILBOX, TAKERS, REQUESTS = "src/client/mailbox.rs", "src/client/takers.rs", "src/client/requests.rs"

FAULTS = (
    Fault(
        "a_slot_keeps_its_generation",
        PROCESS,
        "self.slots[at].generation += 1;",
        "",
        ("a_stale_handle_reaches_no_other_client",),
    ),
    Fault(
        "a_destroyed_client_stays_in_the_table",
        PROCESS,
        "self.slots[at].client.take()",
        "self.slots[at].client.clone()",
        ("of_two_destroys_one_wins",),
    ),
    Fault(
        "a_free_slot_is_given_twice",
        PROCESS,
        "self.free.pop()",
        "self.free.last().copied()",
        ("handles_made_at_once_are_two_clients",),
    ),
    Fault(
        "the_runtime_is_taken_after_the_lock",
        SHARED,
        "Some(std::mem::take(&mut slot.runtime))",
        "drop(slot); Some(std::mem::take(&mut self.lock().runtime))",
        ("the_last_destroy_leaves_the_next_client_its_threads",),
    ),
    Fault(
        "shutdown_does_not_wait",
        SHARED,
        "slot.users > 0 || slot.stopping > 0",
        "false",
        ("shutdown_against_new_subscriptions_and_destroy",),
    ),
    Fault(
        "destroy_does_not_wait",
        "src/client/ending.rs",
        "self.ending.wait();",
        "",
        ("after_destroy_nothing_of_the_client_runs",),
    ),
    Fault(
        "off_leaves_the_subscription",
        "src/client/subscriptions.rs",
        "list.remove(at).callback",
        "list[at].callback.clone()",
        ("after_off_one_call_at_most_may_still_start", "after_off_inside_a_callback_no_call_starts"),
    ),
    Fault(
        "off_queues_after_the_lock",
        CLIENT,
        "self.queue(Item::Drop(vec![callback]));",
        "drop(subscriptions); self.queue(Item::Drop(vec![callback]));",
        ("off_against_destroy_frees_once_and_in_time",),
    ),
    Fault(
        "off_event_queues_after_the_lock",
        CLIENT,
        "self.queue(Item::Drop(removed));",
        "drop(subscriptions); self.queue(Item::Drop(removed));",
        ("off_event_against_destroy_frees_once_and_in_time",),
    ),
    Fault(
        "callbacks_start_after_the_end",
        CLIENT,
        "!self.ending.has_begun()",
        "true",
        ("destroyed_in_a_callback_it_calls_nothing_more",),
    ),
    Fault(
        "done_comes_first",
        "src/client/delivery.rs",
        "self.end_requests()",
        "self.finished(); self.end_requests()",
        ("destroy_async_is_done_when_all_is_done",),
    ),
    Fault(
        "the_pool_rests_without_a_look",
        MAILBOX,
        "std::mem::take(&mut inner.poked) || !inner.items.is_empty()",
        "false",
        ("every_event_is_delivered_in_its_order",),
    ),
    Fault(
        "early_events_tell_nobody",
        MAILBOX,
        "inner.poked = true;\n        self.announce(&mut inner)\n",
        "self.announce(&mut inner)",
        ("an_early_event_is_never_forgotten",),
    ),
    Fault(
        "the_log_keeps_its_callback",
        "src/client/log_sink.rs",
        "std::mem::replace(&mut self.lock().callback, callback)",
        """match callback {
            None => self.lock().callback.clone(),
            some => std::mem::replace(&mut self.lock().callback, some),
        }""",
        ("after_the_log_is_off_one_line_at_most_may_still_start",),
    ),
    Fault(
        "outcomes_are_queued_after_the_lock",
        CLIENT,
        "decided.len()",
        "drop(requests); decided.len()",
        ("an_answer_against_destroy_is_one_outcome", "a_lost_connection_against_destroy_is_one_outcome"),
    ),
    Fault(
        "a_request_is_added_after_the_end",
        REQUESTS,
        "self.ended = true;",
        "",
        ("a_request_against_destroy_is_refused_or_called",),
    ),
    Fault(
        "the_timer_ends_without_a_look",
        "src/client/deadlines.rs",
        "self.first_deadline().is_none() || self.timer_runs.swap(true, Ordering::AcqRel)",
        "true",
        ("a_timeout_is_never_forgotten",),
    ),
    Fault(
        "cancel_says_yes_to_all",
        "src/client/sending.rs",
        "decided == 0",
        "false",
        ("an_answer_a_timeout_and_a_cancel_are_one_outcome", "a_lost_connection_and_a_cancel_are_one_outcome"),
    ),
    Fault(
        "what_is_cleared_has_no_outcome",
        "src/client/sending.rs",
        "all_with(dropped.requests.iter().filter_map(|number| requests.take(*number)), Status::Canceled)",
        "let _ = requests; Vec::new()",
        ("a_cleared_buffer_against_an_answer_is_one_outcome",),
    ),
    Fault(
        "destroy_socket_leaves_what_is_unsent",
        CLIENT,
        "requests.take_all()",
        "requests.take_sent()",
        ("destroy_socket_against_an_answer_is_one_outcome",),
    ),
    Fault(
        "the_end_does_not_wait_for_takers",
        TAKERS,
        "inner.takers.inside > 0 || !network_is_over.load(Ordering::Acquire)",
        "!network_is_over.load(Ordering::Acquire)",
        ("dispatch_against_destroy_calls_nothing_afterwards",),
    ),
    Fault(
        "one_sleeper_is_not_told",
        TAKERS,
        "inner.takers.asleep > 0",
        "inner.takers.asleep > 1",
        ("a_wake_is_never_lost", "two_polls_take_each_event_once"),
    ),
    Fault(
        "two_dispatch_at_a_time",
        TAKERS,
        "!inner.takers.dispatching",
        "true",
        ("of_two_dispatches_one_calls_at_a_time",),
    ),
)

OLD_WORDS = "the_old_words_about_off"
"""No fault of the source, but of a promise: the header once said that no call starts after off has returned."""


def found_by(fault: str) -> tuple[str, ...]:
    return next((known.found_by for known in FAULTS if known.name == fault), (FAULTS[6].found_by[0],))


def write(path: Path, text: str) -> None:
    """Leaves what has not changed as it is, so that it need not be compiled again."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def arm(to: Path) -> Path:
    """Makes the copy with all faults in it, none of them armed; gives its crate."""
    shutil.rmtree(to / "tests", ignore_errors=True)
    shutil.copytree(ROOT / HERE, to / HERE, ignore=shutil.ignore_patterns("target", "__pycache__"))
    # Cargo would take one of two crates of one name for the other.
    for name in ("Cargo.toml", "Cargo.lock"):
        text = (ROOT / HERE / name).read_text()
        (to / HERE / name).write_text(text.replace('name = "models"', 'name = "models-armed"', 1))
    for source in sorted((ROOT / "src").rglob("*.rs")):
        path = source.relative_to(ROOT)
        text = source.read_text()
        for fault in FAULTS:
            if fault.file == path.as_posix():
                text = fault.put_into(text)
        write(to / path, text)
    return to / HERE

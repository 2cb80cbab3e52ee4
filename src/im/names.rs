//! Every event has a constant (`CHAT_MESSAGE`) and a name on the wire (`c_message`). Servers use either; so do we.

use super::event_table::EVENTS;

/// The names under which emits go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventNames {
    /// As the caller wrote them; the library's own emits by their wire names.
    #[default]
    Wire,
    /// Names of the table as their constants.
    Constant,
}

impl EventNames {
    /// The name that goes out for what the caller wrote.
    pub fn outgoing(self, name: &str) -> &str {
        match self {
            EventNames::Wire => name,
            EventNames::Constant => entry(name).map_or(name, |(constant, _, _)| *constant),
        }
    }
}

/// The name under which both styles meet: the wire name for events of the table, else the name itself.
pub fn canonical(name: &str) -> &str {
    im_event(name).unwrap_or(name)
}

/// The wire name of an event of the table.
pub fn im_event(name: &str) -> Option<&'static str> {
    entry(name).map(|(_, wire, _)| *wire)
}

fn entry(name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    EVENTS.iter().find(|(constant, wire, _)| *wire == name || *constant == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_meet_and_other_names_stay() {
        for (constant, wire, _) in EVENTS {
            assert_eq!(canonical(constant), wire);
            assert_eq!(canonical(wire), wire);
            assert_eq!(EventNames::Wire.outgoing(constant), constant);
            assert_eq!(EventNames::Wire.outgoing(wire), wire);
            assert_eq!(EventNames::Constant.outgoing(wire), constant);
            assert_eq!(EventNames::Constant.outgoing(constant), constant);
        }
        assert_eq!(canonical("other"), "other");
        assert_eq!(EventNames::Constant.outgoing("other"), "other");
    }
}

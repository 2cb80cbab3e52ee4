//! The few packets that the benchmarks need, of either generation.

/// An EVENT packet: `42/chat,7["name",arguments]`.
pub struct Event<'a> {
    /// With its comma, or empty.
    pub namespace: &'a str,
    /// The id of the acknowledgement, as digits; empty without one.
    pub id: &'a str,
    pub name: &'a str,
    /// The arguments behind the name, without the bracket.
    pub arguments: &'a str,
}

pub fn event(text: &str) -> Option<Event<'_>> {
    let (namespace, rest) = namespace(text.strip_prefix("42")?);
    let digits = rest.find('[')?;
    let (id, rest) = rest.split_at(digits);
    let (name, rest) = rest.strip_prefix("[\"")?.split_once('"')?;
    let arguments = rest.strip_suffix(']')?.trim_start_matches(',');
    Some(Event { namespace, id, name, arguments })
}

/// The namespace with its comma, and what follows.
pub fn namespace(text: &str) -> (&str, &str) {
    match text.find(',') {
        Some(comma) if text.starts_with('/') => text.split_at(comma + 1),
        _ => ("", text),
    }
}

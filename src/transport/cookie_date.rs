//! The dates of cookies, in all the forms that servers write (RFC 6265, 5.1.1).

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Seconds since 1970; nothing where it is no date. A date before 1970 is 0: both are over.
pub fn cookie_date(text: &str) -> Option<u64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    // Every character but these separates: "Thu, 01-Jan-70 00:00:00 GMT" is read like the modern form.
    for token in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':')) {
        if time.is_none() && token.contains(':') {
            time = Some(time_of_day(token)?);
        } else if day.is_none() && matches!(token.len(), 1 | 2) && token.parse::<u64>().is_ok() {
            day = token.parse().ok();
        } else if month.is_none() && token.get(..3).is_some_and(|start| month_of(start).is_some()) {
            month = month_of(&token[..3]);
        } else if year.is_none() && matches!(token.len(), 2 | 4) {
            year = token.parse::<u64>().ok();
        }
    }
    let year = match year? {
        short @ 0..=69 => short + 2000,
        short @ 70..=99 => short + 1900,
        year => year,
    };
    let (time, day, month): (u64, u64, u64) = (time?, day?, month?);
    if !(1..=31).contains(&day) || year < 1601 {
        return None;
    }
    Some(days_since_1970(year, month, day).saturating_mul(24 * 3600).saturating_add(time))
}

fn month_of(start: &str) -> Option<u64> {
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))?;
    u64::try_from(at + 1).ok()
}

fn time_of_day(token: &str) -> Option<u64> {
    let parts: Vec<u64> = token.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    match parts[..] {
        [hours @ 0..=23, minutes @ 0..=59, seconds @ 0..=60] => Some((hours * 60 + minutes) * 60 + seconds),
        _ => None,
    }
}

/// Days of the Gregorian calendar, with years that begin in March so that the leap day is their last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    const DAYS_TO_1970: u64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (months * 153 + 2) / 5 + day - 1;
    days.saturating_sub(DAYS_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form() {
        for (text, at) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01-Jan-1970 00:00:01 GMT", Some(1)),
            ("Thursday, 01-Jan-70 00:00:01 GMT", Some(1)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 31-Dec-37 23:55:55 GMT", Some(2_145_916_555)),
            ("Tue, 29 Feb 2000 12:00:00 GMT", Some(951_825_600)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Mon, 01 Jan 1900 00:00:00 GMT", Some(0)),
            ("", None),
            ("never", None),
            ("Sun, 06 Nov 1994", None),
            ("Sun, 06 Nov 1994 25:00:00 GMT", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 94 08:49 GMT", None),
        ] {
            assert_eq!(cookie_date(text), at, "{text}");
        }
    }
}

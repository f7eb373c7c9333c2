//! The calendar: milliseconds to days, months and business days, all UTC. No clock: times come in as numbers.
//!
//! Business days are Monday to Friday. Bank holidays are left out: a date shown today must not move when a table of
//! holidays is corrected tomorrow, and test data is easier to read without them.

use std::fmt;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;
/// Business days from a payment to its money being available.
pub const AVAILABLE_AFTER_BUSINESS_DAYS: u32 = 2;

/// The last moment that is written with four digits of the year, milliseconds since the Unix epoch.
pub const MOMENT_MAX_MS: u64 = 253_402_300_799_999;

/// The day a moment lies in: days since 1970-01-01 UTC.
///
/// # Panics
/// On a moment more than five million years away.
pub fn day_of(unix_ms: u64) -> i32 {
    i32::try_from(unix_ms / DAY_MS).expect("a moment within the calendar")
}

/// Midnight UTC at which a day begins, in seconds since the Unix epoch.
pub fn day_start_s(day: i32) -> i64 {
    i64::from(day) * DAY_S
}

/// Seconds since the Unix epoch.
pub fn seconds_of(unix_ms: u64) -> i64 {
    (unix_ms / 1000) as i64
}

/// The day that is `count` business days after `day`. Starting on a weekend, Monday is the first.
pub fn business_days_after(day: i32, count: u32) -> i32 {
    let mut day = day;
    for _ in 0..count {
        day += 1;
        while is_weekend(day) {
            day += 1;
        }
    }
    day
}

/// The day on which a payment made at `unix_ms` becomes available (at its midnight UTC): T+2 business days.
pub fn available_day(unix_ms: u64) -> i32 {
    business_days_after(day_of(unix_ms), AVAILABLE_AFTER_BUSINESS_DAYS)
}

/// A date of the civil (Gregorian) calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A time of day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// The time of day of a moment.
pub fn clock_of(unix_ms: u64) -> Clock {
    let second = unix_ms % DAY_MS / 1_000;
    Clock {
        hour: (second / 3_600) as u8,
        minute: (second / 60 % 60) as u8,
        second: (second % 60) as u8,
    }
}

/// The civil date of a day number.
pub fn date_of(day: i32) -> Date {
    // Counted in 400-year eras whose years begin in March, so that the leap day is the last of its year.
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date {
        year: year as i32,
        month: month as u8,
        day,
    }
}

/// The day number of a civil date; `None` where the calendar has no such day.
pub fn day_of_date(date: Date) -> Option<i32> {
    // The way back of `date_of`.
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let found = i32::try_from(year.div_euclid(400) * 146_097 + day_of_era - 719_468).ok()?;
    (date_of(found) == date).then_some(found)
}

/// A moment as the second version of the API writes it: `2026-11-16T12:00:00.000Z`.
pub fn rfc3339(unix_ms: u64) -> String {
    let (date, clock) = (date_of(day_of(unix_ms)), clock_of(unix_ms));
    format!("{date}T{clock}.{:03}Z", unix_ms % 1_000)
}

/// Reads a moment of RFC 3339, of 1970 or later: a date, `T` or a space, a time of day with or without seconds and a fraction of
/// them, and an offset from UTC, which is none where nothing is said. Milliseconds since the Unix epoch; what is finer is
/// left out.
pub fn read_moment(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let ms = match fraction.bytes().all(|byte| byte.is_ascii_digit()) && !fraction.is_empty() {
        true => format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?,
        false => return None,
    };
    let offset_s = match offset.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => 0,
        Some((sign, away)) => {
            let away = seconds_of_clock(away)?;
            if sign == "-" { -away } else { away }
        }
    };
    let seconds = day_start_s(read_date(date)?) + seconds_of_clock(clock)? - offset_s;
    u64::try_from(seconds * 1_000 + ms).ok()
}

/// Reads a date that is written as `2026-11-16`; the day number.
pub fn read_date(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let mut number = |len: usize| {
        let part = parts.next().filter(|part| part.len() == len)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)
    };
    let date = Date {
        year: number(4)?.parse().ok()?,
        month: number(2)?.parse().ok()?,
        day: number(2)?.parse().ok()?,
    };
    if parts.next().is_some() {
        return None;
    }
    day_of_date(date)
}

/// Reads a time of day, `12:00` or `12:00:00`; seconds of the day.
fn seconds_of_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut part = |max: i64| {
        let part = parts.next()?;
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|value| digits && *value < max)
    };
    let minutes = part(24)? * 60 + part(60)?;
    let seconds = match text.len() {
        5 => 0,
        _ => part(60)?,
    };
    parts.next().is_none().then_some(minutes * 60 + seconds)
}

/// 0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday.
fn weekday(day: i32) -> i32 {
    (day + 3).rem_euclid(7)
}

fn is_weekend(day: i32) -> bool {
    weekday(day) >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-16, a Monday.
    const MONDAY: i32 = 20_773;

    #[test]
    fn dates_of_known_days() {
        let cases = [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (18_262, (2020, 1, 1)),
            (MONDAY, (2026, 11, 16)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ];
        for (number, (year, month, day)) in cases {
            assert_eq!(date_of(number), Date { year, month, day }, "day {number}");
        }
    }

    #[test]
    fn a_moment_is_written_as_date_and_time_of_day() {
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (1_794_830_401_999, "2026-11-16 12:00:01"),
            (1_794_873_599_999, "2026-11-16 23:59:59"),
        ];
        for (unix_ms, text) in cases {
            assert_eq!(format!("{} {}", date_of(day_of(unix_ms)), clock_of(unix_ms)), text);
        }
    }

    #[test]
    fn money_is_available_two_business_days_later() {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let table: Vec<String> = (0..7)
            .map(|offset| {
                let day = MONDAY + offset;
                let available = business_days_after(day, 2);
                format!(
                    "{}+{}={}",
                    names[offset as usize],
                    available - day,
                    names[weekday(available) as usize]
                )
            })
            .collect();
        assert_eq!(
            table,
            [
                "Mon+2=Wed",
                "Tue+2=Thu",
                "Wed+2=Fri",
                "Thu+4=Mon",
                "Fri+4=Tue",
                "Sat+3=Tue",
                "Sun+2=Tue"
            ]
        );
    }

    #[test]
    fn a_moment_is_written_to_the_millisecond() {
        assert_eq!(rfc3339(1_794_830_400_000), "2026-11-16T12:00:00.000Z");
        assert_eq!(rfc3339(1_794_873_599_999), "2026-11-16T23:59:59.999Z");
    }

    #[test]
    fn a_moment_is_read_as_it_is_written_and_as_others_write_it() {
        for unix_ms in [
            0,
            951_782_400_000,
            1_794_830_400_001,
            1_794_873_599_999,
            7_258_118_399_000,
        ] {
            assert_eq!(read_moment(&rfc3339(unix_ms)), Some(unix_ms));
        }
        for (text, unix_ms) in [
            ("2026-11-16T12:00:00Z", 1_794_830_400_000),
            ("2026-11-16t13:30:00.25+01:30", 1_794_830_400_250),
            ("2026-11-16 10:00:00.1239999-02:00", 1_794_830_400_123),
            ("2026-11-16T12:00", 1_794_830_400_000),
        ] {
            assert_eq!(read_moment(text), Some(unix_ms), "{text}");
        }
        for wrong in [
            "",
            "2026-11-16",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-16T24:00:00Z",
            "2026-11-16T12:60:00Z",
            "2026-11-16T12Z",
            "2026-11-16T12:00:00.Z",
            "2026-11-16T12:00:00.-1Z",
            "2026-11-16T12:00:00Zulu",
            "2026-11-16T12:00:00+1",
            "1969-12-31T23:59:59Z",
            "+026-11-16T12:00:00Z",
            "2026-11-16-01T12:00:00Z",
            "\u{b2}026-11-16T12:00:00Z",
        ] {
            assert_eq!(read_moment(wrong), None, "{wrong}");
        }
        for day in [-1, 0, 59, 60, 20_773, 84_005] {
            assert_eq!(day_of_date(date_of(day)), Some(day));
        }
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let midnight = day_start_s(MONDAY) as u64 * 1000;
        assert_eq!(
            (day_of(midnight - 1), day_of(midnight), day_of(midnight + DAY_MS - 1)),
            (MONDAY - 1, MONDAY, MONDAY)
        );
        assert_eq!(available_day(midnight), MONDAY + 2);
        assert_eq!(
            available_day(midnight - 1),
            MONDAY + 1,
            "the Sunday before counts from Monday"
        );
    }
}

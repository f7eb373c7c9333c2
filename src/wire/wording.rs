//! The words of refused requests: every [`Refused`] and [`Problem`] as the API says it (status, code, message, `param`).

use std::borrow::Cow;
use tollgate_domain::payments::card::CardNumber;
use tollgate_domain::{ErrorType, Reject};
use tollgate_resource::Kind;
use tollgate_resource::operation::Refused;
use tollgate_resource::params::Problem;

/// Longest foreign text (a value, path, key) that a message repeats, in characters.
const ECHO_LEN_MAX: usize = 500;
/// Longest part of a wrong text that a message shows before it is shortened to its two ends, in characters.
const SHOWN_WHOLE_MAX: usize = 23;
/// Length of each end.
const SHOWN_END: usize = 10;
/// Last digits of a card number that a message may repeat.
const SHOWN_CARD_DIGITS: usize = 4;

/// What a body that is no form is told.
const NO_FORM: &str = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have \
    any questions, the reference page of this server shows an example of every request.";

/// Words a refusal. The execution has not begun.
pub fn refused(refused: &Refused) -> Reject {
    match refused {
        // JSON in place of a form arrives as one strange name; it may hold anything, so none of it is repeated.
        Refused::Unknown(names) if names.iter().any(|name| name.trim_start().starts_with(['{', '['])) => {
            invalid(400, NO_FORM.into())
        }
        Refused::Unknown(names) => {
            let plural = if names.len() == 1 { "" } else { "s" };
            let names: Vec<Cow<'_, str>> = names.iter().map(|name| without_card_numbers(name)).collect();
            Reject {
                code: Some("parameter_unknown".into()),
                param: names.first().map(|name| name.clone().into_owned()),
                ..invalid(400, format!("Received unknown parameter{plural}: {}", names.join(", ")))
            }
        }
        Refused::Path { kind, param, text } => Reject {
            param: Some((*param).into()),
            ..no_such(404, kind, text)
        },
        Refused::Malformed(message) => invalid(400, message.clone()),
        Refused::Param { param, problem, text } => {
            let param = match problem {
                // It is the array that is too long, not the item that was one too many.
                Problem::TooMany { .. } => param.rsplit_once('[').map_or(&**param, |(array, _)| array),
                _ => param,
            };
            Reject {
                param: Some(param.into()),
                ..problem_with(param, problem, text)
            }
        }
    }
}

/// An `invalid_request_error` without code and parameter, before execution.
pub fn invalid(status: u16, message: String) -> Reject {
    Reject {
        status,
        ..Reject::invalid(None, message)
    }
}

/// A reject of that type with nothing but a message, before execution.
pub fn of_type(status: u16, kind: ErrorType, message: String) -> Reject {
    Reject {
        kind,
        ..invalid(status, message)
    }
}

/// `resource_missing`: 404 for an object of the path, 400 for one that a parameter names.
pub fn no_such(status: u16, kind: &Kind, text: &str) -> Reject {
    Reject {
        code: Some("resource_missing".into()),
        ..invalid(status, format!("No such {}: '{}'", noun(kind), echo(text)))
    }
}

/// What messages call an object of that kind.
fn noun(kind: &Kind) -> &'static str {
    if kind.object == "payment_method" {
        "PaymentMethod"
    } else if kind.object == "setup_intent" {
        "setupintent"
    } else if kind.object == "balance_transaction" {
        "balance transaction"
    } else if kind.object == "webhook_endpoint" {
        "webhook endpoint"
    } else if kind.object == "v2.core.event_destination" {
        "event destination"
    } else {
        kind.object
    }
}

fn problem_with(param: &str, problem: &Problem, text: &str) -> Reject {
    let (code, message) = match problem {
        Problem::Missing => (Some("parameter_missing"), format!("Missing required param: {param}.")),
        Problem::Empty => (
            Some("parameter_invalid_empty"),
            format!(
                "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; \
                 however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty \
                 value."
            ),
        ),
        Problem::Integer => (Some("parameter_invalid_integer"), format!("Invalid integer: {text}")),
        Problem::TooSmall { min: 0.. } if text.trim().starts_with('-') => (None, "Invalid non-negative integer".into()),
        Problem::TooSmall { min } => (
            Some("parameter_invalid_integer"),
            format!("This value must be greater than or equal to {min}."),
        ),
        Problem::TooLarge { max } => (
            Some("parameter_invalid_integer"),
            format!("This value must be less than or equal to {max}."),
        ),
        Problem::Boolean => (None, format!("Invalid boolean: {text}")),
        Problem::Names(names) => (None, format!("Invalid {param}: must be one of {}", any_of(names))),
        Problem::TooLong { max } => (
            None,
            format!("Invalid string: {}; must be at most {max} characters", shortened(text)),
        ),
        Problem::TooMany { max } => (None, format!("Invalid array: {param} can have at most {max} items")),
        Problem::Object => (None, "Invalid object".into()),
        Problem::Array => (None, "Invalid array".into()),
        Problem::Scalar => (None, format!("Invalid string: {text}")),
        Problem::NoSuch { kind } => return no_such(400, kind, text),
        Problem::Said(message) => (None, message.to_string()),
        Problem::Custom { code, message } => (*code, message.replace("{}", text)),
    };
    Reject {
        code: code.map(Into::into),
        ..invalid(400, message)
    }
}

/// `a`, `a or b`, `a, b, or c`.
fn any_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).into(),
        [one, two] => format!("{one} or {two}"),
        [rest @ .., last] => format!("{}, or {last}", rest.join(", ")),
    }
}

/// Long text as its two ends: `Lottery Re...iting line`.
fn shortened(text: &str) -> String {
    let len = text.chars().count();
    if len <= SHOWN_WHOLE_MAX {
        return text.into();
    }
    let head: String = text.chars().take(SHOWN_END).collect();
    let tail: String = text.chars().skip(len - SHOWN_END).collect();
    format!("{head}...{tail}")
}

/// Foreign text as far as a message repeats it: not too much of it, and no card number, wherever somebody has put one.
pub(crate) fn echo(text: &str) -> Cow<'_, str> {
    let text = match text.char_indices().nth(ECHO_LEN_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    without_card_numbers(text)
}

/// The text with every card number in it replaced by stars and its last four digits. Blanks and hyphens between its
/// digits do not hide one.
pub fn without_card_numbers(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(from) = text.as_bytes()[at..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|next| at + next)
    {
        let plain = text.as_bytes()[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let spaced = text.as_bytes()[from..]
            .iter()
            .take_while(|byte| is_digit_or_space(byte))
            .count();
        at = from + plain;
        let ends = [from + plain, from + spaced];
        if let Some(to) = ends
            .into_iter()
            .find(|to| CardNumber::read(&text[from..*to]).brand().is_ok())
        {
            out.to_mut().replace_range(from..to, &masked(&text[from..to]));
            at = to;
        }
    }
    out
}

fn is_digit_or_space(byte: &u8) -> bool {
    byte.is_ascii_digit() || b" -".contains(byte)
}

/// A card number with only its last digits.
fn masked(number: &str) -> String {
    let mut left = number.bytes().filter(u8::is_ascii_digit).count();
    let mask = |letter: char| {
        left -= usize::from(letter.is_ascii_digit());
        let hidden = letter.is_ascii_digit() && left >= SHOWN_CARD_DIGITS;
        if hidden { '*' } else { letter }
    };
    number.chars().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_not_repeated() {
        for (text, shown) in [
            ("4242424242424242", "************4242"),
            ("x=4242 4242-4242 4242!", "x=**** ****-**** 4242!"),
            ("{\"number\":\"378282246310005\"}", "{\"number\":\"***********0005\"}"),
            ("9223372036854775808", "9223372036854775808"),
            ("4242424242424241", "4242424242424241"),
            ("2000 and 1700000000", "2000 and 1700000000"),
            ("€4242424242424242", "€************4242"),
        ] {
            assert_eq!(echo(text), shown);
        }
    }
}

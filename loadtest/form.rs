//! The form of a page that a shopper sees, and what a browser sends when its button is pressed.
//!
//! HTML is read tolerantly: in any case, order and quoting, with fields that are hidden or not, and whatever else is on
//! the page. Everything is bounded.

/// Longest page looked at, in bytes.
const PAGE_LEN_MAX: usize = 256 * 1024;
/// Most fields of a form.
const FIELDS_MAX: usize = 64;
/// Most attributes of a tag.
const ATTRIBUTES_MAX: usize = 64;
/// Longest form body, in bytes.
const BODY_LEN_MAX: usize = 8 * 1024;
/// Longest path a form is sent to, in bytes.
pub(crate) const PATH_LEN_MAX: usize = 2 * 1024;

/// What pressing a button sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    /// Path and query.
    pub(crate) path: String,
    /// The form's body.
    pub(crate) body: String,
}

/// The press of the button on which `word` stands, in value, name or label, on the page at `path`. The error says what the
/// page lacks.
pub(crate) fn press(page: &[u8], path: &str, word: &str) -> Result<Press, &'static str> {
    if page.len() > PAGE_LEN_MAX {
        return Err("is too long");
    }
    let page = String::from_utf8_lossy(page);
    let mut tags = Tags { rest: &page };
    let mut form: Option<Form> = None;
    let mut seen = false;
    while let Some(tag) = tags.next() {
        match (tag.name.as_str(), &mut form) {
            ("form", _) => {
                seen = true;
                let posts = tag
                    .value("method")
                    .is_some_and(|method| method.eq_ignore_ascii_case("post"));
                form = posts.then(|| Form {
                    action: tag.value("action").unwrap_or_default().into(),
                    fields: Vec::new(),
                    pressed: false,
                });
            }
            ("/form", Some(open)) if open.pressed => break,
            ("/form", _) => form = None,
            ("button" | "input", Some(open)) => {
                let label = if tag.name == "button" { tags.text() } else { "" };
                open.take(&tag, label, word)?;
            }
            _ => {}
        }
    }
    match form {
        Some(form) if form.pressed => Ok(Press {
            path: resolved(&form.action, path)?,
            body: encoded(&form.fields)?,
        }),
        _ if seen => Err("has no form that is posted by such a button"),
        _ => Err("has no form"),
    }
}

struct Form {
    action: String,
    fields: Vec<(String, String)>,
    pressed: bool,
}

impl Form {
    fn take(&mut self, tag: &Tag, label: &str, word: &str) -> Result<(), &'static str> {
        let kind = tag.value("type").unwrap_or_default().to_ascii_lowercase();
        let (name, value) = (tag.value("name").unwrap_or_default(), tag.value("value"));
        let submits = if tag.name == "button" {
            matches!(kind.as_str(), "" | "submit")
        } else {
            kind == "submit"
        };
        if submits {
            let says = |text: &str| text.to_ascii_lowercase().contains(word);
            if self.pressed || !(says(value.unwrap_or_default()) || says(name) || says(label)) {
                return Ok(());
            }
            self.pressed = true;
        } else if tag.name == "button" || matches!(kind.as_str(), "button" | "reset" | "image" | "file") {
            return Ok(());
        }
        let checkable = matches!(kind.as_str(), "checkbox" | "radio");
        if name.is_empty() || tag.value("disabled").is_some() || (checkable && tag.value("checked").is_none()) {
            return Ok(());
        }
        if self.fields.len() >= FIELDS_MAX {
            return Err("has too many fields");
        }
        let value = value.unwrap_or(if checkable { "on" } else { "" });
        self.fields.push((name.into(), value.into()));
        Ok(())
    }
}

/// A tag: its name in small letters, with a slash in front where it closes, and its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.0 == name)
            .map(|attribute| attribute.1.as_str())
    }
}

/// The tags of a page, one after the other.
struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    /// The text up to the next tag.
    fn text(&self) -> &'a str {
        self.rest.split('<').next().unwrap_or_default()
    }

    fn next(&mut self) -> Option<Tag> {
        loop {
            let at = self.rest.find('<')?;
            self.rest = &self.rest[at + 1..];
            if let Some(comment) = self.rest.strip_prefix("!--") {
                self.rest = comment.split_once("-->")?.1;
                continue;
            }
            let len = self
                .rest
                .find(|letter: char| letter.is_ascii_whitespace() || letter == '>')?;
            let name = self.rest[..len].trim_end_matches('/').to_ascii_lowercase();
            self.rest = &self.rest[len..];
            let mut attributes = Vec::new();
            while let Some(attribute) = self.attribute()? {
                if attributes.len() < ATTRIBUTES_MAX {
                    attributes.push(attribute);
                }
            }
            if matches!(name.as_str(), "script" | "style") {
                // What stands in these is no markup.
                let end = self.rest.find(&format!("</{name}"))?;
                self.rest = &self.rest[end..];
                continue;
            }
            return Some(Tag { name, attributes });
        }
    }

    /// The next attribute; `Some(None)` behind the end of the tag, `None` where the page ends within it.
    fn attribute(&mut self) -> Option<Option<(String, String)>> {
        self.rest = self
            .rest
            .trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        if let Some(behind) = self.rest.strip_prefix('>') {
            self.rest = behind;
            return Some(None);
        }
        let first = self.rest.chars().next()?.len_utf8();
        let len = first
            + self.rest[first..]
                .find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '=' | '>' | '/'))?;
        let name = self.rest[..len].to_ascii_lowercase();
        self.rest = self.rest[len..].trim_start();
        let Some(value) = self.rest.strip_prefix('=') else {
            return Some(Some((name, String::new())));
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let (value, rest) = match quote {
            Some(quote) => value[1..].split_once(quote)?,
            None => value.split_at(value.find(|letter: char| letter.is_ascii_whitespace() || letter == '>')?),
        };
        self.rest = rest;
        Some(Some((name, unescaped(value))))
    }
}

/// HTML as text.
fn unescaped(html: &str) -> String {
    /// Longest name of a letter that is known.
    const NAME_LEN_MAX: usize = 8;
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let named = rest[1..].find(';').filter(|len| *len <= NAME_LEN_MAX);
        let letter = named.and_then(|len| letter(&rest[1..=len]).map(|letter| (letter, len)));
        let len = match letter {
            Some((letter, len)) => {
                out.push(letter);
                len + 2
            }
            None => {
                out.push('&');
                1
            }
        };
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

fn letter(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

/// Where a form on the page at `path` is sent.
fn resolved(action: &str, path: &str) -> Result<String, &'static str> {
    let page = path.split(['?', '#']).next().unwrap_or_default();
    let to = action.split('#').next().unwrap_or_default();
    let whole = if to.is_empty() {
        path.into()
    } else if to.starts_with("http://") || to.starts_with("https://") {
        path_of(to)
            .ok_or("has a form with an address that cannot be read")?
            .into()
    } else if to.starts_with('/') && !to.starts_with("//") {
        to.into()
    } else if to.starts_with('?') {
        format!("{page}{to}")
    } else if to.contains(':') || to.starts_with("//") {
        return Err("has a form that leads elsewhere");
    } else {
        let folder = page.rfind('/').map_or("/", |at| &page[..=at]);
        format!("{folder}{to}")
    };
    if is_path(&whole) {
        Ok(whole)
    } else {
        Err("has a form with an address that cannot be read")
    }
}

/// Path and query of an address; `None` if it is no address of a web server, or holds what none holds.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let rest = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"))?;
    let path = &rest[rest.find('/')?..];
    let path = path.split('#').next().unwrap_or_default();
    is_path(path).then_some(path)
}

/// Whether it can stand in a request line.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= PATH_LEN_MAX && path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn encoded(fields: &[(String, String)]) -> Result<String, &'static str> {
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
        if out.len() > BODY_LEN_MAX {
            return Err("has a form that is too long");
        }
    }
    Ok(out)
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(page: &str) -> Result<(String, String), &'static str> {
        press(page.as_bytes(), "/a/page?x=1", "complete").map(|press| (press.path, press.body))
    }

    #[test]
    fn a_form_is_sent_as_a_browser_sends_it() {
        let cases = [
            (
                "<!doctype html><form method=\"post\" action=\"/go/T\"><button type=\"submit\" name=\"outcome\" \
                 value=\"complete\">Complete</button><button name=\"outcome\" value=\"fail\">Fail</button></form>",
                ("/go/T", "outcome=complete"),
            ),
            (
                "<FORM ACTION='next?a=1&amp;b=2' METHOD=POST ><Input Type=hidden Name=t Value='1 &#38; &quot;2&quot;'/>\
                 <input type=checkbox name=no><input type=checkbox name=yes checked><button>Complete it</button></FORM>",
                ("/a/next?a=1&b=2", "t=1+%26+%222%22&yes=on"),
            ),
            (
                "<form method=post><input type=submit name=do value=Fail><input type=submit name=do value=Complete>",
                ("/a/page?x=1", "do=Complete"),
            ),
            (
                "<script>if (a<b) '<form method=get>'</script><!-- <form> --><form method=get><button>Complete</button>\
                 </form><form method=post action=http://h:1/x#y><button name=b value=COMPLETE></form>",
                ("/x", "b=COMPLETE"),
            ),
        ];
        for (page, (path, body)) in cases {
            assert_eq!(pressed(page), Ok((path.into(), body.into())), "{page}");
        }
    }

    #[test]
    fn a_page_that_cannot_be_read_says_what_it_lacks() {
        let many = "<input name=a>".repeat(FIELDS_MAX + 1);
        let cases = [
            ("", "no form"),
            ("{\"error\": {}}", "no form"),
            ("<form", "no form"),
            ("<form method=\"po", "no form"),
            ("<form method=post><button>Pay</button></form>", "such a button"),
            ("<form method=get><button>Complete</button></form>", "such a button"),
            (
                "<form method=post action=//else.where/x><button>Complete</button></form>",
                "elsewhere",
            ),
            (
                "<form method=post action='/a b'><button>Complete</button></form>",
                "cannot be read",
            ),
            (
                "<form method=post action='/a&#13;&#10;b'><button>Complete</button></form>",
                "cannot be read",
            ),
            (
                &format!("<form method=post>{many}<button>Complete</button></form>"),
                "too many fields",
            ),
            (&" ".repeat(PAGE_LEN_MAX + 1), "too long"),
        ];
        for (page, expected) in cases {
            let said = pressed(page).expect_err(&page[..page.len().min(80)]);
            assert!(said.contains(expected), "{}: {said}", &page[..page.len().min(80)]);
        }
    }

    #[test]
    fn every_beginning_of_a_page_is_read_without_harm() {
        let page =
            "<p>ä</p><form method='post' action=\"/ü\"><input type=hidden name=\"a&b\" value=ä/><button>Complete";
        for (at, _) in page.char_indices() {
            assert!(pressed(&page[..at]).is_err(), "{}", &page[..at]);
        }
    }

    #[test]
    fn an_address_gives_its_path() {
        assert_eq!(path_of("http://h:1/test/3ds/T?a=b#c"), Some("/test/3ds/T?a=b"));
        assert_eq!(path_of("https://h/x"), Some("/x"));
        for no in ["h/x", "http://h", "ftp://h/x", "http://h/a b", "http://h/\r\nX: y"] {
            assert_eq!(path_of(no), None, "{no}");
        }
    }
}

//! From path to operation: a tree of segments, compiled once.

use smallvec::SmallVec;
use std::borrow::Cow;
use tollgate_resource::Method;

/// Most segments of a path.
pub(super) const SEGMENTS_MAX: usize = 10;

/// The routes of a set of operations, which are known by their number.
#[derive(Debug, Default)]
pub(super) struct Routes {
    nodes: Vec<RouteNode>,
}

/// The path up to a segment.
#[derive(Debug, Default)]
struct RouteNode {
    /// Fixed segments below.
    fixed: Vec<(&'static str, usize)>,
    /// The variable segment below; operations may name it differently.
    variable: Option<usize>,
    /// Operations that end here.
    ends: Vec<(Method, usize)>,
}

/// What the variable segments of a path hold, percent-decoded.
pub(super) type Segments<'p> = SmallVec<[Cow<'p, str>; 2]>;

impl Routes {
    /// Compiles paths such as `/v1/payment_intents/{intent}/capture`.
    ///
    /// # Panics
    /// If two operations have the same method and path, or a path is not written like that.
    pub(super) fn new(operations: impl IntoIterator<Item = (Method, &'static str)>) -> Routes {
        let mut routes = Routes {
            nodes: vec![RouteNode::default()],
        };
        for (number, (method, path)) in operations.into_iter().enumerate() {
            let mut at = 0;
            let segments = path
                .strip_prefix('/')
                .unwrap_or_else(|| panic!("{path} does not start with a slash"));
            assert!(
                segments.split('/').count() <= SEGMENTS_MAX,
                "{path} has more than {SEGMENTS_MAX} segments"
            );
            for segment in segments.split('/') {
                assert!(!segment.is_empty(), "{path} has an empty segment");
                at = routes.below(at, segment);
            }
            let ends = &mut routes.nodes[at].ends;
            assert!(
                ends.iter().all(|(known, _)| *known != method),
                "two operations at {} {path}",
                method.name()
            );
            ends.push((method, number));
        }
        routes
    }

    /// The number of the operation at `path`, and its variable segments. A trailing slash leads nowhere.
    pub(super) fn find<'p>(&self, method: &str, path: &'p str) -> Option<(usize, Segments<'p>)> {
        let mut parts: SmallVec<[Cow<'p, str>; SEGMENTS_MAX]> = SmallVec::new();
        let mut rest = path.strip_prefix('/')?;
        // One look at each byte: where segments end, and that none needs unescaping, as a rule.
        loop {
            let (mut end, mut plain) = (rest.len(), true);
            for (at, byte) in rest.bytes().enumerate() {
                if byte == b'/' {
                    end = at;
                    break;
                }
                plain &= (byte != b'%') & (byte != 0);
            }
            if parts.len() == SEGMENTS_MAX || end == 0 {
                return None;
            }
            let part = &rest[..end];
            parts.push(if plain { Cow::Borrowed(part) } else { unescape(part)? });
            if end == rest.len() {
                break;
            }
            rest = &rest[end + 1..];
        }
        let mut segments = Segments::new();
        let number = self.search(0, &mut parts, 0, method, &mut segments)?;
        Some((number, segments))
    }

    /// Fixed segments go before variable ones; a way that ends nowhere is given up for the other.
    fn search<'p>(
        &self,
        at: usize,
        parts: &mut [Cow<'p, str>],
        depth: usize,
        method: &str,
        segments: &mut Segments<'p>,
    ) -> Option<usize> {
        let node = &self.nodes[at];
        let Some(part) = parts.get(depth) else {
            return node
                .ends
                .iter()
                .find(|(known, _)| known.name() == method)
                .map(|(_, number)| *number);
        };
        let fixed = node.fixed.iter().find(|(fixed, _)| *fixed == *part);
        if let Some(number) = fixed.and_then(|(_, next)| self.search(*next, parts, depth + 1, method, segments)) {
            return Some(number);
        }
        let next = node.variable?;
        segments.push(parts[depth].clone());
        let found = self.search(next, parts, depth + 1, method, segments);
        if found.is_none() {
            segments.pop();
        }
        found
    }

    fn below(&mut self, at: usize, segment: &'static str) -> usize {
        let fresh = self.nodes.len();
        let node = &mut self.nodes[at];
        let known = if segment.starts_with('{') {
            *node.variable.get_or_insert(fresh)
        } else {
            match node.fixed.iter().find(|(fixed, _)| *fixed == segment) {
                Some((_, next)) => *next,
                None => {
                    node.fixed.push((segment, fresh));
                    fresh
                }
            }
        };
        if known == fresh {
            self.nodes.push(RouteNode::default());
        }
        known
    }
}

/// Percent-decodes a segment; `None` for bad escapes, NUL and what is no UTF-8. A plus is a plus.
fn unescape(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return (!segment.contains('\0')).then_some(Cow::Borrowed(segment));
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    if out.contains(&0) {
        return None;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[(Method, &str)] = &[
        (Method::Get, "/v1/charges"),
        (Method::Get, "/v1/charges/{charge}"),
        (Method::Get, "/v1/charges/search"),
        (Method::Post, "/v1/charges/{charge}"),
        (Method::Post, "/v1/charges/{charge}/capture"),
        (Method::Get, "/v1/charges/{charge}/refunds/{refund}"),
    ];

    #[test]
    fn paths_lead_to_operations() {
        let routes = Routes::new(ROUTES.iter().copied());
        type Found = Option<(usize, &'static [&'static str])>;
        let cases: &[(&str, &str, Found)] = &[
            ("GET", "/v1/charges", Some((0, &[]))),
            ("GET", "/v1/charges/ch_1", Some((1, &["ch_1"]))),
            ("GET", "/v1/charges/search", Some((2, &[]))),
            ("POST", "/v1/charges/search", Some((3, &["search"]))),
            ("POST", "/v1/charges/ch_1/capture", Some((4, &["ch_1"]))),
            (
                "GET",
                "/v1/charges/a%2Fb%20c/refunds/re+1",
                Some((5, &["a/b c", "re+1"])),
            ),
            ("GET", "/v1/%63harges", Some((0, &[]))),
            ("DELETE", "/v1/charges", None),
            ("get", "/v1/charges", None),
            ("GET", "/v1/charges/", None),
            ("GET", "/v1//charges", None),
            ("GET", "//v1/charges", None),
            ("GET", "/v1/charges/ch_1/", None),
            ("GET", "/v1/charges/%", None),
            ("GET", "/v1/charges/%00", None),
            ("GET", "/v1/charges/%ff", None),
            ("GET", "/", None),
            ("GET", "", None),
            ("GET", "*", None),
            ("GET", "/a/b/c/d/e/f/g/h/i/j/k", None),
        ];
        for (method, path, expected) in cases {
            let found = routes.find(method, path);
            let found = found.as_ref().map(|(number, segments)| {
                (
                    *number,
                    segments.iter().map(|segment| segment.as_ref()).collect::<Vec<_>>(),
                )
            });
            assert_eq!(
                found,
                expected.map(|(number, segments)| (number, segments.to_vec())),
                "{method} {path}"
            );
        }
    }
}

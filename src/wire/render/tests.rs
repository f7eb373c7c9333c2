//! Golden answers: what each kind of value looks like, at old and new versions.

use super::show::{Attached, Show};
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Expand, Id, Kind, Metadata, Ref, Shown, SubList, Version};

static THING: Kind = Kind {
    number: 1,
    prefix: "th",
    object: "thing",
    other: None,
};
static PART: Kind = Kind {
    number: 2,
    prefix: "pt",
    object: "part",
    other: None,
};

const OLD: Version = Version(20200827);

/// A thing made of parts.
#[derive(Shown)]
#[shown(object = "thing")]
struct ThingShown<'a> {
    id: Ident,
    active: bool,
    amount: i64,
    #[shown(until = 20221115)]
    ancient: Option<i64>,
    checks: Option<ChecksShown<'a>>,
    created: Seconds,
    empty: NothingShown,
    history: Vec<ChecksShown<'a>>,
    metadata: &'a Metadata,
    #[shown(since = 20221115)]
    modern: i64,
    #[shown(revision = 2)]
    newer: i64,
    #[shown(omit)]
    note: Option<&'a str>,
    #[shown(expand)]
    part: Option<Ref>,
    #[shown(included_until = 20221115)]
    parts: SubList<'a>,
    secret: String,
    tags: Vec<&'a str>,
    #[shown(expand)]
    twin: Option<Ref>,
}

/// Checks of a thing.
#[derive(Shown)]
struct ChecksShown<'a> {
    line1: Option<&'a str>,
    #[shown(expand)]
    part: Option<Ref>,
}

/// Nothing.
#[derive(Shown)]
struct NothingShown {}

/// A part.
#[derive(Shown)]
#[shown(object = "part")]
struct PartShown {
    id: Ident,
    #[shown(expand)]
    thing: Option<Ref>,
}

/// Parts are at hand, things are not.
struct Parts;

impl Attached for Parts {
    fn show(&self, kind: &'static Kind, id: Id, with: &mut dyn FnMut(&dyn Shown)) -> bool {
        if *kind != PART {
            return false;
        }
        with(&PartShown {
            id: Ident { kind, id },
            thing: Some(Ref {
                kind: &THING,
                id: id_of(&THING, 1),
            }),
        });
        true
    }
}

fn id_of(kind: &Kind, seq: u64) -> Id {
    Id::new(kind, 1_795_000_000_000, seq, 7)
}

fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    let mut metadata = Metadata::default();
    pairs.iter().for_each(|(key, value)| metadata.set(key, value));
    metadata
}

fn thing<'a>(metadata: &'a Metadata, parts: &'a [Id]) -> ThingShown<'a> {
    ThingShown {
        id: Ident {
            kind: &THING,
            id: id_of(&THING, 1),
        },
        active: true,
        amount: -5,
        ancient: None,
        checks: Some(ChecksShown {
            line1: Some("1 \"High\" St"),
            part: Some(Ref {
                kind: &PART,
                id: id_of(&PART, 3),
            }),
        }),
        created: Seconds(1_795_000_000),
        empty: NothingShown {},
        history: Vec::new(),
        metadata,
        modern: 1,
        newer: 2,
        note: None,
        part: Some(Ref {
            kind: &PART,
            id: id_of(&PART, 2),
        }),
        parts: SubList {
            kind: &PART,
            also: &[],
            ids: parts,
            has_more: true,
            total: 12,
            url: "/v1/parts?thing=th_1",
            of: None,
        },
        secret: "s3".into(),
        tags: vec!["a", "b"],
        twin: Some(Ref {
            kind: &THING,
            id: id_of(&THING, 9),
        }),
    }
}

fn show(version: Version, revision: u16, with: impl FnOnce(&mut Show<'_>)) -> String {
    let mut out = Vec::new();
    with(&mut Show {
        out: &mut out,
        version,
        revision,
        attached: &Parts,
        previous_whole: false,
    });
    serde_json::from_slice::<serde_json::Value>(&out).expect("it is JSON");
    let text = String::from_utf8(out).expect("it is text");
    // Ids end in the digits of their check; short names keep the goldens readable.
    [(&THING, 1), (&THING, 9), (&PART, 2), (&PART, 3)]
        .iter()
        .fold(text, |text, (kind, seq)| {
            text.replace(&id_of(kind, *seq).text(kind), &format!("{}_{seq}", kind.prefix))
        })
}

fn expand(paths: &[&str]) -> Expand {
    let mut expand = Expand::default();
    paths
        .iter()
        .for_each(|path| expand.add(&path.split('.').collect::<Vec<_>>()));
    expand
}

fn check(found: &str, expected: &str) {
    let margin = |line: &str| line.len() - line.trim_start().len();
    let expected = expected.trim_matches('\n').trim_end();
    let cut = margin(expected);
    let expected: Vec<&str> = expected.lines().map(|line| &line[cut.min(margin(line))..]).collect();
    assert_eq!(found, expected.join("\n"), "found:\n{found}");
}

#[test]
fn an_object_at_the_newest_version() {
    let metadata = metadata(&[("z", "1"), ("a\n", "é")]);
    let thing = thing(&metadata, &[]);
    let found = show(Version::NEWEST, 1, |show| show.node(&thing, Expand::NONE, 0));
    check(
        &found,
        r#"
        {
          "id": "th_1",
          "object": "thing",
          "active": true,
          "amount": -5,
          "checks": {
            "line1": "1 \"High\" St",
            "part": "pt_3"
          },
          "created": 1795000000,
          "empty": {},
          "history": [],
          "metadata": {
            "z": "1",
            "a\n": "é"
          },
          "modern": 1,
          "part": "pt_2",
          "secret": "s3",
          "tags": [
            "a",
            "b"
          ],
          "twin": "th_9"
        }"#,
    );
}

#[test]
fn an_old_version_includes_lists_and_lacks_newer_fields() {
    let (metadata, parts) = (metadata(&[]), [id_of(&PART, 3), id_of(&PART, 2)]);
    let thing = thing(&metadata, &parts);
    let found = show(OLD, 2, |show| show.node(&thing, Expand::NONE, 0));
    check(
        &found,
        r#"
        {
          "id": "th_1",
          "object": "thing",
          "active": true,
          "amount": -5,
          "ancient": null,
          "checks": {
            "line1": "1 \"High\" St",
            "part": "pt_3"
          },
          "created": 1795000000,
          "empty": {},
          "history": [],
          "metadata": {},
          "newer": 2,
          "part": "pt_2",
          "parts": {
            "object": "list",
            "data": [
              {
                "id": "pt_3",
                "object": "part",
                "thing": "th_1"
              },
              {
                "id": "pt_2",
                "object": "part",
                "thing": "th_1"
              }
            ],
            "has_more": true,
            "total_count": 12,
            "url": "/v1/parts?thing=th_1"
          },
          "secret": "s3",
          "tags": [
            "a",
            "b"
          ],
          "twin": "th_9"
        }"#,
    );
}

#[test]
fn references_are_expanded_in_place_and_missing_objects_leave_their_id() {
    let (metadata, parts) = (metadata(&[]), [id_of(&PART, 2)]);
    let thing = ThingShown {
        history: vec![ChecksShown {
            line1: None,
            part: None,
        }],
        ..thing(&metadata, &parts)
    };
    let expand = expand(&["part.thing", "checks.part", "parts.data.thing", "twin"]);
    let found = show(Version::NEWEST, 1, |show| show.node(&thing, &expand, 0));
    check(
        &found,
        r#"
        {
          "id": "th_1",
          "object": "thing",
          "active": true,
          "amount": -5,
          "checks": {
            "line1": "1 \"High\" St",
            "part": {
              "id": "pt_3",
              "object": "part",
              "thing": "th_1"
            }
          },
          "created": 1795000000,
          "empty": {},
          "history": [
            {
              "line1": null,
              "part": null
            }
          ],
          "metadata": {},
          "modern": 1,
          "part": {
            "id": "pt_2",
            "object": "part",
            "thing": "th_1"
          },
          "parts": {
            "object": "list",
            "data": [
              {
                "id": "pt_2",
                "object": "part",
                "thing": "th_1"
              }
            ],
            "has_more": true,
            "total_count": 12,
            "url": "/v1/parts?thing=th_1"
          },
          "secret": "s3",
          "tags": [
            "a",
            "b"
          ],
          "twin": "th_9"
        }"#,
    );
}

#[test]
fn previous_attributes_are_the_old_values_of_what_changed() {
    let (before, after) = (metadata(&[("kept", "1"), ("changed", "2"), ("gone", "3")]), {
        metadata(&[("kept", "1"), ("changed", "9"), ("new", "4")])
    });
    let parts = [id_of(&PART, 2)];
    let old = thing(&before, &[]);
    let new = ThingShown {
        amount: 7,
        checks: Some(ChecksShown {
            line1: None,
            part: Some(Ref {
                kind: &PART,
                id: id_of(&PART, 3),
            }),
        }),
        note: Some("now"),
        parts: SubList {
            total: 13,
            ..thing(&after, &parts).parts
        },
        tags: vec!["a"],
        twin: None,
        ..thing(&after, &parts)
    };
    let found = show(Version::NEWEST, 1, |show| super::previous::write(show, &old, &new, 0));
    check(
        &found,
        r#"
        {
          "amount": -5,
          "checks": {
            "line1": "1 \"High\" St"
          },
          "metadata": {
            "changed": "2",
            "gone": "3",
            "new": null
          },
          "note": null,
          "tags": [
            "a",
            "b"
          ],
          "twin": "th_9"
        }"#,
    );
    let found = show(OLD, 1, |show| super::previous::write(show, &old, &new, 0));
    assert!(
        found.contains("\"parts\": {\n    \"data\": [],\n    \"total_count\": 12\n  }"),
        "{found}"
    );
    let same = show(OLD, 1, |show| super::previous::write(show, &old, &old, 0));
    assert_eq!(same, "{}");
}

#[test]
fn lists_have_their_members_in_the_usual_order() {
    let found = show(Version::NEWEST, 1, |show| {
        show.list("/v1/parts", None, false, 2, 0, &mut |show, at, depth| {
            show.object(&PART, id_of(&PART, at as u64 + 2), Expand::NONE, depth);
        });
    });
    check(
        &found,
        r#"
        {
          "object": "list",
          "data": [
            {
              "id": "pt_2",
              "object": "part",
              "thing": "th_1"
            },
            {
              "id": "pt_3",
              "object": "part",
              "thing": "th_1"
            }
          ],
          "has_more": false,
          "url": "/v1/parts"
        }"#,
    );
    let empty = show(Version::NEWEST, 1, |show| {
        show.list("/v1/parts", None, false, 0, 0, &mut |_, _, _| {})
    });
    assert!(empty.contains("\"data\": [],"), "{empty}");
}

#[test]
fn error_bodies_are_alphabetical() {
    let mut reject = tollgate_domain::Reject::invalid(Some("parameter_missing"), "Missing required param: amount.");
    reject.param = Some("amount".into());
    assert_eq!(
        show(Version::NEWEST, 1, |show| super::reject::write(
            &reject,
            Some("https://t.test/logs/req_1?t=1"),
            show
        )),
        r#"{
  "error": {
    "code": "parameter_missing",
    "doc_url": "https://stripe.com/docs/error-codes/parameter-missing",
    "message": "Missing required param: amount.",
    "param": "amount",
    "request_log_url": "https://t.test/logs/req_1?t=1",
    "type": "invalid_request_error"
  }
}"#
    );
}

use super::*;
use crate::catalogue::sample::catalogue;

#[test]
fn every_operation_parameter_object_and_field_appears() {
    let html = page(&catalogue());
    for name in [
        "send_parcel",
        "list_parcels",
        "retrieve_parcel",
        "object-Parcel",
        "object-Address",
        "object-Courier",
    ] {
        assert!(html.contains(&format!("id=\"{name}\"")), "{name}");
    }
    for name in [
        "weight",
        "addresses",
        "line1",
        "stones",
        "limit",
        "legacy_weight",
        "inside",
        "stops",
        "expand",
    ] {
        assert!(html.contains(&format!("<code>{name}</code>")), "{name}");
    }
    for words in [
        "whole number from 1 to 30000, required",
        "small or very_large",
        "text up to 5000 characters, an empty text unsets it",
        "array of up to 3: hash",
        "true or false, required, before 2022-11-15",
        "list, included before 2022-11-15, expandable since",
        "id or null, expandable to <a href=\"#object-Courier\">Courier</a></span>",
        "POST /v1/parcels",
    ] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn text_is_escaped() {
    let html = page(&catalogue());
    assert!(html.contains("<p>A parcel &amp; its &lt;contents&gt;.</p>"));
    assert!(html.contains("<p>Its <code>size</code>.</p>"));
    let mut hostile = Page { html: String::new() };
    hostile.heading(2, "\"><script>", "</h2>'");
    assert_eq!(
        hostile.html,
        "<h2 id=\"&quot;&gt;&lt;script&gt;\">&lt;/h2&gt;&#39;</h2>\n"
    );
}

#[test]
fn links_lead_somewhere_and_nothing_is_loaded() {
    let html = page(&catalogue());
    for part in html.split("href=\"").skip(1) {
        let target = part.split('"').next().unwrap();
        let id = target.strip_prefix('#').expect("links stay on the page");
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{target}");
    }
    for loaded in ["<script", "<link", "<img", "src=", "url(", "http://", "https://"] {
        assert!(!html.contains(loaded), "{loaded}");
    }
}

#[test]
fn elements_are_balanced() {
    let html = page(&catalogue());
    for element in [
        "html", "head", "body", "nav", "main", "pre", "details", "summary", "ul", "li", "dl", "dt", "dd", "p", "span",
        "a", "code", "h2", "h3",
    ] {
        let opened = html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "{element}");
    }
}

#[test]
fn every_example_is_shown_as_it_runs() {
    let html = page(&catalogue());
    for example in &EXAMPLES {
        for (_, text) in example.ways {
            let mut shown = Page { html: String::new() };
            shown.text(text);
            assert!(text.len() > 100 && html.contains(&shown.html), "{}", example.name);
        }
    }
}

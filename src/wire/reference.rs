//! The reference page: one plain HTML page for people, read off the same declarations as the OpenAPI document.

mod examples;

use crate::catalogue::{Catalogue, date, expandable_objects, path_names, title};
use examples::EXAMPLES;
use std::fmt::Write;
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, FieldShape, Method, ParamField, ParamKind, ParamsShape, Shape, ValueKind, Version};

/// The page for `endpoints`: self-contained, without scripts and without anything to load. Panics when two different
/// shapes share a name.
pub fn reference_page<C>(endpoints: &[&Endpoint<C>]) -> String {
    page(&Catalogue::new(endpoints, &expandable_objects()))
}

fn page<C>(catalogue: &Catalogue<'_, C>) -> String {
    let mut page = Page {
        html: String::with_capacity(1 << 16),
    };
    page.raw(HEAD);
    page.contents(catalogue);
    page.raw("<main>\n<h1>Tollgate reference</h1>\n");
    page.raw(CONVENTIONS);
    page.examples();
    for (resource, operations) in &catalogue.resources {
        page.heading(2, resource, &title(resource));
        operations.iter().for_each(|endpoint| page.operation(endpoint));
    }
    page.heading(2, "objects", "Objects");
    page.raw("<p>What answers are made of, in the newest version. Members stand in the order they are printed.</p>\n");
    catalogue.shapes.values().for_each(|shape| page.shape(shape, catalogue));
    page.raw("</main>\n</body>\n</html>\n");
    page.html
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Tollgate reference</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 16rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; box-sizing: border-box; padding: 1rem; font-size: 0.9rem; border-right: 1px solid #8884; }
nav ul { list-style: none; margin: 0 0 0.8rem; padding: 0; }
nav a { text-decoration: none; }
main { padding: 1rem 2rem 6rem; max-width: 60rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid #8884; }
h3 { margin-top: 2rem; }
code { font: 0.9em ui-monospace, monospace; }
.call { padding: 0.4rem 0.6rem; background: #8882; border-radius: 4px; overflow-x: auto; display: block; }
dl { margin: 0.5rem 0; }
dt { margin-top: 0.6rem; }
dd { margin: 0 0 0 1.2rem; }
dd p { margin: 0.1rem 0; }
dd dl { border-left: 2px solid #8884; padding-left: 0.8rem; }
pre { padding: 0.6rem; background: #8882; border-radius: 4px; overflow-x: auto; }
.facts { opacity: 0.75; font-size: 0.9em; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 1rem; } }
</style>
</head>
<body>
";

const CONVENTIONS: &str = "<h2 id=\"conventions\">Conventions</h2>
<dl>
<dt>Keys</dt>
<dd><p>Send the secret key as <code>Authorization: Bearer sk_…</code>, or as the user name of basic authentication with an empty password.</p></dd>
<dt>Parameters</dt>
<dd><p>Form-encoded: in the body of a POST, in the query string of a GET. Nested hashes are written <code>card[exp_month]=12</code>, arrays <code>types[0]=card</code>. An empty text unsets a parameter that can be unset. Amounts are whole numbers in the smallest unit of their currency; times are seconds since 1970.</p></dd>
<dt>Versions</dt>
<dd><p>The header <code>Stripe-Version</code> chooses the version of request and answer; without it the account’s version counts.</p></dd>
<dt>Retries</dt>
<dd><p>A POST with the header <code>Idempotency-Key</code> may be sent again: it gets the first answer and changes nothing more.</p></dd>
<dt>Expansion</dt>
<dd><p>A reference marked <em>expandable</em> is shown as a whole object when named: <code>expand[0]=latest_charge</code>, or <code>expand[0]=data.customer</code> in a list.</p></dd>
<dt>Lists</dt>
<dd><p>Newest first: <code>data</code> holds a page, <code>has_more</code> says whether it goes on. The next page starts with <code>starting_after</code> set to the last id. An index finds a list by time, customer, payment, charge or file; customers by <code>email</code>, charges by <code>transfer_group</code>, setup intents by <code>payment_method</code>, balance transactions by <code>source</code> and <code>type</code>, files by <code>purpose</code>. What a customer has saved is few. Two filters look at objects one by one, newest first, up to 100,000 for a page: <code>currency</code> of balance transactions, because the usual one is found at once and a mark for each would be a cost to every payment, and <code>expired</code> of file links, because it changes with time alone (those that never expire are passed over). A page that found some by then ends early, with <code>has_more</code>; where none was found the list is refused, and says after which id to go on. <code>created</code> narrows what is looked at.</p></dd>
<dt>Search</dt>
<dd><p>A <code>query</code> is one or more clauses joined by <code>AND</code> (or nothing), or by <code>OR</code>; the two are not mixed. A clause is <code>field:'value'</code>, <code>field~'part'</code> (text, at least three characters), <code>amount&gt;=1000</code> (numbers: <code>&lt; &lt;= &gt; &gt;= =</code>), <code>metadata['key']:'value'</code> or <code>field:null</code>; a minus before it turns it round. Letter case does not count. What was acknowledged is found at once. A page looks at up to 10,000 objects, newest first, and at up to 100,000 while it has found none; then it ends early, and <code>next_page</code> goes on. <code>created</code> and <code>customer</code> narrow what is looked at. <code>total_count</code>, if expanded, counts among the newest 10,000.</p></dd>
<dt>Events</dt>
<dd><p>Shown for 30 days. <code>delivery_success</code> tells what webhooks have taken; until there are webhooks every event counts as taken.</p></dd>
<dt>Errors</dt>
<dd><p>The body is <code>{\"error\": {…}}</code> with <code>type</code>, <code>message</code> and, where they apply, <code>code</code>, <code>param</code> and <code>decline_code</code>.</p></dd>
</dl>
";

/// The page as it grows.
struct Page {
    html: String,
}

impl Page {
    /// Appends markup as it is.
    fn raw(&mut self, markup: &str) {
        self.html.push_str(markup);
    }

    /// Appends text, escaped for content and attributes.
    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                letter => self.html.push(letter),
            }
        }
    }

    fn code(&mut self, text: &str) {
        self.raw("<code>");
        self.text(text);
        self.raw("</code>");
    }

    fn link(&mut self, to: &str, text: &str) {
        self.raw("<a href=\"#");
        self.text(to);
        self.raw("\">");
        self.text(text);
        self.raw("</a>");
    }

    fn heading(&mut self, level: u8, id: &str, text: &str) {
        write!(self.html, "<h{level} id=\"").expect("writing to a string cannot fail");
        self.text(id);
        self.raw("\">");
        self.text(text);
        writeln!(self.html, "</h{level}>").expect("writing to a string cannot fail");
    }

    /// Doc text; an empty line starts a new paragraph.
    fn doc(&mut self, doc: &str) {
        for paragraph in doc.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            self.raw("<p>");
            // Text between back quotes is code, as in the doc comments it comes from.
            for (at, part) in paragraph.split('`').enumerate() {
                if at % 2 == 1 { self.code(part) } else { self.text(part) }
            }
            self.raw("</p>\n");
        }
    }

    fn contents<C>(&mut self, catalogue: &Catalogue<'_, C>) {
        self.raw("<nav>\n<ul><li>");
        self.link("conventions", "Conventions");
        self.raw("</li><li>");
        self.link("examples", "Examples");
        self.raw("</li></ul>\n");
        for (resource, operations) in &catalogue.resources {
            self.link(resource, &title(resource));
            self.raw("\n<ul>");
            for endpoint in operations {
                self.raw("<li>");
                self.link(endpoint.name, &endpoint.name.replace('_', " "));
                self.raw("</li>");
            }
            self.raw("</ul>\n");
        }
        self.link("objects", "Objects");
        self.raw("\n<ul>");
        for name in catalogue.shapes.keys() {
            self.raw("<li>");
            self.link(&anchor(name), name);
            self.raw("</li>");
        }
        self.raw("</ul>\n</nav>\n");
    }

    fn examples(&mut self) {
        self.heading(2, "examples", "Examples");
        self.raw(
            "<p>Set <code>TOLLGATE_URL</code> to the address of this server and <code>TOLLGATE_KEY</code> to a secret \
             key. Python and Node use the official SDKs.</p>\n",
        );
        for example in &EXAMPLES {
            self.heading(3, &format!("example-{}", example.name), example.title);
            for (way, text) in example.ways {
                self.raw("<details><summary>");
                self.text(way);
                self.raw("</summary><pre><code>");
                self.text(text);
                self.raw("</code></pre></details>\n");
            }
        }
    }

    fn operation<C>(&mut self, endpoint: &Endpoint<C>) {
        self.heading(3, endpoint.name, &title(endpoint.name));
        self.raw("<code class=\"call\">");
        self.text(&format!("{} {}", endpoint.method.name(), endpoint.path));
        self.raw("</code>\n");
        self.doc(endpoint.doc);
        self.raw("<p>Answers with ");
        match endpoint.answers {
            Answers::One(shape) => self.link(&anchor(shape.name), shape.name),
            Answers::Contents(shape) => {
                self.raw("the bytes of a ");
                self.link(&anchor(shape.name), shape.name);
            }
            Answers::Many(shape) => {
                self.raw("a list of ");
                self.link(&anchor(shape.name), shape.name);
            }
            Answers::Found(shape) => {
                self.raw("a page of a search among ");
                self.link(&anchor(shape.name), shape.name);
            }
        }
        self.raw(".</p>\n<dl>\n");
        for name in path_names(endpoint.path) {
            self.raw("<dt>");
            self.code(name);
            self.raw(" <span class=\"facts\">in the path, required</span></dt>\n");
        }
        self.params(endpoint.params);
        self.raw("<dt>");
        self.code("expand");
        self.raw(" <span class=\"facts\">array of text</span></dt>\n");
        if endpoint.method == Method::Post {
            self.raw("<dt>");
            self.code("Idempotency-Key");
            self.raw(" <span class=\"facts\">header, text up to 255 characters</span></dt>\n");
        }
        self.raw("</dl>\n");
    }

    fn params(&mut self, params: &ParamsShape) {
        params.fields.iter().for_each(|field| self.param(field));
    }

    fn param(&mut self, field: &ParamField) {
        self.raw("<dt>");
        self.code(field.name);
        self.raw(" <span class=\"facts\">");
        let mut facts = vec![param_words(&field.kind)];
        if field.required {
            facts.push("required".into());
        }
        if field.clearable {
            facts.push("an empty text unsets it".into());
        }
        facts.extend(version_words(field.since, field.until));
        self.text(&facts.join(", "));
        self.raw("</span></dt>\n<dd>");
        self.doc(field.doc);
        self.nested_params(&field.kind);
        self.raw("</dd>\n");
    }

    fn nested_params(&mut self, kind: &ParamKind) {
        match kind {
            ParamKind::Node(shape) => {
                self.raw("<dl>\n");
                self.params(shape);
                self.raw("</dl>\n");
            }
            ParamKind::List { of, .. } => self.nested_params(of),
            _ => {}
        }
    }

    fn shape<C>(&mut self, shape: &Shape, catalogue: &Catalogue<'_, C>) {
        self.heading(3, &anchor(shape.name), shape.name);
        self.doc(shape.doc);
        self.raw("<dl>\n");
        shape.fields.iter().for_each(|field| self.field(field, catalogue));
        self.raw("</dl>\n");
    }

    fn field<C>(&mut self, field: &FieldShape, catalogue: &Catalogue<'_, C>) {
        self.raw("<dt>");
        self.code(field.name);
        self.raw(" <span class=\"facts\">");
        self.value(&field.kind);
        if field.nullable {
            self.raw(" or null");
        }
        if field.omit {
            self.raw(", left out without a value");
        }
        if field.expand {
            self.raw(", expandable");
            if let Some(shape) = catalogue.referable(field.name) {
                self.raw(" to ");
                self.link(&anchor(shape.name), shape.name);
            }
        }
        if field.included_until != Version::ALWAYS {
            self.text(&format!(
                ", included before {}, expandable since",
                date(field.included_until)
            ));
        }
        if let Some(words) = version_words(field.since, field.until) {
            self.text(&format!(", {words}"));
        }
        self.raw("</span></dt>\n<dd>");
        self.doc(field.doc);
        self.raw("</dd>\n");
    }

    fn value(&mut self, kind: &ValueKind) {
        match kind {
            ValueKind::Bool => self.raw("true or false"),
            ValueKind::Int => self.raw("whole number"),
            ValueKind::Timestamp => self.raw("time in seconds"),
            ValueKind::Str => self.raw("text"),
            ValueKind::Names(names) => self.text(&one_of(names)),
            ValueKind::Object(object) => self.text(&format!("always {object}")),
            ValueKind::Ref => self.raw("id"),
            ValueKind::Node(shape) => self.link(&anchor(shape.name), shape.name),
            ValueKind::Named(name) => self.link(&anchor(name), name),
            ValueKind::List(of) => {
                self.raw("array of ");
                self.value(of);
            }
            ValueKind::Map => self.raw("hash of texts"),
            ValueKind::SubList => self.raw("list"),
            ValueKind::Any => self.raw("any object, or some of its members"),
        }
    }
}

/// Where an object stands on the page; apart from the names of operations and resources.
fn anchor(shape: &str) -> String {
    format!("object-{shape}")
}

fn param_words(kind: &ParamKind) -> String {
    match kind {
        ParamKind::Int {
            min: i64::MIN,
            max: i64::MAX,
        } => "whole number".into(),
        ParamKind::Int { min, max: i64::MAX } => format!("whole number from {min}"),
        ParamKind::Int { min: i64::MIN, max } => format!("whole number up to {max}"),
        ParamKind::Int { min, max } => format!("whole number from {min} to {max}"),
        ParamKind::Bool => "true or false".into(),
        ParamKind::Str { max_len } => format!("text up to {max_len} characters"),
        ParamKind::Names(names) => one_of(names),
        ParamKind::Id(kind) => format!("id of a {}, {}_…", kind.object.replace('_', " "), kind.prefix),
        ParamKind::Word(word) => word.replace('_', " "),
        ParamKind::Secret(word) => format!("{}, never shown again", word.replace('_', " ")),
        ParamKind::Metadata => "hash of texts".into(),
        ParamKind::Node(_) => "hash".into(),
        ParamKind::File => "a file, as a part of a multipart form".into(),
        ParamKind::Range => "whole number, or a hash of gt, gte, lt, lte".into(),
        ParamKind::List { of, max_items } => format!("array of up to {max_items}: {}", param_words(of)),
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "no word".into(),
        [only] => (*only).into(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn version_words(since: Version, until: Version) -> Option<String> {
    match (since != Version::ALWAYS, until != Version::NEVER) {
        (false, false) => None,
        (true, false) => Some(format!("since {}", date(since))),
        (false, true) => Some(format!("before {}", date(until))),
        (true, true) => Some(format!("from {} until before {}", date(since), date(until))),
    }
}

#[cfg(test)]
mod tests;

//! Pages for people: text as HTML, and the frame around it.

/// Text as HTML, also between quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A whole page. It loads nothing, runs nothing, and search engines leave it out. `title`, `style` and `body` are HTML.
pub(crate) fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<title>{title}\
         </title>\n<style>body {{ font: 16px/1.5 sans-serif; max-width: 32em; margin: 4em auto; padding: 0 1em }} \
         {style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_read_as_html() {
        assert_eq!(
            escaped("<a href=\"x\">Tom & Jerry's ä</a>"),
            "&lt;a href=&quot;x&quot;&gt;Tom &amp; Jerry&#39;s ä&lt;/a&gt;"
        );
    }
}

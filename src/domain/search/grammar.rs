//! The language of queries:
//!
//! ```text
//! query    = clause *( [ "AND" ] clause ) | clause *( "OR" clause )
//! clause   = [ "-" ] name operator value
//! name     = field | "metadata[" quoted "]"
//! operator = ":" | "~" | "=" | "<" | "<=" | ">" | ">="
//! value    = quoted | number | word | "null"
//! quoted   = "'" text "'" | '"' text '"'      a backslash takes the next character as it is
//! ```
//! `AND` and `OR` are written in any letter case; clauses without one between them are joined by `AND`. The two are not
//! mixed and there are no parentheses, so a query reads the same from either end.

use super::fields::{Field, FieldKind, Searched};

/// Most clauses of a query.
pub const CLAUSES_MAX: usize = 10;
/// Fewest characters that `~` looks for.
pub const SUBSTRING_MIN: usize = 3;
/// Characters of a word that a message repeats.
const ECHO_MAX: usize = 100;

/// A query that was read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// How its clauses are joined.
    pub join: Join,
    /// At least one.
    pub clauses: Vec<Clause>,
}

/// How clauses are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Whether it must not hold.
    pub negated: bool,
    /// What is looked at.
    pub subject: Subject,
    /// How it is compared, and with what.
    pub test: Operand,
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the resource.
    Field(&'static Field),
    /// A value of the metadata, by its key.
    Metadata(Box<str>),
}

/// A comparison with its right side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Is not set.
    Null,
    /// Is this text, in any letter case.
    Is(Box<str>),
    /// Contains this text; lower case.
    Contains(Box<str>),
    /// Stands so to this number.
    Number(Operator, i64),
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `:` or `=`.
    Equal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Query {
    /// Reads a query about a resource.
    ///
    /// # Errors
    /// A message for the caller that names what is wrong.
    pub fn parse(text: &str, searched: &Searched) -> Result<Query, String> {
        let mut words = Words { rest: text };
        let mut clauses = Vec::new();
        let mut join = None;
        loop {
            if clauses.len() == CLAUSES_MAX {
                return Err(format!("A search query can have at most {CLAUSES_MAX} clauses."));
            }
            clauses.push(words.clause(searched)?);
            words.skip_space();
            if words.rest.is_empty() {
                break;
            }
            let next = words.connective();
            if join.is_some_and(|known| known != next) {
                return Err(
                    "A search query can't combine `AND` and `OR`. Use one of them for all of its clauses.".to_owned(),
                );
            }
            join = Some(next);
        }
        Ok(Query {
            join: join.unwrap_or(Join::And),
            clauses,
        })
    }
}

/// A query as it is read, from left to right.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `text` if it stands here.
    fn takes(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What joins the clause before with the one that follows.
    fn connective(&mut self) -> Join {
        for (word, join) in [("and", Join::And), ("or", Join::Or)] {
            let is_word = self
                .rest
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word));
            if !is_word {
                continue;
            }
            let after = &self.rest[word.len()..];
            if after.is_empty() || after.starts_with(char::is_whitespace) {
                self.rest = after;
                return join;
            }
        }
        Join::And
    }

    fn clause(&mut self, searched: &Searched) -> Result<Clause, String> {
        self.skip_space();
        let negated = self.takes("-");
        self.skip_space();
        let subject = self.subject(searched)?;
        self.skip_space();
        let sign = self.sign()?;
        self.skip_space();
        let test = self.operand(&subject, sign)?;
        Ok(Clause { negated, subject, test })
    }

    fn subject(&mut self, searched: &Searched) -> Result<Subject, String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err(format!(
                "The search query is malformed: the name of a field is expected {}.",
                self.place()
            ));
        }
        self.rest = rest;
        if name == "metadata" {
            self.skip_space();
            if !self.takes("[") {
                return Err("Metadata is searched by its key: metadata['key']:'value'.".to_owned());
            }
            self.skip_space();
            let key = self.quoted()?;
            self.skip_space();
            let closed = self.takes("]");
            return match key {
                Some(key) if closed => Ok(Subject::Metadata(key.into())),
                _ => Err("Metadata is searched by its key in quotation marks: metadata['key']:'value'.".to_owned()),
            };
        }
        searched.field(name).map(Subject::Field).ok_or_else(|| {
            let names: Vec<&str> = searched.fields.iter().map(|field| field.name).collect();
            format!(
                "Field `{}` is an unsupported search field for resource `{}`. The fields that can be searched are {} and \
                 metadata['key'].",
                echo(name),
                searched.plural,
                names.join(", ")
            )
        })
    }

    fn sign(&mut self) -> Result<Sign, String> {
        for (text, sign) in [
            (":", Sign::Is),
            ("~", Sign::Contains),
            ("<=", Sign::Compares(Operator::AtMost)),
            (">=", Sign::Compares(Operator::AtLeast)),
            ("<", Sign::Compares(Operator::Less)),
            (">", Sign::Compares(Operator::More)),
            ("=", Sign::Compares(Operator::Equal)),
        ] {
            if self.takes(text) {
                return Ok(sign);
            }
        }
        Err(format!(
            "The search query is malformed: one of `:`, `~`, `=`, `<`, `<=`, `>` and `>=` is expected {}.",
            self.place()
        ))
    }

    fn operand(&mut self, subject: &Subject, sign: Sign) -> Result<Operand, String> {
        let (name, kind) = match subject {
            Subject::Field(field) => (field.name, field.kind),
            Subject::Metadata(_) => ("metadata", FieldKind::Token),
        };
        let quoted = self.quoted()?;
        let is_quoted = quoted.is_some();
        let text = match quoted {
            Some(text) => text,
            None => self.bare()?.to_owned(),
        };
        if !is_quoted && text == "null" {
            return match sign {
                Sign::Is => Ok(Operand::Null),
                _ => Err(format!("`null` is compared with `:` only, as in {name}:null.")),
            };
        }
        match (kind, sign) {
            (FieldKind::Number, Sign::Contains) => Err(format!(
                "Field `{name}` is a number, which the operator `~` can't search."
            )),
            (FieldKind::Number, sign) => {
                let Ok(number) = text.parse() else {
                    return Err(format!(
                        "Field `{name}` is a number, but is compared with '{}'.",
                        echo(&text)
                    ));
                };
                let operator = match sign {
                    Sign::Compares(operator) => operator,
                    _ => Operator::Equal,
                };
                Ok(Operand::Number(operator, number))
            }
            (_, Sign::Compares(_)) => Err(format!(
                "Field `{name}` is no number: use `:` to compare it{}.",
                if kind == FieldKind::Text { ", or `~`" } else { "" }
            )),
            (FieldKind::Token, Sign::Contains) => Err(format!(
                "Field `{name}` can only be searched as a whole: use `:` instead of `~`."
            )),
            (FieldKind::Token | FieldKind::Text, _) if !is_quoted && !is_plain(&text) => Err(format!(
                "The search query is malformed: put the value of `{name}` in quotation marks."
            )),
            (FieldKind::Text, Sign::Contains) if text.chars().count() < SUBSTRING_MIN => Err(format!(
                "The operator `~` needs at least {SUBSTRING_MIN} characters to search for; `{name}` is given '{text}'."
            )),
            (FieldKind::Text, Sign::Contains) => Ok(Operand::Contains(text.to_lowercase().into())),
            (FieldKind::Token | FieldKind::Text, _) => Ok(Operand::Is(text.into())),
        }
    }

    /// Text in quotation marks, if it stands here.
    fn quoted(&mut self) -> Result<Option<String>, String> {
        let Some(mark) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let mut out = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => out.extend(letters.next().map(|(_, letter)| letter)),
                _ if letter == mark => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Some(out));
                }
                _ => out.push(letter),
            }
        }
        Err(format!(
            "The search query is malformed: a quotation mark ({mark}) is not closed."
        ))
    }

    /// A number or word without quotation marks.
    fn bare(&mut self) -> Result<&'a str, String> {
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err("The search query is malformed: a value is expected at its end.".to_owned());
        }
        self.rest = rest;
        Ok(text)
    }

    /// Where the reading stands, for messages.
    fn place(&self) -> String {
        if self.rest.is_empty() {
            return "at its end".to_owned();
        }
        let word = self.rest.split_whitespace().next().unwrap_or_default();
        format!("before '{}'", echo(word))
    }
}

/// What stands between a name and a value.
#[derive(Clone, Copy)]
enum Sign {
    Is,
    Contains,
    Compares(Operator),
}

/// Whether a value may stand without quotation marks: letters, digits and what ids and codes have.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn echo(text: &str) -> &str {
    text.char_indices().nth(ECHO_MAX).map_or(text, |(end, _)| &text[..end])
}

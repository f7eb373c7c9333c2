//! The part of CQL that the protocol speaks, read from the very text that a server gets.

use std::collections::BTreeMap;

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Int,
    BigInt,
    Blob,
    Text,
}

/// A table, as `CREATE TABLE` makes it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: BTreeMap<String, Type>,
    pub(super) statics: Vec<String>,
    pub(super) partition: Vec<String>,
    pub(super) clustering: Option<String>,
}

/// What is bound, or stands in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Term {
    Bound(usize),
    Number(i64),
    Null,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compare {
    Equal,
    Less,
    AtLeast,
}

/// A statement. Columns are in the order of the text.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) table: String,
    pub(super) body: Body,
    /// Types of what is bound.
    pub(super) bound: Vec<(String, Type)>,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    /// `INSERT … IF NOT EXISTS`
    Insert { values: Vec<(String, Term)> },
    /// `UPDATE … IF …`
    Update {
        set: Vec<(String, Term)>,
        key: Vec<(String, Term)>,
        conditions: Vec<(String, Compare, Term)>,
    },
    /// `SELECT …`, the whole partition or a row of it, or only the last or first row.
    Select {
        columns: Vec<String>,
        key: Vec<(String, Term)>,
        descending: bool,
        one: bool,
    },
}

/// Reads the words of a statement one after another.
struct Words {
    words: Vec<String>,
    at: usize,
    bound: usize,
}

impl Words {
    fn of(text: &str) -> Words {
        let mut spaced = String::new();
        for letter in text.chars() {
            match letter {
                '(' | ')' | ',' | '?' => spaced.extend([' ', letter, ' ']),
                _ => spaced.push(letter),
            }
        }
        let words = spaced.split_whitespace().map(str::to_owned).collect();
        Words { words, at: 0, bound: 0 }
    }

    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let word = self.peek().to_owned();
        assert!(!word.is_empty(), "the statement ends early: {:?}", self.words);
        self.at += 1;
        word
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == word;
        self.at += usize::from(there);
        there
    }

    fn want(&mut self, words: &str) {
        for word in words.split(' ') {
            assert!(self.take(word), "{word} is wanted at {} of {:?}", self.at, self.words);
        }
    }

    fn term(&mut self) -> Term {
        match self.next().as_str() {
            "?" => {
                self.bound += 1;
                Term::Bound(self.bound - 1)
            }
            "null" => Term::Null,
            number => Term::Number(number.parse().expect("a number")),
        }
    }

    fn table(&mut self) -> String {
        let word = self.next();
        word.strip_prefix("$.").expect("the keyspace as $").to_owned()
    }

    /// Names in brackets.
    fn names(&mut self) -> Vec<String> {
        self.want("(");
        let mut names = vec![self.next()];
        while self.take(",") {
            names.push(self.next());
        }
        self.want(")");
        names
    }

    /// `a = ?` once or more, with a word between.
    fn equals(&mut self, between: &str) -> Vec<(String, Term)> {
        let mut all = Vec::new();
        loop {
            let name = self.next();
            self.want("=");
            all.push((name, self.term()));
            if !self.take(between) {
                return all;
            }
        }
    }

    fn end(&self) {
        assert_eq!(self.peek(), "", "{:?} is not understood", self.words);
    }
}

impl Table {
    /// Reads a `CREATE TABLE`.
    pub(super) fn read(text: &str) -> Table {
        let mut words = Words::of(text);
        words.want("CREATE TABLE IF NOT EXISTS");
        let mut table = Table {
            name: words.table(),
            columns: BTreeMap::new(),
            statics: Vec::new(),
            partition: Vec::new(),
            clustering: None,
        };
        words.want("(");
        loop {
            if words.take("PRIMARY") {
                words.want("KEY (");
                table.partition = if words.peek() == "(" {
                    words.names()
                } else {
                    vec![words.next()]
                };
                table.clustering = words.take(",").then(|| words.next());
                words.want(")");
            } else {
                let name = words.next();
                let of = match words.next().as_str() {
                    "int" => Type::Int,
                    "bigint" => Type::BigInt,
                    "blob" => Type::Blob,
                    "text" => Type::Text,
                    other => panic!("{other} is a type that is not known here"),
                };
                if words.take("STATIC") {
                    table.statics.push(name.clone());
                }
                if words.take("PRIMARY") {
                    words.want("KEY");
                    table.partition = vec![name.clone()];
                }
                table.columns.insert(name, of);
            }
            if !words.take(",") {
                words.want(")");
                return table;
            }
        }
    }
}

impl Statement {
    /// Reads a statement about one of these tables.
    pub(super) fn read(text: &str, tables: &BTreeMap<String, Table>) -> Statement {
        let mut words = Words::of(text);
        let (table, body) = match words.next().as_str() {
            "INSERT" => insert(&mut words),
            "UPDATE" => update(&mut words),
            "SELECT" => select(&mut words),
            other => panic!("{other} is not understood: {text}"),
        };
        words.end();
        let columns = &tables[&table].columns;
        let of = |name: &String| *columns.get(name).unwrap_or_else(|| panic!("{table} has no {name}"));
        let mut bound = BTreeMap::new();
        let mut note = |name: &String, term: Term| {
            if let Term::Bound(at) = term {
                bound.insert(at, (name.clone(), of(name)));
            }
        };
        match &body {
            Body::Insert { values } => values.iter().for_each(|(name, term)| note(name, *term)),
            Body::Update { set, key, conditions } => {
                set.iter().chain(key).for_each(|(name, term)| note(name, *term));
                conditions.iter().for_each(|(name, _, term)| note(name, *term));
            }
            Body::Select { columns, key, .. } => {
                key.iter().for_each(|(name, term)| note(name, *term));
                columns.iter().for_each(|name| {
                    of(name);
                });
            }
        }
        Statement {
            table,
            body,
            bound: bound.into_values().collect(),
        }
    }
}

fn insert(words: &mut Words) -> (String, Body) {
    words.want("INTO");
    let table = words.table();
    let names = words.names();
    words.want("VALUES (");
    let mut terms = vec![words.term()];
    while words.take(",") {
        terms.push(words.term());
    }
    words.want(") IF NOT EXISTS");
    assert_eq!(names.len(), terms.len(), "a value for each name");
    let values = names.into_iter().zip(terms).collect();
    (table, Body::Insert { values })
}

fn update(words: &mut Words) -> (String, Body) {
    let table = words.table();
    words.want("SET");
    let set = words.equals(",");
    words.want("WHERE");
    let key = words.equals("AND");
    words.want("IF");
    let mut conditions = Vec::new();
    loop {
        let name = words.next();
        let compare = match words.next().as_str() {
            "=" => Compare::Equal,
            "<" => Compare::Less,
            ">=" => Compare::AtLeast,
            other => panic!("{other} is not understood"),
        };
        conditions.push((name, compare, words.term()));
        if !words.take("AND") {
            return (table, Body::Update { set, key, conditions });
        }
    }
}

fn select(words: &mut Words) -> (String, Body) {
    let mut columns = vec![words.next()];
    while words.take(",") {
        columns.push(words.next());
    }
    words.want("FROM");
    let table = words.table();
    words.want("WHERE");
    let key = words.equals("AND");
    let descending = words.take("ORDER");
    if descending {
        words.want("BY");
        words.next();
        words.want("DESC");
    }
    let one = words.take("LIMIT");
    if one {
        words.want("1");
    }
    let body = Body::Select {
        columns,
        key,
        descending,
        one,
    };
    (table, body)
}

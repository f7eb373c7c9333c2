//! Tables in memory that take one statement at a time, with the semantics of conditional writes that servers have.

use super::statement::{Body, Compare, Statement, Table, Term, Type};
use crate::answer::Answer;
use scylla::value::{CqlValue, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row's columns; those that are null are not in it.
pub(super) type Columns = BTreeMap<String, CqlValue>;

/// Names a partition: its table, and the numbers that its key consists of.
pub(super) type PartitionKey = (String, Vec<i64>);

/// A partition. In a table without a clustering column its row is number 0.
#[derive(Clone, Default, Debug)]
pub(super) struct Partition {
    pub(super) statics: Columns,
    pub(super) rows: BTreeMap<i64, Columns>,
}

/// How a statement is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// A conditional write whose coordinator learns that a quorum has it.
    Settled,
    /// A conditional write that a quorum has agreed on and not all have learned: only the next conditional write or serial
    /// read of its partition makes others see it.
    Unsettled,
    Serial,
    Plain,
}

/// All tables.
#[derive(Clone)]
pub(super) struct Tables {
    known: Arc<BTreeMap<String, Table>>,
    prepared: BTreeMap<String, Arc<Statement>>,
    partitions: BTreeMap<PartitionKey, Arc<Partition>>,
    /// What plain reads still see of partitions with an unsettled write.
    before: BTreeMap<PartitionKey, Arc<Partition>>,
    /// Whether answers have all columns of the conditions always, as ScyllaDB's have.
    pub(super) fixed_shape: bool,
}

/// What a statement did.
pub(super) struct Done {
    pub(super) answer: Answer,
    /// The row that a conditional write changed: its partition, its number, and what it was set to.
    pub(super) changed: Option<(PartitionKey, Option<i64>, Columns)>,
}

impl Tables {
    /// Empty tables of a schema.
    pub(super) fn new<'a>(schema: impl Iterator<Item = &'a &'a str>) -> Tables {
        let tables = schema.map(|text| Table::read(text));
        Tables {
            known: Arc::new(tables.map(|table| (table.name.clone(), table)).collect()),
            prepared: BTreeMap::new(),
            partitions: BTreeMap::new(),
            before: BTreeMap::new(),
            fixed_shape: false,
        }
    }

    pub(super) fn prepare(&mut self, text: &str) -> Arc<Statement> {
        if let Some(read) = self.prepared.get(text) {
            return Arc::clone(read);
        }
        let read = Arc::new(Statement::read(text, &self.known));
        self.prepared.insert(text.to_owned(), Arc::clone(&read));
        read
    }

    /// A partition as it is.
    pub(super) fn partition(&self, table: &str, key: &[i64]) -> Option<&Partition> {
        self.partitions
            .get(&(table.to_owned(), key.to_vec()))
            .map(|found| &**found)
    }

    /// Forgets rows of a table but for the last of each partition, where nobody will ask for the others.
    pub(super) fn keep_last(&mut self, table: &str, rows: usize) {
        let of = self.partitions.iter_mut().filter(|(key, _)| key.0 == table);
        for (_, partition) in of {
            let partition = Arc::make_mut(partition);
            while partition.rows.len() > rows {
                partition.rows.pop_first();
            }
        }
    }

    /// Runs a statement.
    pub(super) fn run(&mut self, statement: &Statement, bound: &[CqlValue], mode: Mode) -> Done {
        let known = Arc::clone(&self.known);
        let table = &known[&statement.table];
        let value = |(name, term): &(String, Term)| (name.clone(), valued(*term, bound, table.columns[name]));
        match &statement.body {
            Body::Insert { values } => {
                let values: Columns = values.iter().map(value).filter_map(present).collect();
                let (key, row) = place(table, &values);
                let (answer, changed) = self.insert(table, &key, row, values, mode);
                Done { answer, changed }
            }
            Body::Update { set, key, conditions } => {
                let key: Columns = key.iter().map(value).filter_map(present).collect();
                let (key, row) = place(table, &key);
                let set: Vec<_> = set.iter().map(value).collect();
                let conditions: Vec<_> = conditions
                    .iter()
                    .map(|(name, compare, term)| (name, *compare, valued(*term, bound, table.columns[name])))
                    .collect();
                let (answer, changed) = self.update(table, &key, row, &set, &conditions, mode);
                Done { answer, changed }
            }
            Body::Select {
                columns,
                key,
                descending,
                one,
            } => {
                let key: Columns = key.iter().map(value).filter_map(present).collect();
                let (key, row) = place(table, &key);
                let rows = self.select(table, &key, row, mode);
                let ordered: Vec<_> = match descending {
                    true => rows.into_iter().rev().collect(),
                    false => rows,
                };
                let some = ordered.into_iter().take(if *one { 1 } else { usize::MAX });
                let answer = answer(columns, some);
                Done { answer, changed: None }
            }
        }
    }

    /// The partition, for a change. What was under way in it is settled first.
    fn change(&mut self, key: &PartitionKey, mode: Mode) -> &mut Partition {
        match mode {
            Mode::Unsettled => {
                let now = self.partitions.get(key).cloned().unwrap_or_default();
                self.before.insert(key.clone(), now);
            }
            Mode::Settled => {
                self.before.remove(key);
            }
            Mode::Serial | Mode::Plain => panic!("a write is conditional here"),
        }
        Arc::make_mut(self.partitions.entry(key.clone()).or_default())
    }

    fn insert(
        &mut self,
        table: &Table,
        key: &PartitionKey,
        row: Option<i64>,
        values: Columns,
        mode: Mode,
    ) -> (Answer, Changed) {
        self.before.remove(key);
        let there = self.partitions.get(key).is_some_and(|partition| match row {
            Some(row) => partition.rows.contains_key(&row),
            None => !partition.statics.is_empty(),
        });
        if there {
            let row = self.select(table, key, row, Mode::Serial).into_iter().next();
            let found = row.expect("it is there");
            let names: Vec<String> = table.columns.keys().cloned().collect();
            return (refused(&names, &found), None);
        }
        let partition = self.change(key, mode);
        for (name, value) in &values {
            let into = match table.statics.contains(name) {
                true => &mut partition.statics,
                false => match row {
                    Some(row) => partition.rows.entry(row).or_default(),
                    None => continue,
                },
            };
            into.insert(name.clone(), value.clone());
        }
        (applied(&[], &Columns::new()), Some((key.clone(), row, values)))
    }

    fn update(
        &mut self,
        table: &Table,
        key: &PartitionKey,
        row: Option<i64>,
        set: &[(String, Option<CqlValue>)],
        conditions: &[(&String, Compare, Option<CqlValue>)],
        mode: Mode,
    ) -> (Answer, Changed) {
        self.before.remove(key);
        let partition = self.partitions.get(key);
        let found = partition.map_or_else(Columns::new, |partition| {
            let row = row.and_then(|row| partition.rows.get(&row));
            let row = row.into_iter().flatten();
            let all = partition.statics.iter().chain(row);
            all.map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        let names: Vec<String> = conditions.iter().map(|(name, ..)| (*name).clone()).collect();
        let hold = conditions
            .iter()
            .all(|(name, compare, wanted)| holds(found.get(*name), *compare, wanted.as_ref()));
        if !hold {
            let shown = if partition.is_some() || self.fixed_shape {
                &names[..]
            } else {
                &[]
            };
            return (refused(shown, &found), None);
        }
        let shown = if self.fixed_shape { &names[..] } else { &[] };
        let answer = applied(shown, &found);
        let partition = self.change(key, mode);
        for (name, value) in set {
            let into = match table.statics.contains(name) {
                true => &mut partition.statics,
                false => partition.rows.entry(row.expect("a row is named")).or_default(),
            };
            match value {
                Some(value) => into.insert(name.clone(), value.clone()),
                None => into.remove(name),
            };
        }
        let set = set.iter().cloned().filter_map(present).collect();
        (answer, Some((key.clone(), row, set)))
    }

    /// Rows with their key and static columns, in the order of the clustering column.
    fn select(&mut self, table: &Table, key: &PartitionKey, row: Option<i64>, mode: Mode) -> Vec<Columns> {
        if mode == Mode::Serial {
            self.before.remove(key);
        }
        let found = self.before.get(key).or_else(|| self.partitions.get(key));
        let Some(partition) = found else { return Vec::new() };
        let whole = |number: Option<i64>, columns: Option<&Columns>| {
            let mut whole = partition.statics.clone();
            whole.extend(
                columns
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
            for (name, part) in table.partition.iter().zip(&key.1) {
                whole.insert(name.clone(), numeric(*part, table.columns[name]));
            }
            if let (Some(name), Some(number)) = (&table.clustering, number) {
                whole.insert(name.clone(), numeric(number, table.columns[name]));
            }
            whole
        };
        if let (Some(row), true) = (row, table.clustering.is_some()) {
            let columns = partition.rows.get(&row);
            return columns
                .map(|columns| whole(Some(row), Some(columns)))
                .into_iter()
                .collect();
        }
        if partition.rows.is_empty() && !partition.statics.is_empty() {
            return vec![whole(None, None)];
        }
        let rows = partition.rows.iter();
        rows.map(|(number, columns)| whole(Some(*number), Some(columns)))
            .collect()
    }
}

type Changed = Option<(PartitionKey, Option<i64>, Columns)>;

fn present((name, value): (String, Option<CqlValue>)) -> Option<(String, CqlValue)> {
    value.map(|value| (name, value))
}

/// The partition that the key columns among these name, and the row in it.
fn place(table: &Table, columns: &Columns) -> (PartitionKey, Option<i64>) {
    let part = |name: &String| number(columns.get(name).unwrap_or_else(|| panic!("{name} is not bound")));
    let partition = table.partition.iter().map(part).collect();
    let row = match &table.clustering {
        Some(clustering) => columns.get(clustering).map(number),
        None => Some(0),
    };
    ((table.name.clone(), partition), row)
}

fn valued(term: Term, bound: &[CqlValue], of: Type) -> Option<CqlValue> {
    match term {
        Term::Bound(at) => Some(bound[at].clone()),
        Term::Number(number) => Some(numeric(number, of)),
        Term::Null => None,
    }
}

fn numeric(number: i64, of: Type) -> CqlValue {
    match of {
        Type::Int => CqlValue::Int(i32::try_from(number).expect("a small number")),
        Type::BigInt => CqlValue::BigInt(number),
        Type::Blob | Type::Text => panic!("no number"),
    }
}

/// The number of a value.
pub(super) fn number(value: &CqlValue) -> i64 {
    match value {
        CqlValue::Int(number) => i64::from(*number),
        CqlValue::BigInt(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

fn holds(found: Option<&CqlValue>, compare: Compare, wanted: Option<&CqlValue>) -> bool {
    match (found, wanted) {
        (None, None) => compare == Compare::Equal,
        (Some(found), Some(wanted)) => match compare {
            Compare::Equal => found == wanted,
            Compare::Less => number(found) < number(wanted),
            Compare::AtLeast => number(found) >= number(wanted),
        },
        _ => false,
    }
}

fn answer(columns: &[String], rows: impl Iterator<Item = Columns>) -> Answer {
    let row = |found: Columns| Row {
        columns: columns.iter().map(|name| found.get(name).cloned()).collect(),
    };
    Answer::made(columns.to_vec(), rows.map(row).collect())
}

fn applied(names: &[String], found: &Columns) -> Answer {
    conditional(true, names, found)
}

fn refused(names: &[String], found: &Columns) -> Answer {
    conditional(false, names, found)
}

fn conditional(applied: bool, names: &[String], found: &Columns) -> Answer {
    let mut columns = vec!["[applied]".to_owned()];
    columns.extend_from_slice(names);
    let mut values = vec![Some(CqlValue::Boolean(applied))];
    values.extend(names.iter().map(|name| found.get(name).cloned()));
    Answer::made(columns, vec![Row { columns: values }])
}

//! The check of the money: every acknowledged payment is listed, has one balance transaction, and the balance moved by
//! exactly what was acknowledged. The key's account must be used by nothing else meanwhile.

use crate::acknowledged::{ACKNOWLEDGED_MAX, Acknowledged, AcknowledgedPayment};
use crate::connection::Connection;
use crate::generator::Plan;
use crate::request::ReadRequest;
use crate::target::Target;
use anyhow::{Context, anyhow, bail};
use hashbrown::HashMap;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Objects asked for per page; the most the API gives.
const PAGE_LEN: usize = 100;
/// Most pages walked in one list: every payment that can be kept, and as many that nobody explains.
const PAGES_MAX: usize = 2 * ACKNOWLEDGED_MAX / PAGE_LEN;
/// How long payments that wait for their network are waited for; then the check says that it is not exact.
const SETTLE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two looks at them.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);
/// Most differences spelled out; all are counted.
const DIFFERENCES_SHOWN_MAX: usize = 20;
/// The currency payments are made in.
pub(crate) const CURRENCY: &str = "usd";

/// Where the account stood before the run.
#[derive(Debug)]
pub(crate) struct Before {
    balance: i64,
    newest_intent: Option<String>,
    newest_transaction: Option<String>,
}

/// What the check found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Payments acknowledged to this tool.
    pub(crate) acknowledged: u64,
    /// Payment intents listed since the run began.
    pub(crate) listed: u64,
    /// Balance transactions listed since the run began.
    pub(crate) transactions: u64,
    /// Acknowledged payments that still wait for their network.
    pub(crate) processing: u64,
    /// Sum of amount less fee of the acknowledged payments, minor units.
    pub(crate) expected: i64,
    /// What the balance, pending and available, moved by, minor units.
    pub(crate) moved: i64,
    /// Differences found, `moved - expected` not being zero among them.
    pub(crate) difference_count: u64,
    /// The first of them in words.
    pub(crate) differences: Vec<String>,
}

impl Checked {
    /// `moved - expected`, minor units.
    pub(crate) fn cents(&self) -> i64 {
        self.moved - self.expected
    }

    /// Adds what was found at another account.
    fn add(&mut self, other: Checked) {
        self.acknowledged += other.acknowledged;
        self.listed += other.listed;
        self.transactions += other.transactions;
        self.processing += other.processing;
        self.expected += other.expected;
        self.moved += other.moved;
        self.difference_count += other.difference_count;
        let room = DIFFERENCES_SHOWN_MAX.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
    }

    fn differs(&mut self, what: String) {
        self.difference_count += 1;
        if self.differences.len() < DIFFERENCES_SHOWN_MAX {
            self.differences.push(what);
        }
    }
}

/// Calls each account once: a key that is refused is told before the load, and a server that opens accounts on first use is not
/// asked for all of them at once.
pub(crate) fn open(plan: &Plan) -> anyhow::Result<()> {
    block_on(async {
        let mut reader = Reader::open(&plan.target, &plan.key, plan.timeout).await?;
        for account in 0..plan.spread {
            reader.become_caller(&plan.target, &plan.key_of(account));
            reader
                .balance()
                .await
                .context("an account cannot be read before the run")?;
        }
        Ok(())
    })
}

/// Notes where each account stands.
pub(crate) fn before(plan: &Plan) -> anyhow::Result<Vec<Before>> {
    block_on(async {
        let mut reader = Reader::open(&plan.target, &plan.key, plan.timeout).await?;
        let mut before = Vec::with_capacity(plan.spread as usize);
        for account in 0..plan.spread {
            reader.become_caller(&plan.target, &plan.key_of(account));
            before.push(Before {
                balance: reader.balance().await?,
                newest_intent: reader.newest("payment_intents").await?,
                newest_transaction: reader.newest("balance_transactions").await?,
            });
        }
        Ok(before)
    })
}

/// Compares what was acknowledged with what the accounts show now.
pub(crate) fn check(plan: &Plan, before: &[Before], acknowledged: &Acknowledged) -> anyhow::Result<Checked> {
    if acknowledged.dropped > 0 {
        bail!("more than {ACKNOWLEDGED_MAX} payments were acknowledged, too many to check: make the run shorter");
    }
    block_on(async {
        let mut reader = Reader::open(&plan.target, &plan.key, plan.timeout).await?;
        let mut all = Checked::default();
        for (account, before) in (0..).zip(before) {
            reader.become_caller(&plan.target, &plan.key_of(account));
            all.add(check_account(&mut reader, before, &acknowledged.of_account(account)).await?);
        }
        Ok(all)
    })
}

async fn check_account(reader: &mut Reader, before: &Before, acknowledged: &Acknowledged) -> anyhow::Result<Checked> {
    let begun = Instant::now();
    // What is still processing would move money between two lists and look like a difference.
    let mut check = loop {
        let mut check = Check::new(acknowledged);
        check.intents(reader, before).await?;
        if check.checked.processing == 0 {
            break check;
        }
        if begun.elapsed() >= SETTLE_WAIT_MAX {
            let (count, s) = (check.checked.processing, SETTLE_WAIT_MAX.as_secs());
            check
                .checked
                .differs(format!("{count} payments are still processing after {s} s: not exact"));
            break check;
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    };
    check.checked.moved = reader.balance().await? - before.balance;
    check.transactions(reader, before).await?;
    Ok(check.finish())
}

struct Check<'a> {
    acknowledged: &'a Acknowledged,
    by_charge: HashMap<String, usize>,
    /// Whether the payment was listed, and its amount less fee once its transaction was.
    listed: Vec<bool>,
    settled: Vec<Option<i64>>,
    processing: Vec<bool>,
    checked: Checked,
}

impl<'a> Check<'a> {
    fn new(acknowledged: &'a Acknowledged) -> Self {
        Check {
            acknowledged,
            by_charge: HashMap::with_capacity(acknowledged.len()),
            listed: vec![false; acknowledged.len()],
            settled: vec![None; acknowledged.len()],
            processing: vec![false; acknowledged.len()],
            checked: Checked {
                acknowledged: acknowledged.len() as u64,
                ..Checked::default()
            },
        }
    }

    async fn intents(&mut self, reader: &mut Reader, before: &Before) -> anyhow::Result<()> {
        let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(self.acknowledged.len());
        for (index, payment) in self.acknowledged.iter().enumerate() {
            if by_id.insert(payment.id, index).is_some() {
                self.checked
                    .differs(format!("{} was acknowledged for two different keys", payment.id));
            }
        }
        let mut pages = Pages::new("payment_intents", before.newest_intent.clone());
        while let Some(page) = pages.next(reader).await? {
            for intent in &page {
                let id = text(intent, "id")?;
                self.checked.listed += 1;
                match by_id.get(id) {
                    Some(&index) => self.intent(index, intent)?,
                    None if intent["status"] == "succeeded" => {
                        self.checked
                            .differs(format!("{id} succeeded, but was never acknowledged"));
                    }
                    None => {}
                }
            }
        }
        for index in 0..self.listed.len() {
            if !self.listed[index] {
                let id = self.acknowledged.get(index).id;
                let (status, _) = reader.get(&format!("payment_intents/{id}")).await?;
                self.checked.differs(format!(
                    "{id} was acknowledged, but is not listed (GET by id gives {status})"
                ));
            }
        }
        Ok(())
    }

    fn intent(&mut self, index: usize, intent: &Value) -> anyhow::Result<()> {
        let AcknowledgedPayment {
            id,
            charge,
            amount,
            succeeded,
            ..
        } = self.acknowledged.get(index);
        let status = text(intent, "status")?;
        if std::mem::replace(&mut self.listed[index], true) {
            self.checked.differs(format!("{id} is listed twice"));
        }
        if succeeded && status != "succeeded" {
            self.checked
                .differs(format!("{id} was acknowledged as succeeded, but is {status}"));
        }
        if intent["amount"] != amount {
            self.checked.differs(format!(
                "{id} was acknowledged with amount {amount}, but has {}",
                intent["amount"]
            ));
        }
        let listed_charge = intent["latest_charge"].as_str().unwrap_or_default();
        if succeeded && listed_charge != charge {
            self.checked.differs(format!(
                "{id} was acknowledged with charge {charge}, but has {listed_charge}"
            ));
        }
        self.processing[index] = status != "succeeded";
        self.checked.processing += u64::from(status == "processing");
        if status == "succeeded" && self.by_charge.insert(listed_charge.into(), index).is_some() {
            self.checked.differs(format!("{listed_charge} belongs to two payments"));
        }
        Ok(())
    }

    async fn transactions(&mut self, reader: &mut Reader, before: &Before) -> anyhow::Result<()> {
        let mut pages = Pages::new("balance_transactions", before.newest_transaction.clone());
        while let Some(page) = pages.next(reader).await? {
            for transaction in &page {
                self.checked.transactions += 1;
                let id = text(transaction, "id")?;
                let source = text(transaction, "source")?;
                let (amount, fee) = (integer(transaction, "amount")?, integer(transaction, "fee")?);
                if transaction["currency"] != CURRENCY {
                    bail!(
                        "{id} settles in {}: only an account that settles in {CURRENCY} can be checked",
                        transaction["currency"]
                    );
                }
                if integer(transaction, "net")? != amount - fee {
                    self.checked
                        .differs(format!("{id}: net {} is not amount less fee", transaction["net"]));
                }
                let Some(&index) = self.by_charge.get(source) else {
                    self.checked.differs(format!(
                        "{id} moves {amount} for {source}, which was never acknowledged"
                    ));
                    continue;
                };
                let payment = self.acknowledged.get(index);
                if amount != payment.amount {
                    self.checked.differs(format!(
                        "{id} moves {amount} for {}, not {}",
                        payment.id, payment.amount
                    ));
                }
                if self.settled[index].replace(amount - fee).is_some() {
                    self.checked
                        .differs(format!("{} has a second balance transaction {id}", payment.id));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Checked {
        for (index, settled) in self.settled.iter().enumerate() {
            let payment = self.acknowledged.get(index);
            match settled {
                Some(net) => self.checked.expected += net,
                None if self.processing[index] => {}
                None => self
                    .checked
                    .differs(format!("{} has no balance transaction", payment.id)),
            }
        }
        let cents = self.checked.cents();
        if cents != 0 {
            self.checked.differs(format!(
                "the balance moved by {}, acknowledged payments come to {}: {cents} minor units too much",
                self.checked.moved, self.checked.expected
            ));
        }
        self.checked
    }
}

/// Pages of a list from its newest object down to a known one, which is not included.
pub(crate) struct Pages {
    list: &'static str,
    until: Option<String>,
    cursor: Option<String>,
    ended: bool,
    count: usize,
}

impl Pages {
    /// Pages of `/v1/LIST` down to `until`.
    pub(crate) fn new(list: &'static str, until: Option<String>) -> Self {
        Pages {
            list,
            until,
            cursor: None,
            ended: false,
            count: 0,
        }
    }

    /// The next page; `None` behind the last.
    pub(crate) async fn next(&mut self, reader: &mut Reader) -> anyhow::Result<Option<Vec<Value>>> {
        if self.ended {
            return Ok(None);
        }
        self.count += 1;
        if self.count > PAGES_MAX {
            bail!("/v1/{} does not end after {PAGES_MAX} pages", self.list);
        }
        let after = self
            .cursor
            .as_ref()
            .map(|id| format!("&starting_after={id}"))
            .unwrap_or_default();
        let mut answer = reader
            .must_get(&format!("{}?limit={PAGE_LEN}{after}", self.list))
            .await?;
        let Value::Array(mut page) = answer["data"].take() else {
            bail!("/v1/{} answers without data", self.list)
        };
        self.ended = answer["has_more"] != true || page.is_empty();
        if let Some(at) = page
            .iter()
            .position(|object| self.until.as_deref() == object["id"].as_str())
        {
            page.truncate(at);
            self.ended = true;
        }
        if let Some(last) = page.last() {
            self.cursor = Some(text(last, "id")?.to_string());
        }
        Ok(Some(page))
    }
}

/// GETs over one connection.
pub(crate) struct Reader {
    connection: Connection,
    request: ReadRequest,
}

impl Reader {
    /// Connects with a secret key.
    pub(crate) async fn open(target: &Target, key: &str, timeout: Duration) -> anyhow::Result<Reader> {
        let connection = Connection::open(target, timeout).await?;
        Ok(Reader {
            connection,
            request: ReadRequest::new(target, key),
        })
    }

    /// Goes on with another secret key over the same connection.
    pub(crate) fn become_caller(&mut self, target: &Target, key: &str) {
        self.request = ReadRequest::new(target, key);
    }

    /// The status and body of a GET under `/v1/`.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<(u16, Value)> {
        let request = self.request.fill(&[path.as_bytes()]);
        let answer = self
            .connection
            .exchange(request)
            .await
            .with_context(|| format!("GET /v1/{path}"))?;
        let value = serde_json::from_slice(answer.body).with_context(|| format!("GET /v1/{path} gives no JSON"))?;
        Ok((answer.status, value))
    }

    /// The body of a GET that must succeed.
    pub(crate) async fn must_get(&mut self, path: &str) -> anyhow::Result<Value> {
        match self.get(path).await? {
            (200, value) => Ok(value),
            (status, value) => bail!("GET /v1/{path} gives {status}: {}", value["error"]["message"]),
        }
    }

    /// The same, read into a type of its own: a page of a hundred objects costs a third of what a tree of it does.
    pub(crate) async fn must_get_as<T: serde::de::DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        let request = self.request.fill(&[path.as_bytes()]);
        let answer = self
            .connection
            .exchange(request)
            .await
            .with_context(|| format!("GET /v1/{path}"))?;
        if answer.status != 200 {
            let code = crate::body::error_code(answer.body);
            bail!("GET /v1/{path} gives {}: {code}", answer.status);
        }
        serde_json::from_slice(answer.body).with_context(|| format!("GET /v1/{path} gives something else"))
    }

    /// Pending and available together, minor units.
    pub(crate) async fn balance(&mut self) -> anyhow::Result<i64> {
        let balance = self.must_get("balance").await?;
        let mut sum = 0i64;
        for part in ["available", "pending"] {
            for money in balance[part].as_array().into_iter().flatten() {
                if money["currency"] == CURRENCY {
                    sum = sum
                        .checked_add(integer(money, "amount")?)
                        .context("balance exceeds 64 bits")?;
                }
            }
        }
        Ok(sum)
    }

    /// The id of the newest object of a list.
    pub(crate) async fn newest(&mut self, list: &str) -> anyhow::Result<Option<String>> {
        let join = if list.contains('?') { '&' } else { '?' };
        let page = self.must_get(&format!("{list}{join}limit=1")).await?;
        Ok(page["data"][0]["id"].as_str().map(str::to_string))
    }
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?
        .block_on(work)
}

/// A member that is a text.
pub(crate) fn text<'a>(object: &'a Value, member: &str) -> anyhow::Result<&'a str> {
    object[member]
        .as_str()
        .ok_or_else(|| anyhow!("an object lacks its {member}: {object}"))
}

/// A member that is an integer.
pub(crate) fn integer(object: &Value, member: &str) -> anyhow::Result<i64> {
    object[member]
        .as_i64()
        .ok_or_else(|| anyhow!("an object lacks its {member}: {object}"))
}

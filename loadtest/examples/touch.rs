//! Touches payments that are there already, at random over all of them: what does a large data directory cost in memory
//! and time when nothing it is asked for is recent? The ids are read from the merchants' lists first.
//!
//! ```text
//! cargo run --release -p tollgate-load --example touch -- 127.0.0.1:12111 --merchants 20000 --seconds 120 \
//!     --refunds 5 --captures 5 --server-pid PID
//! ```
//! Merchants are the keys `sk_test_load` with seven digits, as in the load tool's scenarios. Shares are in percent; the
//! rest are `GET /v1/payment_intents/ID`. A refund gives one cent back; a capture takes a hold whole. Both may find that
//! an earlier one left nothing to do: the answer 400 is counted by itself. A closed loop: 64 connections, each with one
//! request under way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Connections, each with a thread.
const CONNECTIONS: usize = 64;
/// Items of a page.
const PAGE: usize = 100;
/// Length of a payment intent's id.
const ID_LEN: usize = 25;
/// Longest answer that is read, bytes.
const ANSWER_LEN_MAX: usize = 4 << 20;
/// Time between two lines of figures.
const TICK: Duration = Duration::from_secs(10);

/// A payment that can be asked for.
struct Known {
    merchant: u32,
    id: [u8; ID_LEN],
    held: bool,
}

/// What was asked for on the command line.
#[derive(Clone)]
struct Options {
    address: String,
    merchants: u32,
    seconds: u64,
    refunds: u64,
    captures: u64,
    server_pid: Option<u32>,
}

fn main() -> Result<()> {
    let options = options().map_err(Error::other)?;
    let started = Instant::now();
    let known = Arc::new(list(&options)?);
    let held: Vec<usize> = (0..known.len()).filter(|at| known[*at].held).collect();
    say(&format!(
        "{} payments of {} merchants listed in {:.0} s, {} of them held; server {}",
        known.len(),
        options.merchants,
        started.elapsed().as_secs_f64(),
        held.len(),
        memory(options.server_pid)
    ))?;
    if known.is_empty() {
        return Err(Error::other("there is no payment to touch"));
    }
    let tallies: Arc<Mutex<BTreeMap<String, Vec<u32>>>> = Arc::default();
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let run = std::process::id();
    let held = Arc::new(held);
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|thread| {
            let (options, known, held, tallies) = (options.clone(), known.clone(), held.clone(), tallies.clone());
            std::thread::spawn(move || -> Result<()> {
                let mut random = Random(thread as u64 + 1 + (u64::from(run) << 32));
                let mut connection = Connection::open(&options.address)?;
                let mut number = 0_u64;
                while Instant::now() < until {
                    number += 1;
                    let draw = random.below(100);
                    let refund = draw < options.refunds;
                    let capture = !refund && draw < options.refunds + options.captures && !held.is_empty();
                    let at = match capture {
                        true => held[random.below(held.len() as u64) as usize],
                        false => random.below(known.len() as u64) as usize,
                    };
                    let payment = &known[at];
                    let id = std::str::from_utf8(&payment.id).expect("ids are ASCII");
                    let (name, method, path, body) = match (refund, capture) {
                        (true, _) => (
                            "refund",
                            "POST",
                            "refunds".into(),
                            format!("payment_intent={id}&amount=1"),
                        ),
                        (_, true) => (
                            "capture",
                            "POST",
                            format!("payment_intents/{id}/capture"),
                            String::new(),
                        ),
                        _ => ("get", "GET", format!("payment_intents/{id}"), String::new()),
                    };
                    let key = format!("touch-{run}-{thread}-{number}");
                    let asked = Instant::now();
                    let (status, _) = connection.ask(payment.merchant, method, &path, &body, &key)?;
                    let us = asked.elapsed().as_micros().min(u128::from(u32::MAX)) as u32;
                    let mut tallies = tallies.lock().expect("no thread panics here");
                    tallies.entry(format!("{name} {status}")).or_default().push(us);
                }
                Ok(())
            })
        })
        .collect();
    while Instant::now() < until {
        std::thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
        let done = std::mem::take(&mut *tallies.lock().expect("no thread panics here"));
        let mut line = format!(
            "{:4.0} s, server {}",
            started.elapsed().as_secs_f64(),
            memory(options.server_pid)
        );
        for (name, mut took) in done {
            took.sort_unstable();
            let at = |part: f64| f64::from(took[((took.len() - 1) as f64 * part) as usize]) / 1000.0;
            line += &format!(
                "; {name}: {}, p50 {:.1} p99 {:.1} max {:.1} ms",
                took.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        say(&line)?;
    }
    for thread in threads {
        thread.join().map_err(|_| Error::other("a thread panicked"))??;
    }
    Ok(())
}

/// Every payment of every merchant, by pages.
fn list(options: &Options) -> Result<Vec<Known>> {
    let next = Arc::new(AtomicUsize::new(0));
    let listed = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (options, next, listed) = (options.clone(), next.clone(), listed.clone());
            std::thread::spawn(move || -> Result<Vec<Known>> {
                let mut known = Vec::new();
                let mut connection = Connection::open(&options.address)?;
                loop {
                    let merchant = next.fetch_add(1, Relaxed) as u32;
                    if merchant >= options.merchants {
                        return Ok(known);
                    }
                    let mut after = String::new();
                    loop {
                        let path = format!("payment_intents?limit={PAGE}{after}");
                        let (status, body) = connection.ask(merchant, "GET", &path, "", "")?;
                        if status != 200 {
                            return Err(Error::other(format!("{path}: {status} {body}")));
                        }
                        let before = known.len();
                        take_page(&body, merchant, &mut known);
                        listed.fetch_add((known.len() - before) as u64, Relaxed);
                        let Some(last) = known[before..].last() else { break };
                        if !body.contains("\"has_more\": true") {
                            break;
                        }
                        let id = std::str::from_utf8(&last.id).expect("ids are ASCII");
                        after = format!("&starting_after={id}");
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for thread in threads {
        all.append(&mut thread.join().map_err(|_| Error::other("a thread panicked"))??);
    }
    Ok(all)
}

/// The payments of a page: ids stand at the beginning of a line, the status below them.
fn take_page(body: &str, merchant: u32, known: &mut Vec<Known>) {
    for object in body.split("\n      \"id\": \"").skip(1) {
        if let Some(id) = object
            .as_bytes()
            .first_chunk::<ID_LEN>()
            .filter(|id| id.starts_with(b"pi_"))
        {
            known.push(Known {
                merchant,
                id: *id,
                held: object.contains("\n      \"status\": \"requires_capture\""),
            });
        }
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection {
            stream: BufReader::new(stream),
        })
    }

    /// Status and body of the answer.
    fn ask(&mut self, merchant: u32, method: &str, path: &str, body: &str, key: &str) -> Result<(u16, String)> {
        let mut request = format!(
            "{method} /v1/{path} HTTP/1.1\r\nHost: tollgate\r\nAuthorization: Bearer sk_test_load{merchant:07}\r\n"
        );
        if method == "POST" {
            request += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        request += "\r\n";
        request += body;
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(Error::other("the server closed the connection"));
            }
            let head = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = head.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
            } else if let Some(digits) = head.strip_prefix("content-length: ") {
                length = digits.parse().map_err(Error::other)?;
            } else if head.is_empty() {
                break;
            }
        }
        if length > ANSWER_LEN_MAX {
            return Err(Error::other("the answer is too long"));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8(body).map_err(Error::other)?))
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }
}

fn options() -> std::result::Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options {
        address: arguments.next().ok_or("the first argument is HOST:PORT")?,
        merchants: 1_000,
        seconds: 60,
        refunds: 0,
        captures: 0,
        server_pid: None,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|text| text.parse::<u32>().ok());
        let value = value.ok_or_else(|| format!("{name} takes a number"))?;
        match name.as_str() {
            "--merchants" => options.merchants = value,
            "--seconds" => options.seconds = u64::from(value),
            "--refunds" => options.refunds = u64::from(value),
            "--captures" => options.captures = u64::from(value),
            "--server-pid" => options.server_pid = Some(value),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(options)
}

/// The server's memory, in words.
fn memory(pid: Option<u32>) -> String {
    let Some(pid) = pid else {
        return "memory not watched".into();
    };
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return "gone".into();
    };
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    };
    format!("RSS {} MB, peak {} MB", megabytes("VmRSS:"), megabytes("VmHWM:"))
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

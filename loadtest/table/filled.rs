//! A server with many payments behind it: is it as fast as at its start, how much does it hold, can it read what is old?

use super::server::Home;
use super::{Figures, peak};
use crate::cli::Table;
use crate::generator::{self, Plan};
use crate::ids;
use crate::tally::Operation;
use std::sync::Arc;
use std::time::Duration;

/// Connections that fill and read.
const CONNECTIONS: u32 = 512;
const READ_CONNECTIONS: usize = 64;

/// Fills a server with payments and measures it before, after, and after it was opened again.
pub(super) fn filled(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let directory = home.path("filled");
    let server = home.start_on(&directory, &[])?;
    let start = peak::closed(&server, options, CONNECTIONS, CONNECTIONS, figures)?;
    let millions = options.fill as f64 / 1e6;
    let filling = Plan {
        warmup: Duration::ZERO,
        duration: None,
        requests: Some(options.fill),
        keep_one_of: Some(ids::ONE_OF),
        ..peak::plan(&server, options, CONNECTIONS, CONNECTIONS)?
    };
    let fill = peak::run(&filling, figures)?;
    let after = peak::closed(&server, options, CONNECTIONS, CONNECTIONS, figures)?;
    let name = format!("rate after {millions} M payments, share of that at the start");
    let share = peak::rate(&after) / peak::rate(&start).max(0.001) * 100.0;
    figures.add(&name, "%", Some((90.0, true)), share);
    figures.add(
        &format!("payments/s while filling {millions} M"),
        "/s",
        None,
        peak::rate(&fill),
    );
    if let Some(memory) = server.memory() {
        let name = format!("memory of the server at {millions} M payments");
        figures.add(&name, "MB", Some((2_000.0, false)), memory / 1e6);
    }
    let payments = start.tally.sent + fill.tally.sent + after.tally.sent;
    let name = "disk a payment, everything";
    figures.add(
        name,
        "B",
        Some((1_000.0, false)),
        server.disk()? as f64 / payments as f64,
    );
    server.stop()?;
    // Opened again, so that nothing of what is read is in memory.
    let server = home.start_on(&directory, &[])?;
    let name = format!("time to open {millions} M payments");
    figures.add(&name, "s", None, server.opened_in.as_secs_f64());
    let reading = Plan {
        connections: READ_CONNECTIONS,
        spread: CONNECTIONS,
        read_share: 1.0,
        ..peak::plan(&server, options, CONNECTIONS, CONNECTIONS)?
    };
    let reads = generator::run(&reading, Arc::new(fill.acknowledged))?;
    if reads.tally.error_count() > 0 {
        figures.note(format!("reads of old payments: {:?}", reads.tally.errors));
    }
    let of = reads.tally.of(Operation::Read);
    let rate = of.in_window as f64 / reads.window.as_secs_f64().max(0.001);
    figures.add("reads/s of old payments, 64 connections", "/s", None, rate);
    for percent in [50.0, 99.0] {
        let ms = of.latency_us.value_at_percentile(percent) as f64 / 1e3;
        figures.add(&format!("  its p{percent}, reads of old payments"), "ms", None, ms);
    }
    server.stop()?;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

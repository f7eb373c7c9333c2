//! CPU time and memory of processes, from `/proc`.

use std::time::Duration;

/// Length of a tick of `/proc/PID/stat`: Linux states these fields in 1/100 s to user space on every common machine.
const TICK: Duration = Duration::from_millis(10);

/// CPU time a process has used so far, user and system, all threads; `None` where it cannot be read.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Resident memory of a process in bytes; `None` where it cannot be read.
pub(crate) fn resident(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1_024.0)
}

fn parse_stat(stat: &str) -> Option<Duration> {
    // The command in parentheses may hold spaces and parentheses; fields are counted behind its last one.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let user: u32 = fields.nth(11)?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user.checked_add(system)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_a_strange_command_name() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 101 0 0 0 250 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(parse_stat(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse_stat("7 (x"), None);
    }

    #[test]
    fn own_time_can_be_read_and_a_missing_process_has_none() {
        assert!(cpu_time(std::process::id()).is_some());
        assert!(resident(std::process::id()).is_some_and(|bytes| bytes > 1e5));
        assert_eq!(cpu_time(u32::MAX), None);
    }
}

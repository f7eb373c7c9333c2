//! A cluster of Cassandra that ends with the test, whatever becomes of that.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Its nodes are counted from 0.
pub(crate) struct Cassandra {
    /// Ends with its standard input.
    program: Child,
    hears: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
    /// `host:port` of each node.
    pub(crate) points: Vec<String>,
    /// There is memory for one cluster at a time.
    _only: MutexGuard<'static, ()>,
}

impl Cassandra {
    pub(crate) fn start(nodes: usize) -> Cassandra {
        static ONLY: Mutex<()> = Mutex::new(());
        let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
        let jars = std::env::var("TOLLGATE_CASSANDRA_JARS");
        let jars = jars.expect("TOLLGATE_CASSANDRA_JARS names no folder; use `tests/run cql`");
        let mut program = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cql/cassandra.py"))
            .args(["--jars", &jars, "--slow-disk", "--nodes", &nodes.to_string()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let hears = program.stdin.take();
        let says = BufReader::new(program.stdout.take().expect("a pipe"));
        let mut cassandra = Cassandra {
            program,
            hears,
            says,
            points: Vec::new(),
            _only: only,
        };
        let ready: Value = serde_json::from_str(&cassandra.line()).expect("the contact points");
        let points = ready["contact_points"].as_array().expect("contact points");
        let point = |point: &Value| point.as_str().expect("an address").to_owned();
        cassandra.points = points.iter().map(point).collect();
        cassandra
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, node: usize) {
        self.obey("kill", node);
    }

    /// Starts a node that was killed; it answers then.
    pub(crate) fn start_again(&mut self, node: usize) {
        self.obey("start", node);
    }

    /// SIGSTOP.
    pub(crate) fn pause(&mut self, node: usize) {
        self.obey("pause", node);
    }

    /// SIGCONT.
    pub(crate) fn go_on(&mut self, node: usize) {
        self.obey("go_on", node);
    }

    /// From now on each wait of a node for its disk takes so much longer.
    pub(crate) fn slow_disk(&mut self, node: usize, ms: u64) {
        self.say(&format!("slow {} {ms}", node + 1));
    }

    fn obey(&mut self, what: &str, node: usize) {
        self.say(&format!("{what} {}", node + 1));
    }

    fn say(&mut self, order: &str) {
        let hears = self.hears.as_mut().expect("it hears until it is dropped");
        writeln!(hears, "{order}").expect("it listens");
        assert_eq!(self.line().trim(), "done", "{order}");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("it speaks");
        assert!(!line.is_empty(), "cassandra.py has ended; its words stand above");
        line
    }
}

impl Drop for Cassandra {
    fn drop(&mut self) {
        self.hears = None;
        let _ = self.program.wait();
    }
}

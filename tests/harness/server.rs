//! A server that lives as long as a test: free ports, a temporary directory, killed when dropped.
// Two suites include this file, and neither uses all of it.
#![allow(dead_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Longest wait for a ready line or an exit: where a cluster is short of breath they take a while.
const LIFE_PATIENCE: Duration = Duration::from_secs(120);

/// A running `tollgate serve --dev`.
pub(crate) struct Server {
    /// The process of the newest start.
    child: Option<Child>,
    /// `127.0.0.1:port` of the API.
    pub(crate) api: String,
    /// `127.0.0.1:port` of the admin listener.
    pub(crate) admin: String,
    launch: Launch,
}

/// How a server is started.
struct Launch {
    /// A program, and its arguments, that sets something up and then becomes the server.
    through: Vec<String>,
    binary: PathBuf,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

/// An answer: status, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
    pub(crate) fn id(&self) -> String {
        self.json()["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {self:?}"))
            .to_owned()
    }
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::with(&[], &[])
    }

    /// Starts with more flags and environment settings.
    pub(crate) fn with(flags: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut server = Server::not_started(flags, environment);
        server.start_again();
        server
    }

    /// A place for a server that was never started: see [`Server::try_start_again`].
    pub(crate) fn not_started(flags: &[&str], environment: &[(&str, &str)]) -> Server {
        Server::prepared(flags, environment, |_| {})
    }

    /// Starts on data that `prepare` puts at the path it is given.
    pub(crate) fn on(environment: &[(&str, &str)], prepare: impl FnOnce(&Path)) -> Server {
        let mut server = Server::prepared(&[], environment, prepare);
        server.start_again();
        server
    }

    fn prepared(flags: &[&str], environment: &[(&str, &str)], prepare: impl FnOnce(&Path)) -> Server {
        let directory = tempfile::tempdir().expect("a temporary directory");
        prepare(&directory.path().join("data"));
        Server {
            child: None,
            api: String::new(),
            admin: String::new(),
            launch: Launch {
                through: Vec::new(),
                binary: binary(),
                flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
                environment: owned(environment),
                directory,
            },
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.launch.directory.path().join("data")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server was started").id()
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.launch.directory.path().join("log")).unwrap_or_default()
    }

    /// Keeps the temporary directory when the server is dropped, for a look at it; its path.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.launch.directory.disable_cleanup(true);
        self.launch.directory.path().to_owned()
    }

    /// SIGKILL, then a start on the same data.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.child().kill().expect("the server can be killed");
        self.child().wait().expect("the server ends");
    }

    /// Waits until the server has ended by itself; its exit code, none if a signal ended it.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        ended(self.child()).expect("the server does not end").code()
    }

    /// Whether the server still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child().try_wait().expect("the server can be waited for").is_none()
    }

    /// Whether the process has ended; nothing has to be waited for, so it can be asked while clients use the server.
    pub(crate) fn has_ended(&self) -> bool {
        // Nobody has waited for the process yet, so one that has ended is still listed, as a zombie.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        stat.map_or(true, |stat| stat.contains(") Z "))
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn await_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "the process goes on; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The value of a metric without labels; 0 before it is counted.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = ureq::get(format!("http://{}/metrics", self.admin)).call();
        let page = page.expect("metrics").into_body().read_to_string().expect("text");
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Starts on the same data after the server has ended.
    pub(crate) fn start_again(&mut self) {
        let (child, api, admin) = self.launch.ready();
        (self.child, self.api, self.admin) = (Some(child), api, admin);
    }

    /// From the next start on: the server is what this program becomes, as `prlimit --nofile=64`.
    pub(crate) fn set_through(&mut self, through: &[&str]) {
        self.launch.through = through.iter().map(|word| (*word).to_owned()).collect();
    }

    /// From the next start on: a copy of the binary beside the data, for a user who may not enter cargo's folder.
    pub(crate) fn lend_binary(&mut self) {
        let copy = self.launch.directory.path().join("tollgate");
        std::fs::copy(binary(), &copy).expect("the binary is copied");
        self.launch.binary = copy;
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("the server was started")
    }

    /// From the next start on: this and no other environment.
    pub(crate) fn set_environment(&mut self, environment: &[(&str, &str)]) {
        self.launch.environment = owned(environment);
    }

    /// Starts on the same data and kills the server after this time, whether or not it was ready.
    pub(crate) fn kill_while_starting(&mut self, after: Duration) {
        self.child = Some(self.launch.spawn());
        std::thread::sleep(after);
        self.kill();
    }

    /// Starts on the same data, which need not succeed: false when the server has ended before it was ready.
    pub(crate) fn try_start_again(&mut self) -> bool {
        let mut child = self.launch.spawn();
        let line = first_line(&mut child);
        let ready = Ready::of(&line);
        self.child = Some(child);
        let Some(ready) = ready else { return false };
        (self.api, self.admin) = (ready.api, ready.admin);
        true
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill runs").success(), "{name} is not sent");
    }

    /// Ends the server with SIGTERM and returns its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        ended(self.child()).expect("the server ignores SIGTERM").code()
    }

    /// Stops the server, then audits its data and asserts that it is clean.
    pub(crate) fn verify(mut self) {
        self.stop();
        let report = tollgate(&["verify", "--data", self.data().to_str().expect("UTF-8"), "--json"]);
        assert_eq!(
            report.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&report.stdout)
        );
    }

    /// Sends a request with a secret key and reads the answer.
    pub(crate) fn send(&self, key: &str, method: &str, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_send(key, method, path, form, headers)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// As `send`, but a connection that breaks is an error.
    pub(crate) fn try_send(
        &self,
        key: &str,
        method: &str,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> std::io::Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.api
        );
        if !key.is_empty() {
            request += &format!("authorization: Bearer {key}\r\n");
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if method == "POST" || !form.is_empty() {
            request += &format!(
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
                form.len()
            );
        }
        request += "\r\n";
        request += form;
        let bytes = self.raw(request.as_bytes())?;
        parse(&bytes).ok_or_else(|| std::io::Error::other("the connection closed before a whole answer"))
    }

    /// Writes bytes to a fresh connection and reads until the server closes it.
    pub(crate) fn raw(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.api)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // A server may answer and close before it has read everything; what it said still counts.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => Ok(answer),
            Err(_) if !answer.is_empty() => Ok(answer),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        self.send(KEY, "POST", path, form, &[])
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(KEY, "GET", path, "", &[])
    }

    /// A confirmed payment by card; its intent.
    pub(crate) fn pay(&self, amount: i64) -> Value {
        let answer = self.post(
            "/v1/payment_intents",
            &format!("amount={amount}&currency=usd&payment_method=pm_card_visa&confirm=true"),
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The secret key the suites use unless they say otherwise.
pub(crate) const KEY: &str = "sk_test_suite0123456789abcdefghijkl";

/// Runs the binary to its end.
pub(crate) fn tollgate(arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

/// The binary under test: the one cargo built for this suite, unless `TOLLGATE_BINARY` names another.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("TOLLGATE_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tollgate")), PathBuf::from)
}

fn owned(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    environment.iter().map(pair).collect()
}

impl Launch {
    fn ready(&self) -> (Child, String, String) {
        let mut child = self.spawn();
        let line = first_line(&mut child);
        let Some(ready) = Ready::of(&line) else {
            let _ = child.kill();
            let _ = child.wait();
            let log = std::fs::read_to_string(self.directory.path().join("log"));
            panic!("no ready line but {line:?}; log:\n{}", log.unwrap_or_default())
        };
        (child, ready.api, ready.admin)
    }

    fn spawn(&self) -> Child {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .expect("a log file");
        let mut command = match self.through.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command
            .args([
                "serve",
                "--dev",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(self.directory.path().join("data"))
            .args(&self.flags)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts")
    }
}

/// The first line on standard output; empty when the server ends without one, or takes too long.
fn first_line(child: &mut Child) -> String {
    let stdout = child.stdout.take().expect("a pipe");
    let (say, hear) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(stdout).read_line(&mut line);
        let _ = say.send(line);
    });
    hear.recv_timeout(LIFE_PATIENCE).unwrap_or_default()
}

/// What the ready line says.
struct Ready {
    api: String,
    admin: String,
}

impl Ready {
    fn of(line: &str) -> Option<Ready> {
        let field = |name: &str| {
            line.split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix("=http://"))
                .map(str::to_owned)
        };
        line.starts_with("tollgate ready ").then_some(())?;
        Some(Ready {
            api: field("api")?,
            admin: field("admin")?,
        })
    }
}

/// How the process ended; `None` if it has not when patience has.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + LIFE_PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("the server can be waited for") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// An answer from its bytes; `None` if they are not the whole of one.
pub(crate) fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok());
    let body = match length {
        Some(length) => body.get(..length)?,
        None => body,
    };
    Some(Answer {
        status,
        headers,
        text: String::from_utf8(body.to_vec()).ok()?,
    })
}

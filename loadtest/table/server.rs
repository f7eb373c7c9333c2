//! The server that is measured: started on a fresh data directory, pinned, asked about itself, and stopped.

use crate::cli::Table;
use crate::connection::Connection;
use crate::request::ReadRequest;
use crate::target::Target;
use crate::{Stop, process};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Time a server may take to stop before it is killed.
const STOP_MAX: Duration = Duration::from_secs(120);
/// Pause between two looks at whether it has.
const STOP_PAUSE: Duration = Duration::from_millis(50);
/// Time its page of metrics may take.
const METRICS_TIMEOUT: Duration = Duration::from_secs(10);

/// Where servers live: the binary, a directory for their data, and processors.
pub(super) struct Home {
    binary: PathBuf,
    data: PathBuf,
    server_cpus: Vec<usize>,
    tool_cpus: Vec<usize>,
}

impl Home {
    /// A home of its own for a binary; without one it is that beside this tool.
    pub(super) fn new(options: &Table, binary: Option<&Path>) -> Result<Home, Stop> {
        static HOMES: AtomicU32 = AtomicU32::new(1);
        let binary = match binary {
            Some(binary) => binary.to_path_buf(),
            None => std::env::current_exe()
                .context("the path of this binary is not known")?
                .with_file_name("tollgate"),
        };
        if !binary.is_file() {
            return Err(Stop::Use(format!(
                "{} is no file: name the server's binary with --server",
                binary.display()
            )));
        }
        let parent = options.data.clone().unwrap_or_else(std::env::temp_dir);
        let number = HOMES.fetch_add(1, Ordering::Relaxed);
        let data = parent.join(format!("tollgate-table-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        let server_cpus = options.cpus.clone();
        let tool_cpus = match options.tool_cpus.is_empty() {
            true => server_cpus.clone(),
            false => options.tool_cpus.clone(),
        };
        Ok(Home {
            binary,
            data,
            server_cpus,
            tool_cpus,
        })
    }

    /// Path of the binary.
    pub(super) fn name(&self) -> std::path::Display<'_> {
        self.binary.display()
    }

    /// What a reader needs to judge the figures.
    pub(super) fn environment(&self) -> Value {
        let version = Command::new(&self.binary).arg("--version").output();
        let version = version.map_or("not known".into(), |output| {
            String::from_utf8_lossy(&output.stdout).trim().to_string()
        });
        json!({
            "server": version,
            "binary": self.binary,
            "tool": concat!("tollgate-load ", env!("CARGO_PKG_VERSION")),
            "cores": std::fs::read_to_string("/proc/cpuinfo").map_or(0, |text| text.matches("processor\t").count()),
            "cpu": crate::environment::cpu(),
            "kernel": crate::environment::kernel(),
            "server_cpus": self.server_cpus,
            "tool_cpus": self.tool_cpus,
            "data": self.data.parent(),
        })
    }

    /// A server on a fresh directory, with settings by environment variables. The tool is pinned for the run.
    pub(super) fn start(&self, settings: &[(&str, &str)]) -> anyhow::Result<Server> {
        let directory = self.data.join("data");
        match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        self.start_on(&directory, settings)
    }

    /// A server on a directory as it is.
    pub(super) fn start_on(&self, directory: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Server> {
        pin(&self.server_cpus)?;
        let begun = Instant::now();
        let log = std::fs::File::create(self.data.join("server.log"))?;
        let mut child = Command::new(&self.binary)
            .args([
                "serve",
                "--dev",
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(directory)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.binary.display()))?;
        pin(&self.tool_cpus)?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut server = Server {
            child,
            api: String::new(),
            admin: String::new(),
            directory: directory.to_path_buf(),
            opened_in: Duration::ZERO,
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let of = |name: &str| {
            line.split_ascii_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_string)
        };
        let (Some(api), Some(admin)) = (of("api"), of("admin")) else {
            let log = std::fs::read_to_string(self.data.join("server.log")).unwrap_or_default();
            bail!("the server did not say that it is ready: {line}{log}");
        };
        (server.api, server.admin) = (api, admin);
        server.opened_in = begun.elapsed();
        Ok(server)
    }

    /// A processor for the tool alone, and others for what it meets.
    pub(super) fn apart(&self) -> anyhow::Result<(usize, Vec<usize>)> {
        let cores = std::fs::read_to_string("/proc/cpuinfo").map_or(0, |text| text.matches("processor\t").count());
        anyhow::ensure!(
            cores >= 2,
            "what one core of the tool can do needs a second one for what it meets"
        );
        Ok((cores - 1, (0..cores - 1).collect()))
    }

    /// The server that does nothing, on processors of its own.
    pub(super) fn responder(&self, cpus: &[usize]) -> anyhow::Result<Responder> {
        pin(cpus)?;
        let threads = cpus.len().to_string();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["respond", "127.0.0.1:0", &threads])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the responder cannot be started")?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut responder = Responder {
            child,
            api: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let api = line.trim().rsplit(' ').next().unwrap_or_default();
        responder.api = api.into();
        Ok(responder)
    }

    /// A place for files between runs.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What cannot be removed stays in the directory for temporary files.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// Pins this thread, and what it starts from now on; nothing where no processors are named.
pub(super) fn pin(cpus: &[usize]) -> anyhow::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    cpus.iter().for_each(|cpu| set.set(*cpu));
    sched_setaffinity(None, &set).with_context(|| format!("cannot be pinned to processors {cpus:?}"))
}

/// A running server; it dies with this value.
pub(super) struct Server {
    child: Child,
    pub(super) api: String,
    pub(super) admin: String,
    directory: PathBuf,
    /// Time from its start until it was ready.
    pub(super) opened_in: Duration,
}

impl Server {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub(super) fn memory(&self) -> Option<f64> {
        process::resident(self.pid())
    }

    /// Bytes its directory takes on disk.
    pub(super) fn disk(&self) -> anyhow::Result<u64> {
        size_of(&self.directory)
    }

    /// Median of a timing of its metrics, in seconds; `None` if it does not show one.
    pub(super) fn median_of(&self, name: &str, label: Option<(&str, &str)>) -> anyhow::Result<Option<f64>> {
        let target = Target::parse(&self.admin).map_err(anyhow::Error::msg)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let text = runtime.block_on(async {
            let mut connection = Connection::open(&target, METRICS_TIMEOUT).await?;
            let request = ReadRequest::page(&target, "/metrics");
            let answer = connection.exchange(&request).await?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(answer.body).into_owned())
        })?;
        Ok(crate::scrape::median(&text, name, label))
    }

    /// Asks it to stop and waits; an error if it does not, or fails.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process has an id")?, Signal::TERM)?;
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            anyhow::ensure!(begun.elapsed() < STOP_MAX, "the server does not stop");
            std::thread::sleep(STOP_PAUSE);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that gives everyone the same answer; it dies with this value.
pub(super) struct Responder {
    child: Child,
    pub(super) api: String,
}

impl Drop for Responder {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size_of(directory: &Path) -> anyhow::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    /// Unit in which a file's blocks are counted, whatever the file system.
    const BLOCK: u64 = 512;
    let mut sum = 0;
    let mut left = vec![directory.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => left.push(entry.path()),
                Ok(metadata) => sum += metadata.blocks() * BLOCK,
                // A server that runs removes files.
                Err(_) => {}
            }
        }
    }
    Ok(sum)
}

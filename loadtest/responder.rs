//! A trivial HTTP server: gives every request the same 2 kB payment intent, as fast as a small loop can. It answers the
//! question how fast the load tool itself is, and whether a slow figure is the tool's or the server's.

use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Connections that may wait for a thread to take them over.
const HANDOVER_LEN_MAX: usize = 1024;
/// Longest request, in bytes.
const REQUEST_LEN_MAX: usize = 16 * 1024;

/// Listens and answers until its process ends.
pub(crate) fn run(address: &str, threads: usize) -> anyhow::Result<()> {
    let answer: &'static [u8] = Box::leak(answer().into_boxed_slice());
    let senders: Vec<mpsc::Sender<std::net::TcpStream>> = (0..threads).map(|_| serve(answer)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        writeln!(
            std::io::stdout(),
            "responder ready on http://{}",
            listener.local_addr()?
        )?;
        for turn in 0.. {
            let (stream, _) = listener.accept().await?;
            if senders[turn % threads].send(stream.into_std()?).await.is_err() {
                break;
            }
        }
        Ok(())
    })
}

/// Starts a thread that serves the connections sent to it.
fn serve(answer: &'static [u8]) -> mpsc::Sender<std::net::TcpStream> {
    let (sender, mut streams) = mpsc::channel(HANDOVER_LEN_MAX);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime starts");
        let set = tokio::task::LocalSet::new();
        set.block_on(&runtime, async move {
            while let Some(stream) = streams.recv().await {
                let Ok(stream) = TcpStream::from_std(stream) else {
                    continue;
                };
                tokio::task::spawn_local(respond(stream, answer));
            }
        });
    });
    sender
}

/// Answers each complete request until the client closes or sends nonsense.
async fn respond(mut stream: TcpStream, answer: &'static [u8]) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = vec![0; REQUEST_LEN_MAX];
    let mut filled = 0;
    loop {
        match stream.read(&mut buffer[filled..]).await {
            Ok(count) if count > 0 => filled += count,
            _ => return,
        }
        while let Some(len) = request_len(&buffer[..filled]) {
            buffer.copy_within(len..filled, 0);
            filled -= len;
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// Length of the complete request at the start of `bytes`.
fn request_len(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let name = b"Content-Length: ";
    let body = memchr::memmem::find(&bytes[..head], name).map_or(0, |at| {
        let digits = &bytes[at + name.len()..];
        digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'))
    });
    (bytes.len() >= head + body).then_some(head + body)
}

/// A payment intent of the size real ones have.
fn answer() -> Vec<u8> {
    let filler: String = (0..40)
        .map(|at| format!("  \"member_{at:02}\": \"a value of ordinary length\",\n"))
        .collect();
    let body = format!(
        "{{\n  \"id\": \"pi_0000000000000000000001\",\n  \"object\": \"payment_intent\",\n{filler}  \"latest_charge\": \
         \"ch_0000000000000000000001\",\n  \"status\": \"succeeded\"\n}}"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

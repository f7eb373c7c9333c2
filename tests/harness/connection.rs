//! A client's connection: kept alive, opened again when it breaks.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use crate::log::Request;
use crate::server::{Answer, PATIENCE, parse};
use std::io::{Read, Write};
use std::net::TcpStream;

/// One connection of one client. Any error means that the request is unanswered: it may have been carried out or not.
pub(crate) struct Connection {
    address: String,
    stream: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn to(address: &str) -> Connection {
        Connection {
            address: address.to_owned(),
            stream: None,
        }
    }

    /// Sends a request and reads its answer.
    pub(crate) fn send(&mut self, request: &Request) -> std::io::Result<Answer> {
        self.exchange(
            &request.account,
            "POST",
            &request.path,
            &request.form,
            Some(&request.key),
        )
    }

    /// Sends a request and goes away without reading.
    pub(crate) fn abandon(&mut self, request: &Request) -> std::io::Result<()> {
        let head = self.head(
            &request.account,
            "POST",
            &request.path,
            &request.form,
            Some(&request.key),
        );
        self.stream()?.write_all(head.as_bytes())?;
        self.stream = None;
        Ok(())
    }

    /// Reads something.
    pub(crate) fn get(&mut self, account: &str, path: &str) -> std::io::Result<Answer> {
        self.exchange(account, "GET", path, "", None)
    }

    /// Asks for something without a key.
    pub(crate) fn post(&mut self, account: &str, path: &str, form: &str) -> std::io::Result<Answer> {
        self.exchange(account, "POST", path, form, None)
    }

    fn exchange(
        &mut self,
        account: &str,
        method: &str,
        path: &str,
        form: &str,
        key: Option<&str>,
    ) -> std::io::Result<Answer> {
        let head = self.head(account, method, path, form, key);
        let answer = self.stream().and_then(|stream| {
            stream.write_all(head.as_bytes())?;
            read(stream)
        });
        let closes = |answer: &Answer| answer.header("connection").is_some_and(|value| value == "close");
        if answer.as_ref().map_or(true, closes) {
            self.stream = None;
        }
        answer
    }

    fn stream(&mut self) -> std::io::Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            self.stream = Some(stream);
        }
        Ok(self.stream.as_mut().expect("it was just opened"))
    }

    fn head(&self, account: &str, method: &str, path: &str, form: &str, key: Option<&str>) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {account}\r\n",
            self.address
        );
        if let Some(key) = key {
            head += &format!("idempotency-key: {key}\r\n");
        }
        if method == "POST" {
            head += &format!(
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
                form.len()
            );
        }
        head + "\r\n" + form
    }
}

/// Reads one answer, whose length its head tells.
fn read(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let mut bytes = Vec::with_capacity(4096);
    let mut chunk = [0; 4096];
    loop {
        if let Some(answer) = parse(&bytes).filter(|answer| answer.header("content-length").is_some()) {
            return Ok(answer);
        }
        match stream.read(&mut chunk)? {
            0 => return Err(std::io::Error::other("the connection closed before a whole answer")),
            len => bytes.extend_from_slice(&chunk[..len]),
        }
    }
}

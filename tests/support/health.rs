//! Health and metrics, asked over plain HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::server::Server;

/// The section that has them served.
pub const LISTEN: &str = "[metrics]\nlisten = [\"127.0.0.1:0\"]\n";

/// Where the metrics of a server are served.
pub fn address(server: &Server) -> SocketAddr {
    let line = server.wait_for_log("health and metrics are served");
    let begin = line.rfind('[').expect("a list of addresses") + 1;
    let end = begin + line[begin..].find(']').expect("its end");
    line[begin..end].parse().expect("an address")
}

/// Asks over plain HTTP. Gives the status and the body.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: metrics\r\nconnection: close\r\n\r\n"
    )
    .expect("it is asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

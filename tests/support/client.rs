//! A KMIP client over OpenSSL: the transport that vCenter and ESXi use, and none of the product's code.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use openssl::ssl::{
    ErrorCode, SslConnector, SslMethod, SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};

use super::ttlv::Item;

/// One client's certificate, and the server that it talks to.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub ca: PathBuf,
    /// Only this version of TLS, or whichever is best.
    pub tls: Option<SslVersion>,
}

impl Client {
    pub fn connect(&self) -> Connection {
        self.try_connect().expect("the server lets this client in")
    }

    /// Connects and waits until the server's last word of the handshake is known: in TLS 1.3 a refused
    /// certificate shows only then.
    pub fn try_connect(&self) -> Result<Connection, String> {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a TLS client");
        connector
            .set_ca_file(&self.ca)
            .expect("the server's certificate can be read");
        connector
            .set_certificate_file(&self.certificate, openssl::ssl::SslFiletype::PEM)
            .expect("a certificate");
        connector
            .set_private_key_file(&self.key, openssl::ssl::SslFiletype::PEM)
            .expect("a private key");
        connector.set_verify(SslVerifyMode::PEER);
        if let Some(version) = self.tls {
            connector.set_min_proto_version(Some(version)).expect("a version");
            connector.set_max_proto_version(Some(version)).expect("a version");
        }
        let has_ticket = Arc::new(AtomicBool::new(false));
        connector.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        connector.set_new_session_callback({
            let has_ticket = Arc::clone(&has_ticket);
            move |_, _| has_ticket.store(true, Ordering::Relaxed)
        });
        let stream = TcpStream::connect(self.address).map_err(|error| error.to_string())?;
        stream.set_nodelay(true).expect("a socket option");
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .expect("a socket option");
        let mut configuration = connector.build().configure().expect("a TLS client");
        configuration.set_verify_hostname(true);
        let ssl = configuration.into_ssl("localhost").expect("a TLS client");
        let mut stream = ssl.connect(stream).map_err(|error| error.to_string())?;
        if stream.ssl().version2() == Some(SslVersion::TLS1_3) {
            wait_for_ticket(&mut stream, &has_ticket)?;
        }
        Ok(Connection { stream })
    }
}

/// Waits for the first ticket of a session, which the server sends once it has let the client in.
fn wait_for_ticket(stream: &mut SslStream<TcpStream>, has_ticket: &AtomicBool) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    while !has_ticket.load(Ordering::Relaxed) {
        if stream.get_ref().peek(&mut [0]).map_err(failed)? == 0 {
            return Err("the server has ended the connection".to_owned());
        }
        // A ticket alone gives nothing to read.
        stream.get_ref().set_nonblocking(true).map_err(failed)?;
        let peeked = stream.ssl_peek(&mut [0]);
        stream.get_ref().set_nonblocking(false).map_err(failed)?;
        match peeked {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// A connection that carries one message at a time.
pub struct Connection {
    pub stream: SslStream<TcpStream>,
}

impl Connection {
    pub fn exchange(&mut self, request: &Item) -> Item {
        let answer = self
            .exchange_bytes(&request.encode())
            .expect("the server answers");
        Item::decode(&answer)
    }

    pub fn exchange_bytes(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        self.stream
            .write_all(request)
            .map_err(|error| error.to_string())?;
        self.read_message()
    }

    pub fn read_message(&mut self) -> Result<Vec<u8>, String> {
        let mut message = vec![0; 8];
        self.stream
            .read_exact(&mut message)
            .map_err(|error| error.to_string())?;
        let length = u32::from_be_bytes(message[4..8].try_into().expect("four bytes")) as usize;
        message.resize(8 + length, 0);
        self.stream
            .read_exact(&mut message[8..])
            .map_err(|error| error.to_string())?;
        Ok(message)
    }

    /// Waits until the server has ended the connection; true where it did so without another byte.
    pub fn is_closed_by_server(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Ends the connection as a client does that only wanted the handshake.
    pub fn close(mut self) {
        self.stream.shutdown().ok();
    }
}

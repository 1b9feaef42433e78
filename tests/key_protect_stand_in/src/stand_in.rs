//! Starting and stopping.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde::Serialize;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use uuid::Uuid;

use crate::control::Control;
use crate::server::Server;
use crate::service::{self, Service};
use crate::{Error, Options, certificates, iam};

/// The most connections that wait to be taken.
const BACKLOG: u32 = 1024;

/// A stand-in, which may be stopped and started again as often as one likes. Stops when it is dropped.
pub struct StandIn {
    options: Options,
    facts: Facts,
    control: Control,
    running: Option<Running>,
}

struct Running {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// What a client must know. As JSON, it is the line that the program prints when it serves.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The base URL, without the `/api/v2` behind it.
    pub url: String,
    /// The URL at which IAM exchanges API keys for tokens.
    pub iam_url: String,
    /// The CA certificate to trust, PEM.
    pub ca_file: PathBuf,
    /// The file of an API key of the role Manager.
    pub api_key_file: PathBuf,
    /// The identifier of the instance.
    pub instance_id: Uuid,
    /// The file of another identity's API key, likewise Manager: two are needed where an authorisation of two is.
    pub second_api_key_file: PathBuf,
    /// The file of an API key of the role Writer, which makes and rotates keys and deletes none.
    pub writer_api_key_file: PathBuf,
    /// The file of an API key of the role `ReaderPlus`, which reads the material of standard keys and makes none.
    pub reader_plus_api_key_file: PathBuf,
    /// The file of an API key of the role Reader, which looks at keys, wraps and unwraps.
    pub reader_api_key_file: PathBuf,
}

impl StandIn {
    /// Starts one, and returns when it serves.
    pub fn start(options: Options) -> Result<Self, Error> {
        let directory = &options.directory;
        std::fs::create_dir_all(directory).map_err(Error::file(directory))?;
        let directory = directory.canonicalize().map_err(Error::file(directory))?;
        let facts = Facts {
            url: String::new(),
            iam_url: String::new(),
            ca_file: directory.join(certificates::AUTHORITY),
            api_key_file: directory.join(iam::API_KEY),
            instance_id: service::instance(&directory)?,
            second_api_key_file: directory.join(iam::SECOND_API_KEY),
            writer_api_key_file: directory.join(iam::WRITER_API_KEY),
            reader_plus_api_key_file: directory.join(iam::READER_PLUS_API_KEY),
            reader_api_key_file: directory.join(iam::READER_API_KEY),
        };
        let options = Options { directory, ..options };
        let mut stand_in = Self {
            options,
            facts,
            control: Control::default(),
            running: None,
        };
        stand_in.start_again()?;
        Ok(stand_in)
    }

    /// What a client must know. It is the same after a stop and a start.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What goes wrong, how slow it is, what others do to its keys, and what it has counted.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The API key of [`Facts::api_key_file`].
    pub fn api_key(&self) -> Result<String, Error> {
        let path = &self.facts.api_key_file;
        std::fs::read_to_string(path).map_err(Error::file(path))
    }

    /// Closes the socket and every connection, whatever is under way, and ends the device. Returns when all of it is over;
    /// does nothing where it does not run.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop.send(true);
            let _ = running.thread.join();
        }
    }

    /// Starts again after [`stop`](Self::stop), on the same port and with everything that it had, and returns when it
    /// serves; does nothing where it runs.
    pub fn start_again(&mut self) -> Result<(), Error> {
        if self.running.is_some() {
            return Ok(());
        }
        let (stop, stopped) = watch::channel(false);
        let (ready, started) = std::sync::mpsc::channel();
        let options = self.options.clone();
        let instance = self.facts.instance_id;
        let control = self.control.clone();
        let thread = std::thread::Builder::new()
            .name("key-protect".to_owned())
            .spawn(move || run(&options, instance, &control, stopped, &ready))
            .map_err(|error| Error::Thread(error.to_string()))?;
        let ended = |_| Error::Thread("it ended before it served".to_owned());
        let address = started.recv().map_err(ended)??;
        self.options.port = address.port();
        self.facts.url = format!("https://{address}");
        self.facts.iam_url = format!("https://{address}/identity/token");
        self.running = Some(Running { stop, thread });
        Ok(())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread's life: a runtime, the service, its end.
fn run(
    options: &Options,
    instance: Uuid,
    control: &Control,
    stopped: watch::Receiver<bool>,
    ready: &std::sync::mpsc::Sender<Result<SocketAddr, Error>>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("key-protect")
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(Error::Thread(error.to_string())));
            return;
        }
    };
    let served = runtime.block_on(async {
        let tls = certificates::server(&options.directory, options.form, &instance.to_string())?;
        let service = Arc::new(Service::open(options, instance).await?);
        let listener = listen(options.port).map_err(Error::Socket)?;
        let address = listener.local_addr().map_err(Error::Socket)?;
        control.serves(Some(Arc::clone(&service)));
        let _ = ready.send(Ok(address));
        let server = Server {
            service: Arc::clone(&service),
            control: control.clone(),
        };
        server.serve(listener, tls, stopped).await;
        control.serves(None);
        service.vault.close().await;
        Ok(())
    });
    if let Err(error) = served {
        let _ = ready.send(Err(error));
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A port whose connections were closed a moment ago can be had again.
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

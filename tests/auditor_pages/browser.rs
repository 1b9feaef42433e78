//! Chromium, driven over W3C `WebDriver`, with a client certificate in a certificate store of its own.
//!
//! Which certificate a browser shows is its user's choice; a policy makes it here. Chromium reads policies from one folder of
//! the machine, so it runs with a folder of its own in the place of that: in a mount namespace, which changes nothing for
//! others.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What an element is named by in `WebDriver`'s JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Who uses the browser, and what they trust.
pub(crate) struct Identity<'i> {
    pub(crate) certificate: &'i Path,
    pub(crate) key: &'i Path,
    pub(crate) server: &'i Path,
}

/// One window. Ends when it is dropped.
pub(crate) struct Browser {
    folder: tempfile::TempDir,
    driver: Child,
    client: reqwest::Client,
    session: String,
}

impl Browser {
    pub(crate) async fn start(identity: &Identity<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        keep_certificates(folder.path(), identity);
        let policies = folder.path().join("chromium/policies/managed");
        std::fs::create_dir_all(&policies).expect("the folder can be written to");
        let policy = json!({ "AutoSelectCertificateForUrls": ["{\"pattern\":\"https://*\",\"filter\":{}}"] });
        std::fs::write(policies.join("test.json"), policy.to_string()).expect("the folder can be written to");
        let mut driver = Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c"])
            .arg("mount --bind \"$1\" /etc/chromium && exec chromedriver --port=0")
            .arg("sh")
            .arg(folder.path().join("chromium"))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare is there");
        let port = port_of(&mut driver);
        let client = reqwest::Client::new();
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                format!("--user-data-dir={}", folder.path().join("profile").display()),
            ],
            "prefs": {
                "download.default_directory": folder.path().join("downloads"),
                "download.prompt_for_download": false,
            },
        });
        let capabilities = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let address = format!("http://127.0.0.1:{port}/session");
        let reply = client
            .post(&address)
            .json(&capabilities)
            .send()
            .await
            .expect("the driver answers");
        let reply: Value = reply.json().await.expect("JSON");
        let id = reply["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{reply}"));
        let session = format!("{address}/{id}");
        Self {
            folder,
            driver,
            client,
            session,
        }
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let reply = self
            .client
            .post(format!("{}/{command}", self.session))
            .json(&body)
            .send()
            .await;
        let reply: Value = reply.expect("the driver answers").json().await.expect("JSON");
        assert!(reply["value"].get("error").is_none(), "{command}: {reply}");
        reply["value"].clone()
    }

    async fn get(&self, command: &str) -> Value {
        let reply = self
            .client
            .get(format!("{}/{command}", self.session))
            .send()
            .await;
        let reply: Value = reply.expect("the driver answers").json().await.expect("JSON");
        reply["value"].clone()
    }

    /// Goes to a page, and gives back what the browser says where it can't.
    pub(crate) async fn try_open(&self, url: &str) -> Result<(), String> {
        let request = self
            .client
            .post(format!("{}/url", self.session))
            .json(&json!({ "url": url }));
        let reply: Value = request
            .send()
            .await
            .expect("the driver answers")
            .json()
            .await
            .expect("JSON");
        match reply["value"]["message"].as_str() {
            Some(message) => Err(message.to_owned()),
            None => Ok(()),
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.try_open(url).await.expect("the page opens");
    }

    pub(crate) async fn size(&self, width: u32, height: u32) {
        self.post("window/rect", json!({ "width": width, "height": height }))
            .await;
    }

    pub(crate) async fn title(&self) -> String {
        self.get("title").await.as_str().expect("text").to_owned()
    }

    pub(crate) async fn source(&self) -> String {
        self.get("source").await.as_str().expect("text").to_owned()
    }

    pub(crate) async fn url(&self) -> String {
        self.get("url").await.as_str().expect("text").to_owned()
    }

    /// The text of the whole page, as it is seen.
    pub(crate) async fn text(&self) -> String {
        let body = self.find("body").await;
        self.get(&format!("element/{body}/text"))
            .await
            .as_str()
            .expect("text")
            .to_owned()
    }

    async fn find(&self, selector: &str) -> String {
        let found = self
            .post("element", json!({ "using": "css selector", "value": selector }))
            .await;
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/click"), json!({})).await;
    }

    /// Types into a field; for a file, its path.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/value"), json!({ "text": text }))
            .await;
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[char]) {
        let strokes = keys.iter().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        let strokes: Vec<_> = strokes.collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.post("actions", actions).await;
    }

    /// Runs a script in the page, as a tool of the browser's and not of the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// The same, which calls its last argument with its result.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.post("execute/async", json!({ "script": script, "args": [] }))
            .await
    }

    /// A picture of the whole page at this width, however long it is.
    pub(crate) async fn picture(&self, width: u32, file: &Path) {
        self.size(width, 800).await;
        let height = self.run("return document.documentElement.scrollHeight").await;
        let height = u32::try_from(height.as_u64().expect("a number")).expect("a height");
        // What the window itself takes.
        let beside = self
            .run("return window.outerHeight - window.innerHeight")
            .await
            .as_u64()
            .unwrap_or_default();
        let beside = u32::try_from(beside).expect("a height");
        self.size(width, (height + beside).clamp(500, 8000)).await;
        let picture = self.get("screenshot").await;
        write(file, picture.as_str().expect("base64"));
    }

    /// The page as it is printed.
    pub(crate) async fn print(&self, file: &Path) {
        let paper = json!({ "page": { "width": 21.0, "height": 29.7 }, "background": true });
        let printed = self.post("print", paper).await;
        write(file, printed.as_str().expect("base64"));
    }

    /// Writes a file that can be sent in.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("the folder can be written to");
        path
    }
}

impl Browser {
    /// Waits until a file whose name ends so was downloaded.
    pub(crate) async fn downloaded(&self, end: &str) -> PathBuf {
        let folder = self.folder.path().join("downloads");
        let waited = tokio::time::timeout(Duration::from_mins(1), async {
            loop {
                let files = std::fs::read_dir(&folder).into_iter().flatten();
                let mut names = files.filter_map(|file| Some(file.ok()?.path()));
                let found = names.find(|path| path.to_string_lossy().ends_with(end));
                if let Some(found) = found {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.expect("a download comes to its end")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is ended leaves its browser behind; one whose window is closed does not.
        let session = self.session.strip_prefix("http://");
        if let Some((address, path)) = session.and_then(|session| session.split_once('/'))
            && let Ok(mut stream) = TcpStream::connect(address)
        {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                stream,
                "DELETE /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read_exact(&mut [0; "HTTP/1.1 200".len()]);
        }
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        let _ = self.driver.wait();
    }
}

fn write(file: &Path, base64: &str) {
    let bytes = STANDARD.decode(base64).expect("base64");
    std::fs::write(file, bytes).expect("the folder can be written to");
}

fn port_of(driver: &mut Child) -> u16 {
    let output = BufReader::new(driver.stdout.take().expect("a pipe"));
    for line in output.lines().map_while(Result::ok) {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().expect("a port");
        }
    }
    panic!("chromedriver does not start: scripts/install-needs chromium chromium-driver libnss3-tools");
}

/// The store that Chromium looks into: the auditor's certificate with its key, and the server's to trust.
fn keep_certificates(home: &Path, identity: &Identity<'_>) {
    let folder = home.join(".pki/nssdb");
    std::fs::create_dir_all(&folder).expect("the folder can be written to");
    let store = format!("sql:{}", folder.display());
    let bundle = home.join("auditor.p12");
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let (certificate, key) = (path(identity.certificate), path(identity.key));
    let (server, bundle) = (path(identity.server), path(&bundle));
    must("certutil", &["-N", "-d", &store, "--empty-password"]);
    must(
        "certutil",
        &["-A", "-d", &store, "-n", "server", "-t", "P,,", "-i", &server],
    );
    must(
        "openssl",
        &[
            "pkcs12",
            "-export",
            "-in",
            &certificate,
            "-inkey",
            &key,
            "-out",
            &bundle,
            "-passout",
            "pass:x",
        ],
    );
    must("pk12util", &["-d", &store, "-i", &bundle, "-W", "x"]);
}

fn must(program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

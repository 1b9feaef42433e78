//! A client that knows as much of the interface as the tests need, and the stand-in's process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use claviger_hsm::WorkerCommand;
use claviger_key_protect_stand_in::{Options, StandIn};
use reqwest::{Certificate, Method, RequestBuilder};
use serde_json::{Value, json};

const GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";
const PROGRAM: &str = env!("CARGO_BIN_EXE_claviger-key-protect-stand-in");

/// A stand-in whose device is hosted by its own program.
pub(crate) fn options(directory: &Path) -> Options {
    let worker = WorkerCommand {
        program: PROGRAM.into(),
        arguments: vec!["device-worker".into()],
    };
    Options::new(directory, worker)
}

/// The program. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) facts: Value,
}

impl Process {
    pub(crate) fn start(directory: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .arg("--directory")
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it says where it is");
        let facts = serde_json::from_str(&line).expect("one line of JSON");
        Self { child, facts }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its exit code after SIGTERM.
    pub(crate) fn end(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill is there");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A client with one token, and no retries.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    instance: String,
    token: String,
}

impl Client {
    pub(crate) async fn of(stand_in: &StandIn) -> Self {
        Self::new(&serde_json::to_value(stand_in.facts()).expect("facts are JSON")).await
    }

    pub(crate) async fn new(facts: &Value) -> Self {
        let fact = |name: &str| facts[name].as_str().expect("a fact").to_owned();
        let read = |name: &str| std::fs::read(fact(name)).expect("a file of the stand-in");
        let authority = Certificate::from_pem(&read("ca_file")).expect("a certificate");
        let http = reqwest::Client::builder()
            .tls_certs_only([authority])
            .build()
            .expect("a client");
        let key = String::from_utf8(read("api_key_file")).expect("text");
        let form = [("grant_type", GRANT), ("apikey", &key)];
        let token = http
            .post(fact("iam_url"))
            .form(&form)
            .send()
            .await
            .expect("IAM answers");
        let token: Value = token.json().await.expect("IAM answers with JSON");
        Self {
            url: fact("url"),
            instance: fact("instance_id"),
            token: token["access_token"].as_str().expect("a token").to_owned(),
            http,
        }
    }

    pub(crate) async fn create_root_key(&self, name: &str) -> String {
        self.try_to_create(name).await.expect("a key is made")
    }

    pub(crate) async fn try_to_create(&self, name: &str) -> Result<String, String> {
        let body = json!({
            "metadata": {"collectionType": "application/vnd.ibm.kms.key+json", "collectionTotal": 1},
            "resources": [{"name": name, "extractable": false}],
        });
        let made = self.send(self.request(Method::POST, "/keys").json(&body)).await?;
        Ok(made["resources"][0]["id"]
            .as_str()
            .expect("an identifier")
            .to_owned())
    }

    pub(crate) async fn wrap(&self, key: &str, body: &Value) -> Value {
        self.act(key, "wrap", body).await.expect("it wraps")
    }

    /// What an action answers; or the status, `Retry-After` and reason of its refusal, or that the connection broke.
    pub(crate) async fn act(&self, key: &str, action: &str, body: &Value) -> Result<Value, String> {
        let path = format!("/keys/{key}/actions/{action}");
        self.send(self.request(Method::POST, &path).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(self.request(Method::GET, path)).await
    }

    /// The status and the body of what IAM answers to an API key.
    pub(crate) async fn token(&self, path: &str, key: &str) -> (u16, Value) {
        let form = [("grant_type", GRANT), ("apikey", key)];
        let request = self.http.post(format!("{}{path}", self.url)).form(&form);
        let response = request.send().await.expect("IAM answers");
        let status = response.status().as_u16();
        (status, response.json().await.expect("IAM answers with JSON"))
    }

    /// The status and the body of what the control interface answers.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, format!("{}/control/{path}", self.url));
        let response = request.json(body).send().await.expect("it answers");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v2{path}", self.url);
        let request = self.http.request(method, url).bearer_auth(&self.token);
        request.header("bluemix-instance", &self.instance)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, String> {
        let response = request
            .send()
            .await
            .map_err(|error| format!("connection: {error}"))?;
        let status = response.status();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map_or(String::new(), |value| format!("retry-after {value} "));
        let body = response
            .bytes()
            .await
            .map_err(|error| format!("connection: {error}"))?;
        if body.is_empty() && status.is_success() {
            return Ok(Value::Null);
        }
        let body: Value = serde_json::from_slice(&body).map_err(|error| format!("no JSON: {error}"))?;
        if status.is_success() {
            return Ok(body);
        }
        let code = body
            .pointer("/resources/0/reasons/0/code")
            .and_then(Value::as_str);
        Err(format!(
            "{} {retry_after}{}",
            status.as_u16(),
            code.unwrap_or_default()
        ))
    }
}

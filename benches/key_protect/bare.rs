//! The mark: a client that speaks HTTPS to the stand-in and does nothing else.

use std::time::{Duration, Instant};

use reqwest::header::AUTHORIZATION;
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::{Value, json};

use crate::measure::{Measured, run};

/// What is asked again and again.
#[derive(Clone, Copy)]
pub enum Action {
    Wrap,
    Unwrap,
}

pub struct Bare {
    http: Client,
    url: String,
    instance: String,
    token: String,
    /// The path of a root key's actions.
    actions: String,
    ciphertext: String,
}

impl Bare {
    pub async fn new(facts: &Value) -> Self {
        let fact = |name: &str| facts[name].as_str().expect("a fact").to_owned();
        let ca = std::fs::read(fact("ca_file")).expect("the authority's certificate");
        let http = Client::builder()
            .http1_only()
            .no_proxy()
            .add_root_certificate(Certificate::from_pem(&ca).expect("a certificate"))
            .build()
            .expect("a client");
        let api_key = std::fs::read_to_string(fact("api_key_file")).expect("an API key");
        let form = [
            ("grant_type", "urn:ibm:params:oauth:grant-type:apikey"),
            ("apikey", api_key.trim()),
        ];
        let token = answered(http.post(fact("iam_url")).form(&form)).await;
        let mut bare = Self {
            http,
            url: fact("url"),
            instance: fact("instance_id"),
            token: format!("Bearer {}", token["access_token"].as_str().expect("a token")),
            actions: String::new(),
            ciphertext: String::new(),
        };
        let kind = "application/vnd.ibm.kms.key+json";
        let made = bare.post(
            "/api/v2/keys",
            &json!({
                "metadata": {"collectionType": kind, "collectionTotal": 1},
                "resources": [{"type": kind, "name": "bench", "extractable": false}],
            }),
        );
        let made = answered(made).await;
        let id = made["resources"][0]["id"].as_str().expect("an identifier");
        bare.actions = format!("/api/v2/keys/{id}/actions/");
        let wrapped = answered(bare.request(Action::Wrap)).await;
        let ciphertext = wrapped["ciphertext"].as_str().expect("a ciphertext");
        Self {
            ciphertext: ciphertext.to_owned(),
            ..bare
        }
    }

    fn request(&self, action: Action) -> RequestBuilder {
        match action {
            Action::Wrap => self.post(&format!("{}wrap", self.actions), &json!({})),
            Action::Unwrap => {
                let ciphertext = json!({"ciphertext": self.ciphertext});
                self.post(&format!("{}unwrap", self.actions), &ciphertext)
            }
        }
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .header(AUTHORIZATION, &self.token)
            .header("bluemix-instance", &self.instance)
            .json(body)
    }

    /// The same action again and again by so many clients.
    pub async fn load(&self, clients: usize, time: Duration, action: Action) -> Measured {
        run(
            clients,
            async |_| self.request(action),
            |request: RequestBuilder| async move {
                let mut latencies = Vec::new();
                let begin = Instant::now();
                while begin.elapsed() < time {
                    let start = Instant::now();
                    let again = request.try_clone().expect("its body is in memory");
                    let answer = again.send().await.expect("the stand-in answers");
                    assert!(answer.status().is_success());
                    answer.bytes().await.expect("the stand-in answers");
                    latencies.push(start.elapsed());
                }
                latencies
            },
        )
        .await
    }

    pub async fn set_delay(&self, milliseconds: u64) {
        let delay = self.http.put(format!("{}/control/delay", self.url));
        let done = delay.json(&json!({"milliseconds": milliseconds})).send().await;
        assert!(done.expect("the stand-in answers").status().is_success());
    }

    pub async fn counters(&self) -> Value {
        answered(self.http.get(format!("{}/control/counters", self.url))).await
    }
}

async fn answered(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("the stand-in answers");
    let answer = answer.error_for_status().expect("a success");
    answer.json().await.expect("JSON")
}

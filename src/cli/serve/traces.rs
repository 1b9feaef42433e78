//! Traces of requests, sent to a collector by OTLP over HTTP.
//!
//! Nothing of a request waits for the collector: spans that ended are put into a queue of a fixed length, and a thread of its own
//! sends them. What the collector does not take, and what does not fit into the queue, is lost and counted.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use metrics::counter;
use opentelemetry::trace::{Link, SpanKind, Status, TraceId, TracerProvider as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter as Otlp, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingResult, SdkTracerProvider, ShouldSample, Span,
    SpanData, SpanExporter, SpanProcessor,
};
use reqwest::Certificate;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::cli::exit::Failure;
use crate::config::{Config, Tracing};

/// Spans that wait to be sent, at most. At 500 bytes a span, a few megabytes.
const QUEUE: usize = 8192;
/// How long the collector may take for what is sent at once, and how long a stop waits for the last of it.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long spans wait for others, to be sent together.
const DELAY: Duration = Duration::from_secs(1);

/// The span of a request of a client.
const REQUEST: &str = "kmip";

/// Where spans go. Lives as long as the process; [`Traces::stop`] sends what waits.
pub(in crate::cli) struct Traces(SdkTracerProvider);

impl Traces {
    /// Where the configuration wants them; none where it names no collector. Not to be called where futures are run.
    pub(super) fn wanted(config: &Config) -> Result<Option<Self>, Failure> {
        let tracing = config.tracing.as_ref();
        let traces = tracing.map(|tracing| Self::start(tracing, &config.node));
        traces.transpose().map_err(|why| {
            Failure::new(format!("traces can't be sent: {why}")).remedy("correct the section [tracing]")
        })
    }

    /// Fails where the authorities can't be read. Connects to nothing.
    fn start(tracing: &Tracing, node: &str) -> Result<Self, String> {
        let mut http = reqwest::blocking::Client::builder()
            .tls_backend_rustls()
            .no_proxy()
            .timeout(DEADLINE)
            .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &tracing.ca_file {
            let failed =
                |error: &dyn std::error::Error| format!("tracing.ca_file {}: {error}", path.display());
            let pem = fs::read(path).map_err(|error| failed(&error))?;
            http = http.tls_certs_merge(Certificate::from_pem_bundle(&pem).map_err(|error| failed(&error))?);
        }
        let otlp = Otlp::builder()
            .with_http()
            .with_http_client(http.build().map_err(|error| error.to_string())?)
            .with_endpoint(&tracing.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(DEADLINE)
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| error.to_string())?;
        let waiting = Arc::new(AtomicUsize::new(0));
        let exporter = Exporter {
            otlp,
            endpoint: tracing.endpoint.clone(),
            waiting: Arc::clone(&waiting),
            is_away: AtomicBool::new(false),
        };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_scheduled_delay(DELAY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let resource = Resource::builder()
            .with_service_name("claviger")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", node.to_owned()),
            ])
            .build();
        #[expect(clippy::cast_precision_loss, reason = "a million at the most")]
        let ratio = 1.0 / tracing.one_in as f64;
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(OfRequests(
                Sampler::TraceIdRatioBased(ratio),
            ))))
            .with_resource(resource)
            .with_span_processor(Queue { processor, waiting })
            .build();
        Ok(Self(provider))
    }

    /// What takes the spans of this program, whatever level the log has. Lines of the log are not sent.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let is_span = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("claviger"));
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("claviger"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(is_span.with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends what waits, and no more after that. Not to be called where futures are run.
    pub(super) fn stop(&self) {
        // What is lost was counted and told of.
        let _ = self.0.shutdown_with_timeout(DEADLINE);
    }
}

/// A trace begins with a request of a client: what the server does by itself is not traced.
#[derive(Clone, Debug)]
struct OfRequests(Sampler);

impl ShouldSample for OfRequests {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = if name == REQUEST {
            &self.0
        } else {
            &Sampler::AlwaysOff
        };
        sampler.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

/// The queue, and what this program's spans are called in the protocol.
#[derive(Debug)]
struct Queue {
    processor: BatchSpanProcessor,
    /// Spans in the queue, as many as it may have at the most: it drops what is too much without a word.
    waiting: Arc<AtomicUsize>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            lost(1);
            return;
        }
        // A request came from a client, and what it needs is asked of others: of a device, of the database.
        span.span_kind = if span.name == REQUEST {
            SpanKind::Server
        } else {
            SpanKind::Client
        };
        let result = span
            .attributes
            .iter()
            .rfind(|attribute| attribute.key.as_str() == "result");
        if let Some(Value::String(result)) = result.map(|attribute| &attribute.value)
            && !matches!(result.as_str(), "success" | "pending")
        {
            span.status = Status::error(result.as_str().to_owned());
        }
        self.processor.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

/// What sends spans, and tells once that the collector is away and once that it is back.
#[derive(Debug)]
struct Exporter {
    otlp: Otlp,
    endpoint: String,
    waiting: Arc<AtomicUsize>,
    is_away: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let sent = self.otlp.export(batch).await;
        match &sent {
            Ok(()) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!(endpoint = %self.endpoint, "the collector takes traces again");
                }
            }
            Err(error) => {
                lost(spans);
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        endpoint = %self.endpoint, %error,
                        "traces are lost: the collector does not take them; nothing waits for it"
                    );
                }
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

fn lost(spans: usize) {
    counter!("claviger_tracing_lost_spans_total").increment(spans as u64);
}

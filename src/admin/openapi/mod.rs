//! The description of the interface in `OpenAPI`: `docs/openapi.json`, and at `GET /v1/openapi.json`.
//!
//! The forms of requests and replies are told by the types themselves; which resource takes and gives which is in [`table`]. A
//! test compares the table with the routes, and the document with the file.

mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::ToSchema;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
    Ref, RefOr, Required, ResponseBuilder,
};

use super::Administration;
use super::api::ErrorReply;
use table::{OPERATIONS, Operation, Reply};

const JSON: &str = "application/json";

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/openapi.json", get(async || Json(document())))
}

/// A form, and those that it refers to.
struct Described {
    name: String,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// The form of a type.
fn form<T: ToSchema>() -> Described {
    let name = T::name().into_owned();
    let mut schemas = vec![(name.clone(), T::schema())];
    T::schemas(&mut schemas);
    Described { name, schemas }
}

/// The forms that are referred to.
#[derive(Default)]
struct Forms(BTreeMap<String, RefOr<Schema>>);

impl Forms {
    fn take(&mut self, described: Described) -> Ref {
        self.0.extend(described.schemas);
        Ref::from_schema_name(described.name)
    }
}

/// The whole document.
pub(super) fn document() -> OpenApi {
    let mut forms = Forms::default();
    let refusal = forms.take(form::<ErrorReply>());
    let mut paths = PathsBuilder::new();
    for operation in OPERATIONS {
        let described = described(operation, &mut forms, &refusal);
        let method = operation.method.clone();
        paths = paths.path(operation.path, PathItem::new(method, described));
    }
    let certificate = SecurityScheme::MutualTls {
        description: Some("A certificate that `admin.web` names, over HTTPS.".into()),
        deprecated: None,
        extensions: None,
    };
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An access token, over HTTPS, where `admin.web.tokens` is on.",
        ))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(forms.0)
        .security_scheme("certificate", certificate)
        .security_scheme("token", SecurityScheme::Http(token));
    let info = InfoBuilder::new()
        .title("Claviger: administration")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "JSON over HTTP on the administration socket, where the kernel says who asks, and over HTTPS for client \
             certificates and access tokens. Times are RFC 3339 in UTC, bytes lower-case hexadecimal.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()));
    let none: [&str; 0] = [];
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components.build()))
        .security(Some([
            SecurityRequirement::new("certificate", none),
            SecurityRequirement::new("token", none),
        ]))
        .build()
}

fn described(operation: &Operation, forms: &mut Forms, refusal: &Ref) -> OperationBuilder {
    let mut described = OperationBuilder::new()
        .summary(Some(operation.summary))
        .operation_id(Some(identifier(operation)));
    for name in variables(operation.path) {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text()));
        described = described.parameter(parameter);
    }
    for (name, description) in operation.query {
        let parameter = ParameterBuilder::new()
            .name(*name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(*description))
            .schema(Some(query_form(name)));
        described = described.parameter(parameter);
    }
    if let Some(request) = operation.request {
        let wanted = forms.take(request());
        let schema = match operation.reply {
            Reply::Collection(_) | Reply::Collected(_) => collection(wanted),
            _ => RefOr::Ref(wanted),
        };
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content(JSON, ContentBuilder::new().schema(Some(schema)).build());
        described = described.request_body(Some(body.build()));
    }
    let (status, schema) = match operation.reply {
        Reply::Nothing => ("204", None),
        Reply::One(form) => ("200", Some(RefOr::Ref(forms.take(form())))),
        Reply::Made(form) => ("201", Some(RefOr::Ref(forms.take(form())))),
        Reply::List(form) => ("200", Some(list(RefOr::Ref(forms.take(form()))))),
        Reply::Texts => ("200", Some(list(RefOr::T(text().into())))),
        Reply::Collection(form) => ("200", Some(collection(forms.take(form())))),
        Reply::Collected(form) => ("201", Some(collection(forms.take(form())))),
        Reply::File(_) => ("200", None),
        Reply::Document => ("200", Some(RefOr::T(ObjectBuilder::new().build().into()))),
    };
    let mut answer = ResponseBuilder::new().description("It is done.");
    if let Reply::File(content_type) = operation.reply {
        answer = answer.content(content_type, ContentBuilder::new().build());
    }
    if let Some(schema) = schema {
        answer = answer.content(JSON, ContentBuilder::new().schema(Some(schema)).build());
    }
    let refused = if operation.path.starts_with("/api/v2/") {
        ResponseBuilder::new().description("It is not, and why, in the form of Key Protect's errors.")
    } else {
        ResponseBuilder::new()
            .description("It is not, and why.")
            .content(JSON, ContentBuilder::new().schema(Some(refusal.clone())).build())
    };
    described.response(status, answer).response("default", refused)
}

/// The page of a list.
fn list(item: RefOr<Schema>) -> RefOr<Schema> {
    let texts = ArrayBuilder::new().items(text().build());
    let list = ObjectBuilder::new()
        .property("items", ArrayBuilder::new().items(item))
        .required("items")
        .property("next", text())
        .property("tampered", texts);
    RefOr::T(list.build().into())
}

/// What Key Protect has around its resources.
fn collection(resource: Ref) -> RefOr<Schema> {
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    let metadata = ObjectBuilder::new()
        .property("collectionType", text())
        .required("collectionType")
        .property("collectionTotal", number())
        .required("collectionTotal")
        .property("totalCount", number());
    let collection = ObjectBuilder::new()
        .property("metadata", metadata)
        .required("metadata")
        .property("resources", ArrayBuilder::new().items(resource))
        .required("resources");
    RefOr::T(collection.build().into())
}

/// The form of a parameter of this name.
fn query_form(name: &str) -> ObjectBuilder {
    const NUMBERS: &[&str] = &["before", "count", "first", "from", "level", "limit", "offset"];
    const TRUTHS: &[&str] = &["force", "totalCount"];
    match name {
        name if NUMBERS.contains(&name) => ObjectBuilder::new().schema_type(Type::Integer),
        name if TRUTHS.contains(&name) => ObjectBuilder::new().schema_type(Type::Boolean),
        _ => text(),
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The names in braces.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// A name for programs that are made from the document, such as `post_v1_adapters_adapter_move`.
fn identifier(operation: &Operation) -> String {
    let method = match operation.method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "get",
    };
    let path = operation
        .path
        .replace(['{', '}'], "")
        .replace(['/', '-', '.'], "_");
    format!("{method}{path}")
}

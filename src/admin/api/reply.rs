//! What every reply has in common.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every reply that is not a success has as its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorReply {
    /// The error.
    pub error: ErrorBody,
}

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A word for programs, from the table in [`admin`](super::super).
    pub code: String,
    /// What was expected and what came.
    pub message: String,
    /// What the caller can do, where the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The items of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The items, in the order that the resource documents.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What belongs here and is left out because its stored row was changed by another hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tampered: Vec<String>,
}

impl<T> From<Vec<T>> for List<T> {
    /// A collection that fits one page.
    fn from(items: Vec<T>) -> Self {
        Self {
            items,
            next: None,
            tampered: Vec::new(),
        }
    }
}

//! What all bodies have around them, and how a list is paged.

use serde::{Deserialize, Serialize};

use super::super::refusal::{Kind, Refusal};

/// The items of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Collection<T> {
    metadata: Metadata,
    resources: Vec<T>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    collection_type: &'static str,
    collection_total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<usize>,
}

impl<T> Collection<T> {
    pub(super) fn new(collection_type: &'static str, resources: Vec<T>) -> Self {
        Self {
            metadata: Metadata {
                collection_type,
                collection_total: resources.len(),
                total_count: None,
            },
            resources,
        }
    }

    /// The page of a list that is asked for.
    pub(super) fn page(collection_type: &'static str, all: Vec<T>, page: &Page) -> Self {
        let total = all.len();
        let resources = all.into_iter().skip(page.offset).take(page.limit).collect();
        Self::new(collection_type, resources).of(page.total_count.then_some(total))
    }

    /// The same, one of so many.
    pub(super) fn of(mut self, total: Option<usize>) -> Self {
        self.metadata.total_count = total;
        self
    }
}

/// What a client sends to make something.
#[derive(Debug, Deserialize)]
pub(super) struct New<T> {
    metadata: NewMetadata,
    resources: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMetadata {
    collection_type: String,
    collection_total: usize,
}

impl<T> New<T> {
    /// The one thing that is to be made.
    pub(super) fn only(mut self, collection_type: &str) -> Result<T, Refusal> {
        if self.metadata.collection_type != collection_type {
            let message = format!(
                "metadata.collectionType is {collection_type} here, and {} came",
                self.metadata.collection_type
            );
            return Err(Refusal::new(Kind::Invalid, message));
        }
        match (
            self.metadata.collection_total,
            self.resources.len(),
            self.resources.pop(),
        ) {
            (1, 1, Some(only)) => Ok(only),
            (total, count, _) => Err(Refusal::new(
                Kind::Invalid,
                format!(
                    "one resource is made at a time: {count} came, and metadata.collectionTotal is {total}"
                ),
            )
            .key_protect("COLLECTION_TOTAL_MISMATCH_ERR")),
        }
    }
}

/// The query of a list, as it comes.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    offset: Option<usize>,
    /// `true`, in whatever case: Python writes `True`.
    #[serde(default, rename = "totalCount")]
    total_count: Option<String>,
    #[serde(default)]
    pub(super) crk_id: Option<String>,
    #[serde(default)]
    pub(super) state: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) total_count: bool,
}

/// How many there are on a page where the client says nothing.
const USUAL: usize = 100;

impl Asked {
    /// At most `most` at once.
    pub(super) fn page(&self, most: usize) -> Result<Page, Refusal> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=most).contains(&limit) {
            let message = format!("limit is 1 to {most}, and {limit} came");
            return Err(Refusal::new(Kind::Invalid, message));
        }
        Ok(Page {
            limit,
            offset: self.offset.unwrap_or_default(),
            total_count: is_true(self.total_count.as_deref(), "totalCount")?,
        })
    }
}

/// What a parameter says that is `true` or `false`, in whatever case.
pub(super) fn is_true(text: Option<&str>, name: &str) -> Result<bool, Refusal> {
    match text {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(other) => Err(Refusal::new(
            Kind::Invalid,
            format!("{name} is true or false, and {other:?} came"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        let uri = format!("http://x/?{query}").parse().unwrap();
        axum::extract::Query::try_from_uri(&uri).unwrap().0
    }

    #[test]
    fn a_page_is_what_the_client_asked_for_and_no_longer_than_is_documented() {
        let page = asked("limit=5&offset=10&totalCount=True").page(200).unwrap();
        let expected = Page {
            limit: 5,
            offset: 10,
            total_count: true,
        };
        assert_eq!(page, expected);
        assert_eq!(asked("").page(200).unwrap().limit, 100);
        assert!(asked("limit=201").page(200).is_err());
        assert!(asked("totalCount=perhaps").page(200).is_err());
        let shown = Collection::page("x", (0..12).collect(), &expected);
        let shown = serde_json::to_value(shown).unwrap();
        assert_eq!(shown["resources"], serde_json::json!([10, 11]));
        assert_eq!(shown["metadata"]["totalCount"], 12);
        assert_eq!(shown["metadata"]["collectionTotal"], 2);
    }
}

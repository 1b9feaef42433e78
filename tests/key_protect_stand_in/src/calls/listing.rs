//! Which keys a list has: `state`, `extractable`, `filter`, `search` and `sort`.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::calls::request::{Request, boolean};
use crate::model::Key;
use crate::refusal::Refusal;
use crate::store::State;

/// No more keys than these are searched.
const MOST_SEARCHED: usize = 5000;
/// The states of the keys that a list has where the client says nothing: all but deleted ones.
const LIVING: [u8; 4] = [0, 1, 2, 3];

/// The keys of a list, all pages of it.
pub(super) struct Found {
    pub(super) keys: Vec<Arc<Key>>,
    /// How the search was understood, where there was one.
    pub(super) query: Option<Value>,
}

/// The keys that the request asks for, in its order.
pub(super) fn find(state: &State, request: &Request) -> Result<Found, Refusal> {
    let ring = request.key_ring(state)?;
    let conditions = conditions(request)?;
    let says_state = conditions
        .iter()
        .any(|condition| matches!(condition, Condition::State(_)));
    let holds = |key: &Key| {
        (says_state || LIVING.contains(&key.state(request.now).number()))
            && conditions
                .iter()
                .all(|condition| condition.holds(key, request.now))
    };
    let in_ring = |key: &Key| ring.is_none_or(|ring| ring == key.key_ring);
    let mut keys: Vec<_> = state
        .keys()
        .filter(|key| in_ring(key) && holds(key))
        .cloned()
        .collect();
    let search = request.parameter("search").map(Search::parse);
    if let Some(search) = &search {
        if keys.len() > MOST_SEARCHED {
            return Err(Refusal::search_too_broad());
        }
        keys.retain(|key| search.finds(key));
    }
    let order = order(request.parameter("sort").unwrap_or("id"))?;
    keys.sort_by(|a, b| {
        let by = |(property, descending): &(Property, bool)| {
            let ordering = property.compare(a, b, request.now);
            if *descending { ordering.reverse() } else { ordering }
        };
        order
            .iter()
            .map(by)
            .fold(Ordering::Equal, Ordering::then)
            .then(a.id.cmp(&b.id))
    });
    let query = search.map(|search| search.form());
    Ok(Found { keys, query })
}

/// What a key must be to be in the list.
enum Condition {
    State(Vec<u8>),
    Extractable(bool),
    Date(Property, Comparison, OffsetDateTime),
    None(Property),
}

enum Comparison {
    Equal,
    AtMost,
    Less,
    AtLeast,
    More,
}

impl Condition {
    fn holds(&self, key: &Key, now: OffsetDateTime) -> bool {
        match self {
            Self::State(states) => states.contains(&key.state(now).number()),
            Self::Extractable(extractable) => key.extractable() == *extractable,
            Self::None(property) => property.date(key).is_none(),
            Self::Date(property, comparison, date) => property.date(key).is_some_and(|at| {
                // As the client sees it, to the second.
                let at = at.replace_nanosecond(0).unwrap_or(at);
                match comparison {
                    Comparison::Equal => at == *date,
                    Comparison::AtMost => at <= *date,
                    Comparison::Less => at < *date,
                    Comparison::AtLeast => at >= *date,
                    Comparison::More => at > *date,
                }
            }),
        }
    }
}

fn conditions(request: &Request) -> Result<Vec<Condition>, Refusal> {
    let mut conditions = Vec::new();
    for condition in words(request.parameter("filter").unwrap_or_default()) {
        let (property, value) = condition
            .split_once('=')
            .ok_or_else(|| Refusal::invalid_field("filter", "<property>=<value> is expected"))?;
        if request.parameter(property).is_some() {
            return Err(Refusal::invalid_field(
                "filter",
                "the query has the same property beside it",
            ));
        }
        conditions.push(match property {
            "state" => Condition::State(states(value)?),
            "extractable" => Condition::Extractable(boolean("filter", value)?),
            _ => dated(property, value)?,
        });
    }
    if let Some(value) = request.parameter("state") {
        conditions.push(Condition::State(states(value)?));
    }
    if let Some(extractable) = request.boolean("extractable")? {
        conditions.push(Condition::Extractable(extractable));
    }
    Ok(conditions)
}

/// What blanks divide, but those in quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let divides = move |c: char| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    };
    text.split(divides).filter(|word| !word.is_empty())
}

fn states(value: &str) -> Result<Vec<u8>, Refusal> {
    let known = |number: &u8| matches!(number, 0..=3 | 5);
    let state = |number: &str| number.parse().ok().filter(known);
    let states: Option<Vec<u8>> = value.split(',').map(state).collect();
    states.ok_or_else(|| {
        Refusal::invalid_field(
            "state",
            "some of 0, 1, 2, 3, 5 are expected, with commas between them",
        )
    })
}

fn dated(property: &str, value: &str) -> Result<Condition, Refusal> {
    let property = Property::parse(property).filter(|property| property.is_date());
    let property = property.ok_or_else(|| Refusal::invalid_field("filter", "no such property"))?;
    if value.eq_ignore_ascii_case("none") {
        return Ok(Condition::None(property));
    }
    let operators = [
        ("lte:", Comparison::AtMost),
        ("lt:", Comparison::Less),
        ("gte:", Comparison::AtLeast),
        ("gt:", Comparison::More),
    ];
    let operator = |(name, comparison)| value.strip_prefix(name).map(|rest| (comparison, rest));
    let found = operators.into_iter().find_map(operator);
    let (comparison, date) = found.unwrap_or((Comparison::Equal, value));
    let date = OffsetDateTime::parse(date.trim_matches('"'), &Rfc3339)
        .map_err(|_| Refusal::invalid_field("filter", "a date in the form of RFC 3339 is expected"))?;
    Ok(Condition::Date(property, comparison, date))
}

/// What can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Property {
    Id,
    State,
    Extractable,
    Imported,
    CreationDate,
    LastUpdateDate,
    LastRotateDate,
    DeletionDate,
    ExpirationDate,
}

impl Property {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "state" => Self::State,
            "extractable" => Self::Extractable,
            "imported" => Self::Imported,
            "creationDate" => Self::CreationDate,
            "lastUpdateDate" => Self::LastUpdateDate,
            "lastRotateDate" => Self::LastRotateDate,
            "deletionDate" => Self::DeletionDate,
            "expirationDate" => Self::ExpirationDate,
            _ => return None,
        })
    }

    fn is_date(self) -> bool {
        !matches!(self, Self::Id | Self::State | Self::Extractable | Self::Imported)
    }

    fn date(self, key: &Key) -> Option<OffsetDateTime> {
        match self {
            Self::CreationDate => Some(key.created.at),
            Self::LastUpdateDate => Some(key.updated),
            Self::LastRotateDate => key.rotated,
            Self::DeletionDate => key.deletion.as_ref().map(|deletion| deletion.at),
            Self::ExpirationDate => key.expires,
            _ => None,
        }
    }

    fn compare(self, a: &Key, b: &Key, now: OffsetDateTime) -> Ordering {
        match self {
            Self::Id => a.id.cmp(&b.id),
            Self::State => a.state(now).cmp(&b.state(now)),
            Self::Extractable => a.extractable().cmp(&b.extractable()),
            Self::Imported => a.imported.cmp(&b.imported),
            date => date.date(a).cmp(&date.date(b)),
        }
    }
}

/// The properties to sort by, each with whether it goes downwards.
fn order(text: &str) -> Result<Vec<(Property, bool)>, Refusal> {
    let term = |term: &str| {
        let (name, descending) = term.strip_prefix('-').map_or((term, false), |name| (name, true));
        let property =
            Property::parse(name).ok_or_else(|| Refusal::invalid_field("sort", "no such property"))?;
        Ok((property, descending))
    };
    text.split(',').map(term).collect()
}

/// A search: options and scopes, each with a colon, before the text.
#[allow(clippy::struct_excessive_bools)] // Each is an option of the interface.
struct Search {
    text: String,
    not: bool,
    exact: bool,
    names: bool,
    aliases: bool,
}

impl Search {
    fn parse(mut text: &str) -> Self {
        let (mut not, mut exact, mut names, mut aliases) = (false, false, false, false);
        while let Some((option, rest)) = text.split_once(':') {
            match option {
                "not" => not = true,
                "exact" => exact = true,
                "name" => names = true,
                "alias" => aliases = true,
                "escape" => {
                    text = rest;
                    break;
                }
                _ => break,
            }
            text = rest;
        }
        if !names && !aliases {
            (names, aliases) = (true, true);
        }
        let text = text.to_owned();
        Self {
            text,
            not,
            exact,
            names,
            aliases,
        }
    }

    fn finds(&self, key: &Key) -> bool {
        let wanted = self.text.to_lowercase();
        let matches = |text: &str| {
            if self.exact {
                text == self.text
            } else {
                text.to_lowercase().contains(&wanted)
            }
        };
        let found = (self.names && matches(&key.name))
            || (self.aliases && key.aliases.iter().any(|alias| matches(&alias.alias)))
            || key.id.to_string() == wanted;
        found != self.not
    }

    fn form(&self) -> Value {
        let scopes: Vec<_> = [(self.names, "name"), (self.aliases, "alias")]
            .into_iter()
            .filter_map(|(in_scope, scope)| in_scope.then_some(scope))
            .collect();
        json!({"query": self.text, "scopes": scopes, "not": self.not, "exact": self.exact})
    }
}

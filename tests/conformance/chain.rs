//! Which cases start from what others of their family left.
//!
//! A case does where its requests use a placeholder that none of its answers gives, or where it locates, before it has
//! made anything, what an earlier case of its family and version names. Each other case has an adapter of its own,
//! since names are unique in one.

use std::collections::BTreeSet;

use crate::case::{Case, Exchange};
use crate::oasis::xml::Node;

/// Operations after which there is an object.
const MAKING: [&str; 7] = [
    "Create",
    "CreateKeyPair",
    "Register",
    "DeriveKey",
    "Import",
    "CreateSplitKey",
    "JoinSplitKey",
];

/// A key that must be there before a case, since its server is expected to have it: a member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beforehand {
    pub group: String,
    pub bits: i32,
}

/// The cases in rows that share an adapter, by their places.
pub fn chains(cases: &[Case]) -> Vec<Vec<usize>> {
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for place in 0..cases.len() {
        let chain = predecessor(cases, place)
            .and_then(|earlier| chains.iter_mut().find(|chain| chain.last() == Some(&earlier)));
        match chain {
            Some(chain) => chain.push(place),
            None => chains.push(vec![place]),
        }
    }
    chains
}

/// The case that a case starts from.
fn predecessor(cases: &[Case], place: usize) -> Option<usize> {
    let case = &cases[place];
    let mut earlier = (0..place).rev().filter(|earlier| {
        let earlier = &cases[*earlier];
        earlier.family == case.family && earlier.version == case.version
    });
    if !unbound(case).is_empty() {
        return earlier.next();
    }
    let located = located_beforehand(case);
    let named = located.first().map(|located| texts(located))?;
    earlier.find(|earlier| {
        let known: BTreeSet<_> = cases[*earlier]
            .exchanges
            .iter()
            .flat_map(|exchange| texts(&exchange.request))
            .collect();
        !named.is_empty() && named.is_subset(&known)
    })
}

/// Placeholders that requests use and no answer before gives; a value of the same name in an answer is given too.
pub fn unbound(case: &Case) -> BTreeSet<String> {
    let (mut bound, mut unbound) = (BTreeSet::new(), BTreeSet::new());
    for exchange in &case.exchanges {
        for node in exchange.request.everything() {
            let used = node.value().filter(|value| is_placeholder(value));
            if let Some(name) = used
                && !bound.contains(name)
                && !bound.contains(node.name.as_str())
            {
                unbound.insert(name.to_owned());
            }
        }
        for node in exchange.response.everything() {
            bound.extend(node.value().filter(|value| is_placeholder(value)));
            bound.insert(node.name.as_str());
        }
    }
    unbound
}

fn is_placeholder(value: &str) -> bool {
    value.starts_with('$') && !value.starts_with("$NOW")
}

/// The payloads of Locate that are to find something before the case has made anything.
fn located_beforehand(case: &Case) -> Vec<&Node> {
    let mut located = Vec::new();
    for (request, answer) in case.exchanges.iter().flat_map(Exchange::items) {
        let operation = request.value_of("Operation").unwrap_or_default();
        if MAKING.contains(&operation) {
            break;
        }
        let found = answer
            .and_then(|answer| answer.find("ResponsePayload"))
            .is_some_and(|payload| payload.find("UniqueIdentifier").is_some());
        if operation == "Locate" && found {
            located.extend(request.find("RequestPayload"));
        }
    }
    located
}

/// The texts that tell objects apart, each with the attribute that it is of.
fn texts(node: &Node) -> BTreeSet<(String, &str)> {
    let mut texts = BTreeSet::new();
    collect_texts(node, "", &mut texts);
    texts
}

fn collect_texts<'a>(node: &'a Node, attribute: &str, texts: &mut BTreeSet<(String, &'a str)>) {
    let named = node
        .value_of("AttributeName")
        .map(|name| name.split_whitespace().collect::<String>());
    for child in &node.children {
        let attribute = match (node.name.as_str(), &named) {
            (_, Some(name)) => name,
            ("Attributes" | "RequestPayload", None) => &child.name,
            _ => attribute,
        };
        match child.value() {
            Some(value) if child.item_type() == "TextString" && child.name != "AttributeName" => {
                if !value.starts_with('$') {
                    texts.insert((attribute.to_owned(), value));
                }
            }
            _ => collect_texts(child, attribute, texts),
        }
    }
}

/// Keys that must be there before a case that starts from nothing: those of a group that it locates before it has
/// made any. What kind they are is what its answers tell of them.
pub fn beforehand(case: &Case) -> Option<Beforehand> {
    let payload = *located_beforehand(case).first()?;
    let nodes = payload.everything();
    let group = nodes.iter().find_map(|node| {
        let named = node.value_of("AttributeName") == Some("Object Group");
        match node.name.as_str() {
            "ObjectGroup" => node.value(),
            _ if named => node.value_of("AttributeValue"),
            _ => None,
        }
    })?;
    let answers = case
        .exchanges
        .iter()
        .flat_map(|exchange| exchange.response.everything());
    let bits = answers
        .filter(|node| node.name == "CryptographicLength")
        .find_map(|node| node.value()?.parse().ok());
    Some(Beforehand {
        group: group.to_owned(),
        bits: bits.unwrap_or(256),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, requests: &[(&str, &str, &str)]) -> Case {
        let messages: Vec<_> = requests
            .iter()
            .map(|(operation, payload, answer)| {
                format!(
                    "<RequestMessage><BatchItem><Operation type='Enumeration' value='{operation}'/>\
                     <RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>\
                     <ResponseMessage><BatchItem><ResponsePayload>{answer}</ResponsePayload></BatchItem>\
                     </ResponseMessage>"
                )
            })
            .collect();
        let messages = messages.concat();
        Case::parse(name, &format!("<KMIP>{messages}</KMIP>"))
    }

    const IDENTIFIER: &str = "<UniqueIdentifier type='TextString' value='$UNIQUE_IDENTIFIER_0'/>";

    fn named(name: &str) -> String {
        format!("<Attributes><Name><NameValue type='TextString' value='{name}'/></Name></Attributes>")
    }

    #[test]
    fn a_case_that_locates_what_another_made_runs_behind_it() {
        let cases = [
            case("X-1", &[("Create", &named("key"), IDENTIFIER)]),
            case("X-2", &[("Create", &named("other"), IDENTIFIER)]),
            case("X-3", &[("Locate", &named("key"), IDENTIFIER)]),
            case("Y-1", &[("Locate", &named("key"), IDENTIFIER)]),
        ];
        assert_eq!(chains(&cases), [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn a_case_that_uses_what_another_was_told_runs_behind_it() {
        let cases = [
            case("X-1", &[("Create", "", IDENTIFIER)]),
            case("X-2", &[("Get", IDENTIFIER, "")]),
            case("X-3", &[("Create", "", IDENTIFIER), ("Get", IDENTIFIER, "")]),
        ];
        assert_eq!(chains(&cases), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_group_that_must_have_members_beforehand_is_given_one() {
        let payload = "<Attribute><AttributeName type='TextString' value='Object Group'/>\
                       <AttributeValue type='TextString' value='default'/></Attribute>";
        let length = "<CryptographicLength type='Integer' value='128'/>";
        let case = case(
            "X-1",
            &[("Locate", payload, IDENTIFIER), ("Get", IDENTIFIER, length)],
        );
        let expected = Beforehand {
            group: "default".to_owned(),
            bits: 128,
        };
        assert_eq!(beforehand(&case), Some(expected));
    }
}

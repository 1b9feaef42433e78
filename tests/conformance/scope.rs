//! What a case would need that this server is not for, judged by what the case holds.
//!
//! Only what is expected to succeed counts: that a server refuses a kind of object can be asked of any server. What a
//! Query lists is no need either.

use std::collections::BTreeSet;
use std::fmt;

use crate::case::{Case, Exchange};
use crate::oasis::xml::Node;

/// The reasons that there are for a case not to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Asymmetric,
    TripleDes,
    Certificates,
    SplitKeys,
    OneTimePasswords,
    PgpKeys,
    Pkcs11,
    ServerToClient,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asymmetric => "asymmetric",
            Self::TripleDes => "3DES",
            Self::Certificates => "certificates",
            Self::SplitKeys => "split keys",
            Self::OneTimePasswords => "one-time passwords",
            Self::PgpKeys => "PGP keys",
            Self::Pkcs11 => "PKCS#11",
            Self::ServerToClient => "server-to-client Put and Notify",
        })
    }
}

/// Why a case is not run; nothing where it is.
pub fn reasons(case: &Case) -> BTreeSet<Reason> {
    let mut reasons = BTreeSet::new();
    let mut triple_des = false;
    let mut ciphers = false;
    for exchange in &case.exchanges {
        for (request, answer) in exchange.items() {
            let operation = request.value_of("Operation").unwrap_or_default();
            let refused =
                answer.and_then(|answer| answer.value_of("ResultStatus")) == Some("OperationFailed");
            if exchange.by_server || is_of_servers(operation) {
                reasons.insert(Reason::ServerToClient);
            }
            if refused || operation == "Query" {
                continue;
            }
            reasons.extend(of_operation(operation));
            ciphers |= matches!(operation, "Encrypt" | "Decrypt" | "MAC" | "MACVerify");
            for node in nodes(request, answer) {
                reasons.extend(of_node(node));
                triple_des |= values(node).any(|value| matches!(value, "DES3" | "3DES"));
            }
        }
        reasons.extend(of_credential(exchange));
    }
    if triple_des && ciphers {
        reasons.insert(Reason::TripleDes);
    }
    reasons
}

fn nodes<'a>(request: &'a Node, answer: Option<&'a Node>) -> impl Iterator<Item = &'a Node> {
    let answer = answer.map(Node::everything).unwrap_or_default();
    request.everything().into_iter().chain(answer)
}

fn is_of_servers(operation: &str) -> bool {
    matches!(operation, "Put" | "Notify" | "SetEndpointRole")
}

fn of_operation(operation: &str) -> Option<Reason> {
    Some(match operation {
        "CreateKeyPair" | "ReKeyKeyPair" | "Sign" | "SignatureVerify" => Reason::Asymmetric,
        "Certify" | "ReCertify" | "Validate" => Reason::Certificates,
        "CreateSplitKey" | "JoinSplitKey" => Reason::SplitKeys,
        "PKCS_11" => Reason::Pkcs11,
        _ => return None,
    })
}

/// Values of a simple item, where they are kinds, algorithms or formats.
fn values(node: &Node) -> impl Iterator<Item = &str> {
    let counts = node.item_type() == "Enumeration" && node.name != "Operation";
    node.value().filter(|_| counts).into_iter()
}

fn of_node(node: &Node) -> Option<Reason> {
    let structure = node.item_type() == "Structure";
    let name = values(node)
        .next()
        .or(structure.then_some(node.name.as_str()))
        .unwrap_or_default();
    Some(match name {
        "PrivateKey"
        | "PublicKey"
        | "RSA"
        | "DSA"
        | "ECDSA"
        | "DH"
        | "ECDH"
        | "ECMQV"
        | "EC"
        | "Ed25519"
        | "Ed448"
        | "X25519"
        | "X448"
        | "McEliece"
        | "NTRU"
        | "SPHINCS_256"
        | "PKCS_1"
        | "PKCS_8"
        | "ECPrivateKey"
        | "CryptographicDomainParameters"
        | "PrivateKeyAttributes"
        | "PublicKeyAttributes" => Reason::Asymmetric,
        name if name.starts_with("Transparent")
            && (name.ends_with("PrivateKey") || name.ends_with("PublicKey")) =>
        {
            Reason::Asymmetric
        }
        "Certificate" | "CertificateRequest" | "X_509" => Reason::Certificates,
        "SplitKey" => Reason::SplitKeys,
        "PGPKey" | "PGP" => Reason::PgpKeys,
        "OneTimePad" | "OneTimePassword" => Reason::OneTimePasswords,
        _ if node.name == "NameValue" && is_one_time(node.value()) => Reason::OneTimePasswords,
        _ => return None,
    })
}

/// The cases of one-time pads say only by the name of the object that it is one.
fn is_one_time(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.to_lowercase().contains("one-time"))
}

fn of_credential(exchange: &Exchange) -> Option<Reason> {
    let header = exchange.request.find("RequestHeader")?;
    let one_time = |node: &Node| {
        matches!(node.name.as_str(), "CredentialType" | "Username" | "Password")
            && (is_one_time(node.value()) || node.value() == Some("OneTimePassword"))
    };
    header
        .everything()
        .into_iter()
        .any(one_time)
        .then_some(Reason::OneTimePasswords)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case_of(operation: &str, status: &str, payload: &str) -> Case {
        Case::parse(
            "anything",
            &format!(
                "<KMIP><RequestMessage><BatchItem><Operation type='Enumeration' value='{operation}'/>\
                 <RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>\
                 <ResponseMessage><BatchItem><ResultStatus type='Enumeration' value='{status}'/></BatchItem>\
                 </ResponseMessage></KMIP>"
            ),
        )
    }

    fn reasons_of(operation: &str, payload: &str) -> Vec<Reason> {
        reasons(&case_of(operation, "Success", payload))
            .into_iter()
            .collect()
    }

    #[test]
    fn each_reason_is_found_in_what_a_case_holds_whatever_it_is_called() {
        let algorithm = |name| format!("<CryptographicAlgorithm type='Enumeration' value='{name}'/>");
        let kind = |name| format!("<ObjectType type='Enumeration' value='{name}'/>");
        for (operation, payload, reason) in [
            ("CreateKeyPair", String::new(), Reason::Asymmetric),
            ("Register", kind("PrivateKey"), Reason::Asymmetric),
            ("Create", algorithm("RSA"), Reason::Asymmetric),
            ("Register", kind("Certificate"), Reason::Certificates),
            ("Register", kind("PGPKey"), Reason::PgpKeys),
            ("Register", kind("SplitKey"), Reason::SplitKeys),
            ("JoinSplitKey", String::new(), Reason::SplitKeys),
            ("PKCS_11", String::new(), Reason::Pkcs11),
            ("Notify", String::new(), Reason::ServerToClient),
            ("Encrypt", algorithm("DES3"), Reason::TripleDes),
            ("Encrypt", algorithm("OneTimePad"), Reason::OneTimePasswords),
        ] {
            assert_eq!(reasons_of(operation, &payload), [reason], "{operation} {payload}");
        }
    }

    #[test]
    fn keys_of_3des_are_made_and_kept_and_their_cases_run() {
        let payload = "<CryptographicAlgorithm type='Enumeration' value='DES3'/>";
        assert_eq!(reasons_of("Create", payload), []);
    }

    #[test]
    fn what_a_server_refuses_or_lists_is_no_reason() {
        let payload = "<ObjectType type='Enumeration' value='PrivateKey'/>";
        let refused = case_of("Register", "OperationFailed", payload);
        assert!(reasons(&refused).is_empty());
        assert_eq!(reasons_of("Query", payload), []);
    }

    #[test]
    fn a_symmetric_case_is_never_skipped() {
        let payload = "<ObjectType type='Enumeration' value='SymmetricKey'/>\
                       <CryptographicAlgorithm type='Enumeration' value='AES'/>";
        for operation in ["Create", "Register", "Encrypt", "DeriveKey", "Archive"] {
            assert_eq!(reasons_of(operation, payload), []);
        }
    }
}

//! Users of one client, told apart by the credentials in a request's header (KMIP 1.4, sections 2.1.2 and 3.18).
//!
//! A client is known by its certificate, and all of an adapter's clients share its objects. A client whose program has
//! several users can keep their objects apart: an object that is made with the Operation Policy Name `default`, by a request
//! that shows a user or a device, is that user's alone. Nothing here proves who a user is: where the adapter has users of its
//! own, `authentication` has verified the password before, and in any case the certificate is what lets a client in.

use crate::kmip::message::Credential;

/// The user or the device that a request shows first; none where it shows none.
pub(super) fn shown(credentials: &[Credential<'_>]) -> Option<String> {
    credentials.iter().find_map(|credential| match credential {
        Credential::UsernameAndPassword { username, .. } => Some(format!("user {username}")),
        Credential::Device(device) => {
            let parts = [
                device.device_serial_number,
                device.device_identifier,
                device.network_identifier,
                device.machine_identifier,
                device.media_identifier,
            ];
            // Quoted, so that no two devices read alike.
            let parts: Vec<_> = parts.iter().map(|part| format!("{part:?}")).collect();
            Some(format!("device {}", parts.join(" ")))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::message::DeviceCredential;

    fn device(serial: Option<&'static str>, identifier: Option<&'static str>) -> Option<String> {
        shown(&[Credential::Device(Box::new(DeviceCredential {
            device_serial_number: serial,
            device_identifier: identifier,
            ..DeviceCredential::default()
        }))])
    }

    #[test]
    fn no_two_devices_are_taken_for_one() {
        assert_ne!(device(Some("a"), Some("b")), device(Some("a b"), None));
        assert_ne!(device(Some("a"), None), device(None, Some("a")));
        assert_eq!(device(Some("a"), None), device(Some("a"), None));
        let user = |username| {
            shown(&[Credential::UsernameAndPassword {
                username,
                password: None,
            }])
        };
        assert_ne!(user("Fred"), user("Barney"));
        assert_eq!(shown(&[]), None);
    }
}

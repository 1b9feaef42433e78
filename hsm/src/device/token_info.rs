//! What a token says of itself, as `C_GetTokenInfo` gives it.

use cryptoki_sys as ck;

use crate::key::TokenFacts;

/// What is of use of it. The token's clock is another matter: [`clock`].
pub(super) fn facts(slot: u64, info: &ck::CK_TOKEN_INFO) -> TokenFacts {
    let flag = |flag: ck::CK_FLAGS| info.flags & flag != 0;
    let firmware = info.firmwareVersion;
    TokenFacts {
        slot,
        label: text(&info.label),
        serial: text(&info.serialNumber),
        manufacturer: text(&info.manufacturerID),
        model: text(&info.model),
        firmware: format!("{}.{}", firmware.major, firmware.minor),
        user_pin_count_low: flag(ck::CKF_USER_PIN_COUNT_LOW),
        user_pin_final_try: flag(ck::CKF_USER_PIN_FINAL_TRY),
        user_pin_locked: flag(ck::CKF_USER_PIN_LOCKED),
        write_protected: flag(ck::CKF_WRITE_PROTECTED),
    }
}

/// The token's clock, as it is written; `None` where the token has none.
pub(super) fn clock(info: &ck::CK_TOKEN_INFO) -> Option<String> {
    (info.flags & ck::CKF_CLOCK_ON_TOKEN != 0).then(|| text(&info.utcTime))
}

/// A field without the blanks that pad it, or the zeros that some modules pad it with.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field)
        .trim_end_matches([' ', '\0'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_whose_clock_cannot_be_read_is_found_all_the_same() {
        let mut info = ck::CK_TOKEN_INFO {
            flags: ck::CKF_CLOCK_ON_TOKEN | ck::CKF_USER_PIN_COUNT_LOW,
            utcTime: *b"11:34:32\0\0\0\0\0\0\0\0",
            ..Default::default()
        };
        info.label[..9].copy_from_slice(b"one token");
        info.label[9..].fill(b' ');
        info.firmwareVersion.minor = 10;
        let facts = facts(3, &info);
        assert_eq!(
            (facts.slot, facts.label.as_str(), facts.serial.as_str()),
            (3, "one token", "")
        );
        assert_eq!(facts.firmware, "0.10");
        assert!(facts.user_pin_count_low && !facts.user_pin_locked);
        assert_eq!(clock(&info).as_deref(), Some("11:34:32"));
    }
}

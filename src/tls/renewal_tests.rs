//! Commands that print a chain, and some that print something else. The command is the shell, and the authority OpenSSL's own
//! program, which the tests need anyway.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

struct Files {
    folder: tempfile::TempDir,
    renewal: Renewal,
}

impl Files {
    /// A present certificate for `localhost` and an address, and a command that is this shell script, run in the folder, which
    /// has an authority's `ca.pem` and `ca.key`.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = vec!["localhost".to_owned(), "192.0.2.7".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        let now = OffsetDateTime::now_utc();
        (parameters.not_before, parameters.not_after) = (now - DAY, now + DAY);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let authority = authority.self_signed(&authority_key).unwrap();
        for (name, text) in [
            ("server.pem", made.pem()),
            ("server.key", key.serialize_pem()),
            ("ca.pem", authority.pem()),
            ("ca.key", authority_key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let script = format!("cd {}; {script}", folder.path().display());
        let renewal = Renewal {
            command: vec!["/bin/sh".into(), "-c".into(), script],
            before: Duration::from_hours(72),
            certificate: folder.path().join("server.pem"),
            key: folder.path().join("server.key"),
        };
        Self { folder, renewal }
    }

    fn contents(&self) -> [Vec<u8>; 2] {
        [&self.renewal.certificate, &self.renewal.key].map(|file| std::fs::read(file).unwrap())
    }

    async fn renew(&self) -> Result<OffsetDateTime, RenewalError> {
        self.renewal.renew().await
    }
}

const DAY: time::Duration = time::Duration::DAY;

/// Signs the request for a year, and prints the chain.
const SIGNS: &str = "cat > request.pem && openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 365 -set_serial 4711 \
                     -copy_extensions copy 2>/dev/null && cat ca.pem";

#[tokio::test]
async fn a_new_certificate_for_the_same_names_takes_the_place_of_one_that_expires() {
    let files = Files::new(SIGNS);
    let before = files.contents();
    let due = files.renewal.due().unwrap();
    assert!(due < OffsetDateTime::now_utc());
    let until = files.renew().await.unwrap();
    assert!(until > OffsetDateTime::now_utc() + DAY * 300);
    let after = files.contents();
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(X509::stack_from_pem(&after[0]).unwrap().len(), 2);
    let provider = aws_lc_rs::default_provider();
    pair(&files.renewal.certificate, &files.renewal.key, &provider).unwrap();
    let mode = std::fs::metadata(&files.renewal.key)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(files.renewal.due().unwrap() > OffsetDateTime::now_utc());
}

#[tokio::test]
async fn what_can_not_be_served_changes_nothing() {
    let short = SIGNS.replace("-days 365", "-days 0");
    let unnamed = SIGNS.replace("-copy_extensions copy", "");
    for (script, expected) in [
        ("exit 3", "ended with exit status: 3"),
        ("echo no such template >&2; exit 1", "no such template"),
        ("cat", "no certificate"),
        ("true", "no certificate"),
        ("cat server.pem", "not for the key"),
        (unnamed.as_str(), "not for localhost"),
        (short.as_str(), "not valid now"),
        ("cat /dev/zero", "more than"),
    ] {
        let files = Files::new(script);
        let before = files.contents();
        let error = files.renew().await.expect_err(script).to_string();
        assert!(error.contains(expected), "{script}: {error}");
        assert_eq!(files.contents(), before, "{script}");
        let left = std::fs::read_dir(files.folder.path()).unwrap();
        let new = left.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".new")
        });
        assert_eq!(new.count(), 0, "{script}");
    }
}

#[tokio::test]
async fn a_command_that_is_not_there_is_told_of() {
    let mut files = Files::new(SIGNS);
    files.renewal.command = vec!["/nonexistent/renew".into()];
    let error = files.renew().await.expect_err("there is none").to_string();
    assert!(error.contains("/nonexistent/renew"), "{error}");
}

#[tokio::test]
async fn a_renewal_that_broke_off_between_its_files_is_finished() {
    let files = Files::new(SIGNS);
    let (certificate, key) = (&files.renewal.certificate, &files.renewal.key);
    let old = files.contents();
    files.renew().await.unwrap();
    let new = files.contents();
    std::fs::write(beside(certificate), &new[0]).unwrap();
    std::fs::write(certificate, &old[0]).unwrap();
    assert!(finish_renewal(certificate, key).unwrap());
    assert_eq!(files.contents(), new);
    assert!(!finish_renewal(certificate, key).unwrap(), "it is finished");
}

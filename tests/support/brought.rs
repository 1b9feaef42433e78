//! Root keys that are brought from elsewhere.

use std::process::Command;

use tempfile::TempDir;

/// The path of the wrapped key. What an operator does at the place where the key is now; SoftHSM 2.6 knows RSA-OAEP with SHA-1 alone.
pub fn wrapped_by_openssl(folder: &TempDir, public_key: &str, key: &[u8]) -> String {
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    std::fs::write(path("public.pem"), public_key).expect("the folder is ours");
    std::fs::write(path("key.bin"), key).expect("the folder is ours");
    let wrapped = Command::new("openssl")
        .args(["pkeyutl", "-encrypt", "-pubin", "-inkey", &path("public.pem")])
        .args(["-in", &path("key.bin"), "-out", &path("wrapped.bin")])
        .args([
            "-pkeyopt",
            "rsa_padding_mode:oaep",
            "-pkeyopt",
            "rsa_oaep_md:sha1",
        ])
        .output()
        .expect("openssl can be run");
    assert!(
        wrapped.status.success(),
        "{}",
        String::from_utf8_lossy(&wrapped.stderr)
    );
    path("wrapped.bin")
}

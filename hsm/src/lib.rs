//! The device: everything that Claviger does with an HSM through PKCS#11.
//!
//! This is the only crate that names `cryptoki`. It knows nothing of KMIP, adapters or the store.

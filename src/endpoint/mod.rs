//! KMIP over TLS: listener, client certificates, limits, sessions. Knows bytes and identities, no operation.
